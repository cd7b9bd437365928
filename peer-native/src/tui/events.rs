//! What events do to the screen.

use p2pchat_model::{
    Alerts, ConversationId, Event, Line, Link, MessageId, Problem, Snapshot, Timestamp, Update,
    View, wording,
};

use super::app::{Act, App, Compared, For};
use super::choose::Choose;
use super::overlay::{Overlay, Topic};
use super::requests::{self, Which};
use super::sign_in::Purpose;
use crate::login::Step;

impl App {
    /// Updates the state at this time.
    pub fn apply(&mut self, update: &Update, now: Timestamp) -> Option<Act> {
        let answers = self.calls.answered_by(update);
        let event = &*update.event;
        if let (Some(attempt), Some(For::Login)) = (&self.attempt, answers) {
            match attempt.on_answer(event, &self.view) {
                Step::Send(command) => return Some(self.call(For::Login, command)),
                Step::Done => {
                    self.attempt = None;
                    // It is signed in already, as was wanted.
                    if let Event::Failed(_) = event {
                        self.sign_in.waiting = false;
                        return None;
                    }
                }
                Step::Failed(_) => self.attempt = None,
                Step::Wait => {}
            }
        }
        let requests = requests::waiting(&self.view);
        match (event, answers) {
            (Event::Failed(_), Some(quiet)) if quiet.is_quiet() => return None,
            (Event::View(snapshot), _) => {
                let act = self.replace_view(snapshot, now);
                self.requests_changed(&requests);
                return Act::join(act, self.settle());
            }
            _ => {}
        }
        let mentions = self.mentions(event);
        let (was_signing_in, account) = (self.is_signing_in(), self.view.conversations_of);
        let is_repeated = self.shown().has(event);
        self.view.apply(event);
        if account != self.view.conversations_of {
            self.left.clear();
        }
        let is_sign_in = matches!(answers, Some(For::SignIn | For::Login));
        self.sign_in.apply(event, is_sign_in);
        self.apply_to_choice(event, answers == Some(For::Registry));
        let is_message = matches!(event, Event::Message(_) | Event::Post(_));
        let is_line = is_message || View::notice(event).is_some();
        if is_line && !is_repeated && self.is_shown(event) {
            self.line_added(event);
        }
        self.hint_at_notice(event);
        let is_alert = self.look.bell && !is_repeated && self.alerts(event, mentions);
        self.ring |= is_alert;
        self.requests_changed(&requests);
        let act = self.follow(event, answers, was_signing_in, now);
        Act::join(act, self.settle())
    }

    /// What an event does to the choice of a registry: it is opened where there is none.
    fn apply_to_choice(&mut self, event: &Event, is_answer: bool) {
        // It was named as it is, and the line is there.
        let is_there = is_answer && *event == Event::Done && self.view.link == Link::Up;
        if is_there || Choose::is_over(event) {
            if self.choose.take().is_some() {
                // Perhaps that there is no registry.
                self.sign_in.error = None;
            }
        } else if self.view.link == Link::NoRegistry && self.choose.is_none() {
            self.choose = Some(Choose::new(&self.view));
        } else if let Some(choose) = &mut self.choose {
            choose.apply(event, is_answer, &self.view);
        }
    }

    /// Shows what is told in the open chat while another one is shown: that a command has failed,
    /// for one.
    fn hint_at_notice(&mut self, event: &Event) {
        let conversation = event.conversation();
        let is_elsewhere = conversation.is_some_and(|id| id != ConversationId::OPEN);
        // A request has a row of its own.
        let has_row = matches!(event, Event::RequestReceived(_));
        if self.current == ConversationId::OPEN || is_elsewhere || has_row {
            return;
        }
        if let Some(Line::Notice { text, .. }) = View::notice(event) {
            let of_open = conversation.map(|_| format!("{}: ", wording::chat::OPEN_CHAT));
            self.hint = Some(of_open.unwrap_or_default() + &text);
        }
    }

    /// Notes that other requests wait than before. A key pressed for one must not answer another.
    fn requests_changed(&mut self, before: &[Which]) {
        let waiting = requests::waiting(&self.view);
        self.ring |= self.look.bell && waiting.iter().any(|one| !before.contains(one));
        if waiting != before {
            self.close_overlay(Topic::Requests);
        }
    }

    /// Whether an event belongs to the conversation that is shown.
    fn is_shown(&self, event: &Event) -> bool {
        event.conversation().unwrap_or(ConversationId::OPEN) == self.current
    }

