//! Messages are chosen by keys: which one, and what is done with it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use p2pchat_model::wording::chat;
use p2pchat_model::{Command, Line, MessageId, PostState, links};

use super::app::{Act, App, For};
use super::compose::Question;
use super::overlay::{Overlay, Topic};
use crate::wrap::one_line;

/// The emoji that digits stand for.
pub(super) const PALETTE: [&str; 6] = ["👍", "❤️", "😂", "😮", "😢", "🎉"];

/// The message that keys act on.
#[derive(Debug)]
pub(super) struct Selecting {
    pub(super) message: MessageId,
    /// The emoji that is typed, while one is asked for.
    pub(super) emoji: Option<String>,
}

impl Selecting {
    /// Whether letters are commands, not the emoji that is typed.
    pub(super) fn takes_letters(&self) -> bool {
        self.emoji.is_none()
    }
}

impl App {
    /// Begins with the last message that is shown.
    pub(super) fn select(&mut self) {
        let lines = &self.conversation().lines;
        let shown = lines.iter().take(self.scroll.index(&self.layout()) + 1);
        let last = shown.rev().find_map(Line::message_id);
        match last.or_else(|| self.conversation().newest_message()) {
            Some(message) => self.choose(message),
            None => self.hint = Some("there is no message here".to_owned()),
        }
    }

    /// Chooses a message, and scrolls to it.
    fn choose(&mut self, message: MessageId) {
        self.opened_links = 0;
        let emoji = None;
        self.selecting = Some(Selecting { message, emoji });
        let lines = &self.conversation().lines;
        let index = lines
            .iter()
            .position(|line| line.message_id() == Some(message));
        if let Some(index) = index {
            let mut scroll = self.scroll;
            scroll.reveal(&self.layout(), index, self.page.1);
            self.scroll = scroll;
        }
    }

    /// Ends it; at the end of the conversation if nothing is below.
    pub(super) fn stop_selecting(&mut self) {
        self.selecting = None;
    }

    /// Handles a key while a message is chosen.
    pub(super) fn select_key(&mut self, key: KeyEvent) -> Option<Act> {
        self.hint = None;
        let Selecting { message, emoji } = self.selecting.as_ref()?;
        let message = *message;
        if emoji.is_some() {
            return self.emoji_key(key, message);
        }
        let in_select = !key.modifiers.contains(KeyModifiers::ALT);
        match key.code {
            KeyCode::Up => return self.choose_earlier(message),
            KeyCode::Down => self.choose_later(message),
            KeyCode::Esc => {
                self.stop_selecting();
                self.go_to_end();
            }
            KeyCode::Char('i') if in_select => {
                self.overlay = Some(Overlay::new(Topic::Info(message)));
            }
            KeyCode::Char('y') if in_select => return self.copy(message),
            KeyCode::Enter if self.is_folded(message) => self.shows_blocked = true,
            KeyCode::Enter => return self.open_link(message),
            KeyCode::Char(letter @ ('r' | 'e' | 'd' | '+')) if in_select => {
                self.do_with(message, letter);
            }
            _ => {}
        }
        None
    }

    fn do_with(&mut self, message: MessageId, letter: char) {
        let Some(post) = self.post(message) else {
            self.hint = Some("messages of the open chat cannot be changed".to_owned());
            return;
        };
        let (is_own, is_shown) = (post.is_own(), post.state == PostState::Shown);
        if self.is_folded(message) {
            self.hint = Some(format!("{}: Enter shows it", chat::FOLDED));
            return;
        }
        if !is_shown {
            self.hint = Some("there is nothing to do with this message".to_owned());
            return;
        }
        if let Some(reason) = self.cannot_write() {
            self.hint = Some(reason);
            return;
        }
        match letter {
            'r' => {
                self.reply(message);
                self.stop_selecting();
                self.go_to_end();
            }
            'e' | 'd' if !is_own => {
                self.hint = Some("this message is not yours".to_owned());
            }
            'e' => {
                self.edit(message);
                self.stop_selecting();
                self.go_to_end();
            }
            'd' => self.question = Some(Question::Delete(self.current, message)),
            _ => {
                let emoji = Some(String::new());
                self.selecting = Some(Selecting { message, emoji });
            }
        }
    }

