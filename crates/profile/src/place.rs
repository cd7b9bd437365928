//! Where the peer of a profile is.

use std::process;
use std::sync::Arc;

use p2pchat_model::{CONTRACT_VERSION, FrontEndId, Link};
use p2pchat_peer::Handle;

use crate::connection::{self, Gone, Incoming, Outgoing};
use crate::error::Ended;
use crate::owner::Entry;
use crate::socket;
use crate::wire::Greeting;

/// Where the peer of a profile is.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// In this process.
    Here(Handle),
    /// In another one.
    There(Arc<Entry>),
    /// Its process has ended, and another is about to take over; with what goes wrong there, if
    /// anything does.
    Between(Option<Link>),
    /// Nowhere any more.
    Ended(Ended),
}

impl Place {
    /// The process, if it is another one.
    pub(crate) fn process(&self) -> Option<u32> {
        match self {
            Self::There(entry) => Some(entry.owner.process),
            _ => None,
        }
    }
}

/// A front end that connects to the peer wherever it is.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) front_end: FrontEndId,
    pub(crate) program: &'static str,
    pub(crate) takes_over: bool,
}

impl Visitor {
    /// Connects. The first update is the view.
    pub(crate) async fn visit(&self, place: &Place) -> Result<(Outgoing, Incoming), Gone> {
        match place {
            Place::Here(peer) => connection::join(peer, self.front_end.clone()).await,
            Place::There(entry) => self.attach(entry).await,
            Place::Between(_) | Place::Ended(_) => Err(Gone::Lost),
        }
    }

    /// Attaches to another process.
    pub(crate) async fn attach(&self, entry: &Entry) -> Result<(Outgoing, Incoming), Gone> {
        let greeting = Greeting {
            version: CONTRACT_VERSION,
            front_end: self.front_end.clone(),
            program: self.program.to_owned(),
            process: process::id(),
            takes_over: self.takes_over,
        };
        let (outgoing, incoming) = socket::connect(&entry.socket, &greeting).await?;
        Ok((Outgoing::There(outgoing), Incoming::There(incoming)))
    }
}
