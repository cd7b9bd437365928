//! `p2pchat-bridge`: flags, logging, signals, exit code.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{CommandFactory, FromArgMatches};
use p2pchat_bridge::cli::{Cli, Task};
use p2pchat_bridge::open::Redirect;
use p2pchat_bridge::{Assets, Secret, Server, Settings, Setup, server};
use p2pchat_peer::{Handle, Missed, Peer};
use p2pchat_settings::{Signals, logs};

/// The exit code for a wrong command line, environment or config file, as clap has it.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    if let Some(Task::Completions { shell }) = cli.task {
        let name = "p2pchat-bridge";
        clap_complete::generate(shell, &mut Cli::command(), name, &mut io::stdout());
        return ExitCode::SUCCESS;
    }
    logs::to_stderr("warn");
    let settings = match Settings::new(cli.given, &matches) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("p2pchat-bridge: {error}");
            return ExitCode::from(USAGE);
        }
    };
    match run(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("p2pchat-bridge: {error:#}");
            ExitCode::FAILURE
        }
    }
}

// One thread: what is done for a text is over before another is awake.
#[tokio::main(flavor = "current_thread")]
async fn run(settings: Settings) -> Result<()> {
    // Before anything else: a signal during the start must not go unheard.
    let mut signals = Signals::with_hang_up().context("cannot wait for signals")?;
    let secret = Secret::load_or_make(&settings.secret_file)?;
    let listener = server::listen(settings.listen).await?;
    let peer = Peer::start(settings.peer).await?;
    let setup = Setup {
        secret,
        assets: Assets::embedded(),
        origins: settings.origins,
        limits: settings.limits,
    };
    if setup.assets.is_empty() {
        eprintln!("p2pchat-bridge: built without the web UI; the page says how to build it");
    }
    let server = Server::new(listener, peer.handle(), setup).context("cannot listen")?;
    announce(&server, &peer.handle())?;
    let url = server.url();
    // Lives as long as the bridge does.
    let _redirect = settings.open.then(|| show(&settings.secret_file, &url));
    let handle = peer.handle();
    let stop = async move { _ = signals.next().await };
    let ended = tokio::select! {
        ended = server.run(stop) => Ok(ended),
        () = peer_ended(handle) => bail!("the peer has stopped by itself; RUST_LOG=info may say why"),
    };
    peer.stop().await;
    ended
}

/// Opens the page in the browser. Whoever cannot be shown it can still open the URL.
fn show(secret_file: &Path, url: &str) -> Option<Redirect> {
    let folder = secret_file.parent().unwrap_or(Path::new("."));
    Redirect::open(folder, url)
        .inspect_err(|error| {
            eprintln!("p2pchat-bridge: cannot open the browser ({error}): open the URL yourself");
        })
        .ok()
}

/// Is ready when there is no peer any more, which is not meant to happen.
async fn peer_ended(handle: Handle) {
    let Ok(mut subscription) = handle.subscribe().await else {
        return;
    };
    drop(handle);
    while subscription.next().await != Err(Missed::Stopped) {}
}

/// The one line that says where everything is; scripts read the URL from it.
fn announce(server: &Server, handle: &Handle) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "p2pchat-bridge: peer at {}, open {}",
        handle.address(),
        server.url()
    )
    .and_then(|()| out.flush())
    .context("cannot write to standard output")
}
