//! The commands that a user types, in the full screen and in plain lines alike.
//!
//! [`COMMANDS`] is the one table of them: parsing, `/help` and completion all read it.

use p2pchat_model::{
    Command, ConversationId, DisplayNameError, Problem, TargetError, Username, View,
};
use p2pchat_protocol::UsernameError;
use p2pchat_protocol::v2::BadText;
use thiserror::Error;

use self::arguments::say;
use crate::shown::Shown;

mod arguments;
mod chats;
mod completion;
mod table;

pub use chats::{begin_with, is_reached_openly, what_is_set};
pub use completion::completions;
pub use table::COMMANDS;

/// What a typed line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// Nothing: an empty line.
    Nothing,
    /// A command for the peer.
    Command(Command),
    /// Several, one after the other.
    Commands(Vec<Command>),
    /// Another conversation to be shown.
    Go(ConversationId),
    /// A login, for which a password has to be asked.
    SignIn {
        /// Whether to create the account first.
        register: bool,
        /// The account, if it was named.
        name: Option<Username>,
    },
    /// The list of commands.
    Help,
    /// Who is online and who is in the chat; or what is known of this user.
    Who(Option<Username>),
    /// Who is blocked.
    Blocked,
    /// How the user is shown to others.
    Status,
    /// A change of the password, for which passwords have to be asked.
    Password,
    /// The keys of the profile, and the line to the registry.
    Identity,
    /// What to send to a colleague, so that they come to the same registry.
    Invite,
    /// The end of the program.
    Quit,
}

/// Why a typed line is not a command.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CommandError {
    /// No command has this name; the one with the nearest name, if any is near.
    #[error("unknown command {name}{}; to send it as text, begin with //", hint(*nearest))]
    Unknown {
        /// What was typed.
        name: String,
        /// A command that may be meant.
        nearest: Option<&'static str>,
    },
    /// White space stands before what looks like a command.
    #[error("remove the space before {0} to run it; to send it as text, begin with //")]
    SpaceBefore(String),
    /// What looks like a command goes on after a line break, as pasted text does.
    #[error("a command is one line; to send all lines as text, begin with //")]
    SeveralLines,
    /// The command takes no argument.
    #[error("{0} takes no argument")]
    NoArgument(&'static str),
    /// The command needs an argument, of which this is an example.
    #[error("an argument is missing, for example: {0}")]
    Missing(&'static str),
    /// The command takes `on` or `off`.
    #[error("on or off? without either, the command switches over")]
    NotASwitch,
    /// The argument can be `yes` alone.
    #[error("/anyway, or: /anyway yes")]
    NotYes,
    /// The argument is no status.
    #[error("available, busy or away?")]
    NotAStatus,
    /// The command takes `trust` or `forget`.
    #[error("/registries shows them; or: /registries trust FINGERPRINT, /registries forget NAME")]
    NotAboutRegistries,
    /// The argument is not a display name.
    #[error(transparent)]
    DisplayName(#[from] DisplayNameError),
    /// The argument is neither a code nor a fingerprint.
    #[error(transparent)]
    Text(#[from] BadText),
    /// The argument is neither a name nor an address.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The argument is not a name.
    #[error(transparent)]
    Name(#[from] UsernameError),
    /// There is more than a name, perhaps a password.
    #[error("give only the name, the password is asked for without showing it")]
    NotOnlyAName,
    /// No chat request that was sent to this user waits for an answer.
    #[error("no request of yours to {0} waits for an answer")]
    NotAsked(String),
    /// Several chat requests that were sent wait for an answer.
    #[error("which one? for example: /cancel {0}")]
    AskedSeveral(String),
    /// No chat request waits for an answer.
    #[error("{}", Problem::NoSuchRequest.words())]
    NoRequest,
    /// Several do.
    #[error(
        "which one? /join NAME or /decline NAME, of the group or of who asks; or F3 lists them"
    )]
    SeveralRequests,
    /// The command is about encrypted conversations, and the open chat is shown.
    #[error("not in the open chat: /go NAME first")]
    OpenChat,
    /// No member of the conversation has this name.
    #[error("{0} is not in this chat")]
    NotAMember(Username),
    /// The name of a group, as it was typed, is that of a user.
    #[error("a group comes with its name first: /group \"Release team\" {0}")]
    NoGroupName(Username),
    /// The argument is not what one can be alerted of.
    #[error("all, mentions or nothing?")]
    NotAlerts,
    /// No conversation and no one who is online has this name.
    #[error("no chat and no one online is called {0}")]
    NoChat(String),
    /// The conversation has no message of others.
    #[error("there is no message of others here")]
    NoMessage,
}

/// `, did you mean /login?`
fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(
        || ", /help lists all commands".to_owned(),
        |name| format!(", did you mean {name}?"),
    )
}

/// When a command can do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    SignedOut,
    SignedIn,
}

