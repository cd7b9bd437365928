//! Sessions with devices, from when the user signs in until they sign out.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use p2pchat_conversation::replica::Deed;
use p2pchat_model::{ConversationId, Notice};
use p2pchat_peer::conversations::{Node, Options, View};
use p2pchat_peer::machine::{Order, ToChats};
use p2pchat_protocol::v2::conversation::talk::Talk;
use p2pchat_protocol::v2::peer::Ephemeral;
use p2pchat_secure::Identity;

use crate::world::{User, group};

#[tokio::test(flavor = "multi_thread")]
async fn one_who_has_signed_out_has_no_sessions_until_they_sign_in() {
    let (mut ann, mut bob) = (User::new("ann").await, User::new("bob").await);
    let id = group(&mut ann, &mut [&mut bob]).await;
    bob.tell(ToChats::SignedOut);
    bob.until("no session", |seen| seen.connected.is_empty())
        .await;
    ann.until("no session", |seen| seen.connected.is_empty())
        .await;
    ann.dial(&bob);
    ann.until("the refusal", |seen| seen.not_reached == [bob.device()])
        .await;
    bob.dial(&ann);
    bob.until("the refusal", |seen| seen.not_reached == [ann.device()])
        .await;
    ann.say(id, "while you were out").await;
    bob.sign_in();
    bob.connect(&mut ann).await;
    bob.until_texts(id, &["while you were out"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_does_not_answer_is_told_and_delays_nothing() {
    let (mut ann, mut bob) = (User::new("ann").await, User::new("bob").await);
    // It accepts and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let device = User::new("cid").await.device();
    ann.tell(ToChats::Dial {
        address: silent.local_addr().unwrap(),
        device,
    });
    let begun = Instant::now();
    ann.connect(&mut bob).await;
    let id = ann.opened(Order::Direct(bob.person())).await;
    ann.say(id, "hello").await;
    assert!(begun.elapsed() < Duration::from_secs(4));
    assert_eq!(ann.seen.not_reached, []);
    ann.until("not reached", |seen| seen.not_reached == [device])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_are_told_in_the_order_of_a_list() {
    let mut ann = User::new("ann").await;
    let mut ids = Vec::new();
    for name in ["first", "second", "pinned"] {
        let name = name.parse().unwrap();
        let people = Vec::new();
        ids.push(ann.opened(Order::Group { name, people }).await);
    }
    let [first, second, pinned] = ids[..] else {
        unreachable!("three")
    };
    ann.done(Order::Pin(pinned, true)).await;
    let message = ann.say(first, "hello").await;
    ann.say(second, "later").await;
    // What is no message moves nothing.
    ann.done(Order::React {
        conversation: first,
        message,
        emoji: "👍".to_owned(),
    })
    .await;
    ann.stop().await;
    ann.start().await;
    assert_eq!(ann.seen.order, [pinned, second, first]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_is_told_again_in_full_after_a_restart() {
    let mut ann = User::new("ann").await;
    const COUNT: usize = 1_000;
    let begun = Instant::now();
    for number in 0..COUNT {
        let name = format!("group {number}").parse().unwrap();
        let people = Vec::new();
        ann.begin(Order::Group { name, people });
    }
    ann.until_answers(COUNT).await;
    let ids: Vec<_> = ann.seen.chats.keys().copied().collect();
    assert_eq!(ids.len(), COUNT);
    for id in ids {
        ann.begin(Order::Say {
            conversation: id,
            text: "hello".to_owned(),
            reply_to: None,
            said_by: None,
        });
    }
    ann.until_answers(COUNT).await;
    let wrote = begun.elapsed();
    ann.stop().await;
    let begun = Instant::now();
    ann.start().await;
    let took = begun.elapsed();
    // A third of a second against two on an idle machine. On one that is busy both take longer.
    assert!(took < 2 * wrote, "told in {took:?}, written in {wrote:?}");
    assert_eq!(ann.seen.chats.len(), COUNT);
    assert_eq!(ann.seen.more.len(), COUNT);
    assert_eq!(ann.seen.posts.len(), COUNT);
    println!("{COUNT} conversations are told in {took:?}, written in {wrote:?}");
}

/// Ann without the limits of her program.
async fn bare_node() -> Node {
    let options = Options {
        identity: Identity::ephemeral(),
        store: None,
        is_copy: false,
        listener: None,
    };
    Node::start(options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_reads_slowly_is_told_again_what_they_missed() {
    let (node, mut bob) = (bare_node().await, User::new("bob").await);
    let ann = node.handle();
    let dialled = ann.dial(bob.address, bob.device()).await;
    dialled.unwrap().unwrap();
    let (person, sees_all) = (bob.person(), true);
    let mut ids = Vec::new();
    for name in ["one", "two"] {
        let id = ann.create_group(name.parse().unwrap()).await.unwrap();
        ann.act(id, Deed::Add { person, sees_all }).await.unwrap();
        let conversation = ConversationId::encrypted(&id.0);
        bob.until("the request", |seen| seen.chats.contains_key(&conversation))
            .await;
        bob.done(Order::Join(conversation)).await;
        ids.push((id, conversation));
    }
    let mut events = ann.events();
    let say = async |id, text: &str| {
        let text = text.to_owned();
        ann.say(id, Talk::Message { text }).await.unwrap()
    };
    // Bob reads nothing from now on. These fill the room that there is.
    for number in 0..150 {
        say(ids[0].0, &number.to_string()).await;
    }
    say(ids[1].0, "missed").await;
    // And these drive out the event of that one.
    for _ in 0..2_000 {
        ann.tell(ids[0].0, Ephemeral::Typing).await.unwrap();
    }
    let last = say(ids[0].0, "the last").await;
    let first = ids[0].0;
    let is_delivered = move |view: &View<'_>| {
        let replica = view.sync.get(&first).unwrap();
        let mut logs = replica.membership().logs.keys();
        logs.any(|join| {
            let position = replica.log(join).and_then(|log| log.find(&last));
            position.is_some_and(|position| replica.has_got(&person, join, position))
        })
    };
    while !ann.read(is_delivered).await.unwrap() {
        let _ = events.recv().await;
    }
    bob.until("what was missed", |seen| {
        seen.texts(ids[1].1) == ["missed"] && seen.texts(ids[0].1).contains(&"the last")
    })
    .await;
    // So not all was told as it came.
    assert!(bob.seen.new_posts < 152, "{}", bob.seen.new_posts);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_cannot_be_written_is_told_until_it_can() {
    let (mut ann, bob) = (User::new("ann").await, User::new("bob").await);
    let id = ann.opened(Order::Direct(bob.person())).await;
    let other = rusqlite::Connection::open(ann.store()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let said = ann.begin(Order::Say {
        conversation: id,
        text: "in the end".to_owned(),
        reply_to: None,
        said_by: None,
    });
    ann.until("the bad news", |seen| seen.notices == [Notice::ChatsBroken])
        .await;
    other.execute_batch("COMMIT").unwrap();
    ann.answer(said).await.unwrap();
    assert_eq!(ann.seen.notices, [Notice::ChatsBroken, Notice::ChatsMended]);
    assert_eq!(ann.seen.texts(id), ["in the end"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ahead_of_the_time_is_told_when_it_has_come() {
    let (mut ann, mut bob) = (User::new("ann").await, User::new("bob").await);
    let id = group(&mut ann, &mut [&mut bob]).await;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let ahead = since + Duration::from_secs(10 * 60);
    let ahead = u64::try_from(ahead.as_millis()).unwrap();
    ann.tell(ToChats::RegistryTime(ahead));
    ann.until("the wrong clock", |seen| {
        seen.notices == [Notice::ClockWrong]
    })
    .await;
    ann.say(id, "from the future").await;
    ann.until("the receipt", |seen| {
        seen.find(id, "from the future").is_delivered_to_any()
    })
    .await;
    // Behind what it was told of that entry.
    bob.done(Order::Pin(id, true)).await;
    assert_eq!(bob.seen.texts(id), [""; 0]);
    bob.tell(ToChats::RegistryTime(ahead));
    bob.until_texts(id, &["from the future"]).await;
    assert_eq!(bob.seen.new_posts, 1);
}
