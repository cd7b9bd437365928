//! One program and the way to talk to it, whichever of the two it is.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::{Context, Result};
use p2pchat_model::Command;
use rustix::process::{Pid, Signal, kill_process};

use super::bridge::{Bridge, Frame};
use crate::{Chatter, Programs};

/// What somebody chats by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `p2pchat --json`.
    Native,
    /// `p2pchat-bridge` and a page.
    Bridge,
}

/// A running program.
#[derive(Debug)]
pub(super) enum Line {
    Native(Box<Chatter>),
    Bridge {
        bridge: Box<Bridge>,
        /// Whether the page has yet to be sent the view.
        is_new: bool,
    },
}

impl Line {
    /// Starts a program, and opens its page if it has one.
    pub(super) async fn start(
        kind: Kind,
        programs: &Programs,
        home: &Path,
        registry: [SocketAddr; 2],
        address: Ipv4Addr,
    ) -> Result<Self> {
        match kind {
            Kind::Native => {
                let chatter = Chatter::start_towards(registry, programs, home, address, &[])?;
                Ok(Self::Native(Box::new(chatter)))
            }
            Kind::Bridge => {
                let mut bridge = Bridge::start(programs, home, registry, address).await?;
                bridge.open().await?;
                Ok(Self::Bridge {
                    bridge: Box::new(bridge),
                    is_new: true,
                })
            }
        }
    }

    pub(super) fn pid(&self) -> Result<u32> {
        match self {
            Self::Native(chatter) => chatter.pid(),
            Self::Bridge { bridge, .. } => bridge.pid(),
        }
    }

    pub(super) async fn ask(&mut self, command: &Command) -> Result<()> {
        match self {
            Self::Native(chatter) => chatter.ask(command).await,
            Self::Bridge { bridge, .. } => bridge.ask(command).await,
        }
    }

    /// What it tells next; `None` when it has ended. Can be dropped and called again.
    pub(super) async fn next(&mut self) -> Result<Option<Frame>> {
        match self {
            Self::Native(chatter) => Ok(chatter.event().await?.map(Frame::Event)),
            Self::Bridge { bridge, is_new } => {
                let frame = bridge.next(*is_new).await?;
                *is_new = false;
                Ok(frame)
            }
        }
    }

    /// Closes the page, if there is one.
    pub(super) async fn close_page(&mut self, in_order: bool) {
        if let Self::Bridge { bridge, .. } = self {
            bridge.close(in_order).await;
        }
    }

    /// Opens it again.
    pub(super) async fn open_page(&mut self) -> Result<()> {
        if let Self::Bridge { bridge, is_new } = self {
            bridge.open().await?;
            *is_new = true;
        }
        Ok(())
    }

    pub(super) fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.pid()?).ok().and_then(Pid::from_raw);
        let pid = pid.context("no process has this id")?;
        Ok(kill_process(pid, signal)?)
    }
}
