//! The state of the screen: the view, and the state of this terminal.

use p2pchat_model::{Command, Event, Link, Timestamp, Username, View};

use super::answer::{self, PendingAnswer};
use super::conversation::Layout;
use super::input_line::InputLine;
use super::overlay::{Overlay, Topic};
use super::scroll::Scroll;
use super::sign_in::SignIn;
use super::theme::Theme;
use crate::clock::Clock;
use crate::login::{Attempt, Step};
use crate::options::AutoLogin;

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
    /// Send this command to the peer.
    Send(Command),
    /// Draw the whole screen again: another program wrote onto it.
    Redraw,
    /// End the program.
    Quit,
}

/// The state of the screen. Keys and events change it, [`App::draw`] shows it; it touches
/// neither the terminal nor the network.
#[derive(Debug)]
pub struct App {
    pub(super) view: View,
    pub(super) look: Look,
    pub(super) sign_in: SignIn,
    pub(super) input: InputLine,
    pub(super) scroll: Scroll,
    pub(super) overlay: Option<Overlay>,
    /// A message about the last key.
    pub(super) hint: Option<String>,
    /// Columns and rows of the conversation when it was last drawn.
    pub(super) page: (usize, usize),
    /// When the pending request came onto the screen.
    request_shown_at: Timestamp,
    /// A letter that will answer it, unless more is typed.
    pub(super) pending_answer: Option<PendingAnswer>,
    /// How many of the last lines are below the separator for new ones.
    pub(super) new: Option<usize>,
    /// How many messages came while the end of the conversation was not on the screen.
    pub(super) below: usize,
    new_was_seen: bool,
    focused: bool,
    attempt: Option<Attempt>,
    wants_findings: bool,
    wants_history: bool,
    ring: bool,
}

impl App {
    /// Begins with this view.
    #[must_use]
    pub fn new(view: View, look: Look, user: Option<Username>) -> Self {
        Self {
            view,
            look,
            sign_in: SignIn::new(user),
            input: InputLine::default(),
            scroll: Scroll::default(),
            overlay: None,
            hint: None,
            page: (80, 20),
            request_shown_at: Timestamp::default(),
            pending_answer: None,
            new: None,
            below: 0,
            new_was_seen: true,
            focused: true,
            attempt: None,
            wants_findings: false,
            wants_history: false,
            ring: false,
        }
    }

    /// Begins the login of the options.
    #[must_use]
    pub fn log_in(&mut self, login: AutoLogin) -> Act {
        let (attempt, command) = Attempt::start(login);
        self.attempt = Some(attempt);
        self.sign_in.waiting = true;
        Act::Send(command)
    }

    /// Replaces the view after events were missed.
    pub fn replace_view(&mut self, view: View) {
        self.view = view;
        self.sign_in.waiting = false;
        self.attempt = None;
        self.hint = Some("some events were missed: they came too fast".to_owned());
    }

    /// Updates the state by an event at this time.
    pub fn apply(&mut self, event: &Event, now: Timestamp) -> Option<Act> {
        let step = self.attempt.as_ref().map(|attempt| attempt.on_event(event));
        if let Some(Step::Send(command)) = step {
            return Some(Act::Send(command));
        }
        if matches!(step, Some(Step::Done | Step::Failed(_))) {
            self.attempt = None;
        }
        let was_signing_in = self.is_signing_in();
        self.view.apply(event);
        self.sign_in.apply(event);
        if matches!(event, Event::Message(_)) || View::notice(event).is_some() {
            self.line_added(event);
        }
        match event {
            Event::RequestReceived(_) => {
                self.request_shown_at = now;
                self.ring |= self.look.bell;
            }
            Event::RequestClosed { .. } if self.pending_answer.take().is_some() => {
                self.input.editor.wipe();
            }
            // Not where the login is repeated: what the user has open stays open.
            Event::LoggedIn { .. } if was_signing_in => {
                self.hint = None;
                self.overlay = None;
            }
            Event::Findings { .. } if self.wants_findings => {
                self.wants_findings = false;
                self.overlay = Some(Overlay::new(Topic::Findings));
            }
            Event::History { messages, .. } if std::mem::take(&mut self.wants_history) => {
                self.hint = messages
                    .is_empty()
                    .then(|| "there are no earlier messages".to_owned());
            }
            Event::Failed { failure, .. } if failure.command == "history" => {
                self.wants_history = false;
            }
            _ => {}
        }
        None
    }

    fn line_added(&mut self, event: &Event) {
        let own = matches!(event, Event::Message(message) if message.is_own());
        let from_others = matches!(event, Event::Message(_)) && !own;
        self.scroll.line_added();
        let away = self.is_away();
        self.new = match self.new {
            _ if own => None,
            Some(_) if self.new_was_seen && away && from_others => Some(1),
            Some(count) => Some(count + 1),
            None if away && from_others => Some(1),
            None => None,
        };
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
        self.view.account.is_none()
    }

    /// Goes to the end of the conversation.
    pub(super) fn go_to_end(&mut self) {
        self.scroll = Scroll::default();
        self.below = 0;
        self.new_was_seen |= !self.is_away();
    }

    /// Scrolls by rows, up if negative; at the top it asks for earlier messages.
    pub(super) fn scroll_by(&mut self, by: isize) -> Option<Act> {
        let layout = Layout {
            view: &self.view,
            clock: &self.look.clock,
            theme: self.look.theme,
            columns: self.page.0,
            new: self.new,
        };
        let before = self.scroll;
        if by < 0 {
            self.scroll.up(&layout, by.unsigned_abs());
        } else {
            self.scroll.down(&layout, by.unsigned_abs());
        }
        // Lays out again, which keeps the position inside the conversation.
        self.scroll.rows(&layout, self.page.1);
        if self.scroll.is_at_end() {
            self.go_to_end();
        }
        let at_top = by < 0 && self.scroll == before;
        (at_top && self.view.more_history).then(|| self.earlier())
    }

    /// Asks for the messages before the oldest line.
    fn earlier(&mut self) -> Act {
        let before = self.view.oldest_message();
        self.send(Command::History { before })
    }

    /// Sends a command; remembers what its answer is for.
    pub(super) fn send(&mut self, command: Command) -> Act {
        self.wants_findings |= matches!(command, Command::Find { .. });
        self.wants_history |= matches!(command, Command::History { .. });
        Act::Send(command)
    }

    /// Whether a single letter answers the pending request.
    pub(super) fn letters_answer(&self, now: Timestamp) -> bool {
        self.input.editor.is_empty() && answer::letters_answer(self.request_shown_at, now)
    }

    /// Whether the screen shows a countdown.
    #[must_use]
    pub fn counts_down(&self) -> bool {
        let down = matches!(self.view.link, Link::Down { .. });
        down || self.view.incoming.is_some() || !self.view.outgoing.is_empty()
    }
}
