//! What the page makes of what the bridge sends.

use super::*;
use crate::logic::rows::Rows;
use crate::logic::rows::samples::{message, rows};
use p2pchat_model::{Delivery, DeliveryState, Line, Person, Timestamp};
use p2pchat_model::{Failure, Problem};

fn frame(event: Event) -> Action {
    Action::Frame(Frame::Event(Box::new(event)), None)
}

fn after(actions: impl IntoIterator<Item = Action>) -> Rc<State> {
    let view = View {
        lines_of: "me".parse().ok(),
        account: "me".parse().ok(),
        ..View::default()
    };
    let begin = [
        Action::Frame(Frame::View(Box::new(view)), None),
        Action::Connection(Connection::Live),
    ];
    begin
        .into_iter()
        .chain(actions)
        .fold(Rc::new(State::new(Zone::new(|_| 0))), |state, action| {
            state.reduce(action)
        })
}

fn failed(command: &str, problem: Problem) -> Action {
    let failure = Failure {
        command: command.to_owned(),
        problem,
        message: problem.words().to_owned(),
    };
    frame(Event::Failed {
        at: Timestamp(1),
        failure,
    })
}

fn said(id: u64, own: bool) -> Action {
    frame(Event::Message(message(id, id * 1000, "bob", own)))
}

fn say(text: &str) -> Action {
    Action::Command(Command::Say {
        text: text.to_owned(),
    })
}

/// The user's own text, as the event that answers it.
fn answered(id: u64, text: &str) -> Action {
    let mut message = message(id, id * 1000, "me", true);
    text.clone_into(&mut message.text);
    frame(Event::Message(message))
}

fn lost() -> Action {
    Action::Connection(Connection::Waiting { until: 0.0 })
}

#[test]
fn a_text_that_was_refused_comes_back() {
    let state = after([say("hello"), failed("say", Problem::NobodyThere)]);
    assert_eq!(state.page.unsent.as_deref(), Some("hello"));
    assert!(state.page.failure("say").is_some());
    let state = state.reduce(Action::Restored).reduce(say("hello"));
    assert!(state.page.failure("say").is_none());
    let state = state
        .reduce(answered(1, "hello"))
        .reduce(failed("say", Problem::TooMuch));
    assert_eq!(state.page.unsent, None);
}

#[test]
fn a_text_without_an_answer_comes_back_when_the_connection_is_lost() {
    let state = after([
        say("one"),
        say("two"),
        say("three"),
        answered(1, "two"),
        lost(),
    ]);
    assert_eq!(state.page.unsent.as_deref(), Some("one\nthree"));
    let state = state.reduce(Action::Restored).reduce(lost());
    assert_eq!(state.page.unsent, None);
    let state = after([say("hello"), answered(1, "hello"), lost()]);
    assert_eq!(state.page.unsent, None);
}

#[test]
fn the_text_of_one_account_does_not_come_back_for_another() {
    let end = Event::LoggedOut {
        at: Timestamp(1),
        problem: None,
    };
    let state = after([say("hello"), lost(), frame(end)]);
    assert_eq!(state.page.unsent, None);
}

#[test]
fn another_tabs_page_of_history_leaves_no_gap_here() {
    let page = || {
        let messages = vec![message(1, 1000, "bob", false)];
        frame(Event::History {
            before: Some(MessageId(100)),
            messages,
            more: false,
        })
    };
    let lines = |state: &State| state.conversation.view.as_ref().unwrap().get().lines.len();
    let state = after([said(100, false), page()]);
    assert_eq!(lines(&state), 1);
    let asked = Action::Command(Command::History {
        before: Some(MessageId(100)),
    });
    let state = state.reduce(asked).reduce(page());
    assert_eq!(lines(&state), 2);
    assert!(!state.conversation.awaits_history);
}

fn login(name: &str) -> Action {
    frame(Event::LoggedIn {
        at: Timestamp(7),
        name: name.parse().unwrap(),
    })
}

#[test]
fn history_comes_with_a_login_though_the_page_did_not_ask() {
    let end = Event::LoggedOut {
        at: Timestamp(1),
        problem: None,
    };
    let page = frame(Event::History {
        before: None,
        messages: vec![message(1, 1000, "bob", false)],
        more: true,
    });
    let state = after([frame(end), login("me"), page]);
    let view = state.conversation.view.as_ref().unwrap().get();
    assert_eq!(view.oldest_message(), Some(MessageId(1)));
    assert!(view.more_history);
    assert!(!state.conversation.awaits_history);
}

