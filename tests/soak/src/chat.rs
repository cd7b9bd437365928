//! Many users of the built programs who chat for long, while programs are killed and
//! stopped, and connections are cut.
//!
//! Each has an address of their own, most of them `p2pchat --json`, some `p2pchat-bridge`
//! and a page. They are in groups, made by the commands that a user has; they talk, leave,
//! are asked again. A ledger keeps what was sent, what the sender was told of it, and what
//! each one was shown, then and in their history.
//!
//! | module | what it is |
//! |---|---|
//! | `driver` | a user: a task that runs their program |
//! | `site`, `proxy` | the registry, the proxy in front of it, what cuts connections |
//! | `phases` | the parts of the run |
//! | `world`, `people`, `groups` | the users, the plan of groups, who sends what |
//! | `faults`, `schedule` | which harm is done, and when |
//! | `words`, `ledger`, `verdict` | the texts, what becomes of them, and whether that is right |
//! | `measure`, `tally` | memory and files, and how often what happened |

use std::time::Instant;

use anyhow::Result;
use clap::Args;
use p2pchat_testkit::{Programs, own_address};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rustix::process::{Resource, getrlimit, setrlimit};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::Report;

mod driver;
mod faults;
mod groups;
mod ledger;
mod measure;
mod people;
mod phases;
mod proxy;
mod schedule;
mod site;
mod tally;
mod verdict;
mod words;
mod world;

use driver::{Driver, Kind};
use groups::Plan;
use ledger::Ledger;
use measure::Measured;
use people::{People, Person};
use phases::{audit, chat, gather, last_round};
use site::Site;
use tally::Tally;
use verdict::Verdict;
use world::World;

/// The most users: as many as a process has addresses of its own.
const MAX_PEERS: usize = 240;
/// How much news may wait to be read; then users wait.
const MAX_NEWS: usize = 4096;
/// How many orders may wait for a user.
const MAX_ORDERS: usize = 64;
/// Options of the run.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// How many chat, 4 to 240
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(4..=240))]
    pub peers: u16,
    /// How many of them by a bridge and a page [default: every tenth]
    #[arg(long)]
    pub bridges: Option<u16>,
    /// How long they chat, in minutes; what comes before and after is not counted
    #[arg(long, default_value_t = 30.0)]
    pub minutes: f64,
    /// How many texts are sent a second, by all together
    #[arg(long, default_value_t = 8.0)]
    pub rate: f64,
    /// How much harm is done: 1 kills each program once in 13 minutes
    #[arg(long, default_value_t = 1.0)]
    pub harm: f64,
    /// Seed of what is random: who sends what, who is killed when
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Lets users chat, does harm, and reports what became of their texts.
///
/// # Errors
/// If a program is not built, or the registry does not start.
pub async fn run(programs: &Programs, options: &Options) -> Result<Report> {
    allow_many_files();
    let home = TempDir::new()?;
    let mut users = JoinSet::new();
    let mut world = begin(programs, &home, options, &mut users).await?;
    let mut report = Report::new(format!(
        "chat: {} peers, {} of them by a bridge, {} minutes (seed {})",
        options.peers,
        bridges(options),
        options.minutes,
        options.seed
    ));
    let mut phases = Report::new("the phases");
    gather(&mut world, "at the beginning", &mut phases).await?;
    chat(&mut world, options, &mut phases).await?;
    gather(&mut world, "after all the harm", &mut phases).await?;
    last_round(&mut world, &mut phases).await?;
    audit(&mut world, &mut phases).await?;
    conclude(&mut world, phases, &mut report);
    drop(world);
    users.shutdown().await;
    if !report.is_good() {
        report.figure("what the programs left behind", home.keep().display());
    }
    Ok(report)
}

fn bridges(options: &Options) -> u16 {
    let bridges = options.bridges.unwrap_or(options.peers / 10);
    bridges.clamp(1, options.peers / 2)
}

/// Starts the registry and all programs.
async fn begin(
    programs: &Programs,
    home: &TempDir,
    options: &Options,
    users: &mut JoinSet<()>,
) -> Result<World> {
    let count = usize::from(options.peers).min(MAX_PEERS);
    let (tell, news) = mpsc::channel(MAX_NEWS);
    let addresses: Vec<_> = (0..count).map(|_| own_address()).collect();
    let site = Site::start(programs, home.path(), &addresses).await?;
    let each = count / usize::from(bridges(options));
    let mut people = Vec::new();
    for (user, address) in addresses.into_iter().enumerate() {
        let (orders, ordered) = mpsc::channel(MAX_ORDERS);
        let name = format!("p{user:03}").parse()?;
        let kind = if user % each == 0 && user / each < bridges(options).into() {
            Kind::Bridge
        } else {
            Kind::Native
        };
        let folder = home.path().join(format!("p{user:03}"));
        std::fs::create_dir(&folder)?;
        let driver = Driver {
            user,
            name,
            password: format!("secret {user}").parse()?,
            kind,
            address,
            home: folder,
            registry: site.registry_addresses,
            programs: programs.clone(),
            orders: ordered,
            news: tell.clone(),
            has_account: false,
        };
        users.spawn(driver.run());
        people.push(Person::new(name, address, kind, orders));
    }
    let mut random = ChaCha8Rng::seed_from_u64(options.seed);
    let now = Instant::now();
    Ok(World {
        plan: Plan::new(count, &mut random),
        ledger: Ledger::new(people.iter().map(|person| (person.name, person.address))),
        people: People(people),
        random,
        tally: Tally::default(),
        site,
        measured: Measured::default(),
        problems: Vec::new(),
        news,
        auditing: vec![None; count],
        next_look: now,
        next_sample: now,
    })
}

/// Writes the report: what matters most comes first.
fn conclude(world: &mut World, phases: Report, report: &mut Report) {
    let verdict = Verdict::new(&world.ledger);
    verdict.report(&world.ledger, report);
    let registry = world.site.registry();
    world.measured.report(&world.people, registry, report);
    report.append(phases);
    world.tally.report(report);
    for kind in ["programs killed", "registry killed", "chats left"] {
        report.check(
            world.tally.of(kind) > 0,
            format!("no harm was done: {kind}"),
        );
    }
    for problem in &world.problems {
        report.check(false, problem);
    }
}

/// Every user takes some files of this process too; systems allow few unless asked.
fn allow_many_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where it is not granted, starting programs says so.
    let _ = setrlimit(Resource::Nofile, limit);
}
