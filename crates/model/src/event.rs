//! What can happen.

use std::fmt::Display;

use p2pchat_protocol::v2::{Code, DisplayName, Fingerprint};
use p2pchat_protocol::{PeerAddr, Username};
use serde::{Deserialize, Serialize};

use crate::chat::{Chat, ChatChange, DatedChange, Named};
use crate::conversation::ConversationId;
use crate::dropped::Dropped;
use crate::identity::{Identity, KnownRegistry, Security, Trust};
use crate::message::{Delivery, LeaveReason, Message, MessageId};
use crate::person::{Person, User};
use crate::post::Post;
use crate::target::Target;
use crate::time::Timestamp;
use crate::view::View;

/// What can happen. Events that become a line of the conversation carry a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(tag = "event"))]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The view as it is now: the first event for each front end, and again for one that has
    /// missed events.
    View(Box<Snapshot>),
    /// A call is carried out: the last of its answers.
    Done,
    /// A command failed: the last answer to its call. Nothing has changed, unless the code says
    /// so.
    Failed(Failure),
    /// The connection to the registry changed. Chatting goes on without it.
    Link(Link),
    /// There is another registry from now on, and with it perhaps another address of this peer.
    Registry {
        /// The registry, as the user named it, or as it named itself.
        registry: String,
        /// The peer's own address.
        address: PeerAddr,
        /// Its port for messages.
        message_port: u16,
    },
    /// A registry runs on this machine: one that `use_registry` can go to.
    RegistryFound {
        /// It, as others can name it.
        registry: String,
    },
    /// Whether the line to the registry is encrypted.
    Security(Security),
    /// The keys of the profile.
    Identity(Identity),
    /// The account is created. The login follows by itself.
    Registered {
        /// When.
        at: Timestamp,
        /// Its name.
        name: Username,
    },
    /// The session has begun, or has begun again after the registry was away. If no registry
    /// answers at the start, the account that was signed in last begins without one: the link is
    /// down then, and another one of these follows once the registry has taken the key.
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
        /// Why, if the user did not ask for it.
        problem: Option<Problem>,
    },
    /// Who is online, the user included. Replaces the earlier list.
    Online {
        /// All users, ordered by name.
        users: Vec<User>,
    },
    /// What has changed in that list.
    Presence {
        /// Users who have come, or who have changed.
        users: Vec<User>,
        /// Users who are not online any more.
        gone: Vec<Username>,
    },
    /// The answer to a search.
    Found {
        /// When.
        at: Timestamp,
        /// The user that was searched for.
        name: Username,
        /// Their address, if they are online.
        address: Option<PeerAddr>,
    },
    /// A chat request came and waits for the user's answer.
    RequestReceived(IncomingRequest),
    /// The pending request is closed.
    RequestClosed {
        /// The conversation.
        conversation: ConversationId,
        /// When.
        at: Timestamp,
        /// The requester.
        from: Person,
        /// How it was closed.
        outcome: Outcome,
    },
    /// A chat request was answered with BUSY by itself: the user was busy, or another request
    /// waited.
    RequestMissed {
        /// The conversation.
        conversation: ConversationId,
        /// When.
        at: Timestamp,
        /// The requester.
        from: Person,
    },
    /// A chat request was sent.
    RequestSent(OutgoingRequest),
    /// A chat request that was sent is answered. After an acceptance, `member_joined` follows.
    RequestAnswered {
        /// The conversation.
        conversation: ConversationId,
        /// When.
        at: Timestamp,
        /// The user that was asked.
        to: Person,
        /// Why there is no chat; null if they accepted.
        refusal: Option<RequestFailure>,
    },
    /// A user is in the chat from now on.
    MemberJoined {
        /// The conversation.
        conversation: ConversationId,
        /// When.
        at: Timestamp,
        /// The new member.
        member: Person,
        /// How they joined.
        #[cfg_attr(not(target_arch = "wasm32"), serde(flatten))]
        #[cfg_attr(target_arch = "wasm32", serde(rename = "$"))]
        by: JoinedBy,
    },
    /// A user is no longer in the chat. Comes a second time, with another reason, for an
    /// unreachable member who is given up.
    MemberLeft {
        /// The conversation.
        conversation: ConversationId,
        /// When.
        at: Timestamp,
        /// The former member.
        member: Person,
        /// Why.
        reason: LeaveReason,
    },
    /// The user left the chat. It has no members now.
    ChatLeft {
        /// The conversation.
        conversation: ConversationId,
        /// When.
        at: Timestamp,
    },
    /// A message of a member or of the user.
    Message(Message),
    /// There is an encrypted conversation, or something of it is different now.
    Chat {
        /// The conversation.
        conversation: ConversationId,
        /// All of it.
        chat: Box<Chat>,
    },
    /// An encrypted conversation is not shown any more: it is with, or a request of, a person
    /// that the user has blocked.
    ChatHidden {
        /// The conversation.
        conversation: ConversationId,
    },
    /// The encrypted conversation that was begun or found.
    Opened {
        /// The conversation.
        conversation: ConversationId,
    },
    /// The message that a `say` in an encrypted conversation has led to.
    Said {
        /// The conversation.
        conversation: ConversationId,
        /// The message.
        message: MessageId,
    },
    /// The membership of an encrypted conversation has changed.
    ChatChanged {
        /// The conversation.
        conversation: ConversationId,
        /// When.
        at: Timestamp,
        /// How.
        change: ChatChange,
    },
    /// A message of an encrypted conversation, of the user or of others.
    Post(Box<Post>),
    /// Such a message is different now: its text, its reactions, or the people it has reached.
    PostChanged(Box<Post>),
    /// Messages that do not count any more: their writer was removed, and they came after what
    /// the owner who did it had seen. They are not shown.
    PostsGone {
        /// The conversation.
        conversation: ConversationId,
        /// Which.
        messages: Vec<MessageId>,
    },
    /// A page of earlier messages of an encrypted conversation, oldest first.
    Posts {
        /// The conversation.
        conversation: ConversationId,
        /// What the command asked for: those before this message; the newest if null.
        before: Option<MessageId>,
        /// Up to a page of messages.
        posts: Vec<Post>,
        /// How the membership changed between them, up to the page after this one.
        changes: Vec<DatedChange>,
        /// Whether there are older ones.
        more: bool,
    },
    /// A page of an encrypted conversation from a message on, oldest first. It is no part of the
    /// view.
    PostsFrom {
        /// The conversation.
        conversation: ConversationId,
        /// What the command asked for.
        from: MessageId,
        /// Up to a page of messages.
        posts: Vec<Post>,
        /// How the membership changed between them, up to the page after this one.
        changes: Vec<DatedChange>,
        /// Whether there are later ones.
        more: bool,
    },
    /// How much of an encrypted conversation the user has not read; nothing else of its `chat` is
    /// different.
    Unread {
        /// The conversation.
        conversation: ConversationId,
        /// How many messages.
        messages: u64,
        /// How many of them mention the user.
        mentions: u64,
    },
    /// Whether someone is writing in an encrypted conversation.
    Typing {
        /// The conversation.
        conversation: ConversationId,
        /// Who.
        who: Named,
        /// Whether they are.
        on: bool,
    },
    /// How far someone has read an encrypted conversation.
    ReadBy {
        /// The conversation.
        conversation: ConversationId,
        /// Who.
        who: Named,
        /// The newest message that they have read.
        message: MessageId,
    },
    /// The delivery status of one of the user's messages changed for a member.
    Delivered {
        /// The conversation.
        conversation: ConversationId,
        /// The message.
        message: MessageId,
        /// The member and the status.
        delivery: Delivery,
    },
    /// Something that another machine sent or tried was dropped. Comes for the first of its
    /// kind from an address, then at each power of ten; and after `refresh` for each count
    /// that has grown since the last report.
    Dropped(Dropped),
    /// Who is blocked. Replaces the earlier list.
    Blocks {
        /// When.
        at: Timestamp,
        /// All blocked names, then all blocked addresses.
        list: Vec<Target>,
        /// What changed; null for the list that comes at login.
        change: Option<BlockChange>,
    },
    /// Something that the user should know.
    Notice {
        /// When.
        at: Timestamp,
        /// What it is.
        #[cfg_attr(not(target_arch = "wasm32"), serde(flatten))]
        #[cfg_attr(target_arch = "wasm32", serde(rename = "$"))]
        what: Notice,
    },
    /// The busy switch was set.
    Busy {
        /// Whether chat requests are answered with BUSY.
        on: bool,
    },
    /// Whether the user is shown as away: they asked for it, or were idle for ten minutes.
    Away {
        /// Whether they are.
        on: bool,
    },
    /// The name that others see beside that of the account.
    DisplayName {
        /// The name; empty for none.
        display_name: DisplayName,
    },
    /// Whether the account can also be used by legacy clients.
    LegacyLogin {
        /// Whether it can.
        on: bool,
    },
    /// The code of a user, to be compared with them.
    Code {
        /// The user.
        name: Username,
        /// The code of the key that the registry has for them now.
        code: Code,
        /// How well that key is known.
        trust: Trust,
    },
    /// The exported key of the user.
    Exported {
        /// What `import_identity` takes.
        identity: String,
    },
    /// The registries that are pinned.
    Registries {
        /// All of them, ordered by name.
        list: Vec<KnownRegistry>,
    },
    /// A page of earlier messages, oldest first.
    History {
        /// The conversation.
        conversation: ConversationId,
        /// What the command asked for: those before this message; the newest if null.
        before: Option<MessageId>,
        /// Up to a page of messages.
        messages: Vec<Message>,
        /// Whether there are older ones.
        more: bool,
    },
    /// The result of a search through the history, newest first.
    Findings {
        /// The conversation that was searched; null for all.
        conversation: Option<ConversationId>,
        /// The words that were searched for.
        text: String,
        /// Up to a page of messages of the open chat.
        messages: Vec<Message>,
        /// Up to a page of messages of encrypted conversations.
        #[serde(default)]
        posts: Vec<Post>,
    },
    /// How far the user has read a conversation.
    Read {
        /// The conversation.
        conversation: ConversationId,
        /// The newest message that they have read.
        message: MessageId,
    },
    /// What the user has typed and not sent.
    Draft {
        /// The conversation.
        conversation: ConversationId,
        /// The text; empty for none.
        text: String,
    },
}

