//! What goes into the machine and what comes out of it.

use std::time::Duration;

use p2pchat_model::{
    BlockChange, Command, DropKind, DropReason, Event, LeaveReason, MessageId, OnlineUser,
    PeerAddr, RequestFailure, Timestamp, Username,
};
use p2pchat_protocol::{ChatAnswer, Contact, Hello, Message, Request, Response};

/// What a machine has to know before it starts.
#[derive(Debug, Clone)]
pub struct Config {
    /// The peer's own address.
    pub address: PeerAddr,
    /// The registry, as the user named it.
    pub registry: String,
    /// The port on which the peer takes messages.
    pub message_port: u16,
    /// How long a chat request waits for an answer, on either side.
    pub request_limit: Duration,
    /// The seed of the random numbers: the jitter of reconnecting.
    pub seed: u64,
}

/// How much of something that others can make grow a machine holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// What it is, for people.
    pub what: &'static str,
    /// How many there are now.
    pub count: usize,
    /// How many there may be.
    pub limit: usize,
}

impl Usage {
    pub(super) fn new(what: &'static str, count: usize, limit: usize) -> Self {
        Self { what, count, limit }
    }
}

/// The time of an input: a clock that never jumps, for deadlines, and the wall clock,
/// for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Since some fixed moment before the machine began.
    pub elapsed: Duration,
    /// Wall-clock time.
    pub wall: Timestamp,
}

/// The id of an inbound connection. Never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// The correlation id of something that this peer sends: its result carries the same.
/// Never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SendId(pub u64);

/// An event from outside.
#[derive(Debug)]
pub enum Input {
    /// The user asks for something.
    Command(Command),
    /// The time of [`Machine::deadline`](super::Machine::deadline) has come.
    Timer,
    /// The connection that [`Output::ConnectRegistry`] asked for is open.
    RegistryUp,
    /// It could not be opened, or broke. Not sent after [`Output::DisconnectRegistry`].
    RegistryDown {
        /// Why, in words.
        reason: String,
    },
    /// The registry answered.
    Response(Response),
    /// The online list that the registry answered last has these users, and not only those
    /// that were in the answer: its end came late.
    ListContinued(Vec<OnlineUser>),
    /// A complete chat request or notify arrived. The connection of a request stays open until
    /// [`Output::Answer`].
    Contact {
        /// The connection it came on.
        conn: ConnId,
        /// Where it came from.
        from: PeerAddr,
        /// The packet.
        contact: Contact,
    },
    /// The connection of a chat request broke before it was answered.
    ContactLost {
        /// The connection it came on.
        conn: ConnId,
    },
    /// A complete text arrived. Its connection stays open until [`Output::TakeText`] or
    /// [`Output::RefuseText`].
    Text {
        /// The connection it came on.
        conn: ConnId,
        /// Where it came from.
        from: PeerAddr,
        /// The packet.
        message: Message,
    },
    /// The result of [`Output::Request`].
    RequestDone {
        /// The id of the output.
        id: SendId,
        /// The answer, or that there is none ([`RequestFailure::NoAnswer`] or
        /// [`RequestFailure::Unreachable`]).
        result: Result<ChatAnswer, RequestFailure>,
    },
    /// The result of [`Output::Notify`].
    NotifyDone {
        /// The id of the output.
        id: SendId,
        /// Whether it was taken, or why the member counts as lost.
        result: Result<Acknowledgement, LeaveReason>,
    },
    /// The result of [`Output::Text`].
    TextDone {
        /// The id of the output.
        id: SendId,
        /// Whether it was taken, or why the member counts as lost.
        result: Result<Acknowledgement, LeaveReason>,
    },
    /// Packets were dropped before they became any of these.
    Dropped {
        /// Where they came from; `None` for addresses that were not counted one by one.
        from: Option<PeerAddr>,
        /// What they were to be.
        tried: DropKind,
        /// Why they were dropped.
        why: DropReason,
        /// How many, since the last of these.
        count: u64,
    },
}

/// Whether the receiver confirmed a text or notify that was sent. The wire has no message for
/// it; how the receiver closes the connection tells (see `ARCHITECTURE.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledgement {
    /// The receiver read it and closed the connection gracefully.
    Confirmed,
    /// The receiver neither closed nor reset the connection in time.
    Unconfirmed,
}

/// A task for the owner of the machine, to be carried out in the order of output.
#[derive(Debug)]
pub enum Output {
    /// Open a connection to the registry; close the previous one first.
    ConnectRegistry,
    /// Close the connection to the registry.
    DisconnectRegistry,
    /// Send to the registry on that connection.
    Ask(Request),
    /// Send to the registry's hello port.
    Hello(Hello),
    /// Connect to 5858, send, and wait for the answer as long as `limit`; then [`Input::RequestDone`].
    Request {
        /// Returned with the result.
        id: SendId,
        /// The receiver.
        to: PeerAddr,
        /// The packet.
        contact: Contact,
        /// How long to wait for the answer.
        limit: Duration,
    },
    /// Answer a chat request and close its connection.
    Answer {
        /// The connection it came on.
        conn: ConnId,
        /// The answer.
        answer: ChatAnswer,
    },
    /// Connect to 5858, send, close the sending side, and wait for the other side to close
    /// as long as `patience`; then [`Input::NotifyDone`].
    Notify {
        /// Returned with the result.
        id: SendId,
        /// The receiver.
        to: PeerAddr,
        /// The packet.
        contact: Contact,
        /// How long to wait for the other side to close.
        patience: Duration,
    },
    /// Connect to 1010 or 5859, send, close the sending side, and wait for the other side
    /// to close as long as `patience`; then [`Input::TextDone`].
    Text {
        /// Returned with the result.
        id: SendId,
        /// The receiver.
        to: PeerAddr,
        /// The packet.
        message: Message,
        /// How long to wait for the other side to close.
        patience: Duration,
    },
    /// Close the connection of a text gracefully: it was taken.
    TakeText {
        /// The connection it came on.
        conn: ConnId,
    },
    /// Reset the connection of a text: it was not taken.
    RefuseText {
        /// The connection it came on.
        conn: ConnId,
    },
    /// Tell the user.
    Event(Event),
    /// Store a change of the block list for later sessions; if that fails, tell the user.
    KeepBlock {
        /// The account that the list belongs to.
        account: Username,
        /// What has changed.
        change: BlockChange,
    },
    /// Read a page of the history and tell the user, by [`Event::History`].
    Recall {
        /// The account that the history belongs to.
        account: Username,
        /// Older than this message; the newest if absent.
        before: Option<MessageId>,
    },
    /// Search the history and tell the user, by [`Event::Findings`].
    Find {
        /// The account that the history belongs to.
        account: Username,
        /// The words to find.
        text: String,
    },
}