/// A command as it is typed.
pub struct Entry {
    /// Its name, with the slash, and other names of it.
    names: &'static [&'static str],
    when: When,
    /// What may follow; empty for a command without an argument.
    pub arguments: &'static str,
    /// What it does, for `/help`.
    pub help: &'static str,
    /// Parses the argument, which is empty where there is none.
    parse: fn(&str, Shown<'_>) -> Result<Typed, CommandError>,
}

const fn entry(
    names: &'static [&'static str],
    arguments: &'static str,
    help: &'static str,
    parse: fn(&str, Shown<'_>) -> Result<Typed, CommandError>,
) -> Entry {
    Entry {
        names,
        when: When::Always,
        arguments,
        help,
        parse,
    }
}

impl Entry {
    const fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }

    /// Whether it can do something now: not a login while signed in, nor the other way round.
    #[must_use]
    pub fn is_possible(&self, view: &View) -> bool {
        match self.when {
            When::Always => true,
            When::SignedOut => view.account.is_none(),
            When::SignedIn => view.account.is_some(),
        }
    }

    /// Its name, with the slash.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.names[0]
    }

    /// The name and what may follow.
    #[must_use]
    pub fn usage(&self) -> String {
        let usage = format!("{} {}", self.name(), self.arguments);
        usage.trim_end().to_owned()
    }
}

/// Parses a line.
///
/// It is a command if it begins with a slash and its first word has no other one, so a path
/// is a message. One with two slashes is a message with one. White space before a command is
/// a slip, and an error: the line would be neither what was meant nor fit for others' eyes.
///
/// # Errors
/// If it looks like a command and is none, or its argument is wrong.
pub fn parse(line: &str, shown: Shown<'_>) -> Result<Typed, CommandError> {
    let text = line.trim();
    if text.is_empty() {
        return Ok(Typed::Nothing);
    }
    if let Some(rest) = line.strip_prefix("//") {
        return Ok(say(&format!("/{rest}"), shown));
    }
    let (name, argument) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    if !name.starts_with('/') || name[1..].contains('/') {
        return Ok(say(line, shown));
    }
    if !line.starts_with('/') {
        return Err(CommandError::SpaceBefore(name.to_owned()));
    }
    if text.contains('\n') {
        return Err(CommandError::SeveralLines);
    }
    let (name, argument) = (name.to_lowercase(), argument.trim());
    let mut entries = COMMANDS.iter();
    match entries.find(|entry| entry.names.contains(&name.as_str())) {
        None => {
            let nearest = nearest(&name);
            Err(CommandError::Unknown { name, nearest })
        }
        Some(entry) if entry.arguments.is_empty() && !argument.is_empty() => {
            Err(CommandError::NoArgument(entry.name()))
        }
        Some(entry) => (entry.parse)(argument, shown),
    }
}

/// How alike two names are at least, of 1, for one to be taken for the other.
const ALIKE: f64 = 0.6;

/// The name of a command that is most like this one.
fn nearest(name: &str) -> Option<&'static str> {
    let names = COMMANDS.iter().flat_map(|entry| entry.names);
    let likeness = names.map(|known| {
        // `/acc` and `/blocklist` are the beginning and the end of a thought.
        let begins = name.len() > 2 && (known.starts_with(name) || name.starts_with(known));
        let like = strsim::normalized_damerau_levenshtein(name, known);
        (if begins { like.max(ALIKE) } else { like }, *known)
    });
    let best = likeness.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (best.0 >= ALIKE).then_some(best.1)
}

#[cfg(test)]
mod tests;
