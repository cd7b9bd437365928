//! Lines that may be a paste, until it is clear whether they are.
//!
//! Where a terminal does not mark a paste, its lines come as if they were typed, one after
//! the other. A line whose end came right after its text is held back for a moment. If no
//! more keys come, a program has typed it (`tmux send-keys`), and it is entered. If more
//! come, it is a paste: its lines wait until the user has looked at them and presses Enter,
//! and are one message then.

use std::time::Duration;

use tokio::time::Instant;

/// How long a line is held back.
const PAUSE: Duration = Duration::from_millis(60);

/// The lines, and when it is clear what they are.
#[derive(Debug, Default)]
pub(super) struct Held {
    text: String,
    lines: usize,
    is_paste: bool,
    due: Option<(Instant, u64)>,
}

impl Held {
    /// Holds a line back, at which `keys` keys had come.
    pub(super) fn add(&mut self, line: &str, keys: u64, now: Instant) {
        self.text.push_str(line);
        self.text.push('\n');
        self.lines += 1;
        self.is_paste |= self.lines > 1;
        self.due = Some((now + PAUSE, keys));
    }

    /// Whether lines wait.
    pub(super) fn is_empty(&self) -> bool {
        self.lines == 0
    }

    /// When to look whether keys have come since.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due.map(|(at, _)| at)
    }

    /// Looks whether keys have come since: gives the line if none have. Else there is a
    /// paste, of so many lines by now.
    pub(super) fn look(&mut self, keys: u64) -> Result<String, usize> {
        let due = self.due.take();
        self.is_paste |= due.is_some_and(|(_, before)| before != keys);
        if self.is_paste {
            return Err(self.lines);
        }
        let mut line = self.take();
        line.pop();
        Ok(line)
    }

    /// All lines.
    pub(super) fn take(&mut self) -> String {
        std::mem::take(self).text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_alone_is_entered_and_more_wait_for_a_look() {
        let now = Instant::now();
        let mut held = Held::default();
        held.add("/who", 5, now);
        assert_eq!(held.due(), Some(now + PAUSE));
        assert_eq!(held.look(5), Ok("/who".to_owned()));
        assert!(held.is_empty() && held.due().is_none());

        held.add("/block rita", 20, now);
        assert_eq!(held.look(24), Err(1), "more came");
        held.add("/quit", 25, now);
        assert_eq!(held.look(25), Err(2));
        assert_eq!(held.take(), "/block rita\n/quit\n");
    }
}
