//! Tells pasted text from typed keys, on a terminal that does not mark a paste.
//!
//! A terminal without bracketed paste hands a paste over as keys, line breaks as Enter. What
//! gives it away is speed: its keys come in one read or one right after the other. An Enter
//! that comes like that is held back until it is clear what follows. Nothing: it was the end
//! of a line that a program typed (`tmux send-keys`), and is Enter. More text: all of it is
//! pasted text, which is to be looked at before it is sent.
//!
//! What comes key by key, from fingers, is handed on at once.

use std::time::Duration;

use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tokio::time::Instant;

use crate::stdin::{PAUSE, QUICK};

/// A burst within this time of a paste is the rest of it: a slow line delivers in parts.
const REST: Duration = Duration::from_millis(500);

/// An input, and whether it was part of a burst.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) input: Input,
    pub(super) quick: bool,
}

/// What is held back, and when keys came.
#[derive(Debug, Default)]
pub(super) struct Bursts {
    held: Option<String>,
    /// It is the rest of a paste.
    is_rest: bool,
    last: Option<Instant>,
    pasted: Option<Instant>,
}

impl Bursts {
    /// Takes all inputs that were there at once; returns those to handle now.
    pub(super) fn add(&mut self, inputs: Vec<Input>, now: Instant) -> Vec<Typed> {
        let within = |time: Option<Instant>, span| {
            time.is_some_and(|time| now.saturating_duration_since(time) < span)
        };
        let count = inputs.iter().filter_map(letter).count();
        let quick = count > 1 || (count > 0 && within(self.last, QUICK));
        let mut out = Vec::new();
        // They were read in time, however late they are handled.
        if self.due().is_some_and(|due| now >= due) {
            out.extend(self.release(now));
        }
        if quick && within(self.pasted, REST) {
            self.is_rest = true;
            self.held.get_or_insert_default();
        } else if count > 0 && !quick {
            // By hand: the paste is over.
            self.pasted = None;
        }
        for input in inputs {
            match (letter(&input), &mut self.held) {
                (Some(letter), Some(held)) => held.push(letter),
                (Some('\n'), None) if quick => self.held = Some("\n".to_owned()),
                (None, Some(held)) if is_tab(&input) => held.push('\t'),
                (Some(_), None) => out.push(Typed { input, quick }),
                (None, _) => {
                    out.extend(self.release(now));
                    let quick = false;
                    out.push(Typed { input, quick });
                    continue;
                }
            }
            self.last = Some(now);
        }
        out
    }

    /// When what is held back is due, unless more comes.
    pub(super) fn due(&self) -> Option<Instant> {
        self.held.as_ref().and(self.last).map(|last| last + PAUSE)
    }

    /// Gives what is held back: a paste, or the one Enter at the end of a line.
    pub(super) fn release(&mut self, now: Instant) -> Option<Typed> {
        let text = self.held.take()?;
        let is_rest = std::mem::take(&mut self.is_rest);
        let input = if text == "\n" && !is_rest {
            Input::Key(KeyEvent::from(KeyCode::Enter))
        } else {
            self.pasted = Some(now);
            Input::Paste(text)
        };
        let quick = true;
        Some(Typed { input, quick })
    }
}

/// The character that a key types.
fn letter(input: &Input) -> Option<char> {
    let key = input.as_key_event()?;
    match key.code {
        _ if key.kind == KeyEventKind::Release => None,
        KeyCode::Char(letter) if (key.modifiers - KeyModifiers::SHIFT).is_empty() => Some(letter),
        KeyCode::Enter if key.modifiers.is_empty() => Some('\n'),
        _ => None,
    }
}

