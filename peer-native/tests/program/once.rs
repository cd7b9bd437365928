//! The subcommands, as a script uses them: on a peer that runs, and without one.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::{Piped, Registry, own_address, program, wait_for};

/// A user of a registry, with a profile of their own.
pub(crate) struct User<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) name: &'static str,
    pub(crate) address: String,
}

impl<'a> User<'a> {
    pub(crate) fn new(registry: &'a Registry, name: &'static str) -> Self {
        let address = own_address();
        Self {
            registry,
            name,
            address,
        }
    }

    pub(crate) fn home(&self) -> &Path {
        self.registry.folder.path()
    }

    /// The options of the peer, which keeps its messages.
    pub(crate) fn peer(&self) -> Vec<String> {
        let mut line = self.registry.arguments(&self.address);
        line.retain(|option| option != "--no-history");
        line.extend(["--profile".to_owned(), self.name.to_owned()]);
        line
    }

    /// [`User::peer`] with what signs in.
    pub(crate) fn signed_in(&self) -> Vec<String> {
        let mut line = self.peer();
        let file = self.registry.password_file();
        let login = ["--user", self.name, "--register", "--password-file"];
        line.extend(login.map(str::to_owned));
        line.push(file.to_str().unwrap().to_owned());
        line
    }

    /// A front end that is signed in, with JSON lines.
    pub(crate) fn json(&self) -> Piped {
        let mut line = self.signed_in();
        line.push("--json".to_owned());
        let json = Piped::start_at(self.home(), &line);
        json.line_with("logged_in");
        json
    }

    /// A subcommand that knows no more than the profile.
    pub(crate) fn command(&self, line: &[&str]) -> Command {
        let mut command = program(self.home());
        command.args(line).args(["--profile", self.name]);
        command.stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, line: &[&str]) -> Ended {
        Ended::of(self.command(line).output().unwrap())
    }

    /// A subcommand that starts a peer for its own time.
    pub(crate) fn run_alone(&self, line: &[&str]) -> Ended {
        let mut command = program(self.home());
        command.args(self.signed_in()).args(line);
        Ended::of(command.stdin(Stdio::null()).output().unwrap())
    }

    /// Accepts the request of another user.
    pub(crate) fn accept(json: &mut Piped, from: &User<'_>) {
        json.line_with("request_received");
        json.write(&format!(
            r#"{{"command":"accept","conversation":"open","from":"{}"}}"#,
            from.address
        ));
    }
}

/// How a subcommand has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    pub(crate) fn expect(&self, code: i32, err: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.err.contains(err), "{self:?}");
    }

    #[track_caller]
    pub(crate) fn done(&self) -> &str {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""), "{self:?}");
        &self.out
    }
}

/// Runs a subcommand while something else happens.
pub(crate) fn meanwhile(mut command: Command, other: impl FnOnce()) -> Ended {
    let running = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    other();
    Ended::of(running.wait_with_output().unwrap())
}

