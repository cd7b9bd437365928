//! Logging in by key: a connection, a handshake of TLS, and one frame.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use anyhow::Result;
use futures::future::try_join_all;
use p2pchat_protocol::v2::ToRegistry;
use p2pchat_secure::SecretKey;
use tokio::io::AsyncReadExt;

use super::Context;
use crate::load::source;
use crate::process::cpu;
use crate::row::{Reach, Row, Unit};
use crate::sample::{Sample, Times, side_by_side};
use crate::secured::{Client, device, greeting, registry, secured, sign_in};
use crate::servers::Bare;

/// How many clients log in again and again.
const CLIENTS: usize = 8;
/// From how many addresses each: one that goes on for ever from one address is slowed down.
const PER_ADDRESS: usize = 50;

/// Against bare handshakes with the same keys.
///
/// # Errors
/// If a server does not start, or refuses a client.
pub(super) async fn key_logins(context: &Context) -> Result<Vec<Row>> {
    let registry = registry(context, CLIENTS).await?;
    let length = greeting().to_string();
    let sizes = ["--greeting", &length, "--request", "1", "--length", "1"];
    let bare = Bare::start(&[&["tls-answer"], &sizes[..]].concat()).await?;
    // Made once, as people have them on their disk: it takes the load longer than a handshake.
    let devices: Vec<SecretKey> = (0..CLIENTS).map(device).collect();
    let frames: Vec<ToRegistry> = (0..CLIENTS).map(sign_in).collect();
    let (mut ours, mut limit) = (Vec::new(), Vec::new());
    let pair = side_by_side(
        context.rounds,
        async || {
            let logging_in = async |client: usize| {
                let from = source(client * PER_ADDRESS);
                Client::sign_in_by(from, registry.tcp, &devices[client], &frames[client]).await?;
                Ok(())
            };
            all(context, registry.pid()?, logging_in, &mut ours).await
        },
        async || {
            let connecting = async |client: usize| {
                let from = source(client * PER_ADDRESS);
                handshake(from, bare.address, &devices[client]).await
            };
            all(context, bare.pid, connecting, &mut limit).await
        },
    )
    .await?;
    let row = |what: &str, unit, ours, limit, reach| Row {
        what: format!("logins by key, {CLIENTS} clients{what}"),
        against: "bare TLS handshakes".to_owned(),
        unit,
        ours,
        limit,
        reach,
    };
    let [ours, limit] = [ours, limit].map(crate::sample::median);
    Ok(vec![
        row(
            "",
            Unit::PerSecond,
            pair.ours.rate,
            pair.limit.rate,
            Reach::AtLeast(0.85),
        ),
        row(
            ", p99",
            Unit::Seconds,
            pair.ours.p99,
            pair.limit.p99,
            Reach::Any,
        ),
        row(", time on the core", Unit::Seconds, ours, limit, Reach::Any),
    ])
}

/// Connects, and waits until the server has accepted the key.
async fn handshake(from: Ipv4Addr, to: SocketAddr, device: &SecretKey) -> Result<()> {
    let mut stream = secured(from, to, device).await?;
    stream.read_exact(&mut vec![0; greeting()]).await?;
    Ok(())
}

/// All clients again and again, and how long each time keeps the core busy in the server.
async fn all(
    context: &Context,
    pid: u32,
    once: impl AsyncFn(usize) -> Result<()>,
    busy: &mut Vec<f64>,
) -> Result<Sample> {
    let (began, before) = (Instant::now(), cpu(pid)?);
    let until = began + context.time;
    let clients = (0..CLIENTS).map(async |client| {
        let mut times = Times::default();
        while Instant::now() < until {
            let began = Instant::now();
            once(client).await?;
            times.record(began.elapsed());
        }
        anyhow::Ok(times)
    });
    let mut sum = Times::default();
    for times in try_join_all(clients).await? {
        sum.merge(&times);
    }
    // Counts stay far below 2^52: exact.
    busy.push((cpu(pid)? - before).as_secs_f64() / sum.count() as f64);
    Ok(Sample::new(&sum, began.elapsed()))
}
