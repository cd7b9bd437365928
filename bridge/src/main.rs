//! `p2pchat-bridge`: flags, logging, signals, exit code.

// They panic where standard output or error cannot be written.
#![warn(clippy::print_stdout, clippy::print_stderr)]

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use p2pchat_bridge::open::{OpenError, Redirect};
use p2pchat_bridge::options::SettingsError;
use p2pchat_bridge::{Assets, Running, Secret, Server, Settings, Setup, running, server, service};
use p2pchat_model::{Event, FrontEndId, PeerAddr};
use p2pchat_profile::{Ended, Profile};
use p2pchat_settings::service::ServiceError;
use p2pchat_settings::streams::{self, Output, Waiting, complain};
use p2pchat_settings::{Signals, TOO_LITTLE, logs};
use tokio::runtime::Builder;
use tokio::time::timeout;

const NAME: &str = "p2pchat-bridge";
/// The exit code for a wrong command line, environment or config file, as clap has it.
const USAGE: u8 = 2;
/// The exit code where nothing starts services.
const NO_MANAGER: u8 = 3;
/// How long a browser may take until it has read the file that leads to the page.
const READ_WITHIN: Duration = Duration::from_secs(15);

fn main() -> ExitCode {
    let settings = match Settings::read(std::env::args_os()) {
        Ok(settings) => settings,
        Err(SettingsError::Options(error)) => error.exit(NAME, USAGE.into()),
        Err(error) => {
            complain(NAME, error);
            return ExitCode::from(USAGE);
        }
    };
    logs::to_stderr("warn");
    match run(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(NAME, format_args!("{error:#}"));
            match error.downcast_ref() {
                Some(ServiceError::NoManager(..)) => ExitCode::from(NO_MANAGER),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn run(settings: Settings) -> Result<()> {
    if let Some(task) = &settings.options.task {
        return Ok(service::run(task, &settings, &mut Waiting(io::stdout()))?);
    }
    // One thread: what is done for a message is over before another is awake. The attribute
    // of tokio would panic where this fails.
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.context(TOO_LITTLE)?.block_on(serve(settings))
}

async fn serve(settings: Settings) -> Result<()> {
    // Before anything else: a signal during the start must not be missed.
    let mut signals = Signals::new().context("cannot wait for signals")?;
    let secret_file = &settings.options.secret_file;
    let secret = Secret::load_or_make(secret_file)?;
    let running = Running::begin(secret_file).unwrap_or_else(|error| {
        complain(
            NAME,
            format_args!("cannot mark that a bridge runs: {error}"),
        );
        None
    });
    if settings.options.open
        && running.is_none()
        && let Some(url) = running::url(secret_file, &secret)
    {
        complain(NAME, format_args!("it runs already, open {url}"));
        let _redirect = show(secret_file, &url);
        _ = timeout(READ_WITHIN, signals.next()).await;
        return Ok(());
    }
    let listener = server::listen(settings.options.listen).await?;
    let setup = Setup {
        secret,
        assets: Assets::embedded(),
        origins: settings.options.allow_origin.clone(),
        limits: settings.limits(),
    };
    let opening = Profile::open(p2pchat_profile::Options {
        folder: settings.options.peer.profile.clone(),
        peer: settings.peer.clone(),
        program: NAME,
        takes_over: true,
        login: None,
    });
    let profile = tokio::select! {
        opened = opening => opened?,
        // It may take a while where another program has the profile.
        _ = signals.next() => return Ok(()),
    };
    if let Some(owner) = profile.attachment() {
        complain(NAME, owner.attached_to());
    }
    if setup.assets.is_empty() {
        complain(
            NAME,
            "built without the web UI; the page says how to build it",
        );
    }
    let server = Server::new(listener, profile.clone(), setup).context("cannot listen")?;
    if let Some(running) = &running {
        running.page_is_at(&server.url())?;
    }
    let served = serve_pages(server, &profile, &settings, signals).await;
    // The profile says more about its own end.
    profile.close().await?;
    served
}

async fn serve_pages(
    server: Server,
    profile: &Profile,
    settings: &Settings,
    mut signals: Signals,
) -> Result<()> {
    let address = tokio::select! {
        address = address(profile) => address?,
        // It may take a while where the program that runs the peer is stopped.
        _ = signals.next() => return Ok(()),
    };
    announce(&server, address)?;
    let url = server.url();
    // Lives as long as the bridge does.
    let _redirect = settings
        .options
        .open
        .then(|| show(&settings.options.secret_file, &url));
    Ok(server.run(async move { _ = signals.next().await }).await?)
}

/// Opens the page in the browser. If that fails, the user can still open the URL.
fn show(secret_file: &Path, url: &str) -> Option<Redirect> {
    let by_hand = {
        let url = url.to_owned();
        move |error: &OpenError| {
            let advice = format_args!("the browser does not open ({error}): open {url} yourself");
            complain(NAME, advice);
        }
    };
    let own = secret_file.parent().unwrap_or(Path::new("."));
    // A browser in a sandbox (a snap, the default on Ubuntu) reads no hidden folders, such as
    // the one of the secret.
    let home = std::env::home_dir().unwrap_or(own.to_owned());
    Redirect::write(&home, url)
        .or_else(|_| Redirect::write(own, url))
        .and_then(|redirect| {
            redirect.show(by_hand.clone())?;
            Ok(redirect)
        })
        .inspect_err(by_hand)
        .ok()
}

/// The address of the peer, wherever it runs.
async fn address(profile: &Profile) -> Result<Option<PeerAddr>, Ended> {
    let mut front_end = profile.join(FrontEndId::random(rand::random()))?;
    loop {
        if let Event::View(snapshot) = &*front_end.updates.next().await?.event {
            return Ok(snapshot.view.address);
        }
    }
}

/// The one line that says where everything is; scripts read the URL from it. Without a
/// reader the bridge goes on.
fn announce(server: &Server, address: Option<PeerAddr>) -> Result<()> {
    let address = address.context("the peer does not listen")?;
    let line = format!("{NAME}: peer at {address}, open {}\n", server.url());
    match streams::print(line.as_bytes())? {
        Output::Written | Output::Closed => Ok(()),
    }
}
