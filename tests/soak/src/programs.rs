//! Where the built programs are, and how they are started.

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail};
use tokio::process::Command;

/// The folder of the built programs.
#[derive(Debug, Clone)]
pub struct Programs {
    folder: PathBuf,
    /// What a command begins with.
    before: Vec<OsString>,
}

impl Programs {
    /// Those that were built with the running one: they lie beside it, or, if it is a
    /// test, one folder up.
    ///
    /// # Errors
    /// If the system does not tell where the running program is.
    pub fn find() -> Result<Self> {
        let program = std::env::current_exe().context("where is this program?")?;
        let beside = program.parent().context("a program lies in a folder")?;
        let folder = match beside.ends_with("deps") {
            true => beside.parent().context("deps lies in a folder")?,
            false => beside,
        };
        Ok(Self {
            folder: folder.to_owned(),
            before: Vec::new(),
        })
    }

    /// One of them.
    ///
    /// # Errors
    /// If it is not built.
    pub fn path(&self, name: &str) -> Result<PathBuf> {
        let program = self.folder.join(name);
        if !program.is_file() {
            bail!(
                "{} is not built: run `cargo build --workspace`, or `cargo xtask test`",
                program.display()
            );
        }
        Ok(program)
    }

    /// The same programs, run by another one, which these words call.
    #[must_use]
    pub fn behind(&self, before: Vec<OsString>) -> Self {
        Self {
            before,
            ..self.clone()
        }
    }

    /// A command for one of them, without the settings of whoever runs this. `home` is
    /// its user's home folder. Dropping what it starts kills it.
    ///
    /// # Errors
    /// If it is not built.
    pub fn command(&self, name: &str, home: &Path) -> Result<Command> {
        let mut words = self.before.iter().cloned().chain([self.path(name)?.into()]);
        let mut command = Command::new(words.next().context("a command has a name")?);
        command.args(words);
        command.env_clear().env("HOME", home).env("TZ", "UTC");
        command.kill_on_drop(true);
        Ok(command)
    }
}

/// A loopback address that no other caller has, in this process or another one of these.
/// The 251st call of a process gets the first one's again.
#[must_use]
pub fn own_address() -> Ipv4Addr {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed) % 250 + 1;
    // 127.128.0.0 and up; the tests of other crates use lower ones.
    let [_, _, high, low] = (std::process::id() | 0x8000).to_be_bytes();
    Ipv4Addr::from_bits(u32::from_be_bytes([127, high, low, 0]) | count)
}

/// The resident memory of a process, in bytes.
///
/// # Errors
/// If there is no such process, or the system does not tell (it is Linux that does).
pub fn memory(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))
        .with_context(|| format!("process {pid} has no status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line
        .and_then(|line| line.split_whitespace().next())
        .with_context(|| format!("process {pid} has no VmRSS"))?;
    Ok(kibibytes.parse::<u64>()? * 1024)
}
