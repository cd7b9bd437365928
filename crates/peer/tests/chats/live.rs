//! What is unread, how far others have read, and who is writing.

use p2pchat_model::Alerts;
use p2pchat_peer::machine::{Order, ToChats};

use crate::world::{User, group};

#[tokio::test(flavor = "multi_thread")]
async fn unread_messages_and_mentions_are_counted_until_they_are_read() {
    let (mut ann, mut bob) = (User::new("ann").await, User::new("Bob").await);
    let id = group(&mut ann, &mut [&mut bob]).await;
    for text in ["hello", "hello @bob!", "@bobby is no one here"] {
        ann.say(id, text).await;
    }
    bob.until("three unread", |seen| seen.chats[&id].unread == 3)
        .await;
    assert_eq!(bob.seen.chats[&id].mentions, 1);
    assert_eq!(ann.seen.chats[&id].unread, 0, "of one's own none is");

    let (first, second) = (
        bob.seen.find(id, "hello").id,
        bob.seen.find(id, "hello @bob!").id,
    );
    bob.done(Order::Read(id, second)).await;
    assert_eq!(bob.seen.read[&id], second);
    let counts = |user: &User| {
        let chat = &user.seen.chats[&id];
        (chat.unread, chat.mentions)
    };
    assert_eq!(counts(&bob), (1, 0));
    ann.until("bob's mark", |seen| {
        seen.chats[&id].members[0].read == Some(second)
    })
    .await;
    // An earlier mark does nothing.
    bob.done(Order::Read(id, first)).await;
    assert_eq!((bob.seen.read[&id], counts(&bob)), (second, (1, 0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_mark_is_told_again_to_a_member_who_connects() {
    let (mut ann, mut bob) = (User::new("ann").await, User::new("bob").await);
    let id = group(&mut ann, &mut [&mut bob]).await;
    let message = ann.say(id, "hello").await;
    bob.until_texts(id, &["hello"]).await;
    ann.stop().await;
    bob.until("ann to be gone", |seen| seen.connected.is_empty())
        .await;
    bob.done(Order::Read(id, message)).await;
    ann.start().await;
    ann.connect(&mut bob).await;
    ann.until("bob's mark", |seen| {
        let chat = seen.chats.get(&id);
        chat.is_some_and(|chat| chat.members[0].read == Some(message))
    })
    .await;
    // It stays known while they are away.
    ann.stop().await;
    ann.start().await;
    assert_eq!(ann.seen.chats[&id].members[0].read, Some(message));
    assert!(ann.seen.connected.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_writing_is_told_until_their_message_comes() {
    let (mut ann, mut bob) = (User::new("ann").await, User::new("bob").await);
    let id = group(&mut ann, &mut [&mut bob]).await;
    // Told once: there may be three seconds between two.
    for _ in 0..3 {
        bob.tell(ToChats::Typing(id));
    }
    ann.until("bob to write", |seen| seen.chats[&id].members[0].typing)
        .await;
    bob.say(id, "hello").await;
    ann.until_texts(id, &["hello"]).await;
    assert_eq!(
        ann.seen.typing,
        [(bob.person(), true), (bob.person(), false)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_stops_writing_is_shown_so_after_a_while() {
    let (mut ann, mut bob) = (User::new("ann").await, User::new("bob").await);
    let id = group(&mut ann, &mut [&mut bob]).await;
    bob.tell(ToChats::Typing(id));
    ann.until("bob to write", |seen| seen.chats[&id].members[0].typing)
        .await;
    ann.until("bob to stop", |seen| !seen.chats[&id].members[0].typing)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_user_sets_is_told_at_once_and_again_at_the_next_start() {
    let (mut ann, bob) = (User::new("ann").await, User::new("bob").await);
    let id = ann.opened(Order::Direct(bob.person())).await;
    ann.say(id, "one").await;
    let two = ann.say(id, "two").await;
    ann.done(Order::Alert(id, Alerts::Mentions)).await;
    ann.done(Order::Pin(id, true)).await;
    ann.done(Order::Archive(id, true)).await;
    ann.done(Order::Draft(id, "I was about".to_owned())).await;
    ann.done(Order::Read(id, two)).await;
    for is_restarted in [false, true] {
        if is_restarted {
            ann.stop().await;
            ann.start().await;
            assert_eq!(ann.seen.texts(id), ["two"], "the newest alone");
            assert!(ann.seen.more[&id]);
        }
        let chat = &ann.seen.chats[&id];
        assert_eq!(chat.alerts, Alerts::Mentions);
        assert!(chat.pinned && chat.archived);
        assert_eq!(ann.seen.drafts[&id], "I was about");
        assert_eq!(ann.seen.read[&id], two);
    }
}
