//! Users, registries, what becomes of them, and what has to be so all the time.

use std::collections::BTreeMap;
use std::time::Duration;

use p2pchat_protocol::v2::Seat;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::bindings::Bindings;
use super::database::Database;
use super::node::{Node, Stream, TIMEOUT};
use super::troubles::{Lie, Troubles};

#[path = "checks.rs"]
mod checks;
#[path = "sign_in.rs"]
mod sign_in;
#[path = "users.rs"]
mod users;

use sign_in::SignIn;
use users::{Truth, User};

/// How much time passes between two looks.
const TICK: Duration = Duration::from_millis(500);
const REGISTRIES: usize = 3;
/// How long things happen, and how long then nothing does: longer than the longest cut.
const BUSY: Duration = Duration::from_secs(150);
const QUIET: Duration = Duration::from_secs(115);
/// The most that news are late, and how long registries may disagree.
const MAX_LAG: Duration = Duration::from_millis(1000);
const LIMIT: Duration = Duration::from_secs(2);
/// How long the client of a registry that is gone takes to say Hello to another.
const MOVE: Duration = Duration::from_secs(5);
/// The longest time without a database: an election.
const ELECTION: f64 = 15.0;
/// How much the clocks of two primaries may differ, in milliseconds: a day.
const CLOCK: i64 = 24 * 60 * 60 * 1000;
/// The longest that a registry is cut off.
const CUT: f64 = 100.0;
/// How often the subscriber reads that hardly ever does, in seconds.
const LAZY: f64 = 400.0;

/// Everything.
pub(crate) struct World {
    random: ChaCha8Rng,
    now: Duration,
    database: Database,
    bindings: Bindings,
    /// Until when there is no primary.
    away_until: Duration,
    nodes: Vec<Option<Node>>,
    /// When one that is away comes back.
    back_at: Vec<Duration>,
    /// Since when a registry has been cut off from the database, `None` if it is not.
    cut_since: Vec<Option<Duration>>,
    users: Vec<User>,
    sign_ins: Vec<SignIn>,
    /// Since when two registries show a seat in two ways.
    split: BTreeMap<Seat, Duration>,
    lie: Option<Lie>,
    is_traced: bool,
    pub(crate) troubles: Troubles,
    seed: u64,
}

impl World {
    pub(crate) fn new(seed: u64, is_traced: bool) -> Self {
        let database = Database::new();
        // Later than the timeout, as in the server.
        let now = TIMEOUT * 2;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let users = users::all(now, &mut random);
        Self {
            users,
            sign_ins: Vec::new(),
            bindings: Bindings::default(),
            away_until: Duration::ZERO,
            nodes: (0..REGISTRIES)
                .map(|_| Some(Node::start(&database, now, &mut random)))
                .collect(),
            back_at: vec![Duration::ZERO; REGISTRIES],
            cut_since: vec![None; REGISTRIES],
            split: BTreeMap::new(),
            lie: None,
            troubles: Troubles::default(),
            random,
            now,
            database,
            is_traced,
            seed,
        }
    }

    pub(crate) fn lying(mut self, lie: Lie) -> Self {
        self.lie = Some(lie);
        match lie {
            Lie::SmallSteps => self.database.step = 1,
            Lie::AcknowledgedEarly => self.bindings.acknowledges_early = true,
            _ => {}
        }
        self
    }

    pub(crate) fn run(&mut self) {
        let busy_until = self.now + BUSY;
        let end = busy_until + QUIET;
        while self.now < end {
            self.now += TICK;
            if self.now < busy_until {
                self.make_trouble();
                self.act();
                self.operate();
            }
            self.come_back();
            self.go_on_with_sign_ins();
            self.say_hello();
            self.replicate();
            self.exchange();
            self.check();
        }
        self.sign_ins.clear();
        self.check_quiet();
    }

    fn trace(&self, what: impl FnOnce() -> String) {
        if self.is_traced {
            println!("{:>8.2?} {}", self.now, what());
        }
    }

    fn chance(&mut self, seconds: f64) -> bool {
        self.random.random_bool(TICK.as_secs_f64() / seconds)
    }

