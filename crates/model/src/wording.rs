//! The words that users read: one table for all front ends.
//!
//! - [`label`] has the buttons, headings and states that the page and the terminal share.
//! - Functions and methods here make sentences: of a [`Problem`], a [`DeliveryState`], a
//!   chat request, and (behind [`View::notice`](crate::View::notice)) of each [`Event`] that
//!   is a line of the conversation.
//!
//! A text that only one front end shows, such as the help of a terminal command, stays in
//! that front end. The style: short and active, in the words of other chat programs;
//! sentences in lower case and without a full stop, so that they fit behind a colon.

use std::fmt::Display;

use p2pchat_protocol::{ChatText, PeerAddr, Username};

use crate::dropped::{DropKind, DropReason, Dropped};
use crate::event::{
    BlockChange, Event, Failure, IncomingRequest, JoinedBy, Link, Notice, Outcome, Problem,
    RequestFailure,
};
use crate::line::Level;
use crate::message::{DeliveryState, LeaveReason};
use crate::person::{NameCheck, Person};
use crate::target::Target;
use crate::text::packets;
use crate::time::Timestamp;

pub mod label;

impl Problem {
    /// The problem in words that fit behind a colon.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NameTaken => "this name is taken",
            Self::BadName => "this name cannot be used",
            Self::BadPassword => "this password cannot be used",
            Self::WrongCredentials => "wrong user name or password",
            Self::SlowDown => "too many attempts, wait a moment and try again",
            Self::RegistryFailed => "the registry has a problem, try again later",
            Self::RegistryUnreachable => "cannot reach the registry",
            Self::NotLoggedIn => "sign in first",
            Self::AlreadyLoggedIn => "you are signed in already",
            Self::NotOnline => "no user of this name is online",
            Self::Oneself => "you cannot do that to yourself",
            Self::AlreadyMember => "already in the chat",
            Self::AlreadyAsked => "already asked, wait for the answer",
            Self::NoSuchRequest => "there is no such request, it may have expired",
            Self::NobodyThere => "no one is in the chat yet, send a chat request first",
            Self::ChatFull => "the chat is full",
            Self::BadText => "this message cannot be sent",
            Self::BadCommand => "invalid command",
            Self::NoHistory => "the history is off or cannot be read",
            Self::TooMuch => "too much at once, try again in a moment",
            Self::Blocked => "blocked, unblock first",
            Self::NotBlocked => "not blocked",
            Self::NotKept => "done, but it cannot be saved and ends with the program",
            Self::NothingToUndo => "there is nothing to undo, or it is too late",
        }
    }

    /// The problem, and what exactly is wrong.
    #[must_use]
    pub fn because(self, detail: impl Display) -> String {
        format!("{}: {detail}", self.words())
    }
}

/// The message of [`Problem::Blocked`]: a chat request to a blocked target.
#[must_use]
pub fn target_is_blocked(target: &Target) -> String {
    format!("{target} is blocked, unblock {target} first")
}

/// The message of [`Problem::NotBlocked`].
#[must_use]
pub fn target_is_not_blocked(target: &Target) -> String {
    format!("{target} is not blocked by this name or address")
}

/// The message of [`Problem::TooMuch`] for a block list with `max` entries.
#[must_use]
pub fn block_list_is_full(max: usize) -> String {
    format!("the block list is full ({max} entries), unblock a user first")
}

/// The message for a name or a password that fills its field.
#[must_use]
pub fn too_long_for_legacy(max: usize) -> String {
    format!(
        "too long for legacy clients, which take {} bytes",
        max.saturating_sub(1)
    )
}

impl NameCheck {
    /// The warning beside a name that the registry does not confirm.
    #[must_use]
    pub fn warning(self) -> Option<&'static str> {
        match self {
            Self::Confirmed => None,
            Self::Unknown => Some("name not confirmed"),
            Self::Differs => Some("not the name in the registry"),
        }
    }
}

/// The warning beside a name that looks like another user's.
#[must_use]
pub fn looks_like(other: Username) -> String {
    format!("looks like {other} but is not")
}

impl Link {
    /// The state of the connection to the registry, in a word or two.
    #[must_use]
    pub fn words(&self) -> &'static str {
        match self {
            Self::Up => "connected",
            Self::Connecting => "connecting",
            Self::Down { .. } => "not connected",
        }
    }
}

/// The connection to the registry is there.
#[must_use]
pub fn registry_is_up(registry: &str) -> String {
    format!("connected to the registry {registry}")
}

