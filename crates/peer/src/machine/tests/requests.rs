//! Chat requests: withdrawn, crossing, missed, and from those who are in the chat already.

use p2pchat_model::{DropReason, JoinedBy};

use super::hostile::{block, count, name, net_of, request, view};
use super::*;

fn missed(net: &Net, at: u8) -> usize {
    let is_missed = |event: &&Event| matches!(event, Event::RequestMissed { .. });
    net.events(at).iter().filter(is_missed).count()
}

fn outcome(net: &Net, at: u8) -> Option<Outcome> {
    net.events(at).iter().rev().find_map(|event| match event {
        Event::RequestClosed { outcome, .. } => Some(*outcome),
        _ => None,
    })
}

#[test]
fn a_withdrawn_request_is_gone_at_once_on_both_sides() {
    let (to, who) = (addr(2), Target::Address(addr(2)));
    for (withdraw, refusal) in [
        (
            Command::Cancel {
                conversation: OPEN,
                to,
            },
            Some(RequestFailure::Cancelled),
        ),
        (Command::Block { who }, Some(RequestFailure::Blocked)),
        (Command::Logout, None),
    ] {
        let mut net = net_of(2);
        net.request(1, 2);
        assert!(view(&net, 2).incoming.is_some());
        net.command(1, withdraw);
        assert_eq!(view(&net, 1).outgoing, []);
        assert_eq!(net.refusal(1), refusal);
        assert_eq!(view(&net, 2).incoming, None);
        assert_eq!(outcome(&net, 2), Some(Outcome::Withdrawn));
        net.command(
            2,
            Command::Accept {
                conversation: OPEN,
                from: addr(1),
            },
        );
        assert_eq!(failures(&net, 2), [Problem::NoSuchRequest]);
        assert_eq!(members(&net, 2), []);
    }
}

#[test]
fn there_is_nothing_to_cancel_once_it_is_answered() {
    let mut net = net_of(2);
    net.chat(1, 2);
    net.command(
        1,
        Command::Cancel {
            conversation: OPEN,
            to: addr(2),
        },
    );
    assert_eq!(failures(&net, 1), [Problem::NoSuchRequest]);
    net.assert_one_group(&[1, 2]);
}

#[test]
fn a_leave_withdraws_the_invitations_into_the_chat_and_keeps_what_was_asked_of_the_user() {
    let mut net = net_of(4);
    net.chat(1, 2);
    net.request(1, 3);
    net.request(4, 1);
    net.command(1, Command::Leave { conversation: OPEN });
    assert_eq!(view(&net, 1).outgoing, []);
    assert_eq!(view(&net, 3).incoming, None);
    // "Leave the others and chat with 4."
    net.command(
        1,
        Command::Accept {
            conversation: OPEN,
            from: addr(4),
        },
    );
    net.assert_one_group(&[1, 4]);
    assert_eq!(members(&net, 4), [addr(1)], "the others are not announced");
}

#[test]
fn an_expired_request_is_not_taken_for_a_rejected_one() {
    let mut net = net_of(2);
    net.request(1, 2);
    net.advance(Duration::from_secs(30));
    net.command(
        2,
        Command::Reject {
            conversation: OPEN,
            from: addr(1),
        },
    );
    assert_eq!(net.refusal(1), Some(RequestFailure::Rejected));
    net.request(1, 2);
    net.advance(Duration::from_secs(61));
    assert_eq!(net.refusal(1), Some(RequestFailure::NoAnswer));
    assert_eq!(outcome(&net, 2), Some(Outcome::Expired));
}

#[test]
fn requests_that_cross_are_one_chat_whatever_arrives_first() {
    for (first, second) in [(1, 2), (2, 1)] {
        let mut net = net_of(5);
        net.chat(1, 3);
        net.chat(2, 4);
        // Another request in the slot changes nothing, and neither does the busy switch.
        net.request(5, 1);
        net.command(2, Command::Busy { on: true });
        net.hold_requests = true;
        net.request(1, 2);
        net.request(2, 1);
        net.hold_requests = false;
        net.release_request(first);
        if net.held_requests() > 0 {
            net.release_request(second);
        }
        net.assert_one_group(&[1, 2, 3, 4]);
        for at in [1, 2] {
            let view = view(&net, at);
            assert_eq!(view.outgoing, []);
            assert_eq!(net.refusal(at), None);
        }
        assert_eq!(view(&net, 2).incoming, None);
        assert_eq!(view(&net, 1).incoming.unwrap().from.address, addr(5));
        net.say(1, "all here?");
        for at in 2..=4 {
            assert_eq!(texts(&net, at), ["all here?"]);
        }
    }
}

