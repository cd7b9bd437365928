//! Everything that a peer decides, without I/O.
//!
//! The owner feeds [`Machine::handle`] with what happened and when, carries out what
//! [`Machine::output`] returns until it returns nothing, and comes back with
//! [`Input::Timer`] when [`Machine::deadline`] has come.
//!
//! The machine itself only routes: each sub-machine owns its state and gets the
//! `Context` of the input. Where one needs a decision of another, it returns an effect or
//! takes a read-only view.
//!
//! | module | what it decides |
//! |---|---|
//! | `commands` | what the user asks: each is carried out by one of the others |
//! | `told` | what the registry tells, and what that means for the others |
//! | `session` | the connection to the registry, the account, what is asked of it, in both versions |
//! | `keys` | which registry is spoken to and how, whose keys are known, the user's own |
//! | `directory` | who is online, and which names are at an address |
//! | `blocks` | what each account has blocked |
//! | `requests` | chat requests, in and out |
//! | `group` | the chat: members, introductions, texts, and what strangers send |
//! | `chats` | the encrypted conversations: orders to them, names, who is dialled; `chats_served` brings it together with the others |
//! | `registry` | which registry is gone to, where the user chooses one or it has to be started |
//! | `people` | the read-only view of directory and blocks that requests and group get |
//! | `context` | time, random numbers, ids, the output queue, whose call is answered, and the counters of `drops` |
//! | `calls` | the last calls of the front ends and their answers |

mod blocks;
mod calls;
mod chats;
mod chats_io;
mod chats_served;
mod commands;
mod context;
mod directory;
mod drops;
mod group;
mod io;
mod keys;
mod people;
mod registry;
mod requests;
mod session;
mod told;

use std::time::Duration;

use p2pchat_model::{
    Conversation, ConversationId, Event, JoinedBy, MessageId, Notice, Problem, Target, Username,
    View,
};
use p2pchat_protocol::{Contact, MESSAGE_PORT};

use blocks::Blocks;
use chats::Chats;
pub use chats_io::{FromChats, Order, Ordered, Part, ToChats};
use context::Context;
use directory::Directory;
use group::{Group, Notify, StrangerPacket};
pub use io::{
    Acknowledgement, Asked, Asker, Chosen, Config, ConnId, Input, Keys, NotChosen, Now, Output,
    SaidBy, SendId, ToJournal, Usage, Work, WorkResult,
};
use keys::Keyring;
use people::People;
use registry::Choosing;
use requests::{Accepted, Received, Requests};
use session::Session;

/// One user's peer.
#[derive(Debug)]
pub struct Machine {
    cx: Context,
    session: Session,
    directory: Directory,
    blocks: Blocks,
    requests: Requests,
    group: Group,
    chats: Chats,
    choosing: Choosing,
}

impl Machine {
    /// A machine that has just started. It has outputs at once.
    #[must_use]
    pub fn new(config: Config, now: Now) -> Self {
        let mut machine = Self::idle(config, now);
        let port = machine.cx.config.message_port;
        if port != MESSAGE_PORT {
            machine.cx.notice(Notice::UnprivilegedPort { port });
        }
        let keys = machine.session.keys.as_ref();
        if keys.is_some_and(Keyring::ignores_plaintext) {
            machine.cx.notice(Notice::PlaintextIgnored);
        }
        machine.session.connect(&mut machine.cx);
        machine
    }

    /// A machine that goes on where another one has ended, in another process of this user. The
    /// view of that one has the account, the members of the chat, and whether chat requests are
    /// answered with BUSY. The user is told none of it again.
    #[must_use]
    pub fn resume(config: Config, now: Now, view: &View) -> Self {
        let mut machine = Self::idle(config, now);
        machine.requests.resume_busy(view.busy);
        let availability = &mut machine.session.availability;
        availability.resume(view.busy, view.away);
        machine.session.security = view.security;
        let newest = view.conversations.iter().map(Conversation::newest_message);
        machine
            .cx
            .skip_messages(newest.max().flatten().unwrap_or_default());
        if let Some(account) = view.account {
            machine.session.resume(account, view.security);
            machine.directory.resume(view);
            machine.group.resume(&machine.cx, view.open());
            machine.chats.resume(view);
        }
        machine.session.connect(&mut machine.cx);
        // Front ends have the account and its conversations on their screens, and go on at once.
        machine.serve_chats();
        machine
    }

