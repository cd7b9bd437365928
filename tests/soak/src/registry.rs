//! The built registry as a process.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use tokio::time::{sleep, timeout};

use crate::Programs;
use crate::programs::memory;
use crate::wait::SOON;

/// A running registry. Killed on drop.
#[derive(Debug)]
pub struct Registry {
    child: Child,
    /// Where it takes sessions.
    pub tcp: SocketAddr,
    /// Where it takes Hello datagrams.
    pub udp: SocketAddr,
}

/// Free ports of 127.0.0.1.
const ANY_PORTS: [SocketAddr; 2] =
    [SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0); 2];

impl Registry {
    /// Starts one on free ports of 127.0.0.1 and waits until it listens. `home` holds its
    /// log, `registry.log`; `more` are further arguments.
    ///
    /// # Errors
    /// If it is not built or does not start; says what it said.
    pub async fn start(
        programs: &Programs,
        home: &Path,
        store: &str,
        more: &[&str],
    ) -> Result<Self> {
        Self::start_at(ANY_PORTS, programs, home, store, more).await
    }

    /// The same on given ports: TCP, UDP.
    ///
    /// # Errors
    /// The same.
    pub async fn start_at(
        [tcp, udp]: [SocketAddr; 2],
        programs: &Programs,
        home: &Path,
        store: &str,
        more: &[&str],
    ) -> Result<Self> {
        let log = home.join("registry.log");
        let mut child = spawn([tcp, udp], programs, home, store, more)?;
        let stdout = child.stdout.take().context("no output to read")?;
        let mut line = String::new();
        let mut stdout = BufReader::new(stdout);
        timeout(SOON, stdout.read_line(&mut line))
            .await
            .context("the registry says nothing")??;
        let said = || format!("it said {line:?}, its log is {}", log.display());
        Ok(Self {
            tcp: address_after(&line, "tcp").with_context(said)?,
            udp: address_after(&line, "udp").with_context(said)?,
            child,
        })
    }

    /// Starts one and ends it with SIGKILL after this time, wherever it has got to.
    ///
    /// # Errors
    /// If it is not built, or the system refuses.
    pub async fn start_and_kill(
        after: Duration,
        ports: [SocketAddr; 2],
        programs: &Programs,
        home: &Path,
        store: &str,
        more: &[&str],
    ) -> Result<()> {
        let mut child = spawn(ports, programs, home, store, more)?;
        sleep(after).await;
        Ok(child.kill().await?)
    }

    /// Its ports, to start another one on.
    #[must_use]
    pub fn ports(&self) -> [SocketAddr; 2] {
        [self.tcp, self.udp]
    }

    /// Its process id.
    ///
    /// # Errors
    /// If it has ended.
    pub fn pid(&self) -> Result<u32> {
        self.child.id().context("the registry has ended")
    }

    /// Its resident memory, in bytes.
    ///
    /// # Errors
    /// If it has ended.
    pub fn memory(&self) -> Result<u64> {
        memory(self.pid()?)
    }

    /// Has it end in order, and waits until it has.
    ///
    /// # Errors
    /// If it does not, or says that it failed.
    pub async fn stop(mut self) -> Result<()> {
        let pid = Pid::from_raw(self.pid()?.try_into()?).context("a process has a number")?;
        kill_process(pid, Signal::TERM)?;
        let ended = timeout(SOON, self.child.wait())
            .await
            .context("the registry does not end")??;
        ensure!(ended.success(), "the registry ended with {ended}");
        Ok(())
    }

    /// Ends it with SIGKILL, and waits until it is gone.
    ///
    /// # Errors
    /// If the system refuses.
    pub async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }
}

/// Starts the program. Its first line is on its standard output.
fn spawn(
    [tcp, udp]: [SocketAddr; 2],
    programs: &Programs,
    home: &Path,
    store: &str,
    more: &[&str],
) -> Result<Child> {
    let log = home.join("registry.log");
    programs
        .command("p2pchat-registry", home)?
        .args(["--store", store])
        .args(["--tcp", &tcp.to_string(), "--udp", &udp.to_string()])
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(File::options().create(true).append(true).open(log)?)
        .spawn()
        .context("cannot start the registry")
}

/// The address behind a word of the line that the registry prints.
fn address_after(line: &str, word: &str) -> Result<SocketAddr> {
    let mut words = line.split([' ', ',']).skip_while(|found| *found != word);
    let address = words.nth(1).context("no such word")?;
    Ok(address.parse()?)
}
