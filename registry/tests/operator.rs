//! `p2pchat-registry users …`, beside a running registry, on both stores.

use std::process::{Output, Stdio};

use p2pchat_protocol::v2::{
    Binding, Certificate, DeviceKey, FromRegistry, PersonKey, PublicKey, Signature, ToRegistry,
};
use p2pchat_registry::store::{NewAccount, Opener, StoredBinding, StoredPassword};
use p2pchat_testkit::require_mongodb;
use tokio::runtime::Runtime;

use crate::support::client::{Client, LOGIN, REGISTER, SEARCH};
use crate::support::program::{Program, command, text, users};
use crate::support::secure::{Device, Session, passphrase};
use crate::support::stores::Fresh;

fn succeeds(output: &Output, expected: &str) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{error}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{error}");
}

fn fails(output: &Output, expected: &str) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains(expected), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

fn accounts_are_looked_after(fresh: &Fresh) {
    let store = fresh.name();
    let run = |args: &[&str], password: &str| users(&store, args, password);
    let program = Program::start(&store);
    let mut client = Client::connect(program.tcp);

    succeeds(&run(&["list"], ""), "");
    succeeds(
        &run(&["add", "bob", "--password-file", "-"], "pw one\n"),
        "added bob\n",
    );
    assert_eq!(client.status(LOGIN, "bob", "pw one"), 21);
    fails(
        &run(&["add", "bob", "--password-file", "-"], "pw\n"),
        "there is an account bob already",
    );
    succeeds(
        &run(&["add", "ann", "--password-file", "-"], "pw"),
        "added ann\n",
    );
    succeeds(&run(&["list"], ""), "ann\nbob\n");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "new\n").unwrap();
    let set = ["set-password", "bob", "--password-file", text(&file)];
    succeeds(&run(&set, ""), "set the password of bob\n");
    assert_eq!(client.status(LOGIN, "bob", "pw one"), 41);
    assert_eq!(client.status(LOGIN, "bob", "new"), 21);

    succeeds(&run(&["remove", "bob"], ""), "removed bob\n");
    assert_eq!(client.status(LOGIN, "bob", "new"), 41);
    fails(&run(&["remove", "bob"], ""), "there is no account bob");
    fails(&run(&set, ""), "there is no account bob");
    fails(
        &run(&["add", "a b", "--password-file", "-"], "pw"),
        "no spaces",
    );
    fails(
        &run(&["add", "10.0.0.42", "--password-file", "-"], "pw"),
        "look like an IP address",
    );
    fails(
        &run(&["add", "cat", "--password-file", "-"], "\n"),
        "a password is needed",
    );
    fails(
        &run(&["add", "cat", "--password-file", "/nonexistent/x"], ""),
        "/nonexistent/x",
    );
    succeeds(&run(&["list"], ""), "ann\n");
}

#[test]
fn accounts_are_looked_after_in_a_file() {
    accounts_are_looked_after(&Fresh::sqlite());
}

#[test]
fn accounts_are_looked_after_in_mongodb() {
    require_mongodb!();
    accounts_are_looked_after(&Fresh::mongo());
}

/// Bob's account, bound to a person with two devices.
fn bind_bob(fresh: &Fresh) {
    let key = |number| PublicKey([number; PublicKey::LEN]);
    let person = PersonKey(key(9));
    let devices = [1, 2].map(|number| Certificate {
        device: DeviceKey(key(number)),
        person,
        signature: Signature([0; Signature::LEN]),
    });
    Runtime::new().unwrap().block_on(async {
        let store = fresh.open_as(Opener::Operator).await;
        let binding = Binding {
            name: "bob".parse().unwrap(),
            serial: 1,
            person: Some(person),
            display_name: "Bob B.".parse().unwrap(),
            devices: devices.into(),
        };
        let new = StoredBinding {
            binding,
            forgotten: Vec::new(),
            allows_version_1: true,
        };
        assert!(store.bind(new).await.unwrap());
        store.close().await;
    });
}

fn stored_binding(fresh: &Fresh) -> StoredBinding {
    Runtime::new().unwrap().block_on(async {
        let store = fresh.open_as(Opener::Operator).await;
        let found = store.binding("bob".parse().unwrap()).await.unwrap();
        store.close().await;
        found.unwrap()
    })
}

fn devices_are_looked_after(fresh: &Fresh) {
    let store = fresh.name();
    let run = |args: &[&str]| users(&store, args, "pw");
    let _program = Program::start(&store);
    fails(&run(&["devices", "bob"]), "there is no account bob");
    fails(&run(&["reset-key", "bob"]), "there is no account bob");
    let add = ["add", "bob", "--password-file", "-"];
    succeeds(&run(&add), "added bob\n");
    fails(&run(&["devices", "bob"]), "bob is bound to nobody");
    bind_bob(fresh);
    let [one, two] = ["01", "02"].map(|byte| byte.repeat(8));
    succeeds(&run(&["devices", "bob"]), &format!("{one}\n{two}\n"));

    fails(
        &run(&["forget-device", "bob", "03"]),
        "bob has no device 03; users devices bob shows all",
    );
    succeeds(
        &run(&["forget-device", "bob", &one]),
        &format!("forgot device {one} of bob\n"),
    );
    succeeds(
        &run(&["devices", "bob"]),
        &format!("{two}\n{one} forgotten\n"),
    );
    let kept = stored_binding(fresh);
    assert_eq!((kept.binding.serial, kept.forgotten.len()), (2, 1));
    fails(&run(&["forget-device", "bob", &one]), "no device");

    succeeds(&run(&["reset-key", "bob"]), "reset the key of bob\n");
    let kept = stored_binding(fresh);
    assert_eq!((kept.binding.serial, kept.binding.person), (3, None));
    assert!(kept.binding.devices.is_empty() && kept.forgotten.is_empty());
    assert!(!kept.allows_version_1);
    fails(&run(&["devices", "bob"]), "bob is bound to nobody");
    fails(&run(&["reset-key", "bob"]), "bob is bound to nobody");
    succeeds(&run(&["list"]), "bob\n");
}

