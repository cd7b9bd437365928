use std::fs;
use std::path::PathBuf;

use p2pchat_model::{CallId, DeliveryState, FrontEndId, NameCheck, Person, Timestamp};
use tempfile::TempDir;

use super::*;

pub(super) fn name(text: &str) -> Username {
    Username::new(text).unwrap()
}

pub(super) const OPEN: ConversationId = ConversationId::OPEN;

fn speaker() -> Person {
    Person {
        name: Some(name("bob")),
        address: "127.0.0.3".parse().unwrap(),
        check: NameCheck::Differs,
    }
}

pub(super) fn message(id: u64, text: &str) -> Message {
    Message {
        conversation: OPEN,
        id: MessageId::new(id),
        at: Timestamp(1_000 + id),
        from: speaker(),
        text: text.to_owned(),
        deliveries: None,
    }
}

fn delivery(address: &str, state: DeliveryState) -> Delivery {
    let to = Person::listed(address.parse().unwrap(), Some(name("bob")));
    Delivery { to, state }
}

fn history() -> (TempDir, PathBuf, History) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/folder/history.db");
    let history = History::open(&path).unwrap();
    (folder, path, history)
}

fn ids(messages: &[Message]) -> Vec<u64> {
    messages.iter().map(|message| message.id.number()).collect()
}

#[test]
fn messages_are_there_after_a_restart() {
    let (_folder, path, mut history) = history();
    let own = Message {
        deliveries: Some(vec![delivery("127.0.0.3", DeliveryState::Sent)]),
        ..message(2, "çay?\nyes 👋")
    };
    let said = vec![message(1, "hello"), own];
    history.record(name("ann"), &said).unwrap();
    drop(history);

    let page = History::open(&path)
        .unwrap()
        .page(name("ann"), OPEN, None)
        .unwrap();
    assert_eq!(page.messages, said);
    assert!(!page.more);
}

#[test]
fn a_killed_process_loses_nothing_that_was_recorded() {
    let (folder, path, mut history) = history();
    history.record(name("ann"), &[message(1, "hello")]).unwrap();

    // What is on disk while it is open is what is there after a kill.
    let copy = folder.path().join("copy.db");
    for suffix in ["", "-wal"] {
        let from = format!("{}{suffix}", path.display());
        fs::copy(from, format!("{}{suffix}", copy.display())).unwrap();
    }

    let mut copied = History::open(&copy).unwrap();
    assert_eq!(
        ids(&copied.page(name("ann"), OPEN, None).unwrap().messages),
        [1]
    );
    assert_eq!(ids(&copied.find(name("ann"), None, "hello").unwrap()), [1]);
}

#[test]
fn pages_go_back_to_the_first_message() {
    let (_folder, _, mut history) = history();
    let said: Vec<_> = (1..=250).map(|id| message(id, "x")).collect();
    history.record(name("ann"), &said).unwrap();

    let newest = history.page(name("ann"), OPEN, None).unwrap();
    assert_eq!(ids(&newest.messages), (151..=250).collect::<Vec<_>>());
    assert!(newest.more);
    let oldest = history
        .page(name("ann"), OPEN, Some(MessageId::new(101)))
        .unwrap();
    assert_eq!(ids(&oldest.messages), (1..=100).collect::<Vec<_>>());
    assert!(!oldest.more);
    let none = history
        .page(name("ann"), OPEN, Some(MessageId::new(1)))
        .unwrap();
    assert!(none.messages.is_empty() && !none.more);
}

#[test]
fn the_last_id_is_the_greatest_of_all_accounts() {
    let (_folder, _path, mut history) = history();
    assert_eq!(history.last().unwrap(), None);
    history
        .record(name("ann"), &[message(7, "late"), message(5, "early")])
        .unwrap();
    history.record(name("bob"), &[message(6, "other")]).unwrap();
    assert_eq!(history.last().unwrap(), Some(MessageId::new(7)));
}

#[test]
fn accounts_do_not_see_each_other() {
    let (_folder, _, mut history) = history();
    history
        .record(name("ann"), &[message(1, "secret")])
        .unwrap();
    history.record(name("eve"), &[message(1, "other")]).unwrap();

    assert_eq!(
        history.page(name("eve"), OPEN, None).unwrap().messages[0].text,
        "other"
    );
    assert!(
        history
            .find(name("eve"), None, "secret")
            .unwrap()
            .is_empty()
    );
}

