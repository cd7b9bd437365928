//! What the page weighs, and how soon it can be used.

use std::time::Duration;

use anyhow::{Context as _, Result};
use p2pchat_testkit::Registry;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::Context;
use crate::browser::{Browser, times};
use crate::row::{Reach, Row, Unit};
use crate::sample::{Sample, side_by_side};
use crate::servers::{self, Bridge};

/// How often each page is loaded in a round.
const LOADS: u32 = 3;
/// How many bytes all files of the page may have, compressed.
const BYTES: f64 = 250.0 * 1024.0;
/// The account of the page.
const ACCOUNT: usize = 0;

/// What the script answers.
#[derive(Deserialize)]
struct Load {
    times: Vec<f64>,
    bytes: f64,
}

/// The page of a bridge against a yew page with one button.
///
/// # Errors
/// If a program or the browser does not start.
pub(super) async fn page(context: &Context) -> Result<Vec<Row>> {
    let mut browser = Browser::start()?;
    let hello = browser.serve_hello().await?;
    let (_registry, bridge) = logged_in(context, &mut browser).await?;
    let ours = json!({ "url": bridge.url, "ready": "#composer" });
    let least = json!({ "url": hello, "ready": "button" });
    loads(context, &mut browser, &ours, &least).await
}

/// A bridge whose user is logged in: its page begins with the composer.
async fn logged_in(context: &Context, browser: &mut Browser) -> Result<(Registry, Bridge)> {
    let store = context.new_store();
    servers::fill(&store, ACCOUNT + 1).await?;
    let registry = servers::registry(&context.programs, context.home(), &store).await?;
    let home = context.home().join("page");
    let bridge = Bridge::start(&context.programs, &home, registry.ports()).await?;
    let name = servers::name(ACCOUNT).to_string();
    let page = json!({ "url": bridge.url, "ready": "form" });
    let task = json!({ "task": "login", "name": name, "password": servers::PASSWORD });
    let _: Value = browser.ask(&with(&page, task)?).await?;
    Ok((registry, bridge))
}

async fn loads(
    context: &Context,
    browser: &mut Browser,
    ours: &Value,
    least: &Value,
) -> Result<Vec<Row>> {
    let browser = Mutex::new(browser);
    let bytes = std::cell::Cell::new([0.0; 2]);
    let load = async |page: &Value, side: usize| {
        let task = with(page, json!({ "task": "load", "times": LOADS }))?;
        let load: Load = browser.lock().await.ask(&task).await?;
        let mut both = bytes.get();
        both[side] = load.bytes;
        bytes.set(both);
        Ok(Sample::new(&times(&load.times), Duration::from_secs(1)))
    };
    let pair = side_by_side(
        context.rounds,
        async || load(ours, 0).await,
        async || load(least, 1).await,
    )
    .await?;
    let [ours, limit] = bytes.get();
    Ok(vec![
        Row {
            reach: Reach::Below(BYTES),
            ..row("what the page weighs, compressed", Unit::Bytes, ours, limit)
        },
        row(
            "from the navigation to a page that can be used",
            Unit::Seconds,
            pair.ours.p50,
            pair.limit.p50,
        ),
    ])
}

fn row(what: &str, unit: Unit, ours: f64, limit: f64) -> Row {
    Row {
        what: what.to_owned(),
        against: "a yew hello world".to_owned(),
        unit,
        ours,
        limit,
        reach: Reach::Any,
    }
}

/// A task on a page.
fn with(page: &Value, mut task: Value) -> Result<Value> {
    let fields = task.as_object_mut().context("a task has fields")?;
    let page = page.as_object().context("a page has fields")?;
    fields.extend(page.clone());
    Ok(task)
}
