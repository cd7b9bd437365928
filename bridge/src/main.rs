//! `p2pchat-bridge`: flags, logging, signals, exit code.

// They panic where standard output or error cannot be written.
#![warn(clippy::print_stdout, clippy::print_stderr)]

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use p2pchat_bridge::open::{OpenError, Redirect};
use p2pchat_bridge::options::SettingsError;
use p2pchat_bridge::{Assets, Secret, Server, Settings, Setup, server};
use p2pchat_peer::{Handle, Peer};
use p2pchat_settings::streams::{self, Output, complain};
use p2pchat_settings::{Signals, TOO_LITTLE, logs};
use tokio::runtime::Builder;

const NAME: &str = "p2pchat-bridge";
/// The exit code for a wrong command line, environment or config file, as clap has it.
const USAGE: u8 = 2;

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
            ExitCode::FAILURE
        }
    }
}

fn run(settings: Settings) -> Result<()> {
    // One thread: what is done for a message is over before another is awake. The attribute
    // of tokio would panic where this fails.
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.context(TOO_LITTLE)?.block_on(serve(settings))
}

async fn serve(settings: Settings) -> Result<()> {
    // Before anything else: a signal during the start must not be missed.
    let mut signals = Signals::new().context("cannot wait for signals")?;
    let secret = Secret::load_or_make(&settings.options.secret_file)?;
    let listener = server::listen(settings.options.listen).await?;
    let setup = Setup {
        secret,
        assets: Assets::embedded(),
        origins: settings.options.allow_origin.clone(),
        limits: settings.limits(),
    };
    let peer = Peer::start(settings.peer).await?;
    if setup.assets.is_empty() {
        complain(
            NAME,
            "built without the web UI; the page says how to build it",
        );
    }
    let server = Server::new(listener, peer.handle(), setup).context("cannot listen")?;
    announce(&server, &peer.handle())?;
    let url = server.url();
    // Lives as long as the bridge does.
    let _redirect = settings
        .options
        .open
        .then(|| show(&settings.options.secret_file, &url));
    let ended = server.run(async move { _ = signals.next().await }).await;
    // The peer says more about its own end.
    peer.stop().await?;
    Ok(ended?)
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

/// The one line that says where everything is; scripts read the URL from it. Without a
/// reader the bridge goes on.
fn announce(server: &Server, handle: &Handle) -> Result<()> {
    let (address, url) = (handle.address(), server.url());
    let line = format!("{NAME}: peer at {address}, open {url}\n");
    match streams::print(line.as_bytes())? {
        Output::Written | Output::Closed => Ok(()),
    }
}
