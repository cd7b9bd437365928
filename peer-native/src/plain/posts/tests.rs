use p2pchat_model::{
    Alerts, ChatChange, ChatKind, DatedChange, Member, OnlineUser, Quote, Reaction, Receipt,
    Timestamp,
};

use super::*;

fn named(who: &str, digit: &str) -> Named {
    Named {
        key: digit.repeat(64).parse().unwrap(),
        name: who.parse().ok(),
        you: who == "alice",
    }
}

pub(in crate::plain) fn alice() -> Named {
    named("alice", "a")
}

pub(in crate::plain) fn bob() -> Named {
    named("bob", "b")
}

fn carol() -> Named {
    named("carol", "c")
}

pub(in crate::plain) fn team() -> ConversationId {
    ConversationId::encrypted(&[7; 32])
}

fn id(clock: u64) -> MessageId {
    MessageId::of_entry(clock, 5, 1)
}

pub(in crate::plain) fn post(clock: u64, from: Named, text: &str) -> Post {
    Post {
        conversation: team(),
        id: id(clock),
        at: Timestamp(1_795_364_580_000 + clock * 60_000),
        came: None,
        from,
        state: PostState::Shown,
        text: text.to_owned(),
        edited: None,
        reply: None,
        reactions: Vec::new(),
        receipts: None,
    }
}

pub(in crate::plain) fn said(post: Post) -> Event {
    Event::Post(Box::new(post))
}

fn changed_to(post: Post) -> Event {
    Event::PostChanged(Box::new(post))
}

fn chat(standing: Standing) -> Event {
    let member = |who| Member {
        who,
        asked: false,
        declined: false,
        owner: false,
        trust: None,
        typing: false,
        read: None,
    };
    Event::Chat {
        conversation: team(),
        chat: Box::new(Chat {
            kind: ChatKind::Group,
            name: "Release team".parse().unwrap(),
            standing,
            owner: false,
            members: [bob(), carol()].map(member).into(),
            since: Some(Timestamp(0)),
            unread: 3,
            mentions: 0,
            alerts: Alerts::All,
            pinned: false,
            archived: false,
        }),
    }
}

/// A view in which alice is signed in, bob is online and carol is not.
pub(in crate::plain) fn view(events: impl IntoIterator<Item = Event>) -> View {
    let mut view = View::default();
    view.apply(&Event::LoggedIn {
        at: Timestamp(0),
        name: "alice".parse().unwrap(),
    });
    let online = |name: &str, last| OnlineUser {
        name: name.parse().unwrap(),
        address: format!("127.0.0.{last}").parse().unwrap(),
    };
    view.apply(&Event::Online {
        users: vec![online("alice", 2).into(), online("bob", 3).into()],
    });
    view.apply(&chat(Standing::In));
    events.into_iter().for_each(|event| view.apply(&event));
    view
}

fn shown(event: &Event, view: &View) -> Vec<String> {
    crate::plain::lines::lines(event, view, &Clock::utc())
}

/// The lines without the time of day, which is now.
fn without_time(event: &Event, view: &View) -> Vec<String> {
    let lines = shown(event, view).into_iter();
    lines
        .map(|line| match line.split_once("] ") {
            Some((time, rest)) if time.len() == "[12:00".len() => rest.to_owned(),
            _ => line,
        })
        .collect()
}

#[test]
fn a_message_says_its_conversation_its_writer_and_what_it_replies_to() {
    let view = view([]);
    let event = said(post(0, carol(), "fine"));
    assert_eq!(shown(&event, &view), ["[16:23] Release team / carol: fine"]);
    let reply = Post {
        reply: Some(Quote {
            id: id(0),
            from: bob(),
            text: "how was it?".to_owned(),
        }),
        ..post(1, carol(), "fine\nand you?\u{1b}[2J")
    };
    assert_eq!(
        shown(&said(reply), &view),
        ["[16:24] Release team / carol > bob: fine", "  and you?␛[2J"]
    );
}

#[test]
fn no_text_and_no_name_looks_like_a_line_of_someone_else() {
    let mut view = view([]);
    let event = said(post(0, carol(), "a\n[16:24] Release team / bob: fake"));
    assert_eq!(
        shown(&event, &view)[1],
        "  [16:24] Release team / bob: fake"
    );
    let Event::Chat { conversation, chat } = chat(Standing::In) else {
        panic!("not a chat");
    };
    let name = "Team / bob: fake".parse().unwrap();
    let chat = Box::new(Chat { name, ..*chat });
    view.apply(&Event::Chat { conversation, chat });
    let event = said(post(0, carol(), "a"));
    assert_eq!(shown(&event, &view), ["[16:23] Team/bob: fake / carol: a"]);
}

#[test]
fn a_late_message_has_the_date_when_it_was_written() {
    let late = Post {
        came: Some(Timestamp(1_795_464_580_000)),
        ..post(0, carol(), "from the train")
    };
    assert_eq!(
        shown(&said(late), &view([])),
        ["[2026-11-22 16:23] Release team / carol: from the train"]
    );
}

#[test]
fn an_own_message_says_once_who_has_not_got_it() {
    let receipt = |to, delivered| Receipt { to, delivered };
    let own = |receipts: Vec<Receipt>| Post {
        receipts: Some(receipts),
        ..post(0, alice(), "hello")
    };
    let view = view([]);
    let waits = own(vec![receipt(bob(), false), receipt(carol(), false)]);
    assert_eq!(
        shown(&said(waits.clone()), &view),
        ["[16:23] Release team / you: hello", "  [waiting for carol]"],
        "bob is there, and gets it at once"
    );
    let mut view = view;
    view.apply(&said(waits));
    let has = own(vec![receipt(bob(), true), receipt(carol(), false)]);
    assert_eq!(shown(&changed_to(has), &view), [""; 0]);
    let to_bob = own(vec![receipt(bob(), false)]);
    assert_eq!(shown(&said(to_bob), &view).len(), 1);
}

