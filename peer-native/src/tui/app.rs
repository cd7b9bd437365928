//! The state of the screen: the view, and the state of this terminal.

use p2pchat_model::{
    Call, Code, Command, Conversation, ConversationId, Event, FrontEndId, KnownRegistry, Level,
    Line, Link, MessageId, Snapshot, Timestamp, Trust, Update, Username, View, wording,
};

use super::conversation::{self, Layout};
use super::draft::Draft;
use super::input_line::InputLine;
use super::overlay::{Overlay, Topic};
use super::scroll::Scroll;
use super::sign_in::{Purpose, SignIn};
use super::theme::Theme;
use crate::calls::OpenCalls;
use crate::clock::Clock;
use crate::login::{Attempt, Step};
use crate::options::AutoLogin;
use crate::shown::Shown;

/// Appearance and sound of this terminal.
#[derive(Debug, Clone)]
pub struct Look {
    /// The colours.
    pub theme: Theme,
    /// The time zone.
    pub clock: Clock,
    /// Whether a chat request rings the bell.
    pub bell: bool,
}

/// An effect of a key or an event, to be carried out by the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Send this call to the peer.
    Send(Call),
    /// Send these calls, one after the other.
    SendAll(Vec<Call>),
    /// Draw the whole screen again: another program wrote onto it.
    Redraw,
    /// End the program.
    Quit,
}

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// The login of the options.
    Login,
    /// The sign-in form.
    SignIn,
    /// What the user asked for.
    User,
    /// Words that the user searches for.
    Find,
    /// That the user has compared codes with this one.
    Verify(Username),
    /// Earlier messages, to which the user scrolls.
    Earlier,
    /// Earlier messages, among which a message is searched for.
    Seek,
    /// That messages were read. No one asked for it, and no one is told if it fails.
    Read,
    /// What is typed and not sent. As with those that were read.
    Draft,
    /// That the user is there. As with those that were read.
    Active,
}

/// The code of a user that is shown, to be compared with them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compared {
    pub(super) name: Username,
    pub(super) code: Code,
    pub(super) trust: Trust,
}

/// How often the peer is told that keys are pressed.
const ACTIVE_EVERY_MS: u64 = 60_000;

/// How long a second key quits the program.
pub(super) const QUIT_ASKED_MS: u64 = 3000;
/// How long a message that was searched for is marked.
const LIT_MS: u64 = 2000;

/// The state of the screen. Keys and events change it, [`App::draw`] shows it; it touches
/// neither the terminal nor the network.
#[derive(Debug)]
pub struct App {
    pub(super) view: View,
    /// The conversation that is shown.
    pub(super) current: ConversationId,
    pub(super) look: Look,
    calls: OpenCalls<For>,
    pub(super) sign_in: SignIn,
    /// The form is open although an account is signed in: for the password that the registry
    /// needs again, or for a new one.
    pub(super) is_renewing: bool,
    pub(super) input: InputLine,
    pub(super) scroll: Scroll,
    pub(super) overlay: Option<Overlay>,
    /// The registries that are known, as they were shown last.
    pub(super) registries: Vec<KnownRegistry>,
    /// The code that was shown last.
    pub(super) compared: Option<Compared>,
    /// A key was pressed that the peer was not told of.
    is_active: bool,
    /// When it was told last.
    told_active: Option<Timestamp>,
    /// A message about the last key.
    pub(super) hint: Option<String>,
    /// Columns and rows of the conversation when it was last drawn.
    pub(super) page: (usize, usize),
    /// When the user was asked whether to quit.
    pub(super) quit_asked: Option<Timestamp>,
    /// A message that is searched for in earlier pages of the history.
    seeking: Option<MessageId>,
    /// A message that was searched for and is marked, and since when.
    lit: Option<(MessageId, Timestamp)>,
    /// The last message above the separator for new ones.
    pub(super) new: Option<MessageId>,
    /// How many messages came while the end of the conversation was not on the screen.
    pub(super) below: usize,
    /// Rows of the last frame with what terminals draw in different widths.
    pub(super) uncertain_rows: Vec<u16>,
    new_was_seen: bool,
    focused: bool,
    attempt: Option<Attempt>,
    draft: Draft,
    /// Whether the draft is still there after the last front end has ended.
    pub(super) keeps_draft: bool,
    /// The newest message that was marked as read here.
    read: Option<MessageId>,
    ring: bool,
}

