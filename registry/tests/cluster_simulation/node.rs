//! One registry: its presence, its sessions, its subscribers, and how far it has read.

use std::collections::BTreeMap;
use std::time::Duration;

use p2pchat_protocol::v2::registry::SILENCE;
use p2pchat_protocol::v2::{Certificate, Seat, SeatState};
use p2pchat_protocol::{PeerAddr, Username};
use p2pchat_registry::cluster::ServerClock;
use p2pchat_registry::presence::{Presence, Publisher, Record, SessionId};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use super::bindings::Bindings;
use super::database::{Database, Document};
use super::rules;
use super::subscriber::Subscriber;

/// How long a user stays online without a Hello, or a device without a ping.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);
/// How long after a break time stands still for users of others: as in the server.
const SETTLE: Duration = Duration::from_secs(5);
/// How often it looks at the clock of the database: as the server does.
const CLOCK: Duration = Duration::from_secs(10);
/// How often it looks whether the devices of its sessions still are what they were.
pub(crate) const RECHECK: Duration = Duration::from_secs(25);

/// A registry that runs.
#[derive(Debug)]
pub(crate) struct Node {
    presence: Presence,
    publisher: Publisher,
    /// One that reads at once, and one that hardly ever does.
    pub(crate) subscribers: [Subscriber; 2],
    sessions: Vec<Session>,
    /// For how long it has run when the simulation begins, by its own clock.
    uptime: Duration,
    clock: ServerClock,
    /// When it looked at the clock of the database.
    clock_read: Duration,
    /// When it looked at the bindings.
    bindings_read: Duration,
    /// How much of the log it has read, and where its stream began.
    read: usize,
    began: usize,
    /// Until when its stream is broken.
    pub(crate) deaf_until: Duration,
    /// Until when it cannot write.
    pub(crate) mute_until: Duration,
    settled: Duration,
    is_broken: bool,
    /// Whether the collection that it follows has gone.
    is_dropped: bool,
}

/// A device that is signed in here.
#[derive(Debug)]
struct Session {
    seat: Seat,
    id: SessionId,
    certificate: Certificate,
    serial: u64,
    /// When its last ping came.
    heard: Duration,
}

/// How the stream of a registry behaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stream {
    /// How late news are.
    pub(crate) lag: Duration,
    /// Whether what is lost with a long break is read again, or resumed.
    pub(crate) forgets: bool,
    /// Whether it takes note of having heard everything.
    pub(crate) syncs: bool,
}

impl Node {
    /// Starts, and reads what is there.
    pub(crate) fn start(database: &Database, now: Duration, random: &mut impl Rng) -> Self {
        let presence = Presence::new_shared(TIMEOUT);
        let mut node = Self {
            publisher: Publisher::new(presence.feed()),
            subscribers: [(); 2].map(|()| Subscriber::new(presence.feed())),
            presence,
            sessions: Vec::new(),
            uptime: Duration::from_secs(random.random_range(0..1000)),
            clock: ServerClock::default(),
            clock_read: Duration::ZERO,
            bindings_read: now,
            read: database.log.len(),
            began: database.log.len(),
            deaf_until: Duration::ZERO,
            mute_until: Duration::ZERO,
            settled: Duration::ZERO,
            is_broken: false,
            is_dropped: false,
        };
        node.read_clock(database, now);
        node.read_since(database, node.here(now), now);
        node.presence.synced(node.here(now));
        node
    }

    /// The time as it is here: no two count from the same moment.
    fn here(&self, now: Duration) -> Duration {
        now + self.uptime
    }

    fn read_clock(&mut self, database: &Database, now: Duration) {
        self.clock_read = now;
        let here = self.here(now);
        if self.clock.set(here, here, database.time(now)) {
            self.presence.mark_all_unwritten();
        }
    }

    fn read_since(&mut self, database: &Database, known: Duration, now: Duration) {
        self.presence.mark_all_unwritten();
        for document in database.since(self.clock.to_server(known)) {
            self.learn(document, now);
        }
    }

