//! The part of the state that changes with nearly every message.

use std::rc::Rc;

use p2pchat_model::{Call, CallId, Command, ConversationId, Event, Line, MessageId, Post, View};

use crate::logic::reading::Reading;
use crate::logic::said::said;

use super::view::ViewHandle;

/// The part of the state that changes with nearly every message.
#[derive(Clone, PartialEq, Default)]
pub struct Conversation {
    /// The view. `None` until the bridge has sent it.
    pub view: Option<ViewHandle>,
    /// How far the user has read.
    pub reading: Reading,
    /// What a screen reader says next: the newest line, or the message that the user was led to.
    pub spoken: Option<Line>,
    /// The message to scroll to.
    pub jump: Option<MessageId>,
    /// Whether that is where the conversation opens.
    pub opens: bool,
    /// The message that the user was led to, for a moment.
    pub lit: Option<MessageId>,
    /// The calls about the conversation that have no answer yet, oldest first; but for read marks and
    /// that the user writes, of which nothing follows.
    asked: Vec<Asked>,
    /// The texts that were refused, and are on their way back into the message field.
    pub failed: Vec<Asked>,
    /// Whether the page of history that follows a login is still to come.
    awaits_first_page: bool,
    /// The newest draft of this page that the peer has.
    pub kept_draft: Option<(ConversationId, Rc<str>)>,
}

/// A call about the conversation, until it is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Its id.
    pub id: u64,
    /// What was asked.
    pub command: Command,
    /// The newest message when it was sent: that of a text will be a later one.
    pub after: MessageId,
}

impl Asked {
    /// The text that it sends, if it sends one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.command {
            Command::Say { text, .. } | Command::Edit { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The call, to be made again.
    #[must_use]
    pub fn call(&self) -> Call {
        Call::with_id(self.id, self.command.clone())
    }
}

impl Conversation {
    /// The texts that were sent and have no answer yet, oldest first. They are sent again, by
    /// their ids, when the answer may be lost: a peer that has them answers as it did.
    pub fn unanswered(&self) -> impl Iterator<Item = &Asked> {
        self.asked.iter().filter(|asked| asked.text().is_some())
    }

    /// The texts that the message field or the next tab gets if this one ends, oldest first.
    #[must_use]
    pub fn unsaid(&self) -> Vec<Asked> {
        let mut texts: Vec<Asked> = self.unanswered().cloned().collect();
        for failed in &self.failed {
            let at = texts.partition_point(|asked| asked.id < failed.id);
            texts.insert(at, failed.clone());
        }
        texts
    }

    /// Whether a page of history is still to come.
    #[must_use]
    pub fn awaits_history(&self) -> bool {
        let id = self.view.as_ref().map(|view| view.id());
        let is_page = |asked: &Asked| {
            let command = &asked.command;
            let is_page = matches!(
                command,
                Command::History { .. } | Command::HistoryFrom { .. }
            );
            is_page && command.conversation() == id
        };
        self.awaits_first_page || self.asked.iter().any(is_page)
    }

    /// Keeps in a new view of the same account the older messages that are loaded, which it
    /// comes without. Returns whether it is of the same account.
    pub(super) fn join(&self, view: &mut View) -> bool {
        let Some(known) = &self.view else {
            return false;
        };
        let is_same = known.get().conversations_of == view.conversations_of;
        let mut chats = view.conversations.iter_mut();
        if let Some(chat) = chats.find(|chat| is_same && chat.id == known.id()) {
            let known = known.chat();
            let oldest = chat.oldest_message();
            let is_it = |line: &Line| oldest.is_some() && line.message_id() == oldest;
            let here = chat.lines.iter().position(is_it);
            if let (Some(at), Some(here)) = (known.lines.iter().position(is_it), here) {
                chat.lines.splice(..here, known.lines[..at].iter().cloned());
                chat.more_history = known.more_history;
            }
        }
        is_same
    }

