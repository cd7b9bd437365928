//! Examples of what events are made of.

use p2pchat_model::{
    BlockChange, Code, ConversationId, Delivery, DeliveryState, DropKind, DropReason, Event,
    Fingerprint, Identity, JoinedBy, LeaveReason, Level, Line, Link, Message, MessageId, NameCheck,
    Notice, Outcome, PeerAddr, Person, Problem, RequestFailure, Security, Status, Target,
    Timestamp, Trust, Undoable, User, Username, View,
};

use crate::chats;

pub(crate) const OPEN: ConversationId = ConversationId::OPEN;

/// 2026-11-22 12:00:00 UTC.
pub(crate) const NOON: u64 = 1_795_348_800_000;

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp(NOON + seconds * 1000)
}

pub(crate) fn name(name: &str) -> Username {
    name.parse().unwrap()
}

pub(crate) fn address(last: u8) -> PeerAddr {
    PeerAddr::new([192, 168, 1, last].into()).unwrap()
}

pub(crate) fn alice() -> Person {
    person("alice", 20)
}

pub(crate) fn bob() -> Person {
    person("bob", 21)
}

pub(crate) fn carol() -> Person {
    person("carol", 22)
}

/// A user that the registry does not know.
pub(crate) fn unknown() -> Person {
    Person::listed(address(23), None)
}

/// A user whose packets have a name.
pub(crate) fn mallory(check: NameCheck) -> Person {
    Person {
        check,
        ..person("mallory", 23)
    }
}

/// A person in the list of who is online.
pub(crate) fn user(person: Person) -> User {
    User {
        name: person.name.unwrap(),
        address: person.address,
        display_name: "".parse().unwrap(),
        status: Status::Available,
        open_chat: true,
        legacy: false,
        trust: None,
    }
}

/// An exported identity, shortened.
pub(crate) const EXPORTED: &str = "p2pchat-person-1 kHPBMnxFTs…";

pub(crate) fn code() -> Code {
    "12440915304854155287".parse().unwrap()
}

pub(crate) fn fingerprint(of: char) -> Fingerprint {
    let text = format!("{of}LGW-5BBC-YQD7-W3IJ-Q2IP-CEYL-PU");
    text.parse().unwrap()
}

pub(crate) fn identity() -> Identity {
    Identity {
        device: fingerprint('D'),
        person: fingerprint('P'),
        code: Some(code()),
        saved: true,
    }
}

every! {
    securities: Security {
        Security::Unknown => [Security::Unknown],
        Security::NotEncrypted => [Security::NotEncrypted],
        Security::Encrypted { .. } => [Security::Encrypted { fingerprint: fingerprint('A') }],
    }
}

every! {
    statuses: Status {
        Status::Available => [Status::Available],
        Status::Busy => [Status::Busy],
        Status::Away => [Status::Away],
    }
}

every! {
    trusts: Trust {
        Trust::Former => [Trust::Former],
        Trust::New => [Trust::New],
        Trust::Verified => [Trust::Verified],
        Trust::Changed => [Trust::Changed],
        Trust::ChangedAfterVerified => [Trust::ChangedAfterVerified],
    }
}

fn person(who: &str, last: u8) -> Person {
    Person::listed(address(last), Some(name(who)))
}

/// A message with this id, sent as many seconds after noon.
pub(crate) fn message(id: u64, from: Person, text: &str) -> Message {
    Message {
        conversation: OPEN,
        id: MessageId::new(id),
        at: at(id),
        from,
        text: text.to_owned(),
        deliveries: None,
    }
}

/// A message of the user, alice.
pub(crate) fn own(id: u64, text: &str, to: &[Person], state: DeliveryState) -> Message {
    Message {
        deliveries: Some(to.iter().map(|&to| Delivery { to, state }).collect()),
        ..message(id, alice(), text)
    }
}

every! {
    links: Link {
        Link::NoRegistry => [Link::NoRegistry],
        Link::Connecting => [Link::Connecting],
        Link::Up => [Link::Up],
        Link::PasswordNeeded => [Link::PasswordNeeded],
        Link::KeyChanged { .. } => [Link::KeyChanged {
            pinned: fingerprint('A'),
            seen: fingerprint('B'),
        }],
        Link::Down { .. } => [Link::Down {
            reason: "192.168.1.10:3131: connection refused".to_owned(),
            retry_at: at(4),
        }],
    }
}

