//! The subcommands: one thing done on the peer of the profile, with stable exit codes.
//!
//! They use the peer that runs, which needs no password. Where none runs they start one for
//! their own time, which signs in by its key, or with `--user` and `--password-file`. They never take over a peer.
//!
//! | module | what it owns |
//! |---|---|
//! | [`args`] | the subcommands on the command line |
//! | `job` | what they have in common: updates go in, calls and the end come out |
//! | `sign_in`, `which`, `send`, `post`, `read` | what each does next, without I/O |
//! | `chats` | those about conversations |
//! | `keys` | the same for keys and registries, and the files and passwords for that |
//! | `session` | the front end that runs them |

use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use p2pchat_model::{
    CONTRACT_VERSION, Command, ConversationId, Event, FrontEndId, Snapshot, Update, Username,
    wording,
};
use p2pchat_peer::Known;
use p2pchat_profile::{OpenError, Profile};
use p2pchat_settings::Signals;
use p2pchat_settings::streams::{self, Output, complain};
use tokio::time::{Instant, timeout_at};

use crate::NAME;
use crate::app::last_resort;
use crate::clock::Clock;
use crate::exit::Exit;
use crate::options::Settings;
use crate::plain::lines;
use crate::shown::Shown;
use crate::stdin::{LONGEST, UNREADABLE};
use args::{Code, Identity, Registries, RegistriesTask, Send, Task, Verify};
use job::{End, Ids, no_answer};
use keys::{Needed, Showing, Trusting};
use read::Asking;
use session::{Next, Session};
use sign_in::SigningIn;

pub mod args;
mod chats;
mod job;
mod keys;
mod post;
mod read;
mod send;
mod session;
mod sign_in;
#[cfg(test)]
mod testing;
mod which;

/// How long all but `send`, which has an option for it, wait for answers.
const PATIENCE: Duration = Duration::from_secs(10);

/// The same for those with codes and passwords of keys, which are slow to compute on purpose.
const PATIENCE_WITH_KEYS: Duration = Duration::from_secs(60);

/// The same for all messages of a conversation.
const PATIENCE_WITH_ALL: Duration = Duration::from_secs(10 * 60);

/// Does what a subcommand says.
///
/// # Errors
/// If there is no peer and none can start, input cannot be read or output not be written.
pub async fn run(settings: Settings, task: Task) -> Result<Exit> {
    if matches!(task, Task::Schema) {
        show(&[format!("{:#}", p2pchat_model::schema())])?;
        return Ok(Exit::Done);
    }
    // Before signals are waited for: Ctrl-C ends the input of a text.
    let text = match &task {
        Task::Send(send) => match text(send.text.clone())? {
            Ok(text) => text,
            Err(words) => {
                complain(NAME, words);
                return Ok(Exit::Usage);
            }
        },
        _ => String::new(),
    };
    let take_over = || Signals::at_terminal().context("cannot take over the signals");
    let mut signals = take_over()?;
    tokio::spawn(last_resort(take_over()?, |_| Exit::Terminated));
    let needed = match keys::needed(&task, &settings, &mut signals).await? {
        Ok(needed) => needed,
        Err(end) => return Ok(report(end)),
    };
    let ends_at = Instant::now() + patience(&task);
    let opened = tokio::select! {
        opened = timeout_at(ends_at, open(&settings, &task)) => opened,
        _ = signals.next() => return Ok(Exit::Terminated),
    };
    let profile = match opened {
        Err(_) => return Ok(report(no_answer())),
        Ok(Err(OpenError::Silent(silent))) => {
            complain(NAME, silent);
            return Ok(Exit::Silent);
        }
        Ok(opened) => opened.context("cannot start")?,
    };
    let run = Run {
        session: Session::start(&profile, front_end(&task)?, ends_at, signals)?,
        ids: Ids::new(Clock::now()),
        is_owner: profile.attachment().is_none(),
        settings,
    };
    let exit = run.task(task, text, needed).await;
    profile.close().await?;
    exit
}

async fn open(settings: &Settings, task: &Task) -> Result<Profile, OpenError> {
    let mut peer = settings.peer.clone();
    if let Task::Registries(Registries {
        task: Some(RegistriesTask::Trust { trusted }),
        ..
    }) = task
    {
        peer.registry.clone_from(&trusted.name);
    }
    let options = p2pchat_profile::Options {
        folder: settings.options.peer.profile.clone(),
        peer,
        program: NAME,
        takes_over: false,
        login: None,
    };
    Box::pin(Profile::open(options)).await
}

/// The account that this profile was last signed in to.
fn remembered(settings: &Settings) -> Option<Username> {
    let known = Known::open(settings.peer.folder.as_deref()?).ok()?;
    known.account.map(|(_, name)| name)
}

