use std::path::{Path, PathBuf};

use p2pchat_model::{
    Delivery, DeliveryState, LeaveReason, Line, Message, NameCheck, Person, Speaker, Timestamp,
};
use tempfile::TempDir;

use super::*;
use crate::shell::Handle;
use crate::shell::testing::within;

fn name(text: &str) -> Username {
    Username::new(text).unwrap()
}

fn message(id: u64, own: bool) -> Message {
    let to = Person {
        address: "127.0.0.3".parse().unwrap(),
        name: None,
    };
    let sending = Delivery {
        to,
        state: DeliveryState::Sending,
    };
    Message {
        id: MessageId(id),
        at: Timestamp(id),
        from: Speaker {
            name: name("bob"),
            address: to.address,
            check: NameCheck::Confirmed,
        },
        text: format!("text {id}"),
        deliveries: own.then(|| vec![sending]),
    }
}

fn message_event(id: u64) -> JournalInput {
    JournalInput::Event(Event::Message(message(id, false)))
}

fn logged_in(account: &str) -> JournalInput {
    JournalInput::Event(Event::LoggedIn {
        at: Timestamp(0),
        name: name(account),
    })
}

/// A journal that runs, its only sender, and a handle.
struct Running {
    journal: Journal,
    sender: mpsc::Sender<JournalInput>,
    handle: Handle,
}

fn start(history: Option<History>) -> Running {
    let (journal, sender) = Journal::start(Stores {
        history,
        blocks: None,
    })
    .unwrap();
    let handle = Handle {
        address: "127.0.0.2".parse().unwrap(),
        commands: mpsc::channel(1).0,
        journal: sender.downgrade(),
    };
    Running {
        journal,
        sender,
        handle,
    }
}

impl Running {
    async fn tell(&self, entries: impl IntoIterator<Item = JournalInput>) {
        for entry in entries {
            self.sender.send(entry).await.unwrap();
        }
    }

    async fn end(self) {
        drop(self.sender);
        within("the end", self.journal.join()).await.unwrap();
    }
}

async fn next(subscription: &mut Subscription) -> Arc<Event> {
    within("an event", subscription.next()).await.unwrap()
}

fn file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    (folder, path)
}

fn kept(path: &Path, account: &str) -> Vec<Message> {
    History::open(path)
        .unwrap()
        .page(name(account), None)
        .unwrap()
        .messages
}

#[tokio::test]
async fn the_view_and_the_events_after_it_miss_and_repeat_nothing() {
    let running = start(None);
    let sender = running.sender.clone();
    let teller = tokio::spawn(async move {
        for id in 1..=2000 {
            sender.send(message_event(id)).await.unwrap();
        }
    });
    for _ in 0..10 {
        let mut subscription = running.handle.subscribe().await.unwrap();
        let mut view = subscription.view.clone();
        while view.open().lines.len() < 2000 {
            view.apply(&*next(&mut subscription).await);
        }
        let times: Vec<_> = view.open().lines.iter().map(|line| line.at().0).collect();
        assert_eq!(times, (1..=2000).collect::<Vec<_>>());
    }
    teller.await.unwrap();
    running.end().await;
}

#[tokio::test]
async fn messages_are_stored_for_the_account_that_is_logged_in() {
    let (_folder, path) = file();
    let running = start(Some(History::open(&path).unwrap()));
    let logged_out = JournalInput::Event(Event::LoggedOut {
        at: Timestamp(0),
        problem: None,
    });
    let entries = [
        message_event(1),
        logged_in("ann"),
        message_event(2),
        logged_out,
        message_event(3),
        logged_in("eve"),
        message_event(4),
    ];
    running.tell(entries).await;
    running.end().await;

    assert_eq!(kept(&path, "ann"), [message(2, false)]);
    assert_eq!(kept(&path, "eve"), [message(4, false)]);
}

#[tokio::test]
async fn a_message_that_a_subscriber_has_received_is_on_disk() {
    let (_folder, path) = file();
    let running = start(Some(History::open(&path).unwrap()));
    let mut subscription = running.handle.subscribe().await.unwrap();
    running.tell([logged_in("ann")]).await;
    for id in 1..=20 {
        running.tell([message_event(id)]).await;
        while !matches!(&*next(&mut subscription).await, Event::Message(_)) {}
        assert_eq!(kept(&path, "ann").len() as u64, id);
    }
    running.end().await;
}

#[tokio::test]
async fn deliveries_are_stored() {
    let (_folder, path) = file();
    let running = start(Some(History::open(&path).unwrap()));
    let own = message(1, true);
    let failed = Delivery {
        to: own.deliveries.as_ref().unwrap()[0].to,
        state: DeliveryState::Failed(LeaveReason::Refused),
    };
    let delivered = Event::Delivered {
        id: own.id,
        delivery: failed,
    };
    let said = JournalInput::Event(Event::Message(own));
    running
        .tell([logged_in("ann"), said, JournalInput::Event(delivered)])
        .await;
    running.end().await;
    assert_eq!(kept(&path, "ann")[0].deliveries, Some(vec![failed]));
}

