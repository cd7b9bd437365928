//! How fast keys come, by which a paste is told from typing where the terminal does not mark
//! it: see [`Held`](super::held::Held).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustyline::{
    Cmd, ConditionalEventHandler, Event, EventContext, KeyCode, KeyEvent, Modifiers, Movement,
    RepeatCount,
};

/// Keys within this time of each other are not typed by hand.
const QUICK: Duration = Duration::from_millis(20);

/// Sees each key of the line editor.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace {
    keys: Arc<Mutex<Keys>>,
}

#[derive(Debug, Default)]
struct Keys {
    count: u64,
    last: Option<Instant>,
    ended_quickly: bool,
}

impl Pace {
    /// How many keys have come.
    pub(super) fn count(&self) -> u64 {
        self.keys().count
    }

    /// Whether the end of the last line came right after its text: a program has typed it,
    /// or it is a line of a paste.
    pub(super) fn ended_quickly(&self) -> bool {
        self.keys().ended_quickly
    }

    fn press(&self, now: Instant, is_enter: bool) {
        let keys = &mut *self.keys();
        let last = keys.last.replace(now);
        keys.count += 1;
        keys.ended_quickly = is_enter && last.is_some_and(|last| now - last < QUICK);
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
    use super::*;

    #[test]
    fn only_an_enter_right_after_another_key_is_quick() {
        let (pace, start) = (Pace::default(), Instant::now());
        let press = |millis, is_enter| {
            pace.press(start + Duration::from_millis(millis), is_enter);
            pace.ended_quickly()
        };
        assert!(!press(0, true));
        assert!(!press(500, false));
        assert!(!press(501, false));
        assert!(press(502, true));
        assert!(!press(600, false));
        assert!(!press(700, true));
        assert_eq!(pace.count(), 6);
    }
}