impl Event {
    /// The conversation that it belongs to.
    #[must_use]
    pub fn conversation(&self) -> Option<ConversationId> {
        match self {
            Self::RequestReceived(request) => Some(request.conversation),
            Self::RequestSent(request) => Some(request.conversation),
            Self::Message(message) => Some(message.conversation),
            Self::Post(post) | Self::PostChanged(post) => Some(post.conversation),
            Self::RequestClosed { conversation, .. }
            | Self::RequestMissed { conversation, .. }
            | Self::RequestAnswered { conversation, .. }
            | Self::MemberJoined { conversation, .. }
            | Self::MemberLeft { conversation, .. }
            | Self::ChatLeft { conversation, .. }
            | Self::Chat { conversation, .. }
            | Self::ChatHidden { conversation }
            | Self::Opened { conversation }
            | Self::Said { conversation, .. }
            | Self::ChatChanged { conversation, .. }
            | Self::PostsGone { conversation, .. }
            | Self::Posts { conversation, .. }
            | Self::PostsFrom { conversation, .. }
            | Self::Unread { conversation, .. }
            | Self::Typing { conversation, .. }
            | Self::ReadBy { conversation, .. }
            | Self::Delivered { conversation, .. }
            | Self::History { conversation, .. }
            | Self::Read { conversation, .. }
            | Self::Draft { conversation, .. } => Some(*conversation),
            Self::Findings { conversation, .. } => *conversation,
            Self::View(_)
            | Self::Done
            | Self::Failed(_)
            | Self::Link(_)
            | Self::Registry { .. }
            | Self::RegistryFound { .. }
            | Self::Security(_)
            | Self::Identity(_)
            | Self::Registered { .. }
            | Self::LoggedIn { .. }
            | Self::LoggedOut { .. }
            | Self::Online { .. }
            | Self::Presence { .. }
            | Self::Found { .. }
            | Self::Dropped(_)
            | Self::Blocks { .. }
            | Self::Notice { .. }
            | Self::Busy { .. }
            | Self::Away { .. }
            | Self::DisplayName { .. }
            | Self::LegacyLogin { .. }
            | Self::Code { .. }
            | Self::Exported { .. }
            | Self::Registries { .. } => None,
        }
    }

