use p2pchat_protocol::PeerAddr;
use p2pchat_protocol::v2::Fingerprint;

use super::line::{closed, ignored, line, refused};
use super::password::{letters_left, weak_password};
use super::problem::message_too_long;
use super::*;
use crate::conversation::ConversationId;
use crate::dropped::{DropKind, DropReason, Dropped};
use crate::event::{Event, Notice, Outcome, RequestFailure};
use crate::text::{MAX_MESSAGE, letters_too_many};
use crate::time::Timestamp;

fn person(last: u32) -> Person {
    let ip = std::net::Ipv4Addr::from(0x0a00_0000 + last);
    Person::listed(PeerAddr::new(ip).unwrap(), None)
}

#[test]
fn a_list_of_a_thousand_names_is_short() {
    let people: Vec<Person> = (1..=1024).map(person).collect();
    assert_eq!(names(&[]), "");
    assert_eq!(names(&people[..1]), "unknown person (10.0.0.1)");
    let two = [named(1, "bob"), person(2)];
    assert_eq!(names(&two), "bob and unknown person (10.0.0.2)");
    let all = names(&people);
    assert!(all.ends_with("(10.0.0.8) and 1016 more"), "{all}");
}

fn named(last: u32, name: &str) -> Person {
    Person::listed(person(last).address, name.parse().ok())
}

const OPEN: ConversationId = ConversationId::OPEN;

fn in_chat(members: &[Person], out_of_reach: &[Person]) -> View {
    View {
        conversations: vec![chat(members, out_of_reach)],
        ..View::default()
    }
}

fn chat(members: &[Person], out_of_reach: &[Person]) -> Conversation {
    Conversation {
        members: members.to_vec(),
        out_of_reach: out_of_reach.to_vec(),
        ..Conversation::new(OPEN)
    }
}

fn request(from: Person, members: &[Person]) -> IncomingRequest {
    IncomingRequest {
        conversation: OPEN,
        at: Timestamp(0),
        from,
        members: members.to_vec(),
        expires: Timestamp(60_000),
    }
}

#[test]
fn a_request_names_those_who_meet() {
    let [uma, bob, carol, frank] =
        [(1, "uma"), (2, "bob"), (3, "carol"), (4, "frank")].map(|(at, name)| named(at, name));
    let alone = View::default();
    let lone = request(uma, &[]);
    assert_eq!(asks("uma", &lone, &alone), "uma wants to chat with you");
    assert_eq!(who_meets(&lone, &alone), None);
    let group = request(uma, &[bob]);
    let invites = "uma invites you to a chat with bob";
    assert_eq!(asks("uma", &group, &alone), invites);
    let chatting = in_chat(&[carol], &[frank]);
    let joins = "uma asks to join your open chat";
    assert_eq!(asks("uma", &lone, &chatting), joins);
    assert_eq!(
        who_meets(&lone, &chatting).unwrap(),
        "carol and frank will see uma, and uma will see them"
    );
    assert_eq!(
        who_meets(&group, &chatting).unwrap(),
        "carol and frank will see uma and bob, and uma and bob will see them"
    );
    let back = in_chat(&[uma], &[]);
    assert_eq!(asks("uma", &lone, &back), "uma wants to chat with you");
    assert_eq!(who_meets(&lone, &back), None, "they were here before");
    let both = request(uma, &[carol, frank]);
    assert_eq!(who_meets(&both, &chatting), None, "they see each other now");
    let two = in_chat(&[carol], &[]);
    assert_eq!(
        who_meets(&lone, &two).unwrap(),
        "carol will see uma, and uma will see carol"
    );
}

#[test]
fn the_outcomes_of_a_request_have_a_sentence_each() {
    let bob = named(2, "bob");
    let all = [
        (RequestFailure::Rejected, "bob declined"),
        (RequestFailure::Busy, "bob is not taking requests now"),
        (RequestFailure::NoAnswer, "bob did not answer"),
        (
            RequestFailure::Unreachable,
            "bob is offline or cannot be reached",
        ),
    ];
    for (failure, expected) in all {
        assert_eq!(refused(&bob, Some(failure)).unwrap(), expected);
    }
    assert_eq!(
        closed("alice", Outcome::Expired),
        "you missed a request from alice"
    );
}

#[test]
fn a_sentence_about_a_known_name_has_no_address() {
    let bob = named(2, "bob");
    let name = bob.name.unwrap();
    let at = Timestamp(0);
    let refusal = Some(RequestFailure::Unreachable);
    let elsewhere = Notice::ElsewhereOnline {
        address: bob.address,
    };
    let events = [
        Event::Found {
            at,
            name,
            address: Some(bob.address),
        },
        Event::RequestAnswered {
            conversation: OPEN,
            at,
            to: bob,
            refusal,
        },
        Event::Notice {
            at,
            what: elsewhere,
        },
        Event::MemberLeft {
            conversation: OPEN,
            at,
            member: bob,
            reason: LeaveReason::Unreachable,
        },
    ];
    for event in events {
        let (_, _, words) = line(&event).unwrap();
        assert!(!words.contains("10.0.0"), "{words}");
    }
}

