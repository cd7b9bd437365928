//! `--json`: one command per line on standard input, one event per line on standard output.
//!
//! The first line is `started`. A line that is not a command is answered by `failed` with
//! the command `?`. When the input ends, the program waits up to 5 seconds for answers
//! and deliveries.

use std::io;

use anyhow::{Context, Result};
use p2pchat_model::{Event, Failure, Link, Problem};
use p2pchat_peer::Handle;
use p2pchat_settings::Signals;
use p2pchat_settings::command::complaint;
use p2pchat_settings::streams::{self, Output, complain};
use tokio::time::{Instant, sleep_until};

use crate::NAME;
use crate::client::{Client, PATIENCE};
use crate::clock::Clock;
use crate::exit::Exit;
use crate::feed::{Feed, Update};
use crate::options::AutoLogin;
use crate::stdin::{self, BadLine};

/// Runs until the input has ended, the output is closed, or a signal comes.
///
/// # Errors
/// If the peer stops by itself, the input cannot be read, or the output not be written.
pub async fn run(handle: Handle, login: Option<AutoLogin>, mut signals: Signals) -> Result<Exit> {
    let (mut feed, view) = Feed::start(handle.clone()).await?;
    let mut front = Front {
        client: Client::new(handle, view),
        closed: false,
    };
    front.show_start()?;
    if let Some(login) = login
        && !front.closed
    {
        front.client.log_in(login).await?;
    }
    let mut input = stdin::read_stdin();
    let mut ends_at = None;
    while !front.closed {
        if ends_at.is_some() && front.client.is_settled() {
            break;
        }
        tokio::select! {
            stop = signals.next() => return Ok(stop.into()),
            update = feed.next() => if let Some(exit) = front.update(update?).await? {
                return Ok(exit);
            },
            line = input.recv(), if ends_at.is_none() && !front.client.is_logging_in() => match line {
                Some(line) => front.line(line.context(stdin::UNREADABLE)?).await?,
                None => ends_at = Some(Instant::now() + PATIENCE),
            },
            () = sleep_until(ends_at.unwrap_or_else(Instant::now)), if ends_at.is_some() => break,
        }
    }
    Ok(Exit::Done)
}

struct Front {
    client: Client,
    /// The output is closed.
    closed: bool,
}

impl Front {
    /// Writes the events that came before the subscription.
    fn show_start(&mut self) -> Result<()> {
        let view = &self.client.view;
        let (link, started) = (view.link.clone(), view.address.zip(view.message_port));
        if let Some((address, message_port)) = started {
            let registry = view.registry.clone();
            self.show(&Event::Started {
                address,
                registry,
                message_port,
            })?;
        }
        if link != Link::default() {
            self.show(&Event::Link(link))?;
        }
        Ok(())
    }

    fn show(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        self.closed |= streams::print(&line)? == Output::Closed;
        Ok(())
    }

    async fn line(&mut self, line: Result<String, BadLine>) -> Result<()> {
        let message = match line {
            Ok(line) if line.trim().is_empty() => return Ok(()),
            Ok(line) => match serde_json::from_str(&line) {
                Ok(command) => return self.client.send(command).await,
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
        })?;
        Ok(())
    }

    async fn update(&mut self, update: Update) -> Result<Option<Exit>> {
        let event = match update {
            Update::Event(event) => event,
            Update::Snapshot { view, missed } => {
                let told = format_args!("{missed} events were missed: read faster");
                complain(NAME, told);
                self.client.replace_view(*view);
                return Ok(None);
            }
        };
        self.show(&event)?;
        if let Some(reason) = self.client.apply(&event).await? {
            complain(NAME, format_args!("login failed: {reason}"));
            return Ok(Some(Exit::Login));
        }
        Ok(None)
    }
}
