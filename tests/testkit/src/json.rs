//! A client of the peers' JSON contract over a pair of pipes: what `p2pchat --json` reads
//! and writes, a line a call or an update.

use std::time::Duration;

use anyhow::{Context, Result};
use p2pchat_model::{Call, Update};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::time::timeout;

/// How long a program may take to read a call.
const WRITE_LIMIT: Duration = Duration::from_secs(10);

/// The pipes of a running `p2pchat --json`. Dropping them is what ends it in order.
#[derive(Debug)]
pub struct JsonLines {
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl JsonLines {
    /// A client over the pipes of a process.
    #[must_use]
    pub fn new(stdin: ChildStdin, stdout: ChildStdout) -> Self {
        Self {
            stdin: Some(stdin),
            lines: BufReader::new(stdout).lines(),
        }
    }

    /// Sends a call.
    ///
    /// # Errors
    /// If the program has ended, or does not read.
    pub async fn send(&mut self, call: &Call) -> Result<()> {
        let stdin = self.stdin.as_mut().context("its input has ended")?;
        let mut line = serde_json::to_vec(call)?;
        line.push(b'\n');
        timeout(WRITE_LIMIT, stdin.write_all(&line))
            .await
            .context("p2pchat does not read")?
            .context("p2pchat has ended")
    }

    /// The next update, of which the first is the view; `None` when the program has ended.
    /// Cancel safe.
    ///
    /// # Errors
    /// If what it wrote is not an update.
    pub async fn update(&mut self) -> Result<Option<Update>> {
        match self.lines.next_line().await? {
            Some(line) => Update::from_json(&line)
                .map(Some)
                .with_context(|| format!("p2pchat wrote {line:?}")),
            None => Ok(None),
        }
    }

    /// Ends the program's input: it logs out, and ends.
    pub fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Reads and drops what it writes, unparsed, until it ends: a program whose updates
    /// no one reads misses some.
    ///
    /// # Errors
    /// If it cannot be read from.
    pub async fn skip_updates(&mut self) -> Result<()> {
        loop {
            let unread = self.lines.get_mut();
            match unread.fill_buf().await?.len() {
                0 => return Ok(()),
                length => unread.consume(length),
            }
        }
    }
}
