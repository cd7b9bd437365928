//! This registry against one that was built earlier: what a change costs those who do not
//! need it.

use std::time::Duration;

use anyhow::{Result, bail};
use p2pchat_testkit::{Programs, Registry, own_memory};
use tokio::time::sleep;

use super::Context;
use super::search::{MANY, compare, registry_on, same_exchange};
use super::start::{once, starting};
use crate::load::Load;
use crate::pin::Side;
use crate::process::cpu;
use crate::row::{Missing, Reach, Row, Unit};
use crate::sample::side_by_side;

/// Names the folder with the earlier program.
const FOLDER: &str = "P2PCHAT_BENCH_EARLIER";
/// How long nothing is asked of a registry whose time on the core is measured.
const IDLE: Duration = Duration::from_secs(10);
/// How much more it may take: time to start in seconds, memory in bytes, of a core.
const START: f64 = 0.0005;
const MEMORY: f64 = 1024.0 * 1024.0;
const CORE: f64 = 0.0005;

/// Search, start, and what a registry takes while nothing is asked.
///
/// # Errors
/// [`Missing`] where no earlier program is named; or if one does not start, or fails.
pub(super) async fn earlier(context: &Context) -> Result<Vec<Row>> {
    let Some(folder) = std::env::var_os(FOLDER) else {
        let hint = format!("set {FOLDER} to the folder of an earlier p2pchat-registry");
        bail!(Missing(hint));
    };
    let both = [&context.programs, &Programs::in_folder(folder.into())];
    let stores = [context.new_store(), context.new_store()];
    let start = side_by_side(
        context.rounds,
        async || Ok(once(starting(both[0], context, &stores[0]).await?)),
        async || Ok(once(starting(both[1], context, &stores[1]).await?)),
    )
    .await?;
    let [ours, limit] = [
        registry_on(Side::Server, both[0], context, &stores[0]).await?,
        registry_on(Side::Server, both[1], context, &stores[1]).await?,
    ];
    let memory = [ours.memory()?, limit.memory()?];
    let own = [own_memory(ours.pid()?)?, own_memory(limit.pid()?)?];
    let idle = idle([&ours, &limit]).await?;
    let mut asking = Load::connect(ours.tcp, MANY).await?;
    let mut asking_limit = Load::connect(limit.tcp, MANY).await?;
    let exchange = same_exchange();
    let search = compare(
        context,
        &mut asking,
        &exchange,
        &mut asking_limit,
        &exchange,
    )
    .await?;
    let row = |what: &str, unit, ours, limit, reach| Row {
        what: what.to_owned(),
        against: "an earlier one".to_owned(),
        unit,
        ours,
        limit,
        reach,
    };
    let [cpu, cpu_limit] = idle.map(|busy| busy.div_duration_f64(IDLE));
    // Memory stays far below 2^52 bytes: exact.
    let [bytes, bytes_limit] = memory.map(|bytes| bytes as f64);
    let [own, own_limit] = own.map(|bytes| bytes as f64);
    let what = format!("Search, {MANY} connections");
    let rates = [search.ours.rate, search.limit.rate];
    Ok(vec![
        row(
            &what,
            Unit::PerSecond,
            rates[0],
            rates[1],
            Reach::AtLeast(0.97),
        ),
        row(
            "cold start",
            Unit::Seconds,
            start.ours.p50,
            start.limit.p50,
            Reach::MoreByAtMost(START),
        ),
        row(
            "memory of its own, idle",
            Unit::Bytes,
            own,
            own_limit,
            Reach::MoreByAtMost(MEMORY),
        ),
        row(
            "the same and the resident pages of its files",
            Unit::Bytes,
            bytes,
            bytes_limit,
            Reach::Any,
        ),
        row(
            "of a core, idle",
            Unit::Share,
            cpu,
            cpu_limit,
            Reach::MoreByAtMost(CORE),
        ),
    ])
}

/// How long each of two registries is on the core while nothing is asked.
async fn idle(registries: [&Registry; 2]) -> Result<[Duration; 2]> {
    let pids = [registries[0].pid()?, registries[1].pid()?];
    let before = [cpu(pids[0])?, cpu(pids[1])?];
    sleep(IDLE).await;
    Ok([cpu(pids[0])? - before[0], cpu(pids[1])? - before[1]])
}
