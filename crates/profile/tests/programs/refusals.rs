//! Profiles that cannot be opened: the words say what to do.

use std::fs;
use std::io::{Read, Write, stderr};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use p2pchat_testkit::{skip, tool};
use rustix::process::Signal;
use serde_json::json;

use crate::support::{Registry, error_of, p2pchat};

/// The id of a user that is not this one.
const OTHER_USER: u32 = 65534;

fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        skip("it takes root to run a program as another user");
    }
    is_root
}

#[test]
fn an_owner_that_is_stopped_is_named_and_not_replaced() {
    let registry = Registry::start();
    let ann = registry.user("ann");
    let mut first = ann.json();
    first.event("view");
    let mut second = ann.json();
    second.event("view");
    first.signal(Signal::STOP);
    let error = ann.error();
    let pid = first.pid();
    let named = format!("p2pchat, process {pid}, runs this profile and is stopped");
    assert!(error.contains(&named), "{error}");
    assert!(error.contains(&format!("kill -CONT {pid}")), "{error}");
    // Who was attached before is told when an answer does not come.
    second.call(&json!({"command": "busy", "id": 1, "on": true}));
    let notice = second.event("notice");
    assert_eq!(notice["what"], "peer_stopped");
    assert_eq!(notice["process"], pid, "{notice}");
    first.signal(Signal::CONT);
    assert_eq!(second.answer(1)["event"], "done");
    assert!(second.end().success());
    assert!(first.end().success());
}

/// A client in a process of another user: what it gets from a socket.
#[test]
#[ignore = "another_user_cannot_connect runs it"]
fn another_user_helper() {
    let Some(socket) = std::env::var_os("HELPER_SOCKET") else {
        return;
    };
    let said = match UnixStream::connect(socket) {
        Err(error) => error.kind().to_string(),
        Ok(mut stream) => {
            let mut answer = Vec::new();
            // It may be closed at any time.
            let _ = stream.write_all(b"{\"version\":2,\"front_end\":\"x\"}\n");
            let _ = stream.read_to_end(&mut answer);
            format!("{} bytes", answer.len())
        }
    };
    let _ = writeln!(stderr(), "helper: {said}");
}

