//! All Online: the one answer that grows with the number of users.

use std::net::Ipv4Addr;
use std::ops::Range;

use anyhow::Result;
use futures::future::try_join_all;
use p2pchat_protocol::{OnlineUser, Request, Response};
use p2pchat_testkit::Registry;

use super::Context;
use super::search::compare;
use crate::load::{Exchange, Load, connect};
use crate::row::{Row, rate_and_p99};
use crate::servers::{self, Bare, name};

/// How many users are online.
const USERS: [usize; 5] = [10, 100, 1_000, 10_000, 100_000];
/// How many clients ask.
const CLIENTS: usize = 10;
/// How many connections log users in at a time.
const LOGGING_IN: usize = 16;

/// Against a bare server that writes the same bytes.
///
/// # Errors
/// If a server does not start, or fails.
pub(super) async fn online(context: &Context) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for users in USERS {
        let registry = registry(context, users).await?;
        let exchange = exchange(users)?;
        let length = exchange.answer.to_string();
        let bare = Bare::start(&["answer", "--length", &length]).await?;
        let mut ours = Load::connect(registry.tcp, CLIENTS).await?;
        let mut limit = Load::connect(bare.address, CLIENTS).await?;
        let pair = compare(context, &mut ours, &exchange, &mut limit, &exchange).await?;
        let what = format!("All Online, {users} users, {CLIENTS} clients");
        rows.extend(rate_and_p99(&what, "a bare server", pair, [0.8, 1.25]));
    }
    Ok(rows)
}

/// The request, and how long the answer is: all users are at 127.0.0.1.
pub(super) fn exchange(users: usize) -> Result<Exchange> {
    let address = servers::peer(Ipv4Addr::LOCALHOST)?;
    let user = |number| OnlineUser {
        name: name(number),
        address,
    };
    let mut answer = Vec::new();
    Response::Online((0..users).map(user).collect()).encode(&mut answer);
    let request = Request::AllOnline { username: name(0) };
    Ok(Exchange {
        request: request.encode().to_vec(),
        answer: answer.len(),
    })
}

/// A registry with so many users online.
///
/// # Errors
/// If it does not start, or refuses one.
pub(super) async fn registry(context: &Context, users: usize) -> Result<Registry> {
    let store = context.new_store();
    servers::fill(&store, users + 1).await?;
    let registry = servers::registry(&context.programs, context.home(), &store).await?;
    let logging_in = shares(users).map(|numbers| {
        let to = registry.tcp;
        async move {
            let mut stream = connect(Ipv4Addr::LOCALHOST, to).await?;
            servers::log_in(&mut stream, numbers).await
        }
    });
    try_join_all(logging_in).await?;
    Ok(registry)
}

/// All numbers below `users`, spread over the connections that log in.
fn shares(users: usize) -> impl Iterator<Item = Range<usize>> {
    let share = users.div_ceil(LOGGING_IN);
    (0..LOGGING_IN).map(move |n| (n * share).min(users)..((n + 1) * share).min(users))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_user_is_logged_in_once() {
        for users in [0, 1, 10, 1000, 1001] {
            let all: Vec<usize> = shares(users).flatten().collect();
            assert_eq!(all, (0..users).collect::<Vec<_>>());
        }
    }
}
