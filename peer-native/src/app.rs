//! The program from its settings to its exit code.

use std::time::Duration;

use anyhow::{Context, Result};
use p2pchat_model::wording::label;
use p2pchat_model::wording::security::registry_name;
use p2pchat_model::{Call, Command, FrontEndId, Link, Security, Update, View};
use p2pchat_platform::terminal::Terminal;
use p2pchat_profile::{Calls, FrontEnd, Login, OpenError, Owner, Profile, Updates};
use p2pchat_settings::streams::complain;
use p2pchat_settings::{Signals, Stop};

use crate::exit::Exit;
use crate::login::{another_account, is_needed};
use crate::options::{AutoLogin, Mode, Settings};
use crate::{NAME, json, plain, tui};

/// How long the program may take to stop in order after a signal: more than the peer's own
/// limit for that. It takes longer only if its output is not read.
const LAST_RESORT: Duration = Duration::from_secs(10);

/// What follows for the user when they quit. In the open chat nothing waits for them, and where
/// their keys are not saved no one finds them again.
pub(crate) fn after_quitting(view: &View) -> &'static str {
    let is_saved = view.identity.is_some_and(|identity| identity.saved);
    let has_keys = matches!(view.security, Security::Encrypted { .. });
    let is_found = view.account.is_some() && is_saved && has_keys;
    if is_found && view.open().is_alone() {
        "messages to you wait until you are back."
    } else {
        "you go offline unless p2pchat is open elsewhere"
    }
}

/// That the password is needed again, and why, for a front end that says in between how to give
/// it.
pub(crate) fn password_needed() -> (&'static str, String) {
    let words = label::PASSWORD_NEEDED;
    let (what, why) = words.split_once(": ").unwrap_or((words, ""));
    (what, format!("{why} {}", label::WITHOUT_PASSWORD))
}

/// A front end that has joined its profile.
#[derive(Debug)]
pub struct Joined {
    /// Its id.
    pub front_end: FrontEndId,
    /// What it asks.
    pub calls: Calls,
    /// What it is told after the first update.
    pub updates: Updates,
    /// The first update: the view as it is.
    pub first: Update,
    /// That view.
    pub view: View,
    /// The login to make without asking, if one is needed.
    pub login: Option<AutoLogin>,
    /// That the peer runs in another process, if it does.
    pub attached: Option<String>,
    /// Which options have no effect on it.
    pub warning: Option<String>,
}

/// Opens the profile, runs the front end, and leaves the profile however the front end ended.
///
/// # Errors
/// If the profile cannot be opened, or the front end cannot go on.
pub async fn run(settings: Settings) -> Result<Exit> {
    let take_over = || Signals::at_terminal().context("cannot take over the signals");
    let mut signals = take_over()?;
    tokio::spawn(last_resort(take_over()?, Exit::from));
    if let Some(notice) = &settings.notice {
        complain(NAME, notice);
    }
    let terminal = Terminal::of_process();
    let opened = tokio::select! {
        opened = Box::pin(Profile::open(profile_options(&settings))) => opened,
        stop = signals.next() => return Ok(stop.into()),
    };
    let profile = match opened {
        Ok(profile) => profile,
        Err(OpenError::Silent(owner)) => {
            complain(NAME, owner);
            return Ok(Exit::Silent);
        }
        Err(error) => return Err(error).context("cannot start"),
    };
    let mut joined = join(&profile, &settings).await;
    let result = match &mut joined {
        Ok(joined) => front_end(joined, &settings, signals).await,
        Err(_) => Ok(Exit::Failed),
    };
    let closed = profile.close().await;
    // It has not left before: what it sent last is passed on.
    joined?;
    // Whatever the front end took that for.
    if terminal.is_gone() {
        return Ok(Exit::Terminated);
    }
    // Where the peer has failed, the front end knows only that it stopped.
    closed?;
    result
}

fn profile_options(settings: &Settings) -> p2pchat_profile::Options {
    let login = settings.login.clone();
    p2pchat_profile::Options {
        folder: settings.options.peer.profile.clone(),
        peer: settings.peer.clone(),
        program: NAME,
        takes_over: true,
        login: login.map(|AutoLogin { name, password, .. }| Login { name, password }),
    }
}

