//! Thread pool for password hashing: a flood of logins takes a bounded amount of memory, and
//! no time from other requests.

use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use p2pchat_platform::process::lower_priority_of_thread;
use thiserror::Error;
use tokio::sync::oneshot;

use super::Hasher;
use super::fair_queue::FairQueue;
use crate::throttle::Source;
use crate::vital::Vital;

/// Why a password was not hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PoolError {
    /// The queue is full.
    #[error("too many passwords are waiting to be hashed")]
    Full,
    /// The pool is being closed, or the hash function has panicked.
    #[error("no thread is hashing any more")]
    Closed,
}

/// The queue of a job. Jobs are taken from the two in turn, so that a flood of one priority
/// delays no job of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// The user was logged in from this address before.
    Known,
    /// Any other.
    Unknown,
}

/// What happens to a queued job.
enum Dispatch<'a> {
    Run(&'a mut Hasher),
    /// Its queue is full.
    Evict,
}

type Job = Box<dyn FnOnce(Dispatch<'_>) + Send>;

/// A fixed number of threads with a [`Hasher`] each, behind a bounded queue for each
/// [`Priority`], in which sources take turns.
pub struct HashPool {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    workers: usize,
    capacity: usize,
    vital: Vital,
}

struct Shared {
    /// How many threads are hashing now.
    busy: AtomicUsize,
    state: Mutex<State>,
    /// Notified of a new job and of the close.
    changed: Condvar,
}

struct State {
    known: FairQueue<Source, Job>,
    unknown: FairQueue<Source, Job>,
    /// The queue that is next, if both have jobs.
    next: Priority,
    is_open: bool,
}

impl fmt::Debug for HashPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashPool").finish_non_exhaustive()
    }
}

impl HashPool {
    /// Starts `workers` threads behind two queues of `queue` jobs.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(workers: NonZeroUsize, queue: NonZeroUsize) -> io::Result<Self> {
        let pool = Self {
            shared: Arc::new(Shared {
                busy: AtomicUsize::new(0),
                state: Mutex::new(State {
                    known: FairQueue::new(queue.get()),
                    unknown: FairQueue::new(queue.get()),
                    next: Priority::Known,
                    is_open: true,
                }),
                changed: Condvar::new(),
            }),
            threads: Mutex::default(),
            workers: workers.get(),
            capacity: queue.get().saturating_mul(2),
            vital: Vital::default(),
        };
        for _ in 0..workers.get() {
            let shared = Arc::clone(&pool.shared);
            let thread = thread::Builder::new().name("hash".to_owned());
            // Should one fail to start, dropping the pool ends the others.
            let hold = pool.vital.hold("thread that hashes passwords");
            let thread = thread.spawn(move || {
                work(&shared);
                drop(hold);
            })?;
            pool.threads().push(thread);
        }
        Ok(pool)
    }

    /// Queues `job`, and runs it with a hasher when it is the turn of its `source`. If the
    /// future was dropped by then, it does not run.
    ///
    /// # Errors
    /// If the queue is full.
    pub async fn run<T: Send + 'static>(
        &self,
        priority: Priority,
        source: Source,
        job: impl FnOnce(&mut Hasher) -> T + Send + 'static,
    ) -> Result<T, PoolError> {
        let (reply, answer) = oneshot::channel();
        self.push(
            priority,
            source,
            Box::new(move |dispatch| {
                let outcome = match dispatch {
                    Dispatch::Evict => Err(PoolError::Full),
                    Dispatch::Run(_) if reply.is_closed() => return,
                    Dispatch::Run(hasher) => Ok(job(hasher)),
                };
                let _ = reply.send(outcome);
            }),
        )?;
        answer.await.map_err(|_| PoolError::Closed)?
    }

    fn push(&self, priority: Priority, source: Source, job: Job) -> Result<(), PoolError> {
        let mut state = self.shared.state();
        if !state.is_open {
            return Err(PoolError::Closed);
        }
        let displaced = state.queue(priority).push(source, job);
        drop(state);
        match displaced {
            // Possibly the new one, which is answered like any other.
            Some(job) => job(Dispatch::Evict),
            None => self.shared.changed.notify_one(),
        }
        Ok(())
    }

    /// How many jobs are queued.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let state = self.shared.state();
        state.known.len() + state.unknown.len()
    }

    /// How many jobs may be queued, in both queues together.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many threads there are.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// How many of them are hashing now.
    #[must_use]
    pub fn busy(&self) -> usize {
        self.shared.busy.load(Ordering::Relaxed)
    }

    /// Waits until one of the threads has ended, and returns its name.
    pub(crate) async fn ended(&self) -> &'static str {
        self.vital.ended().await
    }

    /// Lets the threads finish the jobs that are still waited for, and joins them.
    pub async fn stop(&self) {
        self.close();
        let threads = std::mem::take(&mut *self.threads());
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

    fn close(&self) {
        self.shared.state().is_open = false;
        self.shared.changed.notify_all();
    }

    fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for HashPool {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job; `None` when it is over and all are done.
    fn next(&self) -> Option<Job> {
        let mut state = self.state();
        loop {
            if let Some(job) = state.pop() {
                return Some(job);
            }
            if !state.is_open {
                return None;
            }
            let waiting = self.changed.wait(state);
            state = waiting.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl State {
    fn queue(&mut self, priority: Priority) -> &mut FairQueue<Source, Job> {
        match priority {
            Priority::Known => &mut self.known,
            Priority::Unknown => &mut self.unknown,
        }
    }

    fn pop(&mut self) -> Option<Job> {
        let turns = [self.next, self.next.other()];
        let (priority, job) = turns
            .into_iter()
            .find_map(|priority| Some((priority, self.queue(priority).pop()?)))?;
        self.next = priority.other();
        Some(job)
    }
}

impl Priority {
    fn other(self) -> Self {
        match self {
            Self::Known => Self::Unknown,
            Self::Unknown => Self::Known,
        }
    }
}

fn work(shared: &Shared) {
    // A search takes microseconds, and must not wait until a hash has had its share of a core.
    if let Err(error) = lower_priority_of_thread() {
        tracing::debug!(%error, "the hashing threads keep their priority");
    }
    let mut hasher = Hasher::default();
    while let Some(job) = shared.next() {
        // A panic costs only the answer to its job.
        shared.busy.fetch_add(1, Ordering::Relaxed);
        let done = catch_unwind(AssertUnwindSafe(|| job(Dispatch::Run(&mut hasher))));
        shared.busy.fetch_sub(1, Ordering::Relaxed);
        if done.is_err() {
            tracing::error!("the hash function panicked");
            hasher = Hasher::default();
        }
    }
}

#[cfg(test)]
mod tests;
