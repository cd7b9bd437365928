//! What encryption costs those who do not use it: the registry against an earlier one, which
//! spoke version 1 alone.

use std::env;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use p2pchat_protocol::Password;
use p2pchat_testkit::{Programs, Registry, Session};
use tokio::time::sleep;

use super::Context;
use super::search::{MANY, compare, same_exchange};
use crate::load::Load;
use crate::row::{Missing, Reach, Row, Unit, rate_and_p99};
use crate::sample::{Sample, side_by_side};
use crate::servers::{self, PASSWORD, name};

/// Names the folder of the earlier programs.
const VARIABLE: &str = "P2PCHAT_BENCH_EARLIER";
/// How much more a cold start may take, in seconds: the key is read, and the store asked for it.
const START: f64 = 0.0005;
/// How much more memory a registry may take at rest, in bytes: ring and rustls.
const MEMORY: f64 = 1024.0 * 1024.0;
/// The part of a core that a registry may take more at rest.
const IDLE: f64 = 0.0005;
/// How long after its start a registry is at rest.
const SETTLED: Duration = Duration::from_secs(1);
/// What the rows say of the other side.
const AGAINST: &str = "the same without encryption";
/// For how long a registry is left alone to see what it takes.
const ALONE: Duration = Duration::from_secs(5);

/// Cold start, memory and CPU at rest, and Search, against the earlier programs.
///
/// # Errors
/// [`Missing`] where there are none, or if one does not start.
pub(super) async fn earlier(context: &Context) -> Result<Vec<Row>> {
    let Some(folder) = env::var_os(VARIABLE) else {
        let what = format!("{VARIABLE} does not name a folder with earlier programs");
        return Err(Missing(what).into());
    };
    let earlier = Programs::at(folder.into());
    let mut rows = Vec::new();
    for (what, unit, more, of) in [
        (
            "cold start of the registry",
            Unit::Seconds,
            START,
            Figure::Start,
        ),
        (
            "memory of a registry at rest",
            Unit::Bytes,
            MEMORY,
            Figure::Memory,
        ),
        ("CPU of a registry at rest", Unit::Share, IDLE, Figure::Idle),
    ] {
        let pair = side_by_side(
            context.rounds,
            async || of.measure(context, &context.programs).await,
            async || of.measure(context, &earlier).await,
        );
        let pair = pair.await?;
        rows.push(Row {
            what: what.to_owned(),
            against: AGAINST.to_owned(),
            unit,
            ours: pair.ours.p50,
            limit: pair.limit.p50,
            reach: Reach::MoreByAtMost(more),
        });
    }
    rows.extend(search(context, &earlier).await?);
    Ok(rows)
}

/// What is measured of a registry without users.
#[derive(Debug, Clone, Copy)]
enum Figure {
    Start,
    Memory,
    Idle,
}

impl Figure {
    async fn measure(self, context: &Context, programs: &Programs) -> Result<Sample> {
        let began = Instant::now();
        let registry = start(context, programs).await?;
        let took = began.elapsed();
        let p50 = match self {
            Self::Start => took.as_secs_f64(),
            // Far below 2^52 bytes: exact.
            Self::Memory => registry.memory()? as f64,
            Self::Idle => {
                sleep(SETTLED).await;
                let before = cpu(registry.pid()?)?;
                sleep(ALONE).await;
                let used = cpu(registry.pid()?)?.saturating_sub(before);
                used.as_secs_f64() / ALONE.as_secs_f64()
            }
        };
        registry.kill().await?;
        Ok(Sample {
            p50,
            ..Sample::default()
        })
    }
}

async fn start(context: &Context, programs: &Programs) -> Result<Registry> {
    servers::registry(programs, context.home(), &context.new_store()).await
}

/// The look at the first byte of each connection is all that a search meets.
async fn search(context: &Context, earlier: &Programs) -> Result<[Row; 2]> {
    let mut registries = Vec::new();
    for programs in [&context.programs, earlier] {
        let registry = start(context, programs).await?;
        let mut session = Session::connect(Ipv4Addr::LOCALHOST, registry.tcp).await?;
        let password = || Password::new(PASSWORD);
        session.register(name(0), password()?).await?;
        session.login(name(0), password()?).await?;
        registries.push(registry);
    }
    let mut ours = Load::connect(registries[0].tcp, MANY).await?;
    let mut theirs = Load::connect(registries[1].tcp, MANY).await?;
    let exchange = same_exchange();
    let pair = compare(context, &mut ours, &exchange, &mut theirs, &exchange).await?;
    let what = format!("Search, {MANY} connections");
    Ok(rate_and_p99(&what, AGAINST, pair, [0.97, 1.1]))
}

/// How long the threads of a process have run so far.
fn cpu(pid: u32) -> Result<Duration> {
    let mut nanos = 0;
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let times = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        let running = times.split_whitespace().next().context("no time")?;
        nanos += running.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanos))
}
