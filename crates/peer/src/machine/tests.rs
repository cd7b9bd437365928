//! What a user sees of their peer, on a network where everything arrives at once.

mod blocked;
mod calls;
mod crowds;
mod encrypted;
mod hostile;
mod names;
mod net;
mod reach;
mod requests;
mod resume;
mod undo;

use std::time::Duration;

use p2pchat_model::{
    Command, DeliveryState, DropKind, Event, LeaveReason, Link, NameCheck, OnlineUser, Outcome,
    Problem, RequestFailure, Target, Undo, User,
};
use p2pchat_protocol::{ChatAnswer, Contact};

use super::Input;
use net::{Net, OPEN, addr, members, password};

fn texts(net: &Net, at: u8) -> Vec<String> {
    net.events(at)
        .iter()
        .filter_map(|event| match event {
            Event::Message(message) if !message.is_own() => Some(message.text.clone()),
            _ => None,
        })
        .collect()
}

fn last_delivery(net: &Net, at: u8) -> DeliveryState {
    net.events(at)
        .iter()
        .rev()
        .find_map(|event| match event {
            Event::Delivered { delivery, .. } => Some(delivery.state),
            _ => None,
        })
        .expect("something was delivered")
}

fn failures(net: &Net, at: u8) -> Vec<Problem> {
    net.events(at)
        .iter()
        .filter_map(|event| match event {
            Event::Failed(failure) => Some(failure.code),
            _ => None,
        })
        .collect()
}

#[test]
fn a_user_registers_is_logged_in_and_sees_who_is_online() {
    let mut net = Net::with_users(1);
    net.add(2);
    let name = "bob".parse().unwrap();
    net.command(2, Command::register(name, password()));
    let events = net.events(2);
    assert!(events.iter().any(|e| matches!(e, Event::Registered { .. })));
    assert!(events.iter().any(|e| matches!(e, Event::LoggedIn { .. })));
    let Some(Event::Online { users }) = events.last() else {
        panic!("the list comes right after the login: {events:?}");
    };
    assert_eq!(users.len(), 2);
    assert_eq!(net.hellos(2), 1);
}

#[test]
fn an_online_list_may_come_in_two_parts() {
    let mut net = Net::with_users(3);
    let Some(Event::Online { users }) = net.events(1).last().cloned() else {
        panic!("the list comes right after the login");
    };
    assert_eq!(users.len(), 1);
    let mut more = users;
    let others = [2, 3].map(|last| OnlineUser {
        name: format!("user{last}").parse().unwrap(),
        address: addr(last),
    });
    more.extend(others.map(User::from));
    let listed = more.iter().map(|person| OnlineUser {
        name: person.name,
        address: person.address,
    });
    net.input(addr(1), Input::ListContinued(listed.collect()));
    assert!(matches!(net.events(1).last(), Some(Event::Online { users }) if *users == more));
    let is_down = |event: &Event| matches!(event, Event::Link(Link::Down { .. }));
    assert!(!net.events(1).iter().any(is_down), "it answers no question");
}

#[test]
fn a_wrong_password_is_reported_and_a_second_attempt_works() {
    let mut net = Net::with_users(1);
    net.add(2);
    let name = "user1".parse().unwrap();
    let wrong = "wrong".parse().unwrap();
    net.command(2, Command::login(name, wrong));
    assert_eq!(failures(&net, 2), [Problem::WrongCredentials]);
    net.command(2, Command::login(name, password()));
    assert_eq!(failures(&net, 2).len(), 1);
}

#[test]
fn a_login_without_a_registry_fails_with_the_reason() {
    let mut net = Net::with_users(0);
    net.registry_is_up = false;
    net.add(1);
    let name = "ann".parse().unwrap();
    net.command(1, Command::login(name, password()));
    assert_eq!(failures(&net, 1), [Problem::RegistryUnreachable]);
}

#[test]
fn a_user_is_logged_in_again_when_the_registry_is_back() {
    let mut net = Net::with_users(1);
    net.restart_registry();
    net.registry_is_up = false;
    net.advance(Duration::from_secs(120));
    assert!(net.hellos(1) >= 8, "hellos go on meanwhile");
    assert!(!net.is_online(1));
    net.registry_is_up = true;
    net.advance(Duration::from_secs(31));
    assert!(net.is_online(1));
}

#[test]
fn the_backoff_between_attempts_grows_to_half_a_minute() {
    let mut net = Net::with_users(1);
    net.registry_is_up = false;
    net.restart_registry();
    net.advance(Duration::from_secs(300));
    let tries = net
        .events(1)
        .iter()
        .filter(|event| matches!(event, Event::Link(Link::Down { .. })))
        .count();
    assert!((10..=26).contains(&tries), "{tries} tries in 300 s");
}

