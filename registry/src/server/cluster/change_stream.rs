//! Reads the changes of the other registries: from the change stream, resumed after a break,
//! or, where it cannot be resumed, by reloading the presence from the database.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{ClusterHandle, RETRY, Shared, learn, load_since};
use crate::cluster::{Change, ChangeStream};
use crate::store::StoreError;

/// How often the clock of the database is read: clocks drift by far less than a millisecond
/// in that time, but the next primary may have another.
const CLOCK_INTERVAL: Duration = Duration::from_secs(10);
/// How long after a break the users of the other registries are still shown as they were: the
/// others may have been cut off as well, and write now what they could not.
const SETTLE: Duration = Duration::from_secs(5);

/// Reads changes until told to stop.
pub(super) async fn read_changes(
    shared: Arc<Shared>,
    handle: Arc<ClusterHandle>,
    stream: ChangeStream,
    stop: CancellationToken,
) {
    let reading = async {
        let mut reader = ChangeStreamReader {
            shared: &shared,
            handle: &handle,
            stream,
            settled: Duration::ZERO,
            clock_read: Duration::ZERO,
        };
        loop {
            if let Err(error) = reader.read_until_break().await {
                handle.read_outage.failed(&error);
                handle.metrics.stream_broke();
                sleep(RETRY).await;
                reader.reconnect().await;
            }
        }
    };
    stop.run_until_cancelled(reading).await;
}

/// Reader of the change stream, which survives breaks of it.
struct ChangeStreamReader<'a> {
    shared: &'a Shared,
    handle: &'a ClusterHandle,
    stream: ChangeStream,
    /// When the others will have written what they could not during a break.
    settled: Duration,
    /// When the clock of the database was last read.
    clock_read: Duration,
}

impl ChangeStreamReader<'_> {
    async fn read_until_break(&mut self) -> Result<(), StoreError> {
        loop {
            if self.shared.now().saturating_sub(self.clock_read) > CLOCK_INTERVAL {
                self.read_clock().await?;
            }
            match self.handle.cluster.next(&mut self.stream).await? {
                Change::Record { record, lag } => {
                    learn(self.shared, &record);
                    self.synced(lag);
                }
                Change::UpToDate => self.synced(Duration::ZERO),
                Change::Irrelevant => {}
                Change::Foreign => self.handle.ignore_foreign(1),
                Change::Invalidated => {
                    // A bound on how often that happens, whatever goes on there.
                    sleep(RETRY).await;
                    self.reload().await?;
                }
            }
        }
    }

    async fn read_clock(&mut self) -> Result<(), StoreError> {
        let read = self.handle.cluster.measure_clock().await;
        // Where there is nothing to write, this is what tells.
        self.handle.metrics.database_is_up(read.is_ok());
        if read? {
            tracing::warn!(
                "the clock of the database has jumped: it was set, or the clocks of its members \
                 differ. All users are written again"
            );
            self.shared.presence.mark_all_unwritten();
        }
        self.clock_read = self.shared.now();
        Ok(())
    }

    /// Takes note that everything that was written until `lag` ago has been read.
    fn synced(&self, lag: Duration) {
        self.handle.read_outage.recovered();
        self.handle.metrics.synced(lag);
        let now = self.shared.now();
        if now >= self.settled {
            self.shared.presence.synced(now.saturating_sub(lag));
        }
    }

    /// Resumes the stream, however long that takes.
    async fn reconnect(&mut self) {
        while let Err(error) = self.try_reconnect().await {
            self.handle.read_outage.failed(&error);
            sleep(RETRY).await;
        }
    }

    async fn try_reconnect(&mut self) -> Result<(), StoreError> {
        // The next primary may have another.
        self.read_clock().await?;
        let resumed = match self.stream.token() {
            Some(token) => self.handle.cluster.resume(token).await?,
            None => None,
        };
        match resumed {
            Some(stream) => {
                self.replace_stream(stream);
                Ok(())
            }
            None => self.reload().await,
        }
    }

    /// Loads the presence from the database, since the stream cannot be resumed.
    async fn reload(&mut self) -> Result<(), StoreError> {
        // If the collection was dropped, its index is gone, too.
        if let Err(error) = self.handle.cluster.create_index().await {
            tracing::debug!(%error, "no index removes old documents");
        }
        let known = self.shared.presence.last_synced();
        let stream = load_since(self.shared, self.handle, known).await?;
        self.replace_stream(stream);
        self.handle.metrics.rebuilds.inc();
        tracing::warn!(
            "change stream lost; presence reloaded. The collection was dropped, or the database no \
             longer has the changes that came next"
        );
        Ok(())
    }

    fn replace_stream(&mut self, stream: ChangeStream) {
        self.stream = stream;
        self.settled = self.shared.now() + SETTLE;
    }
}
