//! Network namespaces without names: each is gone with the last process or handle of it.

use std::env;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};
use tokio::runtime::Handle;

/// Where programs for the administrator lie; not on everybody's `PATH`.
const SYSTEM_FOLDERS: [&str; 2] = ["/usr/sbin", "/sbin"];

/// A program of the system, if it is there.
#[must_use]
pub fn tool(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(SYSTEM_FOLDERS.map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

/// A command of the system.
///
/// # Errors
/// If it is not there.
pub fn tool_command(name: &str) -> Result<Command> {
    let program = tool(name).with_context(|| format!("{name} is missing"))?;
    Ok(Command::new(program))
}

/// A network of its own: interfaces, addresses, routes, ports.
#[derive(Debug)]
pub struct Namespace {
    handle: OwnedFd,
}

impl Namespace {
    /// The one that this process is in.
    ///
    /// # Errors
    /// If the system has none.
    pub fn here() -> Result<Self> {
        Self::of_process("self")
    }

    /// A new one, with nothing in it but a loopback interface that is down. Takes the
    /// rights of an administrator over the one that this process is in.
    ///
    /// # Errors
    /// If the system does not allow it.
    pub fn new() -> Result<Self> {
        let mut first = tool_command("unshare")?
            .args(["--net", "sh", "-c", "echo; exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run unshare")?;
        let mut stdout = first.stdout.take().context("no output to read")?;
        let is_there = stdout.read(&mut [0])? == 1;
        let made = Self::of_process(&first.id().to_string());
        // It reads the end of its input and ends; the handle keeps the namespace.
        drop(first.stdin.take());
        let status = first.wait()?;
        match is_there {
            true => made,
            false => bail!("cannot make a network namespace: unshare: {status}"),
        }
    }

    fn of_process(process: &str) -> Result<Self> {
        let path = format!("/proc/{process}/ns/net");
        let handle = File::open(&path).with_context(|| format!("cannot open {path}"))?;
        Ok(Self {
            handle: handle.into(),
        })
    }

    /// Does something inside: sockets that are opened and processes that are started
    /// there stay there. Blocks; for what takes a moment.
    ///
    /// # Errors
    /// If the system does not let this process in.
    ///
    /// # Panics
    /// Outside of a tokio runtime, or if `act` does.
    pub fn inside<T: Send>(&self, act: impl FnOnce() -> T + Send) -> Result<T> {
        let runtime = Handle::current();
        // A thread of its own, because it is a thread that is moved.
        let done = thread::scope(|scope| {
            let inside = scope.spawn(|| {
                self.enter()?;
                let _entered = runtime.enter();
                Ok(act())
            });
            inside.join()
        });
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    #[cfg(target_os = "linux")]
    fn enter(&self) -> Result<()> {
        use std::os::fd::AsFd;

        use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

        let network = Some(LinkNameSpaceType::Network);
        move_into_link_name_space(self.handle.as_fd(), network)
            .context("cannot enter a network namespace")
    }

    #[cfg(not(target_os = "linux"))]
    fn enter(&self) -> Result<()> {
        bail!("network namespaces are Linux's alone")
    }

    /// Its name for `ip`, as long as this process runs.
    #[must_use]
    pub fn path(&self) -> String {
        format!(
            "/proc/{}/fd/{}",
            std::process::id(),
            self.handle.as_raw_fd()
        )
    }

    /// Has `ip` carry out these lines inside.
    ///
    /// # Errors
    /// If it cannot; says what it said.
    pub fn ip(&self, lines: &str) -> Result<()> {
        self.inside(|| feed("ip", &["-batch", "-"], lines))?
    }

    /// Has `nft` carry out these lines inside.
    ///
    /// # Errors
    /// If it cannot; says what it said.
    pub fn nft(&self, lines: &str) -> Result<()> {
        self.inside(|| feed("nft", &["-f", "-"], lines))?
    }
}

/// Runs a command of the system with `lines` as its input.
fn feed(name: &str, arguments: &[&str], lines: &str) -> Result<()> {
    let mut child = tool_command(name)?
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {name}"))?;
    let mut stdin = child.stdin.take().context("no input to write to")?;
    stdin.write_all(lines.as_bytes())?;
    drop(stdin);
    let output = child.wait_with_output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{name} cannot do {lines:?}: {}", said.trim());
    }
    Ok(())
}
