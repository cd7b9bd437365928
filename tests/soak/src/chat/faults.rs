//! Fault injection: what is done to the programs and their connections.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

use super::driver::Kind;
use super::driver::Order;
use super::ledger::User;
use super::people::{People, Person};
use super::proxy::Cut;
use super::schedule::Schedule;
use super::tally::Tally;

/// The mean time between two faults of a kind, for each user.
const KILL_EACH: Duration = Duration::from_secs(800);
const STOP_EACH: Duration = Duration::from_secs(500);
const CUT_EACH: Duration = Duration::from_secs(300);
const LINE_EACH: Duration = Duration::from_secs(500);
const LEAVE_EACH: Duration = Duration::from_secs(500);
const PAGE_EACH: Duration = Duration::from_secs(60);
/// The mean life of a registry.
const REGISTRY: Duration = Duration::from_secs(150);
/// How long a program is gone, or a page closed.
const GONE: std::ops::Range<f64> = 0.0..6.0;
/// How long a program is stopped: shorter and longer than others wait for it.
const STOPPED: std::ops::Range<f64> = 0.2..9.0;

/// The schedules of all kinds of faults.
#[derive(Debug)]
pub(super) struct Faults {
    kill: Schedule,
    stop: Schedule,
    page: Schedule,
    line: Schedule,
    cut: Schedule,
    leave: Schedule,
    registry: Schedule,
}

/// A fault that a user's own task cannot inject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Kill the registry, and start it again after this time.
    Registry(Duration),
    /// Cut a user's connection to the registry.
    Line(User, Cut),
    /// Cut the connections between peers to or from this address after this time; all of
    /// them if there is none.
    Connections(Option<Ipv4Addr>, Duration),
    /// Make a user leave the chat.
    Leave(User),
}

impl Faults {
    /// The usual schedules, `factor` times as often.
    pub(super) fn new(people: &People, factor: f64) -> Self {
        let all = people.0.len();
        let pages = people.0.iter().filter(|person| person.kind == Kind::Bridge);
        let clock = |count, time| Schedule::for_each(count, time).faster(factor);
        Self {
            kill: clock(all, KILL_EACH),
            stop: clock(all, STOP_EACH),
            page: clock(pages.count(), PAGE_EACH),
            line: clock(all, LINE_EACH),
            cut: clock(all, CUT_EACH),
            leave: clock(all, LEAVE_EACH),
            registry: clock(1, REGISTRY),
        }
    }

    /// Does what is due, and says what else is.
    pub(super) fn inject(
        &mut self,
        people: &mut People,
        tally: &mut Tally,
        random: &mut impl Rng,
    ) -> Vec<Fault> {
        let now = Instant::now();
        let mut faults = Vec::new();
        if self.kill.is_due(now, random) {
            kill(people, tally, random);
        }
        if self.stop.is_due(now, random) {
            faults.extend(stop(people, tally, random));
        }
        if self.page.is_due(now, random) {
            close_page(people, tally, random);
        }
        if self.line.is_due(now, random) {
            let cut = if random.random_bool(0.5) {
                Cut::Reset
            } else {
                Cut::Dead
            };
            faults.push(Fault::Line(random.random_range(0..people.0.len()), cut));
        }
        if self.cut.is_due(now, random) {
            faults.push(Fault::Connections(None, Duration::ZERO));
        }
        if self.leave.is_due(now, random) {
            faults.extend(one(people, random, |_, _| true).map(Fault::Leave));
        }
        if self.registry.is_due(now, random) {
            faults.push(Fault::Registry(seconds(random, GONE)));
        }
        faults
    }
}

/// Every tenth user's program is never killed, and some bridges, so that there are those
/// whose memory can be watched for long.
fn is_spared(user: User, person: &Person) -> bool {
    match person.kind {
        Kind::Native => user % 10 == 5,
        Kind::Bridge => user.is_multiple_of(50),
    }
}

/// A random user who can take orders, and for which `wanted` is true.
fn one(
    people: &People,
    random: &mut impl Rng,
    wanted: impl Fn(User, &Person) -> bool,
) -> Option<User> {
    let able = people.0.iter().enumerate();
    let able: Vec<User> = able
        .filter(|(user, person)| person.is_able() && wanted(*user, person))
        .map(|(user, _)| user)
        .collect();
    able.choose(random).copied()
}

fn kill(people: &mut People, tally: &mut Tally, random: &mut impl Rng) {
    let Some(user) = one(people, random, |user, person| !is_spared(user, person)) else {
        return;
    };
    let stopped = if random.random_bool(0.3) {
        seconds(random, STOPPED)
    } else {
        Duration::ZERO
    };
    let pause = seconds(random, GONE);
    send_away(people, user, Order::Kill { stopped, pause });
    tally.add(if stopped.is_zero() {
        "programs killed"
    } else {
        "programs stopped and then killed"
    });
}

fn stop(people: &mut People, tally: &mut Tally, random: &mut impl Rng) -> Option<Fault> {
    let user = one(people, random, |_, _| true)?;
    let pause = seconds(random, STOPPED);
    send_away(people, user, Order::Stop { pause });
    tally.add("programs stopped for a while");
    // What others send meanwhile is under way for sure.
    let cut = random.random_bool(0.5);
    cut.then(|| Fault::Connections(Some(people.0[user].address.ip()), pause.mul_f64(0.8)))
}

fn close_page(people: &mut People, tally: &mut Tally, random: &mut impl Rng) {
    let Some(user) = one(people, random, |_, person| person.kind == Kind::Bridge) else {
        return;
    };
    let pause = seconds(random, GONE);
    let in_order = random.random_bool(0.5);
    send_away(people, user, Order::ClosePage { pause, in_order });
    tally.add("pages closed");
}

fn send_away(people: &mut People, user: User, order: Order) {
    let person = &mut people.0[user];
    person.away = person.order(order);
}

fn seconds(random: &mut impl Rng, range: std::ops::Range<f64>) -> Duration {
    Duration::from_secs_f64(random.random_range(range))
}
