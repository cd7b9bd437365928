//! Input of the chat: an [`Editor`] with a history of earlier input and with completion.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use p2pchat_model::{MAX_DRAFT, MAX_MESSAGE, letters_beyond};
use p2pchat_protocol::v2::conversation::talk::MAX_TEXT;

use super::editor::Editor;
use crate::commands;
use crate::shown::Shown;

/// How many earlier inputs are kept.
const MAX_ENTERED: usize = 200;

#[derive(Debug, Default)]
pub(super) struct InputLine {
    pub(super) editor: Editor,
    /// Whether it is for an encrypted conversation, whose messages may be longer.
    pub(super) is_encrypted: bool,
    entered: Vec<String>,
    /// Which of `entered` is shown, and the draft that it replaced.
    recalled: Option<(usize, String)>,
    completing: Option<Completing>,
}

#[derive(Debug)]
struct Completing {
    start: usize,
    candidates: Vec<String>,
    next: usize,
}

impl InputLine {
    /// How many letters of a message are too many to send it.
    pub(super) fn too_many(&self, message: &str) -> usize {
        let most = if self.is_encrypted {
            MAX_TEXT
        } else {
            MAX_MESSAGE
        };
        letters_beyond(message, most)
    }

    /// Takes the text, and keeps it for Up.
    pub(super) fn enter(&mut self) -> String {
        let text = self.editor.take();
        self.recalled = None;
        self.completing = None;
        if !text.trim().is_empty() && self.entered.last() != Some(&text) {
            if self.entered.len() >= MAX_ENTERED {
                self.entered.remove(0);
            }
            self.entered.push(text.clone());
        }
        text
    }

    /// Inserts a text; `false` if it does not fit.
    pub(super) fn insert(&mut self, text: &str) -> bool {
        self.completing = None;
        let fits = self.editor.text().len() + text.len() <= MAX_DRAFT;
        if fits {
            self.editor.insert(text);
        }
        fits
    }

    /// Handles a key; `false` if it has no effect here.
    pub(super) fn key(&mut self, key: KeyEvent, shown: Shown<'_>) -> bool {
        match key.code {
            KeyCode::Tab => self.complete(shown, false),
            KeyCode::BackTab => self.complete(shown, true),
            _ => {
                self.completing = None;
                return self.edit(key);
            }
        }
        true
    }

    fn edit(&mut self, key: KeyEvent) -> bool {
        match key.code {
            KeyCode::Up => {
                if !self.editor.up() {
                    self.recall_older();
                }
            }
            KeyCode::Down => {
                if !self.editor.down() {
                    self.recall_newer();
                }
            }
            KeyCode::Enter => return self.insert("\n"),
            KeyCode::Char('j') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                return self.insert("\n");
            }
            _ => return edit(&mut self.editor, key, MAX_DRAFT),
        }
        true
    }

    fn recall_older(&mut self) {
        let (at, draft) = match self.recalled.take() {
            Some((at, draft)) => (at, draft),
            None => (self.entered.len(), self.editor.text().to_owned()),
        };
        let at = at.saturating_sub(1);
        if let Some(text) = self.entered.get(at) {
            self.editor.set(text);
            self.recalled = Some((at, draft));
        }
    }

    fn recall_newer(&mut self) {
        let Some((at, draft)) = self.recalled.take() else {
            return;
        };
        match self.entered.get(at + 1) {
            Some(text) => {
                self.editor.set(text);
                self.recalled = Some((at + 1, draft));
            }
            None => self.editor.set(&draft),
        }
    }

    fn complete(&mut self, shown: Shown<'_>, backwards: bool) {
        let mut completing = self.completing.take().unwrap_or_else(|| {
            let (start, candidates) = commands::completions(self.editor.before_cursor(), shown);
            let next = if backwards {
                candidates.len().saturating_sub(1)
            } else {
                0
            };
            Completing {
                start,
                candidates,
                next,
            }
        });
        let count = completing.candidates.len();
        let Some(candidate) = completing.candidates.get(completing.next) else {
            return;
        };
        self.editor
            .replace_before_cursor(completing.start, candidate);
        let step = if backwards { count - 1 } else { 1 };
        completing.next = (completing.next + step) % count;
        self.completing = Some(completing);
    }
}

/// Handles a key in any field; `false` if it has no effect, or if the text would become
/// longer than `limit` bytes.
pub(super) fn edit(editor: &mut Editor, key: KeyEvent, limit: usize) -> bool {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    let by_word = control || alt;
    match key.code {
        KeyCode::Left if by_word => editor.word_left(),
        KeyCode::Right if by_word => editor.word_right(),
        KeyCode::Left => editor.left(),
        KeyCode::Right => editor.right(),
        KeyCode::Home => editor.home(),
        KeyCode::End => editor.end(),
        KeyCode::Backspace if by_word => editor.delete_word(),
        KeyCode::Backspace => editor.backspace(),
        KeyCode::Delete => editor.delete_next(),
        KeyCode::Char(letter) if control => match letter {
            'a' => editor.home(),
            'e' => editor.end(),
            'b' => editor.left(),
            'f' => editor.right(),
            'd' => editor.delete_next(),
            'h' => editor.backspace(),
            'w' => editor.delete_word(),
            'u' => editor.delete_to_start(),
            'k' => editor.delete_to_end(),
            _ => return false,
        },
        KeyCode::Char(letter) if alt => match letter {
            'b' => editor.word_left(),
            'f' => editor.word_right(),
            _ => return false,
        },
        KeyCode::Char(letter) if editor.text().len() + letter.len_utf8() <= limit => {
            editor.insert(letter.encode_utf8(&mut [0; 4]));
        }
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use p2pchat_model::{ConversationId, View};

    use super::*;

    fn press(line: &mut InputLine, code: KeyCode) {
        let view = View {
            account: "alice".parse().ok(),
            ..View::default()
        };
        let (view, id) = (&view, ConversationId::OPEN);
        line.key(KeyEvent::from(code), Shown { view, id });
    }

    #[test]
    fn up_recalls_earlier_input_and_down_the_draft() {
        let mut line = InputLine::default();
        for text in ["one", "two"] {
            assert!(line.insert(text));
            assert_eq!(line.enter(), text);
        }
        line.insert("dra");
        press(&mut line, KeyCode::Up);
        press(&mut line, KeyCode::Up);
        press(&mut line, KeyCode::Up);
        assert_eq!(line.editor.text(), "one");
        press(&mut line, KeyCode::Down);
        assert_eq!(line.editor.text(), "two");
        press(&mut line, KeyCode::Down);
        assert_eq!(line.editor.text(), "dra");
        press(&mut line, KeyCode::Down);
        assert_eq!(line.editor.text(), "dra");
    }

    #[test]
    fn tab_cycles_through_completions_and_any_other_key_ends_that() {
        let mut line = InputLine::default();
        line.insert("/bl");
        let mut seen = Vec::new();
        for _ in 0..3 {
            press(&mut line, KeyCode::Tab);
            seen.push(line.editor.text().to_owned());
        }
        assert_eq!(seen, ["/block ", "/blocked ", "/block "]);
        press(&mut line, KeyCode::Char('x'));
        press(&mut line, KeyCode::Tab);
        assert_eq!(line.editor.text(), "/block x");
    }

    #[test]
    fn the_length_of_the_input_is_bounded() {
        let mut line = InputLine::default();
        assert!(line.insert(&"x".repeat(MAX_DRAFT)));
        assert!(!line.insert("y"));
        press(&mut line, KeyCode::Char('y'));
        assert_eq!(line.editor.text().len(), MAX_DRAFT);
    }
}
