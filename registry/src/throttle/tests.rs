//! Guessing slows down the guesser alone. Time passes as the tests say.

use super::*;

const HOME: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 1);
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 2);
const DAY: u64 = 24 * 60 * 60;

fn stranger(n: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(0x0a00_0000 + n)
}

fn bob() -> Username {
    Username::new("bob").unwrap()
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn throttle() -> Throttle {
    let throttle = Throttle::new(&Guessing::default());
    throttle.succeeded(bob(), HOME);
    throttle
}

/// Guesses wherever it is allowed, as often as it is allowed, and returns how often it was.
fn guess(throttle: &Throttle, from: impl IntoIterator<Item = Ipv4Addr>, now: Duration) -> u64 {
    let mut guesses = 0;
    for address in from {
        while throttle.allows(bob(), address, now) {
            throttle.failed(bob(), address, now);
            guesses += 1;
        }
    }
    guesses
}

/// As often as it is allowed for a day, from so many addresses; meanwhile the user tries
/// at home and elsewhere, and never in vain.
fn day_of_guesses(addresses: u32) -> u64 {
    let throttle = throttle();
    let mut guesses = 0;
    for now in (0..DAY).step_by(2).map(seconds) {
        guesses += guess(&throttle, (0..addresses).map(stranger), now);
        assert!(throttle.allows(bob(), HOME, now), "at home, {now:?}");
        assert!(throttle.allows(bob(), ELSEWHERE, now), "elsewhere, {now:?}");
    }
    guesses
}

#[test]
fn one_address_gets_the_guesses_that_the_name_has_and_a_few_of_its_own() {
    // The name's: 20 and one each 30 s. The address's own: 3 and one each 20 minutes.
    let bound = 20 + DAY / 30 + 3 + DAY / 1200;
    let guesses = day_of_guesses(1);
    assert!((2_800..=bound).contains(&guesses), "{guesses} of {bound}");
}

#[test]
fn two_hundred_addresses_share_the_name_s_guesses_and_have_few_of_their_own() {
    let bound = 20 + DAY / 30 + 200 * (3 + DAY / 1200);
    let guesses = day_of_guesses(200);
    assert!((15_000..=bound).contains(&guesses), "{guesses} of {bound}");
}

#[test]
fn an_address_has_a_burst_and_then_one_each_interval_for_all_names_together() {
    let throttle = throttle();
    let name = |n: usize| Username::new(&format!("n{n}")).unwrap();
    let mut guesses = 0;
    for n in 0..1000 {
        if throttle.allows(name(n), stranger(1), seconds(0)) {
            throttle.failed(name(n), stranger(1), seconds(0));
            guesses += 1;
        }
    }
    assert_eq!(guesses, 10);
    assert!(!throttle.allows(name(2000), stranger(1), seconds(1)));
    assert!(throttle.allows(name(2000), stranger(1), seconds(2)));
    assert!(throttle.allows(name(2000), stranger(2), seconds(0)));
}

#[test]
fn a_stranger_who_shares_an_address_takes_nothing_from_its_users_by_guessing_at_others() {
    let throttle = throttle();
    let other = Username::new("other").unwrap();
    while throttle.allows(other, HOME, seconds(0)) {
        throttle.failed(other, HOME, seconds(0));
    }
    let fresh = Username::new("fresh").unwrap();
    assert!(!throttle.allows(fresh, HOME, seconds(0)));
    assert!(
        throttle.allows(bob(), HOME, seconds(0)),
        "the user was here before"
    );
}

#[test]
fn a_user_who_mistypes_at_a_known_address_uses_up_neither_the_guesses_of_the_name_nor_of_the_address()
 {
    let throttle = throttle();
    assert_eq!(guess(&throttle, [HOME], seconds(0)), 10);
    let ann = Username::new("ann").unwrap();
    assert!(throttle.allows(ann, HOME, seconds(0)));
    assert_eq!(guess(&throttle, [ELSEWHERE], seconds(0)), 10);
    assert_eq!(guess(&throttle, [HOME], seconds(2)), 0);
    assert_eq!(guess(&throttle, [HOME], seconds(30)), 1);
}

#[test]
fn names_without_an_account_are_counted_like_others() {
    let throttle = throttle();
    let counted = |name: &str| {
        let name = Username::new(name).unwrap();
        (0..1000)
            .filter(|n| {
                let allowed = throttle.allows(name, stranger(*n), seconds(0));
                throttle.failed(name, stranger(*n), seconds(0));
                allowed
            })
            .count()
    };
    assert_eq!(counted("bob"), counted("nobody"));
}

fn source(address: &str) -> Source {
    address.parse::<SocketAddr>().unwrap().into()
}

#[test]
fn an_ipv4_address_is_one_source_and_so_is_an_ipv6_network() {
    assert_eq!(source("10.0.0.1:1"), source("10.0.0.1:2"));
    assert_eq!(source("10.0.0.1:1"), source("[::ffff:10.0.0.1]:1"));
    assert_ne!(source("10.0.0.1:1"), source("10.0.0.2:1"));
    assert_eq!(source("[2001:db8::1]:1"), source("[2001:db8::ff:2]:1"));
    assert_ne!(source("[2001:db8::1]:1"), source("[2001:db8:0:1::1]:1"));
}
