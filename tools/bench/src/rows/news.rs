//! What one registry of several has to do for all users, whoever's they are: in this
//! process, without sockets and a database, up to a million users.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use p2pchat_protocol::{PeerAddr, Username};
use p2pchat_registry::presence::{Presence, Record};

use super::Context;
use crate::row::{Point, Reach, Row, Unit};
use crate::sample::{Sample, side_by_side};
use crate::servers::name;

/// How many users are online.
const USERS: [usize; 6] = [10, 100, 1_000, 10_000, 100_000, 1_000_000];
/// How long a user stays online without a Hello.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How many news are taken in at the least, so that few users are measured long enough.
const NEWS: usize = 1_000_000;

/// News that every user was seen a moment later, against a bare map of the same; and the look
/// at all of them for what has to be written.
///
/// # Errors
/// Never: nothing is started.
pub(super) async fn news(context: &Context) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for users in USERS {
        let presence = Presence::new_shared(TIMEOUT);
        let mut bare = HashMap::new();
        let records = records(users)?;
        for record in &records {
            presence.learn(record, Duration::ZERO);
            bare.insert(record.name, (record.address, record.seen));
        }
        let (mut ours_at, mut bare_at) = (0, 0);
        let pair = side_by_side(
            context.rounds,
            async || Ok(learn(&presence, &records, &mut ours_at)),
            async || Ok(put(&mut bare, &records, &mut bare_at)),
        )
        .await?;
        rows.push(Row {
            what: format!("news that a registry takes in, {users} users"),
            against: "a bare map".to_owned(),
            unit: Unit::PerSecond,
            ours: pair.ours.rate,
            limit: pair.limit.rate,
            reach: Reach::Any,
            point: Some(Point::new("News taken in", "users online", users)),
        });
        let began = Instant::now();
        let due: usize = (0..presence.shards())
            .map(|shard| presence.due(shard, TIMEOUT).len())
            .sum();
        let looked = began.elapsed();
        let began = Instant::now();
        let old = bare.values().filter(|(_, seen)| *seen > TIMEOUT).count();
        let bare_looked = began.elapsed();
        anyhow::ensure!(due == 0 && old <= users, "nobody here said Hello");
        rows.push(Row {
            what: format!("a look for what is to be written, {users} users"),
            against: "a look at a bare map".to_owned(),
            unit: Unit::Seconds,
            ours: looked.as_secs_f64(),
            limit: bare_looked.as_secs_f64(),
            reach: Reach::Any,
            point: Some(Point::new("A look at all users", "users online", users)),
        });
    }
    Ok(rows)
}

fn records(users: usize) -> Result<Vec<Record>> {
    let address = PeerAddr::new(std::net::Ipv4Addr::LOCALHOST).context("an address")?;
    let record = |number| Record {
        name: name(number),
        address: Some(address),
        epoch: 1,
        seen: Duration::ZERO,
    };
    Ok((0..users).map(record).collect())
}

/// The same users, each time seen a millisecond later.
fn learn(presence: &Presence, records: &[Record], at: &mut u64) -> Sample {
    measured(records, at, |record, seen| {
        presence.learn(&Record { seen, ..*record }, seen);
    })
}

type Bare = HashMap<Username, (Option<PeerAddr>, Duration)>;

fn put(bare: &mut Bare, records: &[Record], at: &mut u64) -> Sample {
    measured(records, at, |record, seen| {
        if let Some(entry) = bare.get_mut(&record.name) {
            *entry = (record.address, seen);
        }
    })
}

fn measured(records: &[Record], at: &mut u64, mut take: impl FnMut(&Record, Duration)) -> Sample {
    let began = Instant::now();
    let rounds = NEWS.div_ceil(records.len());
    for _ in 0..rounds {
        *at += 1;
        let seen = Duration::from_millis(*at);
        records.iter().for_each(|record| take(record, seen));
    }
    // A few millions: exact.
    let count = (rounds * records.len()) as f64;
    Sample {
        rate: count / began.elapsed().as_secs_f64(),
        ..Sample::default()
    }
}
