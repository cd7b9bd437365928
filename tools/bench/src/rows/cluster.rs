//! Several registries over one replica set: that this costs Search and Hello nothing, what
//! it costs the database, and how soon one shows what another was told.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use futures::future::try_join_all;
use mongodb::bson::doc;
use p2pchat_protocol::{Hello, Request, Response};
use p2pchat_testkit::{Registry, ReplicaSet, Session};

use super::Context;
use super::hello::taken;
use super::search::{MANY, compare, registry, same_exchange};
use crate::load::{Load, connect};
use crate::row::{Missing, Reach, Row, Unit};
use crate::sample::{Times, side_by_side};
use crate::servers::{self, log_in, name};

/// How many mongods there are.
const MEMBERS: usize = 3;
/// How long the set goes without a primary: nobody kills one here.
const ELECTION: Duration = Duration::from_secs(10);
/// How long a user stays online without a Hello where writes are counted: short, so that
/// they need not be counted for long.
const TIMEOUT: Duration = Duration::from_secs(12);
/// How many writes a user costs in that time, however many Hellos they send.
const WRITES: f64 = 3.0;
/// How often each user says Hello.
const HELLO: Duration = Duration::from_secs(1);
/// How long writes are counted.
const COUNTED: Duration = Duration::from_secs(12);
/// How many users are online at one, two and three registries.
const USERS: [&[usize]; 3] = [&[100, 1_000], &[100, 1_000], &[10, 100, 1_000, 5_000]];
/// How many connections log users in at a time: each login waits for the disks of a
/// majority.
const LOGGING_IN: usize = 24;
/// How many logins are looked for at another registry.
const LOGINS: usize = 100;

/// All of it.
///
/// # Errors
/// If there is no mongod, or a server fails.
pub(super) async fn cluster(context: &Context) -> Result<Vec<Row>> {
    if std::env::var_os("P2PCHAT_MONGOD").is_none() {
        return Err(Missing("$P2PCHAT_MONGOD names no mongod".to_owned()).into());
    }
    let set = ReplicaSet::start(MEMBERS, ELECTION).await?;
    let mut rows = beside_a_single_one(context, &set).await?;
    for (registries, users) in (1..).zip(USERS) {
        for users in users {
            rows.extend(cost(context, &set, registries, *users).await?);
        }
    }
    Ok(rows)
}

/// Search and Hello, against a registry that is the only one.
async fn beside_a_single_one(context: &Context, set: &ReplicaSet) -> Result<Vec<Row>> {
    let store = set.uri("bench_single");
    servers::fill(&store, 1).await?;
    let shared = start(context, &store, &servers::STAY).await?;
    let mut stream = connect(Ipv4Addr::LOCALHOST, shared.tcp).await?;
    log_in(&mut stream, 0..1).await?;
    let single = registry(context, &context.new_store()).await?;
    let mut ours = Load::connect(shared.tcp, MANY).await?;
    let mut limit = Load::connect(single.tcp, MANY).await?;
    let exchange = same_exchange();
    let search = compare(context, &mut ours, &exchange, &mut limit, &exchange).await?;
    let hello = side_by_side(
        context.rounds,
        async || taken(shared.udp, context.time),
        async || taken(single.udp, context.time),
    )
    .await?;
    let row = |what: String, ours, limit| Row {
        what,
        against: "the same with a single registry".to_owned(),
        unit: Unit::PerSecond,
        ours,
        limit,
        reach: Reach::AtLeast(0.95),
    };
    Ok(vec![
        row(
            format!("Search with --cluster, {MANY} connections"),
            search.ours.rate,
            search.limit.rate,
        ),
        row(
            "Hello with --cluster".to_owned(),
            hello.ours.rate,
            hello.limit.rate,
        ),
    ])
}

async fn start(context: &Context, store: &str, more: &[&str]) -> Result<Registry> {
    let more = [&["--cluster"], more].concat();
    servers::registry_and(&context.programs, context.home(), store, &more).await
}

/// Users who log in and say Hello, spread over the registries.
async fn cost(
    context: &Context,
    set: &ReplicaSet,
    registries: usize,
    users: usize,
) -> Result<Vec<Row>> {
    let store = set.uri(&format!("bench_{registries}_{users}"));
    servers::fill(&store, users + LOGINS).await?;
    let timeout = TIMEOUT.as_secs().to_string();
    let mut running = Vec::new();
    for _ in 0..registries {
        running.push(start(context, &store, &["--presence-timeout", &timeout]).await?);
    }
    let at_rest = running[0].memory()?;
    let hellos = Hellos::start(&running, users)?;
    log_all_in(&running, users).await?;
    let shown = shown_elsewhere(&running, users).await?;
    let before = updates(set).await?;
    let began = Instant::now();
    tokio::time::sleep(COUNTED).await;
    // Counts stay far below 2^52: exact.
    let written = (updates(set).await? - before) as f64 / began.elapsed().as_secs_f64();
    let memory = running[0].memory()?.saturating_sub(at_rest);
    drop(hellos);
    let figures = Figures {
        written,
        shown,
        memory: memory as f64 / users as f64,
    };
    Ok(figures.rows(registries, users))
}

