//! The documents of the collection: how registries write them, and which of those that are
//! there no registry can have written.

use std::time::Duration;

use mongodb::bson::raw::RawBsonRef;
use mongodb::bson::{DateTime, Document, RawDocument, doc};
use p2pchat_protocol::Username;

use super::{Cluster, RETENTION};
use crate::presence::{Due, Record};

/// How far an epoch may be ahead of the clock of the database. Each is at most one more than
/// the one before or that clock, so one that is ahead by more is foreign, whatever the clocks
/// of servers have been through. As the limit moves with time there always is a next epoch:
/// nobody can lock a name out by taking the last one.
const AHEAD: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

impl Cluster {
    pub(super) fn document(&self, record: &Record) -> Document {
        doc! {
            "_id": record.name.as_str(),
            "address": record.address.map(|address| address.to_string()),
            "turn": record.epoch,
            "seen": self.clock.to_server(record.seen),
        }
    }

    /// The record in a document; `None` for one that no registry wrote.
    pub(super) fn record(&self, document: &RawDocument) -> Option<Record> {
        let address = match document.get("address").ok()?? {
            RawBsonRef::Null => None,
            RawBsonRef::String(address) => Some(address.parse().ok()?),
            _ => return None,
        };
        let seen = document.get_datetime("seen").ok()?;
        // The index would never remove it.
        if seen.timestamp_millis() > self.server_time_in(RETENTION) {
            return None;
        }
        Some(Record {
            name: Username::new(document.get_str("_id").ok()?).ok()?,
            address,
            epoch: self.epoch(document)?,
            seen: self.clock.from_server(seen, self.now()),
        })
    }

    /// The epoch of a document; `None` for one that no registry wrote.
    pub(super) fn epoch(&self, document: &RawDocument) -> Option<i64> {
        let epoch = document.get_i64("turn").ok()?;
        (epoch <= self.server_time_in(AHEAD)).then_some(epoch)
    }

    /// Matches the document of a name while it has this epoch; without one, while it is
    /// foreign.
    pub(super) fn unchanged(&self, name: Username, epoch: Option<i64>) -> Document {
        match epoch {
            Some(epoch) => doc! { "_id": name.as_str(), "turn": epoch },
            None => doc! {
                "_id": name.as_str(),
                "$expr": { "$or": [
                    { "$ne": [{ "$type": "$turn" }, "long"] },
                    { "$gt": ["$turn", self.server_time_in(AHEAD)] },
                ] },
            },
        }
    }

    /// The update that writes a whole document, since the change stream then has the whole,
    /// too. It replaces an older document and a foreign one. Where there is none it is
    /// inserted: another program removed it, as this user is known. If a later one is there,
    /// the update fails as a duplicate of the name.
    pub(super) fn update(&self, due: &Due) -> Document {
        let Record { name, epoch, .. } = due.record;
        let later = if due.is_logout {
            // A login of the same epoch came first.
            vec![self.of_a_registry(doc! { "$gte": epoch })]
        } else {
            vec![
                self.of_a_registry(doc! { "$gt": epoch }),
                self.seen_since(epoch, due.record.seen),
            ]
        };
        let mut query = doc! { "$nor": later };
        query.insert("_id", name.as_str());
        doc! { "q": query, "u": self.document(&due.record), "upsert": true }
    }

    /// Matches documents with such an epoch that a registry wrote, as far as a query can tell.
    /// A foreign one that it takes for such is replaced when the name logs in.
    fn of_a_registry(&self, mut epoch: Document) -> Document {
        epoch.insert("$type", "long");
        epoch.insert("$lte", self.server_time_in(AHEAD));
        let address = doc! { "$type": ["string", "null"], "$not": { "$regex": "[^0-9.]" } };
        let seen = doc! {
            "$type": "date",
            "$lte": DateTime::from_millis(self.server_time_in(RETENTION)),
        };
        doc! { "turn": epoch, "address": address, "seen": seen }
    }

    /// Matches documents with this epoch that were seen at `time` or later. Not after now: the
    /// database had another clock for these.
    fn seen_since(&self, epoch: i64, time: Duration) -> Document {
        let mut documents = self.of_a_registry(doc! { "$eq": epoch });
        let seen = doc! {
            "$gte": self.clock.to_server(time),
            "$lte": self.clock.to_server(self.now()),
        };
        documents.insert("seen", seen);
        documents
    }

    /// The time of the database in so long from now, in milliseconds.
    fn server_time_in(&self, later: Duration) -> i64 {
        let time = self.now() + later;
        self.clock.to_server(time).timestamp_millis()
    }
}
