//! What can happen.

use p2pchat_protocol::{OnlineUser, PeerAddr, Username};
use serde::{Deserialize, Serialize};

use crate::dropped::Dropped;
use crate::message::{Delivery, LeaveReason, Message, MessageId};
use crate::person::{Person, Speaker};
use crate::target::Target;
use crate::time::Timestamp;

/// What can happen. Those that become a line of the conversation carry when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The peer listens and can be reached.
    Started {
        /// Its own address.
        address: PeerAddr,
        /// The registry, as the user named it.
        registry: String,
        /// Where it takes messages: 1010, or 5859 where that needs a privilege.
        message_port: u16,
    },
    /// The connection to the registry changed. Chatting goes on without it.
    Link(Link),
    /// The account is made. Login follows by itself.
    Registered {
        /// When.
        at: Timestamp,
        /// Its name.
        name: Username,
    },
    /// The session has begun, or has begun anew after the registry was gone.
    LoggedIn {
        /// When.
        at: Timestamp,
        /// The account.
        name: Username,
    },
    /// The session has ended.
    LoggedOut {
        /// When.
        at: Timestamp,
        /// Why, if it was not asked for.
        problem: Option<Problem>,
    },
    /// Who is online, oneself included. Replaces what was known.
    Online {
        /// Everybody, by name.
        users: Vec<OnlineUser>,
    },
    /// The answer to a search.
    Found {
        /// When.
        at: Timestamp,
        /// Who was looked for.
        name: Username,
        /// Where he is, if he is online.
        address: Option<PeerAddr>,
    },
    /// Somebody asks for a chat and waits for an answer.
    RequestReceived(IncomingRequest),
    /// The request that waited waits no longer.
    RequestClosed {
        /// When.
        at: Timestamp,
        /// Whose it was.
        from: Speaker,
        /// What became of it.
        outcome: Outcome,
    },
    /// A chat request is on its way.
    RequestSent(OutgoingRequest),
    /// A chat request that was sent has its answer; an acceptance is followed by
    /// [`Event::MemberJoined`].
    RequestAnswered {
        /// When.
        at: Timestamp,
        /// Who was asked.
        to: Person,
        /// `None` if he accepted.
        refusal: Option<RequestFailure>,
    },
    /// Somebody is in the chat from now on.
    MemberJoined {
        /// When.
        at: Timestamp,
        /// Who.
        member: Person,
        /// How that came about.
        by: JoinedBy,
    },
    /// Somebody is no longer in the chat. Comes once more, with another reason, for one who
    /// was out of reach and is not waited for any more.
    MemberLeft {
        /// When.
        at: Timestamp,
        /// Who.
        member: Person,
        /// How that was found out.
        reason: LeaveReason,
    },
    /// The user left the chat. Nobody is a member now.
    ChatLeft {
        /// When.
        at: Timestamp,
    },
    /// Something was said, by a member or by the user himself.
    Message(Message),
    /// One member got, or did not get, what the user said.
    Delivered {
        /// Which of the user's messages.
        id: MessageId,
        /// To whom and how it went.
        delivery: Delivery,
    },
    /// Something that somebody else sent or tried was dropped. Comes at the first of its
    /// kind from an address, then at each power of ten; and after [`Command::Refresh`] for
    /// each count that has grown since it was last told.
    ///
    /// [`Command::Refresh`]: crate::Command::Refresh
    Dropped(Dropped),
    /// Who is blocked. Replaces what was known.
    Blocks {
        /// When.
        at: Timestamp,
        /// Everybody who is blocked, as he was blocked: names first.
        list: Vec<Target>,
        /// What is different now; `None` where the list is told at login.
        change: Option<BlockChange>,
    },
    /// Something the user should know once.
    Notice {
        /// When.
        at: Timestamp,
        /// What.
        notice: Notice,
    },
    /// The busy switch was set.
    Busy {
        /// Whether chat requests get BUSY.
        on: bool,
    },
    /// What was said earlier, oldest first.
    History {
        /// Up to a page of messages.
        messages: Vec<Message>,
        /// Whether there are older ones.
        more: bool,
    },
    /// What a search through the history found, newest first.
    Findings {
        /// The words that were looked for.
        text: String,
        /// Up to a page of messages.
        messages: Vec<Message>,
    },
    /// A command could not be carried out. Nothing has changed.
    Failed {
        /// When.
        at: Timestamp,
        /// Which, and why.
        failure: Failure,
    },
}

