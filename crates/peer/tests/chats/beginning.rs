//! How conversations begin.

use p2pchat_model::{ChatChange, ChatKind, Problem, Receipt, Standing};
use p2pchat_peer::machine::Order;

use crate::world::{Seen, User, named, was_told};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_before_the_other_is_there_waits_for_them() {
    let (mut ann, mut bob) = (User::new("ann").await, User::new("bob").await);
    let id = ann.opened(Order::Direct(bob.person())).await;
    let chat = &ann.seen.chats[&id];
    assert_eq!((chat.kind, chat.standing), (ChatKind::Direct, Standing::In));
    assert_eq!(chat.members[0].who.key, bob.person());
    assert!(chat.members[0].asked);
    ann.say(id, "before you came").await;
    let receipts = |user: &User| {
        let post = user.seen.find(id, "before you came");
        let receipts = post.receipts.iter().flatten();
        let receipts = receipts.map(|Receipt { to, delivered }| (to.key, *delivered));
        receipts.collect::<Vec<_>>()
    };
    assert_eq!(receipts(&ann), [(bob.person(), false)]);

    ann.connect(&mut bob).await;
    bob.until(
        "the request",
        |seen| matches!(seen.standing(id), Some(Standing::Asked(by)) if by.key == ann.person()),
    )
    .await;
    assert_eq!(bob.seen.texts(id), [""; 0]);
    bob.done(Order::Join(id)).await;
    assert_eq!(bob.seen.standing(id), Some(Standing::In));
    bob.until_texts(id, &["before you came"]).await;
    ann.until("the receipt", |seen| {
        seen.find(id, "before you came").is_delivered_to_any()
    })
    .await;
    assert_eq!(receipts(&ann), [(bob.person(), true)]);
    let is_in = |person| move |seen: &Seen| seen.people_in(id).contains(&person);
    ann.until("bob to be in", is_in(bob.person())).await;
    // The same one is found again.
    assert_eq!(bob.opened(Order::Direct(ann.person())).await, id);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_declines_a_chat_of_two_is_told_of_and_can_begin_it_later() {
    let (mut ann, mut bob) = (User::new("ann").await, User::new("bob").await);
    let id = ann.opened(Order::Direct(bob.person())).await;
    ann.say(id, "hello?").await;
    ann.connect(&mut bob).await;
    bob.until("the request", |seen| seen.chats.contains_key(&id))
        .await;
    bob.done(Order::Decline(id)).await;
    assert_eq!(bob.seen.standing(id), Some(Standing::Out));
    let b = bob.person();
    let declined = was_told(ChatChange::Declined(named(b, false)));
    ann.until("the answer", declined).await;
    let other = ann.seen.chats[&id].members[0];
    assert_eq!((other.asked, other.declined), (false, true));
    assert_eq!(ann.seen.chats[&id].standing, Standing::In);

    assert_eq!(bob.opened(Order::Direct(ann.person())).await, id);
    bob.until_texts(id, &["hello?"]).await;
    let joined = was_told(ChatChange::Joined(named(b, false)));
    ann.until("bob to be in", joined).await;
    let other = ann.seen.chats[&id].members[0];
    assert_eq!((other.asked, other.declined), (false, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_declines_is_out_and_not_asked_again() {
    let (mut ann, mut bob) = (User::new("ann").await, User::new("bob").await);
    let (name, people) = ("friends".parse().unwrap(), vec![bob.person()]);
    let id = ann.opened(Order::Group { name, people }).await;
    ann.connect(&mut bob).await;
    bob.until("the request", |seen| seen.chats.contains_key(&id))
        .await;
    let chat = &bob.seen.chats[&id];
    assert_eq!((chat.kind, chat.name), (ChatKind::Group, name));
    assert_eq!(chat.members[0].who.key, ann.person());
    assert!(chat.members[0].owner);
    assert_eq!(chat.since, None, "they would see everything");
    bob.done(Order::Decline(id)).await;
    assert_eq!(bob.seen.standing(id), Some(Standing::Out));
    ann.until("nobody to be asked", |seen| {
        seen.chats[&id].members.is_empty()
    })
    .await;
    let declined = was_told(ChatChange::Declined(named(bob.person(), false)));
    ann.until("the answer", declined).await;
    assert_eq!(ann.seen.chats[&id].standing, Standing::In);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nobody_has_accepted_a_message_waits_for_those_who_may() {
    let (mut ann, mut bob) = (User::new("ann").await, User::new("bob").await);
    let mut cid = User::new("cid").await;
    let name = "friends".parse().unwrap();
    let people = vec![bob.person(), cid.person()];
    let id = ann.opened(Order::Group { name, people }).await;
    ann.say(id, "hello?").await;
    let waits_for = |expected: &[(&User, bool)]| {
        let mut expected: Vec<_> = (expected.iter())
            .map(|(user, delivered)| (user.person(), *delivered))
            .collect();
        expected.sort();
        move |seen: &Seen| {
            let receipts = seen.find(id, "hello?").receipts.iter().flatten();
            let mut receipts: Vec<_> = receipts.map(|it| (it.to.key, it.delivered)).collect();
            receipts.sort();
            receipts == expected
        }
    };
    assert!(waits_for(&[(&bob, false), (&cid, false)])(&ann.seen));
    for other in [&mut bob, &mut cid] {
        ann.connect(other).await;
        other
            .until("the request", |seen| seen.chats.contains_key(&id))
            .await;
    }
    bob.done(Order::Decline(id)).await;
    ann.until("cid alone", waits_for(&[(&cid, false)])).await;
    cid.done(Order::Join(id)).await;
    ann.until("the receipt", waits_for(&[(&cid, true)])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_told_with_its_reason() {
    let mut ann = User::new("ann").await;
    let bob = User::new("bob").await;
    let unknown = "open".parse().unwrap();
    let me = ann.person();
    let failed = ann.order(Order::Join(unknown)).await;
    assert_eq!(failed, Err(Problem::NoSuchConversation));
    assert_eq!(ann.order(Order::Direct(me)).await, Err(Problem::Oneself));
    let id = ann.opened(Order::Direct(bob.person())).await;
    let failed = ann.order(Order::Leave(id)).await;
    assert_eq!(failed, Err(Problem::NotPossible));
    let say = |text: String, reply_to| Order::Say {
        conversation: id,
        text,
        reply_to,
        said_by: None,
    };
    let failed = ann.order(say(String::new(), None)).await;
    assert_eq!(failed, Err(Problem::BadText));
    let failed = ann.order(say("x".repeat(32 * 1024 + 1), None)).await;
    assert_eq!(failed, Err(Problem::BadText));
    let no_message = Some(p2pchat_model::MessageId::of_entry(1, 2, 3));
    let failed = ann.order(say("hi".to_owned(), no_message)).await;
    assert_eq!(failed, Err(Problem::NoSuchMessage));
    let other = p2pchat_model::ConversationId::encrypted(&[7; 32]);
    let failed = ann.order(Order::Pin(other, true)).await;
    assert_eq!(failed, Err(Problem::NoSuchConversation));
}
