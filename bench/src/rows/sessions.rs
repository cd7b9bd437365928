//! Whether a login costs more the more users are online.

use anyhow::Result;
use p2pchat_protocol::{Request, Response};

use super::Context;
use super::online::registry;
use super::search::compare;
use crate::load::{Exchange, Load};
use crate::row::{Reach, Row, Unit};
use crate::servers::{login, name};

/// How many users are online, and against how many.
const USERS: [usize; 2] = [1_000_000, 100];

/// A user who logs in and out again and again while all others stay.
///
/// # Errors
/// If a registry does not start, or fails.
pub(super) async fn sessions(context: &Context) -> Result<Vec<Row>> {
    let [many, few] = USERS;
    let (crowded, quiet) = (
        registry(context, many).await?,
        registry(context, few).await?,
    );
    let mut ours = Load::connect(crowded.tcp, 1).await?;
    let mut limit = Load::connect(quiet.tcp, 1).await?;
    let (a, b) = (in_and_out(many)?, in_and_out(few)?);
    let pair = compare(context, &mut ours, &a, &mut limit, &b).await?;
    // What the users take, without what the program takes with none of them.
    let (with_many, with_few) = (crowded.memory()?, quiet.memory()?);
    println!(
        "{many} users online take {} of memory each",
        Unit::Bytes.show((with_many.saturating_sub(with_few)) as f64 / many as f64)
    );
    Ok(vec![Row {
        what: format!("a login and a logout, {many} users online"),
        against: format!("the same with {few}"),
        unit: Unit::Seconds,
        ours: pair.ours.p50,
        limit: pair.limit.p50,
        reach: Reach::AtMost(2.0),
        point: None,
    }])
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