#[test]
fn the_length_of_a_text_is_shown_once_it_matters() {
    assert_eq!(length(&"x".repeat(99)), None);
    assert_eq!(length(&"x".repeat(200)).unwrap(), "arrives as 3 messages");
    assert_eq!(letters_left(7, 10), None);
    assert_eq!(letters_left(8, 10).unwrap(), "2 letters left");
    assert_eq!(letters_left(9, 10).unwrap(), "1 letter left");
    let older = "older programs take only 9 letters";
    assert_eq!(letters_left(10, 10).unwrap(), older);
    assert_eq!(letters_left(11, 10), None, "it is an error by then");
}

#[test]
fn a_message_is_too_long_by_letters() {
    let long = |end: &str| "x".repeat(MAX_MESSAGE - 3) + end;
    assert_eq!(letters_too_many(&long("abc")), 0);
    assert_eq!(letters_too_many(&long("abé")), 1);
    assert_eq!(letters_too_many(&long("日本語")), 2);
    let one = message_too_long(1);
    assert_eq!(one, "this message is too long by 1 letter");
    let two = message_too_long(2);
    assert_eq!(two, "this message is too long by 2 letters");
}

#[test]
fn a_weak_password_is_hinted_at() {
    for weak in ["x", "alice", "ALICE", "aaaaaaaaaaaa", "Password", "1234567"] {
        let hint = weak_password(weak, "alice");
        assert!(
            hint.is_some_and(|hint| hint.starts_with("easy to guess")),
            "{weak}"
        );
    }
    for fine in ["", "four blue cats", "вишнёвый"] {
        assert_eq!(weak_password(fine, "alice"), None, "{fine}");
    }
}

#[test]
fn the_words_of_a_search_are_quoted_one_by_one() {
    assert_eq!(
        found_messages(22, " coffee  lunch "),
        "22 messages with “coffee” and “lunch”"
    );
    assert_eq!(found_messages(0, "tea"), "no messages with “tea”");
}

#[test]
fn offline_members_are_counted_apart() {
    let [bob, carol] = [named(2, "bob"), named(3, "carol")];
    let online = |members: &[_], out_of_reach: &[_]| members_online(&chat(members, out_of_reach));
    assert_eq!(online(&[], &[]), None);
    assert_eq!(online(&[bob], &[]).unwrap(), "2 members");
    assert_eq!(online(&[bob], &[carol]).unwrap(), "3 members, 2 online");
}

#[test]
fn what_was_ignored_is_told_at_powers_of_ten_and_never_of_the_blocked() {
    let mut dropped = Dropped {
        at: Timestamp(0),
        name: "mallory".parse().ok(),
        address: Some(person(66).address),
        tried: DropKind::Text,
        why: DropReason::Stranger,
        count: 10,
    };
    assert_eq!(
        ignored(&dropped).unwrap(),
        "mallory (10.0.0.66) sent a message but is not in your chat; 10 were not shown"
    );
    dropped.count = 11;
    assert_eq!(ignored(&dropped), None);
    assert_eq!(
        dropped.tally(),
        "mallory (10.0.0.66): 11 messages, not in the chat"
    );
    dropped.count = 1;
    dropped.tried = DropKind::Connection;
    assert_eq!(ignored(&dropped), None, "it may be a network scanner");
    dropped.tried = DropKind::Text;
    dropped.why = DropReason::Blocked;
    assert_eq!(ignored(&dropped), None);
}

#[test]
fn who_is_not_signed_in_is_not_called_available() {
    let fingerprint = |of: &str| of.repeat(Fingerprint::LEN).parse().unwrap();
    let mut view = View::default();
    let words = security::shown_as;
    assert_eq!(words(&view), "you are not signed in, so no one sees you");
    view.account = "alice".parse().ok();
    view.link = Link::Up;
    assert!(words(&view).ends_with("available"), "{}", words(&view));
    let (pinned, seen) = (fingerprint("A"), fingerprint("B"));
    view.apply(&Event::Link(Link::KeyChanged { pinned, seen }));
    view.apply(&Event::Away { on: true });
    assert_eq!(view.status(), None);
    assert_eq!(words(&view), "you are not signed in, so no one sees you");
    view.apply(&Event::Link(Link::Up));
    assert_eq!(view.status(), Some(Status::Away));
    let down = Link::Down {
        reason: "no route".to_owned(),
        retry_at: Timestamp(0),
    };
    for link in [down, Link::Connecting] {
        view.apply(&Event::Link(link));
        assert_eq!(own_status(&view), "Not connected");
        assert_eq!(words(&view), "you are not connected, so no one sees you");
    }
    view.apply(&Event::Link(Link::PasswordNeeded));
    assert_eq!(own_status(&view), "Away", "their chat goes on");
}
