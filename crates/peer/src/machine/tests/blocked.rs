//! Blocked peers, and what they achieve.

use p2pchat_model::{BlockChange, DropReason};
use p2pchat_protocol::ChatList;

use super::hostile::{block, count, name, net_of, request, view};
use super::*;

#[test]
fn a_blocked_peer_is_turned_away_silently() {
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
        assert_eq!((&before.incoming, before.open().members.len()), (&None, 0));
        assert!(
            !before
                .open()
                .lines
                .iter()
                .any(|line| format!("{line:?}").contains("let me in")),
            "{:?}",
            before.open().lines
        );
        for tried in [DropKind::Request, DropKind::Text, DropKind::Notify] {
            assert_eq!(
                count(&mut net, 1, tried, DropReason::Blocked),
                1,
                "{tried:?}"
            );
        }
        assert_eq!(
            view(&net, 1).open().lines,
            before.open().lines,
            "a count is no line"
        );

        // Others get through as before.
        net.chat(3, 1);
        assert_eq!(members(&net, 1), [addr(3)]);
    }
}

#[test]
fn a_blocked_name_counts_at_every_address() {
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
fn a_blocked_member_is_out_at_once_and_stays_out() {
    let mut net = net_of(3);
    net.chat(1, 2);
    net.chat(1, 3);
    net.assert_one_group(&[1, 2, 3]);
    block(&mut net, 1, Target::Name(name("user3")));
    assert_eq!(members(&net, 1), [addr(2)]);
    assert!(net.events(1).iter().any(|event| matches!(
        event,
        Event::MemberLeft { member, reason: LeaveReason::Blocked, .. } if member.address == addr(3)
    )));
    // The others still have the blocked member, and tell of it.
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
    assert!(count(&mut net, 1, DropKind::Newcomer, DropReason::Blocked) > 0);

    net.say(1, "without three");
    assert_eq!(texts(&net, 2).last().unwrap(), "without three");
    assert_eq!(texts(&net, 3), [] as [&str; 0]);
}

#[test]
fn blocking_a_peer_ends_requests_from_it_and_to_it() {
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
    assert_eq!(net.refusal(1), Some(RequestFailure::Blocked));
    // The answer comes too late.
    net.command(
        2,
        Command::Accept {
            conversation: OPEN,
            from: addr(1),
        },
    );
    assert_eq!(members(&net, 1), []);
}

#[test]
fn a_blocked_peer_cannot_be_asked_until_it_is_unblocked() {
    let mut net = net_of(2);
    let who = Target::Name(name("user2"));
    block(&mut net, 1, who);
    for to in [who, Target::Address(addr(2))] {
        net.command(
            1,
            Command::Request {
                conversation: OPEN,
                to,
            },
        );
    }
    block(&mut net, 1, Target::Name(name("away")));
    net.command(
        1,
        Command::Request {
            conversation: OPEN,
            to: Target::Name(name("away")),
        },
    );
    assert_eq!(failures(&net, 1), [Problem::Blocked; 3]);
    let said = net.events(1).iter().rev().find_map(|event| match event {
        Event::Failed(failure) => Some(failure.message.clone()),
        _ => None,
    });
    assert!(said.as_ref().unwrap().contains("unblock away"), "{said:?}");

    net.command(1, Command::Unblock { who });
    net.command(1, Command::Unblock { who });
    assert_eq!(failures(&net, 1).last(), Some(&Problem::NotBlocked));
    net.chat(1, 2);
    assert_eq!(members(&net, 1), [addr(2)]);
}

#[test]
fn users_cannot_block_themselves_and_the_list_is_bounded() {
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
fn a_peer_that_takes_a_blocked_name_is_out_as_soon_as_the_registry_lists_it() {
    let mut net = net_of(1);
    net.add(2);
    block(&mut net, 1, Target::Name(name("user2")));
    // Without a name so far.
    net.request(1, 2);
    net.raw_contact(2, 1, request("other", &[]));
    assert!(view(&net, 1).incoming.is_some());
    let register = Command::register(name("user2"), password());
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
    let register = Command::register(name("second"), password());
    net.command(1, register);
    assert_eq!(view(&net, 1).blocked, []);
    net.command(1, Command::Logout);
    let login = Command::login(name("user1"), password());
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
fn another_account_does_not_bring_back_a_blocked_user() {
    let mut net = net_of(2);
    block(&mut net, 1, Target::Name(name("user2")));
    for also in ["another", "zed"] {
        net.online.insert(name(also), addr(2));
    }
    net.command(1, Command::Refresh);
    for said in ["another", "zed"] {
        net.raw_contact(2, 1, request(said, &[]));
        assert_eq!(net.last_answer.take(), Some(ChatAnswer::Rejected), "{said}");
    }
    assert_eq!(view(&net, 1).incoming, None);
}
