//! A `mongod` for the tests: the one on the `PATH`, or one that is fetched.

mod fetch;
mod server;

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tokio::process::Command;

use crate::{process, system};
use server::Mongod;

/// The variable that names a MongoDB for tests to write to.
const URI: &str = "MONGODB_URI";
/// The variable that names the program, for tests that start their own.
const PROGRAM: &str = "P2PCHAT_MONGOD";

/// What tests need of MongoDB.
#[derive(Debug)]
pub struct MongoDb {
    program: PathBuf,
    /// `None` if the user has named another with `$MONGODB_URI`.
    server: Option<Mongod>,
}

impl MongoDb {
    /// Finds a `mongod`: `$P2PCHAT_MONGOD`, else the one on the `PATH`, else the one in the
    /// cache, which is fetched if it is missing.
    ///
    /// # Errors
    /// If there is none, or it does not start; says what to do.
    pub async fn bring() -> Result<Self> {
        let program = find().await.context(
            "no MongoDB to test with: install one so that `mongod` is on the PATH \
             (on macOS: brew install mongodb-community)",
        )?;
        let server = match env::var_os(URI) {
            Some(_) => None,
            None => Some(Mongod::start(&program).await?),
        };
        println!("MongoDB for the tests: {}", program.display());
        Ok(Self { program, server })
    }

    /// Tells the tests that a command runs.
    pub fn tell(&self, command: &mut Command) {
        command.env(PROGRAM, &self.program);
        if let Some(server) = &self.server {
            command.env(URI, server.uri());
        }
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
    let cached = fetch::cached().await?;
    works(&cached)
        .await
        .with_context(|| format!("{} does not run on this system", cached.display()))?;
    Ok(cached)
}

async fn works(program: &Path) -> Result<()> {
    process::output(Command::new(program).arg("--version")).await?;
    Ok(())
}
