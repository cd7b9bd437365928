//! Unreachable members, and what it takes for a chat to go on.

use std::time::Duration;

use p2pchat_model::{Command, DeliveryState, Event, LeaveReason, Problem, Undo};

use super::net::{Net, OPEN, addr, members};
use super::{failures, last_delivery, texts};

#[test]
fn an_unreachable_member_is_shown_and_comes_back_by_itself() {
    let mut net = Net::with_users(3);
    net.chat(1, 2);
    net.chat(1, 3);
    net.unreachable.insert(addr(3));
    net.say(1, "one");
    assert_eq!(members(&net, 1), [addr(2)]);
    assert!(net.events(1).iter().any(|event| matches!(
        event,
        Event::MemberLeft { member, reason: LeaveReason::Unreachable, .. } if member.address == addr(3)
    )));
    net.unreachable.clear();
    net.say(1, "two");
    assert_eq!(texts(&net, 3), ["two"]);
    net.assert_one_group(&[1, 2, 3]);
}

#[test]
fn a_member_who_has_taken_a_text_is_not_sent_a_refused_one_again() {
    let mut net = Net::with_users(2);
    net.chat(1, 2);
    net.say(1, "one");
    net.command(2, Command::Leave { conversation: OPEN });
    net.say(1, "two");
    net.advance(Undo::LIMIT);
    assert_eq!(
        last_delivery(&net, 1),
        DeliveryState::Failed(LeaveReason::Refused)
    );
    assert_eq!(members(&net, 1), []);
    net.chat(2, 1);
    net.advance(Duration::from_secs(10));
    assert_eq!(texts(&net, 2), ["one"]);
}

#[test]
fn two_members_who_lost_each_other_go_on_with_the_next_text() {
    let mut net = Net::with_users(2);
    net.chat(1, 2);
    net.unreachable.extend([addr(1), addr(2)]);
    net.say(1, "one");
    net.say(2, "two");
    net.say(1, "three");
    for at in [1, 2] {
        assert_eq!(members(&net, at), []);
        let lost = DeliveryState::Failed(LeaveReason::Unreachable);
        assert_eq!(last_delivery(&net, at), lost);
    }
    assert!(failures(&net, 1).is_empty(), "it is tried");
    net.unreachable.clear();
    net.say(2, "four");
    assert_eq!(texts(&net, 1), ["four"]);
    assert_eq!(last_delivery(&net, 2), DeliveryState::Sent);
    net.say(1, "five");
    assert_eq!(texts(&net, 2), ["five"]);
    net.assert_one_group(&[1, 2]);
}

#[test]
fn a_member_who_is_unreachable_for_long_is_given_up() {
    let mut net = Net::with_users(2);
    net.chat(1, 2);
    net.unreachable.insert(addr(2));
    net.say(1, "one");
    net.advance(Duration::from_secs(601));
    let given_up = |event: &Event| matches!(event, Event::MemberLeft { member, reason: LeaveReason::GivenUp, .. } if member.address == addr(2));
    assert_eq!(
        net.events(1).iter().filter(|event| given_up(event)).count(),
        1
    );
    net.say(1, "two");
    assert_eq!(failures(&net, 1), [Problem::NobodyThere]);
}

#[test]
fn a_user_can_leave_a_chat_with_unreachable_members() {
    let mut net = Net::with_users(2);
    net.chat(1, 2);
    net.unreachable.insert(addr(2));
    net.say(1, "one");
    net.command(1, Command::Leave { conversation: OPEN });
    assert!(matches!(net.events(1).last(), Some(Event::ChatLeft { .. })));
    net.say(1, "two");
    assert_eq!(failures(&net, 1), [Problem::NobodyThere]);
}
