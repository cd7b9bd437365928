//! How calls are answered: where to, by what, and when they are made again.

use p2pchat_model::{BlockChange, CallId, ConversationId, MessageId};

use super::super::{Asked, Asker, SaidBy};
use super::hostile::{block, name, view};
use super::*;

fn say(text: &str) -> Command {
    Command::Say {
        conversation: OPEN,
        text: text.to_owned(),
        reply_to: None,
    }
}

fn login() -> Command {
    Command::login(name("user1"), password())
}

/// The one answer that closed a call, which was also the last.
fn closed(net: &Net, at: u8, call: &Asker) -> Option<Problem> {
    let is_last = |event: &&Event| matches!(event, Event::Done | Event::Failed(_));
    let answers = net.answers(at, call);
    assert_eq!(answers.iter().filter(is_last).count(), 1, "{answers:?}");
    match answers.last() {
        Some(Event::Done) => None,
        Some(Event::Failed(failure)) => Some(failure.code),
        other => panic!("{other:?} is not the end"),
    }
}

fn has(net: &Net, at: u8, call: &Asker, is_it: fn(&Event) -> bool) -> bool {
    net.answers(at, call).iter().any(is_it)
}

#[test]
fn what_a_call_causes_answers_it_and_then_it_is_done() {
    let mut net = Net::with_users(3);
    let call = net.call(1, Command::Logout);
    assert!(has(&net, 1, &call, |event| matches!(
        event,
        Event::LoggedOut { .. }
    )));
    assert_eq!(closed(&net, 1, &call), None);
    let call = net.call(1, login());
    assert!(has(&net, 1, &call, |event| matches!(
        event,
        Event::LoggedIn { .. }
    )));
    assert!(has(&net, 1, &call, |event| matches!(
        event,
        Event::Blocks { .. }
    )));
    assert_eq!(closed(&net, 1, &call), None);
    let call = net.call(1, Command::Refresh);
    assert!(has(&net, 1, &call, |event| matches!(
        event,
        Event::Online { .. }
    )));
    assert_eq!(closed(&net, 1, &call), None);
    let search = Command::Search {
        name: name("user2"),
    };
    let call = net.call(1, search);
    assert!(has(&net, 1, &call, |event| matches!(
        event,
        Event::Found { .. }
    )));
    assert_eq!(closed(&net, 1, &call), None);

    let request = Command::Request {
        conversation: OPEN,
        to: Target::Name(name("user2")),
    };
    let call = net.call(1, request);
    assert!(has(&net, 1, &call, |event| matches!(
        event,
        Event::RequestSent(_)
    )));
    assert_eq!(closed(&net, 1, &call), None, "it is closed when it is sent");
    net.command(
        2,
        Command::Accept {
            conversation: OPEN,
            from: addr(1),
        },
    );
    assert_eq!(members(&net, 1), [addr(2)]);
    assert!(!has(&net, 1, &call, |event| matches!(
        event,
        Event::MemberJoined { .. }
    )));

    let call = net.call(1, say("hello"));
    assert!(has(&net, 1, &call, |event| matches!(
        event,
        Event::Message(_)
    )));
    assert!(!has(&net, 1, &call, |event| matches!(
        event,
        Event::Delivered { .. }
    )));
    assert_eq!(closed(&net, 1, &call), None);
    assert_eq!(last_delivery(&net, 1), DeliveryState::Sent);
    let who = Target::Name(name("user3"));
    let call = net.call(1, Command::Block { who });
    assert!(has(&net, 1, &call, |event| matches!(
        event,
        Event::Blocks {
            change: Some(BlockChange::Blocked(_)),
            ..
        }
    )));
    assert_eq!(closed(&net, 1, &call), None);
    let leave = Command::Leave { conversation: OPEN };
    let call = net.call(1, leave);
    assert!(has(&net, 1, &call, |event| matches!(
        event,
        Event::ChatLeft { .. }
    )));
    assert_eq!(closed(&net, 1, &call), None);
    let call = net.call(1, Command::Undo);
    assert!(has(&net, 1, &call, |event| matches!(
        event,
        Event::MemberJoined { .. }
    )));
    assert_eq!(closed(&net, 1, &call), None);
}

#[test]
fn a_registration_is_done_when_the_user_is_logged_in() {
    let mut net = Net::with_users(0);
    net.add(1);
    let register = Command::register(name("ten-letter"), password());
    let call = net.call(1, register);
    for is_it in [
        |event: &Event| matches!(event, Event::Registered { .. }),
        |event: &Event| matches!(event, Event::Notice { .. }),
        |event: &Event| matches!(event, Event::LoggedIn { .. }),
    ] {
        assert!(has(&net, 1, &call, is_it), "{:?}", net.answers(1, &call));
    }
    assert_eq!(closed(&net, 1, &call), None);
}

