//! The documents of the collection: how registries write them, and which of those that are
//! there no registry can have written.

use std::time::Duration;

use mongodb::bson::raw::RawBsonRef;
use mongodb::bson::{DateTime, Document, RawDocument, doc};
use p2pchat_protocol::v2::{DeviceId, Endpoint, Seat, SeatState, Status};
use p2pchat_protocol::{PeerAddr, Username};

use super::{Cluster, RETENTION};
use crate::presence::{Due, Record, version_1};

/// How far an epoch may be ahead of the clock of the database. Each is at most one more than
/// the one before or that clock, so one that is ahead by more is foreign, whatever the clocks
/// of servers have been through. As the limit moves with time there always is a next epoch:
/// nobody can lock a name out by taking the last one.
const AHEAD: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// The `_id` of a seat: the name for version 1; with a device behind it, it is longer than any
/// name, so registries that know names alone pass over it.
pub(super) fn id(seat: Seat) -> String {
    match seat.device {
        None => seat.name.to_string(),
        Some(DeviceId(device)) => format!("{}/{:016x}", seat.name, u64::from_be_bytes(device)),
    }
}

/// The seat of an `_id`; `None` for one that no registry wrote.
fn seat(id: &str) -> Option<Seat> {
    if let Ok(name) = Username::new(id) {
        return Some(version_1::seat(name));
    }
    let (name, device) = id.rsplit_once('/')?;
    let device = u64::from_str_radix(device, 16).ok()?;
    let seat = Seat {
        name: Username::new(name).ok()?,
        device: Some(DeviceId(device.to_be_bytes())),
    };
    // One way to write it alone: two documents of one seat would contradict each other.
    (self::id(seat) == id).then_some(seat)
}

/// What the document of a device has besides that of a name.
fn fields_of_device(state: &SeatState) -> Document {
    doc! {
        "port": i32::from(state.endpoint.port),
        "version_1": state.version_1,
        "status": state.status as i32,
        "serial": i64::try_from(state.serial).unwrap_or(i64::MAX),
        "display_name": state.display_name.unwrap_or_default().as_str(),
    }
}

fn state_of_device(address: PeerAddr, document: &RawDocument) -> Option<SeatState> {
    let port = u16::try_from(document.get_i32("port").ok()?).ok();
    let status = document.get_i32("status").ok()?;
    let all = [Status::Available, Status::Busy, Status::Away];
    Some(SeatState {
        endpoint: Endpoint {
            address,
            port: port.filter(|port| *port != 0)?,
        },
        version_1: document.get_bool("version_1").ok()?,
        status: all.into_iter().find(|known| *known as i32 == status)?,
        serial: u64::try_from(document.get_i64("serial").ok()?).ok()?,
        display_name: Some(document.get_str("display_name").ok()?.parse().ok()?),
    })
}

impl Cluster {
    pub(super) fn document(&self, record: &Record) -> Document {
        let address = record.state.map(|state| state.endpoint.address.to_string());
        let mut document = doc! {
            "_id": id(record.seat),
            "address": address,
            "turn": record.epoch,
            "seen": self.clock.to_server(record.seen),
        };
        if let (Some(state), Some(_)) = (&record.state, record.seat.device) {
            document.extend(fields_of_device(state));
        }
        document
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
        let seat = seat(document.get_str("_id").ok()?)?;
        let state = match (address, seat.device) {
            (None, _) => None,
            (Some(address), None) => Some(version_1::state(address)),
            (Some(address), Some(_)) => Some(state_of_device(address, document)?),
        };
        Some(Record {
            seat,
            state,
            epoch: self.epoch(document)?,
            seen: self.clock.from_server(seen, self.now()),
        })
    }

    /// The epoch of a document; `None` for one that no registry wrote.
    pub(super) fn epoch(&self, document: &RawDocument) -> Option<i64> {
        let epoch = document.get_i64("turn").ok()?;
        (epoch <= self.server_time_in(AHEAD)).then_some(epoch)
    }

    /// Matches the document of a seat while it has this epoch; without one, while it is
    /// foreign.
    pub(super) fn unchanged(&self, seat: Seat, epoch: Option<i64>) -> Document {
        match epoch {
            Some(epoch) => doc! { "_id": id(seat), "turn": epoch },
            None => doc! {
                "_id": id(seat),
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
    /// the update fails as a duplicate of the seat.
    pub(super) fn update(&self, due: &Due) -> Document {
        let Record { seat, epoch, .. } = due.record;
        let later = if due.is_change {
            // A login of the same epoch came first.
            vec![self.of_a_registry(doc! { "$gte": epoch })]
        } else {
            vec![
                self.of_a_registry(doc! { "$gt": epoch }),
                self.seen_since(epoch, due.record.seen),
            ]
        };
        let mut query = doc! { "$nor": later };
        query.insert("_id", id(seat));
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
