//! The commands that a user types, in the full screen and in plain lines alike.
//!
//! [`COMMANDS`] is the one table of them: parsing, `/help` and completion all read it.

use p2pchat_model::{
    Command, DisplayName, DisplayNameError, IncomingRequest, OutgoingRequest, Problem, Target,
    TargetError, Username, View, action,
};
use p2pchat_protocol::UsernameError;
use p2pchat_protocol::v2::BadText;
use thiserror::Error;

use crate::shown::Shown;

/// What a typed line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// Nothing: an empty line.
    Nothing,
    /// A command for the peer.
    Command(Command),
    /// Several, one after the other.
    Commands(Vec<Command>),
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
    /// How the user is shown to others.
    Status,
    /// A change of the password, for which passwords have to be asked.
    Password,
    /// The keys of the profile, and the line to the registry.
    Identity,
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
    )
    .when(When::SignedOut),
    entry(&["/login"], "[NAME]", "sign in", |name, _| {
        sign_in(false, name)
    })
    .when(When::SignedOut),
    entry(
        &["/who"],
        "",
        "show who is in the chat and who is online",
        |_, _| Ok(Typed::Who),
    )
    .when(When::SignedIn),
    entry(
        &["/request", "/chat", "/ask"],
        "NAME|ADDRESS",
        "ask a user for a chat, or into this one",
        |to, shown| {
            let to = target(to, "/request bob")?;
            let conversation = shown.id;
            Ok(Typed::Command(Command::Request { conversation, to }))
        },
    )
    .when(When::SignedIn),
    entry(
        &["/cancel"],
        "[NAME|ADDRESS]",
        "withdraw a request that you sent",
        |to, shown| {
            let request = asked(to, shown.view)?;
            Ok(Typed::Command(Command::Cancel {
                conversation: request.conversation,
                to: request.to.address,
            }))
        },
    )
    .when(When::SignedIn),
    entry(&["/accept"], "", "accept the chat request", |_, shown| {
        let request = pending(shown.view)?;
        Ok(Typed::Command(Command::Accept {
            conversation: request.conversation,
            from: request.from.address,
        }))
    })
    .when(When::SignedIn),
    entry(
        &["/decline", "/reject"],
        "",
        "decline the chat request",
        |_, shown| {
            let request = pending(shown.view)?;
            Ok(Typed::Command(Command::Reject {
                conversation: request.conversation,
                from: request.from.address,
            }))
        },
    )
    .when(When::SignedIn),
    entry(
        &["/me"],
        "ACTION",
        "send what you do: * waves",
        |what, shown| Ok(say(&action(needed(what, "/me waves")?), shown)),
    )
    .when(When::SignedIn),
    entry(&["/leave"], "", "leave the chat", |_, shown| {
        let conversation = shown.id;
        Ok(Typed::Command(Command::Leave { conversation }))
    })
    .when(When::SignedIn),
    entry(
        &["/busy"],
        "[on|off]",
        "reject chat requests as busy, or no longer",
        |argument, shown| {
            let on = switch(argument, shown.view.busy)?;
            Ok(Typed::Command(Command::Busy { on }))
        },
    )
    .when(When::SignedIn),
    entry(
        &["/away"],
        "[on|off]",
        "be shown as away, or no longer",
        |argument, shown| {
            let on = switch(argument, shown.view.away)?;
            Ok(Typed::Command(Command::Away { on }))
        },
    )
    .when(When::SignedIn),
    entry(
        &["/status"],
        "[available|busy|away]",
        "set how you are shown to others, or show it",
        |argument, _| status(argument),
    )
    .when(When::SignedIn),
    entry(
        &["/name"],
        "[NAME]",
        "set the name that others see beside yours; without NAME, none",
        |name, _| {
            let display_name = DisplayName::new(name)?;
            Ok(Typed::Command(Command::DisplayName { display_name }))
        },
    )
    .when(When::SignedIn),
    entry(&["/password"], "", "change your password", |_, _| {
        Ok(Typed::Password)
    })
    .when(When::SignedIn),
    entry(
        &["/legacy"],
        "[on|off]",
        "let older programs sign in to your account, unencrypted",
        |argument, shown| {
            let on = switch(argument, shown.view.legacy_login)?;
            Ok(Typed::Command(Command::LegacyLogin { on }))
        },
    )
    .when(When::SignedIn),
    entry(
        &["/code"],
        "[NAME]",
        "show the code of a user, to compare it with them; yours without NAME",
        |name, _| {
            if name.is_empty() {
                return Ok(Typed::Identity);
            }
            let name = Username::new(name)?;
            Ok(Typed::Command(Command::Code { name }))
        },
    )
    .when(When::SignedIn),
    entry(
        &["/verify"],
        "NAME CODE",
        "mark a user as verified whose code you have compared",
        |argument, _| verify(argument),
    )
    .when(When::SignedIn),
    entry(
        &["/identity"],
        "",
        "show your code, your keys and the line to the registry",
        |_, _| Ok(Typed::Identity),
    ),
    entry(
        &["/registries"],
        "[trust|forget WHICH]",
        "show the registries that are known by their key, or change that",
        |argument, _| registries(argument),
    ),
    entry(
        &["/block"],
        "[NAME|ADDRESS]",
        "block a user, or who sent the chat request",
        |who, shown| {
            let who = match (who, &shown.view.incoming) {
                ("", Some(request)) => request.from.to_block(),
                _ => target(who, "/block mallory")?,
            };
            Ok(Typed::Command(Command::Block { who }))
        },
    )
    .when(When::SignedIn),
    entry(
        &["/undo"],
        "",
        "take back the last /leave or /block, within 10 s",
        |_, _| Ok(Typed::Command(Command::Undo)),
    )
    .when(When::SignedIn),
    entry(&["/unblock"], "NAME|ADDRESS", "unblock a user", |who, _| {
        let who = target(who, "/unblock mallory")?;
        Ok(Typed::Command(Command::Unblock { who }))
    })
    .when(When::SignedIn),
    entry(&["/blocked"], "", "show who is blocked", |_, _| {
        Ok(Typed::Blocked)
    })
    .when(When::SignedIn),
    entry(
        &["/search"],
        "NAME",
        "look up a user in the registry",
        |name, _| {
            let name = Username::new(needed(name, "/search bob")?)?;
            Ok(Typed::Command(Command::Search { name }))
        },
    )
    .when(When::SignedIn),
    entry(&["/history"], "", "show earlier messages", |_, shown| {
        Ok(Typed::Command(Command::History {
            conversation: shown.id,
            before: shown.conversation().oldest_message(),
        }))
    })
    .when(When::SignedIn),
    entry(
        &["/find"],
        "WORDS",
        "search all messages for words",
        |words, _| {
            let text = needed(words, "/find lunch on Friday")?.to_owned();
            let conversation = None;
            Ok(Typed::Command(Command::Find { conversation, text }))
        },
    )
    .when(When::SignedIn),
    entry(&["/logout"], "", "leave the chat and sign out", |_, _| {
        Ok(Typed::Command(Command::Logout))
    })
    .when(When::SignedIn),
    entry(
        &["/quit", "/exit"],
        "",
        "end the program; the last one that is open signs out",
        |_, _| Ok(Typed::Quit),
    ),
];

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

