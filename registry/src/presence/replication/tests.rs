//! What one registry makes of what others wrote, in whatever order it comes. Several of them
//! together are tried by `tests/cluster_simulation.rs`.

use p2pchat_protocol::v2::{DeviceId, Status};
use p2pchat_protocol::{PeerAddr, Username};
use proptest::prelude::*;

use super::*;
use crate::presence::{DEVICE_TIMEOUT, version_1};

const TIMEOUT: Duration = Duration::from_secs(60);

fn name(text: &str) -> Username {
    Username::new(text).unwrap()
}

fn at(last: u8) -> PeerAddr {
    PeerAddr::new([10, 0, 0, last].into()).unwrap()
}

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn record(epoch: i64, address: Option<u8>, seen: u64) -> Record {
    Record {
        seat: version_1::seat(name("bob")),
        state: address.map(|address| version_1::state(at(address))),
        epoch,
        seen: s(seen),
    }
}

fn all_due(presence: &Presence, now: Duration) -> Vec<Due> {
    (0..presence.shards())
        .flat_map(|shard| presence.due(shard, now))
        .collect()
}

#[test]
fn a_login_elsewhere_ends_the_session_here() {
    let presence = Presence::new_shared(TIMEOUT);
    let session = presence.logged_in(&record(1, Some(1), 0));
    assert_eq!(presence.find(name("bob"), s(1)), Some(at(1)));
    let ended = presence.learn(&record(2, Some(2), 1), s(1)).unwrap();
    assert_eq!(ended.session, session);
    assert_eq!(presence.find(name("bob"), s(1)), Some(at(2)));
    let logout = presence.logout(name("bob"), Some(session), at(1), s(2));
    assert!(logout.is_none(), "the session is over");
}

#[test]
fn the_news_of_a_login_here_may_be_faster_than_the_answer() {
    let presence = Presence::new_shared(TIMEOUT);
    presence.learn(&record(1, Some(1), 0), s(0));
    let session = presence.logged_in(&record(1, Some(1), 0));
    assert!(
        presence
            .logout(name("bob"), Some(session), at(1), s(1))
            .is_some()
    );
}

#[test]
fn a_login_that_was_overtaken_begins_no_session() {
    let presence = Presence::new_shared(TIMEOUT);
    presence.learn(&record(2, Some(2), 0), s(0));
    let session = presence.logged_in(&record(1, Some(1), 0));
    assert_eq!(presence.find(name("bob"), s(1)), Some(at(2)));
    assert!(
        presence
            .logout(name("bob"), Some(session), at(1), s(1))
            .is_none()
    );
}

#[test]
fn a_hello_is_due_after_a_third_of_the_timeout_and_no_more_once_it_is_written() {
    let presence = Presence::new_shared(TIMEOUT);
    presence.logged_in(&record(1, Some(1), 0));
    assert!(presence.hello(name("bob"), at(1), s(19)));
    assert_eq!(all_due(&presence, s(19)), []);
    assert_eq!(presence.unwritten(presence.shard_of(name("bob"))).len(), 1);
    let due = Due {
        record: record(1, Some(1), 19),
        is_change: false,
    };
    assert_eq!(all_due(&presence, s(20)), [due]);
    assert_eq!(all_due(&presence, s(21)), [due], "until it is written");
    presence.learn(&due.record, s(21));
    assert_eq!(all_due(&presence, s(60)), [], "no Hello came since");
}

#[test]
fn a_logout_is_due_at_once_and_ends_the_login() {
    let presence = Presence::new_shared(TIMEOUT);
    let session = presence.logged_in(&record(5, Some(1), 0));
    let ended = presence.logout(name("bob"), Some(session), at(1), s(1));
    assert!(ended.is_some_and(|ended| ended.was_online));
    assert_eq!(presence.find(name("bob"), s(1)), None);
    let due = Due {
        record: record(6, None, 0),
        is_change: true,
    };
    assert_eq!(all_due(&presence, s(1)), [due]);
    presence.learn(&due.record, s(1));
    assert_eq!(all_due(&presence, s(1)), []);
    // What comes late changes nothing.
    presence.learn(&record(5, Some(1), 1), s(2));
    assert_eq!(presence.find(name("bob"), s(2)), None);
}

#[test]
fn a_user_who_logged_out_is_not_counted_while_the_tombstone_is_kept() {
    let presence = Presence::new_shared(TIMEOUT);
    let users = 2 * u32::try_from(super::super::online_list::FEW).unwrap();
    for n in 0..users {
        let record = Record {
            seat: version_1::seat(name(&format!("u{n}"))),
            ..record(1, Some(1), 0)
        };
        presence.logged_in(&record);
    }
    assert_eq!(presence.count(), users as usize);
    assert!(!presence.is_listed_fast());
    for n in 1..users {
        presence.logout(name(&format!("u{n}")), None, at(1), s(1));
    }
    assert_eq!(presence.count(), 1);
    assert!(presence.is_listed_fast());
    assert_eq!(
        all_due(&presence, s(1)).len(),
        users as usize - 1,
        "tombstones"
    );
}

#[test]
fn a_logout_that_comes_after_a_newer_login_gives_way() {
    let presence = Presence::new_shared(TIMEOUT);
    let session = presence.logged_in(&record(5, Some(1), 0));
    presence.logout(name("bob"), Some(session), at(1), s(1));
    // Of the same epoch, since its writer did not know of the logout either.
    presence.learn(&record(6, Some(2), 1), s(1));
    assert_eq!(presence.find(name("bob"), s(2)), Some(at(2)));
    assert_eq!(all_due(&presence, s(2)), []);
}