    fn emoji_key(&mut self, key: KeyEvent, message: MessageId) -> Option<Act> {
        let emoji = self.selecting.as_mut()?.emoji.as_mut()?;
        match key.code {
            KeyCode::Esc => {
                let emoji = None;
                self.selecting = Some(Selecting { message, emoji });
                None
            }
            KeyCode::Enter if !emoji.is_empty() => {
                let emoji = emoji.clone();
                self.react(message, &emoji)
            }
            KeyCode::Backspace => {
                emoji.pop();
                None
            }
            KeyCode::Char(digit @ '1'..='6') if emoji.is_empty() => {
                let at = usize::try_from(u32::from(digit) - u32::from('1')).unwrap_or(0);
                self.react(message, PALETTE[at])
            }
            // No digit is an emoji, and neither is a letter of ASCII.
            KeyCode::Char(letter) if !letter.is_ascii() => {
                emoji.push(letter);
                None
            }
            _ => None,
        }
    }

    /// Reacts; takes it back if it is the reaction that the user has given.
    fn react(&mut self, message: MessageId, emoji: &str) -> Option<Act> {
        let post = self.post(message)?;
        let mut given = post.reactions.iter().filter(|one| one.emoji == emoji);
        let is_given = given.any(|one| one.by.iter().any(|who| who.you));
        let emoji = if is_given { "" } else { emoji }.to_owned();
        let emoji_is_asked = None;
        self.selecting = Some(Selecting {
            message,
            emoji: emoji_is_asked,
        });
        let conversation = self.current;
        Some(self.send(Command::React {
            conversation,
            message,
            emoji,
        }))
    }

    /// Whether a message is folded away, as its writer is blocked.
    fn is_folded(&self, message: MessageId) -> bool {
        let post = self.post(message);
        post.is_some_and(|post| self.layout().is_folded(post))
    }

    /// The text of a message.
    fn text_of(&self, message: MessageId) -> Option<&str> {
        let mut lines = self.conversation().lines.iter();
        let line = lines.find(|line| line.message_id() == Some(message))?;
        match line {
            Line::Post(post) => Some(&post.text),
            Line::Message(message) => Some(&message.text),
            Line::Notice { .. } => None,
        }
    }

    /// Opens the link of a message; of several the first one, and at the next key the next one.
    fn open_link(&mut self, message: MessageId) -> Option<Act> {
        let links: Vec<String> = links::all(self.text_of(message)?)
            .map(str::to_owned)
            .collect();
        let Some(link) = links.get(self.opened_links % links.len().max(1)) else {
            self.hint = Some("there is no link in this message".to_owned());
            return None;
        };
        let next = match links.len() {
            1 => "",
            _ => " · Enter opens the next one",
        };
        self.hint = Some(format!("opening {}{next}", one_line(link)));
        self.opened_links += 1;
        Some(Act::Open(link.clone()))
    }

    /// A link could not be opened: it is copied.
    pub(super) fn not_opened(&mut self, link: String) -> Act {
        self.hint = Some(format!("no browser here: copied {}", one_line(&link)));
        Act::Copy(link)
    }

    fn copy(&mut self, message: MessageId) -> Option<Act> {
        let text = self.text_of(message)?.to_owned();
        self.hint = Some("copied, if this terminal lets programs copy".to_owned());
        Some(Act::Copy(text))
    }

    fn choose_earlier(&mut self, message: MessageId) -> Option<Act> {
        let ids = self.conversation().lines.iter().rev();
        let mut ids = ids.filter_map(Line::message_id);
        ids.find(|id| *id == message);
        match ids.next() {
            Some(earlier) => self.choose(earlier),
            None if self.conversation().more_history => return Some(self.earlier(For::Earlier)),
            None => {}
        }
        None
    }

    fn choose_later(&mut self, message: MessageId) {
        let mut ids = self
            .conversation()
            .lines
            .iter()
            .filter_map(Line::message_id);
        ids.find(|id| *id == message);
        match ids.next() {
            Some(later) => self.choose(later),
            None => {
                self.stop_selecting();
                self.go_to_end();
            }
        }
    }
}
