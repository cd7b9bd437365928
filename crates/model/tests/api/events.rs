//! Examples of events, and of the view.

use p2pchat_model::{
    BlockChange, CONTRACT_VERSION, ChatChange, Conversation, DatedChange, Delivery, DeliveryState,
    DropKind, DropReason, Dropped, Event, Failure, Identity, IncomingRequest, JoinedBy,
    KnownRegistry, LeaveReason, Link, MessageId, NameCheck, OnlineLooks, OutgoingRequest, Person,
    Problem, Security, Snapshot, Target, Trust, Undo, Undoable, User, View, wording,
};

use crate::chats;
use crate::parts::{
    self, OPEN, address, alice, at, bob, carol, mallory, message, name, own, unknown, user,
};

every! {
    all: Event {
        Event::View(_) => [Event::View(Box::new(Snapshot {
            version: CONTRACT_VERSION,
            missed: 0,
            view: view(),
        }))],
        Event::Done => [Event::Done],
        Event::Link(_) => parts::links()
            .into_iter()
            .map(Event::Link)
            .collect::<Vec<_>>(),
        Event::Registry { .. } => [Event::Registry {
            registry: "192.168.1.10".to_owned(),
            address: address(20),
            message_port: 5859,
        }],
        Event::RegistryFound { .. } => [Event::RegistryFound {
            registry: "192.168.1.20#ALGW-5BBC-YQD7-W3IJ-Q2IP-CEYL-PU".to_owned(),
        }],
        Event::Security(_) => parts::securities()
            .into_iter()
            .map(Event::Security)
            .collect::<Vec<_>>(),
        Event::Identity(_) => [None, parts::identity().code]
            .map(|code| Event::Identity(Identity { code, ..parts::identity() })),
        Event::Registered { .. } => [Event::Registered { at: at(0), name: name("alice") }],
        Event::LoggedIn { .. } => [Event::LoggedIn { at: at(0), name: name("alice") }],
        Event::LoggedOut { .. } => [None, Some(Problem::WrongCredentials)]
            .map(|problem| Event::LoggedOut { at: at(900), problem }),
        Event::Online { .. } => [Event::Online { users: users() }],
        Event::Presence { .. } => [Event::Presence {
            users: parts::statuses().into_iter().map(|status| User { status, ..user(bob()) }).collect(),
            gone: vec![name("carol")],
        }],
        Event::Found { .. } => [Some(address(21)), None].map(|address| Event::Found {
            at: at(10),
            name: name("bob"),
            address,
        }),
        Event::RequestReceived(_) => [Event::RequestReceived(incoming())],
        Event::RequestClosed { .. } => parts::outcomes()
            .into_iter()
            .map(|outcome| Event::RequestClosed {
 conversation: OPEN,
                at: at(25),
                from: bob(),
                outcome,
            })
            .collect::<Vec<_>>(),
        Event::RequestMissed { .. } => [Event::RequestMissed {
 conversation: OPEN,
            at: at(15),
            from: carol(),
        }],
        Event::RequestSent(_) => [Event::RequestSent(outgoing())],
        Event::RequestAnswered { .. } => [None]
            .into_iter()
            .chain(parts::request_failures().into_iter().map(Some))
            .map(|refusal| Event::RequestAnswered { conversation: OPEN, at: at(25), to: bob(), refusal })
            .collect::<Vec<_>>(),
        Event::MemberJoined { .. } => parts::joins()
            .into_iter()
            .map(|by| Event::MemberJoined { conversation: OPEN, at: at(25), member: new_member(by), by })
            .collect::<Vec<_>>(),
        Event::MemberLeft { .. } => parts::leave_reasons()
            .into_iter()
            .filter(|&reason| reason != LeaveReason::WeLeft)
            .map(|reason| Event::MemberLeft { conversation: OPEN, at: at(90), member: bob(), reason })
            .collect::<Vec<_>>(),
        Event::ChatLeft { .. } => [Event::ChatLeft { conversation: OPEN, at: at(95) }],
        Event::Message(_) => messages(),
        Event::Chat { .. } => chats::chats(),
        Event::PostsGone { .. } => [Event::PostsGone {
            conversation: chats::team(),
            messages: vec![chats::post_id(31), chats::post_id(42)],
        }],
        Event::ChatHidden { .. } => [Event::ChatHidden { conversation: chats::with_bob() }],
        Event::Opened { .. } => [Event::Opened { conversation: chats::with_bob() }],
        Event::Said { .. } => [Event::Said {
            conversation: chats::with_bob(),
            message: chats::post_id(41),
        }],
        Event::ChatChanged { .. } => chats::changes()
            .into_iter()
            .map(|change| Event::ChatChanged { conversation: chats::team(), at: at(50), change })
            .collect::<Vec<_>>(),
        Event::Post(_) => chats::posts(),
        Event::PostChanged(_) => chats::changed_posts(),
        Event::Posts { .. } => [None, Some(chats::post_id(41))].map(|before| Event::Posts {
            conversation: chats::team(),
            before,
            posts: vec![chats::post(31, "hello"), chats::post(32, "how was the release?")],
            changes: vec![DatedChange { at: at(31), change: ChatChange::Joined(chats::carol()) }],
            more: before.is_none(),
        }),
        Event::PostsFrom { .. } => [Event::PostsFrom {
            conversation: chats::team(),
            from: chats::post_id(31),
            posts: vec![chats::post(31, "hello"), chats::post(32, "how was the release?")],
            changes: vec![DatedChange { at: at(31), change: ChatChange::Joined(chats::carol()) }],
            more: true,
        }],
        Event::Unread { .. } => [Event::Unread {
            conversation: chats::team(),
            messages: 3,
            mentions: 1,
        }],
        Event::Typing { .. } => [true, false].map(|on| Event::Typing {
            conversation: chats::team(),
            who: chats::bob(),
            on,
        }),
        Event::ReadBy { .. } => [Event::ReadBy {
            conversation: chats::team(),
            who: chats::bob(),
            message: chats::post_id(41),
        }],
        Event::Delivered { .. } => parts::deliveries()
            .into_iter()
            .map(|state| Event::Delivered {
 conversation: OPEN,
                message: MessageId::new(41),
                delivery: Delivery { to: bob(), state },
            })
            .collect::<Vec<_>>(),
        Event::Dropped(_) => dropped(),
        Event::Blocks { .. } => blocks(),
        Event::Notice { .. } => parts::notices()
            .into_iter()
            .map(|notice| Event::Notice { at: at(1), what: notice })
            .collect::<Vec<_>>(),
        Event::Busy { .. } => [Event::Busy { on: true }],
        Event::Away { .. } => [Event::Away { on: true }],
        Event::DisplayName { .. } => [Event::DisplayName {
            display_name: "Alice Adams".parse().unwrap(),
        }],
        Event::LegacyLogin { .. } => [Event::LegacyLogin { on: true }],
        Event::Code { .. } => parts::trusts()
            .into_iter()
            .map(|trust| Event::Code { name: name("bob"), code: parts::code(), trust })
            .collect::<Vec<_>>(),
        Event::Exported { .. } => [Event::Exported { identity: parts::EXPORTED.to_owned() }],
        Event::Registries { .. } => [Event::Registries {
            list: vec![KnownRegistry {
                registry: "192.168.1.10".to_owned(),
                fingerprint: parts::fingerprint('A'),
                since: "2026-11-28".to_owned(),
                trusted: false,
            }],
        }],
        Event::History { .. } => [None, Some(MessageId::new(41))].map(|before| Event::History {
 conversation: OPEN,
            before,
            messages: vec![
                message(31, bob(), "hello"),
                own(32, "hi bob", &[bob()], DeliveryState::Sent),
            ],
            more: false,
        }),
        Event::Findings { .. } => [None, Some(OPEN)].map(|conversation| Event::Findings {
            conversation,
            text: "hello".to_owned(),
            messages: vec![message(31, bob(), "hello")],
            posts: match conversation {
                None => vec![chats::post(31, "hello")],
                Some(_) => Vec::new(),
            },
        }),
        Event::Read { .. } => [
            Event::Read { conversation: OPEN, message: MessageId::new(42) },
            Event::Read { conversation: chats::team(), message: chats::post_id(42) },
        ],
        Event::Draft { .. } => ["see you at", ""].map(|text| Event::Draft {
            conversation: OPEN,
            text: text.to_owned(),
        }),
        // The document has a table of all codes.
        Event::Failed { .. } => [
            Failure::new(at(5), "request", Problem::NotOnline),
            Failure {
                names: vec![name("bob")],
                ..Failure::new(at(5), "request", Problem::HasEncrypted)
                    .with_message(wording::chat::has_encrypted(&[name("bob")]))
            },
            Failure::bad_command(at(5), "missing field `text`"),
        ].map(Event::Failed),
    }
}

