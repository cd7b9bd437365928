//! The arguments of commands.

use p2pchat_model::{Command, IncomingRequest, OutgoingRequest, Target, Username, View};

use super::{CommandError, Typed};
use crate::shown::Shown;

pub(super) fn say(text: &str, shown: Shown<'_>) -> Typed {
    Typed::Command(Command::say(shown.id, text))
}

pub(super) fn sign_in(register: bool, name: &str) -> Result<Typed, CommandError> {
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

pub(super) fn needed<'a>(
    argument: &'a str,
    example: &'static str,
) -> Result<&'a str, CommandError> {
    if argument.is_empty() {
        Err(CommandError::Missing(example))
    } else {
        Ok(argument)
    }
}

/// Searches the conversation that is shown, or all of them.
pub(super) fn find(argument: &str, shown: Shown<'_>) -> Result<Typed, CommandError> {
    let (first, rest) = argument
        .split_once(char::is_whitespace)
        .unwrap_or((argument, ""));
    let (conversation, words) = if first == "--all" {
        (None, rest.trim_start())
    } else {
        (Some(shown.id), argument)
    };
    let text = needed(words, "/find lunch on Friday")?.to_owned();
    Ok(Typed::Command(Command::Find { conversation, text }))
}

pub(super) fn target(argument: &str, example: &'static str) -> Result<Target, CommandError> {
    Ok(Target::new(needed(argument, example)?)?)
}

/// The request to the user who was asked by this name or address; the only one, if none is
/// given.
pub(super) fn asked<'a>(who: &str, view: &'a View) -> Result<&'a OutgoingRequest, CommandError> {
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

pub(super) fn pending(view: &View) -> Result<&IncomingRequest, CommandError> {
    view.incoming.as_ref().ok_or(CommandError::NoRequest)
}

/// The commands that lead to a status.
pub(super) fn status(argument: &str) -> Result<Typed, CommandError> {
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

pub(super) fn verify(argument: &str) -> Result<Typed, CommandError> {
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

pub(super) fn registries(argument: &str) -> Result<Typed, CommandError> {
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

pub(super) fn switch(argument: &str, now: bool) -> Result<bool, CommandError> {
    match argument {
        "" => Ok(!now),
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(CommandError::NotASwitch),
    }
}
