//! Many users of the built programs who chat for long, while programs are killed and
//! stopped, and connections are cut.
//!
//! Each has an address of his own, most of them by `p2pchat --json`, some by
//! `p2pchat-bridge` and a page. They are in groups, made by the commands that a user has;
//! they talk, leave, are asked anew. A ledger keeps what was said, what the speaker was told of it, and
//! what each one was shown, then and in his history.
//!
//! | module | what it is |
//! |---|---|
//! | `driver` | a user: a task that runs their program |
//! | `site`, `proxy` | the registry, the lines to it, what cuts connections |
//! | `course` | what happens, one after the other |
//! | `world`, `people`, `groups` | who is there, who is to chat with whom, who says what |
//! | `harm`, `clock` | what is done to them, and when |
//! | `words`, `ledger`, `verdict` | what is said, what becomes of it, and whether that is right |
//! | `measure`, `tally` | what it costs, and how often what happened |

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

mod clock;
mod course;
mod driver;
mod groups;
mod harm;
mod ledger;
mod measure;
mod people;
mod proxy;
mod site;
mod tally;
mod verdict;
mod words;
mod world;

use course::{audit, chat, gather, last_round};
use driver::{Driver, Kind};
use groups::Plan;
use ledger::Ledger;
use measure::Measured;
use people::{People, Person};
use site::Site;
use tally::Tally;
use verdict::Verdict;
use world::World;

/// How many users there may be: the addresses that a process has of its own.
const MAX_PEERS: usize = 240;
/// How much news may wait to be read; who has more to tell waits.
const MAX_NEWS: usize = 4096;
/// How many orders may wait for a user.
const MAX_ORDERS: usize = 64;
/// Who chats, and for how long.
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
    /// How many texts are said a second, by all together
    #[arg(long, default_value_t = 8.0)]
    pub rate: f64,
    /// How much harm is done: 1 kills each program once in 13 minutes
    #[arg(long, default_value_t = 1.0)]
    pub harm: f64,
    /// What is drawn from: who says what, who is killed when
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Lets people chat, harms them, and says what became of what they said.
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
    let mut course = Report::new("the course of it");
    gather(&mut world, "at the beginning", &mut course).await?;
    chat(&mut world, options, &mut course).await?;
    gather(&mut world, "after all the harm", &mut course).await?;
    last_round(&mut world, &mut course).await?;
    audit(&mut world, &mut course).await?;
    conclude(&mut world, course, &mut report);
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

/// Starts the registry and everybody's program.
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
        let kind = match user % each == 0 && user / each < bridges(options).into() {
            true => Kind::Bridge,
            false => Kind::Native,
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
            registry: site.doors,
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

/// What matters most comes first.
fn conclude(world: &mut World, course: Report, report: &mut Report) {
    let verdict = Verdict::new(&world.ledger);
    verdict.report(&world.ledger, report);
    let registry = world.site.registry();
    world.measured.report(&world.people, registry, report);
    report.append(course);
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