#[test]
fn devices_are_looked_after_in_a_file() {
    devices_are_looked_after(&Fresh::sqlite());
}

#[test]
fn devices_are_looked_after_in_mongodb() {
    require_mongodb!();
    devices_are_looked_after(&Fresh::mongo());
}

/// The account of a legacy database that is named like an address.
fn a_name_that_is_an_address_goes_on_logging_in(fresh: &Fresh) {
    let name = "10.0.0.42";
    Runtime::new().unwrap().block_on(async {
        let store = fresh.open().await;
        let account = NewAccount {
            name: name.parse().unwrap(),
            password: StoredPassword::new("pw".to_owned()),
            address: None,
        };
        assert!(store.register(account).await.unwrap());
        store.close().await;
    });
    let store = fresh.name();
    let program = Program::start(&store);
    let mut client = Client::connect(program.tcp);
    assert_eq!(client.status(REGISTER, name, "pw"), 42);
    assert_eq!(client.status(LOGIN, name, "pw"), 21);
    assert_eq!(client.status(SEARCH, name, name), 22);
    let set = ["set-password", name, "--password-file", "-"];
    let expected = format!("set the password of {name}\n");
    succeeds(&users(&store, &set, "new"), &expected);
    assert_eq!(client.status(LOGIN, name, "new"), 21);
    succeeds(
        &users(&store, &["remove", name], ""),
        &format!("removed {name}\n"),
    );
}

#[test]
fn a_name_that_is_an_address_goes_on_logging_in_from_a_file() {
    a_name_that_is_an_address_goes_on_logging_in(&Fresh::sqlite());
}

#[test]
fn a_name_that_is_an_address_goes_on_logging_in_from_mongodb() {
    require_mongodb!();
    a_name_that_is_an_address_goes_on_logging_in(&Fresh::mongo());
}

#[test]
fn a_password_is_as_long_as_version_2_allows() {
    let fresh = Fresh::sqlite();
    let store = fresh.name();
    let program = Program::start(&store);
    let [longest, other] = ["x", "y"].map(|letter| letter.repeat(256));
    let add = ["add", "bob", "--password-file", "-"];
    let added = users(&store, &add, &longest);
    succeeds(&added, "added bob\n");
    let warning = String::from_utf8(added.stderr).unwrap();
    assert!(warning.contains("of 256 bytes"), "{warning}");
    let device = Device::new();
    let mut session = Session::connect(program.tcp, &device);
    let answer = session.ask(device.sign_in("bob", Some(&longest)));
    assert!(matches!(answer, FromRegistry::SignedIn(_)), "{answer:?}");
    let set = ["set-password", "bob", "--password-file", "-"];
    fails(&users(&store, &set, &format!("{other}y")), "too long by 1");
    succeeds(&users(&store, &set, &other), "set the password of bob\n");
    let change = ToRegistry::ChangePassword {
        old: passphrase(&other),
        new: passphrase("pw"),
    };
    assert_eq!(session.ask(change), FromRegistry::Done);
}

#[test]
fn a_password_is_not_taken_from_the_command_line() {
    let fresh = Fresh::sqlite();
    let output = users(&fresh.name(), &["add", "bob", "secret"], "");
    assert_eq!(output.status.code(), Some(2));
    let output = users(&fresh.name(), &["add", "bob", "--password", "secret"], "");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn without_a_terminal_it_says_how_to_give_the_password() {
    let fresh = Fresh::sqlite();
    // A session of its own has no terminal.
    let output = std::process::Command::new("setsid")
        .arg("--wait")
        .arg(command().get_program())
        .args(["users", "add", "bob", "--store", &fresh.name()])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    fails(&output, "--password-file");
}

#[test]
fn completions_and_help_know_all_options() {
    let output = command().args(["completions", "bash"]).output().unwrap();
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("--presence-timeout")
    );
    let help = String::from_utf8(command().arg("--help").output().unwrap().stdout).unwrap();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for option in [
        "store",
        "tcp",
        "udp",
        "presence-timeout",
        "max-connections",
        "hash-workers",
    ] {
        let variable = option.to_uppercase().replace('-', "_");
        assert!(help.contains(&format!("--{option} <")), "{option}");
        assert!(
            help.contains(&format!("[env: P2PCHAT_{variable}")),
            "{option}"
        );
        assert!(help.contains(&format!("[file: {option}]")), "{option}");
    }
    let help = command()
        .arg("--help")
        .env("P2PCHAT_STORE", "mongodb://u:hush@h")
        .output()
        .unwrap();
    assert!(!String::from_utf8(help.stdout).unwrap().contains("hush"));
}
