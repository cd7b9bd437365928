//! Tests of the screen and of keys.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use p2pchat_model::{
    Call, Command, ConversationId, Event, FrontEndId, Link, Snapshot, Timestamp, Update, View,
};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use super::*;

mod chats;
mod first;
mod fixture;
mod many;
mod pressing;
mod screens;
mod selecting;

use fixture::*;

/// 2026-11-22 16:23 UTC.
const NOW: Timestamp = Timestamp(1_795_364_580_000);

fn after(seconds: u64) -> Timestamp {
    Timestamp(NOW.0 + seconds * 1000)
}

fn app(view: View) -> App {
    let look = Look {
        theme: Theme::new(Colours::Many),
        clock: Clock::utc(),
        bell: true,
    };
    App::new(view, look, None, &FrontEndId::random([7; 16]))
}

/// The cells of the screen after drawing it at `now`.
fn cells(app: &mut App, (columns, rows): (u16, u16), now: Timestamp) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| app.draw(frame, now)).unwrap();
    terminal.backend().buffer().clone()
}

/// The screen as text.
fn screen(app: &mut App, size: (u16, u16), now: Timestamp) -> String {
    let buffer = cells(app, size, now);
    let mut out = String::new();
    for y in 0..size.1 {
        let (mut row, mut x) = (String::new(), 0);
        while x < size.0 {
            let symbol = buffer[(x, y)].symbol();
            row.push_str(symbol);
            x += u16::try_from(crate::wrap::width(symbol).max(1)).unwrap();
        }
        out.push_str(row.trim_end());
        out.push('\n');
    }
    out
}

/// Something happens that this front end did not ask for.
fn happen(app: &mut App, event: &Event) -> Option<Act> {
    app.apply(&event.clone().into(), NOW)
}

/// A call of this front end is answered.
fn answer(app: &mut App, call: &Call, event: Event) -> Option<Act> {
    let re = call.id.clone();
    app.apply(&Update { re, ..event.into() }, NOW)
}

/// The call that is to be sent.
fn call(act: Option<Act>) -> Call {
    match act {
        Some(Act::Send(call)) => call,
        other => panic!("{other:?} sends no call"),
    }
}

/// The commands that are to be sent.
fn commands(act: Option<Act>) -> Vec<Command> {
    let calls = match act {
        Some(Act::SendAll(calls)) => calls,
        act => vec![call(act)],
    };
    calls.into_iter().map(|call| call.command).collect()
}

fn press(app: &mut App, code: KeyCode) -> Option<Act> {
    app.key(KeyEvent::from(code), NOW)
}

fn press_control(app: &mut App, letter: char) -> Option<Act> {
    let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
    app.key(key, NOW)
}

fn type_text(app: &mut App, text: &str) {
    for letter in text.chars() {
        assert_eq!(press(app, KeyCode::Char(letter)), None);
    }
}

/// Types a text and presses Enter.
fn enter(app: &mut App, text: &str) -> Option<Act> {
    type_text(app, text);
    press(app, KeyCode::Enter)
}

/// The commands that are due without a key.
fn due(app: &mut App, at: Timestamp) -> Vec<Command> {
    let calls = app.due(at).into_iter();
    calls.map(|call| call.command).collect()
}

/// The same once what is on the screen was looked at for a moment.
fn seen(app: &mut App) -> Vec<Command> {
    let at_once = due(app, NOW);
    at_once.into_iter().chain(due(app, after(1))).collect()
}
