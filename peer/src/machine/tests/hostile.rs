//! What those who mean harm achieve, and those who are blocked.

use std::net::Ipv4Addr;

use p2pchat_model::{BlockChange, Dropped, PeerAddr, Username, View, Why};
use p2pchat_protocol::ChatList;

use super::super::Input;
use super::*;

fn name(text: &str) -> Username {
    text.parse().unwrap()
}

fn view(net: &Net, at: u8) -> View {
    let mut view = View::default();
    net.events(at).iter().for_each(|event| view.apply(event));
    view
}

/// Machines that know all names.
fn net_of(count: u8) -> Net {
    let mut net = Net::with_users(count);
    (1..=count).for_each(|at| net.command(at, Command::Refresh));
    net
}

fn block(net: &mut Net, at: u8, who: Target) {
    net.command(at, Command::Block { who });
}

/// The counts of what was dropped, after the user has asked for them.
fn dropped(net: &mut Net, at: u8) -> Vec<Dropped> {
    net.command(at, Command::Refresh);
    view(net, at).dropped
}

fn count(net: &mut Net, at: u8, tried: Tried, why: Why) -> u64 {
    let dropped = dropped(net, at);
    let wanted = dropped
        .iter()
        .filter(|known| (known.tried, known.why) == (tried, why));
    wanted.map(|known| known.count).sum()
}

