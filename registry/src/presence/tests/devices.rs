//! Users who are online on devices, beside those of version 1.

use p2pchat_protocol::v2::{Endpoint, Status};

use super::*;

fn on(user: &str, device: u8) -> Seat {
    Seat {
        name: name(user),
        device: Some(DeviceId([device; 8])),
    }
}

fn state(last: u8, version_1: bool) -> SeatState {
    SeatState {
        endpoint: Endpoint {
            address: at(last),
            port: 5859,
        },
        version_1,
        status: Status::Available,
        serial: 1,
        display_name: Some("Bob B.".parse().unwrap()),
    }
}

#[test]
fn a_device_is_online_from_sign_in_to_sign_out() {
    let presence = Presence::new(TIMEOUT);
    let (bob, told) = (on("bob", 1), state(1, false));
    let session = presence.sign_in(bob, told, s(0));
    assert_eq!(presence.state(bob, s(1)), Some(told));
    assert!(presence.alive(bob, session, s(1)));
    let busy = SeatState {
        status: Status::Busy,
        ..told
    };
    assert!(presence.update(bob, session, busy, s(2)));
    assert_eq!(presence.state(bob, s(3)), Some(busy));
    let ended = presence.sign_out(bob, session, s(4)).unwrap();
    assert_eq!((ended.seat, ended.session), (bob, session));
    assert!(ended.was_online);
    assert_eq!(presence.state(bob, s(4)), None);
    assert!(!presence.alive(bob, session, s(5)));
    assert!(!presence.update(bob, session, told, s(5)));
    assert_eq!(presence.sign_out(bob, session, s(5)), None);
}

#[test]
fn a_later_sign_in_of_a_device_replaces_the_earlier_one_and_no_other() {
    let presence = Presence::new(TIMEOUT);
    let other = presence.sign_in(on("bob", 2), state(2, false), s(0));
    let earlier = presence.sign_in(on("bob", 1), state(1, false), s(0));
    let later = presence.sign_in(on("bob", 1), state(3, false), s(1));
    assert!(!presence.alive(on("bob", 1), earlier, s(2)));
    assert_eq!(presence.sign_out(on("bob", 1), earlier, s(2)), None);
    assert!(presence.alive(on("bob", 1), later, s(2)));
    assert!(presence.alive(on("bob", 2), other, s(2)));
}

#[test]
fn a_device_without_a_sign_of_life_leaves_whatever_the_timeout_of_version_1_is() {
    for timeout in [s(5), s(600)] {
        let presence = Presence::new(timeout);
        let session = presence.sign_in(on("bob", 1), state(1, true), s(0));
        assert!(presence.alive(on("bob", 1), session, s(15)));
        assert!(!presence.hello(name("bob"), at(1), s(30)), "no Hello");
        let gone = s(15) + DEVICE_TIMEOUT;
        assert_eq!(presence.sweep(gone - s(1)), []);
        assert_eq!(presence.find(name("bob"), gone - s(1)), Some(at(1)));
        assert_eq!(presence.find(name("bob"), gone), None);
        let swept = presence.sweep(gone);
        assert_eq!(swept.len(), 1);
        assert_eq!((swept[0].seat, swept[0].session), (on("bob", 1), session));
    }
}

#[test]
fn version_1_is_shown_each_name_once() {
    let presence = Presence::new(TIMEOUT);
    let shown = || (presence.find(name("bob"), s(1)), listed(&presence));
    let bob_at = |last: u8| {
        let line = format!("bob-10.0.0.{last} \t\n ");
        (Some(at(last)), line)
    };
    presence.login(name("zoe"), at(9), s(0));
    let zoe = "zoe-10.0.0.9 \t\n ";
    let with_zoe = |(address, line): (_, String)| (address, line + zoe);

    presence.sign_in(on("bob", 1), state(1, false), s(0));
    assert_eq!(shown(), (None, zoe.to_owned()), "it does not listen for it");
    let second = presence.sign_in(on("bob", 2), state(2, true), s(0));
    assert_eq!(shown(), with_zoe(bob_at(2)));
    // The device that signed in last, whatever its id is.
    presence.sign_in(on("bob", 9), state(3, true), s(0));
    presence.sign_in(on("bob", 2), state(2, true), s(0));
    assert_eq!(shown(), with_zoe(bob_at(2)));
    assert!(!presence.alive(on("bob", 2), second, s(0)));
    // Where they are logged in by version 1, before any device.
    presence.login(name("bob"), at(4), s(0));
    presence.sign_in(on("bob", 9), state(3, true), s(0));
    assert_eq!(shown(), with_zoe(bob_at(4)));
    assert_eq!(presence.count(), 2);
    assert_eq!(list(&presence, s(1)).users(), 2);

    let logout = presence.logout(name("bob"), None, at(4), s(1));
    assert!(is_out(logout));
    assert_eq!(shown(), with_zoe(bob_at(3)));
    let logout = presence.logout(name("bob"), None, at(3), s(1));
    assert!(!is_out(logout), "version 1 cannot sign a device out");
}

#[test]
fn a_change_of_a_device_is_in_the_list_at_once() {
    let presence = Presence::new(TIMEOUT);
    let session = presence.sign_in(on("bob", 1), state(1, true), s(0));
    assert_eq!(listed(&presence), "bob-10.0.0.1 \t\n ");
    presence.update(on("bob", 1), session, state(1, false), s(0));
    assert_eq!(list(&presence, s(0)).users(), 0);
    presence.sign_out(on("bob", 1), session, s(0));
    presence.sign_in(on("bob", 1), state(2, true), s(0));
    assert_eq!(listed(&presence), "bob-10.0.0.2 \t\n ");
}
