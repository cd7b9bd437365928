//! The online list: who is online and where, as the registry last told.

use std::collections::{BTreeMap, BTreeSet};

use p2pchat_model::{NameCheck, OnlineUser, PeerAddr, Person, Trust, User, Username, View};
use p2pchat_protocol::v2::registry::Endpoint;
use p2pchat_protocol::v2::{DeviceId, Seat, SeatState, SeatUpdate};

/// The last online list of the registry. It stays while the registry is unreachable: there
/// is none better.
#[derive(Debug, Default)]
pub(super) struct Directory {
    by_name: BTreeMap<Username, User>,
    /// Several names may be at one address: of accounts that a program was logged in to one
    /// after the other, or of one user who wants to be taken for two.
    by_address: BTreeMap<PeerAddr, BTreeSet<Username>>,
    /// The last name at addresses that have none now: people who went offline keep their names.
    former: BTreeMap<PeerAddr, Username>,
    /// Where each of them is online, as version 2 tells.
    seats: Seats,
    /// The parts of a snapshot that is not whole yet.
    snapshot: Option<Seats>,
    /// How many seats have come so far: the newest has the greatest number.
    arrivals: u64,
}

type Seats = BTreeMap<Seat, Arrived>;

/// A seat, and when it came.
#[derive(Debug, Clone, Copy)]
struct Arrived {
    number: u64,
    state: SeatState,
}

/// What is different in the list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// Users who have come, or have changed something.
    pub(super) users: Vec<User>,
    /// Users who are not online any more.
    pub(super) gone: Vec<Username>,
}

impl Change {
    pub(super) fn is_empty(&self) -> bool {
        self.users.is_empty() && self.gone.is_empty()
    }
}

/// How many former names are kept: far more than the people of one session.
const MAX_FORMER: usize = 10_000;
/// How many seats are kept: ten times the largest registry that was ever measured.
const MAX_SEATS: usize = 1_000_000;

impl Directory {
    /// Replaces the list. Whether anything is different now.
    pub(super) fn replace(&mut self, users: &[OnlineUser]) -> bool {
        let users = users.iter().map(|user| User::from(*user));
        !self.set_all(users).is_empty()
    }

    /// Takes a part of a snapshot; what is different once it is whole.
    pub(super) fn snapshot(
        &mut self,
        users: Vec<SeatUpdate>,
        (begins, ends): (bool, bool),
        trust: impl Fn(Username) -> Option<Trust>,
    ) -> Option<Change> {
        if begins {
            self.snapshot = Some(Seats::new());
        }
        let mut seats = self.snapshot.take()?;
        for (seat, state) in users {
            if let Some(state) = state.filter(|_| seats.len() < MAX_SEATS) {
                seats.insert(seat, self.arrive(&seat, state));
            }
        }
        if !ends {
            self.snapshot = Some(seats);
            return None;
        }
        self.seats = seats;
        let names: BTreeSet<Username> = self.seats.keys().map(|seat| seat.name).collect();
        let users: Vec<User> = names
            .into_iter()
            .filter_map(|name| self.seated(name, trust(name)))
            .collect();
        Some(self.set_all(users.into_iter()))
    }

    /// Takes what has changed since.
    pub(super) fn delta(
        &mut self,
        updates: Vec<SeatUpdate>,
        trust: impl Fn(Username) -> Option<Trust>,
    ) -> Change {
        let mut names = BTreeSet::new();
        for (seat, state) in updates {
            names.insert(seat.name);
            match state {
                Some(state) if self.seats.len() < MAX_SEATS || self.seats.contains_key(&seat) => {
                    let arrived = self.arrive(&seat, state);
                    self.seats.insert(seat, arrived);
                }
                Some(_) => {}
                None => drop(self.seats.remove(&seat)),
            }
        }
        let mut change = Change::default();
        for name in names {
            let user = self.seated(name, trust(name));
            self.set(name, user, &mut change);
        }
        change
    }

    /// Sets how well the key of a user is known.
    pub(super) fn set_trust(&mut self, name: Username, trust: Option<Trust>) -> Change {
        let mut change = Change::default();
        if let Some(user) = self.by_name.get(&name) {
            let user = User { trust, ..*user };
            self.set(name, Some(user), &mut change);
        }
        change
    }

    /// A seat that has come, or one that was there and has changed.
    fn arrive(&mut self, seat: &Seat, mut state: SeatState) -> Arrived {
        let known = self.seats.get(seat);
        let display_name = known.and_then(|known| known.state.display_name);
        state.display_name = state.display_name.or(display_name);
        let same = known.filter(|known| known.state.endpoint == state.endpoint);
        let number = same.map_or(self.arrivals + 1, |known| known.number);
        self.arrivals = self.arrivals.max(number);
        Arrived { number, state }
    }

