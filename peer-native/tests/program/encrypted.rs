//! The encrypted line to the registry: keys that sign in, registries that are known by their
//! key, codes that are compared, identities that are carried to another profile.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::pty::Pty;
use crate::support::{PROGRAM, Piped, Registry, own_address, program};
use crate::tui_tmux::Tmux;

/// A profile of its own, and the peer in it.
struct User<'a> {
    registry: &'a Registry,
    name: &'static str,
    profile: &'static str,
    address: String,
}

impl<'a> User<'a> {
    fn new(registry: &'a Registry, name: &'static str) -> Self {
        let (profile, address) = (name, own_address());
        Self {
            registry,
            name,
            profile,
            address,
        }
    }

    fn options(&self) -> Vec<String> {
        let mut options = self.registry.arguments(&self.address);
        options.extend(["--profile", self.profile].map(str::to_owned));
        options
    }

    fn folder(&self) -> PathBuf {
        let home = self.registry.folder.path();
        home.join(".local/share/p2pchat/profiles")
            .join(self.profile)
    }

    /// JSON lines with these options besides.
    fn json(&self, more: &[&str]) -> Piped {
        let mut line = self.options();
        line.extend(more.iter().copied().map(str::to_owned));
        line.push("--json".to_owned());
        Piped::start_at(self.registry.folder.path(), &line)
    }

    /// The same after the account is created.
    fn registered(&self) -> Piped {
        let file = self.registry.password_file();
        let file = file.to_str().unwrap();
        let json = self.json(&["--user", self.name, "--register", "--password-file", file]);
        json.line_with("logged_in");
        json
    }

    /// A subcommand that starts a peer if none runs.
    fn run(&self, line: &[&str]) -> Output {
        let mut command = program(self.registry.folder.path());
        command.args(self.options()).args(line);
        command.stdin(Stdio::null()).output().unwrap()
    }

    #[track_caller]
    fn done(&self, line: &[&str]) -> String {
        let output = self.run(line);
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*err), (Some(0), ""), "{line:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn fails(&self, line: &[&str], code: i32) -> String {
        let output = self.run(line);
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{err}");
        err
    }

    /// Their code, as they would read it aloud.
    fn code(&self) -> String {
        let shown = self.done(&["code"]);
        let code = shown
            .lines()
            .find_map(|line| line.strip_prefix("your code: "));
        code.unwrap().to_owned()
    }
}

/// What tells something: the first view, if the registry was reached before that, or an event.
fn in_view_or(view: &str, told: &str, json: &Piped, event: &str) -> String {
    if view.contains(told) {
        view.to_owned()
    } else {
        json.line_with(event)
    }
}