    /// Begins again with a view, after which answers to earlier reads do not come any more.
    pub(super) fn begin(&mut self, view: ViewHandle, reading: Reading) {
        let is_other = self.view.as_ref().map(|view| view.id()) != Some(view.id());
        if is_other {
            self.jump = opening(&view, &reading);
            self.opens = self.jump.is_some();
        }
        self.view = Some(view);
        self.reading = reading;
        self.asked.retain(|asked| asked.text().is_some());
        self.awaits_first_page = false;
    }

    /// Shows another conversation, from the first message on that was not read.
    pub(super) fn show(&mut self, view: ViewHandle, reading: Reading) {
        self.jump = opening(&view, &reading);
        self.opens = self.jump.is_some();
        self.view = Some(view);
        self.reading = reading;
        (self.spoken, self.lit) = (None, None);
    }

    /// The user is led to a message.
    pub(super) fn lead_to(&mut self, id: MessageId) {
        (self.jump, self.lit) = (Some(id), Some(id));
        self.opens = false;
    }

    /// The jump is over. Screen readers say where it has led to, unless that is folded away.
    pub(super) fn arrive(&mut self) {
        self.opens = false;
        let to = self.jump.take().filter(|id| self.lit == Some(*id));
        let (Some(to), Some(view)) = (to, &self.view) else {
            return;
        };
        let (chat, all) = (view.shown(), view.get());
        let is_folded =
            |line: &&Line| matches!(line, Line::Post(post) if all.has_blocked(&post.from));
        let line = chat.lines.iter().find(|line| line.message_id() == Some(to));
        if let Some(line) = line.filter(|line| !is_folded(line)) {
            self.spoken = Some(line.clone());
        }
    }

    /// Shows the end. Returns whether something else was shown.
    pub(super) fn show_end(&mut self) -> bool {
        let was_opening = std::mem::take(&mut self.opens);
        self.jump.take_if(|_| was_opening);
        let mark = self.reading.mark();
        let view = self.view.as_mut();
        let was_part = view.is_some_and(|view| {
            view.touch();
            view.leave_part(mark)
        });
        was_part || was_opening
    }

    /// Forgets the texts of another session.
    pub(super) fn forget_texts(&mut self) {
        self.asked.clear();
        self.failed.clear();
    }

    /// Finds the call that an event closes. A text that was refused waits to be in the message
    /// field again.
    pub(super) fn answer(&mut self, re: Option<&CallId>, event: &Event) -> Option<Asked> {
        let (Event::Done | Event::Failed(_), Some(CallId::Number(id))) = (event, re) else {
            return None;
        };
        let at = self.asked.iter().position(|asked| asked.id == *id)?;
        let asked = self.asked.remove(at);
        match (&asked.command, event) {
            (Command::Say { .. } | Command::Edit { .. }, Event::Failed(_)) => {
                self.failed.push(asked.clone());
            }
            (Command::Draft { conversation, text }, Event::Done) => {
                self.kept_draft = Some((*conversation, text.as_str().into()));
            }
            _ => {}
        }
        Some(asked)
    }

    /// Takes all texts without an answer for refused, and returns them.
    pub(super) fn refuse_all(&mut self) -> Vec<(ConversationId, String)> {
        let is_text = |asked: &mut Asked| asked.text().is_some();
        let refused: Vec<Asked> = self.asked.extract_if(.., is_text).collect();
        let texts = refused.iter().filter_map(|asked| {
            let text = asked.text()?.to_owned();
            Some((asked.command.conversation()?, text))
        });
        let texts = texts.collect();
        self.failed.extend(refused);
        texts
    }

