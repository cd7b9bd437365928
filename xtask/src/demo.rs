//! `cargo xtask demo`: a registry, a friendly peer and you, on this machine alone.

mod client;
mod echo;
mod loopback;
mod play;
mod server;
mod stage;

use std::io::{self, IsTerminal};
use std::net::Ipv4Addr;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::cargo;
use crate::process::Group;
use client::Client;
use echo::Echo;
use stage::Stage;

/// How to show it.
#[derive(Debug, Args)]
pub struct Options {
    /// Build as for people's use: slower to build, faster to run
    #[arg(long)]
    release: bool,
}

/// Builds the programs, starts them, and ends when the user has seen enough.
///
/// # Errors
/// If something does not build, start or answer. Nothing is left running then either.
pub async fn run(options: &Options) -> Result<ExitCode> {
    eprintln!("building p2pchat and its registry; the first time takes some minutes");
    let programs = cargo::build(options.release).await?;
    if io::stdin().is_terminal() && io::stdout().is_terminal() {
        let [echo, you] = loopback::free()?;
        let stage = Stage::set(programs).await?;
        let echo = Echo::new(Client::start(&stage, "echo", echo).await?);
        chat(&stage, echo, you).await?;
    } else {
        let addresses = loopback::free()?;
        let stage = Stage::set(programs).await?;
        play::run(&stage, addresses).await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Gives the terminal to the user's own peer until he quits. `echo` lives meanwhile.
async fn chat(stage: &Stage, mut echo: Echo, address: Ipv4Addr) -> Result<()> {
    eprintln!(
        "\nYou are `you`, and `echo` is online. To chat with it, type: /request echo\n\
         Afterwards just type. /help says more, /quit ends the demo.\n"
    );
    let mut command = stage.peer("you", address);
    let mut peer = Group::spawn_on_terminal(&mut command)?;
    let status = tokio::select! {
        status = peer.wait() => status?,
        result = echo.live() => {
            result.context("echo is gone")?;
            peer.wait().await?
        }
    };
    if !status.success() {
        bail!("p2pchat: {status}");
    }
    eprintln!("The demo is over: everything it started has ended, and nothing was kept.");
    Ok(())
}
