//! Who is online where, as the registry last told.

use std::collections::BTreeMap;

use p2pchat_model::{NameCheck, OnlineUser, PeerAddr, Person, Speaker, Username};

/// The registry's list. It stays while the registry is out of reach: what it last told
/// is the best there is.
#[derive(Debug, Default)]
pub(super) struct Directory {
    by_name: BTreeMap<Username, PeerAddr>,
    by_address: BTreeMap<PeerAddr, Username>,
}

impl Directory {
    /// Replaces what is known. Whether anything is different now.
    pub(super) fn replace(&mut self, users: &[OnlineUser]) -> bool {
        let by_name = users.iter().map(|user| (user.name, user.address)).collect();
        if self.by_name == by_name {
            return false;
        }
        self.by_name = by_name;
        self.by_address = self
            .by_name
            .iter()
            .map(|(name, address)| (*address, *name))
            .collect();
        true
    }

    /// Adds what a search found. Whether anything is different now.
    pub(super) fn learn(&mut self, name: Username, address: PeerAddr) -> bool {
        let mut users = self.users();
        users.retain(|user| user.name != name);
        users.push(OnlineUser { name, address });
        self.replace(&users)
    }

    /// How many are online.
    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }

    pub(super) fn address_of(&self, name: Username) -> Option<PeerAddr> {
        self.by_name.get(&name).copied()
    }

    pub(super) fn person(&self, address: PeerAddr) -> Person {
        Person {
            address,
            name: self.by_address.get(&address).copied(),
        }
    }

    pub(super) fn speaker(&self, name: Username, address: PeerAddr) -> Speaker {
        let is_taken = self.by_address.contains_key(&address);
        let check = NameCheck::new(address, self.address_of(name), is_taken);
        Speaker {
            name,
            address,
            check,
        }
    }

    /// Everybody, by name.
    pub(super) fn users(&self) -> Vec<OnlineUser> {
        self.by_name
            .iter()
            .map(|(&name, &address)| OnlineUser { name, address })
            .collect()
    }
}
