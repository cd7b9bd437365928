//! `p2pchat-registry`: flags, logging, signals, exit code.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{CommandFactory, Parser};
use p2pchat_registry::cli::{Cli, Command};
use p2pchat_registry::{Server, config, users};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr();
    match start(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, causes included.
            eprintln!("p2pchat-registry: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
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
            let shutdown = stop_signal()?;
            let server = Server::bind(config::resolve(cli.raw)?).await?;
            announce(&server)?;
            server.run(shutdown).await;
            Ok(())
        }
    }
}

/// The one line that says where everything is; scripts read the ports from it.
fn announce(server: &Server) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "p2pchat-registry: listening on tcp {} and udp {}, accounts in {}",
        server.tcp_addr(),
        server.udp_addr(),
        server.store(),
    )
    .and_then(|()| out.flush())
    .context("cannot write to standard output")
}

#[cfg(unix)]
fn stop_signal() -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> Result<impl Future<Output = ()>> {
    Ok(async { tokio::signal::ctrl_c().await.unwrap_or(()) })
}
