//! One registry: its presence, and how far it has read.

use std::time::Duration;

use p2pchat_protocol::{PeerAddr, Username};
use p2pchat_registry::cluster::ServerClock;
use p2pchat_registry::presence::{Presence, Record, version_1};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use super::database::{Database, Document};

/// How long a user stays online without a Hello.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);
/// How long after a break time stands still for users of others: as in the server.
const SETTLE: Duration = Duration::from_secs(5);
/// How often it looks at the clock of the database: as the server does.
const CLOCK: Duration = Duration::from_secs(10);

/// A registry that runs.
#[derive(Debug)]
pub(crate) struct Node {
    presence: Presence,
    /// For how long it has run when the simulation begins, by its own clock.
    uptime: Duration,
    clock: ServerClock,
    /// When it looked at the clock of the database.
    clock_read: Duration,
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

/// How the stream of a registry behaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stream {
    /// How late news are.
    pub(crate) lag: Duration,
    /// Whether what is lost with a long break is read again, or resumed.
    pub(crate) forgets: bool,
}

impl Node {
    /// Starts, and reads what is there.
    pub(crate) fn start(database: &Database, now: Duration, random: &mut impl Rng) -> Self {
        let mut node = Self {
            presence: Presence::new_shared(TIMEOUT),
            uptime: Duration::from_secs(random.random_range(0..1000)),
            clock: ServerClock::default(),
            clock_read: Duration::ZERO,
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

    fn read_since(&self, database: &Database, known: Duration, now: Duration) {
        self.presence.mark_all_unwritten();
        for document in database.since(self.clock.to_server(known)) {
            self.learn(document, now);
        }
    }

    fn learn(&self, document: &Document, now: Duration) {
        let here = self.here(now);
        let record = Record {
            seat: version_1::seat(document.name),
            state: document.address.map(version_1::state),
            epoch: document.epoch,
            seen: self.clock.from_server(document.seen, here),
        };
        self.presence.learn(&record, here);
    }

    pub(crate) fn login(
        &self,
        database: &mut Database,
        name: Username,
        address: PeerAddr,
        now: Duration,
    ) {
        let seen = self.here(now);
        let known = self.presence.epoch(version_1::seat(name));
        let time = self.clock.to_server(seen);
        let epoch = database.login(name, address, known, time, now).epoch;
        self.presence.logged_in(&Record {
            seat: version_1::seat(name),
            state: Some(version_1::state(address)),
            epoch,
            seen,
        });
    }

    /// Whether they were online.
    pub(crate) fn logout(&self, name: Username, address: PeerAddr, now: Duration) -> bool {
        let ended = self.presence.logout(name, None, address, self.here(now));
        ended.is_some_and(|ended| ended.was_online)
    }

    pub(crate) fn hello(&self, name: Username, address: PeerAddr, now: Duration) -> bool {
        self.presence.hello(name, address, self.here(now))
    }

    pub(crate) fn find(&self, name: Username, now: Duration) -> Option<PeerAddr> {
        self.presence.find(name, self.here(now))
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
        let from = self.read - random.random_range(0..4).min(self.read - self.began);
        let mut news: Vec<_> = database.log[from..self.read + there].to_vec();
        news.shuffle(random);
        for (_, document) in &news {
            self.learn(document, now);
        }
        self.read += there;
        if now >= self.settled {
            let synced = self.here(now).saturating_sub(stream.lag);
            self.presence.synced(synced);
        }
    }

    /// Writes what is due.
    pub(crate) fn tell(&self, database: &mut Database, now: Duration) {
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
                    name: seat.name,
                    address: state.map(|state| state.endpoint.address),
                    epoch,
                    seen: self.clock.to_server(seen),
                };
                let there = database.write(document, due.is_change, time, now);
                self.learn(&there, now);
            }
        }
    }

    /// Drops whose time has run out.
    pub(crate) fn sweep(&self, now: Duration) {
        self.presence.sweep(self.here(now));
    }
}
