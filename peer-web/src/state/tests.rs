//! What the page makes of what the bridge sends.

use std::sync::Arc;

use super::*;
use crate::bridge::Loss;
use crate::logic::rows::Rows;
use crate::logic::rows::samples::{message, rows};
use p2pchat_model::{
    CONTRACT_VERSION, CallId, Delivery, DeliveryState, Failure, Line, OnlineUser, Person, Problem,
    Snapshot, Timestamp,
};

mod parts;

const OPEN: ConversationId = ConversationId::OPEN;

fn frame(event: Event) -> Action {
    Action::Update(Update::from(event))
}

/// An event that answers the call with this id.
fn answer(id: u64, event: Event) -> Action {
    let (re, event) = (Some(CallId::Number(id)), Arc::new(event));
    Action::Update(Update { re, event })
}

fn done(id: u64) -> Action {
    answer(id, Event::Done)
}

fn failed(id: u64, command: &str, problem: Problem) -> Action {
    answer(
        id,
        Event::Failed(Failure::new(Timestamp(1), command, problem)),
    )
}

fn view_of(account: &str) -> View {
    View {
        conversations_of: "me".parse().ok(),
        account: account.parse().ok(),
        ..View::default()
    }
}

fn shown(view: View) -> Action {
    frame(Event::View(Box::new(Snapshot {
        version: CONTRACT_VERSION,
        missed: 0,
        view,
    })))
}

fn after(actions: impl IntoIterator<Item = Action>) -> Rc<State> {
    let begin = [shown(view_of("me")), Action::Connection(Connection::Live)];
    begin
        .into_iter()
        .chain(actions)
        .fold(Rc::new(State::new(Zone::new(|_| 0))), |state, action| {
            state.reduce(action)
        })
}

fn said(id: u64, own: bool) -> Action {
    frame(Event::Message(message(id, id * 1000, "bob", own)))
}

fn say(id: u64, text: &str) -> Action {
    let text = text.to_owned();
    Action::Command(
        id,
        Command::Say {
            conversation: OPEN,
            text,
            reply_to: None,
        },
    )
}

/// The user's own text, as the event before the one that closes its call.
fn own(call: u64, id: u64, text: &str) -> Action {
    let mut message = message(id, id * 1000, "me", true);
    text.clone_into(&mut message.text);
    answer(call, Event::Message(message))
}

fn history(id: u64, before: Option<u64>) -> Action {
    let before = before.map(MessageId::new);
    Action::Command(
        id,
        Command::History {
            conversation: OPEN,
            before,
        },
    )
}

fn lost() -> Action {
    Action::Connection(Connection::Waiting {
        until: 0.0,
        why: Loss::Stopped,
    })
}

fn back() -> [Action; 2] {
    [shown(view_of("me")), Action::Connection(Connection::Live)]
}

fn unanswered(state: &State) -> Vec<(u64, String)> {
    let texts = state.conversation.unanswered();
    texts
        .map(|asked| (asked.id, asked.text().unwrap_or_default().to_owned()))
        .collect()
}

#[test]
fn a_text_that_was_refused_comes_back() {
    let state = after([say(1, "hello"), failed(1, "say", Problem::NobodyThere)]);
    assert_eq!(state.page.unsent.as_deref(), Some("hello"));
    assert!(state.page.failure("say").is_some());
    let state = state.reduce(Action::Restored).reduce(say(2, "hello"));
    assert!(state.page.failure("say").is_none());
    let state = state.reduce(own(2, 1, "hello")).reduce(done(2));
    // Whose answer that is, no one here knows.
    let state = state.reduce(failed(9, "say", Problem::TooMuch));
    assert_eq!(state.page.unsent, None);
    assert!(state.page.failure("say").is_none());
}

#[test]
fn a_text_without_an_answer_is_sent_again_by_its_id_and_not_back_in_the_field() {
    let state = after([
        say(1, "one"),
        say(2, "two"),
        say(3, "two"),
        own(2, 1, "two"),
        done(2),
        lost(),
    ]);
    let texts = |state: &State| unanswered(state);
    let expected = [(1, "one".to_owned()), (3, "two".to_owned())];
    assert_eq!(texts(&state), expected);
    assert_eq!(state.page.unsent, None);
    let calls: Vec<_> = state.conversation.unanswered().map(Asked::call).collect();
    assert_eq!(calls[1].id, Some(CallId::Number(3)));
    let views = state.page.views;
    let state = back().into_iter().fold(state, State::reduce);
    assert_eq!(texts(&state), expected);
    assert!(state.page.views > views, "by which it is sent again");
    let state = state
        .reduce(done(1))
        .reduce(failed(3, "say", Problem::NobodyThere));
    assert!(texts(&state).is_empty());
    assert_eq!(state.page.unsent.as_deref(), Some("two"));
}

