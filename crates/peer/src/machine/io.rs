//! What goes into the machine and what comes out of it.

use std::time::Duration;

use p2pchat_model::{
    BlockChange, Command, DropKind, DropReason, Event, LeaveReason, MessageId, PeerAddr,
    RequestFailure, Timestamp, Username,
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
    /// What the clock on the wall says.
    pub wall: Timestamp,
}

/// Identifies a connection that somebody else made to this peer. Never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// Identifies something that this peer sent, so that its result finds it. Never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SendId(pub u64);

/// What happened outside.
#[derive(Debug)]
pub enum Input {
    /// The user asks for something.
    Command(Command),
    /// The moment that [`Machine::deadline`](super::Machine::deadline) named has come.
    Timer,
    /// The connection that [`Output::ConnectRegistry`] asked for is there.
    RegistryUp,
    /// It could not be made, or broke. Not sent after [`Output::DisconnectRegistry`].
    RegistryDown {
        /// Why, in words.
        reason: String,
    },
    /// The registry answered.
    Response(Response),
    /// A whole chat request or notify arrived. A request's connection stays open until
    /// [`Output::Answer`].
    Contact {
        /// Its connection.
        conn: ConnId,
        /// Where it came from.
        from: PeerAddr,
        /// What it is.
        contact: Contact,
    },
    /// The connection of a chat request broke before it was answered.
    ContactLost {
        /// Which.
        conn: ConnId,
    },
    /// A whole text arrived. Its connection stays open until [`Output::TakeText`] or
    /// [`Output::RefuseText`].
    Text {
        /// Its connection.
        conn: ConnId,
        /// Where it came from.
        from: PeerAddr,
        /// What it is.
        message: Message,
    },
    /// What became of [`Output::Request`].
    RequestDone {
        /// Which.
        id: SendId,
        /// The answer, or that there is none ([`RequestFailure::NoAnswer`] or
        /// [`RequestFailure::Unreachable`]).
        result: Result<ChatAnswer, RequestFailure>,
    },
    /// What became of [`Output::Notify`].
    NotifyDone {
        /// Which.
        id: SendId,
        /// How it fared.
        result: Result<Acknowledgement, LeaveReason>,
    },
    /// What became of [`Output::Text`].
    TextDone {
        /// Which.
        id: SendId,
        /// How it fared.
        result: Result<Acknowledgement, LeaveReason>,
    },
    /// Something did not get as far as to be any of these.
    Dropped {
        /// Where it came from; `None` if from more addresses than were counted one by one.
        from: Option<PeerAddr>,
        /// What it was to be.
        tried: DropKind,
        /// Why nothing came of it.
        why: DropReason,
        /// How often, since the last of these.
        count: u64,
    },
}

/// How a text or notify that was handed over fared. The wire has no word for it; how the receiver
/// closes the connection tells (see `ARCHITECTURE.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledgement {
    /// The receiver read it and closed the connection in order.
    Confirmed,
    /// The receiver neither closed nor reset the connection in time.
    Unconfirmed,
}

/// What is to be done outside, in this order.
#[derive(Debug)]
pub enum Output {
    /// Make a connection to the registry; one that there was is closed first.
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
        /// To whom.
        to: PeerAddr,
        /// What.
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
        /// To whom.
        to: PeerAddr,
        /// What.
        contact: Contact,
        /// How long to wait for the other side to close.
        patience: Duration,
    },
    /// Connect to 1010 or 5859, send, close the sending side, and wait for the other side
    /// to close as long as `patience`; then [`Input::TextDone`].
    Text {
        /// Returned with the result.
        id: SendId,
        /// To whom.
        to: PeerAddr,
        /// What.
        message: Message,
        /// How long to wait for the other side to close.
        patience: Duration,
    },
    /// Close the connection of a text in order: it was taken.
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
    /// Keep a change of the block list for later sessions; if that fails, tell the user.
    KeepBlock {
        /// Whose list.
        account: Username,
        /// What has changed.
        change: BlockChange,
    },
    /// Read a page of the history and tell the user, by [`Event::History`].
    Recall {
        /// Whose history.
        account: Username,
        /// Older than this message; the newest if absent.
        before: Option<MessageId>,
    },
    /// Search the history and tell the user, by [`Event::Findings`].
    Find {
        /// Whose history.
        account: Username,
        /// The words.
        text: String,
    },
}
