//! A long command whose output becomes one line of progress.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::process::Command;
use tokio::time::{MissedTickBehavior, interval};

use crate::process::{self, Group, STEP};

/// The number of lines of output that are shown if the command fails.
const TAIL: usize = 40;
/// The time between two updates of the line, on a terminal and elsewhere.
const TICK: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(15)];

/// Runs a command to its end, and shows in one line what it does and how far it is.
///
/// # Errors
/// If it cannot be started or does not succeed. The end of its output has been printed then.
pub(super) async fn follow(what: &str, command: &mut Command) -> Result<()> {
    let (reader, writer) = io::pipe()?;
    command
        // Cargo shows how far it is only on a terminal, unless it is told.
        .env("CARGO_TERM_PROGRESS_WHEN", "always")
        .env("CARGO_TERM_PROGRESS_WIDTH", "100")
        .env("CARGO_TERM_COLOR", "never")
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer);
    let shown = process::shown(command);
    let mut group = Group::spawn(command)?;
    // The pipe ends when the last process that writes into it has ended; this one holds its
    // ends until the command is given others.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut output = pipe::Receiver::from_owned_fd(reader.into())?;
    let mut progress = Progress::new(what);
    let terminal = io::stdout().is_terminal();
    let mut ticks = interval(TICK[usize::from(!terminal)]);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut buffer = [0; 4096];
    loop {
        tokio::select! {
            read = output.read(&mut buffer) => match read? {
                0 => break,
                read => progress.take(&buffer[..read]),
            },
            _ = ticks.tick() => progress.show(terminal)?,
        }
    }
    let status = group.child.wait().await?;
    progress.end_step();
    progress.show(terminal)?;
    if !status.success() {
        progress.tail.iter().for_each(|line| println!("{line}"));
        bail!("`{shown}`: {status}");
    }
    Ok(())
}

/// What the output of a command says about how far it is.
#[derive(Debug)]
struct Progress {
    /// `None` once it has ended.
    step: Option<String>,
    /// Lines about steps that have ended, not yet shown.
    ended: Vec<String>,
    /// Such as `120/310`, by cargo.
    count: Option<String>,
    since: Instant,
    unfinished: Vec<u8>,
    tail: VecDeque<String>,
}

impl Progress {
    fn new(step: &str) -> Self {
        Self {
            step: Some(step.to_owned()),
            ended: Vec::new(),
            count: None,
            since: Instant::now(),
            unfinished: Vec::new(),
            tail: VecDeque::new(),
        }
    }

    /// Takes a piece of output. Cargo ends each state of its progress with a carriage return.
    fn take(&mut self, piece: &[u8]) {
        self.unfinished.extend_from_slice(piece);
        let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
        while let Some(end) = self.unfinished.iter().position(is_end) {
            let line: Vec<u8> = self.unfinished.drain(..=end).collect();
            self.take_line(String::from_utf8_lossy(&line).trim_end());
        }
    }

    fn take_line(&mut self, line: &str) {
        if let Some(step) = line.strip_prefix(STEP) {
            self.end_step();
            self.step = Some(step.to_owned());
        } else if let Some(count) = counted(line) {
            self.count = Some(count.to_owned());
        } else if !line.is_empty() {
            self.tail.push_back(line.to_owned());
            if self.tail.len() > TAIL {
                self.tail.pop_front();
            }
        }
    }

    /// A step that took no time is not worth a line.
    fn end_step(&mut self) {
        if self.since.elapsed() >= Duration::from_secs(1) {
            self.ended.extend(self.line());
        }
        self.step = None;
        self.count = None;
        self.since = Instant::now();
    }

    fn line(&self) -> Option<String> {
        let step = self.step.as_ref()?;
        let count = self.count.iter().map(|count| format!(", {count} crates"));
        let count: String = count.collect();
        let seconds = self.since.elapsed().as_secs();
        Some(format!("  {step}{count}, {seconds} s"))
    }

    /// Prints what has changed: on a terminal, the line of a step overwrites its last one.
    fn show(&mut self, terminal: bool) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let (clear, end) = if terminal {
            ("\r\x1b[2K", "")
        } else {
            ("", "\n")
        };
        for line in self.ended.drain(..) {
            writeln!(out, "{clear}{line}")?;
        }
        if let Some(line) = self.line() {
            // A line that wraps could not be overwritten.
            let line: String = line.chars().take(78).collect();
            write!(out, "{clear}{line}{end}")?;
        }
        out.flush()
    }
}

/// How far cargo is, such as `120/310` in `Building [====>    ] 120/310: serde, syn`.
fn counted(line: &str) -> Option<&str> {
    let (_, count) = line
        .trim_start()
        .strip_prefix("Building [")?
        .split_once("] ")?;
    let count = count.split(':').next()?;
    let (done, all) = count.split_once('/')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (is_number(done) && is_number(all)).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_is_done_and_how_far_it_is() {
        let mut progress = Progress::new("looking for tools");
        let line = |progress: &Progress| progress.line().unwrap();
        assert_eq!(line(&progress), "  looking for tools, 0 s");
        progress.take(b"==> compiling trunk\n   Compiling syn v2\n    Building [=>  ] 12");
        assert!(progress.ended.is_empty(), "the step took no time");
        assert_eq!(line(&progress), "  compiling trunk, 0 s");
        progress.take(b"/310: syn, serde\r");
        assert_eq!(line(&progress), "  compiling trunk, 12/310 crates, 0 s");
        progress.take(b"==> building the web page\n");
        assert_eq!(line(&progress), "  building the web page, 0 s");
        assert_eq!(progress.tail, ["   Compiling syn v2"]);
    }

    #[tokio::test]
    async fn a_command_that_fails_is_an_error() {
        let mut command = Command::new("sh");
        let error = follow("it", command.args(["-c", "echo why >&2; exit 3"])).await;
        assert!(error.unwrap_err().to_string().contains("exit status: 3"));
        let mut command = Command::new("sh");
        follow("it", command.args(["-c", "echo fine"]))
            .await
            .unwrap();
    }
}
