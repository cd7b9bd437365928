//! Two ways to send a text: the built `p2pchat --json`, and the bare one.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result};
use p2pchat_model::{Command as Ask, ConversationId, Event};
use p2pchat_protocol::Username;
use p2pchat_protocol::v2::Passphrase;
use p2pchat_testkit::{Peer, Programs, Registry, SOON, own_address};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, Command};

use crate::servers::on_its_core;

/// Starts the built program where servers run, and makes an account for it.
///
/// # Errors
/// If it does not start or get in.
pub async fn join(
    programs: &Programs,
    home: &Path,
    registry: &Registry,
    name: &str,
) -> Result<Peer> {
    let mut chatter = start(programs, &home.join(name), registry)?;
    let register = Ask::register(Username::new(name)?, Passphrase::new("correct horse")?);
    chatter.ask(&register).await?;
    is_logged_in(&mut chatter).await?;
    Ok(chatter)
}

/// Starts the program of one who has [joined](join) once more. It logs in by key.
///
/// # Errors
/// As [`join`].
pub async fn come_back(
    programs: &Programs,
    home: &Path,
    registry: &Registry,
    name: &str,
) -> Result<Peer> {
    let mut chatter = start(programs, &home.join(name), registry)?;
    is_logged_in(&mut chatter).await?;
    Ok(chatter)
}

fn start(programs: &Programs, home: &Path, registry: &Registry) -> Result<Peer> {
    std::fs::create_dir_all(home)?;
    on_its_core(|| Peer::start(programs, home, registry, own_address(), &[]))
}

async fn is_logged_in(chatter: &mut Peer) -> Result<()> {
    let logged_in = |event: &Event| matches!(event, Event::LoggedIn { .. }).then_some(());
    chatter.event_with("login", SOON, logged_in).await
}

/// Accepts the chat request that is about to come.
///
/// # Errors
/// If none comes.
pub async fn accept(chatter: &mut Peer) -> Result<()> {
    let asks = |event: &Event| match event {
        Event::RequestReceived(request) => Some(request.from.address),
        _ => None,
    };
    let from = chatter.event_with("request", SOON, asks).await?;
    let conversation = ConversationId::OPEN;
    chatter.ask(&Ask::Accept { conversation, from }).await?;
    Ok(())
}

/// Waits for the next member of a chat.
///
/// # Errors
/// If nobody joins.
pub async fn joined(chatter: &mut Peer) -> Result<()> {
    let joins = |event: &Event| matches!(event, Event::MemberJoined { .. }).then_some(());
    chatter.event_with("member", SOON, joins).await
}

/// The bare sender. Killed on drop.
#[derive(Debug)]
pub struct BareSay {
    _child: Child,
    stdin: ChildStdin,
}

impl BareSay {
    /// Starts one that sends to all of these.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(to: &[SocketAddr]) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["bare", "say"]);
        command.args(to.iter().map(SocketAddr::to_string));
        command.kill_on_drop(true).stdin(Stdio::piped());
        let mut child = on_its_core(|| Ok(command.spawn()?))?;
        Ok(Self {
            stdin: child.stdin.take().context("no input to write to")?,
            _child: child,
        })
    }

    /// Lets it send.
    ///
    /// # Errors
    /// If it has ended.
    pub async fn say(&mut self) -> Result<()> {
        Ok(self.stdin.write_all(b"\n").await?)
    }
}

/// The loopback address of the member of this number: each in a block that no other
/// program of this project uses.
#[must_use]
pub fn member(number: usize) -> Ipv4Addr {
    let number = u32::try_from(number).unwrap_or_default();
    // 250 in each block of 256: neither .0 nor .255.
    let offset = number / 250 * 256 + number % 250;
    Ipv4Addr::from_bits(Ipv4Addr::new(127, 32, 0, 1).to_bits() + offset)
}