fn say(text: &str, shown: Shown<'_>) -> Typed {
    let (conversation, text) = (shown.id, text.to_owned());
    Typed::Command(Command::Say {
        conversation,
        text,
        reply_to: None,
    })
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

/// The request to the user who was asked by this name or address; the only one, if none is
/// given.
fn asked<'a>(who: &str, view: &'a View) -> Result<&'a OutgoingRequest, CommandError> {
    match (who, view.outgoing.as_slice()) {
        ("", []) => return Err(CommandError::NotAsked("anyone".to_owned())),
        ("", [only]) => return Ok(only),
        ("", [.., last]) => return Err(CommandError::AskedSeveral(last.to.to_string())),
        _ => {}
    }
    let mut outgoing = view.outgoing.iter();
    let found = match Target::new(who)? {
        Target::Name(name) => outgoing.find(|request| request.to.name == Some(name)),
        Target::Address(address) => outgoing.find(|request| request.to.address == address),
    };
    found.ok_or_else(|| CommandError::NotAsked(who.to_owned()))
}

fn pending(view: &View) -> Result<&IncomingRequest, CommandError> {
    view.incoming.as_ref().ok_or(CommandError::NoRequest)
}

/// The commands that lead to a status.
fn status(argument: &str) -> Result<Typed, CommandError> {
    let (busy, away) = match argument {
        "" => return Ok(Typed::Status),
        "available" => (false, false),
        "busy" => (true, false),
        "away" => (false, true),
        _ => return Err(CommandError::NotAStatus),
    };
    let (busy, away) = (Command::Busy { on: busy }, Command::Away { on: away });
    Ok(Typed::Commands(vec![busy, away]))
}