    /// One user of all the places where they are online: at the newest, if possible at one of
    /// those that take part in the open chat; with the best status of all.
    fn seated(&self, name: Username, trust: Option<Trust>) -> Option<User> {
        let newest = self
            .seats_of(name)
            .max_by_key(|(_, seat)| (seat.state.version_1, seat.number))?
            .1;
        let serial = self.seats_of(name).map(|(_, seat)| seat.state.serial).max();
        let display_names = self.seats_of(name).filter_map(|(_, seat)| {
            let display_name = seat.state.display_name?;
            Some((seat.state.serial, seat.number, display_name))
        });
        let display_name = display_names.max().map(|(.., display_name)| display_name);
        let statuses = self.seats_of(name).map(|(_, seat)| seat.state.status);
        Some(User {
            name,
            address: newest.state.endpoint.address,
            display_name: display_name.unwrap_or_default(),
            status: statuses.min().unwrap_or_default(),
            open_chat: newest.state.version_1,
            legacy: self.seats_of(name).all(|(seat, _)| seat.device.is_none()),
            trust: trust.filter(|_| serial != Some(0)),
        })
    }

    /// The devices on which a user is online, and where each listens.
    pub(super) fn devices_of(
        &self,
        name: Username,
    ) -> impl Iterator<Item = (DeviceId, Endpoint)> + '_ {
        let seats = self.seats_of(name);
        seats.filter_map(|(seat, known)| Some((seat.device?, known.state.endpoint)))
    }

    fn seats_of(&self, name: Username) -> impl Iterator<Item = (&Seat, &Arrived)> {
        let first = Seat { name, device: None };
        let from_there = self.seats.range(first..);
        from_there.take_while(move |(seat, _)| seat.name == name)
    }

    /// Whether no list has come since the login, nor from another process.
    pub(super) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// The greatest serial that presence tells for a name; 0 if it has no binding, or none is
    /// known.
    pub(super) fn serial_of(&self, name: Username) -> u64 {
        let serials = self.seats_of(name).map(|(_, seat)| seat.state.serial);
        serials.max().unwrap_or_default()
    }

    fn set_all(&mut self, users: impl Iterator<Item = User>) -> Change {
        let users: BTreeMap<Username, User> = users.map(|user| (user.name, user)).collect();
        let mut change = Change::default();
        let is_gone = |name: &&Username| !users.contains_key(name);
        let gone: Vec<Username> = self.by_name.keys().filter(is_gone).copied().collect();
        for name in gone {
            self.set(name, None, &mut change);
        }
        for (name, user) in users {
            self.set(name, Some(user), &mut change);
        }
        change
    }

    /// Sets a user, or that they are not online, and notes whether that is different.
    fn set(&mut self, name: Username, user: Option<User>, change: &mut Change) {
        let before = self.by_name.get(&name).copied();
        if before == user {
            return;
        }
        let addresses = [before, user].map(|user| user.map(|user| user.address));
        match user {
            Some(user) => {
                self.by_name.insert(name, user);
                change.users.push(user);
            }
            None => {
                self.by_name.remove(&name);
                change.gone.push(name);
            }
        }
        let [left, taken] = addresses;
        if left == taken {
            return;
        }
        if let Some(left) = left {
            self.leave(left, name);
        }
        if let Some(taken) = taken {
            self.by_address.entry(taken).or_default().insert(name);
            self.former.remove(&taken);
        }
    }

    fn leave(&mut self, address: PeerAddr, name: Username) {
        let Some(names) = self.by_address.get_mut(&address) else {
            return;
        };
        names.remove(&name);
        if names.is_empty() {
            self.by_address.remove(&address);
            self.former.insert(address, name);
            while self.former.len() > MAX_FORMER {
                self.former.pop_first();
            }
        }
    }

    /// Takes over what another process of the user knew: who is online, and the names of
    /// members who are not any more.
    pub(super) fn resume(&mut self, view: &View) {
        let chat = view.open();
        self.replace(&listed(chat.members.iter().chain(&chat.out_of_reach)));
        self.set_all(view.online.iter().copied());
    }

    /// Forgets all names, because the session has ended.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Adds what a search found. Whether anything is different now.
    pub(super) fn learn(&mut self, name: Username, address: PeerAddr) -> bool {
        let mut change = Change::default();
        self.set(name, Some(OnlineUser { name, address }.into()), &mut change);
        !change.is_empty()
    }

    /// How many are online.
    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }

    pub(super) fn address_of(&self, name: Username) -> Option<PeerAddr> {
        self.by_name.get(&name).map(|user| user.address)
    }

    /// All names that are at an address; if there is none, the last that was.
    pub(super) fn known_names_at(&self, address: PeerAddr) -> impl Iterator<Item = Username> + '_ {
        let former = self.former.get(&address).copied();
        self.names_at(address).chain(former)
    }

    /// All names that are at an address.
    fn names_at(&self, address: PeerAddr) -> impl Iterator<Item = Username> + '_ {
        self.by_address.get(&address).into_iter().flatten().copied()
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
    pub(super) fn users(&self) -> Vec<User> {
        self.by_name.values().copied().collect()
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
