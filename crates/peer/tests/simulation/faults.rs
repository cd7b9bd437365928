//! What breaks, and heals again.

use std::time::Duration;

use super::registry::Manner;
use super::sabotage::Sabotage;
use super::schedule::{Process, SimEvent};
use super::troubles::Trouble;
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
    /// A process dies in the middle of a step.
    Trap,
    /// The program is started again.
    Restart(usize),
    /// Another process goes on with what the front end has seen.
    Takeover(usize),
    /// A process or host stands still.
    Nap,
    /// It goes on.
    Wake(Process),
    /// The registry has one of its troubles.
    Registry,
    /// The registry is there again, its store works, and its answers are answers.
    RegistryBack,
    /// A clock is set.
    Jump,
}

impl World {
    /// The mean pause between two clocks that are set.
    const JUMP: Duration = Duration::from_secs(30);
    /// The latest that a clock is set to, in milliseconds: in the year 2120. What is said
    /// then still has a number below 2^53.
    const LATEST: u64 = 4_750_000_000_000;

    /// How far a clock is set at most, in milliseconds: a minute, a day, three years.
    const FAR: [u64; 3] = [60_000, 86_400_000, 94_608_000_000];

    /// Plans the first of each kind of trouble.
    pub(crate) fn plan_faults(&mut self) {
        self.plan_fault(self.mix.partitions, Fault::Partition);
        self.plan_fault(self.mix.crashes, Fault::Crash);
        self.plan_fault(self.mix.traps, Fault::Trap);
        self.plan_fault(self.mix.naps, Fault::Nap);
        self.plan_fault(self.mix.registry, Fault::Registry);
        self.plan_fault(self.mix.jumps.then_some(Self::JUMP), Fault::Jump);
    }

    fn plan_fault(&mut self, mean: Option<Duration>, fault: Fault) {
        if let Some(mean) = mean {
            let delay = self.rng.between(Duration::ZERO, 2 * mean);
            self.schedule.after(delay, SimEvent::Fault(fault));
        }
    }

    pub(crate) fn fault(&mut self, fault: Fault) {
        match fault {
            // What heals, heals also when nothing breaks any more.
            Fault::Heal(pairs, seats) => self.heal(&pairs, &seats),
            Fault::Restart(seat) => self.restart(seat),
            Fault::Takeover(seat) => self.take_over(seat),
            Fault::Wake(process) => self.wake(process),
            Fault::RegistryBack => self.registry.recover(),
            _ if self.is_quiet() => {}
            Fault::Partition => {
                self.partition();
                self.plan_fault(self.mix.partitions, Fault::Partition);
            }
            Fault::Crash => {
                self.crash();
                self.plan_fault(self.mix.crashes, Fault::Crash);
            }
            Fault::Trap => {
                self.set_trap();
                self.plan_fault(self.mix.traps, Fault::Trap);
            }
            Fault::Nap => {
                self.fall_asleep();
                self.plan_fault(self.mix.naps, Fault::Nap);
            }
            Fault::Registry => {
                self.registry_trouble();
                self.plan_fault(self.mix.registry, Fault::Registry);
            }
            Fault::Jump => {
                self.jump();
                self.plan_fault(Some(Self::JUMP), Fault::Jump);
            }
        }
    }

    /// All that is broken heals, and nothing breaks from now on.
    pub(crate) fn calm(&mut self) {
        let weather = &mut self.weather;
        (weather.loss, weather.hello_loss, weather.slow) = (0.0, 0.0, 0.0);
        (weather.held_up, weather.copies) = (0.0, 0.0);
        weather.delay.1 = weather
            .delay
            .1
            .min(Duration::from_millis(50))
            .max(weather.delay.0);
        self.network.cuts.clear();
        self.network.cut_off.clear();
        self.trap = None;
        self.registry.recover();
        if self.mix.sabotage == Some(Sabotage::StayForgetful) {
            self.registry.forget_all();
            self.registry.manner = Manner::Forgetful;
        }
        for seat in 0..self.peers.len() {
            if let Some(running) = self.peers[seat].running_mut() {
                // Connections that failed at random until now say nothing about later.
                running.book.listable_since = None;
            }
            self.restart(seat);
        }
    }

    /// Some do not hear the others. Half of the time only one pair.
    fn partition(&mut self) {
        let count = self.peers.len();
        let side: Vec<bool> = (0..count).map(|_| self.rng.hits(0.4)).collect();
        let one = (self.rng.below(count), self.rng.below(count));
        let single = self.rng.hits(0.5);
        let mut pairs = Vec::new();
        for low in 0..count {
            for high in low + 1..count {
                let cut = if single {
                    (low, high) == one
                } else {
                    side[low] != side[high]
                };
                if cut && self.network.cuts.insert((low, high)) {
                    pairs.push((low, high));
                }
            }
        }
        self.troubles.note(Trouble::Partition);
        let with_registry = !single && self.rng.hits(0.5);
        let seats: Vec<usize> = (0..count)
            .filter(|&seat| with_registry && side[seat] && self.network.cut_off.insert(seat))
            .collect();
        let now = self.now();
        self.trace.note(now, || {
            format!("-- partition {pairs:?}, without registry {seats:?}")
        });
        let delay = self.rng.secs(3, 90);
        self.schedule
            .after(delay, SimEvent::Fault(Fault::Heal(pairs, seats)));
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

    /// A wall clock is set, or its time is lost.
    fn jump(&mut self) {
        let seat = self.rng.below(self.peers.len());
        let shows = self.peers[seat].wall();
        let most = self.rng.pick(&Self::FAR).expect("there are some");
        let far = self.rng.number(1, most);
        let (trouble, to) = match self.rng.below(5) {
            0 | 1 => (Trouble::ClockForwards, (shows + far).min(Self::LATEST)),
            2 | 3 => (Trouble::ClockBackwards, shows.saturating_sub(far)),
            _ => (Trouble::ClockUnset, 0),
        };
        let (now, name) = (self.now(), self.peers[seat].name);
        self.trace.note(now, || format!("-- {name}: {trouble:?}"));
        self.troubles.note(trouble);
        self.peers[seat].set_wall(to);
    }
}
