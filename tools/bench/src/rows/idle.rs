//! What a session costs that does nothing, as most do most of the time.

use anyhow::Result;
use p2pchat_protocol::Response;
use p2pchat_testkit::memory;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Context;
use crate::load::{connect, source};
use crate::row::{Reach, Row, Unit};
use crate::servers::{self, Bare, login};

/// How many sessions there are; the last is replaced by what the machine lets.
const SESSIONS: [usize; 4] = [100, 1_000, 10_000, MOST];
/// More are not tried, however many the machine lets: the accounts alone take a while.
const MOST: usize = 100_000;
/// The files that a program has open besides its connections.
const OTHER_FILES: usize = 100;
/// What each may take beyond a connection of the bare server, in bytes.
const MORE: f64 = 1024.0;

/// Logged-in sessions against connections of a bare server.
///
/// # Errors
/// If a server does not start, or refuses one.
pub(super) async fn idle(context: &Context) -> Result<Vec<Row>> {
    // Each program that is started from here on may open as many.
    let most = raise_file_limit()?.saturating_sub(OTHER_FILES).min(MOST);
    let mut rows = Vec::new();
    for sessions in SESSIONS.map(|sessions| sessions.min(most)) {
        let ours = of_registry(context, sessions).await?;
        let limit = of_bare(sessions).await?;
        rows.push(Row {
            what: format!("memory of an idle session, {sessions} of them"),
            against: "a connection of a bare server".to_owned(),
            unit: Unit::Bytes,
            ours,
            limit,
            // Of a few, the memory is what the allocators took at once.
            reach: match sessions {
                10_000.. => Reach::MoreByAtMost(MORE),
                _ => Reach::Any,
            },
        });
    }
    Ok(rows)
}

/// Bytes for each, of a registry.
async fn of_registry(context: &Context, sessions: usize) -> Result<f64> {
    let store = context.new_store();
    servers::fill(&store, sessions).await?;
    let registry = servers::registry(&context.programs, context.home(), &store).await?;
    let before = registry.memory()?;
    let mut open = Vec::with_capacity(sessions);
    for number in 0..sessions {
        let mut stream = connect(source(number), registry.tcp).await?;
        servers::expect(&mut stream, &login(number)?, 21).await?;
        open.push(stream);
    }
    Ok(each(registry.memory()?, before, &open))
}

/// Bytes for each, of the bare server.
async fn of_bare(sessions: usize) -> Result<f64> {
    let length = Response::HEAD_LEN.to_string();
    let bare = Bare::start(&["answer", "--length", &length]).await?;
    let before = memory(bare.pid)?;
    let mut open = Vec::with_capacity(sessions);
    for number in 0..sessions {
        let mut stream = connect(source(number), bare.address).await?;
        stream.write_all(&login(number)?.encode()).await?;
        stream.read_exact(&mut [0; Response::HEAD_LEN]).await?;
        open.push(stream);
    }
    Ok(each(memory(bare.pid)?, before, &open))
}

fn each(after: u64, before: u64, open: &[TcpStream]) -> f64 {
    // Memory stays far below 2^52 bytes: exact.
    after.saturating_sub(before) as f64 / open.len() as f64
}

/// As many as the system lets, or, where this user may say so, as [`MOST`] take: this
/// process holds the other ends. Returns how many.
pub(super) fn raise_file_limit() -> Result<usize> {
    let wanted = u64::try_from(MOST + OTHER_FILES)?;
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let more = Some(maximum.map_or(u64::MAX, |maximum| maximum.max(wanted)));
    for limit in [more, maximum] {
        let set = Rlimit {
            current: limit,
            maximum: limit,
        };
        if setrlimit(Resource::Nofile, set).is_ok() {
            return Ok(usize::try_from(limit.unwrap_or(wanted))?);
        }
    }
    anyhow::bail!("too few files may be open here")
}
