//! People in encrypted conversations, while their programs and the registry are killed at any moment,
//! also while they start.
//!
//! They say, edit and react to things, give a group other names, leave another group and are asked
//! back. All have `p2pchat --json` but the last, who has a page, which makes its unanswered calls
//! again. In the end, and in between, whatever was acknowledged or shown has to be on all screens,
//! once, and all screens have to be the same.
//!
//! | module | what it is |
//! |---|---|
//! | `talker` | one of the people: what they do next, and what they were answered |
//! | `ledger` | what was said and changed, and whether it is there |

use std::env;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use futures::future::{select_all, try_join_all};
use p2pchat_model::{Command, ConversationId, Update, Username};
use p2pchat_testkit::{Person, Programs, Registry, SETTLED, Screen, agree};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;
use tokio::time::{Instant, timeout, timeout_at};

use crate::Report;

mod ledger;
mod talker;

use ledger::Ledger;
use talker::Talker;

/// The seed of a run that is to be repeated.
const SEED: &str = "P2PCHAT_CONVERSATIONS_SEED";
/// The most people: one device is connected with 256 others at most, and each has an address of
/// this process's.
const MAX_PEOPLE: u16 = 240;
/// How many own the first group, at most.
const OWNERS: usize = 8;
/// The longest time between two kills.
const LIFE: Duration = Duration::from_millis(1500);
/// How long to listen at a time, while all come back.
const PAUSE: Duration = Duration::from_millis(60);
/// The longest time from the start of a program to its kill, where it is killed while it starts.
const START: Duration = Duration::from_millis(120);
/// One of so many kills is followed by one while it starts again.
const START_EACH: u32 = 4;
/// One of so many kills is that of the registry.
const REGISTRY_EACH: u32 = 5;
/// After so many kills it is looked whether all is there.
const LOOK_EACH: usize = 25;

/// Options of the run.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// How many people there are, 3 to 240; all of them are in two groups
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(3..=i64::from(MAX_PEOPLE)))]
    pub people: u16,
    /// How often a program is killed
    #[arg(long, default_value_t = 200)]
    pub kills: usize,
    /// How many things are said, edited and so on a second, by all together
    #[arg(long, default_value_t = 33.0)]
    pub rate: f64,
    /// Seed of who does what and is killed when [default: $P2PCHAT_CONVERSATIONS_SEED, or any]
    #[arg(long)]
    pub seed: Option<u64>,
}

/// Kills programs while people talk, and reports what became of what they said.
///
/// # Errors
/// If a program is not built or does not start, or people do not come to see the same.
pub async fn run(programs: &Programs, options: &Options) -> Result<Report> {
    let seed = match options.seed {
        Some(seed) => seed,
        None => env::var(SEED).map_or_else(|_| Ok(rand::random()), |seed| seed.parse())?,
    };
    let mut report = Report::new(format!(
        "conversations: {} people, programs killed {} times ({SEED}={seed})",
        options.people, options.kills
    ));
    println!("{SEED}={seed}");
    let home = TempDir::new()?;
    let ran = Scene::run(programs, &home, options, seed, &mut report).await;
    if ran.is_err() || !report.is_good() {
        report.figure("what the programs left behind", home.keep().display());
    }
    ran.with_context(|| report.to_string())?;
    Ok(report)
}

/// The groups and the conversation of two.
#[derive(Debug, Clone)]
struct Chats {
    /// All but the first, who owns the groups.
    others: Vec<Username>,
    /// All stay in it, and the first few are owners.
    team: ConversationId,
    /// All but the first come and go.
    club: ConversationId,
    /// Of the first and the second.
    two: ConversationId,
}

struct Scene<'a> {
    programs: &'a Programs,
    home: &'a TempDir,
    store: String,
    ports: [SocketAddr; 2],
    /// `None` while it is killed.
    registry: Option<Registry>,
    talkers: Vec<Talker>,
    chats: Chats,
    ledger: Ledger,
    random: ChaCha8Rng,
    /// The longest time between two things that are done.
    pause: Duration,
    kills: usize,
    registry_kills: usize,
}