#[test]
fn a_call_without_an_id_has_no_end_unless_it_fails() {
    let mut net = Net::with_users(1);
    let asker = Asker {
        front_end: p2pchat_model::FrontEndId::new("other").unwrap(),
        id: None,
    };
    for (command, answer) in [
        (Command::Busy { on: true }, Event::Busy { on: true }),
        (Command::Undo, net_failure(&net)),
    ] {
        let asked = Asked {
            asker: Some(asker.clone()),
            command,
        };
        net.input(addr(1), Input::Command(asked));
        assert_eq!(net.answers(1, &asker).last(), Some(&answer));
    }
}

fn net_failure(net: &Net) -> Event {
    let at = net.wall();
    Event::Failed(p2pchat_model::Failure::new(
        at,
        "undo",
        Problem::NothingToUndo,
    ))
}

#[test]
fn a_call_that_is_made_again_gets_its_first_answer() {
    let mut net = Net::with_users(2);
    net.chat(1, 2);
    let call = net.call(1, say("once"));
    net.call_with_id(1, number(&call), say("once"));
    assert_eq!(texts(&net, 2), ["once"]);
    assert_eq!(net.answers(1, &call).len(), 3, "message, done, done");

    let leave = Command::Leave { conversation: OPEN };
    let call = net.call(1, leave.clone());
    assert_eq!(closed(&net, 1, &call), None);
    net.chat(1, 2);
    net.call_with_id(1, number(&call), leave);
    assert_eq!(members(&net, 1), [addr(2)], "it has not left again");
}

#[test]
fn a_call_that_failed_is_carried_out_when_it_is_made_again() {
    let mut net = Net::with_users(2);
    let call = net.call(1, say("anyone?"));
    assert_eq!(closed(&net, 1, &call), Some(Problem::NobodyThere));
    net.chat(1, 2);
    net.call_with_id(1, number(&call), say("anyone?"));
    assert_eq!(texts(&net, 2), ["anyone?"]);
    assert_eq!(net.answers(1, &call).last(), Some(&Event::Done));
}

#[test]
fn a_call_that_is_made_again_while_it_is_open_is_closed_once() {
    let mut net = Net::with_users(0);
    net.registry_is_silent = true;
    net.add(1);
    let call = net.call(1, login());
    net.call_with_id(1, number(&call), login());
    assert_eq!(net.answers(1, &call), []);
    net.advance(Duration::from_secs(16));
    assert_eq!(closed(&net, 1, &call), Some(Problem::RegistryUnreachable));
}

#[test]
fn several_who_log_in_at_once_are_all_answered() {
    let mut net = Net::with_users(0);
    net.registry_is_silent = true;
    net.add(1);
    let first = net.call(1, login());
    let second = net.call(1, login());
    let other = net.call(1, Command::login(name("user1"), "another".parse().unwrap()));
    assert_eq!(closed(&net, 1, &other), Some(Problem::TooMuch));
    net.advance(Duration::from_secs(16));
    for call in [first, second] {
        assert_eq!(closed(&net, 1, &call), Some(Problem::RegistryUnreachable));
    }
}

#[test]
fn an_id_stands_for_one_command() {
    let mut net = Net::with_users(2);
    net.chat(1, 2);
    let call = net.call(1, say("tea?"));
    for other in [say("coffee?"), Command::Refresh, Command::Logout] {
        net.call_with_id(1, number(&call), other);
        let last = net.answers(1, &call).last();
        assert!(
            matches!(last, Some(Event::Failed(failure)) if failure.code == Problem::IdUsed),
            "{last:?}"
        );
    }
    assert_eq!(texts(&net, 2), ["tea?"]);
    // The first answer stays.
    net.call_with_id(1, number(&call), say("tea?"));
    assert_eq!(net.answers(1, &call).last(), Some(&Event::Done));
}

#[test]
fn ids_of_two_front_ends_are_apart() {
    let mut net = Net::with_users(2);
    net.chat(1, 2);
    for front_end in ["page", "terminal"] {
        let asked = Asked {
            asker: Some(Asker {
                front_end: p2pchat_model::FrontEndId::new(front_end).unwrap(),
                id: Some(CallId::Number(1)),
            }),
            command: say(front_end),
        };
        net.input(addr(1), Input::Command(asked));
    }
    assert_eq!(texts(&net, 2), ["page", "terminal"]);
}

