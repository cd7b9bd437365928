//! The commands that a user types, in the full screen and in plain lines alike.
//!
//! [`COMMANDS`] is the one table of them: parsing, `/help` and completion all read it.

use p2pchat_model::{Command, PeerAddr, Problem, Target, TargetError, Username, View, action};
use p2pchat_protocol::UsernameError;
use thiserror::Error;

/// What a typed line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// Nothing: an empty line.
    Nothing,
    /// A command for the peer.
    Command(Command),
    /// A login, for which a password has to be asked.
    SignIn {
        /// Whether to create the account first.
        register: bool,
        /// The account, if it was named.
        name: Option<Username>,
    },
    /// The list of commands.
    Help,
    /// Who is online and who is in the chat.
    Who,
    /// Who is blocked.
    Blocked,
    /// The end of the program.
    Quit,
}

/// Why a typed line is not a command.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CommandError {
    /// No command has this name.
    #[error("unknown command {0}, /help lists all commands")]
    Unknown(String),
    /// The command takes no argument.
    #[error("{0} takes no argument")]
    NoArgument(&'static str),
    /// The command needs an argument, of which this is an example.
    #[error("an argument is missing, for example: {0}")]
    Missing(&'static str),
    /// The command takes `on` or `off`.
    #[error("on or off? without either, the command switches over")]
    NotASwitch,
    /// The argument is neither a name nor an address.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The argument is not a name.
    #[error(transparent)]
    Name(#[from] UsernameError),
    /// There is more than a name, perhaps a password.
    #[error("give only the name, the password is asked for without showing it")]
    NotOnlyAName,
    /// No chat request waits for an answer.
    #[error("{}", Problem::NoSuchRequest.words())]
    NoRequest,
}

/// A command as it is typed.
pub struct Entry {
    /// Its name, with the slash, and hidden names of it.
    names: &'static [&'static str],
    /// What may follow; empty for a command without an argument.
    pub arguments: &'static str,
    /// What it does, for `/help`.
    pub help: &'static str,
    /// Parses the argument, which is empty where there is none.
    parse: fn(&str, &View) -> Result<Typed, CommandError>,
}

/// All commands, in the order in which a new user needs them.
pub const COMMANDS: &[Entry] = &[
    entry(&["/help", "/?"], "", "show this help", |_, _| {
        Ok(Typed::Help)
    }),
    entry(
        &["/register"],
        "[NAME]",
        "create an account and sign in",
        |name, _| sign_in(true, name),
    ),
    entry(&["/login"], "[NAME]", "sign in", |name, _| {
        sign_in(false, name)
    }),
    entry(
        &["/who"],
        "",
        "show who is in the chat and who is online",
        |_, _| Ok(Typed::Who),
    ),
    entry(
        &["/request"],
        "NAME|ADDRESS",
        "ask a user for a chat, or into this one",
        |to, _| request(to),
    ),
    entry(&["/chat"], "NAME|ADDRESS", "same as /request", |to, _| {
        request(to)
    }),
    entry(&["/accept"], "", "accept the chat request", |_, view| {
        let from = requester(view)?;
        Ok(Typed::Command(Command::Accept { from }))
    }),
    entry(&["/reject"], "", "reject the chat request", |_, view| {
        let from = requester(view)?;
        Ok(Typed::Command(Command::Reject { from }))
    }),
    entry(
        &["/me"],
        "ACTION",
        "send what you do: * waves",
        |what, _| Ok(say(&action(needed(what, "/me waves")?))),
    ),
    entry(&["/leave"], "", "leave the chat", |_, _| {
        Ok(Typed::Command(Command::Leave))
    }),
    entry(
        &["/busy"],
        "[on|off]",
        "reject chat requests as busy, or no longer",
        |argument, view| {
            let on = switch(argument, view.busy)?;
            Ok(Typed::Command(Command::Busy { on }))
        },
    ),
    entry(
        &["/block"],
        "[NAME|ADDRESS]",
        "block a user, or who sent the chat request",
        |who, view| {
            let who = match (who, &view.incoming) {
                ("", Some(request)) => request.from.to_block(),
                _ => target(who, "/block mallory")?,
            };
            Ok(Typed::Command(Command::Block { who }))
        },
    ),
    entry(&["/unblock"], "NAME|ADDRESS", "unblock a user", |who, _| {
        let who = target(who, "/unblock mallory")?;
        Ok(Typed::Command(Command::Unblock { who }))
    }),
    entry(&["/blocked"], "", "show who is blocked", |_, _| {
        Ok(Typed::Blocked)
    }),
    entry(
        &["/search"],
        "NAME",
        "look up a user in the registry",
        |name, _| {
            let name = Username::new(needed(name, "/search bob")?)?;
            Ok(Typed::Command(Command::Search { name }))
        },
    ),
    entry(&["/history"], "", "show earlier messages", |_, view| {
        let before = view.oldest_message();
        Ok(Typed::Command(Command::History { before }))
    }),
    entry(
        &["/find"],
        "WORDS",
        "search all messages for words",
        |words, _| {
            let text = needed(words, "/find lunch on Friday")?.to_owned();
            Ok(Typed::Command(Command::Find { text }))
        },
    ),
    entry(&["/logout"], "", "leave the chat and sign out", |_, _| {
        Ok(Typed::Command(Command::Logout))
    }),
    entry(
        &["/quit", "/exit"],
        "",
        "sign out and end the program",
        |_, _| Ok(Typed::Quit),
    ),
];

const fn entry(
    names: &'static [&'static str],
    arguments: &'static str,
    help: &'static str,
    parse: fn(&str, &View) -> Result<Typed, CommandError>,
) -> Entry {
    Entry {
        names,
        arguments,
        help,
        parse,
    }
}

