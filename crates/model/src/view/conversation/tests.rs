//! What becomes of the messages and members of an encrypted conversation.

use p2pchat_protocol::v2::PersonKey;

use super::*;
use crate::chat::{ChatChange, ChatKind, DatedChange};
use crate::conversation::ConversationId;
use crate::identity::Trust;
use crate::post::{PostState, Reaction, Receipt};
use crate::time::Timestamp;

fn team() -> ConversationId {
    ConversationId::encrypted(&[7; 32])
}

fn named(who: &str, digit: &str) -> Named {
    let key: PersonKey = digit.repeat(64).parse().unwrap();
    Named {
        key,
        name: who.parse().ok(),
        you: false,
    }
}

fn bob() -> Named {
    named("bob", "b")
}

fn carol() -> Named {
    named("carol", "c")
}

fn id(clock: u64) -> MessageId {
    MessageId::of_entry(clock, 5, 1)
}

fn post(clock: u64, from: Named) -> Post {
    Post {
        conversation: team(),
        id: id(clock),
        at: Timestamp(clock),
        came: None,
        from,
        state: PostState::Shown,
        text: format!("text {clock}"),
        edited: None,
        reply: None,
        reactions: Vec::new(),
        receipts: None,
    }
}

fn member(who: Named) -> Member {
    Member {
        who,
        asked: false,
        declined: false,
        owner: false,
        trust: None,
        typing: false,
        read: None,
    }
}

fn chat(members: &[Named]) -> Event {
    Event::Chat {
        conversation: team(),
        chat: Box::new(Chat {
            name: "Team".parse().unwrap(),
            members: members.iter().copied().map(member).collect(),
            ..Chat::new(ChatKind::Group)
        }),
    }
}

fn page(before: Option<u64>, clocks: impl Iterator<Item = u64>, more: bool) -> Event {
    Event::Posts {
        conversation: team(),
        before: before.map(id),
        posts: clocks.map(|clock| post(clock, bob())).collect(),
        changes: Vec::new(),
        more,
    }
}

/// A view with the group of bob and carol, and what followed.
fn view(events: impl IntoIterator<Item = Event>) -> View {
    let mut view = View::default();
    view.apply(&Event::LoggedIn {
        at: Timestamp(0),
        name: "alice".parse().unwrap(),
    });
    view.apply(&chat(&[bob(), carol()]));
    events.into_iter().for_each(|event| view.apply(&event));
    view
}

fn shown(view: &View) -> &Conversation {
    view.conversation(team()).unwrap()
}

/// The clocks of the messages, and 0 for a notice.
fn lines(view: &View) -> Vec<u64> {
    let lines = shown(view).lines.iter();
    lines
        .map(|line| line.message_id().map_or(0, MessageId::number))
        .collect()
}

fn of(view: &View, clock: u64) -> Post {
    let mut lines = shown(view).lines.iter();
    let found = lines.find(|line| line.message_id() == Some(id(clock)));
    match found {
        Some(Line::Post(post)) => (**post).clone(),
        other => panic!("{other:?}"),
    }
}

fn joined(at: u64) -> Event {
    Event::ChatChanged {
        conversation: team(),
        at: Timestamp(at),
        change: ChatChange::Joined(carol()),
    }
}

fn told(clock: u64) -> Event {
    Event::Post(Box::new(post(clock, bob())))
}

#[test]
fn at_first_a_conversation_has_its_newest_message_and_more_on_the_disk() {
    let view = view([told(30)]);
    assert_eq!(lines(&view), [30]);
    assert!(shown(&view).more_history);
    let mut none = View::default();
    none.apply(&told(30));
    assert_eq!(none.conversation(team()), None, "its chat comes first");
}

#[test]
fn a_late_message_stands_where_it_belongs() {
    let mut view = view([page(None, [10, 20, 40].into_iter(), false), told(30)]);
    assert_eq!(lines(&view), [10, 20, 30, 40]);
    view.apply(&told(50));
    view.apply(&told(5));
    assert_eq!(lines(&view), [5, 10, 20, 30, 40, 50], "nothing is older");
}

