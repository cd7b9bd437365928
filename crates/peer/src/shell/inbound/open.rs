//! The connections that are open at one port: whose they are, and which has to go when
//! there are too many.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::timeout;

/// How long a packet waits for one of an earlier connection of the same address that has
/// not come yet. Whoever says things one after the other is heard in that order, also by a
/// program that was stopped for a while and finds many connections waiting; and a
/// connection that has broken without a sign holds up nobody for longer.
const EARLIER: Duration = Duration::from_secs(1);

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(in super::super) enum Stage {
    /// Its packet is still to come, or waits for its turn.
    Coming,
    /// The machine has it before it, and the other side waits for the word.
    Heard,
    /// All was said, and it is being closed.
    Done,
}

/// The stage of a connection, as its task tells it.
#[derive(Debug, Clone)]
pub(in super::super) struct Progress(Arc<AtomicU8>);

impl Default for Progress {
    fn default() -> Self {
        Self(Arc::new(AtomicU8::new(Stage::Coming as u8)))
    }
}

impl Progress {
    /// Notes how far the connection is.
    pub(in super::super) fn set(&self, stage: Stage) {
        self.0.store(stage as u8, Ordering::Relaxed);
    }

    fn is(&self, stage: Stage) -> bool {
        self.0.load(Ordering::Relaxed) == stage as u8
    }
}

/// A connection's place among those of its address, in the order in which they came.
#[derive(Debug)]
pub(in super::super) struct Place {
    earlier: Option<oneshot::Receiver<()>>,
    /// Dropped when a later one may go on.
    _passed: oneshot::Sender<()>,
}

impl Place {
    /// Waits until what came earlier has been told, or has gone.
    pub(super) async fn come_up(&mut self) {
        if let Some(earlier) = self.earlier.take() {
            // That it was dropped is the sign.
            let _ = timeout(EARLIER, earlier).await;
        }
    }
}

/// The connections that are open.
#[derive(Default)]
pub(super) struct Open {
    tasks: JoinSet<()>,
    connections: HashMap<Id, Connection>,
    last: u64,
}

struct Connection {
    source: Ipv4Addr,
    /// Later ones have greater numbers.
    number: u64,
    progress: Progress,
    /// For the next one of this address: ends when this one's packet has been told.
    passed: Option<oneshot::Receiver<()>>,
    task: AbortHandle,
}

impl Open {
    /// Runs a connection's task, which is told its place.
    pub(super) fn spawn<T>(
        &mut self,
        source: Ipv4Addr,
        progress: Progress,
        task: impl FnOnce(Place) -> T,
    ) where
        T: Future<Output = ()> + Send + 'static,
    {
        self.last += 1;
        let (sender, passed) = oneshot::channel();
        let place = Place {
            earlier: self.earlier(source),
            _passed: sender,
        };
        let task = self.tasks.spawn(task(place));
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

    /// What the next connection of an address has to wait for.
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

    /// How many an address has.
    pub(super) fn of(&self, source: Ipv4Addr) -> usize {
        let of_it = |connection: &&Connection| connection.source == source;
        self.connections.values().filter(of_it).count()
    }

    /// Whether any could be ended for another.
    pub(super) fn can_spare(&self) -> bool {
        self.connections
            .values()
            .any(|connection| !connection.progress.is(Stage::Heard))
    }

    /// Makes room: ends one that is being closed, or else the oldest connection of the
    /// address that has the most, and says which address that is. None that the machine has
    /// before it.
    ///
    /// Whoever sends a packet and goes has one connection, for a moment. So those who hold
    /// connections open go first, from however many addresses they come.
    pub(super) fn spare_one(&mut self) -> Option<Ipv4Addr> {
        let mut of_each: BTreeMap<Ipv4Addr, usize> = BTreeMap::new();
        for connection in self.connections.values() {
            *of_each.entry(connection.source).or_default() += 1;
        }
        let others = self.connections.iter();
        let spared = others
            .filter(|(_, connection)| !connection.progress.is(Stage::Heard))
            .max_by_key(|(_, connection)| {
                let is_done = connection.progress.is(Stage::Done);
                let held = of_each.get(&connection.source).copied();
                (is_done, held, Reverse(connection.number))
            });
        let id = spared.map(|(id, _)| *id)?;
        let connection = self.connections.remove(&id)?;
        connection.task.abort();
        let was_done = connection.progress.is(Stage::Done);
        (!was_done).then_some(connection.source)
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
