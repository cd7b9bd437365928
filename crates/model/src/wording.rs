//! The words that users read: one table for all front ends.
//!
//! | module | what it has |
//! |---|---|
//! | `label` | the buttons, headings and states that the page and the terminal share |
//! | `chat` | encrypted conversations |
//! | `first` | the first start, and invitations |
//! | `security` | encryption, keys and codes |
//! | `line` | the lines of a conversation that tell what has happened |
//! | `problem` | why something is not done |
//! | `password` | notes beside a name and a password that are being written |
//!
//! Here are those of the registry's line, of deliveries, chat requests and the user's status.
//!
//! A text that only one front end shows, such as the help of a terminal command, stays in
//! that front end. The style: short and active, in the words of other chat programs;
//! sentences in lower case and without a full stop, so that they fit behind a colon.

use std::fmt::Display;

use p2pchat_protocol::Username;
use p2pchat_protocol::v2::Status;

use crate::conversation::Conversation;
use crate::event::{IncomingRequest, Link};
use crate::message::{DeliveryState, LeaveReason};
use crate::person::{NameCheck, Person};
use crate::text::packets;
use crate::view::{Undoable, View};

pub mod chat;
pub mod first;
pub mod label;
pub mod line;
pub mod password;
pub mod problem;
pub mod security;

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
            Self::NoRegistry => "no registry yet",
            Self::Connecting => "connecting",
            Self::PasswordNeeded => "password needed",
            Self::KeyChanged { .. } => "stopped: other key",
            Self::Down { .. } => "not connected",
        }
    }
}

/// The connection to the registry is there.
#[must_use]
pub fn registry_is_up(registry: &str) -> String {
    format!(
        "connected to the registry {}",
        security::registry_name(registry)
    )
}

/// The registry cannot be reached, and why.
#[must_use]
pub fn registry_is_down(registry: &str, reason: &str) -> String {
    let name = security::registry_name(registry);
    format!("cannot reach the registry {name}: {reason}")
}

/// The registry cannot be reached while the user is signed in; see also
/// [`label::WITHOUT_REGISTRY`].
#[must_use]
pub fn registry_is_away(registry: &str) -> String {
    format!(
        "cannot reach the registry ({})",
        security::registry_name(registry)
    )
}

/// The same for a user who has not signed in yet, and so has no chat that goes on.
#[must_use]
pub fn is_a_registry_there(registry: &str) -> String {
    let name = security::registry_name(registry);
    format!("cannot reach {name}; is p2pchat-registry running there?")
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
        LeaveReason::Unreachable | LeaveReason::GivenUp => label::OFFLINE,
        LeaveReason::Refused => "they have left the chat",
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
    listed(people.iter().map(Person::to_string), people.len())
}

