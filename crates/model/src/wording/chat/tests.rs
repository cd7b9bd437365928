use p2pchat_protocol::OnlineUser;
use p2pchat_protocol::v2::PersonKey;

use super::*;
use crate::chat::Member;
use crate::conversation::ConversationId;
use crate::event::Event;
use crate::line::{Level, Line};
use crate::message::MessageId;
use crate::person::User;
use crate::post::{Post, Receipt};
use crate::target::Target;
use crate::time::Timestamp;

fn key(digit: char) -> PersonKey {
    digit.to_string().repeat(64).parse().unwrap()
}

fn named(name: &str) -> Named {
    Named {
        key: key('b'),
        name: name.parse().ok(),
        you: false,
    }
}

fn you() -> Named {
    Named {
        you: true,
        ..named("alice")
    }
}

fn member(who: Named, digit: char) -> Member {
    Member {
        who: Named {
            key: key(digit),
            ..who
        },
        asked: false,
        declined: false,
        owner: false,
        trust: Some(Trust::New),
        typing: false,
        read: None,
    }
}

fn chat(kind: ChatKind, name: &str, members: &[&str]) -> Chat {
    let members = members.iter().zip('b'..'f');
    Chat {
        name: name.parse().unwrap(),
        members: members
            .map(|(name, key)| member(named(name), key))
            .collect(),
        ..Chat::new(kind)
    }
}

/// One of the user, for these people; whether they have it.
fn post(receipts: &[(&str, bool)]) -> Post {
    let receipts = receipts.iter().zip('b'..'f');
    let receipts = receipts.map(|((name, delivered), digit)| Receipt {
        to: member(named(name), digit).who,
        delivered: *delivered,
    });
    Post {
        conversation: ConversationId::encrypted(&[7; 32]),
        id: MessageId::of_entry(5, 1, 1),
        at: Timestamp(5),
        came: None,
        from: you(),
        state: PostState::Shown,
        text: "hello".to_owned(),
        edited: None,
        reply: None,
        reactions: Vec::new(),
        receipts: Some(receipts.collect()),
    }
}

#[test]
fn a_person_has_a_name_or_the_beginning_of_their_key() {
    assert_eq!(named("bob").to_string(), "bob");
    assert_eq!(you().to_string(), "you");
    let unknown = Named {
        name: None,
        ..named("bob")
    };
    assert_eq!(unknown.to_string(), "Unknown person (bbbbbbbb…)");
}

#[test]
fn a_conversation_is_called_by_its_name_or_its_members() {
    let group = |name, members: &[&str]| chat_title(&chat(ChatKind::Group, name, members));
    assert_eq!(group("Release team", &["bob"]), "Release team");
    assert_eq!(group("", &["bob", "carol"]), "bob and carol");
    assert_eq!(group("", &["bob", "carol", "dave"]), "bob, carol and dave");
    assert_eq!(group("", &[]), "Only you");
    assert_eq!(chat_title(&chat(ChatKind::Direct, "", &["bob"])), "bob");
    let asked = Chat {
        standing: Standing::Asked(named("uma")),
        ..chat(ChatKind::Group, "", &[])
    };
    assert_eq!(chat_title(&asked), "uma");
    let open = Conversation::new(ConversationId::OPEN);
    assert_eq!(title(&open), "Open chat");
}

#[test]
fn a_request_says_what_it_is_for_and_who_else_is_there() {
    let by_bob = |kind, name, members: &[&str]| asks(named("bob"), &chat(kind, name, members));
    assert_eq!(
        by_bob(ChatKind::Direct, "", &["bob"]),
        "bob wants to chat with you"
    );
    assert_eq!(
        by_bob(ChatKind::Group, "", &["bob"]),
        "bob invites you to a group"
    );
    assert_eq!(
        by_bob(ChatKind::Group, "Lunch", &["bob"]),
        "bob invites you to “Lunch”"
    );
    assert_eq!(
        by_bob(ChatKind::Group, "", &["bob", "carol"]),
        "bob invites you to a group with carol"
    );
    assert_eq!(
        by_bob(ChatKind::Group, "Lunch", &["bob", "carol", "dave"]),
        "bob invites you to “Lunch” with carol and dave"
    );
}

#[test]
fn those_who_join_later_are_told_what_they_will_see() {
    let mut group = chat(ChatKind::Group, "", &["bob"]);
    assert_eq!(sees(&group), "You see what was written before.");
    group.since = Some(Timestamp(5));
    assert_eq!(sees(&group), "You see what is written from now on.");
}

