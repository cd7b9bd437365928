//! What a session costs that does nothing, as most do most of the time.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result};
use p2pchat_lab::programs::memory;
use p2pchat_protocol::Response;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Context;
use crate::load::{connect, source};
use crate::row::{Reach, Row, Unit};
use crate::servers::{self, Bare, login};

/// How many sessions there are.
const SESSIONS: usize = 9_900;
/// What each may take beyond a connection of the bare server, in bytes.
const MORE: f64 = 1024.0;

/// Logged-in sessions against connections of a bare server.
///
/// # Errors
/// If a server does not start, or refuses one.
pub(super) async fn idle(context: &Context) -> Result<Vec<Row>> {
    raise_file_limit().context("too few files may be open here")?;
    let store = context.new_store();
    servers::fill(&store, SESSIONS).await?;
    let registry = servers::registry(&context.programs, context.home(), &store).await?;
    let before = registry.memory()?;
    let mut open = Vec::with_capacity(SESSIONS);
    for number in 0..SESSIONS {
        let mut stream = connect(source(number), registry.tcp).await?;
        servers::expect(&mut stream, &login(number)?, 21).await?;
        open.push(stream);
    }
    let ours = each(registry.memory()?, before);
    drop(open);

    let length = Response::HEAD_LEN.to_string();
    let bare = Bare::start(&["answer", "--length", &length]).await?;
    let before = memory(bare.pid)?;
    let mut open = Vec::with_capacity(SESSIONS);
    for number in 0..SESSIONS {
        let mut stream = connect(Ipv4Addr::LOCALHOST, bare.address).await?;
        stream.write_all(&login(number)?.encode()).await?;
        stream.read_exact(&mut [0; Response::HEAD_LEN]).await?;
        open.push(stream);
    }
    let limit = each(memory(bare.pid)?, before);
    Ok(vec![Row {
        what: format!("memory of an idle session, {SESSIONS} of them"),
        against: "a connection of a bare server".to_owned(),
        unit: Unit::Bytes,
        ours,
        limit,
        reach: Reach::MoreByAtMost(MORE),
        point: None,
    }])
}

fn each(after: u64, before: u64) -> f64 {
    after.saturating_sub(before) as f64 / SESSIONS as f64
}

/// As many as the system lets: this process holds the other ends.
fn raise_file_limit() -> Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let current = maximum;
    Ok(setrlimit(Resource::Nofile, Rlimit { current, maximum })?)
}
