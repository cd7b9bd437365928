//! People at their keyboards.

use std::time::Duration;

use p2pchat_model::{Command, PeerAddr, Target};

use super::schedule::Happening;
use super::world::World;

/// What somebody is about to do.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    /// Come in: register or log in, and again if it does not work.
    Enter,
    /// Whatever comes to his mind.
    Anything,
    /// Answer a chat request.
    Answer(PeerAddr),
    /// Say something, if anybody is there.
    Speak,
}

impl World {
    /// How soon somebody may greet who has just joined.
    const GREETING: Duration = Duration::from_millis(500);

    /// Plans who comes when and who does something when.
    pub(crate) fn plan_users(&mut self) {
        (0..self.peers.len()).for_each(|seat| self.restart(seat));
        for _ in 0..self.mix.acts {
            let seat = self.chance.below(self.peers.len());
            let delay = self.chance.between(Duration::from_secs(3), self.mix.span);
            self.schedule
                .after(delay, Happening::User(seat, Act::Anything));
        }
    }

    pub(crate) fn plan_answer(&mut self, seat: usize, from: PeerAddr) {
        if self.mix.script {
            return;
        }
        let limit = self.mix.request_limit;
        let delay = match self.chance.hits(0.7) {
            true => self.chance.between(Duration::ZERO, limit / 5),
            false => self.chance.between(Duration::ZERO, limit * 6 / 5),
        };
        self.schedule
            .after(delay, Happening::User(seat, Act::Answer(from)));
    }

    /// Some greet whoever comes, at once: while the news of both is still on its way.
    pub(crate) fn plan_greeting(&mut self, seat: usize) {
        if !self.is_quiet() && !self.mix.script && self.chance.hits(1.0 / self.peers.len() as f64) {
            let delay = self.chance.between(Duration::ZERO, Self::GREETING);
            self.schedule
                .after(delay, Happening::User(seat, Act::Speak));
        }
    }

    pub(crate) fn plan_return(&mut self, seat: usize) {
        let delay = self.chance.secs(1, 20);
        self.schedule
            .after(delay, Happening::User(seat, Act::Enter));
    }

    pub(crate) fn act(&mut self, seat: usize, act: Act) {
        if let Some(wait) = self.is_reached_in(self.peers[seat].process()) {
            return self.schedule.after(wait, Happening::User(seat, act));
        }
        let Some(running) = self.peers[seat].running() else {
            return;
        };
        let view = &running.view;
        match act {
            Act::Enter => {
                let as_guest = view
                    .account
                    .is_some_and(|name| name != self.peers[seat].name);
                if view.account.is_none() {
                    self.enter(seat);
                } else if as_guest && self.is_quiet() {
                    self.command(seat, Command::Logout);
                }
            }
            Act::Anything if view.account.is_some() && !self.is_quiet() => self.anything(seat),
            Act::Anything => {}
            Act::Answer(from) => {
                let waits = view.incoming.as_ref();
                if waits.is_some_and(|request| request.from.address == from) {
                    self.answer(seat, from);
                }
            }
            Act::Speak if view.account.is_some() && !view.is_alone() => self.speak(seat),
            Act::Speak => {}
        }
    }

    fn enter(&mut self, seat: usize) {
        let guest =
            self.mix.logouts && !self.mix.script && !self.is_quiet() && self.chance.hits(0.15);
        // Somebody at another's place: that one is online elsewhere then.
        let host = self.chance.below(self.peers.len());
        let know_themselves = self.peers[seat].registered && self.peers[host].registered;
        let whose = if guest && know_themselves { host } else { seat };
        let peer = &self.peers[whose];
        let (name, password) = (peer.name, peer.password());
        let command = match peer.registered {
            true => Command::Login { name, password },
            false => Command::Register { name, password },
        };
        let again = self.chance.secs(2, 10);
        self.schedule
            .after(again, Happening::User(seat, Act::Enter));
        self.command(seat, command);
    }

    fn answer(&mut self, seat: usize, from: PeerAddr) {
        let unwilling = self.mix.unwilling;
        let unwelcome = self.outsiders.contains(&from) && !self.outsiders_are_let_in();
        if unwelcome || self.chance.hits(unwilling) {
            self.command(seat, Command::Reject { from });
        } else if !self.chance.hits(unwilling) {
            self.command(seat, Command::Accept { from });
        }
    }

    fn anything(&mut self, seat: usize) {
        match self.chance.below(100) {
            0..30 => self.ask_somebody(seat),
            30..70 => self.speak(seat),
            // One who types fast, or pastes.
            70..80 => (0..self.chance.number(2, 5)).for_each(|_| self.speak(seat)),
            80..83 => self.command(seat, Command::Refresh),
            83..86 => {
                let name = self.peers[self.chance.below(self.peers.len())].name;
                self.command(seat, Command::Search { name });
            }
            86..88 => {
                let on = self.chance.hits(0.3);
                self.command(seat, Command::Busy { on });
            }
            88..90 if self.mix.blocks => self.block_somebody(seat),
            90..94 if self.mix.leaves => self.command(seat, Command::Leave),
            94..97 if self.mix.logouts => self.command(seat, Command::Logout),
            97 => self.command(seat, Command::History { before: None }),
            98 => {
                let text = "ğ".to_owned();
                self.command(seat, Command::Find { text });
            }
            _ => self.nonsense(seat),
        }
    }

    fn ask_somebody(&mut self, seat: usize) {
        let other = self.chance.below(self.peers.len());
        let to = match self.chance.below(20) {
            0 if self.outsiders_are_let_in() => Target::Address(self.any_outsider()),
            1 => Target::Name("nobody".parse().unwrap()),
            2..8 => Target::Address(self.peers[other].address),
            _ => Target::Name(self.peers[other].name),
        };
        self.command(seat, Command::Request { to });
    }

    fn block_somebody(&mut self, seat: usize) {
        let other = self.chance.below(self.peers.len());
        let who = match self.chance.hits(0.5) {
            true => Target::Name(self.peers[other].name),
            false => Target::Address(self.seats[other]),
        };
        // Nobody is lonely for ever.
        let mut blocked = self.peers[seat].blocks.iter().map(|(_, who)| *who);
        let command = match blocked.next_back().filter(|_| self.chance.hits(0.5)) {
            Some(who) => Command::Unblock { who },
            None => Command::Block { who },
        };
        self.command(seat, command);
    }

    fn speak(&mut self, seat: usize) {
        let words = match self.chance.hits(0.15) {
            true => self.chance.number(10, 60),
            false => self.chance.number(1, 8),
        };
        let by = Some(self.peers[seat].process());
        let text = self.ledger.compose(by, words as usize);
        self.command(seat, Command::Say { text });
    }

    /// What should only ever be answered with a failure.
    fn nonsense(&mut self, seat: usize) {
        let peer = &self.peers[seat];
        let (name, password, from) = (peer.name, peer.password(), peer.address);
        let command = match self.chance.below(6) {
            0 => Command::Accept { from },
            1 => Command::Reject { from },
            2 => Command::Request {
                to: Target::Address(from),
            },
            3 => Command::Login { name, password },
            4 => Command::Say {
                text: " ".to_owned(),
            },
            _ => Command::Say {
                text: "a\0b".to_owned(),
            },
        };
        self.command(seat, command);
    }
}
