//! Keys, pasted text and the mouse.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseEvent, MouseEventKind};
use p2pchat_model::{Command, Problem, Timestamp};

use super::answer::{Answer, PendingAnswer};
use super::app::{Act, App};
use super::overlay::{Overlay, Topic};
use crate::commands::{self, Typed};

/// Rows per step of the mouse wheel.
const WHEEL: isize = 3;

impl App {
    /// Handles a key pressed at this time.
    pub fn key(&mut self, key: KeyEvent, now: Timestamp) -> Option<Act> {
        let pending = self.pending_answer.take();
        match (pending, key.code) {
            // Enter after the letter need not wait.
            (Some(pending), KeyCode::Enter) if self.overlay.is_none() => {
                self.answer_by_letter(pending)
            }
            _ => self.dispatch(key, now),
        }
    }

    /// Does what is due at this time without a key.
    pub fn tick(&mut self, now: Timestamp) -> Option<Act> {
        let due = self.pending_answer.take_if(|pending| pending.is_due(now))?;
        self.answer_by_letter(due)
    }

    fn answer_by_letter(&mut self, pending: PendingAnswer) -> Option<Act> {
        self.input.editor.wipe();
        self.answer(pending.answer)
    }

    fn dispatch(&mut self, key: KeyEvent, now: Timestamp) -> Option<Act> {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c' | 'q') if control => return Some(Act::Quit),
            KeyCode::Char('l') if control => return Some(Act::Redraw),
            KeyCode::Char(letter) if control && self.takes_answer(letter) => {
                return Answer::by(letter).and_then(|answer| self.answer(answer));
            }
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
        if self.is_signing_in() {
            self.sign_in.key(key).map(Act::Send)
        } else {
            self.chat_key(key, now)
        }
    }

    fn chat_key(&mut self, key: KeyEvent, now: Timestamp) -> Option<Act> {
        let page = isize::try_from(self.page.1.saturating_sub(2).max(1)).unwrap_or(1);
        let with = |modifiers| key.modifiers.intersects(modifiers);
        let newline = KeyModifiers::ALT | KeyModifiers::SHIFT;
        self.hint = None;
        match key.code {
            KeyCode::Char(letter)
                if key.modifiers.is_empty()
                    && self.view.incoming.is_some()
                    && self.letters_answer(now) =>
            {
                self.input.key(key, &self.view);
                self.pending_answer = Answer::by(letter).map(|answer| PendingAnswer {
                    answer,
                    typed_at: now,
                });
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

    /// Inserts pasted text at the cursor. It never answers a request and never sends.
    pub fn paste(&mut self, text: &str) {
        self.pending_answer = None;
        if self.is_signing_in() {
            self.sign_in.paste(text);
        } else if !self.input.insert(text) {
            self.hint = Some("this text is too long".to_owned());
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

    /// Whether Ctrl with this letter answers a request. Without a request, Ctrl-B moves the
    /// cursor.
    fn takes_answer(&self, letter: char) -> bool {
        matches!(letter, 'y' | 'n') || (letter == 'b' && self.view.incoming.is_some())
    }

    fn answer(&mut self, answer: Answer) -> Option<Act> {
        let Some(request) = &self.view.incoming else {
            self.hint = Some(Problem::NoSuchRequest.words().to_owned());
            return None;
        };
        Some(Act::Send(answer.command(request)))
    }

    fn enter(&mut self) -> Option<Act> {
        match commands::parse(self.input.editor.text(), &self.view) {
            Ok(Typed::Command(Command::Say { .. })) if self.view.is_alone() => {
                let words = Problem::NobodyThere.words();
                self.hint = Some(format!("{words}: /request NAME"));
                None
            }
            Ok(typed) => {
                self.input.enter();
                self.entered(typed)
            }
            // The text stays, to be corrected.
            Err(error) => {
                self.hint = Some(error.to_string());
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
                self.hint = Some(format!("{}: /logout", Problem::AlreadyLoggedIn.words()));
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
            Typed::Blocked => {
                self.overlay = Some(Overlay::new(Topic::Blocked));
                None
            }
            Typed::Quit => Some(Act::Quit),
        }
    }
}
