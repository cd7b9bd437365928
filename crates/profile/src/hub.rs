//! The socket of a profile, on the owner's side: joins each front end that attaches to the peer.
//!
//! Only the task of a connection waits for its front end. One that does not read misses events
//! and gets the view again, from the peer.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use p2pchat_model::{BadCall, CONTRACT_VERSION, Call};
use p2pchat_peer::{Calls, Handle, Updates};
use p2pchat_platform::local::{Caller, Listener, ReadHalf, WriteHalf};
use p2pchat_platform::lock::Lock;
use tokio::io::AsyncWriteExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{interval, sleep, timeout};
use tokio_util::codec::{FramedRead, LinesCodec};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, info_span};

use crate::clock::now;
use crate::error::OpenError;
use crate::lock::{self, named_in};
use crate::owner::{Entry, Owner};
use crate::wire::{self, Greeting, MAX_CALL, Refusal};

/// How many front ends may be attached: the 64 pages that a bridge serves, and as many others.
const MAX_CONNECTIONS: usize = 128;
/// How long a front end has for its greeting.
const GREETING_LIMIT: Duration = Duration::from_secs(5);
/// How long an update may take to be written. A front end that was stopped for longer attaches
/// again.
const WRITE_LIMIT: Duration = Duration::from_secs(300);
/// How long a refused front end has to read why.
const REFUSAL_LIMIT: Duration = Duration::from_secs(1);
/// How many answers to lines that are no calls may wait; the next line waits.
const MAX_BAD_CALLS: usize = 16;
/// How long connections have to end in order once the peer has.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);
/// The pause after a connection that could not be accepted: no file descriptor is free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often it is looked whether the socket is still there: twice in the time that a process
/// that attaches waits.
const LOOK: Duration = Duration::from_secs(5);

/// What the owner of a profile has: the lock, and the socket that it names. Who connects waits
/// until the socket is served.
#[derive(Debug)]
pub(crate) struct Claim {
    lock: Lock,
    /// The profile's folder.
    folder: PathBuf,
    entry: Entry,
    listener: Listener,
}

impl Claim {
    /// Binds the socket, and writes into the lock where it is.
    ///
    /// # Errors
    /// If one of them is not possible.
    pub(crate) fn make(
        lock: Lock,
        folder: &Path,
        owner: Owner,
        peer: p2pchat_peer::Options,
    ) -> Result<Self, OpenError> {
        let listener = Listener::bind(folder)?;
        let entry = Entry {
            owner,
            socket: listener.address().clone(),
            peer,
        };
        lock::name(&lock, &entry).map_err(OpenError::locking(folder))?;
        Ok(Self {
            lock,
            folder: folder.to_owned(),
            entry,
            listener,
        })
    }

    /// Makes again what is gone: the lock, where its file was removed and no one else has made
    /// another, what it says, and the socket.
    fn renew(&mut self) -> Result<(), OpenError> {
        if !self.lock.counts() {
            match lock::try_take(&self.folder).map_err(OpenError::locking(&self.folder))? {
                Some(lock) => self.lock = lock,
                // Another process has the profile by now, and its own peer.
                None => return Ok(()),
            }
        }
        let is_named = named_in(&self.folder).is_some_and(|there| there.owner == self.entry.owner);
        if is_named && self.listener.is_there() {
            return Ok(());
        }
        self.listener = Listener::bind(&self.folder)?;
        self.entry.socket = self.listener.address().clone();
        let named = lock::name(&self.lock, &self.entry);
        named.map_err(OpenError::locking(&self.folder))
    }

    /// Gives the profile up. One that is not handed over is left as if no one had run it.
    pub(crate) fn end(self, hands_over: bool) {
        if self.lock.counts() {
            self.listener.remove();
        }
        if !hands_over {
            lock::clear(&self.lock);
        }
    }
}

/// The server of a profile's socket.
#[derive(Debug)]
pub(crate) struct Hub {
    shared: Arc<Shared>,
    accepting: JoinHandle<Claim>,
}

#[derive(Debug)]
struct Shared {
    peer: Handle,
    /// No one attaches any more.
    closing: CancellationToken,
    /// All connections end at once.
    ending: CancellationToken,
    tasks: TaskTracker,
    slots: Arc<Semaphore>,
    /// How many of those who are attached would take over.
    successors: AtomicUsize,
}

impl Hub {
    /// Serves the socket for this peer.
    pub(crate) fn start(claim: Claim, peer: Handle) -> Self {
        let shared = Arc::new(Shared {
            peer,
            closing: CancellationToken::new(),
            ending: CancellationToken::new(),
            tasks: TaskTracker::new(),
            slots: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            successors: AtomicUsize::new(0),
        });
        Self {
            accepting: tokio::spawn(accept(claim, Arc::clone(&shared))),
            shared,
        }
    }

    /// Whether a process is attached that would take over.
    pub(crate) fn has_successor(&self) -> bool {
        self.shared.successors.load(Ordering::Relaxed) > 0
    }

    /// Takes no more front ends.
    pub(crate) fn close(&self) {
        self.shared.closing.cancel();
    }

