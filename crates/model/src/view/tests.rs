use super::*;
use p2pchat_protocol::OnlineUser;

use crate::event::{BlockChange, JoinedBy, Problem, Snapshot};
use crate::line::Level;
use crate::message::{Delivery, DeliveryState, LeaveReason, MessageId};
use crate::time::Timestamp;

const OPEN: ConversationId = ConversationId::OPEN;

fn address(last: u8) -> PeerAddr {
    format!("10.0.0.{last}").parse().unwrap()
}

fn name(name: &str) -> Username {
    name.parse().unwrap()
}

fn person(who: &str, last: u8) -> Person {
    Person::listed(address(last), Some(name(who)))
}

fn user(who: &str, last: u8) -> User {
    let (name, address) = (name(who), address(last));
    OnlineUser { name, address }.into()
}

fn message(id: u64, own: bool) -> Message {
    Message {
        conversation: OPEN,
        id: MessageId::new(id),
        at: Timestamp(id),
        from: person("bob", 2),
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
    view.open()
        .lines
        .iter()
        .filter_map(|line| line.message_id().map(MessageId::number))
        .collect()
}

#[test]
fn a_member_who_joins_twice_is_listed_once_and_gone_after_leaving() {
    let mut view = logged_in("alice");
    for _ in 0..2 {
        view.apply(&Event::MemberJoined {
            conversation: OPEN,
            at: Timestamp(1),
            member: person("bob", 2),
            by: JoinedBy::AcceptedUs,
        });
    }
    assert_eq!(view.open().members, [person("bob", 2)]);
    view.apply(&Event::MemberLeft {
        conversation: OPEN,
        at: Timestamp(2),
        member: person("bob", 2),
        reason: LeaveReason::Unreachable,
    });
    assert!(view.open().members.is_empty());
    assert_eq!(view.open().out_of_reach, [person("bob", 2)]);
    assert!(!view.open().is_alone(), "they may come back");
    assert_eq!(
        view.open().lines.last(),
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
            conversation: OPEN,
            at,
            member,
            by: JoinedBy::Back,
        },
        Event::MemberLeft {
            conversation: OPEN,
            at,
            member,
            reason: LeaveReason::Refused,
        },
        Event::MemberLeft {
            conversation: OPEN,
            at,
            member,
            reason: LeaveReason::GivenUp,
        },
        Event::ChatLeft {
            conversation: OPEN,
            at,
        },
        Event::LoggedOut { at, problem: None },
    ] {
        let mut view = logged_in("alice");
        view.apply(&Event::MemberJoined {
            conversation: OPEN,
            at,
            member,
            by,
        });
        view.apply(&Event::MemberLeft {
            conversation: OPEN,
            at,
            member,
            reason: unreachable,
        });
        assert_eq!(view.open().out_of_reach, [member]);
        view.apply(&end);
        assert!(view.open().out_of_reach.is_empty(), "{end:?}");
        assert_eq!(view.open().is_alone(), view.open().members.is_empty());
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
        conversation: OPEN,
        message: MessageId::new(5),
        delivery,
    });
    let Some(Line::Message(shown)) = view.open().lines.last() else {
        panic!("the message is the last line");
    };
    assert_eq!(shown.deliveries, Some(vec![delivery]));
}

#[test]
fn history_goes_before_newer_lines_and_nothing_is_shown_twice() {
    let mut view = logged_in("alice");
    view.apply(&Event::Message(message(30, false)));
    view.apply(&Event::History {
        conversation: OPEN,
        before: None,
        messages: vec![message(10, false), message(20, true), message(30, false)],
        more: true,
    });
    assert_eq!(messages(&view), [10, 20, 30]);
    assert!(view.open().more_history);
    assert_eq!(view.open().oldest_message(), Some(MessageId::new(10)));
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
        assert!(view.open().bytes() < limit, "{id}: {}", view.open().bytes());
    }
    assert_eq!(messages(&view).last(), Some(&2499));
    assert!(view.open().more_history, "the rest is in the history");
    for page in (0..20).rev() {
        view.apply(&Event::History {
            conversation: OPEN,
            before: view.open().oldest_message(),
            messages: (page * 100..page * 100 + 100).map(to_many).collect(),
            more: true,
        });
        assert!(view.open().bytes() < View::MAX_BYTES + 100 * (to_many(1).size() + 100));
    }
    assert!(!view.open().more_history, "there is no room for more");
}

#[test]
fn a_copy_of_a_view_shares_its_messages_until_one_changes() {
    let mut view = logged_in("alice");
    view.apply(&Event::Message(message(1, true)));
    let copy = view.clone();
    let [Line::Message(one), Line::Message(other)] =
        [&view, &copy].map(|view| &view.open().lines[1])
    else {
        panic!("the second line is the message");
    };
    assert!(Arc::ptr_eq(one, other));
    view.apply(&Event::Delivered {
        conversation: OPEN,
        message: MessageId::new(1),
        delivery: Delivery {
            to: person("bob", 2),
            state: DeliveryState::Sent,
        },
    });
    let deliveries = [&view, &copy].map(|view| match &view.open().lines[1] {
        Line::Message(message) => message.deliveries.as_ref().map(Vec::len),
        Line::Post(_) | Line::Notice { .. } => None,
    });
    assert_eq!(deliveries, [Some(1), Some(0)]);
}