/// The registry cannot be reached, and why.
#[must_use]
pub fn registry_is_down(registry: &str, reason: &str) -> String {
    format!("cannot reach the registry {registry}: {reason}")
}

/// When the next attempt is due.
#[must_use]
pub fn next_try(seconds: u64) -> String {
    match seconds {
        0 => "trying again now".to_owned(),
        seconds => format!("next try in {seconds} s"),
    }
}

impl DeliveryState {
    /// The delivery status for some members, whose names follow.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Sent => "delivered",
            Self::Unconfirmed => "sent, not confirmed",
            Self::Failed(_) => "not delivered",
        }
    }

    /// The delivery status of a whole message, see [`Message::delivery`].
    ///
    /// [`Message::delivery`]: crate::Message::delivery
    #[must_use]
    pub fn words_for_all(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Sent => "delivered to everyone",
            Self::Unconfirmed => "sent, not confirmed by everyone",
            Self::Failed(_) => "not delivered to everyone",
        }
    }
}

/// The message did not get to a member, and why.
#[must_use]
pub fn not_delivered(to: &Person, reason: LeaveReason) -> String {
    let why = match reason {
        LeaveReason::Unreachable | LeaveReason::GivenUp => label::UNREACHABLE,
        LeaveReason::Refused => "left the chat",
        LeaveReason::WeLeft => "you left the chat",
        LeaveReason::Blocked => "you blocked them",
    };
    format!("not delivered to {to}: {why}")
}

/// The message may not have got to a member: the connection broke.
#[must_use]
pub fn not_confirmed(to: &Person) -> String {
    format!("may not have reached {to}")
}

/// How many names stand in a sentence: a chat request can carry a thousand.
const NAMED: usize = 8;

