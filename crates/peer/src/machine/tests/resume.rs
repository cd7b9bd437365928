//! A program that goes on with the view of one that has ended, and what others notice of it.

use p2pchat_model::{JoinedBy, View};

use super::hostile::{name, view};
use super::*;

fn login(user: u8) -> Command {
    Command::login(name(&format!("user{user}")), password())
}

/// Ends the program of user 1 without a word, and goes on with what its front end saw.
fn take_over(net: &mut Net) -> View {
    let seen = net.events(1).len();
    let before = view(net, 1);
    net.take_over(1, &before);
    let told: Vec<_> = net.events(1)[seen..].iter().collect();
    let is_link = |event: &&&Event| matches!(event, Event::Link(_));
    assert_eq!(told.len(), told.iter().filter(is_link).count(), "{told:?}");
    before
}

fn link(net: &Net) -> Link {
    view(net, 1).link
}

#[test]
fn a_chat_goes_on_before_the_password_is_given_and_after() {
    let mut net = Net::with_users(4);
    net.chat(1, 2);
    net.chat(1, 3);
    net.say(1, "one");
    net.say(2, "two");
    net.command(1, Command::Busy { on: true });
    let before = take_over(&mut net);
    assert_eq!(link(&net), Link::PasswordNeeded);
    let hellos = net.hellos(1);

    net.say(1, "three");
    net.say(3, "four");
    for at in [2, 3] {
        assert_eq!(
            texts(&net, at).last().unwrap(),
            if at == 2 { "four" } else { "three" }
        );
    }
    assert_eq!(texts(&net, 1), ["two", "four"]);
    assert_eq!(last_delivery(&net, 1), DeliveryState::Sent);
    let newest = view(&net, 1).open().newest_message();
    assert!(newest > before.open().newest_message(), "ids continue");
    net.request(4, 1);
    assert_eq!(net.last_answer, Some(ChatAnswer::Busy), "as before");
    net.advance(Duration::from_secs(61));
    assert!(net.hellos(1) >= hellos + 4, "hellos go on");

    let joined = |net: &Net| {
        let events = net.events(1).iter();
        events
            .filter(|event| matches!(event, Event::MemberJoined { .. }))
            .count()
    };
    let before = joined(&net);
    net.command(1, login(1));
    assert_eq!(link(&net), Link::Up);
    assert_eq!(joined(&net), before, "no one is announced again");
    net.say(1, "five");
    assert_eq!(texts(&net, 2).last().unwrap(), "five");
    net.assert_one_group(&[1, 2, 3]);
    net.command(1, Command::Busy { on: false });
    net.chat(1, 4);
    net.assert_one_group(&[1, 2, 3, 4]);
}

#[test]
fn only_the_password_of_the_account_renews_the_session() {
    let mut net = Net::with_users(3);
    net.chat(1, 2);
    net.command(1, Command::Refresh);
    take_over(&mut net);
    let register = Command::register(name("user1"), password());
    for command in [login(3), register] {
        net.command(1, command);
        assert_eq!(failures(&net, 1).last(), Some(&Problem::AlreadyLoggedIn));
    }
    let search = Command::Search {
        name: name("user3"),
    };
    for command in [Command::Refresh, search] {
        net.command(1, command);
        assert_eq!(failures(&net, 1).last(), Some(&Problem::NotLoggedIn));
    }
    let wrong = Command::login(name("user1"), "wrong".parse().unwrap());
    net.command(1, wrong);
    assert_eq!(failures(&net, 1).last(), Some(&Problem::WrongCredentials));
    assert_eq!(view(&net, 1).account, Some(name("user1")));
    assert_eq!(link(&net), Link::PasswordNeeded);
    net.say(1, "still here");
    assert_eq!(texts(&net, 2), ["still here"]);
    // Who was online is known, if not asked for again.
    let to = Target::Name(name("user3"));
    net.command(
        1,
        Command::Request {
            conversation: OPEN,
            to,
        },
    );
    net.command(
        3,
        Command::Accept {
            conversation: OPEN,
            from: addr(1),
        },
    );
    net.assert_one_group(&[1, 2, 3]);
    net.command(1, login(1));
    assert_eq!(link(&net), Link::Up);
    let failed = failures(&net, 1).len();
    net.command(1, Command::Refresh);
    assert_eq!(failures(&net, 1).len(), failed);
    net.command(1, login(1));
    assert_eq!(failures(&net, 1).last(), Some(&Problem::AlreadyLoggedIn));
}

