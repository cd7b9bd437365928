//! The built program.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use super::{key_file, signal, wait_for};

/// The program, in an environment without options of its own.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_p2pchat-registry"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("P2PCHAT_") {
            command.env_remove(name);
        }
    }
    // No file of options, and no folder of a real user.
    command
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .env("HOME", "/nonexistent");
    command.env_remove("RUST_LOG").env_remove("XDG_DATA_HOME");
    command
}

/// With MongoDB a key has to be named; registries over one database have the same.
fn with_key(command: &mut Command) -> &mut Command {
    let is_mongo = |arg: &std::ffi::OsStr| arg.to_string_lossy().starts_with("mongodb");
    if command.get_args().any(is_mongo) {
        command.env("P2PCHAT_KEY_FILE", key_file());
    }
    command
}

/// Runs an operator command with a password on its standard input.
pub(crate) fn users(store: &str, args: &[&str], password: &str) -> Output {
    let mut child = command()
        .arg("users")
        .args(args)
        .args(["--store", store])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have ended without reading.
    let _ = child.stdin.take().unwrap().write_all(password.as_bytes());
    child.wait_with_output().unwrap()
}

/// A running registry. Killed on drop.
pub(crate) struct Program {
    child: Child,
    pub(crate) line: String,
    pub(crate) tcp: SocketAddr,
    pub(crate) udp: SocketAddr,
}

impl Program {
    /// Starts it on free ports of 127.0.0.1 and waits for its line.
    pub(crate) fn start(store: &str) -> Self {
        Self::start_with(command().args(["--store", store]))
    }

    /// The same with other options.
    pub(crate) fn start_with(command: &mut Command) -> Self {
        let mut child = with_key(command)
            .args(["--tcp", "127.0.0.1:0", "--udp", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        if line.is_empty() {
            let ended = child.wait_with_output().unwrap();
            panic!("no line: {}", String::from_utf8_lossy(&ended.stderr));
        }
        child.stdout = Some(out.into_inner());
        let address = |protocol: &str| {
            let rest = line.split_once(&format!(" {protocol} "));
            let (_, rest) = rest.unwrap_or_else(|| panic!("no address in {line:?}"));
            rest.split([' ', ',']).next().unwrap().parse().unwrap()
        };
        Self {
            tcp: address("tcp"),
            udp: address("udp"),
            child,
            line,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Nobody reads its logs any more.
    pub(crate) fn close_stderr(&mut self) {
        self.child.stderr = None;
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal, waits for the end, and returns the rest of both outputs too.
    pub(crate) fn stop(mut self, name: &str) -> (ExitStatus, String, String) {
        signal(self.pid(), name);
        let mut ended = None;
        wait_for("end of the program", Duration::from_secs(20), || {
            ended = self.child.try_wait().unwrap();
            ended.is_some()
        });
        let mut texts = [String::new(), String::new()];
        self.child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut texts[0])
            .unwrap();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut texts[1]).unwrap();
        }
        let [out, err] = texts;
        (ended.unwrap(), out, err)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a registry that cannot start, and returns the one line that says why.
pub(crate) fn refusal(command: &mut Command) -> String {
    // Another registry may run on this computer.
    let command = with_key(command).env("P2PCHAT_TCP", "127.0.0.1:0");
    let command = command.env("P2PCHAT_UDP", "127.0.0.1:0");
    let output = command.stdin(Stdio::null()).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert_eq!(
        output.stdout, b"",
        "a registry that does not run announces nothing"
    );
    error.trim_end().to_owned()
}

/// A path as text.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