fn listed(all: impl Iterator<Item = String>, count: usize) -> String {
    let mut listed: Vec<String> = all.take(NAMED).collect();
    if count > NAMED {
        listed.push(format!("{} more", count - NAMED));
    }
    match listed.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// A chat request came: the short form, for a title or a notification.
#[must_use]
pub fn wants_to_chat(from: impl Display) -> String {
    format!("{from} wants to chat with you")
}

/// The same, and an invitation too, where there is little room.
#[must_use]
pub fn asks_in_short(from: impl Display) -> String {
    format!("{from} asks")
}

/// A chat request came: what accepting it begins. `from` is the requester as the front end
/// shows them.
#[must_use]
pub fn asks(from: impl Display, request: &IncomingRequest, view: &View) -> String {
    let (ours, theirs) = sides(request, view);
    if !ours.is_empty() {
        format!("{from} asks to join your open chat")
    } else if theirs.is_empty() {
        wants_to_chat(from)
    } else {
        format!("{from} invites you to a chat with {}", names(&theirs))
    }
}

/// Who meets when a request is accepted: the members of the user's chat, and those of the
/// requester's, without the two and without those who are in both.
fn sides(request: &IncomingRequest, view: &View) -> (Vec<Person>, Vec<Person>) {
    let ends = [Some(request.from.address), view.address];
    let chat = view.open();
    let members = chat.members.iter().chain(&chat.out_of_reach);
    let members = members.filter(|member| !ends.contains(&Some(member.address)));
    let without =
        |others: &[Person], one: &&Person| !others.iter().any(|other| other.address == one.address);
    let ours: Vec<Person> = members.copied().collect();
    let theirs = request.members.iter();
    let theirs = theirs.filter(|one| !ends.contains(&Some(one.address)) && without(&ours, one));
    let theirs: Vec<Person> = theirs.copied().collect();
    let ours = ours.iter().filter(|one| without(&request.members, one));
    (ours.copied().collect(), theirs)
}

/// What accepting a request means for others: `carol and frank will see uma, and uma will
/// see them`. `None` where it concerns no one else.
#[must_use]
pub fn who_meets(request: &IncomingRequest, view: &View) -> Option<String> {
    let (ours, theirs) = sides(request, view);
    if ours.is_empty() {
        return None;
    }
    let from = request.from.title().to_owned();
    let named = theirs.iter().map(Person::to_string);
    let newcomers = listed(std::iter::once(from).chain(named), theirs.len() + 1);
    let seen = match ours.as_slice() {
        [one] => one.to_string(),
        _ => "them".to_owned(),
    };
    let ours = names(&ours);
    Some(format!(
        "{ours} will see {newcomers}, and {newcomers} will see {seen}"
    ))
}

/// Button: accept a request to join the user's chat.
#[must_use]
pub fn let_in(who: impl Display) -> String {
    format!("Let {who} in")
}

/// Button: leave the chat before a request is accepted.
#[must_use]
pub fn leave_the_others(who: impl Display) -> String {
    format!("Leave the others and chat with {who}")
}

/// The question before a block.
#[must_use]
pub fn block_question(who: impl Display) -> String {
    format!("Block {who}? You see nothing from them any more, and they are not told.")
}

/// A chat request that was sent waits for its answer.
#[must_use]
pub fn waiting_for(to: impl Display) -> String {
    format!("waiting for {to} to accept")
}

/// Below the name of the chat: how many are in it, the user included, and how many of them
/// are not offline. `None` where no one else is.
#[must_use]
pub fn members_online(conversation: &Conversation) -> Option<String> {
    let online = conversation.members.len() + 1;
    match conversation.out_of_reach.len() {
        _ if conversation.is_alone() => None,
        0 => Some(format!("{online} members")),
        offline => Some(format!("{} members, {online} online", online + offline)),
    }
}

/// What [`label::UNDO`] takes back.
#[must_use]
pub fn can_be_undone(what: Undoable) -> String {
    match what {
        Undoable::Left(_) => "you left the chat".to_owned(),
        Undoable::Blocked(who) => format!("{who} is blocked"),
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

/// How many messages a search found. They have each of the words.
#[must_use]
pub fn found_messages(count: usize, text: &str) -> String {
    let words = text.split_whitespace().map(|word| format!("“{word}”"));
    let words = listed(words, text.split_whitespace().count());
    match count {
        0 => format!("no messages with {words}"),
        1 => format!("1 message with {words}"),
        count => format!("{count} messages with {words}"),
    }
}

/// As how many messages a text arrives that is being written, where that is more than one.
#[must_use]
pub fn length(text: &str) -> Option<String> {
    match packets(text) {
        0 | 1 => None,
        count => Some(format!("arrives as {count} messages")),
    }
}

/// The program that runs the peer of a profile is stopped, and what to do.
#[must_use]
pub fn peer_is_stopped(process: u32) -> String {
    format!(
        "the p2pchat that runs this profile is stopped (process {process}): continue it with fg or \
         kill -CONT {process}"
    )
}

/// How the user is shown to others, or why no one sees them.
#[must_use]
pub fn own_status(view: &View) -> &'static str {
    match view.status() {
        Some(own) => status(own),
        None if view.account.is_none() || view.is_stopped() => label::NOT_SIGNED_IN,
        None => label::NOT_CONNECTED,
    }
}

/// The status of a user in words.
#[must_use]
pub fn status(status: Status) -> &'static str {
    match status {
        Status::Available => label::AVAILABLE,
        Status::Busy => label::BUSY,
        Status::Away => label::AWAY,
    }
}

#[cfg(test)]
mod tests;
