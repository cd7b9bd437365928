//! Keys, pasted text and the mouse.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use p2pchat_model::{Command, Problem, Target, Timestamp, wording};
use ratatui::layout::Position;

use super::app::{Act, App, Compared, For, QUIT_ASKED_MS};
use super::choose::Choose;
use super::compose::Question;
use super::keys_shown::{self, Said};
use super::overlay::{Overlay, Pressed, Topic};
use super::rail;
use super::requests::Choice;
use super::switcher::{Pressed as Pick, Switcher};
use crate::app::after_quitting;
use crate::chats::led_into;
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
        // Who presses keys looks at the terminal.
        self.focus(true);
        self.is_chosen |= !self.is_signing_in();
        if self.is_question_unseen(now) {
            return None;
        }
        if self.question.is_some() {
            return self.answer_question(key.code == KeyCode::Enter);
        }
        if let Some(overlay) = &mut self.overlay {
            let (view, id) = (&self.view, self.current);
            let pressed = overlay.key(key, Shown { view, id });
            return self.pressed(&pressed, now);
        }
        if self.switcher.is_some() {
            return self.switcher_key(key);
        }
        match key.code {
            KeyCode::F(1) => self.overlay = Some(Overlay::new(Topic::Help)),
            KeyCode::Esc if self.is_renewing => self.close_form(),
            KeyCode::F(2) if self.may_choose() => self.choose = Some(Choose::new(&self.view)),
            // The stop is in the place of the form.
            _ if self.is_stopped() && !self.is_choosing() => {}
            KeyCode::Esc if self.is_choosing() && !self.view.registry.is_empty() => {
                self.choose = None;
            }
            _ if self.is_choosing() => {
                let command = self.choose.as_mut()?.key(key)?;
                return Some(self.call(For::Registry, command));
            }
            _ if self.is_signing_in() => {
                let command = self.sign_in.key(key)?;
                return Some(self.call(For::SignIn, command));
            }
            KeyCode::F(2) if is_needed(&self.view) => self.renew(),
            KeyCode::F(2) => self.switcher = Some(Switcher::chats()),
            KeyCode::F(3) => self.overlay = Some(Overlay::new(Topic::Requests)),
            KeyCode::F(4) => self.switcher = Some(Switcher::people()),
            KeyCode::F(6) => return self.invite(),
            KeyCode::F(5) => self.is_rail_hidden = !self.is_rail_hidden,
            _ if self.selecting.is_some() => return self.select_key(key),
            _ => return self.chat_key(key),
        }
        None
    }

    /// Whether a key opens the choice of a registry.
    fn may_choose(&self) -> bool {
        self.view.account.is_none() && !self.is_renewing && self.choose.is_none()
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
            format!("; {}", after_quitting(&self.view))
        } else {
            "; what you are writing is lost then".to_owned()
        };
        self.hint = Some(format!("Press Ctrl-{key} again to quit{then}"));
        None
    }

    fn pressed(&mut self, pressed: &Pressed, now: Timestamp) -> Option<Act> {
        match pressed {
            Pressed::Stay => None,
            Pressed::Close => {
                self.overlay = None;
                None
            }
            Pressed::Open(id) => {
                self.overlay = None;
                self.open(*id, now)
            }
            Pressed::Answer(answer) => {
                self.overlay = None;
                self.answer(*answer)
            }
            // What was found stays in sight until the answer comes.
            Pressed::Find(command) => Some(self.send(command.clone())),
            Pressed::Compared(letter) => self.say_of_codes(*letter),
        }
    }

    /// Says whether the codes that were compared are the same.
    fn say_of_codes(&mut self, letter: char) -> Option<Act> {
        let Compared { name, code, trust } = self.compared?;
        let mut answers = keys_shown::answers(trust);
        let (.., said) = answers.find(|(key, ..)| *key == letter)?;
        match said {
            Said::Trust { verified } => {
                self.overlay = None;
                Some(self.send(Command::Trust {
                    name,
                    code,
                    verified,
                }))
            }
            Said::Differ => {
                self.overlay.as_mut()?.differ = true;
                None
            }
        }
    }

    fn switcher_key(&mut self, key: KeyEvent) -> Option<Act> {
        let (view, id) = (&self.view, self.current);
        let switcher = self.switcher.as_mut()?;
        match switcher.key(key, Shown { view, id }) {
            Pick::Stay => None,
            Pick::Close => {
                self.switcher = None;
                None
            }
            Pick::Go(typed) => {
                self.switcher = None;
                self.entered(typed)
            }
        }
    }

    /// Handles a key that leads to another chat.
    fn place_key(&mut self, key: KeyEvent) -> Option<Option<Act>> {
        if key.modifiers == KeyModifiers::CONTROL && key.code == KeyCode::Up {
            self.select();
            return Some(None);
        }
        if key.modifiers != KeyModifiers::ALT {
            return None;
        }
        match key.code {
            KeyCode::Up => Some(self.go_by(-1)),
            KeyCode::Down => Some(self.go_by(1)),
            KeyCode::Char('a') => Some(self.go_to_unread()),
            KeyCode::Char(digit @ '1'..='9') => {
                let at = u32::from(digit) - u32::from('1');
                Some(self.go_to(usize::try_from(at).unwrap_or_default()))
            }
            _ => None,
        }
    }

    fn chat_key(&mut self, key: KeyEvent) -> Option<Act> {
        self.opens_at_new = false;
        let page = isize::try_from(self.page.1.saturating_sub(2).max(1)).unwrap_or(1);
        let with = |modifiers| key.modifiers.intersects(modifiers);
        let newline = KeyModifiers::ALT | KeyModifiers::SHIFT;
        self.hint = None;
        if let Some(act) = self.place_key(key) {
            return act;
        }
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
                if !self.stop_composing() {
                    self.stop_seeking();
                    self.go_to_end();
                    self.new = None;
                }
                None
            }
            _ => {
                let (view, id) = (&self.view, self.current);
                self.is_typing |= self.input.key(key, Shown { view, id });
                None
            }
        }
    }

    /// Handles a key of a text that comes at once, where letters are commands: a question is taken
    /// back, as the text is no answer to it, and the text goes into the message field.
    pub fn text_key(&mut self, key: KeyEvent, now: Timestamp) -> Option<Act> {
        if self.is_question_unseen(now) {
            return None;
        }
        self.answer_question(false);
        if let Some(overlay) = &mut self.overlay {
            overlay.take_back();
        }
        let is_letter = matches!(key.code, KeyCode::Char(_));
        let is_text = is_letter && !self.takes_letters_one_by_one();
        is_text.then(|| self.key(key, now)).flatten()
    }

    /// Inserts pasted text at the cursor. It never answers a request and never sends, and like any
    /// other key than Enter it takes a question back.
    pub fn paste(&mut self, text: &str) {
        if let Some(choose) = self.choose.as_mut().filter(|_| self.view.account.is_none()) {
            return choose.paste(text);
        }
        if self.is_stopped() {
            return;
        }
        self.answer_question(false);
        if self.is_signing_in() {
            self.sign_in.paste(text);
        } else if let Some(switcher) = &mut self.switcher {
            switcher.paste(text);
        } else if self.input.insert(text) {
            self.hint = None;
        } else {
            let whole = format!("{}{text}", self.input.editor.text());
            let letters = self.input.too_many(&whole);
            self.hint = Some(wording::problem::message_too_long(letters));
        }
    }

    /// Handles the mouse.
    pub fn mouse(&mut self, mouse: MouseEvent) -> Option<Act> {
        match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => self.click(mouse.column, mouse.row),
            MouseEventKind::ScrollUp if !self.is_signing_in() => self.scroll_by(-WHEEL),
            MouseEventKind::ScrollDown if !self.is_signing_in() => self.scroll_by(WHEEL),
            _ => None,
        }
    }

    /// Does what a row of the list at the left leads to.
    fn click(&mut self, column: u16, row: u16) -> Option<Act> {
        let (area, targets) = &self.rail_rows;
        let is_covered = self.overlay.is_some() || self.switcher.is_some() || self.is_signing_in();
        if is_covered || !area.contains(Position::new(column, row)) {
            return None;
        }
        self.is_chosen = true;
        self.question = None;
        match *targets.get(usize::from(row - area.y))? {
            rail::Target::None => {}
            rail::Target::Requests => self.overlay = Some(Overlay::new(Topic::Requests)),
            rail::Target::MoreChats => self.switcher = Some(Switcher::chats()),
            rail::Target::MorePeople => self.switcher = Some(Switcher::people()),
            rail::Target::Chat(id) => return self.show(id),
            rail::Target::Person(name) => {
                let typed = commands::begin_with(Target::Name(name), &self.view);
                return self.entered(typed);
            }
        }
        None
    }

    fn answer(&mut self, choice: Choice) -> Option<Act> {
        let commands = choice.commands(&self.view);
        if commands.is_empty() {
            self.hint = Some(Problem::NoSuchRequest.words().to_owned());
            return None;
        }
        let shown = self.show_answered(&commands);
        Act::join(shown, Some(self.send_all(commands)))
    }

    /// Shows the conversation that these commands lead into.
    fn show_answered(&mut self, commands: &[Command]) -> Option<Act> {
        self.show(commands.iter().find_map(led_into)?)
    }

    fn enter(&mut self) -> Option<Act> {
        match commands::parse(self.input.editor.text(), self.shown()) {
            Ok(Typed::Command(Command::Say { text, .. })) if self.cannot_say(&text) => None,
            Ok(Typed::Command(said @ Command::Say { .. })) => {
                let command = self.composed(said);
                self.input.enter();
                self.stop_composing();
                self.is_typing = false;
                self.go_to_end();
                Some(self.send(command))
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

    /// Whether no one would get a message, or it is too long. It is not lost.
    fn cannot_say(&mut self, text: &str) -> bool {
        let conversation = self.conversation();
        let letters = self.input.too_many(text);
        let reason = if letters > 0 {
            Some(wording::problem::message_too_long(letters))
        } else if conversation.chat.is_none() && conversation.is_alone() {
            let words = Problem::NobodyThere.words();
            Some(format!("{words}: /request NAME"))
        } else {
            self.cannot_write()
        };
        self.hint.clone_from(&reason);
        reason.is_some()
    }

    pub(super) fn entered(&mut self, typed: Typed) -> Option<Act> {
        match typed {
            Typed::Nothing => None,
            Typed::Go(conversation) => self.show(conversation),
            Typed::Command(command) => {
                self.question = Question::before(&command, self);
                if self.question.is_some() {
                    return None;
                }
                let shown = self.show_answered(std::slice::from_ref(&command));
                self.say_if_older(&command);
                if let Some(words) = commands::what_is_set(&command) {
                    self.hint = Some(words);
                }
                Act::join(shown, Some(self.send(command)))
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
            Typed::Who(name) => {
                self.overlay = Some(Overlay::new(name.map_or(Topic::Who, Topic::Person)));
                Some(self.send(Command::Refresh))
            }
            Typed::Blocked => {
                self.overlay = Some(Overlay::new(Topic::Blocked));
                None
            }
            Typed::Invite => self.invite(),
            Typed::Quit => Some(Act::Quit),
        }
    }

    /// Says why a chat request leads into the open chat.
    fn say_if_older(&mut self, command: &Command) {
        let Command::Request {
            to: Target::Name(name),
            ..
        } = *command
        else {
            return;
        };
        let user = self.view.user(name);
        if user.is_some_and(|user| wording::security::is_legacy(user, &self.view)) {
            self.hint = Some(wording::chat::has_older_program(name));
        }
    }
}
