//! Who is online and where: [`Presence`].
//!
//! It is told by [`Seat`]: an account on a device, or a login of version 1. Seats are spread over
//! shards by their name, each behind a lock of its own; a Hello is one atomic store under a read
//! lock. The online list of version 1 is kept as the bytes of its response, and rebuilt only
//! when it is asked for after a change: at once where few are online, and so rarely where many
//! are that it costs a small part of a core (`online_list`). What changes is pushed to the
//! subscribers of version 2 by the [`Feed`].
//!
//! The rules of version 1, from PROTOCOL.md:
//! - a user is online from login to logout, or until no Hello came for the timeout;
//! - a Hello counts only from the address that logged the name in;
//! - a Logout counts on the connection that logged the name in, or, on a connection that
//!   did not log that name in, from the address that did;
//! - a later login replaces the earlier one, whose connection then cannot log out.
//!
//! Those of version 2, by the session that a sign-in began:
//! - a seat is online from sign-in to sign-out, or until there was no sign of life for
//!   [`DEVICE_TIMEOUT`];
//! - a later sign-in of the same device replaces the earlier one, which then changes nothing.
//!
//! Version 1 shows a name once: where it is logged in, else the device that signed in last of
//! those that listen for version 1.
//!
//! In a cluster (`replication`) the same holds for all registries together.
//!
//! **Invariant:** no clock in here; `now` is passed in as the time since some fixed
//! moment. No lock is held for longer than it takes to look at one shard.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use arc_swap::ArcSwap;
use p2pchat_protocol::v2::registry::{PING_INTERVAL, SILENCE};
use p2pchat_protocol::v2::{DeviceId, Seat, SeatState};
use p2pchat_protocol::{PeerAddr, Username};

mod feed;
mod online_list;
mod place;
mod replication;

pub use feed::{Feed, Publisher, Subscription};
pub use online_list::OnlineList;
use place::Place;
pub use place::version_1;
use replication::ReplicationState;
pub use replication::{Due, Record};

/// The number of shards. Enough that threads rarely meet, few enough that a sweep or a list
/// visits them fast.
const SHARDS: usize = 64;
/// How long a device is shown as online without a sign of life. The connection to it ends after
/// [`SILENCE`]; the other registries of a cluster know of a sign of life a [`PING_INTERVAL`] later
/// at most, and for so long they show one whose registry has died.
pub const DEVICE_TIMEOUT: Duration = SILENCE.saturating_add(PING_INTERVAL);

/// The id of one login. No two logins have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId(u64);

/// A session that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Whose it was.
    pub seat: Seat,
    /// Which one.
    pub session: SessionId,
    /// Whether the user was online until now: if not, their timeout had passed before.
    pub was_online: bool,
}

#[derive(Debug)]
struct Entry {
    /// `Nowhere` is a tombstone: the user logged out, and no older record counts any more.
    place: Place,
    session: SessionId,
    /// In milliseconds, so that a Hello needs no write lock.
    last_seen: AtomicU64,
    replication: ReplicationState,
}

impl Entry {
    fn is_online(&self) -> bool {
        self.place != Place::Nowhere
    }

    fn ended(&self, seat: Seat, was_online: bool) -> Ended {
        Ended {
            seat,
            session: self.session,
            was_online,
        }
    }

    fn is_seen(&self, now: Duration) {
        self.last_seen.fetch_max(millis(now), Ordering::Relaxed);
        self.replication.seen_here();
    }
}

/// The seats of a name are side by side, that of version 1 first.
type Seats = BTreeMap<Seat, Entry>;

/// Who is online and where.
#[derive(Debug)]
pub struct Presence {
    shards: Box<[RwLock<Seats>]>,
    /// Spreads names over shards; random, so that nobody can aim at one.
    spread: RandomState,
    timeout: u64,
    next_session: AtomicU64,
    /// Moves with each change of who is online, under the lock of the changed shard.
    version: AtomicU64,
    list: ArcSwap<OnlineList>,
    feed: Arc<Feed>,
    /// Whether this registry is part of a cluster.
    is_shared: bool,
    /// Until when all changes of the other registries are known, in milliseconds.
    synced: AtomicU64,
}

