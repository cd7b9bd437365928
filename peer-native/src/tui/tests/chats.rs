//! Encrypted conversations for the tests.

use p2pchat_model::{
    Alerts, Chat, ChatKind, Member, MessageId, Named, PersonKey, Post, PostState, Quote, Reaction,
    Receipt, Security, Standing, Status, Trust, User,
};

use super::*;

pub(super) fn key(name: &str) -> PersonKey {
    let mut bytes = [0; 32];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    ConversationId::encrypted(&bytes).as_str().parse().unwrap()
}

pub(super) fn named(name: &str) -> Named {
    Named {
        key: key(name),
        name: name.parse().ok(),
        you: name == "alice",
    }
}

pub(super) fn id(number: u8) -> ConversationId {
    ConversationId::encrypted(&[number; 32])
}

pub(super) const TEAM: u8 = 1;
pub(super) const BOB: u8 = 2;
pub(super) const ERIN: u8 = 3;

pub(super) fn member(name: &str, trust: Trust) -> Member {
    Member {
        who: named(name),
        asked: false,
        declined: false,
        owner: false,
        trust: Some(trust),
        typing: false,
        read: None,
    }
}

pub(super) fn chat(kind: ChatKind, name: &str, members: Vec<Member>) -> Chat {
    Chat {
        kind,
        name: name.parse().unwrap(),
        standing: Standing::In,
        owner: false,
        members,
        since: None,
        unread: 0,
        mentions: 0,
        alerts: Alerts::All,
        pinned: false,
        archived: false,
    }
}

pub(super) fn direct(name: &str, trust: Trust) -> Chat {
    chat(ChatKind::Direct, "", vec![member(name, trust)])
}

pub(super) fn team() -> Chat {
    let owner = Member {
        owner: true,
        ..member("bob", Trust::Verified)
    };
    let members = vec![
        owner,
        member("carol", Trust::New),
        member("dave", Trust::New),
        member("eve", Trust::Changed),
    ];
    Chat {
        pinned: true,
        ..chat(ChatKind::Group, "Release team", members)
    }
}

pub(super) fn begun(conversation: ConversationId, chat: Chat) -> Event {
    let chat = Box::new(chat);
    Event::Chat { conversation, chat }
}

pub(super) fn said(post: Post) -> Event {
    Event::Post(Box::new(post))
}

pub(super) fn message_id(number: u64) -> MessageId {
    MessageId::of_entry(number, 7, number)
}

/// A message of a member, or of alice, which all have got.
pub(super) fn post(conversation: ConversationId, number: u64, from: &str, text: &str) -> Post {
    Post {
        conversation,
        id: message_id(number),
        at: after(number),
        came: None,
        from: named(from),
        state: PostState::Shown,
        text: text.to_owned(),
        edited: None,
        reply: None,
        reactions: Vec::new(),
        receipts: (from == "alice").then(|| receipts(&[])),
    }
}

/// Those who get a message in the team; it waits for these.
pub(super) fn receipts(waiting: &[&str]) -> Vec<Receipt> {
    let all = ["bob", "carol", "dave", "eve"].iter();
    let receipts = all.map(|name| Receipt {
        to: named(name),
        delivered: !waiting.contains(name),
    });
    receipts.collect()
}

fn online(name: &str, last: u8, status: Status, legacy: bool) -> User {
    User {
        status,
        legacy,
        trust: Some(Trust::New),
        ..user(name, last)
    }
}

/// Alice at a registry that tells keys, with no chat.
pub(super) fn newcomer() -> View {
    let mut view = logged_in();
    let fingerprint = "ALGW-5BBC-YQD7-W3IJ-Q2IP-CEYL-PU".parse().unwrap();
    view.apply(&Event::Security(Security::Encrypted { fingerprint }));
    let (available, away) = (Status::Available, Status::Away);
    view.apply(&Event::Online {
        users: vec![
            online("alice", 2, available, false),
            online("bob", 3, available, false),
            online("carol", 4, away, false),
            online("dave", 5, available, false),
            online("frank", 7, available, false),
            online("uma", 8, available, true),
        ],
    });
    view
}

/// Alice with a group of five, two chats of two, and the open chat.
pub(super) fn several() -> View {
    let mut view = newcomer();
    let erin = Chat {
        unread: 3,
        mentions: 1,
        alerts: Alerts::Mentions,
        ..direct("erin", Trust::New)
    };
    view.apply(&begun(id(TEAM), team()));
    view.apply(&begun(id(BOB), direct("bob", Trust::Verified)));
    view.apply(&begun(id(ERIN), erin));
    view.apply(&message(1, after(1), bob(), "in the open"));
    view.apply(&Event::Read {
        conversation: CONVERSATION,
        message: MessageId::new(1),
    });
    view.apply(&said(post(id(BOB), 5, "bob", "two small bugs")));
    view.apply(&said(post(id(ERIN), 3, "erin", "and the tests?")));
    for post in all_posts() {
        view.apply(&said(post));
    }
    for conversation in &mut view.conversations {
        conversation.more_history = false;
        conversation.read = conversation.newest_message();
    }
    view
}

/// All kinds of messages, in the team.
fn all_posts() -> Vec<Post> {
    let team = id(TEAM);
    let reply = Some(Quote {
        id: message_id(10),
        from: named("bob"),
        text: "Morning! How was the release? I was away and have seen nothing".to_owned(),
    });
    let thumbs = |by: &[&str]| Reaction {
        emoji: "👍".to_owned(),
        by: by.iter().map(|name| named(name)).collect(),
    };
    let party = Reaction {
        emoji: "🎉".to_owned(),
        by: vec![named("carol")],
    };
    vec![
        post(team, 10, "bob", "Morning! How was the release?"),
        post(
            team,
            11,
            "bob",
            "I ran `cargo test` and saw:\n```rust\nfn main() {\n    work();\n}\n```\nIs that right?",
        ),
        Post {
            reply,
            reactions: vec![thumbs(&["alice", "dave"]), party],
            ..post(team, 70, "carol", "fine")
        },
        Post {
            state: PostState::Deleted,
            text: String::new(),
            ..post(team, 75, "carol", "")
        },
        Post {
            edited: Some(after(90)),
            ..post(team, 80, "dave", "All tests pass now")
        },
        Post {
            receipts: Some(receipts(&["eve"])),
            ..post(
                team,
                100,
                "alice",
                "Both fixed, see https://example.com/issues/42",
            )
        },
        Post {
            receipts: Some(receipts(&["dave", "eve"])),
            ..post(team, 101, "alice", "And the notes are written.")
        },
        Post {
            receipts: Some(receipts(&["dave", "eve"])),
            ..post(team, 102, "alice", "Have a look")
        },
    ]
}

/// The view with a conversation that bob asks alice to.
pub(super) fn asked_to(number: u8, kind: ChatKind, name: &str) -> Event {
    let members = match kind {
        ChatKind::Direct => vec![member("frank", Trust::New)],
        ChatKind::Group => vec![member("carol", Trust::New), member("frank", Trust::New)],
    };
    let asked = Chat {
        standing: Standing::Asked(named("frank")),
        since: Some(NOW),
        ..chat(kind, name, members)
    };
    begun(id(number), asked)
}

/// The app with this conversation shown.
pub(super) fn showing(view: View, conversation: ConversationId) -> App {
    let mut app = app(view);
    app.is_chosen = true;
    app.show(conversation);
    assert_eq!(app.current, conversation);
    app
}
