//! Names that were known stay known, and who is known to have left stays away.

use p2pchat_protocol::ChatList;

use super::hostile::{name, net_of, request, view};
use super::*;

fn joined(net: &Net, at: u8, who: u8) -> usize {
    let is_joined = |event: &&Event| matches!(event, Event::MemberJoined { member, .. } if member.address == addr(who));
    net.events(at).iter().filter(is_joined).count()
}

#[test]
fn people_who_went_offline_keep_their_names() {
    let mut net = net_of(3);
    net.chat(2, 3);
    net.command(3, Command::Logout);
    net.command(1, Command::Refresh);
    assert_eq!(view(&net, 1).online.len(), 2);
    // User 2 does not know that user 3 has left, and lists them.
    net.request(2, 1);
    let asked = view(&net, 1).incoming.unwrap();
    assert_eq!(asked.members[0].name, Some(name("user3")));
    net.command(
        1,
        Command::Accept {
            conversation: OPEN,
            from: addr(2),
        },
    );
    let shown = view(&net, 1);
    let names: Vec<_> = shown
        .open()
        .members
        .iter()
        .map(|member| member.name)
        .collect();
    assert_eq!(names, [Some(name("user2")), Some(name("user3"))]);
}

#[test]
fn another_user_at_the_address_has_their_own_name() {
    let mut net = net_of(3);
    net.chat(1, 3);
    net.command(3, Command::Logout);
    net.online.insert(name("another"), addr(3));
    net.command(1, Command::Refresh);
    net.raw_contact(2, 1, request("user2", &[3]));
    let asked = view(&net, 1).incoming.unwrap();
    assert_eq!(asked.members[0].name, Some(name("another")));
}

#[test]
fn a_blocked_name_counts_also_after_its_user_went_offline() {
    let mut net = net_of(3);
    net.chat(1, 2);
    let who = Target::Name(name("user3"));
    net.command(1, Command::Block { who });
    net.command(3, Command::Logout);
    net.command(1, Command::Refresh);
    net.raw_contact(
        2,
        1,
        Contact::Notify {
            newcomer: addr(3),
            members: [addr(3)].into_iter().collect(),
        },
    );
    assert_eq!(members(&net, 1), [addr(2)]);
}

#[test]
fn who_is_known_to_have_left_does_not_come_back_when_another_is_asked() {
    let mut net = net_of(5);
    net.chat(1, 2);
    net.chat(1, 3);
    net.advance(Duration::from_secs(60));
    // User 1 learns that user 3 has left, and user 2 does not.
    net.command(3, Command::Leave { conversation: OPEN });
    net.command(3, Command::Logout);
    net.say(1, "hello");
    assert_eq!(members(&net, 1), [addr(2)]);
    assert_eq!(members(&net, 2), [addr(1), addr(3)]);
    for (wait, newcomer) in [(0, 4), (1000, 5)] {
        net.advance(Duration::from_secs(wait));
        net.chat(1, newcomer);
        net.advance(Duration::from_secs(15));
        assert_eq!(joined(&net, 1, 3), 1, "after {wait} s");
    }
    // But they may be asked again.
    let login = Command::login(name("user3"), password());
    net.command(3, login);
    net.chat(1, 3);
    net.advance(Duration::from_secs(15));
    net.assert_one_group(&[1, 2, 3, 4, 5]);
}

#[test]
fn a_stranger_whose_packet_has_no_name_is_named_by_the_registry() {
    let mut net = net_of(3);
    net.raw_contact(
        2,
        1,
        Contact::Notify {
            newcomer: addr(3),
            members: ChatList::default(),
        },
    );
    net.advance(Duration::from_secs(6));
    let dropped = view(&net, 1).dropped;
    assert_eq!(dropped.len(), 1);
    assert_eq!(dropped[0].name, Some(name("user2")));
}
