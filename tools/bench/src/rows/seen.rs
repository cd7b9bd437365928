//! One login that all others see.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures::future::{join_all, try_join_all};
use p2pchat_protocol::v2::FromRegistry;
use p2pchat_testkit::Registry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;

use super::Context;
use super::pushed::subscribe;
use crate::load::source;
use crate::process::cpu;
use crate::row::{Reach, Row, Unit};
use crate::sample::median;
use crate::secured::{Client, device, registry, secured};
use crate::servers::Bare;

/// How many see it.
const SUBSCRIBERS: usize = 1_000;
/// How many log in at a time.
const BURST: usize = 100;
/// How often each side is measured: a delta takes a quarter of a second.
const TIMES: usize = 10;
/// How long the bare server rests before it writes, as the registry gathers changes for as long.
const PAUSE: Duration = Duration::from_millis(250);
/// How much more time than the bare writes it may take, and how late it may be seen.
const REACH: f64 = 1.3;
const LATEST: f64 = 0.5;

/// Against as many bare writes of the same bytes.
///
/// # Errors
/// If a server does not start, or refuses a client.
pub(super) async fn seen(context: &Context) -> Result<Vec<Row>> {
    let registry = registry(context, SUBSCRIBERS + BURST).await?;
    let mut all = Vec::new();
    for number in 0..SUBSCRIBERS {
        all.push(Client::sign_in(source(number), registry.tcp, number).await?);
    }
    // All that came before is in the snapshot.
    try_join_all(all.iter_mut().map(|client| subscribe(client, SUBSCRIBERS))).await?;
    let (mut busy, mut late, mut length) = (Vec::new(), Vec::new(), 0);
    for number in 0..TIMES {
        let (before, began) = (cpu(registry.pid()?)?, Instant::now());
        let newcomer = come(&registry, number).await?;
        let deltas = try_join_all(all.iter_mut().map(|client| until(client, 1))).await?;
        late.push(began.elapsed().as_secs_f64());
        busy.push((cpu(registry.pid()?)? - before).as_secs_f64());
        length = deltas.first().context("nobody")?.bytes;
        drop(newcomer);
        try_join_all(all.iter_mut().map(|client| until(client, 1))).await?;
    }
    let newcomers = join_all((0..BURST).map(|number| come(&registry, number))).await;
    let burst = try_join_all(all.iter_mut().map(|client| until(client, BURST))).await?;
    let deltas = burst.iter().map(|seen| seen.deltas).max();
    let newcomers: Vec<Client> = newcomers.into_iter().collect::<Result<_>>()?;
    ensure!(newcomers.len() == BURST);
    let bare = bare(length).await?;
    let row = |what: &str, against: &str, unit, ours, limit, reach| Row {
        what: what.to_owned(),
        against: against.to_owned(),
        unit,
        ours,
        limit,
        reach,
    };
    let latest = late.into_iter().fold(0.0, f64::max);
    let deltas = deltas.context("nobody")? as f64;
    Ok(vec![
        row(
            "one login by key seen by 1000, time on the core",
            "1000 bare TLS writes",
            Unit::Seconds,
            median(busy),
            bare,
            Reach::AtMost(REACH),
        ),
        row(
            "one login by key seen by 1000, the latest",
            "what a change waits for others",
            Unit::Seconds,
            latest,
            0.25,
            Reach::Below(LATEST),
        ),
        row(
            "deltas for 100 logins by key in a burst",
            "one",
            Unit::Number,
            deltas,
            1.0,
            Reach::Below(1.0),
        ),
    ])
}

/// Signs one more user in.
async fn come(registry: &Registry, number: usize) -> Result<Client> {
    let number = SUBSCRIBERS + number;
    Client::sign_in(source(number), registry.tcp, number).await
}

/// What a subscriber got.
#[derive(Debug, Default)]
struct Seen {
    deltas: usize,
    changes: usize,
    bytes: usize,
}

/// Waits until a subscriber knows of so many changes.
async fn until(client: &mut Client, changes: usize) -> Result<Seen> {
    let mut seen = Seen::default();
    while seen.changes < changes {
        let (frame, bytes) = client.next().await?;
        let FromRegistry::Delta(users) = frame else {
            anyhow::bail!("{frame:?} came, and no delta");
        };
        seen.deltas += 1;
        seen.changes += users.len();
        seen.bytes += bytes;
    }
    Ok(seen)
}

/// How long writing so many bytes to each keeps the core busy.
async fn bare(length: usize) -> Result<f64> {
    let (connections, bytes) = (SUBSCRIBERS.to_string(), length.to_string());
    let sizes = ["--connections", &connections, "--length", &bytes];
    let bare = Bare::start(&[&["tls-tell"], &sizes[..]].concat()).await?;
    let mut all = Vec::new();
    for number in 0..SUBSCRIBERS {
        all.push(secured(source(number), bare.address, &device(number)).await?);
    }
    let mut busy = Vec::new();
    for _ in 0..TIMES {
        // As rarely as deltas come: what is written at once again is still in the caches.
        sleep(PAUSE).await;
        let before = cpu(bare.pid)?;
        let first = all.first_mut().context("nobody")?;
        first.write_u8(1).await?;
        first.flush().await?;
        let reading = all.iter_mut().map(async |stream| {
            let mut delta = vec![0; length];
            stream.read_exact(&mut delta).await
        });
        try_join_all(reading).await?;
        busy.push((cpu(bare.pid)? - before).as_secs_f64());
    }
    Ok(median(busy))
}
