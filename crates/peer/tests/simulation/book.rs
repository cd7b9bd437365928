//! What a user was told and what their machine was asked, recorded without the machine:
//! what the checks compare it with.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use p2pchat_model::{
    BlockChange, Command, DeliveryState, Event, Failure, MessageId, PeerAddr, Person, Target, Undo,
    Username, View,
};
use p2pchat_peer::machine::{Asked, Asker, ConnId, Input, Output, ToJournal};
use p2pchat_protocol::{Contact, Kind, split_text};

use super::accepted::Accepted;

/// What a user was told, counted: that the runs are about something, and that those
/// without faults went without a hitch.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Totals {
    pub(crate) joined: usize,
    pub(crate) left: usize,
    pub(crate) sent: usize,
    pub(crate) unconfirmed: usize,
    pub(crate) failed: usize,
    pub(crate) dropped: usize,
}

impl Totals {
    pub(crate) fn add(&mut self, other: Self) {
        self.joined += other.joined;
        self.left += other.left;
        self.sent += other.sent;
        self.unconfirmed += other.unconfirmed;
        self.failed += other.failed;
        self.dropped += other.dropped;
    }

    fn note(&mut self, event: &Event) {
        match event {
            Event::MemberJoined { .. } => self.joined += 1,
            Event::MemberLeft { .. } => self.left += 1,
            Event::Dropped(_) => self.dropped += 1,
            Event::Delivered { delivery, .. } => match delivery.state {
                DeliveryState::Sending => {}
                DeliveryState::Sent => self.sent += 1,
                DeliveryState::Unconfirmed => self.unconfirmed += 1,
                DeliveryState::Failed(_) => self.failed += 1,
            },
            _ => {}
        }
    }
}

/// How a call was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Closed {
    Done,
    Failed(Failure),
}

/// Whose call an output answers, and how it closes it, if it does: the journal closes what is
/// read.
pub(crate) fn answer(output: &Output) -> Option<(&Asker, Option<Closed>)> {
    match output {
        Output::Event { event, re, .. } => {
            let closed = match event {
                Event::Done => Some(Closed::Done),
                Event::Failed(failure) => Some(Closed::Failed(failure.clone())),
                _ => None,
            };
            Some((re.as_ref()?, closed))
        }
        Output::Journal(ToJournal::Recall { re, .. } | ToJournal::Find { re, .. }) => {
            Some((re.as_ref()?, Some(Closed::Done)))
        }
        Output::Journal(ToJournal::Repeat { re, .. }) => Some((re, Some(Closed::Done))),
        _ => None,
    }
}

/// The records of one process.
#[derive(Default)]
pub(crate) struct Book {
    pub(crate) accepted: Accepted,
    pub(crate) account: Option<Username>,
    /// Since when that is so, or is not.
    pub(crate) account_since: Duration,
    pub(crate) members: BTreeSet<PeerAddr>,
    /// What the user has blocked.
    pub(crate) blocked: BTreeSet<Target>,
    /// Who was a member since the user last left.
    pub(crate) former: BTreeSet<PeerAddr>,
    /// The same when the user last left, who may take it back.
    pub(crate) left: BTreeSet<PeerAddr>,
    /// Until when the user may take back a leave or a block.
    pub(crate) undo_until: Duration,
    /// The texts that wait for whether the user does.
    pub(crate) kept: BTreeSet<ConnId>,
    /// The chat request that waits for the user, and since when.
    pub(crate) incoming: Option<(PeerAddr, Duration)>,
    /// When that request came; unlike the time above, it stays when the process stands still.
    pub(crate) asked_at: Duration,
    /// The chat requests that wait for others, and since when.
    pub(crate) outgoing: BTreeMap<PeerAddr, Duration>,
    /// The texts on their way: how many packets, and until when they may be.
    pub(crate) sending: BTreeMap<(MessageId, PeerAddr), (usize, Duration)>,
    /// The texts and members of which the outcome is known, or was waited for.
    pub(crate) listed: BTreeSet<(MessageId, PeerAddr)>,
    /// What the user was told, counted.
    pub(crate) totals: Totals,
    /// Chat requests whose connection waits for an answer.
    pub(crate) unanswered: BTreeSet<ConnId>,
    /// Whether there is a connection to the registry.
    pub(crate) link_up: bool,
    /// What the registry was asked and has not answered, oldest first.
    pub(crate) asked: VecDeque<Kind>,
    /// The calls of the front end that are open, and since when.
    pub(crate) open: BTreeMap<Asker, Duration>,
    /// Those that are closed, and how.
    pub(crate) closed: BTreeMap<Asker, Closed>,
    /// How many searches have no answer yet.
    pub(crate) searches: usize,
    pub(crate) last_hello: Option<Duration>,
    /// When the registry was last asked for a login.
    pub(crate) last_login: Option<Duration>,
    pub(crate) last_message: MessageId,
    /// How often the timer came in this second of the world's clock.
    pub(crate) timers: (u64, usize),
    /// Since when the request that waits for the user is one that its sender has withdrawn.
    pub(crate) withdrawn_since: Option<Duration>,
    /// Since when the registry should have had this user in its list.
    pub(crate) listable_since: Option<Duration>,
}

