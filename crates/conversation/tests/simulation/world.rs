//! Time, lines that break, faults, and what people do.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use p2pchat_conversation::replica::{Deed, Fact};
use p2pchat_conversation::sync::{Effect, Frame, Now, SessionId, What};
use p2pchat_protocol::v2::conversation::talk::TalkEntry;
use p2pchat_protocol::v2::conversation::{ConversationId, EntryId, JoinId};
use p2pchat_protocol::v2::{DisplayName, PersonKey};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::device::Device;
use crate::keys::Keys;

/// Devices and their persons: the first person has two.
const PERSONS: [u8; 6] = [0, 0, 1, 2, 3, 4];
/// The device that makes the groups. It stays in and comes back: all who hold something meet it.
pub(crate) const HUB: usize = 0;
/// The device that lies.
pub(crate) const LIAR: usize = 5;
const STEPS: usize = 400;
/// So many kinds of things happen.
pub(crate) const KINDS: usize = 25;
const DECADE: i64 = 10 * 365 * 86_400_000;

/// What is made wrong, for a check to notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sabotage {
    IgnoreEdits,
    AnswerNothing,
    LoseCommits,
    ForgetMark,
    IgnoreProofs,
    TalkToRemoved,
    RemoveUnasked,
    ClockBackwards,
    ShowAll,
    DropBadLogs,
}

/// A session of two devices, and what is on its way to each.
pub(crate) struct Line {
    pub(crate) ends: [usize; 2],
    pub(crate) queues: [VecDeque<Frame>; 2],
}

/// See the module.
pub(crate) struct World {
    pub(crate) rng: ChaCha8Rng,
    pub(crate) millis: u64,
    pub(crate) devices: Vec<Device>,
    pub(crate) lines: BTreeMap<SessionId, Line>,
    pub(crate) sessions: u64,
    /// Whether devices are killed in the middle of what they do.
    pub(crate) kills: bool,
    /// Whether the liar has said their last.
    pub(crate) liar_is_quiet: bool,
    pub(crate) groups: Vec<ConversationId>,
    pub(crate) texts: u64,
    /// What stands at each position of the logs of honest devices.
    pub(crate) positions: BTreeMap<(JoinId, u64), EntryId>,
    /// Who was in once, and whose membership someone with the right to has ended.
    pub(crate) entered: BTreeSet<(ConversationId, PersonKey)>,
    pub(crate) ended: BTreeSet<(ConversationId, PersonKey)>,
    /// What honest people have said, and who said it.
    pub(crate) said: Vec<(ConversationId, PersonKey, EntryId)>,
    pub(crate) sabotage: Option<Sabotage>,
    pub(crate) failure: Option<String>,
    pub(crate) happened: BTreeMap<&'static str, usize>,
}

