use super::*;
use crate::event::JoinedBy;
use crate::line::Level;
use crate::message::{DeliveryState, LeaveReason};
use crate::person::{NameCheck, Speaker};
use crate::time::Timestamp;

fn address(last: u8) -> PeerAddr {
    format!("10.0.0.{last}").parse().unwrap()
}

fn name(name: &str) -> Username {
    name.parse().unwrap()
}

fn person(who: &str, last: u8) -> Person {
    Person {
        address: address(last),
        name: Some(name(who)),
    }
}

fn message(id: u64, own: bool) -> Message {
    Message {
        id: MessageId(id),
        at: Timestamp(id),
        from: Speaker {
            name: name("bob"),
            address: address(2),
            check: NameCheck::Confirmed,
        },
        text: format!("text {id}"),
        deliveries: own.then(Vec::new),
    }
}

fn logged_in(who: &str) -> View {
    let mut view = View::default();
    view.apply(&Event::LoggedIn {
        at: Timestamp(0),
        name: name(who),
    });
    view
}

fn messages(view: &View) -> Vec<u64> {
    view.lines
        .iter()
        .filter_map(|line| line.message_id().map(|id| id.0))
        .collect()
}

#[test]
fn a_member_who_joins_twice_is_listed_once_and_gone_after_leaving() {
    let mut view = logged_in("alice");
    for _ in 0..2 {
        view.apply(&Event::MemberJoined {
            at: Timestamp(1),
            member: person("bob", 2),
            by: JoinedBy::AcceptedUs,
        });
    }
    assert_eq!(view.members, [person("bob", 2)]);
    view.apply(&Event::MemberLeft {
        at: Timestamp(2),
        member: person("bob", 2),
        reason: LeaveReason::Unreachable,
    });
    assert!(view.members.is_empty());
    assert_eq!(view.out_of_reach, [person("bob", 2)]);
    assert!(!view.is_alone(), "they may come back");
    assert_eq!(
        view.lines.last(),
        Some(&Line::Notice {
            at: Timestamp(2),
            level: Level::Warning,
            text: "bob is offline and may miss messages; your next message tries again".to_owned()
        })
    );
}

#[test]
fn an_unreachable_member_is_kept_until_they_are_back_or_gone() {
    let at = Timestamp(1);
    let member = person("bob", 2);
    let by = JoinedBy::AcceptedUs;
    let unreachable = LeaveReason::Unreachable;
    for end in [
        Event::MemberJoined {
            at,
            member,
            by: JoinedBy::Back,
        },
        Event::MemberLeft {
            at,
            member,
            reason: LeaveReason::Refused,
        },
        Event::MemberLeft {
            at,
            member,
            reason: LeaveReason::GivenUp,
        },
        Event::ChatLeft { at },
        Event::LoggedOut { at, problem: None },
    ] {
        let mut view = logged_in("alice");
        view.apply(&Event::MemberJoined { at, member, by });
        view.apply(&Event::MemberLeft {
            at,
            member,
            reason: unreachable,
        });
        assert_eq!(view.out_of_reach, [member]);
        view.apply(&end);
        assert!(view.out_of_reach.is_empty(), "{end:?}");
        assert_eq!(view.is_alone(), view.members.is_empty());
    }
}

#[test]
fn a_delivery_status_is_stored_with_its_message() {
    let mut view = logged_in("alice");
    view.apply(&Event::Message(message(5, true)));
    let delivery = Delivery {
        to: person("bob", 2),
        state: DeliveryState::Failed(LeaveReason::Refused),
    };
    view.apply(&Event::Delivered {
        id: MessageId(5),
        delivery,
    });
    let Some(Line::Message(shown)) = view.lines.last() else {
        panic!("the message is the last line");
    };
    assert_eq!(shown.deliveries, Some(vec![delivery]));
}

#[test]
fn history_goes_before_newer_lines_and_nothing_is_shown_twice() {
    let mut view = logged_in("alice");
    view.apply(&Event::Message(message(30, false)));
    view.apply(&Event::History {
        before: None,
        messages: vec![message(10, false), message(20, true), message(30, false)],
        more: true,
    });
    assert_eq!(messages(&view), [10, 20, 30]);
    assert!(view.more_history);
    assert_eq!(view.oldest_message(), Some(MessageId(10)));
}

