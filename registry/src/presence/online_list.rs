//! The online list, ready to send, and when it is rebuilt.
//!
//! Building it costs time for each user on it, and it is stale with the next login: clients
//! that ask again and again while users come and go could keep the registry busy with it. So
//! the list of many users may be a little old, and the list of few never is.

use std::iter::from_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use p2pchat_protocol::v2::Seat;
use p2pchat_protocol::{OnlineUser, Response};

use super::place::shown_to_version_1;
use super::{Presence, SHARDS};

/// Up to so many users the list is never stale. It is built in less than 0.2 ms, and logins,
/// each of which is a hash, change it some 75 times a second.
pub(super) const FEW: usize = 1000;
/// How old the list of more users may be, for each user on it. Building it takes some 0.2 µs
/// a user: at most a fifth of one core, however often it is asked for. At 100,000 users that
/// is 0.1 s, and their clients ask for the list once a minute.
pub(super) const AGE_PER_USER: Duration = Duration::from_micros(1);

/// The whole response to All Online, head and list, in one piece of memory that every
/// connection sends from.
#[derive(Debug)]
pub struct OnlineList {
    /// The state of the presence that this is the list of.
    version: u64,
    /// When building it began.
    built: Duration,
    users: usize,
    bytes: Box<[u8]>,
}

/// The empty list.
impl Default for OnlineList {
    fn default() -> Self {
        Self::new(0, Duration::ZERO, Vec::new())
    }
}

impl OnlineList {
    /// Encodes `users`, sorted by name.
    fn new(version: u64, built: Duration, mut users: Vec<OnlineUser>) -> Self {
        users.sort_unstable();
        let count = users.len();
        let mut bytes = Vec::with_capacity(Response::HEAD_LEN + count * OnlineUser::MAX_ENTRY);
        if users.is_empty() {
            Response::NobodyOnline.encode(&mut bytes);
        } else {
            Response::Online(users).encode(&mut bytes);
        }
        Self {
            version,
            built,
            users: count,
            bytes: bytes.into_boxed_slice(),
        }
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

impl Presence {
    /// The online list, by name, if the latest one may still be given out. Users whose timeout
    /// has passed are on it until their shard is swept.
    #[must_use]
    pub fn recent_list(&self, now: Duration) -> Option<Arc<OnlineList>> {
        let list = self.list.load_full();
        (self.is_current(&list) || is_recent(&list, now)).then_some(list)
    }

    /// The latest online list, however old.
    #[must_use]
    pub fn latest_list(&self) -> Arc<OnlineList> {
        self.list.load_full()
    }

    /// Rebuilds the online list. To be called by one task at a time, and, unless
    /// [`Presence::is_listed_fast`], on a thread for blocking work.
    pub fn renew_list(&self, now: Duration) -> Arc<OnlineList> {
        let list = Arc::new(self.build_list(now));
        self.list.store(Arc::clone(&list));
        list
    }

    /// Whether so few users are online that building the list takes less than 0.2 ms.
    #[must_use]
    pub fn is_listed_fast(&self) -> bool {
        let mut users = 0;
        // Stops at the first shard too many, as there may be a million users.
        self.counts().all(|count| {
            users += count;
            users <= FEW
        })
    }

    fn is_current(&self, list: &OnlineList) -> bool {
        list.version == self.version.load(Ordering::Acquire)
    }

    /// The version is read first: a change meanwhile makes the list stale at once, and is
    /// never missed.
    fn build_list(&self, now: Duration) -> OnlineList {
        let version = self.version.load(Ordering::Acquire);
        let mut users = Vec::with_capacity(self.list.load().users());
        for index in 0..SHARDS {
            let shard = self.read(index);
            let mut seats = shard.iter().peekable();
            while let Some(&(&Seat { name, .. }, _)) = seats.peek() {
                let of_name = from_fn(|| seats.next_if(|(seat, _)| seat.name == name));
                let address = shown_to_version_1(of_name);
                users.extend(address.map(|address| OnlineUser { name, address }));
            }
        }
        OnlineList::new(version, now, users)
    }
}

fn is_recent(list: &OnlineList, now: Duration) -> bool {
    let users = u32::try_from(list.users()).unwrap_or(u32::MAX);
    list.users() > FEW && now.saturating_sub(list.built) < AGE_PER_USER.saturating_mul(users)
}