    /// Whether it is the last answer to its call.
    #[must_use]
    pub fn closes_call(&self) -> bool {
        matches!(self, Self::Done | Self::Failed(_))
    }

    /// Whether it is for the front end that asked for it, and no other.
    #[must_use]
    pub fn is_private(&self) -> bool {
        matches!(
            self,
            Self::View(_)
                | Self::Done
                | Self::Failed(_)
                | Self::RegistryFound { .. }
                | Self::Found { .. }
                | Self::Opened { .. }
                | Self::Said { .. }
                | Self::Posts { .. }
                | Self::PostsFrom { .. }
                | Self::History { .. }
                | Self::Findings { .. }
                | Self::Code { .. }
                | Self::Exported { .. }
                | Self::Registries { .. }
        )
    }
}

/// The view at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Snapshot {
    /// The version of the contract, 2.
    pub version: u32,
    /// How many events were missed because they were not read in time.
    pub missed: u64,
    /// The view, with the newest lines of each conversation.
    pub view: View,
}

/// The connection to the registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(tag = "state"))]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// There is no registry to connect to: `use_registry` and `start_registry` change that.
    NoRegistry,
    /// The first attempt is under way.
    #[default]
    Connecting,
    /// Connected.
    Up,
    /// Connected, and the registry needs the password again: the program that had it has
    /// ended, and another has taken over. Chats go on.
    PasswordNeeded,
    /// The registry has another key than the pinned one. Nothing was sent to it, and no attempt
    /// follows by itself: the user has to decide.
    KeyChanged {
        /// The fingerprint that is pinned, or was given.
        pinned: Fingerprint,
        /// The fingerprint of the key that the server has now.
        seen: Fingerprint,
    },
    /// Not connected; another attempt follows by itself.
    Down {
        /// What went wrong, in words.
        reason: String,
        /// When the next attempt is due.
        retry_at: Timestamp,
    },
}

