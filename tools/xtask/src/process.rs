//! Child processes that never outlive this program.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};
use tokio::process::{Child, Command};

/// The time that processes have to end in order before they are killed. The slowest is a
/// database that writes its files.
const GRACE: Duration = Duration::from_secs(8);
/// The time between two looks at whether they have ended.
const POLL: Duration = Duration::from_millis(20);
/// What a line that names the step of a longer task begins with.
pub const STEP: &str = "==> ";

/// A child process and all that it starts. Dropping it ends them.
#[derive(Debug)]
pub struct Group {
    /// The child process.
    pub child: Child,
    id: Pid,
    /// Whether the child leads a process group of its own, which signals are sent to.
    leads: bool,
}

impl Group {
    /// Starts a command in a process group of its own: Ctrl-C does not reach it, so it ends
    /// when this is dropped.
    ///
    /// # Errors
    /// If there is no such program, or it cannot be started.
    pub fn spawn(command: &mut Command) -> Result<Self> {
        Self::start(command.process_group(0), true)
    }

    /// Starts a command in the process group of this program, which is the only one that may
    /// read from the terminal. What it starts in turn is not ended with it.
    ///
    /// # Errors
    /// If there is no such program, or it cannot be started.
    pub fn spawn_on_terminal(command: &mut Command) -> Result<Self> {
        Self::start(command, false)
    }

    fn start(command: &mut Command, leads: bool) -> Result<Self> {
        let program = command.as_std().get_program().to_owned();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let id = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw)
            .with_context(|| format!("{} has no process id", program.display()))?;
        Ok(Self { child, id, leads })
    }

    /// Whether the child, or a process that it started, still runs. This also reaps the
    /// child, whose id stays taken until then.
    fn runs(&mut self) -> bool {
        let ended = matches!(self.child.try_wait(), Ok(Some(_)));
        if self.leads {
            test_kill_process_group(self.id).is_ok()
        } else {
            !ended
        }
    }

    /// To be called only while [`Group::runs`]: later the id may be that of another process.
    fn signal(&self, signal: Signal) {
        // An error means that it has ended in this moment, which is what is wanted.
        let _ = if self.leads {
            kill_process_group(self.id, signal)
        } else {
            kill_process(self.id, signal)
        };
    }

    fn ends_within(&mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while self.runs() {
            if Instant::now() >= deadline {
                return false;
            }
            thread::sleep(POLL);
        }
        true
    }
}

/// Blocks until all have ended: what comes next (a folder to be removed, the prompt of the
/// shell) may rely on that.
impl Drop for Group {
    fn drop(&mut self) {
        if self.runs() {
            self.signal(Signal::TERM);
            if !self.ends_within(GRACE) {
                self.signal(Signal::KILL);
                self.ends_within(GRACE);
            }
        }
    }
}

/// Says which step of a longer task begins.
pub fn step(what: &str) {
    println!("{STEP}{what}");
}

/// Prints a command and runs it to its end. What it prints is printed as it comes.
///
/// # Errors
/// If it cannot be started or does not succeed.
pub async fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    println!("$ {shown}");
    let mut group = Group::spawn(command.stdin(Stdio::null()))?;
    let status = group.child.wait().await?;
    ensure!(status.success(), "`{shown}`: {status}");
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
    let errors = String::from_utf8_lossy(&output.stderr);
    let errors = errors.trim_end();
    ensure!(
        output.status.success(),
        "`{shown}`: {}\n{errors}",
        output.status
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A command as one would type it.
#[must_use]
pub fn shown(command: &Command) -> String {
    let command = command.as_std();
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = [name].into_iter().chain(command.get_args());
    words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

/// A command that can be pasted into a shell in any folder.
#[must_use]
pub fn shown_in_full(command: &Command) -> String {
    let command = command.as_std();
    let words = [command.get_program()]
        .into_iter()
        .chain(command.get_args());
    let words = words.map(|word| quoted(&word.to_string_lossy()));
    words.collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
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
    async fn a_process_that_outlives_its_parent_ends_too() {
        let (mut group, orphan) = line_of("sleep 600 >/dev/null & echo $!").await;
        group.child.wait().await.unwrap();
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
    async fn the_error_of_a_command_has_what_it_printed() {
        let error = output(Command::new("sh").args(["-c", "echo why >&2; exit 3"])).await;
        let message = error.unwrap_err().to_string();
        assert!(message.contains("exit status: 3"), "{message}");
        assert!(message.contains("why"), "{message}");
    }
}
