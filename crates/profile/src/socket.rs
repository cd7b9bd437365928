//! The client side of a profile's socket.

use std::path::Path;

use futures::StreamExt;
use p2pchat_model::{Call, Update};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio_util::codec::{FramedRead, LinesCodec};

use crate::connection::Gone;
use crate::wire::{self, Greeting, MAX_UPDATE, Refusal};

/// Calls to the owner.
#[derive(Debug)]
pub(crate) struct Outgoing(OwnedWriteHalf);

/// Updates from the owner.
#[derive(Debug)]
pub(crate) struct Incoming(FramedRead<OwnedReadHalf, LinesCodec>);

/// Connects to an owner and greets it.
pub(crate) async fn connect(
    socket: &Path,
    greeting: &Greeting,
) -> Result<(Outgoing, Incoming), Gone> {
    let stream = UnixStream::connect(socket).await.map_err(|_| Gone::Lost)?;
    if !is_ours(&stream) {
        let socket = socket.display();
        return Err(Gone::Refused(format!(
            "the socket {socket} belongs to a process of another user: end that, or choose another profile with --profile"
        )));
    }
    let (read, mut write) = stream.into_split();
    let greeted = write.write_all(&wire::line(greeting)).await;
    let incoming = Incoming(FramedRead::new(read, wire::lines(MAX_UPDATE)));
    // One that refuses may have closed already, and its reason can be read all the same.
    let _ = greeted;
    Ok((Outgoing(write), incoming))
}

/// Whether the other end is a process of the same user.
pub(crate) fn is_ours(stream: &UnixStream) -> bool {
    let us = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|other| other.uid() == us)
}

impl Outgoing {
    /// Sends a call.
    pub(crate) async fn send(&mut self, call: &Call) -> Result<(), Gone> {
        let written = self.0.write_all(&wire::line(call)).await;
        written.map_err(|_| Gone::Lost)
    }
}

impl Incoming {
    /// The next update. Cancel safe. Those of a later version are skipped.
    pub(crate) async fn next(&mut self) -> Result<Update, Gone> {
        loop {
            let line = match self.0.next().await {
                Some(Ok(line)) => line,
                Some(Err(_)) | None => return Err(Gone::Lost),
            };
            match Update::from_json(&line) {
                Ok(update) => return Ok(update),
                Err(error) => match serde_json::from_str::<Refusal>(&line) {
                    Ok(Refusal { refused }) => return Err(Gone::Refused(refused)),
                    Err(_) => tracing::debug!(%error, "skipped an update"),
                },
            }
        }
    }
}
