//! What several registries over one database tell each other of who is online.
//!
//! Each login of a name has a turn, greater than that of the one before, wherever that
//! was; so has each logout. What is known of a name is its greatest turn, and when the user
//! was last seen in it. So a [`Record`] may come late, twice, or after a later one:
//! registries that got the same records, in whatever order, show the same.
//!
//! A Hello is known here at once, and to the others by the time that they need it: within
//! a [share](WRITE_SHARE) of the timeout. What they learn is when it came, so a user who
//! stops leaves all lists at the same time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use p2pchat_protocol::{PeerAddr, Username};

use super::{Ended, Entry, Presence, SHARDS, SessionId, millis};

/// What part of the timeout a Hello may be old before the others hear of it: a third. Of
/// 60 s that leaves 20 s until it is written, 15 s until the client of a registry that
/// died says the next one to another, and 25 s for whatever is slow meanwhile: an election,
/// a lost datagram. It costs three writes a user and timeout, however often he says Hello.
pub const WRITE_SHARE: u32 = 3;
/// How long nothing has to be heard of the others before the time of their users stops: a
/// registry that is cut off goes on showing them as they were.
pub const SILENCE: Duration = Duration::from_secs(2);

/// What is known of a user who is online, or was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Who it is.
    pub name: Username,
    /// Where, `None` if he logged out.
    pub address: Option<PeerAddr>,
    /// The number of this login or logout among all of the name.
    pub turn: i64,
    /// When he was last seen.
    pub seen: Duration,
}

/// What the others have yet to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// What there is to know.
    pub record: Record,
    /// Whether it is a logout, which gives way to a login of the same turn.
    pub is_logout: bool,
}

/// The part of an entry that is for the other registries.
#[derive(Debug)]
pub(super) struct Told {
    turn: i64,
    /// Until when they know that he was there, in milliseconds.
    known: AtomicU64,
    /// Whether he was last seen here, and not by one of them.
    is_ours: AtomicBool,
    /// Whether this is a logout of which they do not know yet.
    is_secret: bool,
}

impl Told {
    /// There are no others.
    pub(super) fn nobody() -> Self {
        Self {
            turn: 0,
            known: AtomicU64::new(u64::MAX),
            is_ours: AtomicBool::new(true),
            is_secret: false,
        }
    }

    fn new(record: &Record, is_ours: bool) -> Self {
        Self {
            turn: record.turn,
            known: AtomicU64::new(millis(record.seen)),
            is_ours: AtomicBool::new(is_ours),
            is_secret: false,
        }
    }

    /// He was seen here.
    pub(super) fn seen_here(&self) {
        self.is_ours.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_ours(&self) -> bool {
        self.is_ours.load(Ordering::Relaxed)
    }

    /// He logged out here.
    pub(super) fn log_out(&mut self) {
        self.turn = self.turn.saturating_add(1);
        self.is_secret = true;
        self.seen_here();
    }
}

impl Entry {
    fn of(record: &Record, session: SessionId, is_ours: bool) -> Self {
        Self {
            address: record.address,
            session,
            last_seen: AtomicU64::new(millis(record.seen)),
            told: Told::new(record, is_ours),
        }
    }

    fn record(&self, name: Username) -> Record {
        Record {
            name,
            address: self.address,
            turn: self.told.turn,
            seen: Duration::from_millis(self.last_seen.load(Ordering::Relaxed)),
        }
    }

    /// Takes note of what somebody knows of the same login.
    fn confirm(&self, record: &Record) {
        let seen = millis(record.seen);
        self.told.known.fetch_max(seen, Ordering::Relaxed);
        if self.last_seen.fetch_max(seen, Ordering::Relaxed) < seen {
            self.told.is_ours.store(false, Ordering::Relaxed);
        }
    }

