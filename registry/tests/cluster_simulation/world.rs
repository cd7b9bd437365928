//! Users, registries, what becomes of them, and what has to be so all the time.

use std::collections::BTreeMap;
use std::time::Duration;

use p2pchat_protocol::{PeerAddr, Username};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::database::Database;
use super::node::{Node, Stream, TIMEOUT};
use super::troubles::{Lie, Troubles};

#[path = "checks.rs"]
mod checks;

/// How much time passes between two looks.
const TICK: Duration = Duration::from_millis(500);
const REGISTRIES: usize = 3;
const USERS: usize = 8;
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

/// What is so, whatever any registry believes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Truth {
    Online,
    /// Logged out.
    Offline,
    /// Fell silent.
    Silent,
}

#[derive(Debug)]
struct User {
    name: Username,
    address: PeerAddr,
    truth: Truth,
    /// Since when the truth is so, or the user is at this address.
    since: Duration,
    /// When their last hello arrived.
    heard: Duration,
    /// The registry that gets their hellos, and since when.
    home: (usize, Duration),
    pause: Duration,
    next_hello: Duration,
    /// Until when only their home can know the truth.
    secret_until: Duration,
}

/// Everything.
pub(crate) struct World {
    random: ChaCha8Rng,
    now: Duration,
    database: Database,
    nodes: Vec<Option<Node>>,
    /// When one that is away comes back.
    back_at: Vec<Duration>,
    /// Since when a registry has been cut off from the database, `None` if it is not.
    cut_since: Vec<Option<Duration>>,
    users: Vec<User>,
    /// Since when two registries show a name at two addresses.
    split: BTreeMap<Username, Duration>,
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
        let users = (0..USERS).map(|number| User {
            name: Username::new(&format!("u{number}")).unwrap(),
            address: address(number),
            truth: Truth::Offline,
            since: Duration::ZERO,
            heard: Duration::ZERO,
            home: (0, now),
            pause: if random.random_bool(0.3) {
                Duration::from_millis(500)
            } else {
                Duration::from_secs(15)
            },
            next_hello: now,
            secret_until: Duration::ZERO,
        });
        Self {
            users: users.collect(),
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
            }
            self.come_back();
            self.say_hello();
            self.exchange();
            self.check();
        }
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
        if !is_whole || !self.chance(20.0) {
            return;
        }
        let number = self.random.random_range(0..REGISTRIES);
        match self.random.random_range(0..4) {
            0 => {
                self.troubles.kills += 1;
                self.nodes[number] = None;
                self.back_at[number] = self.now + self.some_seconds(10.0);
                self.trace(|| format!("registry {number} is killed"));
            }
            1 => {
                self.troubles.elections += 1;
                let until = self.now + self.some_seconds(ELECTION);
                for node in self.nodes.iter_mut().flatten() {
                    (node.deaf_until, node.mute_until) = (until, until);
                }
                if self.random.random_bool(0.5) {
                    // The next primary has another clock.
                    self.troubles.clocks += 1;
                    self.database.ahead += self.random.random_range(-CLOCK..CLOCK);
                }
                let ahead = self.database.ahead;
                self.trace(|| format!("no database until {until:.2?}, then {ahead} ms ahead"));
            }
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

    fn act(&mut self) {
        for number in 0..USERS {
            let truth = self.users[number].truth;
            match truth {
                Truth::Online if self.chance(60.0) => self.login(number, true),
                Truth::Online if self.chance(80.0) => self.logout(number),
                Truth::Online if self.chance(120.0) => {
                    self.troubles.vanished += 1;
                    self.users[number].truth = Truth::Silent;
                    self.trace(|| format!("u{number} vanishes"));
                }
                Truth::Offline | Truth::Silent if self.chance(15.0) => self.login(number, false),
                _ => {}
            }
        }
    }

    fn login(&mut self, number: usize, elsewhere: bool) {
        let at = self.random.random_range(0..REGISTRIES);
        let Some(node) = self.nodes[at]
            .as_ref()
            .filter(|node| node.is_connected(self.now))
        else {
            // Answered 50, or nothing accepts.
            return;
        };
        self.troubles.logins += 1;
        let user = &mut self.users[number];
        if elsewhere {
            self.troubles.moves += 1;
            user.address = address(USERS + self.random.random_range(0..100));
        }
        node.login(&mut self.database, user.name, user.address, self.now);
        (user.truth, user.since, user.heard) = (Truth::Online, self.now, self.now);
        user.home = (at, self.now);
        user.next_hello = self.now + user.pause;
        user.secret_until = Duration::ZERO;
        self.trace(|| format!("u{number} logs in at {at}"));
    }

    /// At home, whether that can tell anybody or not.
    fn logout(&mut self, number: usize) {
        let user = &mut self.users[number];
        let Some(node) = &self.nodes[user.home.0] else {
            return;
        };
        if node.logout(user.name, user.address, self.now) {
            self.troubles.logouts += 1;
            (user.truth, user.since) = (Truth::Offline, self.now);
            user.secret_until = user.secret_until.max(node.mute_until);
            self.trace(|| format!("u{number} logs out"));
        }
    }

    fn say_hello(&mut self) {
        for number in 0..USERS {
            let user = &mut self.users[number];
            if user.truth != Truth::Online {
                continue;
            }
            if self.nodes[user.home.0].is_none() {
                let alive: Vec<usize> = (0..REGISTRIES)
                    .filter(|number| self.nodes[*number].is_some())
                    .collect();
                let home = alive[self.random.random_range(0..alive.len())];
                user.home = (home, self.now);
                let wait = self.random.random_range(0.0..MOVE.as_secs_f64());
                user.next_hello = self.now + Duration::from_secs_f64(wait);
            }
            let node = self.nodes[user.home.0].as_ref().unwrap();
            if node.mute_until > self.now {
                user.secret_until = node.mute_until;
            }
            if user.next_hello <= self.now {
                user.next_hello = self.now + user.pause;
                if node.hello(user.name, user.address, self.now) {
                    user.heard = self.now;
                }
            }
        }
    }

    fn exchange(&mut self) {
        for number in 0..REGISTRIES {
            let stream = Stream {
                lag: MAX_LAG.mul_f64(self.random.random_range(0.0..1.0)),
                forgets: self.random.random_bool(0.5),
            };
            let lie = self.lie.filter(|_| number == 1);
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
        }
    }
}

fn address(number: usize) -> PeerAddr {
    let last = u8::try_from(number + 1).unwrap();
    PeerAddr::new([10, 0, 0, last].into()).unwrap()
}
