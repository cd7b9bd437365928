//! Packets to other peers, each over its own connection.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use p2pchat_model::{LeaveReason, PeerAddr, RequestFailure};
use p2pchat_protocol::{
    CONTACT_PORT, ChatAnswer, Contact, MESSAGE_PORT, MESSAGE_PORT_UNPRIVILEGED, Message,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::clock::Clock;
use super::net;
use crate::machine::Acknowledgement;

/// How many texts and notifies may be on their way at once; further ones wait.
const MAX_SENDS: usize = 384;
/// The same for addresses to which there never was a connection. They are counted separately,
/// because it takes seconds to find out that there is no peer: made-up members must not hold
/// up real ones.
const MAX_UNTRIED: usize = 128;
/// How many chat requests may wait for an answer at once; further ones wait to be sent. They
/// are counted separately, because each may take a minute.
const MAX_REQUESTS: usize = 64;
/// How many addresses are remembered with the port that worked. Beyond that all are
/// forgotten, which costs one refused connection each.
const MAX_REMEMBERED: usize = 4096;

/// The ports at which other peers listen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    pub(super) contact: u16,
    pub(super) message: u16,
    pub(super) unprivileged: u16,
}

impl Ports {
    /// The ports of the protocol.
    pub(super) const STANDARD: Self = Self {
        contact: CONTACT_PORT,
        message: MESSAGE_PORT,
        unprivileged: MESSAGE_PORT_UNPRIVILEGED,
    };
}

/// The sender to other peers, from this peer's own address.
#[derive(Debug, Clone)]
pub(super) struct Outbound {
    own: PeerAddr,
    ports: Ports,
    clock: Clock,
    sends: Arc<Semaphore>,
    untried: Arc<Semaphore>,
    requests: Arc<Semaphore>,
    /// The message port that worked last.
    remembered: Arc<Mutex<HashMap<PeerAddr, u16>>>,
}

impl Outbound {
    pub(super) fn new(own: PeerAddr, ports: Ports, clock: Clock) -> Self {
        Self {
            own,
            ports,
            clock,
            sends: Arc::new(Semaphore::new(MAX_SENDS)),
            untried: Arc::new(Semaphore::new(MAX_UNTRIED)),
            requests: Arc::new(Semaphore::new(MAX_REQUESTS)),
            remembered: Arc::default(),
        }
    }

    /// Sends a text. How the other side closes the connection tells whether it was taken.
    pub(super) async fn text(
        self,
        to: PeerAddr,
        message: Message,
        patience: Duration,
    ) -> Result<Acknowledgement, LeaveReason> {
        let _permit = permit(self.sends_to(to)).await;
        let mut stream = self
            .dial_messages(to)
            .await
            .map_err(|_| LeaveReason::Unreachable)?;
        let sent = async {
            net::write(&mut stream, &message.encode()).await?;
            stream.shutdown().await
        };
        if let Err(error) = sent.await {
            return Err(leave_reason(&error));
        }
        match timeout(patience, net::wait_for_end(&mut stream)).await {
            Ok(Ok(())) => Ok(Acknowledgement::Confirmed),
            Ok(Err(error)) if leave_reason(&error) == LeaveReason::Refused => {
                Err(LeaveReason::Refused)
            }
            // The network broke, or nothing arrived in time: the text may have been taken.
            Ok(Err(_)) | Err(_) => Ok(Acknowledgement::Unconfirmed),
        }
    }

    /// Sends a notify. Whether the other side closes the connection tells if it was read.
    pub(super) async fn notify(
        self,
        to: PeerAddr,
        contact: Contact,
        patience: Duration,
    ) -> Result<Acknowledgement, LeaveReason> {
        let _permit = permit(self.sends_to(to)).await;
        let mut stream = self
            .contact(to, &contact)
            .await
            .map_err(|_| LeaveReason::Unreachable)?;
        // To close first could cut off what is not read yet.
        let read = async {
            stream.shutdown().await?;
            net::wait_for_end(&mut stream).await
        };
        Ok(match timeout(patience, read).await {
            Ok(Ok(())) => Acknowledgement::Confirmed,
            _ => Acknowledgement::Unconfirmed,
        })
    }

    /// Sends a chat request, and waits for its answer. If this ends without one, the other
    /// side sees the connection break and withdraws the request.
    pub(super) async fn request(
        self,
        to: PeerAddr,
        contact: Contact,
        limit: Duration,
    ) -> Result<ChatAnswer, RequestFailure> {
        self.clock
            .timeout(limit, self.request_without_limit(to, &contact))
            .await
            .unwrap_or(Err(RequestFailure::NoAnswer))
    }

    async fn request_without_limit(
        &self,
        to: PeerAddr,
        contact: &Contact,
    ) -> Result<ChatAnswer, RequestFailure> {
        let _permit = permit(&self.requests).await;
        let mut stream = self
            .contact(to, contact)
            .await
            .map_err(|_| RequestFailure::Unreachable)?;
        net::reset_on_close(&stream);
        let mut packet = [0; ChatAnswer::LEN];
        match stream.read_exact(&mut packet).await {
            Ok(_) => {
                net::close_in_order(stream, Duration::ZERO).await;
                Ok(ChatAnswer::decode(&packet))
            }
            Err(_) => Err(RequestFailure::NoAnswer),
        }
    }

    /// The semaphore that counts the texts and notifies to this address.
    fn sends_to(&self, to: PeerAddr) -> &Semaphore {
        match self.remembered(to) {
            Some(_) => &self.sends,
            None => &self.untried,
        }
    }

    /// Sends a request or notify; returns the connection.
    async fn contact(&self, to: PeerAddr, contact: &Contact) -> io::Result<TcpStream> {
        let mut packet = Vec::new();
        contact.encode(&mut packet);
        let mut stream = self.dial(to, self.ports.contact).await?;
        let port = self.remembered(to).unwrap_or(self.ports.message);
        self.remember(to, port);
        net::write(&mut stream, &packet).await?;
        Ok(stream)
    }

    /// A connection to the one of the two message ports that accepts it.
    async fn dial_messages(&self, to: PeerAddr) -> io::Result<TcpStream> {
        let (first, second) = match self.remembered(to) {
            Some(port) if port == self.ports.unprivileged => (port, self.ports.message),
            _ => (self.ports.message, self.ports.unprivileged),
        };
        let (port, stream) = match self.dial(to, first).await {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                (second, self.dial(to, second).await?)
            }
            stream => (first, stream?),
        };
        self.remember(to, port);
        Ok(stream)
    }

    async fn dial(&self, to: PeerAddr, port: u16) -> io::Result<TcpStream> {
        let to = SocketAddr::new(to.ip().into(), port);
        net::dial(self.own, to, net::CONNECT_DEADLINE).await
    }

    fn remembered(&self, to: PeerAddr) -> Option<u16> {
        let known = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.get(&to).copied()
    }

    fn remember(&self, to: PeerAddr, port: u16) {
        let mut known = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_REMEMBERED {
            known.clear();
        }
        known.insert(to, port);
    }
}

async fn permit(semaphore: &Semaphore) -> SemaphorePermit<'_> {
    semaphore
        .acquire()
        .await
        .expect("the semaphore is never closed")
}

/// What the error of an established connection says about the other side: a reset comes from
/// a program that is there. (A connection that this machine has aborted says nothing about the
/// other side.)
fn leave_reason(error: &io::Error) -> LeaveReason {
    match error.kind() {
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => LeaveReason::Refused,
        _ => LeaveReason::Unreachable,
    }
}

#[cfg(test)]
mod tests;
