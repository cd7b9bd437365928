//! What the page makes of what the bridge sends.

use super::*;
use crate::logic::rows::Rows;
use crate::logic::rows::samples::{message, rows};
use p2pchat_model::{Delivery, DeliveryState, Line, Person, Timestamp};

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

#[test]
fn a_text_that_was_refused_comes_back() {
    let say = || {
        Action::Asked(Command::Say {
            text: "hello".to_owned(),
        })
    };
    let state = after([say(), failed("say", Problem::NobodyThere)]);
    assert_eq!(state.page.unsent.as_deref(), Some("hello"));
    assert!(state.page.failure("say").is_some());
    let state = state.reduce(Action::Restored).reduce(say());
    assert!(state.page.failure("say").is_none());
    let state = state
        .reduce(said(1, true))
        .reduce(failed("say", Problem::TooMuch));
    assert_eq!(state.page.unsent, None);
}

#[test]
fn another_tabs_page_of_history_leaves_no_gap_here() {
    let page = || {
        let messages = vec![message(1, 1000, "bob", false)];
        frame(Event::History {
            messages,
            more: false,
        })
    };
    let lines = |state: &State| state.talk.view.as_ref().unwrap().get().lines.len();
    let state = after([said(100, false), page()]);
    assert_eq!(lines(&state), 1);
    let asked = Action::Asked(Command::History {
        before: Some(MessageId(100)),
    });
    let state = state.reduce(asked).reduce(page());
    assert_eq!(lines(&state), 2);
    assert!(!state.talk.waits);
}

#[test]
fn what_was_said_before_comes_with_a_login_though_nobody_asked() {
    let login = frame(Event::LoggedIn {
        at: Timestamp(1),
        name: "me".parse().unwrap(),
    });
    let page = frame(Event::History {
        messages: vec![message(1, 1000, "bob", false)],
        more: true,
    });
    let state = after([login, page]);
    let view = state.talk.view.as_ref().unwrap().get();
    assert_eq!(view.oldest_message(), Some(MessageId(1)));
    assert!(view.more_history);
    assert!(!state.talk.waits);
}

#[test]
fn a_lost_connection_forgets_what_was_asked() {
    let state = after([
        Action::Asked(Command::History { before: None }),
        Action::Connection(Connection::Waiting { until: 0.0 }),
    ]);
    assert_eq!(state.page.pending, Pending::default());
    assert!(!state.talk.waits);
    assert!(!state.page.is_live());
}

#[test]
fn a_new_view_of_the_same_conversation_keeps_what_was_read() {
    let state = after([Action::Look(true), said(1, false), Action::Look(false)]);
    let mut view = state.talk.view.as_ref().unwrap().get().clone();
    view.lines
        .push(Line::Message(message(2, 2000, "bob", false)));
    let state = state.reduce(Action::Frame(Frame::View(Box::new(view)), None));
    assert_eq!(
        (state.talk.reading.unread(), state.talk.reading.mark()),
        (1, Some(MessageId(2)))
    );
}

#[test]
fn every_event_makes_another_revision() {
    let state = after([]);
    let before = state.talk.view.clone();
    let state = state.reduce(said(1, false));
    assert!(before != state.talk.view);
}

#[test]
fn a_message_reaches_those_only_who_show_it() {
    let state = after([]);
    let before = state.clone();
    let state = state.reduce(said(1, false));
    assert!(before.page == state.page && before.talk != state.talk);
    let state = state.reduce(frame(Event::Busy { on: true }));
    assert!(before.page != state.page);
}

#[test]
fn whoever_looks_on_changes_nothing() {
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
        messages: vec![message(1, 1000, "bob", false)],
        more: false,
    });
    let login = |name: &str| {
        frame(Event::LoggedIn {
            at: Timestamp(7),
            name: name.parse().unwrap(),
        })
    };
    let asked = Action::Asked(Command::History { before: None });
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
        let view = state.talk.view.as_ref().unwrap();
        let expected = rows(&view.get().lines, state.talk.reading.mark());
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
    assert_eq!(state.talk.spoken, None);
    assert!(matches!(
        state.reduce(said(2, false)).talk.spoken,
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
