use p2pchat_model::{
    ConversationId, Delivery, DeliveryState, Message, MessageId, Person, Timestamp,
};
use tokio::time::sleep_until;

use super::*;

fn delivery() -> Delivery {
    let to = Person::listed("127.0.0.9".parse().unwrap(), None);
    let state = DeliveryState::Sent;
    Delivery { to, state }
}

fn event(event: Event) -> JournalInput {
    JournalInput::Event {
        event,
        re: None,
        said_by: None,
    }
}

fn text(is_own: bool) -> JournalInput {
    let name = Some("ann".parse().unwrap());
    event(Event::Message(Message {
        conversation: ConversationId::OPEN,
        id: MessageId::new(1),
        at: Timestamp(1),
        from: Person::listed("127.0.0.1".parse().unwrap(), name),
        text: "hello".to_owned(),
        deliveries: is_own.then(|| vec![delivery()]),
    }))
}

fn delivered() -> JournalInput {
    event(Event::Delivered {
        conversation: ConversationId::OPEN,
        message: MessageId::new(1),
        delivery: delivery(),
    })
}

#[tokio::test]
async fn an_own_text_waits_for_its_deliveries_but_not_for_long() {
    let (sender, mut journal) = mpsc::channel(8);
    let mut queue = JournalQueue::new(sender);
    queue.add(text(true)).await.unwrap();
    queue.add(delivered()).await.unwrap();
    assert!(journal.try_recv().is_err());
    let due = queue.due().unwrap();
    assert!(due <= Instant::now() + OWN_TEXT_DELAY);
    sleep_until(due).await;
    assert!(queue.is_due());
    queue.flush().await.unwrap();
    assert_eq!(journal.len(), 2);
    assert_eq!(queue.due(), None);
}

#[tokio::test]
async fn who_waits_for_a_text_to_be_stored_waits_no_longer_than_that() {
    let (sender, mut journal) = mpsc::channel(8);
    let mut queue = JournalQueue::new(sender);
    queue.add(text(true)).await.unwrap();
    let (stored, _) = tokio::sync::oneshot::channel();
    queue.add(JournalInput::Taken(stored)).await.unwrap();
    assert_eq!(journal.len(), 2);
    assert!(matches!(journal.try_recv(), Ok(JournalInput::Event { .. })));
}

#[tokio::test]
async fn texts_of_others_wait_for_nothing_and_flush_what_came_before() {
    let (sender, mut journal) = mpsc::channel(8);
    let mut queue = JournalQueue::new(sender);
    queue.add(text(true)).await.unwrap();
    queue.add(text(false)).await.unwrap();
    let is_own = |entry| match entry {
        JournalInput::Event {
            event: Event::Message(text),
            ..
        } => text.is_own(),
        other => panic!("{other:?}"),
    };
    assert!(is_own(journal.try_recv().unwrap()));
    assert!(!is_own(journal.try_recv().unwrap()));
}

#[tokio::test]
async fn no_more_wait_than_go_into_one_transaction() {
    let (sender, journal) = mpsc::channel(2 * MAX_WAITING);
    let mut queue = JournalQueue::new(sender);
    for _ in 0..MAX_WAITING {
        queue.add(delivered()).await.unwrap();
    }
    assert_eq!(journal.len(), 0);
    queue.add(delivered()).await.unwrap();
    assert_eq!(journal.len(), MAX_WAITING + 1);
}

#[tokio::test]
async fn a_journal_that_has_ended_is_noticed() {
    let (sender, journal) = mpsc::channel(1);
    let mut queue = JournalQueue::new(sender);
    drop(journal);
    queue.add(text(true)).await.unwrap();
    assert!(queue.flush().await.is_err());
}