impl Book {
    /// The longest that one packet may take to get through or be given up: a connection
    /// that is made in the last moment (15 s), and then an answer that does not come
    /// (30 s).
    const PACKET: Duration = Duration::from_secs(50);
    /// What a text may take beyond its packets and those before it.
    const DELIVERY: Duration = Duration::from_secs(60);

    /// The records of a process that goes on with this view, after those of the one that has
    /// ended.
    pub(crate) fn resume(earlier: Self, view: &View, now: Duration) -> Self {
        let address = |person: &Person| person.address;
        let members: BTreeSet<_> = view.open().members.iter().map(address).collect();
        let away = view.open().out_of_reach.iter().map(address);
        let former = earlier.former.into_iter().chain(earlier.members);
        let former: BTreeSet<_> = former.chain(earlier.left).chain(away).collect();
        Self {
            accepted: earlier
                .accepted
                .resume(former.iter().chain(&members).copied()),
            account: view.account,
            account_since: now,
            former: former.difference(&members).copied().collect(),
            members,
            blocked: view.blocked.iter().copied().collect(),
            listed: earlier.listed,
            ..Self::default()
        }
    }

    /// The call that this input makes once more, and how it was closed, if it was.
    pub(crate) fn repeated(&self, input: &Input) -> Option<(Asker, Option<Closed>)> {
        let Input::Command(Asked {
            asker: Some(asker), ..
        }) = input
        else {
            return None;
        };
        let closed = self.closed.get(asker);
        let is_known = closed.is_some() || self.open.contains_key(asker);
        is_known.then(|| (asker.clone(), closed.cloned()))
    }

    /// Records an input of the machine.
    pub(crate) fn note_input(&mut self, now: Duration, input: &Input) {
        if let Input::Command(Asked {
            asker: Some(asker), ..
        }) = input
        {
            self.open.insert(asker.clone(), now);
        }
        self.accepted.learn_input(now, input);
        match input {
            Input::Command(Asked {
                command: Command::Search { .. },
                ..
            }) => self.searches += 1,
            Input::RegistryUp => self.link_up = true,
            Input::RegistryDown { .. } => self.lose_link(),
            Input::Response(_) => {
                self.asked.pop_front();
            }
            Input::Contact {
                conn,
                contact: Contact::Request { .. },
                ..
            } => {
                self.unanswered.insert(*conn);
            }
            Input::ContactLost { conn } => {
                self.unanswered.remove(conn);
            }
            Input::Text { conn, .. } => {
                self.kept.insert(*conn);
            }
            Input::Command(Asked {
                command: Command::Undo,
                ..
            }) => {
                self.former.append(&mut self.left);
            }
            Input::Timer => {
                let second = now.as_secs();
                let before = if self.timers.0 == second {
                    self.timers.1
                } else {
                    0
                };
                self.timers = (second, before + 1);
            }
            _ => {}
        }
    }

