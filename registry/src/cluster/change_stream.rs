//! What the others write, in the order in which the database took it.

use std::time::Duration;

use futures::TryStreamExt;
use mongodb::bson::{RawDocument, RawDocumentBuf, doc};
use mongodb::change_stream::ChangeStream;
use mongodb::change_stream::event::ResumeToken;
use mongodb::error::{Error, ErrorKind, RESUMABLE_CHANGE_STREAM_ERROR};

use super::Cluster;
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
    /// Somebody wrote what no registry writes.
    Foreign,
    /// There is nothing more that was written until now.
    UpToDate,
    /// The stream cannot be gone on with, as the collection is gone, or the database no
    /// longer knows what came next: everything has to be read anew.
    Ended,
}

/// Who may be online, and where to hear what comes after.
#[derive(Debug)]
pub struct Snapshot {
    /// What comes after.
    pub feed: Feed,
    /// Who may be online.
    pub records: Vec<Record>,
    /// How many documents were there besides that no registry wrote.
    pub foreign: u64,
}

/// A change stream over the collection.
#[derive(Debug)]
pub struct Feed {
    /// Of events as they come, since not all that is in them needs to be of a registry.
    stream: ChangeStream<RawDocumentBuf>,
}

impl Cluster {
    /// Follows the collection from now on, and reads what is there of all who may have been
    /// online at `known` or later: nothing falls between the two, and what is in both is
    /// the same. Whoever has heard everything until `known` has read everything by that;
    /// less would not do, since a logout does not count as being seen.
    ///
    /// # Errors
    /// If the database does not answer in time.
    pub async fn follow(&self, known: Duration) -> Result<Snapshot, StoreError> {
        let feed = in_time(self.open(None)).await?;
        let (mut records, mut foreign) = (Vec::new(), 0);
        let reading = async {
            let fields = doc! { "address": 1, "turn": 1, "seen": 1 };
            let mut documents = self
                .online
                .find(self.since(known))
                .projection(fields)
                .await?;
            // One after the other: those of somebody else may be of any size.
            while let Some(document) = documents.try_next().await? {
                match self.record(&document) {
                    Some(record) => records.push(record),
                    None => foreign += 1,
                }
            }
            Ok(())
        };
        tokio::time::timeout(READ_ALL, reading)
            .await
            .map_err(|_| StoreError::Timeout(READ_ALL))?
            .map_err(|error| StoreError::mongo(&error))?;
        Ok(Snapshot {
            feed,
            records,
            foreign,
        })
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
                Err(error) if is_final(&error) => Ok(None),
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
            stream: watching.await?.with_type(),
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
            Ok(Err(error)) if is_final(&error) => return Ok(News::Ended),
            Ok(Err(error)) => return Err(StoreError::mongo(&error)),
            Err(_) => return Err(StoreError::Timeout(DEADLINE)),
        };
        Ok(match event.get_str("operationType") {
            Ok("insert" | "replace") => self.written(&event),
            Ok("drop" | "rename" | "dropDatabase" | "invalidate") => News::Ended,
            // Registries write whole documents alone.
            Ok("update") => News::Foreign,
            // What is cleared away was not online any more; if somebody else removed it,
            // whoever hears the user puts it there again.
            _ => News::Nothing,
        })
    }

    fn written(&self, event: &RawDocument) -> News {
        let document = event.get_document("fullDocument").ok();
        let Some(record) = document.and_then(|document| self.record(document)) else {
            return News::Foreign;
        };
        let now = self.now();
        let written = event.get_datetime("wallTime").ok();
        News::Wrote {
            record,
            lag: written.map_or(Duration::ZERO, |time| self.clock.age(time, now)),
        }
    }
}

impl Feed {
    /// Where it can be gone on with.
    #[must_use]
    pub fn token(&self) -> Option<ResumeToken> {
        self.stream.resume_token()
    }
}

/// Whether a stream cannot be gone on with after that: its token is too old, or what comes
/// next can never be read. MongoDB marks the errors that do not mean that.
fn is_final(error: &Error) -> bool {
    matches!(&*error.kind, ErrorKind::Command(_))
        && !error.contains_label(RESUMABLE_CHANGE_STREAM_ERROR)
}
