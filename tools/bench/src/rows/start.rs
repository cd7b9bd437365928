//! From the start of a program until it listens.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::Result;
use p2pchat_testkit::Programs;
use tokio::process::Command;

use super::Context;
use crate::row::{Reach, Row, Unit};
use crate::sample::{Pair, Sample, side_by_side};
use crate::servers::{self, Bridge, on_its_core};

/// How many accounts the store has.
const ACCOUNTS: [usize; 4] = [0, 1_000, 100_000, 1_000_000];
/// How long a start may take with few of them, and with the most.
const EMPTY: f64 = 0.050;
const LARGE: f64 = 0.200;

/// The registry, with an empty store and larger ones, and the bridge.
///
/// # Errors
/// If one does not start.
pub(super) async fn start(context: &Context) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for accounts in ACCOUNTS {
        let store = context.new_store();
        servers::fill(&store, accounts).await?;
        let pair = of_registry(context, &store).await?;
        let most = if accounts < 1_000_000 { EMPTY } else { LARGE };
        let what = format!("cold start of the registry, {accounts} accounts");
        rows.push(row(what, pair, most));
    }
    let bridge = of_bridge(context).await?;
    rows.push(row("cold start of the bridge".to_owned(), bridge, EMPTY));
    Ok(rows)
}

fn row(what: String, pair: Pair, most: f64) -> Row {
    Row {
        what,
        against: "/bin/true".to_owned(),
        unit: Unit::Seconds,
        ours: pair.ours.p50,
        limit: pair.limit.p50,
        reach: Reach::Below(most),
    }
}

async fn of_registry(context: &Context, store: &str) -> Result<Pair> {
    let starting = async || starting(&context.programs, context, store).await;
    against_true(context, starting).await
}

/// How long a registry of these programs takes until it listens.
///
/// # Errors
/// If it does not start.
pub(super) async fn starting(
    programs: &Programs,
    context: &Context,
    store: &str,
) -> Result<Duration> {
    let began = Instant::now();
    let registry = servers::registry(programs, context.home(), store).await?;
    let time = began.elapsed();
    registry.kill().await?;
    Ok(time)
}

async fn of_bridge(context: &Context) -> Result<Pair> {
    // Nobody listens there.
    let nowhere = [SocketAddr::from((Ipv4Addr::LOCALHOST, 1)); 2];
    let home = context.home().join("cold");
    let starting = async || {
        let began = Instant::now();
        let bridge = Bridge::start(&context.programs, &home, nowhere).await?;
        let time = began.elapsed();
        bridge.kill().await?;
        Ok(time)
    };
    against_true(context, starting).await
}

async fn against_true(
    context: &Context,
    mut starting: impl AsyncFnMut() -> Result<Duration>,
) -> Result<Pair> {
    side_by_side(
        context.rounds,
        async || Ok(once(starting().await?)),
        async || {
            let began = Instant::now();
            let mut command = Command::new("/bin/true");
            let mut child = on_its_core(|| Ok(command.spawn()?))?;
            child.wait().await?;
            Ok(once(began.elapsed()))
        },
    )
    .await
}

/// One time as a measurement.
pub(super) fn once(time: Duration) -> Sample {
    Sample {
        p50: time.as_secs_f64(),
        ..Sample::default()
    }
}
