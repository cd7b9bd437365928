//! What a user can ask the program to do.

use p2pchat_protocol::v2::{Code, DisplayName, Fingerprint, Passphrase, PersonKey};
use p2pchat_protocol::{PeerAddr, Username};
use serde::{Deserialize, Serialize};

use crate::chat::Alerts;
use crate::conversation::ConversationId;
use crate::message::MessageId;
use crate::target::Target;

/// What a user can ask the program to do, in any front end.
///
/// A command is answered by events, of which `done` or `failed` is the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Go to another registry, and remember it once it answers. Not while an account is logged in.
    UseRegistry {
        /// It: `HOST`, with `:PORT` and `#FINGERPRINT` or without, or several with commas.
        registry: String,
    },
    /// Start a registry on this machine that others can use too, and go to it. If there is one,
    /// `registry_found` names it.
    StartRegistry,
    /// Create an account, and log in to it.
    Register {
        /// Its name.
        name: Username,
        /// Its password.
        password: Passphrase,
        /// The name that others see beside it; empty for none.
        #[serde(default)]
        display_name: DisplayName,
    },
    /// Log in.
    Login {
        /// The account.
        name: Username,
        /// Its password. Not needed where the account is bound to the key of this profile.
        #[serde(default)]
        password: Option<Passphrase>,
    },
    /// Leave the chat and log out of the registry.
    Logout,
    /// Ask the registry who is online now.
    Refresh,
    /// Ask the registry for the address of a user.
    Search {
        /// The user.
        name: Username,
    },
    /// Send a chat request: to begin a chat, or to add a user to the current one.
    Request {
        /// The conversation.
        conversation: ConversationId,
        /// The user or address.
        to: Target,
    },
    /// Withdraw a chat request that waits for another user's answer.
    Cancel {
        /// The conversation.
        conversation: ConversationId,
        /// The address that it was sent to.
        to: PeerAddr,
    },
    /// Accept the pending chat request.
    Accept {
        /// The conversation.
        conversation: ConversationId,
        /// The address that it came from.
        from: PeerAddr,
    },
    /// Reject the pending chat request.
    Reject {
        /// The conversation.
        conversation: ConversationId,
        /// The address that it came from.
        from: PeerAddr,
    },
    /// Agree that users who have an encrypted p2pchat are asked into the open chat, which is not
    /// encrypted, and accepted there: from now on, until their key is another one.
    AllowOpen {
        /// Who they are: those of a failure with the code `has_encrypted`.
        names: Vec<Username>,
    },
    /// Begin the encrypted conversation with one person, or find it.
    Chat {
        /// The person.
        with: Username,
    },
    /// Begin an encrypted conversation of several people.
    Group {
        /// Its name; empty for none.
        #[serde(default)]
        name: DisplayName,
        /// Those who are asked to be in it.
        members: Vec<Username>,
    },
    /// Ask people to be in a group.
    Add {
        /// The conversation.
        conversation: ConversationId,
        /// Who they are.
        members: Vec<Username>,
        /// Whether they see all that was written before, as far as the user does.
        #[serde(default)]
        sees_all: bool,
    },
    /// Accept to be in an encrypted conversation.
    Join {
        /// The conversation.
        conversation: ConversationId,
    },
    /// Decline to be in an encrypted conversation.
    Decline {
        /// The conversation.
        conversation: ConversationId,
    },
    /// Remove a person from a group.
    Remove {
        /// The conversation.
        conversation: ConversationId,
        /// The person.
        who: PersonKey,
    },
    /// Make a person an owner of a group.
    MakeOwner {
        /// The conversation.
        conversation: ConversationId,
        /// The person.
        who: PersonKey,
    },
    /// Stop being an owner of a group.
    Resign {
        /// The conversation.
        conversation: ConversationId,
    },
    /// Give a group another name.
    Rename {
        /// The conversation.
        conversation: ConversationId,
        /// The name; empty for none.
        name: DisplayName,
    },
    /// Send a message to all members of the chat.
    Say {
        /// The conversation.
        conversation: ConversationId,
        /// Its text. In the open chat one too long for a packet is sent as several.
        text: String,
        /// The message that it replies to; not in the open chat.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<MessageId>,
    },
    /// Change the text of one of the user's messages.
    Edit {
        /// The conversation.
        conversation: ConversationId,
        /// The message.
        message: MessageId,
        /// Its new text.
        text: String,
    },
    /// Delete one of the user's messages for everyone.
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
        /// An emoji; empty to take the reaction back.
        emoji: String,
    },
    /// Note that the user is writing, for the other members to see.
    Typing {
        /// The conversation.
        conversation: ConversationId,
    },
    /// Set what of a conversation the user is alerted of.
    Alert {
        /// The conversation.
        conversation: ConversationId,
        /// What of it.
        of: Alerts,
    },
    /// Set whether a conversation stands before others in a list.
    Pin {
        /// The conversation.
        conversation: ConversationId,
        /// Whether it does.
        on: bool,
    },
    /// Set whether a conversation is put away.
    Archive {
        /// The conversation.
        conversation: ConversationId,
        /// Whether it is.
        on: bool,
    },
    /// Leave a conversation.
    Leave {
        /// The conversation.
        conversation: ConversationId,
    },
    /// Set whether chat requests are answered with BUSY.
    Busy {
        /// Whether they are.
        on: bool,
    },
    /// Set whether the user is shown as away.
    Away {
        /// Whether they are.
        on: bool,
    },
    /// Note that the user is at the keyboard. Without any sign of them for ten minutes they are
    /// shown as away.
    Active,
    /// Set the name that others see beside that of the account.
    DisplayName {
        /// The name; empty for none.
        display_name: DisplayName,
    },
    /// Change the password of the account.
    ChangePassword {
        /// The one that it is now.
        old: Passphrase,
        /// The one that it shall be.
        new: Passphrase,
    },
    /// Set whether the account can also be used by legacy clients, with its password and
    /// unencrypted.
    LegacyLogin {
        /// Whether it can.
        on: bool,
    },
    /// Ask for the code of a user, to compare it with them.
    Code {
        /// The user.
        name: Username,
    },
    /// Trust the key of a user that has this code.
    Trust {
        /// The user.
        name: Username,
        /// The code of their key.
        code: Code,
        /// Whether the user has compared it with them.
        verified: bool,
    },
    /// Go on with the other person of a conversation of two under the key that they have now: it
    /// is trusted as a new one, and what has not reached the earlier one is sent to it.
    AcceptKey {
        /// The conversation.
        conversation: ConversationId,
        /// Also where the user had compared codes, which have to be compared again.
        #[serde(default)]
        although_verified: bool,
    },
    /// Encrypt the key of the user by a password, for another machine of theirs.
    ExportIdentity {
        /// That password.
        password: Passphrase,
    },
    /// Make this profile a further device of the person whose key was exported. Possible as long
    /// as no account is bound to the key that the profile has.
    ImportIdentity {
        /// What was exported.
        identity: String,
        /// The password that it was exported with.
        password: Passphrase,
    },
    /// Read which registries are pinned.
    Registries,
    /// Trust the registry that has another key than the pinned one.
    TrustRegistry {
        /// The fingerprint of its key, as the link says it.
        fingerprint: Fingerprint,
    },
    /// Take back the pin of a registry: the next contact with it is the first one again.
    ForgetRegistry {
        /// Its name, as it was given.
        registry: String,
    },
    /// Ignore all that comes from a user, in this session and later ones.
    Block {
        /// The name, as packets or the registry have it, or the address.
        who: Target,
    },
    /// No longer ignore a user.
    Unblock {
        /// The name or address, as it was blocked.
        who: Target,
    },
    /// Take back the last `leave` or `block`, as long as `undo` of the view offers it.
    Undo,
    /// Note that the user has read a conversation, for all front ends.
    Read {
        /// The conversation.
        conversation: ConversationId,
        /// The newest message that they have read.
        message: MessageId,
    },
    /// Keep a text that the user has typed and not sent, for all front ends.
    Draft {
        /// The conversation.
        conversation: ConversationId,
        /// The text; empty for none.
        text: String,
    },
    /// Read a page of earlier messages.
    History {
        /// The conversation.
        conversation: ConversationId,
        /// Those before this message; the newest if absent.
        #[serde(default)]
        before: Option<MessageId>,
    },
    /// Read a page of an encrypted conversation from a message on: of what is far back.
    HistoryFrom {
        /// The conversation.
        conversation: ConversationId,
        /// The message, or any id that stands before or after it.
        from: MessageId,
    },
    /// Search messages for words.
    Find {
        /// The conversation; all of them if absent.
        #[serde(default)]
        conversation: Option<ConversationId>,
        /// The words. A message must have all of them.
        text: String,
    },
}

