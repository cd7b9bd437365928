//! Where the built programs are, and how they are started.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

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
    /// Those that were built together with the running program: they lie beside it, or,
    /// if it is a test, one folder up.
    ///
    /// # Errors
    /// If the system does not tell where the running program is.
    pub fn find() -> Result<Self> {
        let program = std::env::current_exe().context("where is this program?")?;
        let beside = program.parent().context("a program lies in a folder")?;
        let folder = if beside.ends_with("deps") {
            beside.parent().context("deps lies in a folder")?
        } else {
            beside
        };
        Ok(Self::in_folder(folder.to_owned()))
    }

    /// Those in this folder, which may have been built of something else.
    #[must_use]
    pub fn in_folder(folder: PathBuf) -> Self {
        Self {
            folder,
            before: Vec::new(),
        }
    }

    /// The path of one of them.
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

    /// The same programs, run by another program: each command begins with these words.
    #[must_use]
    pub fn behind(&self, before: Vec<OsString>) -> Self {
        Self {
            before,
            ..self.clone()
        }
    }

    /// A command for one of them, with an empty environment but for `home`, its user's
    /// home folder. Dropping the process that it starts kills it.
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
