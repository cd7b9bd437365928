//! A built program as a process: killed on drop, its log kept in a file.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::SOON;

/// A running program. Killed on drop.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    child: Child,
}

impl Process {
    /// Starts a command. What it writes to standard error is appended to `log`.
    pub(crate) fn spawn(name: &'static str, command: &mut Command, log: &Path) -> Result<Self> {
        let child = command
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(log)?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name, child })
    }

    /// A client over its pipes, which it has if its standard input is one. Given once.
    #[cfg(feature = "websocket")]
    pub(crate) fn json_lines(&mut self) -> Result<crate::JsonLines> {
        let stdin = self.child.stdin.take().context("no input to write to")?;
        let stdout = self.child.stdout.take().context("no output to read")?;
        Ok(crate::JsonLines::new(stdin, stdout))
    }

    /// The line by which a server says that it listens. What it writes afterwards is lost.
    pub(crate) async fn first_line(&mut self) -> Result<String> {
        let stdout = self.child.stdout.take().context("no output to read")?;
        let mut line = String::new();
        timeout(SOON, BufReader::new(stdout).read_line(&mut line))
            .await
            .with_context(|| format!("{} does not say that it listens", self.name))??;
        Ok(line)
    }

    pub(crate) fn pid(&self) -> Result<u32> {
        let id = self.child.id();
        id.with_context(|| format!("{} has ended", self.name))
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let pid = Pid::from_raw(self.pid()?.try_into()?).context("no process has this id")?;
        Ok(kill_process(pid, signal)?)
    }

    /// Ends it by SIGTERM, and waits until it has ended.
    pub(crate) async fn stop(mut self) -> Result<()> {
        let name = self.name;
        self.signal(Signal::TERM)?;
        let status = timeout(SOON, self.child.wait())
            .await
            .with_context(|| format!("{name} does not end"))??;
        ensure!(status.success(), "{name} ended with {status}");
        Ok(())
    }

    /// Ends it by SIGKILL, and waits until it is gone.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }
}

/// The resident memory of a process, in bytes.
///
/// # Errors
/// If there is no such process, or the system does not tell (only Linux does).
pub fn memory(pid: u32) -> Result<u64> {
    status_bytes(pid, "VmRSS:")
}

/// The memory of a process that is its own, in bytes: of what is resident, all but the pages of
/// files, which the system takes back when it needs them.
///
/// # Errors
/// If there is no such process, or the system does not tell (only Linux does).
pub fn own_memory(pid: u32) -> Result<u64> {
    status_bytes(pid, "RssAnon:")
}

/// The most memory that was ever resident in a process, in bytes.
///
/// # Errors
/// If there is no such process, or the system does not tell (only Linux does).
pub fn peak_memory(pid: u32) -> Result<u64> {
    status_bytes(pid, "VmHWM:")
}

/// How many files a process has open.
///
/// # Errors
/// If there is no such process, or the system does not tell (only Linux does).
pub fn open_files(pid: u32) -> Result<usize> {
    Ok(std::fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}

fn status_bytes(pid: u32, field: &str) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))
        .with_context(|| format!("process {pid} has no status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kibibytes = line
        .and_then(|line| line.split_whitespace().next())
        .with_context(|| format!("process {pid} has no {field}"))?;
    Ok(kibibytes.parse::<u64>()? * 1024)
}