#[test]
fn another_account_does_not_see_the_conversation_of_the_first() {
    let mut view = logged_in("alice");
    view.apply(&Event::Message(message(1, true)));
    view.apply(&Event::LoggedOut {
        at: Timestamp(2),
        problem: None,
    });
    assert_eq!(messages(&view), [1]);
    view.apply(&Event::LoggedIn {
        at: Timestamp(3),
        name: name("eve"),
    });
    assert_eq!(messages(&view), [] as [u64; 0]);
}

#[test]
fn the_conversation_is_bounded_in_bytes_too() {
    // To a group of a thousand: some 100 MB, if all of them stayed.
    let deliveries = vec![
        Delivery {
            to: person("bob", 2),
            state: DeliveryState::Sent,
        };
        1000
    ];
    let to_many = |id| Message {
        deliveries: Some(deliveries.clone()),
        text: "x".repeat(16 * 1024),
        ..message(id, true)
    };
    let mut view = logged_in("alice");
    for id in 1..2500 {
        view.apply(&Event::Message(to_many(id)));
        let limit = View::MAX_BYTES + View::WEIGH_EVERY * (to_many(id).size() + 100);
        assert!(view.bytes() < limit, "{id}: {}", view.bytes());
    }
    assert_eq!(messages(&view).last(), Some(&2499));
    assert!(view.more_history, "the rest is in the history");
    for page in (0..20).rev() {
        view.apply(&Event::History {
            before: view.oldest_message(),
            messages: (page * 100..page * 100 + 100).map(to_many).collect(),
            more: true,
        });
        assert!(view.bytes() < View::MAX_BYTES + 100 * (to_many(1).size() + 100));
    }
    assert!(!view.more_history, "there is no room for more");
}

#[test]
fn a_copy_of_a_view_shares_its_messages_until_one_changes() {
    let mut view = logged_in("alice");
    view.apply(&Event::Message(message(1, true)));
    let copy = view.clone();
    let [Line::Message(one), Line::Message(other)] = [&view, &copy].map(|view| &view.lines[1])
    else {
        panic!("the second line is the message");
    };
    assert!(Arc::ptr_eq(one, other));
    view.apply(&Event::Delivered {
        id: MessageId(1),
        delivery: Delivery {
            to: person("bob", 2),
            state: DeliveryState::Sent,
        },
    });
    let deliveries = [&view, &copy].map(|view| match &view.lines[1] {
        Line::Message(message) => message.deliveries.as_ref().map(Vec::len),
        Line::Notice { .. } => None,
    });
    assert_eq!(deliveries, [Some(1), Some(0)]);
}

#[test]
fn the_conversation_is_bounded() {
    let mut view = logged_in("alice");
    for id in 0..View::MAX_LINES as u64 + 500 {
        view.apply(&Event::Message(message(id, false)));
    }
    assert!(view.lines.len() <= View::MAX_LINES);
    assert_eq!(
        messages(&view).last(),
        Some(&(View::MAX_LINES as u64 + 499))
    );
    assert!(view.more_history);
}

#[test]
fn members_get_their_names_from_the_registry() {
    let mut view = logged_in("alice");
    view.apply(&Event::MemberJoined {
        at: Timestamp(1),
        member: Person {
            address: address(2),
            name: None,
        },
        by: JoinedBy::WithGroup,
    });
    view.apply(&Event::Online {
        users: vec![
            OnlineUser {
                name: name("alice"),
                address: address(1),
            },
            OnlineUser {
                name: name("bob"),
                address: address(2),
            },
        ],
    });
    assert_eq!(view.members, [person("bob", 2)]);
    assert_eq!(view.others().count(), 1);
}

