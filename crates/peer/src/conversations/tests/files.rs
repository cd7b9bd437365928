//! What is in the file, and what is wrong with one.

use std::fs;
use std::path::Path;

use p2pchat_common::sqlite::FileError;
use p2pchat_conversation::message::Place;
use p2pchat_conversation::replica::{Fact, Kind};
use p2pchat_model::Alerts;
use p2pchat_protocol::v2::conversation::talk::Talk;
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, EntryId};
use p2pchat_protocol::v2::{DeviceKey, PublicKey};
use rusqlite::types::Value;
use rusqlite::{Connection, Row};

use super::super::schema::kind;
use super::super::{Change, Mark, Settings, Store, StoreError};
use super::world::{World, person};

const CONVERSATION: ConversationId = ConversationId([5; 32]);

/// Whether the file, or the log of SQLite beside it, holds these bytes.
fn holds(path: &Path, text: &str) -> bool {
    let log = path.with_extension("sqlite-wal");
    let read = |path| fs::read(path).unwrap_or_default();
    let of = [read(path.to_owned()), read(log)];
    let found = |bytes: &Vec<u8>| {
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    of.iter().any(found)
}

#[test]
fn what_is_erased_is_not_in_the_file_or_the_index() {
    let mut world = World::new();
    let kept = world.message(0, "quarrelsome");
    let message = world.message(0, "xylophone");
    let text = "zeppelin".to_owned();
    world.say(0, &Talk::Edit { of: message, text });
    world.settle();
    for at in [0, 1] {
        for text in ["quarrelsome", "xylophone", "zeppelin"] {
            assert!(holds(&world.devices[at].path, text), "{text}");
        }
        assert_eq!(world.found(at, "zeppelin"), ["zeppelin"]);
        assert!(world.found(at, "xylophone").is_empty(), "an earlier text");
    }
    world.say(0, &Talk::Erase { of: message });
    world.settle();
    for at in [0, 1] {
        let device = &world.devices[at];
        for text in ["xylophone", "zeppelin"] {
            assert!(!holds(&device.path, text), "{text}");
            assert!(world.found(at, text).is_empty());
        }
        let entry = |id| device.store.entry(&world.group, id).unwrap().unwrap();
        assert_eq!(entry(&message).body, None);
        assert!(entry(&kept).body.is_some());
    }
}

#[test]
fn what_is_erased_while_another_program_reads_goes_with_the_next_commit() {
    let mut world = World::new();
    let message = world.message(0, "xylophone");
    let path = world.devices[0].path.clone();
    let reader = Connection::open(&path).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM talk")
        .unwrap();
    world.say(0, &Talk::Erase { of: message });
    assert!(holds(&path, "xylophone"), "the reader may still want it");
    reader.execute_batch("COMMIT").unwrap();
    world.message(0, "next");
    assert!(!holds(&path, "xylophone"));
}

#[test]
fn a_body_that_is_damaged_leaves_no_gap() {
    let mut world = World::new();
    for text in ["one", "two", "three"] {
        world.message(0, text);
    }
    let join = EntryId(world.group.0);
    let store = &world.devices[0].store;
    let damage = "UPDATE talk SET body = x'07' WHERE position = x'0000000000000001'";
    assert_eq!(store.connection.execute(damage, []).unwrap(), 1);
    let entries = store.entries(&world.group, &join, &(0..9)).unwrap();
    let bodies: Vec<_> = entries.iter().map(|of| of.body.is_some()).collect();
    assert_eq!(bodies, [true, false, true]);
}

#[test]
fn words_that_are_edited_away_are_not_in_the_index() {
    let mut world = World::new();
    let message = world.message(0, "xylophone");
    world.devices[0].store.index_words().unwrap();
    for text in ["zeppelin", "quarrelsome"] {
        let text = text.to_owned();
        world.say(0, &Talk::Edit { of: message, text });
        world.devices[0].store.index_words().unwrap();
    }
    let words: i64 = {
        let connection = Connection::open(&world.devices[0].path).unwrap();
        let sql = "CREATE VIRTUAL TABLE temp.words USING fts5vocab (main, talk_text, row)";
        connection.execute(sql, []).unwrap();
        let sql = "SELECT count(*) FROM temp.words";
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(words, 1);
    assert_eq!(world.found(0, "quarrel"), ["quarrelsome"]);
}

#[test]
fn what_the_user_sets_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("conversations.sqlite");
    let mut store = Store::open(&path).unwrap();
    let place = |millis| Place {
        clock: Clock::from_millis(millis),
        device: DeviceKey(PublicKey([9; 32])),
        position: u64::MAX,
    };
    let kind = Kind::Direct([person(1), person(2)]);
    let marks = [
        Mark::Pinned(true),
        Mark::Alerts(Alerts::Mentions),
        Mark::Archived(true),
        Mark::Read(place(20)),
        Mark::Read(place(10)),
        Mark::Draft("not sent".to_owned()),
    ];
    let mut changes = vec![Change::Open(CONVERSATION, kind)];
    changes.extend(marks.map(|mark| Change::Mark(CONVERSATION, mark)));
    store.commit(&changes).unwrap();
    // Opened twice, it stays as it is.
    store.commit(&changes[..1]).unwrap();
    drop(store);
    let store = Store::open(&path).unwrap();
    let [kept] = &store.restore().unwrap().conversations[..] else {
        panic!("one conversation");
    };
    assert_eq!((kept.id, kept.kind), (CONVERSATION, kind));
    let expected = Settings {
        pinned: true,
        alerts: Alerts::Mentions,
        archived: true,
        read: Some(place(20)),
        draft: "not sent".to_owned(),
    };
    assert_eq!(kept.settings, expected);
}

#[test]
fn how_far_others_have_read_is_kept_also_in_a_file_of_the_first_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("conversations.sqlite");
    let mut store = Store::open(&path).unwrap();
    let kind = Kind::Direct([person(1), person(2)]);
    store.commit(&[Change::Open(CONVERSATION, kind)]).unwrap();
    let connection = &store.connection;
    connection.execute_batch("DROP TABLE read_by").unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    drop(store);
    let mut store = Store::open(&path).unwrap();
    let place = |millis| Place {
        clock: Clock::from_millis(millis),
        device: DeviceKey(PublicKey([9; 32])),
        position: 1,
    };
    for millis in [20, 10] {
        let mark = Mark::ReadBy(person(2), place(millis));
        store.commit(&[Change::Mark(CONVERSATION, mark)]).unwrap();
    }
    let kept = store.read_by(&CONVERSATION).unwrap();
    assert_eq!(kept, [(person(2), place(20))], "it never goes back");
}

