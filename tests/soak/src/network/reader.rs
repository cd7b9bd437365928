//! A user of `p2pchat --plain`: what the programs say in words.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use p2pchat_testkit::{Programs, Registry, SOON};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::Mutex;

use super::lan::Host;
use crate::record::Record;

/// A running `p2pchat --plain`. Killed on drop.
#[derive(Debug)]
pub(super) struct Reader {
    /// The user's name.
    pub(super) name: &'static str,
    record: Arc<Record<String>>,
    stdin: Mutex<ChildStdin>,
    _child: Child,
}

impl Reader {
    /// Starts one on a host, and waits until it is logged in. It makes its account if
    /// there is none.
    pub(super) async fn start(
        programs: &Programs,
        home: &Path,
        registry: &Registry,
        host: &Host,
        name: &'static str,
        show: bool,
    ) -> Result<Self> {
        let password = home.join("password");
        fs::write(&password, "secret\n")?;
        let log = File::options()
            .create(true)
            .append(true)
            .open(home.join("p2pchat.log"))?;
        let mut command = programs.command("p2pchat", home)?;
        command
            .args(["--plain", "--registry", &registry.tcp.to_string()])
            .args(["--address", &host.address.to_string()])
            .args(["--user", name, "--register", "--password-file"])
            .arg(&password)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log);
        let mut child = host.inside(|| command.spawn())?.context("no p2pchat")?;
        let stdout = child.stdout.take().context("no output to read")?;
        let record = Arc::<Record<String>>::default();
        tokio::spawn(follow(stdout, record.clone(), show.then_some(name)));
        let reader = Self {
            name,
            record,
            stdin: Mutex::new(child.stdin.take().context("no input to write to")?),
            _child: child,
        };
        let began = Instant::now();
        reader.reads("signed in as", began, SOON).await?;
        Ok(reader)
    }

    /// Types a line.
    pub(super) async fn types(&self, line: &str) -> Result<Instant> {
        let now = Instant::now();
        let mut stdin = self.stdin.lock().await;
        stdin
            .write_all(format!("{line}\n").as_bytes())
            .await
            .with_context(|| format!("the program of {} has ended", self.name))?;
        Ok(now)
    }

    /// Waits for a line with these words in it, and says how long after `since` it came.
    pub(super) async fn reads(
        &self,
        words: &str,
        since: Instant,
        limit: Duration,
    ) -> Result<Duration> {
        self.reads_one_of(&[words], since, limit).await
    }

    /// The same for a line with one of these.
    pub(super) async fn reads_one_of(
        &self,
        words: &[&str],
        since: Instant,
        limit: Duration,
    ) -> Result<Duration> {
        let what = format!("line with one of {words:?}");
        let has_words = |line: &String| {
            let is_in = |words: &&str| line.contains(words);
            words.iter().any(is_in).then_some(())
        };
        let found = self.record.find(since, &what, limit, has_words).await;
        let (after, ()) = found.with_context(|| format!("at {}'s", self.name))?;
        Ok(after)
    }

    /// The lines so far that have these words in them.
    pub(super) fn lines_with(&self, words: &str) -> Vec<String> {
        self.record
            .all(|line| line.contains(words).then(|| line.clone()))
    }

    /// Waits for a request, and accepts it.
    pub(super) async fn accepts(&self, since: Instant) -> Result<()> {
        self.reads("; /accept", since, SOON).await?;
        self.types("/accept").await?;
        Ok(())
    }
}

/// Takes note of each line, without the time in front, until the program ends.
async fn follow(stdout: ChildStdout, record: Arc<Record<String>>, show: Option<&'static str>) {
    let began = Instant::now();
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(name) = show {
            let seconds = began.elapsed().as_secs_f32();
            eprintln!("{seconds:5.1} s {name} reads: {line}");
        }
        let words = match line.split_once("] ") {
            Some((time, words)) if time.starts_with('[') => words.to_owned(),
            _ => line,
        };
        record.add(words);
    }
}
