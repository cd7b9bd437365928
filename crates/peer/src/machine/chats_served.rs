//! What the machine does for the encrypted conversations with what its other parts know.

use p2pchat_model::{Command, ConversationId, Event, Problem, Target};

use super::chats::Searched;
use super::chats_io::FromChats;
use super::context::Refusal;
use super::{Machine, Output, ToJournal};

impl Machine {
    /// Whether a command is for the encrypted conversations.
    pub(super) fn is_of_chats(&self, command: &Command) -> bool {
        match (command, command.conversation()) {
            (Command::Chat { .. } | Command::Group { .. }, _) => true,
            (Command::Find { .. }, None) => self.session.keys.is_some(),
            (_, conversation) => conversation.is_some_and(|of| of != ConversationId::OPEN),
        }
    }

    /// What the encrypted conversations tell.
    pub(super) fn chats_told(&mut self, told: FromChats) {
        let Some(keys) = &self.session.keys else {
            return;
        };
        let (cx, chats) = (&mut self.cx, &mut self.chats);
        let now = cx.now.elapsed;
        match told {
            FromChats::Event(event) => chats.event(cx, keys, event),
            FromChats::Done { id, result } => {
                let searched = chats.done(cx, keys, id, result);
                self.search_open_chat(searched);
            }
            FromChats::Connected { device } => chats.connected(device),
            FromChats::Disconnected { device } => chats.disconnected(now, device),
            FromChats::NotReached { device } => chats.not_reached(now, device),
        }
    }

    /// Answers a search, after the open chat was searched too if that was asked for.
    fn search_open_chat(&mut self, searched: Option<Searched>) {
        let (Some(searched), Some(account)) = (searched, self.session.account()) else {
            return;
        };
        let Searched {
            asker: re,
            conversation,
            text,
            posts,
        } = searched;
        if conversation.is_none() {
            self.cx.push(Output::Journal(ToJournal::Find {
                re,
                conversation,
                account,
                text,
                posts,
            }));
            return;
        }
        self.cx.answer_to(re);
        self.cx.emit(Event::Findings {
            conversation,
            text,
            messages: Vec::new(),
            posts,
        });
        self.cx.done();
    }

    /// Does what the encrypted conversations wait for: keys, names and devices.
    pub(super) fn serve_chats(&mut self) {
        let (Some(keys), Some(account)) = (&self.session.keys, self.session.account()) else {
            return;
        };
        if self.chats.begin(&mut self.cx, keys, account) {
            self.hide_blocked();
        }
        let Some(keys) = &mut self.session.keys else {
            return;
        };
        let moved = keys.take_moved();
        let (cx, chats) = (&mut self.cx, &mut self.chats);
        for (from, to) in moved {
            let asker = cx.defer();
            if chats.move_on(cx, from, to).is_err() {
                tracing::debug!("too much waits: it is not gone on under another key");
            }
            cx.answer_to(asker);
        }
        let people = chats.grant(cx, keys);
        let devices = chats.dial(cx, &self.directory, account);
        for name in people.into_iter().chain(devices) {
            self.session.look_up_soon(name);
        }
        self.session.look_up_keys(cx, &mut chats.names);
        let asker = cx.defer();
        chats.tell_named(cx);
        cx.answer_to(asker);
    }

    /// Hides the encrypted conversations with people who are blocked.
    pub(super) fn hide_blocked(&mut self) {
        let Some(account) = self.session.account() else {
            return;
        };
        let blocked = self.blocks.of(account).into_iter().flatten();
        let blocked = blocked.filter_map(|who| match who {
            Target::Name(name) => Some(*name),
            Target::Address(_) => None,
        });
        let blocked = blocked.collect();
        self.chats.set_blocked(&mut self.cx, blocked);
    }

    /// Does what a command asks for in an encrypted conversation, or with people.
    pub(super) fn order_chats(&mut self, command: Command) -> Result<(), Refusal> {
        self.session.account().ok_or(Problem::NotLoggedIn)?;
        let needs_keys = matches!(
            command,
            Command::Chat { .. } | Command::Group { .. } | Command::Add { .. }
        );
        if needs_keys && !self.session.is_encrypted() {
            return Err(Problem::NotEncrypted.into());
        }
        match command {
            Command::AcceptKey {
                conversation,
                although_verified,
            } => self.accept_key(conversation, although_verified),
            command => self.chats.command(&mut self.cx, command),
        }
    }

    /// Goes on with a person under the key that they have now.
    fn accept_key(
        &mut self,
        conversation: ConversationId,
        although_verified: bool,
    ) -> Result<(), Refusal> {
        let (name, of_chat) = self.chats.other_of(conversation)?;
        let keys = self.session.keys.as_mut().ok_or(Problem::NotEncrypted)?;
        let (from, to) = keys.accept(&mut self.cx, name, of_chat, although_verified)?;
        self.chats.move_on(&mut self.cx, from, to)?;
        self.key_known(Some(name));
        Ok(())
    }
}