/// The connection to the registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// It is being made.
    #[default]
    Connecting,
    /// It is there.
    Up,
    /// It is not there; another try follows by itself.
    Down {
        /// What went wrong, in words.
        reason: String,
        /// When the next try is due.
        retry_at: Timestamp,
    },
}

/// A chat request that waits for the user's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncomingRequest {
    /// When it came.
    pub at: Timestamp,
    /// Who asks.
    pub from: Speaker,
    /// With whom he chats already: accepting means chatting with them too.
    pub members: Vec<Person>,
    /// When it counts as rejected.
    pub expires: Timestamp,
}

/// A chat request that waits for somebody else's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingRequest {
    /// When it was sent.
    pub at: Timestamp,
    /// Who is asked.
    pub to: Person,
    /// When the answer has to be there.
    pub expires: Timestamp,
}

/// What became of a request that waited for the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The user accepted.
    Accepted,
    /// The user rejected.
    Rejected,
    /// The user did not answer in time, which counts as rejected.
    Expired,
    /// The requester's connection broke.
    Withdrawn,
}

/// Why a request that was sent did not lead to a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestFailure {
    /// He said no.
    Rejected,
    /// He is busy, or has another request before him.
    Busy,
    /// He did not answer in time.
    NoAnswer,
    /// There was no getting through to his address.
    Unreachable,
    /// The user blocked him before he answered.
    Blocked,
}

/// How somebody became a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinedBy {
    /// He accepted the user's request.
    AcceptedUs,
    /// The user accepted his request.
    AcceptedByUs,
    /// He came with the group of the one whose request was accepted.
    WithGroup,
    /// This member told of him.
    Member(Person),
    /// He was out of reach and is back.
    Back,
}

/// How the block list changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockChange {
    /// Nothing of his is taken any more.
    Blocked(Target),
    /// What he sends is taken again.
    Unblocked(Target),
}

/// Something the user should know once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// Messages arrive at the port for those without the privilege that 1010 needs.
    UnprivilegedPort {
        /// Which.
        port: u16,
    },
    /// The name fills its field: programs of 2017 do not understand it.
    LongName,
    /// The password fills its field: programs of 2017 do not understand it.
    LongPassword,
    /// The account is online at another address: somebody logged in there.
    ElsewhereOnline {
        /// Where.
        address: PeerAddr,
    },
    /// The chat has as many members as a chat_list can hold; others were left out.
    ChatFull,
    /// What is said cannot be kept in the history for now, only shown.
    HistoryBroken,
    /// What is said is kept in the history again, and so is what was said meanwhile.
    HistoryMended {
        /// But for so many messages.
        lost: usize,
    },
}

/// A command that could not be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The command's name, as [`Command::name`](crate::Command::name) has it.
    pub command: String,
    /// Why, for programs.
    pub problem: Problem,
    /// Why, and what to do, for people.
    pub message: String,
}

/// Why something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// There is an account of this name.
    NameTaken,
    /// The name may not be registered.
    BadName,
    /// The password may not be used.
    BadPassword,
    /// No such account, or not its password.
    WrongCredentials,
    /// Too many tries; the registry wants a pause.
    SlowDown,
    /// The registry is there but cannot do it now.
    RegistryFailed,
    /// The registry cannot be reached.
    RegistryUnreachable,
    /// This needs a session.
    NotLoggedIn,
    /// There is a session already.
    AlreadyLoggedIn,
    /// No such user is online.
    NotOnline,
    /// That is the user himself.
    Oneself,
    /// That is a member already.
    AlreadyMember,
    /// That person has been asked and has not answered yet.
    AlreadyAsked,
    /// No such request waits.
    NoSuchRequest,
    /// Nobody is in the chat.
    NobodyThere,
    /// The chat has as many members as it can have.
    ChatFull,
    /// The text is empty, too long, or holds what cannot travel.
    BadText,
    /// A line or frame that is no command.
    BadCommand,
    /// There is no history, or it cannot be read.
    NoHistory,
    /// Too much at once: the peer is still busy with what was asked before.
    TooMuch,
    /// That person is blocked.
    Blocked,
    /// That name or address is not blocked.
    NotBlocked,
    /// It is done, but cannot be kept for later sessions.
    NotKept,
}
