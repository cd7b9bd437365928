//! A device: its keys, its disk, and what runs on it.

use std::collections::BTreeMap;

use p2pchat_conversation::replica::{Fact, Kind};
use p2pchat_conversation::seal::Seal;
use p2pchat_conversation::sync::{Now, Sync};
use p2pchat_protocol::v2::conversation::talk::{Talk, TalkEntry};
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, EntryId, JoinId};
use p2pchat_protocol::v2::{DeviceKey, PersonKey};

use crate::keys::Keys;

/// What is on the disk of one conversation.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) kind: Kind,
    facts: Vec<Fact>,
    entries: BTreeMap<(JoinId, u64), TalkEntry>,
    /// Where each entry is.
    places: BTreeMap<EntryId, (JoinId, u64)>,
}

/// A disk.
pub(crate) type Disk = BTreeMap<ConversationId, Stored>;

pub(crate) struct Device {
    pub(crate) keys: Keys,
    pub(crate) disk: Disk,
    /// `None` while it is off.
    pub(crate) sync: Option<Sync<Keys>>,
    /// By how many milliseconds its clock is wrong.
    pub(crate) skew: i64,
    /// It does not come back.
    pub(crate) is_gone: bool,
    pub(crate) is_liar: bool,
    /// A copy of its disk that may be restored.
    pub(crate) backup: Option<Disk>,
}

impl Device {
    pub(crate) fn new(device: u8, person: u8) -> Self {
        let keys = Keys::new(device, person);
        Self {
            sync: Some(Sync::new(keys.clone())),
            keys,
            disk: Disk::new(),
            skew: 0,
            is_gone: false,
            is_liar: false,
            backup: None,
        }
    }

    pub(crate) fn person(&self) -> PersonKey {
        self.keys.certificate().person
    }

    pub(crate) fn key(&self) -> DeviceKey {
        self.keys.certificate().device
    }

    pub(crate) fn now(&self, millis: u64) -> Now {
        let clock = Clock::from_millis(
            BEGIN
                .saturating_add(millis)
                .saturating_add_signed(self.skew),
        );
        Now { clock, millis }
    }

    pub(crate) fn start(&mut self) {
        let mut sync = Sync::new(self.keys.clone());
        for (id, stored) in &self.disk {
            sync.restore(*id, stored.kind, stored.facts.iter().cloned());
        }
        self.sync = Some(sync);
    }

    pub(crate) fn open(&mut self, id: ConversationId, kind: Kind) {
        let stored = Stored {
            kind,
            facts: Vec::new(),
            entries: BTreeMap::new(),
            places: BTreeMap::new(),
        };
        self.disk.insert(id, stored);
    }

    /// One transaction.
    pub(crate) fn commit(&mut self, id: ConversationId, facts: &[Fact]) {
        let stored = self.disk.get_mut(&id).unwrap();
        for fact in facts {
            match fact {
                Fact::Talk { entry, .. } => {
                    let place = (entry.header.join, entry.header.position);
                    stored.places.insert(entry.id, place);
                    stored.entries.insert(place, entry.clone());
                }
                Fact::Erased(id, by) => stored.erase(id, by),
                _ => {}
            }
            stored.facts.push(fact.clone());
        }
    }
}

impl Stored {
    /// How often something was stored.
    pub(crate) fn fact_count(&self) -> usize {
        self.facts.len()
    }

    /// The own entries that were said once more.
    pub(crate) fn replaced(&self) -> Vec<EntryId> {
        let replaced = self.facts.iter().filter_map(|fact| match fact {
            Fact::Talk { instead_of, .. } => *instead_of,
            _ => None,
        });
        replaced.collect()
    }

    /// Forgets all talk but these entries.
    pub(crate) fn keep_talk(&mut self, kept: &[EntryId]) {
        self.facts.retain(|fact| match fact {
            Fact::Talk { entry, .. } => kept.contains(&entry.id),
            Fact::Ended { .. } => false,
            _ => true,
        });
        self.entries.retain(|_, entry| kept.contains(&entry.id));
        self.places.retain(|id, _| kept.contains(id));
    }

    /// The texts of all bodies.
    pub(crate) fn bodies(&self) -> Vec<String> {
        let bodies = self.entries.values().filter_map(|entry| {
            match Talk::decode(entry.header.kind, entry.body.as_deref()?).ok()? {
                Talk::Message { text } | Talk::Reply { text, .. } | Talk::Edit { text, .. } => {
                    Some(text)
                }
                Talk::Erase { .. } | Talk::Reaction { .. } => None,
            }
        });
        bodies.collect()
    }

    /// The first entry of some log.
    pub(crate) fn any_talk(&self) -> Option<(JoinId, Vec<TalkEntry>)> {
        let ((join, _), entry) = self.entries.first_key_value()?;
        Some((*join, vec![entry.clone()]))
    }

    pub(crate) fn entry(&self, join: JoinId, position: u64) -> Option<&TalkEntry> {
        self.entries.get(&(join, position))
    }

    pub(crate) fn find(&self, id: &EntryId) -> Option<&TalkEntry> {
        self.entries.get(self.places.get(id)?)
    }

    fn erase(&mut self, id: &EntryId, by: &PersonKey) {
        let author = |join: &JoinId| {
            self.facts.iter().find_map(|fact| match fact {
                Fact::Roster(sealed) if sealed.entry.id == *join => match &sealed.entry.act {
                    p2pchat_protocol::v2::conversation::roster::Act::Create {
                        certificate, ..
                    }
                    | p2pchat_protocol::v2::conversation::roster::Act::Join {
                        certificate, ..
                    } => Some(certificate.person),
                    _ => None,
                },
                _ => None,
            })
        };
        let Some(place) = self.places.get(id).copied() else {
            return;
        };
        let is_erase = |entry: &TalkEntry| entry.header.kind == Talk::ERASE;
        if author(&place.0) != Some(*by) || self.entries.get(&place).is_none_or(is_erase) {
            return;
        }
        if let Some(entry) = self.entries.get_mut(&place) {
            entry.body = None;
        }
        for fact in &mut self.facts {
            if let Fact::Talk { entry, .. } = fact
                && entry.id == *id
            {
                entry.body = None;
            }
        }
    }
}

/// When the simulation begins, in milliseconds since 1970: 2026.
pub(crate) const BEGIN: u64 = 1_780_000_000_000;
