//! The state of the screen: the view, and the state of this terminal.

use std::collections::BTreeMap;

use p2pchat_model::wording::first;
use p2pchat_model::{
    Call, Code, Command, Conversation, ConversationId, FrontEndId, KnownRegistry, Level, Line,
    Link, MessageId, Timestamp, Trust, Username, View,
};
use ratatui::layout::Rect;

use super::choose::Choose;
use super::compose::{Composing, Left, Opening, Question};
use super::draft::Draft;
use super::input_line::InputLine;
use super::overlay::{Overlay, Topic};
use super::rail;
use super::scroll::Scroll;
use super::select::Selecting;
use super::sign_in::SignIn;
use super::switcher::Switcher;
use super::theme::Theme;
use crate::calls::OpenCalls;
use crate::clock::Clock;
use crate::login::Attempt;
use crate::options::AutoLogin;
use crate::shown::Shown;

/// Appearance and sound of this terminal.
#[derive(Debug, Clone)]
pub struct Look {
    /// The colours.
    pub theme: Theme,
    /// The time zone.
    pub clock: Clock,
    /// Whether the bell rings for a chat request, and for messages that the user wants to be
    /// alerted of.
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
    /// Put this text into the clipboard of the terminal.
    Copy(String),
    /// Show this link in the browser of the user.
    Open(String),
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
    /// The choice of a registry.
    Registry,
    /// What the user asked for.
    User,
    /// Words that the user searches for.
    Find,
    /// Whether the key of this one is verified.
    Verify(Username, bool),
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
    /// That the user is writing. As with those that were read.
    Typing,
    /// The first page of a conversation that is shown. As with those that were read.
    Page,
}

impl For {
    /// Whether no one asked for it, so that no one is told if it fails.
    pub(super) fn is_quiet(self) -> bool {
        matches!(
            self,
            Self::Read | Self::Draft | Self::Active | Self::Typing | Self::Page
        )
    }
}

impl Act {
    /// Both, where there are two.
    pub(super) fn join(first: Option<Self>, second: Option<Self>) -> Option<Self> {
        let calls = |act: &Self| match act {
            Self::Send(call) => Some(vec![call.clone()]),
            Self::SendAll(calls) => Some(calls.clone()),
            Self::Redraw | Self::Copy(_) | Self::Open(_) | Self::Quit => None,
        };
        match (first, second) {
            (Some(first), Some(second)) => match (calls(&first), calls(&second)) {
                (Some(first), Some(second)) => Some(Self::SendAll([first, second].concat())),
                (Some(_), None) => Some(second),
                _ => Some(first),
            },
            (first, second) => first.or(second),
        }
    }
}

/// The code of a user that is shown, to be compared with them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compared {
    pub(super) name: Username,
    pub(super) code: Code,
    pub(super) trust: Trust,
}

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
    pub(super) calls: OpenCalls<For>,
    pub(super) sign_in: SignIn,
    /// The choice of a registry, in the place of the sign-in form.
    pub(super) choose: Option<Choose>,
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
    pub(super) is_active: bool,
    /// When it was told last.
    pub(super) told_active: Option<Timestamp>,
    /// The text was changed, and the members were not told that the user is writing.
    pub(super) is_typing: bool,
    /// When they were told last.
    pub(super) told_typing: Option<Timestamp>,
    /// What the text in the field is: a message, a reply, or another text of a message.
    pub(super) composing: Composing,
    /// What is typed in conversations that are not shown.
    pub(super) left: BTreeMap<ConversationId, Left>,
    /// The message that keys act on.
    pub(super) selecting: Option<Selecting>,
    /// Messages of people who are blocked are shown in this conversation.
    pub(super) shows_blocked: bool,
    /// How many links of that message were opened.
    pub(super) opened_links: usize,
    /// A question about what was asked for.
    pub(super) question: Option<Question>,
    /// What led into the open chat last, as long as it may need the consent of the user.
    pub(super) opening: Option<Opening>,
    /// The list of chats and people to go to.
    pub(super) switcher: Option<Switcher>,
    /// Whether the list of chats at the left is hidden.
    pub(super) is_rail_hidden: bool,
    /// The list as it was drawn last: where, and what its rows lead to.
    pub(super) rail_rows: (Rect, Vec<rail::Target>),
    /// The user has pressed a key since the start: what is shown is theirs to choose.
    pub(super) is_chosen: bool,
    /// A conversation that is shown as soon as the view has it.
    pub(super) awaited: Option<ConversationId>,
    /// The conversations that the user was asked to and has looked at.
    pub(super) looked_at: Vec<ConversationId>,
    /// The first page that was asked for last: of which conversation, and before which message.
    pub(super) paged: Option<(ConversationId, Option<MessageId>)>,
    /// A message about the last key.
    pub(super) hint: Option<String>,
    /// Columns and rows of the conversation when it was last drawn.
    pub(super) page: (usize, usize),
    /// When the user was asked whether to quit.
    pub(super) quit_asked: Option<Timestamp>,
    /// The conversation was just opened, and is shown from its first unread message on.
    pub(super) opens_at_new: bool,
    /// A message that is searched for in earlier pages of the history.
    pub(super) seeking: Option<MessageId>,
    /// A message that was searched for and is marked, and since when.
    pub(super) lit: Option<(MessageId, Timestamp)>,
    /// The last message above the separator for new ones.
    pub(super) new: Option<MessageId>,
    /// Since when there is something unread on the screen.
    pub(super) unread_since: Option<Timestamp>,
    /// How many messages came while the end of the conversation was not on the screen.
    pub(super) below: usize,
    /// Rows of the last frame with what terminals draw in different widths.
    pub(super) uncertain_rows: Vec<u16>,
    pub(super) new_was_seen: bool,
    pub(super) focused: bool,
    pub(super) attempt: Option<Attempt>,
    pub(super) draft: Draft,
    /// Whether the draft is still there after the last front end has ended.
    pub(super) keeps_draft: bool,
    /// The newest message that was marked as read here.
    pub(super) read: Option<MessageId>,
    pub(super) ring: bool,
}