#[test]
fn the_head_says_how_well_the_other_key_is_known() {
    let known = |kind, trust| {
        let mut chat = chat(kind, "", &["bob"]);
        chat.members[0].trust = trust;
        encryption(&chat)
    };
    assert_eq!(known(ChatKind::Direct, None), "Encrypted");
    assert_eq!(known(ChatKind::Direct, Some(Trust::New)), "Encrypted");
    assert_eq!(
        known(ChatKind::Direct, Some(Trust::Verified)),
        "Encrypted · verified"
    );
    for changed in [Trust::Changed, Trust::ChangedAfterVerified] {
        assert_eq!(known(ChatKind::Direct, Some(changed)), "bob's code changed");
    }
    assert_eq!(
        known(ChatKind::Group, Some(Trust::Verified)),
        "Encrypted",
        "it says nothing of the others"
    );
}

#[test]
fn a_message_waits_is_delivered_and_is_read() {
    let mut group = chat(ChatKind::Group, "", &["bob", "carol", "dave"]);
    let delivery = |post: &Post, chat: &Chat| delivery(post, chat);
    let away = post(&[("bob", true), ("carol", false), ("dave", false)]);
    assert_eq!(
        delivery(&away, &group).unwrap(),
        "Waiting for carol and dave"
    );
    let there = post(&[("bob", true), ("carol", true)]);
    assert_eq!(delivery(&there, &group).unwrap(), "Delivered");
    group.members[0].read = Some(there.id);
    assert_eq!(delivery(&there, &group).unwrap(), "Delivered");
    group.members[1].read = Some(MessageId::of_entry(6, 1, 1));
    assert_eq!(delivery(&there, &group).unwrap(), "Read");
    group.members.remove(0);
    assert_eq!(delivery(&there, &group).unwrap(), "Read", "bob has left");
    let mut direct = chat(ChatKind::Direct, "", &["bob"]);
    let sent = post(&[("bob", false)]);
    let waits = "Will be delivered when you and bob are both here";
    assert_eq!(delivery(&sent, &direct).unwrap(), waits);
    direct.members[0].asked = true;
    let waits = "Waiting for bob to accept";
    assert_eq!(delivery(&sent, &direct).unwrap(), waits);
    (direct.members[0].asked, direct.members[0].declined) = (false, true);
    assert_eq!(delivery(&sent, &direct).unwrap(), "bob declined");
    assert_eq!(delivery(&post(&[]), &group), None, "for nobody");
    let others = Post {
        receipts: None,
        ..post(&[])
    };
    assert_eq!(delivery(&others, &group), None);
}

#[test]
fn what_cannot_be_shown_has_words_in_its_place() {
    let of = |state| text(&Post { state, ..post(&[]) }).to_owned();
    assert_eq!(of(PostState::Shown), "hello");
    assert_eq!(of(PostState::Deleted), "Message deleted");
    assert_eq!(
        of(PostState::NotKept),
        "This message is no longer kept here"
    );
    assert_eq!(
        of(PostState::NeedsNewer),
        "A newer p2pchat is needed to read this"
    );
}

#[test]
fn those_who_are_typing_are_named() {
    let mut group = chat(ChatKind::Group, "", &["bob", "carol"]);
    assert_eq!(typing(&group), None);
    group.members[1].typing = true;
    assert_eq!(typing(&group).unwrap(), "carol is typing…");
    group.members[0].typing = true;
    assert_eq!(typing(&group).unwrap(), "bob and carol are typing…");
}

