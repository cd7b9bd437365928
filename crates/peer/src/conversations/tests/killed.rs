//! What was committed survives the end of the program, at whatever moment it comes.

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use p2pchat_conversation::replica::Fact;

use super::super::{Change, Store};
use super::world::World;

/// Names the file to the child, which is this test program.
const FILE: &str = "P2PCHAT_TEST_STORE";
/// How many entries each transaction has.
const TOGETHER: usize = 3;

/// Ends a process when the test does.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The child: commits as fast as it can, and says so each time.
#[test]
fn a_writer_that_is_killed() {
    let Some(path) = std::env::var_os(FILE).map(PathBuf::from) else {
        return;
    };
    let world = World::new();
    let mut changes = world.devices[0].stored.clone();
    let mut store = Store::open(&path).unwrap();
    let kind = world.replica(0).kind();
    let mut first = vec![Change::Open(world.group, kind)];
    first.extend(
        changes
            .drain(..)
            .map(|(id, facts)| Change::Facts(id, facts)),
    );
    store.commit(&first).unwrap();
    let mut writer = world;
    for batch in 0.. {
        let from = writer.devices[0].stored.len();
        for entry in 0..TOGETHER {
            writer.message(0, &format!("number {}", batch * TOGETHER + entry));
        }
        let new = &writer.devices[0].stored[from..];
        let facts = new.iter().flat_map(|(_, facts)| facts.clone()).collect();
        let change = Change::Facts(writer.group, facts);
        store.commit(&[change]).unwrap();
        writeln!(io::stdout(), "committed {}", batch + 1).unwrap();
    }
}

fn start_writer(path: &Path) -> Ended {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg("conversations::tests::killed::a_writer_that_is_killed")
        .env(FILE, path)
        .stdout(Stdio::piped())
        .spawn();
    Ended(child.unwrap())
}

#[test]
fn what_was_committed_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    for batches in [1, 7, 20] {
        let path = folder.path().join(format!("{batches}.sqlite"));
        let mut writer = start_writer(&path);
        let told = BufReader::new(writer.0.stdout.take().unwrap()).lines();
        let told = told.map_while(Result::ok);
        let committed = told.filter(|line| line.starts_with("committed"));
        assert_eq!(committed.take(batches).count(), batches);
        drop(writer);

        let store = Store::open(&path).unwrap();
        let restored = store.restore().unwrap();
        assert_eq!(restored.left_out, 0);
        let facts = restored.conversations.iter().flat_map(|of| &of.facts);
        let entries = facts
            .filter(|fact| matches!(fact, Fact::Talk { .. }))
            .count();
        assert!(entries >= batches * TOGETHER, "{entries}");
        assert_eq!(entries % TOGETHER, 0, "transactions are whole");
        let check = "PRAGMA integrity_check";
        let is_whole: String = store
            .connection
            .query_row(check, [], |row| row.get(0))
            .unwrap();
        assert_eq!(is_whole, "ok");
    }
}
