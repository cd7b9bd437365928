//! Replication of the presence between the registries of a cluster.
//!
//! Each login of a name has an epoch, greater than that of the one before, at whichever
//! registry that was; so has each logout. The state of a name is its greatest epoch, and when
//! the user was last seen in it. So a [`Record`] may arrive late, twice, or after a later one:
//! registries that got the same records, in any order, show the same.
//!
//! A Hello is known here at once, and to the others by the time that they need it: within
//! a [share](WRITE_SHARE) of the timeout. They learn when it came, so a user who stops sending
//! them leaves all lists at the same time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use p2pchat_protocol::{PeerAddr, Username};

use super::{Ended, Entry, Presence, SHARDS, SessionId, millis};

/// The part of the timeout after which a Hello is written for the others: a third. Of 60 s
/// that leaves 20 s until it is written, 15 s until the client of a registry that died sends
/// the next one to another, and 25 s for delays: an election, a lost datagram. It costs three
/// writes a user and timeout, however often the user sends Hellos.
const WRITE_SHARE: u32 = 3;
/// After how long without changes from the others the clock of their users stops: a registry
/// that is cut off goes on showing them as they were.
const SILENCE: Duration = Duration::from_secs(2);

/// The state of a user who is online, or was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// The user.
    pub name: Username,
    /// Where they are, `None` after a logout.
    pub address: Option<PeerAddr>,
    /// The number of this login or logout among all of the name.
    pub epoch: i64,
    /// When they were last seen.
    pub seen: Duration,
}

/// A change that is not yet written for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The state to write.
    pub record: Record,
    /// Whether it is a logout, which gives way to a login of the same epoch.
    pub is_logout: bool,
}

/// The replication state of one user.
#[derive(Debug)]
pub(super) struct ReplicationState {
    epoch: i64,
    /// When the user was last seen, as written for the others, in milliseconds.
    written: AtomicU64,
    /// Whether the user was last seen here, and not by another registry.
    is_ours: AtomicBool,
    /// Whether this is a logout that is not yet written.
    is_unwritten_logout: bool,
}

impl ReplicationState {
    /// That of a registry on its own, which has nothing to write.
    pub(super) fn standalone() -> Self {
        Self {
            epoch: 0,
            written: AtomicU64::new(u64::MAX),
            is_ours: AtomicBool::new(true),
            is_unwritten_logout: false,
        }
    }

    fn new(record: &Record, is_ours: bool) -> Self {
        Self {
            epoch: record.epoch,
            written: AtomicU64::new(millis(record.seen)),
            is_ours: AtomicBool::new(is_ours),
            is_unwritten_logout: false,
        }
    }

    /// The user was seen here.
    pub(super) fn seen_here(&self) {
        self.is_ours.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_ours(&self) -> bool {
        self.is_ours.load(Ordering::Relaxed)
    }

    /// The user logged out here.
    pub(super) fn log_out(&mut self) {
        self.epoch = self.epoch.saturating_add(1);
        self.is_unwritten_logout = true;
        self.seen_here();
    }
}

impl Entry {
    fn of(record: &Record, session: SessionId, is_ours: bool) -> Self {
        Self {
            address: record.address,
            session,
            last_seen: AtomicU64::new(millis(record.seen)),
            replication: ReplicationState::new(record, is_ours),
        }
    }

    fn record(&self, name: Username) -> Record {
        Record {
            name,
            address: self.address,
            epoch: self.replication.epoch,
            seen: Duration::from_millis(self.last_seen.load(Ordering::Relaxed)),
        }
    }

    /// Takes another record of the same login.
    fn confirm(&self, record: &Record) {
        let seen = millis(record.seen);
        self.replication.written.fetch_max(seen, Ordering::Relaxed);
        if self.last_seen.fetch_max(seen, Ordering::Relaxed) < seen {
            self.replication.is_ours.store(false, Ordering::Relaxed);
        }
    }

    fn due(&self, name: Username, written_before: Option<u64>) -> Option<Due> {
        let written = self.replication.written.load(Ordering::Relaxed);
        let last_seen = self.last_seen.load(Ordering::Relaxed);
        let is_seen_since =
            last_seen > written && written_before.is_some_and(|time| written <= time);
        let is_logout = self.replication.is_unwritten_logout;
        (is_seen_since || is_logout).then(|| Due {
            record: self.record(name),
            is_logout,
        })
    }
}

impl Presence {
    /// As [`Presence::new`], for a registry of a cluster.
    #[must_use]
    pub fn new_shared(timeout: Duration) -> Self {
        Self {
            is_shared: true,
            ..Self::new(timeout)
        }
    }

