//! Connection slots: how many connections there may be, and which one is evicted when all
//! slots are taken.
//!
//! A WebSocket that has shown the secret is the user's and keeps its slot. All other
//! connections can be evicted, those of the user's own browser included while it loads the
//! page. When all slots are taken, the oldest of them makes room: so no program on this
//! machine keeps the user out by holding connections open.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// All connection slots of a bridge.
#[derive(Debug)]
pub(crate) struct ConnectionSlots {
    free: Arc<Semaphore>,
    evictable: Mutex<Evictable>,
}

/// The connections that can be evicted, oldest first.
#[derive(Debug, Default)]
struct Evictable {
    next_id: u64,
    evictions: BTreeMap<u64, CancellationToken>,
}

impl ConnectionSlots {
    pub(crate) fn new(slots: NonZeroUsize) -> Arc<Self> {
        Arc::new(Self {
            free: Arc::new(Semaphore::new(slots.get())),
            evictable: Mutex::default(),
        })
    }

    /// A slot for a connection that can be evicted. If all are taken, evicts another and
    /// waits until its slot is free, which takes no longer than the next turn of its task.
    /// `None` if all slots are the user's.
    pub(crate) async fn acquire(self: &Arc<Self>) -> Option<Slot> {
        let free = Arc::clone(&self.free);
        let permit = match Arc::clone(&free).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                let (_, oldest) = self.evictable().evictions.pop_first()?;
                oldest.cancel();
                let permit = free.acquire_owned().await;
                permit.expect("the semaphore is never closed")
            }
        };
        let evicted = CancellationToken::new();
        let mut evictable = self.evictable();
        let id = evictable.next_id;
        evictable.next_id += 1;
        evictable.evictions.insert(id, evicted.clone());
        drop(evictable);
        Some(Slot {
            slots: Arc::clone(self),
            id,
            evicted,
            _permit: permit,
        })
    }

    fn evictable(&self) -> MutexGuard<'_, Evictable> {
        let evictable = self.evictable.lock();
        evictable.unwrap_or_else(PoisonError::into_inner)
    }
}

/// The slot of one connection. Free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Arc<ConnectionSlots>,
    id: u64,
    evicted: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

impl Slot {
    /// Makes the slot the user's: it is not evicted any more.
    pub(crate) fn protect(&self) {
        self.slots.evictable().evictions.remove(&self.id);
    }

    /// Cancelled when the connection is evicted: then its task has to drop the slot.
    pub(crate) fn evicted(&self) -> &CancellationToken {
        &self.evicted
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.protect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_connection_without_the_secret_is_evicted_and_the_users_never() {
        let slots = ConnectionSlots::new(NonZeroUsize::new(2).unwrap());
        let first = slots.acquire().await.unwrap();
        let second = slots.acquire().await.unwrap();
        first.protect();
        let third = tokio::spawn({
            let slots = Arc::clone(&slots);
            async move { slots.acquire().await }
        });
        second.evicted().cancelled().await;
        assert!(!first.evicted().is_cancelled());
        drop(second);
        let third = third.await.unwrap().unwrap();
        third.protect();
        assert!(slots.acquire().await.is_none(), "all slots are the user's");
        drop(first);
        assert!(slots.acquire().await.is_some());
    }
}
