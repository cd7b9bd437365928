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

use std::collections::BTreeSet;
use std::time::Duration;

use p2pchat_model::{
    Command, Conversation, ConversationId, Event, JoinedBy, MessageId, Notice, OnlineUser,
    PeerAddr, Problem, Target, Undoable, Username, View, wording,
};
use p2pchat_protocol::v2::{Binding, SeatUpdate};
use p2pchat_protocol::{Contact, MESSAGE_PORT};

use blocks::Blocks;
use chats::Chats;
pub use chats_io::{FromChats, Order, Ordered, Part, ToChats};
use context::{Context, Refusal};
use directory::{Change, Directory};
use group::{Group, Notify, StrangerPacket};
pub use io::{
    Acknowledgement, Asked, Asker, Chosen, Config, ConnId, Input, Keys, NotChosen, Now, Output,
    SaidBy, SendId, ToJournal, Usage, Work, WorkResult,
};
use keys::{KeyPurpose, Keyring};
use people::People;
use registry::Choosing;
use requests::{Accepted, Received, Requests};
use session::{Effect, SearchPurpose, Session, Wanted};

/// The longest draft, in bytes: some times the longest message, so that one that is too long
/// can be shortened.
const MAX_DRAFT: usize = 64 * 1024;

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

    fn command(&mut self, asked: Asked) {
        let Asked { asker, command } = asked;
        let name = command.name();
        if asker.is_some() {
            self.session.active(&mut self.cx);
        }
        self.cx.answer_to(asker);
        if !self.cx.begin_call(self.session.account(), &command) {
            return;
        }
        match self.carry_out(command) {
            Ok(()) => self.cx.done(),
            Err(refusal) => self.cx.fail(name, refusal),
        }
    }

    fn carry_out(&mut self, command: Command) -> Result<(), Refusal> {
        if self.is_of_chats(&command) {
            return self.order_chats(command);
        }
        let is_login = matches!(command, Command::Register { .. } | Command::Login { .. });
        if is_login && self.choosing.is_under_way() {
            return Err(Problem::TooMuch.into());
        }
        let conversation = ConversationId::OPEN;
        let (cx, people, requests, group) = self.parts();
        match command {
            Command::UseRegistry { registry } => self.use_registry(registry),
            Command::StartRegistry => self.start_registry(),
            Command::Register {
                name,
                password,
                display_name,
            } => self
                .session
                .register(&mut self.cx, name, password, display_name),
            Command::Login { name, password } => self.session.login(&mut self.cx, name, password),
            Command::Logout => {
                self.session.logout(&mut self.cx)?;
                self.end_session(None);
                Ok(())
            }
            Command::Refresh => self.refresh(),
            Command::Search { name } => self.search(name, SearchPurpose::Show),
            Command::Request { to, .. } => self.request(to),
            Command::AllowOpen { names } => {
                let keys = self.session.keys.as_mut().ok_or(Problem::NotEncrypted)?;
                keys.allow_open(&mut self.cx, names);
                Ok(())
            }
            Command::Cancel { to, .. } => requests.cancel(cx, people, to),
            Command::Accept { from, .. } => self.accept(from),
            Command::Reject { from, .. } => requests.reject(cx, people, from),
            Command::Chat { .. }
            | Command::Group { .. }
            | Command::Add { .. }
            | Command::Join { .. }
            | Command::Decline { .. }
            | Command::Remove { .. }
            | Command::MakeOwner { .. }
            | Command::Resign { .. }
            | Command::Rename { .. }
            | Command::Edit { .. }
            | Command::Delete { .. }
            | Command::React { .. }
            | Command::Typing { .. }
            | Command::Alert { .. }
            | Command::Pin { .. }
            | Command::Archive { .. }
            | Command::HistoryFrom { .. }
            | Command::AcceptKey { .. } => Err(Problem::NotPossible.into()),
            Command::Say { text, .. } => group.say(cx, people, text),
            Command::Leave { .. } => {
                let late = group.leave(cx, people)?;
                requests.withdraw_invitations(cx, people);
                self.release(late);
                Ok(())
            }
            Command::Busy { on } => {
                requests.set_busy(cx, on);
                self.session.availability.set_busy(on);
                Ok(())
            }
            Command::Away { on } => self.session.set_away(&mut self.cx, on),
            // Each call is a sign of the user.
            Command::Active => Ok(()),
            Command::DisplayName { display_name } => {
                self.session.set_display_name(&mut self.cx, display_name)
            }
            Command::ChangePassword { old, new } => {
                self.session.change_password(&mut self.cx, old, new)
            }
            Command::LegacyLogin { on } => self.session.set_legacy_login(&mut self.cx, on),
            Command::Code { name } => self.session.ask_code(&mut self.cx, name),
            Command::Trust {
                name,
                code,
                verified,
            } => self.session.trust(&mut self.cx, name, code, verified),
            Command::ExportIdentity { password } => {
                let keys = self.session.keys.as_mut().ok_or(Problem::NotEncrypted)?;
                keys.export(&mut self.cx, password)
            }
            Command::ImportIdentity { identity, password } => {
                self.session.import(&mut self.cx, identity, password)
            }
            Command::Registries => {
                let keys = self.session.keys.as_ref().ok_or(Problem::NotEncrypted)?;
                keys.tell_registries(&mut self.cx);
                Ok(())
            }
            Command::TrustRegistry { fingerprint } => {
                self.session.trust_registry(&mut self.cx, fingerprint)
            }
            Command::ForgetRegistry { registry } => {
                self.session.forget_registry(&mut self.cx, &registry)
            }
            Command::Block { who } => {
                let account = people.account()?;
                let is_new = self.blocks.block(&mut self.cx, account, who)?;
                if is_new {
                    let what = Undoable::Blocked(who);
                    let late = self.group.blocked(self.cx.now.elapsed, what);
                    self.release(late);
                }
                self.enforce_blocks();
                Ok(())
            }
            Command::Unblock { who }
                if group.undoable(cx.now.elapsed) == Some(Undoable::Blocked(who)) =>
            {
                self.undo()
            }
            Command::Unblock { who } => {
                let account = people.account()?;
                self.blocks.unblock(&mut self.cx, account, who)?;
                self.hide_blocked();
                Ok(())
            }
            Command::Undo => self.undo(),
            Command::Read { message, .. } => {
                people.account()?;
                // None that is still to come is read.
                let message = message.min(cx.last_message());
                cx.emit(Event::Read {
                    conversation,
                    message,
                });
                Ok(())
            }
            Command::Draft { text, .. } => {
                people.account()?;
                if text.len() > MAX_DRAFT {
                    return Err(Problem::BadText.into());
                }
                cx.emit(Event::Draft { conversation, text });
                Ok(())
            }
            Command::History { before, .. } => {
                let account = people.account()?;
                let re = cx.defer();
                cx.push(Output::Journal(ToJournal::Recall {
                    re,
                    conversation,
                    account,
                    before,
                }));
                Ok(())
            }
            Command::Find { conversation, text } => {
                let account = people.account()?;
                let re = cx.defer();
                cx.push(Output::Journal(ToJournal::Find {
                    re,
                    conversation,
                    account,
                    text,
                    posts: Vec::new(),
                }));
                Ok(())
            }
        }
    }

    /// Takes back the last leave or block.
    fn undo(&mut self) -> Result<(), Refusal> {
        let (cx, people, _, group) = self.parts();
        let account = people.account()?;
        let aside = group.take_aside(cx.now.elapsed);
        let aside = aside.ok_or(Problem::NothingToUndo)?;
        let unblocked = match aside.what() {
            Undoable::Left(_) => None,
            Undoable::Blocked(who) => Some(who),
        };
        if let Some(who) = unblocked {
            self.blocks.unblock(&mut self.cx, account, who)?;
            self.hide_blocked();
        }
        let (cx, people, _, group) = self.parts();
        let (is_any_back, kept) = group.take_back(cx, people, aside);
        self.release(kept);
        if unblocked.is_none() && !is_any_back {
            // All of them are blocked since.
            return Err(Problem::NothingToUndo.into());
        }
        Ok(())
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

    /// Routes what an answer of the registry means for the other parts.
    fn effect(&mut self, effect: Option<Effect>) {
        match effect {
            None => {}
            Some(Effect::LoggedIn { name, again }) => {
                if !again {
                    self.recall(name);
                }
                let cx = &mut self.cx;
                cx.done();
                if self.session.is_encrypted() {
                    self.session.subscribe(cx);
                } else {
                    self.session.ask_online(cx, &self.directory, name, true);
                }
            }
            Some(Effect::Snapshot {
                users,
                begins,
                ends,
            }) => self.snapshot(users, begins, ends),
            Some(Effect::Delta(users)) => self.delta(users),
            Some(Effect::Looked {
                name,
                binding,
                purpose,
            }) => self.looked_up(name, binding, purpose),
            Some(Effect::Named(binding)) => {
                let name = binding.name;
                self.learn(&binding);
                self.key_known(Some(name));
            }
            Some(Effect::Ended(problem)) => self.end_session(Some(problem)),
            Some(Effect::Listed { users, announce }) => self.listed(&users, announce),
            Some(Effect::Searched {
                name,
                address,
                purpose,
            }) => self.searched(name, address, purpose),
        }
        self.cx.done();
    }

    fn listed(&mut self, users: &[OnlineUser], announce: bool) {
        if self.session.account().is_none() {
            return;
        }
        if self.directory.replace(users) || announce {
            self.names_changed();
        }
        self.session.check_own_entry(&mut self.cx, &self.directory);
    }

    /// Takes a part of the list of who is online, as version 2 tells.
    fn snapshot(&mut self, users: Vec<SeatUpdate>, begins: bool, ends: bool) {
        let is_first = self.directory.is_empty();
        let keys = self.session.keys.as_ref();
        let trust = |name| keys.and_then(|keys| keys.trust(name));
        let change = self.directory.snapshot(users, (begins, ends), trust);
        let Some(change) = change else {
            return;
        };
        self.session.snapshot_came(self.cx.now.elapsed);
        for user in self.directory.users() {
            self.want_key(user.name);
        }
        self.presence_changed(change, is_first);
    }

    /// Takes what has changed in that list.
    fn delta(&mut self, users: Vec<SeatUpdate>) {
        let names: BTreeSet<Username> = users.iter().map(|(seat, _)| seat.name).collect();
        let keys = self.session.keys.as_ref();
        let trust = |name| keys.and_then(|keys| keys.trust(name));
        let change = self.directory.delta(users, trust);
        for name in names {
            self.want_key(name);
        }
        self.presence_changed(change, false);
    }

    /// Looks up the key of a user, if presence tells that it may be another one.
    fn want_key(&mut self, name: Username) {
        if let Some(address) = self.directory.address_of(name) {
            let serial = self.directory.serial_of(name);
            let is_in_chat = self.group.is_present(address);
            self.session.want_key(name, serial, is_in_chat);
        }
    }

    /// Who is online has changed, as version 2 tells: all of it, or some.
    fn presence_changed(&mut self, change: Change, is_all: bool) {
        if change.is_empty() && !is_all {
            return;
        }
        self.chats.presence_changed();
        let Change { users, gone } = change;
        self.cx.emit(if is_all {
            Event::Online { users }
        } else {
            Event::Presence { users, gone }
        });
        self.enforce_blocks();
    }

    /// The registry has said which key a name is bound to.
    fn looked_up(&mut self, name: Username, binding: Option<Box<Binding>>, purpose: KeyPurpose) {
        if let Some(binding) = &binding {
            self.learn(binding);
        }
        let Some(keys) = self.session.keys.as_mut() else {
            return;
        };
        let person = binding.and_then(|binding| binding.person);
        if person.is_none() {
            let users = self.directory.users();
            let is_legacy = users.iter().any(|user| user.name == name && user.legacy);
            self.chats.has_no_key(&mut self.cx, name, is_legacy);
        }
        let known = keys.use_key(&mut self.cx, name, person, purpose);
        // Also where the lookup was for a code: it may be another key than before.
        self.cx.answer_to(None);
        self.key_known(known.or(Some(name)));
    }

    /// Takes note of what the registry vouches for.
    fn learn(&mut self, binding: &Binding) {
        if let Some(keys) = self.session.keys.as_mut() {
            keys.learn(&mut self.cx, binding);
        }
        let devices = binding.devices.iter().map(|of| of.device);
        self.chats.devices(binding.name, devices.collect());
    }

    /// A key may be known better or worse than before.
    fn key_known(&mut self, name: Option<Username>) {
        let Some(name) = name else {
            return;
        };
        let trust = self.session.keys.as_ref().and_then(|keys| keys.trust(name));
        let change = self.directory.set_trust(name, trust);
        self.presence_changed(change, false);
        if let Some(keys) = &self.session.keys {
            self.chats.name_known(&mut self.cx, keys, name);
        }
    }

    /// Tells the user who is online. Version 2 has told the peer already.
    fn refresh(&mut self) -> Result<(), Refusal> {
        if self.session.is_encrypted() {
            self.session.check_signed_in()?;
            self.cx.report_drops();
            if !self.session.has_whole_list(self.cx.now.elapsed) {
                return self.session.await_presence(&mut self.cx, Wanted::All);
            }
            let users = self.directory.users();
            self.cx.emit(Event::Online { users });
        } else {
            self.session.refresh(&mut self.cx, &self.directory)?;
            self.cx.report_drops();
        }
        Ok(())
    }

    /// Asks where a user is. Version 2 has told already, or is about to.
    fn search(&mut self, name: Username, purpose: SearchPurpose) -> Result<(), Refusal> {
        if !self.session.is_encrypted() {
            return self.session.search(&mut self.cx, name, purpose);
        }
        self.session.check_signed_in()?;
        let Some(address) = self.directory.address_of(name) else {
            let wanted = Wanted::Name(name, purpose);
            return self.session.await_presence(&mut self.cx, wanted);
        };
        self.searched(name, Some(address), purpose);
        Ok(())
    }

    /// Answers the calls that have waited for presence.
    fn answer_told(&mut self) {
        let now = self.cx.now.elapsed;
        for (wanted, asker) in self.session.take_told(now, &self.directory) {
            self.cx.answer_to(asker);
            match wanted {
                Wanted::All => {
                    let users = self.directory.users();
                    self.cx.emit(Event::Online { users });
                }
                Wanted::Name(name, purpose) => {
                    self.searched(name, self.directory.address_of(name), purpose);
                }
            }
            self.cx.done();
        }
    }

    fn searched(&mut self, name: Username, address: Option<PeerAddr>, purpose: SearchPurpose) {
        if let Some(address) = address
            && !self.session.is_encrypted()
            && self.directory.learn(name, address)
        {
            self.names_changed();
        }
        let result = match (purpose, address) {
            (SearchPurpose::Show, _) => {
                let at = self.cx.now.wall;
                self.cx.emit(Event::Found { at, name, address });
                Ok(())
            }
            (SearchPurpose::Request, None) => Err(Problem::NotOnline.into()),
            (SearchPurpose::Request, Some(address)) => self.request(Target::Address(address)),
        };
        if let Err(refusal) = result {
            self.cx.fail(purpose.command(), refusal);
        }
    }

    /// Sends a chat request, once the address of its target is known.
    fn request(&mut self, to: Target) -> Result<(), Refusal> {
        let (cx, people, requests, _) = self.parts();
        let address = match to {
            Target::Address(address) => address,
            Target::Name(name) => match people.locate(cx, name)? {
                Some(address) => address,
                None => {
                    return self.search(name, SearchPurpose::Request);
                }
            },
        };
        if requests.is_asked_by(cx, people, address) {
            // They want the same.
            return self.accept(address);
        }
        let asked = match to {
            Target::Name(name) => Some(name),
            Target::Address(_) => None,
        };
        self.check_open([address], asked)?;
        let (cx, people, requests, group) = self.parts();
        requests.send(cx, people, group, address)
    }

    /// Refuses to have people in the open chat whose p2pchat is encrypted, unless the user has
    /// agreed: those at some addresses, and one by name.
    fn check_open(
        &self,
        addresses: impl IntoIterator<Item = PeerAddr>,
        name: Option<Username>,
    ) -> Result<(), Refusal> {
        let Some(keys) = &self.session.keys else {
            return Ok(());
        };
        let at = addresses.into_iter();
        let names = at.flat_map(|address| self.directory.known_names_at(address));
        let names = keys.not_in_open(names.chain(name));
        if names.is_empty() {
            return Ok(());
        }
        let message = wording::chat::has_encrypted(&names);
        let refusal = Refusal::new(Problem::HasEncrypted, message);
        Err(Refusal { names, ..refusal })
    }

    /// Accepts the chat request that waits for the user.
    fn accept(&mut self, from: PeerAddr) -> Result<(), Refusal> {
        if let Some((name, members)) = self.requests.from(from) {
            let addresses: Vec<PeerAddr> = members.iter().chain([from]).collect();
            self.check_open(addresses, Some(name))?;
        }
        let (cx, people, requests, group) = self.parts();
        let Accepted { peer, members } = requests.accept(cx, people, group, from)?;
        group.accepted(cx, people, peer, &members, JoinedBy::AcceptedByUs);
        Ok(())
    }

    /// The online list has changed: what is blocked may be known by another name now.
    fn names_changed(&mut self) {
        let users = self.directory.users();
        self.cx.emit(Event::Online { users });
        self.enforce_blocks();
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