/// The name of the front end. A text with an id comes from the same one each time, so that the
/// peer knows it again.
fn front_end(task: &Task) -> Result<FrontEndId> {
    match task {
        Task::Send(Send { id: Some(id), .. }) => Ok(FrontEndId::new(&format!("send-{id}"))?),
        _ => Ok(FrontEndId::random(rand::random())),
    }
}

fn patience(task: &Task) -> Duration {
    match task {
        Task::Send(send) => send.timeout,
        Task::Code(_) | Task::Verify(_) | Task::Identity(_) => PATIENCE_WITH_KEYS,
        Task::Export(_) => PATIENCE_WITH_ALL,
        _ => PATIENCE,
    }
}

/// A subcommand with all it needs.
struct Run {
    settings: Settings,
    session: Session,
    ids: Ids,
    /// Whether the peer runs in this process, and ends with it.
    is_owner: bool,
}

impl Run {
    async fn task(mut self, task: Task, text: String, needed: Needed) -> Result<Exit> {
        let needs_session = match &task {
            Task::Watch(_) => self.is_owner,
            Task::Identity(_) | Task::Registries(_) | Task::Code(Code { name: None, .. }) => false,
            _ => true,
        };
        let end = if needs_session {
            self.sign_in().await?
        } else {
            // For the view.
            self.session.begin().await?
        };
        if end != End::DONE {
            return Ok(report(end));
        }
        match task {
            Task::Send(send) => self.send(send, text).await,
            Task::Who(who) => self.who(who.json).await,
            Task::Chats(chats) => self.chats(chats.json).await,
            Task::History(history) => self.history(history).await,
            Task::Export(export) => self.export_messages(export).await,
            Task::Watch(watch) => self.watch(watch.json).await,
            Task::Code(Code { name: None, json }) => self.show_identity(json).await,
            Task::Code(Code {
                name: Some(name),
                json,
            }) => self.ask(Command::Code { name }, json).await,
            Task::Verify(verify) => self.verify(verify).await,
            Task::Identity(Identity::Show { json }) => self.show_identity(json).await,
            Task::Identity(Identity::Export { file }) => self.export(file, needed).await,
            Task::Identity(Identity::Import { .. }) => self.import(needed).await,
            Task::Registries(registries) => self.registries(registries).await,
            // It needs no peer.
            Task::Schema => Ok(Exit::Done),
        }
    }

    async fn sign_in(&mut self) -> Result<End> {
        let (user, login) = (self.settings.options.user, self.settings.login.clone());
        // Where a peer runs already, it has signed in by itself if it could.
        let remembered = if self.is_owner {
            remembered(&self.settings)
        } else {
            None
        };
        let mut job = SigningIn::new(user, login, remembered, self.is_owner, self.ids.clone());
        self.session.run(&mut job).await
    }

    async fn who(mut self, json: bool) -> Result<Exit> {
        let mut job = Asking::new(Command::Refresh, self.ids);
        let end = self.session.run(&mut job).await?;
        if end == End::DONE {
            let view = &self.session.view;
            let users = view.online.clone();
            show(&if json {
                vec![self::json(Event::Online { users })?]
            } else {
                lines::who(Shown {
                    view,
                    id: ConversationId::OPEN,
                })
            })?;
        }
        Ok(report(end))
    }

    /// Asks a command, and shows its answers.
    async fn ask(mut self, command: Command, json: bool) -> Result<Exit> {
        let mut job = Asking::new(command, self.ids);
        let end = self.session.run(&mut job).await?;
        if end == End::DONE {
            let (view, clock) = (&self.session.view, Clock::system());
            let answers = job.answers.into_iter().filter(Event::is_private);
            show(&if json {
                answers.map(self::json).collect::<Result<Vec<_>>>()?
            } else {
                let lines = answers.flat_map(|event| lines::lines(&event, view, &clock));
                lines.collect()
            })?;
        }
        Ok(report(end))
    }

    async fn verify(mut self, verify: Verify) -> Result<Exit> {
        let code = match verify.code.concat().parse() {
            Ok(code) => code,
            Err(error) => {
                complain(NAME, format_args!("CODE: {error}"));
                return Ok(Exit::Usage);
            }
        };
        let (name, verified) = (verify.name, true);
        let command = Command::Trust {
            name,
            code,
            verified,
        };
        let mut job = Asking::new(command, self.ids);
        let end = self.session.run(&mut job).await?;
        if end == End::DONE {
            show(&[wording::security::is_verified(name)])?;
        }
        Ok(report(end))
    }