    /// How many unread messages of its conversation mention the user.
    fn mentions(&self, event: &Event) -> u64 {
        let id = event.conversation();
        let conversation = id.and_then(|id| self.view.conversation(id));
        let chat = conversation.and_then(|one| one.chat.as_ref());
        chat.map_or(0, |chat| chat.mentions)
    }

    /// Whether the user is alerted of an event, as they have set it for its conversation.
    fn alerts(&self, event: &Event, mentions_before: u64) -> bool {
        let id = event.conversation();
        let conversation = id.and_then(|id| self.view.conversation(id));
        let Some(chat) = conversation.and_then(|one| one.chat.as_ref()) else {
            return false;
        };
        let is_seen = self.is_shown(event) && !self.is_away();
        match (event, chat.alerts) {
            _ if is_seen => false,
            (Event::Post(post), _) if self.view.has_blocked(&post.from) => false,
            (Event::Post(post), Alerts::All) => !post.is_own(),
            (Event::Unread { .. }, Alerts::Mentions) => chat.mentions > mentions_before,
            _ => false,
        }
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
            (Event::Opened { conversation }, Some(_)) => self.awaited = Some(*conversation),
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
            (Event::Done, Some(For::Verify(name, verified))) => {
                self.hint = Some(if verified {
                    wording::security::is_verified(name)
                } else {
                    wording::security::is_not_verified(name)
                });
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
            (Event::History { .. } | Event::Posts { .. }, Some(For::Seek)) => {
                return self.seek(now);
            }
            (Event::History { messages, .. }, Some(For::Earlier)) => {
                self.say_if_none(messages.is_empty());
            }
            (Event::Posts { posts, .. }, Some(For::Earlier)) => self.say_if_none(posts.is_empty()),
            // The page that comes after a login.
            (Event::History { .. }, None) if self.is_shown(event) => self.show_unread(),
            (Event::Failed(failure), Some(For::User)) if failure.code == Problem::HasEncrypted => {
                self.ask_about_open(failure, now);
            }
            (Event::Failed(_), Some(For::Seek)) => self.seeking = None,
            (Event::LoggedOut { .. }, _) => {
                self.seeking = None;
                self.is_renewing = false;
                self.read = None;
            }
            (Event::Read { .. }, None) if self.is_shown(event) => self.read_is_known(),
            (Event::Draft { .. }, None) if self.is_shown(event) => self.take_draft(),
            (Event::Draft { conversation, text }, None) => self.receive_draft(*conversation, text),
            _ => {}
        }
        None
    }

    /// After a start a conversation may be shown before it is known how far it was read.
    fn read_is_known(&mut self) {
        if self.conversation().unread() == 0 {
            self.new = None;
        } else if self.new == Some(MessageId::default()) {
            self.show_unread();
            self.opens_at_new = true;
        }
    }

    fn say_if_none(&mut self, is_none: bool) {
        self.hint = is_none.then(|| "there are no earlier messages".to_owned());
    }

    /// The view after events were missed, or another process has taken over.
    pub(super) fn replace_view(&mut self, snapshot: &Snapshot, now: Timestamp) -> Option<Act> {
        self.view.clone_from(&snapshot.view);
        let link = Event::Link(self.view.link.clone());
        self.apply_to_choice(&link, false);
        if snapshot.missed > 0 {
            // Perhaps those that close calls.
            self.calls.clear();
            self.sign_in.waiting = false;
            self.attempt = None;
            self.paged = None;
            self.hint = Some("some events were missed: they came too fast".to_owned());
        }
        if self.sign_in.purpose == Purpose::Renewal {
            self.is_renewing &= self.view.link == Link::PasswordNeeded;
        }
        if self.new.is_none() {
            self.show_unread();
        }
        if self.input.editor.is_empty() {
            self.take_draft();
        }
        self.seek(now)
    }

    pub(super) fn line_added(&mut self, event: &Event) {
        let (own, from_others) = match event {
            Event::Message(message) => (message.is_own(), !message.is_own()),
            Event::Post(post) => (post.is_own(), !post.is_own()),
            _ => (false, false),
        };
        self.scroll.line_added();
        let away = self.is_away();
        if own {
            self.new = None;
        } else if from_others && away && (self.new.is_none() || self.new_was_seen) {
            self.new = Some(self.read_so_far());
        }
        self.new_was_seen = !away;
        if from_others && !self.scroll.is_at_end() {
            self.below += 1;
        }
    }

    /// Whether a new line is not seen at once.
    pub(super) fn is_away(&self) -> bool {
        !self.focused || !self.scroll.is_at_end()
    }

    /// Sets whether the terminal has the focus.
    pub fn focus(&mut self, focused: bool) {
        self.focused = focused;
        self.new_was_seen |= !self.is_away();
    }
}
