//! The lines of a conversation that tell what has happened, and what was dropped.

use std::fmt::Display;

use p2pchat_protocol::{PeerAddr, Username};

use super::password::too_long_for_legacy;
use super::{chat, peer_is_stopped, security, waiting_for, wants_to_chat};
use crate::dropped::{DropKind, DropReason, Dropped};
use crate::event::{
    BlockChange, Event, Failure, JoinedBy, Notice, Outcome, Problem, RequestFailure,
};
use crate::line::Level;
use crate::message::LeaveReason;
use crate::person::Person;
use crate::time::Timestamp;

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
        Event::RequestClosed {
            at, from, outcome, ..
        } => (at, Level::Info, closed(from, *outcome)),
        Event::RequestSent(request) => (&request.at, Level::Info, waiting_for(request.to)),
        Event::RequestMissed { at, from, .. } => (at, Level::Info, missed(from)),
        Event::RequestAnswered {
            at, to, refusal, ..
        } => (at, Level::Warning, refused(to, *refusal)?),
        Event::MemberJoined { at, member, by, .. } => (at, Level::Info, joined(member, *by)),
        Event::MemberLeft {
            at, member, reason, ..
        } => (at, Level::Warning, left(member, *reason)),
        Event::ChatLeft { at, .. } => (at, Level::Info, "you left the chat".to_owned()),
        Event::Dropped(dropped) => (&dropped.at, Level::Warning, ignored(dropped)?),
        Event::Blocks { at, change, .. } => (at, Level::Info, block_change((*change)?)),
        Event::Notice {
            at,
            what: what @ (Notice::RegistryPinned { .. } | Notice::PlaintextIgnored),
        } => (at, Level::Info, notice_words(*what)),
        Event::ChatChanged { at, change, .. } => (at, Level::Info, chat::change(*change)),
        Event::Notice { at, what } => (at, Level::Warning, notice_words(*what)),
        Event::Failed(failure) => (&failure.at, Level::Warning, failed(failure)),
        Event::View(_)
        | Event::Done
        | Event::Registry { .. }
        | Event::RegistryFound { .. }
        | Event::Link(_)
        | Event::Security(_)
        | Event::Identity(_)
        | Event::Online { .. }
        | Event::Presence { .. }
        | Event::Message(_)
        | Event::Chat { .. }
        | Event::ChatHidden { .. }
        | Event::PostsGone { .. }
        | Event::Opened { .. }
        | Event::Said { .. }
        | Event::Post(_)
        | Event::PostChanged(_)
        | Event::Posts { .. }
        | Event::PostsFrom { .. }
        | Event::Unread { .. }
        | Event::Typing { .. }
        | Event::ReadBy { .. }
        | Event::Delivered { .. }
        | Event::Busy { .. }
        | Event::Away { .. }
        | Event::DisplayName { .. }
        | Event::LegacyLogin { .. }
        | Event::Code { .. }
        | Event::Exported { .. }
        | Event::Registries { .. }
        | Event::History { .. }
        | Event::Findings { .. }
        | Event::Read { .. }
        | Event::Draft { .. } => return None,
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
        Some(_) => format!("{name} is online"),
        None => format!("{name} is not online"),
    }
}

fn failed(failure: &Failure) -> String {
    let message = &failure.message;
    match failure.command.as_str() {
        "say" => format!("not sent: {message}"),
        _ => message.clone(),
    }
}

fn missed(from: impl Display) -> String {
    format!("you missed a request from {from}")
}

pub(super) fn closed(from: impl Display, outcome: Outcome) -> String {
    match outcome {
        Outcome::Accepted => format!("you accepted {from}'s request"),
        Outcome::Rejected => format!("you declined {from}'s request"),
        Outcome::Expired => missed(from),
        Outcome::Withdrawn => format!("{from} withdrew the request"),
    }
}

pub(super) fn refused(to: &Person, refusal: Option<RequestFailure>) -> Option<String> {
    Some(match refusal? {
        RequestFailure::Rejected => format!("{to} declined"),
        RequestFailure::Busy => format!("{to} is not taking requests now"),
        RequestFailure::NoAnswer => format!("{to} did not answer"),
        RequestFailure::Unreachable => format!("{to} is offline or cannot be reached"),
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
            format!("{member} is offline and may miss messages; your next message tries again")
        }
        LeaveReason::GivenUp => {
            format!("{member} was offline for too long and is no longer in the chat")
        }
        LeaveReason::Refused => format!("{member} has left the chat"),
        LeaveReason::WeLeft => format!("{member} is no longer in the chat: you left"),
        LeaveReason::Blocked => {
            format!("{member} is no longer in the chat: you blocked them")
        }
    }
}

