//! One text from a page in a browser to another one, by two bridges.

use std::time::Duration;

use anyhow::Result;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::Context;
use super::text::{Hear, PAUSE, bare};
use crate::browser::{Browser, times};
use crate::chain::Chain;
use crate::row::{Reach, Row, Unit};
use crate::sample::{Sample, medians, side_by_side};
use crate::servers::{self, Bare, Bridge};
use crate::talkers::BareSay;

/// How many texts make one measurement.
const TEXTS: u32 = 40;
/// A frame at 60 Hz, in seconds.
const FRAME: f64 = 1.0 / 60.0;

/// What the script answers, in milliseconds.
#[derive(Deserialize)]
struct Chat {
    wire: Vec<f64>,
    seen: Vec<f64>,
}

/// The same, of the echo.
#[derive(Deserialize)]
struct Echo {
    times: Vec<f64>,
}

/// From page to page, in the open chat and in an encrypted one, against a WebSocket echo and a bare
/// text, or the chain of what has to be done for a message.
///
/// # Errors
/// If a program or the browser does not start, or loses a text.
pub(super) async fn browser(context: &Context) -> Result<Vec<Row>> {
    let mut browser = Browser::start()?;
    let store = context.new_store();
    let registry = servers::registry(&context.programs, context.home(), &store).await?;
    let mut bridges = Vec::new();
    for name in ["ann", "bob"] {
        let home = context.home().join(format!("page-{name}"));
        bridges.push(Bridge::start(&context.programs, &home, registry.ports()).await?);
    }
    let echo_server = Bare::start(&["echo"]).await?;
    let page = browser.serve_hello().await?;
    let pause = PAUSE.as_millis() as u64;
    let urls: Vec<&str> = bridges.iter().map(|bridge| bridge.url.as_str()).collect();
    let chat = |task: &str| json!({ "task": task, "urls": urls, "texts": TEXTS, "pause": pause });
    let (open, direct) = (chat("open"), chat("direct"));
    let socket = format!("ws://{}", echo_server.address);
    let echo =
        json!({ "task": "echo", "page": page, "socket": socket, "texts": TEXTS, "pause": pause });
    let mut hear = Hear::start().await?;
    let mut say = BareSay::start(&[hear.address])?;
    let folder = tempfile::tempdir_in(context.home())?;
    let mut chain = Chain::start(folder.path()).await?;

    let asked = Asked {
        browser: Mutex::new(&mut browser),
        echo,
        rounds: context.rounds,
    };
    let text = asked.rows("text", &open, "a bare text", async || {
        bare(&mut say, &mut hear).await
    });
    let mut rows = text.await?;
    let bare = "signing, two commits, TLS and verifying";
    let message = asked.rows("encrypted message", &direct, bare, async || {
        chain.run().await
    });
    rows.extend(message.await?);
    Ok(rows)
}

/// What is measured in the browser.
struct Asked<'a> {
    browser: Mutex<&'a mut Browser>,
    echo: Value,
    rounds: usize,
}

impl Asked<'_> {
    /// One text from page to page, against the echo and what has to happen between two programs.
    async fn rows(
        &self,
        what: &str,
        chat: &Value,
        against: &str,
        mut between: impl AsyncFnMut() -> Result<Sample>,
    ) -> Result<Vec<Row>> {
        let mut seen = Vec::new();
        let pair = side_by_side(
            self.rounds,
            async || {
                let chat: Chat = self.browser.lock().await.ask(chat).await?;
                seen.push(sample(&chat.seen));
                Ok(sample(&chat.wire))
            },
            async || {
                let echo: Echo = self.browser.lock().await.ask(&self.echo).await?;
                Ok(sum(sample(&echo.times), between().await?))
            },
        )
        .await?;
        let seen = medians(&seen);
        let row = |what, ours, limit, reach| Row {
            what,
            against: format!("a WebSocket echo and {against}"),
            unit: Unit::Seconds,
            ours,
            limit,
            reach,
        };
        Ok(vec![
            row(
                format!("one {what}, page to page"),
                pair.ours.p50,
                pair.limit.p50,
                Reach::AtMost(1.5),
            ),
            row(
                format!("one {what}, key press to the other's page, p95"),
                seen.p95,
                pair.limit.p95,
                Reach::MoreByAtMost(FRAME),
            ),
        ])
    }
}

fn sample(milliseconds: &[f64]) -> Sample {
    Sample::new(&times(milliseconds), Duration::from_secs(1))
}

/// One after the other.
fn sum(a: Sample, b: Sample) -> Sample {
    Sample {
        rate: 0.0,
        p50: a.p50 + b.p50,
        p95: a.p95 + b.p95,
        p99: a.p99 + b.p99,
        p999: a.p999 + b.p999,
    }
}
