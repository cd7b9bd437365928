//! Why a socket ends, and the close code that tells the page.

use hyper_tungstenite::tungstenite::Error;
use hyper_tungstenite::tungstenite::error::CapacityError;
use hyper_tungstenite::tungstenite::protocol::CloseFrame;
use hyper_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// Why a socket ends. The numbers are a contract with the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The secret did not come in time.
    NoSecret,
    /// The secret is another.
    WrongSecret,
    /// The page speaks another version.
    OtherVersion,
    /// The page was too slow and missed events: it has to begin anew.
    Lagged,
    /// Too much came that is no command.
    Malformed,
    /// A frame was too big.
    TooBig,
    /// A frame was binary.
    NotText,
    /// What came is not a WebSocket's.
    NotWebSocket,
    /// The bridge stops.
    Stopping,
    /// The peer has stopped.
    PeerStopped,
    /// The other side is gone: there is nobody to tell.
    Gone,
}

impl End {
    /// What is told, if there is somebody to tell.
    pub(super) fn frame(self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::NoSecret => (4001, "no secret in time"),
            Self::WrongSecret => (4001, "wrong secret"),
            Self::OtherVersion => (4002, "another version"),
            Self::Lagged => (4003, "lagged"),
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

impl From<Error> for End {
    fn from(error: Error) -> Self {
        match error {
            Error::Capacity(CapacityError::MessageTooLong { .. }) => Self::TooBig,
            Error::Protocol(_) | Error::Utf8(_) => Self::NotWebSocket,
            _ => Self::Gone,
        }
    }
}