    fn idle(mut config: Config, now: Now) -> Self {
        let keys = config.keys.take().map(Keyring::new);
        Self {
            cx: Context::new(config, now),
            session: Session::new(keys, now.elapsed),
            directory: Directory::default(),
            blocks: Blocks::default(),
            requests: Requests::default(),
            group: Group::default(),
            chats: Chats::default(),
            choosing: Choosing::default(),
        }
    }

    /// Restores what the accounts blocked in earlier sessions.
    #[must_use]
    pub fn with_blocks(mut self, blocks: impl IntoIterator<Item = (Username, Target)>) -> Self {
        for (account, who) in blocks {
            self.blocks.restore(account, who);
        }
        // A member that the process that has ended was about to remove.
        self.enforce_blocks();
        self
    }

    /// Makes message ids continue after this one, the greatest in the history: also where
    /// the wall clock has gone back since, or was never set.
    #[must_use]
    pub fn with_last_message(mut self, last: MessageId) -> Self {
        self.cx.skip_messages(last);
        self
    }

    /// Restores the calls that led to messages in earlier sessions, the oldest first.
    #[must_use]
    pub fn with_calls(mut self, calls: impl IntoIterator<Item = (SaidBy, MessageId)>) -> Self {
        for (by, message) in calls {
            self.cx.restore_call(by, message);
        }
        self
    }

    /// Takes note of what happened.
    pub fn handle(&mut self, now: Now, input: Input) {
        self.cx.now = now;
        self.dispatch(input);
        self.answer_told();
        if self.cx.take_unconfirmed_name() {
            self.session.refresh_soon(&self.cx);
        }
        for member in self.cx.take_new_members() {
            if let Some(name) = self.directory.person(member).name {
                self.want_key(name);
            }
        }
        self.serve_chats();
        self.tick();
    }

    /// The next thing to do, oldest first.
    pub fn output(&mut self) -> Option<Output> {
        self.cx.next_output()
    }

