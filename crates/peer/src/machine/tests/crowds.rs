//! Floods of strangers, and one member who makes many poll the registry.

use std::net::Ipv4Addr;
use std::time::Duration;

use p2pchat_model::{Command, PeerAddr};
use p2pchat_protocol::{ChatList, Contact};

use super::super::{ConnId, Input};
use super::net::{Net, OPEN, addr, members};

/// A notify of a newcomer that no other peer knows.
fn notify(newcomer: u8) -> Contact {
    Contact::Notify {
        newcomer: addr(newcomer),
        members: [addr(newcomer)].into_iter().collect(),
    }
}

/// Notifies from this many strangers, each at an address of its own.
fn strangers(net: &mut Net, at: u8, count: u32) {
    for number in 0..count {
        let from = PeerAddr::new(Ipv4Addr::from(0x0a01_0000 + number)).unwrap();
        let contact = Contact::Notify {
            newcomer: from,
            members: ChatList::default(),
        };
        net.input(
            addr(at),
            Input::Contact {
                conn: ConnId(u64::MAX),
                from,
                contact,
            },
        );
    }
}

#[test]
fn any_number_of_strangers_evicts_no_peer_that_is_accepting() {
    let mut net = Net::with_users(3);
    net.chat(1, 2);
    net.request(1, 3);
    strangers(&mut net, 1, 100);
    net.raw_contact(3, 1, notify(9));
    strangers(&mut net, 1, 100);
    assert_eq!(members(&net, 1), [addr(2)]);
    net.command(
        3,
        Command::Accept {
            conversation: OPEN,
            from: addr(1),
        },
    );
    assert_eq!(members(&net, 1), [addr(2), addr(3), addr(9)]);
}

#[test]
fn a_flood_of_strangers_does_not_evict_a_peer_that_asks() {
    let mut net = Net::with_users(3);
    net.chat(1, 2);
    net.request(3, 1);
    net.raw_contact(3, 1, notify(9));
    strangers(&mut net, 1, 100);
    net.command(
        1,
        Command::Accept {
            conversation: OPEN,
            from: addr(3),
        },
    );
    assert_eq!(members(&net, 1), [addr(2), addr(3), addr(9)]);
}

#[test]
fn packets_held_for_a_chat_are_not_used_in_the_next() {
    let mut net = Net::with_users(3);
    net.chat(1, 2);
    net.request(3, 1);
    net.raw_contact(3, 1, notify(9));
    net.command(1, Command::Leave { conversation: OPEN });
    net.command(
        1,
        Command::Accept {
            conversation: OPEN,
            from: addr(3),
        },
    );
    assert_eq!(members(&net, 1), [addr(3)]);
}

#[test]
fn an_endless_sender_evicts_only_its_own_packets() {
    let mut net = Net::with_users(2);
    net.chat(1, 2);
    net.raw_contact(7, 1, notify(9));
    for _ in 0..1000 {
        net.raw_contact(8, 1, notify(8));
    }
    // A member introduces the sender of the held notify.
    net.raw_contact(2, 1, notify(7));
    assert_eq!(members(&net, 1), [addr(2), addr(7), addr(9)]);
}

#[test]
fn held_texts_evict_no_notify() {
    let mut net = Net::with_users(2);
    net.chat(1, 2);
    net.raw_contact(7, 1, notify(9));
    for from in 10..=200 {
        net.raw_text_as(from, 1, "stranger", "hello");
    }
    net.raw_contact(2, 1, notify(7));
    assert_eq!(members(&net, 1), [addr(2), addr(7), addr(9)]);
}

/// How often the second of two polls the online list while the first sends a text each
/// second under a name that the registry does not have.
fn lists_while_unconfirmed(net: &mut Net, seconds: usize) -> usize {
    let before = net.lists(2);
    for _ in 0..seconds {
        net.raw_text_as(1, 2, "nobody", "hello");
        net.advance(Duration::from_secs(1));
    }
    net.lists(2) - before
}

#[test]
fn a_name_that_stays_unconfirmed_is_looked_up_at_growing_intervals() {
    let mut net = Net::with_users(2);
    net.chat(1, 2);
    net.advance(Duration::from_secs(30));
    let before = net.lists(2);
    net.advance(Duration::from_secs(120));
    let as_ever = net.lists(2) - before;
    let unconfirmed = lists_while_unconfirmed(&mut net, 120);
    assert!(as_ever > 0, "the list is kept fresh");
    assert!(
        unconfirmed <= as_ever + 4,
        "{unconfirmed}, with confirmed names {as_ever}"
    );
    // After a while without an unconfirmed name, the backoff starts again.
    net.advance(Duration::from_secs(60));
    assert!(lists_while_unconfirmed(&mut net, 4) >= 2);
}
