//! Users: what they do, and what is so, whatever any registry believes.

use std::time::Duration;

use p2pchat_protocol::PeerAddr;
use p2pchat_protocol::v2::registry::PING_INTERVAL;
use p2pchat_protocol::v2::{Certificate, Endpoint, Seat, SeatState, Status};
use p2pchat_registry::presence::version_1;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{MOVE, REGISTRIES, World};
use crate::bindings::certificate;

/// The users of version 1: the last one signs in on a device, too.
const VERSION_1: usize = 5;
/// The devices: name, person, device. Two names are claimed by two people each.
const DEVICES: [(usize, u8, u8); 7] = [
    (4, 1, 1),
    (5, 2, 2),
    (5, 2, 3),
    (6, 3, 4),
    (6, 4, 5),
    (7, 5, 6),
    (7, 6, 7),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Truth {
    Online,
    /// Logged out.
    Offline,
    /// Fell silent.
    Silent,
}

#[derive(Debug)]
pub(crate) struct User {
    pub(crate) seat: Seat,
    /// What all are told of them while they are online.
    pub(crate) state: SeatState,
    /// Of a device.
    pub(crate) certificate: Option<Certificate>,
    pub(crate) truth: Truth,
    /// Since when the truth is so, or the user is told of in this way.
    pub(crate) since: Duration,
    /// The registry that gets their hellos, and since when.
    pub(crate) home: (usize, Duration),
    pub(crate) pause: Duration,
    pub(crate) next_hello: Duration,
    /// Until when only their home can know the truth.
    pub(crate) secret_until: Duration,
    /// Since when their device is none of the name's any more, though it is online.
    pub(crate) excluded: Option<Duration>,
}

impl User {
    pub(crate) fn is_device(&self) -> bool {
        self.certificate.is_some()
    }
}

pub(crate) fn all(now: Duration, random: &mut ChaCha8Rng) -> Vec<User> {
    let name = |number: usize| format!("u{number}").parse().unwrap();
    let user = |seat, state, certificate, pause| User {
        seat,
        state,
        certificate,
        truth: Truth::Offline,
        since: Duration::ZERO,
        home: (0, now),
        pause,
        next_hello: now,
        secret_until: Duration::ZERO,
        excluded: None,
    };
    let mut users = Vec::new();
    for number in 0..VERSION_1 {
        let seat = version_1::seat(name(number));
        let pause = if random.random_bool(0.3) {
            Duration::from_millis(500)
        } else {
            PING_INTERVAL
        };
        users.push(user(seat, version_1::state(address(number)), None, pause));
    }
    for (index, (number, person, device)) in DEVICES.into_iter().enumerate() {
        let certificate = certificate(person, device);
        let seat = Seat {
            name: name(number),
            device: Some(certificate.device.id()),
        };
        let state = SeatState {
            endpoint: Endpoint {
                address: address(VERSION_1 + index),
                port: 5858,
            },
            version_1: index % 2 == 0,
            ..version_1::state(address(0))
        };
        users.push(user(seat, state, Some(certificate), PING_INTERVAL));
    }
    users
}

impl World {
    pub(super) fn act(&mut self) {
        for number in 0..self.users.len() {
            if self.users[number].is_device() {
                self.act_on_device(number);
                continue;
            }
            let truth = self.users[number].truth;
            match truth {
                Truth::Online if self.chance(60.0) => self.login(number, true),
                Truth::Online if self.chance(80.0) => self.logout(number),
                Truth::Online if self.chance(120.0) => self.vanish(number),
                Truth::Offline | Truth::Silent if self.chance(15.0) => self.login(number, false),
                _ => {}
            }
        }
    }

    fn act_on_device(&mut self, number: usize) {
        let truth = self.users[number].truth;
        match truth {
            Truth::Online if self.chance(30.0) => self.change_status(number),
            Truth::Online if self.chance(50.0) => self.sign_out(number),
            Truth::Online if self.chance(120.0) => self.vanish(number),
            Truth::Offline | Truth::Silent if self.chance(10.0) => {
                let at = self.random.random_range(0..REGISTRIES);
                self.begin_sign_in(number, at);
            }
            _ => {}
        }
    }

    fn vanish(&mut self, number: usize) {
        self.troubles.vanished += 1;
        self.falls_silent(number);
        self.trace(|| format!("user {number} vanishes"));
    }

    pub(super) fn falls_silent(&mut self, number: usize) {
        let user = &mut self.users[number];
        (user.truth, user.since) = (Truth::Silent, self.now);
        user.excluded = None;
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
            let other = address(20 + self.random.random_range(0..100));
            user.state = version_1::state(other);
        }
        node.login(&mut self.database, user.seat, user.state, self.now);
        self.is_online(number, at);
        self.trace(|| format!("user {number} logs in at {at}"));
    }

    pub(super) fn is_online(&mut self, number: usize, at: usize) {
        let user = &mut self.users[number];
        (user.truth, user.since) = (Truth::Online, self.now);
        user.home = (at, self.now);
        user.next_hello = self.now + user.pause;
        user.secret_until = Duration::ZERO;
    }

    /// At home, whether that can tell anybody or not.
    fn logout(&mut self, number: usize) {
        let user = &mut self.users[number];
        let Some(node) = &self.nodes[user.home.0] else {
            return;
        };
        if node.logout(user.seat.name, user.state.endpoint.address, self.now) {
            self.troubles.logouts += 1;
            self.has_changed_at_home(number, Truth::Offline);
            self.trace(|| format!("user {number} logs out"));
        }
    }

    fn sign_out(&mut self, number: usize) {
        let user = &self.users[number];
        let Some(node) = &mut self.nodes[user.home.0] else {
            return;
        };
        assert!(node.sign_out(user.seat, self.now), "{user:?}");
        self.troubles.logouts += 1;
        self.has_changed_at_home(number, Truth::Offline);
        self.trace(|| format!("user {number} signs out"));
    }

    fn change_status(&mut self, number: usize) {
        let all = [Status::Available, Status::Busy, Status::Away];
        let status = all[self.random.random_range(0..all.len())];
        let user = &mut self.users[number];
        let Some(node) = &self.nodes[user.home.0] else {
            return;
        };
        user.state.status = status;
        assert!(node.update(user.seat, user.state, self.now), "{user:?}");
        self.troubles.statuses += 1;
        self.has_changed_at_home(number, Truth::Online);
        self.trace(|| format!("user {number} is {status:?}"));
    }

    /// Something has changed that a home which is cut off cannot tell.
    pub(super) fn has_changed_at_home(&mut self, number: usize, truth: Truth) {
        let user = &mut self.users[number];
        (user.truth, user.since) = (truth, self.now);
        if truth != Truth::Online {
            user.excluded = None;
        }
        if let Some(node) = &self.nodes[user.home.0] {
            user.secret_until = user.secret_until.max(node.mute_until);
        }
    }

    pub(super) fn say_hello(&mut self) {
        for number in 0..self.users.len() {
            if self.users[number].truth == Truth::Online {
                self.say_hello_of(number);
            }
        }
    }

    fn say_hello_of(&mut self, number: usize) {
        let user = &mut self.users[number];
        if self.nodes[user.home.0].is_none() {
            let alive: Vec<usize> = (0..REGISTRIES)
                .filter(|number| self.nodes[*number].is_some())
                .collect();
            let home = alive[self.random.random_range(0..alive.len())];
            user.home = (home, self.now);
            let wait = self.random.random_range(0.0..MOVE.as_secs_f64());
            user.next_hello = self.now + Duration::from_secs_f64(wait);
        }
        let node = self.nodes[user.home.0].as_mut().unwrap();
        if node.mute_until > self.now {
            user.secret_until = node.mute_until;
        }
        if user.next_hello > self.now {
            return;
        }
        user.next_hello = self.now + user.pause;
        if user.is_device() {
            let goes_on = node.ping(user.seat, self.now);
            assert!(
                goes_on,
                "seed {}, {:.2?}: a session ended by itself: {user:?}",
                self.seed, self.now
            );
        } else {
            node.hello(user.seat.name, user.state.endpoint.address, self.now);
        }
    }
}

fn address(number: usize) -> PeerAddr {
    let last = u8::try_from(number + 1).unwrap();
    PeerAddr::new([10, 0, 0, last].into()).unwrap()
}