fn block_change(change: BlockChange) -> String {
    match change {
        BlockChange::Blocked(who) => format!("{who} is blocked"),
        BlockChange::Unblocked(who) => format!("{who} is no longer blocked"),
    }
}

/// From how many useless connections on there is a line about them: a single one may be a
/// harmless network scanner.
const CONNECTIONS_TOLD: u64 = 10;

/// `None` for what is only counted: all that comes from blocked users.
pub(super) fn ignored(dropped: &Dropped) -> Option<String> {
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
        (DropKind::Notify, DropReason::Stranger) => "tried to add someone but is not in your chat",
        (DropKind::Text, _) => "sends messages too fast",
        (DropKind::Notify, _) => "adds people too fast",
        (DropKind::Request, _) => "sends chat requests too fast",
        (DropKind::Newcomer, DropReason::Malformed) => "added someone with an invalid address",
        (DropKind::Newcomer, _) => "adds too many people",
        (DropKind::Connection, DropReason::Malformed) => "sends data that is not from p2pchat",
        (DropKind::Connection, DropReason::Silent) => "connects but sends nothing complete in time",
        (DropKind::Connection, _) => "opens too many connections",
    };
    let who = source(dropped);
    Some(match (dropped.tried, dropped.count) {
        (DropKind::Text, 0 | 1) => format!("{who} {what}; it was not shown"),
        (DropKind::Text, count) => format!("{who} {what}; {count} were not shown"),
        (_, 0 | 1) => format!("{who} {what}; ignored"),
        (_, count) => format!("{who} {what}; ignored {count} times"),
    })
}

fn source(dropped: &Dropped) -> String {
    match (dropped.name, dropped.address) {
        (Some(name), Some(address)) => format!("{name} ({address})"),
        (_, Some(address)) => address.to_string(),
        (_, None) => "someone at another address".to_owned(),
    }
}

impl Dropped {
    /// The count in words, for a list: `mallory (10.0.0.66): 12 messages, not in the chat`.
    #[must_use]
    pub fn tally(&self) -> String {
        let (one, many) = match self.tried {
            DropKind::Text => ("message", "messages"),
            DropKind::Notify => ("announcement of someone", "announcements of others"),
            DropKind::Request => ("chat request", "chat requests"),
            DropKind::Newcomer => ("added person", "added people"),
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

/// The line about a user whose key has changed.
fn key_changed(name: Username, was_verified: bool) -> String {
    if was_verified {
        format!("{name}'s code is not the one you verified: ask {name}, in person or by phone")
    } else {
        format!("{name} has a new code; usually this is a new computer")
    }
}

fn notice_words(notice: Notice) -> String {
    match notice {
        Notice::UnprivilegedPort { port } => format!(
            "messages arrive at port {port}, because port 1010 needs a privilege; other programs find it by themselves"
        ),
        Notice::LongName => format!(
            "your name is too long: {}",
            too_long_for_legacy(Username::MAX)
        ),
        Notice::LongPassword => {
            let max = p2pchat_protocol::Password::MAX;
            format!("your password is too long: {}", too_long_for_legacy(max))
        }
        Notice::ElsewhereOnline { .. } => {
            "you are signed in on another computer; people reach you there".to_owned()
        }
        Notice::RegistryPinned { fingerprint } => format!(
            "first contact with this registry: it is remembered by its key, {fingerprint}; its operator \
             can tell you whether that is right"
        ),
        Notice::PlaintextIgnored => {
            "the line to this registry stays encrypted, since its key is known; to speak to it \
             unencrypted, forget its key first"
                .to_owned()
        }
        Notice::IdentityNotSaved => security::NOT_SAVED.to_owned(),
        Notice::KeyChanged { name, was_verified } => key_changed(name, was_verified),
        Notice::ClockWrong => {
            "the clock of this computer is wrong; messages get the time of the others".to_owned()
        }
        Notice::ProfileCopied => {
            "this profile is a copy, or an older state of it: your conversations go on, and nothing is \
             lost"
                .to_owned()
        }
        Notice::ChatsBroken => {
            "conversations cannot be saved (is the disk full?); nothing is sent or received until they \
             can"
                .to_owned()
        }
        Notice::ChatsMended => "conversations are saved again, no message was lost".to_owned(),
        Notice::ChatFull => "the chat is full, not everyone could be added".to_owned(),
        Notice::HistoryBroken => {
            "the history cannot be written (is the disk full?); messages are shown but not saved"
                .to_owned()
        }
        Notice::PeerStopped { process } => peer_is_stopped(process),
        Notice::HistoryMended { lost: 0 } => {
            "the history is saved again, no message was lost".to_owned()
        }
        Notice::HistoryMended { lost } => {
            format!("the history is saved again, messages lost: {lost}")
        }
    }
}