    /// Records an output of the machine.
    pub(crate) fn note_output(&mut self, now: Duration, output: &Output) {
        if let Some((asker, Some(closed))) = answer(output) {
            self.open.remove(asker);
            // One that failed has changed nothing, and is a new one when it is made again.
            if closed == Closed::Done {
                self.closed.insert(asker.clone(), closed);
            }
        }
        match output {
            Output::ConnectRegistry | Output::DisconnectRegistry => self.lose_link(),
            Output::Ask(request) => {
                self.asked.push_back(request.kind());
                if request.kind() == Kind::Login {
                    self.last_login = Some(now);
                }
            }
            Output::Hello(_) => self.last_hello = Some(now),
            Output::Answer { conn, .. } => {
                self.unanswered.remove(conn);
            }
            Output::TakeText { conn } | Output::RefuseText { conn } => {
                self.kept.remove(conn);
            }
            Output::Event { event, .. } => self.note_event(now, event),
            _ => {}
        }
    }

    /// The process stood still for so long: what it has to do is due later.
    pub(crate) fn postpone(&mut self, by: Duration) {
        self.account_since += by;
        self.listable_since = None;
        let last_hello = self.last_hello.iter_mut();
        let incoming = self.incoming.iter_mut().map(|(_, since)| since);
        let outgoing = self.outgoing.values_mut();
        let sending = self.sending.values_mut().map(|(_, until)| until);
        let open = self.open.values_mut();
        let times = last_hello.chain(incoming).chain(outgoing);
        for time in times.chain(sending).chain(open) {
            *time += by;
        }
    }

    fn lose_link(&mut self) {
        self.link_up = false;
        self.asked.clear();
    }

    fn note_event(&mut self, now: Duration, event: &Event) {
        self.totals.note(event);
        match event {
            Event::LoggedIn { name, .. } => {
                let before = self.account.replace(*name);
                self.account_since = before.map_or(now, |_| self.account_since);
            }
            Event::LoggedOut { .. } => {
                self.account = None;
                self.blocked.clear();
                self.account_since = now;
                self.incoming = None;
                self.outgoing.clear();
                self.forget_chat();
                self.accepted.forget();
                self.left.clear();
            }
            Event::Blocks { list, change, .. } => {
                self.blocked = list.iter().copied().collect();
                if matches!(change, Some(BlockChange::Blocked(_))) {
                    self.undo_until = now + Undo::LIMIT;
                }
            }
            Event::RequestReceived(request) => {
                self.incoming = Some((request.from.address, now));
                self.asked_at = now;
            }
            Event::RequestClosed { .. } => self.incoming = None,
            Event::RequestSent(request) => {
                self.outgoing.insert(request.to.address, now);
            }
            Event::RequestAnswered { to, .. } => {
                self.outgoing.remove(&to.address);
            }
            Event::MemberJoined { member, .. } => {
                self.members.insert(member.address);
                self.former.remove(&member.address);
            }
            Event::MemberLeft { member, .. } => {
                self.members.remove(&member.address);
                self.former.insert(member.address);
            }
            Event::ChatLeft { .. } => {
                self.left = self.members.union(&self.former).copied().collect();
                self.undo_until = now + Undo::LIMIT;
                self.accepted.leave(now);
                self.forget_chat();
            }
            Event::Found { .. } => self.searches -= 1,
            Event::Failed(failure) if failure.command == "search" => self.searches -= 1,
            Event::Message(message) => {
                self.last_message = message.id;
                for delivery in message.deliveries.iter().flatten() {
                    self.send(now, message.id, delivery.to.address, &message.text);
                }
            }
            Event::Delivered {
                message: id,
                delivery,
                ..
            } if delivery.state != DeliveryState::Sending => {
                let key = (*id, delivery.to.address);
                self.sending.remove(&key);
                self.listed.insert(key);
            }
            _ => {}
        }
    }

    fn forget_chat(&mut self) {
        self.members.clear();
        self.former.clear();
    }

    fn send(&mut self, now: Duration, id: MessageId, to: PeerAddr, text: &str) {
        let packets = split_text(text).map_or(0, |parts| parts.len());
        let before: usize = self
            .sending
            .iter()
            .filter(|((_, other), _)| *other == to)
            .map(|(_, (packets, _))| packets)
            .sum();
        let wait = Self::PACKET * u32::try_from(packets + before).unwrap();
        self.sending
            .insert((id, to), (packets, now + Self::DELIVERY + wait));
        self.listed.insert((id, to));
    }
}
