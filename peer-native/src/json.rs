//! `--json`: one call per line on standard input, one update per line on standard output.
//!
//! The first line is the view. A line that is not a call is answered by `failed` with the
//! command `?`. When the input ends, the program waits up to 5 seconds for answers and
//! deliveries.

use std::io;

use anyhow::{Context, Result};
use p2pchat_model::{Call, Event, Failure, Problem, Update};
use p2pchat_settings::Signals;
use p2pchat_settings::streams::{self, Output, complain};
use tokio::time::{Instant, sleep_until};

use crate::NAME;
use crate::app::Joined;
use crate::client::{Client, For, PATIENCE};
use crate::clock::Clock;
use crate::exit::Exit;
use crate::stdin::{self, BadLine};

/// Runs until the input has ended, the output is closed, or a signal comes.
///
/// # Errors
/// If the peer stops by itself, the input cannot be read, or the output not be written.
pub async fn run(joined: &mut Joined, mut signals: Signals) -> Result<Exit> {
    let mut front = Front {
        client: Client::new(joined),
        closed: false,
    };
    front.show(&joined.first)?;
    if let Some(login) = joined.login.take()
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
        let takes_input =
            ends_at.is_none() && !front.client.is_logging_in() && front.client.has_room();
        tokio::select! {
            stop = signals.next() => return Ok(stop.into()),
            update = joined.updates.next() => if let Some(exit) = front.update(update?).await? {
                return Ok(exit);
            },
            line = input.recv(), if takes_input => match line {
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
    fn show(&mut self, update: &Update) -> io::Result<()> {
        let mut line = serde_json::to_vec(update)?;
        line.push(b'\n');
        self.closed |= streams::print(&line)? == Output::Closed;
        Ok(())
    }

    async fn line(&mut self, line: Result<String, BadLine>) -> Result<()> {
        let now = Clock::now();
        let answer = match line {
            Ok(line) if line.trim().is_empty() => return Ok(()),
            Ok(line) => match Call::from_json(&line) {
                Ok(call) => return self.client.send(For::User, call).await,
                Err(bad) => bad.into_answer(now),
            },
            Err(error) => {
                let failure = Failure::new(now, "?", Problem::BadCommand);
                Event::Failed(failure.with_message(error.to_string())).into()
            }
        };
        self.show(&answer)?;
        Ok(())
    }

    async fn update(&mut self, mut update: Update) -> Result<Option<Exit>> {
        let answers = self.client.answered_by(&update);
        let is_hidden = update.re.take_if(|id| self.client.has_made(id)).is_some()
            && *update.event == Event::Done;
        if !is_hidden {
            self.show(&update)?;
        }
        if let Event::View(snapshot) = &*update.event
            && snapshot.missed > 0
        {
            let missed = snapshot.missed;
            complain(
                NAME,
                format_args!("{missed} events were missed: read faster"),
            );
        }
        if let Some(reason) = self.client.apply(&update.event, answers).await? {
            complain(NAME, format_args!("login failed: {reason}"));
            return Ok(Some(Exit::Login));
        }
        Ok(None)
    }
}
