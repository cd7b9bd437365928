//! Three built programs in one group chat with the built registry, once with its embedded
//! store and once with a real MongoDB.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use p2pchat_testkit::{MongoDb, require_mongodb};
use tempfile::TempDir;

use crate::support::{PROGRAM, Piped, own_address, wait_for};

/// The built registry, with the accounts in `store`. Killed on drop.
struct BuiltRegistry {
    child: Child,
    tcp: String,
    hello_port: String,
}

impl BuiltRegistry {
    fn start(home: &Path, store: &str) -> Self {
        let program: PathBuf = Path::new(PROGRAM).with_file_name("p2pchat-registry");
        assert!(
            program.exists(),
            "{} is not built: run `cargo build -p p2pchat-registry`, or `cargo xtask test`",
            program.display()
        );
        let mut child = Command::new(program)
            .env_clear()
            .env("HOME", home)
            .env("P2PCHAT_KEY_FILE", home.join("registry.key"))
            .args(["--store", store])
            .args(["--tcp", "127.0.0.1:0", "--udp", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let words: Vec<&str> = line.split([' ', ',']).collect();
        let after = |word: &str| {
            let at = words.iter().position(|found| *found == word);
            words[at.unwrap_or_else(|| panic!("no {word} in {line:?}")) + 1].to_owned()
        };
        Self {
            tcp: after("tcp"),
            hello_port: after("udp").split(':').next_back().unwrap().to_owned(),
            child,
        }
    }
}

impl Drop for BuiltRegistry {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program in JSON mode, with an account and signed in.
struct User {
    name: &'static str,
    address: String,
    program: Piped,
}

impl User {
    fn join(home: &Path, registry: &BuiltRegistry, name: &'static str) -> Self {
        let address = own_address();
        let arguments = [
            "--json",
            "--no-history",
            "--registry",
            &registry.tcp,
            "--hello-port",
            &registry.hello_port,
            "--address",
            &address,
            "--profile",
            name,
        ]
        .map(str::to_owned);
        let mut program = Piped::start_at(home, &arguments);
        program.write(&format!(
            r#"{{"command":"register","name":"{name}","password":"secret"}}"#
        ));
        program.line_with("logged_in");
        Self {
            name,
            address,
            program,
        }
    }

    fn requests(&mut self, other: &mut Self) {
        self.program.write(&format!(
            r#"{{"command":"request","conversation":"open","to":{{"name":"{}"}}}}"#,
            other.name
        ));
        other.program.line_with("request_received");
        let from = &self.address;
        other.program.write(&format!(
            r#"{{"command":"accept","conversation":"open","from":"{from}"}}"#
        ));
        self.program.line_with("member_joined");
    }

    /// Sends a message, and waits until this many members have confirmed it.
    fn sends(&mut self, text: &str, members: usize) {
        self.program.write(&format!(
            r#"{{"command":"say","conversation":"open","text":"{text}"}}"#
        ));
        for _ in 0..members {
            self.program.line_with(r#""sent""#);
        }
    }

    fn receives(&self, text: &str) {
        let line = self.program.line_with(text);
        assert!(line.starts_with(r#"{"event":"message""#), "{line}");
    }
}

/// Two users chat, one adds a third, and each gets the messages of all.
fn three_chat(home: &TempDir, store: &str) {
    let registry = BuiltRegistry::start(home.path(), store);
    let mut ann = User::join(home.path(), &registry, "ann");
    let mut bob = User::join(home.path(), &registry, "bob");
    let mut cem = User::join(home.path(), &registry, "cem");
    ann.requests(&mut bob);
    bob.requests(&mut cem);
    // Bob's announcement has to reach ann before the first message of cem.
    let joined = ann.program.line_with("member_joined");
    assert!(joined.contains(&cem.address), "{joined}");

    cem.sends("merhaba 👋 çay?", 2);
    ann.receives("merhaba 👋 çay?");
    bob.receives("merhaba 👋 çay?");
    ann.sends("evet", 2);
    bob.receives("evet");
    cem.receives("evet");
    bob.sends("tabii", 2);
    ann.receives("tabii");
    cem.receives("tabii");
    for user in [&mut ann, &mut bob, &mut cem] {
        assert_eq!(user.program.end().code(), Some(0), "{}", user.name);
    }
}

#[test]
fn three_programs_chat_with_a_registry_on_its_embedded_store() {
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("accounts.sqlite3");
    three_chat(&home, store.to_str().unwrap());
}

#[test]
fn three_programs_chat_with_a_registry_on_mongodb() {
    require_mongodb!();
    let home = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mongodb = runtime.block_on(MongoDb::find()).unwrap();
    let uri = mongodb.uri();
    let (server, options) = uri.split_once('?').unwrap_or((uri, ""));
    let database = format!("three_peers_{}", std::process::id());
    let host = server
        .trim_end_matches('/')
        .trim_start_matches("mongodb://");
    let host = host.split('/').next().unwrap();
    three_chat(&home, &format!("mongodb://{host}/{database}?{options}"));
}

#[test]
fn the_users_sign_in_again_after_a_registry_was_killed() {
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("accounts.sqlite3");
    let store = store.to_str().unwrap();
    let mut registry = BuiltRegistry::start(home.path(), store);
    let mut ann = User::join(home.path(), &registry, "ann");
    let mut bob = User::join(home.path(), &registry, "bob");
    ann.requests(&mut bob);
    registry.child.kill().unwrap();
    registry.child.wait().unwrap();
    ann.program.line_with(r#""down""#);
    // The chat goes on without the registry.
    ann.sends("still here", 1);
    bob.receives("still here");

    let mut again = Command::new(Path::new(PROGRAM).with_file_name("p2pchat-registry"))
        .env_clear()
        .env("HOME", home.path())
        .env("P2PCHAT_KEY_FILE", home.path().join("registry.key"))
        .args(["--store", store, "--tcp", &registry.tcp])
        .args(["--udp", &format!("127.0.0.1:{}", registry.hello_port)])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    ann.program.line_with("logged_in");
    bob.program.line_with("logged_in");
    wait_for("bob to be online again", || {
        ann.program.write(r#"{"command":"search","name":"bob"}"#);
        let found = ann.program.line_with(r#""found""#);
        found.contains(&bob.address).then_some(())
    });
    again.kill().unwrap();
    again.wait().unwrap();
}
