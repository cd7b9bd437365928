//! The places for connections: how many there are in all and for each address, and who
//! gives up his when all are taken.
//!
//! A connection on which a user is logged in is *owned* by him and safe; all others are
//! strangers. When all places are taken, a stranger makes room for a new connection: of
//! the address with the most strangers the one that has been there longest. So whoever
//! floods a registry from a few addresses, or from many, pushes out his own.
//!
//! A user owns the one connection that he logged in on last: one account makes one
//! connection safe, however often it logs in, and only as long as he is online.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::{AbortHandle, AbortRegistration};
use p2pchat_protocol::Username;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::metrics::DropReason;
use crate::options::Limits;
use crate::presence::{Ended, SessionId};
use crate::source::Source;

/// All places of a server.
#[derive(Debug)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    max: usize,
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
    strangers: BTreeMap<Id, AbortHandle>,
}

/// The connection that somebody logged in on last.
#[derive(Debug)]
struct Owned {
    id: Id,
    session: SessionId,
    source: Source,
    push_out: AbortHandle,
}

impl Places {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        let max = limits.max_connections.get().min(Semaphore::MAX_PERMITS);
        Arc::new(Self {
            free: Arc::new(Semaphore::new(max)),
            max,
            per_address: limits.connections_per_address.get(),
            table: Mutex::default(),
        })
    }

    /// A place for a connection, as a stranger, and by what it hears that the place has to
    /// be given up. If somebody has to make room, waits until he has: that takes no longer
    /// than his task's next turn.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn take(
        self: &Arc<Self>,
        source: Source,
    ) -> Result<(Place, AbortRegistration), DropReason> {
        if self.table().connections(source) >= self.per_address {
            return Err(DropReason::AddressFull);
        }
        let free = Arc::clone(&self.free);
        let permit = match free.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) if !self.make_room() => return Err(DropReason::RegistryFull),
            Err(_) => free
                .acquire_owned()
                .await
                .expect("the semaphore is never closed"),
        };
        let (push_out, pushed_out) = AbortHandle::new_pair();
        let id = self.table().enter(source, push_out.clone());
        let place = Place {
            places: Arc::clone(self),
            id,
            source,
            owner: None,
            push_out,
            _permit: permit,
        };
        Ok((place, pushed_out))
    }

    /// How many places are taken, and how many there are.
    pub(super) fn taken(&self) -> (usize, usize) {
        (self.max - self.free.available_permits(), self.max)
    }

    /// A session is over: if a connection was safe by it, it is a stranger's again.
    pub(super) fn ended(&self, ended: &Ended) {
        let mut table = self.table();
        let by_it = |owned: &Owned| owned.session == ended.session;
        if let Some(owned) = table.disown(ended.name, by_it) {
            table.add_stranger(owned);
        }
    }

    /// Pushes a stranger out. `false` if there is none.
    fn make_room(&self) -> bool {
        let stranger = self.table().push_out();
        // His task is woken without the lock.
        stranger.inspect(AbortHandle::abort).is_some()
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
    /// Who was the last to own it, whether or not he still does.
    owner: Option<Username>,
    push_out: AbortHandle,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    /// Whose limits it counts for.
    pub(super) fn source(&self) -> Source {
        self.source
    }

    /// A user has logged in on it, and not on another one later.
    pub(super) fn own(&mut self, name: Username, session: SessionId) {
        let mut table = self.places.table();
        if let Some(owned) = self.leave_owner(&mut table) {
            table.add_stranger(owned);
        }
        let owned = Owned {
            id: self.id,
            session,
            source: self.source,
            push_out: self.push_out.clone(),
        };
        table.own(name, owned);
        drop(table);
        self.owner = Some(name);
    }

    /// Takes the connection from its owner, if it still has one.
    fn leave_owner(&self, table: &mut Table) -> Option<Owned> {
        table.disown(self.owner?, |owned| owned.id == self.id)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.places.table();
        self.leave_owner(&mut table);
        table.leave(self.source, self.id);
    }
}

impl Table {
    fn connections(&self, source: Source) -> usize {
        self.sources
            .get(&source)
            .map_or(0, |guests| guests.connections)
    }

    fn enter(&mut self, source: Source, push_out: AbortHandle) -> Id {
        let id = self.next;
        self.next += 1;
        self.change(source, |guests| {
            guests.connections += 1;
            guests.strangers.insert(id, push_out);
        });
        id
    }

    fn leave(&mut self, source: Source, id: Id) {
        self.change(source, |guests| {
            guests.connections -= 1;
            guests.strangers.remove(&id);
        });
    }

    fn push_out(&mut self) -> Option<AbortHandle> {
        let &(_, Reverse(id), source) = self.crowds.last()?;
        self.change(source, |guests| guests.strangers.remove(&id))
    }

    fn own(&mut self, name: Username, owned: Owned) {
        self.change(owned.source, |guests| guests.strangers.remove(&owned.id));
        if let Some(earlier) = self.owners.insert(name, owned) {
            self.add_stranger(earlier);
        }
    }

    /// Takes what a user owns from him, if it is `this`.
    fn disown(&mut self, name: Username, this: impl FnOnce(&Owned) -> bool) -> Option<Owned> {
        let is_this = self.owners.get(&name).is_some_and(this);
        is_this.then(|| self.owners.remove(&name)).flatten()
    }

    fn add_stranger(&mut self, owned: Owned) {
        self.change(owned.source, |guests| {
            guests.strangers.insert(owned.id, owned.push_out);
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
