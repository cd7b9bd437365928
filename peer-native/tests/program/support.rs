//! A registry in this process, and programs with pipes.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Instant;

use p2pchat_model::Fingerprint;
use p2pchat_registry::{Options, Server, StoreSpec};
use p2pchat_testkit::{SOON, wait_blocking};
use tempfile::TempDir;

/// The built program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_p2pchat");

/// A loopback address that no other test has.
pub(crate) fn own_address() -> String {
    p2pchat_testkit::own_address().to_string()
}

/// Waits until `condition` gives something; fails after [`SOON`].
pub(crate) fn wait_for<T>(what: &str, condition: impl FnMut() -> Option<T>) -> T {
    wait_blocking(what, SOON, condition)
}

/// Sends a signal to a process.
pub(crate) fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill")
        .args(["-s", name, &pid.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// A registry with an empty store, in this process; stopped on drop.
pub(crate) struct Registry {
    pub(crate) folder: TempDir,
    tcp: SocketAddr,
    hello_port: String,
    /// The fingerprint of its key.
    fingerprint: Fingerprint,
    /// Whether its clients are allowed to speak to it unencrypted.
    is_plain: bool,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Registry {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("password"), "secret\n").unwrap();
        let store = StoreSpec::Sqlite(folder.path().join("accounts.sqlite3"));
        let running = Running::start(Options::on_loopback(store));
        Self {
            folder,
            tcp: running.tcp,
            hello_port: running.hello_port,
            fingerprint: running.fingerprint,
            is_plain: false,
            runtime: Some(running.runtime),
        }
    }

    /// The same for clients that speak version 1 with it, unencrypted.
    pub(crate) fn for_version_1() -> Self {
        let mut registry = Self::start();
        registry.is_plain = true;
        registry
    }

    /// Ends it, until [`Registry::come_back`].
    pub(crate) fn stop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(SOON);
        }
    }

    /// Starts it at the same place, with its key and its accounts.
    pub(crate) fn come_back(&mut self) {
        self.run_with("accounts.sqlite3");
    }

    /// Sets it up again at the same place: with another key, and without accounts.
    pub(crate) fn set_up_again(&mut self) {
        self.stop();
        self.run_with("again.sqlite3");
    }

    fn run_with(&mut self, store: &str) {
        let store = StoreSpec::Sqlite(self.folder.path().join(store));
        let mut options = Options::on_loopback(store);
        options.tcp = self.tcp;
        let running = Running::start(options);
        self.hello_port = running.hello_port;
        self.fingerprint = running.fingerprint;
        self.runtime = Some(running.runtime);
    }

    /// Where it listens.
    pub(crate) fn name(&self) -> String {
        self.tcp.to_string()
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    pub(crate) fn password_file(&self) -> PathBuf {
        self.folder.path().join("password")
    }

    /// The profile of the peer at an address, for tests with several users.
    pub(crate) fn profile(&self, address: &str) -> String {
        let folder = self.folder.path().join(address);
        folder.to_str().unwrap().to_owned()
    }

    /// The arguments for a peer of this registry.
    pub(crate) fn arguments(&self, address: &str) -> Vec<String> {
        let plain = self.is_plain.then(|| "--allow-plaintext".to_owned());
        let options = [
            "--registry",
            &self.name(),
            "--hello-port",
            &self.hello_port,
            "--address",
            address,
            "--no-history",
        ];
        let options = options.into_iter().map(str::to_owned);
        options.chain(plain).collect()
    }

    /// [`Registry::arguments`] for a user who registers and logs in at once.
    pub(crate) fn arguments_of(&self, user: &str, address: &str) -> Vec<String> {
        let mut arguments = self.arguments(address);
        let file = self.password_file().to_str().unwrap().to_owned();
        let login = ["--user", user, "--password-file", &file, "--register"];
        arguments.extend(login.map(str::to_owned));
        arguments
    }
}

/// A server on a runtime of its own.
struct Running {
    tcp: SocketAddr,
    hello_port: String,
    fingerprint: Fingerprint,
    runtime: tokio::runtime::Runtime,
}

impl Running {
    fn start(options: Options) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let server = runtime.block_on(Server::bind(options)).unwrap();
        let (tcp, udp) = (server.tcp_addr(), server.udp_addr());
        let fingerprint = server.fingerprint();
        runtime.spawn(server.run(std::future::pending()));
        Self {
            tcp,
            hello_port: udp.port().to_string(),
            fingerprint,
            runtime,
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

/// A command for the program, with an empty environment.
pub(crate) fn program(home: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_clear().env("HOME", home).env("TZ", "UTC");
    command
}

/// The program with pipes at both ends. Killed on drop if it still runs.
pub(crate) struct Piped {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Piped {
    /// In the profile that belongs to the address among the arguments.
    pub(crate) fn start(registry: &Registry, arguments: &[String]) -> Self {
        let at = arguments.iter().position(|option| option == "--address");
        let profile = registry.profile(&arguments[at.unwrap() + 1]);
        let profile = ["--profile".to_owned(), profile];
        Self::start_at(registry.folder.path(), &[arguments, &profile].concat())
    }

    pub(crate) fn start_at(home: &Path, arguments: &[String]) -> Self {
        let mut child = program(home)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self {
            stdin: child.stdin.take(),
            child,
            lines,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn write(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        writeln!(stdin, "{line}").unwrap();
    }

    /// The next line with `part`; those before it are skipped.
    pub(crate) fn line_with(&self, part: &str) -> String {
        let start = Instant::now();
        let mut before = Vec::new();
        while let Some(left) = SOON.checked_sub(start.elapsed()) {
            match self.lines.recv_timeout(left) {
                Ok(line) if line.contains(part) => return line,
                Ok(line) => before.push(line),
                Err(_) => break,
            }
        }
        panic!("no line with {part} in {before:#?}");
    }

    /// Waits until a user is in the list of who is online.
    pub(crate) fn sees(&self, name: &str) {
        self.line_with(&format!(r#"{{"name":"{name}","address""#));
    }

    /// Whether a line has come, which is skipped.
    pub(crate) fn has_line(&self) -> bool {
        self.lines.try_recv().is_ok()
    }

    /// Ends the input, and waits for the program to end.
    pub(crate) fn end(&mut self) -> ExitStatus {
        self.stdin = None;
        self.exit()
    }

    /// Waits for the program to end.
    pub(crate) fn exit(&mut self) -> ExitStatus {
        let child = &mut self.child;
        wait_for("the program to end", || child.try_wait().unwrap())
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
