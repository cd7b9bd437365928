//! The demo in browsers: two users, each with a bridge of his own.

use std::net::Ipv4Addr;

use anyhow::{Context, Result};

use super::bridge::Bridge;
use super::client::Client;
use super::echo::Echo;
use super::stage::Stage;
use crate::process;

/// Prints the URLs, and goes on until the future is dropped: Ctrl-C does that.
pub(super) async fn run(stage: &Stage, addresses: [Ipv4Addr; 4]) -> Result<()> {
    let [echo, alice_at, bob_at, carol_at] = addresses;
    let mut echo = Echo::new(Client::start(stage, "echo", echo).await?);
    for name in ["alice", "bob"] {
        stage.register(name).await?;
    }
    let alice = Bridge::start(stage, "alice", alice_at, "127.0.0.1:0", &[]).await?;
    let bob = Bridge::start(stage, "bob", bob_at, "127.0.0.1:0", &[]).await?;
    let terminal = stage.guest("carol", carol_at);
    let password = stage.password();
    println!(
        "\nOpen each of these in a browser, and sign in. The password is: {password}\n\n  \
         alice  {}\n  bob    {}\n\n\
         Then let one ask the other for a chat; `echo` is online too, and answers by itself.\n\
         From another terminal, somebody more can join:\n\n  {}\n\n\
         Ctrl-C ends everything, and nothing is kept.",
        alice.url,
        bob.url,
        process::shown_in_full(&terminal),
    );
    echo.live().await.context("echo is gone")
}
