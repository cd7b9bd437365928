//! The connections that are open at one port: their sources and their order, and which one
//! is evicted when there are too many.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::timeout;

/// How long a packet waits for that of an earlier connection of the same address. Texts that
/// are sent one after the other arrive in that order, also at a process that was stopped for a
/// while and finds many connections waiting; and a connection that has broken without a sign
/// holds up others for no longer.
const EARLIER_LIMIT: Duration = Duration::from_secs(1);

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Stage {
    /// Its packet has not arrived, or waits for its turn.
    Reading,
    /// Its packet is with the machine, and the other side waits for the decision.
    Pending,
    /// The other side has its answer, and the connection is being closed.
    Closing,
}

/// The stage of a connection, shared with its task.
#[derive(Debug, Clone)]
pub(super) struct Progress(Arc<AtomicU8>);

impl Default for Progress {
    fn default() -> Self {
        Self(Arc::new(AtomicU8::new(Stage::Reading as u8)))
    }
}

impl Progress {
    pub(super) fn set(&self, stage: Stage) {
        self.0.store(stage as u8, Ordering::Relaxed);
    }

    fn is(&self, stage: Stage) -> bool {
        self.0.load(Ordering::Relaxed) == stage as u8
    }
}

/// The turn of a connection among those of its address, in the order in which they were
/// accepted. Dropping it lets the next one go on.
#[derive(Debug)]
pub(super) struct Turn {
    earlier: Option<oneshot::Receiver<()>>,
    _passed: oneshot::Sender<()>,
}

impl Turn {
    /// Waits until the earlier connections of the same address have reported their packets, or
    /// are gone.
    pub(super) async fn wait_for_earlier_from_same_address(&mut self) {
        if let Some(earlier) = self.earlier.take() {
            // Nothing is sent: the sender is dropped.
            let _ = timeout(EARLIER_LIMIT, earlier).await;
        }
    }
}

/// The connections that are open at one port.
#[derive(Default)]
pub(super) struct OpenConnections {
    tasks: JoinSet<()>,
    connections: HashMap<Id, Connection>,
    last: u64,
}

struct Connection {
    source: Ipv4Addr,
    /// Counts up, so the oldest has the smallest.
    number: u64,
    progress: Progress,
    /// For the next one of this address: ends with the [`Turn`] of this one.
    passed: Option<oneshot::Receiver<()>>,
    task: AbortHandle,
}

impl OpenConnections {
    /// Spawns the task of a connection, which gets its turn.
    pub(super) fn spawn<T>(
        &mut self,
        source: Ipv4Addr,
        progress: Progress,
        task: impl FnOnce(Turn) -> T,
    ) where
        T: Future<Output = ()> + Send + 'static,
    {
        self.last += 1;
        let (sender, passed) = oneshot::channel();
        let turn = Turn {
            earlier: self.earlier(source),
            _passed: sender,
        };
        let task = self.tasks.spawn(task(turn));
        self.connections.insert(
            task.id(),
            Connection {
                source,
                number: self.last,
                progress,
                passed: Some(passed),
                task,
            },
        );
    }

    /// The end of the turn that the next connection of an address has to wait for.
    fn earlier(&mut self, source: Ipv4Addr) -> Option<oneshot::Receiver<()>> {
        let connections = self.connections.values_mut();
        connections
            .filter(|connection| connection.source == source)
            .max_by_key(|connection| connection.number)
            .and_then(|connection| connection.passed.take())
    }

    pub(super) fn len(&self) -> usize {
        self.connections.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// How many connections an address has.
    pub(super) fn of(&self, source: Ipv4Addr) -> usize {
        let of_it = |connection: &&Connection| connection.source == source;
        self.connections.values().filter(of_it).count()
    }

    /// Whether any can be evicted.
    pub(super) fn can_evict(&self) -> bool {
        self.connections
            .values()
            .any(|connection| !connection.progress.is(Stage::Pending))
    }

    /// Evicts a connection that is being closed, or else the oldest connection of the address
    /// that has the most; then returns this address. Never one whose packet is with the
    /// machine.
    ///
    /// A client that sends a packet and closes has one connection, for a moment. So clients
    /// that hold connections open are evicted first, from however many addresses they come.
    pub(super) fn evict_one(&mut self) -> Option<Ipv4Addr> {
        let mut of_each: BTreeMap<Ipv4Addr, usize> = BTreeMap::new();
        for connection in self.connections.values() {
            *of_each.entry(connection.source).or_default() += 1;
        }
        let others = self.connections.iter();
        let evicted = others
            .filter(|(_, connection)| !connection.progress.is(Stage::Pending))
            .max_by_key(|(_, connection)| {
                let is_closing = connection.progress.is(Stage::Closing);
                let held = of_each.get(&connection.source).copied();
                (is_closing, held, Reverse(connection.number))
            });
        let id = evicted.map(|(id, _)| *id)?;
        let connection = self.connections.remove(&id)?;
        connection.task.abort();
        let was_closing = connection.progress.is(Stage::Closing);
        (!was_closing).then_some(connection.source)
    }

    /// Waits until a task has ended.
    pub(super) async fn join_one(&mut self) {
        let id = match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => {
                if !error.is_cancelled() {
                    tracing::error!(%error, "the task of a connection failed");
                }
                error.id()
            }
            None => return,
        };
        self.connections.remove(&id);
    }

    /// Waits until all have ended.
    pub(super) async fn join_all(&mut self) {
        while !self.is_empty() {
            self.join_one().await;
        }
    }
}
