//! Who there is, and what the user asks.

use std::net::Ipv4Addr;

use arbitrary::Arbitrary;
use p2pchat_model::{Command, ConversationId, MessageId, Passphrase, PeerAddr, Target, Username};

/// The longest text that a user says here: a few packets.
const MAX_SAID: usize = 300;

/// The address of the machine that is tried.
pub(super) fn own_address() -> PeerAddr {
    PeerAddr::new(Ipv4Addr::new(10, 0, 0, 1)).unwrap()
}

/// One of a few people, or a user at any address.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub(super) enum Someone {
    Known(u8),
    Anywhere(u32),
}

impl Someone {
    pub(super) fn address(self) -> PeerAddr {
        let ip = match self {
            Self::Known(who) => Ipv4Addr::new(10, 0, 0, 1 + who % 8),
            Self::Anywhere(ip) => ip.into(),
        };
        PeerAddr::new(ip).unwrap_or(own_address())
    }

    pub(super) fn name(self) -> Username {
        let name = match self {
            Self::Known(who) => ["ann", "bob", "cem", "dia"][usize::from(who % 4)].to_owned(),
            Self::Anywhere(number) => number.to_string(),
        };
        Username::new(&name).unwrap()
    }
}

/// What the user asks.
#[derive(Debug, Arbitrary)]
pub(super) enum Ask<'a> {
    Register(Someone),
    Login(Someone),
    Logout,
    Refresh,
    Search(Someone),
    RequestAddress(Someone),
    RequestName(Someone),
    Accept(Someone),
    Reject(Someone),
    Say(&'a str),
    Leave,
    Busy(bool),
    History(Option<u64>),
    Find(&'a str),
    BlockAddress(Someone),
    BlockName(Someone),
    UnblockAddress(Someone),
    UnblockName(Someone),
    Cancel(Someone),
    Undo,
    Read(u64),
    Draft(&'a str),
}

impl From<Ask<'_>> for Command {
    fn from(ask: Ask<'_>) -> Self {
        let password = || Passphrase::new("pw").unwrap();
        let conversation = ConversationId::OPEN;
        match ask {
            Ask::Register(who) => Self::register(who.name(), password()),
            Ask::Login(who) => Self::login(who.name(), password()),
            Ask::Logout => Self::Logout,
            Ask::Refresh => Self::Refresh,
            Ask::Search(who) => Self::Search { name: who.name() },
            Ask::RequestAddress(who) => Self::Request {
                conversation,
                to: Target::Address(who.address()),
            },
            Ask::RequestName(who) => Self::Request {
                conversation,
                to: Target::Name(who.name()),
            },
            Ask::Accept(who) => Self::Accept {
                conversation,
                from: who.address(),
            },
            Ask::Reject(who) => Self::Reject {
                conversation,
                from: who.address(),
            },
            Ask::Say(text) => Self::Say {
                conversation,
                text: text.chars().take(MAX_SAID).collect(),
                reply_to: None,
            },
            Ask::Leave => Self::Leave { conversation },
            Ask::Busy(on) => Self::Busy { on },
            Ask::Read(message) => Self::Read {
                conversation,
                message: MessageId::new(message),
            },
            Ask::Draft(text) => Self::Draft {
                conversation,
                text: text.to_owned(),
            },
            Ask::History(before) => Self::History {
                conversation,
                before: before.map(MessageId::new),
            },
            Ask::Find(text) => Self::Find {
                conversation: None,
                text: text.to_owned(),
            },
            Ask::BlockAddress(who) => Self::Block {
                who: Target::Address(who.address()),
            },
            Ask::BlockName(who) => Self::Block {
                who: Target::Name(who.name()),
            },
            Ask::UnblockAddress(who) => Self::Unblock {
                who: Target::Address(who.address()),
            },
            Ask::UnblockName(who) => Self::Unblock {
                who: Target::Name(who.name()),
            },
            Ask::Cancel(who) => Self::Cancel {
                conversation,
                to: who.address(),
            },
            Ask::Undo => Self::Undo,
        }
    }
}
