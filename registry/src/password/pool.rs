//! The threads that hash, so that a flood of logins takes a bounded amount of memory and
//! no time from anything else.

use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use thiserror::Error;
use tokio::sync::oneshot;

use super::Hasher;
use super::fair_queue::FairQueue;
use crate::source::Source;

/// Why a password was not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PoolError {
    /// As many wait as may wait.
    #[error("too many passwords are waiting to be hashed")]
    Full,
    /// The pool is being closed, or the hash function has panicked.
    #[error("no thread is hashing any more")]
    Closed,
}

/// For whom a job is done. The two wait apart and take turns, so that strangers at however
/// many addresses do not come before those who are at home, nor the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guest {
    /// A user at an address where he was logged in before.
    AtHome,
    /// Anybody else.
    Stranger,
}

/// What becomes of a job: its turn, or none.
enum Turn<'a> {
    Work(&'a mut Hasher),
    Displaced,
}

type Job = Box<dyn FnOnce(Turn<'_>) + Send>;

/// A fixed number of threads with a [`Hasher`] each, and before them a bounded queue for
/// either kind of [`Guest`], in which addresses take turns.
pub struct HashPool {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    workers: usize,
    room: usize,
}

struct Shared {
    /// How many threads hash at this moment.
    busy: AtomicUsize,
    state: Mutex<State>,
    /// There is something to do, or it is over.
    changed: Condvar,
}

struct State {
    at_home: FairQueue<Source, Job>,
    strangers: FairQueue<Source, Job>,
    /// Whose turn it is, if both wait.
    next: Guest,
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
                    at_home: FairQueue::new(queue.get()),
                    strangers: FairQueue::new(queue.get()),
                    next: Guest::AtHome,
                    is_open: true,
                }),
                changed: Condvar::new(),
            }),
            threads: Mutex::default(),
            workers: workers.get(),
            room: queue.get().saturating_mul(2),
        };
        for _ in 0..workers.get() {
            let shared = Arc::clone(&pool.shared);
            let thread = thread::Builder::new().name("hash".to_owned());
            // Should one fail to start, dropping the pool ends the others.
            let thread = thread.spawn(move || work(&shared))?;
            pool.threads().push(thread);
        }
        Ok(pool)
    }

    /// Runs `job` with a hasher when it is the turn of `source` among guests of its kind.
    /// If nobody waits for it by then, it does not run.
    ///
    /// # Errors
    /// If too many are waiting.
    pub async fn run<T: Send + 'static>(
        &self,
        guest: Guest,
        source: Source,
        job: impl FnOnce(&mut Hasher) -> T + Send + 'static,
    ) -> Result<T, PoolError> {
        let (reply, answer) = oneshot::channel();
        self.push(
            guest,
            source,
            Box::new(move |turn| {
                let outcome = match turn {
                    Turn::Displaced => Err(PoolError::Full),
                    Turn::Work(_) if reply.is_closed() => return,
                    Turn::Work(hasher) => Ok(job(hasher)),
                };
                let _ = reply.send(outcome);
            }),
        )?;
        answer.await.map_err(|_| PoolError::Closed)?
    }

    fn push(&self, guest: Guest, source: Source, job: Job) -> Result<(), PoolError> {
        let mut state = self.shared.state();
        if !state.is_open {
            return Err(PoolError::Closed);
        }
        let displaced = state.queue(guest).push(source, job);
        drop(state);
        match displaced {
            // Possibly the new one: it hears of it like any other.
            Some(job) => job(Turn::Displaced),
            None => self.shared.changed.notify_one(),
        }
        Ok(())
    }

    /// How many wait for their turn.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let state = self.shared.state();
        state.at_home.len() + state.strangers.len()
    }

    /// How many may wait, in both queues together.
    #[must_use]
    pub fn room(&self) -> usize {
        self.room
    }

    /// How many threads hash.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// How many of them do so at this moment.
    #[must_use]
    pub fn busy(&self) -> usize {
        self.shared.busy.load(Ordering::Relaxed)
    }

    /// Lets the threads finish what somebody still waits for, and waits for their end.
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
    fn queue(&mut self, guest: Guest) -> &mut FairQueue<Source, Job> {
        match guest {
            Guest::AtHome => &mut self.at_home,
            Guest::Stranger => &mut self.strangers,
        }
    }

    fn pop(&mut self) -> Option<Job> {
        let turns = [self.next, self.next.other()];
        let (guest, job) = turns
            .into_iter()
            .find_map(|guest| Some((guest, self.queue(guest).pop()?)))?;
        self.next = guest.other();
        Some(job)
    }
}

impl Guest {
    fn other(self) -> Self {
        match self {
            Self::AtHome => Self::Stranger,
            Self::Stranger => Self::AtHome,
        }
    }
}

fn work(shared: &Shared) {
    give_way();
    let mut hasher = Hasher::default();
    while let Some(job) = shared.next() {
        // A panic costs its job the answer, and nobody else anything.
        shared.busy.fetch_add(1, Ordering::Relaxed);
        let done = catch_unwind(AssertUnwindSafe(|| job(Turn::Work(&mut hasher))));
        shared.busy.fetch_sub(1, Ordering::Relaxed);
        if done.is_err() {
            tracing::error!("the hash function panicked");
            hasher = Hasher::default();
        }
    }
}

/// Makes the calling thread wait for everything else: a search takes microseconds, and
/// must not wait until a hash has had its share of a core.
#[cfg(target_os = "linux")]
fn give_way() {
    /// Unix niceness: a third of the weight of the others.
    const NICENESS: i32 = 5;
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "the hashing threads keep their priority");
    }
}

/// Elsewhere only whole processes have a niceness.
#[cfg(not(target_os = "linux"))]
fn give_way() {}

#[cfg(test)]
mod tests;
