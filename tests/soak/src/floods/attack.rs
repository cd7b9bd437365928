//! The attacker: threads of his own, with less weight than what he attacks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use p2pchat_testkit::wait_for;
use rustix::process::setpriority_process;
use tokio::runtime::{Builder, Runtime};

use super::scene::Target;
use super::{Flood, Options, crowd, datagrams, hold};

/// Unix niceness of the attacker's threads: a tenth of the weight of the others.
pub(super) const NICENESS: i32 = 10;
/// As many threads as there are cores that such machines have at least.
const THREADS: usize = 2;
/// How long a flood may take to reach its full size.
const RISE: Duration = Duration::from_secs(60);

/// What the attacker has done so far.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Connections, requests or datagrams, whatever he floods with.
    pub(super) done: AtomicU64,
    /// Connections that he lost.
    pub(super) lost: AtomicU64,
    /// How much of the flood has reached its full size.
    risen: AtomicU64,
    is_over: AtomicBool,
}

impl Progress {
    pub(super) fn did(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn lost(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// One of those that make up the flood is at work.
    pub(super) fn rise(&self) {
        self.risen.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}

/// A flood that goes on until it is stopped.
pub(super) struct Attack {
    flood: Flood,
    progress: Arc<Progress>,
    runtime: Option<Runtime>,
}

impl Attack {
    /// Starts a flood and waits until it has reached its full size.
    pub(super) async fn start(flood: Flood, options: &Options, target: Target) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("attacker")
            .on_thread_start(|| {
                // On Linux this is about the thread that asks.
                setpriority_process(None, NICENESS).expect("everybody may be nicer");
            })
            .enable_all()
            .build()?;
        let progress = Arc::<Progress>::default();
        let attack = Self {
            flood,
            progress: Arc::clone(&progress),
            runtime: Some(runtime),
        };
        let Some(runtime) = &attack.runtime else {
            return Ok(attack);
        };
        let size = match flood {
            Flood::Idle => hold::idle(runtime, options.idle, target, &progress),
            Flood::Slow => hold::slow(runtime, options.slow, target, &progress),
            Flood::Deaf => hold::deaf(runtime, options.deaf, target, &progress),
            Flood::Connections => hold::connections(runtime, target, &progress),
            Flood::Refused => hold::refused(runtime, target, &progress),
            Flood::Random | Flood::Almost | Flood::Foreign => {
                datagrams::flood(runtime, flood, target, &progress)
            }
            Flood::Guesses => crowd::guesses(runtime, options.crowd, target, &progress),
            Flood::Logins => crowd::logins(runtime, options.crowd, target, &progress),
            Flood::Registrations => crowd::registrations(runtime, options.crowd, target, &progress),
        };
        let size = u64::try_from(size)?;
        wait_for("flood of full size", RISE, async || {
            (progress.risen.load(Ordering::Relaxed) >= size).then_some(())
        })
        .await
        .with_context(|| {
            let risen = progress.risen.load(Ordering::Relaxed);
            format!("{flood:?}: {risen} of {size} are at work")
        })?;
        Ok(attack)
    }

    /// Ends it.
    pub(super) fn stop(&mut self) {
        self.progress.is_over.store(true, Ordering::Relaxed);
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// What was done, in words.
    pub(super) fn effort(&self) -> String {
        let done = self.progress.done.load(Ordering::Relaxed);
        let lost = self.progress.lost.load(Ordering::Relaxed);
        let what = match self.flood {
            Flood::Random | Flood::Almost | Flood::Foreign => "datagrams",
            Flood::Guesses | Flood::Logins | Flood::Registrations => "requests answered",
            Flood::Deaf => "times 20 requests sent",
            Flood::Slow => "bytes sent",
            Flood::Idle | Flood::Connections | Flood::Refused => "connections made",
        };
        format!("{done} {what}, {lost} connections lost")
    }
}

impl Drop for Attack {
    fn drop(&mut self) {
        self.stop();
    }
}
