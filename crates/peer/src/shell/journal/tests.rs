use std::path::{Path, PathBuf};

use p2pchat_model::{
    Delivery, DeliveryState, FrontEndId, LeaveReason, Line, Message, Person, Snapshot, Timestamp,
    Update,
};
use tempfile::TempDir;

use super::*;
use crate::machine::Asker;
use crate::shell::testing::within;
use crate::shell::{Handle, Updates};

const OPEN: ConversationId = ConversationId::OPEN;

fn name(text: &str) -> Username {
    Username::new(text).unwrap()
}

fn message(id: u64, own: bool) -> Message {
    let to = Person::listed("127.0.0.3".parse().unwrap(), None);
    let sending = Delivery {
        to,
        state: DeliveryState::Sending,
    };
    Message {
        conversation: OPEN,
        id: MessageId::new(id),
        at: Timestamp(id),
        from: Person::listed(to.address, Some(name("bob"))),
        text: format!("text {id}"),
        deliveries: own.then(|| vec![sending]),
    }
}

fn event(event: Event) -> JournalInput {
    JournalInput::Event {
        event,
        re: None,
        said_by: None,
    }
}

fn message_event(id: u64) -> JournalInput {
    event(Event::Message(message(id, false)))
}

fn logged_in(account: &str) -> JournalInput {
    event(Event::LoggedIn {
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
    let blocks = None;
    let folder = None;
    let stores = Stores {
        history,
        blocks,
        folder,
    };
    resume(stores, View::default())
}

fn resume(stores: Stores, view: View) -> Running {
    let (journal, sender) = Journal::start(stores, view).unwrap();
    let handle = Handle {
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

    /// Joins; the view is as it is now.
    async fn join(&self, front_end: &str) -> (Updates, View) {
        let front_end = FrontEndId::new(front_end).unwrap();
        let (_, mut updates) = self.handle.join(front_end).await.unwrap();
        let view = snapshot(&mut updates).await.view;
        (updates, view)
    }

    async fn end(self) {
        drop(self.sender);
        within("the end", self.journal.join()).await.unwrap();
    }
}

async fn update(updates: &mut Updates) -> Update {
    within("an update", updates.next()).await.unwrap()
}

async fn next(updates: &mut Updates) -> Arc<Event> {
    update(updates).await.event
}

async fn snapshot(updates: &mut Updates) -> Snapshot {
    match &*next(updates).await {
        Event::View(snapshot) => Snapshot::clone(snapshot),
        other => panic!("{other:?}"),
    }
}

fn asker(front_end: &str, id: u64) -> Asker {
    Asker {
        front_end: FrontEndId::new(front_end).unwrap(),
        id: Some(id.into()),
    }
}

fn recall(re: Option<Asker>, account: &str, before: Option<u64>) -> JournalInput {
    JournalInput::Told(ToJournal::Recall {
        re,
        conversation: OPEN,
        account: name(account),
        before: before.map(MessageId::new),
    })
}

fn find(re: Option<Asker>, account: &str, text: &str) -> JournalInput {
    JournalInput::Told(ToJournal::Find {
        posts: Vec::new(),
        re,
        conversation: None,
        account: name(account),
        text: text.to_owned(),
    })
}

fn file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    (folder, path)
}

fn kept(path: &Path, account: &str) -> Vec<Message> {
    History::open(path)
        .unwrap()
        .page(name(account), OPEN, None)
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
        let (mut updates, mut view) = running.join("front-end").await;
        let is_last = |line: &Line| line.at().0 == 2000;
        while !view.open().lines.last().is_some_and(is_last) {
            view.apply(&*next(&mut updates).await);
        }
        let times: Vec<_> = view.open().lines.iter().map(|line| line.at().0).collect();
        let first = times[0];
        assert_eq!(times, (first..=2000).collect::<Vec<_>>());
    }
    teller.await.unwrap();
    running.end().await;
}

#[tokio::test]
async fn messages_are_stored_for_the_account_that_is_logged_in() {
    let (_folder, path) = file();
    let running = start(Some(History::open(&path).unwrap()));
    let logged_out = event(Event::LoggedOut {
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
    let (mut updates, _) = running.join("front-end").await;
    running.tell([logged_in("ann")]).await;
    for id in 1..=20 {
        running.tell([message_event(id)]).await;
        while !matches!(&*next(&mut updates).await, Event::Message(_)) {}
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
        conversation: OPEN,
        message: own.id,
        delivery: failed,
    };
    let said = event(Event::Message(own));
    running
        .tell([logged_in("ann"), said, event(delivered)])
        .await;
    running.end().await;
    assert_eq!(kept(&path, "ann")[0].deliveries, Some(vec![failed]));
}

#[tokio::test]
async fn pages_and_findings_include_all_earlier_messages_and_are_for_who_asked() {
    let (_folder, path) = file();
    let running = start(Some(History::open(&path).unwrap()));
    let (mut updates, mut view) = running.join("asks").await;
    let (mut others, _) = running.join("does-not").await;
    running
        .tell([
            logged_in("ann"),
            message_event(1),
            message_event(2),
            recall(Some(asker("asks", 1)), "ann", None),
            find(Some(asker("asks", 2)), "ann", "text 2"),
            message_event(3),
        ])
        .await;
    running.end().await;

    let mut answers = Vec::new();
    while let Ok(update) = updates.next().await {
        if let Event::History { messages, more, .. } = &*update.event {
            assert_eq!((messages.len(), *more), (2, false));
        }
        view.apply(&update.event);
        answers.extend(update.re.map(|re| (re, *update.event == Event::Done)));
    }
    let closed = [1, 2].map(|id| [(id.into(), false), (id.into(), true)]);
    assert_eq!(answers, closed.concat());
    assert_eq!(view.findings.unwrap().messages, [message(2, false)]);
    while let Ok(Update { re, event }) = others.next().await {
        let is_for_all = matches!(*event, Event::LoggedIn { .. } | Event::Message(_));
        assert!(re.is_none() && is_for_all, "{event:?}");
    }
}

#[tokio::test]
async fn texts_that_an_earlier_run_was_sending_become_unconfirmed() {
    let (_folder, path) = file();
    let account = name("ann");
    let mut history = History::open(&path).unwrap();
    history.record(account, &[message(1, true)]).unwrap();
    drop(history);

    let running = start(Some(History::open(&path).unwrap()));
    let (mut updates, _) = running.join("front-end").await;
    running
        .tell([
            logged_in("ann"),
            event(Event::Message(message(2, true))),
            recall(None, "ann", None),
            find(None, "ann", "text"),
        ])
        .await;

    for _ in 0..2 {
        next(&mut updates).await;
    }
    for newest_first in [false, true] {
        let mut messages = match &*next(&mut updates).await {
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
async fn without_a_history_pages_come_from_the_lines_and_there_is_no_search() {
    let running = start(None);
    let (mut updates, view) = running.join("front-end").await;
    let messages = (1..=250).map(message_event);
    running.tell([logged_in("ann")]).await;
    running.tell(messages).await;
    let re = || Some(asker("front-end", 1));
    running
        .tell([
            recall(re(), "ann", Some(201)),
            recall(re(), "ann", Some(101)),
            recall(re(), "ann", Some(1)),
            find(re(), "ann", "tea"),
        ])
        .await;
    let (_, late) = running.join("late").await;
    running.end().await;

    assert!(view.open().lines.is_empty());
    assert_eq!(late.open().oldest_message(), Some(MessageId::new(51)));
    assert!(late.open().more_history);
    let mut pages = Vec::new();
    while let Ok(update) = updates.next().await {
        match &*update.event {
            Event::History { messages, more, .. } => {
                pages.push((
                    messages
                        .iter()
                        .map(|one| one.id.number())
                        .collect::<Vec<_>>(),
                    *more,
                ));
            }
            Event::Failed(failure) => {
                assert_eq!(failure.code, Problem::NoHistory);
                assert_eq!(
                    (failure.command.as_str(), update.re),
                    ("find", Some(1.into()))
                );
            }
            Event::LoggedIn { .. } | Event::Message(_) | Event::Done => {}
            other => panic!("{other:?}"),
        }
    }
    let pages_are = [(101..201, true), (1..101, false), (0..0, false)];
    assert_eq!(pages, pages_are.map(|(ids, more)| (ids.collect(), more)));
}

#[tokio::test]
async fn a_history_that_breaks_is_reported_once_and_chatting_goes_on() {
    let (_folder, path) = file();
    let running = start(Some(History::open(&path).unwrap()));
    let (mut updates, _) = running.join("front-end").await;
    running.tell([logged_in("ann"), message_event(1)]).await;
    while !matches!(&*next(&mut updates).await, Event::Message(_)) {}

    let vandal = rusqlite::Connection::open(&path).unwrap();
    vandal.execute_batch("DROP TABLE message").unwrap();
    let mut heard = (0, 0);
    for id in 2..=5 {
        running.tell([message_event(id)]).await;
    }
    running.end().await;
    while let Ok(update) = updates.next().await {
        match &*update.event {
            Event::Message(_) => heard.0 += 1,
            Event::Notice {
                what: Notice::HistoryBroken,
                ..
            } => heard.1 += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(heard, (4, 1));
}

#[tokio::test]
async fn a_front_end_that_is_too_slow_gets_a_new_view_and_delays_no_other() {
    let running = start(None);
    let (mut slow, _) = running.join("slow").await;
    let count = MAX_BEHIND as u64 + 100;
    for id in 1..=count {
        running.tell([message_event(id)]).await;
    }
    let (_, again) = within("a front end", running.join("quick")).await;
    let newest = |view: &View| view.open().newest_message();
    assert_eq!(newest(&again), Some(MessageId::new(count)));
    assert_eq!(again.open().lines.len(), NEWEST_LINES);
    let fresh = snapshot(&mut slow).await;
    assert_eq!(fresh.missed, 100);
    assert_eq!(fresh.view, again);
    running.tell([message_event(count + 1)]).await;
    let after = next(&mut slow).await;
    assert!(matches!(&*after, Event::Message(message) if message.id.number() == count + 1));
    running.end().await;
}

#[tokio::test]
async fn a_handle_does_not_keep_a_journal_alive() {
    let running = start(None);
    let handle = running.handle.clone();
    let (mut updates, _) = running.join("front-end").await;
    running.end().await;
    assert!(updates.next().await.is_err());
    assert!(
        handle
            .join(FrontEndId::new("front-end").unwrap())
            .await
            .is_err()
    );
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
