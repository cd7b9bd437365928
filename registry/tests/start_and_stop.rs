//! How the program starts, why it does not, and how it stops.

use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use p2pchat_registry::store::{NewAccount, StoredPassword};
use p2pchat_secure::{SecretKey, fingerprint};
use p2pchat_testkit::require_mongodb;

use crate::support::client::{Client, LOGIN, SEARCH, request};
use crate::support::mongod::TestDatabase;
use crate::support::program::{Program, command, refusal, text};
use crate::support::server::TestServer;
use crate::support::stores::Fresh;

/// A store of two accounts with passwords in plain text, which no statement can replace.
fn plain_text_for_ever() -> Fresh {
    let fresh = Fresh::sqlite();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = fresh.open().await;
        for name in ["ann", "bob"] {
            let account = NewAccount {
                name: name.parse().unwrap(),
                password: StoredPassword::new("pw".to_owned()),
                address: None,
            };
            assert!(store.register(account).await.unwrap());
        }
        store.close().await;
    });
    let file = rusqlite::Connection::open(fresh.name()).unwrap();
    file.execute_batch(
        "CREATE TRIGGER never BEFORE UPDATE ON account BEGIN SELECT RAISE(ABORT, 'no'); END",
    )
    .unwrap();
    fresh
}

#[test]
fn that_plain_text_passwords_stay_is_said_once_and_their_owners_get_in() {
    let fresh = plain_text_for_ever();
    let program = Program::start(&fresh.name());
    let mut client = Client::connect(program.tcp);
    for name in ["ann", "bob", "ann"] {
        assert_eq!(client.status(LOGIN, name, "pw"), 21);
    }
    let (_, _, log) = program.stop("TERM");
    assert_eq!(log.matches("plain-text password stays").count(), 1, "{log}");
}

/// The program on free ports, with a store.
fn on(store: &str) -> Command {
    let mut command = command();
    command.args([
        "--tcp",
        "127.0.0.1:0",
        "--udp",
        "127.0.0.1:0",
        "--store",
        store,
    ]);
    command
}

#[test]
fn it_says_in_one_line_where_everything_is() {
    let fresh = Fresh::sqlite();
    let program = Program::start(&fresh.name());
    let key = SecretKey::load(Path::new(&format!("{}.key", fresh.name()))).unwrap();
    let expected = format!(
        "p2pchat-registry: listening on tcp {tcp} and udp {}, for clients with --registry \
         {tcp}#{}, accounts in {}\n",
        program.udp,
        fingerprint(&key.public()).as_str(),
        fresh.name(),
        tcp = program.tcp,
    );
    assert_eq!(program.line, expected);
    let (_, rest, _) = program.stop("TERM");
    assert_eq!(rest, "", "and nothing more on standard output");
}

#[test]
fn without_options_accounts_are_in_the_data_folder_and_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let program = Program::start_with(command().env("HOME", home.path()));
    let file = home.path().join(".local/share/p2pchat/registry.sqlite3");
    assert!(
        program
            .line
            .ends_with(&format!("accounts in {}\n", file.display()))
    );
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(file.parent().unwrap()), 0o700);
}

#[test]
fn a_flag_wins_over_a_variable_and_a_variable_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| text(&folder.path().join(name)).to_owned();
    let config = path("config.toml");
    std::fs::write(
        &config,
        format!("[registry]\nstore = '{}'\n", path("by-file")),
    )
    .unwrap();
    let started = |change: &dyn Fn(&mut Command)| {
        let mut command = command();
        change(command.env("P2PCHAT_CONFIG", &config));
        Program::start_with(&mut command).line.clone()
    };
    assert!(started(&|_| {}).contains("by-file"));
    let by_variable = |command: &mut Command| {
        command.env("P2PCHAT_STORE", path("by-env"));
    };
    assert!(started(&by_variable).contains("by-env"));
    let line = started(&|command| {
        by_variable(command);
        command.args(["--store", &path("by-flag")]);
    });
    assert!(line.contains("by-flag"), "{line}");
}

#[test]
fn an_unknown_key_in_the_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    std::fs::write(&config, "[registry]\nstoer = 'x'\n").unwrap();
    let error = refusal(on("unused").args(["--config", text(&config)]));
    assert!(
        error.contains("config.toml, line 2") && error.contains("`stoer`"),
        "{error}"
    );
    let error = refusal(on("unused").args(["--config", "/nonexistent/c.toml"]));
    assert!(error.contains("/nonexistent/c.toml"), "{error}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let fresh = Fresh::sqlite();
    let tcp = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let taken = TcpListener::bind(tcp).unwrap();
    let error = refusal(command().args(["--store", &fresh.name(), "--tcp", &tcp.to_string()]));
    assert!(
        error.contains(&format!("TCP {tcp} is taken")) && error.contains("--tcp"),
        "{error}"
    );
    drop(taken);
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let udp = taken.local_addr().unwrap();
    let mut command = command();
    command.args([
        "--store",
        &fresh.name(),
        "--tcp",
        "127.0.0.1:0",
        "--udp",
        &udp.to_string(),
    ]);
    let error = refusal(&mut command);
    assert!(
        error.contains(&format!("UDP {udp} is taken")) && error.contains("--udp"),
        "{error}"
    );
}

