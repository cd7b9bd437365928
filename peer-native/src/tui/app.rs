//! The state of the screen: the view, and the state of this terminal.

use p2pchat_model::{Command, Event, Line, Link, MessageId, Timestamp, Username, View};

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
    /// Send these commands, one after the other.
    SendAll(Vec<Command>),
    /// Draw the whole screen again: another program wrote onto it.
    Redraw,
    /// End the program.
    Quit,
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
    pub(super) look: Look,
    pub(super) sign_in: SignIn,
    pub(super) input: InputLine,
    pub(super) scroll: Scroll,
    pub(super) overlay: Option<Overlay>,
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
    /// How many of the last lines are below the separator for new ones.
    pub(super) new: Option<usize>,
    /// How many messages came while the end of the conversation was not on the screen.
    pub(super) below: usize,
    /// Rows of the last frame with what terminals draw in different widths.
    pub(super) uncertain_rows: Vec<u16>,
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
            quit_asked: None,
            seeking: None,
            lit: None,
            new: None,
            below: 0,
            uncertain_rows: Vec::new(),
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
            Event::RequestReceived(_) => self.ring |= self.look.bell,
            // A key pressed for it must not answer the next one.
            Event::RequestClosed { .. } => self.close_overlay(Topic::Requests),
            // Not where the login is repeated: what the user has open stays open.
            Event::LoggedIn { .. } if was_signing_in => {
                self.hint = None;
                self.overlay = None;
            }
            Event::Findings { .. } if self.wants_findings => {
                self.wants_findings = false;
                self.overlay = Some(Overlay::new(Topic::Findings));
            }
            Event::History { .. } if self.seeking.is_some() => return self.seek(now),
            Event::History { messages, .. } if std::mem::take(&mut self.wants_history) => {
                self.hint = messages
                    .is_empty()
                    .then(|| "there are no earlier messages".to_owned());
            }
            Event::Failed { failure, .. } if failure.command == "history" => {
                self.wants_history = false;
                self.seeking = None;
            }
            Event::LoggedOut { .. } => self.seeking = None,
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

    /// The conversation as it is laid out now.
    pub(super) fn layout(&self) -> Layout<'_> {
        Layout {
            view: &self.view,
            clock: &self.look.clock,
            theme: self.look.theme,
            columns: self.page.0,
            new: self.new,
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
        (at_top && self.view.more_history).then(|| self.earlier())
    }

    /// Asks for the messages before the oldest line.
    fn earlier(&mut self) -> Act {
        let before = self.view.oldest_message();
        self.send(Command::History { before })
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
        if let Some(index) = self.view.lines.iter().position(is_it) {
            self.stop_seeking();
            self.hint = None;
            self.lit = Some((id, now));
            let mut scroll = self.scroll;
            scroll.show(&self.layout(), index, self.page.1);
            self.scroll = scroll;
            None
        } else if self.view.more_history {
            self.hint = Some("looking for it in earlier messages… Esc stops".to_owned());
            let before = self.view.oldest_message();
            Some(Act::Send(Command::History { before }))
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

    /// Sends a command; remembers what its answer is for.
    pub(super) fn send(&mut self, command: Command) -> Act {
        self.wants_findings |= matches!(command, Command::Find { .. });
        self.wants_history |= matches!(command, Command::History { .. });
        Act::Send(command)
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
