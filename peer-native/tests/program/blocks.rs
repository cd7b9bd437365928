//! Blocking, and that the block list is saved.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::{Piped, Registry, own_address};

fn start(registry: &Registry, user: &str, address: &str, mode: &str) -> Piped {
    let mut arguments = registry.arguments_of(user, address);
    arguments.push(mode.to_owned());
    Piped::start(registry, &arguments)
}

fn file(registry: &Registry, address: &str) -> PathBuf {
    Path::new(&registry.profile(address)).join("blocks.sqlite3")
}

#[test]
fn a_block_outlives_a_restart_and_needs_no_history() {
    let registry = Registry::start();
    let (at_a, at_m) = (own_address(), own_address());
    let mut mallory = start(&registry, "mallory", &at_m, "--json");
    mallory.line_with("logged_in");
    let mut alice = start(&registry, "alice", &at_a, "--plain");
    alice.line_with("signed in as alice");
    mallory.write(&format!(
        r#"{{"command":"request","conversation":"open","to":{{"address":"{at_a}"}}}}"#
    ));
    assert!(alice.line_with("wants to chat with you").contains("/block"));
    alice.write("/block");
    alice.line_with("is blocked");
    mallory.line_with(r#""rejected""#);
    alice.write("/block 10.9.8.7");
    alice.line_with("10.9.8.7 is blocked");
    alice.write("/request 10.9.8.7");
    alice.line_with("unblock 10.9.8.7 first");
    assert_eq!(alice.end().code(), Some(0));
    let mode = std::fs::metadata(file(&registry, &at_a))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);

    let mut alice = start(&registry, "alice", &at_a, "--plain");
    alice.line_with("signed in as alice");
    mallory.write(&format!(
        r#"{{"command":"request","conversation":"open","to":{{"address":"{at_a}"}}}}"#
    ));
    // Of the first request there may be more lines.
    mallory.line_with(r#""request_sent""#);
    mallory.line_with(r#""rejected""#);
    alice.write("/blocked");
    alice.line_with("Blocked: ");
    alice.line_with("Blocked: 10.9.8.7");
    alice.write("/who");
    assert!(
        alice
            .line_with("Ignored: ")
            .contains("1 chat request, blocked")
    );
    alice.write("/unblock 10.9.8.7");
    alice.line_with("10.9.8.7 is no longer blocked");
    assert_eq!(alice.end().code(), Some(0));
    mallory.end();
}

#[test]
fn a_corrupt_block_list_prevents_the_start_and_is_not_overwritten() {
    let registry = Registry::start();
    let address = own_address();
    let file = file(&registry, &address);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "scrambled ".repeat(1000)).unwrap();
    let mut arguments = registry.arguments_of("alice", &address);
    let profile = registry.profile(&address);
    arguments.extend(["--plain", "--profile", &profile].map(str::to_owned));
    let output = crate::support::program(registry.folder.path())
        .args(&arguments)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        error.contains("blocks.sqlite3") && error.contains("block list"),
        "{error}"
    );
    assert!(std::fs::read(&file).unwrap().starts_with(b"scrambled"));
}
