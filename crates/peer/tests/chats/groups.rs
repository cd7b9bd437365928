//! Who is in a group, and how it is told.

use p2pchat_model::{ChatChange, Problem, Standing};
use p2pchat_peer::machine::{Order, Ordered, Part};
use p2pchat_protocol::v2::PersonKey;

use crate::world::{User, group, named, was_told};

#[tokio::test(flavor = "multi_thread")]
async fn names_owners_and_those_who_go_are_told_with_who_did_it() {
    let (mut ann, mut bob) = (User::new("ann").await, User::new("bob").await);
    let mut cid = User::new("cid").await;
    let id = group(&mut ann, &mut [&mut bob, &mut cid]).await;
    let (a, b, c) = (ann.person(), bob.person(), cid.person());
    assert!(was_told(ChatChange::Joined(named(b, false)))(&ann.seen));
    // The second to join sees no change of those who were there.
    assert!(!was_told(ChatChange::Joined(named(a, false)))(&cid.seen));
    assert!(was_told(ChatChange::Joined(named(c, true)))(&cid.seen));

    assert_eq!(
        bob.order(Order::Rename(id, "foes".parse().unwrap())).await,
        Err(Problem::NotOwner)
    );
    let name = "old friends".parse().unwrap();
    ann.done(Order::Rename(id, name)).await;
    assert_eq!(ann.seen.chats[&id].name, name);
    let renamed = was_told(ChatChange::Renamed(name));
    assert!(renamed(&ann.seen));
    bob.until("the name", renamed).await;
    assert_eq!(bob.seen.chats[&id].name, name);

    ann.done(Order::MakeOwner(id, b)).await;
    bob.until(
        "to be an owner",
        was_told(ChatChange::Owner(named(b, true))),
    )
    .await;
    assert!(bob.seen.chats[&id].owner);

    bob.done(Order::Remove(id, c)).await;
    let removed = |you, by: PersonKey, by_you| ChatChange::Removed {
        who: named(c, you),
        by: Some(named(by, by_you)),
    };
    assert!(was_told(removed(false, b, true))(&bob.seen));
    ann.until("the removal", was_told(removed(false, b, false)))
        .await;
    // A removed person is told by the next member that they meet.
    cid.until("the removal", was_told(removed(true, b, false)))
        .await;
    assert_eq!(cid.seen.standing(id), Some(Standing::Out));
    let say = Order::Say {
        conversation: id,
        text: "still here?".to_owned(),
        reply_to: None,
        said_by: None,
    };
    assert_eq!(cid.order(say).await, Err(Problem::NotPossible));

    bob.done(Order::Resign(id)).await;
    ann.until(
        "the resignation",
        was_told(ChatChange::Resigned(named(b, false))),
    )
    .await;
    bob.done(Order::Leave(id)).await;
    assert!(was_told(ChatChange::Left(named(b, true)))(&bob.seen));
    assert_eq!(bob.seen.standing(id), Some(Standing::Out));
    ann.until("the leaving", was_told(ChatChange::Left(named(b, false))))
        .await;
    assert_eq!(ann.seen.people_in(id).len(), 0);

    for user in [&mut ann, &mut bob, &mut cid] {
        let told = std::mem::take(&mut user.seen.changes);
        user.stop().await;
        user.start().await;
        let known = std::mem::take(&mut user.seen.known);
        assert!(known.is_sorted_by_key(|change| change.at));
        let in_words = |change| format!("{change:?}");
        let mut told: Vec<_> = told.into_iter().map(in_words).collect();
        let mut known: Vec<_> = known.into_iter().map(|it| in_words(it.change)).collect();
        told.sort();
        known.sort();
        assert_eq!(known, told, "after a restart it is told again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_is_added_later_knows_who_asked_and_sees_what_they_may() {
    let (mut ann, mut bob) = (User::new("ann").await, User::new("bob").await);
    let mut cid = User::new("cid").await;
    let id = group(&mut ann, &mut [&mut bob]).await;
    ann.say(id, "among us").await;
    bob.until_texts(id, &["among us"]).await;
    bob.done(Order::Add {
        conversation: id,
        people: vec![cid.person(), ann.person()],
        sees_all: false,
    })
    .await;
    let asked = ChatChange::Asked {
        who: named(cid.person(), false),
        by: Some(named(bob.person(), false)),
    };
    ann.until("who was asked", was_told(asked)).await;
    cid.connect(&mut bob).await;
    cid.until(
        "the request",
        |seen| matches!(seen.standing(id), Some(Standing::Asked(by)) if by.key == bob.person()),
    )
    .await;
    assert!(cid.seen.chats[&id].since.is_some());
    let again = |who: &User| Order::Add {
        conversation: id,
        people: vec![who.person()],
        sees_all: false,
    };
    assert_eq!(bob.order(again(&cid)).await, Err(Problem::AlreadyAsked));
    assert_eq!(bob.order(again(&ann)).await, Err(Problem::AlreadyMember));
    cid.done(Order::Join(id)).await;
    ann.until("cid to be in", |seen| seen.people_in(id).len() == 2)
        .await;
    ann.say(id, "welcome").await;
    cid.until_texts(id, &["welcome"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_is_asked_back_keeps_what_they_had() {
    let (mut ann, mut bob) = (User::new("ann").await, User::new("bob").await);
    let id = group(&mut ann, &mut [&mut bob]).await;
    ann.say(id, "before").await;
    bob.until_texts(id, &["before"]).await;
    bob.say(id, "mine").await;
    ann.until_texts(id, &["before", "mine"]).await;
    ann.done(Order::Remove(id, bob.person())).await;
    bob.until("to be out", |seen| seen.standing(id) == Some(Standing::Out))
        .await;
    ann.say(id, "without them").await;
    ann.done(Order::Add {
        conversation: id,
        people: vec![bob.person()],
        sees_all: false,
    })
    .await;
    bob.until("the request", |seen| {
        matches!(seen.standing(id), Some(Standing::Asked(_)))
    })
    .await;
    bob.done(Order::Join(id)).await;
    ann.until("bob to be back", |seen| seen.people_in(id).len() == 1)
        .await;
    ann.say(id, "after").await;
    let all = ["before", "mine", "after"];
    bob.until_texts(id, &all).await;
    bob.stop().await;
    bob.start().await;
    let page = bob.order(Order::Page(id, Part::Before(None))).await;
    let Ok(Ordered::Page { posts, changes, .. }) = page else {
        panic!("no page: {page:?}");
    };
    let texts: Vec<_> = posts.iter().map(|post| post.text.as_str()).collect();
    assert_eq!(texts, all);
    let (asked, joined) = (
        changes
            .iter()
            .filter(|it| matches!(it.change, ChatChange::Asked { .. })),
        changes
            .iter()
            .filter(|it| matches!(it.change, ChatChange::Joined(_))),
    );
    assert_eq!((asked.count(), joined.count()), (2, 2), "{changes:?}");

    // From their own message on: they were removed, asked, and are back.
    let page = bob.order(Order::Page(id, Part::From(posts[1].id))).await;
    let Ok(Ordered::Page { posts, changes, .. }) = page else {
        panic!("no page: {page:?}");
    };
    assert_eq!(posts.len(), 2);
    let changes: Vec<_> = changes.iter().map(|it| it.change).collect();
    assert!(
        matches!(
            changes[..],
            [
                ChatChange::Removed { .. },
                ChatChange::Asked { .. },
                ChatChange::Joined(_)
            ]
        ),
        "{changes:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_removal_cuts_off_leaves_the_screens_at_once() {
    let (mut ann, mut bob) = (User::new("ann").await, User::new("bob").await);
    let mut cid = User::new("cid").await;
    let id = group(&mut ann, &mut [&mut bob, &mut cid]).await;
    bob.connect(&mut cid).await;
    let own = bob.say(id, "of bob").await;
    let early = cid.say(id, "early").await;
    for user in [&mut ann, &mut bob, &mut cid] {
        user.until("both", |seen| seen.texts(id).len() == 2).await;
    }
    ann.stop().await;
    // What ann has not seen when she removes cid.
    let (message, text) = (early, "early, changed".to_owned());
    cid.done(Order::Edit {
        conversation: id,
        message,
        text,
    })
    .await;
    let (message, emoji) = (own, "🎉".to_owned());
    cid.done(Order::React {
        conversation: id,
        message,
        emoji,
    })
    .await;
    cid.say(id, "late").await;
    bob.until("all of it", |seen| {
        let mut texts = seen.texts(id);
        texts.sort_unstable();
        let is_reacted = !seen.posts[&(id, own)].reactions.is_empty();
        texts == ["early, changed", "late", "of bob"] && is_reacted
    })
    .await;
    ann.start().await;
    ann.done(Order::Remove(id, cid.person())).await;
    ann.connect(&mut bob).await;
    bob.until("it to be gone", |seen| {
        let mut texts = seen.texts(id);
        texts.sort_unstable();
        texts == ["early", "of bob"] && seen.posts[&(id, own)].reactions.is_empty()
    })
    .await;
    // A later start shows the same.
    bob.stop().await;
    bob.start().await;
    let before = None;
    let page = bob.order(Order::Page(id, Part::Before(before)));
    let Ok(Ordered::Page { posts, .. }) = page.await else {
        panic!("no page");
    };
    let mut texts: Vec<_> = posts.iter().map(|post| post.text.as_str()).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["early", "of bob"]);
}
