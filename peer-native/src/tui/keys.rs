//! What keys do.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseEvent, MouseEventKind};
use p2pchat_model::{Command, Timestamp};

use super::app::{Act, App};
use super::overlay::{Overlay, Topic};
use crate::input::{self, Typed};

/// Rows that a turn of the mouse wheel scrolls.
const WHEEL: isize = 3;

/// How long a `y` or `n` stands alone before it answers the request that waits. One that
/// begins a text is followed by another letter sooner.
const LONE_MS: u64 = 800;

/// A `y` or `n` that stands alone in the input while a request waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lone {
    pub(super) accept: bool,
    at: Timestamp,
}

impl App {
    /// Handles a key pressed at this moment.
    pub fn key(&mut self, key: KeyEvent, now: Timestamp) -> Option<Act> {
        let lone = self.lone.take();
        match (lone, key.code) {
            // Enter behind a lone letter need not wait.
            (Some(lone), KeyCode::Enter) if self.overlay.is_none() => self.answer_alone(lone),
            _ => self.dispatch(key, now),
        }
    }

    /// Does what is due at this moment without a key.
    pub fn tick(&mut self, now: Timestamp) -> Option<Act> {
        let lone = self.lone?;
        if now.0.saturating_sub(lone.at.0) < LONE_MS {
            return None;
        }
        self.lone = None;
        self.answer_alone(lone)
    }

    fn answer_alone(&mut self, lone: Lone) -> Option<Act> {
        self.input.editor.wipe();
        self.answer(lone.accept)
    }

    fn dispatch(&mut self, key: KeyEvent, now: Timestamp) -> Option<Act> {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c' | 'q') if control => return Some(Act::Quit),
            KeyCode::Char('l') if control => return Some(Act::Redraw),
            KeyCode::Char(letter @ ('y' | 'n')) if control => return self.answer(letter == 'y'),
            _ => {}
        }
        if let Some(overlay) = &mut self.overlay {
            if !overlay.key(key) {
                self.overlay = None;
            }
            return None;
        }
        if key.code == KeyCode::F(1) {
            self.overlay = Some(Overlay::new(Topic::Help));
            return None;
        }
        match self.is_signing_in() {
            true => self.sign_in.key(key).map(Act::Send),
            false => self.chat_key(key, now),
        }
    }

    fn chat_key(&mut self, key: KeyEvent, now: Timestamp) -> Option<Act> {
        let page = isize::try_from(self.page.1.saturating_sub(2).max(1)).unwrap_or(1);
        let with = |modifiers| key.modifiers.intersects(modifiers);
        let newline = KeyModifiers::ALT | KeyModifiers::SHIFT;
        self.hint = None;
        match key.code {
            KeyCode::Char(letter @ ('y' | 'n'))
                if key.modifiers.is_empty()
                    && self.view.incoming.is_some()
                    && self.letters_answer(now) =>
            {
                self.input.key(key, &self.view);
                let accept = letter == 'y';
                self.lone = Some(Lone { accept, at: now });
                None
            }
            KeyCode::Enter if !with(newline) => self.enter(),
            KeyCode::PageUp => self.scroll_by(-page),
            KeyCode::PageDown => self.scroll_by(page),
            KeyCode::Up if with(KeyModifiers::SHIFT) => self.scroll_by(-1),
            KeyCode::Down if with(KeyModifiers::SHIFT) => self.scroll_by(1),
            KeyCode::End if self.input.editor.is_empty() => {
                self.go_to_end();
                None
            }
            KeyCode::Esc => {
                self.go_to_end();
                self.new = None;
                None
            }
            _ => {
                self.input.key(key, &self.view);
                None
            }
        }
    }

    /// Puts pasted text where typing goes. It never answers and never sends.
    pub fn paste(&mut self, text: &str) {
        self.lone = None;
        if self.is_signing_in() {
            self.sign_in.paste(text);
        } else if !self.input.insert(text) {
            self.hint = Some("that is too long to be said at once".to_owned());
        }
    }

    /// Handles the mouse.
    pub fn mouse(&mut self, mouse: MouseEvent) -> Option<Act> {
        match mouse.kind {
            MouseEventKind::ScrollUp if !self.is_signing_in() => self.scroll_by(-WHEEL),
            MouseEventKind::ScrollDown if !self.is_signing_in() => self.scroll_by(WHEEL),
            _ => None,
        }
    }

    fn answer(&mut self, accept: bool) -> Option<Act> {
        let Some(request) = &self.view.incoming else {
            self.hint = Some("no request waits for an answer".to_owned());
            return None;
        };
        let from = request.from.address;
        Some(Act::Send(match accept {
            true => Command::Accept { from },
            false => Command::Reject { from },
        }))
    }

    fn enter(&mut self) -> Option<Act> {
        match input::parse(self.input.editor.text(), &self.view) {
            Ok(Typed::Command(Command::Say { .. })) if self.view.members.is_empty() => {
                let hint = "nobody is in the chat yet: /request NAME asks somebody";
                self.hint = Some(hint.to_owned());
                None
            }
            Ok(typed) => {
                self.input.enter();
                self.entered(typed)
            }
            // What was typed stays, to be put right.
            Err(message) => {
                self.hint = Some(message);
                None
            }
        }
    }

    fn entered(&mut self, typed: Typed) -> Option<Act> {
        match typed {
            Typed::Nothing => None,
            Typed::Command(command) => {
                if matches!(command, Command::Say { .. }) {
                    self.go_to_end();
                }
                Some(self.send(command))
            }
            Typed::SignIn { .. } => {
                self.hint = Some("you are logged in: /logout first".to_owned());
                None
            }
            Typed::Help => {
                self.overlay = Some(Overlay::new(Topic::Help));
                None
            }
            Typed::Who => {
                self.overlay = Some(Overlay::new(Topic::Who));
                Some(Act::Send(Command::Refresh))
            }
            Typed::Quit => Some(Act::Quit),
        }
    }
}