async fn join(profile: &Profile, settings: &Settings) -> Result<Joined> {
    let front_end = FrontEndId::random(rand::random());
    let FrontEnd { calls, mut updates } = profile.join(front_end.clone())?;
    let first = updates.next().await?;
    let mut view = View::default();
    view.apply(&first.event);
    if view.link == Link::NoRegistry && !settings.peer.registry.is_empty() {
        // The peer runs already, without one.
        let registry = settings.peer.registry.clone();
        let choice = Command::UseRegistry { registry };
        calls.send(Call::new(choice)).await?;
    }
    let owner = profile.attachment();
    let attached = owner.as_ref().map(Owner::attached_to);
    let differs = owner.and_then(|_| differences(&settings.peer, &view));
    Ok(Joined {
        front_end,
        calls,
        updates,
        first,
        login: settings.login.clone().filter(|_| is_needed(&view)),
        attached,
        warning: differs.map(|what| format!("the peer that runs already goes on with {what}")),
        view,
    })
}

async fn front_end(joined: &mut Joined, settings: &Settings, signals: Signals) -> Result<Exit> {
    let conflict = joined.view.account.zip(settings.options.user);
    if let Some(words) = conflict.and_then(|(account, user)| another_account(account, user)) {
        complain(NAME, words);
        return Ok(Exit::Login);
    }
    if settings.mode != Mode::Screen {
        for notice in joined.attached.iter().chain(&joined.warning) {
            complain(NAME, notice);
        }
    }
    match settings.mode {
        Mode::Screen => Box::pin(tui::run(joined, settings, signals)).await,
        Mode::Plain => Box::pin(plain::run(joined, settings, signals)).await,
        Mode::Json => Box::pin(json::run(joined, signals)).await,
    }
}

/// Where the running peer differs from what the options ask for.
fn differences(asked: &p2pchat_peer::Options, view: &View) -> Option<String> {
    let is_told = !asked.registry.is_empty() && !view.registry.is_empty();
    let registry = is_told.then_some(&asked.registry);
    let names = |text: &str| -> Vec<String> {
        let names = text.split(',').map(registry_name);
        names.map(str::to_owned).collect()
    };
    let registry = registry.filter(|asked| names(asked) != names(&view.registry));
    let registry = registry.map(|asked| format!("the registry {}, not {asked}", view.registry));
    let address = asked.address.zip(view.address);
    let address = address.filter(|(asked, there)| asked != there);
    let address = address.map(|(asked, there)| format!("the address {there}, not {asked}"));
    let all: Vec<String> = registry.into_iter().chain(address).collect();
    (!all.is_empty()).then(|| all.join(", and "))
}

/// Ends the process if it does not stop after a signal: a front end whose output is not read
/// hangs, and does not look at its signals.
pub(crate) async fn last_resort(mut signals: Signals, exit: impl FnOnce(Stop) -> Exit) {
    let exit = exit(signals.next().await);
    tokio::time::sleep(LAST_RESORT).await;
    std::process::exit(i32::from(exit as u8));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_the_running_peer_does_not_have_are_named() {
        let view = View {
            registry: "chat.example".to_owned(),
            address: Some("10.0.0.2".parse().unwrap()),
            ..View::default()
        };
        let mut asked = p2pchat_peer::Options::default();
        assert_eq!(differences(&asked, &view), None, "nothing was asked for");
        asked.registry.clone_from(&view.registry);
        asked.address = view.address;
        assert_eq!(differences(&asked, &view), None);
        asked.registry += "#ALGW-5BBC-YQD7-W3IJ-Q2IP-CEYL-PU";
        assert_eq!(differences(&asked, &view), None, "the same, by its key");
        asked.registry = "other.example".to_owned();
        asked.address = Some("10.0.0.3".parse().unwrap());
        let words = "the registry chat.example, not other.example, \
                     and the address 10.0.0.2, not 10.0.0.3";
        assert_eq!(differences(&asked, &view).as_deref(), Some(words));
    }
}
