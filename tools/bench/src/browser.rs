//! A real Chromium, which a script in `tests/e2e/bench` drives.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::row::Missing;
use crate::sample::Times;

/// How long a task may take.
const LIMIT: Duration = Duration::from_secs(120);

/// The script, and the browser that it has started. Ends when its input does.
#[derive(Debug)]
pub struct Browser {
    _child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Browser {
    /// Starts one, by what `cargo xtask bench` says by the environment.
    ///
    /// # Errors
    /// [`Missing`], if it says nothing.
    pub fn start() -> Result<Self> {
        let mut command = Command::new(given("P2PCHAT_BENCH_NODE")?);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/e2e/bench/main.js");
        command
            .arg(script)
            .env("E2E_CHROMIUM", given("E2E_CHROMIUM")?)
            .kill_on_drop(true)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start node")?;
        let stdout = child.stdout.take().context("no output to read")?;
        Ok(Self {
            stdin: child.stdin.take().context("no input to write to")?,
            lines: BufReader::new(stdout).lines(),
            _child: child,
        })
    }

    /// Has it do a task, whose name is in the field `task`.
    ///
    /// # Errors
    /// If it fails; it has said why on its standard error.
    pub async fn ask<T: DeserializeOwned>(&mut self, task: &Value) -> Result<T> {
        self.stdin.write_all(format!("{task}\n").as_bytes()).await?;
        let answer = timeout(LIMIT, self.lines.next_line()).await;
        let answer = answer.with_context(|| format!("{task} takes too long"))??;
        let answer = answer.with_context(|| format!("the browser failed at {task}"))?;
        serde_json::from_str(&answer).with_context(|| format!("it answered {answer}"))
    }

    /// Serves the least yew page; where.
    ///
    /// # Errors
    /// [`Missing`], if there is none.
    pub async fn serve_hello(&mut self) -> Result<String> {
        let folder = given("P2PCHAT_BENCH_HELLO")?;
        let task = serde_json::json!({ "task": "serve", "folder": folder });
        let served: Value = self.ask(&task).await?;
        let url = served["url"].as_str().context("it is served nowhere")?;
        Ok(url.to_owned())
    }
}

fn given(variable: &str) -> Result<PathBuf> {
    let value = std::env::var_os(variable).ok_or_else(|| {
        Missing(format!(
            "${variable} names nothing: `cargo xtask bench` finds a browser where there is one"
        ))
    })?;
    Ok(value.into())
}

/// Times as a script has them, in milliseconds.
#[must_use]
pub fn times(milliseconds: &[f64]) -> Times {
    let mut times = Times::default();
    for time in milliseconds {
        // A clock that was set back in between gives a time below zero.
        times.record(Duration::from_secs_f64(time.max(0.0) / 1000.0));
    }
    times
}