/// What was measured with so many users at so many registries.
struct Figures {
    /// Writes a second.
    written: f64,
    /// How long logins took until the last registry showed them, and until their answer.
    shown: [Times; 2],
    /// Bytes a user.
    memory: f64,
}

impl Figures {
    fn rows(&self, registries: usize, users: usize) -> Vec<Row> {
        let several = match registries {
            1 => "1 registry".to_owned(),
            several => format!("{several} registries"),
        };
        let [shown, answered] = &self.shown;
        let mut rows = vec![
            Row {
                what: format!("writes to MongoDB, {users} users, {several}"),
                against: format!("{WRITES} a user and timeout of {} s", TIMEOUT.as_secs()),
                unit: Unit::PerSecond,
                ours: self.written,
                limit: WRITES * users as f64 / TIMEOUT.as_secs_f64(),
                reach: Reach::Any,
            },
            Row {
                what: format!("a login is shown by another, p99, {users} users, {several}"),
                against: "its own answer".to_owned(),
                unit: Unit::Seconds,
                ours: shown.quantile(0.99).as_secs_f64(),
                limit: answered.quantile(0.99).as_secs_f64(),
                reach: Reach::Below(2.0),
            },
        ];
        if USERS[registries - 1].last() == Some(&users) {
            rows.push(Row {
                what: format!("memory of a user, {users} online, {several}"),
                against: "its document".to_owned(),
                unit: Unit::Bytes,
                ours: self.memory,
                limit: DOCUMENT,
                reach: Reach::Any,
            });
        }
        rows
    }
}

/// What a document of the collection takes: name, address, turn, time, and their keys.
const DOCUMENT: f64 = 88.0;

/// How often the primary has updated a document since it started.
async fn updates(set: &ReplicaSet) -> Result<i64> {
    let primary = set.primary().await?;
    let status = set.ask(primary, doc! { "serverStatus": 1 }).await?;
    let counters = status.get_document("opcounters")?;
    let updates = counters.get("update").context("no count of updates")?;
    (updates.as_i64())
        .or_else(|| updates.as_i32().map(i64::from))
        .context("a count that is none")
}

async fn log_all_in(running: &[Registry], users: usize) -> Result<()> {
    let share = users.div_ceil(LOGGING_IN);
    let logging_in = (0..LOGGING_IN).map(|number| async move {
        let registry = &running[number % running.len()];
        let mut stream = connect(Ipv4Addr::LOCALHOST, registry.tcp).await?;
        log_in(&mut stream, number * share..users.min((number + 1) * share)).await
    });
    try_join_all(logging_in).await?;
    Ok(())
}

/// How long logins at the first registry take until the last one shows them, and until they
/// are answered.
async fn shown_elsewhere(running: &[Registry], users: usize) -> Result<[Times; 2]> {
    let last = &running[running.len() - 1];
    let mut elsewhere = Session::connect(Ipv4Addr::LOCALHOST, last.tcp).await?;
    let mut stream = connect(Ipv4Addr::LOCALHOST, running[0].tcp).await?;
    let mut times = [Times::default(), Times::default()];
    for number in users..users + LOGINS {
        let began = Instant::now();
        log_in(&mut stream, number..number + 1).await?;
        let answered = began.elapsed();
        let target = name(number);
        let username = target;
        while elsewhere.ask(&Request::Search { username, target }).await? == Response::NotFound {
            if began.elapsed() > Duration::from_secs(30) {
                bail!("a login is not shown by another registry");
            }
        }
        times[0].record(began.elapsed());
        times[1].record(answered);
    }
    Ok(times)
}

/// A thread that says everybody's Hello, each to one registry. Ends on drop.
struct Hellos {
    stop: Option<std::sync::mpsc::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Hellos {
    fn start(running: &[Registry], users: usize) -> Result<Self> {
        let doors: Vec<SocketAddr> = running.iter().map(|registry| registry.udp).collect();
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            use std::sync::mpsc::RecvTimeoutError;
            // In ten parts, or a burst would be more than the system holds.
            let mut part = 0;
            while stopped.recv_timeout(HELLO / 10) == Err(RecvTimeoutError::Timeout) {
                for number in (part..users).step_by(10) {
                    let username = name(number);
                    let hello = Hello { username }.encode();
                    // One that is lost is followed by another.
                    let _ = socket.send_to(&hello, doors[number % doors.len()]);
                }
                part = (part + 1) % 10;
            }
        });
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Hellos {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // If it has failed, nobody was online, and the rows say so.
            let _ = thread.join();
        }
    }
}
