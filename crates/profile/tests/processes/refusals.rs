//! Profiles that cannot be opened: the words say what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use p2pchat_testkit::{skip, tool};
use rustix::process::Signal;
use serde_json::json;

use crate::support::{Registry, error_of, program};

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
    let profile = registry.profile("ann");
    let mut first = profile.front_end();
    first.event("view");
    let mut second = profile.front_end();
    second.event("view");
    first.signal(Signal::STOP);
    let error = profile.error();
    let pid = first.pid();
    let named = format!("front_end, process {pid}, runs this profile and is stopped");
    assert!(error.starts_with(&named), "{error}");
    assert!(error.contains(&format!("kill -CONT {pid}")), "{error}");
    // Who was attached before is told when an answer does not come.
    second.call(&json!({"command": "busy", "id": 1, "on": true}));
    let notice = second.event("notice");
    assert_eq!(notice["what"]["peer_silent"]["process"], pid, "{notice}");
    first.signal(Signal::CONT);
    assert_eq!(second.answer(1)["event"], "done");
    assert!(second.end().success());
    assert!(first.end().success());
}

#[test]
fn another_user_cannot_connect() {
    if !is_root() {
        return;
    }
    let registry = Registry::start();
    let profile = registry.profile("ann");
    let first = profile.front_end();
    first.event("view");
    let socket = profile.socket();
    // The folder keeps them out. Opened by mistake, so does the socket's owner.
    let attempt = |expected: &str| {
        let script = "import socket, sys\n\
            s = socket.socket(socket.AF_UNIX)\n\
            s.settimeout(20)\n\
            try:\n    s.connect(sys.argv[1])\n\
            except PermissionError:\n    print('kept out'); sys.exit()\n\
            try:\n    s.sendall(b'{\"version\":2,\"front_end\":\"x\"}\\n'); print(len(s.recv(100)))\n\
            except (BrokenPipeError, ConnectionResetError):\n    print(0)\n";
        let output = Command::new("python3")
            .args(["-c", script])
            .arg(&socket)
            .uid(OTHER_USER)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(
            said.trim(),
            expected,
            "{:?}",
            String::from_utf8(output.stderr)
        );
    };
    attempt("kept out");
    for path in [
        socket.as_path(),
        socket.parent().unwrap(),
        &profile.runtime_folder(),
        registry.folder.path(),
    ] {
        fs::set_permissions(path, PermissionsExt::from_mode(0o777)).unwrap();
    }
    attempt("0");
}

#[test]
fn the_socket_of_another_user_is_not_spoken_to() {
    if !is_root() {
        return;
    }
    let registry = Registry::start();
    let profile = registry.profile("ann");
    let owner = profile.front_end();
    owner.event("view");
    // A process of another user that can read the lock, as if it were theirs.
    for path in [
        registry.folder.path().to_owned(),
        profile.folder.clone(),
        profile.folder.join("lock"),
        profile.runtime_folder(),
        profile.socket().parent().unwrap().to_owned(),
        profile.socket(),
    ] {
        fs::set_permissions(path, PermissionsExt::from_mode(0o777)).unwrap();
    }
    let copy = registry.folder.path().join("front_end");
    // By another process: a file that a fork of this one has open cannot be run.
    let copied = Command::new("cp").arg(program()).arg(&copy).status();
    assert!(copied.unwrap().success());
    let command = profile.command(&[]);
    let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    let error = error_of(command_as(OTHER_USER, &copy).args(arguments));
    assert!(
        error.contains("belongs to a process of another user"),
        "{error}"
    );
}

fn command_as(user: u32, program: &std::path::Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().uid(user);
    command
}

#[test]
fn what_a_dead_process_left_is_no_obstacle() {
    let registry = Registry::start();
    let profile = registry.profile("ann");
    let mut first = profile.front_end();
    first.event("view");
    first.kill();
    first.exit();
    assert!(profile.socket().exists(), "killed, it could not remove it");
    let second = profile.front_end();
    assert!(!second.is_attached());
    second.event("view");
}

#[test]
fn a_lock_that_was_removed_does_not_count() {
    let registry = Registry::start();
    let profile = registry.profile("ann");
    let mut first = profile.front_end();
    first.event("view");
    fs::remove_file(profile.folder.join("lock")).unwrap();
    let mut other = registry.profile("ann");
    other.address = registry.profile("x").address;
    let second = other.front_end();
    assert!(!second.is_attached());
    second.event("view");
    // The first leaves the socket of the second alone.
    assert!(first.end().success());
    assert!(profile.front_end().is_attached());
}

#[test]
fn a_full_runtime_folder_is_named_with_what_to_do() {
    let (Some(unshare), true) = (tool("unshare"), is_root()) else {
        return;
    };
    let registry = Registry::start();
    let profile = registry.profile("ann");
    let command = profile.command(&[]);
    // A file system with room for its root folder alone.
    let script = r#"mount -t tmpfs -o nr_inodes=1,mode=700 none "$XDG_RUNTIME_DIR" && exec "$@""#;
    let mut inside = Command::new(unshare);
    inside
        .env("XDG_RUNTIME_DIR", profile.runtime_folder())
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
    let profile = registry.profile("ann");
    let long = profile.runtime_folder().join("x".repeat(100));
    fs::create_dir(&long).unwrap();
    let error = error_of(profile.command(&[]).env("XDG_RUNTIME_DIR", &long));
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
    let profile = registry.profile("ann");
    let home = registry.folder.path().join("home");
    fs::create_dir(&home).unwrap();
    let script = r#"mount --bind "$H" "$H" && mount -o remount,bind,ro "$H" && exec "$@""#;
    let started = |folder: &std::path::Path| {
        let command = profile.command(&[]);
        let mut inside = Command::new(&unshare);
        inside
            .env("H", &home)
            .env("XDG_RUNTIME_DIR", profile.runtime_folder())
            .args(["--mount", "sh", "-c", script, "sh"])
            .arg(command.get_program())
            .arg(folder)
            .args(command.get_args().skip(1));
        error_of(&mut inside)
    };
    for folder in [home.join("profile"), home.clone()] {
        let error = started(&folder);
        assert!(error.contains("Read-only file system"), "{error}");
        assert!(
            error.contains("that can be written, with --profile"),
            "{error}"
        );
    }
}
