//! The threads that hash, so that a flood of logins takes a bounded amount of memory and
//! no time from anything else.

use std::io;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use p2pchat_protocol::Password;
use thiserror::Error;
use tokio::sync::oneshot;

use super::{HashError, Hasher, Verdict};
use crate::store::StoredPassword;

/// Why a password was not looked at.
#[derive(Debug, Error)]
pub enum PoolError {
    /// As many wait as may wait.
    #[error("too many passwords are waiting to be hashed")]
    Full,
    /// The pool is being closed, or its threads have died.
    #[error("no thread is hashing any more")]
    Closed,
    /// The hash function failed.
    #[error(transparent)]
    Hash(#[from] HashError),
}

enum Job {
    Hash {
        password: Password,
        reply: oneshot::Sender<Result<StoredPassword, HashError>>,
    },
    Verify {
        password: Password,
        stored: Option<StoredPassword>,
        reply: oneshot::Sender<Verdict>,
    },
}

/// A fixed number of threads with a [`Hasher`] each, and a bounded queue before them.
#[derive(Debug)]
pub struct HashPool {
    queue: Mutex<Option<SyncSender<Job>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl HashPool {
    /// Starts `workers` threads behind a queue of `queue` passwords.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(workers: NonZeroUsize, queue: NonZeroUsize) -> io::Result<Self> {
        let (sender, jobs) = sync_channel(queue.get());
        let jobs = Arc::new(Mutex::new(jobs));
        let start = |_| {
            let jobs = Arc::clone(&jobs);
            thread::Builder::new()
                .name("hash".to_owned())
                .spawn(move || work(&jobs))
        };
        let threads = (0..workers.get())
            .map(start)
            .collect::<io::Result<Vec<_>>>()?;
        Ok(Self {
            queue: Mutex::new(Some(sender)),
            threads: Mutex::new(threads),
        })
    }

    /// Hashes a password.
    ///
    /// # Errors
    /// If too many are waiting, or the hash function fails.
    pub async fn hash(&self, password: Password) -> Result<StoredPassword, PoolError> {
        let (reply, answer) = oneshot::channel();
        self.push(Job::Hash { password, reply })?;
        Ok(answer.await.map_err(|_| PoolError::Closed)??)
    }

    /// Compares a password with what is stored, see [`Hasher::verify`].
    ///
    /// # Errors
    /// If too many are waiting.
    pub async fn verify(
        &self,
        password: Password,
        stored: Option<StoredPassword>,
    ) -> Result<Verdict, PoolError> {
        let (reply, answer) = oneshot::channel();
        self.push(Job::Verify {
            password,
            stored,
            reply,
        })?;
        answer.await.map_err(|_| PoolError::Closed)
    }

    fn push(&self, job: Job) -> Result<(), PoolError> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = queue.as_ref().ok_or(PoolError::Closed)?;
        queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => PoolError::Full,
            TrySendError::Disconnected(_) => PoolError::Closed,
        })
    }

    /// Lets the threads finish what somebody still waits for, and waits for their end.
    pub async fn stop(&self) {
        drop(
            self.queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let join = || {
            threads
                .into_iter()
                .map(JoinHandle::join)
                .filter(Result::is_err)
                .count()
        };
        match tokio::task::spawn_blocking(join).await {
            Ok(0) => {}
            _ => tracing::error!("a hashing thread panicked"),
        }
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    let mut hasher = Hasher::default();
    // The lock is held while waiting: exactly one idle thread waits in `recv`.
    let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
    while let Ok(job) = next() {
        match job {
            // Nobody waits for it any more: the connection is gone.
            Job::Hash { reply, .. } if reply.is_closed() => {}
            Job::Verify { reply, .. } if reply.is_closed() => {}
            Job::Hash { password, reply } => {
                let _ = reply.send(hasher.hash(&password));
            }
            Job::Verify {
                password,
                stored,
                reply,
            } => {
                let _ = reply.send(hasher.verify(&password, stored.as_ref()));
            }
        }
    }
}
