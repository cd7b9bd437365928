//! The places for connections, and who gives up his when all are taken.
//!
//! A WebSocket that has shown the secret is the user's and keeps its place; all other
//! connections are strangers, the user's own browser included while it loads the page.
//! When all places are taken, the stranger who has been there longest makes room: so
//! nobody on this machine keeps the user out by holding connections open.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// All places of a bridge.
#[derive(Debug)]
pub(crate) struct Places {
    free: Arc<Semaphore>,
    strangers: Mutex<Strangers>,
}

/// In the order in which they came.
#[derive(Debug, Default)]
struct Strangers {
    next: u64,
    pushed_out: BTreeMap<u64, CancellationToken>,
}

impl Places {
    pub(crate) fn new(places: NonZeroUsize) -> Arc<Self> {
        Arc::new(Self {
            free: Arc::new(Semaphore::new(places.get())),
            strangers: Mutex::default(),
        })
    }

    /// A place for a stranger. If another has to make room, waits until he has: that
    /// takes no longer than his task's next turn. `None` if all places are the user's.
    pub(crate) async fn take(self: &Arc<Self>) -> Option<Place> {
        let free = Arc::clone(&self.free);
        let permit = match Arc::clone(&free).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                let (_, pushed_out) = self.strangers().pushed_out.pop_first()?;
                pushed_out.cancel();
                let permit = free.acquire_owned().await;
                permit.expect("nobody closes the semaphore")
            }
        };
        let pushed_out = CancellationToken::new();
        let mut strangers = self.strangers();
        let id = strangers.next;
        strangers.next += 1;
        strangers.pushed_out.insert(id, pushed_out.clone());
        drop(strangers);
        Some(Place {
            places: Arc::clone(self),
            id,
            pushed_out,
            _permit: permit,
        })
    }

    fn strangers(&self) -> MutexGuard<'_, Strangers> {
        let strangers = self.strangers.lock();
        strangers.unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one connection. Free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    id: u64,
    pushed_out: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    /// It is the user's from now on.
    pub(crate) fn keep(&self) {
        self.places.strangers().pushed_out.remove(&self.id);
    }

    /// Cancelled when it has to be given up.
    pub(crate) fn pushed_out(&self) -> &CancellationToken {
        &self.pushed_out
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.keep();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_stranger_who_came_first_makes_room_and_the_user_never() {
        let places = Places::new(NonZeroUsize::new(2).unwrap());
        let first = places.take().await.unwrap();
        let second = places.take().await.unwrap();
        first.keep();
        let third = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.take().await }
        });
        second.pushed_out().cancelled().await;
        assert!(!first.pushed_out().is_cancelled());
        drop(second);
        let third = third.await.unwrap().unwrap();
        third.keep();
        assert!(places.take().await.is_none(), "all places are the user's");
        drop(first);
        assert!(places.take().await.is_some());
    }
}
