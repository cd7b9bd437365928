//! What a user types, made into a command: the same in the full screen and in plain lines.

use p2pchat_model::{Command, Target, Username, View};

/// What a typed line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// Nothing: an empty line.
    Nothing,
    /// Something of the peer.
    Command(Command),
    /// A log-in, for which a password has to be asked.
    SignIn {
        /// Whether to make the account first.
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
    /// The end.
    Quit,
}

/// A command as help and completion show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its name, with the slash.
    pub name: &'static str,
    /// What may follow.
    pub arguments: &'static str,
    /// What it does.
    pub meaning: &'static str,
}

const fn entry(name: &'static str, arguments: &'static str, meaning: &'static str) -> Entry {
    Entry {
        name,
        arguments,
        meaning,
    }
}

/// All commands, in the order in which a new user needs them.
pub const COMMANDS: &[Entry] = &[
    entry("/help", "", "show this"),
    entry("/register", "[NAME]", "make an account and log in"),
    entry("/login", "[NAME]", "log in"),
    entry("/who", "", "who is online and who is in the chat"),
    entry("/request", "NAME|ADDRESS", "ask somebody into the chat"),
    entry("/chat", "NAME|ADDRESS", "the same as /request"),
    entry("/accept", "", "accept the request that waits"),
    entry("/reject", "", "reject it"),
    entry("/leave", "", "leave the chat"),
    entry(
        "/busy",
        "[on|off]",
        "answer requests with BUSY, or no longer",
    ),
    entry(
        "/block",
        "[NAME|ADDRESS]",
        "block somebody, or whoever asks for a chat",
    ),
    entry("/unblock", "NAME|ADDRESS", "block him no longer"),
    entry("/blocked", "", "show who is blocked"),
    entry("/search", "NAME", "ask the registry where somebody is"),
    entry("/history", "", "show what was said earlier"),
    entry("/find", "WORDS", "look for words in all that was said"),
    entry("/logout", "", "leave the chat and log out"),
    entry("/quit", "", "log out and end the program"),
];

/// Reads a line. What does not begin with a slash is said to the members; what begins
/// with two is said with one.
///
/// # Errors
/// In words, if it begins with a slash and is no command, or lacks what it needs.
pub fn parse(line: &str, view: &View) -> Result<Typed, String> {
    if line.trim().is_empty() {
        return Ok(Typed::Nothing);
    }
    let Some(rest) = line.strip_prefix('/') else {
        return Ok(say(line));
    };
    if rest.starts_with('/') {
        return Ok(say(rest));
    }
    let (name, argument) = match rest.split_once(char::is_whitespace) {
        Some((name, argument)) => (name, argument.trim()),
        None => (rest, ""),
    };
    command(&name.to_lowercase(), argument, view)
}

fn say(text: &str) -> Typed {
    Typed::Command(Command::Say {
        text: text.to_owned(),
    })
}

fn command(name: &str, argument: &str, view: &View) -> Result<Typed, String> {
    let command = match name {
        "register" => return sign_in(true, argument),
        "login" => return sign_in(false, argument),
        "help" | "?" => return no_argument("/help", argument, Typed::Help),
        "who" => return no_argument("/who", argument, Typed::Who),
        "blocked" => return no_argument("/blocked", argument, Typed::Blocked),
        "quit" | "exit" => return no_argument("/quit", argument, Typed::Quit),
        "logout" => return no_argument("/logout", argument, Typed::Command(Command::Logout)),
        "leave" => return no_argument("/leave", argument, Typed::Command(Command::Leave)),
        "accept" => Command::Accept {
            from: waiting(view)?,
        },
        "reject" => Command::Reject {
            from: waiting(view)?,
        },
        "request" | "chat" => Command::Request {
            to: target(needed(argument, "whom? for instance: /request bob")?)?,
        },
        "block" => Command::Block {
            who: match (argument, &view.incoming) {
                ("", Some(request)) => request.from.to_block(),
                _ => target(needed(argument, "whom? for instance: /block mallory")?)?,
            },
        },
        "unblock" => Command::Unblock {
            who: target(needed(argument, "whom? /blocked lists them")?)?,
        },
        "search" => Command::Search {
            name: username(needed(argument, "for whom? for instance: /search bob")?)?,
        },
        "busy" => Command::Busy {
            on: switch(argument, view.busy)?,
        },
        "history" => Command::History {
            before: view.oldest_message(),
        },
        "find" => Command::Find {
            text: needed(argument, "what? for instance: /find lunch on Friday")?.to_owned(),
        },
        _ => return Err(format!("there is no command /{name}; /help lists them all")),
    };
    Ok(Typed::Command(command))
}

fn sign_in(register: bool, argument: &str) -> Result<Typed, String> {
    if argument.split_whitespace().count() > 1 && Username::new(argument).is_err() {
        return Err("give the name alone; the password is asked for, unseen".to_owned());
    }
    let name = match argument {
        "" => None,
        name => Some(username(name)?),
    };
    if let (true, Some(name)) = (register, &name) {
        name.check_new().map_err(|error| error.to_string())?;
    }
    Ok(Typed::SignIn { register, name })
}

fn no_argument(name: &str, argument: &str, typed: Typed) -> Result<Typed, String> {
    match argument {
        "" => Ok(typed),
        _ => Err(format!("{name} takes nothing behind it")),
    }
}

fn needed<'a>(argument: &'a str, question: &str) -> Result<&'a str, String> {
    match argument {
        "" => Err(question.to_owned()),
        argument => Ok(argument),
    }
}

fn username(text: &str) -> Result<Username, String> {
    Username::new(text).map_err(|error| error.to_string())
}

fn target(text: &str) -> Result<Target, String> {
    Target::new(text).map_err(|error| error.to_string())
}

fn waiting(view: &View) -> Result<p2pchat_model::PeerAddr, String> {
    let request = view.incoming.as_ref();
    request
        .map(|request| request.from.address)
        .ok_or_else(|| "no request waits for an answer".to_owned())
}

fn switch(argument: &str, now: bool) -> Result<bool, String> {
    match argument {
        "" => Ok(!now),
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("/busy takes on or off, or nothing to change it".to_owned()),
    }
}

/// What Tab can make of the word that ends at the cursor: where that word begins, and
/// what may stand there instead, best first.
#[must_use]
pub fn completions(before_cursor: &str, view: &View) -> (usize, Vec<String>) {
    let start = before_cursor.rfind(char::is_whitespace).map_or(0, |at| {
        at + before_cursor[at..].chars().next().map_or(0, char::len_utf8)
    });
    let word = before_cursor[start..].to_lowercase();
    if start == 0 && word.starts_with('/') {
        let names = COMMANDS.iter().map(|entry| entry.name);
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

/// Names that may follow: those who are blocked behind `/unblock`, else the members first
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