#[test]
fn a_message_that_is_told_again_in_an_answer_is_there_once() {
    let state = after([say(1, "one"), lost(), said(1, true)]);
    let state = [
        own(1, 1, "one"),
        done(1),
        own(2, 2, "two"),
        own(1, 1, "one"),
    ]
    .into_iter()
    .fold(state, State::reduce);
    let view = state.conversation.view.clone().unwrap();
    assert_eq!(view.chat().lines.len(), 2);
}

#[test]
fn a_text_without_an_answer_waits_for_the_next_session_of_its_account() {
    let ended = [shown(View::default()), Action::Connection(Connection::Live)];
    let state = after([say(1, "hello"), lost()].into_iter().chain(ended));
    assert!(state.page.says_again);
    let again = state.clone().reduce(login("me"));
    assert_eq!(unanswered(&again).len(), 1);
    let other = state.reduce(login("other"));
    assert!(unanswered(&other).is_empty() && !other.page.says_again);
}

#[test]
fn a_text_that_the_bridge_would_refuse_again_comes_back() {
    let refused = Action::Connection(Connection::Waiting {
        until: 0.0,
        why: Loss::TooBig,
    });
    let state = after([say(1, "one"), say(2, "two"), refused]);
    assert_eq!(state.page.unsent.as_deref(), Some("one\ntwo"));
    assert!(unanswered(&state).is_empty());
    // Until they are in the field, the tab keeps them.
    assert_eq!(state.conversation.unsaid().len(), 2);
    assert!(
        state
            .reduce(Action::Restored)
            .conversation
            .unsaid()
            .is_empty()
    );
}

#[test]
fn the_text_of_one_account_does_not_come_back_for_another() {
    let end = Event::LoggedOut {
        at: Timestamp(1),
        problem: None,
    };
    let state = after([
        say(1, "hello"),
        failed(1, "say", Problem::TooMuch),
        frame(end),
    ]);
    assert_eq!(state.page.unsent, None);
}

#[test]
fn a_page_of_history_is_awaited_until_its_call_is_closed() {
    let page = |before: u64| Event::History {
        conversation: OPEN,
        before: Some(MessageId::new(before)),
        messages: vec![message(before - 1, 1000, "bob", false)],
        more: true,
    };
    let oldest = |state: &State| {
        let view = state.conversation.view.as_ref().unwrap();
        view.chat().oldest_message()
    };
    let state = after([said(100, false), history(1, Some(100))]);
    assert!(state.conversation.awaits_history());
    let state = state.reduce(done(7));
    assert!(state.conversation.awaits_history());
    let state = state.reduce(answer(1, page(100))).reduce(done(1));
    assert_eq!(oldest(&state), Some(MessageId::new(99)));
    assert!(!state.conversation.awaits_history());
}

#[test]
fn a_new_view_keeps_the_older_messages_that_are_loaded() {
    let lines = |ids: std::ops::RangeInclusive<u64>| -> Vec<Line> {
        ids.map(|id| message(id, id * 1000, "bob", false).into())
            .collect()
    };
    let view = |ids, more| {
        let mut view = view_of("me");
        view.conversations[0].lines = lines(ids);
        view.conversations[0].more_history = more;
        view
    };
    let notice = crate::logic::rows::samples::notice(4_500);
    let mut before = view(1..=8, false);
    before.conversations[0].lines.insert(4, notice.clone());
    let mut after_loss = view(5..=10, true);
    after_loss.conversations[0].lines.insert(0, notice.clone());
    let state = after([shown(before), shown(after_loss)]);
    let known = state.conversation.view.clone().unwrap();
    let mut expected = lines(1..=10);
    expected.insert(4, notice);
    assert_eq!(known.chat().lines, expected);
    assert!(!known.chat().more_history);
    // With a gap between the two they would not be a conversation.
    let state = state.reduce(shown(view(20..=21, true)));
    let known = state.conversation.view.clone().unwrap();
    assert_eq!(known.chat().lines, lines(20..=21));
    assert!(known.chat().more_history);
}