#[test]
fn the_same_message_twice_is_one() {
    let (_folder, _, mut history) = history();
    history.record(name("ann"), &[message(1, "first")]).unwrap();
    history
        .record(name("ann"), &[message(1, "second")])
        .unwrap();

    assert_eq!(
        history.page(name("ann"), OPEN, None).unwrap().messages,
        [message(1, "first")]
    );
    assert!(
        history
            .find(name("ann"), None, "second")
            .unwrap()
            .is_empty()
    );
}

#[test]
fn deliveries_are_updated() {
    let (_folder, _, mut history) = history();
    let own = Message {
        deliveries: Some(vec![delivery("127.0.0.3", DeliveryState::Sending)]),
        ..message(1, "hello")
    };
    history
        .record(name("ann"), &[own, message(2, "hi")])
        .unwrap();

    let sent = delivery("127.0.0.3", DeliveryState::Sent);
    let late = delivery("127.0.0.4", DeliveryState::Unconfirmed);
    for (id, delivery) in [(1, sent), (1, late), (2, sent), (3, sent)] {
        history
            .update_delivery(name("ann"), MessageId::new(id), delivery)
            .unwrap();
    }

    let messages = history.page(name("ann"), OPEN, None).unwrap().messages;
    assert_eq!(messages[0].deliveries, Some(vec![sent, late]));
    assert_eq!(messages[1].deliveries, None);
}

#[test]
fn a_search_finds_all_words_in_any_case_newest_first() {
    let (_folder, _, mut history) = history();
    let texts = [
        "Çay with milk",
        "tea and MILK",
        "milkshake",
        "cay, no sugar",
    ];
    let said: Vec<_> = (1..)
        .zip(texts)
        .map(|(id, text)| message(id, text))
        .collect();
    history.record(name("ann"), &said).unwrap();

    for (words, found) in [
        ("milk", vec![3, 2, 1]),
        ("cay", vec![4, 1]),
        ("çay MIL", vec![1]),
        ("mil tea", vec![]),
        ("milk tea", vec![2]),
        ("coffee", vec![]),
        ("", vec![]),
    ] {
        assert_eq!(
            ids(&history.find(name("ann"), None, words).unwrap()),
            found,
            "{words}"
        );
    }
}

#[test]
fn each_program_finds_messages_that_another_wrote() {
    let (_folder, path, mut one) = history();
    let mut other = History::open(&path).unwrap();
    let mut id = 0;
    for _ in 0..300 {
        for writer in [&mut one, &mut other] {
            id += 1;
            let text = format!("word{id} tea");
            writer.record(name("ann"), &[message(id, &text)]).unwrap();
        }
        if id % 70 == 0 {
            let found = one.find(name("ann"), None, &format!("word{id}")).unwrap();
            assert_eq!(ids(&found), [id]);
        }
    }
    for reader in [&mut one, &mut other] {
        for id in 1..=id {
            let found = reader
                .find(name("ann"), None, &format!("word{id} tea"))
                .unwrap();
            assert!(ids(&found).contains(&id), "word{id}");
        }
    }
}