#[test]
fn a_commit_is_whole_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("conversations.sqlite")).unwrap();
    let unknown = Fact::Retired(EntryId([1; 32]));
    let changes = [
        Change::Open(CONVERSATION, Kind::Group),
        Change::Facts(CONVERSATION, vec![unknown]),
    ];
    let failed = store.commit(&changes);
    assert!(matches!(failed, Err(StoreError::Unknown)), "{failed:?}");
    assert_eq!(store.restore().unwrap().conversations, []);
}

#[test]
fn a_commit_waits_for_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("conversations.sqlite")).unwrap();
    let pragma = |name| {
        let read = |row: &Row<'_>| row.get::<_, Value>(0);
        store
            .connection
            .pragma_query_value(None, name, read)
            .unwrap()
    };
    assert_eq!(pragma("synchronous"), Value::Integer(2), "FULL");
    assert_eq!(pragma("journal_mode"), Value::Text("wal".to_owned()));
    assert_eq!(pragma("foreign_keys"), Value::Integer(1));
}

#[test]
fn a_file_of_a_later_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("conversations.sqlite");
    let store = Store::open(&path).unwrap();
    store
        .connection
        .pragma_update(None, "user_version", 99)
        .unwrap();
    drop(store);
    let error = Store::open(&path).unwrap_err();
    let is_too_new = matches!(error, StoreError::File(FileError::TooNew { found: 99, .. }));
    assert!(is_too_new, "{error:?}");
    assert!(error.to_string().contains("update"), "{error}");
}

#[test]
fn a_full_disk_is_said_and_nothing_is_lost() {
    let mut world = World::new();
    world.message(0, "before");
    let connection = &world.devices[0].store.connection;
    let pages: i64 = connection
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    let limit = |store: &Store, pages: i64| {
        let set = format!("PRAGMA max_page_count = {pages}");
        store.connection.query_row(&set, [], |_| Ok(())).unwrap();
    };
    limit(&world.devices[0].store, pages);
    let draft = Change::Mark(world.group, Mark::Draft("x".repeat(100_000)));
    let store = &mut world.devices[0].store;
    let full = store.commit(std::slice::from_ref(&draft));
    assert!(matches!(full, Err(StoreError::Full)), "{full:?}");
    limit(store, pages + 100);
    store.commit(&[draft]).unwrap();
    assert_eq!(world.texts(0), ["before"]);
}

#[test]
fn a_file_that_became_read_only_is_said() {
    let mut world = World::new();
    let store = &mut world.devices[0].store;
    store
        .connection
        .pragma_update(None, "query_only", true)
        .unwrap();
    let failed = store.commit(&[Change::Open(CONVERSATION, Kind::Group)]);
    assert!(matches!(failed, Err(StoreError::ReadOnly)), "{failed:?}");
}

#[test]
fn a_row_that_is_damaged_is_left_out() {
    let mut world = World::new();
    for text in ["one", "two", "three"] {
        world.message(0, text);
    }
    let damage = [
        "UPDATE talk SET sealed = x'01' WHERE position = x'0000000000000000'",
        "UPDATE talk SET id = zeroblob(32) WHERE position = x'0000000000000001'",
        "UPDATE talk SET place = x'02' WHERE position = x'0000000000000001'",
        "UPDATE roster SET bytes = x'03' WHERE rowid = 2",
        "INSERT INTO shut VALUES (1, x'04', x'05')",
        "INSERT INTO conversation (id) VALUES (x'06')",
    ];
    let store = &world.devices[0].store;
    for damage in damage {
        assert_eq!(store.connection.execute(damage, []).unwrap(), 1, "{damage}");
    }
    let restored = store.restore().unwrap();
    assert_eq!(restored.left_out, 5);
    let [kept] = &restored.conversations[..] else {
        panic!("one conversation");
    };
    let talk = kept
        .facts
        .iter()
        .filter(|fact| matches!(fact, Fact::Talk { .. }));
    assert_eq!(talk.count(), 1);
    assert_eq!(world.texts(0), ["one", "three"]);
    world.found(0, "two");
}

#[test]
fn the_kinds_of_the_statements_are_those_of_the_protocol() {
    let (of, to) = (EntryId([1; 32]), EntryId([1; 32]));
    let text = String::new;
    let kinds = [
        (Talk::Message { text: text() }, kind::MESSAGE),
        (Talk::Reply { to, text: text() }, kind::REPLY),
        (Talk::Edit { of, text: text() }, kind::EDIT),
        (Talk::Erase { of }, kind::ERASE),
        (Talk::Reaction { to, emoji: text() }, kind::REACTION),
    ];
    for (talk, kind) in kinds {
        assert_eq!(talk.kind(), kind, "{talk:?}");
    }
}
