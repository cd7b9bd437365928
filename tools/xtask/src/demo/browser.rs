//! The demo in browsers: two users, each with a bridge of their own.

use std::env;
use std::net::Ipv4Addr;

use anyhow::{Context, Result};
use tokio::process::Command;

use super::client::Client;
use super::echo::Echo;
use super::progress;
use super::stage::{Bridge, Stage};
use crate::{cargo, process};

/// Says how to join from a terminal, prepares the page, and prints the URLs; goes on until the
/// future is dropped, which Ctrl-C does.
pub(super) async fn run(
    stage: &Stage,
    mut echo: Echo,
    [alice_at, bob_at, carol_at]: [Ipv4Addr; 3],
    release: bool,
) -> Result<()> {
    println!(
        "\nThe registry runs, and `echo` is online: it accepts every request and answers by itself.\n\
         What they say to the registry is encrypted. It is known by the fingerprint behind the #.\n\
         From another terminal you can chat with it now:\n\n  {}\n\n\
         There, type: /chat echo\n",
        process::shown_in_full(&stage.guest("carol", carol_at)),
    );
    let show = async {
        let _bridges = bridges(stage, [alice_at, bob_at], release).await?;
        std::future::pending().await
    };
    tokio::select! {
        result = show => result,
        result = echo.live() => result.context("echo has stopped"),
    }
}

/// The page comes first: a bridge that is built after it has it inside.
async fn bridges(
    stage: &Stage,
    [alice_at, bob_at]: [Ipv4Addr; 2],
    release: bool,
) -> Result<[Bridge; 2]> {
    println!("Preparing the web page:");
    let mut page = Command::new(env::current_exe()?);
    page.args(["web", "--if-changed"]);
    page.args((!release).then_some("--quick"));
    progress::follow("looking for what builds it", &mut page).await?;
    let mut build = cargo::build_command(&cargo::ALL, release);
    progress::follow("building the bridge", &mut build).await?;
    let program = stage.program("p2pchat-bridge");
    for name in ["alice", "bob"] {
        Client::register(stage, name).await?;
    }
    let start = async |name, address| {
        Bridge::start(
            stage
                .bridge(&program, name, address)
                .args(["--listen", "127.0.0.1:0"]),
        )
        .await
    };
    let [alice, bob] = [start("alice", alice_at).await?, start("bob", bob_at).await?];
    println!(
        "\nOpen each of these in a browser. The keys of alice and bob have signed them in:\n\n  \
         alice  {}\n  bob    {}\n\n\
         Let one ask the other, or `echo`, for a chat.\n\
         The password of both, which only a change of it asks for, is: {}\n\
         Ctrl-C ends everything, and nothing is kept.",
        alice.url,
        bob.url,
        stage.password(),
    );
    Ok([alice, bob])
}
