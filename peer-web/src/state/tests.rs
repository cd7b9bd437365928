//! What the page makes of what the bridge sends.

use super::*;
use crate::bridge::Loss;
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
    Action::Connection(Connection::Waiting {
        until: 0.0,
        why: Loss::Stopped,
    })
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
fn a_text_is_unanswered_until_it_is_acknowledged_or_back_in_the_field() {
    let texts = |state: &State| -> Vec<(String, bool)> {
        let unanswered = state.conversation.unanswered.iter();
        unanswered
            .map(|sent| (sent.text.to_string(), sent.failed))
            .collect()
    };
    let state = after([say("one"), say("two"), answered(1, "one")]);
    assert_eq!(texts(&state), [("two".to_owned(), false)]);
    let state = state.reduce(lost());
    assert_eq!(texts(&state), [("two".to_owned(), true)]);
    // Another one like it does not count for the one that failed.
    let state = state.reduce(answered(2, "two"));
    assert_eq!(texts(&state), [("two".to_owned(), true)]);
    assert!(texts(&state.reduce(Action::Restored)).is_empty());
}

#[test]
fn an_unanswered_text_is_found_among_the_messages_that_came_after_it() {
    let state = after([answered(1, "yes"), say("yes")]);
    let sent = state.conversation.unanswered[0].clone();
    let is_in = |state: &State| {
        let view = state.conversation.view.as_ref().unwrap().get();
        sent.is_in(&view)
    };
    assert!(!is_in(&state));
    assert!(is_in(&state.reduce(answered(2, "yes"))));
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
fn another_tabs_page_of_history_leaves_no_gap_here_and_is_not_taken_for_ours() {
    let page = |before: u64| {
        frame(Event::History {
            before: Some(MessageId(before)),
            messages: vec![message(before - 1, 1000, "bob", false)],
            more: true,
        })
    };
    let oldest = |state: &State| {
        let view = state.conversation.view.as_ref().unwrap().get();
        view.oldest_message()
    };
    let asked = Action::Command(Command::History {
        before: Some(MessageId(100)),
    });
    let state = after([said(100, false), asked]).reduce(page(50));
    assert_eq!(oldest(&state), Some(MessageId(100)));
    assert!(state.conversation.awaits_history);
    let state = state.reduce(page(100));
    assert_eq!(oldest(&state), Some(MessageId(99)));
    assert!(!state.conversation.awaits_history);
    // One that joins on is welcome no matter which tab asked.
    let state = state.reduce(page(99));
    assert_eq!(oldest(&state), Some(MessageId(98)));
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
        Action::Connection(Connection::Waiting {
            until: 0.0,
            why: Loss::Stopped,
        }),
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

fn speaker(name: &str, last: u8) -> p2pchat_model::Speaker {
    p2pchat_model::Speaker {
        name: name.parse().unwrap(),
        address: format!("10.0.0.{last}").parse().unwrap(),
        check: p2pchat_model::NameCheck::Confirmed,
    }
}

fn person(name: &str, last: u8) -> Person {
    let from = speaker(name, last);
    Person {
        address: from.address,
        name: Some(from.name),
    }
}

fn missed(name: &str, last: u8) -> Action {
    frame(Event::RequestMissed {
        at: Timestamp(1),
        from: speaker(name, last),
    })
}

fn notes(state: &State) -> Vec<(String, bool)> {
    let notes = state.page.notes.iter();
    notes
        .map(|note| (note.words.clone(), note.ask.is_some()))
        .collect()
}

#[test]
fn a_missed_request_is_told_until_it_is_seen_or_answered() {
    let expired = frame(Event::RequestClosed {
        at: Timestamp(2),
        from: speaker("bob", 2),
        outcome: p2pchat_model::Outcome::Expired,
    });
    let state = after([missed("alice", 1), expired]);
    let told = notes(&state);
    assert!(
        told[0].0.contains("missed a request from alice"),
        "{told:?}"
    );
    assert!(told[1].0.contains("bob") && told.iter().all(|note| note.1));
    let state = state.reduce(Action::Dismissed(person("alice", 1).address));
    assert_eq!(notes(&state).len(), 1);
    let asked = frame(Event::RequestSent(p2pchat_model::OutgoingRequest {
        at: Timestamp(3),
        to: person("bob", 2),
        expires: Timestamp(4),
    }));
    assert_eq!(notes(&state.reduce(asked)), []);
}

#[test]
fn there_are_three_outcomes_and_what_the_user_did_is_none_of_them() {
    use p2pchat_model::RequestFailure as Failure;
    let answer = |refusal| {
        let state = after([frame(Event::RequestAnswered {
            at: Timestamp(1),
            to: person("uma", 9),
            refusal: Some(refusal),
        })]);
        notes(&state).pop()
    };
    let declined = answer(Failure::Rejected).unwrap();
    let silent = answer(Failure::NoAnswer).unwrap();
    let busy = answer(Failure::Busy).unwrap();
    assert!(declined.0.contains("declined") && !declined.1);
    assert!(silent.0.contains("did not answer") && silent.1);
    assert!(busy.0.contains("not taking requests") && busy.1);
    assert_eq!(answer(Failure::Cancelled), None);
    assert_eq!(answer(Failure::Blocked), None);
}

#[test]
fn of_many_missed_requests_the_last_are_told_each_once() {
    let state = after([1, 2, 3, 3, 4].map(|last| missed("x", last)));
    assert_eq!(notes(&state).len(), 3);
}

fn online(users: &[(&str, u8)]) -> Action {
    let users = users.iter().map(|(name, last)| {
        let Person { address, .. } = person(name, *last);
        p2pchat_model::OnlineUser {
            name: name.parse().unwrap(),
            address,
        }
    });
    frame(Event::Online {
        users: users.collect(),
    })
}

#[test]
fn an_answer_goes_when_another_name_is_typed_or_it_is_no_longer_true() {
    let found = frame(Event::Found {
        at: Timestamp(1),
        name: "bo".parse().unwrap(),
        address: None,
    });
    let state = after([found, failed("request", Problem::NotOnline)]);
    let typed = state.clone().reduce(Action::SearchChanged);
    assert!(typed.page.found.is_none() && typed.page.search_failure().is_none());
    let state = state.reduce(online(&[("bo", 5)]));
    assert!(state.page.search_failure().is_none());
    assert!(
        state
            .page
            .found
            .is_some_and(|found| found.address.is_some())
    );

    let state = after([failed("refresh", Problem::RegistryUnreachable)]);
    let state = state.reduce(frame(Event::Link(p2pchat_model::Link::Up)));
    assert!(state.page.search_failure().is_none());

    let joined = frame(Event::MemberJoined {
        at: Timestamp(1),
        member: person("bob", 2),
        by: p2pchat_model::JoinedBy::AcceptedUs,
    });
    let state = after([failed("say", Problem::NobodyThere), joined]);
    assert!(state.page.failure("say").is_none());
}

#[test]
fn an_account_that_is_listed_at_another_address_is_elsewhere() {
    let started = frame(Event::Started {
        address: person("me", 1).address,
        registry: "r".to_owned(),
        message_port: 1010,
    });
    let state = after([started, online(&[("me", 1), ("bob", 2)])]);
    assert!(!state.page.is_elsewhere());
    let state = state.reduce(online(&[("me", 7), ("bob", 2)]));
    assert!(state.page.is_elsewhere());
    assert!(!state.reduce(online(&[("bob", 2)])).page.is_elsewhere());
}

#[test]
fn the_form_knows_the_last_account_unless_the_user_signed_out() {
    let end = |problem| {
        frame(Event::LoggedOut {
            at: Timestamp(1),
            problem,
        })
    };
    let last = |actions: Vec<Action>| after(actions).page.last_account;
    let me = "me".parse().ok();
    assert_eq!(last(vec![end(None)]), None);
    assert_eq!(last(vec![end(Some(Problem::SlowDown))]), me);
    assert_eq!(last(vec![Action::MoveHere, end(None)]), me);
    assert_eq!(
        last(vec![
            lost(),
            Action::Frame(Frame::View(Box::default()), None)
        ]),
        me
    );
}