/// The line of a conversation.
fn notice(change: ChatChange) -> String {
    let event = Event::ChatChanged {
        conversation: ConversationId::encrypted(&[7; 32]),
        at: Timestamp(1),
        change,
    };
    match View::notice(&event) {
        Some(Line::Notice {
            level: Level::Info,
            text,
            ..
        }) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_change_of_the_members_is_a_sentence() {
    let (bob, carol) = (named("bob"), named("carol"));
    let asked = |who, by| notice(ChatChange::Asked { who, by });
    let removed = |who, by| notice(ChatChange::Removed { who, by });
    let renamed = |name: &str| notice(ChatChange::Renamed(name.parse().unwrap()));
    for (line, expected) in [
        (asked(carol, Some(bob)), "bob invited carol"),
        (asked(carol, Some(you())), "you invited carol"),
        (asked(you(), Some(bob)), "bob invited you"),
        (asked(you(), None), "you were invited"),
        (asked(carol, None), "carol was invited"),
        (notice(ChatChange::Joined(carol)), "carol joined"),
        (notice(ChatChange::Declined(carol)), "carol declined"),
        (notice(ChatChange::Left(you())), "you left"),
        (removed(carol, Some(bob)), "bob removed carol"),
        (removed(you(), None), "you were removed"),
        (removed(carol, None), "carol was removed"),
        (renamed("Lunch"), "the group is now called “Lunch”"),
        (renamed(""), "the group no longer has a name"),
        (notice(ChatChange::Owner(you())), "you are now an owner"),
        (notice(ChatChange::Owner(bob)), "bob is now an owner"),
        (
            notice(ChatChange::Resigned(bob)),
            "bob is no longer an owner",
        ),
        (
            notice(ChatChange::Resigned(you())),
            "you are no longer an owner",
        ),
    ] {
        assert_eq!(line, expected);
    }
}

#[test]
fn the_last_line_of_a_list_says_what_comes_first() {
    let id = ConversationId::encrypted(&[7; 32]);
    let mut one = Conversation {
        chat: Some(chat(ChatKind::Group, "Lunch", &["bob", "carol"])),
        ..Conversation::new(id)
    };
    let mut view = View::default();
    assert_eq!(last_line(&one, &view), "");
    one.lines.push(Line::Notice {
        at: Timestamp(1),
        level: Level::Info,
        text: "bob joined".to_owned(),
    });
    assert_eq!(last_line(&one, &view), "bob joined");
    let mut theirs = post(&[]);
    (theirs.from, theirs.receipts) = (named("bob"), None);
    one.lines.push(theirs.into());
    assert_eq!(last_line(&one, &view), "bob: hello");
    one.lines.push(Line::Notice {
        at: Timestamp(9),
        level: Level::Info,
        text: "carol joined".to_owned(),
    });
    assert_eq!(last_line(&one, &view), "bob: hello", "what is said is more");
    view.blocked.push(Target::Name("bob".parse().unwrap()));
    assert_eq!(last_line(&one, &view), FOLDED, "as in the conversation");
    let known = one.chat.as_mut().unwrap();
    known.members[0].typing = true;
    assert_eq!(last_line(&one, &view), "bob is typing…");
    one.draft = "begun".to_owned();
    assert_eq!(last_line(&one, &view), "Draft: begun");
    one.chat.as_mut().unwrap().standing = Standing::Asked(named("bob"));
    assert!(last_line(&one, &view).starts_with("bob invites you to “Lunch”"));
}

#[test]
fn members_who_are_online_are_counted_with_the_user() {
    let mut view = View::default();
    let mut bob: User = OnlineUser {
        name: "bob".parse().unwrap(),
        address: "10.0.0.2".parse().unwrap(),
    }
    .into();
    let direct = chat(ChatKind::Direct, "", &["bob"]);
    assert_eq!(presence(&direct, &view).as_deref(), Some("offline"));
    view.online.push(bob);
    assert_eq!(presence(&direct, &view).as_deref(), Some("Available"));
    bob.display_name = "Bob Bell".parse().unwrap();
    view.online = vec![bob];
    let shown = presence(&direct, &view);
    assert_eq!(shown.as_deref(), Some("“Bob Bell” · Available"));
    let group = chat(ChatKind::Group, "", &["bob", "carol"]);
    let online = |chat: &Chat| presence(chat, &view).unwrap();
    assert_eq!(online(&group), "2 of 3 online");
    let mut asked = group.clone();
    asked.members[1].asked = true;
    assert_eq!(online(&asked), "2 of 2 online");
    asked.members[0].asked = true;
    assert_eq!(online(&asked), "only you are in it");
    let standing = Standing::Out;
    assert_eq!(presence(&Chat { standing, ..group }, &view), None);
    assert_eq!(requests(1), "1 request");
    assert_eq!(requests(2), "2 requests");
}

#[test]
fn one_who_has_another_key_now_is_not_in_a_group_until_they_are_added_again() {
    let mut group = chat(ChatKind::Group, "", &["bob", "carol"]);
    group.members[0].trust = Some(Trust::Former);
    let bob = group.members[0];
    let told = key_changed(&bob, &group);
    assert!(told.unwrap().contains("Add bob to this group again"));
    let asked = remove_question(&bob);
    assert!(
        asked.starts_with("Remove bob (earlier code) from"),
        "{asked}"
    );
    // They are online, but not under this key.
    let address = "10.0.0.2".parse().unwrap();
    let mut view = View::default();
    let name = "bob".parse().unwrap();
    view.online = vec![OnlineUser { name, address }.into()];
    assert_eq!(presence(&group, &view).as_deref(), Some("1 of 3 online"));
    let waiting = absent(&post(&[("bob", false), ("carol", true)]), &group, &view);
    assert_eq!(waiting, [bob.who]);
    group.members.push(member(named("bob"), 'e'));
    assert_eq!(key_changed(&bob, &group), None);
}
