//! Which conversation is shown, and which part of it.

use p2pchat_model::{Command, ConversationId, Line, MessageId, Timestamp, wording};

use super::app::{Act, App, For};
use super::compose::{Composing, Left};
use super::conversation::{self, Layout};
use super::draft::Draft;
use super::posts;
use super::scroll::Scroll;
use crate::NAME;
use crate::chats;
use crate::wrap::one_line;

/// How many lines are read at most to find the first unread one: as many as are counted.
const MAX_OPENED: usize = 1000;

impl App {
    /// Shows another conversation.
    pub(super) fn show(&mut self, id: ConversationId) -> Option<Act> {
        if id == self.current || self.view.conversation(id).is_none() {
            return None;
        }
        let draft = self.leave_place();
        self.current = id;
        self.enter_place();
        draft
    }

    /// Keeps what is typed in the conversation that is shown.
    fn leave_place(&mut self) -> Option<Act> {
        if matches!(self.composing, Composing::Edit { .. }) {
            self.stop_composing();
        }
        let text = self.input.editor.take();
        let flushed = self.draft.flush(&text);
        let is_gone = self.view.conversation(self.current).is_none();
        let flushed = flushed.filter(|_| !is_gone);
        let call = flushed.map(|text| self.draft_call(text));
        let left = Left {
            text,
            draft: std::mem::take(&mut self.draft),
            composing: std::mem::take(&mut self.composing),
        };
        self.left.insert(self.current, left);
        call.map(Act::Send)
    }

    fn enter_place(&mut self) {
        self.scroll = Scroll::default();
        self.below = 0;
        self.stop_seeking();
        self.stop_selecting();
        (self.read, self.question, self.hint) = (None, None, None);
        (self.is_typing, self.told_typing) = (false, None);
        self.input.is_encrypted = self.conversation().chat.is_some();
        match self.left.remove(&self.current) {
            Some(left) => {
                self.input.editor.set(&left.text);
                (self.draft, self.composing) = (left.draft, left.composing);
            }
            None => {
                self.draft = Draft::default();
                self.load_draft();
            }
        }
        self.show_unread();
        self.unread_since = None;
        self.opens_at_new = true;
        self.shows_blocked = false;
    }

    /// Whether the unread messages of a conversation that was just opened begin above its lines.
    pub(super) fn begins_above(&self) -> bool {
        let lines = &self.conversation().lines;
        let oldest = lines.iter().position(|line| line.message_id().is_some());
        let is_new = oldest.is_some() && self.layout().new == oldest;
        self.opens_at_new && is_new && lines.len() < MAX_OPENED
    }

    /// Scrolls a conversation that was just opened to its first unread message, if that is not on
    /// the screen where the newest one is. Later ones come as they are read.
    pub(super) fn open_at_new(&mut self) {
        if self.opens_at_new {
            self.scroll = self.at_new();
            let conversation = self.conversation();
            let is_short = conversation.lines.len() < self.page.1;
            let is_waiting = conversation.more_history && (is_short || self.begins_above());
            self.opens_at_new = is_waiting;
        }
    }

    /// Whether the conversation was just opened and begins above what is on the screen.
    pub(super) fn is_opening_above(&self) -> bool {
        self.opens_at_new && (self.begins_above() || !self.at_new().is_at_end())
    }

    fn at_new(&self) -> Scroll {
        let new = self.layout().new;
        new.map(|new| self.reaching(new)).unwrap_or_default()
    }

    /// At the end, or as little above it as it takes to show this line.
    pub(super) fn reaching(&self, line: usize) -> Scroll {
        let mut scroll = Scroll::default();
        scroll.reveal(&self.layout(), line, self.page.1);
        scroll
    }

    /// Shows the conversation that was waited for, and another one in place of one that is gone.
    /// Before the first key that is any, unless the open chat has something to show.
    pub(super) fn settle(&mut self) -> Option<Act> {
        let act = self.settle_on();
        let view = &self.view;
        self.left.retain(|id, _| view.conversation(*id).is_some());
        act
    }

