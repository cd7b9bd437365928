//! Keys, pasted text and the mouse.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseEvent, MouseEventKind};
use p2pchat_model::{Command, Problem, Timestamp, wording};

use super::app::{Act, App, Compared, For, QUIT_ASKED_MS};
use super::overlay::{Overlay, Pressed, Topic};
use super::requests::Answer;
use crate::app::OFFLINE_THEN;
use crate::commands::{self, Typed};
use crate::login::is_needed;
use crate::shown::Shown;

/// Rows per step of the mouse wheel.
const WHEEL: isize = 3;

impl App {
    /// Handles a key pressed at this time.
    pub fn key(&mut self, key: KeyEvent, now: Timestamp) -> Option<Act> {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char(letter @ ('c' | 'q')) if control => return self.quit(letter, now),
            KeyCode::Char('l') if control => return Some(Act::Redraw),
            _ => {}
        }
        if self.quit_asked.take().is_some() {
            self.hint = None;
        }
        self.note_active();
        if let Some(overlay) = &mut self.overlay {
            let (view, id) = (&self.view, self.current);
            let pressed = overlay.key(key, Shown { view, id });
            return self.pressed(&pressed, now);
        }
        match key.code {
            KeyCode::F(1) => self.overlay = Some(Overlay::new(Topic::Help)),
            KeyCode::Esc if self.is_renewing => self.close_form(),
            // The stop is in the place of the form.
            _ if self.is_stopped() => {}
            _ if self.is_signing_in() => {
                let command = self.sign_in.key(key)?;
                return Some(self.call(For::SignIn, command));
            }
            KeyCode::F(2) => self.renew(),
            KeyCode::F(3) => self.overlay = Some(Overlay::new(Topic::Requests)),
            _ => return self.chat_key(key),
        }
        None
    }

    /// Quits at the second press; the first one may have been meant for something else.
    fn quit(&mut self, letter: char, now: Timestamp) -> Option<Act> {
        let asked = self.quit_asked.replace(now);
        if asked.is_some_and(|at| now.0.saturating_sub(at.0) < QUIT_ASKED_MS) {
            return Some(Act::Quit);
        }
        let key = letter.to_ascii_uppercase();
        let then = if self.view.account.is_none() {
            String::new()
        } else if self.input.editor.is_empty() || self.keeps_draft {
            format!("; {OFFLINE_THEN}")
        } else {
            "; what you are writing is lost then".to_owned()
        };
        self.hint = Some(format!("Press Ctrl-{key} again to quit{then}"));
        None
    }

    fn pressed(&mut self, pressed: &Pressed, now: Timestamp) -> Option<Act> {
        if *pressed == Pressed::Stay {
            return None;
        }
        self.overlay = None;
        match pressed {
            Pressed::Stay | Pressed::Close => None,
            Pressed::Open(id) => self.open(*id, now),
            Pressed::Answer(answer) => self.answer(*answer),
            Pressed::Match => {
                let Compared { name, code, .. } = self.compared?;
                let verified = true;
                Some(self.send(Command::Trust {
                    name,
                    code,
                    verified,
                }))
            }
        }
    }

    fn chat_key(&mut self, key: KeyEvent) -> Option<Act> {
        let page = isize::try_from(self.page.1.saturating_sub(2).max(1)).unwrap_or(1);
        let with = |modifiers| key.modifiers.intersects(modifiers);
        let newline = KeyModifiers::ALT | KeyModifiers::SHIFT;
        self.hint = None;
        match key.code {
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
                self.stop_seeking();
                self.go_to_end();
                self.new = None;
                None
            }
            _ => {
                let (view, id) = (&self.view, self.current);
                self.input.key(key, Shown { view, id });
                None
            }
        }
    }

    /// Inserts pasted text at the cursor. It never answers a request and never sends.
    pub fn paste(&mut self, text: &str) {
        if self.is_stopped() {
            return;
        }
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

    fn answer(&mut self, answer: Answer) -> Option<Act> {
        let Some(request) = &self.view.incoming else {
            self.hint = Some(Problem::NoSuchRequest.words().to_owned());
            return None;
        };
        let commands = answer.commands(request, self.shown().id);
        Some(self.send_all(commands))
    }

    fn enter(&mut self) -> Option<Act> {
        match commands::parse(self.input.editor.text(), self.shown()) {
            Ok(Typed::Command(Command::Say { .. })) if self.conversation().is_alone() => {
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
            Typed::Commands(commands) => Some(self.send_all(commands)),
            Typed::Status => {
                self.hint = Some(wording::security::shown_as(&self.view));
                None
            }
            Typed::Password => {
                self.change_password();
                None
            }
            Typed::Identity => {
                self.overlay = Some(Overlay::new(Topic::Identity));
                None
            }
            Typed::SignIn { .. } if is_needed(&self.view) => {
                self.renew();
                None
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
                Some(self.send(Command::Refresh))
            }
            Typed::Blocked => {
                self.overlay = Some(Overlay::new(Topic::Blocked));
                None
            }
            Typed::Quit => Some(Act::Quit),
        }
    }
}
