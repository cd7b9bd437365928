//! A leave or a block taken back, and what others notice of it.

use p2pchat_model::{BlockChange, JoinedBy, PeerAddr, Undo, Undoable};
use p2pchat_protocol::ChatList;

use super::hostile::{block, name, net_of, view};
use super::*;

/// Just within the time of an undo.
const IN_TIME: Duration = Duration::from_secs(9);
/// Just within the time for which a text is kept.
const KEPT: Duration = Duration::from_secs(2);

fn back(net: &Net, at: u8) -> Vec<PeerAddr> {
    let back = net.events(at).iter().filter_map(|event| match event {
        Event::MemberJoined {
            member,
            by: JoinedBy::Back,
            ..
        } => Some(member.address),
        _ => None,
    });
    back.collect()
}

#[test]
fn a_leave_is_taken_back_and_nobody_noticed_it() {
    let mut net = net_of(3);
    net.chat(1, 2);
    net.chat(1, 3);
    net.say(2, "one");
    net.command(1, Command::Leave { conversation: OPEN });
    assert_eq!(view(&net, 1).undo.unwrap().what, Undoable::Left(OPEN));
    net.advance(IN_TIME - KEPT);
    net.say(2, "two");
    net.say(3, "three");
    net.advance(KEPT);
    assert_eq!(texts(&net, 1), ["one"], "nothing is shown");
    assert_eq!(members(&net, 2), [addr(1), addr(3)], "nobody is lost");

    net.command(1, Command::Undo);
    assert_eq!(back(&net, 1), [addr(2), addr(3)]);
    assert_eq!(view(&net, 1).undo, None);
    assert_eq!(texts(&net, 1), ["one", "two", "three"]);
    assert_eq!(last_delivery(&net, 3), DeliveryState::Sent);
    net.assert_one_group(&[1, 2, 3]);
    net.say(1, "I am back");
    assert_eq!(texts(&net, 3).last().unwrap(), "I am back");

    net.command(1, Command::Undo);
    assert_eq!(failures(&net, 1), [Problem::NothingToUndo]);
}

#[test]
fn whose_text_has_waited_too_long_learns_of_the_leave_and_the_others_are_back() {
    let mut net = net_of(3);
    net.chat(1, 2);
    net.chat(1, 3);
    net.say(2, "hello");
    net.command(1, Command::Leave { conversation: OPEN });
    net.say(2, "still there?");
    net.say(2, "bye");
    net.advance(KEPT * 2);
    // Before the program of user 2 takes it for sent.
    assert_eq!(
        last_delivery(&net, 2),
        DeliveryState::Failed(LeaveReason::Refused)
    );
    assert_eq!(members(&net, 2), [addr(3)]);
    assert_eq!(members(&net, 3), [addr(1), addr(2)]);
    net.command(1, Command::Undo);
    assert_eq!(back(&net, 1), [addr(3)]);
    assert_eq!(texts(&net, 1), ["hello"]);
}

#[test]
fn after_ten_seconds_a_leave_is_one() {
    let mut net = net_of(3);
    net.chat(1, 2);
    net.chat(1, 3);
    net.say(2, "hello");
    net.command(1, Command::Leave { conversation: OPEN });
    net.say(2, "still there?");
    net.advance(Undo::LIMIT);
    assert_eq!(
        last_delivery(&net, 2),
        DeliveryState::Failed(LeaveReason::Refused)
    );
    assert_eq!(members(&net, 2), [addr(3)]);
    net.command(1, Command::Undo);
    assert_eq!(failures(&net, 1), [Problem::NothingToUndo]);
    assert_eq!(members(&net, 1), []);
    assert_eq!(texts(&net, 1), ["hello"]);
}

#[test]
fn what_members_tell_of_newcomers_counts_after_an_undo() {
    let mut net = net_of(4);
    net.chat(1, 2);
    net.chat(1, 3);
    net.command(1, Command::Leave { conversation: OPEN });
    net.chat(2, 4);
    net.say(4, "hello all");
    net.command(1, Command::Undo);
    net.advance(Duration::from_secs(5));
    net.assert_one_group(&[1, 2, 3, 4]);
    assert_eq!(texts(&net, 1), ["hello all"]);
}

#[test]
fn a_new_chat_ends_the_undo_of_a_leave() {
    let mut net = net_of(3);
    net.chat(1, 2);
    net.say(2, "hello");
    net.command(1, Command::Leave { conversation: OPEN });
    net.say(2, "where are you?");
    net.chat(3, 1);
    assert_eq!(view(&net, 1).undo, None);
    assert_eq!(members(&net, 2), [], "the text was refused");
    net.command(1, Command::Undo);
    assert_eq!(failures(&net, 1), [Problem::NothingToUndo]);
    net.assert_one_group(&[1, 3]);
}

#[test]
fn a_member_who_is_asked_again_after_a_leave_has_not_lost_a_text() {
    let mut net = net_of(2);
    net.chat(1, 2);
    net.say(2, "one");
    net.command(1, Command::Leave { conversation: OPEN });
    net.say(2, "two");
    net.request(1, 2);
    net.advance(Duration::from_secs(2));
    net.assert_one_group(&[1, 2]);
    assert_eq!(texts(&net, 1), ["one", "two"]);
}

