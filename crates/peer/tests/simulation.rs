//! A whole network in one thread: a registry and many peers, with delay, lost
//! connections, partitions, crashes, clocks that jump, hostile strangers and users who act
//! at random. The invariants are checked after every step.
//!
//! Each run comes from one number. `P2PCHAT_SIM_SEEDS` says how many there are (`n`), or
//! which (`from..to`); `P2PCHAT_SIM_SEED=n` runs one alone and prints all that happens in
//! it.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod simulation {
    pub(crate) mod accepted;
    pub(crate) mod book;
    pub(crate) mod calls;
    pub(crate) mod checks;
    pub(crate) mod crashes;
    pub(crate) mod disk;
    pub(crate) mod faults;
    pub(crate) mod hostile;
    pub(crate) mod ledger;
    pub(crate) mod links;
    pub(crate) mod machines;
    pub(crate) mod mix;
    pub(crate) mod naps;
    pub(crate) mod network;
    pub(crate) mod outages;
    pub(crate) mod peers;
    pub(crate) mod quiet;
    pub(crate) mod registry;
    pub(crate) mod rng;
    pub(crate) mod runs;
    pub(crate) mod sabotage;
    pub(crate) mod schedule;
    pub(crate) mod script;
    pub(crate) mod trace;
    pub(crate) mod troubles;
    pub(crate) mod users;
    pub(crate) mod world;
}

use simulation::mix::{Mix, Outsiders};
use simulation::runs::{self, Sum};
use simulation::sabotage::Sabotage;
use simulation::script;
use simulation::trace::Detail;
use simulation::world::{Violation, World};

/// How many seeds run by default: few enough for every `cargo test`.
const SEEDS: u64 = 200;
/// So many seeds meet every trouble that there is.
const ALL_TROUBLES: u64 = 1000;

#[test]
fn the_invariants_hold_in_every_seed() {
    if let Some(seed) = runs::number("P2PCHAT_SIM_SEED") {
        match World::run(seed, Detail::Print, |_| {}) {
            Ok(report) => println!("seed {seed}: {report:?}"),
            Err(found) => panic!("seed {seed}: {}: {}", found.check, found.words),
        }
        return;
    }
    let seeds = runs::range("P2PCHAT_SIM_SEEDS").unwrap_or(0..SEEDS);
    let count = seeds.end.saturating_sub(seeds.start);
    assert!(count > 0, "no seeds are no test");
    let sum = runs::in_threads(seeds, |seed| World::run(seed, Detail::None, |_| {}));
    println!("{count} seeds\n{sum}");
    if let Some((seed, _)) = sum.failed.iter().min() {
        let failed = sum.failed.len();
        panic!(
            "{}\n{failed} of {count} failed: {:?}",
            explain(*seed),
            sum.failed
        );
    }
    happened_enough(count, &sum);
}

