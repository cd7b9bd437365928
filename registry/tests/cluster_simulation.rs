//! Several registries over one database, in one thread and without a clock: users log in,
//! move, log out and vanish, devices sign in by the bindings of their names, and subscribers
//! are pushed what changes, while the change stream lags, repeats itself, changes the order
//! and breaks, the database is away, and registries are killed and cut off.
//!
//! What happens is drawn from a seed. `P2PCHAT_SIM_SEEDS=n` tries so many (200 if nothing is
//! said, 1,000 in `cargo xtask check`), `P2PCHAT_SIM_SEED=n` replays one with its trace.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[path = "cluster_simulation/bindings.rs"]
mod bindings;
#[path = "cluster_simulation/database.rs"]
mod database;
#[path = "cluster_simulation/node.rs"]
mod node;
#[path = "cluster_simulation/subscriber.rs"]
mod subscriber;
#[path = "cluster_simulation/troubles.rs"]
mod troubles;
#[path = "cluster_simulation/world.rs"]
mod world;

use troubles::{Lie, Troubles};
use world::World;

/// How many seeds are tried if nothing is said.
const SEEDS: u64 = 200;

fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().unwrap());
    match number("P2PCHAT_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("P2PCHAT_SIM_SEEDS").unwrap_or(SEEDS),
    }
}

#[test]
fn all_registries_show_what_is_so() {
    let seeds = seeds();
    let is_traced = seeds.end - seeds.start == 1;
    let workers = std::thread::available_parallelism().unwrap().get();
    let run = |first: usize| {
        let mut troubles = Troubles::default();
        for seed in seeds.clone().skip(first).step_by(workers) {
            let mut world = World::new(seed, is_traced);
            world.run();
            troubles += world.troubles;
        }
        troubles
    };
    let troubles = std::thread::scope(|scope| {
        let run = &run;
        let running: Vec<_> = (0..workers)
            .map(|first| scope.spawn(move || run(first)))
            .collect();
        let mut troubles = Troubles::default();
        for worker in running {
            troubles += worker.join().unwrap();
        }
        troubles
    });
    println!("{} seeds: {troubles:?}", seeds.end - seeds.start);
    // A simulation in which nothing goes wrong shows nothing.
    assert!(is_traced || troubles.all_happened(), "{troubles:?}");
}

#[test]
fn what_is_broken_is_found() {
    for lie in Lie::ALL {
        let found = (0..500).any(|seed| {
            let run = move || World::new(seed, false).lying(lie).run();
            std::panic::catch_unwind(run).is_err()
        });
        assert!(found, "nobody notices {lie:?}");
    }
}