#[test]
fn what_is_different_in_a_message_is_a_line() {
    let view = view([said(post(0, carol(), "lunch at noon?"))]);
    let changed = |post: Post| without_time(&changed_to(post), &view);
    let now = post(0, carol(), "lunch at one?");
    let edited = Some(Timestamp(1));
    assert_eq!(
        changed(Post { edited, ..now }),
        ["Release team / carol (edited): lunch at one?"]
    );
    let deleted = Post {
        state: PostState::Deleted,
        ..post(0, carol(), "")
    };
    assert_eq!(
        changed(deleted),
        ["Release team / carol deleted “lunch at noon?”"]
    );
    let reaction = |emoji: &str, by| Reaction {
        emoji: emoji.to_owned(),
        by,
    };
    let reactions = vec![reaction("🎉", vec![bob()]), reaction("👍", vec![alice()])];
    let reacted = Post {
        reactions,
        ..post(0, carol(), "lunch at noon?")
    };
    assert_eq!(
        changed(reacted.clone()),
        [
            "Release team / bob reacted 🎉 to “lunch at noon?”",
            "Release team / you reacted 👍 to “lunch at noon?”",
        ]
    );
    let mut later = view.clone();
    later.apply(&changed_to(reacted.clone()));
    let again = without_time(&changed_to(reacted), &later);
    assert_eq!(again, [""; 0]);
    assert_eq!(changed(post(7, carol(), "not loaded")), [""; 0]);
}

#[test]
fn a_message_without_a_text_has_words_in_its_place() {
    let view = view([]);
    let newer = Post {
        state: PostState::NeedsNewer,
        ..post(0, carol(), "")
    };
    let before = said(newer);
    assert_eq!(
        shown(&before, &view),
        ["[16:23] Release team / carol: (A newer p2pchat is needed to read this)"]
    );
    let mut view = view;
    view.apply(&before);
    let now = changed_to(post(0, carol(), "here it is"));
    assert_eq!(
        without_time(&now, &view),
        ["Release team / carol: here it is"]
    );
}

#[test]
fn a_request_says_what_to_type_once() {
    let asked = chat(Standing::Asked(bob()));
    let mut view = View::default();
    assert_eq!(
        without_time(&asked, &view),
        [
            "bob invites you to “Release team” with carol. You see what is written from now on. \
             /join or /decline"
        ]
    );
    view.apply(&asked);
    assert_eq!(shown(&asked, &view), [""; 0], "something else has changed");
    assert_eq!(shown(&chat(Standing::In), &view), [""; 0]);
}

#[test]
fn a_change_of_the_members_names_its_conversation() {
    let changed = Event::ChatChanged {
        conversation: team(),
        at: Timestamp(1_795_364_580_000),
        change: ChatChange::Joined(carol()),
    };
    assert_eq!(
        shown(&changed, &view([])),
        ["[2026-11-22 16:23] Release team / carol joined"],
        "of another day"
    );
}

#[test]
fn a_page_has_dates_and_the_beginning_is_told() {
    let page = |before, posts| Event::Posts {
        conversation: team(),
        before,
        posts,
        changes: Vec::new(),
        more: false,
    };
    let view = view([]);
    let posts = vec![post(0, bob(), "one"), post(1, carol(), "two")];
    let mut both = page(Some(id(9)), posts);
    if let Event::Posts { posts, changes, .. } = &mut both {
        changes.push(DatedChange {
            at: posts[0].at,
            change: ChatChange::Joined(carol()),
        });
    }
    assert_eq!(
        shown(&both, &view),
        [
            "[2026-11-22 16:23] Release team / bob: one",
            "[2026-11-22 16:23] Release team / carol joined",
            "[2026-11-22 16:24] Release team / carol: two",
        ]
    );
    assert_eq!(
        shown(&page(Some(id(9)), Vec::new()), &view),
        [label::NO_EARLIER]
    );
    assert_eq!(shown(&page(None, Vec::new()), &view), [""; 0]);
}

#[test]
fn what_is_found_is_shown_with_its_conversation() {
    let found = Event::Findings {
        conversation: None,
        text: "hello".to_owned(),
        messages: Vec::new(),
        posts: vec![post(1, carol(), "hello you"), post(0, bob(), "hello")],
    };
    let lines = shown(&found, &view([]));
    assert_eq!(
        lines,
        [
            "All chats: 2 messages with “hello”",
            "[2026-11-22 16:23] Release team / bob: hello",
            "[2026-11-22 16:24] Release team / carol: hello you",
        ]
    );
    let none = Event::Findings {
        conversation: Some(team()),
        text: "bye".to_owned(),
        messages: Vec::new(),
        posts: Vec::new(),
    };
    let lines = shown(&none, &view([]));
    assert_eq!(
        lines,
        ["Release team: no messages with “bye”; in every chat: /find --all bye"]
    );
}

#[test]
fn a_conversation_is_listed_with_what_is_unread_and_who_is_away() {
    let view = view([]);
    let id = team();
    let shown = crate::shown::Shown { view: &view, id };
    let lines = crate::plain::lines::who(shown);
    assert_eq!(
        lines[..2],
        [
            "Release team (Encrypted): bob, carol (offline)",
            "Chats: Release team (3 unread)",
        ]
    );
}