impl App {
    /// Begins with this view.
    #[must_use]
    pub fn new(view: View, look: Look, user: Option<Username>, front_end: &FrontEndId) -> Self {
        let mut app = Self {
            sign_in: SignIn::new(user),
            is_renewing: false,
            view,
            current: ConversationId::OPEN,
            look,
            calls: OpenCalls::new(front_end),
            input: InputLine::default(),
            scroll: Scroll::default(),
            overlay: None,
            registries: Vec::new(),
            compared: None,
            is_active: false,
            told_active: None,
            hint: None,
            page: (80, 20),
            quit_asked: None,
            seeking: None,
            lit: None,
            new: None,
            below: 0,
            uncertain_rows: Vec::new(),
            new_was_seen: true,
            focused: true,
            attempt: None,
            draft: Draft::default(),
            keeps_draft: false,
            read: None,
            ring: false,
        };
        app.show_unread();
        app.take_draft();
        app
    }

    /// The same, where a draft is kept for the next start.
    #[must_use]
    pub fn keeping_draft(self, keeps_draft: bool) -> Self {
        Self {
            keeps_draft,
            ..self
        }
    }

    /// Shows a hint until the next key.
    #[must_use]
    pub fn with_hint(self, hint: Option<String>) -> Self {
        Self { hint, ..self }
    }

    /// Adds a warning to the conversation of this screen.
    pub fn warn(&mut self, text: String, at: Timestamp) {
        let id = self.current;
        let mut conversations = self.view.conversations.iter_mut();
        if let Some(conversation) = conversations.find(|known| known.id == id) {
            let level = Level::Warning;
            conversation.lines.push(Line::Notice { at, level, text });
        }
    }

    /// Begins the login of the options.
    #[must_use]
    pub fn log_in(&mut self, login: AutoLogin) -> Act {
        let (attempt, command) = Attempt::start(login);
        self.attempt = Some(attempt);
        self.sign_in.waiting = true;
        self.call(For::Login, command)
    }

    /// The conversation that is shown.
    pub(super) fn conversation(&self) -> &Conversation {
        self.shown().conversation()
    }