    /// Applies an event, to the view too.
    pub(super) fn on_event(&mut self, event: &Event) {
        let Some(view) = &mut self.view else { return };
        if let Event::Done = event {
            return;
        }
        let (lines, account) = (view.shown().lines.len(), view.get().account);
        let of = view.get().conversations_of;
        let known = view.chat().lines.len();
        view.apply(event);
        view.touch();
        let is_here = event.conversation().is_none_or(|id| id == view.id());
        if view.get().conversations_of != of {
            self.reading = Reading::begin(&[], None, self.reading.looking());
        }
        match event {
            Event::Message(_) | Event::Post(_) if is_here && view.chat().lines.len() > known => {
                let id = message_of(event);
                let chat = view.chat();
                let mut lines = chat.lines.iter().rev();
                let line = lines.find(|line| line.message_id() == id);
                if let Some(said) = line.and_then(said) {
                    self.reading.take(&said);
                }
            }
            Event::PostsFrom { from, .. } if is_here => {
                view.go_on(event, self.jump == Some(*from));
                self.reading.found_earlier(&view.shown().lines);
                if self.jump == Some(*from) && self.opens {
                    self.jump = self.reading.mark();
                }
            }
            Event::Posts { .. } if is_here => self.reading.found_earlier(&view.shown().lines),
            Event::Read { message, .. } if is_here => {
                self.reading.read_elsewhere(*message, &view.chat().lines);
            }
            // The newest page of history follows a login, unless the session only goes on
            // after the registry was unreachable.
            Event::LoggedIn { .. } if account.is_none() => self.awaits_first_page = true,
            Event::LoggedOut { .. } => self.awaits_first_page = false,
            Event::History { before: None, .. } if is_here && self.awaits_first_page => {
                self.awaits_first_page = false;
                let chat = view.chat();
                self.reading = Reading::begin(&chat.lines, chat.read, self.reading.looking());
            }
            _ => {}
        }
        if is_here {
            view.follow(event, lines, self.reading.mark());
            self.spoken = spoken(event, &view.get()).or(self.spoken.take());
        }
    }

    /// Records a command that is sent, about the conversation.
    pub(super) fn on_command(&mut self, id: u64, command: Command) {
        let after = self
            .view
            .as_ref()
            .and_then(|view| view.chat().newest_message());
        let after = after.unwrap_or_default();
        self.asked.push(Asked { id, command, after });
    }

    /// What has been read now that the user sees the end of the conversation, or no longer.
    pub(super) fn look(&self, looking: bool) -> Reading {
        let mut reading = self.reading.clone();
        reading.look(looking);
        if let Some(view) = &self.view {
            reading.seen(view.chat().newest_message().unwrap_or_default());
        }
        reading
    }
}

/// Where a conversation is opened: at the first message that was not read, or at the last that was,
/// if there may be more between them than is loaded.
fn opening(view: &ViewHandle, reading: &Reading) -> Option<MessageId> {
    let first = reading.first_unread()?;
    let chat = view.chat();
    // Of the open chat there are no parts.
    let is_loaded = view.id() == ConversationId::OPEN
        || !chat.more_history
        || chat.oldest_message() <= Some(reading.read());
    Some(if is_loaded { first } else { reading.read() })
}

/// Whether the answer to a command matters to the conversation alone.
pub(super) fn is_about_conversation(command: &Command) -> bool {
    matches!(
        command,
        Command::Say { .. }
            | Command::History { .. }
            | Command::HistoryFrom { .. }
            | Command::Draft { .. }
            | Command::Edit { .. }
            | Command::Delete { .. }
            | Command::React { .. }
    )
}

fn message_of(event: &Event) -> Option<MessageId> {
    match event {
        Event::Message(message) => Some(message.id),
        Event::Post(post) => Some(post.id),
        _ => None,
    }
}

/// What a screen reader says of an event: the messages of others, and notices. Nothing of what is
/// folded away.
fn spoken(event: &Event, view: &View) -> Option<Line> {
    match event {
        Event::Message(message) => (!message.is_own()).then(|| message.clone().into()),
        Event::Post(post) if view.has_blocked(&post.from) => None,
        Event::Post(post) => (!post.is_own()).then(|| Post::clone(post).into()),
        event => View::notice(event),
    }
}