/// A file as an earlier version made it, and a connection of that version.
fn earlier(version: i32) -> (TempDir, PathBuf, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let connection = Connection::open(&path).unwrap();
    let tables = "
CREATE TABLE message (
    row INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    name_check TEXT NOT NULL,
    text TEXT NOT NULL,
    deliveries TEXT,
    UNIQUE (account, id)
) STRICT;
CREATE VIRTUAL TABLE message_text USING fts5 (
    text, content = 'message', content_rowid = 'row',
    tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER message_gone AFTER DELETE ON message BEGIN
    INSERT INTO message_text (message_text, rowid, text) VALUES ('delete', old.row, old.text);
END;
PRAGMA application_id = 0x70327048;
PRAGMA journal_mode = WAL;";
    connection.execute_batch(tables).unwrap();
    if version == 1 {
        // That version had each message put into the index at once.
        let trigger = "CREATE TRIGGER message_added AFTER INSERT ON message BEGIN
            INSERT INTO message_text (rowid, text) VALUES (new.row, new.text);
            END;";
        connection.execute_batch(trigger).unwrap();
    }
    connection
        .pragma_update(None, "user_version", version)
        .unwrap();
    (folder, path, connection)
}

/// Writes a message as an earlier version does.
fn write_earlier(connection: &Connection, id: u64, text: &str, deliveries: Option<&str>) {
    connection
        .execute(
            "INSERT INTO message (account, id, at, name, address, name_check, text, deliveries)
             VALUES ('ann', ?1, 1000 + ?1, 'bob', '127.0.0.3', 'differs', ?2, ?3)",
            rusqlite::params![row::integer(id), text, deliveries],
        )
        .unwrap();
}

#[test]
fn a_history_of_the_first_version_is_searched_as_before() {
    let (_folder, path, first) = earlier(1);
    write_earlier(&first, 1, "early", None);

    let mut today = History::open(&path).unwrap();
    today.record(name("ann"), &[message(2, "late")]).unwrap();
    // The program of that version still runs.
    write_earlier(&first, 3, "later", None);
    for (word, id) in [("early", 1), ("late", 3), ("later", 3)] {
        let found = today.find(name("ann"), None, word).unwrap();
        assert_eq!(ids(&found).first(), Some(&id), "{word}");
    }
}

#[test]
fn a_history_of_the_second_version_is_that_of_the_open_chat() {
    let (_folder, path, second) = earlier(2);
    write_earlier(&second, 1, "hello", None);
    let deliveries = r#"[{"to":{"address":"127.0.0.3","name":"bob"},"state":"sent"},
        {"to":{"address":"127.0.0.4","name":null},"state":{"failed":"refused"}}]"#;
    write_earlier(&second, 2, "hi", Some(deliveries));
    drop(second);

    let mut today = History::open(&path).unwrap();
    let unknown = Delivery {
        to: Person::listed("127.0.0.4".parse().unwrap(), None),
        state: DeliveryState::Failed(p2pchat_model::LeaveReason::Refused),
    };
    let own = Message {
        deliveries: Some(vec![delivery("127.0.0.3", DeliveryState::Sent), unknown]),
        ..message(2, "hi")
    };
    let page = today.page(name("ann"), OPEN, None).unwrap();
    assert_eq!(page.messages, [message(1, "hello"), own]);
    assert!(today.calls().unwrap().is_empty());
    let read = Mark::Read {
        conversation: OPEN,
        message: MessageId::new(2),
    };
    assert_eq!(
        today.marks(name("ann")).unwrap(),
        [read],
        "all of it is read"
    );

    // What came with this version works in the file as in a new one.
    let sent = delivery("127.0.0.4", DeliveryState::Sent);
    today
        .update_delivery(name("ann"), MessageId::new(2), sent)
        .unwrap();
    let (entry, said_by) = said(3, "from a script");
    today.write(&[entry, draft("later")]).unwrap();
    drop(today);
    let today = History::open(&path).unwrap();
    let page = today.page(name("ann"), OPEN, None).unwrap();
    assert_eq!(page.messages[1].deliveries.as_ref().unwrap()[1], sent);
    assert_eq!(today.calls().unwrap(), [(said_by, MessageId::new(3))]);
    assert_eq!(today.marks(name("ann")).unwrap().len(), 2);
}

/// A message that a call has led to.
fn said(id: u64, text: &str) -> (Entry, SaidBy) {
    let said_by = SaidBy {
        front_end: FrontEndId::new("script").unwrap(),
        id: CallId::Text(format!("call {id}").into()),
        fingerprint: u64::MAX - id,
    };
    let entry = Entry::Message {
        account: name("ann"),
        message: message(id, text),
        said_by: Some(said_by.clone()),
    };
    (entry, said_by)
}

fn draft(text: &str) -> Entry {
    let text = text.to_owned();
    let conversation = OPEN;
    Entry::Mark {
        account: name("ann"),
        mark: Mark::Draft { conversation, text },
    }
}

fn read(message: u64) -> Entry {
    let (conversation, message) = (OPEN, MessageId::new(message));
    Entry::Mark {
        account: name("ann"),
        mark: Mark::Read {
            conversation,
            message,
        },
    }
}

#[test]
fn a_call_is_there_with_its_message_or_not_at_all() {
    let (_folder, path, mut history) = history();
    let (entry, first) = said(1, "one");
    history.write(&[entry]).unwrap();
    let broken = Connection::open(&path).unwrap();
    broken.execute_batch("DROP TABLE call").unwrap();
    let (entry, _) = said(2, "two");
    assert!(history.write(&[entry]).is_err());
    assert_eq!(
        ids(&history.page(name("ann"), OPEN, None).unwrap().messages),
        [1]
    );
    let again = "CREATE TABLE call (row INTEGER PRIMARY KEY, front_end TEXT NOT NULL,
        id TEXT NOT NULL, fingerprint INTEGER NOT NULL, message INTEGER NOT NULL,
        UNIQUE (front_end, id)) STRICT";
    broken.execute_batch(again).unwrap();
    let (entry, second) = said(2, "two");
    history.write(&[entry]).unwrap();
    let calls = history.calls().unwrap();
    assert_eq!(calls, [(second, MessageId::new(2))]);
    assert_ne!(calls[0].0, first);
}

