//! `--plain`: one line per event, for pipes and screen readers.

use anyhow::{Context, Result};
use p2pchat_model::wording::label;
use p2pchat_model::{Command, Event, Password, Username};
use p2pchat_peer::Handle;
use p2pchat_settings::Signals;
use p2pchat_settings::streams::{Output, complain};
use tokio::time::{Instant, sleep_until};

use self::console::{Ask, Console, Given};
use crate::NAME;
use crate::client::{Client, PATIENCE};
use crate::clock::Clock;
use crate::commands::{self, COMMANDS, Typed};
use crate::exit::Exit;
use crate::feed::{Feed, Update};
use crate::options::{AutoLogin, Settings};
use crate::stdin;

mod console;
pub(crate) mod lines;
mod terminal;

/// Runs until the user quits, the input has ended, or a signal comes.
///
/// # Errors
/// If the peer stops by itself, or the terminal cannot be read.
pub async fn run(handle: Handle, settings: &Settings, mut signals: Signals) -> Result<Exit> {
    let (mut feed, view) = Feed::start(handle.clone()).await?;
    let mut front = Front {
        client: Client::new(handle, view),
        console: Console::new()?,
        clock: Clock::system(),
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
        if front.ends_at.is_some() && front.client.is_settled() {
            return Ok(Exit::Done);
        }
        let deadline = front.ends_at;
        tokio::select! {
            stop = signals.next() => return Ok(stop.into()),
            update = feed.next() => front.update(update?).await?,
            given = front.console.next(), if front.takes_input() => front.given(given).await?,
            () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                return Ok(Exit::Done);
            }
        }
    }
}

/// What the next input is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    Chat,
    Name { register: bool },
    Password { register: bool, name: Username },
}

struct Front {
    client: Client,
    console: Console,
    clock: Clock,
    stage: Stage,
    /// The deadline for the end, once the input has ended.
    ends_at: Option<Instant>,
    /// The exit code, once the program is to end.
    exit: Option<Exit>,
}

impl Front {
    async fn start(&mut self, user: Option<Username>, login: Option<AutoLogin>) -> Result<()> {
        if let (Some(address), registry) = (self.client.view.address, &self.client.view.registry) {
            let text = format!("your address is {address}, the registry is {registry}");
            self.print(&text);
        }
        if self.exit.is_some() {
            return Ok(());
        }
        match (user, login) {
            (_, Some(login)) => self.client.log_in(login).await?,
            (Some(name), None) if self.console.is_terminal() => {
                self.stage = Stage::Password {
                    register: false,
                    name,
                };
            }
            (_, None) => self.print(&format!(
                "{}: /login · {}: /register · /help",
                label::SIGN_IN,
                label::CREATE_ACCOUNT
            )),
        }
        self.ask();
        Ok(())
    }

    fn takes_input(&self) -> bool {
        self.ends_at.is_none() && (!self.client.is_logging_in() || self.console.is_terminal())
    }

    fn print(&mut self, line: &str) {
        self.exit = match self.console.print(line) {
            Ok(Output::Written) => return,
            Ok(Output::Closed) => Some(Exit::Done),
            Err(error) => {
                complain(NAME, error);
                Some(Exit::Failed)
            }
        };
    }

    fn ask(&mut self) {
        self.console.know(&self.client.view);
        self.console.ask(match &self.stage {
            Stage::Chat => Ask::Chat,
            Stage::Name { .. } => Ask::Line(format!("{}: ", label::NAME)),
            Stage::Password { name, .. } => {
                Ask::Password(format!("{} of {name}: ", label::PASSWORD))
            }
        });
    }

    async fn given(&mut self, given: Given) -> Result<()> {
        match (given, std::mem::replace(&mut self.stage, Stage::Chat)) {
            (Given::End, Stage::Chat) if self.console.is_terminal() => {
                self.exit = Some(Exit::Done);
            }
            (Given::End, Stage::Chat) => self.ends_at = Some(Instant::now() + PATIENCE),
            // The end of a question is not the end of the program.
            (Given::End, _) => {}
            (Given::Bad(error), _) => self.print(&error.to_string()),
            (Given::Failed(error), _) => return Err(error).context(stdin::UNREADABLE),
            (Given::Password(text), Stage::Password { register, name }) => {
                self.sign_in(register, name, &text).await?;
            }
            (Given::Line(name), Stage::Name { register }) if !name.starts_with('/') => {
                self.name_given(register, name.trim());
            }
            (Given::Line(line), _) => self.line(&line).await?,
            (Given::Password(_), _) => {}
        }
        // The editor would set the terminal while it is restored.
        if self.exit.is_none() {
            self.ask();
        }
        Ok(())
    }

    async fn line(&mut self, line: &str) -> Result<()> {
        match commands::parse(line, &self.client.view) {
            Ok(Typed::Nothing) => {}
            Ok(Typed::Command(command)) => self.client.send(command).await?,
            Ok(Typed::SignIn { .. }) if !self.console.is_terminal() => {
                self.print("a pipe cannot give a password: use --user and --password-file");
            }
            Ok(Typed::SignIn { register, name }) => {
                self.stage = match name {
                    Some(name) => Stage::Password { register, name },
                    None => Stage::Name { register },
                };
            }
            Ok(Typed::Help) => {
                for entry in COMMANDS {
                    self.print(&format!("{:24} {}", entry.usage(), entry.help));
                }
            }
            Ok(Typed::Who) => {
                for line in lines::who(&self.client.view) {
                    self.print(&line);
                }
                // The list may be half a minute old; the answer to this is not.
                if self.client.view.account.is_some() {
                    self.client.send(Command::Refresh).await?;
                }
            }
            Ok(Typed::Blocked) => {
                for line in lines::blocked(&self.client.view) {
                    self.print(&line);
                }
            }
            Ok(Typed::Quit) => self.exit = Some(Exit::Done),
            Err(error) => self.print(&error.to_string()),
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
            Ok(password) if register => {
                self.client.send(Command::Register { name, password }).await
            }
            Ok(password) => self.client.send(Command::Login { name, password }).await,
            Err(error) => {
                self.print(&error.to_string());
                Ok(())
            }
        }
    }

    async fn update(&mut self, update: Update) -> Result<()> {
        match update {
            Update::Event(event) => self.event(&event).await,
            Update::Snapshot { view, missed } => {
                self.print(&format!("{missed} events were missed"));
                self.client.replace_view(*view);
                Ok(())
            }
        }
    }

    async fn event(&mut self, event: &Event) -> Result<()> {
        // What was typed on a terminal is on it already.
        let typed = matches!(event, Event::Message(message) if message.is_own());
        if !(typed && self.console.shows_typed()) {
            for line in lines::lines(event, &self.client.view, &self.clock) {
                self.print(&line);
            }
        }
        let failed = self.client.apply(event).await?;
        self.console.know(&self.client.view);
        if let Some(reason) = failed
            && !self.console.is_terminal()
        {
            complain(NAME, format_args!("login failed: {reason}"));
            self.exit = Some(Exit::Login);
        }
        Ok(())
    }
}