#[test]
fn no_history_is_awaited_when_a_session_goes_on_after_the_registry_was_gone() {
    let state = after([login("me")]);
    assert!(!state.conversation.awaits_history);
    let asked = Action::Command(Command::History { before: None });
    assert!(
        state
            .reduce(asked)
            .reduce(login("me"))
            .conversation
            .awaits_history
    );
}

#[test]
fn a_lost_connection_forgets_what_was_asked() {
    let state = after([
        Action::Command(Command::History { before: None }),
        Action::Connection(Connection::Waiting { until: 0.0 }),
    ]);
    assert_eq!(state.page.pending, Pending::default());
    assert!(!state.conversation.awaits_history);
    assert!(!state.page.is_live());
}

#[test]
fn a_new_view_of_the_same_conversation_keeps_what_was_read() {
    let state = after([Action::Look(true), said(1, false), Action::Look(false)]);
    let mut view = state.conversation.view.as_ref().unwrap().get().clone();
    view.lines.push(message(2, 2000, "bob", false).into());
    let state = state.reduce(Action::Frame(Frame::View(Box::new(view)), None));
    assert_eq!(
        (
            state.conversation.reading.unread(),
            state.conversation.reading.mark()
        ),
        (1, Some(MessageId(2)))
    );
}

#[test]
fn every_event_makes_another_revision() {
    let state = after([]);
    let before = state.conversation.view.clone();
    let state = state.reduce(said(1, false));
    assert!(before != state.conversation.view);
}

#[test]
fn a_message_changes_the_conversation_alone() {
    let state = after([]);
    let before = state.clone();
    let state = state.reduce(said(1, false));
    assert!(before.page == state.page && before.conversation != state.conversation);
    let state = state.reduce(frame(Event::Busy { on: true }));
    assert!(before.page != state.page);
}

#[test]
fn looking_on_changes_nothing() {
    let state = after([Action::Look(true), said(1, false)]);
    assert!(Rc::ptr_eq(
        &state,
        &state.clone().reduce(Action::Look(true))
    ));
    assert!(!Rc::ptr_eq(
        &state,
        &state.clone().reduce(Action::Look(false))
    ));
}

#[test]
fn the_rows_follow_the_lines() {
    let delivery = |id| Event::Delivered {
        id: MessageId(id),
        delivery: Delivery {
            to: Person {
                address: "127.0.0.3".parse().unwrap(),
                name: None,
            },
            state: DeliveryState::Sent,
        },
    };
    let page = frame(Event::History {
        before: None,
        messages: vec![message(1, 1000, "bob", false)],
        more: false,
    });
    let asked = Action::Command(Command::History { before: None });
    let steps = [
        said(2, false),
        failed("say", Problem::TooMuch),
        said(3, true),
        frame(delivery(3)),
        said(4, false),
        asked,
        page,
        frame(Event::Busy { on: true }),
        login("me"),
        login("other"),
    ];
    let mut state = after([]);
    for step in steps {
        state = state.reduce(step);
        let view = state.conversation.view.as_ref().unwrap();
        let expected = rows(&view.get().lines, state.conversation.reading.mark());
        let shown = |rows: &Rows| -> Vec<_> {
            rows.iter()
                .map(|row| (row.shown.key, row.shown.kind))
                .collect()
        };
        assert_eq!(shown(&view.rows()), shown(&expected));
    }
}

#[test]
fn own_words_are_not_read_aloud_but_those_of_others_are() {
    let state = after([said(1, true)]);
    assert_eq!(state.conversation.spoken, None);
    assert!(matches!(
        state.reduce(said(2, false)).conversation.spoken,
        Some(Line::Message(_))
    ));
}

#[test]
fn the_end_of_a_session_by_the_registry_is_remembered_until_the_next() {
    let end = Event::LoggedOut {
        at: Timestamp(1),
        problem: Some(Problem::WrongCredentials),
    };
    let state = after([frame(end)]);
    assert_eq!(state.page.ended, Some(Problem::WrongCredentials));
    let name = "me".parse().unwrap();
    let state = state.reduce(frame(Event::LoggedIn {
        at: Timestamp(2),
        name,
    }));
    assert_eq!(state.page.ended, None);
}