impl App {
    /// Begins with this view.
    #[must_use]
    pub fn new(view: View, look: Look, user: Option<Username>, front_end: &FrontEndId) -> Self {
        let mut app = Self {
            sign_in: SignIn::new(user),
            choose: (view.link == Link::NoRegistry).then(|| Choose::new(&view)),
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
            is_typing: false,
            told_typing: None,
            composing: Composing::default(),
            left: BTreeMap::new(),
            selecting: None,
            shows_blocked: false,
            opened_links: 0,
            question: None,
            opening: None,
            switcher: None,
            is_rail_hidden: false,
            rail_rows: <_>::default(),
            is_chosen: false,
            awaited: None,
            looked_at: Vec::new(),
            paged: None,
            hint: None,
            page: (80, 20),
            quit_asked: None,
            opens_at_new: true,
            seeking: None,
            lit: None,
            new: None,
            unread_since: None,
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
        app.settle();
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

    /// Whether to ring the bell now, once.
    pub fn take_ring(&mut self) -> bool {
        std::mem::take(&mut self.ring)
    }

    /// Whether the sign-in form is shown.
    pub(super) fn is_signing_in(&self) -> bool {
        self.view.account.is_none() || self.is_renewing
    }

    /// Whether the choice of a registry is in the place of the sign-in form.
    pub(super) fn is_choosing(&self) -> bool {
        self.is_signing_in() && !self.is_renewing && self.choose.is_some()
    }

    /// Copies the invitation of others to the same registry, and shows it.
    pub(super) fn invite(&mut self) -> Option<Act> {
        let invitation = first::invitation(&self.view)?;
        self.overlay = Some(Overlay::new(Topic::Invitation));
        Some(Act::Copy(invitation))
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

    /// Closes the overlay if it has this topic.
    pub(super) fn close_overlay(&mut self, topic: Topic) {
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
        let unseen = self.unseen_after().filter(|_| self.has_looked(now));
        if unseen.is_some() {
            self.new = unseen;
            self.opens_at_new = true;
        }
        quit.is_some() || lit.is_some() || unseen.is_some()
    }

    /// Whether letters are commands now. A burst of them is not meant for that.
    #[must_use]
    pub fn takes_letters_one_by_one(&self) -> bool {
        let takes = self.overlay.is_some() || self.question.is_some();
        takes
            || self
                .selecting
                .as_ref()
                .is_some_and(Selecting::takes_letters)
    }

    /// Sends a command of the user.
    pub(super) fn send(&mut self, command: Command) -> Act {
        self.note_opening(&command);
        let what_for = match command {
            Command::Find { .. } => For::Find,
            Command::History { .. } => For::Earlier,
            Command::Trust { name, verified, .. } => For::Verify(name, verified),
            _ => For::User,
        };
        self.call(what_for, command)
    }

    /// Sends commands of the user.
    pub(super) fn send_all(&mut self, commands: Vec<Command>) -> Act {
        for command in &commands {
            self.note_opening(command);
        }
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
