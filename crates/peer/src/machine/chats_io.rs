//! What the machine and the encrypted conversations tell each other.
//!
//! The conversations live in a [`Node`](crate::conversations::Node) of their own thread; people
//! are keys there. The machine knows the names that the registry vouches for, and who is online
//! where.

use std::net::SocketAddr;

use p2pchat_model::{
    Alerts, ConversationId, DatedChange, Event, MessageId, Post, Problem, Username,
};
use p2pchat_protocol::v2::{DeviceKey, DisplayName, PersonKey};

use super::io::{SaidBy, SendId};

/// What the machine tells the conversations.
#[derive(Debug)]
pub enum ToChats {
    /// Do this; then [`FromChats::Done`].
    Order {
        /// Returned with the result.
        id: SendId,
        /// What to do.
        order: Order,
    },
    /// Tell all conversations, each with its newest message, and what the user has read and typed
    /// there; mentions are of this account from now on.
    Tell {
        /// The account.
        account: Username,
    },
    /// Make a session with a device, unless there is one; if there is none then,
    /// [`FromChats::NotReached`].
    Dial {
        /// Where it listens.
        address: SocketAddr,
        /// The device.
        device: DeviceKey,
    },
    /// The clock of the registry, in milliseconds since 1970.
    RegistryTime(u64),
    /// This machine is in another network: the sessions that there are lead nowhere.
    Moved,
    /// The user has signed out: end all sessions, and take no new ones until [`ToChats::Tell`].
    SignedOut,
    /// Note that the user is writing.
    Typing(ConversationId),
}

/// What is asked of the conversations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Begin the conversation with this person, or find it: [`Ordered::Opened`].
    Direct(PersonKey),
    /// Go on with a person under another key, if there is the conversation with the one before:
    /// what has not reached that one is said once more, and its conversation is put away.
    /// [`Ordered::Opened`].
    MoveOn {
        /// The key before.
        from: PersonKey,
        /// The key now.
        to: PersonKey,
    },
    /// Begin one of several: [`Ordered::Opened`].
    Group {
        /// Its name.
        name: DisplayName,
        /// Those who are asked.
        people: Vec<PersonKey>,
    },
    /// Ask people to be in one.
    Add {
        /// The conversation.
        conversation: ConversationId,
        /// Those who are asked.
        people: Vec<PersonKey>,
        /// Whether they see everything.
        sees_all: bool,
    },
    /// Accept to be in one.
    Join(ConversationId),
    /// Decline to be in one.
    Decline(ConversationId),
    /// End the membership of a person.
    Remove(ConversationId, PersonKey),
    /// Make a person an owner.
    MakeOwner(ConversationId, PersonKey),
    /// Be no owner any more.
    Resign(ConversationId),
    /// End the user's own membership.
    Leave(ConversationId),
    /// Give a group another name.
    Rename(ConversationId, DisplayName),
    /// Say something: [`Ordered::Said`].
    Say {
        /// The conversation.
        conversation: ConversationId,
        /// The text.
        text: String,
        /// What it replies to.
        reply_to: Option<MessageId>,
        /// The call that leads to it: kept with it, so that the same call says nothing twice, in a
        /// later process either.
        said_by: Option<SaidBy>,
    },
    /// Change the text of an own message.
    Edit {
        /// The conversation.
        conversation: ConversationId,
        /// The message.
        message: MessageId,
        /// The text.
        text: String,
    },
    /// Delete an own message for everyone.
    Delete {
        /// The conversation.
        conversation: ConversationId,
        /// The message.
        message: MessageId,
    },
    /// React to a message.
    React {
        /// The conversation.
        conversation: ConversationId,
        /// The message.
        message: MessageId,
        /// An emoji; empty for none.
        emoji: String,
    },
    /// The user has read it up to here.
    Read(ConversationId, MessageId),
    /// The user has typed this and not sent it.
    Draft(ConversationId, String),
    /// What the user is alerted of.
    Alert(ConversationId, Alerts),
    /// Whether it stands before others.
    Pin(ConversationId, bool),
    /// Whether it is put away.
    Archive(ConversationId, bool),
    /// A page of messages: [`Ordered::Page`].
    Page(ConversationId, Part),
    /// The messages that have all of these words, in one conversation or all:
    /// [`Ordered::Found`].
    Find {
        /// The conversation; all if `None`.
        conversation: Option<ConversationId>,
        /// The words.
        text: String,
    },
}

/// Which page of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The one that ends before this message; the newest if `None`.
    Before(Option<MessageId>),
    /// The one that begins with this message.
    From(MessageId),
}

/// The result of an [`Order`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ordered {
    /// It is done. The events that follow from it have come before.
    Done,
    /// The conversation that was begun or found.
    Opened(ConversationId),
    /// What was said.
    Said {
        /// The conversation.
        conversation: ConversationId,
        /// The message.
        message: MessageId,
    },
    /// A page, oldest first.
    Page {
        /// Its messages.
        posts: Vec<Post>,
        /// How the membership changed between them. Not of a page from a message on.
        changes: Vec<DatedChange>,
        /// Whether there are older ones; of a page from a message on, later ones.
        more: bool,
    },
    /// Messages, newest first.
    Found(Vec<Post>),
}

/// What the conversations tell the machine.
#[derive(Debug)]
pub enum FromChats {
    /// An event of a conversation, in which people have no names and no trust yet, as only the
    /// machine knows these.
    Event(Event),
    /// The result of an order, or why it was not carried out, also in words.
    Done {
        /// The id of the order.
        id: SendId,
        /// The result.
        result: Result<Ordered, (Problem, String)>,
    },
    /// There is a session with a device.
    Connected {
        /// The device.
        device: DeviceKey,
    },
    /// There is none any more.
    Disconnected {
        /// The device.
        device: DeviceKey,
    },
    /// A device could not be reached.
    NotReached {
        /// The device.
        device: DeviceKey,
    },
}