fn is_tab(input: &Input) -> bool {
    input
        .as_key_event()
        .is_some_and(|key| key.code == KeyCode::Tab)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<Input> {
        let code = |letter| match letter {
            '\n' => KeyCode::Enter,
            '\t' => KeyCode::Tab,
            letter => KeyCode::Char(letter),
        };
        let key = |letter| Input::Key(KeyEvent::from(code(letter)));
        text.chars().map(key).collect()
    }

    /// What was handled, as text: `⏎` for Enter, and a paste in brackets.
    fn handled(out: impl IntoIterator<Item = Typed>) -> String {
        out.into_iter()
            .map(|typed| match typed.input {
                Input::Paste(text) => format!("[{text}]"),
                Input::Key(key) => match key.code {
                    KeyCode::Char(letter) => letter.to_string(),
                    KeyCode::Enter => "⏎".to_owned(),
                    other => format!("<{other}>"),
                },
                other => format!("{other:?}"),
            })
            .collect()
    }

    fn after(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn keys_of_fingers_are_handed_on_at_once() {
        let (mut bursts, start) = (Bursts::default(), Instant::now());
        for (at, key) in ["h", "i", "\n", "\n"].into_iter().enumerate() {
            let out = bursts.add(keys(key), after(start, 80 * at as u64));
            assert!(!out[0].quick);
            assert_eq!(handled(out), key.replace('\n', "⏎"));
            assert_eq!(bursts.due(), None);
        }
    }

    #[test]
    fn one_line_that_a_program_types_is_entered() {
        let (mut bursts, start) = (Bursts::default(), Instant::now());
        assert_eq!(handled(bursts.add(keys("/who\n"), start)), "/who");
        assert_eq!(bursts.due(), Some(start + PAUSE));
        assert_eq!(handled(bursts.release(after(start, 60))), "⏎");
        assert_eq!(bursts.due(), None);
        // Letter by letter, but faster than fingers.
        let start = after(start, 1000);
        assert_eq!(handled(bursts.add(keys("a"), start)), "a");
        assert_eq!(handled(bursts.add(keys("\n"), after(start, 2))), "");
        assert_eq!(handled(bursts.release(after(start, 62))), "⏎");
    }

    #[test]
    fn two_lines_of_a_program_are_two_however_late_they_are_handled() {
        let (mut bursts, start) = (Bursts::default(), Instant::now());
        assert_eq!(handled(bursts.add(keys("one\n"), start)), "one");
        let next = bursts.add(keys("two\n"), after(start, 100));
        assert_eq!(handled(next), "⏎two");
        assert_eq!(handled(bursts.release(after(start, 300))), "⏎");
    }

    #[test]
    fn a_line_break_in_the_middle_makes_it_a_paste() {
        for (text, expected) in [
            ("a\nb", "a[\nb]"),
            ("a\nb\n", "a[\nb\n]"),
            ("/block rita\n/quit\n", "/block rita[\n/quit\n]"),
            ("a\n\n", "a[\n\n]"),
            ("\n\tx", "[\n\tx]"),
        ] {
            let (mut bursts, start) = (Bursts::default(), Instant::now());
            let mut out = handled(bursts.add(keys(text), start));
            out += &handled(bursts.release(after(start, 60)));
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn a_paste_in_parts_is_one() {
        let (mut bursts, start) = (Bursts::default(), Instant::now());
        assert_eq!(handled(bursts.add(keys("a\n"), start)), "a");
        assert_eq!(handled(bursts.add(keys("b\nc"), after(start, 40))), "");
        assert_eq!(handled(bursts.release(after(start, 100))), "[\nb\nc]");
        // After a longer break.
        assert_eq!(handled(bursts.add(keys("d\n"), after(start, 300))), "");
        assert_eq!(handled(bursts.release(after(start, 360))), "[d\n]");
        assert_eq!(handled(bursts.add(keys("\n"), after(start, 700))), "⏎");
        // A key by hand ends it.
        assert_eq!(
            handled(bursts.add(keys("/who\n"), after(start, 750))),
            "/who"
        );
        assert_eq!(handled(bursts.release(after(start, 810))), "⏎");
    }

    #[test]
    fn another_key_ends_the_line_before_it() {
        let (mut bursts, start) = (Bursts::default(), Instant::now());
        let mut inputs = keys("/who\n");
        inputs.push(Input::Key(KeyEvent::from(KeyCode::Esc)));
        assert_eq!(handled(bursts.add(inputs, start)), "/who⏎<Esc>");
    }
}
