//! Change stream: what the other registries write, in the order in which the database took it.

use std::time::Duration;

use futures::TryStreamExt;
use mongodb::bson::{RawDocument, RawDocumentBuf, doc};
use mongodb::change_stream::ChangeStream as DriverStream;
use mongodb::change_stream::event::ResumeToken;
use mongodb::error::{Error, ErrorKind, RESUMABLE_CHANGE_STREAM_ERROR};

use super::Cluster;
use crate::presence::Record;
use crate::store::StoreError;
use crate::store::mongo::in_time;

/// How long the database waits for a change before it answers that there is none. A
/// registry without an answer for longer knows that it is cut off.
const WAIT: Duration = Duration::from_millis(500);
/// How long it may take to answer that.
const DEADLINE: Duration = Duration::from_secs(3);

/// How long loading all users who may be online may take: a million take some ten seconds.
const LOAD_TIMEOUT: Duration = Duration::from_secs(60);

/// What comes over a [`ChangeStream`].
#[derive(Debug)]
pub enum Change {
    /// A registry wrote a record.
    Record {
        /// The record.
        record: Record,
        /// How long ago it was written.
        lag: Duration,
    },
    /// A change that concerns no user who is online.
    Irrelevant,
    /// Another program wrote something that no registry writes.
    Foreign,
    /// All changes until now have been read.
    UpToDate,
    /// The stream cannot be resumed, as the collection is gone, or the database no longer
    /// has the changes that came next: everything has to be loaded again.
    Invalidated,
}

/// Users who may be online, and the change stream that goes on from there.
#[derive(Debug)]
pub struct Snapshot {
    /// The changes that come after.
    pub stream: ChangeStream,
    /// Users who may be online.
    pub records: Vec<Record>,
    /// How many documents were there besides that no registry wrote.
    pub foreign: u64,
}

/// A change stream over the collection.
#[derive(Debug)]
pub struct ChangeStream {
    /// Of events as they come, since a foreign one may have any content.
    events: DriverStream<RawDocumentBuf>,
}

impl Cluster {
    /// Opens a change stream, and then reads the records of all users who may have been online
    /// at `known` or later: nothing falls between the two, and what is in both is the same.
    /// A registry that has read everything until `known` is up to date by that; less would
    /// not do, since a logout does not count as being seen.
    ///
    /// # Errors
    /// If the database does not answer in time.
    pub async fn snapshot(&self, known: Duration) -> Result<Snapshot, StoreError> {
        let stream = in_time(self.open(None)).await?;
        let (mut records, mut foreign) = (Vec::new(), 0);
        let reading = async {
            let fields = doc! {
                "address": 1, "turn": 1, "seen": 1,
                "port": 1, "version_1": 1, "status": 1, "serial": 1, "display_name": 1,
            };
            let mut documents = self
                .online
                .find(self.since(known))
                .projection(fields)
                .await?;
            // One after the other: foreign documents may be of any size.
            while let Some(document) = documents.try_next().await? {
                match self.record(&document) {
                    Some(record) => records.push(record),
                    None => foreign += 1,
                }
            }
            Ok(())
        };
        tokio::time::timeout(LOAD_TIMEOUT, reading)
            .await
            .map_err(|_| StoreError::Timeout(LOAD_TIMEOUT))?
            .map_err(|error| StoreError::mongo(&error))?;
        Ok(Snapshot {
            stream,
            records,
            foreign,
        })
    }

    /// Resumes a change stream that broke off.
    ///
    /// # Errors
    /// If the database does not answer in time. `Ok(None)` if it no longer has the
    /// changes that came after: then everything has to be loaded ([`Cluster::snapshot`]).
    pub async fn resume(&self, token: ResumeToken) -> Result<Option<ChangeStream>, StoreError> {
        let opening = async {
            match self.open(Some(token)).await {
                Ok(stream) => Ok(Some(stream)),
                Err(error) if is_final(&error) => Ok(None),
                Err(error) => Err(error),
            }
        };
        in_time(opening).await
    }

    async fn open(&self, token: Option<ResumeToken>) -> Result<ChangeStream, Error> {
        let watching = self.online.watch().max_await_time(WAIT);
        let watching = match token {
            Some(token) => watching.resume_after(token),
            None => watching,
        };
        Ok(ChangeStream {
            events: watching.await?.with_type(),
        })
    }

    /// The next change. Not cancel-safe: the future must not be dropped before it is ready.
    ///
    /// # Errors
    /// If the stream broke, or says nothing for longer than it may.
    pub async fn next(&self, stream: &mut ChangeStream) -> Result<Change, StoreError> {
        let event = match tokio::time::timeout(DEADLINE, stream.events.next_if_any()).await {
            Ok(Ok(Some(event))) => event,
            Ok(Ok(None)) if stream.events.is_alive() => return Ok(Change::UpToDate),
            Ok(Ok(None)) => return Ok(Change::Invalidated),
            Ok(Err(error)) if is_final(&error) => return Ok(Change::Invalidated),
            Ok(Err(error)) => return Err(StoreError::mongo(&error)),
            Err(_) => return Err(StoreError::Timeout(DEADLINE)),
        };
        Ok(match event.get_str("operationType") {
            Ok("insert" | "replace") => self.written(&event),
            Ok("drop" | "rename" | "dropDatabase" | "invalidate") => Change::Invalidated,
            // Registries write whole documents alone.
            Ok("update") => Change::Foreign,
            // A document that the index removed was not online any more; if another program
            // removed it, the registry that gets the user's Hellos writes it again.
            _ => Change::Irrelevant,
        })
    }

    fn written(&self, event: &RawDocument) -> Change {
        let document = event.get_document("fullDocument").ok();
        let Some(record) = document.and_then(|document| self.record(document)) else {
            return Change::Foreign;
        };
        let now = self.now();
        let written = event.get_datetime("wallTime").ok();
        Change::Record {
            record,
            lag: written.map_or(Duration::ZERO, |time| self.clock.age(time, now)),
        }
    }
}

impl ChangeStream {
    /// The point at which it can be resumed.
    #[must_use]
    pub fn token(&self) -> Option<ResumeToken> {
        self.events.resume_token()
    }
}

/// Whether a stream cannot be resumed after an error: its token is too old, or the next
/// change can never be read. MongoDB marks the errors that do not mean that.
fn is_final(error: &Error) -> bool {
    matches!(&*error.kind, ErrorKind::Command(_))
        && !error.contains_label(RESUMABLE_CHANGE_STREAM_ERROR)
}