#[test]
fn a_link_that_breaks_meanwhile_needs_the_password_again() {
    let mut net = Net::with_users(2);
    net.chat(1, 2);
    take_over(&mut net);
    net.restart_registry();
    net.advance(Duration::from_secs(5));
    assert_eq!(link(&net), Link::PasswordNeeded);
    assert!(!net.is_online(1));
    net.registry_is_silent = true;
    net.command(1, login(1));
    net.advance(Duration::from_secs(20));
    assert_eq!(failures(&net, 1), [Problem::RegistryUnreachable]);
    net.registry_is_silent = false;
    net.advance(Duration::from_secs(30));
    assert_eq!(link(&net), Link::PasswordNeeded);
    // A password that is wrong, and given while there is no link.
    net.registry_is_up = false;
    net.restart_registry();
    let wrong = Command::login(name("user1"), "wrong".parse().unwrap());
    net.command(1, wrong.clone());
    net.registry_is_up = true;
    net.command(1, wrong);
    assert_eq!(failures(&net, 1).last(), Some(&Problem::WrongCredentials));
    assert_eq!(link(&net), Link::PasswordNeeded);
    net.say(2, "still there?");
    assert_eq!(texts(&net, 1), ["still there?"]);
    net.command(1, login(1));
    assert!(net.is_online(1));
    assert_eq!(link(&net), Link::Up);
}

#[test]
fn a_logout_ends_what_was_taken_over() {
    let mut net = Net::with_users(2);
    net.chat(1, 2);
    take_over(&mut net);
    net.command(1, Command::Logout);
    assert_eq!(view(&net, 1).account, None);
    assert!(!net.is_online(1));
    net.say(2, "still there?");
    net.advance(Duration::from_secs(20));
    assert_eq!(members(&net, 2), []);
    net.command(1, login(1));
    assert_eq!(view(&net, 1).account, Some(name("user1")));
}

#[test]
fn requests_and_undos_of_the_program_that_ended_are_gone() {
    let mut net = Net::with_users(4);
    net.chat(1, 2);
    net.request(1, 3);
    net.request(4, 1);
    take_over(&mut net);
    let answer = |from| Command::Accept {
        conversation: OPEN,
        from,
    };
    net.command(1, answer(addr(4)));
    net.command(1, Command::Undo);
    let cancel = Command::Cancel {
        conversation: OPEN,
        to: addr(3),
    };
    net.command(1, cancel);
    assert_eq!(
        failures(&net, 1),
        [
            Problem::NoSuchRequest,
            Problem::NothingToUndo,
            Problem::NoSuchRequest
        ]
    );
    // They may be made again.
    net.request(1, 3);
    net.request(4, 1);
    assert_eq!(failures(&net, 1).len(), 3);
}

#[test]
fn members_who_were_lost_are_tried_again_and_names_stay() {
    let mut net = Net::with_users(3);
    net.chat(1, 2);
    net.chat(1, 3);
    net.command(1, Command::Refresh);
    net.command(3, Command::Logout);
    net.command(1, Command::Refresh);
    net.unreachable.insert(addr(3));
    net.say(1, "anyone?");
    assert_eq!(view(&net, 1).open().out_of_reach.len(), 1);
    take_over(&mut net);
    net.unreachable.clear();
    net.command(3, login(3));
    net.say(1, "back?");
    net.advance(Duration::from_secs(20));
    // They have logged out, and refuse it: they are given up with the name they had.
    let left = net.events(1).iter().rev().find_map(|event| match event {
        Event::MemberLeft { member, reason, .. } => Some((member.name, *reason)),
        _ => None,
    });
    assert_eq!(left, Some((Some(name("user3")), LeaveReason::Refused)));
    assert_eq!(members(&net, 1), [addr(2)]);
}

