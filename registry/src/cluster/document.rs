//! A document of the collection: how registries write it, and what they make of one that
//! they find there, whoever put it there.

use std::time::Duration;

use mongodb::bson::raw::RawBsonRef;
use mongodb::bson::{DateTime, Document, RawDocument, doc};
use p2pchat_protocol::Username;

use super::{Cluster, FORGOTTEN};
use crate::presence::{Due, Record};

/// How far a turn may be ahead of the clock of the database. Each is at most one more than
/// the one before or that clock, so one that is ahead by more is of no registry, whatever
/// the clocks of servers have been through. As the limit moves with time there always is a
/// next turn: nobody can lock a name out by taking the last one.
const AHEAD: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

impl Cluster {
    pub(super) fn document(&self, record: &Record) -> Document {
        doc! {
            "_id": record.name.as_str(),
            "address": record.address.map(|address| address.to_string()),
            "turn": record.turn,
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
        // One that nothing would ever clear away.
        if seen.timestamp_millis() > self.server_time_in(FORGOTTEN) {
            return None;
        }
        Some(Record {
            name: Username::new(document.get_str("_id").ok()?).ok()?,
            address,
            turn: self.turn(document)?,
            seen: self.clock.from_server(seen, self.now()),
        })
    }

    /// The turn of a document; `None` for one that no registry wrote.
    pub(super) fn turn(&self, document: &RawDocument) -> Option<i64> {
        let turn = document.get_i64("turn").ok()?;
        (turn <= self.server_time_in(AHEAD)).then_some(turn)
    }

    /// What matches the document of a name while it has this turn; without one, while it is
    /// of no registry.
    pub(super) fn unchanged(&self, name: Username, turn: Option<i64>) -> Document {
        match turn {
            Some(turn) => doc! { "_id": name.as_str(), "turn": turn },
            None => doc! {
                "_id": name.as_str(),
                "$expr": { "$or": [
                    { "$ne": [{ "$type": "$turn" }, "long"] },
                    { "$gt": ["$turn", self.server_time_in(AHEAD)] },
                ] },
            },
        }
    }

    /// Writes the whole document, since the change stream then tells the whole, too. It
    /// takes the place of what is older and of what no registry wrote. Where there is
    /// none it is put there: somebody removed it, as this user is known. Otherwise the name is
    /// a duplicate.
    pub(super) fn update(&self, due: &Due) -> Document {
        let Record { name, turn, .. } = due.record;
        let later = match due.is_logout {
            // A login of the same turn came first.
            true => vec![self.of_a_registry(doc! { "$gte": turn })],
            false => vec![
                self.of_a_registry(doc! { "$gt": turn }),
                self.seen_since(turn, due.record.seen),
            ],
        };
        let mut query = doc! { "$nor": later };
        query.insert("_id", name.as_str());
        doc! { "q": query, "u": self.document(&due.record), "upsert": true }
    }

    /// Documents with such a turn that a registry wrote, as far as a query can tell. What
    /// it cannot is replaced when the name logs in.
    fn of_a_registry(&self, mut turn: Document) -> Document {
        turn.insert("$type", "long");
        turn.insert("$lte", self.server_time_in(AHEAD));
        let address = doc! { "$type": ["string", "null"], "$not": { "$regex": "[^0-9.]" } };
        let seen = doc! {
            "$type": "date",
            "$lte": DateTime::from_millis(self.server_time_in(FORGOTTEN)),
        };
        doc! { "turn": turn, "address": address, "seen": seen }
    }

    /// Of those with this turn the ones that were seen then or since. Not after now: of
    /// these the database had another clock.
    fn seen_since(&self, turn: i64, time: Duration) -> Document {
        let mut documents = self.of_a_registry(doc! { "$eq": turn });
        let seen = doc! {
            "$gte": self.clock.to_server(time),
            "$lte": self.clock.to_server(self.now()),
        };
        documents.insert("seen", seen);
        documents
    }

    /// A time of the database, in milliseconds.
    fn server_time_in(&self, later: Duration) -> i64 {
        let time = self.now() + later;
        self.clock.to_server(time).timestamp_millis()
    }
}
