//! What a run is made of: each seed draws its own mixture of people and troubles.

use std::time::Duration;

use super::chance::Chance;
use super::sabotage::Sabotage;

/// What a run is made of.
#[derive(Debug, Clone)]
pub(crate) struct Mix {
    /// How many peers there are.
    pub(crate) peers: usize,
    /// How long people act and things break.
    pub(crate) span: Duration,
    /// How many acts people have between them.
    pub(crate) acts: u32,
    /// How long a chat request waits.
    pub(crate) request_limit: Duration,
    /// How long a packet takes, from and to.
    pub(crate) delay: (Duration, Duration),
    /// How probable it is that it takes [`Mix::SLOW`].
    pub(crate) slow: f64,
    /// How probable it is that a connection cannot be made, breaks, or loses its answer:
    /// each.
    pub(crate) loss: f64,
    /// How probable it is that a datagram is lost.
    pub(crate) hello_loss: f64,
    /// How probable it is that the user rejects, or does nothing: each.
    pub(crate) unwilling: f64,
    /// The mean pause between partitions, if there are any.
    pub(crate) partitions: Option<Duration>,
    /// The mean pause between crashes, if there are any.
    pub(crate) crashes: Option<Duration>,
    /// The mean pause between troubles of the registry, if there are any.
    pub(crate) registry: Option<Duration>,
    /// Whether people leave the chat.
    pub(crate) leaves: bool,
    /// Whether people log out and in again.
    pub(crate) logouts: bool,
    /// Whether clocks on walls jump.
    pub(crate) jumps: bool,
    /// Whether somebody sends everybody what he should not.
    pub(crate) outsider: bool,
    /// How the harness lies.
    pub(crate) sabotage: Option<Sabotage>,
}

impl Mix {
    /// What a packet takes now and then.
    pub(crate) const SLOW: Duration = Duration::from_secs(3);
    /// One run in so many has no faults at all, and is held to stricter rules.
    const FAULTLESS: usize = 4;
    /// One run in so many is crowded.
    const CROWDED: usize = 16;

    /// Draws the mixture of a seed.
    pub(crate) fn draw(chance: &mut Chance) -> Self {
        let millis = Duration::from_millis;
        let crowded = chance.below(Self::CROWDED) == 0;
        let delays = [(0, 2), (1, 50), (20, 200), (0, 500)];
        let (least, most) = chance.pick(&delays).unwrap();
        let mut mix = Self {
            peers: chance.number(3, if crowded { 25 } else { 8 }) as usize,
            span: chance.secs(60, 300),
            acts: chance.number(30, 120) as u32,
            request_limit: Duration::from_secs(chance.number(5, 60)),
            delay: (millis(least), millis(most)),
            slow: 0.0,
            loss: 0.0,
            hello_loss: 0.0,
            unwilling: [0.0, 0.1, 0.3][chance.below(3)],
            partitions: None,
            crashes: None,
            registry: None,
            leaves: false,
            logouts: false,
            jumps: false,
            outsider: false,
            sabotage: None,
        };
        if chance.below(Self::FAULTLESS) > 0 {
            mix.draw_troubles(chance);
        }
        mix
    }

    fn draw_troubles(&mut self, chance: &mut Chance) {
        let pause = |chance: &mut Chance| chance.hits(0.4).then(|| chance.secs(10, 60));
        self.partitions = pause(chance);
        self.crashes = pause(chance);
        self.registry = pause(chance);
        self.slow = [0.0, 0.02, 0.1][chance.below(3)];
        self.loss = [0.0, 0.02, 0.1, 0.25][chance.below(4)];
        self.hello_loss = [0.0, 0.2][chance.below(2)];
        self.leaves = chance.hits(0.3);
        self.logouts = chance.hits(0.3);
        self.jumps = chance.hits(0.3);
        self.outsider = chance.hits(0.3);
    }

    /// Nothing is lost, nothing breaks, nobody leaves.
    pub(crate) fn is_faultless(&self) -> bool {
        self.is_steady() && self.loss == 0.0 && self.partitions.is_none() && self.slow == 0.0
    }

    /// Who is in a chat stays there: no crashes, nobody leaves or logs out, and nobody
    /// is there who plays by other rules.
    pub(crate) fn is_steady(&self) -> bool {
        self.crashes.is_none() && !self.leaves && !self.logouts && !self.outsider
    }
}