#[test]
fn what_was_said_in_an_earlier_session_is_not_said_again() {
    let mut net = Net::with_users(2);
    net.chat(1, 2);
    let call = net.call(1, say("once"));
    let (said_by, message) = net
        .said
        .last()
        .cloned()
        .expect("it is kept with the message");
    assert_eq!(
        (&said_by.front_end, Some(&said_by.id)),
        (&call.front_end, call.id.as_ref())
    );
    net.restart(1, vec![(said_by, message)]);
    net.command(1, login());
    net.chat(1, 2);
    net.call_with_id(1, number(&call), say("once"));
    assert_eq!(texts(&net, 2), ["once"]);
    assert_eq!(net.answers(1, &call).last(), Some(&Event::Done));
    net.call_with_id(1, number(&call), say("twice"));
    assert!(failures(&net, 1).contains(&Problem::IdUsed));
}

#[test]
fn what_waits_for_the_registry_fails_when_the_link_breaks() {
    let mut net = Net::with_users(2);
    net.registry_is_silent = true;
    let search = |who| Command::Search { name: name(who) };
    let request = Command::Request {
        conversation: OPEN,
        to: Target::Name(name("user9")),
    };
    let calls = [search("user2"), Command::Refresh, request].map(|command| net.call(1, command));
    for call in &calls {
        assert_eq!(net.answers(1, call), []);
    }
    net.restart_registry();
    for call in &calls {
        assert_eq!(closed(&net, 1, call), Some(Problem::RegistryUnreachable));
    }
}

#[test]
fn a_logout_closes_the_login_that_it_ends_and_searches_when_they_are_answered() {
    let mut net = Net::with_users(0);
    net.registry_is_silent = true;
    net.add(1);
    let login = net.call(1, login());
    let logout = net.call(1, Command::Logout);
    assert_eq!(closed(&net, 1, &login), Some(Problem::NotLoggedIn));
    assert_eq!(closed(&net, 1, &logout), None);
}

#[test]
fn there_is_one_conversation_today() {
    let mut net = Net::with_users(2);
    net.chat(1, 2);
    let conversation: ConversationId = "elsewhere".parse().unwrap();
    let (to, from) = (addr(2), addr(2));
    let text = "hello".to_owned();
    for command in [
        Command::Request {
            conversation,
            to: Target::Address(to),
        },
        Command::Cancel { conversation, to },
        Command::Accept { conversation, from },
        Command::Reject { conversation, from },
        Command::Say {
            conversation,
            text,
            reply_to: None,
        },
        Command::Leave { conversation },
        Command::Read {
            conversation,
            message: MessageId::new(1),
        },
        Command::Draft {
            conversation,
            text: String::new(),
        },
        Command::History {
            conversation,
            before: None,
        },
        Command::Find {
            conversation: Some(conversation),
            text: "x".to_owned(),
        },
    ] {
        let call = net.call(1, command);
        assert_eq!(closed(&net, 1, &call), Some(Problem::NoSuchConversation));
    }
    assert_eq!(members(&net, 1), [addr(2)]);
}

#[test]
fn read_marks_and_drafts_are_for_all_and_have_limits() {
    let mut net = Net::with_users(2);
    net.chat(1, 2);
    net.say(2, "hello");
    let newest = view(&net, 1).open().newest_message().unwrap();
    let read = |message| Command::Read {
        conversation: OPEN,
        message: MessageId::new(message),
    };
    let call = net.call(1, read(1 << 53));
    assert_eq!(closed(&net, 1, &call), None);
    assert_eq!(
        view(&net, 1).open().read,
        Some(newest),
        "what is to come is not read"
    );
    net.command(1, read(1));
    assert_eq!(view(&net, 1).open().read, Some(newest));
    let draft = |bytes| Command::Draft {
        conversation: OPEN,
        text: "x".repeat(bytes),
    };
    net.command(1, draft(64 * 1024));
    let call = net.call(1, draft(64 * 1024 + 1));
    assert_eq!(closed(&net, 1, &call), Some(Problem::BadText));
    assert_eq!(view(&net, 1).open().draft.len(), 64 * 1024);
    net.command(1, Command::Logout);
    for command in [read(1), draft(1)] {
        let call = net.call(1, command);
        assert_eq!(closed(&net, 1, &call), Some(Problem::NotLoggedIn));
    }
}

#[test]
fn calls_are_remembered_for_a_while() {
    let mut net = Net::with_users(2);
    net.chat(1, 2);
    for _ in 0..5000 {
        block(&mut net, 1, Target::Name(name("mallory")));
    }
    let usage = net.usage(1, "calls of front ends");
    assert_eq!(usage.count, usage.limit);
    let call = net.call(1, say("once"));
    for _ in 0..5000 {
        // What may as well be carried out again takes no room.
        net.command(1, Command::Busy { on: false });
    }
    net.call_with_id(1, number(&call), say("once"));
    assert_eq!(texts(&net, 2), ["once"]);
}

/// The calls that were kept with their messages.
pub(super) type Said = Vec<(SaidBy, MessageId)>;

fn number(call: &Asker) -> u64 {
    match call.id {
        Some(CallId::Number(number)) => number,
        _ => panic!("{call:?} has no number"),
    }
}