/// A run that nothing happened in tries nothing.
fn happened_enough(seeds: u64, sum: &Sum) {
    assert!(sum.shown as u64 > seeds, "hardly any text got through");
    let totals = sum.totals;
    let rare = [
        totals.left,
        totals.unconfirmed,
        totals.failed,
        totals.dropped,
    ];
    let is_rare = seeds < SEEDS || rare.iter().all(|count| *count > 0);
    assert!(is_rare, "not everything happened that can: {totals:?}");
    let missing = sum.troubles.missing();
    let allowed = if seeds < ALL_TROUBLES {
        missing.len()
    } else {
        0
    };
    assert!(missing.len() <= allowed, "these never came: {missing:?}");
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

/// Three people who do the same in every run, and at one point of it one of them, or the
/// registry, is killed: at every point in turn. Whatever was acknowledged is kept, and
/// all three can chat again.
#[test]
fn whatever_step_a_crash_hits_all_can_chat_again() {
    let strikes = script::strikes();
    let run = |at: u64| script::play(strikes[at as usize], None, Detail::None);
    let sum = runs::in_threads(0..strikes.len() as u64, run);
    println!("{} strikes", strikes.len());
    let Some((at, _)) = sum.failed.iter().min() else {
        return;
    };
    let strike = strikes[*at as usize];
    let Violation { check, words, tail } = *script::play(strike, None, Detail::Tail).unwrap_err();
    let failed = sum.failed.len();
    panic!("{tail}\n{strike:?}: {check}: {words}\n{failed} failed");
}

#[test]
fn a_crash_that_loses_what_was_acknowledged_is_noticed() {
    let strikes = script::strikes();
    // Nothing is said in the first third.
    let noticed = strikes[strikes.len() / 3..].iter().any(|&strike| {
        let run = script::play(strike, Some(Sabotage::HastyTake), Detail::None);
        run.is_err_and(|found| found.check == "sent_means_shown")
    });
    assert!(noticed, "it was not noticed");
}

/// How many seeds a lie may go unnoticed.
const LIE_SEEDS: u64 = 50;

/// What is falsified, which check has to notice, and in what kind of network.
type Lie = (Sabotage, &'static str, fn(&mut Mix));

/// Each lie has to be noticed by the check that is about it, within a few seeds.
const LIES: &[Lie] = &[
    (Sabotage::TextTwice, "nothing_is_shown_twice", |_| {}),
    (Sabotage::FalseConfirm, "sent_means_shown", |mix| {
        mix.loss = 0.1;
    }),
    (
        Sabotage::Smuggle,
        "members_are_heard_and_strangers_are_not",
        |mix| mix.outsiders = Some(Outsiders::Outside),
    ),
    (Sabotage::MuteHello, "hellos_keep_coming", |_| {}),
    (
        Sabotage::MuteBusy,
        "every_request_waits_or_is_answered",
        |_| {},
    ),
    (
        Sabotage::MuteRefusal,
        "every_text_is_taken_or_refused",
        |mix| mix.leaves = true,
    ),
    (Sabotage::KeepAsking, "withdrawn_requests_are_gone", |mix| {
        mix.let_resets_arrive();
        mix.logouts = true;
        mix.request_limit = Mix::OFTEN * 4;
    }),
    (Sabotage::LostDelivery, "deliveries_end_in_time", |_| {}),
    (Sabotage::SilentJoin, "own_texts_go_to_every_member", |_| {}),
    (Sabotage::MuteNotify, "members_of_a_group_agree", |_| {}),
    (Sabotage::HastyTake, "sent_means_shown", |mix| {
        mix.traps = Some(Mix::OFTEN);
    }),
    (
        Sabotage::ForgetNumbers,
        "history_is_numbered_upwards",
        |mix| {
            mix.jumps = true;
            mix.crashes = Some(Mix::OFTEN);
        },
    ),
    (Sabotage::Oversleep, "only_the_user_accepts", |mix| {
        mix.naps = Some(Mix::OFTEN);
        mix.request_limit = Mix::OFTEN * 3;
        mix.acts = 300;
    }),
    (
        Sabotage::StayForgetful,
        "all_users_see_each_other_online",
        |mix| mix.registry = Some(Mix::OFTEN),
    ),
    (Sabotage::MuteLogin, "the_logged_in_are_listed", |mix| {
        mix.registry = Some(Mix::OFTEN);
    }),
    (Sabotage::MuteDone, "calls_are_closed_in_time", |_| {}),
    (Sabotage::DoneTwice, "calls_are_closed_once", |_| {}),
    (
        Sabotage::ForgetCalls,
        "a_call_leads_to_one_message",
        |mix| {
            mix.takeovers = true;
            mix.traps = Some(Mix::OFTEN / 5);
            mix.acts = 600;
        },
    ),
    (Sabotage::Hoard, "what_is_held_is_bounded", |_| {}),
];

#[test]
fn a_violated_invariant_is_noticed() {
    for &(lie, check, prepare) in LIES {
        let tell = |mix: &mut Mix| {
            mix.outsiders = None;
            mix.loss = 0.0;
            prepare(mix);
            mix.sabotage = Some(lie);
        };
        let found = |seed| Some((seed, World::run(seed, Detail::None, tell).err()?.check));
        let mut others = Vec::new();
        let noticed = (0..LIE_SEEDS)
            .filter_map(found)
            .inspect(|found| others.push(*found))
            .any(|(_, noticed)| noticed == check);
        assert!(noticed, "{lie:?} was noticed by {others:?}");
    }
}
