//! Hello: the datagrams that say "still here", as fast as they come.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::Result;
use p2pchat_protocol::Hello;

use super::Context;
use super::search::registry;
use crate::process;
use crate::row::{Reach, Row, Unit};
use crate::sample::{Sample, side_by_side};
use crate::servers::{Bare, name};

/// The share of the bare receiver's rate at which nothing should be lost.
const EASY: f64 = 0.7;
/// How many datagrams are sent between two looks at the clock.
const BURST: u32 = 16;

/// How fast they are sent.
#[derive(Clone, Copy)]
enum Pace {
    /// As fast as one core can.
    Full,
    /// So many a second.
    PerSecond(f64),
}

/// At full speed: how many are taken; at an easy one: what share is lost.
///
/// # Errors
/// If a server does not start, or fails.
pub(super) async fn hello(context: &Context) -> Result<Vec<Row>> {
    let registry = registry(context, &context.new_store()).await?;
    let bare = Bare::start(&["take"]).await?;
    let time = context.time;
    let full = side_by_side(
        context.rounds,
        async || Ok(send(registry.udp, Pace::Full, time)?.sample),
        async || Ok(send(bare.address, Pace::Full, time)?.sample),
    )
    .await?;
    let pace = Pace::PerSecond(full.limit.rate * EASY);
    // The share that was lost, in place of a rate.
    let lost = |to| {
        let sent = send(to, pace, time)?;
        Ok(Sample {
            rate: sent.lost,
            ..Sample::default()
        })
    };
    let easy = side_by_side(
        context.rounds,
        async || lost(registry.udp),
        async || lost(bare.address),
    )
    .await?;
    let against = "a bare receiver".to_owned();
    Ok(vec![
        Row {
            what: "Hello, as fast as they come".to_owned(),
            against: against.clone(),
            unit: Unit::PerSecond,
            ours: full.ours.rate,
            limit: full.limit.rate,
            reach: Reach::AtLeast(0.9),
            point: None,
        },
        Row {
            what: format!("Hello, lost at {EASY} of the bare rate"),
            against,
            unit: Unit::Share,
            ours: easy.ours.rate,
            limit: easy.limit.rate,
            reach: Reach::MoreByAtMost(0.001),
            point: None,
        },
    ])
}

/// How many a second are taken at full speed.
///
/// # Errors
/// If they cannot be sent.
pub(super) fn taken(to: SocketAddr, time: Duration) -> Result<Sample> {
    Ok(send(to, Pace::Full, time)?.sample)
}

/// What became of the datagrams.
struct Sent {
    /// Those that were taken, as the rate.
    sample: Sample,
    /// The share of the others.
    lost: f64,
}

/// Sends for `time`, and counts by what the system dropped.
fn send(to: SocketAddr, pace: Pace, time: Duration) -> Result<Sent> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.connect(to)?;
    let hello = Hello { username: name(0) }.encode();
    let (dropped_before, _) = process::udp_queue(to.port())?;
    let began = Instant::now();
    let mut sent = 0_u32;
    while began.elapsed() < time {
        for _ in 0..BURST {
            socket.send(&hello)?;
        }
        sent += BURST;
        if let Pace::PerSecond(rate) = pace {
            let due = Duration::from_secs_f64(f64::from(sent) / rate);
            std::thread::sleep(due.saturating_sub(began.elapsed()));
        }
    }
    let wall = began.elapsed().as_secs_f64();
    let (dropped, _) = process::udp_queue(to.port())?;
    // Both stay far below 2^52: exact.
    let (sent, lost) = (f64::from(sent), (dropped - dropped_before) as f64);
    Ok(Sent {
        sample: Sample {
            rate: (sent - lost) / wall,
            ..Sample::default()
        },
        lost: lost / sent,
    })
}