fn users() -> Vec<User> {
    let bob = User {
        display_name: "Bob B.".parse().unwrap(),
        trust: Some(Trust::Verified),
        ..user(bob())
    };
    let carol = User {
        legacy: true,
        ..user(carol())
    };
    vec![user(alice()), bob, carol]
}

fn new_member(by: JoinedBy) -> Person {
    match by {
        JoinedBy::WithGroup => carol(),
        JoinedBy::Member(_) => unknown(),
        JoinedBy::AcceptedUs | JoinedBy::AcceptedByUs | JoinedBy::Back => bob(),
    }
}

fn incoming() -> IncomingRequest {
    IncomingRequest {
        conversation: OPEN,
        at: at(10),
        from: bob(),
        members: vec![carol()],
        expires: at(70),
    }
}

fn outgoing() -> OutgoingRequest {
    OutgoingRequest {
        conversation: OPEN,
        at: at(20),
        to: bob(),
        expires: at(80),
    }
}

/// One of the user, and one for each result of the check of a name.
fn messages() -> Vec<Event> {
    let own = own(
        41,
        "lunch at noon?",
        &[bob(), carol()],
        DeliveryState::Sending,
    );
    let others = parts::checks().into_iter().map(|check| {
        let from = match check {
            NameCheck::Confirmed => bob(),
            NameCheck::Unknown | NameCheck::Differs => mallory(check),
        };
        message(42, from, "fine with me")
    });
    [own]
        .into_iter()
        .chain(others)
        .map(Event::Message)
        .collect()
}