impl Entry {
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

/// Parses a line. One without a slash is a message to the members; one with two slashes is
/// a message with one.
///
/// # Errors
/// If it begins with a slash and is not a command, or its argument is wrong.
pub fn parse(line: &str, view: &View) -> Result<Typed, CommandError> {
    if line.trim().is_empty() {
        return Ok(Typed::Nothing);
    }
    let Some(rest) = line.strip_prefix('/') else {
        return Ok(say(line));
    };
    if rest.starts_with('/') {
        return Ok(say(rest));
    }
    let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let (name, argument) = (name.to_lowercase(), argument.trim());
    let mut entries = COMMANDS.iter();
    match entries.find(|entry| entry.names.contains(&name.as_str())) {
        None => Err(CommandError::Unknown(name)),
        Some(entry) if entry.arguments.is_empty() && !argument.is_empty() => {
            Err(CommandError::NoArgument(entry.name()))
        }
        Some(entry) => (entry.parse)(argument, view),
    }
}

fn say(text: &str) -> Typed {
    let text = text.to_owned();
    Typed::Command(Command::Say { text })
}

fn sign_in(register: bool, name: &str) -> Result<Typed, CommandError> {
    if name.is_empty() {
        let name = None;
        return Ok(Typed::SignIn { register, name });
    }
    let checked = Username::new(name);
    if checked.is_err() && name.contains(char::is_whitespace) {
        return Err(CommandError::NotOnlyAName);
    }
    let name = checked?;
    if register {
        name.check_new()?;
    }
    let name = Some(name);
    Ok(Typed::SignIn { register, name })
}

fn needed<'a>(argument: &'a str, example: &'static str) -> Result<&'a str, CommandError> {
    if argument.is_empty() {
        Err(CommandError::Missing(example))
    } else {
        Ok(argument)
    }
}

fn target(argument: &str, example: &'static str) -> Result<Target, CommandError> {
    Ok(Target::new(needed(argument, example)?)?)
}

fn request(to: &str) -> Result<Typed, CommandError> {
    let to = target(to, "/request bob")?;
    Ok(Typed::Command(Command::Request { to }))
}

fn requester(view: &View) -> Result<PeerAddr, CommandError> {
    let request = view.incoming.as_ref().ok_or(CommandError::NoRequest)?;
    Ok(request.from.address)
}

fn switch(argument: &str, now: bool) -> Result<bool, CommandError> {
    match argument {
        "" => Ok(!now),
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(CommandError::NotASwitch),
    }
}

/// What Tab can make of the word before the cursor: where that word begins, and what may
/// replace it, best first.
#[must_use]
pub fn completions(before_cursor: &str, view: &View) -> (usize, Vec<String>) {
    let start = before_cursor.rfind(char::is_whitespace).map_or(0, |at| {
        at + before_cursor[at..].chars().next().map_or(0, char::len_utf8)
    });
    let word = before_cursor[start..].to_lowercase();
    if start == 0 && word.starts_with('/') {
        let names = COMMANDS.iter().map(Entry::name);
        let found = names.filter(|name| name.starts_with(&word));
        return (0, found.map(|name| format!("{name} ")).collect());
    }
    if word.is_empty() && !before_cursor.starts_with('/') {
        return (start, Vec::new());
    }
    let behind = if start == 0 { ": " } else { " " };
    let mut found = Vec::new();
    for name in completed_names(before_cursor, view) {
        let text = format!("{name}{behind}");
        if name.to_lowercase().starts_with(&word) && !found.contains(&text) {
            found.push(text);
        }
    }
    (start, found)
}

/// Names that may follow: those who are blocked after `/unblock`, else the members first
/// and then who is online.
fn completed_names(before_cursor: &str, view: &View) -> Vec<String> {
    if before_cursor.starts_with("/unblock ") {
        return view.blocked.iter().map(ToString::to_string).collect();
    }
    let members = view.members.iter().filter_map(|member| member.name);
    let others = view.others().map(|user| user.name);
    members.chain(others).map(|name| name.to_string()).collect()
}

#[cfg(test)]
mod tests;
