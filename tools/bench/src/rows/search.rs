//! Search: the request of which there are most, and which touches memory only.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::Result;
use p2pchat_protocol::{Request, Response};
use p2pchat_testkit::{Programs, Registry};
use tokio::io::{AsyncRead, AsyncWrite};

use super::Context;
use crate::load::{Exchange, Load, connect};
use crate::pin::Side;
use crate::row::{Row, rate_and_p99};
use crate::sample::{Pair, side_by_side};
use crate::servers::{self, Bare, STAY, name};

/// How many connections ask at a time.
const CONNECTIONS: [usize; 5] = [1, 10, 50, 200, 1000];

/// A search for a user who is online.
fn exchange() -> Exchange {
    let request = Request::Search {
        username: name(0),
        target: name(0),
    };
    Exchange {
        request: request.encode().to_vec(),
        answer: Response::HEAD_LEN,
    }
}

/// A registry with one user online.
///
/// # Errors
/// If it does not start.
pub(super) async fn registry(context: &Context, store: &str) -> Result<Registry> {
    registry_on(Side::Server, &context.programs, context, store).await
}

/// The same on the cores of a side, of these programs.
///
/// # Errors
/// The same.
pub(super) async fn registry_on(
    side: Side,
    programs: &Programs,
    context: &Context,
    store: &str,
) -> Result<Registry> {
    let registry = servers::registry_on(side, programs, context.home(), store, &STAY).await?;
    let mut stream = connect(Ipv4Addr::LOCALHOST, registry.tcp).await?;
    servers::register(&mut stream, 0).await?;
    servers::log_in(&mut stream, 0..1).await?;
    Ok(registry)
}

/// Against a bare server, with few and with many connections.
///
/// # Errors
/// If a server does not start, or fails.
pub(super) async fn search(context: &Context) -> Result<Vec<Row>> {
    let registry = registry(context, &context.new_store()).await?;
    let length = Response::HEAD_LEN.to_string();
    let bare = Bare::start(&["answer", "--length", &length]).await?;
    let mut rows = Vec::new();
    for connections in CONNECTIONS {
        let mut ours = Load::connect(registry.tcp, connections).await?;
        let mut limit = Load::connect(bare.address, connections).await?;
        let pair = compare(context, &mut ours, &exchange(), &mut limit, &exchange()).await?;
        let what = match connections {
            1 => "Search, 1 connection".to_owned(),
            many => format!("Search, {many} connections"),
        };
        rows.extend(rate_and_p99(&what, "a bare server", pair, [0.95, 1.2]));
    }
    Ok(rows)
}

/// How long one side asks before it is the other's turn. What else the machine does lasts
/// longer, as a rule, and so falls on both.
pub(super) const TURN: Duration = Duration::from_millis(250);

/// Two loads in turn, each for the time of all rounds, in turns of [`TURN`].
///
/// # Errors
/// If one fails.
pub(super) async fn compare<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    context: &Context,
    ours: &mut Load<S>,
    our_exchange: &Exchange,
    limit: &mut Load<S>,
    limit_exchange: &Exchange,
) -> Result<Pair> {
    let turn = TURN.min(context.time);
    let turns = context.time.div_duration_f64(turn).ceil() as usize;
    side_by_side(
        context.rounds * turns,
        async || ours.run(our_exchange, turn).await,
        async || limit.run(limit_exchange, turn).await,
    )
    .await
}

/// With 50 connections, against another store and against Redis.
pub(super) const MANY: usize = 50;

/// The exchange of [`search`], for others who hold theirs against it.
pub(super) fn same_exchange() -> Exchange {
    exchange()
}