every! {
    outcomes: Outcome {
        Outcome::Accepted => [Outcome::Accepted],
        Outcome::Rejected => [Outcome::Rejected],
        Outcome::Expired => [Outcome::Expired],
        Outcome::Withdrawn => [Outcome::Withdrawn],
    }
}

every! {
    request_failures: RequestFailure {
        RequestFailure::Rejected => [RequestFailure::Rejected],
        RequestFailure::Busy => [RequestFailure::Busy],
        RequestFailure::NoAnswer => [RequestFailure::NoAnswer],
        RequestFailure::Unreachable => [RequestFailure::Unreachable],
        RequestFailure::Blocked => [RequestFailure::Blocked],
        RequestFailure::Cancelled => [RequestFailure::Cancelled],
    }
}

every! {
    joins: JoinedBy {
        JoinedBy::AcceptedUs => [JoinedBy::AcceptedUs],
        JoinedBy::AcceptedByUs => [JoinedBy::AcceptedByUs],
        JoinedBy::WithGroup => [JoinedBy::WithGroup],
        JoinedBy::Member(_) => [JoinedBy::Member(carol())],
        JoinedBy::Back => [JoinedBy::Back],
    }
}

every! {
    leave_reasons: LeaveReason {
        LeaveReason::Unreachable => [LeaveReason::Unreachable],
        LeaveReason::Refused => [LeaveReason::Refused],
        LeaveReason::GivenUp => [LeaveReason::GivenUp],
        LeaveReason::WeLeft => [LeaveReason::WeLeft],
        LeaveReason::Blocked => [LeaveReason::Blocked],
    }
}

every! {
    deliveries: DeliveryState {
        DeliveryState::Sending => [DeliveryState::Sending],
        DeliveryState::Sent => [DeliveryState::Sent],
        DeliveryState::Unconfirmed => [DeliveryState::Unconfirmed],
        DeliveryState::Failed(_) => leave_reasons().into_iter().map(DeliveryState::Failed).collect::<Vec<_>>(),
    }
}

every! {
    drop_kinds: DropKind {
        DropKind::Text => [DropKind::Text],
        DropKind::Notify => [DropKind::Notify],
        DropKind::Request => [DropKind::Request],
        DropKind::Newcomer => [DropKind::Newcomer],
        DropKind::Connection => [DropKind::Connection],
    }
}

every! {
    drop_reasons: DropReason {
        DropReason::Stranger => [DropReason::Stranger],
        DropReason::TooMuch => [DropReason::TooMuch],
        DropReason::Blocked => [DropReason::Blocked],
        DropReason::Malformed => [DropReason::Malformed],
        DropReason::Silent => [DropReason::Silent],
    }
}

every! {
    block_changes: BlockChange {
        BlockChange::Blocked(_) => [BlockChange::Blocked(Target::Name(name("mallory")))],
        BlockChange::Unblocked(_) => [BlockChange::Unblocked(Target::Address(address(66)))],
    }
}

every! {
    undoables: Undoable {
        Undoable::Left(_) => [Undoable::Left(OPEN)],
        Undoable::Blocked(_) => [Undoable::Blocked(Target::Name(name("mallory")))],
    }
}

every! {
    notices: Notice {
        Notice::UnprivilegedPort { .. } => [Notice::UnprivilegedPort { port: 5859 }],
        Notice::LongName => [Notice::LongName],
        Notice::LongPassword => [Notice::LongPassword],
        Notice::ElsewhereOnline { .. } => [Notice::ElsewhereOnline { address: address(24) }],
        Notice::RegistryPinned { .. } => [Notice::RegistryPinned { fingerprint: fingerprint('A') }],
        Notice::PlaintextIgnored => [Notice::PlaintextIgnored],
        Notice::IdentityNotSaved => [Notice::IdentityNotSaved],
        Notice::KeyChanged { .. } => [false, true].map(|was_verified| Notice::KeyChanged {
            name: name("bob"),
            was_verified,
        }),
        Notice::ChatFull => [Notice::ChatFull],
        Notice::ClockWrong => [Notice::ClockWrong],
        Notice::ProfileCopied => [Notice::ProfileCopied],
        Notice::ChatsBroken => [Notice::ChatsBroken],
        Notice::ChatsMended => [Notice::ChatsMended],
        Notice::HistoryBroken => [Notice::HistoryBroken],
        Notice::PeerStopped { .. } => [Notice::PeerStopped { process: 1234 }],
        Notice::HistoryMended { .. } => [Notice::HistoryMended { lost: 12 }],
    }
}

