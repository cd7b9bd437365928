//! Who gets a place, who gives his up, and who keeps it.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::time::Duration;

use p2pchat_protocol::PeerAddr;

use super::*;
use crate::presence::Presence;

const MAX: usize = 6;
const PER_ADDRESS: usize = 4;

fn places() -> Arc<Places> {
    Places::new(&Limits {
        max_connections: NonZeroUsize::new(MAX).unwrap(),
        connections_per_address: NonZeroUsize::new(PER_ADDRESS).unwrap(),
        ..Limits::default()
    })
}

fn source(n: u8) -> Source {
    Source::from(SocketAddr::from(([10, 0, 0, n], 1)))
}

fn name(n: usize) -> Username {
    Username::new(&format!("n{n}")).unwrap()
}

async fn take(places: &Arc<Places>, from: u8) -> Place {
    places.take(source(from)).await.unwrap().0
}

/// A new session of a user.
fn session(n: usize) -> Ended {
    let presence = sessions();
    let address = PeerAddr::new([10, 0, 0, 1].into()).unwrap();
    let session = presence.login(name(n), address, Duration::ZERO);
    Ended {
        name: name(n),
        session,
        was_online: true,
    }
}

/// Where the sessions of these tests are numbered.
fn sessions() -> &'static Presence {
    static SESSIONS: OnceLock<Presence> = OnceLock::new();
    SESSIONS.get_or_init(|| Presence::new(Duration::from_secs(60)))
}

/// Logs a user in on a connection.
fn log_in(n: usize, on: &mut Place) -> Ended {
    let session = session(n);
    on.own(session.name, session.session);
    session
}

/// A place for a newcomer, for whom one of `guests` has to leave. Returns which one.
async fn squeeze_in(places: &Arc<Places>, from: u8, guests: &mut Vec<Place>) -> (Place, usize) {
    let mut leaver = None;
    let leaving = async {
        // The task of the connection sees the token, and ends.
        let at = loop {
            let is_out = |place: &Place| place.push_out.is_aborted();
            if let Some(at) = guests.iter().position(is_out) {
                break at;
            }
            tokio::task::yield_now().await;
        };
        leaver = Some(at);
        drop(guests.remove(at));
    };
    let (place, ()) = tokio::join!(take(places, from), leaving);
    (place, leaver.unwrap())
}

#[tokio::test]
async fn an_address_has_so_many_and_another_one_has_its_own() {
    let places = places();
    let mut guests = Vec::new();
    for _ in 0..PER_ADDRESS {
        guests.push(take(&places, 1).await);
    }
    let refused = places.take(source(1)).await.unwrap_err();
    assert_eq!(refused, DropReason::AddressFull);
    guests.push(take(&places, 2).await);
    guests.remove(0);
    guests.push(take(&places, 1).await);
    drop(guests);
    let table = places.table();
    assert_eq!((table.sources.len(), table.crowds.len()), (0, 0));
}

#[tokio::test]
async fn the_oldest_stranger_of_the_most_crowded_address_makes_room() {
    let places = places();
    let mut guests = Vec::new();
    for from in [9, 1, 1, 1, 2, 2] {
        guests.push(take(&places, from).await);
    }
    let (newcomer, left) = squeeze_in(&places, 3, &mut guests).await;
    assert_eq!(left, 1, "the first of address 1");
    guests.push(newcomer);
    // Both of address 2 are younger than those that address 1 has left.
    let (newcomer, left) = squeeze_in(&places, 3, &mut guests).await;
    assert_eq!(left, 1, "the second of address 1");
    guests.push(newcomer);
    let (_newcomer, left) = squeeze_in(&places, 4, &mut guests).await;
    assert_eq!(guests[left - 1].source(), source(1));
    assert!(
        !guests[0].push_out.is_aborted(),
        "the oldest of all, but alone"
    );
}

#[tokio::test]
async fn who_is_logged_in_stays_and_then_newcomers_are_refused() {
    let places = places();
    let (mut guests, mut sessions) = (Vec::new(), Vec::new());
    for n in 0..MAX {
        let mut place = take(&places, u8::try_from(n / 2).unwrap()).await;
        sessions.push(log_in(n, &mut place));
        guests.push(place);
    }
    let refused = places.take(source(7)).await.unwrap_err();
    assert_eq!(refused, DropReason::RegistryFull);
    assert!(!guests.iter().any(|place| place.push_out.is_aborted()));
    places.ended(&sessions[3]);
    let (_newcomer, left) = squeeze_in(&places, 7, &mut guests).await;
    assert_eq!(left, 3, "his session had ended");
}

#[tokio::test]
async fn an_earlier_session_that_ends_late_takes_nothing_from_the_later_one() {
    let places = places();
    let mut place = take(&places, 1).await;
    let earlier = log_in(1, &mut place);
    let later = log_in(1, &mut place);
    places.ended(&earlier);
    assert!(!places.make_room());
    places.ended(&later);
    log_in(1, &mut place);
    assert!(!places.make_room(), "he is back");
}

#[tokio::test]
async fn one_account_makes_one_connection_safe() {
    let places = places();
    let mut guests = Vec::new();
    for n in 0..MAX {
        let mut place = take(&places, u8::try_from(n / 2).unwrap()).await;
        log_in(0, &mut place);
        guests.push(place);
    }
    for expected in (1..MAX).rev() {
        let (newcomer, left) = squeeze_in(&places, 7, &mut guests).await;
        assert_eq!(guests.len(), expected);
        assert!(left < guests.len(), "the last one is the user's");
        drop(newcomer);
        // The place that became free is taken by somebody who stays.
        let mut place = take(&places, 8 + u8::try_from(expected).unwrap()).await;
        log_in(expected, &mut place);
        std::mem::forget(place);
    }
    let refused = places.take(source(7)).await.unwrap_err();
    assert_eq!(refused, DropReason::RegistryFull);
}

#[tokio::test]
async fn a_connection_is_safe_by_its_latest_user_only() {
    let places = places();
    let mut place = take(&places, 1).await;
    let [first, second] = [1, 2].map(|n| log_in(n, &mut place));
    assert_eq!(places.table().owners.len(), 1);
    assert!(!places.make_room());
    places.ended(&first);
    assert!(!places.make_room(), "somebody else logged out");
    places.ended(&second);
    assert!(places.make_room());
    drop(place);
    assert!(places.table().owners.is_empty());
}