#[test]
fn a_later_list_checks_the_name_of_a_pending_request() {
    let mut view = logged_in("alice");
    view.apply(&Event::RequestReceived(IncomingRequest {
        at: Timestamp(1),
        from: Speaker {
            name: name("bob"),
            address: address(2),
            check: NameCheck::Unknown,
        },
        members: Vec::new(),
        expires: Timestamp(60_001),
    }));
    let check_with = |view: &mut View, who: &str| {
        let users = vec![OnlineUser {
            name: name(who),
            address: address(2),
        }];
        view.apply(&Event::Online { users });
        view.incoming.as_ref().unwrap().from.check
    };
    assert_eq!(check_with(&mut view, "mallory"), NameCheck::Differs);
    assert_eq!(check_with(&mut view, "bob"), NameCheck::Confirmed);
}

#[test]
fn messages_of_the_same_millisecond_keep_their_order() {
    let mut view = logged_in("alice");
    let same_moment = |id| Message {
        at: Timestamp(10),
        ..message(id, false)
    };
    view.apply(&Event::Message(same_moment(4)));
    view.apply(&Event::History {
        before: None,
        messages: (1..=4).map(same_moment).collect(),
        more: false,
    });
    assert_eq!(messages(&view), [1, 2, 3, 4]);
}

fn page(before: Option<u64>, ids: std::ops::RangeInclusive<u64>, more: bool) -> Event {
    Event::History {
        before: before.map(MessageId),
        messages: ids.map(|id| message(id, false)).collect(),
        more,
    }
}

#[test]
fn a_page_that_does_not_join_on_changes_nothing() {
    let mut view = logged_in("alice");
    view.apply(&page(Some(51), 1..=50, false));
    assert_eq!(messages(&view), [] as [u64; 0], "there is nothing to join");
    view.apply(&page(None, 901..=1000, true));
    view.apply(&page(Some(51), 1..=50, false));
    assert_eq!(view.oldest_message(), Some(MessageId(901)));
    assert!(view.more_history, "51 to 900 can still be read");
    view.apply(&page(Some(901), 801..=900, true));
    view.apply(&page(Some(901), 801..=900, true));
    assert_eq!(messages(&view), Vec::from_iter(801..=1000));
    view.apply(&page(Some(851), 751..=850, true));
    assert_eq!(messages(&view), Vec::from_iter(751..=1000));
}

#[test]
fn a_page_of_what_is_there_does_not_change_whether_there_is_more() {
    let mut view = logged_in("alice");
    view.apply(&page(None, 1..=100, false));
    view.apply(&page(Some(80), 40..=79, true));
    view.apply(&page(None, 51..=100, true));
    assert!(!view.more_history);
    assert_eq!(messages(&view), Vec::from_iter(1..=100));
}

#[test]
fn a_newest_page_far_behind_the_lines_replaces_them() {
    let mut view = logged_in("alice");
    view.apply(&page(None, 1..=50, false));
    view.apply(&page(None, 901..=1000, true));
    assert_eq!(messages(&view), Vec::from_iter(901..=1000));
    assert!(view.more_history);
}

#[test]
fn a_leave_and_a_block_can_be_undone_until_that_has_no_meaning() {
    let at = Timestamp(5000);
    let until = Timestamp(15_000);
    let bob = Target::Name(name("bob"));
    let blocks = |list: &[Target], change| Event::Blocks {
        at,
        list: list.to_vec(),
        change: Some(change),
    };
    let blocked = blocks(&[bob], BlockChange::Blocked(bob));
    let unblocked = blocks(&[], BlockChange::Unblocked(bob));
    let joined = Event::MemberJoined {
        at,
        member: person("cem", 3),
        by: JoinedBy::Back,
    };
    let logged_out = Event::LoggedOut { at, problem: None };

    let mut view = logged_in("alice");
    view.apply(&Event::ChatLeft { at });
    let what = Undoable::Left;
    assert_eq!(view.undo, Some(Undo { what, until }));
    view.apply(&joined);
    assert_eq!(view.undo, None, "it is done, or another chat has begun");

    view.apply(&blocked);
    let what = Undoable::Blocked(bob);
    assert_eq!(view.undo, Some(Undo { what, until }));
    view.apply(&joined);
    assert!(view.undo.is_some(), "the block is as it was");
    view.apply(&unblocked);
    assert_eq!(view.undo, None);

    view.apply(&blocked);
    view.apply(&logged_out);
    assert_eq!(view.undo, None);
}