    async fn show_identity(mut self, json: bool) -> Result<Exit> {
        let end = self.session.run(&mut Showing).await?;
        if end == End::DONE {
            let view = &self.session.view;
            show(&match view.identity {
                Some(identity) if json => vec![self::json(Event::Identity(identity))?],
                _ => lines::identity(view),
            })?;
        }
        Ok(report(end))
    }

    async fn export(mut self, file: Option<PathBuf>, needed: Needed) -> Result<Exit> {
        let password = needed.password.context("there is no password")?;
        let mut job = Asking::new(Command::ExportIdentity { password }, self.ids);
        let end = self.session.run(&mut job).await?;
        if end == End::DONE {
            let exported = job.answers.into_iter().find_map(|event| match event {
                Event::Exported { identity } => Some(identity),
                _ => None,
            });
            let identity = exported.context("the peer has exported nothing")?;
            match file {
                Some(file) => keys::write(&file, &identity)?,
                None => show(&[identity])?,
            }
        }
        Ok(report(end))
    }

    async fn import(mut self, needed: Needed) -> Result<Exit> {
        let (identity, password) = needed.identity.zip(needed.password).unzip();
        let identity = identity.context("there is no identity")?;
        let password = password.context("there is no password")?;
        let command = Command::ImportIdentity { identity, password };
        let end = self
            .session
            .run(&mut Asking::new(command, self.ids.clone()))
            .await?;
        if end != End::DONE {
            return Ok(report(end));
        }
        self.show_identity(false).await
    }

    async fn registries(mut self, registries: Registries) -> Result<Exit> {
        match registries.task {
            None => self.ask(Command::Registries, registries.json).await,
            Some(RegistriesTask::List { json }) => self.ask(Command::Registries, json).await,
            Some(RegistriesTask::Trust { trusted }) => {
                let end = self
                    .session
                    .run(&mut Trusting::new(trusted, self.ids))
                    .await?;
                Ok(report(end))
            }
            Some(RegistriesTask::Forget { name: registry }) => {
                self.ask(Command::ForgetRegistry { registry }, false).await
            }
        }
    }

    async fn watch(mut self, json: bool) -> Result<Exit> {
        let clock = Clock::system();
        if json {
            let snapshot = Snapshot {
                version: CONTRACT_VERSION,
                missed: 0,
                view: self.session.view.clone(),
            };
            let view = self::json(Event::View(Box::new(snapshot)))?;
            if print(&[view])? == Output::Closed {
                return Ok(Exit::Done);
            }
        }
        loop {
            let update = match self.session.next().await? {
                Next::Update(update) => update,
                Next::Stop(stop) => return Ok(stop.into()),
            };
            let new = match &*update.event {
                _ if json => vec![serde_json::to_string(&update)?],
                Event::View(snapshot) if snapshot.missed > 0 => {
                    vec![format!("{} events were missed", snapshot.missed)]
                }
                Event::View(_) => Vec::new(),
                event => lines::lines(event, &self.session.view, &clock),
            };
            self.session.view.apply(&update.event);
            if print(&new)? == Output::Closed {
                return Ok(Exit::Done);
            }
        }
    }
}

/// Says what there is to say about the end.
fn report(end: End) -> Exit {
    if let Some(words) = end.words {
        complain(NAME, words);
    }
    end.exit
}

fn json(event: Event) -> Result<String> {
    Ok(serde_json::to_string(&Update::from(event))?)
}

/// Prints lines. That nobody reads them is as good.
fn show(lines: &[String]) -> io::Result<()> {
    match print(lines)? {
        Output::Written | Output::Closed => Ok(()),
    }
}

/// Prints lines at once.
fn print(lines: &[String]) -> io::Result<Output> {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    streams::print(text.as_bytes())
}

/// The text to send: the one that is given, or standard input without the line end at its end.
/// The inner error is the user's.
fn text(given: Option<String>) -> Result<Result<String, String>> {
    let text = match given {
        Some(text) if text != "-" => text,
        _ => {
            let mut input = streams::stdin().take(LONGEST as u64);
            let mut bytes = Vec::new();
            let read = input.read_to_end(&mut bytes);
            read.context(UNREADABLE)?;
            // What is cut is too long anyway, and told as that.
            let text = String::from_utf8_lossy(&bytes);
            if bytes.len() < LONGEST && std::str::from_utf8(&bytes).is_err() {
                return Ok(Err("standard input is not UTF-8 text".to_owned()));
            }
            text.trim_end_matches(['\n', '\r']).to_owned()
        }
    };
    if text.is_empty() {
        return Ok(Err("there is no text to send".to_owned()));
    }
    Ok(Ok(text))
}
