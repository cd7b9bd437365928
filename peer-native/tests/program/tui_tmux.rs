//! The full screen on a real terminal: tmux, with a server for each test.

use std::process::{Command, Output};

use crate::support::{PROGRAM, Registry, own_address, signal, wait_for};

/// A tmux server with a window for each name; ended on drop.
pub(crate) struct Tmux {
    socket: String,
}

impl Tmux {
    pub(crate) fn new(name: &str) -> Self {
        let socket = format!("p2pchat-{}-{name}", std::process::id());
        Self { socket }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("tmux");
        command.args(["-L", &self.socket, "-f", "/dev/null"]);
        command.args(arguments).output().unwrap()
    }

    /// Starts the program in a window of this size, in the profile of the window's name unless
    /// the arguments name another.
    pub(crate) fn start(
        &self,
        name: &str,
        (columns, rows): (u16, u16),
        registry: &Registry,
        arguments: &[String],
    ) {
        let home = registry.folder.path().to_str().unwrap();
        let has_profile = arguments.iter().any(|option| option == "--profile");
        let profile = if has_profile {
            String::new()
        } else {
            format!("--profile {name}")
        };
        let line = format!(
            "env -u NO_COLOR HOME={home} TZ=UTC {PROGRAM} {profile} {}",
            arguments.join(" ")
        );
        self.run_in(name, (columns, rows), &line);
    }

    /// Runs a command in a window of this size; after it, the exit code and the state of the
    /// terminal are printed.
    pub(crate) fn run_in(&self, name: &str, (columns, rows): (u16, u16), command: &str) {
        let line = format!(
            "{command}; echo ended with $?; stty -a | grep -o -w -e '-\\?icanon'; sleep 100"
        );
        let (columns, rows) = (columns.to_string(), rows.to_string());
        let size = ["-x", &columns, "-y", &rows];
        let start = ["new-session", "-d", "-s", name];
        let output = self.run(&[&start[..], &size, &[&line]].concat());
        assert!(output.status.success(), "{output:?}");
    }

    pub(crate) fn keys(&self, name: &str, keys: &[&str]) {
        self.run(&[&["send-keys", "-t", name], keys].concat());
    }

    pub(crate) fn screen(&self, name: &str) -> String {
        let output = self.run(&["capture-pane", "-p", "-t", name]);
        String::from_utf8(output.stdout).unwrap()
    }

    /// The process id of the program in a window: the child of the window's shell.
    pub(crate) fn program(&self, name: &str) -> u32 {
        let shell = self.run(&["display-message", "-p", "-t", name, "#{pane_pid}"]);
        let shell = String::from_utf8(shell.stdout).unwrap();
        let children = Command::new("pgrep").args(["-P", shell.trim()]).output();
        let child = String::from_utf8(children.unwrap().stdout).unwrap();
        child.trim().parse().unwrap()
    }

