//! An attacker, who sends any bytes over raw sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use p2pchat_model::PeerAddr;
use p2pchat_protocol::{CONTACT_PORT, Contact, Message};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::net::{OPEN, User, name, own_address};

/// How long a single attempt may take, whatever its result.
const TRY: Duration = Duration::from_secs(5);

/// An address from which things are sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attacker {
    pub(crate) own: PeerAddr,
}

impl Attacker {
    pub(crate) fn new() -> Self {
        Self { own: own_address() }
    }

    /// A connection from their address.
    pub(crate) async fn connect(self, to: PeerAddr, port: u16) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind((self.own.ip(), 0).into())?;
        let connected = timeout(TRY, socket.connect((to.ip(), port).into())).await;
        connected.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
    }

    /// Sends bytes over a new connection, and waits for it to end, in whatever way.
    pub(crate) async fn send(self, to: PeerAddr, port: u16, bytes: &[u8]) {
        let Ok(mut stream) = self.connect(to, port).await else {
            return;
        };
        if stream.write_all(bytes).await.is_ok() && stream.shutdown().await.is_ok() {
            let _ = timeout(TRY, stream.read(&mut [0; 64])).await;
        }
    }

    pub(crate) async fn contact(self, to: PeerAddr, contact: &Contact) {
        self.send(to, CONTACT_PORT, &bytes(contact)).await;
    }

    /// Becomes a member, by a request that the user accepts.
    pub(crate) async fn join(self, user: &mut User) {
        let to = user.address();
        let request = Contact::Request {
            from: name("mallory"),
            members: [].into_iter().collect(),
        };
        let asking = tokio::spawn(async move { self.contact(to, &request).await });
        let from = self.own;
        user.see("the request", |view| view.incoming.is_some())
            .await;
        user.send(p2pchat_model::Command::Accept {
            conversation: OPEN,
            from,
        })
        .await;
        user.see("the member", |view| view.is_member(from)).await;
        asking.await.unwrap();
    }

    /// Accepts every connection to their message port, and then neither reads nor closes.
    pub(crate) async fn never_read(self) -> JoinHandle<()> {
        let listener = TcpListener::bind((self.own.ip(), 5859)).await.unwrap();
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                held.push(stream);
            }
        })
    }

    /// Sends these bytes again and again, over as many connections at once, until the
    /// flood is dropped.
    pub(crate) fn flood(self, to: PeerAddr, port: u16, bytes: &[u8], at_once: usize) -> Flood {
        let flood = Flood::default();
        for _ in 0..at_once {
            let (ended, sent) = (flood.ended.clone(), flood.sent.clone());
            let bytes = bytes.to_vec();
            tokio::spawn(async move {
                while !ended.load(Ordering::Relaxed) {
                    self.send(to, port, &bytes).await;
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        flood
    }
}

/// A flood, which lasts until this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Flood {
    ended: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
}

impl Flood {
    /// How many packets were sent so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

pub(crate) fn bytes(contact: &Contact) -> Vec<u8> {
    let mut bytes = Vec::new();
    contact.encode(&mut bytes);
    bytes
}

pub(crate) fn text(from: &str, text: &str) -> Vec<u8> {
    Message::new(name(from), text.parse().unwrap())
        .encode()
        .to_vec()
}