fn request(from: &str, members: &[u8]) -> Contact {
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
fn whoever_is_blocked_is_turned_away_without_a_word() {
    for who in [Target::Name(name("user2")), Target::Address(addr(2))] {
        let mut net = net_of(3);
        block(&mut net, 1, who);
        assert_eq!(view(&net, 1).blocked, [who]);

        net.request(2, 1);
        assert_eq!(net.last_answer, Some(ChatAnswer::Rejected));
        net.raw_text(2, 1, "let me in");
        net.raw_contact(
            2,
            1,
            Contact::Notify {
                newcomer: addr(9),
                members: ChatList::default(),
            },
        );
        let before = view(&net, 1);
        assert_eq!((before.incoming, before.members.len()), (None, 0));
        assert!(
            !before
                .lines
                .iter()
                .any(|line| format!("{line:?}").contains("let me in")),
            "{:?}",
            before.lines
        );
        for tried in [Tried::Request, Tried::Text, Tried::Notify] {
            assert_eq!(count(&mut net, 1, tried, Why::Blocked), 1, "{tried:?}");
        }
        assert_eq!(view(&net, 1).lines, before.lines, "a count is no line");

        // Others get through as ever.
        net.chat(3, 1);
        assert_eq!(members(&net, 1), [addr(3)]);
    }
}

#[test]
fn a_blocked_name_counts_from_wherever_it_is_said() {
    let mut net = net_of(2);
    block(&mut net, 1, Target::Name(name("mallory")));
    net.raw_contact(2, 1, request("mallory", &[]));
    assert_eq!(net.last_answer, Some(ChatAnswer::Rejected));
    assert_eq!(view(&net, 1).incoming, None);
    net.chat(1, 2);
    net.raw_text_as(2, 1, "mallory", "it is me");
    net.raw_text_as(2, 1, "user2", "honestly");
    assert_eq!(texts(&net, 1), ["honestly"]);
}

#[test]
fn who_is_blocked_while_in_the_chat_is_out_at_once_and_stays_out() {
    let mut net = net_of(3);
    net.chat(1, 2);
    net.chat(1, 3);
    net.assert_one_group(&[1, 2, 3]);
    block(&mut net, 1, Target::Name(name("user3")));
    assert_eq!(members(&net, 1), [addr(2)]);
    assert!(net.events(1).iter().any(|event| matches!(
        event,
        Event::MemberLeft { member, reason: Gone::Blocked, .. } if member.address == addr(3)
    )));
    // Others still have him, and tell of him.
    net.raw_contact(
        2,
        1,
        Contact::Notify {
            newcomer: addr(3),
            members: [addr(3)].into_iter().collect(),
        },
    );
    net.say(3, "still here");
    assert_eq!(members(&net, 1), [addr(2)]);
    assert_eq!(texts(&net, 1), [] as [&str; 0]);
    assert!(count(&mut net, 1, Tried::Newcomer, Why::Blocked) > 0);

    net.say(1, "without three");
    assert_eq!(texts(&net, 2).last().unwrap(), "without three");
    assert_eq!(texts(&net, 3), [] as [&str; 0]);
}

#[test]
fn blocking_whoever_asks_or_is_asked_ends_the_request() {
    let mut net = net_of(2);
    net.request(2, 1);
    assert!(view(&net, 1).incoming.is_some());
    block(&mut net, 1, Target::Address(addr(2)));
    assert_eq!(view(&net, 1).incoming, None);
    assert_eq!(net.last_answer, Some(ChatAnswer::Rejected));

    net.command(
        1,
        Command::Unblock {
            who: Target::Address(addr(2)),
        },
    );
    net.request(1, 2);
    block(&mut net, 1, Target::Name(name("user2")));
    assert_eq!(view(&net, 1).outgoing, []);
    assert_eq!(net.refusal(1), Some(Unanswered::Blocked));
    // His answer comes too late.
    net.command(2, Command::Accept { from: addr(1) });
    assert_eq!(members(&net, 1), []);
}

#[test]
fn whom_the_user_blocked_he_cannot_ask_until_he_unblocks() {
    let mut net = net_of(2);
    let who = Target::Name(name("user2"));
    block(&mut net, 1, who);
    for to in [who, Target::Address(addr(2))] {
        net.command(1, Command::Request { to });
    }
    block(&mut net, 1, Target::Name(name("away")));
    net.command(
        1,
        Command::Request {
            to: Target::Name(name("away")),
        },
    );
    assert_eq!(failures(&net, 1), [Problem::Blocked; 3]);
    let said = net.events(1).iter().rev().find_map(|event| match event {
        Event::Failed { failure, .. } => Some(failure.message.clone()),
        _ => None,
    });
    assert!(said.as_ref().unwrap().contains("/unblock away"), "{said:?}");

    net.command(1, Command::Unblock { who });
    net.command(1, Command::Unblock { who });
    assert_eq!(failures(&net, 1).last(), Some(&Problem::NotBlocked));
    net.chat(1, 2);
    assert_eq!(members(&net, 1), [addr(2)]);
}

#[test]
fn nobody_blocks_himself_and_the_list_has_an_end() {
    let mut net = net_of(1);
    block(&mut net, 1, Target::Name(name("user1")));
    block(&mut net, 1, Target::Address(addr(1)));
    assert_eq!(failures(&net, 1), [Problem::Oneself; 2]);
    for n in 0..1000 {
        block(&mut net, 1, Target::Name(name(&format!("n{n}"))));
    }
    assert_eq!(failures(&net, 1).len(), 2);
    block(&mut net, 1, Target::Name(name("onemore")));
    block(&mut net, 1, Target::Name(name("n7")));
    assert_eq!(failures(&net, 1)[2..], [Problem::TooMuch]);
    assert_eq!(view(&net, 1).blocked.len(), 1000);
}

#[test]
fn who_takes_a_blocked_name_later_is_out_as_soon_as_the_registry_says_so() {
    let mut net = net_of(1);
    net.add(2);
    block(&mut net, 1, Target::Name(name("user2")));
    // Without a name so far.
    net.request(1, 2);
    net.raw_contact(2, 1, request("other", &[]));
    assert!(view(&net, 1).incoming.is_some());
    let register = Command::Register {
        name: name("user2"),
        password: password(),
    };
    net.command(2, register);
    net.command(1, Command::Refresh);
    assert_eq!(view(&net, 1).incoming, None);
    assert_eq!(view(&net, 1).outgoing, []);
}

#[test]
fn the_list_belongs_to_the_account_and_is_told_at_login() {
    let mut net = net_of(1);
    let who = Target::Name(name("mallory"));
    block(&mut net, 1, who);
    net.command(1, Command::Logout);
    assert_eq!(view(&net, 1).blocked, []);
    let register = Command::Register {
        name: name("second"),
        password: password(),
    };
    net.command(1, register);
    assert_eq!(view(&net, 1).blocked, []);
    net.command(1, Command::Logout);
    let login = Command::Login {
        name: name("user1"),
        password: password(),
    };
    net.command(1, login);
    assert_eq!(view(&net, 1).blocked, [who]);
    let changes = net.events(1).iter().filter_map(|event| match event {
        Event::Blocks { change, .. } => Some(*change),
        _ => None,
    });
    let changes: Vec<_> = changes.collect();
    assert_eq!(changes, [None, Some(BlockChange::Blocked(who)), None, None]);
}

#[test]
fn a_member_brings_in_only_so_many_of_whom_nothing_was_heard() {
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
    // The one who brings them, and 64 by his word.
    assert_eq!(members(&net, 1).len(), 65);
    assert_eq!(count(&mut net, 1, Tried::Newcomer, Why::TooMuch), 2000 - 64);
    let lines = view(&net, 1).lines.len();
    assert!(lines < 90, "{lines} lines about it");

    // Somebody whom the user himself lets in has room.
    net.chat(3, 1);
    assert!(members(&net, 1).contains(&addr(3)));
}

#[test]
fn those_who_were_heard_make_room_for_others() {
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
fn addresses_that_nobody_on_the_network_can_have_are_not_taken_in() {
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
    assert_eq!(count(&mut net, 1, Tried::Newcomer, Why::Malformed), 3);
}

#[test]
fn who_asks_again_and_again_gets_busy_and_is_counted() {
    let mut net = net_of(3);
    for _ in 0..1000 {
        net.request(2, 1);
        net.command(1, Command::Reject { from: addr(2) });
    }
    let asked = |net: &Net| {
        let received = |event: &&Event| matches!(event, Event::RequestReceived(_));
        net.events(1).iter().filter(received).count()
    };
    assert_eq!(asked(&net), 3);
    assert_eq!(net.last_answer, Some(ChatAnswer::Busy));
    assert_eq!(count(&mut net, 1, Tried::Request, Why::TooMuch), 997);

    // Somebody else is not in his way.
    net.request(3, 1);
    assert_eq!(asked(&net), 4);
    net.command(1, Command::Reject { from: addr(3) });
    // And after a while he may ask once more.
    net.advance(Duration::from_secs(21));
    net.request(2, 1);
    net.request(2, 1);
    assert_eq!(asked(&net), 5);
}

#[test]
fn who_was_accepted_may_ask_as_often_as_he_comes_and_goes() {
    let mut net = net_of(2);
    for _ in 0..10 {
        net.chat(2, 1);
        assert_eq!(members(&net, 1), [addr(2)]);
        net.command(1, Command::Leave);
        net.command(2, Command::Leave);
    }
}

#[test]
fn strangers_at_addresses_without_number_are_counted_and_do_not_fill_the_screen() {
    let mut net = net_of(1);
    let lines = view(&net, 1).lines.len();
    for last in 2..=250 {
        for _ in 0..4 {
            net.raw_text_as(last, 1, "mallory", "psst");
        }
    }
    let shown = view(&net, 1).lines.len() - lines;
    assert!(shown < 70, "{shown} lines");
    assert_eq!(count(&mut net, 1, Tried::Text, Why::Stranger), 249 * 4);
}

#[test]
fn a_flood_between_two_reports_is_told_by_its_last_power_of_ten() {
    let mut net = net_of(1);
    let flood = |count| Input::Dropped {
        from: Some(addr(2)),
        tried: Tried::Connection,
        why: Why::TooMuch,
        count,
    };
    net.input(addr(1), flood(5000));
    net.input(addr(1), flood(2));
    assert_eq!(view(&net, 1).dropped[0].count, 1000);
    assert_eq!(count(&mut net, 1, Tried::Connection, Why::TooMuch), 5002);
}