/// A chat request that waits for the user's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IncomingRequest {
    /// The conversation that it is for.
    pub conversation: ConversationId,
    /// When it came.
    pub at: Timestamp,
    /// The requester.
    pub from: Person,
    /// Members of the requester's current chat: accepting means chatting with them too.
    pub members: Vec<Person>,
    /// When it expires, unanswered.
    pub expires: Timestamp,
}

/// A chat request that waits for another user's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OutgoingRequest {
    /// The conversation that it is for.
    pub conversation: ConversationId,
    /// When it was sent.
    pub at: Timestamp,
    /// The user that is asked.
    pub to: Person,
    /// When it expires.
    pub expires: Timestamp,
}

/// How a request that waited for the user was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The user accepted.
    Accepted,
    /// The user rejected.
    Rejected,
    /// The user did not answer in time.
    Expired,
    /// The requester withdrew it, or their connection broke.
    Withdrawn,
}

/// Why a request that was sent did not lead to a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RequestFailure {
    /// They rejected it.
    Rejected,
    /// They take no requests now: they are busy, or have another one to answer.
    Busy,
    /// They did not answer in time.
    NoAnswer,
    /// Their address is unreachable.
    Unreachable,
    /// The user blocked them before they answered.
    Blocked,
    /// The user withdrew it before they answered.
    Cancelled,
}

/// How a user became a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(tag = "by", content = "who"))]
#[serde(rename_all = "snake_case")]
pub enum JoinedBy {
    /// They accepted the user's request.
    AcceptedUs,
    /// The user accepted their request.
    AcceptedByUs,
    /// They are in the chat of the requester that the user accepted.
    WithGroup,
    /// This member announced them.
    Member(Person),
    /// They were unreachable and are back.
    Back,
}

/// How the block list changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BlockChange {
    /// All that comes from this name or address is ignored.
    Blocked(Target),
    /// It is no longer ignored.
    Unblocked(Target),
}

/// Something that the user should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(tag = "what"))]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// Messages arrive at the alternative port, because 1010 needs a privilege.
    UnprivilegedPort {
        /// That port.
        port: u16,
    },
    /// The name fills its field: legacy clients do not understand it.
    LongName,
    /// The password fills its field: legacy clients do not understand it.
    LongPassword,
    /// The account is online at another address: there was a login there.
    ElsewhereOnline {
        /// That address.
        address: PeerAddr,
    },
    /// The first contact with a registry: its key is pinned.
    RegistryPinned {
        /// The fingerprint of its key.
        fingerprint: Fingerprint,
    },
    /// The line is encrypted although plain text is allowed, since the registry is pinned or was
    /// named with a fingerprint.
    PlaintextIgnored,
    /// There is no profile folder to save the keys in: they end with the program, and an account
    /// that is bound to them until then needs the operator of the registry.
    IdentityNotSaved,
    /// The registry has another key for a user than the one that is pinned.
    KeyChanged {
        /// The user.
        name: Username,
        /// Whether the user had compared codes with them.
        was_verified: bool,
    },
    /// The chat has as many members as a chat_list can hold; the rest was left out.
    ChatFull,
    /// The clock of this computer differs a lot from that of the registry, or from those of all
    /// others, which is gone by.
    ClockWrong,
    /// The profile is a copy, or an older state of it was put back: its conversations go on in a
    /// way that nothing is lost.
    ProfileCopied,
    /// Encrypted conversations cannot be saved: nothing is sent or taken there until they can.
    ChatsBroken,
    /// Encrypted conversations are saved again.
    ChatsMended,
    /// Messages cannot be saved in the history for now, only shown.
    HistoryBroken,
    /// The program that runs the peer of this profile is stopped, as by Ctrl-Z, and does not
    /// answer.
    PeerStopped {
        /// Its process id.
        process: u32,
    },
    /// Messages are saved in the history again, including those in between.
    HistoryMended {
        /// How many messages were lost.
        lost: usize,
    },
}

