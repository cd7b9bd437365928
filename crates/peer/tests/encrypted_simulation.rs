//! A registry of version 2 and machines that use it, in simulated time, with everything from one
//! seed: lines that break, processes that are killed or taken over, people with several devices,
//! devices that an operator removes, and a registry that gets another key.
//!
//! While it runs: no password goes out twice or to a key that is not pinned, nothing is tried
//! after another key was seen, the whole list comes once. When the faults have ended: everyone is
//! signed in, and sees exactly who is online.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[path = "encrypted_simulation/registry.rs"]
mod registry;
#[path = "encrypted_simulation/user.rs"]
mod user;
#[path = "encrypted_simulation/world.rs"]
mod world;

use world::{Sabotage, World};

const SEEDS: u64 = 1000;

#[test]
fn everyone_sees_who_is_online_when_the_faults_have_ended() {
    for seed in 0..SEEDS {
        if let Err(what) = World::new(seed, None).run() {
            panic!("seed {seed}: {what}");
        }
    }
}

#[test]
fn faults_of_every_kind_happen() {
    let mut faults = std::collections::BTreeMap::new();
    for seed in 0..50 {
        let mut world = World::new(seed, None);
        world.run().unwrap();
        for (fault, count) in world.faults {
            *faults.entry(fault).or_insert(0) += count;
        }
    }
    assert_eq!(faults.len(), 9, "{faults:?}");
    assert!(faults.values().all(|count| *count >= 10), "{faults:?}");
}

#[test]
fn each_check_notices_what_it_is_for() {
    for (sabotage, noticed) in [
        (Sabotage::LoseDeltas, "sees another list"),
        (Sabotage::SendPasswordTwice, "a password more often"),
        (Sabotage::ForgetPins, "a key that is not pinned"),
        (Sabotage::ConnectAgain, "after another key was seen"),
        (Sabotage::ListTwice, "the whole list again"),
    ] {
        let failed = (0..50).find_map(|seed| World::new(seed, Some(sabotage)).run().err());
        let failed = failed.unwrap_or_else(|| panic!("{sabotage:?} is not noticed"));
        assert!(failed.contains(noticed), "{sabotage:?}: {failed}");
    }
}
