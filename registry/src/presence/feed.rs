//! Presence that is pushed: a snapshot for each new subscriber, and deltas from then on.
//!
//! Each change of the presence marks its seat. What was marked within [`INTERVAL`] becomes one
//! delta, which is encoded once and kept in a ring. A subscriber has a position in it and nothing
//! else: one who reads slowly finds the ring gone on, and starts again with a snapshot, which all
//! share. So a subscriber costs the same however little they read.
//!
//! Without subscribers nothing is marked, kept or encoded.
//!
//! **Invariant:** what a subscriber has read up to a position is [`Publisher::shown`] as it was
//! there. No clock and no task in here: the server calls [`Publisher::turn`].

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use p2pchat_protocol::v2::{FromRegistry, Seat, SeatState, SeatUpdate};
use tokio::sync::Notify;

use super::Presence;

/// How long changes are gathered for one delta: at most 4 a second.
const INTERVAL: Duration = Duration::from_millis(250);
/// How long a change waits for others that is the only one: where it is not followed by a second
/// one by then, there is no burst to gather.
const LONE: Duration = Duration::from_millis(100);
/// How many deltas are kept: 16 s of them.
pub(super) const RING: usize = 64;
/// How many bytes of deltas are kept, apart from the latest: as many as a snapshot of
/// 16,000 users, which is shorter for a subscriber who lacks more.
const RING_BYTES: usize = 1024 * 1024;
/// How many snapshots are kept for those who still read them: a subscriber who takes 16 s for a
/// snapshot gets all of it.
const SNAPSHOTS: usize = 4;
/// How old a snapshot may be that a new subscriber gets with all deltas since, at most 16 of them.
/// An older one is made again, unless nothing has changed since.
const FRESH: Duration = Duration::from_secs(4);
/// How old the latest snapshot must be before there is another one, for each user in it. Making
/// it takes some 0.4 µs a user: at most a fifth of a core, however many ask for it.
const AGE_PER_SEAT: Duration = Duration::from_micros(2);
/// Up to so many seats a turn takes less than a millisecond.
const FEW: usize = 1000;

/// The deltas, the snapshots, and what is to be in the next ones.
#[derive(Debug, Default)]
pub struct Feed {
    /// Whether there are subscribers.
    is_active: AtomicBool,
    /// The seats that have changed since the latest delta.
    changed: Mutex<HashSet<Seat>>,
    state: Mutex<State>,
    /// Wakes the publisher.
    work: Notify,
    /// Wakes the subscribers: something was published.
    published: Notify,
}

#[derive(Debug, Default)]
struct State {
    subscribers: usize,
    /// Whether the publisher knows who was online when the first of them came.
    is_loaded: bool,
    /// Whether a subscriber waits for a snapshot.
    is_wanted: bool,
    /// The number of the latest delta, or of the snapshot before the first.
    latest: u64,
    /// The deltas up to the latest.
    ring: VecDeque<Arc<[u8]>>,
    ring_bytes: usize,
    snapshots: VecDeque<Snapshot>,
    /// Whether the latest snapshot is of no use to new subscribers.
    is_stale: bool,
}

#[derive(Debug)]
struct Snapshot {
    /// The number of the delta that is the last in it.
    number: u64,
    frames: Vec<Arc<[u8]>>,
}

/// How far a subscriber has read.
#[derive(Debug, Clone, Copy)]
enum Position {
    /// Nothing, or too little.
    Start,
    /// So many frames of this snapshot.
    Within { snapshot: u64, frames: usize },
    /// Everything up to this delta.
    After(u64),
}

impl Feed {
    /// A subscription from now on.
    #[must_use]
    pub fn subscribe(self: &Arc<Self>) -> Subscription {
        let mut state = self.state();
        state.subscribers += 1;
        self.is_active.store(true, Ordering::Release);
        Subscription {
            feed: Arc::clone(self),
            position: Position::Start,
        }
    }

    /// How many subscribers there are.
    #[must_use]
    pub fn subscribers(&self) -> usize {
        self.state().subscribers
    }

    /// How many deltas were made, and snapshots for the first subscriber.
    #[must_use]
    pub fn deltas(&self) -> u64 {
        self.state().latest
    }

    /// Waits until there is something for the publisher to do.
    pub async fn work(&self) {
        self.work.notified().await;
    }

    /// Marks a seat. To be called with its shard still locked: then who is loaded meanwhile is
    /// either marked or loaded as they are now.
    pub(super) fn changed(&self, seat: Seat) {
        if !self.is_active.load(Ordering::Acquire) {
            return;
        }
        let mut changed = self.marked();
        changed.insert(seat);
        if changed.len() == 1 {
            drop(changed);
            self.work.notify_one();
        }
    }