#[test]
fn of_two_at_the_same_time_the_writer_decides() {
    let other = Post {
        id: MessageId::of_entry(20, 4, 9),
        ..post(20, carol())
    };
    let ids = |view: &View| -> Vec<_> { shown(view).lines.iter().map(Line::message_id).collect() };
    let expected = [Some(id(10)), Some(other.id), Some(id(20)), Some(id(30))];
    let told = view([
        page(None, [10, 20, 30].into_iter(), false),
        Event::Post(Box::new(other.clone())),
    ]);
    assert_eq!(ids(&told), expected);
    let read = view([
        Event::Post(Box::new(other)),
        page(None, [10, 20, 30].into_iter(), false),
    ]);
    assert_eq!(ids(&read), expected);
}

#[test]
fn a_message_older_than_what_is_loaded_comes_with_its_page() {
    let mut view = view([told(300), told(5)]);
    assert_eq!(lines(&view), [300]);
    view.apply(&page(Some(300), (200..300).step_by(10), true));
    assert_eq!(shown(&view).oldest_message(), Some(id(200)));
    view.apply(&page(Some(200), [5, 100].into_iter(), false));
    assert_eq!(lines(&view)[..3], [5, 100, 200]);
    assert!(!shown(&view).more_history);
}

#[test]
fn a_message_that_comes_twice_is_shown_once_as_it_is_now() {
    let receipts = |delivered| {
        let to = bob();
        Some(vec![Receipt { to, delivered }])
    };
    let own = Post {
        receipts: receipts(false),
        ..post(20, named("alice", "a"))
    };
    let delivered = Post {
        receipts: receipts(true),
        ..own.clone()
    };
    let view = view([
        told(10),
        Event::Post(Box::new(own)),
        told(30),
        Event::Post(Box::new(delivered.clone())),
    ]);
    assert_eq!(lines(&view), [10, 20, 30]);
    assert_eq!(of(&view, 20), delivered);
}

#[test]
fn a_changed_message_is_replaced_and_one_that_is_not_here_is_not_added() {
    let edited = Post {
        text: "at one".to_owned(),
        edited: Some(Timestamp(25)),
        reactions: vec![Reaction {
            emoji: "👍".to_owned(),
            by: vec![carol()],
        }],
        ..post(10, bob())
    };
    let deleted = Post {
        state: PostState::Deleted,
        text: String::new(),
        ..post(10, bob())
    };
    let mut view = view([told(10), told(20)]);
    let before = view.clone();
    view.apply(&Event::PostChanged(Box::new(edited.clone())));
    assert_eq!(of(&view, 10), edited);
    assert_eq!(of(&before, 10), post(10, bob()), "a copy stays as it was");
    view.apply(&Event::PostChanged(Box::new(deleted.clone())));
    assert_eq!(of(&view, 10), deleted);
    view.apply(&Event::PostChanged(Box::new(post(15, bob()))));
    view.apply(&Event::PostChanged(Box::new(post(5, bob()))));
    view.apply(&Event::PostChanged(Box::new(post(25, bob()))));
    assert_eq!(lines(&view), [10, 20]);
}

#[test]
fn notices_stay_beside_the_messages_that_they_came_with() {
    let mut view = view([told(10), joined(11), joined(12), told(20)]);
    assert_eq!(lines(&view), [10, 0, 0, 20]);
    view.apply(&joined(21));
    view.apply(&told(15));
    view.apply(&told(30));
    assert_eq!(lines(&view), [10, 0, 0, 15, 20, 0, 30]);
}

