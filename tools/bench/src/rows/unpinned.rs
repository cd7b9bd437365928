//! Search with nothing pinned: the server and its load share all cores, as they do where
//! people run them. The pinned rows hide what the threads of a server share.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use p2pchat_protocol::Response;
use tokio::runtime::Runtime;
use tokio::task::spawn_blocking;

use super::Context;
use super::search::{MANY, TURN, registry_on, same_exchange};
use crate::load::Load;
use crate::pin::Side;
use crate::process::cpu;
use crate::row::{Reach, Row, Unit};
use crate::sample::{Sample, medians};
use crate::servers::{Bare, on_cores_of};

/// What a server did under the load.
#[derive(Debug)]
struct Measured {
    sample: Sample,
    /// How long a request kept the cores busy in the server, in seconds.
    cpu: f64,
}

/// Against a bare server with a thread a core, and one with a single thread.
///
/// # Errors
/// If a server does not start, or fails.
pub(super) async fn search(context: &Context) -> Result<Vec<Row>> {
    let (programs, store) = (&context.programs, context.new_store());
    let registry = registry_on(Side::All, programs, context, &store).await?;
    let length = Response::HEAD_LEN.to_string();
    let answer = ["answer", "--length", &length];
    let single = Bare::start_on(Side::All, &answer).await?;
    let threads = Bare::start_on(Side::All, &[&answer[..], &["--threads"]].concat()).await?;
    let servers = [
        (registry.tcp, registry.pid()?),
        (threads.address, threads.pid),
        (single.address, single.pid),
    ];
    let turns = context.rounds * context.time.div_duration_f64(TURN).ceil() as usize;
    // The threads of the load, which this one starts, have all cores.
    let loading = move || {
        on_cores_of(Side::All, || {
            Runtime::new()?.block_on(in_turn(servers, turns))
        })
    };
    let [ours, threads, single] = spawn_blocking(loading).await??;
    let mut with_threads = rows(&ours, &threads, "a bare server, a thread a core");
    with_threads[0].reach = Reach::AtLeast(0.95);
    let with_one = rows(&ours, &single, "a bare server, one thread");
    Ok([with_threads, with_one].concat())
}

/// All servers in turn, each for as many turns.
async fn in_turn(servers: [(SocketAddr, u32); 3], turns: usize) -> Result<[Measured; 3]> {
    let mut loads = Vec::new();
    for (address, pid) in servers {
        let load = Load::connect(address, MANY).await?;
        loads.push((load, cpu(pid)?, pid, Vec::new()));
    }
    for _ in 0..turns {
        for (load, .., samples) in &mut loads {
            samples.push(load.run_in_tasks(&same_exchange(), TURN).await?);
        }
    }
    let measured = loads.into_iter().map(|(_, before, pid, samples)| {
        let requests: f64 = samples.iter().map(|sample| sample.rate).sum();
        let busy = cpu(pid)? - before;
        Ok(Measured {
            sample: medians(&samples),
            cpu: busy.as_secs_f64() / (requests * TURN.as_secs_f64()),
        })
    });
    let measured: Vec<Measured> = measured.collect::<Result<_>>()?;
    measured.try_into().ok().context("three servers")
}

fn rows(ours: &Measured, limit: &Measured, against: &str) -> [Row; 4] {
    let row = |what: &str, unit, figure: fn(&Measured) -> f64| Row {
        what: format!("Search, {MANY} connections, not pinned{what}"),
        against: against.to_owned(),
        unit,
        ours: figure(ours),
        limit: figure(limit),
        reach: Reach::Any,
    };
    [
        row("", Unit::PerSecond, |it| it.sample.rate),
        row(", p50", Unit::Seconds, |it| it.sample.p50),
        row(", p99.9", Unit::Seconds, |it| it.sample.p999),
        row(", time on the cores", Unit::Seconds, |it| it.cpu),
    ]
}
