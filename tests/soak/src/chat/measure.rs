//! The memory and the open files of the programs.

use std::collections::HashMap;

use p2pchat_testkit::{memory, open_files};

use super::driver::Kind;
use super::ledger::User;
use super::people::{People, Person};
use crate::Report;

const MIB: u64 = 1024 * 1024;
/// How much more a program may take at the end than after the warm-up, whatever it shows:
/// the page cache of its SQLite file (2 MB) fills up, and the allocator keeps what a burst
/// of connections needed.
const SLACK: u64 = 6 * MIB;
/// What a line that was shown may cost: it is kept in the view of the peer, and in that of
/// the front end, up to `View::MAX_LINES` in each.
const LINE: u64 = 2 * 1024;
/// How much more the registry may take at the end than after the warm-up. It keeps nothing
/// about the past, but each of its two hashing threads takes 19 MiB with its first password,
/// and a restart logs all users in at once.
const REGISTRY_SLACK: u64 = 48 * MIB;
/// How many files a program may have open when all is quiet: sockets to others come and go.
const FILES: usize = 64;

/// What was measured in the run.
#[derive(Debug, Default)]
pub(super) struct Measured {
    /// By user, after the warm-up: the life it was, the memory, the lines shown.
    begun: HashMap<User, Usage>,
    /// Of the registry: now, after the warm-up, at most.
    registry: u64,
    registry_begun: u64,
    registry_peak: u64,
    peak: HashMap<User, u64>,
}

/// What a program takes, and how much it has shown so far.
#[derive(Debug, Clone, Copy)]
struct Usage {
    life: usize,
    memory: u64,
    lines: usize,
}

impl Measured {
    /// Measures all programs; `registry` is its process if it runs.
    pub(super) fn sample(&mut self, people: &People, registry: Option<u32>) {
        for (user, person) in people.0.iter().enumerate() {
            if let Some(taken) = usage(person) {
                let peak = self.peak.entry(user).or_default();
                *peak = taken.memory.max(*peak);
            }
        }
        // It may be away, for a moment.
        if let Some(memory) = registry.and_then(|pid| memory(pid).ok()) {
            self.registry = memory;
            self.registry_peak = self.registry_peak.max(memory);
        }
    }

    /// The warm-up is over.
    pub(super) fn begin(&mut self, people: &People, registry: Option<u32>) {
        self.sample(people, registry);
        self.registry_begun = self.registry;
        let all = people.0.iter().enumerate();
        self.begun = all
            .filter_map(|(user, person)| Some((user, usage(person)?)))
            .collect();
    }

    /// The end: what has become more, and whether that is too much.
    pub(super) fn report(&mut self, people: &People, registry: Option<u32>, report: &mut Report) {
        self.sample(people, registry);
        for (kind, name) in [(Kind::Native, "p2pchat"), (Kind::Bridge, "p2pchat-bridge")] {
            self.report_kind(kind, name, people, report);
        }
        let (begun, end, peak) = (self.registry_begun, self.registry, self.registry_peak);
        report.figure(
            "memory of the registry",
            format!(
                "{} after the warm-up, {} at the end, {} at most",
                mib(begun),
                mib(end),
                mib(peak)
            ),
        );
        let bound = begun + REGISTRY_SLACK;
        report.check(
            end > 0 && end <= bound,
            format!(
                "the registry takes {} at the end, more than {}",
                mib(end),
                mib(bound)
            ),
        );
        report_files(people, registry, report);
    }

    fn report_kind(&self, kind: Kind, name: &str, people: &People, report: &mut Report) {
        let mut sum = Sum::default();
        for (user, person) in people
            .0
            .iter()
            .enumerate()
            .filter(|(_, person)| person.kind == kind)
        {
            sum.peak = sum
                .peak
                .max(self.peak.get(&user).copied().unwrap_or_default());
            let (Some(begun), Some(end)) = (self.begun.get(&user), usage(person)) else {
                continue;
            };
            if begun.life == end.life {
                sum.add(*begun, end);
                let bound = begun.memory + SLACK + LINE * (end.lines - begun.lines) as u64;
                report.check(
                    end.memory <= bound,
                    format!(
                        "{} takes {} at the end, more than {}",
                        person.name,
                        mib(end.memory),
                        mib(bound)
                    ),
                );
            }
        }
        report.figure(format!("memory of a {name}"), &sum);
        report.check(
            sum.count > 0,
            format!("no {name} ran from the warm-up to the end"),
        );
    }
}

/// The sum of those that ran from the warm-up to the end.
#[derive(Default)]
struct Sum {
    count: u64,
    begun: u64,
    end: u64,
    most: u64,
    lines: usize,
    peak: u64,
}

impl Sum {
    fn add(&mut self, begun: Usage, end: Usage) {
        self.count += 1;
        self.begun += begun.memory;
        self.end += end.memory;
        self.most = self.most.max(end.memory.saturating_sub(begun.memory));
        self.lines += end.lines - begun.lines;
    }
}

impl std::fmt::Display for Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count = self.count.max(1);
        write!(
            f,
            "{} after the warm-up, {} at the end and {} lines later ({} of them ran throughout; \
             the greatest growth was {}), {} at most",
            mib(self.begun / count),
            mib(self.end / count),
            self.lines / count as usize,
            self.count,
            mib(self.most),
            mib(self.peak),
        )
    }
}

fn usage(person: &Person) -> Option<Usage> {
    Some(Usage {
        life: person.lives,
        memory: memory(person.pid?).ok()?,
        lines: person.lines,
    })
}

fn report_files(people: &People, registry: Option<u32>, report: &mut Report) {
    let programs = people.0.iter().filter_map(|person| person.pid);
    let files = |pid| open_files(pid).unwrap_or_default();
    let most = programs.map(files).max().unwrap_or_default();
    let registry = registry.map(files).unwrap_or_default();
    report.figure(
        "open files",
        format!("{most} of a peer at most, {registry} of the registry"),
    );
    report.check(
        most <= FILES,
        format!("a peer has {most} files open, more than {FILES}"),
    );
    let bound = FILES + people.0.len();
    report.check(
        registry <= bound,
        format!("the registry has {registry} files open, more than {bound}"),
    );
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / MIB as f64)
}

/// How busy the processors of the machine are, with all that runs on it.
#[derive(Debug)]
pub(super) struct Load {
    busy: f64,
    all: f64,
}

impl Load {
    /// What the system has counted so far.
    pub(super) fn now() -> Self {
        // "cpu  user nice system idle iowait irq softirq steal …"
        let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
        let line = text.lines().next().unwrap_or_default();
        let times: Vec<f64> = line
            .split_whitespace()
            .skip(1)
            .take(8)
            .filter_map(|time| time.parse().ok())
            .collect();
        let all = times.iter().sum::<f64>();
        let idle = times.iter().skip(3).take(2).sum::<f64>();
        Self {
            busy: all - idle,
            all,
        }
    }

    /// How busy they have been since, in words.
    pub(super) fn since_then(&self) -> String {
        let now = Self::now();
        let share = (now.busy - self.busy) / (now.all - self.all).max(1.0);
        format!("{:.0} % (whatever else runs there included)", share * 100.0)
    }
}