#[test]
fn what_is_read_or_typed_in_another_front_end_is_so_here() {
    let read = |id| {
        let message = MessageId::new(id);
        frame(Event::Read {
            conversation: OPEN,
            message,
        })
    };
    let state = after([1, 2, 3].map(|id| said(id, false)));
    let unread = |state: &State| {
        (
            state.conversation.reading.unread(),
            state.conversation.reading.mark(),
        )
    };
    assert_eq!(unread(&state), (3, Some(MessageId::new(1))));
    let state = state.reduce(read(2));
    assert_eq!(unread(&state), (1, Some(MessageId::new(3))));
    let state = state.reduce(read(1)).reduce(read(3));
    assert_eq!(unread(&state), (0, None));

    let draft = |text: &str| Event::Draft {
        conversation: OPEN,
        text: text.to_owned(),
    };
    let state = state.reduce(frame(draft("from the terminal")));
    let known = state.page.draft.clone();
    assert_eq!(&*known.text, "from the terminal");
    // Its own comes back, and the field has it.
    let text = "own".to_owned();
    let asked = Action::Command(
        5,
        Command::Draft {
            conversation: OPEN,
            text,
        },
    );
    let state = state
        .reduce(asked)
        .reduce(answer(5, draft("own")))
        .reduce(done(5));
    assert_eq!(state.page.draft, known);
    assert_eq!(state.conversation.kept_draft, Some((OPEN, "own".into())));
}

#[test]
fn what_was_read_before_is_not_new_when_a_page_begins() {
    let mut view = view_of("me");
    view.conversations[0].lines = (1..=5)
        .map(|id| message(id, 1000, "bob", false).into())
        .collect();
    view.conversations[0].read = Some(MessageId::new(3));
    let state = after([shown(view)]);
    assert_eq!(state.conversation.reading.unread(), 2);
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
        conversation: OPEN,
        before: None,
        messages: vec![message(1, 1000, "bob", false)],
        more: true,
    });
    let state = after([frame(end), login("me"), page]);
    let view = state.conversation.view.as_ref().unwrap();
    assert_eq!(view.chat().oldest_message(), Some(MessageId::new(1)));
    assert!(view.chat().more_history);
    assert!(!state.conversation.awaits_history());
}

#[test]
fn no_history_is_awaited_when_a_session_goes_on_after_the_registry_was_gone() {
    let state = after([login("me")]);
    assert!(!state.conversation.awaits_history());
    let state = state.reduce(history(1, None)).reduce(login("me"));
    assert!(state.conversation.awaits_history());
}

#[test]
fn what_was_read_over_a_lost_connection_is_not_awaited_over_the_next() {
    let text = "words".to_owned();
    let find = Command::Find {
        conversation: None,
        text,
    };
    let state = after([history(1, None), Action::Command(2, find), lost()]);
    assert!(!state.page.is_live());
    let state = back().into_iter().fold(state, State::reduce);
    assert!(!state.page.waits_for(&["find"]));
    assert!(!state.conversation.awaits_history());
}