#[test]
fn who_lost_us_meanwhile_gets_us_back_with_the_next_text() {
    let mut net = Net::with_users(3);
    net.chat(1, 2);
    net.chat(1, 3);
    let before = view(&net, 1);
    net.unreachable.insert(addr(1));
    net.say(2, "are you there?");
    assert_eq!(members(&net, 2), [addr(3)]);
    net.take_over(1, &before);
    net.unreachable.clear();
    // User 3 noticed nothing, and tells of a newcomer, which user 2 has met too.
    net.add_user(4);
    net.chat(3, 4);
    net.advance(Duration::from_secs(5));
    assert_eq!(members(&net, 1), [addr(2), addr(3), addr(4)]);
    net.say(1, "I am back");
    net.advance(Duration::from_secs(5));
    net.assert_one_group(&[1, 2, 3, 4]);
    for at in 2..=4 {
        assert_eq!(texts(&net, at).last().unwrap(), "I am back");
    }
    let back = net.events(2).iter().any(|event| {
        matches!(event, Event::MemberJoined { member, by: JoinedBy::Back, .. }
            if member.address == addr(1))
    });
    assert!(back);
}

#[test]
fn a_text_of_a_member_who_gave_us_up_is_one_of_a_stranger_there_and_the_loss_is_shown_here() {
    let mut net = Net::with_users(2);
    net.chat(1, 2);
    let before = view(&net, 1);
    net.unreachable.insert(addr(1));
    net.say(2, "are you there?");
    net.advance(Duration::from_secs(700));
    net.take_over(1, &before);
    net.unreachable.clear();
    net.say(1, "I am back");
    net.advance(Duration::from_secs(20));
    assert_eq!(members(&net, 1), []);
    assert_eq!(
        last_delivery(&net, 1),
        DeliveryState::Failed(LeaveReason::Refused)
    );
}

#[test]
fn a_block_that_was_stored_and_not_shown_is_carried_out() {
    let mut net = Net::with_users(3);
    net.chat(1, 2);
    net.chat(1, 3);
    net.command(1, Command::Refresh);
    let before = view(&net, 1);
    let who = Target::Name(name("user2"));
    net.take_over_with(1, &before, [(name("user1"), who)]);
    let is_removed = |event: &Event| {
        matches!(event, Event::MemberLeft { member, reason: LeaveReason::Blocked, .. }
            if member.address == addr(2))
    };
    assert!(net.events(1).iter().any(is_removed));
    assert_eq!(members(&net, 1), [addr(3)]);
    net.say(2, "hello");
    assert_eq!(texts(&net, 1), [] as [&str; 0]);
}

#[test]
fn without_an_account_there_is_nothing_to_go_on_with_but_the_busy_switch() {
    let mut net = Net::with_users(1);
    net.command(1, Command::Busy { on: true });
    net.command(1, Command::Logout);
    take_over(&mut net);
    assert_eq!(link(&net), Link::Up);
    assert_eq!(net.hellos(1), 1);
    net.command(1, login(1));
    assert_eq!(view(&net, 1).account, Some(name("user1")));
    assert!(view(&net, 1).busy);
}

#[test]
fn ids_continue_where_the_clock_has_gone_back() {
    let mut net = Net::with_users(2);
    net.chat(1, 2);
    net.advance(Duration::from_secs(100));
    net.say(1, "late");
    let before = view(&net, 1);
    net.set_back(Duration::from_secs(50));
    net.take_over(1, &before);
    net.say(1, "later");
    assert!(view(&net, 1).open().newest_message() > before.open().newest_message());
}
