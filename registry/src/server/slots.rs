//! Connection slots: how many connections there may be in all and per source, and which one
//! is evicted for a new one when all slots are taken.
//!
//! A connection on which a user is logged in is *protected*; all others can be evicted. When
//! all slots are taken, the oldest unprotected connection of the source with the most of them
//! is evicted for a new one. So a flood from a few addresses, or from many, evicts its own
//! connections.
//!
//! A user protects the one connection that they logged in on last: one account protects one
//! connection, however often it logs in, and only while the user is online. By version 2 each
//! device of an account does, of which a person has a limited number; so these connections do not
//! count for their source.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::{AbortHandle, AbortRegistration};
use p2pchat_protocol::v2::Seat;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::metrics::DropReason;
use crate::options::Limits;
use crate::presence::{Ended, Presence, SessionId};
use crate::throttle::Source;

/// All slots of a server.
#[derive(Debug)]
pub(super) struct ConnectionSlots {
    free: Arc<Semaphore>,
    max: usize,
    per_source: usize,
    table: Mutex<Table>,
}

/// Connections are numbered in the order in which they began.
type Id = u64;

#[derive(Debug, Default)]
struct Table {
    next: Id,
    sources: HashMap<Source, PerSource>,
    /// The sources with unprotected connections, the one to evict from next at the end.
    eviction_order: BTreeSet<EvictionRank>,
    protected: HashMap<Seat, Protected>,
}

/// The number of unprotected connections of a source, the oldest of them, and the source.
type EvictionRank = (usize, Reverse<Id>, Source);

/// The connections of one source.
#[derive(Debug, Default)]
struct PerSource {
    connections: usize,
    unprotected: BTreeMap<Id, AbortHandle>,
}

/// The connection that a user logged in on last.
#[derive(Debug)]
struct Protected {
    id: Id,
    session: SessionId,
    source: Source,
    evict: AbortHandle,
}