#[test]
fn a_new_view_of_the_same_conversation_keeps_what_was_read() {
    let state = after([Action::Look(true), said(1, false), Action::Look(false)]);
    let mut view = state.conversation.view.as_ref().unwrap().get().clone();
    let lines = &mut view.conversations[0].lines;
    lines.push(message(2, 2000, "bob", false).into());
    let state = state.reduce(shown(view));
    assert_eq!(
        (
            state.conversation.reading.unread(),
            state.conversation.reading.mark()
        ),
        (1, Some(MessageId::new(2)))
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
    assert!(Rc::ptr_eq(&before.page, &state.page) && before.conversation != state.conversation);
    let state = state.reduce(frame(Event::Busy { on: true }));
    assert!(!Rc::ptr_eq(&before.page, &state.page));
}

#[test]
fn writing_and_reading_change_the_conversation_alone() {
    let conversation = OPEN;
    let state = after([said(1, false), say(1, "a"), done(1)]);
    let asked = |state: &Rc<State>, id, command| state.clone().reduce(Action::Command(id, command));
    let is_page = |other: &State| Rc::ptr_eq(&state.page, &other.page);
    let text = "b".to_owned();
    let draft = asked(&state, 2, Command::Draft { conversation, text });
    assert!(is_page(&draft) && is_page(&draft.reduce(done(2))));
    let message = MessageId::new(1);
    let quiet = [
        Command::Typing { conversation },
        Command::Read {
            conversation,
            message,
        },
    ];
    for command in quiet {
        let next = asked(&state, 3, command).reduce(done(3));
        assert!(is_page(&next) && next.conversation == state.conversation);
    }
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
        conversation: OPEN,
        message: MessageId::new(id),
        delivery: Delivery {
            to: Person::listed("127.0.0.3".parse().unwrap(), None),
            state: DeliveryState::Sent,
        },
    };
    let page = Event::History {
        conversation: OPEN,
        before: None,
        messages: vec![message(1, 1000, "bob", false)],
        more: false,
    };
    let read = Event::Read {
        conversation: OPEN,
        message: MessageId::new(2),
    };
    let steps = [
        said(2, false),
        failed(9, "say", Problem::TooMuch),
        said(3, true),
        frame(delivery(3)),
        said(4, false),
        said(5, false),
        frame(read),
        history(1, None),
        answer(1, page),
        frame(Event::Busy { on: true }),
        login("me"),
        login("other"),
    ];
    let mut state = after([]);
    for step in steps {
        state = state.reduce(step);
        let view = state.conversation.view.as_ref().unwrap();
        let expected = rows(&view.chat().lines, state.conversation.reading.mark());
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

fn person(name: &str, last: u8) -> Person {
    let address = format!("10.0.0.{last}").parse().unwrap();
    Person::listed(address, name.parse().ok())
}

fn missed(name: &str, last: u8) -> Action {
    frame(Event::RequestMissed {
        conversation: OPEN,
        at: Timestamp(1),
        from: person(name, last),
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
        conversation: OPEN,
        at: Timestamp(2),
        from: person("bob", 2),
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
        conversation: OPEN,
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
            conversation: OPEN,
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
    let users = users.iter().map(|&(name, last)| {
        let person = person(name, last);
        let (name, address) = (person.name.unwrap(), person.address);
        OnlineUser { name, address }.into()
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
    let asked = |id, command| Action::Command(id, command);
    let to = p2pchat_model::Target::Name("bo".parse().unwrap());
    let request = Command::Request {
        conversation: OPEN,
        to,
    };
    let refused = [asked(1, request), failed(1, "request", Problem::NotOnline)];
    let state = after([found].into_iter().chain(refused));
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

    let state = after([
        asked(1, Command::Refresh),
        failed(1, "refresh", Problem::RegistryUnreachable),
    ]);
    assert!(state.page.search_failure().is_some());
    let state = state.reduce(frame(Event::Link(p2pchat_model::Link::Up)));
    assert!(state.page.search_failure().is_none());

    let joined = frame(Event::MemberJoined {
        conversation: OPEN,
        at: Timestamp(1),
        member: person("bob", 2),
        by: p2pchat_model::JoinedBy::AcceptedUs,
    });
    let state = after([say(1, "x"), failed(1, "say", Problem::NobodyThere), joined]);
    assert!(state.page.failure("say").is_none());
}

#[test]
fn an_account_that_is_listed_at_another_address_is_elsewhere() {
    let view = View {
        address: Some(person("me", 1).address),
        ..view_of("me")
    };
    let state = after([shown(view), online(&[("me", 1), ("bob", 2)])]);
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
    assert_eq!(last(vec![lost(), shown(view_of(""))]), me);
}

#[test]
fn a_chat_is_shown_from_the_first_message_on_that_was_not_read() {
    let id = ConversationId::encrypted(&[7; 32]);
    let with = |read| {
        let lines = (1..5).map(|nth| Line::from(message(nth, nth * 1000, "bob", false)));
        let chat = p2pchat_model::Conversation {
            lines: lines.collect(),
            read: Some(MessageId::new(read)),
            ..p2pchat_model::Conversation::new(id)
        };
        let mut view = view_of("me");
        view.conversations.push(chat);
        after([shown(view), Action::Show(OPEN), Action::Show(id)])
    };
    assert_eq!(with(2).conversation.jump, Some(MessageId::new(3)));
    assert_eq!(with(4).conversation.jump, None);
}

#[test]
fn where_one_was_led_is_lit_and_said() {
    let state = after([said(1, false), said(2, false)]);
    let led = state.reduce(Action::Jump(MessageId::new(1)));
    assert_eq!(led.conversation.lit, Some(MessageId::new(1)));
    let there = led.reduce(Action::Jumped);
    assert_eq!(there.conversation.jump, None);
    let spoken = there.conversation.spoken.as_ref();
    assert_eq!(spoken.and_then(Line::message_id), Some(MessageId::new(1)));
}

#[test]
fn until_a_chat_that_was_asked_for_is_there_nothing_is_written() {
    let with = "bob".parse().unwrap();
    let state = after([Action::Command(1, Command::Chat { with })]);
    assert!(state.page.opens());
    let opened = answer(1, Event::Opened { conversation: OPEN });
    for end in [opened, failed(1, "chat", Problem::NotOnline), lost()] {
        assert!(!state.clone().reduce(end).page.opens());
    }
}
