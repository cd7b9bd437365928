//! Devices of several people and one liar that keep conversations together, in simulated time, with
//! everything from one seed: lines that break, devices that are killed between a commit and a
//! frame, put back to an old copy of their disk or gone for good, clocks that are wrong by years,
//! and a member who forks, breaks rules, floods and forges.
//!
//! `P2PCHAT_SIM_SEEDS=n` tries so many seeds, `P2PCHAT_SIM_SEED=n` one.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[path = "simulation/checks.rs"]
mod checks;
#[allow(dead_code, reason = "the schedules use all of it")]
#[path = "simulation/device.rs"]
mod device;
#[path = "simulation/faults.rs"]
mod faults;
#[path = "simulation/keys.rs"]
mod keys;
#[path = "simulation/liar.rs"]
mod liar;
#[path = "simulation/people.rs"]
mod people;
#[path = "simulation/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::ops::Range;

use world::{Sabotage, World};

/// So many are tried if nothing is said.
const SEEDS: u64 = 200;

fn seeds() -> Range<u64> {
    let number = |name| std::env::var(name).ok().map(|text| text.parse().unwrap());
    match number("P2PCHAT_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("P2PCHAT_SIM_SEEDS").unwrap_or(SEEDS),
    }
}

#[test]
fn all_hold_and_show_the_same_when_the_faults_have_ended() {
    let failed = seeds().filter_map(|seed| {
        let failure = World::new(seed, None).run().err()?;
        Some(format!("seed {seed}: {failure}"))
    });
    let failed: Vec<_> = failed.collect();
    assert!(
        failed.is_empty(),
        "{} fail:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

#[test]
fn everything_happens() {
    let mut happened = BTreeMap::new();
    for seed in 0..100 {
        let mut world = World::new(seed, None);
        world.run().unwrap();
        for (what, count) in world.happened {
            *happened.entry(what).or_insert(0) += count;
        }
    }
    assert!(happened.values().all(|count| *count >= 10), "{happened:?}");
    assert_eq!(happened.len(), world::KINDS, "{happened:?}");
}

#[test]
fn each_check_notices_what_it_is_for() {
    for (sabotage, noticed) in [
        (Sabotage::IgnoreEdits, "shows other messages"),
        (Sabotage::AnswerNothing, "holds other entries"),
        (Sabotage::LoseCommits, "is said to hold"),
        (Sabotage::ForgetMark, "uses a position twice"),
        (Sabotage::IgnoreProofs, "entries"),
        (Sabotage::TalkToRemoved, "is sent talk"),
        (Sabotage::RemoveUnasked, "is out"),
        (Sabotage::ClockBackwards, "before what they had seen"),
        (Sabotage::ShowAll, "may not see"),
        (Sabotage::DropBadLogs, "entries"),
    ] {
        let mut failures =
            (0..1000).filter_map(|seed| World::new(seed, Some(sabotage)).run().err());
        let is_noticed = failures.any(|failure| failure.contains(noticed));
        assert!(is_noticed, "{sabotage:?} is not noticed");
    }
}
