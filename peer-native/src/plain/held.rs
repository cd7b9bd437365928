//! Lines that may be a paste, until it is clear whether they are.
//!
//! Where a terminal does not mark a paste, its lines come as if they were typed, one after
//! the other. A line whose end came right after its text is held back for a moment. If no
//! more keys come, a program has typed it (`tmux send-keys`), and it is entered. If more
//! come, it is a paste: its lines wait until the user has looked at them and presses Enter,
//! and are one message then.

use tokio::time::Instant;

use crate::stdin::PAUSE;

/// The lines, and when it is clear what they are.
#[derive(Debug, Default)]
pub(super) struct Held {
    text: String,
    lines: usize,
    is_paste: bool,
    due: Option<Instant>,
}

impl Held {
    /// The next line has come, and perhaps with the one before: gives that one if not.
    pub(super) fn next(&mut self, follows: bool) -> Option<String> {
        self.is_paste |= follows && self.lines > 0;
        (self.due.is_some() && !self.is_paste).then(|| self.take_line())
    }

    /// Holds a line back.
    pub(super) fn add(&mut self, line: &str, now: Instant) {
        self.text.push_str(line);
        self.text.push('\n');
        self.lines += 1;
        self.due = Some(now + PAUSE);
    }

    /// Whether lines wait.
    pub(super) fn is_empty(&self) -> bool {
        self.lines == 0
    }

    /// When to look whether more has come.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Gives the line if nothing follows it. Else there is a paste, of so many lines by now.
    pub(super) fn look(&mut self, follows: bool) -> Result<String, usize> {
        self.due = None;
        self.is_paste |= follows;
        if self.is_paste {
            return Err(self.lines);
        }
        Ok(self.take_line())
    }

    /// All lines.
    pub(super) fn take(&mut self) -> String {
        std::mem::take(self).text
    }

    fn take_line(&mut self) -> String {
        let mut line = self.take();
        line.pop();
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_alone_is_entered_and_more_wait_for_a_look() {
        let now = Instant::now();
        let mut held = Held::default();
        held.add("/who", now);
        assert_eq!(held.due(), Some(now + PAUSE));
        assert_eq!(held.look(false), Ok("/who".to_owned()));
        assert!(held.is_empty() && held.due().is_none());

        held.add("/block rita", now);
        assert_eq!(held.look(true), Err(1), "half a line more");
        assert_eq!(held.next(true), None);
        held.add("/quit", now);
        assert_eq!(held.look(false), Err(2));
        assert_eq!(held.take(), "/block rita\n/quit\n");
    }

    #[test]
    fn lines_that_a_program_types_one_by_one_are_not_a_paste() {
        let now = Instant::now();
        let mut held = Held::default();
        held.add("one", now);
        // Handled late: the time of the keys counts.
        assert_eq!(held.next(false), Some("one".to_owned()));
        held.add("two", now);
        assert_eq!(held.look(false), Ok("two".to_owned()));
        assert_eq!(held.next(false), None);
    }
}
