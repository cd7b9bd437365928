//! The server's part in a cluster: it writes its logins, logouts and Hellos to the database,
//! and reads those of the other registries from a change stream.
//!
//! One task for each direction. While the database cannot be reached both go on trying, and
//! requests are answered from memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use p2pchat_protocol::v2::{Seat, SeatState};
use tokio::task::yield_now;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Shared;
use crate::cluster::{COLLECTION, ChangeStream, Cluster, Snapshot};
use crate::metrics::ClusterMetrics;
use crate::presence::{Due, Record, SessionId};
use crate::store::StoreError;
use crate::vital::VitalTask;

mod change_stream;

/// How often changes are gathered and written to the database.
const WRITE_INTERVAL: Duration = Duration::from_millis(250);
/// The pause before the database is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// Handle of a server to its cluster.
#[derive(Debug)]
pub(super) struct ClusterHandle {
    cluster: Cluster,
    write_outage: Outage,
    read_outage: Outage,
    metrics: Arc<ClusterMetrics>,
}

/// Whether one direction is broken: logged when that begins and when it ends.
#[derive(Debug)]
struct Outage {
    /// What does not work.
    what: &'static str,
    is_on: AtomicBool,
}

impl Outage {
    fn new(what: &'static str) -> Self {
        Self {
            what,
            is_on: AtomicBool::new(false),
        }
    }

    fn failed(&self, error: &StoreError) {
        let what = self.what;
        if self.is_on.swap(true, Ordering::Relaxed) {
            tracing::debug!(%error, "still cut off from the database: {what}");
        } else {
            tracing::error!(
                %error,
                "cut off from the database: {what}. Requests are answered from memory; retrying"
            );
        }
    }

    fn recovered(&self) {
        if self.is_on.swap(false, Ordering::Relaxed) {
            tracing::info!(
                "the database can be reached again; it is over that {}",
                self.what
            );
        }
    }
}

impl ClusterHandle {
    pub(super) fn new(cluster: Cluster, metrics: Arc<ClusterMetrics>) -> Self {
        Self {
            cluster,
            write_outage: Outage::new("users of this registry are not shared with the others"),
            read_outage: Outage::new("changes of the other registries do not arrive"),
            metrics,
        }
    }

    /// Counts documents that no registry wrote, and warns of the first.
    fn ignore_foreign(&self, documents: u64) {
        if documents > 0 && self.metrics.foreign.inc_by(documents) == 0 {
            tracing::warn!(
                "foreign writes in collection `{COLLECTION}` ignored: a program other than a \
                 registry writes there. They are counted; check who has write access"
            );
        }
    }

    /// Puts a seat online at all registries.
    pub(super) async fn sign_in(
        &self,
        shared: &Shared,
        seat: Seat,
        state: SeatState,
    ) -> Result<SessionId, StoreError> {
        let known = shared.presence.epoch(seat);
        let record = self.cluster.sign_in(seat, state, known).await?;
        Ok(shared.presence.logged_in(&record))
    }
}

/// The tasks of a server in a cluster.
pub(super) struct ClusterTasks {
    handle: Arc<ClusterHandle>,
    /// Not that of the server: connections that are still served make changes.
    stop: DropGuard,
    writing: VitalTask,
    reading: VitalTask,
}

impl ClusterTasks {
    pub(super) fn start(
        shared: &Arc<Shared>,
        handle: &Arc<ClusterHandle>,
        stream: ChangeStream,
    ) -> Self {
        let stop = CancellationToken::new();
        let for_task = || (Arc::clone(shared), Arc::clone(handle), stop.clone());
        let (task_shared, task_handle, task_stop) = for_task();
        let writing = write_changes(task_shared, task_handle, task_stop);
        let (task_shared, task_handle, task_stop) = for_task();
        let reading = change_stream::read_changes(task_shared, task_handle, stream, task_stop);
        Self {
            writing: shared.vital.spawn("writer of the cluster", writing),
            reading: shared.vital.spawn("reader of the cluster", reading),
            handle: Arc::clone(handle),
            stop: stop.drop_guard(),
        }
    }

    /// Writes the last changes, and closes the connections to the database.
    pub(super) async fn stop(self) {
        drop(self.stop);
        self.reading.join().await;
        self.writing.join().await;
        self.handle.cluster.close().await;
    }
}

/// Writes changes to the database, until told to stop, and then once more.
async fn write_changes(shared: Arc<Shared>, handle: Arc<ClusterHandle>, stop: CancellationToken) {
    let mut ticks = interval(WRITE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let due = |shard| shared.presence.due(shard, shared.now());
        match write_once(&shared, &handle, due).await {
            Ok(0) => {}
            Ok(_) => {
                handle.metrics.database_is_up(true);
                handle.write_outage.recovered();
            }
            Err(error) => {
                handle.metrics.database_is_up(false);
                handle.write_outage.failed(&error);
                stop.run_until_cancelled(sleep(RETRY)).await;
            }
        }
    }
    let unwritten = |shard| shared.presence.unwritten(shard);
    if let Err(error) = write_once(&shared, &handle, unwritten).await {
        tracing::warn!(%error, "the last changes were not shared with the other registries");
    }
}

async fn write_once(
    shared: &Shared,
    handle: &ClusterHandle,
    of_shard: impl Fn(usize) -> Vec<Due>,
) -> Result<usize, StoreError> {
    let mut dues: Vec<Due> = Vec::new();
    for shard in 0..shared.presence.shards() {
        dues.extend(of_shard(shard));
        yield_now().await;
    }
    let metrics = &handle.metrics;
    metrics
        .waiting_writes
        .set(i64::try_from(dues.len()).unwrap_or(i64::MAX));
    let stored = handle.cluster.write(&dues).await?;
    metrics.waiting_writes.set(0);
    let hellos = dues.iter().filter(|due| !due.is_change).count();
    metrics.hellos_written.inc_by(hellos as u64);
    for record in &stored {
        learn(shared, record);
    }
    Ok(dues.len())
}

/// Takes a record from the database into the presence.
fn learn(shared: &Shared, record: &Record) {
    if let Some(ended) = shared.presence.learn(record, shared.now()) {
        shared.ended(&ended);
    }
}

/// Loads the presence from the database, and opens the change stream that goes on from there.
pub(super) async fn load(
    shared: &Shared,
    handle: &ClusterHandle,
) -> Result<ChangeStream, StoreError> {
    load_since(shared, handle, shared.now()).await
}

/// Loads what may have changed since `known`, a moment until which everything is known, and
/// opens the change stream that goes on from there.
async fn load_since(
    shared: &Shared,
    handle: &ClusterHandle,
    known: Duration,
) -> Result<ChangeStream, StoreError> {
    let Snapshot {
        stream,
        records,
        foreign,
    } = handle.cluster.snapshot(known).await?;
    // What was written before may be lost. What was read now is there.
    shared.presence.mark_all_unwritten();
    records.iter().for_each(|record| learn(shared, record));
    handle.ignore_foreign(foreign);
    Ok(stream)
}