#[test]
fn the_conversation_is_bounded() {
    let mut view = logged_in("alice");
    for id in 0..View::MAX_LINES as u64 + 500 {
        view.apply(&Event::Message(message(id, false)));
    }
    assert!(view.open().lines.len() <= View::MAX_LINES);
    assert_eq!(
        messages(&view).last(),
        Some(&(View::MAX_LINES as u64 + 499))
    );
    assert!(view.open().more_history);
}

#[test]
fn people_get_their_names_from_the_registry() {
    let mut view = logged_in("alice");
    view.apply(&Event::MemberJoined {
        conversation: OPEN,
        at: Timestamp(1),
        member: Person::listed(address(2), None),
        by: JoinedBy::WithGroup,
    });
    view.apply(&Event::RequestSent(OutgoingRequest {
        conversation: OPEN,
        at: Timestamp(1),
        to: Person::listed(address(2), None),
        expires: Timestamp(60_001),
    }));
    view.apply(&Event::Online {
        users: vec![user("alice", 1), user("bob", 2)],
    });
    assert_eq!(view.open().members, [person("bob", 2)]);
    assert_eq!(view.outgoing[0].to, person("bob", 2));
    assert_eq!(view.others().count(), 1);
}

#[test]
fn a_later_list_checks_the_name_of_a_pending_request() {
    let mut view = logged_in("alice");
    view.apply(&Event::RequestReceived(IncomingRequest {
        conversation: OPEN,
        at: Timestamp(1),
        from: Person {
            check: NameCheck::Unknown,
            ..person("bob", 2)
        },
        members: Vec::new(),
        expires: Timestamp(60_001),
    }));
    let check_with = |view: &mut View, who: &str| {
        let users = vec![user(who, 2)];
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
        conversation: OPEN,
        before: None,
        messages: (1..=4).map(same_moment).collect(),
        more: false,
    });
    assert_eq!(messages(&view), [1, 2, 3, 4]);
}

