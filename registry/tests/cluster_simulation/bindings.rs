//! The collection `bindings` of a replica set: what its primary has, and what a majority has.

use std::collections::BTreeMap;

use p2pchat_protocol::Username;
use p2pchat_protocol::v2::{Binding, Certificate, DeviceKey, PersonKey, PublicKey, Signature};
use p2pchat_registry::store::StoredBinding;

/// A write that the primary has taken.
pub(crate) type WriteId = usize;

/// What became of a write, as its registry is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A majority has it.
    Acknowledged,
    /// The primary died: it may be there or not.
    Unknown,
}

/// The collection.
#[derive(Debug, Default)]
pub(crate) struct Bindings {
    majority: BTreeMap<Username, StoredBinding>,
    /// What the primary alone has, in the order in which it was written.
    pending: Vec<(WriteId, StoredBinding)>,
    /// All that a majority ever had, by name.
    history: BTreeMap<Username, Vec<StoredBinding>>,
    outcomes: Vec<Option<Outcome>>,
    /// All that was acknowledged.
    acknowledged: Vec<StoredBinding>,
    /// Whether it acknowledges what its primary alone has.
    pub(crate) acknowledges_early: bool,
}

impl Bindings {
    /// What a majority has of a name.
    pub(crate) fn read(&self, name: Username) -> Option<&StoredBinding> {
        self.majority.get(&name)
    }

    /// All that a majority ever had of a name.
    pub(crate) fn history(&self, name: Username) -> &[StoredBinding] {
        self.history.get(&name).map_or(&[], Vec::as_slice)
    }

    /// Writes at the primary where it has the serial before. `None` if it has another one.
    pub(crate) fn keep(&mut self, new: StoredBinding) -> Option<WriteId> {
        let name = new.binding.name;
        let pending = self.pending.iter().rev().map(|(_, pending)| pending);
        let there = pending
            .chain(self.majority.get(&name))
            .find(|there| there.binding.name == name);
        if there.map_or(0, |there| there.binding.serial) + 1 != new.binding.serial {
            return None;
        }
        let id = self.outcomes.len();
        let outcome = self.acknowledges_early.then_some(Outcome::Acknowledged);
        if outcome.is_some() {
            self.acknowledged.push(new.clone());
        }
        self.outcomes.push(outcome);
        self.pending.push((id, new));
        Some(id)
    }

    /// What became of a write, `None` while that is open.
    pub(crate) fn outcome(&self, id: WriteId) -> Option<Outcome> {
        self.outcomes[id]
    }

    /// The first writes of the primary reach a majority.
    pub(crate) fn replicate(&mut self, writes: usize) {
        for (id, new) in self.take(writes) {
            if self.outcomes[id].is_none() {
                self.outcomes[id] = Some(Outcome::Acknowledged);
                self.acknowledged.push(new);
            }
        }
    }

    /// The primary dies: the first of its writes had reached a majority, the others are lost.
    pub(crate) fn fail_over(&mut self, writes: usize) {
        let reached = self.take(writes);
        let lost = std::mem::take(&mut self.pending);
        for (id, _) in reached.into_iter().chain(lost) {
            self.outcomes[id].get_or_insert(Outcome::Unknown);
        }
    }

    fn take(&mut self, writes: usize) -> Vec<(WriteId, StoredBinding)> {
        let taken: Vec<_> = self.pending.drain(..writes).collect();
        for (_, new) in &taken {
            self.majority.insert(new.binding.name, new.clone());
            let history = self.history.entry(new.binding.name).or_default();
            history.push(new.clone());
        }
        taken
    }

    pub(crate) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// The document of a name is deleted, which no registry does.
    pub(crate) fn delete(&mut self, name: Username) {
        self.majority.remove(&name);
        self.pending.retain(|(_, new)| new.binding.name != name);
    }

    /// What has to be so of every database at any time.
    pub(crate) fn check(&self, seed: u64) {
        for (name, history) in &self.history {
            let serials = history.iter().map(|kept| kept.binding.serial);
            assert!(
                serials.clone().eq(1..=history.len() as u64),
                "seed {seed}: serials of {name:?}: {:?}",
                serials.collect::<Vec<_>>()
            );
        }
        for kept in &self.acknowledged {
            let pending = self.pending.iter().any(|(_, pending)| pending == kept);
            assert!(
                pending || self.history(kept.binding.name).contains(kept),
                "seed {seed}: acknowledged and not there: {kept:?}"
            );
        }
    }
}

/// The certificate of a device; nobody looks at the signature here.
pub(crate) fn certificate(person: u8, device: u8) -> Certificate {
    let key = |byte| PublicKey([byte; PublicKey::LEN]);
    Certificate {
        device: DeviceKey(key(device)),
        person: PersonKey(key(person)),
        signature: Signature([0; Signature::LEN]),
    }
}

/// A name that is bound to nobody.
pub(crate) fn reset(before: &StoredBinding) -> StoredBinding {
    StoredBinding {
        binding: Binding {
            serial: before.binding.serial + 1,
            person: None,
            devices: Vec::new(),
            ..before.binding.clone()
        },
        forgotten: Vec::new(),
        allows_version_1: false,
    }
}
