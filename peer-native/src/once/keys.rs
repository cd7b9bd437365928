//! `identity`, `code`, `verify` and `registries`.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use anyhow::{Context, Result};
use p2pchat_model::{
    Call, Command, Fingerprint, Link, Passphrase, Security, Update, View, wording,
};
use p2pchat_platform::files::private_file;
use p2pchat_settings::Signals;

use super::args::{Identity, Task, Trusted};
use super::job::{End, Ids, Job, Pending, Step, no_answer};
use crate::exit::Exit;
use crate::options::{Settings, read_password};
use crate::plain::ask_password;
use wording::label;
use wording::security::registry_name;

/// The longest file that is taken for an exported identity.
const MAX_IDENTITY: u64 = 64 * 1024;

/// What is needed besides the peer, asked for before it is opened.
#[derive(Debug, Default)]
pub(super) struct Needed {
    /// The password of an export.
    pub(super) password: Option<Passphrase>,
    /// What is to be imported.
    pub(super) identity: Option<String>,
}

/// Reads what a subcommand needs, or says how it ends.
pub(super) async fn needed(
    task: &Task,
    settings: &Settings,
    signals: &mut Signals,
) -> Result<Result<Needed, End>> {
    let mut needed = Needed::default();
    let is_new = match task {
        Task::Identity(Identity::Export { file }) => {
            if let Some(file) = file.as_deref().filter(|file| file.exists()) {
                return Ok(Err(usage(format!("{} exists already", file.display()))));
            }
            true
        }
        Task::Identity(Identity::Import { file }) => match read(file) {
            Ok(text) => {
                needed.identity = Some(text);
                false
            }
            Err(words) => return Ok(Err(usage(words))),
        },
        _ => return Ok(Ok(needed)),
    };
    if let Some(path) = &settings.options.password_file {
        match read_password(path) {
            Ok(password) => needed.password = Some(password),
            Err(error) => return Ok(Err(usage(error.to_string()))),
        }
        return Ok(Ok(needed));
    }
    if !io::stdin().is_terminal() {
        let words = "standard input is not a terminal: give --password-file FILE";
        return Ok(Err(usage(words.to_owned())));
    }
    let mut prompts = vec!["Password of the exported identity: ".to_owned()];
    if is_new {
        prompts.push(format!("{}: ", label::PASSWORD_AGAIN));
    }
    let mut first: Option<Passphrase> = None;
    for prompt in prompts {
        let Some(text) = ask_password(prompt, signals).await? else {
            let exit = Exit::Terminated;
            return Ok(Err(End { exit, words: None }));
        };
        let password = match Passphrase::new(&text) {
            Ok(password) => password,
            Err(error) => return Ok(Err(usage(error.to_string()))),
        };
        if first.as_ref().is_some_and(|first| *first != password) {
            return Ok(Err(usage(label::PASSWORDS_DIFFER.to_owned())));
        }
        first = Some(password);
    }
    needed.password = first;
    Ok(Ok(needed))
}

fn usage(words: String) -> End {
    End::new(Exit::Usage, words)
}

fn read(file: &Path) -> Result<String, String> {
    let failed = |error| format!("cannot read {}: {error}", file.display());
    if fs::metadata(file).map_err(failed)?.len() > MAX_IDENTITY {
        return Err(format!("{} is too long for an identity", file.display()));
    }
    let text = fs::read_to_string(file).map_err(failed)?;
    Ok(text.trim().to_owned())
}

/// Writes a new file that only this user can read.
pub(super) fn write(file: &Path, text: &str) -> Result<()> {
    let opened = private_file().create_new(true).open(file);
    let written = opened.and_then(|mut file| {
        file.write_all(format!("{text}\n").as_bytes())?;
        file.sync_all()
    });
    written.with_context(|| format!("cannot write {}", file.display()))
}

/// Waits for the keys of the profile and their code.
#[derive(Debug)]
pub(super) struct Showing;

impl Showing {
    fn look(view: &View) -> Step {
        let Some(identity) = view.identity else {
            return Step::Wait;
        };
        // The code is computed with the first contact.
        let is_alone = matches!(view.link, Link::Down { .. } | Link::KeyChanged { .. });
        if identity.code.is_some() || is_alone || view.security == Security::NotEncrypted {
            Step::End(End::DONE)
        } else {
            Step::Wait
        }
    }
}

impl Job for Showing {
    fn start(&mut self, view: &View) -> Step {
        Self::look(view)
    }

    fn on_update(&mut self, _: &Update, view: &View) -> Step {
        Self::look(view)
    }

    fn out_of_time(&mut self, view: &View) -> (Option<Call>, End) {
        // The code takes longest, and is not all.
        let end = view.identity.map_or_else(no_answer, |_| End::DONE);
        (None, end)
    }
}

/// Trusts a registry that has another key than before, as soon as it shows that key.
#[derive(Debug)]
pub(super) struct Trusting {
    trusted: Trusted,
    ids: Ids,
    pending: Pending,
    is_asked: bool,
}

impl Trusting {
    pub(super) fn new(trusted: Trusted, ids: Ids) -> Self {
        Self {
            trusted,
            ids,
            pending: Pending::default(),
            is_asked: false,
        }
    }

