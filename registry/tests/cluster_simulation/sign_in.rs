//! Sign-ins, step by step, so that others come in between; and what operators do.

use std::time::Duration;

use p2pchat_protocol::v2::{DisplayName, SeatState};
use p2pchat_registry::store::StoredBinding;
use rand::RngExt;

use super::users::Truth;
use super::{REGISTRIES, World};
use crate::bindings::{Outcome, WriteId, reset};
use crate::rules::{self, Judgement};
use crate::troubles::Lie;

/// How long a call of the store may take.
const DEADLINE: Duration = Duration::from_secs(5);
/// How likely a sign-in gets on within a tick.
const STEP: f64 = 0.5;

/// A sign-in that has begun.
#[derive(Debug)]
pub(crate) struct SignIn {
    user: usize,
    at: usize,
    began: Duration,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// The binding is to be read.
    Read,
    /// It was read, and this is to be kept.
    Keep(StoredBinding),
    /// The primary has taken it.
    Wait(WriteId, StoredBinding),
}

/// What comes of a step.
enum Next {
    Go(Step),
    Done(StoredBinding),
    Failed,
}

impl World {
    pub(super) fn begin_sign_in(&mut self, user: usize, at: usize) {
        if self.sign_ins.iter().any(|sign_in| sign_in.user == user) {
            return;
        }
        self.sign_ins.push(SignIn {
            user,
            at,
            began: self.now,
            step: Step::Read,
        });
    }

    pub(super) fn go_on_with_sign_ins(&mut self) {
        for sign_in in std::mem::take(&mut self.sign_ins) {
            if !self.random.random_bool(STEP) {
                self.sign_ins.push(sign_in);
                continue;
            }
            let SignIn {
                user,
                at,
                began,
                step,
            } = sign_in;
            match self.step(user, at, began, step) {
                Next::Go(step) => self.sign_ins.push(SignIn {
                    user,
                    at,
                    began,
                    step,
                }),
                Next::Done(stored) => self.is_signed_in(user, at, &stored),
                Next::Failed => {}
            }
        }
    }

    fn step(&mut self, user: usize, at: usize, began: Duration, step: Step) -> Next {
        let is_connected =
            (self.nodes[at].as_ref()).is_some_and(|node| node.is_connected(self.now));
        if !is_connected || began + DEADLINE < self.now {
            return Next::Failed;
        }
        let user = &self.users[user];
        let (name, certificate) = (user.seat.name, user.certificate.unwrap());
        match step {
            Step::Read => match rules::judge(name, self.bindings.read(name), certificate) {
                Judgement::Admitted(stored) => Next::Done(stored),
                Judgement::Keep(new) => Next::Go(Step::Keep(new)),
                Judgement::Refused => {
                    self.troubles.refused += 1;
                    Next::Failed
                }
            },
            Step::Keep(new) => match self.bindings.keep(new.clone()) {
                Some(id) => Next::Go(Step::Wait(id, new)),
                None if self.lie == Some(Lie::OvertakenIsMine) => Next::Done(new),
                None => {
                    self.troubles.overtaken += 1;
                    Next::Go(Step::Read)
                }
            },
            Step::Wait(id, new) => match self.bindings.outcome(id) {
                None => Next::Go(Step::Wait(id, new)),
                Some(Outcome::Acknowledged) => Next::Done(new),
                Some(Outcome::Unknown) => Next::Failed,
            },
        }
    }

    fn is_signed_in(&mut self, number: usize, at: usize, stored: &StoredBinding) {
        let user = &mut self.users[number];
        let (name, certificate) = (user.seat.name, user.certificate.unwrap());
        assert!(
            self.bindings.history(name).contains(stored),
            "seed {}, {:.2?}: signed in by a binding that no majority has: {stored:?}",
            self.seed,
            self.now
        );
        assert!(rules::admits(&stored.binding, &certificate), "{stored:?}");
        user.state = SeatState {
            serial: stored.binding.serial,
            display_name: Some(stored.binding.display_name),
            ..user.state
        };
        let signed_in = (user.seat, user.state);
        let node = self.nodes[at].as_mut().unwrap();
        node.sign_in(&mut self.database, certificate, signed_in, self.now);
        self.troubles.sign_ins += 1;
        self.is_online(number, at);
        self.trace(|| format!("user {number} signs in at {at}: {:?}", stored.binding));
    }

    /// An operator changes a binding.
    pub(super) fn operate(&mut self) {
        if self.away_until > self.now || !self.chance(12.0) {
            return;
        }
        let devices = self.users.iter().filter(|user| user.is_device());
        let devices: Vec<_> = devices.map(|user| (user.seat, user.certificate)).collect();
        let (seat, certificate) = devices[self.random.random_range(0..devices.len())];
        let Some(before) = self.bindings.read(seat.name).cloned() else {
            return;
        };
        let mut new = before.clone();
        new.binding.serial += 1;
        match self.random.random_range(0..5) {
            0 => {
                let name = format!("name {}", self.now.as_secs());
                new.binding.display_name = DisplayName::new(&name).unwrap();
            }
            1 => {
                let device = certificate.unwrap().device;
                let devices = &mut new.binding.devices;
                let Some(at) = devices.iter().position(|known| known.device == device) else {
                    return;
                };
                new.forgotten.push(devices.remove(at).device);
            }
            _ => return self.reset_key(&before),
        }
        self.trace(|| format!("an operator writes {new:?}"));
        self.bindings.keep(new);
    }

    /// Two claim the name of it at once, at two registries.
    fn reset_key(&mut self, before: &StoredBinding) {
        let name = before.binding.name;
        if self.lie == Some(Lie::ResetDeletes) {
            self.bindings.delete(name);
        } else if self.bindings.keep(reset(before)).is_none() {
            return;
        }
        self.troubles.resets += 1;
        self.trace(|| format!("an operator resets {name:?}"));
        let mut at = self.random.random_range(0..REGISTRIES);
        for number in 0..self.users.len() {
            let user = &self.users[number];
            let is_waiting = user.is_device() && user.truth != Truth::Online;
            if is_waiting && user.seat.name == name {
                self.begin_sign_in(number, at);
                at = (at + 1) % REGISTRIES;
            }
        }
    }

    /// What a registry finds when it looks again at the bindings of who is signed in.
    pub(super) fn recheck(&mut self, at: usize) {
        let Some(node) = &mut self.nodes[at] else {
            return;
        };
        for (seat, state) in node.recheck(&self.bindings, self.now) {
            let mut users = self.users.iter();
            let number = users.position(|user| user.seat == seat).unwrap();
            // Another connection of theirs may be the one that counts.
            let is_theirs = self.users[number].home.0 == at;
            if !is_theirs || self.users[number].truth != Truth::Online {
                continue;
            }
            match state {
                Some(state) => {
                    self.users[number].state = state;
                    self.has_changed_at_home(number, Truth::Online);
                }
                None => {
                    self.troubles.ended += 1;
                    self.has_changed_at_home(number, Truth::Offline);
                }
            }
            self.trace(|| format!("registry {at} finds that user {number} is {state:?}"));
        }
    }
}
