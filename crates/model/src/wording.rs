//! The words that users read: one table for all front ends.
//!
//! - [`label`] has the buttons, headings and states that the page and the terminal share.
//! - [`chat`] has what concerns encrypted conversations.
//! - [`first`] has those of the first start and of invitations.
//! - [`security`] has what concerns encryption, keys and codes.
//! - Functions and methods here make sentences: of a [`Problem`], a [`DeliveryState`], a
//!   chat request, and (behind [`View::notice`](crate::View::notice)) of each [`Event`] that
//!   is a line of the conversation.
//!
//! A text that only one front end shows, such as the help of a terminal command, stays in
//! that front end. The style: short and active, in the words of other chat programs;
//! sentences in lower case and without a full stop, so that they fit behind a colon.

use std::fmt::Display;

use p2pchat_protocol::v2::{Fingerprint, Status};
use p2pchat_protocol::{PeerAddr, Username};

use crate::conversation::Conversation;
use crate::dropped::{DropKind, DropReason, Dropped};
use crate::event::{
    BlockChange, Event, Failure, IncomingRequest, JoinedBy, Link, Notice, Outcome, Problem,
    RequestFailure,
};
use crate::identity::{Security, Trust};
use crate::letters::lowercase;
use crate::line::Level;
use crate::message::{DeliveryState, LeaveReason};
use crate::person::{NameCheck, Person};
use crate::target::Target;
use crate::text::packets;
use crate::time::Timestamp;
use crate::view::{Undoable, View};

pub mod chat;
pub mod first;
pub mod label;
pub mod security;

