//! What breaks, and heals again.

use std::time::Duration;

use super::schedule::{Happening, Process};
use super::users::Act;
use super::world::World;

/// Something breaks or heals.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Some hosts do not hear the others, nor perhaps the registry.
    Partition,
    /// These pairs hear each other again, and these the registry.
    Heal(Vec<(usize, usize)>, Vec<usize>),
    /// A process dies.
    Crash,
    /// The program is started anew.
    Restart(usize),
    /// The registry has one of its troubles.
    Registry,
    /// The registry is there again and its store works.
    RegistryBack,
    /// Somebody sets a clock.
    Jump,
}

impl World {
    /// Plans the first of each kind of trouble.
    pub(crate) fn plan_faults(&mut self) {
        self.plan_fault(self.mix.partitions, Fault::Partition);
        self.plan_fault(self.mix.crashes, Fault::Crash);
        self.plan_fault(self.mix.registry, Fault::Registry);
        let pause = self.mix.jumps.then_some(Duration::from_secs(60));
        self.plan_fault(pause, Fault::Jump);
    }

    fn plan_fault(&mut self, mean: Option<Duration>, fault: Fault) {
        if let Some(mean) = mean {
            let delay = self.chance.between(Duration::ZERO, 2 * mean);
            self.schedule.after(delay, Happening::Fault(fault));
        }
    }

    pub(crate) fn fault(&mut self, fault: Fault) {
        match fault {
            // What heals, heals also when nothing breaks any more.
            Fault::Heal(pairs, seats) => self.heal(&pairs, &seats),
            Fault::Restart(seat) => self.restart(seat),
            Fault::RegistryBack => {
                self.registry.down = false;
                self.registry.store_broken = false;
            }
            _ if self.is_quiet() => {}
            Fault::Partition => {
                self.partition();
                self.plan_fault(self.mix.partitions, Fault::Partition);
            }
            Fault::Crash => {
                self.crash();
                self.plan_fault(self.mix.crashes, Fault::Crash);
            }
            Fault::Registry => {
                self.registry_trouble();
                self.plan_fault(self.mix.registry, Fault::Registry);
            }
            Fault::Jump => {
                let seat = self.chance.below(self.peers.len());
                let to = self.chance.number(1_700_000_000_000, 1_900_000_000_000);
                self.peers[seat].set_wall(to);
                self.plan_fault(Some(Duration::from_secs(60)), Fault::Jump);
            }
        }
    }

    /// All that is broken heals, and nothing breaks from now on.
    pub(crate) fn calm(&mut self) {
        let weather = &mut self.weather;
        (weather.loss, weather.hello_loss, weather.slow) = (0.0, 0.0, 0.0);
        weather.delay.1 = weather
            .delay
            .1
            .min(Duration::from_millis(50))
            .max(weather.delay.0);
        self.network.cuts.clear();
        self.network.cut_off.clear();
        self.registry.down = false;
        self.registry.store_broken = false;
        for seat in 0..self.peers.len() {
            if let Some(running) = self.peers[seat].running_mut() {
                // Connections that failed by chance until now say nothing about later.
                running.book.listable_since = None;
            }
            self.restart(seat);
        }
    }

    /// Some do not hear the others. Half of the time only one pair.
    fn partition(&mut self) {
        let count = self.peers.len();
        let side: Vec<bool> = (0..count).map(|_| self.chance.hits(0.4)).collect();
        let one = (self.chance.below(count), self.chance.below(count));
        let single = self.chance.hits(0.5);
        let mut pairs = Vec::new();
        for low in 0..count {
            for high in low + 1..count {
                let cut = match single {
                    true => (low, high) == one,
                    false => side[low] != side[high],
                };
                if cut && self.network.cuts.insert((low, high)) {
                    pairs.push((low, high));
                }
            }
        }
        let with_registry = !single && self.chance.hits(0.5);
        let seats: Vec<usize> = (0..count)
            .filter(|&seat| with_registry && side[seat] && self.network.cut_off.insert(seat))
            .collect();
        let now = self.now();
        self.trace.note(now, || {
            format!("-- partition {pairs:?}, without registry {seats:?}")
        });
        let delay = self.chance.secs(3, 90);
        self.schedule
            .after(delay, Happening::Fault(Fault::Heal(pairs, seats)));
    }

    fn heal(&mut self, pairs: &[(usize, usize)], seats: &[usize]) {
        let now = self.now();
        self.trace.note(now, || {
            format!("-- heals {pairs:?}, with registry {seats:?}")
        });
        for pair in pairs {
            self.network.cuts.remove(pair);
        }
        for &seat in seats {
            self.network.cut_off.remove(&seat);
        }
    }

    fn crash(&mut self) {
        let seat = self.chance.below(self.peers.len());
        if !self.peers[seat].is_up() {
            return;
        }
        let dead: Process = self.peers[seat].process();
        let now = self.now();
        self.trace
            .note(now, || format!("-- crash of {}", self.peers[seat].name));
        let told = self.peers[seat].stop();
        self.told.add(told);
        self.calls_of_the_dead(dead);
        let delay = self.chance.secs(0, 40);
        self.schedule
            .after(delay, Happening::Fault(Fault::Restart(seat)));
    }

    /// Starts the program of a seat, unless it runs.
    fn restart(&mut self, seat: usize) {
        if !self.peers[seat].is_up() {
            self.start(seat);
            let delay = self.chance.secs(0, 5);
            self.schedule
                .after(delay, Happening::User(seat, Act::Enter));
        }
    }

    fn registry_trouble(&mut self) {
        let back = self.chance.secs(0, 60);
        let now = self.now();
        match self.chance.below(3) {
            0 => {
                self.trace.note(now, || "-- the store fails".to_owned());
                self.registry.store_broken = true;
            }
            1 => {
                self.trace.note(now, || "-- the registry stops".to_owned());
                self.registry.stop();
                self.registry_drops_links();
            }
            _ => {
                let seat = self.chance.below(self.peers.len());
                let name = self.peers[seat].name;
                self.trace
                    .note(now, || format!("-- the link of {name} breaks"));
                return self.break_link(seat);
            }
        }
        self.schedule
            .after(back, Happening::Fault(Fault::RegistryBack));
    }
}
