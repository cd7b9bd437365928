//! `--plain`: one line an event, for pipes and screen readers.

use anyhow::{Context, Result};
use p2pchat_model::{Command, Event, Password, Username, View};
use p2pchat_peer::Handle;
use p2pchat_settings::Signals;
use tokio::time::{Instant, sleep_until};

use crate::clock::Clock;
use crate::console::{Ask, Console, Given};
use crate::exit::Exit;
use crate::feed::{Feed, Seen};
use crate::input::{self, COMMANDS, Typed};
use crate::login::{Attempt, Step};
use crate::options::{AutoLogin, Settings};
use crate::pending::{PATIENCE, Pending};
use crate::words;

const PROMPT: &str = "> ";

/// Runs until the user quits, the input has ended, or a signal comes.
///
/// # Errors
/// If the peer stops by itself, or the terminal cannot be read.
pub async fn run(handle: Handle, settings: &Settings, mut signals: Signals) -> Result<Exit> {
    let (mut feed, view) = Feed::start(handle.clone()).await?;
    let mut front = Front {
        handle,
        view,
        console: Console::new()?,
        clock: Clock::system(),
        pending: Pending::default(),
        attempt: None,
        stage: Stage::Chat,
        ends_at: None,
        exit: None,
    };
    front
        .start(settings.options.user, settings.login.clone())
        .await?;
    loop {
        if let Some(exit) = front.exit {
            return Ok(exit);
        }
        if front.ends_at.is_some() && front.pending.is_settled(&front.view) {
            return Ok(Exit::Done);
        }
        let deadline = front.ends_at;
        tokio::select! {
            stop = signals.next() => return Ok(stop.into()),
            seen = feed.next() => front.seen(seen?).await?,
            given = front.console.next(), if front.takes_input() => front.given(given).await?,
            () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                return Ok(Exit::Done);
            }
        }
    }
}

/// What the next thing that the user gives is for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    Chat,
    Name { register: bool },
    Password { register: bool, name: Username },
}

struct Front {
    handle: Handle,
    view: View,
    console: Console,
    clock: Clock,
    pending: Pending,
    attempt: Option<Attempt>,
    stage: Stage,
    /// When to end at the latest, once the input has ended.
    ends_at: Option<Instant>,
    /// How to end, once that is decided.
    exit: Option<Exit>,
}

impl Front {
    async fn start(&mut self, user: Option<Username>, login: Option<AutoLogin>) -> Result<()> {
        if let (Some(address), registry) = (self.view.address, &self.view.registry) {
            let text = format!("this peer is at {address}, its registry is {registry}");
            self.print(&text);
        }
        match (user, login) {
            (_, Some(login)) => {
                let (attempt, command) = Attempt::start(login);
                self.attempt = Some(attempt);
                self.send(command).await?;
            }
            (Some(name), None) if self.console.is_terminal() => {
                self.stage = Stage::Password {
                    register: false,
                    name,
                };
            }
            (_, None) => self.print("log in with /login, or make an account with /register; /help"),
        }
        self.ask();
        Ok(())
    }

    fn takes_input(&self) -> bool {
        self.ends_at.is_none() && (self.attempt.is_none() || self.console.is_terminal())
    }

    fn print(&mut self, line: &str) {
        if self.console.print(line).is_err() {
            self.exit = Some(Exit::Done);
        }
    }

    fn ask(&mut self) {
        self.console.know(&self.view);
        self.console.ask(match &self.stage {
            Stage::Chat => Ask::Line(PROMPT.to_owned()),
            Stage::Name { .. } => Ask::Line("name: ".to_owned()),
            Stage::Password { name, .. } => Ask::Password(format!("password of {name}: ")),
        });
    }

    async fn send(&mut self, command: Command) -> Result<()> {
        self.pending.sent(&command);
        self.handle.send(command).await.context("the peer is gone")
    }

