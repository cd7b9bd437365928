//! How a server hears the others: by a change stream, which is gone on with after a break,
//! or, where that cannot be, by reading who is online anew.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{RETRY, Shared, Together, learn, read_since};
use crate::cluster::{Feed, News};
use crate::store::StoreError;

/// How often the clock of the database is looked at: clocks drift by far less than a
/// millisecond in that time, but the next primary may have another.
const CLOCK: Duration = Duration::from_secs(10);
/// How long after a break the users of the others are still shown as they were: the others
/// may have been cut off as well, and write now what they could not.
const SETTLE: Duration = Duration::from_secs(5);

/// Hears the others, until told to stop.
pub(super) async fn hear(
    shared: Arc<Shared>,
    together: Arc<Together>,
    feed: Feed,
    stop: CancellationToken,
) {
    let hearing = async {
        let mut ear = Ear {
            shared: &shared,
            together: &together,
            feed,
            settled: Duration::ZERO,
            clock: Duration::ZERO,
        };
        loop {
            if let Err(error) = ear.listen().await {
                together.hearing.goes_on(&error);
                together.metrics.stream_broke();
                sleep(RETRY).await;
                ear.reconnect().await;
            }
        }
    };
    stop.run_until_cancelled(hearing).await;
}

struct Ear<'a> {
    shared: &'a Shared,
    together: &'a Together,
    feed: Feed,
    /// When the others will have said what they could not during a break.
    settled: Duration,
    /// When the clock was last looked at.
    clock: Duration,
}

impl Ear<'_> {
    /// Takes what comes until the stream breaks.
    async fn listen(&mut self) -> Result<(), StoreError> {
        loop {
            if self.shared.now().saturating_sub(self.clock) > CLOCK {
                self.read_clock().await?;
            }
            match self.together.cluster.next(&mut self.feed).await? {
                News::Wrote { record, lag } => {
                    learn(self.shared, &record);
                    self.heard(lag);
                }
                News::UpToDate => self.heard(Duration::ZERO),
                News::Nothing => {}
                News::Foreign => self.together.pass_over(1),
                News::Ended => {
                    // Not all the time, whatever goes on there.
                    sleep(RETRY).await;
                    self.read_anew().await?;
                }
            }
        }
    }

    async fn read_clock(&mut self) -> Result<(), StoreError> {
        let read = self.together.cluster.measure_clock().await;
        // Where there is nothing to write, this is what tells.
        self.together.metrics.database_is_up(read.is_ok());
        if read? {
            tracing::warn!(
                "the database has another clock than before: somebody set it, or the clocks of \
                 its members differ. When users were seen is written anew"
            );
            self.shared.presence.tell_again();
        }
        self.clock = self.shared.now();
        Ok(())
    }

    fn heard(&self, lag: Duration) {
        self.together.hearing.is_over();
        self.together.metrics.heard(lag);
        let now = self.shared.now();
        if now >= self.settled {
            self.shared.presence.heard(now.saturating_sub(lag));
        }
    }

    /// Goes on where the stream broke off, however long that takes.
    async fn reconnect(&mut self) {
        while let Err(error) = self.try_reconnect().await {
            self.together.hearing.goes_on(&error);
            sleep(RETRY).await;
        }
    }

    async fn try_reconnect(&mut self) -> Result<(), StoreError> {
        // The next primary may have another.
        self.read_clock().await?;
        let resumed = match self.feed.token() {
            Some(token) => self.together.cluster.resume(token).await?,
            None => None,
        };
        match resumed {
            Some(feed) => {
                self.go_on(feed);
                Ok(())
            }
            None => self.read_anew().await,
        }
    }

    /// Reads all that is there, since the stream cannot be gone on with.
    async fn read_anew(&mut self) -> Result<(), StoreError> {
        // If the collection was dropped, its index has gone, too.
        if let Err(error) = self.together.cluster.tidy().await {
            tracing::debug!(%error, "no index clears away what everybody forgot");
        }
        let known = self.shared.presence.last_heard();
        let feed = read_since(self.shared, self.together, known).await?;
        self.go_on(feed);
        self.together.metrics.rebuilds.inc();
        tracing::warn!(
            "the change stream could not be gone on with, since its collection was dropped or the \
             database no longer knows what came next: who is online has been read anew"
        );
        Ok(())
    }

    fn go_on(&mut self, feed: Feed) {
        self.feed = feed;
        self.settled = self.shared.now() + SETTLE;
    }
}