#[tokio::test]
async fn pages_and_findings_include_all_earlier_messages() {
    let (_folder, path) = file();
    let running = start(Some(History::open(&path).unwrap()));
    let mut subscription = running.handle.subscribe().await.unwrap();
    let account = name("ann");
    let recall = JournalInput::Recall {
        account,
        before: None,
    };
    let find = JournalInput::Find {
        account,
        text: "text 2".to_owned(),
    };
    running
        .tell([
            logged_in("ann"),
            message_event(1),
            message_event(2),
            recall,
            find,
            message_event(3),
        ])
        .await;

    while subscription.view.findings.is_none() {
        let event = next(&mut subscription).await;
        if let Event::History { messages, more, .. } = &*event {
            assert_eq!((messages.len(), *more), (2, false));
        }
        subscription.view.apply(&event);
    }
    assert_eq!(
        subscription.view.findings.unwrap().messages,
        [message(2, false)]
    );
    running.end().await;
}

#[tokio::test]
async fn texts_that_an_earlier_run_was_sending_become_unconfirmed() {
    let (_folder, path) = file();
    let account = name("ann");
    let mut history = History::open(&path).unwrap();
    history.record(account, &[message(1, true)]).unwrap();
    drop(history);

    let running = start(Some(History::open(&path).unwrap()));
    let mut subscription = running.handle.subscribe().await.unwrap();
    let (before, text) = (None, "text".to_owned());
    running
        .tell([
            logged_in("ann"),
            JournalInput::Event(Event::Message(message(2, true))),
            JournalInput::Recall { account, before },
            JournalInput::Find { account, text },
        ])
        .await;

    for _ in 0..2 {
        next(&mut subscription).await;
    }
    for newest_first in [false, true] {
        let mut messages = match &*next(&mut subscription).await {
            Event::History { messages, .. } | Event::Findings { messages, .. } => messages.clone(),
            other => panic!("{other:?}"),
        };
        if newest_first {
            messages.reverse();
        }
        let state = |message: &Message| message.deliveries.as_ref().unwrap()[0].state;
        assert_eq!(state(&messages[0]), DeliveryState::Unconfirmed);
        assert_eq!(state(&messages[1]), DeliveryState::Sending);
    }
    running.end().await;
}

#[tokio::test]
async fn without_a_history_everything_but_older_pages_works() {
    let running = start(None);
    let mut subscription = running.handle.subscribe().await.unwrap();
    let account = name("ann");
    let newest = JournalInput::Recall {
        account,
        before: None,
    };
    let older = JournalInput::Recall {
        account,
        before: Some(MessageId(5)),
    };
    let find = JournalInput::Find {
        account,
        text: "tea".to_owned(),
    };
    running.tell([newest, older, find]).await;

    assert!(matches!(
        &*next(&mut subscription).await,
        Event::History { more: false, .. }
    ));
    for command in ["history", "find"] {
        match &*next(&mut subscription).await {
            Event::Failed(failure) => {
                assert_eq!(failure.code, Problem::NoHistory);
                assert_eq!(failure.command, command);
            }
            other => panic!("{other:?}"),
        }
    }
    running.end().await;
}

#[tokio::test]
async fn a_history_that_breaks_is_reported_once_and_chatting_goes_on() {
    let (_folder, path) = file();
    let running = start(Some(History::open(&path).unwrap()));
    let mut subscription = running.handle.subscribe().await.unwrap();
    running.tell([logged_in("ann"), message_event(1)]).await;
    while !matches!(&*next(&mut subscription).await, Event::Message(_)) {}

    let vandal = rusqlite::Connection::open(&path).unwrap();
    vandal.execute_batch("DROP TABLE message").unwrap();
    let mut heard = (0, 0);
    for id in 2..=5 {
        running.tell([message_event(id)]).await;
    }
    running.end().await;
    while let Ok(event) = subscription.next().await {
        match &*event {
            Event::Message(_) => heard.0 += 1,
            Event::Notice {
                notice: Notice::HistoryBroken,
                ..
            } => heard.1 += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(heard, (4, 1));
}

#[tokio::test]
async fn a_subscriber_that_is_too_slow_is_told_and_delays_no_other() {
    let running = start(None);
    let mut slow = running.handle.subscribe().await.unwrap();
    let count = MAX_BEHIND as u64 + 100;
    for id in 1..=count {
        running.tell([message_event(id)]).await;
    }
    let again = within("a subscription", running.handle.subscribe())
        .await
        .unwrap();
    assert_eq!(again.view.open().lines.len() as u64, count);
    assert!(matches!(again.view.open().lines[0], Line::Message(_)));
    assert_eq!(slow.next().await.unwrap_err(), Missed::Lagged(100));
    assert!(slow.next().await.is_ok());
    running.end().await;
}

#[tokio::test]
async fn a_handle_does_not_keep_a_journal_alive() {
    let running = start(None);
    let handle = running.handle.clone();
    let mut subscription = handle.subscribe().await.unwrap();
    running.end().await;
    assert_eq!(subscription.next().await.unwrap_err(), Missed::Stopped);
    assert!(handle.subscribe().await.is_err());
}

#[tokio::test]
async fn a_text_is_confirmed_only_once_it_is_on_disk() {
    let (_folder, path) = file();
    let running = start(Some(History::open(&path).unwrap()));
    running.tell([logged_in("ann")]).await;
    for id in 1..=20 {
        let (taken, word) = oneshot::channel();
        running
            .tell([message_event(id), JournalInput::Taken(taken)])
            .await;
        within("the word", word).await.unwrap();
        assert_eq!(kept(&path, "ann").len() as u64, id);
    }
    running.end().await;
}