/// `bob`, `bob and carol`, or `bob, carol and 7 more`; empty for no one.
#[must_use]
pub fn names(people: &[Person]) -> String {
    let mut names: Vec<String> = people.iter().take(NAMED).map(Person::to_string).collect();
    if people.len() > NAMED {
        names.push(format!("{} more", people.len() - NAMED));
    }
    match names.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// A chat request came.
#[must_use]
pub fn wants_to_chat(from: impl Display) -> String {
    format!("{from} wants to chat with you")
}

/// The members of the requester's chat, where there are any.
#[must_use]
pub fn company(request: &IncomingRequest) -> Option<String> {
    let names = names(&request.members);
    match request.members.len() {
        0 => None,
        1 => Some(format!("{names} is in the chat too")),
        _ => Some(format!("{names} are in the chat too")),
    }
}

/// How many messages are below what is on the screen.
#[must_use]
pub fn new_messages(count: usize) -> String {
    match count {
        1 => "1 new message".to_owned(),
        count => format!("{count} new messages"),
    }
}

/// How many messages a search found.
#[must_use]
pub fn found_messages(count: usize, text: &str) -> String {
    match count {
        0 => format!("no messages with “{text}”"),
        1 => format!("1 message with “{text}”"),
        count => format!("{count} messages with “{text}”"),
    }
}

/// From this many bytes on, the length of a text is shown.
const COUNTED: usize = 60;

/// The length of a text that is being written, once it matters: a packet carries
/// [`ChatText::MAX_SENT`] bytes, and a longer text arrives as several messages.
#[must_use]
pub fn length(text: &str) -> Option<String> {
    let bytes = text.trim_end().len();
    match packets(text) {
        0 | 1 if bytes < COUNTED => None,
        0 | 1 => Some(format!("{bytes} of {} bytes", ChatText::MAX_SENT)),
        count => Some(format!("{bytes} bytes, arrives as {count} messages")),
    }
}

/// The line of a conversation for an event: when, severity and words. `None` for events
/// that have no line.
pub(crate) fn line(event: &Event) -> Option<(Timestamp, Level, String)> {
    let (at, level, text) = match event {
        Event::Registered { at, name } => (at, Level::Info, format!("account {name} created")),
        Event::LoggedIn { at, name } => (at, Level::Info, format!("signed in as {name}")),
        Event::LoggedOut { at, problem } => match problem {
            None => (at, Level::Info, "signed out".to_owned()),
            Some(problem) => (at, Level::Warning, signed_out(*problem)),
        },
        Event::Found { at, name, address } => (at, Level::Info, found(*name, *address)),
        Event::RequestReceived(request) => (&request.at, Level::Info, wants_to_chat(request.from)),
        Event::RequestClosed { at, from, outcome } => (at, Level::Info, closed(from, *outcome)),
        Event::RequestMissed { at, from } => {
            (at, Level::Info, format!("you missed a request from {from}"))
        }
        Event::RequestSent(request) => {
            let text = format!("request sent, waiting for {} to accept", request.to);
            (&request.at, Level::Info, text)
        }
        Event::RequestAnswered { at, to, refusal } => (at, Level::Warning, refused(to, *refusal)?),
        Event::MemberJoined { at, member, by } => (at, Level::Info, joined(member, *by)),
        Event::MemberLeft { at, member, reason } => (at, Level::Warning, left(member, *reason)),
        Event::ChatLeft { at } => (at, Level::Info, "you left the chat".to_owned()),
        Event::Dropped(dropped) => (&dropped.at, Level::Warning, ignored(dropped)?),
        Event::Blocks { at, change, .. } => (at, Level::Info, block_change((*change)?)),
        Event::Notice { at, notice } => (at, Level::Warning, notice_words(*notice)),
        Event::Failed { at, failure } => (at, Level::Warning, failed(failure)),
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

/// Why the registry ended the session.
#[must_use]
pub fn signed_out(problem: Problem) -> String {
    format!("signed out by the registry: {}", problem.words())
}

/// The result of a search for a user.
#[must_use]
pub fn found(name: Username, address: Option<PeerAddr>) -> String {
    match address {
        Some(address) => format!("{name} is online at {address}"),
        None => format!("{name} is not online"),
    }
}

fn failed(failure: &Failure) -> String {
    format!("{}: {}", failure.command, failure.message)
}

fn closed(from: impl Display, outcome: Outcome) -> String {
    match outcome {
        Outcome::Accepted => format!("you accepted {from}'s request"),
        Outcome::Rejected => format!("you rejected {from}'s request"),
        Outcome::Expired => format!("you missed {from}'s request"),
        Outcome::Withdrawn => format!("{from}'s request was withdrawn"),
    }
}

fn refused(to: &Person, refusal: Option<RequestFailure>) -> Option<String> {
    Some(match refusal? {
        RequestFailure::Rejected => format!("{to} rejected your request"),
        RequestFailure::Busy => format!("{to} is busy, try again later"),
        RequestFailure::NoAnswer => format!("{to} did not answer"),
        RequestFailure::Unreachable => format!("{to} cannot be reached at {}", to.address),
        RequestFailure::Blocked => format!("request to {to} cancelled: you blocked them"),
        RequestFailure::Cancelled => format!("you cancelled your request to {to}"),
    })
}

fn joined(member: &Person, by: JoinedBy) -> String {
    match by {
        JoinedBy::AcceptedUs => format!("{member} accepted and joined the chat"),
        JoinedBy::AcceptedByUs | JoinedBy::WithGroup => format!("{member} is in the chat"),
        JoinedBy::Member(by) => format!("{by} added {member}"),
        JoinedBy::Back => format!("{member} is back in the chat"),
    }
}

fn left(member: &Person, reason: LeaveReason) -> String {
    match reason {
        LeaveReason::Unreachable => {
            format!("{member} is unreachable, your next message tries again")
        }
        LeaveReason::GivenUp => {
            format!("{member} was unreachable for too long and is no longer in the chat")
        }
        LeaveReason::Refused => format!("{member} left the chat"),
        LeaveReason::WeLeft => format!("{member} is no longer in the chat: you left"),
        LeaveReason::Blocked => {
            format!("{member} is no longer in the chat: you blocked them")
        }
    }
}

fn block_change(change: BlockChange) -> String {
    match change {
        BlockChange::Blocked(who) => {
            format!("{who} is blocked, their messages and requests are ignored")
        }
        BlockChange::Unblocked(who) => format!("{who} is no longer blocked"),
    }
}

/// From how many useless connections on there is a line about them: a single one may be a
/// harmless network scanner.
const CONNECTIONS_TOLD: u64 = 10;

/// `None` for what is only counted: all that comes from blocked users.
fn ignored(dropped: &Dropped) -> Option<String> {
    let is_told = match (dropped.tried, dropped.why) {
        (_, DropReason::Blocked) => false,
        (DropKind::Connection, _) => dropped.count >= CONNECTIONS_TOLD,
        _ => true,
    };
    if !is_told || !dropped.is_milestone() {
        return None;
    }
    let what = match (dropped.tried, dropped.why) {
        (DropKind::Text, DropReason::Stranger) => "sent a message but is not in your chat",
        (DropKind::Notify, DropReason::Stranger) => "tried to add a user but is not in your chat",
        (DropKind::Text, _) => "sends messages too fast",
        (DropKind::Notify, _) => "adds users too fast",
        (DropKind::Request, _) => "sends chat requests too fast",
        (DropKind::Newcomer, DropReason::Malformed) => "added a user with an invalid address",
        (DropKind::Newcomer, _) => "adds too many users",
        (DropKind::Connection, DropReason::Malformed) => "sends data that is not a p2pchat packet",
        (DropKind::Connection, DropReason::Silent) => {
            "connects but sends no complete packet in time"
        }
        (DropKind::Connection, _) => "opens too many connections",
    };
    let who = source(dropped);
    Some(match dropped.count {
        0 | 1 => format!("{who} {what}; ignored"),
        count => format!("{who} {what}; ignored {count} times"),
    })
}

fn source(dropped: &Dropped) -> String {
    match (dropped.name, dropped.address) {
        (Some(name), Some(address)) => format!("{name} ({address})"),
        (_, Some(address)) => address.to_string(),
        (_, None) => "a user at another address".to_owned(),
    }
}

impl Dropped {
    /// The count in words, for a list: `mallory (10.0.0.66): 12 messages, not in the chat`.
    #[must_use]
    pub fn tally(&self) -> String {
        let (one, many) = match self.tried {
            DropKind::Text => ("message", "messages"),
            DropKind::Notify => ("announcement of a user", "announcements of users"),
            DropKind::Request => ("chat request", "chat requests"),
            DropKind::Newcomer => ("added user", "added users"),
            DropKind::Connection => ("connection", "connections"),
        };
        let why = match self.why {
            DropReason::Stranger => "not in the chat",
            DropReason::Blocked => "blocked",
            DropReason::TooMuch => "too many",
            DropReason::Malformed => "invalid",
            DropReason::Silent => "timed out",
        };
        let what = if self.count == 1 { one } else { many };
        format!("{}: {} {what}, {why}", source(self), self.count)
    }
}

fn notice_words(notice: Notice) -> String {
    match notice {
        Notice::UnprivilegedPort { port } => format!(
            "messages arrive at port {port}, because port 1010 needs a privilege; other users' programs find it by themselves"
        ),
        Notice::LongName => format!("your name is {}", too_long_for_legacy(Username::MAX)),
        Notice::LongPassword => {
            let max = p2pchat_protocol::Password::MAX;
            format!("your password is {}", too_long_for_legacy(max))
        }
        Notice::ElsewhereOnline { address } => format!(
            "you are signed in at {address} too, and others reach you there; sign in again to be reached here"
        ),
        Notice::ChatFull => "the chat is full, not everyone could be added".to_owned(),
        Notice::HistoryBroken => {
            "the history cannot be written (is the disk full?); messages are shown but not saved"
                .to_owned()
        }
        Notice::HistoryMended { lost: 0 } => {
            "the history is saved again, no message was lost".to_owned()
        }
        Notice::HistoryMended { lost } => {
            format!("the history is saved again, messages lost: {lost}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(last: u32) -> Person {
        let ip = std::net::Ipv4Addr::from(0x0a00_0000 + last);
        Person {
            address: PeerAddr::new(ip).unwrap(),
            name: None,
        }
    }

    #[test]
    fn a_list_of_a_thousand_names_is_short() {
        let people: Vec<Person> = (1..=1024).map(person).collect();
        assert_eq!(names(&[]), "");
        assert_eq!(names(&people[..1]), "10.0.0.1");
        assert_eq!(names(&people[..2]), "10.0.0.1 and 10.0.0.2");
        let all = names(&people);
        assert!(all.ends_with("10.0.0.8 and 1016 more"), "{all}");
    }

    #[test]
    fn the_length_of_a_text_is_shown_once_it_matters() {
        assert_eq!(length("hello"), None);
        assert_eq!(length(&"x".repeat(70)).unwrap(), "70 of 99 bytes");
        let long = length(&"x".repeat(200)).unwrap();
        assert_eq!(long, "200 bytes, arrives as 3 messages");
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
            "mallory (10.0.0.66) sent a message but is not in your chat; ignored 10 times"
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
}