    fn settle_on(&mut self) -> Option<Act> {
        if let Some(id) = self.awaited
            && self.view.conversation(id).is_some()
        {
            self.awaited = None;
            return self.show(id);
        }
        let is_idle = !self.is_chosen && self.input.editor.is_empty();
        let is_gone = self.view.conversation(self.current).is_none();
        let is_bare = self.current == ConversationId::OPEN && chats::is_bare(self.view.open());
        let is_left = is_gone || (is_idle && is_bare);
        if !is_left {
            return None;
        }
        let listed = chats::listed(self.shown());
        let mut others = listed.into_iter().filter(|one| one.id != self.current);
        let next = others.next().map(|one| one.id);
        match next {
            Some(next) => self.show(next),
            None if is_gone => self.show(ConversationId::OPEN),
            None => None,
        }
    }

    /// Shows the conversation at this place of the list.
    pub(super) fn go_to(&mut self, at: usize) -> Option<Act> {
        let id = chats::listed(self.shown()).get(at)?.id;
        self.show(id)
    }

    /// Shows the next conversation of the list, or the one before.
    pub(super) fn go_by(&mut self, by: isize) -> Option<Act> {
        let listed = chats::listed(self.shown());
        let now = listed.iter().position(|one| one.id == self.current)?;
        let count = isize::try_from(listed.len()).ok()?;
        let next = (isize::try_from(now).ok()? + by).rem_euclid(count);
        let id = listed.get(usize::try_from(next).ok()?)?.id;
        self.show(id)
    }

    /// Shows the next conversation with something unread: one that mentions the user first, then
    /// one that the user was asked to and has not looked at.
    pub(super) fn go_to_unread(&mut self) -> Option<Act> {
        let listed = chats::listed(self.shown());
        let listed = || listed.iter().filter(|one| one.id != self.current);
        let mention = listed().find(|one| {
            let chat = one.chat.as_ref();
            chat.is_some_and(|chat| chat.mentions > 0)
        });
        let asked: Vec<_> = chats::asked(&self.view).map(|(id, _)| id).collect();
        let asked = asked
            .into_iter()
            .find(|id| *id != self.current && !self.looked_at.contains(id));
        let unread = listed().find(|one| one.unread() > 0);
        let next = mention.map(|one| one.id).or(asked);
        let Some(next) = next.or(unread.map(|one| one.id)) else {
            self.hint = Some("nothing else is unread".to_owned());
            return None;
        };
        if Some(next) == asked {
            self.looked_at.push(next);
        }
        self.show(next)
    }

    /// Takes what another front end has as the draft of a conversation that is not shown.
    pub(super) fn receive_draft(&mut self, id: ConversationId, draft: &str) {
        if let Some(left) = self.left.get_mut(&id)
            && left.draft.receive(draft, &left.text)
        {
            draft.clone_into(&mut left.text);
        }
    }

    /// Separates the messages that the user has not read.
    pub(super) fn show_unread(&mut self) {
        let conversation = self.conversation();
        // Of an encrypted one that was never read all is new.
        let never = conversation.chat.as_ref().map(|_| MessageId::default());
        let read = conversation.read.or(never);
        self.new = read.filter(|_| conversation.unread() > 0);
        self.new_was_seen = !self.is_away();
    }

    /// Takes what another front end has as the draft. One from here that is on its way is newer.
    pub(super) fn take_draft(&mut self) {
        if !self.calls.has(For::Draft) && !matches!(self.composing, Composing::Edit { .. }) {
            self.load_draft();
        }
    }

    fn load_draft(&mut self) {
        let draft = self.conversation().draft.clone();
        if self.draft.receive(&draft, self.input.editor.text()) && draft != self.input.editor.text()
        {
            self.input.editor.set(&draft);
        }
    }

    /// Goes to the end of the conversation.
    pub(super) fn go_to_end(&mut self) {
        self.scroll = Scroll::default();
        self.below = 0;
        self.new_was_seen |= !self.is_away();
    }