    /// When [`Input::Timer`] is due, by [`Now::elapsed`].
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        [
            self.session.deadline(),
            self.requests.deadline(),
            self.group.deadline(),
            self.chats.deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// What others can make this machine hold, and the limit of each: for figures, and
    /// for tests, which check that nothing grows beyond.
    #[must_use]
    pub fn usage(&self) -> Vec<Usage> {
        let mut usage = self.group.usage().to_vec();
        usage.extend([
            self.requests.usage(),
            self.session.usage(),
            self.chats.usage(),
            self.cx.call_usage(),
            self.cx.drop_usage(),
        ]);
        usage.extend(self.session.keys.as_ref().map(Keyring::usage));
        usage
    }

    fn dispatch(&mut self, input: Input) {
        let (cx, people, requests, group) = self.parts();
        let Some(input) = group.keep_aside(cx.now.elapsed, input) else {
            return;
        };
        match input {
            Input::Command(asked) => self.command(asked),
            Input::Timer => {}
            Input::RegistryUp => self.session.registry_up(&mut self.cx),
            Input::RegistryDown { reason } => {
                self.session.registry_down(&mut self.cx, &reason);
                self.restart_own_registry();
                self.begin_without_registry();
            }
            Input::Moved {
                address,
                message_port,
            } => self.moved(address, message_port),
            Input::RegistryChosen(result) => self.registry_chosen(result),
            Input::Welcome { fingerprint, time } => {
                self.session.welcome(&mut self.cx, fingerprint);
                self.cx.push(Output::Chats(ToChats::RegistryTime(time)));
            }
            Input::OtherKey { seen } => self.session.other_key(&mut self.cx, seen),
            Input::Frame(frame) => {
                let effect = self.session.frame(&mut self.cx, frame);
                self.effect(effect);
            }
            Input::Chats(told) => self.chats_told(told),
            Input::WorkDone { id, result } => {
                let keys = self.session.keys.as_mut();
                let known = keys.and_then(|keys| keys.work_done(&mut self.cx, id, result));
                self.key_known(known);
            }
            Input::Response(response) => {
                let effect = self.session.response(&mut self.cx, response);
                self.effect(effect);
            }
            Input::ListContinued(users) => self.listed(&users, false),
            Input::Contact {
                conn,
                from,
                contact,
            } => match contact {
                Contact::Request {
                    from: name,
                    members,
                } => match requests.received(cx, people, group, (conn, from), name, &members) {
                    None => {}
                    Some(Received::Crossed(Accepted { peer, members })) => {
                        group.accepted(cx, people, peer, &members, JoinedBy::AcceptedUs);
                    }
                    Some(Received::FromMember) => group.member_asked(cx, people, from, members),
                },
                Contact::Notify { newcomer, members } => {
                    let notify = Notify { newcomer, members };
                    let unknown = group.notify_received(cx, people, from, notify);
                    self.hold(unknown);
                }
            },
            Input::ContactLost { conn } => requests.lost(cx, people, conn),
            Input::Text {
                conn,
                from,
                message,
            } => {
                let unknown = group.text_received(cx, people, conn, from, &message);
                self.hold(unknown);
            }
            Input::RequestDone { id, result } => {
                if let Some(accepted) = requests.done(cx, people, id, result) {
                    group.accepted_by(cx, people, accepted.peer, &accepted.members);
                }
            }
            Input::NotifyDone { id, result } => group.notify_done(cx, people, id, result),
            Input::TextDone { id, result } => group.text_done(cx, people, id, result),
            Input::Dropped {
                from,
                tried,
                why,
                count,
            } => cx.count_drops(from, None, tried, why, count),
        }
    }

    fn tick(&mut self) {
        let kept = self.group.release_kept(self.cx.now.elapsed);
        self.release(kept);
        self.session.tick(&mut self.cx, &self.directory);
        let (cx, people, requests, group) = self.parts();
        requests.tick(cx, people);
        group.tick(cx, people);
    }

    /// Handles what was kept for an undo: whether it is shown depends on who is a member now.
    fn release(&mut self, kept: Vec<Input>) {
        // What others sent answers no call.
        let asker = self.cx.defer();
        for input in kept {
            self.dispatch(input);
        }
        self.cx.answer_to(asker);
    }

    /// The parts that other peers deal with, and what they need.
    fn parts(&mut self) -> (&mut Context, People<'_>, &mut Requests, &mut Group) {
        let people = People::new(self.session.account(), &self.directory, &self.blocks);
        (&mut self.cx, people, &mut self.requests, &mut self.group)
    }

    /// The registry cannot be reached, and is not being started. Shows the conversations of the
    /// account all the same.
    fn begin_without_registry(&mut self) {
        if self.choosing.is_under_way() {
            return;
        }
        if let Some(name) = self.session.begin_without_registry(&mut self.cx) {
            self.recall(name);
        }
    }

    /// Tells the user what is kept of an account that begins.
    fn recall(&mut self, account: Username) {
        self.blocks.announce(&mut self.cx, account, None);
        self.cx.push(Output::Journal(ToJournal::Recall {
            re: None,
            conversation: ConversationId::OPEN,
            account,
            before: None,
        }));
    }

    /// Ends all that there is with blocked peers: after the block list has changed, or what
    /// is known of names.
    fn enforce_blocks(&mut self) {
        let (cx, people, requests, group) = self.parts();
        requests.close_blocked(cx, people);
        group.remove_blocked(cx, people);
        self.hide_blocked();
    }

    fn end_session(&mut self, problem: Option<Problem>) {
        self.end_open_chat();
        self.directory.clear();
        if self.session.keys.is_some() {
            self.chats.signed_out(&mut self.cx);
        }
        let at = self.cx.now.wall;
        self.cx.emit(Event::LoggedOut { at, problem });
    }

    /// Leaves the open chat for good, and ends all requests that have to do with it.
    fn end_open_chat(&mut self) {
        let (cx, people, requests, group) = self.parts();
        requests.close_all(cx, people);
        let late = group.end_aside();
        group.clear(cx, people);
        self.release(late);
    }

    /// Holds a packet of a stranger, if there is one, who may become a member in a moment.
    fn hold(&mut self, packet: Option<StrangerPacket>) {
        let Some(packet) = packet else {
            return;
        };
        let (cx, people, requests, group) = self.parts();
        let is_accepting = requests.is_waiting_for(packet.from());
        let is_expected = |address| requests.is_expected(address);
        group.hold(cx, people, packet, is_accepting, is_expected);
    }
}

#[cfg(test)]
mod tests;
