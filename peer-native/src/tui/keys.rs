//! What keys do.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseEvent, MouseEventKind};
use p2pchat_model::{Command, IncomingRequest, Timestamp};

use super::app::{Act, App};
use super::overlay::{Overlay, Topic};
use crate::commands::{self, Typed};

/// Rows that a turn of the mouse wheel scrolls.
const WHEEL: isize = 3;

/// How a request is answered by a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Accept,
    Reject,
    /// Which rejects it too.
    Block,
}

impl Answer {
    fn by(letter: char) -> Option<Self> {
        match letter {
            'y' => Some(Self::Accept),
            'n' => Some(Self::Reject),
            'b' => Some(Self::Block),
            _ => None,
        }
    }

    fn command(self, request: &IncomingRequest) -> Command {
        let from = request.from.address;
        match self {
            Self::Accept => Command::Accept { from },
            Self::Reject => Command::Reject { from },
            Self::Block => Command::Block {
                who: request.from.to_block(),
            },
        }
    }
}

/// How long a `y`, `n` or `b` stands alone before it answers the request that waits. One that
/// begins a text is followed by another letter sooner.
const LONE_MS: u64 = 800;

/// A letter that stands alone in the input while a request waits, and will answer it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lone {
    pub(super) answer: Answer,
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
        self.answer(lone.answer)
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
            KeyCode::Char(letter)
                if key.modifiers.is_empty()
                    && self.view.incoming.is_some()
                    && self.letters_answer(now) =>
            {
                self.input.key(key, &self.view);
                self.lone = Answer::by(letter).map(|answer| Lone { answer, at: now });
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

    /// Whether this letter answers with Ctrl. Without a request, Ctrl-B moves the cursor.
    fn takes_answer(&self, letter: char) -> bool {
        matches!(letter, 'y' | 'n') || (letter == 'b' && self.view.incoming.is_some())
    }

    fn answer(&mut self, answer: Answer) -> Option<Act> {
        let Some(request) = &self.view.incoming else {
            self.hint = Some("no request waits for an answer".to_owned());
            return None;
        };
        Some(Act::Send(answer.command(request)))
    }

    fn enter(&mut self) -> Option<Act> {
        match commands::parse(self.input.editor.text(), &self.view) {
            Ok(Typed::Command(Command::Say { .. })) if self.view.is_alone() => {
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
            Typed::Blocked => {
                self.overlay = Some(Overlay::new(Topic::Blocked));
                None
            }
            Typed::Quit => Some(Act::Quit),
        }
    }
}