#[test]
fn the_first_contact_is_one_line_and_the_key_signs_in_from_then_on() {
    let registry = Registry::start();
    let alice = User::new(&registry, "alice");
    let mut json = alice.json(&[]);
    let fingerprint = registry.fingerprint();
    let view = json.line_with(r#""event":"view""#);
    let pinned = in_view_or(&view, "first contact", &json, "registry_pinned");
    assert!(pinned.contains(&fingerprint.to_string()), "{pinned}");
    let encrypted = r#""state":"encrypted""#;
    let security = in_view_or(&view, encrypted, &json, r#""event":"security""#);
    assert!(security.contains(encrypted), "{security}");
    json.write(
        r#"{"command":"register","name":"alice","password":"a password of several words","display_name":"Alice A."}"#,
    );
    json.line_with("logged_in");
    json.end();
    // No password, no name.
    let again = alice.json(&[]);
    again.line_with(r#""event":"logged_in""#);
    drop(again);
    let who = alice.done(&["who"]);
    assert!(
        who.contains(&format!("encrypted, its key is {fingerprint}")),
        "{who}"
    );
    // Signed out, it needs a name.
    let mut json = alice.json(&[]);
    json.line_with("logged_in");
    json.write(r#"{"command":"logout","id":1}"#);
    json.line_with(r#"{"re":1,"event":"done"}"#);
    json.end();
    let words = alice.fails(&["who"], 3);
    assert!(words.contains("not signed in"), "{words}");
    alice.done(&["who", "--user", "alice"]);
}

#[test]
fn keys_that_cannot_be_saved_are_told_of_before_an_account_is_bound_to_them() {
    let registry = Registry::start();
    // A relative one does not count: there is no home folder.
    let no_home = Path::new("nowhere");
    let address = own_address();
    let arguments = registry.arguments(&address);
    let warning = "start again with --profile ./FOLDER";

    let mut json = Piped::start_at(no_home, &[&arguments[..], &["--json".to_owned()]].concat());
    let view = json.line_with(r#""event":"view""#);
    assert!(view.contains(r#""saved":false"#), "{view}");
    in_view_or(&view, warning, &json, r#""what":"identity_not_saved""#);
    json.write(r#"{"command":"register","name":"alice","password":"secret"}"#);
    json.line_with(r#""event":"registered""#);
    json.end();

    let mut plain = Piped::start_at(no_home, &[&arguments[..], &["--plain".to_owned()]].concat());
    plain.line_with(warning);
    plain.end();

    let mut once = program(no_home);
    once.args(registry.arguments_of("bob", &address)).arg("who");
    let output = once.stdin(Stdio::null()).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(errors.matches(warning).count(), 1, "{errors}");
    // Nothing more to write down: the same with a folder.
    let folder = registry.profile(&address);
    let mut once = program(no_home);
    once.args(registry.arguments_of("carol", &address));
    once.args(["--profile", &folder, "who"]);
    let output = once.stdin(Stdio::null()).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), &*errors), (Some(0), ""));
}

#[test]
fn another_key_of_the_registry_stops_everything_until_it_is_trusted() {
    let mut registry = Registry::start();
    let old = registry.fingerprint();
    {
        let alice = User::new(&registry, "alice");
        alice.registered().end();
    }
    registry.set_up_again();
    let new = registry.fingerprint();
    let alice = User::new(&registry, "alice");
    let name = registry.name();
    for line in [&["who"][..], &["send", "--conversation", "open", "hi"]] {
        let words = alice.fails(line, 3);
        assert!(
            words.starts_with("p2pchat: registry_key_changed: "),
            "{words}"
        );
        let command = format!("p2pchat registries trust {name}#{new}");
        for part in [&old.to_string(), &new.to_string(), &command] {
            assert!(words.contains(part), "{part}: {words}");
        }
    }
    let json = alice.json(&[]);
    let link = json.line_with("key_changed");
    assert!(
        link.contains(&format!(r#""pinned":"{old}","seen":"{new}""#)),
        "{link}"
    );

    // The one that runs is told too.
    let wrong = format!("{name}#{old}");
    alice.fails(&["registries", "trust", &wrong], 5);
    alice.done(&["registries", "trust", &format!("{name}#{new}")]);
    json.line_with(r#"{"event":"link","state":"up"}"#);
    let listed = alice.done(&["registries"]);
    assert!(
        listed.starts_with(&format!("{name}#{new} since ")),
        "{listed}"
    );
    alice.done(&["registries", "forget", &name]);
    let listed = alice.done(&["registries", "list", "--json"]);
    assert_eq!(listed.trim(), r#"{"event":"registries","list":[]}"#);
}

#[test]
fn a_stop_takes_the_place_of_the_form_until_another_terminal_trusts_the_key() {
    let mut registry = Registry::start();
    User::new(&registry, "alice").registered().end();
    registry.set_up_again();
    let alice = User::new(&registry, "alice");
    let tmux = Tmux::new("stop");
    tmux.start("alice", (80, 24), &registry, &alice.options());
    let command = format!(
        "p2pchat registries trust {}#{}",
        registry.name(),
        registry.fingerprint()
    );
    let screen = tmux.wait("alice", &command);
    assert!(screen.contains("accept it with:"), "{screen}");
    assert!(!screen.contains("Password"), "{screen}");
    let command = screen.lines().find(|row| row.trim() == command);
    let command = command.unwrap_or_else(|| panic!("{screen}")).trim();
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    alice.done(&words);
    tmux.wait("alice", "[ Sign in ]");
}

#[test]
fn a_registry_that_is_named_by_another_key_gets_nothing() {
    let registry = Registry::start();
    let alice = User::new(&registry, "alice");
    let wrong = format!("{}#ALGW-5BBC-YQD7-W3IJ-Q2IP-CEYL-PU", registry.name());
    let file = registry.password_file();
    let file = file.to_str().unwrap();
    let line = ["who", "--registry", &wrong, "--user", "alice", "--register"];
    let words = alice.fails(&[&line[..], &["--password-file", file]].concat(), 3);
    assert!(words.contains("registry_key_changed"), "{words}");
    assert!(
        words.contains(&registry.fingerprint().to_string()),
        "{words}"
    );
    let right = format!("{}#{}", registry.name(), registry.fingerprint());
    let line = ["who", "--registry", &right, "--user", "alice", "--register"];
    alice.done(&[&line[..], &["--password-file", file]].concat());
}

#[test]
fn an_exported_identity_makes_another_profile_a_device_of_the_same_person() {
    let registry = Registry::start();
    let alice = User::new(&registry, "alice");
    alice.registered().end();
    let file = registry.folder.path().join("alice.identity");
    let file = file.to_str().unwrap();
    let password = registry.password_file();
    let password = password.to_str().unwrap();
    let export = ["identity", "export", file, "--password-file", password];
    alice.done(&export);
    let words = alice.fails(&export, 2);
    assert!(words.contains("exists already"), "{words}");

    let second = User {
        profile: "second",
        ..User::new(&registry, "alice")
    };
    assert_ne!(second.code(), alice.code());
    let words = second.done(&["identity", "import", file, "--password-file", password]);
    assert!(words.contains(&alice.code()), "{words}");
    assert_eq!(second.code(), alice.code());
    // Its own key signs in, without a password.
    let who = second.done(&["who", "--user", "alice"]);
    assert!(who.contains("In your chat"), "{who}");
}

/// Imports into a profile whose keys are on a disk without a free page, then on one that is
/// read-only, then on one with room. What the program prints stands between lines of `==`.
const SMALL_DISK: &str = r#"
    folder=$1 file=$2 password=$3
    shift 3
    mkdir -p "$folder" && mount -t tmpfs -o size=8k,mode=700 p2pchat "$folder" || exit 1
    import() { "$@" identity import "$file" --password-file "$password"; echo "exit $?"; }
    "$@" code
    echo ==
    import "$@" 2>&1
    echo ==
    mount -o remount,ro,size=64k "$folder" && import "$@" 2>&1
    echo ==
    "$@" code && ls "$folder"
    echo ==
    mount -o remount,rw,size=64k "$folder" && import "$@" 2>&1
"#;

#[test]
fn an_import_on_a_disk_that_is_full_or_read_only_says_so_and_loses_nothing() {
    let namespace = ["--user", "--map-root-user", "--mount"];
    let allowed = Command::new("unshare").args(namespace).arg("true").output();
    if !allowed.is_ok_and(|output| output.status.success()) {
        // Only Linux has these, and an administrator may have switched them off.
        return;
    }
    let registry = Registry::start();
    let alice = User::new(&registry, "alice");
    let file = registry.folder.path().join("alice.identity");
    let password = registry.password_file();
    let as_text = |path: &PathBuf| path.to_str().unwrap().to_owned();
    let [to, with] = [&file, &password].map(as_text);
    alice.done(&["identity", "export", &to, "--password-file", &with]);

    let second = User::new(&registry, "second");
    let mut inside = Command::new("unshare");
    inside
        .env("HOME", registry.folder.path())
        .args(namespace)
        .args(["sh", "-c", SMALL_DISK, "sh"])
        .arg(second.folder().join("identity"))
        .args([file, password])
        .arg(PROGRAM)
        .args(second.options());
    let output = inside.stdin(Stdio::null()).output().unwrap();
    let [shown, errors] =
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    let parts: Vec<_> = shown.split("==\n").collect();
    let [before, full, read_only, after, imported] = parts[..] else {
        panic!("{shown} {errors}");
    };
    for (words, why) in [
        (full, "No space left on device"),
        (read_only, "Read-only file system"),
    ] {
        for part in ["identity_not_kept", why, "person.key.new", "exit 5"] {
            assert!(words.contains(part), "{part}: {words}");
        }
    }
    let files = after.strip_prefix(before);
    assert_eq!(files, Some("device.key\nperson.key\n"), "{after}");
    assert!(imported.contains(&alice.code()), "{imported}");
    assert!(imported.contains("exit 0"), "{imported}");
}

#[test]
fn the_password_of_an_export_is_asked_for_twice_and_never_shown() {
    let registry = Registry::start();
    let alice = User::new(&registry, "alice");
    let file = registry.folder.path().join("alice.identity");
    let start = |pty: &mut Pty| {
        let mut command = program(registry.folder.path());
        command
            .args(alice.options())
            .args(["identity", "export"])
            .arg(&file);
        pty.start(&mut command);
    };
    let mut pty = Pty::new();
    start(&mut pty);
    pty.wait("Password of the exported identity: ");
    assert!(!pty.echoes());
    pty.keys(b"hunter2\n");
    pty.wait("Password again: ");
    pty.keys(b"hunter3\n");
    pty.wait("The two passwords differ");
    assert_eq!(pty.exit().code(), Some(2));
    assert!(pty.is_restored() && !file.exists());

    let mut pty = Pty::new();
    start(&mut pty);
    pty.wait("Password of the exported identity: ");
    pty.keys(b"hunter2\n");
    pty.wait("Password again: ");
    pty.keys(b"hunter2\n");
    assert_eq!(pty.exit().code(), Some(0));
    assert!(!pty.shown().contains("hunter"));
    let exported = std::fs::read_to_string(&file).unwrap();
    assert!(exported.starts_with("p2pchat-person-1 "), "{exported}");
}

#[test]
fn codes_are_compared_and_what_others_see_is_in_the_list() {
    let registry = Registry::start();
    let (alice, bob) = (User::new(&registry, "alice"), User::new(&registry, "bob"));
    let mut at_alice = alice.registered();
    let mut at_bob = bob.registered();
    let shown = alice.done(&["code", "bob"]);
    assert!(
        shown.contains(&format!("bob's code: {} (new)", bob.code())),
        "{shown}"
    );
    let words = alice.fails(&["verify", "bob", &alice.code()], 5);
    assert!(words.contains("wrong_code"), "{words}");
    let shown = alice.done(&["verify", "bob", &bob.code()]);
    assert!(shown.contains("bob is verified"), "{shown}");

    at_bob.write(r#"{"command":"display_name","display_name":"Bob Barker"}"#);
    at_alice.line_with("Bob Barker");
    at_bob.write(r#"{"command":"away","on":true}"#);
    at_alice.line_with(r#""status":"away""#);
    let who = alice.done(&["who"]);
    let listed = format!("bob “Bob Barker” ({}, away, verified)", bob.address);
    assert!(who.contains(&listed), "{who}");
    at_alice.end();
    at_bob.end();
}

#[test]
fn the_password_is_changed_and_the_key_goes_on() {
    let registry = Registry::start();
    let alice = User::new(&registry, "alice");
    let mut json = alice.registered();
    json.write(r#"{"command":"change_password","id":1,"old":"wrong","new":"better"}"#);
    json.line_with("wrong_password");
    json.write(r#"{"command":"change_password","id":2,"old":"secret","new":"better"}"#);
    json.line_with(r#"{"re":2,"event":"done"}"#);
    json.end();
    alice.json(&[]).line_with("logged_in");
}

#[test]
fn plain_text_is_loud_and_only_where_it_is_allowed() {
    let registry = Registry::start();
    let alice = User::new(&registry, "alice");
    let file = registry.password_file();
    let login = [
        "--user",
        "alice",
        "--register",
        "--password-file",
        file.to_str().unwrap(),
    ];
    let more = [&["--allow-plaintext"][..], &login].concat();
    let json = alice.json(&more);
    json.line_with(r#""state":"not_encrypted""#);
    json.line_with("logged_in");
    let who = alice.done(&["who"]);
    assert!(who.contains("NOT ENCRYPTED"), "{who}");
    let tmux = Tmux::new("loud");
    tmux.start("alice", (80, 24), &registry, &alice.options());
    let screen = tmux.wait("alice", "signed in as alice");
    assert!(
        screen.lines().next().unwrap().contains("  Not encrypted"),
        "{screen}"
    );
    drop(json);
    // A registry that is known by its key is never spoken to unencrypted again.
    let bob = User::new(&registry, "bob");
    bob.registered().end();
    let json = bob.json(&["--allow-plaintext"]);
    json.line_with(r#""state":"encrypted""#);
    json.line_with("logged_in");
}

#[test]
fn the_form_signs_in_by_key_after_a_restart() {
    let registry = Registry::start();
    let alice = User::new(&registry, "alice");
    let tmux = Tmux::new("bykey");
    tmux.start("alice", (80, 24), &registry, &alice.options());
    tmux.wait("alice", "[ Create account ]");
    tmux.wait("alice", "registry encrypted");
    tmux.keys(
        "alice",
        &[
            "alice",
            "Tab",
            "secret of several words",
            "Tab",
            "Right",
            "Enter",
        ],
    );
    tmux.wait("alice", "Display name");
    tmux.keys("alice", &["secret of several words", "Enter"]);
    tmux.wait("alice", "signed in as alice");
    tmux.keys("alice", &["/name Alice A.", "Enter"]);
    tmux.wait("alice", "you are shown as “Alice A.”, available");
    tmux.keys("alice", &["/status away", "Enter"]);
    tmux.wait("alice", "you are shown as “Alice A.”, away");
    tmux.keys("alice", &["C-q", "C-q"]);
    tmux.wait("alice", "ended with 0");
    let home = User::new(&registry, "alice");
    assert!(home.folder().join("known_registries").exists());
    tmux.start("again", (80, 24), &registry, &home.options());
    tmux.wait("again", "signed in as alice");
}
