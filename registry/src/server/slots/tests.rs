//! Which connection gets a slot, which one is evicted, and which one is protected.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use p2pchat_protocol::v2::{DeviceId, Seat};
use p2pchat_protocol::{PeerAddr, Username};

use super::*;
use crate::presence::version_1;

const MAX: usize = 6;
const PER_ADDRESS: usize = 4;

/// The slots and the presence of a server.
struct Server {
    slots: Arc<ConnectionSlots>,
    presence: Presence,
}

impl Server {
    fn new() -> Self {
        Self {
            slots: ConnectionSlots::new(&Limits {
                max_connections: NonZeroUsize::new(MAX).unwrap(),
                connections_per_address: NonZeroUsize::new(PER_ADDRESS).unwrap(),
                ..Limits::default()
            }),
            presence: Presence::new(Duration::from_secs(60)),
        }
    }

    async fn take(&self, from: u8) -> ConnectionSlot {
        self.slots.take(source(from)).await.unwrap().0
    }

    /// Begins a session of a user.
    fn session(&self, n: usize) -> Ended {
        let session = self.presence.login(name(n), address(), Duration::ZERO);
        Ended {
            seat: version_1::seat(name(n)),
            session,
            was_online: true,
        }
    }

    /// Protects a connection for a session that began on it.
    fn protect(&self, session: &Ended, on: &mut ConnectionSlot) {
        on.protect(session.seat, session.session, &self.presence);
    }

    /// Logs a user in on a connection.
    fn log_in(&self, n: usize, on: &mut ConnectionSlot) -> Ended {
        let session = self.session(n);
        self.protect(&session, on);
        session
    }

    /// Takes a slot for which one of `others` is evicted. Returns which one.
    async fn squeeze_in(
        &self,
        from: u8,
        others: &mut Vec<ConnectionSlot>,
    ) -> (ConnectionSlot, usize) {
        let mut evicted = None;
        let leaving = async {
            // The task of the connection is aborted, and ends.
            let at = loop {
                let is_evicted = |slot: &ConnectionSlot| slot.evict.is_aborted();
                if let Some(at) = others.iter().position(is_evicted) {
                    break at;
                }
                tokio::task::yield_now().await;
            };
            evicted = Some(at);
            drop(others.remove(at));
        };
        let (slot, ()) = tokio::join!(self.take(from), leaving);
        (slot, evicted.unwrap())
    }
}

fn source(n: u8) -> Source {
    Source::from(SocketAddr::from(([10, 0, 0, n], 1)))
}

fn address() -> PeerAddr {
    PeerAddr::new([10, 0, 0, 1].into()).unwrap()
}

fn name(n: usize) -> Username {
    Username::new(&format!("n{n}")).unwrap()
}

#[tokio::test]
async fn an_address_has_so_many_and_another_one_has_its_own() {
    let server = Server::new();
    let mut connections = Vec::new();
    for _ in 0..PER_ADDRESS {
        connections.push(server.take(1).await);
    }
    let refused = server.slots.take(source(1)).await.unwrap_err();
    assert_eq!(refused, DropReason::AddressFull);
    connections.push(server.take(2).await);
    connections.remove(0);
    connections.push(server.take(1).await);
    drop(connections);
    let table = server.slots.table();
    assert_eq!((table.sources.len(), table.eviction_order.len()), (0, 0));
}

#[tokio::test]
async fn the_oldest_unprotected_of_the_most_crowded_address_is_evicted() {
    let server = Server::new();
    let mut others = Vec::new();
    for from in [9, 1, 1, 1, 2, 2] {
        others.push(server.take(from).await);
    }
    let (newcomer, evicted) = server.squeeze_in(3, &mut others).await;
    assert_eq!(evicted, 1, "the first of address 1");
    others.push(newcomer);
    // Both of address 2 are younger than those that address 1 has left.
    let (newcomer, evicted) = server.squeeze_in(3, &mut others).await;
    assert_eq!(evicted, 1, "the second of address 1");
    others.push(newcomer);
    let (_newcomer, evicted) = server.squeeze_in(4, &mut others).await;
    assert_eq!(others[evicted - 1].source, source(1));
    assert!(
        !others[0].evict.is_aborted(),
        "the oldest of all, but alone"
    );
}

#[tokio::test]
async fn a_user_who_is_logged_in_stays_and_then_newcomers_are_refused() {
    let server = Server::new();
    let (mut connections, mut sessions) = (Vec::new(), Vec::new());
    for n in 0..MAX {
        let mut slot = server.take(u8::try_from(n / 2).unwrap()).await;
        sessions.push(server.log_in(n, &mut slot));
        connections.push(slot);
    }
    let refused = server.slots.take(source(7)).await.unwrap_err();
    assert_eq!(refused, DropReason::RegistryFull);
    assert!(!connections.iter().any(|slot| slot.evict.is_aborted()));
    server.slots.ended(&sessions[3]);
    let (_newcomer, evicted) = server.squeeze_in(7, &mut connections).await;
    assert_eq!(evicted, 3, "its session had ended");
}

