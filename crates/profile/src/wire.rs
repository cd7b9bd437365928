//! What goes over the socket of a profile: a line of JSON each.
//!
//! Who attaches sends a [`Greeting`], then calls. What comes back are updates, the first of
//! which is the view; or a [`Refusal`], and the end.

use p2pchat_model::FrontEndId;
use serde::{Deserialize, Serialize};
use tokio_util::codec::LinesCodec;

/// The longest line that may come in from a front end, in bytes: twice the longest frame that a
/// bridge takes, which the call has to pass with an id that it was given here, so that the peer
/// can answer that a text is too long.
pub(crate) const MAX_CALL: usize = 2 * 1024 * 1024;
/// The longest line that may come from the owner, in bytes: the view with its list of everyone
/// who is online.
pub(crate) const MAX_UPDATE: usize = 64 * 1024 * 1024;

/// The first line of a front end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Greeting {
    /// The version of the contract.
    pub(crate) version: u32,
    /// Who attaches. The same front end that attaches again goes on.
    pub(crate) front_end: FrontEndId,
    /// The program's name, for the log.
    #[serde(default)]
    pub(crate) program: String,
    /// Its process id, for the log.
    #[serde(default)]
    pub(crate) process: u32,
    /// Whether that process takes over the peer when its owner ends.
    #[serde(default)]
    pub(crate) takes_over: bool,
}

/// The answer to a front end that may not attach.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refusal {
    /// Why, in words.
    pub(crate) refused: String,
}

/// Lines of no more than so many bytes.
pub(crate) fn lines(max: usize) -> LinesCodec {
    LinesCodec::new_with_max_length(max)
}

/// A value as a line.
pub(crate) fn line(value: &impl Serialize) -> Vec<u8> {
    // Fails for maps whose keys are not strings, and there are none.
    let mut line = serde_json::to_vec(value).unwrap_or_default();
    line.push(b'\n');
    line
}
