//! Who is online and where.
//!
//! Users are spread over shards, each behind a lock of its own; "still here" is one
//! atomic store under a read lock. The online list is kept as the bytes of its response
//! and made again only when somebody asks after a change: at once where few are online,
//! and so often where many are that it costs a small part of a core (`listing`).
//!
//! The rules, from PROTOCOL.md:
//! - a user is online from login to logout, or until no Hello came for the timeout;
//! - a Hello counts only from the address that logged the name in;
//! - a Logout counts on the connection that logged the name in, or, on a connection that
//!   did not log that name in, from the address that did;
//! - a later login replaces the earlier one, whose connection then has no say.
//!
//! With several registries over one database ([`replication`]), the same holds for all of them.
//!
//! **Invariant:** no clock in here; `now` is passed in as the time since some fixed
//! moment. No lock is held for longer than it takes to look at one shard.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use arc_swap::ArcSwap;
use p2pchat_protocol::{PeerAddr, Username};

mod listing;
mod online_list;
pub mod replication;

pub use online_list::OnlineList;
use replication::Told;
pub use replication::{Due, Record};

/// Into how many parts the users are spread. Enough that threads seldom meet, few enough
/// that a sweep or a list visits them fast.
const SHARDS: usize = 64;

/// One login. No two logins have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId(u64);

/// A session that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Whose it was.
    pub name: Username,
    /// Which one.
    pub session: SessionId,
    /// Whether the user was online until now: if not, the time of the session had run
    /// out before.
    pub was_online: bool,
}

#[derive(Debug)]
struct Entry {
    /// `None`: he logged out, and nothing older is to be taken for news.
    address: Option<PeerAddr>,
    session: SessionId,
    /// In milliseconds, so that a Hello needs no write lock.
    last_seen: AtomicU64,
    told: Told,
}

impl Entry {
    fn ended(&self, name: Username, was_online: bool) -> Ended {
        Ended {
            name,
            session: self.session,
            was_online,
        }
    }
}

type Shard = RwLock<HashMap<Username, Entry>>;

/// Who is online and where.
#[derive(Debug)]
pub struct Presence {
    shards: Box<[Shard]>,
    /// Spreads names over shards; random, so that nobody can aim at one.
    spread: RandomState,
    timeout: u64,
    next_session: AtomicU64,
    /// Moves with each change of who is online, under the lock of the changed shard.
    version: AtomicU64,
    list: ArcSwap<OnlineList>,
    /// Whether there are other registries.
    is_shared: bool,
    /// Until when all is known that they wrote, in milliseconds.
    heard: AtomicU64,
}