impl World {
    pub(crate) fn new(seed: u64, sabotage: Option<Sabotage>) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let devices = (0..).zip(PERSONS);
        let mut devices: Vec<_> = devices
            .map(|(at, person)| Device::new(at, person))
            .collect();
        devices[LIAR].is_liar = true;
        for device in &mut devices {
            device.skew = match rng.random_range(0..20) {
                0 => DECADE,
                1 => -DECADE,
                2..=5 => rng.random_range(-200_000..200_000),
                _ => 0,
            };
        }
        Self {
            rng,
            millis: 0,
            devices,
            lines: BTreeMap::new(),
            sessions: 0,
            kills: false,
            liar_is_quiet: false,
            groups: Vec::new(),
            texts: 0,
            positions: BTreeMap::new(),
            entered: BTreeSet::new(),
            ended: BTreeSet::new(),
            said: Vec::new(),
            sabotage,
            failure: None,
            happened: BTreeMap::new(),
        }
    }

    pub(crate) fn note(&mut self, what: &'static str) {
        *self.happened.entry(what).or_insert(0) += 1;
    }

    pub(crate) fn fail(&mut self, what: String) {
        self.failure.get_or_insert(what);
    }

    /// Lets it all happen, and checks what came of it.
    pub(crate) fn run(&mut self) -> Result<(), String> {
        self.make_groups();
        self.kills = true;
        for _ in 0..STEPS {
            self.step();
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
        }
        self.kills = false;
        self.end_faults();
        match self.failure.take() {
            Some(failure) => Err(failure),
            None => self.check_end(),
        }
    }

    fn make_groups(&mut self) {
        for group in 0..2 {
            let now = self.devices[HUB].now(self.millis);
            let name: DisplayName = "lunch".parse().unwrap();
            let sync = self.devices[HUB].sync.as_mut().unwrap();
            let (id, effects) = sync.create([group; 16], name, now).unwrap();
            self.carry_out(HUB, effects);
            self.groups.push(id);
            // In the second group people come one by one.
            let asked = if group == 0 { self.devices.len() } else { 3 };
            for device in 2..asked {
                let person = self.devices[device].person();
                let sees_all = self.rng.random();
                self.act(HUB, id, &Deed::Add { person, sees_all });
            }
        }
        let person = self.devices[2].person();
        let now = self.devices[HUB].now(self.millis);
        let sync = self.devices[HUB].sync.as_mut().unwrap();
        let (_, effects) = sync.direct(person, now).unwrap();
        self.carry_out(HUB, effects);
    }

    fn step(&mut self) {
        match self.rng.random_range(0..100) {
            0..50 => self.deliver(),
            50..60 => self.pass(),
            60..70 => self.connect(),
            70..72 => self.cut(),
            72..74 => self.kill(),
            74..78 => self.restart(),
            78..91 => self.talk(),
            91..95 => self.decide(),
            _ => self.lie(),
        }
        self.answer_requests();
    }

    /// One of those that are on, of honest people or of all.
    pub(crate) fn pick(&mut self, with_liar: bool) -> Option<usize> {
        let on = self
            .devices
            .iter()
            .enumerate()
            .filter(|(_, device)| device.sync.is_some() && (with_liar || !device.is_liar));
        let on: Vec<_> = on.map(|(at, _)| at).collect();
        on.choose(&mut self.rng).copied()
    }

    fn deliver(&mut self) {
        let waiting = self.lines.iter().flat_map(|(id, line)| {
            let ends = line.queues.iter().enumerate();
            ends.filter(|(_, queue)| !queue.is_empty())
                .map(|(end, _)| (*id, end))
        });
        let waiting: Vec<_> = waiting.collect();
        if let Some((id, end)) = waiting.choose(&mut self.rng) {
            self.deliver_one(*id, *end);
        }
    }

    pub(crate) fn deliver_one(&mut self, id: SessionId, end: usize) {
        let Some(line) = self.lines.get_mut(&id) else {
            return;
        };
        let device = line.ends[end];
        let Some(frame) = line.queues[end].pop_front() else {
            return;
        };
        if self.is_ignored(device, &frame) {
            return;
        }
        let now = self.now(device);
        if let Some(sync) = self.devices[device].sync.as_mut() {
            let effects = sync.receive(id, [frame], now);
            self.carry_out(device, effects);
        }
    }

    pub(crate) fn now(&self, device: usize) -> Now {
        self.devices[device].now(self.millis)
    }

    fn pass(&mut self) {
        self.millis += self.rng.random_range(1..3_000);
        self.tick_all();
        match self.sabotage {
            Some(Sabotage::TalkToRemoved) => self.talk_to_removed(),
            Some(Sabotage::RemoveUnasked) => self.remove_unasked(),
            _ => {}
        }
    }

    pub(crate) fn tick_all(&mut self) {
        for device in 0..self.devices.len() {
            let now = self.now(device);
            if let Some(sync) = self.devices[device].sync.as_mut() {
                let effects = sync.tick(now);
                self.carry_out(device, effects);
            }
        }
    }

    /// Does what a device says, until it is killed in the middle, once in a while.
    pub(crate) fn carry_out(&mut self, device: usize, effects: Vec<Effect>) {
        let is_killed =
            self.kills && !self.devices[device].is_liar && self.rng.random_range(0..200) == 0;
        let done = self.rng.random_range(0..=effects.len());
        for (at, effect) in effects.into_iter().enumerate() {
            if is_killed && at == done {
                self.note("killed in the middle");
                self.turn_off(device);
                return;
            }
            match effect {
                Effect::Open(id, kind) => self.devices[device].open(id, kind),
                Effect::Store(id, facts) => {
                    self.check_facts(device, id, &facts);
                    let is_lost = self.sabotage == Some(Sabotage::LoseCommits)
                        && device == 2
                        && talk_of(&facts).next().is_some()
                        && self.rng.random();
                    if !is_lost {
                        self.devices[device].commit(id, &facts);
                    }
                }
                Effect::Send(session, frame) => self.send(device, session, frame),
                Effect::SendTalk {
                    session,
                    conversation,
                    join,
                    range,
                } => {
                    let stored = &self.devices[device].disk[&conversation];
                    let range = match self.sabotage {
                        Some(Sabotage::ShowAll) => 0..range.end,
                        _ => range,
                    };
                    let stretch = range.filter_map(|at| stored.entry(join, at).cloned());
                    let what = What::Talk {
                        join,
                        stretch: stretch.collect(),
                    };
                    self.send(device, session, Frame { conversation, what });
                }
                Effect::Close(session) => {
                    self.note("closed");
                    self.check_blame(device, session);
                    self.end_line(session);
                }
            }
        }
    }

    pub(crate) fn send(&mut self, device: usize, session: SessionId, frame: Frame) {
        self.check_frame(device, session, &frame);
        if let Some(line) = self.lines.get_mut(&session) {
            let end = usize::from(line.ends[0] == device);
            line.queues[end].push_back(frame);
        }
    }

    pub(crate) fn keys(&self, device: usize) -> Keys {
        self.devices[device].keys.clone()
    }
}

/// The talk entries among facts.
pub(crate) fn talk_of(facts: &[Fact]) -> impl Iterator<Item = &TalkEntry> {
    facts.iter().filter_map(|fact| match fact {
        Fact::Talk { entry, .. } => Some(entry),
        _ => None,
    })
}
