//! Whether a login costs more the more users are online.

use anyhow::Result;
use p2pchat_protocol::{Request, Response};
use p2pchat_testkit::Registry;

use super::Context;
use super::online::{exchange, registry};
use super::search::compare;
use crate::load::{Exchange, Load};
use crate::row::{Point, Reach, Row, Unit};
use crate::servers::{login, name};

/// How many users are online.
const USERS: [usize; 5] = [10, 1_000, 10_000, 100_000, 1_000_000];
/// Against how many.
const FEW: usize = 100;

/// A user who logs in and out again and again while all others stay.
///
/// # Errors
/// If a registry does not start, or fails.
pub(super) async fn sessions(context: &Context) -> Result<Vec<Row>> {
    let quiet = registry(context, FEW).await?;
    let mut limit = Load::connect(quiet.tcp, 1).await?;
    let mut rows = Vec::new();
    for users in USERS {
        let crowded = registry(context, users).await?;
        let mut ours = Load::connect(crowded.tcp, 1).await?;
        let (a, b) = (in_and_out(users)?, in_and_out(FEW)?);
        let pair = compare(context, &mut ours, &a, &mut limit, &b).await?;
        rows.push(Row {
            what: format!("a login and a logout, {users} users online"),
            against: format!("the same with {FEW}"),
            unit: Unit::Seconds,
            ours: pair.ours.p50,
            limit: pair.limit.p50,
            reach: Reach::AtMost(2.0),
            point: Some(Point::new("Login and logout", "users online", users)),
        });
        if users == 1_000_000 {
            rows.push(memory(users, &crowded, &quiet)?);
        }
    }
    Ok(rows)
}

/// What the users take, without what the program takes with few of them.
fn memory(users: usize, crowded: &Registry, quiet: &Registry) -> Result<Row> {
    let (with_many, with_few) = (crowded.memory()?, quiet.memory()?);
    Ok(Row {
        what: format!("memory of a user, {users} online"),
        against: "his line of the online list".to_owned(),
        unit: Unit::Bytes,
        // Memory stays far below 2^52 bytes: exact.
        ours: with_many.saturating_sub(with_few) as f64 / users as f64,
        limit: (answer(users + 1)? - answer(1)?) as f64 / users as f64,
        reach: Reach::Any,
        point: None,
    })
}

/// How many bytes the online list of so many has.
fn answer(users: usize) -> Result<usize> {
    Ok(exchange(users)?.answer)
}

/// Both requests in one piece, of the user who is not online yet.
fn in_and_out(users: usize) -> Result<Exchange> {
    let username = name(users);
    let mut request = login(users)?.encode().to_vec();
    request.extend(Request::Logout { username }.encode());
    Ok(Exchange {
        request,
        answer: 2 * Response::HEAD_LEN,
    })
}
