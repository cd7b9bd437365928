//! The collection `online`, and its oplog.

use std::collections::BTreeMap;
use std::time::Duration;

use p2pchat_protocol::{PeerAddr, Username};
use p2pchat_registry::presence::{Due, Record};

/// What a majority has.
#[derive(Debug, Default)]
pub(crate) struct Database {
    documents: BTreeMap<Username, Record>,
    /// All that was ever written, and when.
    pub(crate) log: Vec<(Duration, Record)>,
}

impl Database {
    /// A login, as the registries write it: the next turn of the name.
    pub(crate) fn login(
        &mut self,
        name: Username,
        address: PeerAddr,
        known: Option<i64>,
        now: Duration,
    ) -> Record {
        let written = self.documents.get(&name).map(|record| record.turn);
        let least = known.max(written).map_or(0, |turn| turn + 1);
        let record = Record {
            name,
            address: Some(address),
            turn: least.max(i64::try_from(now.as_millis()).unwrap()),
            seen: now,
        };
        self.put(record, now);
        record
    }

    /// What a registry has to tell, where nobody was faster.
    pub(crate) fn write(&mut self, due: &Due, now: Duration) {
        let record = due.record;
        let Some(written) = self.documents.get(&record.name) else {
            return;
        };
        let is_right = match due.replaces {
            Some(turn) => written.turn == turn,
            None => written.turn == record.turn && written.seen < record.seen,
        };
        if is_right {
            self.put(record, now);
        }
    }

    fn put(&mut self, record: Record, now: Duration) {
        self.documents.insert(record.name, record);
        self.log.push((now, record));
    }

    /// What may be online.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Record> {
        self.documents.values()
    }
}
