//! Somebody who chats by the built `p2pchat --json`.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use p2pchat_model::{Command, Event};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::time::{Instant, timeout, timeout_at};

use crate::programs::memory;
use crate::{Programs, Registry};

/// How long a program may take to read a command.
const WRITE_LIMIT: Duration = Duration::from_secs(10);

/// A running `p2pchat --json`. Killed on drop.
#[derive(Debug)]
pub struct Chatter {
    /// Where it is.
    pub address: Ipv4Addr,
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Chatter {
    /// Starts one at an address; it does not log in by itself. `home` holds its history
    /// and what it has to complain about, `p2pchat.log`.
    ///
    /// # Errors
    /// If it is not built or does not start.
    pub fn start(
        programs: &Programs,
        home: &Path,
        registry: &Registry,
        address: Ipv4Addr,
        more: &[&str],
    ) -> Result<Self> {
        Self::start_towards(registry.ports(), programs, home, address, more)
    }

    /// The same with a registry that is reached at other ports than its own: TCP, UDP.
    ///
    /// # Errors
    /// The same.
    pub fn start_towards(
        [tcp, udp]: [SocketAddr; 2],
        programs: &Programs,
        home: &Path,
        address: Ipv4Addr,
        more: &[&str],
    ) -> Result<Self> {
        let registry = (tcp.to_string(), udp.port());
        Self::start_named(registry, programs, home, address, more)
    }

    /// The same with whatever `--registry` and `--hello-port` take.
    ///
    /// # Errors
    /// The same.
    pub fn start_named(
        (registry, hello_port): (String, u16),
        programs: &Programs,
        home: &Path,
        address: Ipv4Addr,
        more: &[&str],
    ) -> Result<Self> {
        let log = home.join("p2pchat.log");
        let mut child = programs
            .command("p2pchat", home)?
            .args(["--json", "--registry", &registry])
            .args(["--hello-port", &hello_port.to_string()])
            .args(["--address", &address.to_string()])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(log)?)
            .spawn()
            .context("cannot start p2pchat")?;
        let stdout = child.stdout.take().context("no output to read")?;
        Ok(Self {
            address,
            stdin: child.stdin.take().context("no input to write to")?,
            lines: BufReader::new(stdout).lines(),
            child,
        })
    }

    /// Asks for something.
    ///
    /// # Errors
    /// If the program has ended, or does not read.
    pub async fn ask(&mut self, command: &Command) -> Result<()> {
        let mut line = serde_json::to_vec(command)?;
        line.push(b'\n');
        timeout(WRITE_LIMIT, self.stdin.write_all(&line))
            .await
            .context("p2pchat does not read")?
            .context("p2pchat has ended")
    }

    /// The next event. `None` when the program has ended.
    ///
    /// # Errors
    /// If what it wrote is no event.
    pub async fn event(&mut self) -> Result<Option<Event>> {
        match self.lines.next_line().await? {
            Some(line) => serde_json::from_str(&line)
                .map(Some)
                .with_context(|| format!("p2pchat wrote {line:?}")),
            None => Ok(None),
        }
    }

    /// Reads what it writes and drops it, without a look at it, until it ends: a program
    /// whose events nobody reads comes to a halt.
    ///
    /// # Errors
    /// If it cannot be read from.
    pub async fn pass_over_events(&mut self) -> Result<()> {
        loop {
            let unread = self.lines.get_mut();
            match unread.fill_buf().await?.len() {
                0 => return Ok(()),
                length => unread.consume(length),
            }
        }
    }

    /// The next event that `wanted` finds something in; those before it are passed over.
    ///
    /// # Errors
    /// If none comes within `limit`; says which came instead.
    pub async fn event_with<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut wanted: impl FnMut(&Event) -> Option<T>,
    ) -> Result<T> {
        let deadline = Instant::now() + limit;
        let mut others = Vec::new();
        while let Ok(event) = timeout_at(deadline, self.event()).await {
            match event? {
                Some(event) => match wanted(&event) {
                    Some(found) => return Ok(found),
                    None => others.push(event),
                },
                None => bail!("p2pchat ended before {what}; its events were {others:?}"),
            }
        }
        bail!("no {what} within {limit:?} but {others:?}")
    }

    /// Its process id.
    ///
    /// # Errors
    /// If it has ended.
    pub fn pid(&self) -> Result<u32> {
        self.child.id().context("p2pchat has ended")
    }

    /// Its resident memory, in bytes.
    ///
    /// # Errors
    /// If it has ended.
    pub fn memory(&self) -> Result<u64> {
        memory(self.pid()?)
    }

    /// Ends it with SIGKILL, and waits until it is gone.
    ///
    /// # Errors
    /// If the system refuses.
    pub async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Ends it with SIGKILL, and returns the events that it had written before and that
    /// nobody had read yet.
    ///
    /// # Errors
    /// If the system refuses.
    pub async fn kill_and_read(mut self) -> Result<Vec<Event>> {
        self.child.start_kill()?;
        let mut events = Vec::new();
        // Its last line may be cut off.
        while let Ok(Some(line)) = self.lines.next_line().await
            && let Ok(event) = serde_json::from_str(&line)
        {
            events.push(event);
        }
        self.child.wait().await?;
        Ok(events)
    }
}
