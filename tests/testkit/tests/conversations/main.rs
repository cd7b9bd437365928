//! Encrypted conversations of the built programs, between people who are not always there.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod absence;
mod copies;
mod signed_out;

use std::path::Path;

use anyhow::Result;
use p2pchat_testkit::{Person, Programs, Registry};
use tempfile::TempDir;

/// A registry that can be killed, and the homes of the people.
struct Place {
    programs: Programs,
    homes: TempDir,
    store: String,
    registry: Option<Registry>,
    ports: [std::net::SocketAddr; 2],
}

impl Place {
    /// With the embedded store.
    async fn new() -> Result<Self> {
        let homes = tempfile::tempdir()?;
        let store = homes.path().join("accounts.sqlite3");
        Self::with_store(homes, &store.to_string_lossy()).await
    }

    async fn with_store(homes: TempDir, store: &str) -> Result<Self> {
        let programs = Programs::find()?;
        let registry = Registry::start(&programs, homes.path(), store, &[]).await?;
        Ok(Self {
            ports: registry.ports(),
            registry: Some(registry),
            store: store.to_owned(),
            programs,
            homes,
        })
    }

    fn folder(&self) -> &Path {
        self.homes.path()
    }

    async fn kill_registry(&mut self) -> Result<()> {
        match self.registry.take() {
            Some(registry) => registry.kill().await,
            None => Ok(()),
        }
    }

    /// Starts it again where it was, if it does not run.
    async fn need_registry(&mut self) -> Result<()> {
        if self.registry.is_none() {
            let (programs, store) = (&self.programs, &self.store);
            let again = Registry::start_at(self.ports, programs, self.folder(), store, &[]);
            self.registry = Some(again.await?);
        }
        Ok(())
    }

    fn person(&self, name: &str) -> Result<Person> {
        Person::new(&self.programs, self.folder(), name, self.ports)
    }

    /// Someone who has signed up.
    async fn signed_up(&self, name: &str) -> Result<Person> {
        let mut person = self.person(name)?;
        person.sign_up().await?;
        Ok(person)
    }
}
