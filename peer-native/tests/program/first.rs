//! The first minutes: no option, no config file, no registry.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Output, Stdio};

use p2pchat_testkit::Programs;
use tempfile::TempDir;

use crate::support::{PROGRAM, Piped, own_address, program, signal, wait_for};
use crate::tui_tmux::Tmux;

/// A user of a machine of their own, as far as loopback goes.
struct User {
    home: TempDir,
    address: String,
}

/// The registry that a program under test has started. Ended on drop.
struct OwnRegistry {
    at: String,
}

impl OwnRegistry {
    fn new() -> Self {
        Programs::find().unwrap().path("p2pchat-registry").unwrap();
        let at = own_address();
        Self { at }
    }

    /// What makes it listen at an address that no other test has.
    fn variables(&self) -> [(&'static str, String); 2] {
        let at = |port| format!("{}:{port}", self.at);
        [("P2PCHAT_TCP", at(3131)), ("P2PCHAT_UDP", at(5151))]
    }

    /// Its process, by the variable that it was started with.
    fn pid(&self) -> Option<u32> {
        let [(name, value), _] = self.variables();
        let variable = format!("{name}={value}");
        let is_it = |process: &Path| {
            let program = fs::read_to_string(process.join("comm")).unwrap_or_default();
            let all = fs::read(process.join("environ")).unwrap_or_default();
            let mut all = all.split(|byte| *byte == 0);
            program.starts_with("p2pchat-registr") && all.any(|one| one == variable.as_bytes())
        };
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let mut processes = processes.map(|entry| entry.path());
        let found = processes.find(|path| is_it(path))?;
        found.file_name()?.to_str()?.parse().ok()
    }

    fn answers(&self) -> bool {
        TcpStream::connect(format!("{}:3131", self.at)).is_ok()
    }

    /// Ends it.
    fn end(&self) {
        if let Some(pid) = self.pid() {
            signal(pid, "TERM");
            wait_for("the end of the registry", || {
                self.pid().is_none().then_some(())
            });
        }
    }
}

impl Drop for OwnRegistry {
    fn drop(&mut self) {
        if let Some(pid) = self.pid() {
            signal(pid, "KILL");
        }
    }
}

impl User {
    fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            address: own_address(),
        }
    }

    /// The program on a screen, without options but these.
    fn start(&self, tmux: &Tmux, name: &str, registry: &OwnRegistry, options: &str) {
        let home = self.home.path().display();
        let address = &self.address;
        let variables = registry
            .variables()
            .map(|(name, value)| format!("{name}={value}"));
        let variables = variables.join(" ");
        tmux.run_in(
            name,
            (150, 30),
            &format!(
                "env -i PATH=\"$PATH\" TERM=\"$TERM\" TZ=UTC HOME={home} {variables} \
                 P2PCHAT_ADDRESS={address} P2PCHAT_UNPRIVILEGED=yes {PROGRAM} {options}"
            ),
        );
    }

    /// One subcommand or front end with these options, and no input.
    fn run(&self, options: &[&str]) -> Output {
        let mut command = program(self.home.path());
        command.env("P2PCHAT_ADDRESS", &self.address).args(options);
        command.stdin(Stdio::null()).output().unwrap()
    }
}

fn sign_up(tmux: &Tmux, who: &str) {
    tmux.wait(who, "[ Create account ]");
    tmux.keys(who, &[who, "Tab", "secret words", "Tab", "Right", "Enter"]);
    tmux.wait(who, "Display name");
    tmux.keys(who, &["secret words", "Enter"]);
    tmux.wait(who, "No chats yet.");
}

