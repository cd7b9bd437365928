//! The two threads of the embedded store: one that writes in groups, one that reads.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use p2pchat_protocol::Username;
use p2pchat_protocol::v2::{Fingerprint, PersonKey};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use tokio::sync::{mpsc, oneshot};

use super::bindings;
use super::file::advice;
use crate::store::{NewAccount, StoreError, StoredBinding, StoredPassword};
use crate::vital::Vital;

/// How many requests may wait for one of the threads. The next one fails with
/// [`StoreError::Busy`]: the disk is far behind, and waiting longer does not help.
const QUEUE: usize = 1024;
/// How many writes share one commit at most: beyond this a row is no cheaper, only later.
const GROUP: usize = 64;

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// One change, answered with whether it was made.
#[derive(Debug)]
pub(super) enum Write {
    Register(NewAccount),
    Replace {
        name: Username,
        old: StoredPassword,
        new: StoredPassword,
    },
    Set {
        name: Username,
        new: StoredPassword,
    },
    Remove {
        name: Username,
    },
    Bind(Box<StoredBinding>),
    ClaimKey(Fingerprint),
}

/// One read.
#[derive(Debug)]
pub(super) enum Read {
    Find {
        name: Username,
        reply: Reply<Option<StoredPassword>>,
    },
    Names {
        after: Option<String>,
        limit: u32,
        reply: Reply<Vec<String>>,
    },
    Binding {
        name: Username,
        reply: Reply<Option<StoredBinding>>,
    },
    BindingOf {
        person: PersonKey,
        reply: Reply<Option<StoredBinding>>,
    },
    Serials {
        names: Vec<Username>,
        reply: Reply<Vec<(Username, u64)>>,
    },
    Key {
        reply: Reply<Fingerprint>,
    },
}

/// A change, and where its result goes.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) write: Write,
    pub(super) reply: Reply<bool>,
}

/// A thread that owns a connection, and the bounded queue in front of it.
pub(super) struct Worker<T> {
    queue: Mutex<Option<mpsc::Sender<T>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    vital: Vital,
}

impl<T> fmt::Debug for Worker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}

impl<T: Send + 'static> Worker<T> {
    fn start(name: &str, run: impl FnOnce(mpsc::Receiver<T>) + Send + 'static) -> io::Result<Self> {
        let (queue, items) = mpsc::channel(QUEUE);
        let vital = Vital::default();
        let hold = vital.hold("thread of the account file");
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                run(items);
                drop(hold);
            })?;
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            thread: Mutex::new(Some(thread)),
            vital,
        })
    }

    /// Queues an item and waits for its answer.
    pub(super) async fn ask<A>(&self, item: impl FnOnce(Reply<A>) -> T) -> Result<A, StoreError> {
        let (reply, answer) = oneshot::channel();
        let queue = self
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let queue = queue.ok_or(StoreError::Closed)?;
        queue.try_send(item(reply)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })?;
        drop(queue);
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Waits until the thread has ended, and returns its name.
    pub(super) async fn ended(&self) -> &'static str {
        self.vital.ended().await
    }

    /// Lets the thread finish its queue and waits for its end.
    pub(super) async fn stop(&self) {
        drop(
            self.queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(thread) = thread else { return };
        let joined = tokio::task::spawn_blocking(|| thread.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("a thread of the account file panicked");
        }
    }
}

/// Starts the thread that writes to the file at `path`.
pub(super) fn start_writer(connection: Connection, path: &Path) -> io::Result<Worker<Job>> {
    let mut writer = Writer {
        connection,
        path: path.to_owned(),
        is_failing: false,
    };
    Worker::start("accounts-write", move |mut jobs| {
        let mut group = Vec::with_capacity(GROUP);
        while let Some(job) = jobs.blocking_recv() {
            group.push(job);
            while group.len() < GROUP
                && let Ok(job) = jobs.try_recv()
            {
                group.push(job);
            }
            writer.commit(&mut group);
        }
        // The last connection to close folds the log into the file.
    })
}

/// State owned by the writing thread.
struct Writer {
    connection: Connection,
    path: PathBuf,
    /// Whether the last group failed: logged when that changes.
    is_failing: bool,
}

