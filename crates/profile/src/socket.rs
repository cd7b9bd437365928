//! The client side of a profile's socket.

use futures::StreamExt;
use p2pchat_model::{Call, Update};
use p2pchat_platform::local::{self, Address, ConnectError, ReadHalf, WriteHalf};
use tokio::io::AsyncWriteExt;
use tokio_util::codec::{FramedRead, LinesCodec};

use crate::connection::Gone;
use crate::wire::{self, Greeting, MAX_UPDATE, Refusal};

/// Calls to the owner.
#[derive(Debug)]
pub(crate) struct Outgoing(WriteHalf);

/// Updates from the owner.
#[derive(Debug)]
pub(crate) struct Incoming(FramedRead<ReadHalf, LinesCodec>);

/// Connects to an owner and greets it.
pub(crate) async fn connect(
    address: &Address,
    greeting: &Greeting,
) -> Result<(Outgoing, Incoming), Gone> {
    let connected = local::connect(address).await;
    let (read, mut write) = connected.map_err(|error| match error {
        ConnectError::Absent => Gone::Lost,
        ConnectError::NotOurs => Gone::Refused(format!(
            "the socket {address} belongs to a process of another user: end that, or choose another profile with --profile"
        )),
    })?;
    let greeted = write.write_all(&wire::line(greeting)).await;
    let incoming = Incoming(FramedRead::new(read, wire::lines(MAX_UPDATE)));
    // One that refuses may have closed already, and its reason can be read all the same.
    let _ = greeted;
    Ok((Outgoing(write), incoming))
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
