//! What the page weighs, how soon it can be used, and what drawing costs.

use std::time::Duration;

use anyhow::{Context as _, Result};
use p2pchat_testkit::Registry;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::Context;
use crate::browser::{Browser, times};
use crate::row::{Point, Reach, Row, Unit};
use crate::sample::{Sample, median, side_by_side};
use crate::servers::{self, Bridge};

/// How often each page is loaded in a round.
const LOADS: u32 = 3;
/// How many messages are drawn: up to as many as a view holds.
const LINES: [usize; 4] = [10, 100, 1000, p2pchat_model::View::MAX_LINES];
/// How many are then appended, one by one.
const CHANGES: u32 = 50;
/// How many times the bytes of a hello world ours may have.
const BYTES: f64 = 3.0;
/// How long appending a message may take, in seconds.
const APPEND: f64 = 0.004;
/// The account of the page.
const ACCOUNT: usize = 0;

/// What the script answers.
#[derive(Deserialize)]
struct Load {
    times: Vec<f64>,
    bytes: f64,
}

/// What the script answers, in milliseconds.
#[derive(Deserialize)]
struct Draw {
    first: f64,
    again: f64,
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
    let mut rows = loads(context, &mut browser, &ours, &least).await?;
    rows.extend(draws(context, &mut browser, &ours, &least).await?);
    Ok(rows)
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
            reach: Reach::AtMost(BYTES),
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

async fn draws(
    context: &Context,
    browser: &mut Browser,
    ours: &Value,
    least: &Value,
) -> Result<Vec<Row>> {
    let mut pages: Vec<_> = LINES.iter().map(|&lines| Drawn::new(ours, lines)).collect();
    let mut hello = Drawn::new(least, 0);
    for _ in 0..context.rounds {
        for page in pages.iter_mut().chain([&mut hello]) {
            page.draw(browser).await?;
        }
    }
    let [first, again] = hello.medians();
    let rows = pages.into_iter().flat_map(|page| {
        let lines = page.lines;
        let [ours_first, ours_again] = page.medians();
        let point = |curve| Some(Point::new(curve, "messages", lines));
        [
            Row {
                point: point("Drawing messages"),
                ..row(
                    &format!("script time to draw {lines} messages"),
                    Unit::Seconds,
                    ours_first,
                    first,
                )
            },
            Row {
                reach: Reach::Below(APPEND),
                point: point("Drawing one message more"),
                ..row(
                    &format!("script time to draw one more than {lines}"),
                    Unit::Seconds,
                    ours_again,
                    again,
                )
            },
        ]
    });
    Ok(rows.collect())
}

/// A page that is drawn again and again, and how long scripts ran for that, in seconds.
struct Drawn<'a> {
    page: &'a Value,
    lines: usize,
    first: Vec<f64>,
    again: Vec<f64>,
}

impl<'a> Drawn<'a> {
    fn new(page: &'a Value, lines: usize) -> Self {
        Self {
            page,
            lines,
            first: Vec::new(),
            again: Vec::new(),
        }
    }

    async fn draw(&mut self, browser: &mut Browser) -> Result<()> {
        let task = json!({ "task": "draw", "lines": self.lines, "changes": CHANGES });
        let draw: Draw = browser.ask(&with(self.page, task)?).await?;
        self.first.push(draw.first / 1000.0);
        self.again.push(draw.again / 1000.0);
        Ok(())
    }

    /// To draw the page, and to draw it again after a change.
    fn medians(self) -> [f64; 2] {
        [self.first, self.again].map(median)
    }
}

fn row(what: &str, unit: Unit, ours: f64, limit: f64) -> Row {
    Row {
        what: what.to_owned(),
        against: "a yew hello world".to_owned(),
        unit,
        ours,
        limit,
        reach: Reach::Any,
        point: None,
    }
}

/// A task on a page.
fn with(page: &Value, mut task: Value) -> Result<Value> {
    let fields = task.as_object_mut().context("a task has fields")?;
    let page = page.as_object().context("a page has fields")?;
    fields.extend(page.clone());
    Ok(task)
}