/// A command that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Failure {
    /// When.
    pub at: Timestamp,
    /// The name of the command; `?` for a line that is not a command.
    pub command: String,
    /// Why, for programs.
    pub code: Problem,
    /// Why, for people.
    pub message: String,
    /// What to do about it, for people.
    pub advice: String,
    /// The users that it is about; of `has_encrypted` those that `allow_open` names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Username>,
}

impl Failure {
    /// A failure, in the words of its code.
    #[must_use]
    pub fn new(at: Timestamp, command: &str, code: Problem) -> Self {
        Self {
            at,
            command: command.to_owned(),
            code,
            message: code.words().to_owned(),
            advice: code.advice().to_owned(),
            names: Vec::new(),
        }
    }

    /// The same with another message.
    #[must_use]
    pub fn with_message(self, message: String) -> Self {
        Self { message, ..self }
    }

    /// The answer to a line that is not a command.
    #[must_use]
    pub fn bad_command(at: Timestamp, reason: impl Display) -> Self {
        let code = Problem::BadCommand;
        Self::new(at, "?", code).with_message(code.because(reason))
    }
}

/// Why something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// There is an account with this name.
    NameTaken,
    /// The name may not be registered.
    BadName,
    /// The password may not be used.
    BadPassword,
    /// No account with this name, or a wrong password: the registry does not tell which.
    WrongCredentials,
    /// The password that the account has is another one.
    WrongPassword,
    /// Too many attempts; the registry limits the rate.
    SlowDown,
    /// The registry answered with an error of its own.
    RegistryFailed,
    /// The registry cannot be reached.
    RegistryUnreachable,
    /// This needs a session.
    NotLoggedIn,
    /// There is a session already.
    AlreadyLoggedIn,
    /// No user with this name is online.
    NotOnline,
    /// The target is the user.
    Oneself,
    /// The target is a member already.
    AlreadyMember,
    /// The target has been asked and has not answered yet.
    AlreadyAsked,
    /// There is no such request.
    NoSuchRequest,
    /// The chat has no members.
    NobodyThere,
    /// The chat has as many members as it can have.
    ChatFull,
    /// The text is empty, too long, or has characters that cannot be sent.
    BadText,
    /// The line or frame is not a command.
    BadCommand,
    /// The history is off, or cannot be read.
    NoHistory,
    /// Too much at once: the peer still works on earlier commands.
    TooMuch,
    /// The target is blocked.
    Blocked,
    /// The target is not blocked.
    NotBlocked,
    /// It is done, but cannot be saved for later sessions.
    NotKept,
    /// There is no leave or block to take back, or it is too long ago.
    NothingToUndo,
    /// There is no conversation with this id.
    NoSuchConversation,
    /// The id of the call stands for another command of this front end already.
    IdUsed,
    /// The account is not bound to a key yet: the password is needed.
    PasswordNeeded,
    /// The account is bound to the key of another person.
    OtherPerson,
    /// The operator of the registry has removed this device.
    DeviceForgotten,
    /// The person has as many devices as they can have.
    TooManyDevices,
    /// This needs an encrypted line to the registry.
    NotEncrypted,
    /// The registry has another key than the pinned one.
    RegistryKeyChanged,
    /// No registry is pinned by this name, or none with this fingerprint waits for a decision.
    NoSuchRegistry,
    /// The user has no key.
    NoKey,
    /// The code is not that of the user's key.
    WrongCode,
    /// What is to be imported is no exported identity, or its password is wrong.
    BadIdentity,
    /// The imported key cannot be saved. The earlier one still counts.
    IdentityNotKept,
    /// The key of this profile is in use: an account is bound to it.
    IdentityInUse,
    /// Only an owner of the group can do that.
    NotOwner,
    /// It cannot be done in this conversation.
    NotPossible,
    /// There is no message with this id, or it is not shown.
    NoSuchMessage,
    /// The user speaks version 1 of the protocol alone.
    OlderProgram,
    /// The registry has another key for this user than the pinned one.
    UserKeyChanged,
    /// The users have an encrypted p2pchat, and this would speak to them unencrypted: the user has
    /// to agree first.
    HasEncrypted,
    /// The encrypted conversations cannot be opened.
    NoChats,
    /// No registry is chosen yet.
    NoRegistry,
    /// What is to be the registry is no name or address, or cannot be reached from this machine.
    BadRegistry,
    /// A registry, or another program in its place, runs on this machine already.
    RegistryThere,
    /// The registry could not be started on this machine.
    RegistryNotStarted,
}