impl<'a> Scene<'a> {
    async fn run(
        programs: &'a Programs,
        home: &'a TempDir,
        options: &Options,
        seed: u64,
        report: &mut Report,
    ) -> Result<()> {
        let mut scene = Self::begin(programs, home, options, seed).await?;
        let lived = scene.live_and_kill(options.kills, report).await;
        report.figure("kills of programs", scene.kills);
        report.figure("kills of the registry", scene.registry_kills);
        scene.ledger.figures(report);
        lived
    }

    async fn live_and_kill(&mut self, kills: usize, report: &mut Report) -> Result<()> {
        for number in 1..=kills {
            self.live().await?;
            self.kill_one().await?;
            if number.is_multiple_of(LOOK_EACH) {
                let what = format!("after {number} kills");
                self.settle(&what, report).await.context(what)?;
            }
        }
        self.settle("in the end", report).await
    }

    async fn begin(
        programs: &'a Programs,
        home: &'a TempDir,
        options: &Options,
        seed: u64,
    ) -> Result<Self> {
        let file = home.path().join("accounts.sqlite3");
        let store = file.to_str().context("a path that is text")?.to_owned();
        let registry = Registry::start(programs, home.path(), &store, &[]).await?;
        let mut people = Vec::new();
        for number in 1..=options.people {
            let name = format!("p{number:03}");
            let mut person = Person::new(programs, home.path(), &name, &registry)?;
            if number == options.people {
                person = person.with_page()?;
            }
            person.sign_up().await?;
            people.push(person);
        }
        let chats = gather(&mut people).await?;
        Ok(Self {
            programs,
            home,
            store,
            ports: registry.ports(),
            registry: Some(registry),
            talkers: people.into_iter().map(Talker::new).collect(),
            chats,
            ledger: Ledger::default(),
            random: ChaCha8Rng::seed_from_u64(seed),
            pause: Duration::try_from_secs_f64(2.0 / options.rate)?,
            kills: 0,
            registry_kills: 0,
        })
    }

    /// Lets people talk for a while.
    async fn live(&mut self) -> Result<()> {
        let end = Instant::now() + self.random.random_range(Duration::ZERO..LIFE);
        while Instant::now() < end {
            let who = self.random.random_range(0..self.talkers.len());
            let talker = &mut self.talkers[who];
            talker
                .act(&self.chats, &mut self.ledger, &mut self.random)
                .await?;
            let pause = Instant::now() + self.random.random_range(Duration::ZERO..self.pause);
            self.hear(pause.min(end)).await?;
        }
        Ok(())
    }

    /// Takes what people are told until then.
    async fn hear(&mut self, until: Instant) -> Result<()> {
        while let Ok(told) = timeout_at(until, next(&mut self.talkers)).await {
            let (who, update) = told?;
            self.talkers[who].hear(&update, &mut self.ledger);
        }
        Ok(())
    }

    async fn kill_one(&mut self) -> Result<()> {
        // One that was down for a round is back.
        self.need_registry().await?;
        let starts = self.random.random_ratio(1, START_EACH);
        let until_kill = self.random.random_range(Duration::ZERO..START);
        if self.random.random_ratio(1, REGISTRY_EACH) {
            self.registry_kills += 1;
            let registry = self.registry.take().context("it runs")?;
            registry.kill().await?;
            if starts {
                let (home, store) = (self.home.path(), &self.store);
                Registry::start_and_kill(until_kill, self.ports, self.programs, home, store, &[])
                    .await?;
            }
            return Ok(());
        }
        self.kills += 1;
        let who = self.random.random_range(0..self.talkers.len());
        let talker = &mut self.talkers[who];
        talker.kill(&mut self.ledger).await?;
        if starts {
            // It is killed when it is dropped.
            if let Ok(started) = timeout(until_kill, talker.person.start()).await {
                started?;
                talker.kill(&mut self.ledger).await?;
            }
        }
        talker.person.start().await
    }

