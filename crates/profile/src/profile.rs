//! A profile from the outside: opened, joined, closed.

use std::path::PathBuf;
use std::sync::Arc;

use p2pchat_model::{FrontEndId, Passphrase, Username};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::error::{Ended, OpenError};
use crate::front_end::{FrontEnd, Relay};
use crate::keeper::Keeper;
use crate::owner::Owner;
use crate::place::{Place, Visitor};

/// How a program uses a profile.
#[derive(Debug, Clone)]
pub struct Options {
    /// The profile's folder; made where it is missing. `None` for a profile that no other
    /// process shares: where there is no folder to have it in.
    pub folder: Option<PathBuf>,
    /// The peer, if this process is the one that runs it.
    pub peer: p2pchat_peer::Options,
    /// The name of the program, for others to be told.
    pub program: &'static str,
    /// Whether it goes on with the peer when the process that ran it ends. A program that does
    /// one thing and ends does not.
    pub takes_over: bool,
    /// The account to log in to again if the registry needs the password after a takeover. The
    /// first login is a call of a front end.
    pub login: Option<Login>,
}

/// An account and its password.
#[derive(Debug, Clone)]
pub struct Login {
    /// The account.
    pub name: Username,
    /// Its password.
    pub password: Passphrase,
}

/// A profile that is open in this process: one peer, here or in another process, that any
/// number of front ends share. The last one to be dropped leaves the profile.
#[derive(Debug, Clone)]
pub struct Profile {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    program: &'static str,
    takes_over: bool,
    place: watch::Receiver<Place>,
    closing: CancellationToken,
    relays: TaskTracker,
    _closes: DropGuard,
}

impl Profile {
    /// Opens a profile: starts its peer, or attaches to the process that runs it.
    ///
    /// # Errors
    /// If neither is possible. The words say what to do.
    pub async fn open(options: Options) -> Result<Self, OpenError> {
        let (program, takes_over) = (options.program, options.takes_over);
        let closing = CancellationToken::new();
        let relays = TaskTracker::new();
        let keeper = Box::pin(Keeper::open(options, closing.clone(), relays.clone())).await?;
        let place = keeper.place();
        tokio::spawn(keeper.run());
        let shared = Arc::new(Shared {
            program,
            takes_over,
            place,
            relays,
            _closes: closing.clone().drop_guard(),
            closing,
        });
        Ok(Self { shared })
    }

    /// The process that runs the peer, if it is another one.
    #[must_use]
    pub fn attachment(&self) -> Option<Owner> {
        match &*self.shared.place.borrow() {
            Place::There(entry) => Some(entry.owner.clone()),
            _ => None,
        }
    }

    /// Joins a front end. Its first update is the view.
    ///
    /// # Errors
    /// If the profile has ended.
    pub fn join(&self, front_end: FrontEndId) -> Result<FrontEnd, Ended> {
        let shared = &self.shared;
        if let Place::Ended(ended) = &*shared.place.borrow() {
            return Err(ended.clone());
        }
        let visitor = Visitor {
            front_end,
            program: shared.program,
            takes_over: shared.takes_over,
        };
        let (front_end, relay) = Relay::new(visitor, shared.place.clone(), shared.closing.clone());
        shared.relays.spawn(relay.run());
        Ok(front_end)
    }

    /// Waits until the profile has ended, and says why. That is by [`Profile::close`], or by
    /// itself.
    pub async fn ended(&self) -> Ended {
        let mut place = self.shared.place.clone();
        let ended = place
            .wait_for(|place| matches!(place, Place::Ended(_)))
            .await;
        match ended.as_deref() {
            Ok(Place::Ended(ended)) => ended.clone(),
            _ => Ended::Failed,
        }
    }

    /// Leaves the profile, within a few seconds: calls that were sent are passed on first. The
    /// peer in this process is handed over to another process that is attached. Without one it
    /// logs out and stops.
    ///
    /// # Errors
    /// If the peer in this process has stopped by itself before that, or does so now.
    pub async fn close(&self) -> Result<(), Ended> {
        self.shared.closing.cancel();
        match self.ended().await {
            failed @ (Ended::Peer(_) | Ended::Failed) => Err(failed),
            _ => Ok(()),
        }
    }
}