fn verify(argument: &str) -> Result<Typed, CommandError> {
    let example = "/verify bob 1244 0915 3048 5415 5287";
    let (name, code) = argument
        .split_once(char::is_whitespace)
        .ok_or(CommandError::Missing(example))?;
    Ok(Typed::Command(Command::Trust {
        name: Username::new(name)?,
        code: code.trim().parse()?,
        verified: true,
    }))
}

fn registries(argument: &str) -> Result<Typed, CommandError> {
    let (verb, which) = argument
        .split_once(char::is_whitespace)
        .unwrap_or((argument, ""));
    let which = which.trim();
    Ok(Typed::Command(match (verb, which) {
        ("", _) => Command::Registries,
        ("trust", text) if !text.is_empty() => {
            // With or without the name that `p2pchat registries trust` takes.
            let fingerprint = text.rsplit_once('#').map_or(text, |(_, behind)| behind);
            let fingerprint = fingerprint.parse()?;
            Command::TrustRegistry { fingerprint }
        }
        ("forget", name) if !name.is_empty() => Command::ForgetRegistry {
            registry: name.to_owned(),
        },
        _ => return Err(CommandError::NotAboutRegistries),
    }))
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
pub fn completions(before_cursor: &str, shown: Shown<'_>) -> (usize, Vec<String>) {
    let start = before_cursor.rfind(char::is_whitespace).map_or(0, |at| {
        at + before_cursor[at..].chars().next().map_or(0, char::len_utf8)
    });
    let word = before_cursor[start..].to_lowercase();
    if start == 0 && word.starts_with('/') {
        let possible = COMMANDS
            .iter()
            .filter(|entry| entry.is_possible(shown.view));
        // Of several names of a command, the first that fits.
        let found =
            possible.filter_map(|entry| entry.names.iter().find(|name| name.starts_with(&word)));
        return (0, found.map(|name| format!("{name} ")).collect());
    }
    if word.is_empty() && !before_cursor.starts_with('/') {
        return (start, Vec::new());
    }
    let behind = if start == 0 { ": " } else { " " };
    let mut found = Vec::new();
    for name in completed_names(before_cursor, shown) {
        let text = format!("{name}{behind}");
        if name.to_lowercase().starts_with(&word) && !found.contains(&text) {
            found.push(text);
        }
    }
    (start, found)
}

/// Names that may follow: those who are blocked after `/unblock`, else the members first
/// and then who is online.
fn completed_names(before_cursor: &str, shown: Shown<'_>) -> Vec<String> {
    let view = shown.view;
    if before_cursor.starts_with("/unblock ") {
        return view.blocked.iter().map(ToString::to_string).collect();
    }
    if before_cursor.starts_with("/cancel ") {
        let asked = view.outgoing.iter().map(|request| request.to);
        return asked
            .map(|to| {
                to.name
                    .map_or(to.address.to_string(), |name| name.to_string())
            })
            .collect();
    }
    let members = shown.conversation().members.iter();
    let members = members.filter_map(|person| person.name);
    let names = members.chain(view.others().map(|user| user.name));
    names.map(|name| name.to_string()).collect()
}

#[cfg(test)]
mod tests;
