//! What the tests share: bytes, clients, servers and stores.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

pub(crate) mod client;
pub(crate) mod http;
pub(crate) mod mongod;
pub(crate) mod program;
pub(crate) mod proxy;
pub(crate) mod secure;
pub(crate) mod server;
pub(crate) mod several;
pub(crate) mod stores;

/// Upper bound for whatever normally takes no time.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Waits until `condition` holds.
pub(crate) fn wait_for(what: &str, timeout: Duration, mut condition: impl FnMut() -> bool) {
    p2pchat_testkit::wait_blocking(what, timeout, || condition().then_some(()));
}

/// A number that no other call in this process gets.
pub(crate) fn unique() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The key of all registries that are not to have one of their own.
pub(crate) fn key_file() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("registry.key")
}

/// Sends a signal to a process that the test started.
pub(crate) fn signal(pid: u32, signal: &str) {
    let sent = Command::new("kill")
        .args(["-s", signal, &pid.to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}