#[test]
fn who_joined_meanwhile_stands_where_it_was_and_once() {
    let with_changes = |before, clocks: std::ops::Range<u64>, changes: &[u64], more| {
        let mut page = page(before, clocks.step_by(10), more);
        if let Event::Posts { changes: all, .. } = &mut page {
            let change = ChatChange::Joined(carol());
            all.extend(changes.iter().map(|at| DatedChange {
                at: Timestamp(*at),
                change,
            }));
        }
        page
    };
    let mut view = view([joined(25)]);
    view.apply(&with_changes(None, 20..50, &[25, 45], true));
    assert_eq!(
        lines(&view),
        [20, 0, 30, 40, 0],
        "it was told before its page came"
    );
    view.apply(&joined(35));
    assert_eq!(lines(&view), [20, 0, 30, 0, 40, 0], "late");
    view.apply(&joined(5));
    assert_eq!(lines(&view).len(), 6, "it comes with its page");
    view.apply(&with_changes(Some(20), 10..20, &[5, 15], false));
    assert_eq!(lines(&view), [0, 10, 0, 20, 0, 30, 0, 40, 0]);
    view.apply(&joined(1));
    assert_eq!(lines(&view).len(), 10, "nothing is older");
    view.apply(&joined(60));
    view.apply(&joined(60));
    view.apply(&told(55));
    assert_eq!(
        lines(&view)[8..],
        [40, 0, 55, 0],
        "a message that comes after it"
    );
}

#[test]
fn pages_go_before_what_is_here_and_those_that_do_not_join_on_are_dropped() {
    let mut view = view([told(1000)]);
    view.apply(&page(Some(500), 400..500, true));
    assert_eq!(lines(&view), [1000]);
    view.apply(&page(None, 901..=1000, true));
    view.apply(&joined(1001));
    view.apply(&page(Some(901), 801..901, true));
    view.apply(&page(Some(901), 801..901, true));
    let expected: Vec<u64> = (801..=1000).chain([0]).collect();
    assert_eq!(lines(&view), expected);
    assert!(shown(&view).more_history);
    view.apply(&page(Some(801), 1..801, false));
    assert_eq!(lines(&view).len(), 1001);
    assert!(!shown(&view).more_history);
}

#[test]
fn who_has_written_is_not_typing_any_more() {
    let typing = |who, on| Event::Typing {
        conversation: team(),
        who,
        on,
    };
    let now = |view: &View| {
        let chat = shown(view).chat.as_ref().unwrap();
        [0, 1].map(|at| chat.members[at].typing)
    };
    let mut view = view([typing(bob(), true), typing(carol(), true)]);
    assert_eq!(now(&view), [true, true]);
    view.apply(&chat(&[bob(), carol()]));
    assert_eq!(now(&view), [true, true], "that is about what is stored");
    view.apply(&told(10));
    assert_eq!(now(&view), [false, true]);
    view.apply(&typing(carol(), false));
    assert_eq!(now(&view), [false, false]);
    view.apply(&typing(named("eve", "e"), true));
    view.apply(&typing(bob(), true));
    view.apply(&Event::LoggedOut {
        at: Timestamp(20),
        problem: None,
    });
    assert_eq!(now(&view), [false, false]);
}

#[test]
fn what_others_have_read_only_grows() {
    let read = |clock| Event::ReadBy {
        conversation: team(),
        who: bob(),
        message: id(clock),
    };
    let of_bob = |view: &View| shown(view).chat.as_ref().unwrap().members[0].read;
    let mut view = view([read(10), read(20), read(15)]);
    assert_eq!(of_bob(&view), Some(id(20)));
    view.apply(&chat(&[bob(), carol()]));
    assert_eq!(of_bob(&view), Some(id(20)));
}

#[test]
fn a_conversation_says_itself_how_much_is_unread() {
    let mut view = view([told(10), told(20)]);
    assert_eq!(shown(&view).unread(), 0, "not what is loaded counts");
    let Event::Chat { conversation, chat } = chat(&[bob()]) else {
        panic!("not a chat");
    };
    let chat = Chat {
        unread: 120,
        ..*chat
    };
    view.apply(&Event::Chat {
        conversation,
        chat: Box::new(chat),
    });
    assert_eq!(shown(&view).unread(), 120);
    assert_eq!(lines(&view), [10, 20], "what is loaded stays");
}

