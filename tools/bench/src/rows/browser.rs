//! One text from a page in a browser to another one, by two bridges.

use std::time::Duration;

use anyhow::Result;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use super::Context;
use super::text::{Hear, PAUSE, bare};
use crate::browser::{Browser, times};
use crate::row::{Reach, Row, Unit};
use crate::sample::{Sample, side_by_side};
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

/// From page to page, against a WebSocket echo and a bare text.
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
    let chat = json!({ "task": "chat", "urls": urls, "texts": TEXTS, "pause": pause });
    let socket = format!("ws://{}", echo_server.address);
    let echo =
        json!({ "task": "echo", "page": page, "socket": socket, "texts": TEXTS, "pause": pause });
    let mut hear = Hear::start().await?;
    let mut say = BareSay::start(&[hear.address])?;

    let browser = Mutex::new(&mut browser);
    let mut seen = Vec::new();
    let pair = side_by_side(
        context.rounds,
        async || {
            let chat: Chat = browser.lock().await.ask(&chat).await?;
            seen.push(sample(&chat.seen));
            Ok(sample(&chat.wire))
        },
        async || {
            let echo: Echo = browser.lock().await.ask(&echo).await?;
            Ok(sum(sample(&echo.times), bare(&mut say, &mut hear).await?))
        },
    )
    .await?;
    let seen = crate::sample::medians(&seen);
    let row = |what: &str, ours, limit, reach| Row {
        what: what.to_owned(),
        against: "a WebSocket echo and a bare text".to_owned(),
        unit: Unit::Seconds,
        ours,
        limit,
        reach,
    };
    Ok(vec![
        row(
            "one text, page to page",
            pair.ours.p50,
            pair.limit.p50,
            Reach::AtMost(1.5),
        ),
        row(
            "one text, key press to the other's page, p95",
            seen.p95,
            pair.limit.p95,
            Reach::MoreByAtMost(FRAME),
        ),
    ])
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
