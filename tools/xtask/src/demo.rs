//! `cargo xtask demo`: a registry, a friendly peer, and users with browsers or at a terminal,
//! on this machine alone.

mod browser;
mod client;
mod echo;
pub mod loopback;
mod play;
mod progress;
mod stage;

use std::io::{self, IsTerminal};
use std::net::Ipv4Addr;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::cargo;
use crate::process::Group;
pub use client::Client;
pub use echo::Echo;
pub use stage::{Bridge, Stage};
// For the packages, whose servers start the same way.
pub(crate) use stage::start;

/// How to show it.
#[derive(Debug, Args)]
pub struct Options {
    /// Build as for people's use: slower to build, faster to run
    #[arg(long)]
    release: bool,

    /// Chat at this terminal, without a browser
    #[arg(long, conflicts_with = "browser")]
    tui: bool,

    /// Print the URLs even if this is no terminal, and go on until stopped
    #[arg(long)]
    browser: bool,
}

/// Builds the programs, starts them, and ends when the user has seen enough.
///
/// # Errors
/// If something does not build, start or answer. Nothing is left running then either.
pub async fn run(options: &Options) -> Result<ExitCode> {
    eprintln!("Building p2pchat; the first time takes a few minutes.");
    let programs = cargo::build(&cargo::PEERS, options.release).await?;
    let [echo_at, alice_at, bob_at, carol_at] = loopback::free()?;
    let stage = Stage::set(&programs).await?;
    let echo = Echo::new(Client::start(&stage, "echo", echo_at).await?);
    let terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    if options.browser || (terminal && !options.tui) {
        browser::run(&stage, echo, [alice_at, bob_at, carol_at], options.release).await?;
    } else if terminal {
        chat(&stage, echo, alice_at).await?;
    } else {
        play::run(&stage, echo, [alice_at, bob_at]).await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Gives the terminal to the user's own peer until they quit. `echo` lives meanwhile.
async fn chat(stage: &Stage, mut echo: Echo, address: Ipv4Addr) -> Result<()> {
    eprintln!(
        "\nYou are `you`, and `echo` is online. To chat with it, type: /chat echo\n\
         Then just type. /help lists the commands, /quit ends the demo.\n\
         What you say to the registry is encrypted: {}\n",
        stage.registry(),
    );
    let mut command = stage.peer("you", address);
    let mut peer = Group::spawn_on_terminal(&mut command)?;
    let status = tokio::select! {
        status = peer.child.wait() => status?,
        result = echo.live() => {
            result.context("echo has stopped")?;
            peer.child.wait().await?
        }
    };
    ensure!(status.success(), "p2pchat: {status}");
    eprintln!("The demo has ended. Nothing is left running, and nothing was kept.");
    Ok(())
}
