//! What a run is made of: each seed draws its own mixture of people and troubles.

use std::time::Duration;

use super::crashes::Strike;
use super::rng::Rng;
use super::sabotage::Sabotage;

/// Attackers: peers that do not keep to the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outsiders {
    /// They send every peer what they should not.
    Outside,
    /// The same, and people ask them into their chats and accept their requests.
    LetIn,
}

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
    /// How probable it is that a packet comes only some time after its connection was
    /// made: up to [`Mix::HELD_UP`].
    pub(crate) held_up: f64,
    /// How probable it is that a packet comes a second time, over a connection of its
    /// own, up to [`Mix::COPIED`] later.
    pub(crate) copies: f64,
    /// How probable it is that a datagram is lost.
    pub(crate) hello_loss: f64,
    /// How probable it is that the user rejects, or does nothing: each.
    pub(crate) unwilling: f64,
    /// The mean pause between partitions, if there are any.
    pub(crate) partitions: Option<Duration>,
    /// The mean pause between crashes, if there are any.
    pub(crate) crashes: Option<Duration>,
    /// The mean pause between processes that die in the middle of a step, if there are
    /// any.
    pub(crate) traps: Option<Duration>,
    /// The mean pause between processes and hosts that stand still, if there are any.
    pub(crate) naps: Option<Duration>,
    /// The mean pause between troubles of the registry, if there are any.
    pub(crate) registry: Option<Duration>,
    /// Whether people leave the chat.
    pub(crate) leaves: bool,
    /// Whether people block others, and take them from the list again.
    pub(crate) blocks: bool,
    /// Whether people log out and in again.
    pub(crate) logouts: bool,
    /// Whether wall clocks jump.
    pub(crate) jumps: bool,
    /// Whether another process goes on where one was killed.
    pub(crate) takeovers: bool,
    /// The attackers, if there are any.
    pub(crate) outsiders: Option<Outsiders>,
    /// Whether people do what `script.rs` says, and nothing else.
    pub(crate) script: bool,
    /// What ends at one point of the run.
    pub(crate) strike: Option<Strike>,
    /// How the harness lies.
    pub(crate) sabotage: Option<Sabotage>,
}

impl Mix {
    /// The pause between troubles where they are wanted in every run.
    pub(crate) const OFTEN: Duration = Duration::from_secs(15);
    /// What a packet takes now and then.
    pub(crate) const SLOW: Duration = Duration::from_secs(3);
    /// A receiver that waits for a packet gives up after as long.
    pub(crate) const HELD_UP: Duration = Duration::from_secs(10);
    /// The latest that a copy of a packet comes.
    pub(crate) const COPIED: Duration = Duration::from_secs(20);
    /// One run in so many has no faults at all, and is held to stricter rules.
    const FAULTLESS: usize = 4;
    /// One run in so many is crowded.
    const CROWDED: usize = 16;

    /// Draws the mixture of a seed.
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        let millis = Duration::from_millis;
        let crowded = rng.below(Self::CROWDED) == 0;
        let delays = [(0, 2), (1, 50), (20, 200), (0, 500)];
        let (least, most) = rng.pick(&delays).unwrap();
        let mut mix = Self {
            peers: rng.number(3, if crowded { 25 } else { 8 }) as usize,
            span: rng.secs(60, 300),
            acts: rng.number(30, 120) as u32,
            request_limit: Duration::from_secs(rng.number(5, 60)),
            delay: (millis(least), millis(most)),
            unwilling: [0.0, 0.1, 0.3][rng.below(3)],
            ..Self::calm()
        };
        if rng.below(Self::FAULTLESS) > 0 {
            mix.draw_troubles(rng);
        }
        mix
    }

    /// Nobody is there, and nothing goes wrong.
    pub(crate) fn calm() -> Self {
        Self {
            peers: 0,
            span: Duration::ZERO,
            acts: 0,
            request_limit: Duration::ZERO,
            delay: (Duration::ZERO, Duration::ZERO),
            slow: 0.0,
            loss: 0.0,
            held_up: 0.0,
            copies: 0.0,
            hello_loss: 0.0,
            unwilling: 0.0,
            partitions: None,
            crashes: None,
            traps: None,
            naps: None,
            registry: None,
            leaves: false,
            blocks: false,
            logouts: false,
            jumps: false,
            takeovers: false,
            outsiders: None,
            script: false,
            strike: None,
            sabotage: None,
        }
    }

    fn draw_troubles(&mut self, rng: &mut Rng) {
        let pause = |rng: &mut Rng| rng.hits(0.4).then(|| rng.secs(10, 60));
        self.partitions = pause(rng);
        self.crashes = pause(rng);
        self.traps = pause(rng);
        self.naps = pause(rng);
        self.registry = pause(rng);
        self.slow = [0.0, 0.02, 0.1][rng.below(3)];
        self.loss = [0.0, 0.02, 0.1, 0.25][rng.below(4)];
        self.held_up = [0.0, 0.0, 0.02, 0.1][rng.below(4)];
        self.copies = [0.0, 0.0, 0.02, 0.1][rng.below(4)];
        self.hello_loss = [0.0, 0.2][rng.below(2)];
        self.leaves = rng.hits(0.3);
        self.blocks = rng.hits(0.2);
        self.logouts = rng.hits(0.3);
        self.jumps = rng.hits(0.3);
        let outsiders = [None, None, Some(Outsiders::Outside), Some(Outsiders::LetIn)];
        self.outsiders = outsiders[rng.below(4)];
        self.takeovers = rng.hits(0.5);
    }

    /// Whether another process may go on where one was killed.
    pub(crate) fn has_takeovers(&self) -> bool {
        self.takeovers || self.strike.is_some()
    }

    /// Nothing is lost, nothing breaks, no user leaves. Outsiders may do anything.
    pub(crate) fn is_faultless(&self) -> bool {
        let troubles = [self.loss, self.slow, self.held_up, self.copies];
        let lasting = [self.partitions, self.naps];
        self.is_steady()
            && troubles.iter().all(|probability| *probability == 0.0)
            && lasting.iter().all(Option::is_none)
    }

    /// Every connection that one end closes is seen to end at the other, and no packet comes
    /// but over the connection that was made for it.
    pub(crate) fn resets_arrive(&self) -> bool {
        let troubles = [self.loss, self.held_up, self.copies];
        let lasting = [self.partitions, self.naps, self.crashes, self.traps];
        troubles.iter().all(|probability| *probability == 0.0)
            && lasting.iter().all(Option::is_none)
    }

    /// Makes that so.
    pub(crate) fn let_resets_arrive(&mut self) {
        self.loss = 0.0;
        self.held_up = 0.0;
        self.copies = 0.0;
        self.partitions = None;
        self.naps = None;
        self.crashes = None;
        self.traps = None;
    }

    /// Who is in a chat stays there: no crashes, nobody leaves, blocks others or logs
    /// out, and no attacker is in.
    pub(crate) fn is_steady(&self) -> bool {
        let endings = [self.crashes, self.traps];
        endings.iter().all(Option::is_none)
            && !self.leaves
            && !self.blocks
            && !self.logouts
            && self.outsiders != Some(Outsiders::LetIn)
    }
}