impl Writer {
    /// Makes the changes of a group in one transaction, and answers them after the commit.
    fn commit(&mut self, group: &mut Vec<Job>) {
        let result = try_commit(&mut self.connection, group);
        self.log_change(result.as_ref().err());
        match result {
            Ok(made) => {
                for (Job { reply, .. }, made) in group.drain(..).zip(made) {
                    // If the caller is gone, the change is made all the same.
                    let _ = reply.send(Ok(made));
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                for job in group.drain(..) {
                    let _ = job.reply.send(Err(StoreError::Sqlite(Arc::clone(&error))));
                }
            }
        }
    }

    fn log_change(&mut self, failure: Option<&rusqlite::Error>) {
        let path = self.path.display();
        match failure {
            Some(error) if !self.is_failing => tracing::error!(
                "the account file {path} cannot be written: {error}; {}. Until then no account \
                 can be made or changed, and logins go on",
                advice(error)
            ),
            None if self.is_failing => {
                tracing::warn!("the account file {path} can be written again");
            }
            _ => {}
        }
        self.is_failing = failure.is_some();
    }
}

/// One failure fails the group: SQLite may have rolled all of it back by then.
fn try_commit(connection: &mut Connection, group: &[Job]) -> rusqlite::Result<Vec<bool>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let made = group
        .iter()
        .map(|job| Ok(apply(&transaction, &job.write)? > 0))
        .collect::<rusqlite::Result<Vec<bool>>>()?;
    transaction.commit()?;
    Ok(made)
}

/// Makes one change and returns how many rows it touched.
fn apply(connection: &Connection, write: &Write) -> rusqlite::Result<usize> {
    match write {
        Write::Register(account) => register(connection, account),
        Write::Replace { name, old, new } => connection
            .prepare_cached("UPDATE account SET password = ?3 WHERE name = ?1 AND password = ?2")?
            .execute(params![name.as_str(), old.expose(), new.expose()]),
        Write::Set { name, new } => connection
            .prepare_cached("UPDATE account SET password = ?2 WHERE name = ?1")?
            .execute(params![name.as_str(), new.expose()]),
        Write::Remove { name } => {
            bindings::reset(connection, *name)?;
            connection
                .prepare_cached("DELETE FROM account WHERE name = ?1")?
                .execute(params![name.as_str()])
        }
        Write::Bind(new) => bindings::bind(connection, new),
        Write::ClaimKey(key) => bindings::claim_key(connection, *key),
    }
}

fn register(connection: &Connection, account: &NewAccount) -> rusqlite::Result<usize> {
    let inserted = connection
        .prepare_cached(
            "INSERT INTO account (name, password, address) VALUES (?1, ?2, ?3)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            account.name.as_str(),
            account.password.expose(),
            account.address.map(|address| address.to_string()),
        ])?;
    if inserted > 0 {
        bindings::reset(connection, account.name)?;
    }
    Ok(inserted)
}

/// Starts the thread that reads.
pub(super) fn start_reader(connection: Connection) -> io::Result<Worker<Read>> {
    Worker::start("accounts-read", move |mut reads| {
        while let Some(read) = reads.blocking_recv() {
            // A send fails when the caller is gone.
            match read {
                Read::Find { name, reply } => {
                    let _ = reply.send(find(&connection, name).map_err(failed));
                }
                Read::Names {
                    after,
                    limit,
                    reply,
                } => {
                    let names = names(&connection, after.as_deref(), limit);
                    let _ = reply.send(names.map_err(failed));
                }
                Read::Binding { name, reply } => {
                    let found = bindings::binding(&connection, name);
                    let _ = reply.send(found.map_err(failed));
                }
                Read::BindingOf { person, reply } => {
                    let found = bindings::binding_of(&connection, person);
                    let _ = reply.send(found.map_err(failed));
                }
                Read::Serials { names, reply } => {
                    let serials = bindings::serials(&connection, names);
                    let _ = reply.send(serials.map_err(failed));
                }
                Read::Key { reply } => {
                    let _ = reply.send(bindings::key(&connection).map_err(failed));
                }
            }
        }
    })
}

fn find(connection: &Connection, name: Username) -> rusqlite::Result<Option<StoredPassword>> {
    connection
        .prepare_cached("SELECT password FROM account WHERE name = ?1")?
        .query_row([name.as_str()], |row| row.get(0).map(StoredPassword::new))
        .optional()
}

fn names(
    connection: &Connection,
    after: Option<&str>,
    limit: u32,
) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare_cached("SELECT name FROM account WHERE name > ?1 ORDER BY name LIMIT ?2")?
        .query_map(params![after.unwrap_or_default(), limit], |row| row.get(0))?
        .collect()
}

fn failed(error: rusqlite::Error) -> StoreError {
    StoreError::Sqlite(Arc::new(error))
}