#[test]
fn the_time_of_others_stands_still_while_nothing_is_heard_of_them() {
    let presence = Presence::new_shared(TIMEOUT);
    presence.synced(s(10));
    presence.learn(&record(1, Some(1), 10), s(10));
    assert_eq!(presence.find(name("bob"), s(1000)), Some(at(1)));
    presence.synced(s(69));
    assert_eq!(presence.find(name("bob"), s(69)), Some(at(1)));
    presence.synced(s(70));
    assert_eq!(presence.find(name("bob"), s(70)), None);
}

#[test]
fn the_time_of_ours_goes_on() {
    let presence = Presence::new_shared(TIMEOUT);
    presence.logged_in(&record(1, Some(1), 0));
    assert_eq!(presence.find(name("bob"), s(59)), Some(at(1)));
    assert_eq!(presence.find(name("bob"), s(60)), None);
}

#[test]
fn what_is_old_is_no_news() {
    let presence = Presence::new_shared(TIMEOUT);
    presence.synced(s(100));
    assert_eq!(presence.learn(&record(1, Some(1), 40), s(100)), None);
    assert_eq!(presence.count(), 0);
}

fn device() -> Seat {
    Seat {
        name: name("bob"),
        device: Some(DeviceId([7; 8])),
    }
}

fn state(status: Status) -> SeatState {
    SeatState {
        status,
        ..version_1::state(at(1))
    }
}

fn of_device(epoch: i64, state: Option<SeatState>, seen: u64) -> Record {
    Record {
        seat: device(),
        state,
        epoch,
        seen: s(seen),
    }
}

#[test]
fn a_ping_is_written_when_it_comes_and_a_device_without_is_shown_for_a_minute() {
    let presence = Presence::new_shared(TIMEOUT * 10);
    let session = presence.logged_in(&of_device(1, Some(state(Status::Available)), 0));
    assert!(presence.alive(device(), session, s(15)));
    let due = Due {
        record: of_device(1, Some(state(Status::Available)), 15),
        is_change: false,
    };
    assert_eq!(all_due(&presence, s(15)), [due]);
    let other = Presence::new_shared(TIMEOUT * 10);
    other.synced(s(1000));
    other.learn(&due.record, s(15));
    let gone = s(15) + DEVICE_TIMEOUT;
    assert!(other.state(device(), gone - s(1)).is_some());
    assert_eq!(other.state(device(), gone), None);
    assert!(!presence.alive(device(), session, gone), "it is over");
}

#[test]
fn a_change_is_due_at_once_and_the_last_one_counts() {
    let presence = Presence::new_shared(TIMEOUT);
    let session = presence.logged_in(&of_device(5, Some(state(Status::Available)), 0));
    for status in [Status::Busy, Status::Away] {
        assert!(presence.update(device(), session, state(status), s(1)));
    }
    let due = Due {
        record: of_device(7, Some(state(Status::Away)), 1),
        is_change: true,
    };
    assert_eq!(all_due(&presence, s(1)), [due]);
    // The first of them was being written meanwhile.
    presence.learn(&of_device(6, Some(state(Status::Busy)), 1), s(1));
    assert_eq!(all_due(&presence, s(1)), [due]);
    presence.learn(&due.record, s(1));
    assert_eq!(all_due(&presence, s(1)), []);
    assert_eq!(presence.state(device(), s(1)).unwrap().status, Status::Away);
    assert!(presence.alive(device(), session, s(2)), "it goes on");
    assert!(presence.update(device(), session, state(Status::Away), s(3)));
    assert_eq!(all_due(&presence, s(3)), [], "nothing has changed");
}

#[test]
fn a_sign_in_elsewhere_ends_the_session_here() {
    let presence = Presence::new_shared(TIMEOUT);
    let session = presence.logged_in(&of_device(5, Some(state(Status::Available)), 0));
    presence.update(device(), session, state(Status::Busy), s(1));
    let ended = presence.learn(&of_device(9, Some(state(Status::Away)), 1), s(1));
    assert_eq!(ended.unwrap().session, session);
    assert!(!presence.alive(device(), session, s(2)));
    assert!(!presence.update(device(), session, state(Status::Busy), s(2)));
    assert_eq!(presence.sign_out(device(), session, s(2)), None);
    assert_eq!(presence.state(device(), s(2)).unwrap().status, Status::Away);
    assert_eq!(all_due(&presence, s(2)), []);
}

fn any_record() -> impl Strategy<Value = Record> {
    (1_i64..6, 0_u64..50).prop_map(|(epoch, seen)| {
        // An epoch is one login or logout: it has one address.
        let address = (epoch % 3 != 0).then(|| u8::try_from(epoch).unwrap());
        record(epoch, address, seen)
    })
}

proptest! {
    #[test]
    fn the_order_of_news_does_not_matter(
        records in proptest::collection::vec(any_record(), 1..20),
        order in any::<prop::sample::Index>(),
    ) {
        let presences = [(); 2].map(|()| Presence::new_shared(TIMEOUT));
        for presence in &presences {
            presence.synced(s(50));
        }
        let mut other = records.clone();
        other.rotate_left(order.index(records.len()));
        other.reverse();
        for (presence, records) in presences.iter().zip([&records, &other]) {
            for record in records {
                presence.learn(record, s(50));
                presence.learn(record, s(50));
            }
        }
        for now in 50..120 {
            presences.iter().for_each(|presence| presence.synced(s(now)));
            let found = presences.each_ref().map(|presence| presence.find(name("bob"), s(now)));
            prop_assert_eq!(found[0], found[1], "at {} s", now);
        }
    }
}
