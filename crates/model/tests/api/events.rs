//! Examples of events, and of the view.

use p2pchat_model::{
    BlockChange, Delivery, DeliveryState, DropKind, DropReason, Dropped, Event, Failure, Findings,
    IncomingRequest, JoinedBy, LeaveReason, Link, MessageId, NameCheck, OnlineLooks,
    OutgoingRequest, Person, Problem, Target, Undo, Undoable, View,
};

use crate::parts::{
    self, address, alice, at, bob, carol, message, name, own, speaker, unknown, user,
};

every! {
    all: Event {
        Event::Started { .. } => [Event::Started {
            address: alice().address,
            registry: "192.168.1.10".to_owned(),
            message_port: 5859,
        }],
        Event::Link(_) => parts::links()
            .into_iter()
            .map(Event::Link)
            .collect::<Vec<_>>(),
        Event::Registered { .. } => [Event::Registered { at: at(0), name: name("alice") }],
        Event::LoggedIn { .. } => [Event::LoggedIn { at: at(0), name: name("alice") }],
        Event::LoggedOut { .. } => [None, Some(Problem::WrongCredentials)]
            .map(|problem| Event::LoggedOut { at: at(900), problem }),
        Event::Online { .. } => [Event::Online { users: vec![user(alice()), user(bob())] }],
        Event::Found { .. } => [Some(address(21)), None].map(|address| Event::Found {
            at: at(10),
            name: name("bob"),
            address,
        }),
        Event::RequestReceived(_) => [Event::RequestReceived(incoming())],
        Event::RequestClosed { .. } => parts::outcomes()
            .into_iter()
            .map(|outcome| Event::RequestClosed {
                at: at(25),
                from: speaker(bob(), NameCheck::Confirmed),
                outcome,
            })
            .collect::<Vec<_>>(),
        Event::RequestMissed { .. } => [Event::RequestMissed {
            at: at(15),
            from: speaker(carol(), NameCheck::Confirmed),
        }],
        Event::RequestSent(_) => [Event::RequestSent(outgoing())],
        Event::RequestAnswered { .. } => [None]
            .into_iter()
            .chain(parts::request_failures().into_iter().map(Some))
            .map(|refusal| Event::RequestAnswered { at: at(25), to: bob(), refusal })
            .collect::<Vec<_>>(),
        Event::MemberJoined { .. } => parts::joins()
            .into_iter()
            .map(|by| Event::MemberJoined { at: at(25), member: new_member(by), by })
            .collect::<Vec<_>>(),
        Event::MemberLeft { .. } => parts::leave_reasons()
            .into_iter()
            .filter(|&reason| reason != LeaveReason::WeLeft)
            .map(|reason| Event::MemberLeft { at: at(90), member: bob(), reason })
            .collect::<Vec<_>>(),
        Event::ChatLeft { .. } => [Event::ChatLeft { at: at(95) }],
        Event::Message(_) => messages(),
        Event::Delivered { .. } => parts::deliveries()
            .into_iter()
            .map(|state| Event::Delivered {
                id: MessageId(41),
                delivery: Delivery { to: bob(), state },
            })
            .collect::<Vec<_>>(),
        Event::Dropped(_) => dropped(),
        Event::Blocks { .. } => blocks(),
        Event::Notice { .. } => parts::notices()
            .into_iter()
            .map(|notice| Event::Notice { at: at(1), notice })
            .collect::<Vec<_>>(),
        Event::Busy { .. } => [Event::Busy { on: true }],
        Event::History { .. } => [None, Some(MessageId(41))].map(|before| Event::History {
            before,
            messages: vec![
                message(31, bob(), NameCheck::Confirmed, "hello"),
                own(32, "hi bob", &[bob()], DeliveryState::Sent),
            ],
            more: false,
        }),
        Event::Findings { .. } => [Event::Findings {
            text: "hello".to_owned(),
            messages: vec![message(31, bob(), NameCheck::Confirmed, "hello")],
        }],
        Event::Failed { .. } => parts::problems()
            .into_iter()
            .map(failed)
            .chain([invalid_command()])
            .collect::<Vec<_>>(),
    }
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
        at: at(10),
        from: speaker(bob(), NameCheck::Confirmed),
        members: vec![carol()],
        expires: at(70),
    }
}

fn outgoing() -> OutgoingRequest {
    OutgoingRequest {
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
        let by = match check {
            NameCheck::Confirmed => bob(),
            NameCheck::Unknown | NameCheck::Differs => unknown(),
        };
        message(42, by, check, "fine with me")
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
    parts::block_changes(name, address)
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

fn failed(problem: Problem) -> Event {
    let command = match problem {
        Problem::NameTaken | Problem::BadName => "register",
        Problem::BadPassword => "register",
        Problem::WrongCredentials | Problem::SlowDown | Problem::AlreadyLoggedIn => "login",
        Problem::RegistryFailed | Problem::RegistryUnreachable => "login",
        Problem::NotLoggedIn | Problem::NotOnline | Problem::Oneself => "request",
        Problem::AlreadyMember | Problem::AlreadyAsked | Problem::ChatFull => "request",
        Problem::NoSuchRequest => "accept",
        Problem::NobodyThere | Problem::BadText | Problem::TooMuch => "say",
        Problem::BadCommand => "?",
        Problem::NoHistory => "history",
        Problem::Blocked => "request",
        Problem::NotBlocked => "unblock",
        Problem::NotKept => "block",
        Problem::NothingToUndo => "undo",
    };
    failure(command, problem, problem.words())
}

/// The answer of a front end to a line that is not a command.
fn invalid_command() -> Event {
    let problem = Problem::BadCommand;
    let message = problem.because("missing field `text` at line 1 column 10");
    failure("?", problem, &message)
}

fn failure(command: &str, problem: Problem, message: &str) -> Event {
    Event::Failed {
        at: at(5),
        failure: Failure {
            command: command.to_owned(),
            problem,
            message: message.to_owned(),
        },
    }
}

pub(crate) fn view() -> View {
    View {
        address: Some(alice().address),
        message_port: Some(5859),
        registry: "192.168.1.10".to_owned(),
        link: Link::Up,
        account: Some(name("alice")),
        busy: false,
        online: vec![user(alice()), user(bob()), user(carol())],
        incoming: Some(incoming()),
        outgoing: vec![outgoing()],
        members: vec![bob()],
        out_of_reach: vec![carol()],
        lines: parts::lines(),
        lines_of: Some(name("alice")),
        more_history: true,
        findings: Some(Findings {
            text: "hello".to_owned(),
            messages: vec![message(31, bob(), NameCheck::Confirmed, "hello")],
        }),
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
