//! Why something is not done, and what to do about it.

use std::fmt::Display;

use crate::event::Problem;
use crate::target::Target;

impl Problem {
    /// The problem in words that fit behind a colon.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NameTaken => "this name is taken",
            Self::BadName => "this name cannot be used",
            Self::BadPassword => "this password cannot be used",
            Self::WrongCredentials => "name or password is wrong",
            Self::WrongPassword => "the old password is wrong",
            Self::SlowDown => "too many attempts, wait a moment and try again",
            Self::RegistryFailed => "the registry has a problem, try again later",
            Self::RegistryUnreachable => "cannot reach the registry",
            Self::NotLoggedIn => "sign in first",
            Self::AlreadyLoggedIn => "you are signed in already",
            Self::NotOnline => "no one with this name is online",
            Self::Oneself => "you cannot do that to yourself",
            Self::AlreadyMember => "already in the chat",
            Self::AlreadyAsked => "asked already, and has not answered yet",
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
            Self::NoKey => "nobody with this name has an encrypted p2pchat here",
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
            Self::WrongPassword => "type the password that the account has now",
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
            Self::NoKey => "check the name: they may use an older program, or have yet to sign in",
            Self::WrongCode => "compare the codes again, in person or by phone",
            Self::BadIdentity => "check the file and its password; it may be of a later p2pchat",
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

/// A message has more letters than can be sent at once, by so many.
#[must_use]
pub fn message_too_long(letters: usize) -> String {
    match letters {
        1 => "this message is too long by 1 letter".to_owned(),
        letters => format!("this message is too long by {letters} letters"),
    }
}