#[test]
fn a_block_is_taken_back_with_the_member_that_it_removed() {
    let mut net = net_of(3);
    net.chat(1, 2);
    net.chat(1, 3);
    let who = Target::Name(name("user2"));
    net.say(2, "one");
    block(&mut net, 1, who);
    assert_eq!(view(&net, 1).undo.unwrap().what, Undoable::Blocked(who));
    assert_eq!(members(&net, 1), [addr(3)]);
    net.advance(IN_TIME - KEPT);
    net.say(2, "two");
    net.say(1, "not for two");
    net.advance(KEPT);
    assert_eq!(texts(&net, 1), ["one"]);
    assert_eq!(members(&net, 2), [addr(1), addr(3)]);

    net.command(1, Command::Undo);
    let shown = view(&net, 1);
    assert_eq!((shown.blocked, shown.undo), (Vec::new(), None));
    assert_eq!(back(&net, 1), [addr(2)]);
    assert_eq!(texts(&net, 1), ["one", "two"]);
    assert_eq!(texts(&net, 2), [] as [&str; 0]);
    net.assert_one_group(&[1, 2, 3]);
    let last = net.events(1).iter().rev().find_map(|event| match event {
        Event::Blocks { change, .. } => *change,
        _ => None,
    });
    assert_eq!(last, Some(BlockChange::Unblocked(who)));
}

#[test]
fn an_unblock_within_the_time_is_the_same_as_an_undo() {
    let mut net = net_of(2);
    net.chat(1, 2);
    let who = Target::Address(addr(2));
    block(&mut net, 1, who);
    net.command(1, Command::Unblock { who });
    net.assert_one_group(&[1, 2]);
}

#[test]
fn the_blocked_are_refused_once_it_is_too_late() {
    let mut net = net_of(2);
    net.chat(1, 2);
    net.say(2, "hello");
    let who = Target::Address(addr(2));
    block(&mut net, 1, who);
    net.say(2, "still there?");
    net.advance(Undo::LIMIT);
    assert_eq!(members(&net, 2), []);
    assert_eq!(texts(&net, 1), ["hello"]);
    net.command(1, Command::Unblock { who });
    assert_eq!(members(&net, 1), []);
}

#[test]
fn blocking_again_offers_no_undo_of_the_first_block() {
    let mut net = net_of(1);
    let who = Target::Name(name("mallory"));
    block(&mut net, 1, who);
    net.advance(Undo::LIMIT);
    block(&mut net, 1, who);
    net.command(1, Command::Undo);
    assert_eq!(failures(&net, 1), [Problem::NothingToUndo]);
    assert_eq!(view(&net, 1).blocked, [who]);
}

#[test]
fn only_the_last_of_leave_and_block_is_taken_back() {
    let mut net = net_of(3);
    net.chat(1, 2);
    net.say(2, "hello");
    net.command(1, Command::Leave { conversation: OPEN });
    net.say(2, "hello?");
    block(&mut net, 1, Target::Name(name("user3")));
    assert_eq!(members(&net, 2), [], "the text was refused");
    net.command(1, Command::Undo);
    net.command(1, Command::Undo);
    assert_eq!(failures(&net, 1), [Problem::NothingToUndo]);
    assert_eq!(members(&net, 1), []);
}

#[test]
fn a_logout_ends_the_undo() {
    let mut net = net_of(2);
    net.chat(1, 2);
    net.say(2, "hello");
    net.command(1, Command::Leave { conversation: OPEN });
    net.say(2, "hello?");
    net.command(1, Command::Logout);
    assert_eq!(members(&net, 2), [], "the text was refused");
    let login = Command::login(name("user1"), password());
    net.command(1, login);
    net.command(1, Command::Undo);
    assert_eq!(failures(&net, 1), [Problem::NothingToUndo]);
}

#[test]
fn unreachable_members_are_so_again_after_an_undo() {
    let mut net = net_of(3);
    net.chat(1, 2);
    net.chat(1, 3);
    net.unreachable.insert(addr(3));
    net.say(1, "one");
    net.command(1, Command::Leave { conversation: OPEN });
    net.command(1, Command::Undo);
    let shown = view(&net, 1);
    assert_eq!(members(&net, 1), [addr(2)]);
    assert_eq!(shown.open().out_of_reach[0].address, addr(3));
    net.unreachable.clear();
    net.say(1, "two");
    net.assert_one_group(&[1, 2, 3]);
}

#[test]
fn what_is_kept_for_an_undo_is_bounded() {
    let mut net = net_of(2);
    net.chat(1, 2);
    net.command(1, Command::Leave { conversation: OPEN });
    for _ in 0..1000 {
        net.raw_contact(
            2,
            1,
            Contact::Notify {
                newcomer: addr(9),
                members: ChatList::default(),
            },
        );
        net.raw_text(2, 1, "spam");
    }
    net.command(1, Command::Undo);
    assert_eq!(texts(&net, 1).len(), 128);
}
