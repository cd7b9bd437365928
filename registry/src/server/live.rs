//! The sessions of version 2 on this registry, and what ends them from outside: the same device
//! on another connection, and what an operator changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use p2pchat_protocol::Username;
use p2pchat_protocol::v2::{Goodbye, PersonKey, Seat, SeatState};
use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval};

use super::Shared;
use super::bindings::admits;
use crate::presence::{Ended, SessionId};
use crate::store::{StoreError, StoredBinding};

/// How often the serials are read of the names that are signed in here: what an operator changes
/// ends sessions within 60 s, also if one read fails.
const CHECK_INTERVAL: Duration = Duration::from_secs(25);
/// How many serials are read at a time.
const CHECK_PAGE: usize = 1000;

/// All sessions, by name.
#[derive(Debug, Default)]
pub(super) struct LiveSessions {
    sessions: Mutex<HashMap<Username, Vec<Live>>>,
}

#[derive(Debug)]
struct Live {
    seat: Seat,
    session: SessionId,
    person: PersonKey,
    /// That of the binding by which they are in.
    serial: u64,
    goodbye: oneshot::Sender<Goodbye>,
}

impl LiveSessions {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.sessions().values().map(Vec::len).sum()
    }

    /// A session is over.
    pub(super) fn leave(&self, seat: Seat, session: SessionId) {
        drop(self.take(seat, session));
    }

    /// A session has ended by something else than its connection, which is told why.
    pub(super) fn end(&self, seat: Seat, session: SessionId, why: Goodbye) {
        if let Some(live) = self.take(seat, session) {
            // It may be at its end by itself.
            let _ = live.goodbye.send(why);
        }
    }

    fn take(&self, seat: Seat, session: SessionId) -> Option<Live> {
        let mut sessions = self.sessions();
        let of_name = sessions.get_mut(&seat.name)?;
        let is_it = |live: &Live| live.seat == seat && live.session == session;
        let live = of_name.swap_remove(of_name.iter().position(is_it)?);
        if of_name.is_empty() {
            sessions.remove(&seat.name);
        }
        Some(live)
    }

    /// Tells all that the server stops, which [`Shared::stop`] has been told before: a session that
    /// begins later looks there.
    pub(super) fn stop(&self) {
        let sessions = std::mem::take(&mut *self.sessions());
        for live in sessions.into_values().flatten() {
            let _ = live.goodbye.send(Goodbye::Stopping);
        }
    }

    /// The names, with the lowest serial that one of their sessions has.
    fn serials(&self) -> HashMap<Username, u64> {
        let sessions = self.sessions();
        let lowest = |of_name: &Vec<Live>| of_name.iter().map(|live| live.serial).min();
        let serials = sessions.iter();
        serials
            .filter_map(|(&name, of_name)| Some((name, lowest(of_name)?)))
            .collect()
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<Username, Vec<Live>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// A session has ended by something else than its connection: its slot is free to be taken,
    /// and the connection is told.
    pub(super) fn ended(&self, ended: &Ended) {
        self.slots.ended(ended);
        if ended.seat.device.is_some() {
            self.live.end(ended.seat, ended.session, Goodbye::Replaced);
        }
    }

    /// Lists a session that has begun, and returns where its end is told. `None` if another one
    /// of the same seat has begun meanwhile.
    ///
    /// Looks at the presence with the sessions locked: of two that begin at once, the one that
    /// the presence has is listed last.
    pub(super) fn begin_live(
        &self,
        seat: Seat,
        session: SessionId,
        person: PersonKey,
        serial: u64,
    ) -> Option<oneshot::Receiver<Goodbye>> {
        let mut sessions = self.live.sessions();
        if self.presence.session(seat) != Some(session) {
            return None;
        }
        let (goodbye, told) = oneshot::channel();
        if self.stop.is_cancelled() {
            // The others were told already.
            let _ = goodbye.send(Goodbye::Stopping);
            return Some(told);
        }
        let live = Live {
            seat,
            session,
            person,
            serial,
            goodbye,
        };
        let of_name = sessions.entry(seat.name).or_default();
        match of_name.iter_mut().find(|live| live.seat == seat) {
            Some(earlier) => {
                let earlier = std::mem::replace(earlier, live);
                let _ = earlier.goodbye.send(Goodbye::Replaced);
            }
            None => {
                // Most people have one device.
                of_name.reserve_exact(1);
                of_name.push(live);
            }
        }
        Some(told)
    }

    /// Changes what is told of a seat. `false` if its session is over.
    pub(super) fn change_seat(
        &self,
        seat: Seat,
        session: SessionId,
        change: impl FnOnce(&mut SeatState),
    ) -> bool {
        // Locked, so that no two changes overwrite each other.
        let _sessions = self.live.sessions();
        self.change_locked(seat, session, change)
    }

    fn change_locked(
        &self,
        seat: Seat,
        session: SessionId,
        change: impl FnOnce(&mut SeatState),
    ) -> bool {
        let now = self.now();
        let Some(mut state) = self.presence.state(seat, now) else {
            return false;
        };
        change(&mut state);
        self.presence.update(seat, session, state, now)
    }

    /// Takes a binding to the sessions of its name: they go on with its serial and display name,
    /// or end if their device or person is not in it any more.
    pub(super) fn apply_binding(&self, stored: &StoredBinding) {
        let binding = &stored.binding;
        let mut sessions = self.live.sessions();
        let Some(of_name) = sessions.get_mut(&binding.name) else {
            return;
        };
        // A binding that was read before the one by which they are in says nothing.
        let is_over = |live: &mut Live| {
            let device = live.seat.device;
            let is_in = device.is_some_and(|device| admits(binding, live.person, device));
            live.serial <= binding.serial && !is_in
        };
        for live in of_name.extract_if(.., is_over) {
            let _ = live.goodbye.send(Goodbye::AccessChanged);
        }
        for live in of_name.iter_mut() {
            if live.serial < binding.serial {
                live.serial = binding.serial;
                self.change_locked(live.seat, live.session, |state| {
                    state.serial = binding.serial;
                    state.display_name = Some(binding.display_name);
                });
            }
        }
        if of_name.is_empty() {
            sessions.remove(&binding.name);
        }
    }

    /// The binding of a name is gone, which only happens where the store was replaced by an older
    /// one: all its sessions end.
    fn end_all_of(&self, name: Username) {
        let of_name = self.live.sessions().remove(&name).unwrap_or_default();
        for live in of_name {
            let _ = live.goodbye.send(Goodbye::AccessChanged);
        }
    }

    /// Reads the serials of all names that are signed in here, and takes the bindings that have
    /// changed to their sessions.
    pub(super) async fn check_access_once(&self) -> Result<(), StoreError> {
        let known = self.live.serials();
        let names: Vec<Username> = known.keys().copied().collect();
        for page in names.chunks(CHECK_PAGE) {
            let serials = self.store.serials(page.to_vec()).await?;
            let serials: HashMap<Username, u64> = serials.into_iter().collect();
            let is_other = |name: &&Username| serials.get(*name) != known.get(*name);
            for &name in page.iter().filter(is_other) {
                self.lookups.forget(name);
                match self.store.binding(name).await? {
                    Some(stored) => self.apply_binding(&stored),
                    None => self.end_all_of(name),
                }
            }
        }
        Ok(())
    }
}

/// Ends sessions whose access an operator has changed, until told to stop.
pub(super) async fn check_access(shared: Arc<Shared>) {
    let mut ticks = interval(CHECK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while (shared.stop)
        .run_until_cancelled(ticks.tick())
        .await
        .is_some()
    {
        let checking = shared.stop.run_until_cancelled(shared.check_access_once());
        if let Some(Err(error)) = checking.await {
            shared.store_failed(&error, ());
        }
    }
}