#[test]
fn another_account_does_not_see_the_conversations_of_the_first() {
    let mut view = view([told(10)]);
    view.apply(&Event::LoggedIn {
        at: Timestamp(1),
        name: "eve".parse().unwrap(),
    });
    assert_eq!(view.conversation(team()), None);
}

#[test]
fn ten_thousand_messages_are_bounded_wherever_they_belong() {
    let newest = View::MAX_LINES as u64 * 2;
    let mut told_in_turn = view([page(None, std::iter::empty(), false)]);
    for clock in 1..=newest {
        told_in_turn.apply(&told(clock));
        assert!(shown(&told_in_turn).lines.len() <= View::MAX_LINES);
    }
    assert_eq!(shown(&told_in_turn).newest_message(), Some(id(newest)));
    assert!(shown(&told_in_turn).more_history);

    // From the newest to the oldest: the oldest are evicted, and not added again.
    let mut late = view([page(None, [newest].into_iter(), false)]);
    for clock in (1..newest).rev() {
        late.apply(&told(clock));
        assert!(shown(&late).lines.len() <= View::MAX_LINES);
    }
    let shown = shown(&late);
    assert!(shown.more_history);
    assert!(shown.lines.len() >= View::MAX_LINES / 10 * 9);
    assert!(shown.lines.is_sorted_by_key(Line::message_id));
}

#[test]
fn long_messages_are_bounded_by_their_size() {
    let long = |clock| {
        Event::Post(Box::new(Post {
            text: "x".repeat(32 * 1024),
            ..post(clock, bob())
        }))
    };
    let view = view((1..2000).map(long));
    let limit = View::MAX_BYTES + View::WEIGH_EVERY * (33 * 1024);
    assert!(shown(&view).bytes() < limit);
    assert_eq!(shown(&view).newest_message(), Some(id(1999)));
}

#[test]
fn who_wrote_is_named_once_their_name_is_known() {
    let unnamed = Named {
        name: None,
        ..bob()
    };
    let mut view = view([Event::Post(Box::new(post(10, unnamed)))]);
    view.apply(&chat(&[carol()]));
    assert_eq!(of(&view, 10).from, unnamed);
    view.apply(&chat(&[bob(), carol()]));
    assert_eq!(of(&view, 10).from, bob());
}

#[test]
fn the_chat_before_one_of_two_is_the_last_one_with_them_under_an_earlier_key() {
    let mut view = View::default();
    let ids = [1, 2, 3, 4].map(|number| ConversationId::encrypted(&[number; 32]));
    for (at, (conversation, trust)) in ids
        .into_iter()
        .zip([Trust::Former, Trust::Former, Trust::Verified, Trust::New])
        .enumerate()
    {
        let who = if at == 3 { carol() } else { bob() };
        let trust = Some(trust);
        let mut chat = Chat::new(ChatKind::Direct);
        chat.members.push(Member {
            trust,
            ..member(who)
        });
        let chat = Box::new(chat);
        view.apply(&Event::Chat { conversation, chat });
        let at = at as u64;
        // The one with the newest key has no message yet.
        if trust != Some(Trust::Verified) {
            view.apply(&Event::Post(Box::new(Post {
                conversation,
                ..post(at, who)
            })));
        }
    }
    let earlier = ids.map(|id| {
        let earlier = view.earlier_chat(view.conversation(id).unwrap());
        earlier.map(|earlier| earlier.id)
    });
    assert_eq!(earlier, [None, Some(ids[0]), Some(ids[1]), None]);
    let later = view.later_chat(view.conversation(ids[0]).unwrap());
    assert_eq!(later.map(|later| later.id), Some(ids[2]));
}