    async fn given(&mut self, given: Given) -> Result<()> {
        match (given, std::mem::replace(&mut self.stage, Stage::Chat)) {
            (Given::End, Stage::Chat) if self.console.is_terminal() => {
                self.exit = Some(Exit::Done);
            }
            (Given::End, Stage::Chat) => self.ends_at = Some(Instant::now() + PATIENCE),
            // Out of the questions, back to the prompt.
            (Given::End, _) => {}
            (Given::Bad(error), _) => self.print(&error.to_string()),
            (Given::Password(text), Stage::Password { register, name }) => {
                self.sign_in(register, name, &text).await?;
            }
            (Given::Line(name), Stage::Name { register }) if !name.starts_with('/') => {
                self.name_given(register, name.trim());
            }
            (Given::Line(line), _) => self.line(&line).await?,
            (Given::Password(_), _) => {}
        }
        self.ask();
        Ok(())
    }

    async fn line(&mut self, line: &str) -> Result<()> {
        match input::parse(line, &self.view) {
            Ok(Typed::Nothing) => {}
            Ok(Typed::Command(command)) => self.send(command).await?,
            Ok(Typed::SignIn { .. }) if !self.console.is_terminal() => {
                self.print("a password is not read from a pipe: give --user and --password-file");
            }
            Ok(Typed::SignIn { register, name }) => {
                self.stage = match name {
                    Some(name) => Stage::Password { register, name },
                    None => Stage::Name { register },
                };
            }
            Ok(Typed::Help) => {
                for entry in COMMANDS {
                    let usage = format!("{} {}", entry.name, entry.arguments);
                    self.print(&format!("{usage:24} {}", entry.meaning));
                }
            }
            Ok(Typed::Who) => {
                for line in words::who(&self.view) {
                    self.print(&line);
                }
                // What is known may be half a minute old; the next answer is not.
                if self.view.account.is_some() {
                    self.send(Command::Refresh).await?;
                }
            }
            Ok(Typed::Blocked) => {
                for line in words::blocked(&self.view) {
                    self.print(&line);
                }
            }
            Ok(Typed::Quit) => self.exit = Some(Exit::Done),
            Err(message) => self.print(&message),
        }
        Ok(())
    }

    fn name_given(&mut self, register: bool, name: &str) {
        match Username::new(name) {
            Ok(name) => self.stage = Stage::Password { register, name },
            Err(error) => self.print(&error.to_string()),
        }
    }

    async fn sign_in(&mut self, register: bool, name: Username, password: &str) -> Result<()> {
        match Password::new(password) {
            Ok(password) if register => self.send(Command::Register { name, password }).await,
            Ok(password) => self.send(Command::Login { name, password }).await,
            Err(error) => {
                self.print(&error.to_string());
                Ok(())
            }
        }
    }

    async fn seen(&mut self, seen: Seen) -> Result<()> {
        match seen {
            Seen::Event(event) => self.event(&event).await,
            Seen::Anew(view, count) => {
                self.print(&format!("{count} events were missed"));
                self.view = *view;
                self.pending.forget();
                self.attempt.take_if(|_| self.view.account.is_some());
                Ok(())
            }
        }
    }

    async fn event(&mut self, event: &Event) -> Result<()> {
        // What somebody typed on a terminal is on it already.
        let typed = matches!(event, Event::Message(message) if message.is_own());
        if !(typed && self.console.is_terminal()) {
            for line in words::lines(event, &self.view, &self.clock) {
                self.print(&line);
            }
        }
        self.view.apply(event);
        self.pending.saw(event);
        self.console.know(&self.view);
        let step = self.attempt.as_ref().map(|attempt| attempt.saw(event));
        match step {
            None | Some(Step::Wait) => {}
            Some(Step::Done) => self.attempt = None,
            Some(Step::Send(command)) => self.send(command).await?,
            Some(Step::Failed(_)) if self.console.is_terminal() => self.attempt = None,
            Some(Step::Failed(reason)) => {
                eprintln!("p2pchat: login failed: {reason}");
                self.exit = Some(Exit::Login);
            }
        }
        Ok(())
    }
}