#[test]
fn the_first_one_here_starts_a_registry_and_a_colleague_joins_by_the_invitation() {
    let (registry, tmux) = (OwnRegistry::new(), Tmux::new("first"));
    let [alice, bob] = [(); 2].map(|()| User::new());
    alice.start(&tmux, "alice", &registry, "");
    let screen = tmux.wait("alice", "[ Start a registry on this computer ]");
    assert!(screen.contains("p2pchat needs a registry"), "{screen}");
    tmux.keys("alice", &["Enter"]);
    tmux.wait("alice", "type its address, or start");
    tmux.keys("alice", &["F3"]);
    sign_up(&tmux, "alice");
    let screen = tmux.screen("alice");
    let invitation = screen.split("Join me on p2pchat: p2pchat ").nth(1).unwrap();
    let invitation = invitation.lines().next().unwrap().trim().to_owned();
    assert!(
        invitation.starts_with(&format!("--registry {}#", registry.at)),
        "{screen}"
    );
    tmux.keys("alice", &["F6"]);
    tmux.wait("alice", "█▀▀▀▀▀█");
    tmux.keys("alice", &["Escape"]);

    bob.start(
        &tmux,
        "bob",
        &registry,
        &format!("'{invitation}'").replace(' ', "' '"),
    );
    sign_up(&tmux, "bob");
    tmux.keys("bob", &["/chat alice", "Enter"]);
    tmux.wait("bob", "Message alice");
    tmux.keys("bob", &["good morning", "Enter"]);
    tmux.wait("alice", "bob asks: F3");
    tmux.keys("alice", &["F3"]);
    tmux.wait("alice", "a  Accept");
    tmux.keys("alice", &["a"]);
    tmux.wait("alice", "good morning");

    // The registry is there for the others when the one who started it has gone.
    tmux.keys("alice", &["C-q", "C-q"]);
    tmux.wait("alice", "ended with 0");
    assert!(registry.answers());
    alice.start(&tmux, "again", &registry, "");
    tmux.wait("again", "good morning");
    tmux.keys("again", &["C-q", "C-q"]);
    tmux.wait("again", "ended with 0");

    // After a restart of the machine, the next start brings it back.
    registry.end();
    alice.start(&tmux, "restarted", &registry, "");
    tmux.wait("restarted", "good morning");
    wait_for("the registry", || registry.answers().then_some(()));
    tmux.wait("restarted", "alice ●");
}

#[test]
fn what_is_no_registry_is_told_with_what_to_do_and_can_be_corrected() {
    let (registry, tmux, user) = (OwnRegistry::new(), Tmux::new("slips"), User::new());
    user.start(&tmux, "ann", &registry, "");
    tmux.wait("ann", "p2pchat needs a registry");
    let nobody = own_address();
    for (typed, told) in [
        ("no registry", "this cannot be the registry"),
        ("chat.invalid", "resolve"),
        (nobody.as_str(), "nothing answers at"),
    ] {
        tmux.keys("ann", &["C-u", typed, "Enter"]);
        tmux.wait("ann", told);
    }
    // Nothing of that is what the next start goes to.
    tmux.keys("ann", &["C-q", "C-q"]);
    tmux.wait("ann", "ended with 0");
    user.start(&tmux, "later", &registry, "");
    tmux.wait("later", "p2pchat needs a registry");
}

#[test]
fn scripts_are_told_that_there_is_no_registry_and_do_not_wait() {
    let user = User::new();
    let sent = user.run(&["send", "--to", "bob", "hello"]);
    let words = String::from_utf8(sent.stderr).unwrap();
    assert_eq!(sent.status.code(), Some(3), "{words}");
    assert!(
        words.contains("no_registry: ") && words.contains("--registry HOST"),
        "{words}"
    );

    let plain = user.run(&["--plain"]);
    let words = String::from_utf8(plain.stdout).unwrap();
    assert!(plain.status.success(), "{words}");
    assert!(words.contains("/registry ADDRESS"), "{words}");

    let file = user.home.path().join("password");
    fs::write(&file, "secret words\n").unwrap();
    let file = file.to_str().unwrap();
    let login = user.run(&["--plain", "--user", "ann", "--password-file", file]);
    let words = String::from_utf8(login.stderr).unwrap();
    assert_eq!(login.status.code(), Some(3), "{words}");
    assert!(words.contains("no registry is chosen yet"), "{words}");
}

#[test]
fn a_program_chooses_a_registry_by_a_command_and_the_next_start_has_it() {
    let (registry, user) = (crate::support::Registry::start(), User::new());
    let options = ["--json", "--address", &user.address, "--unprivileged"];
    let options = options.map(str::to_owned);
    let mut json = Piped::start_at(user.home.path(), &options);
    json.line_with(r#""link":{"state":"no_registry"}"#);
    json.write(&format!(
        r#"{{"id":1,"command":"use_registry","registry":"{}"}}"#,
        registry.name()
    ));
    json.line_with(r#""event":"registry","registry":""#);
    json.line_with(r#""event":"link","state":"up""#);
    assert!(json.end().success());
    let mut json = Piped::start_at(user.home.path(), &options);
    let view = json.line_with(&format!(r#""registry":"{}""#, registry.name()));
    // It may have been there before the first line.
    if !view.contains(r#""link":{"state":"up"}"#) {
        json.line_with(r#""event":"link","state":"up""#);
    }
    assert!(json.end().success());
}