impl Problem {
    /// The problem in words that fit behind a colon.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NameTaken => "this name is taken",
            Self::BadName => "this name cannot be used",
            Self::BadPassword => "this password cannot be used",
            Self::WrongCredentials => "name or password is wrong",
            Self::SlowDown => "too many attempts, wait a moment and try again",
            Self::RegistryFailed => "the registry has a problem, try again later",
            Self::RegistryUnreachable => "cannot reach the registry",
            Self::NotLoggedIn => "sign in first",
            Self::AlreadyLoggedIn => "you are signed in already",
            Self::NotOnline => "no one with this name is online",
            Self::Oneself => "you cannot do that to yourself",
            Self::AlreadyMember => "already in the chat",
            Self::AlreadyAsked => "you have asked already, wait for the answer",
            Self::NoSuchRequest => "no such request waits for your answer",
            Self::NobodyThere => "no chat yet, pick someone who is online to start one",
            Self::ChatFull => "the chat is full",
            Self::BadText => "this message cannot be sent",
            Self::BadCommand => "invalid command",
            Self::NoHistory => "the history is off or cannot be read",
            Self::TooMuch => "too much at once, try again in a moment",
            Self::Blocked => "blocked, unblock first",
            Self::NotBlocked => "not blocked",
            Self::NotKept => "done, but it cannot be saved and ends with the program",
            Self::NothingToUndo => "there is nothing to undo, or it is too late",
            Self::NoSuchConversation => "there is no such conversation",
            Self::IdUsed => "this id was used for another command",
            Self::PasswordNeeded => "the password is needed here",
            Self::OtherPerson => "this name belongs to another key",
            Self::DeviceForgotten => "this device was removed from the account",
            Self::TooManyDevices => "the account has as many devices as it can have",
            Self::NotEncrypted => "this needs an encrypted line to the registry",
            Self::RegistryKeyChanged => "the registry has another key than before",
            Self::NoSuchRegistry => "no such registry is pinned",
            Self::NoKey => "no key is known for this name",
            Self::WrongCode => "this is not their code",
            Self::BadIdentity => "this identity cannot be imported",
            Self::IdentityNotKept => "the identity could not be saved, and the earlier one stays",
            Self::IdentityInUse => "the key of this profile is in use",
            Self::NotOwner => "only an owner can do that",
            Self::NotPossible => "that cannot be done in this conversation",
            Self::NoSuchMessage => "there is no such message",
            Self::OlderProgram => "they have an older p2pchat, which is not encrypted",
            Self::UserKeyChanged => "they have a new code, which you have not accepted",
            Self::HasEncrypted => {
                "they have an encrypted p2pchat, and the open chat is not encrypted"
            }
            Self::NoChats => "encrypted conversations cannot be opened",
            Self::NoRegistry => "no registry is chosen yet",
            Self::BadRegistry => "this cannot be the registry",
            Self::RegistryThere => "a registry runs on this computer already",
            Self::RegistryNotStarted => "no registry could be started here",
        }
    }

    /// What to do about it, in words that begin a sentence of their own.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::NameTaken => "choose another name, or log in",
            Self::BadName => "choose a name without white space that is no IP address",
            Self::BadPassword => "choose another password",
            Self::WrongCredentials => {
                "check the name and the password: the registry does not say which is wrong"
            }
            Self::SlowDown => "wait some seconds",
            Self::RegistryFailed => "its database has a problem: try again later",
            Self::RegistryUnreachable => "wait until the link is up",
            Self::NotLoggedIn => {
                "log in first, or wait for `logged_in` where the key does it after a start"
            }
            Self::AlreadyLoggedIn => "log out first",
            Self::NotOnline => "search for them later, or ask by address",
            Self::Oneself => "choose another user",
            Self::AlreadyMember => "just send a message",
            Self::AlreadyAsked => "wait for their answer",
            Self::NoSuchRequest => "it expired or was withdrawn: ask them for a chat",
            Self::NobodyThere => "send a chat request first",
            Self::ChatFull => "leave, and start a new chat",
            Self::BadText => "a text has 1 byte to 32 KiB, in the open chat to 16 KiB, and no NUL",
            Self::BadCommand => "see docs/api.md for the commands and their fields",
            Self::NoHistory => "start without --no-history, or repair the file",
            Self::TooMuch => {
                "wait until earlier commands are answered; if the block list is full, unblock a user"
            }
            Self::Blocked => "unblock them first",
            Self::NotBlocked => {
                "see the block list: unblock a name as a name, an address as an address"
            }
            Self::NotKept => "it is valid until the program ends: repair the file",
            Self::NothingToUndo => "do it again by hand: request or unblock",
            Self::NoSuchConversation => "name a conversation of the view",
            Self::IdUsed => "give each command of a front end another id",
            Self::PasswordNeeded => "log in with the password once; the key does it from then on",
            Self::OtherPerson => {
                "import your identity from the machine where you use this name, or ask the operator \
                 to reset its key"
            }
            Self::DeviceForgotten => "ask the operator of the registry, or use another profile",
            Self::TooManyDevices => {
                "ask the operator of the registry to remove one you no longer use"
            }
            Self::NotEncrypted => "use a registry that speaks version 2, without --allow-plaintext",
            Self::RegistryKeyChanged => {
                "ask its operator for the fingerprint, and trust it if it is the one seen here"
            }
            Self::NoSuchRegistry => "see the list of registries",
            Self::NoKey => "they use an older program, or have never logged in with a key",
            Self::WrongCode => "compare the codes again, in person or by phone",
            Self::BadIdentity => "check the file and the password that it was exported with",
            Self::IdentityNotKept => {
                "make room on the disk, or the folder of the profile writable, and import it again"
            }
            Self::IdentityInUse => "import it into a new profile: start with --profile NAME",
            Self::NotOwner => "ask an owner of the group",
            Self::NotPossible => "begin another conversation",
            Self::NoSuchMessage => "read the history of the conversation again",
            Self::OlderProgram => "ask them into the open chat",
            Self::UserKeyChanged => "compare codes with them, or accept the new one",
            Self::HasEncrypted => "start an encrypted chat with them, or agree to the open one",
            Self::NoChats => "see the log of the program, and repair the file",
            Self::NoRegistry => {
                "give --registry HOST, or choose one in p2pchat, which remembers it"
            }
            Self::BadRegistry => "give HOST, HOST:PORT or HOST#FINGERPRINT",
            Self::RegistryThere => "use that one",
            Self::RegistryNotStarted => {
                "install p2pchat-registry beside p2pchat, or name a registry that runs elsewhere"
            }
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
    format!("older programs take only {} letters", max.saturating_sub(1))
}

/// From how many letters left on there is a note about them.
const FEW_LEFT: usize = 2;

/// The note beside a name or a password of so many bytes that is being written, once its
/// length matters: letters that are left, or why the last one is better not used.
#[must_use]
pub fn letters_left(bytes: usize, max: usize) -> Option<String> {
    match max.checked_sub(bytes)? {
        0 => Some(too_long_for_legacy(max)),
        1 => Some("1 letter left".to_owned()),
        left @ ..=FEW_LEFT => Some(format!("{left} letters left")),
        _ => None,
    }
}