#[test]
fn calls_are_kept_for_as_long_as_a_machine_remembers_them() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits {
        messages: 10,
        prune_every: 100,
    };
    let mut history = History::open_with(&folder.path().join("h.db"), limits).unwrap();
    let count = MAX_CALLS as u64 + 200;
    let entries: Vec<_> = (1..=count).map(|id| said(id, "x").0).collect();
    for entries in entries.chunks(100) {
        history.write(entries).unwrap();
        history.tidy().unwrap();
    }
    let rows = "SELECT count(*) FROM call";
    let rows: i64 = history
        .connection
        .query_row(rows, [], |row| row.get(0))
        .unwrap();
    let bound = MAX_CALLS + limits.prune_every;
    assert!(rows <= bound as i64, "{rows}");
    let calls = history.calls().unwrap();
    assert_eq!(calls.len(), MAX_CALLS);
    assert_eq!(calls[0].1, MessageId::new(count - MAX_CALLS as u64 + 1));
    assert_eq!(calls.last().unwrap().1, MessageId::new(count));
}

#[test]
fn an_id_that_is_used_again_stands_for_the_newer_message() {
    let (_folder, _, mut history) = history();
    for id in [1, 2] {
        let entry = match said(id, "x") {
            (
                Entry::Message {
                    account, message, ..
                },
                _,
            ) => Entry::Message {
                account,
                message,
                said_by: Some(said(0, "x").1),
            },
            (other, _) => other,
        };
        history.write(&[entry]).unwrap();
    }
    let calls = history.calls().unwrap();
    assert_eq!(calls, [(said(0, "x").1, MessageId::new(2))]);
}

#[test]
fn marks_are_those_of_the_account_and_reading_goes_on_only() {
    let (_folder, path, mut history) = history();
    history
        .write(&[read(7), draft("te"), draft("tea?"), read(5)])
        .unwrap();
    drop(history);
    let mut history = History::open(&path).unwrap();
    let marks = history.marks(name("ann")).unwrap();
    let (conversation, message, text) = (OPEN, MessageId::new(7), "tea?".to_owned());
    let read = Mark::Read {
        conversation,
        message,
    };
    assert_eq!(marks, [read.clone(), Mark::Draft { conversation, text }]);
    assert!(history.marks(name("eve")).unwrap().is_empty());
    history.write(&[draft("")]).unwrap();
    assert_eq!(history.marks(name("ann")).unwrap(), [read]);
}

#[test]
fn conversations_are_apart_unless_all_are_searched() {
    let (_folder, _, mut history) = history();
    let other: ConversationId = "other".parse().unwrap();
    let elsewhere = Message {
        conversation: other,
        ..message(2, "tea there")
    };
    let here = message(1, "tea here");
    history
        .record(name("ann"), &[here.clone(), elsewhere.clone()])
        .unwrap();
    for (conversation, messages) in [(OPEN, &here), (other, &elsewhere)] {
        let page = history.page(name("ann"), conversation, None).unwrap();
        assert_eq!(page.messages, std::slice::from_ref(messages));
        let found = history.find(name("ann"), Some(conversation), "tea");
        assert_eq!(found.unwrap(), std::slice::from_ref(messages));
    }
    let found = history.find(name("ann"), None, "tea").unwrap();
    assert_eq!(found, [elsewhere, here]);
}

#[test]
fn hostile_search_words_are_words() {
    let (_folder, _, mut history) = history();
    let text = r#"a NEAR(b) text:c "quoted" x*y don't 100% OR"#;
    history.record(name("ann"), &[message(1, text)]).unwrap();

    for words in [
        "OR",
        "NEAR(b)",
        "text:c",
        "\"quoted\"",
        "\"quo",
        "x*y",
        "don't",
        "100%",
        "a OR",
        "(a",
        "^a",
        "-a",
        "a + b",
        "{a}",
        "a\0b",
        "!! a !!",
        "a !!",
    ] {
        assert_eq!(
            ids(&history.find(name("ann"), None, words).unwrap()),
            [1],
            "{words:?}"
        );
    }
    for words in [
        "nothing OR a",
        "NOT nothing",
        "text:nothing",
        "\"",
        "*",
        "\0",
        "'; DROP TABLE message; --",
    ] {
        assert!(
            history.find(name("ann"), None, words).unwrap().is_empty(),
            "{words:?}"
        );
    }
    history
        .find(name("ann"), None, &"word ".repeat(100_000))
        .unwrap();
    assert_eq!(
        history
            .page(name("ann"), OPEN, None)
            .unwrap()
            .messages
            .len(),
        1
    );
}