    /// The conversation as it is laid out now.
    pub(super) fn layout(&self) -> Layout<'_> {
        let lines = &self.conversation().lines;
        let conversation = self.conversation();
        Layout {
            view: &self.view,
            chat: conversation.chat.as_ref(),
            newest_own: posts::newest_own(lines),
            lines,
            top: self.earlier_chat(),
            clock: &self.look.clock,
            theme: self.look.theme,
            columns: self.page.0,
            shows_blocked: self.shows_blocked,
            new: self
                .new
                .and_then(|read| conversation::first_new(lines, read)),
            lit: self
                .selecting
                .as_ref()
                .map(|selecting| selecting.message)
                .or(self.lit.map(|(id, _)| id)),
        }
    }

    /// Where the messages are that were written under an earlier key of the other one.
    fn earlier_chat(&self) -> Option<String> {
        let shown = self.conversation();
        let is_there = !shown.more_history && self.view.earlier_chat(shown).is_some();
        is_there.then(|| format!("{}: F2", wording::chat::EARLIER_CHAT))
    }

    /// Scrolls by rows, up if negative; at the top it asks for earlier messages.
    pub(super) fn scroll_by(&mut self, by: isize) -> Option<Act> {
        self.opens_at_new = false;
        let mut scroll = self.scroll;
        let layout = self.layout();
        if by < 0 {
            scroll.up(&layout, by.unsigned_abs());
        } else {
            scroll.down(&layout, by.unsigned_abs());
        }
        // Lays out again, which keeps the position inside the conversation.
        scroll.rows(&layout, self.page.1);
        let at_top = by < 0 && self.scroll == scroll;
        self.scroll = scroll;
        if self.scroll.is_at_end() {
            self.go_to_end();
        }
        (at_top && self.conversation().more_history).then(|| self.earlier(For::Earlier))
    }

    /// Asks for the messages before the oldest line.
    pub(super) fn earlier(&mut self, what_for: For) -> Act {
        let command = Command::History {
            conversation: self.current,
            before: self.conversation().oldest_message(),
        };
        self.call(what_for, command)
    }

    /// Shows a message, as soon as its page of the history is there.
    pub(super) fn open(
        &mut self,
        (conversation, id): (ConversationId, MessageId),
        now: Timestamp,
    ) -> Option<Act> {
        let shown = self.show(conversation);
        self.seeking = Some(id);
        Act::join(shown, self.seek(now))
    }

    /// Stops searching for a message.
    pub(super) fn stop_seeking(&mut self) {
        self.seeking = None;
        self.lit = None;
    }

    pub(super) fn seek(&mut self, now: Timestamp) -> Option<Act> {
        let id = self.seeking?;
        let is_it = |line: &Line| line.message_id() == Some(id);
        if let Some(index) = self.conversation().lines.iter().position(is_it) {
            self.stop_seeking();
            self.hint = None;
            self.lit = Some((id, now));
            self.opens_at_new = false;
            let mut scroll = self.scroll;
            scroll.show(&self.layout(), index, self.page.1);
            self.scroll = scroll;
            None
        } else if self.conversation().more_history {
            self.hint = Some("looking for it in earlier messages… Esc stops".to_owned());
            Some(self.earlier(For::Seek))
        } else {
            self.stop_seeking();
            self.hint = Some("this message is too far back to show it here".to_owned());
            None
        }
    }

    /// How many messages are unread that the user is alerted of, in all conversations but one; and
    /// how many of these mention them.
    pub(super) fn unread(&self, but: Option<ConversationId>) -> (usize, u64) {
        let others = self.view.conversations.iter();
        let others = others.filter(|one| Some(one.id) != but);
        others.fold((0, 0), |(unread, mentions), one| match &one.chat {
            None => (unread + one.unread(), mentions),
            Some(chat) => {
                let alerting = usize::try_from(chat.alerting()).unwrap_or(usize::MAX);
                let mentioning = chat.mentions.min(chat.alerting());
                (unread + alerting, mentions + mentioning)
            }
        })
    }

    /// The title of the terminal: how much waits for the user, and what is shown.
    pub(super) fn title(&self) -> String {
        if self.view.account.is_none() {
            return NAME.to_owned();
        }
        let title = one_line(&wording::chat::title(self.conversation()));
        match self.unread(None).0 + chats::requests(&self.view) {
            0 => format!("{title} – {NAME}"),
            count => format!("({count}) {title} – {NAME}"),
        }
    }
}
