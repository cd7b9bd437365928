//! Registering and logging in: an Argon2id hash each, and as little else as possible.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures::future::try_join_all;
use p2pchat_protocol::v2::Passphrase;
use p2pchat_protocol::{Password, Request};
use p2pchat_registry::password::Hasher;
use tokio::net::TcpStream;

use super::Context;
use crate::load::{connect, source};
use crate::row::{Reach, Row, Unit};
use crate::sample::{Sample, Times, side_by_side};
use crate::servers::{self, expect, name, on_its_core};

/// How many ask at a time: enough that the hashing thread never waits for one.
const CLIENTS: usize = 8;
/// How long one measurement takes at least: of some thirty a second, one more or less
/// must not count.
const TIME: Duration = Duration::from_secs(3);
/// Each client's names begin here.
const NAMES: usize = 1_000_000;

/// Registrations, and logins, against the hash alone.
///
/// # Errors
/// If the registry does not start, or fails.
pub(super) async fn passwords(context: &Context) -> Result<Vec<Row>> {
    let store = context.new_store();
    let registry = servers::registry(&context.programs, context.home(), &store).await?;
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        // Each from an address of its own, as people are.
        let stream = connect(source(number * 50), registry.tcp).await?;
        clients.push(Client {
            stream,
            made: 0,
            first: number * NAMES,
        });
    }
    let mut rows = Vec::new();
    for (what, register) in [("registrations", true), ("logins", false)] {
        let pair = side_by_side(
            context.rounds,
            async || all(context, &mut clients, register).await,
            async || hashes(context),
        )
        .await?;
        rows.push(Row {
            what: format!("{what}, {CLIENTS} clients"),
            against: "Argon2id alone".to_owned(),
            unit: Unit::PerSecond,
            ours: pair.ours.rate,
            limit: pair.limit.rate,
            reach: Reach::AtLeast(0.9),
        });
    }
    Ok(rows)
}

/// A client that registers one name after the other, and then logs them in.
struct Client {
    stream: TcpStream,
    first: usize,
    made: usize,
}

impl Client {
    async fn ask(&mut self, register: bool, until: Instant) -> Result<Times> {
        let mut times = Times::default();
        let mut logged_in = 0;
        while Instant::now() < until {
            let began = Instant::now();
            let password = Password::new("correct horse")?;
            let (request, status) = if register {
                let username = name(self.first + self.made);
                self.made += 1;
                (Request::Register { username, password }, 20)
            } else {
                let username = name(self.first + logged_in % self.made);
                logged_in += 1;
                (Request::Login { username, password }, 21)
            };
            expect(&mut self.stream, &request, status).await?;
            times.record(began.elapsed());
        }
        Ok(times)
    }
}

async fn all(context: &Context, clients: &mut [Client], register: bool) -> Result<Sample> {
    let began = Instant::now();
    let until = began + context.time.max(TIME);
    let asking = clients.iter_mut().map(|client| client.ask(register, until));
    let mut sum = Times::default();
    for times in try_join_all(asking).await? {
        sum.merge(&times);
    }
    Ok(Sample::new(&sum, began.elapsed()))
}

/// Hashes and nothing else, on the core of the servers.
fn hashes(context: &Context) -> Result<Sample> {
    on_its_core(|| {
        let mut hasher = Hasher::default();
        let mut times = Times::default();
        let start = Instant::now();
        while start.elapsed() < context.time.max(TIME) {
            let began = Instant::now();
            hasher.hash(&Passphrase::new("correct horse")?)?;
            times.record(began.elapsed());
        }
        Ok(Sample::new(&times, start.elapsed()))
    })
}
