//! The key of the registry: made once, named by the store, and shown to people.

use std::path::PathBuf;

use p2pchat_protocol::v2::Fingerprint;
use p2pchat_secure::{Expected, SecretKey, fingerprint};

use crate::support::mongod::TestDatabase;
use crate::support::program::{Program, command, refusal};
use crate::support::secure::{Device, Session};
use crate::support::stores::Fresh;

/// What the line of a registry, or its command, says behind `--registry`.
fn registry_in(text: &str) -> (String, Fingerprint) {
    let (_, rest) = text.split_once("--registry ").unwrap();
    let argument = rest.split([' ', ',', '\n']).next().unwrap();
    let (host, fingerprint) = argument.split_once('#').unwrap();
    (host.to_owned(), fingerprint.parse().unwrap())
}

fn key_beside(fresh: &Fresh) -> PathBuf {
    format!("{}.key", fresh.name()).into()
}

#[test]
fn the_line_names_the_key_which_stays_the_same_and_is_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let fresh = Fresh::sqlite();
    let program = Program::start(&fresh.name());
    let (host, first) = registry_in(&program.line);
    assert_eq!(host, program.tcp.to_string());
    let expected = Expected::Fingerprint(first);
    let from = std::net::Ipv4Addr::LOCALHOST;
    assert!(Session::try_connect(from, program.tcp, &Device::new(), expected).is_ok());
    let mode = key_beside(&fresh).metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    program.kill();
    let program = Program::start(&fresh.name());
    assert_eq!(registry_in(&program.line).1, first);
}

#[test]
fn a_registry_with_another_key_than_its_store_names_says_so_and_does_not_start() {
    let fresh = Fresh::sqlite();
    let (_, first) = registry_in(&Program::start(&fresh.name()).line);
    let ports = ["--tcp", "127.0.0.1:0", "--udp", "127.0.0.1:0"];
    let other = key_beside(&fresh).with_extension("other");
    let other = other.to_str().unwrap();
    for key_file in [key_beside(&fresh).to_str().unwrap(), other] {
        let kept = key_beside(&fresh).with_extension("kept");
        std::fs::rename(key_beside(&fresh), &kept).unwrap();
        let line = ["--store", &fresh.name(), "--key-file", key_file];
        let error = refusal(command().args(line).args(ports));
        let found = fingerprint(&SecretKey::load(key_file.as_ref()).unwrap().public());
        for part in [first.to_string().as_str(), &found.to_string(), key_file] {
            assert!(error.contains(part), "{error}");
        }
        std::fs::rename(&kept, key_beside(&fresh)).unwrap();
    }
    assert_eq!(registry_in(&Program::start(&fresh.name()).line).1, first);
}

#[test]
fn with_mongodb_a_key_file_has_to_be_named_and_is_the_same_at_all_registries() {
    let mut command_without = command();
    command_without.env("P2PCHAT_STORE", "mongodb://127.0.0.1:1");
    let error = refusal(&mut command_without);
    assert!(error.contains("--key-file FILE"), "{error}");
    p2pchat_testkit::require_mongodb!();
    let database = TestDatabase::new();
    let program = Program::start(&database.uri);
    let again = Program::start(&database.uri);
    assert_eq!(registry_in(&program.line).1, registry_in(&again.line).1);
}

#[test]
fn the_command_prints_what_clients_need_and_a_code_to_scan() {
    let fresh = Fresh::sqlite();
    let store = fresh.name();
    let asked = |args: &[&str]| {
        let args = [&["fingerprint"], args, &["--store", &store]].concat();
        command().args(args).output().unwrap()
    };
    let early = asked(&[]);
    let error = String::from_utf8(early.stderr).unwrap();
    assert!(
        !early.status.success() && error.contains("first started"),
        "{error}"
    );
    let (_, key) = registry_in(&Program::start(&store).line);
    let printed = String::from_utf8(asked(&["chat.example.org"]).stdout).unwrap();
    assert_eq!(registry_in(&printed), ("chat.example.org".to_owned(), key));
    assert!(printed.lines().count() > 15, "{printed}");
    assert!(
        printed
            .lines()
            .skip(1)
            .all(|line| line.starts_with("\x1b[38;5;16;48;5;231m"))
    );
    let long = format!("{}.example.org", "x".repeat(60));
    let printed = String::from_utf8(asked(&[&long]).stdout).unwrap();
    assert_eq!(printed.lines().count(), 2, "{printed}");
    assert!(printed.contains("no QR code: 99 bytes"), "{printed}");
}