#[test]
fn a_script_sends_as_the_user_who_is_signed_in() {
    let registry = Registry::for_version_1();
    let (alice, bob) = (User::new(&registry, "alice"), User::new(&registry, "bob"));
    let (at_alice, mut at_bob) = (alice.json(), bob.json());
    at_alice.sees("bob");
    // The profile is enough: no password, no registry.
    let send = alice.command(&[
        "send",
        "--to=bob",
        "--wait=delivered",
        "--timeout=1m",
        "one",
    ]);
    meanwhile(send, || User::accept(&mut at_bob, &alice)).done();
    at_bob.line_with(r#""text":"one""#);
    at_alice.line_with(r#""text":"one""#);

    let mut send = alice.command(&["send", "--to", &bob.address, "--wait", "delivered", "-"]);
    let mut piped = send.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = piped.stdin.take().unwrap();
    stdin.write_all(b"two\nlines\n").unwrap();
    drop(stdin);
    assert!(piped.wait().unwrap().success());
    at_bob.line_with(r#""text":"two\nlines""#);
    alice.run(&["send", "--conversation=open", "three"]).done();
    at_bob.line_with(r#""text":"three""#);

    let who = alice.run(&["who"]);
    assert!(who.done().contains("bob"), "{who:?}");
    let who = alice.run(&["who", "--json"]);
    assert!(who.done().starts_with(r#"{"event":"online","users":["#));
    assert!(who.out.contains(&bob.address), "{who:?}");
    assert_eq!(who.out.lines().count(), 1);

    let history = alice.run(&["history"]);
    let texts: Vec<_> = history
        .done()
        .lines()
        .map(|line| line.rsplit(' ').next().unwrap())
        .collect();
    assert_eq!(texts, ["one", "two", "lines", "three"], "{history:?}");
    let newest = alice.run(&["history", "--json", "--limit=1"]);
    assert!(
        newest
            .done()
            .starts_with(r#"{"event":"message","conversation":"open","id":"#)
    );
    assert!(newest.out.contains(r#""text":"three""#), "{newest:?}");
    let found = alice.run(&["history", "--find=one"]);
    assert!(found.done().trim_end().ends_with(": one"), "{found:?}");
    assert_eq!(found.out.lines().count(), 1);
}

#[test]
fn a_text_for_one_user_is_not_sent_while_others_would_get_it() {
    let registry = Registry::for_version_1();
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| User::new(&registry, name));
    let (mut at_alice, mut at_bob, mut at_carol) = (alice.json(), bob.json(), carol.json());
    for (name, other) in [("bob", &mut at_bob), ("carol", &mut at_carol)] {
        at_alice.write(&format!(
            r#"{{"command":"request","conversation":"open","to":{{"name":"{name}"}}}}"#
        ));
        User::accept(other, &alice);
        at_alice.line_with("member_joined");
    }
    let refused = alice.run(&["send", "--to", "bob", "for bob alone"]);
    refused.expect(5, "others_in_chat: ");
    assert!(refused.err.contains("carol"), "{refused:?}");
    let to_all = [
        "send",
        "--to=bob",
        "--conversation=open",
        "--wait=delivered",
        "for all",
    ];
    alice.run(&to_all).done();
    at_bob.line_with(r#""text":"for all""#);
    assert!(!at_carol.line_with(r#""event":"message""#).contains("alone"));
}

#[test]
fn where_no_peer_runs_one_is_started_for_that_time() {
    let registry = Registry::for_version_1();
    let (alice, bob) = (User::new(&registry, "alice"), User::new(&registry, "bob"));
    alice.run(&["who"]).expect(3, "give --registry HOST");
    let mut at_bob = bob.json();
    let who = alice.run_alone(&["who"]);
    assert!(who.done().contains("bob"), "{who:?}");

    // What is stored only is on its way all the same before the peer ends.
    let mut send = program(alice.home());
    send.args(alice.signed_in());
    send.args([
        "send",
        "--to",
        "bob",
        "--wait",
        "stored",
        "--timeout",
        "1m",
        "hi",
    ]);
    meanwhile(send, || User::accept(&mut at_bob, &alice)).done();
    at_bob.line_with(r#""text":"hi""#);

    let history = alice.run_alone(&["history"]);
    assert!(history.done().trim_end().ends_with(": hi"), "{history:?}");
}

#[test]
fn each_end_has_its_exit_code() {
    let registry = Registry::for_version_1();
    let (alice, bob) = (User::new(&registry, "alice"), User::new(&registry, "bob"));
    let at_alice = alice.json();
    let at_bob = bob.json();
    at_alice.sees("bob");
    let wait = ["--timeout", "300ms"];

    alice.run(&["send", "hi"]).expect(2, "--to");
    alice.run(&["send", "--to", "bob"]).expect(2, "no text");
    alice
        .run(&["who", "--user", "bob"])
        .expect(3, "signed in as alice, not as bob");
    let unknown = alice.run(&["send", "--to", "carol", "hi"]);
    unknown.expect(5, "p2pchat: not_online: ");
    let alone = alice.run(&["send", "--conversation", "open", "hi"]);
    alone.expect(5, "p2pchat: nobody_there: ");

    // Bob does not answer, and the request is withdrawn.
    let late = alice.run(&[&["send", "--to", "bob", "hi"], &wait[..]].concat());
    late.expect(6, "bob did not accept the chat within 300ms");
    at_bob.line_with("request_received");
    at_bob.line_with(r#""outcome":"withdrawn""#);
    at_alice.line_with(r#""refusal":"cancelled""#);
}

#[test]
fn a_login_that_fails_has_its_exit_code() {
    let registry = Registry::start();
    let bob = User::new(&registry, "bob");
    let _at_bob = bob.json();
    let wrong = registry.folder.path().join("wrong");
    std::fs::write(&wrong, "wrong\n").unwrap();
    let mut wrong_password = program(bob.home());
    let carol = User::new(&registry, "carol");
    wrong_password.args(carol.peer()).arg("who");
    wrong_password
        .args(["--user=bob", "--password-file"])
        .arg(&wrong);
    let ended = Ended::of(wrong_password.output().unwrap());
    // Whatever the password.
    ended.expect(3, "this name belongs to another key");

    // An account of version 1 has no key yet.
    let dave = User::new(&registry, "dave");
    let mut old = program(dave.home());
    old.args(dave.signed_in())
        .args(["--allow-plaintext", "who"]);
    assert_eq!(Ended::of(old.output().unwrap()).code, Some(0));
    let erin = User::new(&registry, "erin");
    let mut wrong_password = program(erin.home());
    wrong_password.args(erin.peer()).arg("who");
    wrong_password
        .args(["--user=dave", "--password-file"])
        .arg(&wrong);
    Ended::of(wrong_password.output().unwrap()).expect(3, "name or password is wrong");
}

#[test]
fn a_text_with_an_id_is_sent_once_however_often_it_is_tried() {
    let registry = Registry::for_version_1();
    let (alice, bob) = (User::new(&registry, "alice"), User::new(&registry, "bob"));
    let mut at_bob = bob.json();
    let with_id = |text| ["send", "--to=bob", "--id=lunch-1", "--wait=delivered", text];
    let mut first = program(alice.home());
    first.args(alice.signed_in()).args(with_id("lunch?"));
    meanwhile(first, || User::accept(&mut at_bob, &alice)).done();
    at_bob.line_with(r#""text":"lunch?""#);
    // Another peer knows it from the history.
    alice.run_alone(&with_id("lunch?")).done();
    let at_alice = alice.json();
    alice.run(&with_id("lunch?")).done();
    alice.run(&with_id("dinner?")).expect(5, "id_used: ");
    let history = alice.run(&["history"]);
    assert_eq!(history.done().lines().count(), 1, "{history:?}");
    drop(at_alice);
}

#[cfg(unix)]
#[test]
fn an_owner_that_is_stopped_is_named_and_not_replaced() {
    let registry = Registry::start();
    let alice = User::new(&registry, "alice");
    let at_alice = alice.json();
    signal("STOP", at_alice.pid());
    let silent = alice.run(&["who"]);
    silent.expect(7, "stopped");
    let process = format!("process {}", at_alice.pid());
    assert!(silent.err.contains(&process), "{silent:?}");
    signal("CONT", at_alice.pid());
    alice.run(&["who"]).done();
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_with_a_code_of_its_own() {
    let registry = Registry::for_version_1();
    let (alice, bob) = (User::new(&registry, "alice"), User::new(&registry, "bob"));
    let (at_alice, at_bob) = (alice.json(), bob.json());
    at_alice.sees("bob");
    let mut asking = alice.command(&["send", "--to=bob", "--timeout=10m", "hi"]);
    let asking = asking.stderr(Stdio::piped()).spawn().unwrap();
    at_bob.line_with("request_received");
    signal("TERM", asking.id());
    let ended = Ended::of(asking.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(4), "{ended:?}");
}

#[cfg(unix)]
#[test]
fn watch_shows_what_happens_and_takes_over_nothing() {
    let registry = Registry::start();
    let (alice, bob) = (User::new(&registry, "alice"), User::new(&registry, "bob"));
    let (mut at_alice, mut at_bob) = (alice.json(), bob.json());
    let watch = |line: &[&str]| {
        let line = [&["watch", "--profile", "alice"], line].concat();
        let line: Vec<String> = line.into_iter().map(str::to_owned).collect();
        Piped::start_at(alice.home(), &line)
    };
    let mut in_json = watch(&["--json"]);
    let first = in_json.line_with("");
    assert!(
        first.starts_with(r#"{"event":"view","version":2,"#),
        "{first}"
    );
    let mut plain = watch(&[]);
    // It has joined once it shows something.
    wait_for("watch to show a line", || {
        at_alice.write(r#"{"command":"busy","on":false}"#);
        plain.has_line().then_some(())
    });
    at_alice.write(r#"{"command":"request","conversation":"open","to":{"name":"bob"}}"#);
    User::accept(&mut at_bob, &alice);
    at_alice.line_with("member_joined");
    at_bob.write(r#"{"command":"say","conversation":"open","text":"hi alice"}"#);
    assert!(plain.line_with("hi alice").ends_with("bob: hi alice"));
    in_json.line_with(r#""text":"hi alice""#);
    signal("TERM", plain.pid());
    assert_eq!(plain.exit().code(), Some(4));

    signal("KILL", at_alice.pid());
    assert_eq!(in_json.exit().code(), Some(1));
    // Nobody has the peer, and the registry is the one of before.
    let who = alice.run(&["who"]);
    assert!(who.done().contains("bob"), "{who:?}");
}

/// Sends a signal to a process that this test started.
#[cfg(unix)]
fn signal(name: &str, process: u32) {
    let mut kill = Command::new("kill");
    kill.args([format!("-{name}"), process.to_string()]);
    assert!(kill.status().unwrap().success());
}
