use std::fs;
use std::path::PathBuf;

use p2pchat_model::{DeliveryState, NameCheck, Person, Speaker, Timestamp};
use tempfile::TempDir;

use super::*;

pub(super) fn name(text: &str) -> Username {
    Username::new(text).unwrap()
}

fn speaker() -> Speaker {
    Speaker {
        name: name("bob"),
        address: "127.0.0.3".parse().unwrap(),
        check: NameCheck::Differs,
    }
}

pub(super) fn message(id: u64, text: &str) -> Message {
    Message {
        id: MessageId(id),
        at: Timestamp(1_000 + id),
        from: speaker(),
        text: text.to_owned(),
        deliveries: None,
    }
}

fn delivery(address: &str, state: DeliveryState) -> Delivery {
    let to = Person {
        address: address.parse().unwrap(),
        name: Some(name("bob")),
    };
    Delivery { to, state }
}

fn history() -> (TempDir, PathBuf, History) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/folder/history.db");
    let history = History::open(&path).unwrap();
    (folder, path, history)
}

fn ids(messages: &[Message]) -> Vec<u64> {
    messages.iter().map(|message| message.id.0).collect()
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
        .page(name("ann"), None)
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
    assert_eq!(ids(&copied.page(name("ann"), None).unwrap().messages), [1]);
    assert_eq!(ids(&copied.find(name("ann"), "hello").unwrap()), [1]);
}

#[test]
fn pages_go_back_to_the_first_message() {
    let (_folder, _, mut history) = history();
    let said: Vec<_> = (1..=250).map(|id| message(id, "x")).collect();
    history.record(name("ann"), &said).unwrap();

    let newest = history.page(name("ann"), None).unwrap();
    assert_eq!(ids(&newest.messages), (151..=250).collect::<Vec<_>>());
    assert!(newest.more);
    let oldest = history.page(name("ann"), Some(MessageId(101))).unwrap();
    assert_eq!(ids(&oldest.messages), (1..=100).collect::<Vec<_>>());
    assert!(!oldest.more);
    let none = history.page(name("ann"), Some(MessageId(1))).unwrap();
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
    assert_eq!(history.last().unwrap(), Some(MessageId(7)));
}

#[test]
fn accounts_do_not_see_each_other() {
    let (_folder, _, mut history) = history();
    history
        .record(name("ann"), &[message(1, "secret")])
        .unwrap();
    history.record(name("eve"), &[message(1, "other")]).unwrap();

    assert_eq!(
        history.page(name("eve"), None).unwrap().messages[0].text,
        "other"
    );
    assert!(history.find(name("eve"), "secret").unwrap().is_empty());
}

#[test]
fn the_same_message_twice_is_one() {
    let (_folder, _, mut history) = history();
    history.record(name("ann"), &[message(1, "first")]).unwrap();
    history
        .record(name("ann"), &[message(1, "second")])
        .unwrap();

    assert_eq!(
        history.page(name("ann"), None).unwrap().messages,
        [message(1, "first")]
    );
    assert!(history.find(name("ann"), "second").unwrap().is_empty());
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
            .update_delivery(name("ann"), MessageId(id), delivery)
            .unwrap();
    }

    let messages = history.page(name("ann"), None).unwrap().messages;
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
            ids(&history.find(name("ann"), words).unwrap()),
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
            let found = one.find(name("ann"), &format!("word{id}")).unwrap();
            assert_eq!(ids(&found), [id]);
        }
    }
    for reader in [&mut one, &mut other] {
        for id in 1..=id {
            let found = reader.find(name("ann"), &format!("word{id} tea")).unwrap();
            assert!(ids(&found).contains(&id), "word{id}");
        }
    }
}

#[test]
fn a_history_of_the_first_version_is_searched_as_before() {
    let (_folder, path, mut history) = history();
    // That version had each message put into the index at once.
    let first = "CREATE TRIGGER message_added AFTER INSERT ON message BEGIN
        INSERT INTO message_text (rowid, text) VALUES (new.row, new.text);
        END;";
    history.connection.execute_batch(first).unwrap();
    history
        .connection
        .pragma_update(None, "user_version", 1)
        .unwrap();
    history.tidied = Some(0);
    history.record(name("ann"), &[message(1, "early")]).unwrap();

    let mut today = History::open(&path).unwrap();
    today.record(name("ann"), &[message(2, "late")]).unwrap();
    // The program of that version still runs.
    history.record(name("ann"), &[message(3, "later")]).unwrap();
    for (word, id) in [("early", 1), ("late", 3), ("later", 3)] {
        let found = today.find(name("ann"), word).unwrap();
        assert_eq!(ids(&found).first(), Some(&id), "{word}");
    }
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
            ids(&history.find(name("ann"), words).unwrap()),
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
            history.find(name("ann"), words).unwrap().is_empty(),
            "{words:?}"
        );
    }
    history.find(name("ann"), &"word ".repeat(100_000)).unwrap();
    assert_eq!(history.page(name("ann"), None).unwrap().messages.len(), 1);
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
        let kept = history.page(name("ann"), None).unwrap().messages.len();
        assert!(kept <= 25, "{kept} are kept after {id}");
    }

    let kept = ids(&history.page(name("ann"), None).unwrap().messages);
    assert!(kept.len() >= 20 && kept.ends_with(&[99, 100]), "{kept:?}");
    assert!(history.find(name("ann"), "word50").unwrap().is_empty());
    assert_eq!(history.page(name("eve"), None).unwrap().messages.len(), 1);
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
        .page(name("ann"), None)
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
