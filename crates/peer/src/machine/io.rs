//! What goes into the machine and what comes out of it.

use std::time::Duration;

use p2pchat_model::{
    BlockChange, Call, CallId, Command, ConversationId, DropKind, DropReason, Event, FrontEndId,
    LeaveReason, MessageId, OnlineUser, PeerAddr, Post, Problem, RequestFailure, Timestamp,
    Username,
};
use p2pchat_protocol::v2::{
    Certificate, Code, Fingerprint, FromRegistry, Passphrase, PersonKey, ToRegistry,
};
use p2pchat_protocol::{ChatAnswer, Contact, Hello, Message, Request, Response};

use super::chats_io::{FromChats, ToChats};
use crate::known::{Known, KnownFile};

/// What a machine has to know before it starts.
#[derive(Debug, Clone)]
pub struct Config {
    /// The peer's own address.
    pub address: PeerAddr,
    /// The registry, as the user named it; empty for none.
    pub registry: String,
    /// The port on which the peer takes messages.
    pub message_port: u16,
    /// How long a chat request waits for an answer, on either side.
    pub request_limit: Duration,
    /// The seed of the random numbers: the jitter of reconnecting.
    pub seed: u64,
    /// What it takes to encrypt the line to the registry; `None` to speak version 1 alone.
    pub keys: Option<Keys>,
}

/// What a machine has to know to encrypt its line to the registry.
#[derive(Debug, Clone)]
pub struct Keys {
    /// This device, certified by the person.
    pub certificate: Certificate,
    /// Whether it is there again after the next start.
    pub saved: bool,
    /// The names of the registry, as they are pinned.
    pub names: Vec<String>,
    /// The fingerprint that it was named with.
    pub named: Option<Fingerprint>,
    /// Whether version 1 is spoken where neither that nor a pin is there.
    pub allow_plaintext: bool,
    /// What was kept of earlier sessions.
    pub known: Known,
}

/// Another registry than before, and how this machine reaches it.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The registry, as it is named.
    pub registry: String,
    /// It was started on this machine by the peer.
    pub is_own: bool,
    /// Its names, as they are pinned.
    pub names: Vec<String>,
    /// The fingerprint that it was named with.
    pub named: Option<Fingerprint>,
    /// The own address, as it is from now on.
    pub address: PeerAddr,
    /// The port for messages.
    pub message_port: u16,
}

/// Why there is no other registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotChosen {
    /// What is wrong.
    pub problem: Problem,
    /// More of it in words.
    pub detail: String,
    /// A registry that runs on this machine, as others can name it.
    pub found: Option<String>,
}

/// Work that takes some 0.1 s and 64 MiB.
#[derive(Debug)]
pub enum Work {
    /// The code of a person.
    Code(PersonKey),
    /// The person key, encrypted by a password.
    Export(Passphrase),
    /// Make the profile a device of the person that was exported.
    Import {
        /// What was exported.
        identity: String,
        /// The password that it was exported with.
        password: Passphrase,
    },
}

/// The result of [`Work`].
#[derive(Debug, Clone)]
pub enum WorkResult {
    /// A code.
    Code(Code),
    /// An exported person key.
    Exported(String),
    /// The device is certified by another person now; or why not, also in words.
    Imported(Result<Certificate, (Problem, String)>),
    /// It failed: a bug.
    Failed,
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

/// A call of a front end that is answered: its answers go to that front end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Asker {
    /// The front end.
    pub front_end: FrontEndId,
    /// The id of the call. Without one there is no [`Event::Done`].
    pub id: Option<CallId>,
}

/// A command, and who asks for it: `None` for the peer itself.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Who is answered.
    pub asker: Option<Asker>,
    /// The command.
    pub command: Command,
}

impl Asked {
    /// A call of this front end.
    #[must_use]
    pub fn by(front_end: FrontEndId, call: Call) -> Self {
        let Call { id, command } = call;
        let asker = Some(Asker { front_end, id });
        Self { asker, command }
    }
}

impl From<Command> for Asked {
    fn from(command: Command) -> Self {
        let asker = None;
        Self { asker, command }
    }
}

/// The message that a call of a front end has led to. Kept with the message, so that the call
/// leads to no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidBy {
    /// The front end.
    pub front_end: FrontEndId,
    /// The id of the call.
    pub id: CallId,
    /// A hash of the command: the same id with another command is a mistake of the front end.
    pub fingerprint: u64,
}

