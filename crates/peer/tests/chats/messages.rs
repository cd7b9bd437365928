//! What is said, and what becomes of it.

use p2pchat_model::{CallId, FrontEndId, PostState, Problem};
use p2pchat_peer::machine::{Order, Ordered, Part, SaidBy};

use crate::world::{User, group};

#[tokio::test(flavor = "multi_thread")]
async fn edits_reactions_replies_and_deletions_change_a_message() {
    let (mut ann, mut bob) = (User::new("ann").await, User::new("bob").await);
    let conversation = group(&mut ann, &mut [&mut bob]).await;
    let message = ann.say(conversation, "helo").await;
    bob.until_texts(conversation, &["helo"]).await;
    assert_eq!(bob.seen.find(conversation, "helo").receipts, None);
    assert_eq!(bob.seen.find(conversation, "helo").id, message);

    let text = "hello".to_owned();
    ann.done(Order::Edit {
        conversation,
        message,
        text,
    })
    .await;
    assert!(ann.seen.find(conversation, "hello").edited.is_some());
    bob.until_texts(conversation, &["hello"]).await;
    assert_eq!(bob.seen.new_posts, 1, "an edit is no new message");

    let emoji = "👍".to_owned();
    bob.done(Order::React {
        conversation,
        message,
        emoji,
    })
    .await;
    ann.until("the reaction", |seen| {
        let reactions = &seen.find(conversation, "hello").reactions;
        reactions
            .iter()
            .any(|it| it.emoji == "👍" && it.by[0].key == bob.person())
    })
    .await;

    let reply = Order::Say {
        conversation,
        text: "to you".to_owned(),
        reply_to: Some(message),
        said_by: None,
    };
    assert!(matches!(bob.order(reply).await, Ok(Ordered::Said { .. })));
    ann.until("the reply", |seen| {
        seen.texts(conversation) == ["hello", "to you"]
    })
    .await;
    let quote = ann.seen.find(conversation, "to you").reply.clone().unwrap();
    assert_eq!((quote.id, &*quote.text), (message, "hello"));
    assert!(quote.from.you);

    let theirs = ann.seen.find(conversation, "to you").id;
    let failed = ann.order(Order::Delete {
        conversation,
        message: theirs,
    });
    assert_eq!(failed.await, Err(Problem::NotPossible));
    ann.done(Order::Delete {
        conversation,
        message,
    })
    .await;
    bob.until("the deletion", |seen| {
        seen.posts[&(conversation, message)].state == PostState::Deleted
    })
    .await;
    assert_eq!(bob.seen.texts(conversation), ["", "to you"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_are_of_those_who_are_in() {
    let (mut ann, mut bob) = (User::new("ann").await, User::new("bob").await);
    let mut cid = User::new("cid").await;
    let id = group(&mut ann, &mut [&mut bob, &mut cid]).await;
    ann.done(Order::Add {
        conversation: id,
        people: vec![User::new("dan").await.person()],
        sees_all: true,
    })
    .await;
    cid.stop().await;
    ann.until("cid to be gone", |seen| {
        !seen.connected.contains(&cid.device())
    })
    .await;
    ann.say(id, "hello").await;
    ann.until("one receipt", |seen| {
        seen.find(id, "hello").is_delivered_to_any()
    })
    .await;
    let post = ann.seen.find(id, "hello");
    assert_eq!(
        post.receipts.as_ref().unwrap().len(),
        2,
        "not of the invited"
    );
    let waits_for: Vec<_> = post.waits_for().map(|who| who.key).collect();
    assert_eq!(waits_for, [cid.person()]);
    cid.start().await;
    cid.connect(&mut ann).await;
    ann.until("the other receipt", |seen| {
        seen.find(id, "hello").waits_for().next().is_none()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_findings_are_of_what_is_shown_now() {
    let (mut ann, bob) = (User::new("ann").await, User::new("bob").await);
    let conversation = ann.opened(Order::Direct(bob.person())).await;
    let mut ids = Vec::new();
    for number in 0..230 {
        ids.push(ann.say(conversation, &format!("number {number}")).await);
    }
    let page = async |ann: &mut User, before| match ann
        .order(Order::Page(conversation, Part::Before(before)))
        .await
    {
        Ok(Ordered::Page { posts, more, .. }) => {
            let ids: Vec<_> = posts.iter().map(|post| post.id).collect();
            (ids, more)
        }
        other => panic!("no page: {other:?}"),
    };
    assert_eq!(page(&mut ann, None).await, (ids[130..].to_vec(), true));
    let before = Some(ids[130]);
    assert_eq!(page(&mut ann, before).await, (ids[30..130].to_vec(), true));
    let before = Some(ids[30]);
    assert_eq!(page(&mut ann, before).await, (ids[..30].to_vec(), false));

    let text = "another text".to_owned();
    ann.done(Order::Edit {
        conversation,
        message: ids[7],
        text,
    })
    .await;
    let found = async |ann: &mut User, conversation, text: &str| match ann
        .order(Order::Find {
            conversation,
            text: text.to_owned(),
        })
        .await
    {
        Ok(Ordered::Found(posts)) => posts.iter().map(|post| post.id).collect::<Vec<_>>(),
        other => panic!("nothing: {other:?}"),
    };
    assert_eq!(found(&mut ann, None, "another").await, [ids[7]]);
    assert_eq!(
        found(&mut ann, Some(conversation), "number 7").await.last(),
        Some(&ids[70])
    );
    assert_eq!(found(&mut ann, Some(conversation), "nothing").await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_says_something_once_in_this_process_and_the_next() {
    let (mut ann, bob) = (User::new("ann").await, User::new("bob").await);
    let conversation = ann.opened(Order::Direct(bob.person())).await;
    let say = |fingerprint| Order::Say {
        conversation,
        text: "once".to_owned(),
        reply_to: None,
        said_by: Some(SaidBy {
            front_end: FrontEndId::new("page").unwrap(),
            id: CallId::Number(7),
            fingerprint,
        }),
    };
    // All at once: they are in one turn of the node.
    let ids: Vec<_> = (0..3).map(|_| ann.begin(say(1))).collect();
    let mut said = Vec::new();
    for id in ids {
        said.push(ann.answer(id).await.unwrap());
    }
    let message = ann.seen.find(conversation, "once").id;
    let once = Ordered::Said {
        conversation,
        message,
    };
    assert_eq!(said, [once.clone(), once.clone(), once.clone()]);
    assert_eq!(ann.order(say(2)).await, Err(Problem::IdUsed));
    ann.stop().await;
    ann.start().await;
    assert_eq!(ann.order(say(1)).await, Ok(once));
    assert_eq!(ann.order(say(2)).await, Err(Problem::IdUsed));
    let all = ann
        .order(Order::Page(conversation, Part::Before(None)))
        .await;
    assert!(matches!(all, Ok(Ordered::Page { posts, .. }) if posts.len() == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_came_much_later_tells_when_it_came() {
    let (mut ann, mut bob) = (User::new("ann").await, User::new("bob").await);
    let conversation = group(&mut ann, &mut [&mut bob]).await;
    ann.say(conversation, "hello").await;
    bob.say(conversation, "and to you").await;
    ann.until_texts(conversation, &["hello", "and to you"])
        .await;
    let came = |user: &User, text| user.seen.find(conversation, text).came;
    assert_eq!(came(&ann, "and to you"), None);
    ann.stop().await;
    let file = rusqlite::Connection::open(ann.store()).unwrap();
    let sql = "UPDATE talk SET came = came + 600000";
    assert_eq!(file.execute(sql, []).unwrap(), 2);
    drop(file);
    ann.start().await;
    let newest = ann.seen.find(conversation, "and to you");
    let late = newest.came.unwrap().0 - newest.at.0;
    assert!((600_000..700_000).contains(&late), "{late}");
    let page = ann
        .order(Order::Page(conversation, Part::Before(Some(newest.id))))
        .await;
    let Ok(Ordered::Page { posts, .. }) = page else {
        panic!("no page")
    };
    assert_eq!(posts[0].came, None, "one's own has not come");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_reached_an_old_key_is_said_to_the_new_one_when_that_is_asked_for() {
    let (mut ann, mut old) = (User::new("ann").await, User::new("bob").await);
    let mut new = User::new("bob").await;
    let (from, to) = (old.person(), new.person());
    assert_eq!(
        ann.order(Order::MoveOn { from, to }).await,
        Ok(Ordered::Done)
    );
    assert!(ann.seen.chats.is_empty(), "there was nothing to go on with");
    let before = ann.opened(Order::Direct(from)).await;
    ann.say(before, "got").await;
    old.connect(&mut ann).await;
    old.until("the request", |seen| seen.chats.contains_key(&before))
        .await;
    old.done(Order::Join(before)).await;
    old.until_texts(before, &["got"]).await;
    ann.until("the receipt", |seen| {
        let receipts = seen.find(before, "got").receipts.as_ref().unwrap();
        receipts.iter().all(|receipt| receipt.delivered)
    })
    .await;
    old.stop().await;
    let deleted = ann.say(before, "deleted").await;
    let reply = ann.say(before, "first").await;
    ann.say(before, "second").await;
    ann.done(Order::Delete {
        conversation: before,
        message: deleted,
    })
    .await;
    let after = ann.opened(Order::MoveOn { from, to }).await;
    assert_ne!(after, before);
    assert_eq!(ann.seen.texts(after), ["first", "second"]);
    assert!(ann.seen.chats[&before].archived && !ann.seen.chats[&after].archived);
    assert_ne!(ann.seen.find(after, "first").id, reply);
    // Once more, as after a crash: nothing twice.
    assert_eq!(ann.opened(Order::MoveOn { from, to }).await, after);
    assert_eq!(ann.seen.texts(after), ["first", "second"]);
    new.connect(&mut ann).await;
    new.until("the request", |seen| seen.chats.contains_key(&after))
        .await;
    new.done(Order::Join(after)).await;
    new.until_texts(after, &["first", "second"]).await;
}