#[test]
fn a_user_that_the_registry_forgot_logs_in_again() {
    let mut net = Net::with_users(1);
    net.forget_presence();
    net.advance(Duration::from_secs(31));
    assert!(net.is_online(1));
}

#[test]
fn an_accepted_request_makes_a_chat() {
    let mut net = Net::with_users(2);
    net.chat(1, 2);
    assert_eq!(members(&net, 1), [addr(2)]);
    assert_eq!(members(&net, 2), [addr(1)]);
    net.say(1, "hello");
    assert_eq!(texts(&net, 2), ["hello"]);
    assert_eq!(last_delivery(&net, 1), DeliveryState::Sent);
}

#[test]
fn a_newcomer_is_introduced_to_every_member() {
    let mut net = Net::with_users(4);
    net.chat(1, 2);
    net.chat(2, 3);
    net.chat(1, 4);
    net.assert_one_group(&[1, 2, 3, 4]);
    assert_eq!(
        net.notifies, 3,
        "one for each member at the time of each join"
    );
}

#[test]
fn two_groups_become_one() {
    let mut net = Net::with_users(6);
    net.chat(1, 2);
    net.chat(1, 3);
    net.chat(4, 5);
    net.chat(4, 6);
    net.chat(2, 5);
    net.assert_one_group(&[1, 2, 3, 4, 5, 6]);
    net.say(6, "all here?");
    for other in 1..=5 {
        assert_eq!(texts(&net, other), ["all here?"]);
    }
}

#[test]
fn a_second_request_while_one_waits_is_busy_and_so_is_a_busy_user() {
    let mut net = Net::with_users(4);
    net.request(1, 2);
    net.request(3, 2);
    assert_eq!(net.refusal(3), Some(RequestFailure::Busy));
    net.command(4, Command::Busy { on: true });
    net.request(3, 4);
    assert_eq!(net.refusal(3), Some(RequestFailure::Busy));
    net.command(4, Command::Busy { on: false });
    net.request(3, 4);
    net.command(
        4,
        Command::Reject {
            conversation: OPEN,
            from: addr(3),
        },
    );
    assert_eq!(net.refusal(3), Some(RequestFailure::Rejected));
}

#[test]
fn an_unanswered_request_is_not_a_rejected_one() {
    let mut net = Net::with_users(2);
    net.request(1, 2);
    net.advance(Duration::from_secs(59));
    assert_eq!(net.refusal(1), None);
    net.advance(Duration::from_secs(1));
    assert_eq!(net.refusal(1), Some(RequestFailure::NoAnswer));
    assert!(net.events(2).iter().any(|event| matches!(
        event,
        Event::RequestClosed {
            outcome: Outcome::Expired,
            ..
        }
    )));
    net.command(
        2,
        Command::Accept {
            conversation: OPEN,
            from: addr(1),
        },
    );
    assert_eq!(failures(&net, 2), [Problem::NoSuchRequest]);
}

#[test]
fn a_strangers_text_is_refused_and_shown_once() {
    let mut net = Net::with_users(2);
    for _ in 0..12 {
        net.raw_text(1, 2, "psst");
    }
    assert_eq!(texts(&net, 2), [] as [&str; 0]);
    let counts: Vec<u64> = net
        .events(2)
        .iter()
        .filter_map(|event| match event {
            Event::Dropped(dropped) if dropped.tried == DropKind::Text => Some(dropped.count),
            _ => None,
        })
        .collect();
    assert_eq!(counts, [1, 10]);
}

#[test]
fn a_strangers_notify_adds_nobody() {
    let mut net = Net::with_users(3);
    net.chat(1, 2);
    let contact = Contact::Notify {
        newcomer: addr(99),
        members: [addr(98)].into_iter().collect(),
    };
    net.raw_contact(3, 1, contact);
    net.advance(Duration::from_secs(6));
    assert_eq!(members(&net, 1), [addr(2)]);
    assert!(net.events(1).iter().any(|event| matches!(
        event,
        Event::Dropped(dropped) if dropped.tried == DropKind::Notify
    )));
}

#[test]
fn a_notify_of_a_legacy_client_without_a_list_is_not_passed_on() {
    let mut net = Net::with_users(4);
    net.chat(1, 2);
    net.chat(1, 3);
    let before = net.notifies;
    let contact = Contact::Notify {
        newcomer: addr(4),
        members: [].into_iter().collect(),
    };
    net.raw_contact(2, 1, contact);
    assert_eq!(members(&net, 1), [addr(2), addr(3), addr(4)]);
    assert_eq!(net.notifies, before);
}