impl Presence {
    /// An empty presence. Users of version 1 go offline `timeout` after their last Hello.
    #[must_use]
    pub fn new(timeout: Duration) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            spread: RandomState::new(),
            timeout: millis(timeout),
            next_session: AtomicU64::new(1),
            version: AtomicU64::new(0),
            list: ArcSwap::from_pointee(OnlineList::default()),
            feed: Arc::default(),
            is_shared: false,
            synced: AtomicU64::new(0),
        }
    }

    /// What is pushed to subscribers.
    #[must_use]
    pub fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    fn new_session(&self) -> SessionId {
        SessionId(self.next_session.fetch_add(1, Ordering::Relaxed))
    }

    /// Puts a user of version 1 online and returns the session that this begins. An earlier
    /// session of the same user has ended.
    pub fn login(&self, name: Username, address: PeerAddr, now: Duration) -> SessionId {
        self.sign_in(version_1::seat(name), version_1::state(address), now)
    }

    /// Puts a seat online and returns the session that this begins. An earlier session of the
    /// same seat has ended.
    pub fn sign_in(&self, seat: Seat, state: SeatState, now: Duration) -> SessionId {
        let session = self.new_session();
        let entry = Entry {
            place: Place::of(seat, Some(&state)),
            session,
            last_seen: AtomicU64::new(millis(now)),
            replication: ReplicationState::standalone(session),
        };
        let mut shard = self.write(self.shard_of(seat.name));
        let earlier = shard.insert(seat, entry);
        // A login again from the same address does not make the list stale.
        if earlier.is_none_or(|earlier| earlier.place.state() != Some(state))
            || seat.device.is_some()
        {
            self.changed(seat);
        }
        session
    }

    /// Keeps a user of version 1 online. `false` if the user is not online at that address.
    pub fn hello(&self, name: Username, from: PeerAddr, now: Duration) -> bool {
        let seat = version_1::seat(name);
        let shard = self.read(self.shard_of(name));
        match shard.get(&seat) {
            Some(entry)
                if entry.place.address() == Some(from) && self.is_live(seat, entry, now) =>
            {
                entry.is_seen(now);
                true
            }
            _ => false,
        }
    }

    /// Takes a sign of life. `false` if the session is over.
    pub fn alive(&self, seat: Seat, session: SessionId, now: Duration) -> bool {
        let shard = self.read(self.shard_of(seat.name));
        let entry = shard.get(&seat).filter(|entry| {
            entry.session == session && entry.is_online() && self.is_live(seat, entry, now)
        });
        entry.inspect(|entry| entry.is_seen(now)).is_some()
    }

    /// Changes what is told of a seat, which is a sign of life, too. `false` if the session is
    /// over.
    pub fn update(&self, seat: Seat, session: SessionId, state: SeatState, now: Duration) -> bool {
        let mut shard = self.write(self.shard_of(seat.name));
        let entry = shard.get_mut(&seat).filter(|entry| {
            entry.session == session && entry.is_online() && self.is_live(seat, entry, now)
        });
        let Some(entry) = entry else {
            return false;
        };
        entry.is_seen(now);
        if entry.place.state() != Some(state) {
            entry.place = Place::of(seat, Some(&state));
            if self.is_shared {
                entry.replication.change();
            }
            self.changed(seat);
        }
        true
    }

    /// Takes a user of version 1 offline, and returns the session that has ended by that.
    /// `session` is what the connection got when it logged that name in, if it did. `None` if
    /// there is no such user, or the connection may not log them out.
    pub fn logout(
        &self,
        name: Username,
        session: Option<SessionId>,
        from: PeerAddr,
        now: Duration,
    ) -> Option<Ended> {
        self.end(version_1::seat(name), now, |entry| match session {
            Some(session) => entry.session == session,
            None => entry.place.address() == Some(from),
        })
    }

    /// Takes a seat offline, and returns the session that has ended by that. `None` if the
    /// session was over before.
    pub fn sign_out(&self, seat: Seat, session: SessionId, now: Duration) -> Option<Ended> {
        self.end(seat, now, |entry| entry.session == session)
    }

    fn end(
        &self,
        seat: Seat,
        now: Duration,
        may_end: impl FnOnce(&Entry) -> bool,
    ) -> Option<Ended> {
        let mut shard = self.write(self.shard_of(seat.name));
        let entry = shard.get_mut(&seat)?;
        if !entry.is_online() || !may_end(entry) {
            return None;
        }
        let ended = entry.ended(seat, self.is_live(seat, entry, now));
        if self.is_shared {
            entry.place = Place::Nowhere;
            entry.replication.change();
        } else {
            shard.remove(&seat);
        }
        self.changed(seat);
        Some(ended)
    }

    /// Where version 1 finds a user, `None` if not online.
    #[must_use]
    pub fn find(&self, name: Username, now: Duration) -> Option<PeerAddr> {
        let shard = self.read(self.shard_of(name));
        let live = shard
            .range(seats_of(name))
            .filter(|(seat, entry)| self.is_live(**seat, entry, now));
        place::shown_to_version_1(live)
    }

    /// What is told of a seat, `None` if it is not online.
    #[must_use]
    pub fn state(&self, seat: Seat, now: Duration) -> Option<SeatState> {
        let shard = self.read(self.shard_of(seat.name));
        let entry = shard.get(&seat)?;
        entry
            .place
            .state()
            .filter(|_| self.is_live(seat, entry, now))
    }

    /// What is told of a seat until the next sweep, even if its timeout has passed.
    #[must_use]
    pub fn listed(&self, seat: Seat) -> Option<SeatState> {
        self.read(self.shard_of(seat.name))
            .get(&seat)?
            .place
            .state()
    }

    /// All seats that are online, those included whose timeout has passed and that were not
    /// swept yet.
    #[must_use]
    pub fn all_listed(&self) -> BTreeMap<Seat, SeatState> {
        let mut all = BTreeMap::new();
        for shard in 0..SHARDS {
            let shard = self.read(shard);
            let states = shard
                .iter()
                .map(|(&seat, entry)| (seat, entry.place.state()));
            all.extend(states.filter_map(|(seat, state)| Some((seat, state?))));
        }
        all
    }

    /// The session of a seat, `None` if not online. A user whose timeout has passed has it
    /// until the next sweep.
    #[must_use]
    pub fn session(&self, seat: Seat) -> Option<SessionId> {
        let shard = self.read(self.shard_of(seat.name));
        let entry = shard.get(&seat)?;
        entry.is_online().then_some(entry.session)
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
        let is_dead = |seat: &Seat, entry: &Entry| !self.is_live(*seat, entry, now);
        if !self
            .read(index)
            .iter()
            .any(|(seat, entry)| is_dead(seat, entry))
        {
            return Vec::new();
        }
        let mut shard = self.write(index);
        let dead = shard.extract_if(.., |seat, entry| is_dead(seat, entry));
        let was_online = dead.filter(|(_, entry)| entry.is_online());
        let ended: Vec<Ended> = was_online
            .map(|(seat, entry)| entry.ended(seat, false))
            .collect();
        for ended in &ended {
            self.changed(ended.seat);
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
    /// swept yet. One who is online on several devices counts once.
    #[must_use]
    pub fn count(&self) -> usize {
        self.counts().sum()
    }

    /// How many users of each shard are online. Those who logged out may have a tombstone.
    fn counts(&self) -> impl Iterator<Item = usize> {
        (0..SHARDS).map(move |shard| {
            let mut last = None;
            let shard = self.read(shard);
            let online = shard.iter().filter(|(_, entry)| entry.is_online());
            online
                .filter(|(seat, _)| last.replace(seat.name) != Some(seat.name))
                .count()
        })
    }

    fn is_live(&self, seat: Seat, entry: &Entry, now: Duration) -> bool {
        let now = if entry.replication.is_ours() {
            millis(now)
        } else {
            self.time_of_others(millis(now))
        };
        now.saturating_sub(entry.last_seen.load(Ordering::Relaxed)) < self.timeout_of(seat)
    }

    /// For how long a seat is online without a sign of life, in milliseconds.
    fn timeout_of(&self, seat: Seat) -> u64 {
        match seat.device {
            None => self.timeout,
            Some(_) => millis(DEVICE_TIMEOUT),
        }
    }

    /// To be called with the changed shard still locked.
    fn changed(&self, seat: Seat) {
        self.version.fetch_add(1, Ordering::Release);
        self.feed.changed(seat);
    }

    fn shard_of(&self, name: Username) -> usize {
        let hash = self.spread.hash_one(name) % SHARDS as u64;
        usize::try_from(hash).expect("a number below SHARDS")
    }

    fn read(&self, index: usize) -> RwLockReadGuard<'_, Seats> {
        self.shards[index]
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, index: usize) -> RwLockWriteGuard<'_, Seats> {
        self.shards[index]
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// All seats of a name.
fn seats_of(name: Username) -> RangeInclusive<Seat> {
    let last = DeviceId([u8::MAX; 8]);
    version_1::seat(name)..=Seat {
        name,
        device: Some(last),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
