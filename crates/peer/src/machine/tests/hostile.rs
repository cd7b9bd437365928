//! Attackers, and what they achieve.

use std::net::Ipv4Addr;

use p2pchat_model::{DropReason, Dropped, PeerAddr, Username, View};
use p2pchat_protocol::ChatList;

use super::super::Input;
use super::*;

pub(super) fn name(text: &str) -> Username {
    text.parse().unwrap()
}

pub(super) fn view(net: &Net, at: u8) -> View {
    let mut view = View::default();
    net.events(at).iter().for_each(|event| view.apply(event));
    view
}

/// Machines that know all names.
pub(super) fn net_of(count: u8) -> Net {
    let mut net = Net::with_users(count);
    (1..=count).for_each(|at| net.command(at, Command::Refresh));
    net
}

pub(super) fn block(net: &mut Net, at: u8, who: Target) {
    net.command(at, Command::Block { who });
}

/// The counts of what was dropped, after the user has asked for them.
pub(super) fn dropped(net: &mut Net, at: u8) -> Vec<Dropped> {
    net.command(at, Command::Refresh);
    view(net, at).dropped
}

pub(super) fn count(net: &mut Net, at: u8, tried: DropKind, why: DropReason) -> u64 {
    let dropped = dropped(net, at);
    let wanted = dropped
        .iter()
        .filter(|known| (known.tried, known.why) == (tried, why));
    wanted.map(|known| known.count).sum()
}

pub(super) fn request(from: &str, members: &[u8]) -> Contact {
    Contact::Request {
        from: name(from),
        members: members.iter().map(|last| addr(*last)).collect(),
    }
}

fn made_up(first: u32, count: u32) -> ChatList {
    (first..first + count)
        .map(|n| PeerAddr::new(Ipv4Addr::from(0x0a01_0000 + n)).unwrap())
        .collect()
}

#[test]
fn a_member_brings_in_only_so_many_that_never_sent_anything() {
    let mut net = net_of(3);
    net.chat(1, 2);
    for round in 0..20 {
        net.raw_contact(
            2,
            1,
            Contact::Notify {
                newcomer: made_up(round * 100, 1).as_slice()[0],
                members: made_up(round * 100, 100),
            },
        );
    }
    // The member that brings them, and 64 by its word.
    assert_eq!(members(&net, 1).len(), 65);
    assert_eq!(
        count(&mut net, 1, DropKind::Newcomer, DropReason::TooMuch),
        2000 - 64
    );
    let lines = view(&net, 1).open().lines.len();
    assert!(lines < 90, "{lines} lines about it");

    // There is room for a peer that the user lets in.
    net.chat(3, 1);
    assert!(members(&net, 1).contains(&addr(3)));
}

#[test]
fn verified_members_make_room_for_others() {
    let mut net = net_of(2);
    net.chat(1, 2);
    let notify = |last: u8| Contact::Notify {
        newcomer: addr(last),
        members: ChatList::default(),
    };
    for last in 100..164 {
        net.raw_contact(2, 1, notify(last));
    }
    net.raw_contact(2, 1, notify(164));
    assert!(!members(&net, 1).contains(&addr(164)));
    net.raw_text(100, 1, "I am real");
    net.raw_contact(2, 1, notify(164));
    assert!(members(&net, 1).contains(&addr(164)));
}

#[test]
fn addresses_that_no_peer_can_have_are_not_added() {
    let mut net = net_of(2);
    net.chat(1, 2);
    let local: ChatList = ["127.0.0.1", "127.8.8.8"]
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
    net.raw_contact(
        2,
        1,
        Contact::Notify {
            newcomer: "127.0.0.5".parse().unwrap(),
            members: local.clone(),
        },
    );
    net.raw_contact(
        2,
        1,
        Contact::Notify {
            newcomer: addr(1),
            members: [addr(1)].into_iter().collect(),
        },
    );
    assert_eq!(members(&net, 1), [addr(2)]);
    assert_eq!(
        count(&mut net, 1, DropKind::Newcomer, DropReason::Malformed),
        3
    );
}

#[test]
fn repeated_requests_are_answered_busy_and_counted() {
    let mut net = net_of(3);
    for _ in 0..1000 {
        net.request(2, 1);
        net.command(
            1,
            Command::Reject {
                conversation: OPEN,
                from: addr(2),
            },
        );
    }
    let asked = |net: &Net| {
        let received = |event: &&Event| matches!(event, Event::RequestReceived(_));
        net.events(1).iter().filter(received).count()
    };
    assert_eq!(asked(&net), 3);
    assert_eq!(net.last_answer, Some(ChatAnswer::Busy));
    assert_eq!(
        count(&mut net, 1, DropKind::Request, DropReason::TooMuch),
        997
    );

    // The limit of another address is its own.
    net.request(3, 1);
    assert_eq!(asked(&net), 4);
    net.command(
        1,
        Command::Reject {
            conversation: OPEN,
            from: addr(3),
        },
    );
    // And after a while the first one may ask once more.
    net.advance(Duration::from_secs(21));
    net.request(2, 1);
    net.request(2, 1);
    assert_eq!(asked(&net), 5);
}

#[test]
fn an_accepted_peer_is_not_rate_limited() {
    let mut net = net_of(2);
    for _ in 0..10 {
        net.chat(2, 1);
        assert_eq!(members(&net, 1), [addr(2)]);
        net.command(1, Command::Leave { conversation: OPEN });
        net.command(2, Command::Leave { conversation: OPEN });
    }
}

#[test]
fn strangers_at_countless_addresses_are_counted_and_do_not_fill_the_screen() {
    let mut net = net_of(1);
    let lines = view(&net, 1).open().lines.len();
    for last in 2..=250 {
        for _ in 0..4 {
            net.raw_text_as(last, 1, "mallory", "psst");
        }
    }
    let shown = view(&net, 1).open().lines.len() - lines;
    assert!(shown < 70, "{shown} lines");
    assert_eq!(
        count(&mut net, 1, DropKind::Text, DropReason::Stranger),
        249 * 4
    );
}

#[test]
fn a_flood_between_two_reports_is_told_by_its_last_power_of_ten() {
    let mut net = net_of(1);
    let flood = |count| Input::Dropped {
        from: Some(addr(2)),
        tried: DropKind::Connection,
        why: DropReason::TooMuch,
        count,
    };
    net.input(addr(1), flood(5000));
    net.input(addr(1), flood(2));
    assert_eq!(view(&net, 1).dropped[0].count, 1000);
    assert_eq!(
        count(&mut net, 1, DropKind::Connection, DropReason::TooMuch),
        5002
    );
}
