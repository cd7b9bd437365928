//! A server that is one of several: what it tells the others, and what it hears of them.
//!
//! Two tasks, one for each direction. While the database is away, or this server is cut off
//! from it, both go on trying, and what is asked is answered from memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use p2pchat_protocol::{PeerAddr, Username};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::cluster::{COLLECTION, Cluster, Feed, Snapshot};
use crate::metrics::ClusterMetrics;
use crate::presence::{Due, Record, SessionId};
use crate::store::StoreError;

mod change_stream;

/// How often what the others have yet to hear is gathered and written.
const ROUND: Duration = Duration::from_millis(250);
/// The pause before the database is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// What a server has that is one of several.
#[derive(Debug)]
pub(super) struct Together {
    pub(super) cluster: Cluster,
    telling: Outage,
    hearing: Outage,
    metrics: Arc<ClusterMetrics>,
}

/// Whether one direction is broken: it is logged when that begins and when it ends.
#[derive(Debug)]
struct Outage {
    /// What does not work.
    what: &'static str,
    lasts: AtomicBool,
}

impl Outage {
    fn new(what: &'static str) -> Self {
        Self {
            what,
            lasts: AtomicBool::new(false),
        }
    }

    fn goes_on(&self, error: &StoreError) {
        let what = self.what;
        match self.lasts.swap(true, Ordering::Relaxed) {
            true => tracing::debug!(%error, "still cut off: {what}"),
            false => tracing::error!(
                %error,
                "cut off from the database: {what}. Who is online is answered from memory, \
                 and it is tried again all the time"
            ),
        }
    }

    fn is_over(&self) {
        if self.lasts.swap(false, Ordering::Relaxed) {
            tracing::info!("no longer cut off, it is over that {}", self.what);
        }
    }
}

impl Together {
    pub(super) fn new(cluster: Cluster, metrics: Arc<ClusterMetrics>) -> Self {
        Self {
            cluster,
            telling: Outage::new("the other registries cannot be told of users here"),
            hearing: Outage::new("the other registries cannot be heard"),
            metrics,
        }
    }

    /// Takes note of what no registry wrote, and tells of the first.
    fn pass_over(&self, documents: u64) {
        if documents > 0 && self.metrics.foreign.inc_by(documents) == 0 {
            tracing::warn!(
                "somebody else than registries writes to the collection `{COLLECTION}`: what is \
                 in it that they did not write is passed over and counted. See who may write there"
            );
        }
    }

    /// Puts a user online everywhere.
    pub(super) async fn login(
        &self,
        shared: &Shared,
        name: Username,
        peer: PeerAddr,
    ) -> Result<SessionId, StoreError> {
        let known = shared.presence.turn(name);
        let record = self.cluster.login(name, peer, known).await?;
        Ok(shared.presence.logged_in(&record))
    }
}

/// The tasks of a server that is one of several.
pub(super) struct Others {
    together: Arc<Together>,
    /// Not that of the server: the connections that are still served make news.
    stop: CancellationToken,
    telling: JoinHandle<()>,
    hearing: JoinHandle<()>,
}

impl Others {
    pub(super) fn start(shared: &Arc<Shared>, together: &Arc<Together>, feed: Feed) -> Self {
        let stop = CancellationToken::new();
        let for_each = || (Arc::clone(shared), Arc::clone(together), stop.clone());
        let (hearing_shared, hearing_together, hearing_stop) = for_each();
        let (telling_shared, telling_together, telling_stop) = for_each();
        Self {
            telling: tokio::spawn(tell(telling_shared, telling_together, telling_stop)),
            hearing: tokio::spawn(change_stream::hear(
                hearing_shared,
                hearing_together,
                feed,
                hearing_stop,
            )),
            together: Arc::clone(together),
            stop,
        }
    }

    /// Tells what there is left to tell, and lets go of the database.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        super::join("hearing", self.hearing).await;
        super::join("telling", self.telling).await;
        self.together.cluster.close().await;
    }
}

/// Tells the others, until told to stop, and then once more.
async fn tell(shared: Arc<Shared>, together: Arc<Together>, stop: CancellationToken) {
    let mut ticks = interval(ROUND);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let due = |shard| shared.presence.due(shard, shared.now());
        let told = tell_once(&shared, &together, due).await;
        match told {
            Ok(0) => {}
            Ok(_) => {
                together.metrics.database_is_up(true);
                together.telling.is_over();
            }
            Err(error) => {
                together.metrics.database_is_up(false);
                together.telling.goes_on(&error);
                stop.run_until_cancelled(sleep(RETRY)).await;
            }
        }
    }
    let all = |shard| shared.presence.unwritten(shard);
    if let Err(error) = tell_once(&shared, &together, all).await {
        tracing::warn!(%error, "the other registries were not told of the last changes");
    }
}

async fn tell_once(
    shared: &Shared,
    together: &Together,
    of_shard: impl Fn(usize) -> Vec<Due>,
) -> Result<usize, StoreError> {
    let mut dues: Vec<Due> = Vec::new();
    for shard in 0..shared.presence.shards() {
        dues.extend(of_shard(shard));
        yield_now().await;
    }
    let metrics = &together.metrics;
    metrics
        .waiting_writes
        .set(i64::try_from(dues.len()).unwrap_or(i64::MAX));
    let there = together.cluster.write(&dues).await?;
    metrics.waiting_writes.set(0);
    let hellos = dues.iter().filter(|due| !due.is_logout).count();
    metrics.hellos_written.inc_by(hellos as u64);
    for record in &there {
        learn(shared, record);
    }
    Ok(dues.len())
}

/// Reads what the others wrote into the presence.
fn learn(shared: &Shared, record: &Record) {
    if let Some(ended) = shared.presence.learn(record, shared.now()) {
        shared.places.ended(&ended);
    }
}

/// Reads who is online, and follows what comes after it.
pub(super) async fn begin(shared: &Shared, together: &Together) -> Result<Feed, StoreError> {
    read_since(shared, together, shared.now()).await
}

/// Reads what may have changed since a moment until which everything is known, and follows
/// what comes after it.
async fn read_since(
    shared: &Shared,
    together: &Together,
    known: Duration,
) -> Result<Feed, StoreError> {
    let Snapshot {
        feed,
        records,
        foreign,
    } = together.cluster.follow(known).await?;
    // What was there may be there no more. What was read is.
    shared.presence.tell_again();
    records.iter().for_each(|record| learn(shared, record));
    together.pass_over(foreign);
    Ok(feed)
}
