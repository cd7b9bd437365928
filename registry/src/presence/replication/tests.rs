//! What one registry makes of what others wrote, in whatever order it comes. Several of them
//! together are tried by `tests/cluster_simulation.rs`.

use proptest::prelude::*;

use super::*;

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
        name: name("bob"),
        address: address.map(at),
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
        is_logout: false,
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
        is_logout: true,
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
            name: name(&format!("u{n}")),
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