#[test]
fn an_address_of_another_machine_is_named() {
    let mut command = command();
    let error = refusal(command.args(["--store", "unused", "--tcp", "192.0.2.1:3131"]));
    assert!(
        error.contains("192.0.2.1:3131") && error.contains("--tcp"),
        "{error}"
    );
}

#[test]
fn two_registries_do_not_share_a_file() {
    let fresh = Fresh::sqlite();
    let program = Program::start(&fresh.name());
    let error = refusal(&mut on(&fresh.name()));
    assert!(
        error.contains("in use by another registry") && error.contains(&fresh.name()),
        "{error}"
    );
    program.kill();
    Program::start(&fresh.name());
}

#[test]
fn a_file_of_something_else_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let letter = folder.path().join("letter.txt");
    std::fs::write(&letter, "Dear Sir or Madam, ".repeat(100)).unwrap();
    let foreign = folder.path().join("foreign.sqlite3");
    rusqlite::Connection::open(&foreign)
        .unwrap()
        .execute_batch("CREATE TABLE t (x)")
        .unwrap();
    // Nothing in it yet, but another program has put the version of its tables into it.
    let begun = folder.path().join("begun.sqlite3");
    rusqlite::Connection::open(&begun)
        .unwrap()
        .pragma_update(None, "user_version", 1)
        .unwrap();
    for file in [letter, foreign, begun] {
        let before = std::fs::read(&file).unwrap();
        let error = refusal(&mut on(text(&file)));
        assert!(
            error.contains("is not an account file of p2pchat-registry"),
            "{error}"
        );
        assert_eq!(std::fs::read(&file).unwrap(), before);
    }
}

#[test]
fn a_file_of_a_later_version_is_left_as_it_is() {
    let fresh = Fresh::sqlite();
    Program::start(&fresh.name()).stop("TERM");
    let connection = rusqlite::Connection::open(fresh.name()).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let error = refusal(&mut on(&fresh.name()));
    assert!(error.contains("a later version"), "{error}");
}

#[test]
fn a_place_that_cannot_hold_a_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = refusal(&mut on(text(&file.join("accounts"))));
    assert!(
        error.contains(text(&file)) && error.contains("--store"),
        "{error}"
    );
    let error = refusal(&mut on(text(folder.path())));
    assert!(
        error.contains(text(folder.path())) && error.contains("--store"),
        "{error}"
    );
    let error = refusal(&mut on("redis://somewhere"));
    assert!(
        error.contains("redis://") && error.contains("mongodb://"),
        "{error}"
    );
}

#[test]
fn a_mongodb_that_is_not_there_is_named_in_time_and_its_password_is_not() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for address in [closed, silent.local_addr().unwrap()] {
        let began = Instant::now();
        let error = refusal(&mut on(&format!(
            "mongodb://user:hush@{address}/?authSource=admin"
        )));
        assert!(
            began.elapsed() < Duration::from_secs(6),
            "{:?}",
            began.elapsed()
        );
        assert!(
            error.contains("MongoDB cannot be reached") && error.contains("mongod runs"),
            "{error}"
        );
        assert!(
            error.contains(&address.to_string()) && !error.contains("hush"),
            "{error}"
        );
    }
}

#[test]
fn the_line_names_the_database() {
    require_mongodb!();
    let database = TestDatabase::new();
    let program = Program::start(&database.uri);
    assert!(
        program.line.contains(&format!("/{}", database.name())),
        "{}",
        program.line
    );
}

#[test]
fn both_signals_stop_it_in_order() {
    for signal in ["TERM", "INT"] {
        let fresh = Fresh::sqlite();
        let program = Program::start(&fresh.name());
        let mut client = Client::connect(program.tcp);
        client.register_and_login("alice", "hush");
        let (status, _, log) = program.stop(signal);
        assert_eq!(status.code(), Some(0), "{log}");
        assert_eq!(client.recv(), b"", "the session was closed");
        assert!(log.contains("stopped"), "{log}");
        assert!(!log.contains("hush"), "{log}");
        let left: Vec<_> = std::fs::read_dir(std::path::Path::new(&fresh.name()).parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(
            left.len(),
            3,
            "the file, its lock and the key, and no log of changes: {left:?}"
        );
    }
}

#[test]
fn requests_in_flight_are_answered_before_it_stops() {
    let mut server = TestServer::start();
    let mut client = Client::connect(server.tcp);
    client.register_and_login("alice", "pw");
    // One segment, so that both were read when the first is answered.
    client.send(&[request(SEARCH, "x", "alice"), request(LOGIN, "alice", "pw")].concat());
    assert_eq!(client.head()[..2], [2, 22]);
    server.begin_to_stop();
    assert_eq!(client.head()[..2], [1, 21]);
    assert_eq!(client.recv(), b"");
}