#[tokio::test]
async fn an_earlier_session_that_ends_late_takes_nothing_from_the_later_one() {
    let server = Server::new();
    let mut slot = server.take(1).await;
    let earlier = server.log_in(1, &mut slot);
    let later = server.log_in(1, &mut slot);
    server.slots.ended(&earlier);
    assert!(!server.slots.evict());
    server.slots.ended(&later);
    server.log_in(1, &mut slot);
    assert!(!server.slots.evict(), "the user is back");
}

#[tokio::test]
async fn two_logins_of_a_name_at_once_protect_the_connection_of_the_later_one() {
    let server = Server::new();
    let [mut first, mut second] = [server.take(1).await, server.take(2).await];
    let earlier = server.session(1);
    let later = server.session(1);
    server.protect(&later, &mut second);
    server.protect(&earlier, &mut first);
    assert!(server.slots.evict());
    assert!(first.evict.is_aborted(), "its session is over");
    assert!(!server.slots.evict(), "the other one is protected");
    server.slots.ended(&later);
    assert!(server.slots.evict());
    assert!(second.evict.is_aborted());
}

#[tokio::test]
async fn a_session_that_ended_before_its_connection_was_protected_protects_nothing() {
    let server = Server::new();
    let [mut first, mut second] = [server.take(1).await, server.take(2).await];
    server.log_in(1, &mut first);
    // The login replaces the session of the first connection, and is logged out at once.
    let session = server.session(1);
    let ended = server
        .presence
        .logout(name(1), None, address(), Duration::ZERO)
        .unwrap();
    server.slots.ended(&ended);
    server.protect(&session, &mut second);
    assert!(server.slots.evict() && server.slots.evict());
    assert!(first.evict.is_aborted() && second.evict.is_aborted());
}

#[tokio::test]
async fn one_account_protects_one_connection() {
    let server = Server::new();
    let mut connections = Vec::new();
    for n in 0..MAX {
        let mut slot = server.take(u8::try_from(n / 2).unwrap()).await;
        server.log_in(0, &mut slot);
        connections.push(slot);
    }
    for expected in (1..MAX).rev() {
        let (newcomer, evicted) = server.squeeze_in(7, &mut connections).await;
        assert_eq!(connections.len(), expected);
        assert!(evicted < connections.len(), "the last one is the user's");
        drop(newcomer);
        // The slot that became free is taken by a user who stays.
        let mut slot = server.take(8 + u8::try_from(expected).unwrap()).await;
        server.log_in(expected, &mut slot);
        std::mem::forget(slot);
    }
    let refused = server.slots.take(source(7)).await.unwrap_err();
    assert_eq!(refused, DropReason::RegistryFull);
}

#[tokio::test]
async fn a_connection_is_protected_by_its_latest_user_only() {
    let server = Server::new();
    let mut slot = server.take(1).await;
    let [first, second] = [1, 2].map(|n| server.log_in(n, &mut slot));
    assert_eq!(server.slots.table().protected.len(), 1);
    assert!(!server.slots.evict());
    server.slots.ended(&first);
    assert!(!server.slots.evict(), "another user logged out");
    server.slots.ended(&second);
    assert!(server.slots.evict());
    drop(slot);
    assert!(server.slots.table().protected.is_empty());
}

/// Signs a user in on a device.
fn sign_in(server: &Server, device: u8, on: &mut ConnectionSlot) -> Ended {
    let seat = Seat {
        name: name(0),
        device: Some(DeviceId([device; 8])),
    };
    let state = version_1::state(address());
    let session = server.presence.sign_in(seat, state, Duration::ZERO);
    on.protect(seat, session, &server.presence);
    Ended {
        seat,
        session,
        was_online: true,
    }
}

#[tokio::test]
async fn connections_of_devices_do_not_count_for_their_address_while_they_are_signed_in() {
    let server = Server::new();
    let mut slots = Vec::new();
    for device in 0..5 {
        let mut slot = server.take(1).await;
        let session = sign_in(&server, device, &mut slot);
        slots.push((slot, session));
    }
    let one_more = server.take(1).await;
    drop(one_more);
    for (_, session) in &slots[1..] {
        server.slots.ended(session);
    }
    assert_eq!(server.slots.table().connections(source(1)), 4);
    let refused = server.slots.take(source(1)).await.map(|_| ()).unwrap_err();
    assert_eq!(refused, DropReason::AddressFull);
    drop(slots);
    assert!(server.slots.table().sources.is_empty());
}

#[tokio::test]
async fn a_device_protects_its_latest_connection_alone() {
    let server = Server::new();
    let (mut first, mut second) = (server.take(1).await, server.take(1).await);
    sign_in(&server, 1, &mut first);
    assert_eq!(server.slots.table().connections(source(1)), 1);
    sign_in(&server, 1, &mut second);
    assert_eq!(
        server.slots.table().connections(source(1)),
        1,
        "the first counts"
    );
    assert_eq!(server.slots.table().protected.len(), 1);
    drop(first);
    assert_eq!(server.slots.table().connections(source(1)), 0);
    drop(second);
    assert!(server.slots.table().protected.is_empty());
    assert!(server.slots.table().sources.is_empty());
}
