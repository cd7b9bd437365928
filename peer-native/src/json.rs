//! `--json`: one command per line on standard input, one event per line on standard output.
//!
//! The first line is `started`. A line that is not a command is answered by `failed` with
//! the command `?`. When the input ends, the program waits up to [`PATIENCE`] for answers
//! and deliveries.

use std::io::{self, Write};

use anyhow::{Context, Result};
use p2pchat_model::{Command, Event, Failure, Link, Problem, View};
use p2pchat_peer::Handle;
use p2pchat_settings::Signals;
use p2pchat_settings::command::complaint;
use tokio::time::{Instant, sleep_until};

use crate::clock::Clock;
use crate::exit::Exit;
use crate::feed::{Feed, Update};
use crate::login::{Attempt, Step};
use crate::options::AutoLogin;
use crate::pending::{PATIENCE, Pending};
use crate::stdin::{self, BadLine};

/// Runs until the input has ended, the output is closed, or a signal comes.
///
/// # Errors
/// If the peer stops by itself.
pub async fn run(handle: Handle, login: Option<AutoLogin>, mut signals: Signals) -> Result<Exit> {
    let (mut feed, view) = Feed::start(handle.clone()).await?;
    let mut front = Front {
        handle,
        view,
        pending: Pending::default(),
        attempt: None,
        closed: false,
    };
    front.show_start();
    if let Some(login) = login {
        let (attempt, command) = Attempt::start(login);
        front.attempt = Some(attempt);
        front.send(command).await?;
    }
    let mut input = stdin::read_stdin();
    let mut ends_at = None;
    while !front.closed {
        if ends_at.is_some() && front.pending.is_settled(&front.view) {
            break;
        }
        tokio::select! {
            stop = signals.next() => return Ok(stop.into()),
            update = feed.next() => if let Some(exit) = front.update(update?).await? {
                return Ok(exit);
            },
            line = input.recv(), if ends_at.is_none() && front.attempt.is_none() => match line {
                Some(line) => front.line(line).await?,
                None => ends_at = Some(Instant::now() + PATIENCE),
            },
            () = sleep_until(ends_at.unwrap_or_else(Instant::now)), if ends_at.is_some() => break,
        }
    }
    Ok(Exit::Done)
}

struct Front {
    handle: Handle,
    view: View,
    pending: Pending,
    attempt: Option<Attempt>,
    /// The output is closed.
    closed: bool,
}

impl Front {
    /// Writes the events that came before the subscription.
    fn show_start(&mut self) {
        let started = self.view.address.zip(self.view.message_port);
        if let Some((address, message_port)) = started {
            self.show(&Event::Started {
                address,
                registry: self.view.registry.clone(),
                message_port,
            });
        }
        let link = self.view.link.clone();
        if link != Link::default() {
            self.show(&Event::Link(link));
        }
    }

    fn show(&mut self, event: &Event) {
        // In one write: a message to a thousand members has a line of 100 KB.
        let line = serde_json::to_vec(event).map(|line| [&line[..], b"\n"].concat());
        let written = line.map_err(io::Error::from).and_then(|line| {
            let mut out = io::stdout().lock();
            out.write_all(&line)?;
            out.flush()
        });
        self.closed |= written.is_err();
    }

    async fn send(&mut self, command: Command) -> Result<()> {
        self.pending.sent(&command);
        self.handle
            .send(command)
            .await
            .context("the peer has stopped")
    }

    async fn line(&mut self, line: Result<String, BadLine>) -> Result<()> {
        let message = match line {
            Ok(line) if line.trim().is_empty() => return Ok(()),
            Ok(line) => match serde_json::from_str(&line) {
                Ok(command) => return self.send(command).await,
                Err(error) => Problem::BadCommand.because(complaint(&error)),
            },
            Err(error) => error.to_string(),
        };
        self.show(&Event::Failed {
            at: Clock::now(),
            failure: Failure {
                command: "?".to_owned(),
                problem: Problem::BadCommand,
                message,
            },
        });
        Ok(())
    }

    async fn update(&mut self, update: Update) -> Result<Option<Exit>> {
        let event = match update {
            Update::Event(event) => event,
            Update::Snapshot { view, missed } => {
                eprintln!("p2pchat: {missed} events were missed: read faster");
                self.view = *view;
                self.pending.forget();
                self.attempt.take_if(|_| self.view.account.is_some());
                return Ok(None);
            }
        };
        self.view.apply(&event);
        self.pending.on_event(&event);
        self.show(&event);
        let step = self
            .attempt
            .as_ref()
            .map(|attempt| attempt.on_event(&event));
        match step {
            None | Some(Step::Wait) => {}
            Some(Step::Done) => self.attempt = None,
            Some(Step::Send(command)) => self.send(command).await?,
            Some(Step::Failed(reason)) => {
                eprintln!("p2pchat: login failed: {reason}");
                return Ok(Some(Exit::Login));
            }
        }
        Ok(None)
    }
}
