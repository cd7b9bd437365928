//! Events in plain words: the lines of a conversation that are not messages. Every
//! front end says the same thing because it is said here.

use p2pchat_protocol::{Password, PeerAddr, Username};

use crate::dropped::{DropKind, DropReason, Dropped};
use crate::event::{
    BlockChange, Event, Failure, JoinedBy, Notice, Outcome, Problem, RequestFailure,
};
use crate::line::Level;
use crate::message::LeaveReason;
use crate::person::Person;
use crate::time::Timestamp;

/// When, how loud and what; `None` for events that are no line.
pub(crate) fn line(event: &Event) -> Option<(Timestamp, Level, String)> {
    let (at, level, text) = match event {
        Event::Registered { at, name } => (at, Level::Info, format!("account {name} is made")),
        Event::LoggedIn { at, name } => (at, Level::Info, format!("logged in as {name}")),
        Event::LoggedOut { at, problem: None } => (at, Level::Info, "logged out".to_owned()),
        Event::LoggedOut {
            at,
            problem: Some(problem),
        } => (
            at,
            Level::Warning,
            format!("logged out by the registry: {}", problem.words()),
        ),
        Event::Found { at, name, address } => (at, Level::Info, found(name, address.as_ref())),
        Event::RequestReceived(request) => (
            &request.at,
            Level::Info,
            format!("{} asks for a chat", request.from),
        ),
        Event::RequestClosed { at, from, outcome } => {
            (at, Level::Info, outcome_words(&from.to_string(), *outcome))
        }
        Event::RequestSent(request) => (
            &request.at,
            Level::Info,
            format!("asked {} for a chat, waiting for an answer", request.to),
        ),
        Event::RequestAnswered { at, to, refusal } => answered(at, to, *refusal)?,
        Event::MemberJoined { at, member, by } => (at, Level::Info, joined(member, *by)),
        Event::MemberLeft { at, member, reason } => (at, Level::Warning, left(member, *reason)),
        Event::ChatLeft { at } => (at, Level::Info, "you left the chat".to_owned()),
        Event::Dropped(dropped) => (&dropped.at, Level::Warning, dropped_words(dropped)?),
        Event::Blocks { at, change, .. } => (at, Level::Info, block_words((*change)?)),
        Event::Notice { at, notice } => (at, Level::Warning, notice_words(*notice)),
        Event::Failed { at, failure } => (at, Level::Warning, failure_words(failure)),
        Event::Started { .. }
        | Event::Link(_)
        | Event::Online { .. }
        | Event::Message(_)
        | Event::Delivered { .. }
        | Event::Busy { .. }
        | Event::History { .. }
        | Event::Findings { .. } => return None,
    };
    Some((*at, level, text))
}

fn failure_words(failure: &Failure) -> String {
    format!("{}: {}", failure.command, failure.message)
}

fn found(name: &Username, address: Option<&PeerAddr>) -> String {
    match address {
        Some(address) => format!("{name} is online at {address}"),
        None => format!("{name} is not online"),
    }
}

fn outcome_words(from: &str, outcome: Outcome) -> String {
    match outcome {
        Outcome::Accepted => format!("you accepted {from}'s request"),
        Outcome::Rejected => format!("you rejected {from}'s request"),
        Outcome::Expired => format!("{from}'s request ran out, which counts as rejected"),
        Outcome::Withdrawn => format!("{from}'s request is gone: the connection broke"),
    }
}

fn answered<'a>(
    at: &'a Timestamp,
    to: &Person,
    refusal: Option<RequestFailure>,
) -> Option<(&'a Timestamp, Level, String)> {
    let text = match refusal? {
        RequestFailure::Rejected => format!("{to} rejected the request"),
        RequestFailure::Busy => format!("{to} is busy now, try again later"),
        RequestFailure::NoAnswer => format!("{to} did not answer"),
        RequestFailure::Unreachable => format!("{to} cannot be reached at {}", to.address),
        RequestFailure::Blocked => format!("{to} is blocked, so the request is void"),
    };
    Some((at, Level::Warning, text))
}

fn joined(member: &Person, by: JoinedBy) -> String {
    match by {
        JoinedBy::AcceptedUs => format!("{member} accepted and is in the chat"),
        JoinedBy::AcceptedByUs | JoinedBy::WithGroup => format!("{member} is in the chat"),
        JoinedBy::Member(who) => format!("{member} is in the chat, {who} says"),
        JoinedBy::Back => format!("{member} is back in the chat"),
    }
}

fn left(member: &Person, reason: LeaveReason) -> String {
    match reason {
        LeaveReason::Unreachable => {
            format!("{member} cannot be reached and is out of the chat until a text gets through")
        }
        LeaveReason::GivenUp => {
            format!("{member} has been out of reach for too long and is not waited for any more")
        }
        LeaveReason::Refused => format!("{member} has left the chat"),
        LeaveReason::WeLeft => format!("{member} is no longer in the chat, because you left"),
        LeaveReason::Blocked => {
            format!("{member} is no longer in the chat, because you blocked them")
        }
    }
}

fn block_words(change: BlockChange) -> String {
    match change {
        BlockChange::Blocked(who) => format!("{who} is blocked: nothing from there is shown"),
        BlockChange::Unblocked(who) => format!("{who} is no longer blocked"),
    }
}