impl ConnectionSlots {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        let max = limits.max_connections.get().min(Semaphore::MAX_PERMITS);
        Arc::new(Self {
            free: Arc::new(Semaphore::new(max)),
            max,
            per_source: limits.connections_per_address.get(),
            table: Mutex::default(),
        })
    }

    /// Takes a slot for a new connection, which is unprotected at first, and returns it with
    /// the registration by which its task is evicted. If another connection is evicted for
    /// it, waits until that one has ended, which it does when its task runs next.
    ///
    /// # Errors
    /// The reason why there is no slot.
    pub(super) async fn take(
        self: &Arc<Self>,
        source: Source,
    ) -> Result<(ConnectionSlot, AbortRegistration), DropReason> {
        if self.table().connections(source) >= self.per_source {
            return Err(DropReason::AddressFull);
        }
        let free = Arc::clone(&self.free);
        let permit = match free.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) if !self.evict() => return Err(DropReason::RegistryFull),
            Err(_) => free
                .acquire_owned()
                .await
                .expect("the semaphore is never closed"),
        };
        let (evict, evicted) = AbortHandle::new_pair();
        let id = self.table().enter(source, evict.clone());
        let slot = ConnectionSlot {
            slots: Arc::clone(self),
            id,
            source,
            user: None,
            evict,
            _permit: permit,
        };
        Ok((slot, evicted))
    }

    /// The number of slots that are taken, and of all.
    pub(super) fn taken(&self) -> (usize, usize) {
        (self.max - self.free.available_permits(), self.max)
    }

    /// A session is over: the connection that it protected can be evicted again.
    pub(super) fn ended(&self, ended: &Ended) {
        let mut table = self.table();
        let is_of_session = |protected: &Protected| protected.session == ended.session;
        if let Some(connection) = table.unprotect(ended.seat, is_of_session) {
            table.add_unprotected(connection);
        }
    }

    /// Evicts a connection. `false` if all are protected.
    fn evict(&self) -> bool {
        let connection = self.table().evict();
        // Its task is woken without the lock.
        connection.inspect(AbortHandle::abort).is_some()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The slot of one connection. Free again when it is dropped.
#[derive(Debug)]
pub(super) struct ConnectionSlot {
    slots: Arc<ConnectionSlots>,
    id: Id,
    source: Source,
    /// The user who protected it last, whether or not they still do.
    user: Option<Seat>,
    evict: AbortHandle,
    _permit: OwnedSemaphorePermit,
}

impl ConnectionSlot {
    /// Counts up from connection to connection.
    pub(super) fn number(&self) -> usize {
        usize::try_from(self.id).unwrap_or_default()
    }

    /// Protects the connection for a user who logged in on it, if `session` is still theirs.
    ///
    /// Looks at the presence with the table locked: a session that ends later finds its
    /// connection here ([`ConnectionSlots::ended`]), and one that has ended by now, because
    /// the user logged in on another connection meanwhile, protects nothing.
    pub(super) fn protect(&mut self, seat: Seat, session: SessionId, presence: &Presence) {
        let mut table = self.slots.table();
        let current = presence.session(seat);
        let is_over = |protected: &Protected| Some(protected.session) != current;
        if let Some(connection) = table.unprotect(seat, is_over) {
            table.add_unprotected(connection);
        }
        if current != Some(session) {
            return;
        }
        if let Some(connection) = self.unprotect(&mut table) {
            table.add_unprotected(connection);
        }
        let protected = Protected {
            id: self.id,
            session,
            source: self.source,
            evict: self.evict.clone(),
        };
        table.protect(seat, protected);
        drop(table);
        self.user = Some(seat);
    }

    /// Takes the protection from the connection, if it still has it.
    fn unprotect(&self, table: &mut Table) -> Option<Protected> {
        table.unprotect(self.user?, |protected| protected.id == self.id)
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut table = self.slots.table();
        self.unprotect(&mut table);
        table.leave(self.source, self.id);
    }
}

impl Table {
    fn connections(&self, source: Source) -> usize {
        self.sources
            .get(&source)
            .map_or(0, |source| source.connections)
    }

    fn enter(&mut self, source: Source, evict: AbortHandle) -> Id {
        let id = self.next;
        self.next += 1;
        self.change(source, |connections| {
            connections.connections += 1;
            connections.unprotected.insert(id, evict);
        });
        id
    }

    fn leave(&mut self, source: Source, id: Id) {
        self.change(source, |connections| {
            connections.connections -= 1;
            connections.unprotected.remove(&id);
        });
    }

    fn evict(&mut self) -> Option<AbortHandle> {
        let &(_, Reverse(id), source) = self.eviction_order.last()?;
        self.change(source, |connections| connections.unprotected.remove(&id))
    }

    fn protect(&mut self, seat: Seat, connection: Protected) {
        self.change(connection.source, |connections| {
            connections.unprotected.remove(&connection.id);
            connections.connections -= uncounted(seat);
        });
        if let Some(earlier) = self.protected.insert(seat, connection) {
            self.count_again(seat, &earlier);
            self.add_unprotected(earlier);
        }
    }

    /// Takes the protection from the connection of a user, if `condition` holds for it.
    fn unprotect(
        &mut self,
        seat: Seat,
        condition: impl FnOnce(&Protected) -> bool,
    ) -> Option<Protected> {
        if !self.protected.get(&seat).is_some_and(condition) {
            return None;
        }
        let connection = self.protected.remove(&seat)?;
        self.count_again(seat, &connection);
        Some(connection)
    }

    fn count_again(&mut self, seat: Seat, connection: &Protected) {
        self.change(connection.source, |connections| {
            connections.connections += uncounted(seat);
        });
    }

    fn add_unprotected(&mut self, connection: Protected) {
        self.change(connection.source, |connections| {
            connections
                .unprotected
                .insert(connection.id, connection.evict);
        });
    }

    /// Changes the connections of a source, and its rank in the order of eviction with them.
    fn change<T>(&mut self, source: Source, change: impl FnOnce(&mut PerSource) -> T) -> T {
        let connections = self.sources.entry(source).or_default();
        if let Some(rank) = connections.eviction_rank(source) {
            self.eviction_order.remove(&rank);
        }
        let changed = change(connections);
        if let Some(rank) = connections.eviction_rank(source) {
            self.eviction_order.insert(rank);
        }
        if connections.connections == 0 {
            self.sources.remove(&source);
        }
        changed
    }
}

/// How many connections of a seat do not count for their source: of a device one, as a person
/// has a limit of devices.
fn uncounted(seat: Seat) -> usize {
    usize::from(seat.device.is_some())
}

impl PerSource {
    fn eviction_rank(&self, source: Source) -> Option<EvictionRank> {
        let (&oldest, _) = self.unprotected.first_key_value()?;
        Some((self.unprotected.len(), Reverse(oldest), source))
    }
}

#[cfg(test)]
mod tests;