/// An event from outside.
#[derive(Debug)]
pub enum Input {
    /// The user asks for something.
    Command(Asked),
    /// The time of [`Machine::deadline`](super::Machine::deadline) has come.
    Timer,
    /// The connection that [`Output::ConnectRegistry`] asked for is open.
    RegistryUp,
    /// It could not be opened, or broke. Not sent after [`Output::DisconnectRegistry`].
    RegistryDown {
        /// Why, in words.
        reason: String,
    },
    /// The connection that [`Output::ConnectEncrypted`] asked for is open: the registry has sent
    /// its first frame.
    Welcome {
        /// The fingerprint of its key.
        fingerprint: Fingerprint,
        /// Its clock, in milliseconds since 1970.
        time: u64,
    },
    /// The registry has another key than the expected one. Nothing was sent to it.
    OtherKey {
        /// The fingerprint of that key.
        seen: Fingerprint,
    },
    /// The registry sent a frame of version 2.
    Frame(FromRegistry),
    /// The result of [`Output::Work`].
    WorkDone {
        /// The id of the output.
        id: SendId,
        /// The result.
        result: WorkResult,
    },
    /// In place of [`Input::RegistryDown`]: this machine reaches the registry from another address
    /// than before, and the peer listens there now.
    Moved {
        /// The own address.
        address: PeerAddr,
        /// The port for messages.
        message_port: u16,
    },
    /// The result of [`Output::UseRegistry`] or [`Output::StartRegistry`].
    RegistryChosen(Result<Chosen, NotChosen>),
    /// The encrypted conversations tell something.
    Chats(FromChats),
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
    /// The same, encrypted; then [`Input::Welcome`], [`Input::OtherKey`] or
    /// [`Input::RegistryDown`].
    ConnectEncrypted {
        /// The fingerprint of its key; `None` at the first contact.
        expected: Option<Fingerprint>,
    },
    /// Find out how to reach another registry, and go to it; then [`Input::RegistryChosen`].
    UseRegistry {
        /// The registry, as the user named it.
        registry: String,
    },
    /// The same with one that is started on this machine.
    StartRegistry {
        /// The fingerprint of the one that was started here before: if it still runs, it is used.
        known: Option<Fingerprint>,
    },
    /// Send to the registry on that connection.
    Send(ToRegistry),
    /// Do some work in the background; then [`Input::WorkDone`].
    Work {
        /// Returned with the result.
        id: SendId,
        /// What to do.
        work: Work,
    },
    /// Tell the encrypted conversations something.
    Chats(ToChats),
    /// Tell the journal something, after the events before it.
    Journal(ToJournal),
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
    /// Withdraw a chat request: end [`Output::Request`] at once, so that the other side sees its
    /// connection break. No [`Input::RequestDone`] is needed after it.
    CancelRequest {
        /// The id of the output.
        id: SendId,
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
    /// Tell the user: the front end that asked, if the event [is private], else all of them.
    ///
    /// [is private]: Event::is_private
    Event {
        /// The event.
        event: Event,
        /// Whose call it answers.
        re: Option<Asker>,
        /// The call to keep with the message that the event is, if it is one.
        said_by: Option<SaidBy>,
    },
}

/// What the machine tells the journal, beside events.
#[derive(Debug)]
pub enum ToJournal {
    /// Write a file of what is known, as a whole.
    Keep {
        /// The file.
        file: KnownFile,
        /// Its text.
        text: String,
    },
    /// Tell a front end again the message that its call has led to, and that it is done.
    Repeat {
        /// Whose call it answers.
        re: Asker,
        /// The account that the message belongs to.
        account: Option<Username>,
        /// The message.
        message: MessageId,
    },
    /// Store a change of the block list for later sessions; if that fails, tell the user, in
    /// place of [`Event::Done`].
    KeepBlock {
        /// Whose call it belongs to.
        re: Option<Asker>,
        /// The account that the list belongs to.
        account: Username,
        /// What has changed.
        change: BlockChange,
    },
    /// Read a page of the history and tell who asked for it, by [`Event::History`] and
    /// [`Event::Done`]; all front ends if none has asked, and with the page how far the
    /// account's conversations are read, and their drafts.
    Recall {
        /// Whose call it answers.
        re: Option<Asker>,
        /// The conversation.
        conversation: ConversationId,
        /// The account that the history belongs to.
        account: Username,
        /// Older than this message; the newest if absent.
        before: Option<MessageId>,
    },
    /// Search the history of the open chat and tell who asked for it, by [`Event::Findings`] and
    /// [`Event::Done`].
    Find {
        /// Whose call it answers.
        re: Option<Asker>,
        /// The conversation; all of them if `None`.
        conversation: Option<ConversationId>,
        /// The account that the history belongs to.
        account: Username,
        /// The words to find.
        text: String,
        /// What was found in the encrypted conversations.
        posts: Vec<Post>,
    },
}