#[test]
fn a_text_ahead_of_the_introduction_is_sent_again() {
    let mut net = Net::with_users(3);
    net.chat(1, 2);
    net.hold_notifies = true;
    net.chat(1, 3);
    net.say(3, "hello all");
    assert_eq!(texts(&net, 2), [] as [&str; 0]);
    net.release_notifies();
    net.advance(Duration::from_secs(2));
    assert_eq!(texts(&net, 2), ["hello all"]);
    net.advance(Duration::from_secs(10));
    let strangers = |event: &Event| matches!(event, Event::Dropped(_));
    assert!(
        !net.events(2).iter().any(strangers),
        "no member is called a stranger"
    );
}

#[test]
fn a_long_text_arrives_in_parts_and_in_order() {
    let mut net = Net::with_users(2);
    net.chat(1, 2);
    let long = "word ".repeat(50);
    net.say(1, &long);
    net.say(1, "end");
    let parts = texts(&net, 2);
    assert_eq!(parts.len(), 4);
    assert_eq!(parts[..3].join(" ").trim(), long.trim());
    assert_eq!(parts[3], "end");
}

#[test]
fn a_member_who_left_is_noticed_with_the_next_text() {
    let mut net = Net::with_users(2);
    net.chat(1, 2);
    net.advance(Duration::from_secs(60));
    net.command(2, Command::Leave { conversation: OPEN });
    net.advance(Undo::LIMIT);
    net.say(1, "still there?");
    assert_eq!(texts(&net, 2), [] as [&str; 0]);
    assert_eq!(
        last_delivery(&net, 1),
        DeliveryState::Failed(LeaveReason::Refused)
    );
    assert_eq!(members(&net, 1), []);
    net.say(1, "hello?");
    assert_eq!(failures(&net, 1), [Problem::NobodyThere]);
}

#[test]
fn a_name_that_is_not_the_registrys_is_shown_as_such() {
    let mut net = Net::with_users(3);
    net.chat(1, 2);
    net.raw_text_as(2, 1, "user3", "it is me");
    net.advance(Duration::from_secs(3));
    net.raw_text_as(2, 1, "user3", "it is still me");
    let check = net.events(1).iter().rev().find_map(|event| match event {
        Event::Message(message) => Some(message.from.check),
        _ => None,
    });
    assert_eq!(check, Some(NameCheck::Differs));
}

#[test]
fn a_request_by_name_finds_a_user_who_came_online_since() {
    let mut net = Net::with_users(1);
    net.add_user(2);
    net.command(
        1,
        Command::Request {
            conversation: OPEN,
            to: Target::Name("user2".parse().unwrap()),
        },
    );
    assert!(
        net.events(2)
            .iter()
            .any(|event| matches!(event, Event::RequestReceived(_)))
    );
    net.command(
        1,
        Command::Request {
            conversation: OPEN,
            to: Target::Name("nobody".parse().unwrap()),
        },
    );
    assert_eq!(failures(&net, 1), [Problem::NotOnline]);
}

#[test]
fn commands_that_make_no_sense_say_why() {
    let mut net = Net::with_users(2);
    net.add(3);
    net.command(
        3,
        Command::Say {
            conversation: OPEN,
            text: "hi".into(),
            reply_to: None,
        },
    );
    net.command(
        1,
        Command::Say {
            conversation: OPEN,
            text: "hi".into(),
            reply_to: None,
        },
    );
    net.request(1, 1);
    net.chat(1, 2);
    net.request(1, 2);
    net.command(
        1,
        Command::Say {
            conversation: OPEN,
            text: " ".into(),
            reply_to: None,
        },
    );
    assert_eq!(failures(&net, 3), [Problem::NotLoggedIn]);
    assert_eq!(
        failures(&net, 1),
        [
            Problem::NobodyThere,
            Problem::Oneself,
            Problem::AlreadyMember,
            Problem::BadText
        ]
    );
}

#[test]
fn logging_out_ends_everything() {
    let mut net = Net::with_users(3);
    net.chat(1, 2);
    net.request(3, 1);
    net.command(1, Command::Logout);
    assert_eq!(
        net.refusal(3),
        Some(RequestFailure::Busy),
        "the user has not rejected it"
    );
    assert!(!net.is_online(1));
    assert_eq!(members(&net, 1), []);
    let hellos = net.hellos(1);
    net.advance(Duration::from_secs(60));
    assert_eq!(net.hellos(1), hellos);
    net.request(3, 1);
    assert_eq!(
        net.last_answer,
        Some(ChatAnswer::Busy),
        "nobody is there to ask"
    );
}