fn page(before: Option<u64>, ids: std::ops::RangeInclusive<u64>, more: bool) -> Event {
    Event::History {
        conversation: OPEN,
        before: before.map(MessageId::new),
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
    assert_eq!(view.open().oldest_message(), Some(MessageId::new(901)));
    assert!(view.open().more_history, "51 to 900 can still be read");
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
    assert!(!view.open().more_history);
    assert_eq!(messages(&view), Vec::from_iter(1..=100));
}

#[test]
fn a_newest_page_far_behind_the_lines_replaces_them() {
    let mut view = logged_in("alice");
    view.apply(&page(None, 1..=50, false));
    view.apply(&page(None, 901..=1000, true));
    assert_eq!(messages(&view), Vec::from_iter(901..=1000));
    assert!(view.open().more_history);
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
    let blocks_later = |list: &[Target], who| Event::Blocks {
        at: Timestamp(9000),
        list: list.to_vec(),
        change: Some(BlockChange::Blocked(who)),
    };
    let blocked = blocks(&[bob], BlockChange::Blocked(bob));
    let unblocked = blocks(&[], BlockChange::Unblocked(bob));
    let joined = Event::MemberJoined {
        conversation: OPEN,
        at,
        member: person("cem", 3),
        by: JoinedBy::Back,
    };
    let logged_out = Event::LoggedOut { at, problem: None };

    let mut view = logged_in("alice");
    view.apply(&Event::ChatLeft {
        conversation: OPEN,
        at,
    });
    let what = Undoable::Left(OPEN);
    assert_eq!(view.undo, Some(Undo { what, until }));
    view.apply(&joined);
    assert_eq!(view.undo, None, "it is done, or another chat has begun");

    view.apply(&blocked);
    let what = Undoable::Blocked(bob);
    assert_eq!(view.undo, Some(Undo { what, until }));
    view.apply(&joined);
    assert!(view.undo.is_some(), "the block is as it was");
    view.apply(&blocks_later(&[bob], bob));
    let undo = view.undo.unwrap();
    assert_eq!(undo.until, until, "nothing has changed since");
    view.apply(&unblocked);
    assert_eq!(view.undo, None);

    view.apply(&blocked);
    view.apply(&logged_out);
    assert_eq!(view.undo, None);
}

fn notices(view: &View) -> Vec<&str> {
    let lines = view.open().lines.iter();
    lines
        .filter_map(|line| match line {
            Line::Notice { text, .. } => Some(text.as_str()),
            Line::Message(_) | Line::Post(_) => None,
        })
        .collect()
}

#[test]
fn an_event_changes_its_conversation_alone() {
    let mut view = logged_in("alice");
    let other: ConversationId = "team-7".parse().unwrap();
    view.conversations.push(Conversation::new(other));
    let before = view.open().clone();
    let at = Timestamp(1);
    let bob = person("bob", 2);
    let by = JoinedBy::AcceptedUs;
    for event in [
        Event::MemberJoined {
            conversation: other,
            at,
            member: bob,
            by,
        },
        Event::Message(Message {
            conversation: other,
            ..message(3, false)
        }),
        Event::Draft {
            conversation: other,
            text: "hm".to_owned(),
        },
    ] {
        view.apply(&event);
    }
    assert_eq!(view.open(), &before);
    let changed = view.conversation(other).unwrap();
    assert_eq!(changed.members, [bob]);
    assert_eq!(changed.newest_message(), Some(MessageId::new(3)));
    assert_eq!(changed.lines.len(), 2, "the notice is there too");
    assert_eq!(changed.draft, "hm");
}

#[test]
fn an_event_of_an_unknown_conversation_changes_nothing() {
    let mut view = logged_in("alice");
    let before = view.clone();
    view.apply(&Event::Message(Message {
        conversation: "elsewhere".parse().unwrap(),
        ..message(3, false)
    }));
    view.apply(&Event::Read {
        conversation: "elsewhere".parse().unwrap(),
        message: MessageId::new(3),
    });
    assert_eq!(view, before);
}

#[test]
fn what_was_read_stays_read_and_own_messages_are_not_counted() {
    let read = |message| Event::Read {
        conversation: OPEN,
        message: MessageId::new(message),
    };
    let mut view = logged_in("alice");
    for id in 1..=4 {
        view.apply(&Event::Message(message(id, id == 3)));
    }
    assert_eq!(view.open().unread(), 3);
    view.apply(&read(2));
    assert_eq!(view.open().unread(), 1);
    view.apply(&read(4));
    view.apply(&read(1));
    assert_eq!(view.open().read, Some(MessageId::new(4)), "it goes on only");
    assert_eq!(view.open().unread(), 0);
}

#[test]
fn a_draft_is_replaced_and_belongs_to_the_account() {
    let draft = |text: &str| Event::Draft {
        conversation: OPEN,
        text: text.to_owned(),
    };
    let mut view = logged_in("alice");
    view.apply(&draft("lunch at"));
    view.apply(&draft("lunch at noon?"));
    view.apply(&Event::LoggedOut {
        at: Timestamp(1),
        problem: None,
    });
    assert_eq!(view.open().draft, "lunch at noon?");
    view.apply(&Event::LoggedIn {
        at: Timestamp(2),
        name: name("eve"),
    });
    assert_eq!(view.open().draft, "");
}

#[test]
fn a_view_replaces_all_that_was_known() {
    let mut view = logged_in("alice");
    view.apply(&Event::Message(message(1, false)));
    let mut now = logged_in("eve");
    now.apply(&Event::Message(message(7, true)));
    let snapshot = Snapshot {
        version: 2,
        missed: 3,
        view: now.clone(),
    };
    view.apply(&Event::View(Box::new(snapshot)));
    assert_eq!(view, now);
}

#[test]
fn the_newest_lines_are_kept_and_older_messages_are_in_the_history() {
    let mut view = logged_in("alice");
    for id in 1..=5 {
        view.apply(&Event::Message(message(id, false)));
    }
    assert_eq!(view.with_newest_lines(100), view);
    let cut = view.with_newest_lines(2);
    assert_eq!(messages(&cut), [4, 5]);
    assert!(cut.open().more_history);
    // The page before is the one that joins on.
    let mut cut = cut;
    cut.apply(&page(Some(4), 1..=3, false));
    assert_eq!(messages(&cut), [1, 2, 3, 4, 5]);

    let only_the_notice = view.with_newest_lines(5);
    assert_eq!(notices(&view), ["signed in as alice"]);
    assert_eq!(notices(&only_the_notice), [""; 0]);
    assert!(
        !only_the_notice.open().more_history,
        "no message is left out"
    );
}

#[test]
fn the_newest_lines_leave_all_else_as_it_is() {
    let mut view = logged_in("alice");
    view.apply(&Event::Online {
        users: vec![user("alice", 1), user("bob", 2)],
    });
    view.apply(&Event::MemberJoined {
        conversation: OPEN,
        at: Timestamp(1),
        member: person("bob", 2),
        by: JoinedBy::AcceptedUs,
    });
    view.apply(&Event::ChatLeft {
        conversation: OPEN,
        at: Timestamp(1),
    });
    view.apply(&Event::Busy { on: true });
    view.apply(&Event::Read {
        conversation: OPEN,
        message: MessageId::new(1),
    });
    let mut cut = view.with_newest_lines(0);
    assert!(cut.open().lines.is_empty());
    cut.conversations = view.conversations.clone();
    assert_eq!(cut, view);
}

#[test]
fn a_failure_is_a_line_of_who_asked() {
    let mut view = logged_in("alice");
    let failure = crate::event::Failure::new(Timestamp(1), "say", Problem::NobodyThere);
    let event = Event::Failed(failure);
    assert!(event.is_private());
    view.apply(&event);
    assert!(notices(&view)[1].starts_with("not sent: "));
}
