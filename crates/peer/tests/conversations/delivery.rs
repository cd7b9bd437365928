//! Messages arrive, by whichever way, and are told as delivered.

use p2pchat_peer::conversations::Event;
use p2pchat_protocol::v2::peer::Ephemeral;

use crate::world::{Device, group};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_in_a_group_arrives_and_is_told_as_delivered() {
    let (ann, bob) = (Device::new().await, Device::new().await);
    let id = group(&[&ann, &bob]).await;
    let (mut at_ann, mut at_bob) = (ann.handle().events(), bob.handle().events());
    let entry = ann.say(id, "hello").await;
    bob.until_texts(id, &["hello"]).await;
    Device::until_event(&mut at_bob, "the entry", |event| {
        matches!(event, Event::Entries { conversation, person, entries }
            if (*conversation, *person) == (id, ann.person()) && *entries == [entry])
    })
    .await;
    Device::until_event(
        &mut at_ann,
        "the receipt",
        |event| matches!(event, Event::Delivered { person, .. } if *person == bob.person()),
    )
    .await;
    assert_eq!(ann.waiting_for(id, entry).await, []);
    bob.say(id, "and to you").await;
    ann.until_texts(id, &["hello", "and to you"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_direct_conversation_begins_when_both_are_there() {
    let (ann, bob) = (Device::new().await, Device::new().await);
    let id = ann.handle().direct(bob.person()).await.unwrap();
    let entry = ann.say(id, "before you came").await;
    let mut events = bob.handle().events();
    ann.dial(&bob).await;
    Device::until_event(&mut events, "the request", |event| {
        *event == Event::Requested(id)
    })
    .await;
    assert_eq!(
        bob.texts(id).await,
        [""; 0],
        "nothing before it is accepted"
    );
    bob.handle().accept(id).await.unwrap();
    bob.until_texts(id, &["before you came"]).await;
    ann.until_delivered(id, entry).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_while_one_is_away_is_delivered_by_the_third() {
    let (mut ann, bob) = (Device::new().await, Device::new().await);
    let mut cid = Device::new().await;
    let id = group(&[&ann, &bob, &cid]).await;
    cid.stop().await;
    let entry = ann.say(id, "while you were away").await;
    bob.until_texts(id, &["while you were away"]).await;
    ann.until("the receipt of one", {
        let bob = bob.person();
        move |view| {
            let replica = view.sync.get(&id).unwrap();
            let mut logs = replica.membership().logs.keys();
            logs.any(|join| replica.has_got(&bob, join, 0))
        }
    })
    .await;
    assert_eq!(ann.waiting_for(id, entry).await, [cid.person()]);
    // For good.
    ann.stop().await;
    cid.start(false).await;
    cid.dial(&bob).await;
    cid.until_texts(id, &["while you were away"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_dial_each_other_at_once_end_with_one_session() {
    let (ann, bob) = (Device::new().await, Device::new().await);
    let id = group(&[&ann, &bob]).await;
    for _ in 0..5 {
        tokio::join!(ann.dial(&bob), bob.dial(&ann));
    }
    ann.say(id, "still here").await;
    bob.until_texts(id, &["still here"]).await;
    bob.say(id, "me too").await;
    ann.until_texts(id, &["still here", "me too"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_typing_is_told_to_members_alone() {
    let (ann, bob) = (Device::new().await, Device::new().await);
    let stranger = Device::new().await;
    let id = group(&[&ann, &bob]).await;
    let other = group(&[&ann, &stranger]).await;
    let (mut at_bob, mut at_stranger) = (bob.handle().events(), stranger.handle().events());
    let is_typing = |event: &Event| matches!(event, Event::Ephemeral { .. });
    ann.handle().tell(id, Ephemeral::Typing).await.unwrap();
    Device::until_event(&mut at_bob, "the typing", is_typing).await;
    // What comes behind it has come, so it has not.
    ann.say(other, "hello").await;
    Device::until_event(&mut at_stranger, "the entry", |event| {
        assert!(!is_typing(event));
        matches!(event, Event::Entries { .. })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_away_for_long_gets_all_of_it() {
    let (ann, mut bob) = (Device::new().await, Device::new().await);
    let id = group(&[&ann, &bob]).await;
    bob.stop().await;
    let mut last = None;
    for batch in 0..25 {
        let texts: Vec<_> = (0..40).map(|number| format!("{batch}.{number}")).collect();
        let said = texts.iter().map(|text| ann.say(id, text));
        last = futures::future::join_all(said).await.pop();
    }
    bob.start(false).await;
    bob.dial(&ann).await;
    let entry = last.unwrap();
    ann.until_delivered(id, entry).await;
    bob.until("all of it", move |view| {
        crate::world::texts(view, &id).len() == 1000
    })
    .await;
    assert_eq!(ann.texts(id).await, bob.texts(id).await);
}
