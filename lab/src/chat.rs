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
//! | `driver`, `line`, `bridge` | a user: his program, and a task that drives it |
//! | `site`, `proxy` | the registry, the lines to it, what cuts connections |
//! | `world`, `people`, `groups` | who is there, who is to chat with whom, what happens |
//! | `harm`, `clock` | what is done to them, and when |
//! | `words`, `ledger`, `verdict` | what is said, what becomes of it, and whether that is right |
//! | `measure`, `tally` | what it costs, and how often what happened |

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use p2pchat_model::DeliveryState;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rustix::process::{Resource, getrlimit, setrlimit};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::programs::own_address;
use crate::{Programs, Report};

mod bridge;
mod clock;
mod driver;
mod groups;
mod harm;
mod ledger;
mod line;
mod measure;
mod people;
mod proxy;
mod site;
mod tally;
mod verdict;
mod words;
mod world;

use clock::Clock;
use driver::Driver;
use groups::Plan;
use harm::Harm;
use ledger::{Ledger, User};
use line::Kind;
use measure::{Load, Measured};
use people::{People, Person};
use site::Site;
use tally::Tally;
use verdict::Verdict;
use world::{Doings, World};

/// How many users there may be: the addresses that a process has of its own.
const MAX_PEERS: usize = 240;
/// How much news may wait to be read; who has more to tell waits.
const MAX_NEWS: usize = 4096;
/// How many orders may wait for a user.
const MAX_ORDERS: usize = 64;
/// How long it may take until everybody is logged in and in his group, to begin with; and
/// as much for each.
const GATHER: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(1)];
/// How often each says something while groups are gathered: nobody learns that another has
/// left but by that.
const CALL_EACH: Duration = Duration::from_secs(10);
/// How long texts may be under way when nothing happens any more.
const DRAIN: Duration = Duration::from_secs(60);
/// The part of the time after which programs have what they need to run.
const WARM_UP: f64 = 0.1;

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
    let site = Site::start(programs, home.path(), addresses[0]).await?;
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

/// Brings everybody online and into his group.
async fn gather(world: &mut World, when: &str, report: &mut Report) -> Result<()> {
    let began = Instant::now();
    let users = world.people.0.len();
    let [base, each] = GATHER;
    let limit = base + each * u32::try_from(users).context("there are not that many users")?;
    let mut doings = Doings {
        talk: Some(Clock::for_each(users, CALL_EACH)),
        gather: true,
        ..Doings::default()
    };
    let all_is_well = |world: &World| {
        world.site.registry().is_some()
            && world.people.all_see_each_other()
            && world.plan.is_carried_out(&world.people)
    };
    let gathered = world.go_on(limit, &mut doings, all_is_well).await?;
    let took = began.elapsed();
    report.figure(
        format!("until all were in their groups, {when}"),
        format!("{took:.1?}"),
    );
    report.check(
        gathered,
        format!("not everybody was online and in his group {when}"),
    );
    Ok(())
}

/// The time that all this is about.
async fn chat(world: &mut World, options: &Options, report: &mut Report) -> Result<()> {
    let (began, load) = (Instant::now(), Load::now());
    let before = world.ledger.counts();
    let length = Duration::try_from_secs_f64(options.minutes * 60.0)?;
    let second = Duration::from_secs(1);
    let mut doings = Doings {
        talk: Some(Clock::for_each(1, second).faster(options.rate)),
        at_length: true,
        gather: true,
        harm: Some(Harm::new(&world.people, options.harm)),
    };
    let never = |_: &World| false;
    world
        .go_on(length.mul_f64(WARM_UP), &mut doings, never)
        .await?;
    world.measured.begin(&world.people, world.site.registry());
    world
        .go_on(length.mul_f64(1.0 - WARM_UP), &mut doings, never)
        .await?;
    let took = began.elapsed();
    let after = world.ledger.counts();
    let [texts, lines] = [0, 1].map(|at| {
        let rate = (after[at] - before[at]) as f64 / took.as_secs_f64();
        format!("{rate:.1} a second")
    });
    report.figure("texts said, on the average", texts);
    report.figure("lines shown to others, on the average", lines);
    report.figure("processors busy, on the average", load.since_then());
    Ok(())
}

/// Everybody says something once more, which has to reach everybody in his group.
async fn last_round(world: &mut World, report: &mut Report) -> Result<()> {
    let mut quiet = Doings::default();
    let nothing_is_under_way = |world: &World| !world.ledger.is_anything_under_way();
    world.go_on(DRAIN, &mut quiet, nothing_is_under_way).await?;
    let users = 0..world.people.0.len();
    let mut said: Vec<(User, u32)> = Vec::new();
    for user in users {
        said.push((user, world.say(user, 3)));
        let pause = Duration::from_millis(20);
        world.go_on(pause, &mut quiet, |_| false).await?;
    }
    let all_said = |world: &World| said.iter().all(|text| world.ledger.texts[text].said);
    world
        .go_on(DRAIN, &mut quiet, |world| {
            all_said(world) && nothing_is_under_way(world)
        })
        .await?;
    let (mut due, mut arrived) = (0, 0);
    for (user, number) in said {
        let text = &world.ledger.texts[&(user, number)];
        for other in world.plan.others(user) {
            due += 1;
            let is_sent = text.fates.get(&other) == Some(&DeliveryState::Sent);
            arrived += usize::from(is_sent && world.ledger.has_whole(other, user, number));
        }
    }
    report.figure(
        "last round: each says one text to his group",
        format!("{arrived} of {due} arrived"),
    );
    report.check(
        arrived == due && due > 0,
        format!("only {arrived} of {due} texts of the last round arrived"),
    );
    Ok(())
}

/// Reads everybody's history, from its end to its beginning.
async fn audit(world: &mut World, report: &mut Report) -> Result<()> {
    (0..world.people.0.len()).for_each(|user| world.audit(user));
    let is_done = |world: &World| world.auditing.iter().all(Option::is_none);
    let done = world
        .go_on(DRAIN * 2, &mut Doings::default(), is_done)
        .await?;
    report.check(
        done,
        "not everybody's history could be read to its beginning",
    );
    Ok(())
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
