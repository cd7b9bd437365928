//! Processes that never outlive the one who started them.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};
use tokio::process::{Child, Command};

/// How long processes have for an orderly end before they are killed. The slowest is a
/// database that writes its files out.
const GRACE: Duration = Duration::from_secs(8);
/// How often it is looked whether they have ended.
const LOOK: Duration = Duration::from_millis(20);

/// A process and what it starts. Dropping it ends them.
#[derive(Debug)]
pub struct Group {
    /// The process, for its pipes.
    pub child: Child,
    id: Pid,
    reach: Reach,
}

/// Whom a signal reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// The process and what it started.
    Group,
    /// The process alone, because its group is that of this program.
    One,
}

impl Group {
    /// Starts a command in a group of its own: Ctrl-C does not reach it, so it ends
    /// when its owner says so.
    ///
    /// # Errors
    /// If there is no such program, or it cannot be started.
    pub fn spawn(command: &mut Command) -> Result<Self> {
        Self::start(command.process_group(0), Reach::Group)
    }

    /// Starts a command in the group of this program, which alone may read from the
    /// terminal. What it starts in turn is its own affair.
    ///
    /// # Errors
    /// If there is no such program, or it cannot be started.
    pub fn spawn_on_terminal(command: &mut Command) -> Result<Self> {
        Self::start(command, Reach::One)
    }

    fn start(command: &mut Command, reach: Reach) -> Result<Self> {
        let program = command.as_std().get_program().to_owned();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let id = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw)
            .with_context(|| format!("{} has no process id", program.display()))?;
        Ok(Self { child, id, reach })
    }

    /// Waits until the process ends by itself.
    ///
    /// # Errors
    /// If the system cannot tell.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Whether the process, or one that it started, is still there. The first is waited
    /// for on the way, since its number stays taken until then.
    fn is_there(&mut self) -> bool {
        let ended = matches!(self.child.try_wait(), Ok(Some(_)));
        match self.reach {
            Reach::Group => test_kill_process_group(self.id).is_ok(),
            Reach::One => !ended,
        }
    }

    /// To be called only while [`Group::is_there`]: the number may be another's later.
    fn signal(&self, signal: Signal) {
        // It may have ended in this moment, which is what is wanted.
        let _ = match self.reach {
            Reach::Group => kill_process_group(self.id, signal),
            Reach::One => kill_process(self.id, signal),
        };
    }

    fn gone_within(&mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while self.is_there() {
            if Instant::now() >= deadline {
                return false;
            }
            thread::sleep(LOOK);
        }
        true
    }
}

/// Blocks until all are gone: what comes after it (a folder to be removed, the prompt of
/// the shell) may rely on that.
impl Drop for Group {
    fn drop(&mut self) {
        if self.is_there() {
            self.signal(Signal::TERM);
            if !self.gone_within(GRACE) {
                self.signal(Signal::KILL);
                self.gone_within(GRACE);
            }
        }
    }
}

/// Runs a command to its end; what it prints is printed.
///
/// # Errors
/// If it cannot be started or does not succeed.
pub async fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = Group::spawn(command.stdin(Stdio::null()))?.wait().await?;
    if !status.success() {
        bail!("`{shown}`: {status}");
    }
    Ok(())
}

/// Runs a command to its end and returns what it printed to its standard output.
///
/// # Errors
/// If it cannot be started or does not succeed. The error has what it printed to its
/// standard error.
pub async fn output(command: &mut Command) -> Result<String> {
    let shown = shown(command);
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("cannot run `{shown}`"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{shown}`: {}\n{}", output.status, said.trim_end());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A command as one would type it.
#[must_use]
pub fn shown(command: &Command) -> String {
    let command = command.as_std();
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    [name]
        .into_iter()
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

/// A command as one can paste it into a shell in any folder.
#[must_use]
pub fn shown_in_full(command: &Command) -> String {
    let command = command.as_std();
    [command.get_program()]
        .into_iter()
        .chain(command.get_args())
        .map(|word| quoted(&word.to_string_lossy()))
        .collect::<Vec<_>>()
        .join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@+".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, BufReader};

    use super::*;

    async fn line_of(script: &str) -> (Group, String) {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdout(Stdio::piped());
        let mut group = Group::spawn(&mut command).unwrap();
        let out = group.child.stdout.take().unwrap();
        let line = BufReader::new(out).lines().next_line().await.unwrap();
        (group, line.unwrap())
    }

    fn lives(pid: &str) -> bool {
        let pid = Pid::from_raw(pid.parse().unwrap()).unwrap();
        rustix::process::test_kill_process(pid).is_ok()
    }

    #[tokio::test]
    async fn what_a_process_started_ends_with_it() {
        let (group, grandchild) = line_of("sleep 600 & echo $!; wait").await;
        assert!(lives(&grandchild));
        drop(group);
        assert!(!lives(&grandchild));
    }

    #[tokio::test]
    async fn a_process_left_behind_by_one_that_has_ended_ends_too() {
        let (mut group, orphan) = line_of("sleep 600 >/dev/null & echo $!").await;
        group.wait().await.unwrap();
        assert!(lives(&orphan));
        drop(group);
        assert!(!lives(&orphan));
    }

    #[tokio::test]
    async fn a_process_in_our_own_group_ends_alone() {
        let mut command = Command::new("sleep");
        let group = Group::spawn_on_terminal(command.arg("600")).unwrap();
        let pid = group.id.as_raw_nonzero().to_string();
        assert!(lives(&pid));
        drop(group);
        assert!(!lives(&pid));
    }

    #[test]
    fn a_command_shown_in_full_can_be_pasted() {
        let mut command = Command::new("/a b/p2pchat");
        command.args(["--user", "it's", "127.0.0.1:80"]);
        let shown = shown_in_full(&command);
        assert_eq!(shown, r"'/a b/p2pchat' --user 'it'\''s' 127.0.0.1:80");
    }

    #[tokio::test]
    async fn a_command_that_fails_is_named_with_what_it_said() {
        let error = output(Command::new("sh").args(["-c", "echo why >&2; exit 3"])).await;
        let message = error.unwrap_err().to_string();
        assert!(message.contains("exit status: 3"), "{message}");
        assert!(message.contains("why"), "{message}");
    }
}
