//! What the user asks: of the open chat, of the account, and of keys and registries.

use p2pchat_model::{
    Command, ConversationId, Event, JoinedBy, MAX_DRAFT, MessageId, PeerAddr, Problem, Target,
    Undoable, Username, wording,
};

use super::context::Refusal;
use super::requests::Accepted;
use super::session::{SearchPurpose, Wanted};
use super::{Asked, Machine, Output, ToJournal};

impl Machine {
    /// Carries out what a front end asks, and answers.
    pub(super) fn command(&mut self, asked: Asked) {
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
            Command::Logout => self.logout(),
            Command::Refresh => self.refresh(),
            Command::Search { name } => self.search(name, SearchPurpose::Show),
            Command::Request { to, .. } => self.request(to),
            Command::AllowOpen { names } => self.allow_open(names),
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
            Command::Leave { .. } => self.leave(),
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
            Command::Registries => self.tell_registries(),
            Command::TrustRegistry { fingerprint } => {
                self.session.trust_registry(&mut self.cx, fingerprint)
            }
            Command::ForgetRegistry { registry } => {
                self.session.forget_registry(&mut self.cx, &registry)
            }
            Command::Block { who } => self.block(who),
            Command::Unblock { who } => self.unblock(who),
            Command::Undo => self.undo(),
            Command::Read { message, .. } => self.read(message),
            Command::Draft { text, .. } => self.draft(text),
            Command::History { before, .. } => self.history(before),
            Command::Find { conversation, text } => self.find(conversation, text),
        }
    }

    fn logout(&mut self) -> Result<(), Refusal> {
        self.session.logout(&mut self.cx)?;
        self.end_session(None);
        Ok(())
    }

    fn allow_open(&mut self, names: Vec<Username>) -> Result<(), Refusal> {
        let keys = self.session.keys.as_mut().ok_or(Problem::NotEncrypted)?;
        keys.allow_open(&mut self.cx, names);
        Ok(())
    }

    /// Leaves the open chat, which can be undone for a moment.
    fn leave(&mut self) -> Result<(), Refusal> {
        let (cx, people, requests, group) = self.parts();
        let late = group.leave(cx, people)?;
        requests.withdraw_invitations(cx, people);
        self.release(late);
        Ok(())
    }

    fn tell_registries(&mut self) -> Result<(), Refusal> {
        let keys = self.session.keys.as_ref().ok_or(Problem::NotEncrypted)?;
        keys.tell_registries(&mut self.cx);
        Ok(())
    }

    fn block(&mut self, who: Target) -> Result<(), Refusal> {
        let (_, people, ..) = self.parts();
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

    fn unblock(&mut self, who: Target) -> Result<(), Refusal> {
        let (cx, people, _, group) = self.parts();
        if group.undoable(cx.now.elapsed) == Some(Undoable::Blocked(who)) {
            return self.undo();
        }
        let account = people.account()?;
        self.blocks.unblock(&mut self.cx, account, who)?;
        self.hide_blocked();
        Ok(())
    }

    fn read(&mut self, message: MessageId) -> Result<(), Refusal> {
        let (cx, people, ..) = self.parts();
        people.account()?;
        // None that is still to come is read.
        let message = message.min(cx.last_message());
        cx.emit(Event::Read {
            conversation: ConversationId::OPEN,
            message,
        });
        Ok(())
    }

    fn draft(&mut self, text: String) -> Result<(), Refusal> {
        let (cx, people, ..) = self.parts();
        people.account()?;
        if text.len() > MAX_DRAFT {
            return Err(Problem::BadText.into());
        }
        let conversation = ConversationId::OPEN;
        cx.emit(Event::Draft { conversation, text });
        Ok(())
    }

    fn history(&mut self, before: Option<MessageId>) -> Result<(), Refusal> {
        let (cx, people, ..) = self.parts();
        let account = people.account()?;
        let re = cx.defer();
        cx.push(Output::Journal(ToJournal::Recall {
            re,
            conversation: ConversationId::OPEN,
            account,
            before,
        }));
        Ok(())
    }

    fn find(&mut self, conversation: Option<ConversationId>, text: String) -> Result<(), Refusal> {
        let (cx, people, ..) = self.parts();
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

    /// Sends a chat request, once the address of its target is known.
    pub(super) fn request(&mut self, to: Target) -> Result<(), Refusal> {
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
}
