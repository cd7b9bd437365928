//! Replication of the presence between the registries of a cluster.
//!
//! Each login of a seat has an epoch, greater than that of the one before, at whichever
//! registry that was; so has each logout, and each change of what is told of a device. The state
//! of a seat is its greatest epoch, and when the user was last seen in it. So a [`Record`] may arrive late, twice, or after a later one:
//! registries that got the same records, in any order, show the same.
//!
//! A Hello is known here at once, and to the others by the time that they need it: within
//! a [share](WRITE_SHARE) of the timeout. They learn when it came, so a user who stops sending
//! them leaves all lists at the same time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use p2pchat_protocol::v2::registry::PING_INTERVAL;
use p2pchat_protocol::v2::{Seat, SeatState};

use super::{Ended, Entry, Place, Presence, SHARDS, SessionId, millis};

/// The part of the timeout after which a Hello is written for the others: a third. Of 60 s
/// that leaves 20 s until it is written, 15 s until the client of a registry that died sends
/// the next one to another, and 25 s for delays: an election, a lost datagram. It costs three
/// writes a user and timeout, however often the user sends Hellos. What a device sends is written
/// when it comes, as it is no more than a ping each [`PING_INTERVAL`].
const WRITE_SHARE: u32 = 3;
/// After how long without changes from the others the clock of their users stops: a registry
/// that is cut off goes on showing them as they were.
const SILENCE: Duration = Duration::from_secs(2);

/// The state of a seat that is online, or was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// The seat.
    pub seat: Seat,
    /// What is told of it, `None` after a logout.
    pub state: Option<SeatState>,
    /// The number of this login, change or logout among all of the seat.
    pub epoch: i64,
    /// When they were last seen.
    pub seen: Duration,
}

/// A change that is not yet written for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The state to write.
    pub record: Record,
    /// Whether it is a logout or a change of what is told of a device, which give way to a login
    /// of the same epoch.
    pub is_change: bool,
}

/// The replication state of one user.
#[derive(Debug)]
pub(super) struct ReplicationState {
    epoch: i64,
    /// When the user was last seen, as written for the others, in milliseconds.
    written: AtomicU64,
    /// Whether the user was last seen here, and not by another registry.
    is_ours: AtomicBool,
    /// Whether this is a logout or change that is not yet written.
    is_unwritten: bool,
}

impl ReplicationState {
    /// That of a registry on its own, which has nothing to write. Its sessions are numbered, too.
    pub(super) fn standalone(SessionId(number): SessionId) -> Self {
        Self {
            epoch: i64::try_from(number).unwrap_or(i64::MAX),
            written: AtomicU64::new(u64::MAX),
            is_ours: AtomicBool::new(true),
            is_unwritten: false,
        }
    }

    fn new(record: &Record, is_ours: bool) -> Self {
        Self {
            epoch: record.epoch,
            written: AtomicU64::new(millis(record.seen)),
            is_ours: AtomicBool::new(is_ours),
            is_unwritten: false,
        }
    }

    pub(super) fn epoch(&self) -> i64 {
        self.epoch
    }

    /// The user was seen here.
    pub(super) fn seen_here(&self) {
        self.is_ours.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_ours(&self) -> bool {
        self.is_ours.load(Ordering::Relaxed)
    }

    /// The user logged out here, or what is told of their device has changed.
    pub(super) fn change(&mut self) {
        self.epoch = self.epoch.saturating_add(1);
        self.is_unwritten = true;
        self.seen_here();
    }
}

impl Entry {
    fn of(record: &Record, session: SessionId, is_ours: bool) -> Self {
        Self {
            place: Place::of(record.seat, record.state.as_ref()),
            session,
            last_seen: AtomicU64::new(millis(record.seen)),
            replication: ReplicationState::new(record, is_ours),
        }
    }

    fn record(&self, seat: Seat) -> Record {
        Record {
            seat,
            state: self.place.state(),
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

    fn due(&self, seat: Seat, written_before: Option<u64>) -> Option<Due> {
        let written = self.replication.written.load(Ordering::Relaxed);
        let last_seen = self.last_seen.load(Ordering::Relaxed);
        let is_seen_since =
            last_seen > written && written_before.is_some_and(|time| written <= time);
        let is_change = self.replication.is_unwritten;
        (is_seen_since || is_change).then(|| Due {
            record: self.record(seat),
            is_change,
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

    /// The greatest epoch that is known of a seat.
    #[must_use]
    pub fn epoch(&self, seat: Seat) -> Option<i64> {
        let shard = self.read(self.shard_of(seat.name));
        shard.get(&seat).map(|entry| entry.replication.epoch)
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
        let is_old =
            millis(now).saturating_sub(millis(record.seen)) >= self.timeout_of(record.seat);
        if is_old && self.epoch(record.seat).is_none() {
            None
        } else {
            self.put(record, self.new_session(), false)
        }
    }

    fn put(&self, record: &Record, session: SessionId, is_ours: bool) -> Option<Ended> {
        let seat = record.seat;
        let mut shard = self.write(self.shard_of(seat.name));
        let Some(entry) = shard.get_mut(&seat) else {
            shard.insert(seat, Entry::of(record, session, is_ours));
            if record.state.is_some() {
                self.changed(seat);
            }
            return None;
        };
        let before = entry.place.state();
        // The database decides between a change of ours and a login that came first.
        let is_later = record.epoch > entry.replication.epoch
            || (record.epoch == entry.replication.epoch && record.state != before);
        if !is_later {
            if record.epoch == entry.replication.epoch {
                entry.replication.is_unwritten = false;
                entry.confirm(record);
                if is_ours {
                    // The change stream was faster than the answer to the write.
                    entry.session = session;
                    entry.replication.seen_here();
                }
            }
            return None;
        }
        let earlier = std::mem::replace(entry, Entry::of(record, session, is_ours));
        if before != record.state || seat.device.is_some() {
            self.changed(seat);
        }
        before.map(|_| earlier.ended(seat, true))
    }

    /// The changes of one shard that are due to be written for the others. They stay due until
    /// [`Presence::learn`] gets them back from the database.
    #[must_use]
    pub fn due(&self, shard: usize, now: Duration) -> Vec<Due> {
        let before = |interval| millis(now).checked_sub(interval);
        let version_1 = before(self.timeout / u64::from(WRITE_SHARE));
        let device = before(millis(PING_INTERVAL));
        self.written_before(shard, |seat| match seat.device {
            None => version_1,
            Some(_) => device,
        })
    }

    /// All changes of one shard that are not yet written, for a registry that stops.
    #[must_use]
    pub fn unwritten(&self, shard: usize) -> Vec<Due> {
        self.written_before(shard, |_| Some(u64::MAX))
    }

    fn written_before(&self, shard: usize, time: impl Fn(&Seat) -> Option<u64>) -> Vec<Due> {
        let shard = self.read(shard % SHARDS);
        let due = |(seat, entry): (&Seat, &Entry)| entry.due(*seat, time(seat));
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
