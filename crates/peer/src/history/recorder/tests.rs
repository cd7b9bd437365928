use p2pchat_model::{FrontEndId, MessageId};
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::history::tests::{OPEN, message, name};
use crate::machine::SaidBy;

/// A recorder, and another connection that can keep it from writing.
struct Scene {
    _folder: TempDir,
    recorder: Recorder,
    other: Connection,
    now: Instant,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        let history = History::open(&path).unwrap();
        // So that an attempt does not wait 2 s.
        history.connection.busy_timeout(Duration::ZERO).unwrap();
        Self {
            recorder: Recorder::new(history),
            other: Connection::open(path).unwrap(),
            _folder: folder,
            now: Instant::now(),
        }
    }

    fn hold(&self) {
        self.other.execute_batch("BEGIN IMMEDIATE").unwrap();
    }

    fn let_go(&self) {
        self.other.execute_batch("ROLLBACK").unwrap();
    }

    fn say(&mut self, id: u64) -> Option<Change> {
        let entry = Entry::Message {
            account: name("ann"),
            message: message(id, "hello"),
            said_by: None,
        };
        self.recorder.write(vec![entry], self.now)
    }

    fn kept(&self) -> Vec<u64> {
        let page = self
            .recorder
            .history()
            .page(name("ann"), OPEN, None)
            .unwrap();
        page.messages
            .iter()
            .map(|message| message.id.number())
            .collect()
    }
}

#[test]
fn messages_written_while_it_was_broken_are_there_when_it_works_again() {
    let mut scene = Scene::new();
    assert_eq!(scene.say(1), None);
    scene.hold();
    assert_eq!(scene.say(2), Some(Change::Broke));
    assert_eq!(scene.say(3), None, "that is known already");
    scene.now += RETRY;
    assert_eq!(scene.say(4), None, "it still is");
    scene.let_go();
    assert_eq!(scene.say(5), None, "not all the time");
    assert_eq!(scene.kept(), [1]);
    scene.now += RETRY;
    assert_eq!(scene.say(6), Some(Change::Mended { lost: 0 }));
    assert_eq!(scene.kept(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(scene.say(7), None);
    assert_eq!(scene.kept().len(), 7);
}

#[test]
fn waiting_entries_are_bounded_and_lost_messages_counted() {
    let mut scene = Scene::new();
    scene.hold();
    for id in 1..=MAX_UNWRITTEN as u64 + 3 {
        scene.say(id);
    }
    scene.let_go();
    assert_eq!(
        scene.recorder.retry(scene.now),
        Some(Change::Mended { lost: 3 })
    );
    let first = scene
        .recorder
        .history()
        .page(name("ann"), OPEN, Some(MessageId::new(10)));
    assert_eq!(first.unwrap().messages[0].id.number(), 4);
}

#[test]
fn the_call_of_a_message_waits_with_it() {
    let mut scene = Scene::new();
    let by = SaidBy {
        front_end: FrontEndId::new("script").unwrap(),
        id: 7.into(),
        fingerprint: 1,
    };
    let entry = Entry::Message {
        account: name("ann"),
        message: message(1, "hello"),
        said_by: Some(by.clone()),
    };
    scene.hold();
    let broke = scene.recorder.write(vec![entry], scene.now);
    assert_eq!(broke, Some(Change::Broke));
    assert!(scene.recorder.history().calls().unwrap().is_empty());
    scene.let_go();
    scene.recorder.retry(scene.now);
    let calls = scene.recorder.history().calls().unwrap();
    assert_eq!(calls, [(by, MessageId::new(1))]);
}

#[test]
fn it_can_break_again() {
    let mut scene = Scene::new();
    for id in [1, 2] {
        scene.hold();
        assert_eq!(scene.say(id), Some(Change::Broke));
        scene.let_go();
        assert_eq!(
            scene.recorder.retry(scene.now),
            Some(Change::Mended { lost: 0 })
        );
    }
    assert_eq!(scene.recorder.retry(scene.now), None);
    assert_eq!(scene.kept(), [1, 2]);
}