    fn make_trouble(&mut self) {
        let is_whole = self.nodes.iter().flatten().count() == REGISTRIES
            && (self.nodes.iter().flatten())
                .all(|node| node.is_connected(self.now.saturating_sub(LIMIT)));
        // One thing at a time, and time between two to tell of what was known to one alone.
        if is_whole && self.bindings.pending() > 0 && self.chance(5.0) {
            return self.elect();
        }
        if !is_whole || !self.chance(20.0) {
            return;
        }
        let number = self.random.random_range(0..REGISTRIES);
        match self.random.random_range(0..4) {
            0 => self.kill(number),
            1 => self.elect(),
            2 => {
                self.troubles.drops += 1;
                self.database.drop_all();
                for node in self.nodes.iter_mut().flatten() {
                    node.lose_collection(&self.database, self.now);
                }
                self.trace(|| "the collection is dropped".to_owned());
            }
            _ => {
                self.troubles.cuts += 1;
                let until = self.now + self.some_seconds(CUT);
                let node = self.nodes[number].as_mut().unwrap();
                (node.deaf_until, node.mute_until) = (until, until);
                self.cut_since[number] = Some(self.now);
                self.trace(|| format!("registry {number} is cut off until {until:.2?}"));
            }
        }
    }

    fn kill(&mut self, number: usize) {
        self.troubles.kills += 1;
        self.nodes[number] = None;
        self.back_at[number] = self.now + self.some_seconds(10.0);
        for user in 0..self.users.len() {
            let User { home, truth, .. } = self.users[user];
            // The connections of devices end with it; a Hello goes to another.
            if self.users[user].is_device() && home.0 == number && truth == Truth::Online {
                self.falls_silent(user);
            }
        }
        self.trace(|| format!("registry {number} is killed"));
    }

    /// The primary dies, and there is none for a while.
    fn elect(&mut self) {
        self.troubles.elections += 1;
        let until = self.now + self.some_seconds(ELECTION);
        for node in self.nodes.iter_mut().flatten() {
            (node.deaf_until, node.mute_until) = (until, until);
        }
        self.away_until = until;
        let pending = self.bindings.pending();
        let replicated = self.random.random_range(0..=pending);
        self.bindings.fail_over(replicated);
        self.troubles.unknown += (pending - replicated) as u64;
        if self.random.random_bool(0.5) {
            // The next primary has another clock.
            self.troubles.clocks += 1;
            self.database.ahead += self.random.random_range(-CLOCK..CLOCK);
        }
        let ahead = self.database.ahead;
        self.trace(|| format!("no database until {until:.2?}, then {ahead} ms ahead"));
    }

    /// What the primary has taken reaches a majority, sooner or later.
    fn replicate(&mut self) {
        let pending = self.bindings.pending();
        if pending > 0 && self.random.random_bool(0.5) {
            let writes = self.random.random_range(1..=pending);
            self.bindings.replicate(writes);
        }
    }

    fn some_seconds(&mut self, most: f64) -> Duration {
        Duration::from_secs_f64(self.random.random_range(0.0..most))
    }

    fn come_back(&mut self) {
        for number in 0..REGISTRIES {
            if self.nodes[number].is_none() && self.back_at[number] <= self.now {
                self.nodes[number] = Some(Node::start(&self.database, self.now, &mut self.random));
                self.trace(|| format!("registry {number} is back"));
            }
            if let Some(node) = &self.nodes[number]
                && node.is_connected(self.now)
            {
                self.cut_since[number] = None;
            }
        }
    }

    fn exchange(&mut self) {
        for number in 0..REGISTRIES {
            let lie = self.lie.filter(|_| number == 1);
            let stream = Stream {
                lag: MAX_LAG.mul_f64(self.random.random_range(0.0..1.0)),
                forgets: self.random.random_bool(0.5),
                syncs: lie != Some(Lie::TimeStandsStill),
            };
            if self.lie != Some(Lie::NothingIsRechecked) {
                self.recheck(number);
            }
            let lazy_reads = self.chance(LAZY);
            let Some(node) = &mut self.nodes[number] else {
                continue;
            };
            if lie != Some(Lie::NothingIsWritten) {
                node.tell(&mut self.database, self.now);
            }
            if lie == Some(Lie::TimeGoesOn) {
                node.pretend_to_hear(self.now);
            }
            if lie != Some(Lie::NothingIsRead) {
                node.listen(&self.database, self.now, stream, &mut self.random);
            }
            if self.now.subsec_millis() == 0 {
                node.sweep(self.now);
            }
            let [eager, _] = &mut node.subscribers;
            eager.loses_deltas = lie == Some(Lie::DeltasAreLost);
            node.publish(self.now, self.now + TICK, lazy_reads);
        }
    }
}