/// From how many characters on a password is not called short.
const LONG_PASSWORD: usize = 8;
/// What most of those who try passwords try first.
const COMMON_PASSWORDS: [&str; 12] = [
    "password",
    "passw0rd",
    "12345678",
    "123456789",
    "1234567890",
    "87654321",
    "11111111",
    "qwertyui",
    "qwertyuiop",
    "1q2w3e4r",
    "iloveyou",
    "sunshine",
];

/// A hint about a new password that is easy to guess. It is not a rule.
#[must_use]
pub fn weak_password(password: &str, name: &str) -> Option<&'static str> {
    let lower = lowercase(password);
    let mut letters = lower.chars();
    let first = letters.next()?;
    if lower == lowercase(name) {
        Some("easy to guess: it is your name")
    } else if letters.all(|letter| letter == first) {
        Some("easy to guess: it is one letter only")
    } else if lower.bytes().all(|byte| byte.is_ascii_digit()) {
        Some("easy to guess: only digits")
    } else if COMMON_PASSWORDS.contains(&lower.as_str()) {
        Some("easy to guess: many people use it")
    } else if lower.chars().count() < LONG_PASSWORD {
        Some("easy to guess: a longer one is safer")
    } else {
        None
    }
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
    format!("connected to the registry {registry}")
}

/// The registry cannot be reached, and why.
#[must_use]
pub fn registry_is_down(registry: &str, reason: &str) -> String {
    format!("cannot reach the registry {registry}: {reason}")
}

/// The registry cannot be reached while the user is signed in; see also
/// [`label::WITHOUT_REGISTRY`].
#[must_use]
pub fn registry_is_away(registry: &str) -> String {
    format!("cannot reach the registry ({registry})")
}

/// The same for a user who has not signed in yet, and so has no chat that goes on.
#[must_use]
pub fn is_a_registry_there(registry: &str) -> String {
    format!("cannot reach {registry}; is p2pchat-registry running there?")
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

/// A message has more letters than can be sent at once, by so many.
#[must_use]
pub fn message_too_long(letters: usize) -> String {
    match letters {
        1 => "this message is too long by 1 letter".to_owned(),
        letters => format!("this message is too long by {letters} letters"),
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

fn closed(from: impl Display, outcome: Outcome) -> String {
    match outcome {
        Outcome::Accepted => format!("you accepted {from}'s request"),
        Outcome::Rejected => format!("you declined {from}'s request"),
        Outcome::Expired => missed(from),
        Outcome::Withdrawn => format!("{from} withdrew the request"),
    }
}

fn refused(to: &Person, refusal: Option<RequestFailure>) -> Option<String> {
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

/// The program that runs the peer of a profile is stopped, and what to do.
#[must_use]
pub fn peer_is_stopped(process: u32) -> String {
    format!(
        "the p2pchat that runs this profile is stopped (process {process}): continue it with fg or \
         kill -CONT {process}"
    )
}

/// The line about a registry that has another key than the pinned one: the reasons.
#[must_use]
pub fn registry_key_changed(pinned: Fingerprint, seen: Fingerprint) -> String {
    format!(
        "the registry has another key than before, so nothing was sent to it. Known: {pinned}. \
         Seen now: {seen}. Either it was set up again, or someone in between poses as it: ask its \
         operator for the fingerprint"
    )
}

/// The line about a user whose key has changed.
fn key_changed(name: Username, was_verified: bool) -> String {
    if was_verified {
        format!("{name}'s code is not the one you verified: ask {name}, in person or by phone")
    } else {
        format!("{name} has a new code; usually this is a new computer")
    }
}

impl Security {
    /// The state of the line to the registry, in words beside it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Unknown => "",
            Self::NotEncrypted => "registry not encrypted",
            Self::Encrypted { .. } => "registry encrypted",
        }
    }

    /// The sentence above the sign-in form.
    #[must_use]
    pub fn lead(self) -> &'static str {
        match self {
            Self::NotEncrypted => label::LEAD_NOT_ENCRYPTED,
            Self::Unknown | Self::Encrypted { .. } => label::LEAD,
        }
    }
}

/// The note on a password that is too long for version 1, which the account may be used with.
#[must_use]
pub fn long_password(bytes: usize) -> Option<String> {
    let max = p2pchat_protocol::Password::MAX;
    (bytes > max).then(|| format!("older programs take only {max} letters"))
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

impl Trust {
    /// How well a key is known, in a word.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Verified => "verified",
            Self::Changed => "code changed",
            Self::ChangedAfterVerified => "not the verified code",
        }
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

#[cfg(test)]
mod tests;