/// From how many connections on that came to nothing there is a line about them: one may
/// be a scanner of the network that means no harm.
const CONNECTIONS_TOLD: u64 = 10;

/// `None` for what is only counted: all that comes from somebody who is blocked.
fn dropped_words(dropped: &Dropped) -> Option<String> {
    let is_told = match (dropped.tried, dropped.why) {
        (_, DropReason::Blocked) => false,
        (DropKind::Connection, _) => dropped.count >= CONNECTIONS_TOLD,
        _ => true,
    };
    if !is_told || !dropped.is_milestone() {
        return None;
    }
    let what = match (dropped.tried, dropped.why) {
        (DropKind::Text, DropReason::Stranger) => "wrote to you but is not in the chat",
        (DropKind::Notify, DropReason::Stranger) => "tried to add somebody but is not in the chat",
        (DropKind::Text, _) => "writes more than is taken",
        (DropKind::Notify, _) => "tells of newcomers more often than is taken",
        (DropKind::Request, _) => "asks for a chat too often and was answered BUSY",
        (DropKind::Newcomer, DropReason::Malformed) => "brings somebody at an impossible address",
        (DropKind::Newcomer, _) => "brings more people than are taken",
        (DropKind::Connection, DropReason::Malformed) => "sends what p2pchat does not understand",
        (DropKind::Connection, DropReason::Silent) => "connects and does not say enough in time",
        (DropKind::Connection, _) => "makes more connections than are taken",
    };
    let who = who(dropped);
    Some(match dropped.count {
        0 | 1 => format!("{who} {what}; it was dropped"),
        count => format!("{who} {what}; {count} times so far, all dropped"),
    })
}

fn who(dropped: &Dropped) -> String {
    match (dropped.name, dropped.address) {
        (Some(name), Some(address)) => format!("{name} ({address})"),
        (_, Some(address)) => address.to_string(),
        (_, None) => "somebody at further addresses".to_owned(),
    }
}

impl Dropped {
    /// The count in words, for a list: `mallory (10.0.0.66): 12 texts, not in the chat`.
    #[must_use]
    pub fn tally(&self) -> String {
        let (one, many) = match self.tried {
            DropKind::Text => ("text", "texts"),
            DropKind::Notify => ("introduction", "introductions"),
            DropKind::Request => ("chat request", "chat requests"),
            DropKind::Newcomer => ("newcomer", "newcomers"),
            DropKind::Connection => ("connection", "connections"),
        };
        let why = match self.why {
            DropReason::Stranger => "not in the chat",
            DropReason::Blocked => "blocked",
            DropReason::TooMuch => "too many",
            DropReason::Malformed => "not understood",
            DropReason::Silent => "nothing said in time",
        };
        let what = if self.count == 1 { one } else { many };
        format!("{}: {} {what}, {why}", who(self), self.count)
    }
}

fn notice_words(notice: Notice) -> String {
    match notice {
        Notice::UnprivilegedPort { port } => format!(
            "messages arrive at port {port}, because port 1010 needs a privilege here; peers find it by themselves"
        ),
        Notice::LongName => format!(
            "programs of 2017 do not understand a name of {} bytes; one byte less and they do",
            Username::MAX
        ),
        Notice::LongPassword => format!(
            "programs of 2017 do not understand a password of {} bytes; one byte less and they do",
            Password::MAX
        ),
        Notice::ElsewhereOnline { address } => format!(
            "your account is online at {address} too: others find you there and not here until you log in again"
        ),
        Notice::ChatFull => "the chat is full: not everybody could be added".to_owned(),
        Notice::HistoryBroken => {
            "what is said is shown but not kept for now: the history cannot be written (is its disk full?)".to_owned()
        }
        Notice::HistoryMended { lost: 0 } => {
            "what is said is kept again, and what was said meanwhile too".to_owned()
        }
        Notice::HistoryMended { lost } => format!(
            "what is said is kept again, and what was said meanwhile too, but for {lost} messages"
        ),
    }
}

impl Problem {
    /// The problem in words that fit behind a colon.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Problem::NameTaken => "there is an account of this name",
            Problem::BadName => "this name may not be registered",
            Problem::BadPassword => "this password may not be used",
            Problem::WrongCredentials => "no such account, or not its password",
            Problem::SlowDown => "too many tries of late, wait a little",
            Problem::RegistryFailed => "the registry cannot do that now, try again later",
            Problem::RegistryUnreachable => "the registry cannot be reached",
            Problem::NotLoggedIn => "log in first",
            Problem::AlreadyLoggedIn => "log out first",
            Problem::NotOnline => "nobody of this name is online",
            Problem::Oneself => "that is you",
            Problem::AlreadyMember => "already in the chat",
            Problem::AlreadyAsked => "already asked, wait for the answer",
            Problem::NoSuchRequest => "no such request waits",
            Problem::NobodyThere => "nobody is in the chat yet, ask somebody first",
            Problem::ChatFull => "the chat has as many members as it can have",
            Problem::BadText => "this text cannot be sent",
            Problem::BadCommand => "this is no command",
            Problem::NoHistory => "there is no history",
            Problem::TooMuch => "too much at once, try again in a moment",
            Problem::Blocked => "blocked: unblock first",
            Problem::NotBlocked => "not blocked",
            Problem::NotKept => "that holds until the program ends, and cannot be kept for later",
        }
    }
}