/// Each kind, with the reasons in turn.
fn dropped() -> Vec<Event> {
    let tried = parts::drop_kinds().into_iter();
    let why = parts::drop_reasons().into_iter();
    tried
        .zip(why)
        .zip([1, 10, 100, 1, 10])
        .map(|((tried, why), count)| Dropped {
            at: at(40),
            name: (tried == DropKind::Text).then(|| name("mallory")),
            address: (tried != DropKind::Connection).then(|| address(66)),
            tried,
            why,
            count,
        })
        .map(Event::Dropped)
        .collect()
}

fn blocks() -> Vec<Event> {
    let (name, address) = (Target::Name(name("mallory")), Target::Address(address(66)));
    parts::block_changes()
        .into_iter()
        .map(Some)
        .chain([None])
        .map(|change| Event::Blocks {
            at: at(45),
            list: match change {
                Some(BlockChange::Unblocked(_)) => vec![name],
                _ => vec![name, address],
            },
            change,
        })
        .collect()
}

fn view() -> View {
    View {
        address: Some(alice().address),
        message_port: Some(5859),
        registry: "192.168.1.10".to_owned(),
        link: Link::Up,
        security: Security::Encrypted {
            fingerprint: parts::fingerprint('A'),
        },
        identity: Some(parts::identity()),
        account: Some(name("alice")),
        display_name: "Alice Adams".parse().unwrap(),
        legacy_login: false,
        busy: false,
        away: false,
        online: users(),
        incoming: Some(incoming()),
        outgoing: vec![outgoing()],
        conversations: vec![
            Conversation {
                id: OPEN,
                members: vec![bob()],
                out_of_reach: vec![carol()],
                lines: parts::lines(),
                more_history: true,
                read: Some(MessageId::new(31)),
                draft: "see you at".to_owned(),
                chat: None,
            },
            chats::conversation(),
        ],
        conversations_of: Some(name("alice")),
        findings: None,
        blocked: vec![Target::Name(name("mallory"))],
        dropped: vec![Dropped {
            at: at(40),
            name: Some(name("mallory")),
            address: Some(address(66)),
            tried: DropKind::Request,
            why: DropReason::Blocked,
            count: 12,
        }],
        undo: Some(Undo {
            what: Undoable::Blocked(Target::Name(name("mallory"))),
            until: at(55),
        }),
        looks: OnlineLooks::default(),
    }
}

/// What the view of the document does not show.
pub(crate) fn other_views() -> Vec<View> {
    let empty = [View::default()];
    let links = parts::links()
        .into_iter()
        .map(|link| View { link, ..view() });
    let undone = parts::undoables().into_iter().map(|what| View {
        undo: Some(Undo {
            what,
            until: at(55),
        }),
        ..view()
    });
    empty.into_iter().chain(links).chain(undone).collect()
}
