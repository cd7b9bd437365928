//! An encrypted conversation: who is in it, and what the user has set for it.

use p2pchat_protocol::Username;
use p2pchat_protocol::v2::{DisplayName, PersonKey};
use serde::{Deserialize, Serialize};

use crate::identity::Trust;
use crate::message::MessageId;
use crate::time::Timestamp;

/// A person by their key, with the name that the registry vouches for, or that is pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Named {
    /// Their key.
    pub key: PersonKey,
    /// Their name; null if it is not known yet.
    pub name: Option<Username>,
    /// Whether it is the user.
    pub you: bool,
}

/// What an encrypted conversation has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Chat {
    /// Of how many people it is.
    pub kind: ChatKind,
    /// The name of a group; empty if it has none.
    pub name: DisplayName,
    /// What the user is to it.
    pub standing: Standing,
    /// Whether the user is an owner: only owners rename a group and remove people.
    pub owner: bool,
    /// Who is in it or asked, without the user, in the order of their names.
    pub members: Vec<Member>,
    /// From when on the user sees what is written; null for everything.
    pub since: Option<Timestamp>,
    /// How many messages of others came after the last that the user has read.
    pub unread: u64,
    /// How many of them mention the user.
    pub mentions: u64,
    /// What the user is alerted of.
    pub alerts: Alerts,
    /// Whether it stands before others in a list.
    pub pinned: bool,
    /// Whether it is put away.
    pub archived: bool,
}

impl Chat {
    /// One that the user is in, and nobody else.
    #[must_use]
    pub fn new(kind: ChatKind) -> Self {
        Self {
            kind,
            name: DisplayName::default(),
            standing: Standing::In,
            owner: false,
            members: Vec::new(),
            since: None,
            unread: 0,
            mentions: 0,
            alerts: Alerts::All,
            pinned: false,
            archived: false,
        }
    }

    /// How many unread messages the user is alerted of.
    #[must_use]
    pub fn alerting(&self) -> u64 {
        match self.alerts {
            Alerts::All => self.unread,
            Alerts::Mentions => self.mentions,
            Alerts::Nothing => 0,
        }
    }

    /// The other one of a direct conversation.
    #[must_use]
    pub fn partner(&self) -> Option<&Member> {
        let is_direct = self.kind == ChatKind::Direct;
        self.members.first().filter(|_| is_direct)
    }

    /// The other one of a direct conversation, if they have declined.
    #[must_use]
    pub fn declined(&self) -> Option<Named> {
        let other = self.members.first().filter(|member| member.declined)?;
        Some(other.who)
    }
}

/// Of how many people a conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChatKind {
    /// Of the user and one other person. Nobody else can ever be in it.
    Direct,
    /// Of any number.
    Group,
}

/// What the user is to a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// They are in it.
    In,
    /// They were asked by this person, and have not answered yet.
    Asked(Named),
    /// They are not in it any more: they have left, were removed, or have declined.
    Out,
}

/// A person in a conversation, or one who was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Member {
    /// Who it is.
    pub who: Named,
    /// Whether they have yet to accept.
    pub asked: bool,
    /// Whether they have declined. Only the other one of a direct conversation stays a member then.
    pub declined: bool,
    /// Whether they are an owner.
    pub owner: bool,
    /// How well their key is known; null if the registry was not asked for it yet.
    pub trust: Option<Trust>,
    /// Whether they are writing at this moment.
    pub typing: bool,
    /// The newest message that they have read, if they tell.
    pub read: Option<MessageId>,
}

impl Member {
    /// Whether the user goes on with this person under another key: nobody is there under this one.
    #[must_use]
    pub fn is_former(&self) -> bool {
        self.trust == Some(Trust::Former)
    }
}

/// What of a conversation the user is alerted of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Alerts {
    /// All messages.
    #[default]
    All,
    /// Messages that mention them.
    Mentions,
    /// Nothing.
    Nothing,
}

/// How the membership of a conversation has changed, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DatedChange {
    /// When.
    pub at: Timestamp,
    /// How.
    pub change: ChatChange,
}

/// How the membership of a conversation has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChatChange {
    /// Someone was asked.
    Asked {
        /// Who.
        who: Named,
        /// Who did it, where that is known.
        by: Option<Named>,
    },
    /// So many more were asked by the same person within a minute.
    AskedMore {
        /// How many.
        count: u64,
        /// Who did it, where that is known.
        by: Option<Named>,
    },
    /// Someone has accepted.
    Joined(Named),
    /// Someone who was asked has declined.
    Declined(Named),
    /// Someone has left.
    Left(Named),
    /// Someone was removed by an owner.
    Removed {
        /// Who.
        who: Named,
        /// Who did it, where that is known.
        by: Option<Named>,
    },
    /// The group has another name.
    Renamed(DisplayName),
    /// Someone is an owner now.
    Owner(Named),
    /// Someone is no owner any more.
    Resigned(Named),
    /// What someone wrote breaks a rule: nothing more of that log counts.
    LogEnded(Named),
}
