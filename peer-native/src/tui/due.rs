//! What is sent without a key: read marks, drafts, and that the user is there and writes.

use p2pchat_model::{Call, Command, MessageId, Standing, Timestamp};

use super::app::{App, For};
use super::compose::Composing;
use super::conversation;

/// How often the peer is told that keys are pressed.
const ACTIVE_EVERY_MS: u64 = 60_000;
/// How often members are told that the user is writing.
const TYPING_EVERY_MS: u64 = 3000;
/// For how long what is new is on the screen before it counts as read, as in the page.
const READ_AFTER_MS: u64 = 500;

impl App {
    /// What is to be sent now without a key: that messages were read, and the draft.
    pub fn due(&mut self, now: Timestamp) -> Vec<Call> {
        if self.view.account.is_none() {
            return Vec::new();
        }
        let drafted = self.drafted().to_owned();
        let draft = self.draft.due(&drafted, now);
        let draft = draft.map(|text| self.draft_call(text));
        let active = self.active_call(now);
        let typing = self.typing_call(now);
        let page = self.page_call();
        let read = self.read_call(now).into_iter();
        let calls = read.chain(draft).chain(active);
        calls.chain(typing).chain(page).collect()
    }

    /// Tells the members that the user is writing.
    fn typing_call(&mut self, now: Timestamp) -> Option<Call> {
        // Another text of a message is none that the members wait for.
        self.is_typing &= !matches!(self.composing, Composing::Edit { .. });
        let is_due = self
            .told_typing
            .is_none_or(|told| now.0.saturating_sub(told.0) >= TYPING_EVERY_MS);
        if !is_due || !std::mem::take(&mut self.is_typing) {
            return None;
        }
        let text = self.input.editor.text();
        let chat = self.conversation().chat.as_ref()?;
        if text.is_empty() || text.starts_with('/') || chat.standing != Standing::In {
            return None;
        }
        self.told_typing = Some(now);
        let conversation = self.current;
        let command = Command::Typing { conversation };
        Some(self.calls.add(For::Typing, command.into()))
    }

    /// Asks for the page before the lines of an encrypted conversation while they do not fill
    /// the screen: at first there is the newest message only.
    fn page_call(&mut self) -> Option<Call> {
        let conversation = self.conversation();
        let is_needed = conversation.chat.is_some()
            && conversation.more_history
            && (conversation.lines.len() < self.page.1 || self.begins_above());
        let (conversation, before) = (conversation.id, conversation.oldest_message());
        if !is_needed || self.paged == Some((conversation, before)) {
            return None;
        }
        self.paged = Some((conversation, before));
        let command = Command::History {
            conversation,
            before,
        };
        Some(self.calls.add(For::Page, command.into()))
    }

    /// Tells the peer that the user is there.
    fn active_call(&mut self, now: Timestamp) -> Option<Call> {
        // Signing in and joining tell it too.
        let told = *self.told_active.get_or_insert(now);
        let is_due = now.0.saturating_sub(told.0) >= ACTIVE_EVERY_MS;
        if !is_due || !std::mem::take(&mut self.is_active) {
            return None;
        }
        self.told_active = Some(now);
        Some(self.calls.add(For::Active, Command::Active.into()))
    }

    /// Notes that the user has pressed a key.
    pub(super) fn note_active(&mut self) {
        self.is_active = true;
    }

    /// What is to be sent before the end: the draft.
    pub fn last_call(&mut self) -> Option<Call> {
        self.view.account?;
        let drafted = self.drafted().to_owned();
        let draft = self.draft.flush(&drafted)?;
        Some(self.draft_call(draft))
    }

    pub(super) fn draft_call(&mut self, text: String) -> Call {
        let conversation = self.current;
        let command = Command::Draft { conversation, text };
        self.calls.add(For::Draft, command.into())
    }

    /// How far the conversation that is shown was read, as far as it is known here.
    pub(super) fn read_so_far(&self) -> MessageId {
        let read = self.conversation().read.max(self.read);
        read.unwrap_or_default()
    }

    /// The last message before those that are new, where the screen has no room for all of these and
    /// the user was not led to the first: so it is with what comes after a start.
    pub(super) fn unseen_after(&self) -> Option<MessageId> {
        let read = self.read_so_far();
        let first = conversation::first_new(&self.conversation().lines, read)?;
        let is_led = self.is_away() || self.new.is_some_and(|new| new >= read);
        (!is_led && !self.reaching(first).is_at_end()).then_some(read)
    }

    /// Whether what is new has been on the screen for a moment.
    pub(super) fn has_looked(&self, now: Timestamp) -> bool {
        let since = self.unread_since;
        since.is_some_and(|since| now.0.saturating_sub(since.0) >= READ_AFTER_MS)
    }

    /// Marks the newest message as read once it was seen for a moment.
    fn read_call(&mut self, now: Timestamp) -> Option<Call> {
        if self.is_away() || self.is_signing_in() || self.is_opening_above() {
            return None;
        }
        let conversation = self.conversation();
        if conversation::first_new(&conversation.lines, self.read_so_far()).is_none() {
            self.unread_since = None;
            return None;
        }
        let message = conversation.newest_message()?;
        self.unread_since.get_or_insert(now);
        if !self.has_looked(now) || self.unseen_after().is_some() {
            return None;
        }
        self.unread_since = None;
        self.read = Some(message);
        let conversation = self.current;
        let command = Command::Read {
            conversation,
            message,
        };
        Some(self.calls.add(For::Read, command.into()))
    }
}