    async fn need_registry(&mut self) -> Result<()> {
        if self.registry.is_none() {
            let (home, store) = (self.home.path(), &self.store);
            let again = Registry::start_at(self.ports, self.programs, home, store, &[]);
            self.registry = Some(again.await?);
        }
        Ok(())
    }

    /// Lets all come back and be answered, and looks whether all is there.
    async fn settle(&mut self, what: &str, report: &mut Report) -> Result<()> {
        self.need_registry().await?;
        let deadline = Instant::now() + SETTLED;
        while !self.is_quiet().await? {
            if Instant::now() >= deadline {
                let waits: Vec<_> = self.talkers.iter().map(Talker::waits_for).collect();
                bail!("not quiet within {SETTLED:?}: {waits:?}");
            }
            let moment = deadline.min(Instant::now() + PAUSE);
            self.hear(moment).await?;
        }
        let Chats {
            team, club, two, ..
        } = self.chats;
        let people = self.talkers.iter_mut().map(|talker| &mut talker.person);
        let mut people: Vec<&mut Person> = people.collect();
        let mut screens = agree(&mut people, &[team, club], what, |_, _| true).await?;
        screens.extend(agree(&mut people[..2], &[two], what, |_, _| true).await?);
        for (id, screen) in screens {
            self.ledger.check(id, &screen, what, report);
        }
        Ok(())
    }

    /// Whether all are signed in and in all conversations, and wait for no answer. Those who are
    /// not in the club are asked back.
    async fn is_quiet(&mut self) -> Result<bool> {
        let mut is_quiet = true;
        for talker in &mut self.talkers {
            is_quiet &= talker.is_back(&self.chats) && talker.waits_for().is_empty();
            talker.come_back(&self.chats, &mut self.ledger).await?;
        }
        Ok(is_quiet && self.talkers[0].sees_all_in(&self.chats))
    }
}

/// The next update, and whose it is.
async fn next(talkers: &mut [Talker]) -> Result<(usize, Update)> {
    let next = talkers
        .iter_mut()
        .map(|talker| Box::pin(talker.person.next()));
    let (update, who, _) = select_all(next).await;
    Ok((who, update?))
}

/// Begins the conversations.
async fn gather(people: &mut [Person]) -> Result<Chats> {
    let (first, rest) = people.split_first_mut().context("people")?;
    let others: Vec<Username> = rest.iter().map(|person| person.name).collect();
    let team = first.group("Team", &others).await?;
    let club = first.group("Club", &others).await?;
    let two = first.chat(others[0]).await?;
    rest[0].join(two).await?;
    let join = rest.iter_mut().map(|person| async move {
        person.join(team).await?;
        person.join(club).await
    });
    try_join_all(join).await?;
    first.say(team, "all-here").await?;
    let count = people.len();
    let mut everyone: Vec<&mut Person> = people.iter_mut().collect();
    let all_in =
        |_, screen: &Screen| screen.people.values().filter(|it| !it.asked).count() == count;
    agree(&mut everyone, &[team, club], "at the beginning", all_in).await?;
    let owners = count.min(OWNERS);
    for other in &others[..owners - 1] {
        let make = Command::MakeOwner {
            conversation: team,
            who: people[0].key_of(team, *other)?,
        };
        people[0].call(&make).await?;
    }
    let mut everyone: Vec<&mut Person> = people.iter_mut().collect();
    let they_own =
        |_, screen: &Screen| screen.people.values().filter(|it| it.owner).count() == owners;
    agree(&mut everyone, &[team], "with owners", they_own).await?;
    Ok(Chats {
        others,
        team,
        club,
        two,
    })
}