every! {
    checks: NameCheck {
        NameCheck::Confirmed => [NameCheck::Confirmed],
        NameCheck::Unknown => [NameCheck::Unknown],
        NameCheck::Differs => [NameCheck::Differs],
    }
}

every! {
    lines: Line {
        Line::Message(_) => [Line::from(message(31, bob(), "hello"))],
        Line::Post(_) => [Line::from(chats::post(31, "hello"))],
        Line::Notice { .. } => levels().into_iter().map(notice).collect::<Vec<_>>(),
    }
}

every! {
    levels: Level {
        Level::Info => [Level::Info],
        Level::Warning => [Level::Warning],
    }
}

fn notice(level: Level) -> Line {
    let event = match level {
        Level::Info => Event::MemberJoined {
            conversation: OPEN,
            at: at(50),
            member: bob(),
            by: JoinedBy::AcceptedUs,
        },
        Level::Warning => Event::MemberLeft {
            conversation: OPEN,
            at: at(50),
            member: carol(),
            reason: LeaveReason::Unreachable,
        },
    };
    View::notice(&event).unwrap()
}

every! {
    problems: Problem {
        Problem::NameTaken => [Problem::NameTaken],
        Problem::BadName => [Problem::BadName],
        Problem::BadPassword => [Problem::BadPassword],
        Problem::WrongCredentials => [Problem::WrongCredentials],
        Problem::WrongPassword => [Problem::WrongPassword],
        Problem::SlowDown => [Problem::SlowDown],
        Problem::RegistryFailed => [Problem::RegistryFailed],
        Problem::RegistryUnreachable => [Problem::RegistryUnreachable],
        Problem::NotLoggedIn => [Problem::NotLoggedIn],
        Problem::AlreadyLoggedIn => [Problem::AlreadyLoggedIn],
        Problem::NotOnline => [Problem::NotOnline],
        Problem::Oneself => [Problem::Oneself],
        Problem::AlreadyMember => [Problem::AlreadyMember],
        Problem::AlreadyAsked => [Problem::AlreadyAsked],
        Problem::NoSuchRequest => [Problem::NoSuchRequest],
        Problem::NobodyThere => [Problem::NobodyThere],
        Problem::ChatFull => [Problem::ChatFull],
        Problem::BadText => [Problem::BadText],
        Problem::BadCommand => [Problem::BadCommand],
        Problem::NoHistory => [Problem::NoHistory],
        Problem::TooMuch => [Problem::TooMuch],
        Problem::Blocked => [Problem::Blocked],
        Problem::NotBlocked => [Problem::NotBlocked],
        Problem::NotKept => [Problem::NotKept],
        Problem::NothingToUndo => [Problem::NothingToUndo],
        Problem::NoSuchConversation => [Problem::NoSuchConversation],
        Problem::IdUsed => [Problem::IdUsed],
        Problem::PasswordNeeded => [Problem::PasswordNeeded],
        Problem::OtherPerson => [Problem::OtherPerson],
        Problem::DeviceForgotten => [Problem::DeviceForgotten],
        Problem::TooManyDevices => [Problem::TooManyDevices],
        Problem::NotEncrypted => [Problem::NotEncrypted],
        Problem::RegistryKeyChanged => [Problem::RegistryKeyChanged],
        Problem::NoSuchRegistry => [Problem::NoSuchRegistry],
        Problem::NoKey => [Problem::NoKey],
        Problem::WrongCode => [Problem::WrongCode],
        Problem::BadIdentity => [Problem::BadIdentity],
        Problem::IdentityNotKept => [Problem::IdentityNotKept],
        Problem::IdentityInUse => [Problem::IdentityInUse],
        Problem::NotOwner => [Problem::NotOwner],
        Problem::NotPossible => [Problem::NotPossible],
        Problem::NoSuchMessage => [Problem::NoSuchMessage],
        Problem::OlderProgram => [Problem::OlderProgram],
        Problem::UserKeyChanged => [Problem::UserKeyChanged],
        Problem::HasEncrypted => [Problem::HasEncrypted],
        Problem::NoChats => [Problem::NoChats],
        Problem::NoRegistry => [Problem::NoRegistry],
        Problem::BadRegistry => [Problem::BadRegistry],
        Problem::RegistryThere => [Problem::RegistryThere],
        Problem::RegistryNotStarted => [Problem::RegistryNotStarted],
    }
}
