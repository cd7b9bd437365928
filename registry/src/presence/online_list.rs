//! The online list, ready to send.

use std::time::Duration;

use p2pchat_protocol::{OnlineUser, Response};

/// The whole response to All Online, head and list, in one piece of memory that every
/// connection sends from.
#[derive(Debug)]
pub struct OnlineList {
    version: u64,
    made: Duration,
    users: usize,
    bytes: Box<[u8]>,
}

/// Of nobody.
impl Default for OnlineList {
    fn default() -> Self {
        Self::new(0, Duration::ZERO, Vec::new())
    }
}

impl OnlineList {
    /// Encodes `users`, sorted by name.
    pub(super) fn new(version: u64, made: Duration, mut users: Vec<OnlineUser>) -> Self {
        users.sort_unstable();
        let count = users.len();
        let mut bytes = Vec::with_capacity(Response::HEAD_LEN + count * OnlineUser::MAX_ENTRY);
        match users.is_empty() {
            true => Response::NobodyOnline.encode(&mut bytes),
            false => Response::Online(users).encode(&mut bytes),
        }
        Self {
            version,
            made,
            users: count,
            bytes: bytes.into_boxed_slice(),
        }
    }

    /// Which state of the presence this is the list of.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// When it was begun.
    pub(super) fn made(&self) -> Duration {
        self.made
    }

    /// How many users are on it.
    #[must_use]
    pub fn users(&self) -> usize {
        self.users
    }

    /// The response, head and list.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}