impl Command {
    /// Send a message that replies to none.
    #[must_use]
    pub fn say(conversation: ConversationId, text: impl Into<String>) -> Self {
        Self::Say {
            conversation,
            text: text.into(),
            reply_to: None,
        }
    }

    /// Create an account without a display name, and log in to it.
    #[must_use]
    pub fn register(name: Username, password: Passphrase) -> Self {
        Self::Register {
            name,
            password,
            display_name: DisplayName::default(),
        }
    }

    /// Log in with a password.
    #[must_use]
    pub fn login(name: Username, password: Passphrase) -> Self {
        let password = Some(password);
        Self::Login { name, password }
    }

    /// Its name in JSON.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::UseRegistry { .. } => "use_registry",
            Self::StartRegistry => "start_registry",
            Self::Register { .. } => "register",
            Self::Login { .. } => "login",
            Self::Logout => "logout",
            Self::Refresh => "refresh",
            Self::Search { .. } => "search",
            Self::Request { .. } => "request",
            Self::Cancel { .. } => "cancel",
            Self::Accept { .. } => "accept",
            Self::Reject { .. } => "reject",
            Self::AllowOpen { .. } => "allow_open",
            Self::Chat { .. } => "chat",
            Self::Group { .. } => "group",
            Self::Add { .. } => "add",
            Self::Join { .. } => "join",
            Self::Decline { .. } => "decline",
            Self::Remove { .. } => "remove",
            Self::MakeOwner { .. } => "make_owner",
            Self::Resign { .. } => "resign",
            Self::Rename { .. } => "rename",
            Self::Say { .. } => "say",
            Self::Edit { .. } => "edit",
            Self::Delete { .. } => "delete",
            Self::React { .. } => "react",
            Self::Typing { .. } => "typing",
            Self::Alert { .. } => "alert",
            Self::Pin { .. } => "pin",
            Self::Archive { .. } => "archive",
            Self::Leave { .. } => "leave",
            Self::Busy { .. } => "busy",
            Self::Away { .. } => "away",
            Self::Active => "active",
            Self::DisplayName { .. } => "display_name",
            Self::ChangePassword { .. } => "change_password",
            Self::LegacyLogin { .. } => "legacy_login",
            Self::Code { .. } => "code",
            Self::Trust { .. } => "trust",
            Self::AcceptKey { .. } => "accept_key",
            Self::ExportIdentity { .. } => "export_identity",
            Self::ImportIdentity { .. } => "import_identity",
            Self::Registries => "registries",
            Self::TrustRegistry { .. } => "trust_registry",
            Self::ForgetRegistry { .. } => "forget_registry",
            Self::Block { .. } => "block",
            Self::Unblock { .. } => "unblock",
            Self::Undo => "undo",
            Self::Read { .. } => "read",
            Self::Draft { .. } => "draft",
            Self::History { .. } => "history",
            Self::HistoryFrom { .. } => "history_from",
            Self::Find { .. } => "find",
        }
    }

    /// The conversation that it concerns.
    #[must_use]
    pub fn conversation(&self) -> Option<ConversationId> {
        match self {
            Self::Request { conversation, .. }
            | Self::Cancel { conversation, .. }
            | Self::Accept { conversation, .. }
            | Self::Reject { conversation, .. }
            | Self::Add { conversation, .. }
            | Self::Join { conversation }
            | Self::Decline { conversation }
            | Self::Remove { conversation, .. }
            | Self::MakeOwner { conversation, .. }
            | Self::Resign { conversation }
            | Self::Rename { conversation, .. }
            | Self::Say { conversation, .. }
            | Self::Edit { conversation, .. }
            | Self::Delete { conversation, .. }
            | Self::React { conversation, .. }
            | Self::Typing { conversation }
            | Self::Alert { conversation, .. }
            | Self::Pin { conversation, .. }
            | Self::Archive { conversation, .. }
            | Self::Leave { conversation }
            | Self::AcceptKey { conversation, .. }
            | Self::Read { conversation, .. }
            | Self::Draft { conversation, .. }
            | Self::History { conversation, .. }
            | Self::HistoryFrom { conversation, .. } => Some(*conversation),
            Self::Find { conversation, .. } => *conversation,
            Self::UseRegistry { .. }
            | Self::StartRegistry
            | Self::Register { .. }
            | Self::Login { .. }
            | Self::Logout
            | Self::Refresh
            | Self::Search { .. }
            | Self::AllowOpen { .. }
            | Self::Chat { .. }
            | Self::Group { .. }
            | Self::Busy { .. }
            | Self::Away { .. }
            | Self::Active
            | Self::DisplayName { .. }
            | Self::ChangePassword { .. }
            | Self::LegacyLogin { .. }
            | Self::Code { .. }
            | Self::Trust { .. }
            | Self::ExportIdentity { .. }
            | Self::ImportIdentity { .. }
            | Self::Registries
            | Self::TrustRegistry { .. }
            | Self::ForgetRegistry { .. }
            | Self::Block { .. }
            | Self::Unblock { .. }
            | Self::Undo => None,
        }
    }

    /// Whether it does no more if it is carried out twice: it asks, or sets something to a
    /// value.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        matches!(
            self,
            Self::UseRegistry { .. }
                | Self::StartRegistry
                | Self::Refresh
                | Self::Search { .. }
                | Self::AllowOpen { .. }
                | Self::Chat { .. }
                | Self::Typing { .. }
                | Self::Alert { .. }
                | Self::Pin { .. }
                | Self::Archive { .. }
                | Self::Busy { .. }
                | Self::Away { .. }
                | Self::Active
                | Self::DisplayName { .. }
                | Self::LegacyLogin { .. }
                | Self::Code { .. }
                | Self::Trust { .. }
                | Self::ExportIdentity { .. }
                | Self::Registries
                | Self::Read { .. }
                | Self::Draft { .. }
                | Self::History { .. }
                | Self::Find { .. }
        )
    }

    /// Whether its JSON has its name alone.
    pub(crate) fn has_no_fields(&self) -> bool {
        matches!(
            self,
            Self::StartRegistry
                | Self::Logout
                | Self::Refresh
                | Self::Undo
                | Self::Active
                | Self::Registries
        )
    }
}
