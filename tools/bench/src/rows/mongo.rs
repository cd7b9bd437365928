//! Search on the registry with MongoDB against itself on the embedded store.

use anyhow::Result;

use super::Context;
use super::search::{MANY, compare, registry, same_exchange};
use crate::figures::Lacking;
use crate::load::Load;
use crate::row::{Reach, Row, Unit};

/// With 50 connections.
///
/// # Errors
/// If `$MONGODB_URI` names no database, or a server fails.
pub(super) async fn mongo(context: &Context) -> Result<Vec<Row>> {
    let uri = std::env::var("MONGODB_URI")
        .map_err(|_| Lacking("$MONGODB_URI names no MongoDB".to_owned()))?;
    let uri = format!(
        "{}/p2pchat_bench_{}",
        uri.trim_end_matches('/'),
        std::process::id()
    );
    let on_mongo = registry(context, &uri).await?;
    let embedded = registry(context, &context.new_store()).await?;
    let mut ours = Load::connect(on_mongo.tcp, MANY).await?;
    let mut limit = Load::connect(embedded.tcp, MANY).await?;
    let exchange = same_exchange();
    let pair = compare(context, &mut ours, &exchange, &mut limit, &exchange).await?;
    Ok(vec![Row {
        what: format!("Search with accounts in MongoDB, {MANY} connections"),
        against: "the same with the embedded store".to_owned(),
        unit: Unit::PerSecond,
        ours: pair.ours.rate,
        limit: pair.limit.rate,
        reach: Reach::AtLeast(0.98),
        point: None,
    }])
}