/// A copy of a program that every user may run. By another process, because a file that a fork of
/// this one has open cannot be run.
fn copy(program: &Path, registry: &Registry) -> PathBuf {
    fs::set_permissions(registry.folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let copy = registry.folder.path().join("copy");
    let copied = Command::new("cp").arg(program).arg(&copy).status();
    assert!(copied.unwrap().success());
    copy
}

#[test]
fn another_user_cannot_connect() {
    if !is_root() {
        return;
    }
    let registry = Registry::start();
    let ann = registry.user("ann");
    let first = ann.json();
    first.event("view");
    let socket = ann.socket();
    let helper = copy(&std::env::current_exe().unwrap(), &registry);
    let attempt = || {
        let output = Command::new(&helper)
            .args(["another_user_helper", "--ignored", "--nocapture"])
            .env("HELPER_SOCKET", &socket)
            .current_dir("/")
            .uid(OTHER_USER)
            .output();
        String::from_utf8(output.unwrap().stderr).unwrap()
    };
    let said = attempt();
    assert!(said.contains("helper: permission denied"), "{said}");
    // Opened by mistake, it is the owner that keeps them out.
    let run = ann.runtime_folder();
    for path in [&run, socket.parent().unwrap(), &socket] {
        fs::set_permissions(path, PermissionsExt::from_mode(0o777)).unwrap();
    }
    let said = attempt();
    assert!(said.contains("helper: 0 bytes"), "{said}");
}

#[test]
fn the_socket_of_another_user_is_not_spoken_to() {
    if !is_root() {
        return;
    }
    let registry = Registry::start();
    let ann = registry.user("ann");
    let owner = ann.json();
    owner.event("view");
    let socket = ann.socket();
    for path in [&ann.runtime_folder(), socket.parent().unwrap(), &socket] {
        fs::set_permissions(path, PermissionsExt::from_mode(0o777)).unwrap();
    }
    // A profile of another user, whose lock names that socket.
    let profile = registry.folder.path().join("profile");
    fs::create_dir(&profile).unwrap();
    let lock = profile.join("lock");
    fs::copy(ann.profile().join("lock"), &lock).unwrap();
    for path in [&profile, &lock] {
        std::os::unix::fs::chown(path, Some(OTHER_USER), None).unwrap();
    }
    let held = fs::File::open(&lock).unwrap();
    held.lock().unwrap();
    let mut command = Command::new(copy(&p2pchat(), &registry));
    command
        .env_clear()
        .env("HOME", &profile)
        .args(["--json", "--profile"])
        .arg(&profile)
        .current_dir("/")
        .uid(OTHER_USER);
    let error = error_of(&mut command);
    assert!(
        error.contains("belongs to a process of another user"),
        "{error}"
    );
}

#[test]
fn what_a_dead_process_left_is_no_obstacle() {
    let registry = Registry::start();
    let ann = registry.user("ann");
    let mut first = ann.json();
    first.event("view");
    first.kill();
    first.exit();
    assert!(ann.socket().exists(), "killed, it could not remove it");
    let second = ann.json();
    second.event("view");
    assert_eq!(ann.owner(), second.pid());
}

#[test]
fn a_lock_that_was_removed_does_not_count() {
    let registry = Registry::start();
    let ann = registry.user("ann");
    let mut first = ann.json();
    first.event("view");
    let lock = ann.profile().join("lock");
    // The owner makes it again.
    fs::remove_file(&lock).unwrap();
    p2pchat_testkit::wait_blocking("the lock", p2pchat_testkit::SOON, || {
        let is_named = fs::read(&lock).is_ok_and(|text| text.ends_with(b"\n"));
        is_named.then_some(())
    });
    assert_eq!(ann.owner(), first.pid());
    // Unless another process is faster.
    first.signal(Signal::STOP);
    fs::remove_file(&lock).unwrap();
    let mut other = registry.user("ann");
    other.address = registry.user("x").address;
    let second = other.json();
    second.event("view");
    assert_eq!(ann.owner(), second.pid());
    first.signal(Signal::CONT);
    // The first leaves the socket of the second alone.
    assert!(first.end().success());
    let third = ann.json();
    third.event("view");
    assert_eq!(ann.owner(), second.pid());
}

#[test]
fn a_full_runtime_folder_is_named_with_what_to_do() {
    let (Some(unshare), true) = (tool("unshare"), is_root()) else {
        return;
    };
    let registry = Registry::start();
    let ann = registry.user("ann");
    let command = ann.command(&["--json"]);
    // A file system with room for its root folder alone.
    let script = r#"mount -t tmpfs -o nr_inodes=1,mode=700 none "$XDG_RUNTIME_DIR" && exec "$@""#;
    let mut inside = Command::new(unshare);
    inside
        .env("XDG_RUNTIME_DIR", ann.runtime_folder())
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(command.get_program())
        .args(command.get_args());
    let error = error_of(&mut inside);
    assert!(error.contains("No space left on device"), "{error}");
    assert!(
        error.contains("free some space there, or set XDG_RUNTIME_DIR"),
        "{error}"
    );
}

#[test]
fn a_path_too_long_for_a_socket_is_named_with_what_to_do() {
    let registry = Registry::start();
    let ann = registry.user("ann");
    let long = ann.runtime_folder().join("x".repeat(100));
    fs::create_dir(&long).unwrap();
    let error = error_of(ann.command(&["--json"]).env("XDG_RUNTIME_DIR", &long));
    assert!(
        error.contains("set XDG_RUNTIME_DIR to a shorter one"),
        "{error}"
    );
}

#[test]
fn a_profile_that_cannot_be_written_is_named_with_what_to_do() {
    let (Some(unshare), true) = (tool("unshare"), is_root()) else {
        return;
    };
    let registry = Registry::start();
    let ann = registry.user("ann");
    let script = r#"mount --bind "$HOME" "$HOME" && mount -o remount,bind,ro "$HOME" && exec "$@""#;
    let error = || {
        let command = ann.command(&["--json"]);
        let mut inside = Command::new(&unshare);
        inside
            .env("HOME", &ann.home)
            .env("XDG_RUNTIME_DIR", ann.runtime_folder())
            .args(["--mount", "sh", "-c", script, "sh"])
            .arg(command.get_program())
            .args(command.get_args());
        error_of(&mut inside)
    };
    let check = |error: &str, what: &str| {
        assert!(error.contains(what), "{error}");
        assert!(error.contains("Read-only file system"), "{error}");
        assert!(
            error.contains("that can be written, with --profile"),
            "{error}"
        );
    };
    check(&error(), "cannot make the profile's folder");
    fs::create_dir_all(ann.profile()).unwrap();
    check(&error(), "the lock of the profile");
}

#[test]
fn a_socket_whose_folder_was_removed_is_made_again() {
    let registry = Registry::start();
    let ann = registry.user("ann");
    let first = ann.json();
    first.event("view");
    // As when the user logs out of the system.
    fs::remove_dir_all(ann.runtime_folder()).unwrap();
    let second = ann.json();
    second.event("view");
    assert_eq!(ann.owner(), first.pid());
    assert!(!ann.socket().starts_with(ann.runtime_folder()));
}
