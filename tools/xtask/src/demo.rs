//! `cargo xtask demo`: a registry, a friendly peer, and people with browsers or at a
//! terminal, on this machine alone.

mod bridge;
mod browser;
mod client;
mod echo;
pub mod loopback;
mod play;
mod server;
mod stage;

use std::io::{self, IsTerminal};
use std::net::Ipv4Addr;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::process::Group;
use crate::{cargo, web};
pub use bridge::Bridge;
pub use client::Client;
pub use echo::Echo;
pub use stage::Stage;

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

/// What is shown.
enum Show {
    Browser,
    Terminal,
    Play,
}

impl Options {
    fn show(&self) -> Show {
        let terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
        match (self.browser, self.tui, terminal) {
            (true, _, _) | (false, false, true) => Show::Browser,
            (false, true, true) => Show::Terminal,
            (false, _, false) => Show::Play,
        }
    }
}

/// Builds the programs, starts them, and ends when the user has seen enough.
///
/// # Errors
/// If something does not build, start or answer. Nothing is left running then either.
pub async fn run(options: &Options) -> Result<ExitCode> {
    let show = options.show();
    eprintln!("building p2pchat; the first time takes some minutes");
    if let Show::Browser = show {
        // Before the bridge, which has the page inside.
        web::ensure().await?;
    }
    let programs = cargo::build(options.release).await?;
    let addresses = loopback::free()?;
    let stage = Stage::set(programs).await?;
    match show {
        Show::Browser => browser::run(&stage, addresses).await?,
        Show::Terminal => {
            let [echo, you, ..] = addresses;
            let echo = Echo::new(Client::start(&stage, "echo", echo).await?);
            chat(&stage, echo, you).await?;
        }
        Show::Play => {
            let [echo, alice, bob, _] = addresses;
            play::run(&stage, [echo, alice, bob]).await?;
        }
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
