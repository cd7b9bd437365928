//! `p2pchat-registry`: flags, logging, signals, exit code.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{CommandFactory, Parser};
use p2pchat_registry::cli::{Cli, Command};
use p2pchat_registry::{Server, config, files, users};
use p2pchat_settings::{Signals, logs};

fn main() -> ExitCode {
    let cli = Cli::parse();
    logs::to_stderr("info");
    match start(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, causes included.
            eprintln!("p2pchat-registry: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn start(cli: Cli) -> Result<()> {
    match cli.command {
        Some(Command::Completions { shell }) => {
            let mut out = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "p2pchat-registry", &mut out);
            Ok(io::stdout().write_all(&out)?)
        }
        Some(Command::Users { command }) => {
            let options = config::resolve(cli.raw)?;
            users::run(command, &options.store, &mut io::stdout()).await
        }
        None => {
            // Before anything else: a signal during the start must not go unheard.
            let mut signals = Signals::new()?;
            let mut options = config::resolve(cli.raw)?;
            let asked = options.limits.max_connections;
            let fit = files::connections_that_fit(asked, files::raise_limit());
            options.limits.max_connections = fit;
            let server = Server::bind(options).await?;
            files::report(asked, fit);
            announce(&server)?;
            server.run(async move { _ = signals.next().await }).await;
            Ok(())
        }
    }
}

/// The one line that says where everything is; scripts read the ports from it.
fn announce(server: &Server) -> Result<()> {
    let metrics = server.metrics_addr();
    let metrics = metrics.map(|address| format!(", metrics at http://{address}/metrics"));
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "p2pchat-registry: listening on tcp {} and udp {}{}, accounts in {}",
        server.tcp_addr(),
        server.udp_addr(),
        metrics.unwrap_or_default(),
        server.store(),
    )
    .and_then(|()| out.flush())
    .context("cannot write to standard output")
}
