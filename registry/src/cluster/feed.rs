//! What the others write, in the order in which the database took it.

use std::time::Duration;

use futures::TryStreamExt;
use mongodb::bson::Document;
use mongodb::change_stream::ChangeStream;
use mongodb::change_stream::event::{ChangeStreamEvent, OperationType, ResumeToken};
use mongodb::error::Error;

use super::{Cluster, is_history_lost};
use crate::presence::Record;
use crate::store::StoreError;
use crate::store::mongo::in_time;

/// How long the database waits for a change before it answers that there is none. A
/// registry that hears nothing for longer knows that it is cut off.
const WAIT: Duration = Duration::from_millis(500);
/// How long it may take to answer that.
const DEADLINE: Duration = Duration::from_secs(3);

/// How long reading all who may be online may take: a million in some ten seconds.
const READ_ALL: Duration = Duration::from_secs(60);

/// What comes over a [`Feed`].
#[derive(Debug)]
pub enum News {
    /// Somebody wrote this, so long ago.
    Wrote {
        /// What.
        record: Record,
        /// How long that took.
        lag: Duration,
    },
    /// A change that concerns nobody who is online.
    Nothing,
    /// There is nothing more that was written until now.
    UpToDate,
    /// The collection is gone: everything has to be read anew.
    Ended,
}

/// A change stream over the collection.
#[derive(Debug)]
pub struct Feed {
    stream: ChangeStream<ChangeStreamEvent<Document>>,
}

impl Cluster {
    /// Follows the collection from now on, and reads what is there: nothing falls between
    /// the two, and what is in both is the same.
    ///
    /// # Errors
    /// If the database does not answer in time.
    pub async fn follow(&self) -> Result<(Feed, Vec<Record>), StoreError> {
        let feed = in_time(self.open(None)).await?;
        let reading = async {
            let documents = self.online.find(self.recent()).await?;
            documents.try_collect::<Vec<Document>>().await
        };
        let documents = tokio::time::timeout(READ_ALL, reading)
            .await
            .map_err(|_| StoreError::Timeout(READ_ALL))?
            .map_err(|error| StoreError::mongo(&error))?;
        let records = documents
            .iter()
            .filter_map(|document| self.record(document));
        Ok((feed, records.collect()))
    }

    /// Follows the collection from where a feed broke off.
    ///
    /// # Errors
    /// If the database does not answer in time. `Ok(None)` if it no longer knows what came
    /// after that: then [`Cluster::follow`] has to read everything.
    pub async fn resume(&self, token: ResumeToken) -> Result<Option<Feed>, StoreError> {
        let opening = async {
            match self.open(Some(token)).await {
                Ok(feed) => Ok(Some(feed)),
                Err(error) if is_history_lost(&error) => Ok(None),
                Err(error) => Err(error),
            }
        };
        in_time(opening).await
    }

    async fn open(&self, token: Option<ResumeToken>) -> Result<Feed, Error> {
        let watching = self.online.watch().max_await_time(WAIT);
        let watching = match token {
            Some(token) => watching.resume_after(token),
            None => watching,
        };
        Ok(Feed {
            stream: watching.await?,
        })
    }

    /// What comes next. To be called from one place, and not dropped before it is ready.
    ///
    /// # Errors
    /// If the stream broke, or says nothing for longer than it may.
    pub async fn next(&self, feed: &mut Feed) -> Result<News, StoreError> {
        let event = match tokio::time::timeout(DEADLINE, feed.stream.next_if_any()).await {
            Ok(Ok(Some(event))) => event,
            Ok(Ok(None)) if feed.stream.is_alive() => return Ok(News::UpToDate),
            Ok(Ok(None)) => return Ok(News::Ended),
            Ok(Err(error)) if is_history_lost(&error) => return Ok(News::Ended),
            Ok(Err(error)) => return Err(StoreError::mongo(&error)),
            Err(_) => return Err(StoreError::Timeout(DEADLINE)),
        };
        Ok(match event.operation_type {
            OperationType::Insert | OperationType::Replace => {
                let document = event.full_document.unwrap_or_default();
                let written = event.wall_time.map(|time| self.clock.from_server(time));
                let now = self.clock.now();
                match self.record(&document) {
                    Some(record) => News::Wrote {
                        record,
                        lag: now.saturating_sub(written.unwrap_or(now)),
                    },
                    None => News::Nothing,
                }
            }
            OperationType::Drop
            | OperationType::Rename
            | OperationType::DropDatabase
            | OperationType::Invalidate => News::Ended,
            // What is cleared away was not online any more, and nobody updates in part.
            _ => News::Nothing,
        })
    }
}

impl Feed {
    /// Where it can be gone on with.
    #[must_use]
    pub fn token(&self) -> Option<ResumeToken> {
        self.stream.resume_token()
    }
}