    fn look(&mut self, view: &View) -> Step {
        let Trusted { name, fingerprint } = &self.trusted;
        let used = registry_name(&view.registry);
        if !is_same(used, name) {
            let words = format!(
                "no_such_registry: the peer of this profile uses the registry {used}, not {name}: \
                 name another profile with --profile"
            );
            return Step::End(End::new(Exit::Refused, words));
        }
        match (&view.link, view.security) {
            (Link::KeyChanged { seen, .. }, _) if seen == fingerprint => {
                self.is_asked = true;
                let command = Command::TrustRegistry { fingerprint: *seen };
                let call = self.ids.call(command);
                self.pending.begin(call)
            }
            (Link::KeyChanged { seen, .. }, _) => Step::End(other_key(*seen)),
            (Link::Up, Security::Encrypted { fingerprint: seen }) if seen == *fingerprint => {
                Step::End(End::DONE)
            }
            (Link::Up, Security::Encrypted { fingerprint }) => Step::End(other_key(fingerprint)),
            (Link::Up, _) => {
                let words = "not_encrypted: this registry is spoken to unencrypted and has no key";
                Step::End(End::new(Exit::Refused, words))
            }
            _ => Step::Wait,
        }
    }
}

/// The registry has neither the key of before nor the one that is to be trusted.
fn other_key(seen: Fingerprint) -> End {
    let words =
        format!("no_such_registry: the registry has the key {seen} now: nothing is changed");
    End::new(Exit::Refused, words)
}

/// Whether two names of a registry are the same, with the usual port or without.
fn is_same(one: &str, other: &str) -> bool {
    let usual = format!(":{}", p2pchat_protocol::REGISTRY_TCP_PORT);
    let short = |name: &str| name.strip_suffix(&usual).unwrap_or(name).to_lowercase();
    short(one) == short(other)
}

impl Job for Trusting {
    fn start(&mut self, view: &View) -> Step {
        self.look(view)
    }

    fn on_update(&mut self, update: &Update, view: &View) -> Step {
        if !self.is_asked {
            return self.look(view);
        }
        match self.pending.closed_by(update) {
            None => Step::Wait,
            Some(Ok(())) => Step::End(End::DONE),
            Some(Err(failure)) => Step::End(End::refused(failure)),
        }
    }

    fn out_of_time(&mut self, view: &View) -> (Option<Call>, End) {
        let end = match &view.link {
            Link::Down { reason, .. } => {
                let words = wording::registry_is_down(&view.registry, reason);
                End::new(Exit::Refused, format!("registry_unreachable: {words}"))
            }
            _ => no_answer(),
        };
        (None, end)
    }
}

#[cfg(test)]
mod tests {
    use p2pchat_model::{Event, Failure, Problem, Timestamp};

    use super::*;

    fn fingerprint(first: char) -> Fingerprint {
        format!("{first}LGW5BBCYQD7W3IJQ2IPCEYLPU").parse().unwrap()
    }

    fn job() -> Trusting {
        let (name, fingerprint) = ("chat.example".to_owned(), fingerprint('B'));
        Trusting::new(Trusted { name, fingerprint }, Ids::new(Timestamp(0)))
    }

    fn view(link: Link) -> View {
        View {
            registry: format!("chat.example:3131#{}", fingerprint('A')),
            link,
            ..View::default()
        }
    }

    fn changed(seen: char) -> View {
        let (pinned, seen) = (fingerprint('A'), fingerprint(seen));
        view(Link::KeyChanged { pinned, seen })
    }

    fn exit(step: Step) -> Exit {
        match step {
            Step::End(end) => end.exit,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_registry_is_trusted_once_it_shows_that_key() {
        let mut job = job();
        assert_eq!(job.start(&view(Link::Connecting)), Step::Wait);
        let update = Update::from(Event::Link(changed('B').link));
        let Step::Call(call) = job.on_update(&update, &changed('B')) else {
            panic!("no call");
        };
        let fingerprint = fingerprint('B');
        assert_eq!(call.command, Command::TrustRegistry { fingerprint });
        let mut update = Update::from(Event::Done);
        update.re = call.id;
        assert_eq!(exit(job.on_update(&update, &changed('B'))), Exit::Done);
    }

    #[test]
    fn another_key_or_another_registry_is_not_trusted() {
        assert_eq!(exit(job().start(&changed('C'))), Exit::Refused);
        let mut other = changed('B');
        other.registry = "chat.elsewhere".to_owned();
        assert_eq!(exit(job().start(&other)), Exit::Refused);
        let mut known = view(Link::Up);
        let fingerprint = fingerprint('B');
        known.security = Security::Encrypted { fingerprint };
        assert_eq!(
            exit(job().start(&known)),
            Exit::Done,
            "it is trusted already"
        );
    }

    #[test]
    fn where_the_registry_has_another_key_both_are_told_with_the_one_command() {
        let failure = Failure::new(Timestamp(0), "refresh", Problem::RegistryKeyChanged);
        let end = End::failed(&failure, &changed('B'));
        assert_eq!(end.exit, Exit::Login);
        let words = end.words.unwrap();
        assert!(words.starts_with("registry_key_changed: "), "{words}");
        for part in [fingerprint('A'), fingerprint('B')] {
            assert!(words.contains(&part.to_string()), "{words}");
        }
        let command = format!(
            "p2pchat registries trust chat.example:3131#{}",
            fingerprint('B')
        );
        assert!(words.ends_with(&command), "{words}");
    }

    #[test]
    fn an_exported_identity_is_a_new_file_for_this_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alice.identity");
        write(&path, "p2pchat-person-1 x").unwrap();
        assert_eq!(read(&path).unwrap(), "p2pchat-person-1 x");
        assert!(write(&path, "other").is_err(), "it is not overwritten");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert!(read(&folder.path().join("none")).is_err());
    }
}