impl Presence {
    /// Nobody is online yet. Users leave `timeout` after their last Hello.
    #[must_use]
    pub fn new(timeout: Duration) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            spread: RandomState::new(),
            timeout: millis(timeout),
            next_session: AtomicU64::new(1),
            version: AtomicU64::new(0),
            list: ArcSwap::from_pointee(OnlineList::default()),
            is_shared: false,
            heard: AtomicU64::new(0),
        }
    }

    fn new_session(&self) -> SessionId {
        SessionId(self.next_session.fetch_add(1, Ordering::Relaxed))
    }

    /// Puts a user online and returns the session that this begins. An earlier session
    /// of the same user has ended.
    pub fn login(&self, name: Username, address: PeerAddr, now: Duration) -> SessionId {
        let session = self.new_session();
        let entry = Entry {
            address: Some(address),
            session,
            last_seen: AtomicU64::new(millis(now)),
            told: Told::nobody(),
        };
        let mut shard = self.write(self.shard_of(name));
        let earlier = shard.insert(name, entry);
        // Who logs in again where he is does not make everybody's list old.
        if earlier.is_none_or(|earlier| earlier.address != Some(address)) {
            self.changed();
        }
        session
    }

    /// Takes note that a user is still there. `false` if the user is not online at that
    /// address.
    pub fn hello(&self, name: Username, from: PeerAddr, now: Duration) -> bool {
        let shard = self.read(self.shard_of(name));
        match shard.get(&name) {
            Some(entry) if entry.address == Some(from) && self.is_live(entry, now) => {
                entry.last_seen.fetch_max(millis(now), Ordering::Relaxed);
                entry.told.seen_here();
                true
            }
            _ => false,
        }
    }

    /// Takes a user offline, and says which session has ended by that. `session` is what
    /// the asking connection got when it logged that name in, if it did. `None` if there
    /// is no such user, or the asker has no say.
    pub fn logout(
        &self,
        name: Username,
        session: Option<SessionId>,
        from: PeerAddr,
        now: Duration,
    ) -> Option<Ended> {
        let mut shard = self.write(self.shard_of(name));
        let entry = shard.get_mut(&name)?;
        let address = entry.address?;
        let has_a_say = match session {
            Some(session) => entry.session == session,
            None => address == from,
        };
        if !has_a_say {
            return None;
        }
        let ended = entry.ended(name, self.is_live(entry, now));
        match self.is_shared {
            true => {
                entry.address = None;
                entry.told.log_out();
            }
            false => _ = shard.remove(&name),
        }
        self.changed();
        Some(ended)
    }

    /// Where a user is, `None` if not online.
    #[must_use]
    pub fn find(&self, name: Username, now: Duration) -> Option<PeerAddr> {
        let shard = self.read(self.shard_of(name));
        let entry = shard.get(&name)?;
        entry.address.filter(|_| self.is_live(entry, now))
    }

    /// Removes the users whose time ran out, and returns their sessions. To be called at
    /// [`Presence::sweep_interval`]. It visits everybody, so not for an async task.
    pub fn sweep(&self, now: Duration) -> Vec<Ended> {
        (0..SHARDS)
            .flat_map(|index| self.sweep_shard(index, now))
            .collect()
    }

    fn sweep_shard(&self, index: usize, now: Duration) -> Vec<Ended> {
        let is_dead = |entry: &Entry| !self.is_live(entry, now);
        if !self.read(index).values().any(is_dead) {
            return Vec::new();
        }
        let mut shard = self.write(index);
        let dead = shard.extract_if(|_, entry| is_dead(entry));
        let was_online = dead.filter(|(_, entry)| entry.address.is_some());
        let ended: Vec<Ended> = was_online
            .map(|(name, entry)| entry.ended(name, false))
            .collect();
        if !ended.is_empty() {
            self.changed();
        }
        ended
    }

    /// How often [`Presence::sweep`] is due: after a tenth of the timeout or a second,
    /// whichever is shorter.
    #[must_use]
    pub fn sweep_interval(&self) -> Duration {
        let share = Duration::from_millis(self.timeout) / 10;
        share.clamp(Duration::from_millis(1), Duration::from_secs(1))
    }

    /// How many users are online, those included whose time ran out and who were not
    /// swept yet.
    #[must_use]
    pub fn count(&self) -> usize {
        (0..SHARDS).map(|index| self.read(index).len()).sum()
    }

    fn is_live(&self, entry: &Entry, now: Duration) -> bool {
        let now = match entry.told.is_ours() {
            true => millis(now),
            false => self.time_of_others(millis(now)),
        };
        now.saturating_sub(entry.last_seen.load(Ordering::Relaxed)) < self.timeout
    }

    /// To be called with the changed shard still locked.
    fn changed(&self) {
        self.version.fetch_add(1, Ordering::Release);
    }

    fn shard_of(&self, name: Username) -> usize {
        let hash = self.spread.hash_one(name) % SHARDS as u64;
        usize::try_from(hash).expect("a number below SHARDS")
    }

    fn read(&self, index: usize) -> RwLockReadGuard<'_, HashMap<Username, Entry>> {
        self.shards[index]
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, index: usize) -> RwLockWriteGuard<'_, HashMap<Username, Entry>> {
        self.shards[index]
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
