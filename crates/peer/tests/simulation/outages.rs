//! The troubles of the registry: it stops, forgets, is slow, or answers what nobody asked.

use std::time::Duration;

use p2pchat_protocol::Response;

use super::faults::Fault;
use super::registry::Manner;
use super::schedule::SimEvent;
use super::troubles::Trouble;
use super::world::World;

impl World {
    /// How long the registry may take to answer while it is slow: longer than anybody
    /// waits, now and then.
    const THINKING: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(25));
    /// How long a user waits for an answer.
    const WAITED_FOR: Duration = Duration::from_secs(15);
    /// How many answers are wrong of those of a registry that is confused.
    const WRONG: f64 = 0.2;

    /// The registry has one of its troubles.
    pub(crate) fn registry_trouble(&mut self) {
        let back = self.rng.secs(0, 60);
        let seat = self.rng.below(self.peers.len());
        match self.rng.below(9) {
            0 => {
                self.note(Trouble::StoreFails);
                self.registry.store_broken = true;
            }
            1 => return self.registry_stops(back),
            2 => {
                self.note(Trouble::RegistryVanishes);
                self.registry.stop();
                self.links.iter_mut().for_each(|link| link.taken = false);
            }
            3 => {
                self.note(Trouble::PresenceLost);
                return self.registry.forget_all();
            }
            4 => {
                self.note(Trouble::UserDropped);
                return self.registry.forget(self.peers[seat].name);
            }
            5 => self.registry.manner = Manner::Slow,
            6 => self.registry.manner = Manner::Confused,
            7 => {
                self.note(Trouble::PresenceNotKept);
                self.registry.forget_all();
                self.registry.manner = Manner::Forgetful;
            }
            _ => {
                self.note(Trouble::LinkBreaks);
                return self.break_link(seat);
            }
        }
        self.schedule
            .after(back, SimEvent::Fault(Fault::RegistryBack));
    }

    /// The registry's process ends, and is started again.
    pub(crate) fn registry_stops(&mut self, back: Duration) {
        self.note(Trouble::RegistryStops);
        self.registry.stop();
        self.registry_drops_links();
        self.schedule
            .after(back, SimEvent::Fault(Fault::RegistryBack));
    }

    /// How long the registry thinks about its next answer.
    pub(crate) fn thinking(&mut self) -> Duration {
        if self.registry.manner != Manner::Slow {
            return Duration::ZERO;
        }
        let (least, most) = Self::THINKING;
        let thinking = self.rng.between(least, most);
        self.troubles.note(if thinking > Self::WAITED_FOR {
            Trouble::AnswerOverdue
        } else {
            Trouble::AnswerSlow
        });
        thinking
    }

    /// What the registry sends where this would be the answer.
    pub(crate) fn really_sent(&mut self, link: usize, response: Response) -> Vec<Response> {
        let held = self.links[link].held.take();
        if let Some(held) = held {
            self.troubles.note(Trouble::AnswersSwapped);
            return vec![response, held];
        }
        let manner = self.registry.manner;
        if manner != Manner::Confused || !self.rng.hits(Self::WRONG) {
            return vec![response];
        }
        match self.rng.below(4) {
            0 => {
                self.troubles.note(Trouble::AnswerTwice);
                vec![response.clone(), response]
            }
            1 => {
                self.links[link].held = Some(response);
                Vec::new()
            }
            2 => {
                self.troubles.note(Trouble::AnswerMissing);
                Vec::new()
            }
            _ => {
                self.troubles.note(Trouble::AnswerUnasked);
                vec![self.unasked(), response]
            }
        }
    }

    fn unasked(&mut self) -> Response {
        let some = [
            Response::Registered,
            Response::NameTaken,
            Response::LoggedIn,
            Response::SlowDown,
            Response::NotFound,
            Response::Found(self.seats[self.rng.below(self.seats.len())]),
            Response::LoggedOut,
            Response::WasNotOnline,
            Response::NobodyOnline,
        ];
        some[self.rng.below(some.len())].clone()
    }

    fn note(&mut self, trouble: Trouble) {
        let now = self.now();
        self.trace.note(now, || format!("-- {trouble:?}"));
        self.troubles.note(trouble);
    }
}
