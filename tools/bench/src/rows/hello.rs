//! Hello: the datagrams that say "still here", as fast as they come.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::Result;
use p2pchat_protocol::Hello;

use super::Context;
use super::online::registry;
use crate::process;
use crate::row::{Reach, Row, Unit};
use crate::sample::{Pair, Sample, side_by_side};
use crate::servers::{Bare, name};

/// How many users are online and say it.
const USERS: [usize; 4] = [10, 1_000, 100_000, 1_000_000];
/// With how many it is measured what is lost.
const SOME: usize = 1_000;
/// The share of the bare receiver's rate at which nothing should be lost.
const EASY: f64 = 0.7;
/// How many datagrams are sent between two looks at the clock.
const BURST: usize = 16;

/// How fast they are sent.
#[derive(Clone, Copy)]
enum Pace {
    /// As fast as one core can.
    Full,
    /// So many a second.
    PerSecond(f64),
}

/// At full speed: how many are taken, with more and more users. At an easy one: what share
/// is lost.
///
/// # Errors
/// If a server does not start, or fails.
pub(super) async fn hello(context: &Context) -> Result<Vec<Row>> {
    let bare = Bare::start(&["take"]).await?;
    let mut rows = Vec::new();
    for users in USERS {
        let registry = registry(context, users).await?;
        let servers = [registry.udp, bare.address];
        let full = compare(context, servers, users, Pace::Full, |sent| sent.taken).await?;
        rows.push(Row {
            what: format!("Hello, as fast as they come, {users} users"),
            against: "a bare receiver".to_owned(),
            unit: Unit::PerSecond,
            ours: full.ours.rate,
            limit: full.limit.rate,
            reach: Reach::AtLeast(0.9),
        });
        if users != SOME {
            continue;
        }
        let pace = Pace::PerSecond(full.limit.rate * EASY);
        let easy = compare(context, servers, users, pace, |sent| sent.lost).await?;
        rows.push(Row {
            what: format!("Hello, lost at {EASY} of the bare rate, {users} users"),
            against: "a bare receiver".to_owned(),
            unit: Unit::Share,
            ours: easy.ours.rate,
            limit: easy.limit.rate,
            reach: Reach::MoreByAtMost(0.001),
        });
    }
    Ok(rows)
}

/// The registry and the bare receiver in turn: one figure of each, as its rate.
async fn compare(
    context: &Context,
    [ours, bare]: [SocketAddr; 2],
    users: usize,
    pace: Pace,
    figure: fn(Sent) -> f64,
) -> Result<Pair> {
    let hellos = hellos(users);
    let measure = |to| {
        Ok(Sample {
            rate: figure(send(to, &hellos, pace, context.time)?),
            ..Sample::default()
        })
    };
    side_by_side(
        context.rounds,
        async || measure(ours),
        async || measure(bare),
    )
    .await
}

/// What so many users say.
fn hellos(users: usize) -> Vec<[u8; Hello::LEN]> {
    let hello = |number| {
        Hello {
            username: name(number),
        }
        .encode()
    };
    (0..users).map(hello).collect()
}

/// How many a second are taken at full speed from one who is not online.
///
/// # Errors
/// If they cannot be sent.
pub(super) fn taken(to: SocketAddr, time: Duration) -> Result<Sample> {
    Ok(Sample {
        rate: send(to, &hellos(1), Pace::Full, time)?.taken,
        ..Sample::default()
    })
}

/// What became of the datagrams.
struct Sent {
    /// How many a second were taken.
    taken: f64,
    /// The share of the others.
    lost: f64,
}

/// Sends for `time`, all in turn, and counts by what the system dropped.
fn send(to: SocketAddr, hellos: &[[u8; Hello::LEN]], pace: Pace, time: Duration) -> Result<Sent> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.connect(to)?;
    let mut in_turn = hellos.iter().cycle();
    let (dropped_before, _) = process::udp_queue(to.port())?;
    let began = Instant::now();
    let mut sent = 0_u32;
    while began.elapsed() < time {
        for hello in in_turn.by_ref().take(BURST) {
            socket.send(hello)?;
            sent += 1;
        }
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
        taken: (sent - lost) / wall,
        lost: lost / sent,
    })
}
