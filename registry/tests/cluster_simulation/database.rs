//! The collection `online`, and its oplog.

use std::collections::BTreeMap;
use std::time::Duration;

use p2pchat_protocol::{PeerAddr, Username};
use p2pchat_registry::presence::{Due, Record};

use super::node::TIMEOUT;

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

    /// What a registry has to tell, where there is nothing later. What is there then.
    pub(crate) fn write(&mut self, due: &Due, now: Duration) -> Record {
        let record = due.record;
        let later = self.documents.get(&record.name).filter(|there| {
            there.turn > record.turn
                || there.turn == record.turn && (due.is_logout || there.seen >= record.seen)
        });
        match later {
            Some(later) => *later,
            None => {
                self.put(record, now);
                record
            }
        }
    }

    /// Somebody drops the collection.
    pub(crate) fn drop_all(&mut self) {
        self.documents.clear();
    }

    fn put(&mut self, record: Record, now: Duration) {
        self.documents.insert(record.name, record);
        self.log.push((now, record));
    }

    /// Who may have been online then, or has been since: as the registries ask for it.
    pub(crate) fn since(&self, time: Duration) -> impl Iterator<Item = &Record> {
        let documents = self.documents.values();
        documents.filter(move |record| record.seen + TIMEOUT > time)
    }
}
