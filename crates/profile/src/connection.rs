//! The connection of one front end to the peer, in this process or by the socket of another.

use p2pchat_model::{Call, FrontEndId, Update};
use p2pchat_peer::{Calls, Handle, Updates};

use crate::socket;

/// Why a connection has ended.
#[derive(Debug)]
pub(crate) enum Gone {
    /// The peer or its process has, or the process has closed it.
    Lost,
    /// It was refused, for this reason.
    Refused(String),
}

/// The way of calls to the peer.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Here(Calls),
    There(socket::Outgoing),
}

/// The way of updates from the peer.
#[derive(Debug)]
pub(crate) enum Incoming {
    Here(Updates),
    There(socket::Incoming),
}

/// Joins the peer in this process.
pub(crate) async fn join(
    peer: &Handle,
    front_end: FrontEndId,
) -> Result<(Outgoing, Incoming), Gone> {
    let joined = peer.join(front_end).await;
    let (calls, updates) = joined.map_err(|_| Gone::Lost)?;
    Ok((Outgoing::Here(calls), Incoming::Here(updates)))
}

impl Outgoing {
    /// Sends a call.
    pub(crate) async fn send(&mut self, call: Call) -> Result<(), Gone> {
        match self {
            Self::Here(calls) => calls.send(call).await.map_err(|_| Gone::Lost),
            Self::There(socket) => socket.send(&call).await,
        }
    }
}

impl Incoming {
    /// The next update. Cancel safe.
    pub(crate) async fn next(&mut self) -> Result<Update, Gone> {
        match self {
            Self::Here(updates) => updates.next().await.map_err(|_| Gone::Lost),
            Self::There(socket) => socket.next().await,
        }
    }
}
