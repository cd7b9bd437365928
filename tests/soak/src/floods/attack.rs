//! The attacker: threads of their own, with less weight than the registry that they flood.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use p2pchat_testkit::wait_for;
use rustix::process::setpriority_process;
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

use super::scene::Target;
use super::{Flood, Options, connections, datagrams, handshakes};

/// Unix niceness of the attacker's threads: a tenth of the weight of the others.
pub(super) const NICENESS: i32 = 10;
/// As many threads as there are cores that such machines have at least.
const THREADS: usize = 2;
/// How long a flood may take to reach its full size.
const RISE: Duration = Duration::from_secs(60);
/// The pause before a lane that was lost starts again.
const PAUSE: Duration = Duration::from_millis(200);

/// What the attacker has done so far.
#[derive(Debug, Default)]
struct Progress {
    /// Connections, requests or datagrams, whatever the flood is made of.
    done: AtomicU64,
    /// Connections that were lost.
    lost: AtomicU64,
    /// How many lanes have been at work.
    risen: AtomicU64,
    is_over: AtomicBool,
}

/// One of the many tasks or threads that make up a flood.
#[derive(Debug)]
pub(super) struct Lane {
    /// Its number, from 0.
    pub(super) number: usize,
    pub(super) target: Target,
    progress: Arc<Progress>,
    has_risen: AtomicBool,
    is_connected: AtomicBool,
}

impl Lane {
    /// Reports that it is connected, and so at work.
    pub(super) fn connected(&self) {
        self.is_connected.store(true, Ordering::Relaxed);
        if !self.has_risen.swap(true, Ordering::Relaxed) {
            self.progress.risen.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts one more thing that the flood is made of; a number for it that no lane had.
    pub(super) fn count(&self) -> u64 {
        self.progress.done.fetch_add(1, Ordering::Relaxed)
    }

    /// Counts a connection that was lost.
    pub(super) fn lost(&self) {
        self.progress.lost.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn is_over(&self) -> bool {
        self.progress.is_over.load(Ordering::Relaxed)
    }
}

/// A flood that goes on until it is stopped.
pub(super) struct Attack {
    flood: Flood,
    target: Target,
    progress: Arc<Progress>,
    lanes: usize,
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
                setpriority_process(None, NICENESS).expect("everyone may be nicer");
            })
            .enable_all()
            .build()?;
        let mut attack = Self {
            flood,
            target,
            progress: Arc::default(),
            lanes: 0,
            runtime: Some(runtime),
        };
        match flood {
            Flood::Idle => attack.lanes(options.idle, connections::idle),
            Flood::Slow => attack.lanes(options.slow, connections::slow),
            Flood::Deaf => {
                attack.lanes(options.deaf, connections::deaf);
                attack.lanes(1, connections::come_and_go);
            }
            Flood::Connections => attack.lanes(connections::LANES, connections::hammer),
            Flood::Refused => {
                attack.lanes(connections::REFUSED, connections::idle_at_one_address);
                attack.lanes(connections::LANES, connections::hammer);
            }
            Flood::Random | Flood::Almost | Flood::Foreign => {
                for _ in 0..datagrams::SENDERS {
                    let lane = attack.lane();
                    attack.spawn_blocking(move || datagrams::send(flood, &lane));
                }
            }
            Flood::Guesses => attack.lanes(options.crowd, connections::guess),
            Flood::Logins => attack.lanes(options.crowd, connections::log_in),
            Flood::Registrations => attack.lanes(options.crowd, connections::register),
            Flood::Handshakes => attack.lanes(handshakes::LANES, handshakes::shake),
            Flood::HandshakesOfMany => {
                attack.lanes(connections::ADDRESSES, handshakes::shake_spread_out);
            }
            Flood::HalfHandshakes => {
                attack.lanes(options.slow, handshakes::stop_in_the_middle);
            }
            Flood::Garbage => attack.lanes(options.slow, handshakes::send_garbage),
            Flood::Unsigned => attack.lanes(options.slow, handshakes::stay),
        }
        attack.wait_for_full_size().await?;
        Ok(attack)
    }

    /// Starts `count` tasks, each of which lives again and again: connects, and does what
    /// it does until its connection is lost.
    fn lanes<F>(&mut self, count: usize, live: fn(Arc<Lane>) -> F)
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        for _ in 0..count {
            let lane = self.lane();
            let run = async move {
                loop {
                    // However a life ends, its connection was lost, if it had one.
                    let _ = live(Arc::clone(&lane)).await;
                    if lane.is_connected.swap(false, Ordering::Relaxed) {
                        lane.lost();
                    }
                    sleep(PAUSE).await;
                }
            };
            if let Some(runtime) = &self.runtime {
                runtime.spawn(run);
            }
        }
    }

    fn spawn_blocking(&self, run: impl FnOnce() -> Result<()> + Send + 'static) {
        if let Some(runtime) = &self.runtime {
            runtime.spawn_blocking(run);
        }
    }

    fn lane(&mut self) -> Arc<Lane> {
        self.lanes += 1;
        Arc::new(Lane {
            number: self.lanes - 1,
            target: self.target,
            progress: Arc::clone(&self.progress),
            has_risen: AtomicBool::new(false),
            is_connected: AtomicBool::new(false),
        })
    }

    async fn wait_for_full_size(&self) -> Result<()> {
        let lanes = u64::try_from(self.lanes)?;
        let risen = || self.progress.risen.load(Ordering::Relaxed);
        wait_for("flood of full size", RISE, async || {
            (risen() >= lanes).then_some(())
        })
        .await
        .with_context(|| format!("{:?}: {} of {lanes} are at work", self.flood, risen()))
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
            Flood::Guesses | Flood::Logins | Flood::Registrations => "requests sent",
            Flood::Deaf => "times 20 requests sent",
            Flood::Slow => "bytes sent",
            Flood::Handshakes | Flood::HandshakesOfMany => "handshakes made",
            Flood::Idle
            | Flood::Connections
            | Flood::Refused
            | Flood::HalfHandshakes
            | Flood::Garbage
            | Flood::Unsigned => "connections made",
        };
        format!("{done} {what}, {lost} connections lost")
    }
}

impl Drop for Attack {
    fn drop(&mut self) {
        self.stop();
    }
}
