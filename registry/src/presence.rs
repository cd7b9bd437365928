//! Who is online and where: [`Presence`].
//!
//! Users are spread over shards, each behind a lock of its own; a Hello is one atomic store
//! under a read lock. The online list is kept as the bytes of its response, and rebuilt only
//! when it is asked for after a change: at once where few are online, and so rarely where many
//! are that it costs a small part of a core (`online_list`).
//!
//! The rules, from PROTOCOL.md:
//! - a user is online from login to logout, or until no Hello came for the timeout;
//! - a Hello counts only from the address that logged the name in;
//! - a Logout counts on the connection that logged the name in, or, on a connection that
//!   did not log that name in, from the address that did;
//! - a later login replaces the earlier one, whose connection then cannot log out.
//!
//! In a cluster (`replication`) the same holds for all registries together.
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

mod online_list;
mod replication;

pub use online_list::OnlineList;
use replication::ReplicationState;
pub use replication::{Due, Record};

/// The number of shards. Enough that threads rarely meet, few enough that a sweep or a list
/// visits them fast.
const SHARDS: usize = 64;

/// The id of one login. No two logins have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId(u64);

/// A session that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Whose it was.
    pub name: Username,
    /// Which one.
    pub session: SessionId,
    /// Whether the user was online until now: if not, their timeout had passed before.
    pub was_online: bool,
}

#[derive(Debug)]
struct Entry {
    /// `None` is a tombstone: the user logged out, and no older record counts any more.
    address: Option<PeerAddr>,
    session: SessionId,
    /// In milliseconds, so that a Hello needs no write lock.
    last_seen: AtomicU64,
    replication: ReplicationState,
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
    /// Whether this registry is part of a cluster.
    is_shared: bool,
    /// Until when all changes of the other registries are known, in milliseconds.
    synced: AtomicU64,
}

impl Presence {
    /// An empty presence. Users go offline `timeout` after their last Hello.
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
            synced: AtomicU64::new(0),
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
            replication: ReplicationState::standalone(),
        };
        let mut shard = self.write(self.shard_of(name));
        let earlier = shard.insert(name, entry);
        // A login again from the same address does not make the list stale.
        if earlier.is_none_or(|earlier| earlier.address != Some(address)) {
            self.changed();
        }
        session
    }

    /// Keeps a user online. `false` if the user is not online at that address.
    pub fn hello(&self, name: Username, from: PeerAddr, now: Duration) -> bool {
        let shard = self.read(self.shard_of(name));
        match shard.get(&name) {
            Some(entry) if entry.address == Some(from) && self.is_live(entry, now) => {
                entry.last_seen.fetch_max(millis(now), Ordering::Relaxed);
                entry.replication.seen_here();
                true
            }
            _ => false,
        }
    }

    /// Takes a user offline, and returns the session that has ended by that. `session` is what
    /// the connection got when it logged that name in, if it did. `None` if there is no such
    /// user, or the connection may not log them out.
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
        let may_log_out = match session {
            Some(session) => entry.session == session,
            None => address == from,
        };
        if !may_log_out {
            return None;
        }
        let ended = entry.ended(name, self.is_live(entry, now));
        if self.is_shared {
            entry.address = None;
            entry.replication.log_out();
        } else {
            shard.remove(&name);
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

    /// The session of a user, `None` if not online. A user whose timeout has passed has it
    /// until the next sweep.
    #[must_use]
    pub fn session(&self, name: Username) -> Option<SessionId> {
        let shard = self.read(self.shard_of(name));
        let entry = shard.get(&name)?;
        entry.address.map(|_| entry.session)
    }

    /// How many shards there are.
    #[must_use]
    pub fn shards(&self) -> usize {
        SHARDS
    }

    /// Removes the users of all shards whose timeout has passed, and returns their sessions.
    /// Takes milliseconds where many are online: async tasks use [`Presence::sweep_shard`].
    pub fn sweep(&self, now: Duration) -> Vec<Ended> {
        (0..SHARDS)
            .flat_map(|shard| self.sweep_shard(shard, now))
            .collect()
    }

    /// Removes the users of one shard whose timeout has passed, and returns their sessions.
    /// To be called at [`Presence::sweep_interval`].
    pub fn sweep_shard(&self, shard: usize, now: Duration) -> Vec<Ended> {
        let index = shard % SHARDS;
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

    /// How often a sweep is due: after a tenth of the timeout or a second, whichever is
    /// shorter.
    #[must_use]
    pub fn sweep_interval(&self) -> Duration {
        let share = Duration::from_millis(self.timeout) / 10;
        share.clamp(Duration::from_millis(1), Duration::from_secs(1))
    }

    /// How many users are online, including those whose timeout has passed and who were not
    /// swept yet.
    #[must_use]
    pub fn count(&self) -> usize {
        self.counts().sum()
    }

    /// How many users of each shard are online. Those who logged out may have a tombstone.
    fn counts(&self) -> impl Iterator<Item = usize> {
        let is_online = |entry: &&Entry| entry.address.is_some();
        (0..SHARDS).map(move |shard| self.read(shard).values().filter(is_online).count())
    }

    fn is_live(&self, entry: &Entry, now: Duration) -> bool {
        let now = if entry.replication.is_ours() {
            millis(now)
        } else {
            self.time_of_others(millis(now))
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