    fn learn(&mut self, document: &Document, now: Duration) {
        let here = self.here(now);
        let record = Record {
            seat: document.seat,
            state: document.state,
            epoch: document.epoch,
            seen: self.clock.from_server(document.seen, here),
        };
        if let Some(ended) = self.presence.learn(&record, here) {
            self.sessions
                .retain(|session| session.seat != ended.seat || session.id != ended.session);
        }
    }

    fn put_online(
        &self,
        database: &mut Database,
        seat: Seat,
        state: SeatState,
        now: Duration,
    ) -> SessionId {
        let seen = self.here(now);
        let known = self.presence.epoch(seat);
        let time = self.clock.to_server(seen);
        let epoch = database.sign_in(seat, state, known, time, now).epoch;
        self.presence.logged_in(&Record {
            seat,
            state: Some(state),
            epoch,
            seen,
        })
    }

    pub(crate) fn login(
        &self,
        database: &mut Database,
        seat: Seat,
        state: SeatState,
        now: Duration,
    ) {
        self.put_online(database, seat, state, now);
    }

    pub(crate) fn sign_in(
        &mut self,
        database: &mut Database,
        certificate: Certificate,
        (seat, state): (Seat, SeatState),
        now: Duration,
    ) {
        let id = self.put_online(database, seat, state, now);
        self.sessions.retain(|session| session.seat != seat);
        self.sessions.push(Session {
            seat,
            id,
            certificate,
            serial: state.serial,
            heard: now,
        });
    }

    /// Whether they were online.
    pub(crate) fn logout(&self, name: Username, address: PeerAddr, now: Duration) -> bool {
        let ended = self.presence.logout(name, None, address, self.here(now));
        ended.is_some_and(|ended| ended.was_online)
    }

    /// A device signs out, or its connection ends. Whether it was online.
    pub(crate) fn sign_out(&mut self, seat: Seat, now: Duration) -> bool {
        let here = self.here(now);
        let mut ended = self.sessions.extract_if(.., |session| session.seat == seat);
        let session = ended.next();
        session
            .and_then(|session| self.presence.sign_out(seat, session.id, here))
            .is_some_and(|ended| ended.was_online)
    }

    pub(crate) fn hello(&self, name: Username, address: PeerAddr, now: Duration) -> bool {
        self.presence.hello(name, address, self.here(now))
    }

    /// Whether the session goes on.
    pub(crate) fn ping(&mut self, seat: Seat, now: Duration) -> bool {
        let here = self.here(now);
        let session = self.sessions.iter_mut().find(|known| known.seat == seat);
        session.is_some_and(|session| {
            session.heard = now;
            self.presence.alive(seat, session.id, here)
        })
    }

    /// Whether the session goes on.
    pub(crate) fn update(&self, seat: Seat, state: SeatState, now: Duration) -> bool {
        let session = self.sessions.iter().find(|known| known.seat == seat);
        session.is_some_and(|session| {
            let here = self.here(now);
            self.presence.update(seat, session.id, state, here)
        })
    }

    pub(crate) fn state(&self, seat: Seat, now: Duration) -> Option<SeatState> {
        self.presence.state(seat, self.here(now))
    }

    pub(crate) fn find(&self, name: Username, now: Duration) -> Option<PeerAddr> {
        self.presence.find(name, self.here(now))
    }

    pub(crate) fn all_listed(&self) -> BTreeMap<Seat, SeatState> {
        self.presence.all_listed()
    }

    /// Takes everything for heard, which a registry never does.
    pub(crate) fn pretend_to_hear(&self, now: Duration) {
        self.presence.synced(self.here(now));
    }

    /// The collection has gone: the stream tells of that after all that was before.
    pub(crate) fn lose_collection(&mut self, database: &Database, now: Duration) {
        for (_, document) in &database.log[self.read..] {
            self.learn(document, now);
        }
        self.read = database.log.len();
        (self.is_broken, self.is_dropped) = (true, true);
    }

    /// Whether it talks to the database both ways.
    pub(crate) fn is_connected(&self, now: Duration) -> bool {
        self.deaf_until <= now && self.mute_until <= now
    }

