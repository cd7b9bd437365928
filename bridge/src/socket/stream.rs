//! The WebSocket stream: its limits, how a frame is sent, and why and how it is closed.

use futures::{SinkExt, StreamExt};
use hyper_tungstenite::HyperWebsocketStream;
use hyper_tungstenite::tungstenite::error::CapacityError;
use hyper_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use hyper_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use hyper_tungstenite::tungstenite::{Error, Message};
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use crate::limits::{Limits, MAX_FRAME_BYTES, MAX_WRITE_BYTES};

/// A connection that has become a WebSocket.
pub(super) type Stream = HyperWebsocketStream;

/// How many bytes are read from a connection at a time.
const READ_BUFFER_BYTES: usize = 8 * 1024;

/// The limits of a stream. Those of the library are too large for clients that are not
/// trusted.
pub(crate) fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_WRITE_BYTES)
        .max_message_size(Some(MAX_FRAME_BYTES))
        .max_frame_size(Some(MAX_FRAME_BYTES))
}

/// Why a socket is closed. The numbers of [`CloseReason::frame`] are a contract with the
/// page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CloseReason {
    /// The secret did not arrive in time.
    NoSecret,
    /// The secret is wrong.
    WrongSecret,
    /// The page speaks another version of the contract.
    OtherVersion,
    /// The first frame has the secret and something else that is wrong.
    BadGreeting,
    /// Too many frames were no commands.
    Malformed,
    /// A frame was too big.
    TooBig,
    /// A frame was binary.
    NotText,
    /// The bytes are not those of a WebSocket.
    NotWebSocket,
    /// The bridge stops.
    Stopping,
    /// The peer has stopped.
    PeerStopped,
    /// The other side is gone, so there is nothing to send it.
    Gone,
}

impl CloseReason {
    /// The close frame, if there is another side to send it to.
    fn frame(self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::NoSecret => (4001, "no secret in time"),
            Self::WrongSecret => (4001, "wrong secret"),
            Self::OtherVersion => (4002, "another version"),
            Self::BadGreeting => (4007, "malformed greeting"),
            Self::Malformed => (4007, "too many malformed frames"),
            Self::TooBig => (1009, "too big"),
            Self::NotText => (1003, "only text"),
            Self::NotWebSocket => (1002, "protocol error"),
            Self::Stopping => (1001, "the bridge stops"),
            Self::PeerStopped => (1001, "the peer has stopped"),
            Self::Gone => return None,
        };
        Some(CloseFrame {
            code: CloseCode::from(code),
            reason: reason.into(),
        })
    }
}

impl From<Error> for CloseReason {
    fn from(error: Error) -> Self {
        match error {
            Error::Capacity(CapacityError::MessageTooLong { .. }) => Self::TooBig,
            Error::Protocol(_) | Error::Utf8(_) => Self::NotWebSocket,
            _ => Self::Gone,
        }
    }
}

/// Sends a frame. A client that does not read it in time counts as gone.
pub(super) async fn send(
    stream: &mut Stream,
    message: Message,
    limits: &Limits,
) -> Result<(), CloseReason> {
    match timeout(limits.write_timeout, stream.send(message)).await {
        Ok(sent) => sent.map_err(CloseReason::from),
        Err(_) => Err(CloseReason::Gone),
    }
}

/// Sends the reason, or answers the close frame of the other side, and gives it a little
/// time to read that.
pub(super) async fn close(mut stream: Stream, reason: CloseReason, limits: &Limits) {
    let closing = async {
        if let Some(frame) = reason.frame()
            && stream.close(Some(frame)).await.is_err()
        {
            return;
        }
        loop {
            match stream.next().await {
                Some(Ok(_)) => {}
                None | Some(Err(Error::ConnectionClosed)) => return,
                Some(Err(_)) => break,
            }
        }
        // The rest is no WebSocket any more, but has to be read: a connection that is closed
        // with something unread takes back what was written.
        let mut unread = [0; 1024];
        while let Ok(1..) = stream.get_mut().read(&mut unread).await {}
    };
    // After the time limit it is closed without waiting.
    let _ = timeout(limits.close_timeout, closing).await;
}