    fn due(&self, name: Username, written_before: Option<u64>) -> Option<Due> {
        let known = self.told.known.load(Ordering::Relaxed);
        let last_seen = self.last_seen.load(Ordering::Relaxed);
        let is_news = last_seen > known && written_before.is_some_and(|time| known <= time);
        let is_logout = self.told.is_secret;
        (is_news || is_logout).then(|| Due {
            record: self.record(name),
            is_logout,
        })
    }
}

impl Presence {
    /// As [`Presence::new`], for a registry that is not the only one.
    #[must_use]
    pub fn new_shared(timeout: Duration) -> Self {
        Self {
            is_shared: true,
            ..Self::new(timeout)
        }
    }

    /// The greatest turn that is known of a name.
    #[must_use]
    pub fn turn(&self, name: Username) -> Option<i64> {
        let shard = self.read(self.shard_of(name));
        shard.get(&name).map(|entry| entry.told.turn)
    }

    /// Takes note of a login here that the others can read of. The session is that of the
    /// connection it was made on; it has ended already if there was a later login.
    pub fn logged_in(&self, record: &Record) -> SessionId {
        let session = self.new_session();
        self.put(record, session, true);
        session
    }

    /// Takes note of what somebody wrote, and returns the session that has ended by it.
    pub fn learn(&self, record: &Record, now: Duration) -> Option<Ended> {
        // Of somebody who is not shown. One who is may be, since time stands still for him.
        let is_old = millis(now).saturating_sub(millis(record.seen)) >= self.timeout;
        match is_old && self.turn(record.name).is_none() {
            true => None,
            false => self.put(record, self.new_session(), false),
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
        // What is written decides between a logout of ours and a login that came first.
        let is_later = record.turn > entry.told.turn
            || (record.turn == entry.told.turn && record.address != entry.address);
        if !is_later {
            if record.turn == entry.told.turn {
                entry.told.is_secret = false;
                entry.confirm(record);
                if is_ours {
                    // The news of this login was faster than its answer.
                    entry.session = session;
                    entry.told.seen_here();
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

    /// What the others have yet to hear of the users of one shard. It stays so until
    /// [`Presence::learn`] says that it was written.
    #[must_use]
    pub fn due(&self, shard: usize, now: Duration) -> Vec<Due> {
        let interval = self.timeout / u64::from(WRITE_SHARE);
        self.known_before(shard, millis(now).checked_sub(interval))
    }

    /// All that the others have not heard of the users of one shard, for a registry that
    /// stops.
    #[must_use]
    pub fn unwritten(&self, shard: usize) -> Vec<Due> {
        self.known_before(shard, Some(u64::MAX))
    }

    fn known_before(&self, shard: usize, time: Option<u64>) -> Vec<Due> {
        let shard = self.read(shard % SHARDS);
        let due = |(&name, entry): (&Username, &Entry)| entry.due(name, time);
        shard.iter().filter_map(due).collect()
    }

    /// Takes note that what was written may be lost: everybody is due of whom
    /// [`Presence::learn`] does not say that it is there. Users of the others too, as the
    /// one that heard them last may have gone.
    pub fn tell_again(&self) {
        for shard in 0..SHARDS {
            for entry in self.read(shard).values() {
                entry.told.known.store(0, Ordering::Relaxed);
            }
        }
    }

    /// How many shards there are for [`Presence::due`].
    #[must_use]
    pub fn shards(&self) -> usize {
        SHARDS
    }

    /// Takes note that until now everything was heard that the others wrote. Time stands
    /// still for their users from [`SILENCE`] after it.
    pub fn heard(&self, now: Duration) {
        self.heard.fetch_max(millis(now), Ordering::Relaxed);
    }

    /// Until when everything was heard that the others wrote.
    #[must_use]
    pub fn last_heard(&self) -> Duration {
        Duration::from_millis(self.heard.load(Ordering::Relaxed))
    }

    /// The time that counts for users of the others.
    pub(super) fn time_of_others(&self, now: u64) -> u64 {
        match self.is_shared {
            true => now.min(self.heard.load(Ordering::Relaxed) + millis(SILENCE)),
            false => now,
        }
    }
}

#[cfg(test)]
mod tests;
