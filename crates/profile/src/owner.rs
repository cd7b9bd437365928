//! Who runs the peer of a profile, and how to name them to a user.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use p2pchat_model::{PeerAddr, Username};
use p2pchat_platform::local::Address;
use p2pchat_platform::process::{end_command, is_stopped};
use serde::{Deserialize, Serialize};

/// The process that runs the peer of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The program's name.
    pub program: String,
    /// Its process id.
    pub process: u32,
}

/// What the owner writes into the lock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    #[serde(flatten)]
    pub(crate) owner: Owner,
    /// Where others attach.
    pub(crate) socket: Address,
    /// The options of the peer. A process that takes over goes on with these: its own may name
    /// another registry, or another history.
    #[serde(with = "PeerOptions")]
    pub(crate) peer: p2pchat_peer::Options,
}

impl Owner {
    /// That this process is attached to it, in words.
    #[must_use]
    pub fn attached_to(&self) -> String {
        format!("attached to {self}: the same account, chats and history")
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, process {}", self.program, self.process)
    }
}

/// The options of a peer as JSON.
#[derive(Serialize, Deserialize)]
#[serde(remote = "p2pchat_peer::Options")]
struct PeerOptions {
    registry: String,
    #[serde(default)]
    allow_plaintext: bool,
    #[serde(default)]
    folder: Option<PathBuf>,
    #[serde(default)]
    states: Option<PathBuf>,
    #[serde(default)]
    keep: Option<Duration>,
    /// Not for one that takes over: it goes on with the account of the view.
    #[serde(skip)]
    account: Option<Username>,
    hello_port: u16,
    address: Option<PeerAddr>,
    unprivileged: bool,
    request_limit: Duration,
    history: Option<PathBuf>,
    blocks: Option<PathBuf>,
}

/// Why an owner cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Its process is stopped (SIGSTOP, or Ctrl+Z in its terminal).
    Stopped,
    /// It does not answer.
    Busy,
    /// It does not listen where it says.
    Absent,
}

/// An owner that cannot be reached. It is not replaced: it may go on at any time.
#[derive(Debug, Clone)]
pub struct OwnerSilent {
    /// `None` where the lock does not say.
    pub(crate) entry: Option<Box<Entry>>,
    pub(crate) why: Silence,
}

impl OwnerSilent {
    /// Looks why it does not answer.
    pub(crate) fn new(entry: Option<Entry>, otherwise: Silence) -> Self {
        let process = entry.as_ref().map(|entry| entry.owner.process);
        let why = if process.is_some_and(is_stopped) {
            Silence::Stopped
        } else {
            otherwise
        };
        let entry = entry.map(Box::new);
        Self { entry, why }
    }
}

impl fmt::Display for OwnerSilent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Entry { owner, socket, .. }) = self.entry.as_deref() else {
            return f.write_str(
                "another p2pchat uses this profile and does not say where it can be reached: \
                 end it, or choose another profile with --profile",
            );
        };
        let process = owner.process;
        match self.why {
            Silence::Stopped => write!(
                f,
                "{owner}, runs this profile and is stopped: let it go on with `kill -CONT \
                 {process}`, or with `fg` in its terminal"
            ),
            Silence::Busy => write!(
                f,
                "{owner}, runs this profile and does not answer: it may be busy, so try again, \
                 or end it with `{}`",
                end_command(process)
            ),
            Silence::Absent => write!(
                f,
                "{owner}, runs this profile, but not at {socket}: it may run in a container or on \
                 another machine; end it, or choose another profile with --profile"
            ),
        }
    }
}

impl std::error::Error for OwnerSilent {}

#[cfg(test)]
mod tests {
    use super::*;

    impl Entry {
        pub(crate) fn for_test(program: &str, process: u32) -> Self {
            Self {
                owner: Owner {
                    program: program.to_owned(),
                    process,
                },
                socket: serde_json::from_value("/run/user/1000/p2pchat/0.sock".into()).unwrap(),
                peer: p2pchat_peer::Options::default(),
            }
        }
    }

    #[test]
    fn the_options_of_the_peer_come_back_whole() {
        let mut entry = Entry::for_test("p2pchat", 1);
        entry.peer.registry = "a,b:1".to_owned();
        entry.peer.address = Some("127.0.0.9".parse().unwrap());
        entry.peer.request_limit = Duration::from_millis(1500);
        entry.peer.history = Some("/h".into());
        entry.peer.allow_plaintext = true;
        entry.peer.folder = Some("/p".into());
        let line = serde_json::to_string(&entry).unwrap();
        let read: Entry = serde_json::from_str(&line).unwrap();
        assert_eq!(format!("{read:?}"), format!("{entry:?}"));
    }

    #[test]
    fn an_owner_that_cannot_be_reached_is_named_with_what_to_do() {
        let entry = Entry::for_test("p2pchat-bridge", 1234);
        for (why, remedy) in [
            (Silence::Stopped, "`kill -CONT 1234`, or with `fg`"),
            (Silence::Busy, "try again, or end it with `kill 1234`"),
            (Silence::Absent, "/run/user/1000/p2pchat/0.sock"),
        ] {
            let entry = Some(Box::new(entry.clone()));
            let words = OwnerSilent { entry, why }.to_string();
            assert!(
                words.starts_with("p2pchat-bridge, process 1234,"),
                "{words}"
            );
            assert!(words.contains(remedy), "{words}");
        }
        let unknown = OwnerSilent::new(None, Silence::Busy).to_string();
        assert!(unknown.contains("--profile"), "{unknown}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_stopped_process_is_seen_to_be_stopped() {
        use rustix::process::{Pid, Signal, kill_process};

        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        assert!(!is_stopped(child.id()));
        kill_process(pid, Signal::STOP).unwrap();
        let stopped = || is_stopped(child.id()).then_some(());
        p2pchat_testkit::wait_blocking("stop", p2pchat_testkit::SOON, stopped);
        let silent = OwnerSilent::new(Some(Entry::for_test("sleep", child.id())), Silence::Busy);
        assert_eq!(silent.why, Silence::Stopped);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
