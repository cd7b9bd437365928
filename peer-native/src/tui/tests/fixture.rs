//! Users and conversations for the tests.

use p2pchat_model::{
    Delivery, DeliveryState, IncomingRequest, JoinedBy, LeaveReason, Message, MessageId, NameCheck,
    OnlineUser, OutgoingRequest, PeerAddr, Person, User,
};

use super::*;

pub(super) const CONVERSATION: ConversationId = ConversationId::OPEN;

pub(super) fn address(last: u8) -> PeerAddr {
    format!("127.0.0.{last}").parse().unwrap()
}

pub(super) fn person(name: &str, last: u8) -> Person {
    Person::listed(address(last), name.parse().ok())
}

pub(super) fn user(name: &str, last: u8) -> User {
    let (name, address) = (name.parse().unwrap(), address(last));
    OnlineUser { name, address }.into()
}

pub(super) fn speaker(name: &str, last: u8, check: NameCheck) -> Person {
    Person {
        check,
        ..person(name, last)
    }
}

pub(super) fn message(id: u64, at: Timestamp, from: Person, text: &str) -> Event {
    let message = Message {
        conversation: CONVERSATION,
        id: MessageId::new(id),
        at,
        from,
        text: text.to_owned(),
        deliveries: None,
    };
    Event::Message(message)
}

pub(super) fn own(id: u64, at: Timestamp, text: &str, to: &[(Person, DeliveryState)]) -> Event {
    let deliveries = to.iter().map(|&(to, state)| Delivery { to, state });
    let message = Message {
        conversation: CONVERSATION,
        id: MessageId::new(id),
        at,
        from: speaker("alice", 2, NameCheck::Confirmed),
        text: text.to_owned(),
        deliveries: Some(deliveries.collect()),
    };
    Event::Message(message)
}

pub(super) fn history(messages: Vec<Message>, more: bool, before: Option<MessageId>) -> Event {
    Event::History {
        conversation: CONVERSATION,
        before,
        messages,
        more,
    }
}

pub(super) fn bob() -> Person {
    speaker("bob", 3, NameCheck::Confirmed)
}

/// Alice, signed in, with others online and no one in the chat.
pub(super) fn logged_in() -> View {
    let mut view = View {
        address: Some(address(2)),
        registry: "127.0.0.1:3131".to_owned(),
        message_port: Some(1010),
        ..View::default()
    };
    let online = [
        ("alice", 2),
        ("bob", 3),
        ("carol", 4),
        ("dave", 5),
        ("erin", 6),
    ];
    for event in [
        Event::Link(Link::Up),
        Event::LoggedIn {
            at: NOW,
            name: "alice".parse().unwrap(),
        },
        Event::Online {
            users: online
                .iter()
                .map(|&(name, last)| user(name, last))
                .collect(),
        },
    ] {
        view.apply(&event);
    }
    view
}

/// Alice with bob and carol in the chat.
pub(super) fn in_chat() -> View {
    let mut view = logged_in();
    for member in [person("bob", 3), person("carol", 4)] {
        view.apply(&Event::MemberJoined {
            conversation: CONVERSATION,
            at: NOW,
            member,
            by: JoinedBy::AcceptedUs,
        });
    }
    view
}

/// All kinds of lines of a conversation.
fn all_lines() -> Vec<Event> {
    let (bob_, carol) = (person("bob", 3), person("carol", 4));
    let yesterday = Timestamp(NOW.0 - 24 * 60 * 60 * 1000);
    let sent = DeliveryState::Sent;
    vec![
        Event::History {
            conversation: CONVERSATION,
            before: None,
            messages: vec![match message(1, yesterday, bob(), "see you tomorrow") {
                Event::Message(message) => message,
                _ => unreachable!(),
            }],
            more: true,
        },
        message(
            2,
            after(1),
            bob(),
            "hello, are you there? This is a text that takes more than one row on a small screen.",
        ),
        message(3, after(5), bob(), "second"),
        own(4, after(70), "yes", &[(bob_, sent), (carol, sent)]),
        own(
            5,
            after(75),
            "on its way",
            &[(bob_, sent), (carol, DeliveryState::Sending)],
        ),
        own(
            6,
            after(80),
            "to an old one",
            &[(bob_, DeliveryState::Unconfirmed), (carol, sent)],
        ),
        own(
            7,
            after(85),
            "lost",
            &[
                (bob_, sent),
                (carol, DeliveryState::Failed(LeaveReason::Unreachable)),
            ],
        ),
        Event::MemberLeft {
            conversation: CONVERSATION,
            at: after(86),
            member: carol,
            reason: LeaveReason::Unreachable,
        },
        message(
            8,
            after(90),
            speaker("bob", 9, NameCheck::Differs),
            "who am I?",
        ),
    ]
}

/// A conversation with all kinds of lines.
pub(super) fn talk() -> View {
    let mut view = in_chat();
    for event in all_lines() {
        view.apply(&event);
    }
    view.apply(&Event::RequestSent(OutgoingRequest {
        conversation: CONVERSATION,
        at: after(91),
        to: person("erin", 6),
        expires: after(151),
    }));
    view
}

pub(super) fn request() -> Event {
    Event::RequestReceived(IncomingRequest {
        conversation: CONVERSATION,
        at: after(100),
        from: speaker("dave", 5, NameCheck::Unknown),
        members: vec![person("erin", 6), person("frank", 7)],
        expires: after(160),
    })
}
