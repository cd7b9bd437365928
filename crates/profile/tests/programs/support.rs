//! A registry in this process, and the built programs as other processes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use p2pchat_registry::{Options, Server, StoreSpec};
use p2pchat_testkit::{Programs, RegistryAt, SOON, own_address, wait_blocking};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// How long a takeover may take.
pub(crate) const TAKEOVER: Duration = Duration::from_secs(3);

/// A registry in this process, and a folder for homes and sockets.
pub(crate) struct Registry {
    pub(crate) folder: TempDir,
    at: [SocketAddr; 2],
    pub(crate) runtime: Runtime,
}

impl Registry {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let store = StoreSpec::Sqlite(folder.path().join("accounts.sqlite3"));
        let server = runtime
            .block_on(Server::bind(Options::on_loopback(store)))
            .unwrap();
        let at = [server.tcp_addr(), server.udp_addr()];
        runtime.spawn(server.run(std::future::pending()));
        std::fs::create_dir(folder.path().join("run")).unwrap();
        std::fs::write(folder.path().join("password"), "secret\n").unwrap();
        Self {
            folder,
            at,
            runtime,
        }
    }

    /// Where it is.
    pub(crate) fn at(&self) -> RegistryAt {
        self.at.into()
    }

    /// A user with a home of their own, and the profile in it, who speaks version 1 with the
    /// registry.
    pub(crate) fn user(&self, name: &str) -> User<'_> {
        let is_encrypted = false;
        User {
            is_encrypted,
            ..self.encrypted_user(name)
        }
    }

    /// The same with version 2.
    pub(crate) fn encrypted_user(&self, name: &str) -> User<'_> {
        let home = self.folder.path().join(name);
        std::fs::create_dir_all(&home).unwrap();
        User {
            registry: self,
            home,
            address: own_address(),
            is_encrypted: true,
        }
    }
}

/// A user, and the address of their peer.
pub(crate) struct User<'a> {
    registry: &'a Registry,
    pub(crate) home: PathBuf,
    pub(crate) address: Ipv4Addr,
    is_encrypted: bool,
}

impl User<'_> {
    /// The folder of the profile.
    pub(crate) fn profile(&self) -> PathBuf {
        self.home.join(".local/share/p2pchat")
    }

    pub(crate) fn runtime_folder(&self) -> PathBuf {
        self.registry.folder.path().join("run")
    }

    /// A command of `p2pchat`.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(p2pchat());
        command
            .env_clear()
            .env("HOME", &self.home)
            .env("TZ", "UTC")
            .env("XDG_RUNTIME_DIR", self.runtime_folder())
            .args(arguments)
            .args(self.registry.at().arguments())
            .args(["--address", &self.address.to_string(), "--unprivileged"]);
        if !self.is_encrypted {
            command.arg("--allow-plaintext");
        }
        command
    }

    /// Starts `p2pchat --json`.
    pub(crate) fn json(&self) -> Front {
        Front::start(&mut self.command(&["--json"]))
    }

    /// Starts `p2pchat watch`, which never takes over.
    pub(crate) fn watch(&self) -> Front {
        Front::start(&mut self.command(&["watch", "--json"]))
    }

    /// Runs a front end that cannot open the profile, and returns its error.
    pub(crate) fn error(&self) -> String {
        error_of(&mut self.command(&["--json"]))
    }

    /// The socket that the lock names.
    pub(crate) fn socket(&self) -> PathBuf {
        self.lock()["socket"].as_str().unwrap().into()
    }

    /// The process that runs the peer.
    pub(crate) fn owner(&self) -> u32 {
        let process = self.lock()["process"].as_u64().unwrap();
        process.try_into().unwrap()
    }

    fn lock(&self) -> Value {
        let lock = std::fs::read(self.profile().join("lock")).unwrap();
        serde_json::from_slice(&lock).unwrap()
    }
}

/// Runs a command that has to fail, and returns what it says.
pub(crate) fn error_of(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{error}");
    error
}

/// The built program.
pub(crate) fn p2pchat() -> PathBuf {
    Programs::find().unwrap().path("p2pchat").unwrap()
}

/// A front end in a process of its own. Killed on drop.
pub(crate) struct Front {
    child: Child,
    stdin: Option<ChildStdin>,
    updates: Receiver<Value>,
    /// What it says on standard error.
    words: Receiver<String>,
}

impl Front {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (say, words) = channel();
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                // It is read to the end, so that the program can go on.
                let _ = say.send(line);
            }
        });
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
            words,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it says next on standard error.
    pub(crate) fn words(&self) -> String {
        self.words.recv_timeout(SOON).unwrap()
    }

    pub(crate) fn call(&mut self, call: &Value) {
        writeln!(self.stdin.as_mut().unwrap(), "{call}").unwrap();
    }

    /// Sends a text.
    pub(crate) fn say(&mut self, id: u64, text: &str) {
        self.call(&json!({"command": "say", "id": id, "conversation": "open", "text": text}));
    }

    /// The next update; `None` if it has ended.
    pub(crate) fn next(&self, limit: Duration) -> Option<Value> {
        match self.updates.recv_timeout(limit) {
            Ok(update) => Some(update),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("no update within {limit:?}"),
        }
    }

    /// The next update, if there is one already.
    pub(crate) fn ready(&self) -> Option<Value> {
        self.updates.try_recv().ok()
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

/// Registers ann and bob, who is at this address, and brings them into one chat.
pub(crate) fn chat(one: &mut Front, other: &mut Front, address: Ipv4Addr) {
    one.register("ann");
    other.register("bob");
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
