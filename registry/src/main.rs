//! `p2pchat-registry`: flags, logging, signals, exit code.

// They panic where standard output or error cannot be written.
#![warn(clippy::print_stdout, clippy::print_stderr)]

use std::io;
use std::process::ExitCode;

use anyhow::{Context, Result};
use p2pchat_registry::metrics::ready;
use p2pchat_registry::options::{Cli, Command, Options};
use p2pchat_registry::{Server, files, key, service, users};
use p2pchat_settings::service::ServiceError;
use p2pchat_settings::streams::{self, Output, Waiting, complain};
use p2pchat_settings::{Given, Signals, TOO_LITTLE, logs};
use tokio::runtime::Runtime;

const NAME: &str = "p2pchat-registry";
/// The exit code where nothing starts services.
const NO_MANAGER: u8 = 3;

fn main() -> ExitCode {
    let given = p2pchat_settings::read::<Cli>(std::env::args_os());
    let given = given.unwrap_or_else(|error| error.exit(NAME, 1));
    logs::to_stderr("info");
    match start(given) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, causes included.
            complain(NAME, format_args!("{error:#}"));
            match error.downcast_ref() {
                Some(ServiceError::NoManager(..)) => ExitCode::from(NO_MANAGER),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn start(given: Given<Cli>) -> Result<()> {
    let (cli, places) = (given.options, given.places);
    let mut out = Waiting(io::stdout());
    match &cli.command {
        Some(Command::Install { which }) => {
            return service::install(which, &cli.options, &places, &mut out);
        }
        Some(Command::Uninstall { which, purge }) => {
            return service::uninstall(which, *purge, &cli.options, &mut out);
        }
        _ => {}
    }
    // The attribute of tokio would panic where this fails.
    let runtime = Runtime::new().context(TOO_LITTLE)?;
    runtime.block_on(async {
        match cli.command {
            Some(Command::Users { command }) => {
                users::run(command, &cli.options.store, &mut out).await
            }
            Some(Command::Fingerprint { host }) => {
                key::print_fingerprint(&cli.options, host, &mut out)
            }
            Some(Command::Ready) => ready::ask(&cli.options, &mut out).await,
            _ => run(cli.options).await,
        }
    })
}

async fn run(mut options: Options) -> Result<()> {
    // Before anything else: a signal during the start must not be missed.
    let mut signals = Signals::new()?;
    options.check()?;
    let asked = options.limits.max_connections;
    let fit = files::connections_that_fit(asked, files::raise_limit());
    options.limits.max_connections = fit;
    let server = Server::bind(options).await?;
    files::report(asked, fit);
    announce(&server)?;
    Ok(server.run(async move { _ = signals.next().await }).await?)
}

/// The one line that says where everything is; scripts read the ports from it. Without a
/// reader the registry goes on.
fn announce(server: &Server) -> Result<()> {
    let metrics = server.metrics_addr();
    let metrics = metrics.map(|address| format!(", metrics at http://{address}/metrics"));
    let registry = key::argument(&key::host(server.tcp_addr()), &server.fingerprint());
    let line = format!(
        "{NAME}: listening on tcp {} and udp {}, for clients with --registry {registry}{}, \
         accounts in {}\n",
        server.tcp_addr(),
        server.udp_addr(),
        metrics.unwrap_or_default(),
        server.store(),
    );
    match streams::print(line.as_bytes())? {
        Output::Written | Output::Closed => Ok(()),
    }
}
