//! A whole network in one thread: a registry and many peers, with delay, lost
//! connections, partitions, crashes and people who do as they like. What must always
//! hold is looked at after every step.
//!
//! Each run comes from one number. `P2PCHAT_SIM_SEEDS` says how many there are;
//! `P2PCHAT_SIM_SEED=n` runs one alone and prints all that happens in it.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::env;
use std::thread;

mod simulation {
    pub(crate) mod accepted;
    pub(crate) mod book;
    pub(crate) mod chance;
    pub(crate) mod checks;
    pub(crate) mod faults;
    pub(crate) mod ledger;
    pub(crate) mod links;
    pub(crate) mod machines;
    pub(crate) mod mix;
    pub(crate) mod network;
    pub(crate) mod peers;
    pub(crate) mod quiet;
    pub(crate) mod registry;
    pub(crate) mod sabotage;
    pub(crate) mod schedule;
    pub(crate) mod trace;
    pub(crate) mod users;
    pub(crate) mod world;
}

use simulation::book::Told;
use simulation::mix::Mix;
use simulation::sabotage::Sabotage;
use simulation::trace::Detail;
use simulation::world::{Violation, World};

/// How many seeds run where nobody says how many: few enough for every `cargo test`.
const SEEDS: u64 = 200;

fn number(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{variable}={value} is not a number")),
    )
}

/// A failed run in words: what does not hold, how to see it again, and what happened.
fn explain(seed: u64) -> String {
    // It is the same again, now with words.
    let found = World::run(seed, Detail::Tail, |_| {}).expect_err("the same seed is the same run");
    let Violation { check, words, tail } = *found;
    format!(
        "{tail}\nseed {seed}: {check}: {words}\nto see all of it: P2PCHAT_SIM_SEED={seed} \
         cargo test -p p2pchat-peer --test simulation what_must_hold_holds -- --nocapture"
    )
}

/// What came of many runs.
#[derive(Default)]
struct Sum {
    shown: usize,
    told: Told,
    /// The seeds that failed, and the check that each failed.
    failed: Vec<(u64, &'static str)>,
}

impl Sum {
    fn of(seeds: impl Iterator<Item = u64>) -> Self {
        let mut sum = Self::default();
        for seed in seeds {
            match World::run(seed, Detail::None, |_| {}) {
                Ok(report) => {
                    sum.shown += report.shown;
                    sum.told.add(report.told);
                }
                Err(violation) => sum.failed.push((seed, violation.check)),
            }
        }
        sum
    }

    fn add(mut self, other: Self) -> Self {
        self.shown += other.shown;
        self.told.add(other.told);
        self.failed.extend(other.failed);
        self
    }
}

/// Runs seeds `0..seeds`, each in one thread, on all processors there are.
fn run_all(seeds: u64) -> Sum {
    let threads = thread::available_parallelism().map_or(1, |count| count.get() as u64);
    thread::scope(|scope| {
        let runs: Vec<_> = (0..threads)
            .map(|first| scope.spawn(move || Sum::of((first..seeds).step_by(threads as usize))))
            .collect();
        runs.into_iter()
            .map(|run| run.join().unwrap())
            .fold(Sum::default(), Sum::add)
    })
}

#[test]
fn what_must_hold_holds_in_every_seed() {
    if let Some(seed) = number("P2PCHAT_SIM_SEED") {
        match World::run(seed, Detail::Print, |_| {}) {
            Ok(report) => println!("seed {seed}: {report:?}"),
            Err(found) => panic!("seed {seed}: {}: {}", found.check, found.words),
        }
        return;
    }
    let seeds = number("P2PCHAT_SIM_SEEDS").unwrap_or(SEEDS);
    assert!(seeds > 0, "no seeds are no test");
    let sum = run_all(seeds);
    println!(
        "{seeds} seeds: {} texts shown, users were told {:?}",
        sum.shown, sum.told
    );
    if let Some((seed, _)) = sum.failed.iter().min() {
        let count = sum.failed.len();
        panic!(
            "{}\n{count} of {seeds} failed: {:?}",
            explain(*seed),
            sum.failed
        );
    }
    assert!(sum.shown as u64 > seeds, "hardly anybody got through");
    let told = sum.told;
    let rare = [told.left, told.unconfirmed, told.failed, told.strangers];
    let is_rare = seeds < SEEDS || rare.iter().all(|count| *count > 0);
    assert!(is_rare, "not everything happened that can: {told:?}");
}

#[test]
fn a_seed_is_a_run() {
    for seed in 0..20 {
        let sums =
            [(); 2].map(|()| World::run(seed, Detail::Tail, |_| {}).map(|report| report.trace));
        let [Ok(one), Ok(other)] = sums else {
            panic!("{}", explain(seed));
        };
        assert!(one.0 > 100, "seed {seed}: hardly anything happens");
        assert_eq!(one, other, "seed {seed}: lines and hash of two runs");
    }
}

#[test]
fn what_does_not_hold_is_noticed() {
    let lies = [
        (Sabotage::TextTwice, "nothing_is_shown_twice"),
        (Sabotage::FalseConfirm, "sent_means_shown"),
        (Sabotage::Smuggle, "members_are_heard_and_strangers_are_not"),
        (Sabotage::MuteHello, "hellos_keep_coming"),
        (Sabotage::MuteBusy, "every_request_waits_or_is_answered"),
        (Sabotage::LostDelivery, "deliveries_end_in_time"),
        (Sabotage::SilentJoin, "own_texts_go_to_every_member"),
        (Sabotage::MuteNotify, "members_of_a_group_agree"),
    ];
    for (lie, check) in lies {
        let tell = |mix: &mut Mix| {
            mix.sabotage = Some(lie);
            mix.outsider = lie == Sabotage::Smuggle;
            mix.loss = if lie == Sabotage::FalseConfirm {
                0.1
            } else {
                0.0
            };
        };
        let noticed: Vec<_> = (0..10)
            .filter_map(|seed| World::run(seed, Detail::None, tell).err())
            .map(|violation| violation.check)
            .collect();
        assert!(
            noticed.contains(&check),
            "{lie:?} was noticed by {noticed:?}"
        );
    }
}