    /// The greatest epoch that is known of a name.
    #[must_use]
    pub fn epoch(&self, name: Username) -> Option<i64> {
        let shard = self.read(self.shard_of(name));
        shard.get(&name).map(|entry| entry.replication.epoch)
    }

    /// Takes a login here that is written for the others. The session is that of the
    /// connection it came on; it has ended already if there was a later login.
    pub fn logged_in(&self, record: &Record) -> SessionId {
        let session = self.new_session();
        self.put(record, session, true);
        session
    }

    /// Takes a record from the database, and returns the session that has ended by it.
    pub fn learn(&self, record: &Record, now: Duration) -> Option<Ended> {
        // Of a user who is not online here. One who is may be kept by the stopped clock.
        let is_old = millis(now).saturating_sub(millis(record.seen)) >= self.timeout;
        if is_old && self.epoch(record.name).is_none() {
            None
        } else {
            self.put(record, self.new_session(), false)
        }
    }

    fn put(&self, record: &Record, session: SessionId, is_ours: bool) -> Option<Ended> {
        let name = record.name;
        let mut shard = self.write(self.shard_of(name));
        let Some(entry) = shard.get_mut(&name) else {
            shard.insert(name, Entry::of(record, session, is_ours));
            if record.address.is_some() {
                self.changed();
            }
            return None;
        };
        // The database decides between a logout of ours and a login that came first.
        let is_later = record.epoch > entry.replication.epoch
            || (record.epoch == entry.replication.epoch && record.address != entry.address);
        if !is_later {
            if record.epoch == entry.replication.epoch {
                entry.replication.is_unwritten_logout = false;
                entry.confirm(record);
                if is_ours {
                    // The change stream was faster than the answer to the write.
                    entry.session = session;
                    entry.replication.seen_here();
                }
            }
            return None;
        }
        let moved = entry.address != record.address;
        let earlier = std::mem::replace(entry, Entry::of(record, session, is_ours));
        if moved {
            self.changed();
        }
        earlier.address.map(|_| earlier.ended(name, true))
    }

    /// The changes of one shard that are due to be written for the others. They stay due until
    /// [`Presence::learn`] gets them back from the database.
    #[must_use]
    pub fn due(&self, shard: usize, now: Duration) -> Vec<Due> {
        let interval = self.timeout / u64::from(WRITE_SHARE);
        self.written_before(shard, millis(now).checked_sub(interval))
    }

    /// All changes of one shard that are not yet written, for a registry that stops.
    #[must_use]
    pub fn unwritten(&self, shard: usize) -> Vec<Due> {
        self.written_before(shard, Some(u64::MAX))
    }

    fn written_before(&self, shard: usize, time: Option<u64>) -> Vec<Due> {
        let shard = self.read(shard % SHARDS);
        let due = |(&name, entry): (&Username, &Entry)| entry.due(name, time);
        shard.iter().filter_map(due).collect()
    }

    /// Marks all users as unwritten, since what was written may be lost: each is due unless
    /// [`Presence::learn`] gets them back from the database. Users of the other registries,
    /// too, as the one that saw them last may be gone.
    pub fn mark_all_unwritten(&self) {
        for shard in 0..SHARDS {
            for entry in self.read(shard).values() {
                entry.replication.written.store(0, Ordering::Relaxed);
            }
        }
    }

    /// Takes note that all changes of the others until `now` are known. The clock of their
    /// users stops two seconds after it (`SILENCE`).
    pub fn synced(&self, now: Duration) {
        self.synced.fetch_max(millis(now), Ordering::Relaxed);
    }

    /// Until when all changes of the others are known.
    #[must_use]
    pub fn last_synced(&self) -> Duration {
        Duration::from_millis(self.synced.load(Ordering::Relaxed))
    }

    /// The time that counts for users of the other registries.
    pub(super) fn time_of_others(&self, now: u64) -> u64 {
        if self.is_shared {
            now.min(self.synced.load(Ordering::Relaxed) + millis(SILENCE))
        } else {
            now
        }
    }
}

#[cfg(test)]
mod tests;
