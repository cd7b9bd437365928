//! A panic while the terminal is filled, on a terminal of tmux.

use std::process::Command;
use std::time::{Duration, Instant};

/// Set where this test runs on the terminal of tmux, and is to panic.
const PANIC: &str = "P2PCHAT_TEST_PANIC";

#[test]
fn a_panic_puts_the_terminal_back_and_is_told() {
    if std::env::var_os(PANIC).is_some() {
        let _screen = super::Screen::enter(true).unwrap();
        panic!("on purpose");
    }
    let socket = format!("p2pchat-panic-{}", std::process::id());
    let tmux = |arguments: &[&str]| {
        let mut command = Command::new("tmux");
        command.args(["-L", &socket, "-f", "/dev/null"]);
        command.args(arguments).output().unwrap()
    };
    let program = std::env::current_exe().unwrap();
    let line = format!(
        "echo before; RUST_BACKTRACE=0 {PANIC}=1 {} --exact {} --nocapture; stty -a | grep -o -w -e '-\\?icanon'; sleep 100",
        program.display(),
        "tui::tests::panicking::a_panic_puts_the_terminal_back_and_is_told",
    );
    tmux(&["new-session", "-d", "-x", "80", "-y", "24", &line]);
    let start = Instant::now();
    let screen = loop {
        let screen = String::from_utf8(tmux(&["capture-pane", "-p"]).stdout).unwrap();
        if screen.contains("icanon") || start.elapsed() > Duration::from_secs(30) {
            break screen;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    tmux(&["kill-server"]);
    assert!(
        screen.contains("before"),
        "the old screen is back: {screen}"
    );
    assert!(
        screen.contains("on purpose"),
        "the reason is told: {screen}"
    );
    assert!(
        screen.contains("icanon") && !screen.contains("-icanon"),
        "{screen}"
    );
}