    /// Waits until the screen shows `part`; returns the screen.
    pub(crate) fn wait(&self, name: &str, part: &str) -> String {
        let mut last = String::new();
        wait_for(&format!("{part} on the screen of {name}"), || {
            last = self.screen(name);
            last.contains(part).then(|| last.clone())
        })
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}

#[test]
fn a_new_user_creates_an_account_sends_a_request_and_chats() {
    let registry = Registry::start();
    let tmux = Tmux::new("newcomer");
    let (at_a, at_b) = (own_address(), own_address());
    tmux.start("alice", (80, 24), &registry, &registry.arguments(&at_a));
    tmux.start(
        "bob",
        (200, 50),
        &registry,
        &registry.arguments_of("bob", &at_b),
    );
    tmux.wait("bob", "signed in as bob");
    tmux.wait("alice", "[ Create account ]");
    tmux.keys("alice", &["alice", "Tab", "secret"]);
    let form = tmux.wait("alice", "••••••");
    assert!(!form.contains("secret"), "{form}");
    assert!(form.contains("not encrypted: use it on"), "{form}");
    tmux.keys("alice", &["Tab", "Right", "Enter"]);
    tmux.wait("alice", "easy to guess");
    tmux.keys("alice", &["secres", "Enter"]);
    tmux.wait("alice", "The two passwords differ");
    tmux.keys("alice", &["secret", "Enter"]);
    tmux.wait("alice", "signed in as alice");

    tmux.keys("alice", &["/request b"]);
    // The list of online users comes a moment after the login.
    wait_for("Tab to complete bob", || {
        tmux.keys("alice", &["Tab"]);
        tmux.screen("alice")
            .contains("› /request bob")
            .then_some(())
    });
    tmux.keys("alice", &["Enter"]);
    tmux.wait("bob", "! alice wants to chat with you: F3");
    tmux.keys("bob", &["y", "C-y", "C-b", "BSpace", "F3"]);
    tmux.wait("bob", "a  Accept");
    // A burst is not meant for a list: all of it is left out.
    tmux.keys("bob", &["yada"]);
    tmux.wait("bob", "a  Accept");
    wait_for("a single key to accept", || {
        tmux.keys("bob", &["a"]);
        let screen = tmux.screen("alice");
        screen
            .contains("bob accepted and joined the chat")
            .then_some(())
    });
    tmux.keys("bob", &["C-e", "C-u"]);
    tmux.keys("bob", &["日本語 👩‍👩‍👧 שלום end", "Enter"]);
    tmux.wait("bob", "✓");
    let screen = tmux.wait("alice", "end");
    assert!(screen.contains("日本語"), "{screen}");
    for row in screen.lines().skip(1).take(20) {
        assert_eq!(row.chars().nth(19), Some('│'), "{screen}");
    }
}

#[test]
fn the_terminal_is_restored_however_the_program_ends() {
    let registry = Registry::start();
    let tmux = Tmux::new("ends");
    for (name, code) in [("quit", 0), ("ctrlq", 0), ("term", 4)] {
        let arguments = registry.arguments_of(name, &own_address());
        tmux.start(name, (80, 24), &registry, &arguments);
        tmux.wait(name, &format!("signed in as {name}"));
        match name {
            "quit" => tmux.keys(name, &["/quit", "Enter"]),
            "ctrlq" => {
                tmux.keys(name, &["C-q"]);
                tmux.wait(name, "Press Ctrl-Q again to quit");
                tmux.keys(name, &["C-q"]);
            }
            _ => signal(tmux.program(name), "TERM"),
        }
        let screen = tmux.wait(name, "icanon");
        assert!(screen.contains(&format!("ended with {code}")), "{screen}");
        assert!(!screen.contains("-icanon"), "still raw: {screen}");
        assert!(!screen.contains("p2pchat"), "still full-screen: {screen}");
    }
}

#[test]
fn a_paste_without_brackets_is_text_to_be_looked_at() {
    let registry = Registry::start();
    let tmux = Tmux::new("paste");
    let arguments = registry.arguments_of("alice", &own_address());
    tmux.start("alice", (80, 24), &registry, &arguments);
    tmux.wait("alice", "signed in as alice");
    tmux.run(&["set-buffer", "/block rita\nhello\n/quit\n"]);
    // Without -p there are no brackets.
    tmux.run(&["paste-buffer", "-t", "alice"]);
    tmux.wait("alice", "› /block rita");
    let screen = tmux.wait("alice", "   /quit");
    assert!(screen.contains("   hello"), "{screen}");
    assert!(!screen.contains("ended with"), "{screen}");
    assert!(!screen.contains("is blocked"), "{screen}");
    tmux.keys("alice", &["Enter"]);
    let screen = tmux.wait("alice", "a command is one line");
    assert!(screen.contains("› /block rita"), "the text stays: {screen}");
    tmux.keys("alice", &["Up", "Up", "Up", "C-a", "/"]);
    tmux.keys("alice", &["Enter"]);
    tmux.wait("alice", "no chat yet");
    for _ in 0..4 {
        tmux.keys("alice", &["Down"]);
    }
    for _ in 0..4 {
        tmux.keys("alice", &["C-u", "BSpace"]);
    }
    // One line and one Enter is what a program types.
    tmux.keys("alice", &["/who", "Enter"]);
    tmux.wait("alice", " People ");
}

#[test]
fn what_was_typed_and_not_sent_is_there_after_a_restart() {
    let registry = Registry::start();
    let tmux = Tmux::new("draft");
    let mut arguments = registry.arguments_of("alice", &own_address());
    arguments.retain(|option| option != "--no-history");
    arguments.extend(["--profile", "alice"].map(str::to_owned));
    tmux.start("first", (80, 24), &registry, &arguments);
    tmux.wait("first", "signed in as alice");
    // Quit before the keys have rested.
    tmux.keys("first", &["a thought for later", "C-q", "C-q"]);
    tmux.wait("first", "ended with 0");
    tmux.start("second", (80, 24), &registry, &arguments);
    tmux.wait("second", "› a thought for later");
}

#[test]
fn a_resize_redraws_the_screen() {
    let registry = Registry::start();
    let tmux = Tmux::new("resize");
    let arguments = registry.arguments_of("alice", &own_address());
    tmux.start("alice", (80, 24), &registry, &arguments);
    tmux.wait("alice", "Open chat");
    tmux.run(&["resize-window", "-t", "alice", "-x", "45", "-y", "16"]);
    wait_for("the side column to go", || {
        let screen = tmux.screen("alice");
        let gone = !screen.contains(" Online 0");
        (gone && screen.contains("F1 help")).then_some(())
    });
    tmux.run(&["resize-window", "-t", "alice", "-x", "120", "-y", "40"]);
    tmux.wait("alice", " Online 0");
}