    /// The next frames for a subscriber, if there are any.
    fn next(&self, position: &mut Position) -> Option<Arc<[u8]>> {
        let mut state = self.state();
        loop {
            match *position {
                Position::Start => match state.recent_snapshot() {
                    Some(snapshot) => {
                        let frames = 0;
                        *position = Position::Within { snapshot, frames };
                    }
                    None => {
                        state.is_wanted = true;
                        drop(state);
                        self.work.notify_one();
                        return None;
                    }
                },
                Position::Within { snapshot, frames } => match state.part(snapshot, frames) {
                    Some((frame, next)) => {
                        *position = next;
                        return Some(frame);
                    }
                    None => *position = Position::Start,
                },
                Position::After(number) if number == state.latest => return None,
                Position::After(number) => match state.delta(number + 1) {
                    Some(delta) => {
                        *position = Position::After(number + 1);
                        return Some(delta);
                    }
                    None => *position = Position::Start,
                },
            }
        }
    }

    fn leave(&self) {
        let mut state = self.state();
        state.subscribers -= 1;
        if state.subscribers == 0 {
            // Who comes next is told of a load: nothing is marked until then.
            self.is_active.store(false, Ordering::Release);
            let latest = state.latest;
            *state = State {
                latest,
                ..State::default()
            };
            drop(state);
            self.work.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn marked(&self) -> MutexGuard<'_, HashSet<Seat>> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The number of the delta before the first in the ring.
    fn oldest(&self) -> u64 {
        self.latest - self.ring.len() as u64
    }

    /// The latest snapshot, if it is fresh and the deltas since are in the ring.
    fn recent_snapshot(&self) -> Option<u64> {
        let number = self.snapshots.back()?.number;
        (number >= self.oldest() && !self.is_stale).then_some(number)
    }

    fn delta(&self, number: u64) -> Option<Arc<[u8]>> {
        let index = number.checked_sub(self.oldest() + 1)?;
        self.ring.get(usize::try_from(index).ok()?).cloned()
    }

    /// A frame of a snapshot, and the position after it.
    fn part(&self, number: u64, frame: usize) -> Option<(Arc<[u8]>, Position)> {
        let snapshot = self.snapshots.iter().find(|kept| kept.number == number)?;
        let next = if frame + 1 == snapshot.frames.len() {
            Position::After(number)
        } else {
            Position::Within {
                snapshot: number,
                frames: frame + 1,
            }
        };
        Some((snapshot.frames.get(frame)?.clone(), next))
    }

    fn push(&mut self, delta: Arc<[u8]>) {
        self.latest += 1;
        self.ring_bytes += delta.len();
        self.ring.push_back(delta);
        while self.ring.len() > RING || self.ring_bytes > RING_BYTES && self.ring.len() > 1 {
            let dropped = self.ring.pop_front();
            self.ring_bytes -= dropped.map_or(0, |delta| delta.len());
        }
    }
}

/// A subscriber's place in the feed.
#[derive(Debug)]
pub struct Subscription {
    feed: Arc<Feed>,
    position: Position,
}

impl Subscription {
    /// The next whole frames to send: a part of a snapshot, or a delta. Cancel-safe.
    pub async fn next(&mut self) -> Arc<[u8]> {
        loop {
            // Before the look: it tells of what is published meanwhile, too.
            let published = self.feed.published.notified();
            if let Some(frames) = self.feed.next(&mut self.position) {
                return frames;
            }
            published.await;
        }
    }

    /// The same, if they are there.
    pub fn try_next(&mut self) -> Option<Arc<[u8]>> {
        self.feed.next(&mut self.position)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.feed.leave();
    }
}

/// Makes the deltas and the snapshots of one [`Presence`]. There is one.
#[derive(Debug)]
pub struct Publisher {
    feed: Arc<Feed>,
    /// Who is online by the latest delta.
    shown: BTreeMap<Seat, SeatState>,
    /// Since when changes are gathered.
    since: Option<Duration>,
    /// When the latest delta was made.
    told: Option<Duration>,
    /// When the latest snapshot was made.
    made: Duration,
}

impl Publisher {
    /// The publisher of a feed.
    #[must_use]
    pub fn new(feed: &Arc<Feed>) -> Self {
        Self {
            feed: Arc::clone(feed),
            shown: BTreeMap::new(),
            since: None,
            told: None,
            made: Duration::ZERO,
        }
    }

    /// Whether a turn may take more than a millisecond: then it is for a thread that may block.
    #[must_use]
    pub fn is_slow(&self, presence: &Presence) -> bool {
        self.shown.len() > FEW || !presence.is_listed_fast()
    }

    /// Does what is due, and returns when the next turn is; `None` if there is none until
    /// [`Feed::work`].
    pub fn turn(&mut self, presence: &Presence, now: Duration) -> Option<Duration> {
        let state = self.feed.state();
        let (subscribers, is_loaded) = (state.subscribers, state.is_loaded);
        drop(state);
        if subscribers == 0 {
            self.shown = BTreeMap::new();
            self.since = None;
            return None;
        }
        if !is_loaded {
            self.load(presence, now);
        }
        let delta = self.delta_if_due(presence, now);
        let snapshot = self.snapshot_if_wanted(now);
        [delta, snapshot].into_iter().flatten().min()
    }

    /// Begins for the first subscriber.
    fn load(&mut self, presence: &Presence, now: Duration) {
        let mut state = self.feed.state();
        state.is_loaded = true;
        // Before anything is read: what changes meanwhile is in the first delta.
        self.feed.marked().clear();
        state.latest += 1;
        drop(state);
        self.since = None;
        self.shown = presence.all_listed();
        self.make_snapshot(now);
    }

    fn delta_if_due(&mut self, presence: &Presence, now: Duration) -> Option<Duration> {
        let wait = match self.feed.marked().len() {
            0 => return None,
            1 => LONE,
            _ => INTERVAL,
        };
        let gathered = *self.since.get_or_insert(now) + wait;
        let due = self
            .told
            .map_or(gathered, |told| gathered.max(told + INTERVAL));
        if now < due {
            return Some(due);
        }
        self.since = None;
        let changed = std::mem::take(&mut *self.feed.marked());
        let updates: Vec<SeatUpdate> = changed
            .into_iter()
            .filter_map(|seat| self.update(seat, presence.listed(seat)))
            .collect();
        if updates.is_empty() {
            return None;
        }
        let mut bytes = Vec::new();
        for updates in updates.chunks(FromRegistry::USERS) {
            FromRegistry::Delta(updates.to_vec()).encode(&mut bytes);
        }
        self.told = Some(now);
        let mut state = self.feed.state();
        state.push(bytes.into());
        state.is_stale |= now > self.made + FRESH;
        drop(state);
        self.wake_subscribers();
        None
    }

    /// Takes the state of a seat, and returns what subscribers are told, if it is something new.
    fn update(&mut self, seat: Seat, state: Option<SeatState>) -> Option<SeatUpdate> {
        let before = match state {
            Some(state) => self.shown.insert(seat, state),
            None => self.shown.remove(&seat),
        };
        if before == state {
            return None;
        }
        let name = |state: &SeatState| (state.serial, state.display_name);
        let told = state.map(|state| SeatState {
            display_name: state
                .display_name
                .filter(|_| before.as_ref().map(name) != Some(name(&state))),
            ..state
        });
        Some((seat, told))
    }

    fn snapshot_if_wanted(&mut self, now: Duration) -> Option<Duration> {
        let mut state = self.feed.state();
        if state.recent_snapshot().is_some() {
            state.is_wanted = false;
        }
        if !state.is_wanted {
            return None;
        }
        drop(state);
        let seats = u32::try_from(self.shown.len()).unwrap_or(u32::MAX);
        let due = self.made + AGE_PER_SEAT.saturating_mul(seats);
        if now < due {
            return Some(due);
        }
        self.make_snapshot(now);
        None
    }

    fn make_snapshot(&mut self, now: Duration) {
        self.made = now;
        let users: Vec<SeatUpdate> = self
            .shown
            .iter()
            .map(|(&seat, &state)| (seat, Some(state)))
            .collect();
        let frames = snapshot_frames(&users);
        let mut state = self.feed.state();
        let number = state.latest;
        state.snapshots.push_back(Snapshot { number, frames });
        if state.snapshots.len() > SNAPSHOTS {
            state.snapshots.pop_front();
        }
        (state.is_wanted, state.is_stale) = (false, false);
        drop(state);
        self.wake_subscribers();
    }

    fn wake_subscribers(&self) {
        self.feed.published.notify_waiters();
    }
}

/// The frames of a snapshot. An empty one has a frame, too.
fn snapshot_frames(users: &[SeatUpdate]) -> Vec<Arc<[u8]>> {
    let count = users.len().div_ceil(FromRegistry::USERS).max(1);
    let frame = |index: usize| {
        let first = index * FromRegistry::USERS;
        let last = users.len().min(first + FromRegistry::USERS);
        let mut bytes = Vec::new();
        let part = FromRegistry::Snapshot {
            users: users[first..last].to_vec(),
            begins: index == 0,
            ends: index + 1 == count,
        };
        part.encode(&mut bytes);
        bytes.into()
    };
    (0..count).map(frame).collect()
}

#[cfg(test)]
mod tests;
