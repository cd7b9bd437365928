//! A bridge for somebody with a browser.

use std::net::Ipv4Addr;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

use super::stage::Stage;
use crate::process::Group;

/// How long a bridge may take until it listens.
const START: Duration = Duration::from_secs(20);

/// A bridge that keeps nothing.
#[derive(Debug)]
pub struct Bridge {
    /// What to open in a browser.
    pub url: String,
    _group: Group,
}

impl Bridge {
    /// Starts one for a peer at `address`, with the page at `listen`.
    ///
    /// # Errors
    /// If it cannot be started, or does not say where it listens.
    pub async fn start(
        stage: &Stage,
        name: &str,
        address: Ipv4Addr,
        listen: &str,
        more: &[&str],
    ) -> Result<Self> {
        let mut command = stage.bridge(name, address);
        command
            .args(["--listen", listen])
            .args(more)
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut group = Group::spawn(&mut command)?;
        let stdout = group.child.stdout.take().context("no output to read")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = timeout(START, lines.next_line())
            .await
            .with_context(|| format!("the bridge did not start within {} s", START.as_secs()))??;
        let Some(line) = line else {
            bail!("the bridge did not start: {}", group.wait().await?);
        };
        let url = url_in(&line).with_context(|| format!("the bridge says no URL: {line}"))?;
        Ok(Self {
            url: url.to_owned(),
            _group: group,
        })
    }

    /// What lets a page in.
    #[must_use]
    pub fn secret(&self) -> &str {
        self.url.split_once('#').map_or("", |(_, secret)| secret)
    }
}

/// The URL in `… open http://127.0.0.1:7878/#…`.
fn url_in(line: &str) -> Option<&str> {
    line.split_whitespace()
        .find(|word| word.starts_with("http://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_in_the_line_that_a_bridge_starts_with() {
        let line = "p2pchat-bridge: peer at 127.0.0.2, open http://127.0.0.1:7878/#ab12";
        assert_eq!(url_in(line), Some("http://127.0.0.1:7878/#ab12"));
        assert_eq!(url_in("hello"), None);
    }
}
