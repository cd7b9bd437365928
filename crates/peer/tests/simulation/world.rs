//! One run: a registry, peers, what is between them, and the clock.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use p2pchat_model::PeerAddr;

use super::book::Totals;
use super::crashes::Trap;
use super::ledger::Ledger;
use super::links::Link;
use super::mix::Mix;
use super::network::Network;
use super::peers::Peer;
use super::registry::Registry;
use super::rng::Rng;
use super::schedule::{Schedule, SimEvent};
use super::trace::{Detail, Trace};
use super::troubles::Troubles;

/// Something that must always hold does not.
#[derive(Debug)]
pub(crate) struct Violation {
    /// The name of the check.
    pub(crate) check: &'static str,
    /// Where and when, and what is wrong.
    pub(crate) words: String,
    /// What happened before.
    pub(crate) tail: String,
}

/// What a run was like.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Texts that were shown to another user.
    pub(crate) shown: usize,
    /// What users were told.
    pub(crate) totals: Totals,
    /// What went wrong.
    pub(crate) troubles: Troubles,
    /// How many points there were at which something could be struck, before all was to
    /// come to rest.
    pub(crate) points_until_quiet: usize,
    /// What was carried out, by name.
    pub(crate) steps: BTreeSet<&'static str>,
    /// How many lines the trace has, and its hash.
    pub(crate) trace: (usize, u64),
}

/// One run.
pub(crate) struct World {
    pub(crate) mix: Mix,
    /// The mixture as it is now: without faults once all is quiet.
    pub(crate) weather: Mix,
    pub(crate) rng: Rng,
    pub(crate) schedule: Schedule,
    pub(crate) network: Network,
    pub(crate) links: Vec<Link>,
    pub(crate) registry: Registry,
    pub(crate) peers: Vec<Peer>,
    /// The addresses of the peers, by seat.
    pub(crate) seats: Vec<PeerAddr>,
    /// The addresses of those who play by other rules.
    pub(crate) outsiders: Vec<PeerAddr>,
    pub(crate) ledger: Ledger,
    /// How many calls were made.
    pub(crate) calls: u64,
    pub(crate) trace: Trace,
    pub(crate) violation: Option<Violation>,
    /// What the users of programs that have ended were told.
    pub(crate) totals: Totals,
    /// Where the next process is killed.
    pub(crate) trap: Option<Trap>,
    /// How many points there were at which something could be struck.
    pub(crate) points: usize,
    points_until_quiet: usize,
    /// What was to be carried out, by name.
    pub(crate) steps: BTreeSet<&'static str>,
    pub(crate) troubles: Troubles,
    quiet: bool,
}

impl World {
    /// How often it is looked at what has to have happened.
    const AUDIT: Duration = Duration::from_secs(1);

    /// Runs a seed from its beginning to its quiet end.
    ///
    /// # Errors
    /// With the first thing that does not hold.
    pub(crate) fn run(
        seed: u64,
        detail: Detail,
        change: impl FnOnce(&mut Mix),
    ) -> Result<Report, Box<Violation>> {
        let mut world = Self::new(seed, detail, change);
        let mix = world.mix.clone();
        world.trace.note(Duration::ZERO, || format!("{mix:?}"));
        if catch_unwind(AssertUnwindSafe(|| world.go())).is_err() {
            world.fail("nothing_panics", "see above for the panic");
        }
        world.report()
    }

    fn go(&mut self) {
        if self.mix.script {
            self.plan_script();
        } else {
            self.plan_users();
        }
        self.plan_outsiders();
        self.plan_faults();
        self.schedule.after(Self::AUDIT, SimEvent::Audit);
        self.run_for(self.mix.span);
        self.points_until_quiet = self.points;
        self.settle();
        if self.mix.script {
            self.chat_again();
        }
    }

    fn new(seed: u64, detail: Detail, change: impl FnOnce(&mut Mix)) -> Self {
        let mut rng = Rng::new(seed);
        let mut mix = Mix::draw(&mut rng);
        change(&mut mix);
        let peers: Vec<Peer> = (0..mix.peers)
            .map(|seat| Peer::new(seat, rng.number(1_790_000_000_000, 1_790_003_600_000)))
            .collect();
        Self {
            weather: mix.clone(),
            mix,
            rng,
            schedule: Schedule::default(),
            network: Network::default(),
            links: Vec::new(),
            registry: Registry::default(),
            seats: peers.iter().map(|peer| peer.address).collect(),
            peers,
            outsiders: (1..=Self::OUTSIDERS)
                .map(|last| format!("10.0.1.{last}").parse().unwrap())
                .collect(),
            trap: None,
            points: 0,
            points_until_quiet: 0,
            steps: BTreeSet::new(),
            troubles: Troubles::default(),
            ledger: Ledger::default(),
            calls: 0,
            trace: Trace::new(detail),
            violation: None,
            totals: Totals::default(),
            quiet: false,
        }
    }

    pub(crate) fn now(&self) -> Duration {
        self.schedule.now()
    }

    /// How long the next packet takes.
    pub(crate) fn delay(&mut self) -> Duration {
        let (least, most) = self.weather.delay;
        if self.rng.hits(self.weather.slow) {
            Mix::SLOW
        } else {
            self.rng.between(least, most)
        }
    }

    pub(crate) fn seat_of(&self, address: PeerAddr) -> Option<usize> {
        self.seats.iter().position(|seat| *seat == address)
    }

    /// Whether people and faults have ended.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    pub(crate) fn end_troubles(&mut self) {
        self.quiet = true;
        self.calm();
        for seat in 0..self.peers.len() {
            self.plan_return(seat);
        }
    }

    /// Ends the run: this does not hold.
    pub(crate) fn fail(&mut self, check: &'static str, words: &str) {
        let now = self.now().as_secs_f64();
        self.violation.get_or_insert(Violation {
            check,
            words: format!("at {now:.3}: {words}"),
            tail: self.trace.tail(),
        });
    }

    /// Lets the world go on for so long, or until something does not hold.
    pub(crate) fn run_for(&mut self, span: Duration) {
        let end = self.now() + span;
        while self.violation.is_none()
            && let Some(event) = self.schedule.next(end)
        {
            self.dispatch(event);
        }
    }

    fn dispatch(&mut self, event: SimEvent) {
        match event {
            SimEvent::Timer(process) => self.timer(process),
            SimEvent::User(seat, act) => self.act(seat, act),
            SimEvent::Command(seat, command) => self.command(seat, command),
            SimEvent::CommandAgain(seat) => self.command_again(seat),
            SimEvent::Outsider => self.outsider_acts(),
            SimEvent::Call(call, stage) => self.call_goes_on(call, stage),
            SimEvent::Link(link, stage) => self.link_goes_on(link, stage),
            SimEvent::Hello(seat, hello) => self.hello_arrives(seat, hello),
            SimEvent::Fault(fault) => self.fault(fault),
            SimEvent::Audit => {
                self.audit();
                self.schedule.after(Self::AUDIT, SimEvent::Audit);
            }
        }
    }

    fn report(mut self) -> Result<Report, Box<Violation>> {
        if let Some(violation) = self.violation {
            return Err(Box::new(violation));
        }
        for peer in &self.peers {
            if let Some(running) = peer.running() {
                self.totals.add(running.book.totals);
            }
        }
        Ok(Report {
            shown: self.ledger.shown_parts(),
            totals: self.totals,
            troubles: self.troubles,
            points_until_quiet: self.points_until_quiet,
            steps: self.steps,
            trace: self.trace.sum(),
        })
    }
}
