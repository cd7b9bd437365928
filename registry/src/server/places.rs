//! The places for connections: how many there are in all and for each address, and who
//! gives up his when all are taken.
//!
//! A connection on which a user is logged in is *owned* by him and safe; all others are
//! strangers. When all places are taken, a stranger makes room for a new connection: of
//! the address with the most strangers the one that has been there longest. So whoever
//! floods a registry from a few addresses, or from many, pushes out his own.
//!
//! A user owns the one connection that he logged in on last: one account makes one
//! connection safe, however often it logs in.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use p2pchat_protocol::Username;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::counters::Reason;
use crate::options::Limits;
use crate::source::Source;

/// All places of a server.
#[derive(Debug)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    per_address: usize,
    table: Mutex<Table>,
}

/// In the order of their beginning.
type Id = u64;

#[derive(Debug, Default)]
struct Table {
    next: Id,
    sources: HashMap<Source, Guests>,
    /// The sources that have strangers, the one that gives one up next at the end.
    crowds: BTreeSet<Crowd>,
    owners: HashMap<Username, Owned>,
}

/// How many strangers, which of them has been there longest, and whose they are.
type Crowd = (usize, Reverse<Id>, Source);

/// The connections of one source.
#[derive(Debug, Default)]
struct Guests {
    connections: usize,
    strangers: BTreeMap<Id, CancellationToken>,
}

/// The connection that somebody logged in on last.
#[derive(Debug)]
struct Owned {
    id: Id,
    source: Source,
    pushed_out: CancellationToken,
}

impl Places {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        let max = limits.max_connections.get().min(Semaphore::MAX_PERMITS);
        Arc::new(Self {
            free: Arc::new(Semaphore::new(max)),
            per_address: limits.connections_per_address.get(),
            table: Mutex::default(),
        })
    }

    /// A place for a connection, as a stranger. If somebody has to make room, waits until
    /// he has: that takes no longer than his task's next turn.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn take(self: &Arc<Self>, source: Source) -> Result<Place, Reason> {
        if self.table().connections(source) >= self.per_address {
            return Err(Reason::AddressFull);
        }
        let free = Arc::clone(&self.free);
        let permit = match free.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) if !self.make_room() => return Err(Reason::RegistryFull),
            Err(_) => free
                .acquire_owned()
                .await
                .expect("the semaphore is never closed"),
        };
        let pushed_out = CancellationToken::new();
        let id = self.table().enter(source, pushed_out.clone());
        Ok(Place {
            places: Arc::clone(self),
            id,
            source,
            owner: None,
            pushed_out,
            _permit: permit,
        })
    }

    /// Pushes a stranger out. `false` if there is none.
    fn make_room(&self) -> bool {
        let pushed_out = self.table().push_out();
        // Whoever waits for the token is woken without the lock.
        pushed_out.inspect(CancellationToken::cancel).is_some()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one connection. Free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    id: Id,
    source: Source,
    owner: Option<Username>,
    pushed_out: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    /// Whose limits it counts for.
    pub(super) fn source(&self) -> Source {
        self.source
    }

    /// Ready when the place has to be given up.
    pub(super) fn pushed_out(&self) -> CancellationToken {
        self.pushed_out.clone()
    }

    /// A user has logged in on it, and not on another one later.
    pub(super) fn own(&mut self, name: Username) {
        let mut table = self.places.table();
        if self.owner.is_some_and(|owner| owner != name) {
            self.disown_in(&mut table);
        }
        table.own(name, self.id, self.source, &self.pushed_out);
        drop(table);
        self.owner = Some(name);
    }

    /// A user has logged out.
    pub(super) fn disown(&mut self, name: Username) {
        if self.owner == Some(name) {
            self.disown_in(&mut self.places.table());
            self.owner = None;
        }
    }

    fn disown_in(&self, table: &mut Table) {
        if let Some(owned) = self.owner.and_then(|name| table.disown(name, self.id)) {
            table.add_stranger(owned);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.places.table();
        if let Some(name) = self.owner {
            table.disown(name, self.id);
        }
        table.leave(self.source, self.id);
    }
}

impl Table {
    fn connections(&self, source: Source) -> usize {
        self.sources
            .get(&source)
            .map_or(0, |guests| guests.connections)
    }

    fn enter(&mut self, source: Source, pushed_out: CancellationToken) -> Id {
        let id = self.next;
        self.next += 1;
        self.change(source, |guests| {
            guests.connections += 1;
            guests.strangers.insert(id, pushed_out);
        });
        id
    }

    fn leave(&mut self, source: Source, id: Id) {
        self.change(source, |guests| {
            guests.connections -= 1;
            guests.strangers.remove(&id);
        });
    }

    fn push_out(&mut self) -> Option<CancellationToken> {
        let &(_, Reverse(id), source) = self.crowds.last()?;
        self.change(source, |guests| guests.strangers.remove(&id))
    }

    fn own(&mut self, name: Username, id: Id, source: Source, pushed_out: &CancellationToken) {
        self.change(source, |guests| guests.strangers.remove(&id));
        let owned = Owned {
            id,
            source,
            pushed_out: pushed_out.clone(),
        };
        let earlier = self.owners.insert(name, owned);
        if let Some(earlier) = earlier.filter(|earlier| earlier.id != id) {
            self.add_stranger(earlier);
        }
    }

    /// Takes a connection from its owner, if it is still his.
    fn disown(&mut self, name: Username, id: Id) -> Option<Owned> {
        let is_his = self.owners.get(&name).is_some_and(|owned| owned.id == id);
        is_his.then(|| self.owners.remove(&name)).flatten()
    }

    fn add_stranger(&mut self, owned: Owned) {
        self.change(owned.source, |guests| {
            guests.strangers.insert(owned.id, owned.pushed_out);
        });
    }

    /// Changes the guests of a source, and puts the source where it then belongs.
    fn change<T>(&mut self, source: Source, change: impl FnOnce(&mut Guests) -> T) -> T {
        let guests = self.sources.entry(source).or_default();
        if let Some(crowd) = guests.crowd(source) {
            self.crowds.remove(&crowd);
        }
        let changed = change(guests);
        if let Some(crowd) = guests.crowd(source) {
            self.crowds.insert(crowd);
        }
        if guests.connections == 0 {
            self.sources.remove(&source);
        }
        changed
    }
}

impl Guests {
    fn crowd(&self, source: Source) -> Option<Crowd> {
        let (&oldest, _) = self.strangers.first_key_value()?;
        Some((self.strangers.len(), Reverse(oldest), source))
    }
}

#[cfg(test)]
mod tests;