#[test]
fn a_request_to_who_asks_already_accepts_theirs() {
    let mut net = net_of(2);
    net.request(1, 2);
    let to = Target::Name(name("user1"));
    net.command(
        2,
        Command::Request {
            conversation: OPEN,
            to,
        },
    );
    net.assert_one_group(&[1, 2]);
    assert_eq!(outcome(&net, 2), Some(Outcome::Accepted));
    assert!(failures(&net, 2).is_empty());
}

#[test]
fn a_request_that_crosses_that_of_another_program_is_accepted_at_once() {
    // The other program knows nothing of crossing requests: it shows ours, and waits.
    let mut net = net_of(2);
    net.hold_requests = true;
    net.request(1, 2);
    net.raw_contact(2, 1, request("user2", &[]));
    assert_eq!(net.last_answer, Some(ChatAnswer::Accepted));
    assert_eq!(members(&net, 1), [addr(2)]);
    assert_eq!(net.held_requests(), 0, "ours is withdrawn");
    let joined = net.events(1).iter().filter_map(|event| match event {
        Event::MemberJoined { by, .. } => Some(*by),
        _ => None,
    });
    assert_eq!(joined.collect::<Vec<_>>(), [JoinedBy::AcceptedUs]);
}

#[test]
fn a_request_of_a_member_is_accepted_and_blocks_no_other() {
    let mut net = net_of(4);
    net.chat(1, 2);
    net.chat(1, 3);
    // Of which the others do not know.
    net.command(2, Command::Leave { conversation: OPEN });
    net.request(2, 1);
    net.advance(Duration::from_secs(3));
    net.assert_one_group(&[1, 2, 3]);
    assert_eq!(view(&net, 1).incoming, None);
    net.request(4, 1);
    assert!(view(&net, 1).incoming.is_some());
}

#[test]
fn another_user_at_the_address_of_a_member_is_a_question_for_the_user() {
    let mut net = net_of(2);
    net.chat(1, 2);
    net.raw_contact(2, 1, request("mallory", &[]));
    let incoming = view(&net, 1).incoming.unwrap();
    assert_eq!(incoming.from.name, Some(name("mallory")));
}

#[test]
fn another_user_at_the_address_that_was_asked_is_a_question_too() {
    let mut net = net_of(2);
    net.hold_requests = true;
    net.request(1, 2);
    net.raw_contact(2, 1, request("mallory", &[]));
    assert_eq!(members(&net, 1), []);
    let incoming = view(&net, 1).incoming.unwrap();
    assert_eq!(incoming.from.name, Some(name("mallory")));

    // And to ask the one is not to accept the other.
    net.command(
        1,
        Command::Cancel {
            conversation: OPEN,
            to: addr(2),
        },
    );
    let to = Target::Name(name("user2"));
    net.command(
        1,
        Command::Request {
            conversation: OPEN,
            to,
        },
    );
    assert_eq!(members(&net, 1), []);
    assert_eq!(net.held_requests(), 1);
}

#[test]
fn a_missed_request_is_told_unless_it_is_of_a_blocked_peer() {
    let mut net = net_of(4);
    block(&mut net, 1, Target::Name(name("user4")));
    net.request(2, 1);
    net.request(3, 1);
    net.request(4, 1);
    assert_eq!(missed(&net, 1), 1);
    net.command(
        1,
        Command::Reject {
            conversation: OPEN,
            from: addr(2),
        },
    );
    net.command(1, Command::Busy { on: true });
    net.request(2, 1);
    assert_eq!(missed(&net, 1), 2);
    let shown = view(&net, 1);
    let last = shown.open().lines.last().unwrap();
    assert!(format!("{last:?}").contains("user2"), "{last:?}");
}

#[test]
fn floods_of_requests_are_told_at_the_rate_at_which_they_are_shown() {
    let mut net = net_of(2);
    net.command(1, Command::Busy { on: true });
    for _ in 0..100 {
        net.request(2, 1);
    }
    assert_eq!(missed(&net, 1), 3);
    for last in 10..200 {
        net.raw_contact(last, 1, request("mallory", &[]));
    }
    assert_eq!(missed(&net, 1), 20);
    let dropped = count(&mut net, 1, DropKind::Request, DropReason::TooMuch);
    assert_eq!(dropped, 97 + 190 - 17);
}
