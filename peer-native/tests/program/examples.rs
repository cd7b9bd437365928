//! The examples of `docs/api.md`, as users copy them: with the built program, and a registry.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{PROGRAM, Piped, Registry, own_address, program};

/// A script in `docs/examples`, which finds the built program and little else.
fn script(home: &Path, interpreter: &str, name: &str) -> Command {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples");
    let programs = Path::new(PROGRAM).parent().unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", programs.display());
    let mut command = Command::new(interpreter);
    command
        .arg(folder.join(name))
        .env_clear()
        .env("HOME", home)
        .env("PATH", path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A user with a home of their own, in which `p2pchat --json` runs.
struct User {
    home: TempDir,
    chat: Piped,
}

impl User {
    fn new(registry: &Registry, name: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut arguments = registry.arguments_of(name, &own_address());
        arguments.push("--json".to_owned());
        let chat = Piped::start_at(home.path(), &arguments);
        let user = Self { home, chat };
        user.event("logged_in");
        user
    }

    fn script(&self, interpreter: &str, name: &str) -> Command {
        script(self.home.path(), interpreter, name)
    }

    #[expect(clippy::needless_pass_by_value, reason = "as json! makes it")]
    fn call(&mut self, command: Value) {
        self.chat.write(&command.to_string());
    }

    /// The next event with this name.
    fn event(&self, name: &str) -> Value {
        let line = self.chat.line_with(&format!(r#""event":"{name}""#));
        serde_json::from_str(&line).unwrap()
    }

    fn ask(&mut self, name: &str) {
        let to = json!({ "name": name });
        self.call(json!({ "command": "request", "conversation": "open", "to": to }));
    }

    /// Accepts or rejects the next request.
    fn answer(&mut self, command: &str) {
        let request = self.event("request_received");
        let from = &request["from"]["address"];
        self.call(json!({ "command": command, "conversation": "open", "from": from }));
    }

    /// Accepts the next request to be in an encrypted conversation, which it returns.
    fn join(&mut self) -> Value {
        let asked = loop {
            let chat = self.event("chat");
            if chat["chat"]["standing"]["asked"].is_object() {
                break chat;
            }
        };
        let conversation = asked["conversation"].clone();
        self.call(json!({ "command": "join", "conversation": conversation }));
        conversation
    }

    fn say(&mut self, text: &str) {
        self.call(json!({ "command": "say", "conversation": "open", "text": text }));
    }

    /// The next message of another user.
    fn hear(&self) -> String {
        let message = loop {
            let message = self.event("message");
            if message["deliveries"].is_null() {
                break message;
            }
        };
        message["text"].as_str().unwrap().to_owned()
    }
}

fn words(output: &Output) -> String {
    let of = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    of(&output.stdout) + &of(&output.stderr)
}

#[test]
fn a_reminder_is_sent_once_a_day() {
    let registry = Registry::for_version_1();
    let mut alice = User::new(&registry, "alice");
    let mut bob = User::new(&registry, "bob");
    let remind = |user: &str, text: &str| {
        let mut script = alice.script("sh", "reminder.sh");
        script.args(["stand-up", user, text]);
        script
    };
    let first = remind("bob", "Stand-up in 5 minutes").spawn().unwrap();
    bob.answer("accept");
    let first = first.wait_with_output().unwrap();
    assert_eq!(first.status.code(), Some(0), "{}", words(&first));
    assert_eq!(words(&first), "", "cron would mail it");
    assert_eq!(bob.hear(), "Stand-up in 5 minutes");

    let again = remind("bob", "Stand-up in 5 minutes").output().unwrap();
    assert_eq!(again.status.code(), Some(0), "{}", words(&again));
    alice.say("hello");
    assert_eq!(bob.hear(), "hello", "it was sent a second time");
}

#[test]
fn a_reminder_goes_to_the_encrypted_conversation() {
    let registry = Registry::start();
    let alice = User::new(&registry, "alice");
    let mut bob = User::new(&registry, "bob");
    let remind = || {
        let mut script = alice.script("sh", "reminder.sh");
        script.args(["tea", "bob", "Tea time"]);
        script
    };
    let first = remind().spawn().unwrap();
    let conversation = bob.join();
    let first = first.wait_with_output().unwrap();
    assert_eq!(first.status.code(), Some(0), "{}", words(&first));
    assert_eq!(bob.event("post")["text"], "Tea time");
    let again = remind().output().unwrap();
    assert_eq!(again.status.code(), Some(0), "{}", words(&again));
    let say = json!({ "command": "say", "conversation": conversation, "text": "thanks" });
    bob.call(say);
    assert_eq!(
        bob.event("post")["text"],
        "thanks",
        "it was sent a second time"
    );
}

#[test]
fn a_reminder_that_does_not_arrive_is_told_to_cron() {
    let registry = Registry::for_version_1();
    let alice = User::new(&registry, "alice");
    let mut bob = User::new(&registry, "bob");
    let remind = |user: &str| {
        let mut script = alice.script("sh", "reminder.sh");
        script.args(["tea", user, "Tea time"]);
        script
    };
    let to_no_one = remind("carol").output().unwrap();
    assert_eq!(to_no_one.status.code(), Some(5), "{}", words(&to_no_one));
    assert!(words(&to_no_one).contains("not_online"));
    assert!(words(&to_no_one).contains("carol was not reminded"));

    let declined = remind("bob").spawn().unwrap();
    bob.answer("reject");
    let declined = declined.wait_with_output().unwrap();
    assert_eq!(declined.status.code(), Some(5), "{}", words(&declined));
    assert!(words(&declined).contains("bob was not reminded"));

    let ignored = remind("bob")
        .env("REMINDER_TIMEOUT", "100ms")
        .output()
        .unwrap();
    assert_eq!(ignored.status.code(), Some(6), "{}", words(&ignored));
    assert!(words(&ignored).contains("may not have got"));
}

/// A script that runs until it is killed.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Self {
        let spawned = command.stderr(Stdio::inherit()).spawn();
        Self(spawned.expect("the examples need python3"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_bot_lets_people_in_and_answers_them() {
    let registry = Registry::start();
    let home = tempfile::tempdir().unwrap();
    let mut bot = script(home.path(), "python3", "answer.py");
    bot.args(registry.arguments_of("bot", &own_address()));
    let _bot = Running::start(&mut bot);
    let mut alice = User::new(&registry, "alice");
    crate::support::wait_for("the bot to be online", || {
        alice.call(json!({ "command": "search", "name": "bot" }));
        alice.event("found")["address"].is_string().then_some(())
    });
    alice.ask("bot");
    alice.event("member_joined");
    alice.say("good morning");
    alice.say("!time please");
    let time = alice.hear();
    assert!(time.starts_with("It is "), "{time}");
    // The bot learns the name from the registry, a moment after alice has joined.
    crate::support::wait_for("alice's name", || {
        alice.say("!who");
        (alice.hear() == "In this chat: alice").then_some(())
    });

    // The same in an encrypted conversation.
    alice.call(json!({ "command": "chat", "id": "with-bot", "with": "bot" }));
    let conversation = alice.event("opened")["conversation"].clone();
    alice.call(json!({ "command": "say", "conversation": conversation, "text": "!who" }));
    let answer = loop {
        let post = alice.event("post");
        if post["receipts"].is_null() {
            break post;
        }
    };
    assert_eq!(answer["text"], "In this chat: alice");
}

/// Posts to the bridge; the status and the words of its answer.
fn post(port: &str, token: &str, body: &str) -> (u16, String) {
    post_of_length(port, token, body.len(), body)
}

fn post_of_length(port: &str, token: &str, length: usize, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    write!(
        stream,
        "POST / HTTP/1.0\r\nX-Token: {token}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, words) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap();
    (status.parse().unwrap(), words.trim_end().to_owned())
}

#[test]
fn the_results_of_builds_are_posted_once() {
    let registry = Registry::start();
    let mut alice = User::new(&registry, "alice");
    let mut bob = User::new(&registry, "bob");
    let mut bridge = alice.script("python3", "ci.py");
    bridge.arg("0").env("CI_TOKEN", "letmein");
    let mut bridge = Running::start(&mut bridge);
    let mut line = String::new();
    let mut output = BufReader::new(bridge.0.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    let port = line.trim().rsplit(':').next().unwrap();
    let build = |number: u32, status: &str| {
        json!({ "build": number, "project": "web", "status": status, "url": "http://ci/1" })
            .to_string()
    };

    let (status, words) = post(port, "letmein", &build(1, "success"));
    assert_eq!(status, 409, "{words}");
    assert!(words.contains("nobody_there"), "{words}");

    alice.ask("bob");
    bob.answer("accept");
    alice.event("member_joined");
    assert_eq!(post(port, "wrong", &build(2, "failed")).0, 403);
    for _ in 0..2 {
        let (status, words) = post(port, "letmein", &build(2, "failed"));
        assert_eq!((status, words.as_str()), (200, ""));
    }
    assert_eq!(post(port, "letmein", &build(3, "success")).0, 200);
    assert_eq!(bob.hear(), "✘ web build 2: failed http://ci/1");
    assert_eq!(bob.hear(), "✔ web build 3: success http://ci/1");

    for invalid in ["", "[]", "{}", "7", r#"{"build":1,"project":2}"#] {
        assert_eq!(post(port, "letmein", invalid).0, 400, "{invalid}");
    }
    assert_eq!(post_of_length(port, "letmein", 70_000, "").0, 413);
}

#[test]
fn the_schema_of_the_program_is_that_of_the_contract() {
    let home = tempfile::tempdir().unwrap();
    let output = program(home.path()).arg("schema").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(schema, p2pchat_model::schema());
    assert!(schema["$defs"]["Call"]["oneOf"].is_array());
}
