//! How fast keys come, by which a paste is told from typing where the terminal does not mark
//! it: see [`Held`](super::held::Held).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rustyline::{
    Cmd, ConditionalEventHandler, Event, EventContext, KeyCode, KeyEvent, Modifiers, Movement,
    RepeatCount,
};

use crate::stdin::{PAUSE, QUICK};

/// Sees each key of the line editor.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace {
    keys: Arc<Mutex<Keys>>,
}

#[derive(Debug, Default)]
struct Keys {
    last: Option<Instant>,
    /// The line that has ended.
    ended: Ended,
    /// Whether the line that is being typed came with the one before; `None` before its first
    /// key.
    follows: Option<bool>,
}

/// How a line ended.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ended {
    /// Right after its text: a program has typed it, or it is a line of a paste.
    pub(super) quickly: bool,
    /// It came with the line before.
    pub(super) follows: bool,
    at: Option<Instant>,
}

impl Pace {
    /// The line that has ended.
    pub(super) fn ended(&self) -> Ended {
        self.keys().ended
    }

    /// Whether a line is being typed that came with the one before.
    pub(super) fn follows(&self) -> bool {
        self.keys().follows == Some(true)
    }

    fn press(&self, now: Instant, is_enter: bool) {
        let keys = &mut *self.keys();
        let within = |time: Option<Instant>, span| time.is_some_and(|time| now - time < span);
        let begins_at_once = within(keys.ended.at, PAUSE);
        let follows = *keys.follows.get_or_insert(begins_at_once);
        if is_enter {
            keys.ended = Ended {
                quickly: within(keys.last, QUICK),
                follows,
                at: Some(now),
            };
            keys.follows = None;
        }
        keys.last = Some(now);
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConditionalEventHandler for Pace {
    /// Ctrl-C in a line that is not empty clears it; all other keys do what they do.
    fn handle(
        &self,
        event: &Event,
        _: RepeatCount,
        _: bool,
        context: &EventContext<'_>,
    ) -> Option<Cmd> {
        let is = |key: KeyEvent| *event == Event::from(key);
        let enter = KeyEvent(KeyCode::Enter, Modifiers::NONE);
        self.press(Instant::now(), is(enter));
        let clears = is(KeyEvent::ctrl('C')) && !context.line().is_empty();
        clears.then_some(Cmd::Kill(Movement::WholeBuffer))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_line_is_told_by_the_time_of_its_first_and_its_last_key() {
        let (pace, start) = (Pace::default(), Instant::now());
        let mut now = 0;
        let mut line = |gaps: &[u64]| {
            for (key, gap) in gaps.iter().enumerate() {
                now += gap;
                let is_enter = key + 1 == gaps.len();
                pace.press(start + Duration::from_millis(now), is_enter);
            }
            (pace.ended().quickly, pace.ended().follows)
        };
        assert_eq!(line(&[500, 100, 90]), (false, false), "by hand");
        assert_eq!(line(&[300, 0, 0]), (true, false), "by a program");
        assert_eq!(line(&[1, 0, 0]), (true, true), "a paste");
        assert_eq!(
            line(&[300, 0, 0]),
            (true, false),
            "another line of a program"
        );
        assert!(!pace.follows());
        pace.press(start + Duration::from_millis(now + 5), false);
        assert!(pace.follows(), "half a line that was pasted");
    }
}
