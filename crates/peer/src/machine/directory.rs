//! The online list: which user is at which address, as the registry last told.

use std::collections::BTreeMap;

use p2pchat_model::{NameCheck, OnlineUser, PeerAddr, Person, Username, View};

/// The last online list of the registry. It stays while the registry is unreachable: there
/// is none better.
#[derive(Debug, Default)]
pub(super) struct Directory {
    by_name: BTreeMap<Username, PeerAddr>,
    /// Sorted. Several names may be at one address: of accounts that a program was logged
    /// in to one after the other, or of one user who wants to be taken for two.
    by_address: Vec<(PeerAddr, Username)>,
    /// The last name at addresses that have none now: people who went offline keep their names.
    former: BTreeMap<PeerAddr, Username>,
}

/// How many former names are kept: far more than the people of one session.
const MAX_FORMER: usize = 10_000;

impl Directory {
    /// Replaces the list. Whether anything is different now.
    pub(super) fn replace(&mut self, users: &[OnlineUser]) -> bool {
        let by_name = users.iter().map(|user| (user.name, user.address)).collect();
        if self.by_name == by_name {
            return false;
        }
        self.by_name = by_name;
        let before = std::mem::take(&mut self.by_address);
        let by_address = self.by_name.iter().map(|(name, address)| (*address, *name));
        self.by_address = by_address.collect();
        self.by_address.sort_unstable();
        self.keep_former(before);
        true
    }

    fn keep_former(&mut self, before: Vec<(PeerAddr, Username)>) {
        let mut former = std::mem::take(&mut self.former);
        former.extend(before);
        former.retain(|address, _| self.names_at(*address).next().is_none());
        while former.len() > MAX_FORMER {
            former.pop_first();
        }
        self.former = former;
    }

    /// Takes over what another process of the user knew: who is online, and the names of
    /// members who are not any more.
    pub(super) fn resume(&mut self, view: &View) {
        let chat = view.open();
        self.replace(&listed(chat.members.iter().chain(&chat.out_of_reach)));
        let online = view.online.iter();
        let online = online.map(|user| OnlineUser {
            name: user.name,
            address: user.address,
        });
        self.replace(&online.collect::<Vec<_>>());
    }

    /// Forgets all names, because the session has ended.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
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

    /// All names that are at an address; if there is none, the last that was.
    pub(super) fn known_names_at(&self, address: PeerAddr) -> impl Iterator<Item = Username> + '_ {
        let former = self.former.get(&address).copied();
        self.names_at(address).chain(former)
    }

    /// All names that are at an address.
    fn names_at(&self, address: PeerAddr) -> impl Iterator<Item = Username> + '_ {
        let first = self.by_address.partition_point(|(at, _)| *at < address);
        let from_there = self.by_address[first..].iter();
        from_there
            .take_while(move |(at, _)| *at == address)
            .map(|(_, name)| *name)
    }

    pub(super) fn person(&self, address: PeerAddr) -> Person {
        let name = self.known_names_at(address).next();
        Person::listed(address, name)
    }

    pub(super) fn speaker(&self, name: Username, address: PeerAddr) -> Person {
        let is_taken = self.names_at(address).next().is_some();
        let check = NameCheck::new(address, self.address_of(name), is_taken);
        let name = Some(name);
        Person {
            address,
            name,
            check,
        }
    }

    /// All users, by name.
    pub(super) fn users(&self) -> Vec<OnlineUser> {
        self.by_name
            .iter()
            .map(|(&name, &address)| OnlineUser { name, address })
            .collect()
    }
}

/// The people whose name is the one that the registry has.
fn listed<'a>(people: impl Iterator<Item = &'a Person>) -> Vec<OnlineUser> {
    let confirmed = people.filter(|person| person.check == NameCheck::Confirmed);
    let users = confirmed.filter_map(|person| {
        let (address, name) = (person.address, person.name?);
        Some(OnlineUser { name, address })
    });
    users.collect()
}