    /// What is shown.
    pub(super) fn shown(&self) -> Shown<'_> {
        let (view, id) = (&self.view, self.current);
        Shown { view, id }
    }

    /// Updates the state at this time.
    pub fn apply(&mut self, update: &Update, now: Timestamp) -> Option<Act> {
        let answers = self.calls.answered_by(update);
        let event = &*update.event;
        if let (Some(attempt), Some(For::Login)) = (&self.attempt, answers) {
            match attempt.on_answer(event, &self.view) {
                Step::Send(command) => return Some(self.call(For::Login, command)),
                Step::Done | Step::Failed(_) => self.attempt = None,
                Step::Wait => {}
            }
        }
        match (event, answers) {
            (Event::Failed(_), Some(For::Read | For::Draft | For::Active)) => return None,
            (Event::View(snapshot), _) => return self.replace_view(snapshot, now),
            _ => {}
        }
        let was_signing_in = self.is_signing_in();
        let is_repeated = self.shown().has(event);
        self.view.apply(event);
        let is_sign_in = matches!(answers, Some(For::SignIn | For::Login));
        self.sign_in.apply(event, is_sign_in);
        let is_line = matches!(event, Event::Message(_)) || View::notice(event).is_some();
        if is_line && !is_repeated {
            self.line_added(event);
        }
        self.follow(event, answers, was_signing_in, now)
    }

    /// What follows from an event on this screen, besides the view.
    fn follow(
        &mut self,
        event: &Event,
        answers: Option<For>,
        was_signing_in: bool,
        now: Timestamp,
    ) -> Option<Act> {
        match (event, answers) {
            (Event::RequestReceived(_), _) => self.ring |= self.look.bell,
            // A key pressed for it must not answer the next one.
            (Event::RequestClosed { .. }, _) => self.close_overlay(Topic::Requests),
            // Not where the login is repeated: what the user has open stays open.
            (Event::LoggedIn { .. }, _)
                if was_signing_in && self.sign_in.purpose != Purpose::Change =>
            {
                self.hint = None;
                self.overlay = None;
                self.is_renewing = false;
            }
            (Event::Findings { .. }, Some(For::Find)) => {
                self.overlay = Some(Overlay::new(Topic::Findings));
            }
            (Event::Done, Some(For::Verify(name))) => {
                self.hint = Some(wording::security::is_verified(name));
            }
            (Event::Done, Some(For::SignIn)) if self.sign_in.purpose == Purpose::Change => {
                self.close_form();
                self.hint = Some("your password is changed".to_owned());
            }
            (Event::Code { name, code, trust }, Some(_)) => {
                let (name, code, trust) = (*name, *code, *trust);
                self.compared = Some(Compared { name, code, trust });
                self.overlay = Some(Overlay::new(Topic::Code));
            }
            (Event::Registries { list }, Some(_)) => {
                self.registries.clone_from(list);
                self.overlay = Some(Overlay::new(Topic::Registries));
            }
            (Event::DisplayName { .. } | Event::Busy { .. } | Event::Away { .. }, Some(_)) => {
                self.hint = Some(wording::security::shown_as(&self.view));
            }
            (Event::LegacyLogin { on }, Some(_)) => {
                self.hint = Some(wording::security::legacy_login(*on).to_owned());
            }
            (Event::History { .. }, Some(For::Seek)) => return self.seek(now),
            (Event::History { messages, .. }, Some(For::Earlier)) => {
                self.hint = messages
                    .is_empty()
                    .then(|| "there are no earlier messages".to_owned());
            }
            // The page that comes after a login.
            (Event::History { .. }, None) => self.show_unread(),
            (Event::Failed(_), Some(For::Seek)) => self.seeking = None,
            (Event::LoggedOut { .. }, _) => {
                self.seeking = None;
                self.is_renewing = false;
                self.read = None;
            }
            (Event::Read { .. }, None) if self.conversation().unread() == 0 => self.new = None,
            (Event::Draft { .. }, None) => self.take_draft(),
            _ => {}
        }
        None
    }

    /// The view after events were missed, or another process has taken over.
    fn replace_view(&mut self, snapshot: &Snapshot, now: Timestamp) -> Option<Act> {
        self.view.clone_from(&snapshot.view);
        if snapshot.missed > 0 {
            // Perhaps those that close calls.
            self.calls.clear();
            self.sign_in.waiting = false;
            self.attempt = None;
            self.hint = Some("some events were missed: they came too fast".to_owned());
        }
        if self.sign_in.purpose == Purpose::Renewal {
            self.is_renewing &= self.view.link == Link::PasswordNeeded;
        }
        if self.view.incoming.is_none() {
            self.close_overlay(Topic::Requests);
        }
        if self.new.is_none() {
            self.show_unread();
        }
        if self.input.editor.is_empty() {
            self.take_draft();
        }
        self.seek(now)
    }

    /// Separates the messages that the user has not read.
    fn show_unread(&mut self) {
        let conversation = self.conversation();
        self.new = conversation.read.filter(|_| conversation.unread() > 0);
        self.new_was_seen = !self.is_away();
    }

    /// Takes what another front end has as the draft. One from here that is on its way is newer.
    fn take_draft(&mut self) {
        if self.calls.has(For::Draft) {
            return;
        }
        let draft = self.conversation().draft.clone();
        if self.draft.receive(&draft, self.input.editor.text()) && draft != self.input.editor.text()
        {
            self.input.editor.set(&draft);
        }
    }

    /// What is to be sent now without a key: that messages were read, and the draft.
    pub fn due(&mut self, now: Timestamp) -> Vec<Call> {
        if self.view.account.is_none() {
            return Vec::new();
        }
        let draft = self.draft.due(self.input.editor.text(), now);
        let draft = draft.map(|text| self.draft_call(text));
        let active = self.active_call(now);
        let read = self.read_call().into_iter();
        read.chain(draft).chain(active).collect()
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
        let draft = self.draft.flush(self.input.editor.text())?;
        Some(self.draft_call(draft))
    }

    fn draft_call(&mut self, text: String) -> Call {
        let conversation = self.current;
        let command = Command::Draft { conversation, text };
        self.calls.add(For::Draft, command.into())
    }

    /// Marks the newest message as read once it is seen.
    fn read_call(&mut self) -> Option<Call> {
        if self.is_away() || self.is_signing_in() {
            return None;
        }
        let conversation = self.conversation();
        let read = conversation.read.max(self.read).unwrap_or_default();
        conversation::first_new(&conversation.lines, read)?;
        let message = conversation.newest_message()?;
        self.read = Some(message);
        let conversation = self.current;
        let command = Command::Read {
            conversation,
            message,
        };
        Some(self.calls.add(For::Read, command.into()))
    }

    fn line_added(&mut self, event: &Event) {
        let own = matches!(event, Event::Message(message) if message.is_own());
        let from_others = matches!(event, Event::Message(_)) && !own;
        self.scroll.line_added();
        let away = self.is_away();
        if own {
            self.new = None;
        } else if from_others && away && (self.new.is_none() || self.new_was_seen) {
            let read = self.conversation().read.max(self.read);
            self.new = Some(read.unwrap_or_default());
        }
        self.new_was_seen = !away;
        if from_others && !self.scroll.is_at_end() {
            self.below += 1;
        }
    }

    /// Whether a new line is not seen at once.
    fn is_away(&self) -> bool {
        !self.focused || !self.scroll.is_at_end()
    }

    /// Sets whether the terminal has the focus.
    pub fn focus(&mut self, focused: bool) {
        self.focused = focused;
        self.new_was_seen |= !self.is_away();
    }

    /// Whether to ring the bell now, once.
    pub fn take_ring(&mut self) -> bool {
        std::mem::take(&mut self.ring)
    }

    /// Whether the sign-in form is shown.
    pub(super) fn is_signing_in(&self) -> bool {
        self.view.account.is_none() || self.is_renewing
    }

    /// Whether the stop before a registry with another key is in the place of the sign-in form.
    pub(super) fn is_stopped(&self) -> bool {
        self.is_signing_in() && self.view.is_stopped()
    }

    /// Opens the sign-in form for the password that the registry needs again. It opens by a key
    /// and never by itself: what is typed for the conversation must not get into it.
    pub(super) fn renew(&mut self) {
        if let (Link::PasswordNeeded, Some(account)) = (&self.view.link, self.view.account) {
            self.sign_in = SignIn::renewing(account);
            self.is_renewing = true;
        }
    }

    /// Opens the form for a new password.
    pub(super) fn change_password(&mut self) {
        if let Some(account) = self.view.account {
            self.sign_in = SignIn::changing(account);
            self.is_renewing = true;
        }
    }

    /// Closes a form that is open although an account is signed in.
    pub(super) fn close_form(&mut self) {
        self.is_renewing = false;
        self.sign_in = SignIn::new(self.view.account);
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
        Layout {
            view: &self.view,
            lines,
            clock: &self.look.clock,
            theme: self.look.theme,
            columns: self.page.0,
            new: self
                .new
                .and_then(|read| conversation::first_new(lines, read)),
            lit: self.lit.map(|(id, _)| id),
        }
    }

    /// Scrolls by rows, up if negative; at the top it asks for earlier messages.
    pub(super) fn scroll_by(&mut self, by: isize) -> Option<Act> {
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
    fn earlier(&mut self, what_for: For) -> Act {
        let command = Command::History {
            conversation: self.current,
            before: self.conversation().oldest_message(),
        };
        self.call(what_for, command)
    }

    /// Shows a message, as soon as its page of the history is there.
    pub(super) fn open(&mut self, id: MessageId, now: Timestamp) -> Option<Act> {
        self.seeking = Some(id);
        self.seek(now)
    }

    /// Stops searching for a message.
    pub(super) fn stop_seeking(&mut self) {
        self.seeking = None;
        self.lit = None;
    }

    fn seek(&mut self, now: Timestamp) -> Option<Act> {
        let id = self.seeking?;
        let is_it = |line: &Line| matches!(line, Line::Message(message) if message.id == id);
        if let Some(index) = self.conversation().lines.iter().position(is_it) {
            self.stop_seeking();
            self.hint = None;
            self.lit = Some((id, now));
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

    /// Closes the overlay if it has this topic.
    fn close_overlay(&mut self, topic: Topic) {
        self.overlay.take_if(|overlay| overlay.topic == topic);
    }

    /// Does what is due at this time without a key; whether the screen changes.
    pub fn tick(&mut self, now: Timestamp) -> bool {
        let is_over = |since: Timestamp, span| now.0.saturating_sub(since.0) >= span;
        let quit = self.quit_asked.take_if(|at| is_over(*at, QUIT_ASKED_MS));
        if quit.is_some() {
            self.hint = None;
        }
        let lit = self.lit.take_if(|(_, since)| is_over(*since, LIT_MS));
        quit.is_some() || lit.is_some()
    }

    /// Whether letters are commands now. A burst of them is not meant for that.
    #[must_use]
    pub fn takes_letters_one_by_one(&self) -> bool {
        self.overlay.is_some()
    }

    /// Sends a command of the user.
    pub(super) fn send(&mut self, command: Command) -> Act {
        let what_for = match command {
            Command::Find { .. } => For::Find,
            Command::History { .. } => For::Earlier,
            Command::Trust { name, .. } => For::Verify(name),
            _ => For::User,
        };
        self.call(what_for, command)
    }

    /// Sends commands of the user.
    pub(super) fn send_all(&mut self, commands: Vec<Command>) -> Act {
        let calls = commands.into_iter();
        Act::SendAll(
            calls
                .map(|command| self.calls.add(For::User, command.into()))
                .collect(),
        )
    }

    /// Sends a command, and notes what it is for.
    pub(super) fn call(&mut self, what_for: For, command: Command) -> Act {
        Act::Send(self.calls.add(what_for, command.into()))
    }

    /// Whether the screen shows a countdown.
    #[must_use]
    pub fn counts_down(&self) -> bool {
        let down = matches!(self.view.link, Link::Down { .. });
        down || self.view.undo.is_some()
            || self.view.incoming.is_some()
            || !self.view.outgoing.is_empty()
    }
}