    /// Ends: the connections get what the peer, which has stopped, sent last. Then another
    /// process can have the profile.
    pub(crate) async fn end(self, hands_over: bool) {
        self.close();
        self.shared.tasks.close();
        // One that does not read does not get the rest.
        let _ = timeout(CLOSE_LIMIT, self.shared.tasks.wait()).await;
        self.shared.ending.cancel();
        match self.accepting.await {
            Ok(claim) => claim.end(hands_over),
            Err(error) => tracing::error!(%error, "the socket of the profile failed"),
        }
    }
}

async fn accept(mut claim: Claim, shared: Arc<Shared>) -> Claim {
    let mut look = interval(LOOK);
    loop {
        let accepted = tokio::select! {
            accepted = claim.listener.accept() => accepted,
            () = shared.closing.cancelled() => return claim,
            _ = look.tick() => {
                if let Err(error) = claim.renew() {
                    tracing::warn!(%error, "no one can attach");
                }
                continue;
            }
        };
        let caller = match accepted {
            Ok(caller) => caller,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a front end");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let slot = Arc::clone(&shared.slots).try_acquire_owned().ok();
        let serving = serve(caller, Arc::clone(&shared), slot);
        let ending = shared.ending.clone();
        shared.tasks.spawn(async move {
            ending.run_until_cancelled(serving).await;
        });
    }
}

/// Serves one connection until it ends.
async fn serve(caller: Caller, shared: Arc<Shared>, slot: Option<OwnedSemaphorePermit>) {
    let Ok(Some((read, write))) = timeout(GREETING_LIMIT, caller.check()).await else {
        return tracing::warn!("a process of another user tried to attach");
    };
    if slot.is_none() {
        let words =
            format!("{MAX_CONNECTIONS} front ends are attached to this profile: close some");
        return refuse(write, words).await;
    }
    let mut lines = FramedRead::new(read, wire::lines(MAX_CALL));
    let greeting = match timeout(GREETING_LIMIT, lines.next()).await {
        Ok(Some(Ok(line))) => serde_json::from_str::<Greeting>(&line),
        _ => return tracing::debug!("a front end did not greet"),
    };
    let greeting = match greeting {
        Ok(greeting) if greeting.version == CONTRACT_VERSION => greeting,
        Ok(greeting) => {
            let words = format!(
                "the program that runs this profile speaks version {CONTRACT_VERSION} of the contract and not {}: use the same version of p2pchat, or end it",
                greeting.version
            );
            return refuse(write, words).await;
        }
        Err(error) => {
            let words = format!(
                "the first line has to be {{\"version\":{CONTRACT_VERSION},\"front_end\":\"ID\"}}: {error}"
            );
            return refuse(write, words).await;
        }
    };
    let span = info_span!(
        "front_end",
        program = greeting.program,
        process = greeting.process
    );
    attach(greeting, lines, write, &shared)
        .instrument(span)
        .await;
}

/// Joins a front end to the peer.
async fn attach(
    greeting: Greeting,
    lines: FramedRead<ReadHalf, LinesCodec>,
    write: WriteHalf,
    shared: &Shared,
) {
    let _successor = greeting
        .takes_over
        .then(|| Successor::new(&shared.successors));
    let Ok((calls, updates)) = shared.peer.join(greeting.front_end).await else {
        return;
    };
    tracing::debug!("attached");
    let (report, bad_calls) = mpsc::channel(MAX_BAD_CALLS);
    tokio::select! {
        () = read_calls(lines, calls, report) => {}
        () = write_updates(write, updates, bad_calls) => {}
    }
    tracing::debug!("detached");
}

async fn read_calls(
    mut lines: FramedRead<ReadHalf, LinesCodec>,
    calls: Calls,
    report: mpsc::Sender<BadCall>,
) {
    while let Some(Ok(line)) = lines.next().await {
        let passed = match Call::from_json(&line) {
            Ok(call) => calls.send(call).await.is_ok(),
            Err(bad) => report.send(bad).await.is_ok(),
        };
        if !passed {
            // The peer has stopped; what it sent last is being written.
            return std::future::pending().await;
        }
    }
}

/// Writes updates until the peer has stopped, or the front end has not read for too long.
async fn write_updates(
    mut write: WriteHalf,
    mut updates: Updates,
    mut bad_calls: mpsc::Receiver<BadCall>,
) {
    loop {
        let update = tokio::select! {
            update = updates.next() => match update {
                Ok(update) => update,
                Err(_) => return,
            },
            Some(bad) = bad_calls.recv() => bad.into_answer(now()),
        };
        match timeout(WRITE_LIMIT, write.write_all(&wire::line(&update))).await {
            Ok(Ok(())) => {}
            // It has left. What it sent before is still to be read.
            Ok(Err(_)) => std::future::pending().await,
            Err(_) => return tracing::warn!("a front end does not read"),
        }
    }
}

/// Says why a front end may not attach, and hangs up.
async fn refuse(mut write: WriteHalf, refused: String) {
    tracing::debug!(refused);
    let line = wire::line(&Refusal { refused });
    // It may be gone, or not read.
    let _ = timeout(REFUSAL_LIMIT, write.write_all(&line)).await;
}

/// Counts a process that would take over, while it is attached.
struct Successor<'a>(&'a AtomicUsize);

impl<'a> Successor<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Successor<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
