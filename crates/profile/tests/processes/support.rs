//! A registry in this process, and the example `front_end` as other processes.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use p2pchat_registry::{Options, Server, StoreSpec};
use p2pchat_testkit::{SOON, own_address, wait_blocking};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Three seconds: how long a takeover may take.
pub(crate) const TAKEOVER: Duration = Duration::from_secs(3);

/// A registry in this process, and a folder for profiles and sockets.
pub(crate) struct Registry {
    pub(crate) folder: TempDir,
    tcp: String,
    hello_port: String,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Registry {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let store = StoreSpec::Sqlite(folder.path().join("accounts.sqlite3"));
        let server = runtime
            .block_on(Server::bind(Options::on_loopback(store)))
            .unwrap();
        let (tcp, udp) = (server.tcp_addr(), server.udp_addr());
        runtime.spawn(server.run(std::future::pending()));
        std::fs::create_dir(folder.path().join("run")).unwrap();
        Self {
            folder,
            tcp: tcp.to_string(),
            hello_port: udp.port().to_string(),
            runtime: Some(runtime),
        }
    }

    /// A new profile.
    pub(crate) fn profile(&self, name: &str) -> Profile<'_> {
        Profile {
            registry: self,
            folder: self.folder.path().join(name),
            address: own_address().to_string(),
        }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A profile, and the address of its peer.
pub(crate) struct Profile<'a> {
    registry: &'a Registry,
    pub(crate) folder: PathBuf,
    pub(crate) address: String,
}

impl Profile<'_> {
    pub(crate) fn runtime_folder(&self) -> PathBuf {
        self.registry.folder.path().join("run")
    }

    /// The command that starts a front end.
    pub(crate) fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .env_clear()
            .env("XDG_RUNTIME_DIR", self.runtime_folder())
            .arg(&self.folder)
            .args([&self.registry.tcp, &self.registry.hello_port, &self.address])
            .args(more);
        command
    }

    /// Starts a front end.
    pub(crate) fn front_end(&self) -> Front {
        self.front_end_with(&[])
    }

    pub(crate) fn front_end_with(&self, more: &[&str]) -> Front {
        Front::start(&mut self.command(more))
    }

    /// Runs a front end that cannot open the profile, and returns its error.
    pub(crate) fn error(&self) -> String {
        error_of(&mut self.command(&[]))
    }

    /// The socket that the lock names.
    pub(crate) fn socket(&self) -> PathBuf {
        let lock = std::fs::read(self.folder.join("lock")).unwrap();
        let lock: Value = serde_json::from_slice(&lock).unwrap();
        lock["socket"].as_str().unwrap().into()
    }
}

/// Runs a command that has to fail, and returns what it says.
pub(crate) fn error_of(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{error}");
    error
}

/// The example. `cargo test` builds it, and `cargo test --test processes` does not: for that there
/// is `cargo build --examples`.
pub(crate) fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let built = test.parent().and_then(Path::parent).unwrap();
    built.join("examples/front_end")
}

/// A front end in a process of its own. Killed on drop.
pub(crate) struct Front {
    child: Child,
    stdin: Option<ChildStdin>,
    updates: Receiver<Value>,
    /// Its first line: whether it is attached.
    pub(crate) start: String,
}

impl Front {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut start = String::new();
        stderr.read_line(&mut start).unwrap();
        // So that it can go on to write there.
        thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::stderr()));
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, updates) = channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                // The last line of a killed process may be cut off.
                let Ok(update) = serde_json::from_str(&line) else {
                    break;
                };
                if sender.send(update).is_err() {
                    break;
                }
            }
        });
        Self {
            stdin: child.stdin.take(),
            child,
            updates,
            start,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn is_attached(&self) -> bool {
        self.start.starts_with("attached to ")
    }

    pub(crate) fn call(&mut self, call: &Value) {
        writeln!(self.stdin.as_mut().unwrap(), "{call}").unwrap();
    }

    /// Sends a text.
    pub(crate) fn say(&mut self, id: u64, text: &str) {
        self.call(&json!({"command": "say", "id": id, "conversation": "open", "text": text}));
    }

    /// The next update for which `wanted` holds.
    pub(crate) fn update(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.update_within(SOON, what, wanted)
    }

    pub(crate) fn update_within(
        &self,
        limit: Duration,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        let start = Instant::now();
        let mut others = Vec::new();
        while let Some(left) = limit.checked_sub(start.elapsed()) {
            match self.updates.recv_timeout(left) {
                Ok(update) if wanted(&update) => return update,
                Ok(update) => others.push(update.to_string()),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("it ended before {what}: {others:#?}")
                }
                Err(RecvTimeoutError::Timeout) => break,
            }
        }
        panic!("no {what} within {limit:?} but {others:#?}");
    }

    /// The next event of this kind.
    pub(crate) fn event(&self, event: &str) -> Value {
        self.update(event, |update| update["event"] == event)
    }

    /// The answer that closes this call.
    pub(crate) fn answer(&self, id: u64) -> Value {
        let closes = |update: &Value| {
            update["re"] == id && (update["event"] == "done" || update["event"] == "failed")
        };
        self.update(&format!("answer to {id}"), closes)
    }

    /// Registers an account, and waits until it is logged in.
    pub(crate) fn register(&mut self, name: &str) {
        self.call(&json!({"command": "register", "id": 0, "name": name, "password": "secret"}));
        let answer = self.answer(0);
        assert_eq!(answer["event"], "done", "{answer}");
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Ends it by SIGKILL, without waiting for it.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
    }

    /// Ends the input, and waits for the end.
    pub(crate) fn end(&mut self) -> ExitStatus {
        self.stdin = None;
        self.exit()
    }

    /// Waits for the end.
    pub(crate) fn exit(&mut self) -> ExitStatus {
        let child = &mut self.child;
        wait_blocking("end of the front end", SOON, || child.try_wait().unwrap())
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two profiles whose users chat: each with a front end that is logged in.
pub(crate) fn chat(one: &mut Front, other: &mut Front, address: &str) {
    let request = json!({
        "command": "request", "id": 1, "conversation": "open", "to": {"address": address},
    });
    one.call(&request);
    let request = other.event("request_received");
    let from = &request["from"]["address"];
    other.call(&json!({"command": "accept", "id": 1, "conversation": "open", "from": from}));
    one.event("member_joined");
    other.event("member_joined");
}

/// What is written to a socket, and what comes back until it is closed.
pub(crate) fn talk(socket: &Path, lines: &[u8]) -> String {
    let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
    // It may be closed before all is written.
    let _ = stream.write_all(lines);
    stream.set_read_timeout(Some(SOON)).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}
