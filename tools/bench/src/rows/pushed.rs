//! What an online session of version 2 takes: memory, and bytes for presence, which is pushed.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use p2pchat_protocol::v2::{FromRegistry, ToRegistry};
use p2pchat_testkit::{Registry, memory};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::timeout_at;

use super::idle::raise_file_limit;
use super::{Context, online};
use crate::load::source;
use crate::row::{Reach, Row, Unit};
use crate::secured::{Client, Stream, bytes, device, greeting, registry, secured};
use crate::servers::Bare;

/// How many users are online, and how many times less than polling their presence may take.
const USERS: [(usize, f64); 2] = [(1_000, 30.0), (10_000, 50.0)];
/// How long what is pushed is counted: as many changes, and two pings.
const WINDOW: Duration = Duration::from_secs(30);
/// One comes or goes.
const CHANGE: Duration = Duration::from_secs(1);
const PING: Duration = Duration::from_secs(15);
const HOUR: f64 = 3600.0;
/// What a session may take beyond a bare connection, and a user in a snapshot, in bytes.
const MORE: f64 = 2048.0;
const OF_USER: f64 = 64.0;
/// How long a client of version 1 keeps a list, for each user on it, at least and at most.
const POLL_PER_USER: Duration = Duration::from_millis(10);
const POLL: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(60)];

/// With many users and more.
///
/// # Errors
/// If a server does not start, or refuses a client.
pub(super) async fn pushed(context: &Context) -> Result<Vec<Row>> {
    raise_file_limit()?;
    let mut rows = Vec::new();
    for (users, times_less) in USERS {
        // Before the sessions: both at a time are more files than a process may have.
        let bare = of_bare(users).await?;
        let registry = registry(context, users + 2).await?;
        let before = registry.memory()?;
        let mut sessions = Sessions::default();
        for number in 0..users {
            let client = Client::sign_in(source(number), registry.tcp, number).await?;
            sessions.keep(client);
        }
        let after = registry.memory()?;
        let row = |what, against: &str, unit, ours, limit, reach| Row {
            what,
            against: against.to_owned(),
            unit,
            ours,
            limit,
            reach,
        };
        rows.push(row(
            format!("memory of an idle session of version 2, {users} of them"),
            "a bare TLS connection",
            Unit::Bytes,
            each(before, after, users),
            bare,
            Reach::MoreByAtMost(MORE),
        ));
        let mut client = Client::sign_in(source(users), registry.tcp, users).await?;
        let snapshot = subscribe(&mut client, users).await?;
        rows.push(row(
            format!("a snapshot of {users} users, for each"),
            "a list of version 1",
            Unit::Bytes,
            snapshot as f64 / users as f64,
            online::exchange(users)?.answer as f64 / users as f64,
            Reach::Below(OF_USER),
        ));
        let pushed = hour(&registry, &mut client.stream, users + 1).await?;
        rows.push(row(
            format!("presence for an hour, {users} users, one comes or goes each second"),
            "the polling of version 1",
            Unit::Bytes,
            pushed,
            polled(users)?,
            Reach::AtMost(1.0 / times_less),
        ));
    }
    Ok(rows)
}

/// Sessions that do nothing but stay alive.
#[derive(Debug, Default)]
struct Sessions(JoinSet<Result<()>>);

impl Sessions {
    fn keep(&mut self, mut client: Client) {
        self.0.spawn(async move {
            loop {
                tokio::time::sleep(PING).await;
                let pong = client.ask(&ToRegistry::Ping).await?;
                ensure!(pong == FromRegistry::Pong, "{pong:?}");
            }
        });
    }
}

/// Bytes for each, of a bare server.
async fn of_bare(connections: usize) -> Result<f64> {
    let length = greeting().to_string();
    let sizes = ["--greeting", &length, "--request", "1", "--length", "1"];
    let bare = Bare::start(&[&["tls-answer"], &sizes[..]].concat()).await?;
    let before = memory(bare.pid)?;
    let mut open = Vec::with_capacity(connections);
    for number in 0..connections {
        let mut stream = secured(source(number), bare.address, &device(number)).await?;
        stream.read_exact(&mut vec![0; greeting()]).await?;
        open.push(stream);
    }
    Ok(each(before, memory(bare.pid)?, open.len()))
}

fn each(before: u64, after: u64, number: usize) -> f64 {
    // Memory stays far below 2^52 bytes: exact.
    after.saturating_sub(before) as f64 / number as f64
}

/// Subscribes, and returns how many bytes came until all were known.
pub(super) async fn subscribe(client: &mut Client, users: usize) -> Result<u64> {
    let before = client.stream.get_ref().received;
    client
        .stream
        .write_all(&bytes(&ToRegistry::Subscribe))
        .await?;
    client.stream.flush().await?;
    let (mut known, mut is_done, mut is_whole) = (0, false, false);
    while !(is_done && is_whole) {
        match client.next().await?.0 {
            FromRegistry::Done => is_done = true,
            FromRegistry::Snapshot { users, ends, .. } => {
                known += users.len();
                is_whole = ends;
            }
            FromRegistry::Delta(_) => {}
            other => anyhow::bail!("{other:?}"),
        }
    }
    ensure!(known >= users, "{known} users of {users}");
    Ok(client.stream.get_ref().received - before)
}

/// How many bytes come in an hour while the user of this number comes and goes.
async fn hour(registry: &Registry, stream: &mut Stream, number: usize) -> Result<f64> {
    let before = stream.get_ref().received;
    let began = Instant::now();
    let (mut change, mut ping) = (began + CHANGE, began + PING);
    let mut user = None;
    let mut buffer = vec![0; 16 * 1024];
    while began.elapsed() < WINDOW {
        let next = change.min(ping).into();
        if let Ok(read) = timeout_at(next, stream.read(&mut buffer)).await {
            ensure!(read? > 0, "the registry has closed the session");
        }
        if Instant::now() >= ping {
            ping += PING;
            stream.write_all(&bytes(&ToRegistry::Ping)).await?;
            stream.flush().await?;
        }
        if Instant::now() >= change {
            change += CHANGE;
            user = match user {
                Some(_) => None,
                None => Some(Client::sign_in(source(number), registry.tcp, number).await?),
            };
        }
    }
    let received = stream.get_ref().received - before;
    Ok(received as f64 * HOUR / WINDOW.as_secs_f64())
}

/// How many bytes a client of version 1 gets in an hour.
fn polled(users: usize) -> Result<f64> {
    let [least, most] = POLL;
    let interval = (POLL_PER_USER * u32::try_from(users)?).clamp(least, most);
    Ok(online::exchange(users)?.answer as f64 * HOUR / interval.as_secs_f64())
}
