use p2pchat_model::{
    Delivery, DeliveryState, Message, MessageId, NameCheck, Person, Speaker, Timestamp,
};
use tokio::time::sleep_until;

use super::*;

fn delivery() -> Delivery {
    let to = Person {
        address: "127.0.0.9".parse().unwrap(),
        name: None,
    };
    let state = DeliveryState::Sent;
    Delivery { to, state }
}

fn said(is_own: bool) -> ToJournal {
    ToJournal::Event(Event::Message(Message {
        id: MessageId(1),
        at: Timestamp(1),
        from: Speaker {
            name: "ann".parse().unwrap(),
            address: "127.0.0.1".parse().unwrap(),
            check: NameCheck::Confirmed,
        },
        text: "hello".to_owned(),
        deliveries: is_own.then(|| vec![delivery()]),
    }))
}

fn delivered() -> ToJournal {
    ToJournal::Event(Event::Delivered {
        id: MessageId(1),
        delivery: delivery(),
    })
}

#[tokio::test]
async fn what_the_user_said_waits_for_its_deliveries_but_not_for_long() {
    let (sender, mut journal) = mpsc::channel(8);
    let mut entries = Entries::new(sender);
    entries.add(said(true)).await.unwrap();
    entries.add(delivered()).await.unwrap();
    assert!(journal.try_recv().is_err());
    let due = entries.due().unwrap();
    assert!(due <= Instant::now() + SAID_WAITS);
    sleep_until(due).await;
    assert!(entries.is_due());
    entries.hand_over().await.unwrap();
    assert_eq!(journal.len(), 2);
    assert_eq!(entries.due(), None);
}

#[tokio::test]
async fn what_others_say_waits_for_nothing_and_takes_along_what_came_before() {
    let (sender, mut journal) = mpsc::channel(8);
    let mut entries = Entries::new(sender);
    entries.add(said(true)).await.unwrap();
    entries.add(said(false)).await.unwrap();
    let is_own = |entry| match entry {
        ToJournal::Event(Event::Message(said)) => said.is_own(),
        other => panic!("{other:?}"),
    };
    assert!(is_own(journal.try_recv().unwrap()));
    assert!(!is_own(journal.try_recv().unwrap()));
}

#[tokio::test]
async fn no_more_wait_than_go_into_one_transaction() {
    let (sender, journal) = mpsc::channel(2 * MAX_WAITING);
    let mut entries = Entries::new(sender);
    for _ in 0..MAX_WAITING {
        entries.add(delivered()).await.unwrap();
    }
    assert_eq!(journal.len(), 0);
    entries.add(delivered()).await.unwrap();
    assert_eq!(journal.len(), MAX_WAITING + 1);
}

#[tokio::test]
async fn a_journal_that_has_ended_is_noticed() {
    let (sender, journal) = mpsc::channel(1);
    let mut entries = Entries::new(sender);
    drop(journal);
    entries.add(said(true)).await.unwrap();
    assert!(entries.hand_over().await.is_err());
}