    /// Takes what has come by now: some of it twice, and in any order.
    pub(crate) fn listen(
        &mut self,
        database: &Database,
        now: Duration,
        stream: Stream,
        random: &mut impl Rng,
    ) {
        if self.deaf_until > now {
            self.is_broken = true;
            return;
        }
        if std::mem::take(&mut self.is_broken) {
            self.settled = now + SETTLE;
            self.read_clock(database, now);
            if std::mem::take(&mut self.is_dropped) || stream.forgets {
                (self.read, self.began) = (database.log.len(), database.log.len());
                self.read_since(database, self.presence.last_synced(), now);
            }
        }
        if now - self.clock_read > CLOCK {
            self.read_clock(database, now);
        }
        let there = database.log[self.read..]
            .iter()
            .take_while(|(at, _)| *at + stream.lag <= now)
            .count();
        // Some of what it has read before comes again.
        let from = self.read - random.random_range(0..=3).min(self.read - self.began);
        let mut news: Vec<_> = database.log[from..self.read + there].to_vec();
        news.shuffle(random);
        for (_, document) in &news {
            self.learn(document, now);
        }
        self.read += there;
        if now >= self.settled && stream.syncs {
            let synced = self.here(now).saturating_sub(stream.lag);
            self.presence.synced(synced);
        }
    }

    /// Writes what is due.
    pub(crate) fn tell(&mut self, database: &mut Database, now: Duration) {
        if self.mute_until > now {
            return;
        }
        let here = self.here(now);
        let time = self.clock.to_server(here);
        for shard in 0..self.presence.shards() {
            for due in self.presence.due(shard, here) {
                let Record {
                    seat,
                    state,
                    epoch,
                    seen,
                } = due.record;
                let document = Document {
                    seat,
                    state,
                    epoch,
                    seen: self.clock.to_server(seen),
                };
                let there = database.write(document, due.is_change, time, now);
                self.learn(&there, now);
            }
        }
    }

    /// Drops whose time has run out.
    pub(crate) fn sweep(&mut self, now: Duration) {
        let silent = self.sessions.iter();
        let silent = silent.filter(|session| session.heard + SILENCE <= now);
        let silent: Vec<Seat> = silent.map(|session| session.seat).collect();
        for seat in silent {
            self.sign_out(seat, now);
        }
        self.presence.sweep(self.here(now));
    }

    /// Looks whether the devices of its sessions still are what they were. What has changed of
    /// their seats; `None` where the session has ended.
    pub(crate) fn recheck(
        &mut self,
        bindings: &Bindings,
        now: Duration,
    ) -> Vec<(Seat, Option<SeatState>)> {
        if self.bindings_read + RECHECK > now || !self.is_connected(now) {
            return Vec::new();
        }
        self.bindings_read = now;
        let mut changes = Vec::new();
        for session in &mut self.sessions {
            let stored = bindings.read(session.seat.name).unwrap();
            if stored.binding.serial == session.serial {
                continue;
            }
            session.serial = stored.binding.serial;
            let state = self.presence.state(session.seat, now + self.uptime);
            let state = state.filter(|_| rules::admits(&stored.binding, &session.certificate));
            let state = state.map(|state| SeatState {
                serial: stored.binding.serial,
                display_name: Some(stored.binding.display_name),
                ..state
            });
            changes.push((session.seat, state));
        }
        for (seat, state) in &changes {
            match state {
                Some(state) => drop(self.update(*seat, *state, now)),
                None => drop(self.sign_out(*seat, now)),
            }
        }
        changes
    }

    /// Pushes to its subscribers what is due until the next look.
    pub(crate) fn publish(&mut self, now: Duration, until: Duration, lazy_reads: bool) {
        let mut at = now;
        let [eager, lazy] = &mut self.subscribers;
        // A snapshot takes one more turn, after the subscriber has asked for it.
        for _ in 0..2 {
            while let Some(next) = self.publisher.turn(&self.presence, at + self.uptime)
                && next < until + self.uptime
            {
                at = next - self.uptime;
            }
            eager.read();
            if lazy_reads {
                lazy.read();
            }
        }
    }
}