#[test]
fn the_oldest_go_when_there_are_too_many() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits {
        messages: 20,
        prune_every: 5,
    };
    let mut history = History::open_with(&folder.path().join("h.db"), limits).unwrap();
    history.record(name("eve"), &[message(1, "kept")]).unwrap();
    for id in 1..=100 {
        history
            .record(name("ann"), &[message(id, &format!("word{id}"))])
            .unwrap();
        let kept = history
            .page(name("ann"), OPEN, None)
            .unwrap()
            .messages
            .len();
        assert!(kept <= 25, "{kept} are kept after {id}");
    }

    let kept = ids(&history.page(name("ann"), OPEN, None).unwrap().messages);
    assert!(kept.len() >= 20 && kept.ends_with(&[99, 100]), "{kept:?}");
    assert!(
        history
            .find(name("ann"), None, "word50")
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        history
            .page(name("eve"), OPEN, None)
            .unwrap()
            .messages
            .len(),
        1
    );
}

#[test]
fn a_file_of_something_else_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    fs::write(
        &text,
        "these are my notes, which are long enough".repeat(100),
    )
    .unwrap();
    let other = folder.path().join("other.db");
    let connection = Connection::open(&other).unwrap();
    connection.execute_batch("CREATE TABLE mine (a)").unwrap();

    for path in [text, other] {
        let before = fs::read(&path).unwrap();
        assert!(matches!(
            History::open(&path),
            Err(HistoryError::File(FileError::NotOurs(_)))
        ));
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[test]
fn a_history_of_a_later_version_is_refused() {
    let (_folder, path, history) = history();
    history
        .connection
        .pragma_update(None, "user_version", 99)
        .unwrap();
    drop(history);
    let error = History::open(&path).unwrap_err();
    assert!(
        matches!(
            error,
            HistoryError::File(FileError::TooNew { found: 99, .. })
        ),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path, mut history) = history();
    history.record(name("ann"), &[message(1, "hello")]).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;

    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for suffix in ["", "-wal", "-shm"] {
        assert_eq!(
            mode(Path::new(&format!("{}{suffix}", path.display()))),
            0o600
        );
    }
}

#[test]
fn several_processes_share_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("h.db");
    std::thread::scope(|scope| {
        for writer in 0..4_u64 {
            let path = &path;
            scope.spawn(move || {
                let mut history = History::open(path).unwrap();
                for id in 0..25 {
                    history
                        .record(name("ann"), &[message(id * 4 + writer, "x")])
                        .unwrap();
                }
            });
        }
    });
    let page = History::open(&path)
        .unwrap()
        .page(name("ann"), OPEN, None)
        .unwrap();
    assert_eq!(ids(&page.messages), (0..100).collect::<Vec<_>>());
}

#[test]
fn every_word_is_quoted_and_the_last_is_a_beginning() {
    assert_eq!(
        search_query("tea NOT cof").as_deref(),
        Some(r#""tea" "NOT" "cof"*"#)
    );
    assert_eq!(search_query(r#"a"b"#).as_deref(), Some(r#""a""b"*"#));
}

#[test]
fn punctuation_alone_is_no_word() {
    assert_eq!(search_query(" \t*  \"() - "), None);
    assert_eq!(search_query("tea !"), search_query("tea"));
}

#[test]
fn messages_that_are_too_old_go_if_that_is_asked_for() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let (_folder, path, mut history) = history();
    let at = |id, days| Message {
        at: crate::shell::clock::wall().before(days * DAY),
        ..message(id, "tea")
    };
    let messages = [at(1, 8), at(2, 6), at(3, 0)];
    history.record(name("ann"), &messages).unwrap();
    let kept = |history: &History| ids(&history.page(name("ann"), OPEN, None).unwrap().messages);
    assert_eq!(kept(&history), [1, 2, 3]);
    drop(history);
    let mut history = History::open(&path)
        .and_then(|history| history.keeping(Some(7 * DAY)))
        .unwrap();
    assert_eq!(kept(&history), [2, 3]);
    let found = history.find(name("ann"), None, "tea").unwrap();
    assert_eq!(ids(&found), [3, 2], "the search knows it too");
}
