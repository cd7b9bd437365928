//! People at their keyboards.

use std::time::Duration;

use p2pchat_model::{Command, ConversationId, Link, MessageId, PeerAddr, Target, Undo};

use super::schedule::SimEvent;
use super::world::World;

const OPEN: ConversationId = ConversationId::OPEN;

/// What a user is about to do.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    /// Come in: register or log in, and again if it does not work.
    Enter,
    /// Something at random.
    Anything,
    /// Answer a chat request.
    Answer(PeerAddr),
    /// Say something, if anybody is there.
    Speak,
}

impl World {
    /// How soon a user may greet a member that has just joined.
    const GREETING: Duration = Duration::from_millis(500);

    /// Plans who comes when and who does something when.
    pub(crate) fn plan_users(&mut self) {
        (0..self.peers.len()).for_each(|seat| self.restart(seat));
        for _ in 0..self.mix.acts {
            let seat = self.rng.below(self.peers.len());
            let delay = self.rng.between(Duration::from_secs(3), self.mix.span);
            self.schedule
                .after(delay, SimEvent::User(seat, Act::Anything));
        }
    }

    pub(crate) fn plan_answer(&mut self, seat: usize, from: PeerAddr) {
        if self.mix.script {
            return;
        }
        let limit = self.mix.request_limit;
        let delay = if self.rng.hits(0.7) {
            self.rng.between(Duration::ZERO, limit / 5)
        } else {
            self.rng.between(Duration::ZERO, limit * 6 / 5)
        };
        self.schedule
            .after(delay, SimEvent::User(seat, Act::Answer(from)));
    }

    /// Some greet every newcomer at once: while the introductions of both are in flight.
    pub(crate) fn plan_greeting(&mut self, seat: usize) {
        if !self.is_quiet() && !self.mix.script && self.rng.hits(1.0 / self.peers.len() as f64) {
            let delay = self.rng.between(Duration::ZERO, Self::GREETING);
            self.schedule.after(delay, SimEvent::User(seat, Act::Speak));
        }
    }

    /// Some take back what they have just done, and some are too late for it.
    pub(crate) fn plan_undo(&mut self, seat: usize) {
        if !self.is_quiet() && !self.mix.script && self.rng.hits(0.5) {
            let delay = self.rng.between(Duration::ZERO, Undo::LIMIT * 5 / 4);
            self.schedule
                .after(delay, SimEvent::Command(seat, Command::Undo));
        }
    }

    pub(crate) fn plan_return(&mut self, seat: usize) {
        let delay = self.rng.secs(1, 20);
        self.schedule.after(delay, SimEvent::User(seat, Act::Enter));
    }

    pub(crate) fn act(&mut self, seat: usize, act: Act) {
        if let Some(wait) = self.is_reached_in(self.peers[seat].process()) {
            return self.schedule.after(wait, SimEvent::User(seat, act));
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
                } else if view.link == Link::PasswordNeeded {
                    self.renew(seat);
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
            Act::Speak if view.account.is_some() && !view.open().is_alone() => self.speak(seat),
            Act::Speak => {}
        }
    }

    fn enter(&mut self, seat: usize) {
        let guest = self.mix.logouts && !self.mix.script && !self.is_quiet() && self.rng.hits(0.15);
        // At another user's machine: the account is online elsewhere then.
        let host = self.rng.below(self.peers.len());
        let know_themselves = self.peers[seat].registered && self.peers[host].registered;
        let whose = if guest && know_themselves { host } else { seat };
        let peer = &self.peers[whose];
        let (name, password) = (peer.name, peer.password());
        let command = if peer.registered {
            Command::login(name, password)
        } else {
            Command::register(name, password)
        };
        let again = self.rng.secs(2, 10);
        self.schedule.after(again, SimEvent::User(seat, Act::Enter));
        self.command(seat, command);
    }

    /// Gives the password again after a takeover, until it works.
    fn renew(&mut self, seat: usize) {
        let running = self.peers[seat].running();
        let Some(name) = running.and_then(|running| running.view.account) else {
            return;
        };
        let password = self.peers[seat].password();
        let again = self.rng.secs(2, 10);
        self.schedule.after(again, SimEvent::User(seat, Act::Enter));
        self.command(seat, Command::login(name, password));
    }

    fn answer(&mut self, seat: usize, from: PeerAddr) {
        let unwilling = self.mix.unwilling;
        let unwelcome = self.outsiders.contains(&from) && !self.outsiders_are_let_in();
        if unwelcome || self.rng.hits(unwilling) {
            self.command(
                seat,
                Command::Reject {
                    conversation: OPEN,
                    from,
                },
            );
        } else if !self.rng.hits(unwilling) {
            self.command(
                seat,
                Command::Accept {
                    conversation: OPEN,
                    from,
                },
            );
        }
    }

