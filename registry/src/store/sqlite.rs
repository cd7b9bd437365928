//! The embedded store: one SQLite file.
//!
//! Writes go through one thread that commits them in groups, since what costs time is
//! the sync to the disk and not the rows. Reads have a thread and a connection of their
//! own and never wait for a sync.
//!
//! The registry that serves from a file holds a lock on `FILE.lock` beside it, so that a
//! second registry is told so. The operator commands do not take that lock: SQLite's own
//! locking keeps their short transactions and those of the registry apart.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use futures::future::BoxFuture;
use p2pchat_protocol::Username;
use p2pchat_protocol::v2::{Fingerprint, PersonKey};

use super::{NewAccount, Opener, Store, StoreError, StoredBinding, StoredPassword};

mod bindings;
mod file;
mod worker;

pub use file::OpenSqliteError;
use file::ServerLock;
use worker::{Job, Read, Worker, Write};

/// The accounts of one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Worker<Job>,
    reader: Worker<Read>,
    /// Held as long as the file is in use; `None` for operator commands.
    lock: Mutex<Option<ServerLock>>,
    path: PathBuf,
}

impl SqliteStore {
    /// Opens the file, or creates it (readable by its owner alone) and the folders above it.
    ///
    /// # Errors
    /// If it cannot be opened, belongs to another program, or another registry serves
    /// from it.
    pub fn open(path: &Path, opener: Opener) -> Result<Self, OpenSqliteError> {
        let for_writing = file::open(path)?;
        let lock = match opener {
            Opener::Registry => Some(ServerLock::take(path)?),
            Opener::Operator => None,
        };
        let for_reading = file::open(path)?;
        let thread = |reason| OpenSqliteError::Thread { reason };
        Ok(Self {
            writer: worker::start_writer(for_writing, path).map_err(thread)?,
            reader: worker::start_reader(for_reading).map_err(thread)?,
            lock: Mutex::new(lock),
            path: path.to_owned(),
        })
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Store for SqliteStore {
    fn register(&self, account: NewAccount) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(self.writer.ask(move |reply| Job {
            write: Write::Register(account),
            reply,
        }))
    }

    fn find(&self, name: Username) -> BoxFuture<'_, Result<Option<StoredPassword>, StoreError>> {
        Box::pin(self.reader.ask(move |reply| Read::Find { name, reply }))
    }

    fn replace_password(
        &self,
        name: Username,
        old: StoredPassword,
        new: StoredPassword,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(self.writer.ask(move |reply| Job {
            write: Write::Replace { name, old, new },
            reply,
        }))
    }

    fn set_password(
        &self,
        name: Username,
        new: StoredPassword,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(self.writer.ask(move |reply| Job {
            write: Write::Set { name, new },
            reply,
        }))
    }

    fn remove(&self, name: Username) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(self.writer.ask(move |reply| Job {
            write: Write::Remove { name },
            reply,
        }))
    }

    fn names(
        &self,
        after: Option<String>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        Box::pin(self.reader.ask(move |reply| Read::Names {
            after,
            limit,
            reply,
        }))
    }

    fn binding(&self, name: Username) -> BoxFuture<'_, Result<Option<StoredBinding>, StoreError>> {
        Box::pin(self.reader.ask(move |reply| Read::Binding { name, reply }))
    }

    fn binding_of(
        &self,
        person: PersonKey,
    ) -> BoxFuture<'_, Result<Option<StoredBinding>, StoreError>> {
        Box::pin((self.reader).ask(move |reply| Read::BindingOf { person, reply }))
    }

    fn bind(&self, new: StoredBinding) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(self.writer.ask(move |reply| Job {
            write: Write::Bind(Box::new(new)),
            reply,
        }))
    }

    fn serials(
        &self,
        names: Vec<Username>,
    ) -> BoxFuture<'_, Result<Vec<(Username, u64)>, StoreError>> {
        Box::pin(self.reader.ask(move |reply| Read::Serials { names, reply }))
    }

    fn claim_key(&self, key: Fingerprint) -> BoxFuture<'_, Result<Fingerprint, StoreError>> {
        Box::pin(async move {
            let claim = move |reply| Job {
                write: Write::ClaimKey(key),
                reply,
            };
            if self.writer.ask(claim).await? {
                return Ok(key);
            }
            self.reader.ask(|reply| Read::Key { reply }).await
        })
    }

    fn ended(&self) -> BoxFuture<'_, &'static str> {
        Box::pin(async {
            tokio::select! {
                name = self.writer.ended() => name,
                name = self.reader.ended() => name,
            }
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.reader.stop().await;
            // The writer last: it is the one that folds the log into the file.
            self.writer.stop().await;
            drop(
                self.lock
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .take(),
            );
        })
    }
}