    fn anything(&mut self, seat: usize) {
        // Rare otherwise: few requests wait for long.
        if self.is_trap_at("cancel_request") && self.has_request_under_way(seat) {
            return self.cancel_a_request(seat);
        }
        match self.rng.below(100) {
            0..28 => self.request_someone(seat),
            // One that crosses the answer costs a chat.
            28..32 if !self.mix.is_faultless() => self.cancel_a_request(seat),
            28..70 => self.speak(seat),
            // One who types fast, or pastes.
            70..80 => (0..self.rng.number(2, 5)).for_each(|_| self.speak(seat)),
            80..83 => self.command(seat, Command::Refresh),
            83..86 => {
                let name = self.peers[self.rng.below(self.peers.len())].name;
                self.command(seat, Command::Search { name });
            }
            86..88 => {
                let on = self.rng.hits(0.3);
                self.command(seat, Command::Busy { on });
            }
            88..90 if self.mix.blocks => self.block_someone(seat),
            90..94 if self.mix.leaves => self.command(seat, Command::Leave { conversation: OPEN }),
            94..97 if self.mix.logouts => self.command(seat, Command::Logout),
            96 if self.rng.hits(0.5) => self.read_or_write(seat),
            97 => self.command(
                seat,
                Command::History {
                    conversation: OPEN,
                    before: None,
                },
            ),
            98 => {
                let text = "ğ".to_owned();
                self.command(
                    seat,
                    Command::Find {
                        conversation: None,
                        text,
                    },
                );
            }
            _ => self.nonsense(seat),
        }
    }

    fn read_or_write(&mut self, seat: usize) {
        let command = if self.rng.hits(0.5) {
            Command::Read {
                conversation: OPEN,
                message: MessageId::new(self.rng.number(0, 1 << 53)),
            }
        } else {
            Command::Draft {
                conversation: OPEN,
                text: "what I was about to say".to_owned(),
            }
        };
        self.command(seat, command);
    }

    fn request_someone(&mut self, seat: usize) {
        let other = self.rng.below(self.peers.len());
        let to = match self.rng.below(20) {
            0 if self.outsiders_are_let_in() => Target::Address(self.any_outsider()),
            1 => Target::Name("nobody".parse().unwrap()),
            2..8 => Target::Address(self.peers[other].address),
            _ => Target::Name(self.peers[other].name),
        };
        self.command(
            seat,
            Command::Request {
                conversation: OPEN,
                to,
            },
        );
    }

    fn has_request_under_way(&self, seat: usize) -> bool {
        let running = self.peers[seat].running();
        running.is_some_and(|running| !running.view.outgoing.is_empty())
    }

    fn cancel_a_request(&mut self, seat: usize) {
        let outgoing = self.peers[seat]
            .running()
            .map(|running| running.view.outgoing.clone());
        let to = match self.rng.pick(&outgoing.unwrap_or_default()) {
            Some(request) => request.to.address,
            None => self.seats[seat],
        };
        self.command(
            seat,
            Command::Cancel {
                conversation: OPEN,
                to,
            },
        );
    }

    fn block_someone(&mut self, seat: usize) {
        let other = self.rng.below(self.peers.len());
        let who = if self.rng.hits(0.5) {
            Target::Name(self.peers[other].name)
        } else {
            Target::Address(self.seats[other])
        };
        // Nobody is lonely for ever.
        let mut blocked = self.peers[seat].blocks.iter().map(|(_, who)| *who);
        let command = match blocked.next_back().filter(|_| self.rng.hits(0.5)) {
            Some(who) => Command::Unblock { who },
            None => Command::Block { who },
        };
        self.command(seat, command);
    }

    fn speak(&mut self, seat: usize) {
        let words = if self.rng.hits(0.15) {
            self.rng.number(10, 60)
        } else {
            self.rng.number(1, 8)
        };
        let by = Some(self.peers[seat].process());
        let text = self.ledger.compose(by, words as usize);
        self.command(
            seat,
            Command::Say {
                conversation: OPEN,
                text,
                reply_to: None,
            },
        );
    }

    /// What should only ever be answered with a failure.
    fn nonsense(&mut self, seat: usize) {
        let peer = &self.peers[seat];
        let (name, password, from) = (peer.name, peer.password(), peer.address);
        let command = match self.rng.below(9) {
            0 => Command::Accept {
                conversation: OPEN,
                from,
            },
            1 => Command::Reject {
                conversation: OPEN,
                from,
            },
            2 => Command::Request {
                conversation: OPEN,
                to: Target::Address(from),
            },
            3 => Command::login(name, password),
            6 | 7 => return self.command_again(seat),
            8 => Command::Say {
                conversation: "elsewhere".parse().unwrap(),
                text: "hello".to_owned(),
                reply_to: None,
            },
            4 => Command::Say {
                conversation: OPEN,
                text: " ".to_owned(),
                reply_to: None,
            },
            _ => Command::Say {
                conversation: OPEN,
                text: "a\0b".to_owned(),
                reply_to: None,
            },
        };
        self.command(seat, command);
    }
}
