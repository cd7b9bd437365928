//! A few devices that do as they are told, and lines between them that deliver at once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use p2pchat_conversation::log::TalkLog;
use p2pchat_conversation::message::{Text, Written, message};
use p2pchat_conversation::replica::{Deed, Replica, Role, Unable};
use p2pchat_conversation::seal::{Next, Seal};
use p2pchat_conversation::sync::{Effect, Frame, SessionId, Short, TELL_EVERY, Want, What};
use p2pchat_protocol::v2::conversation::talk::{Header, Talk, TalkEntry};
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, EntryId};
use p2pchat_protocol::v2::{PersonKey, Signature};

use crate::device::Device;

pub(crate) struct Town {
    pub(crate) devices: Vec<Device>,
    pub(crate) millis: u64,
    /// The frames and bytes of entries that were delivered.
    pub(crate) frames: usize,
    pub(crate) bytes: usize,
    /// What was asked for.
    pub(crate) wants: Vec<Want>,
    lines: BTreeMap<[usize; 2], SessionId>,
    queue: VecDeque<(usize, SessionId, Frame)>,
    sessions: u64,
    groups: u8,
    /// Those that answer nothing.
    silent: BTreeSet<usize>,
}

/// A device and what it holds.
pub(crate) struct Seen<'a> {
    device: &'a Device,
}

pub(crate) fn text(text: &str) -> Talk {
    let text = text.to_owned();
    Talk::Message { text }
}

impl Town {
    /// So many people with one device each.
    pub(crate) fn of(people: u8) -> Self {
        Self::with(&(0..people).collect::<Vec<_>>())
    }

    /// A device for each of these people.
    pub(crate) fn with(people: &[u8]) -> Self {
        let devices = (0..).zip(people);
        Self {
            devices: devices
                .map(|(device, person)| Device::new(device, *person))
                .collect(),
            millis: 0,
            frames: 0,
            bytes: 0,
            wants: Vec::new(),
            lines: BTreeMap::new(),
            queue: VecDeque::new(),
            sessions: 0,
            groups: 0,
            silent: BTreeSet::new(),
        }
    }

    pub(crate) fn device(&self, device: usize) -> Seen<'_> {
        Seen {
            device: &self.devices[device],
        }
    }

    pub(crate) fn person(&self, device: usize) -> PersonKey {
        self.devices[device].person()
    }

    /// A group of one device.
    pub(crate) fn group_of(&mut self, device: usize) -> ConversationId {
        self.groups = self.groups.wrapping_add(1);
        let now = self.devices[device].now(self.millis);
        let sync = self.devices[device].sync.as_mut().unwrap();
        let name = "lunch".parse().unwrap();
        let (id, effects) = sync.create([self.groups; 16], name, now).unwrap();
        self.carry_out(device, effects);
        id
    }

    /// A group of the first device and others, who have joined and met nobody else.
    pub(crate) fn group(&mut self, others: &[usize]) -> ConversationId {
        let id = self.group_of(0);
        for other in others {
            self.add(0, id, *other);
            self.meet(0, *other);
            self.accept(*other, id);
        }
        for other in others {
            self.pass(TELL_EVERY);
            self.part(0, *other);
        }
        id
    }

    pub(crate) fn direct(&mut self, device: usize, other: usize) -> ConversationId {
        let (now, person) = (self.devices[device].now(self.millis), self.person(other));
        let sync = self.devices[device].sync.as_mut().unwrap();
        let (id, effects) = sync.direct(person, now).unwrap();
        self.carry_out(device, effects);
        self.deliver();
        id
    }

    pub(crate) fn add(&mut self, device: usize, id: ConversationId, other: usize) {
        let person = self.person(other);
        let sees_all = true;
        self.act(device, id, &Deed::Add { person, sees_all });
    }

    pub(crate) fn act(&mut self, device: usize, id: ConversationId, deed: &Deed) {
        self.try_act(device, id, deed).unwrap();
    }

    pub(crate) fn try_act(
        &mut self,
        device: usize,
        id: ConversationId,
        deed: &Deed,
    ) -> Result<(), Unable> {
        let now = self.devices[device].now(self.millis);
        let effects = self.devices[device]
            .sync
            .as_mut()
            .unwrap()
            .act(id, deed, now)?;
        self.carry_out(device, effects);
        self.pass(TELL_EVERY);
        Ok(())
    }

    pub(crate) fn accept(&mut self, device: usize, id: ConversationId) {
        assert!(self.device(device).is_asked(id));
        self.join_again(device, id);
    }

    /// Begins a log, as one of a person's devices.
    pub(crate) fn join_again(&mut self, device: usize, id: ConversationId) {
        self.join_at_once(device, id);
        self.pass(TELL_EVERY);
    }

    /// The same, and no time passes.
    pub(crate) fn join_at_once(&mut self, device: usize, id: ConversationId) {
        let now = self.devices[device].now(self.millis);
        let effects = self.devices[device]
            .sync
            .as_mut()
            .unwrap()
            .accept(id, now)
            .unwrap();
        self.carry_out(device, effects);
        self.deliver();
    }

    pub(crate) fn decline(&mut self, device: usize, id: ConversationId) {
        let now = self.devices[device].now(self.millis);
        let effects = self.devices[device].sync.as_mut().unwrap().decline(id, now);
        self.carry_out(device, effects);
        self.deliver();
    }

    pub(crate) fn say(&mut self, device: usize, id: ConversationId, said: &str) -> EntryId {
        self.talk(device, id, &text(said))
    }

    pub(crate) fn talk(&mut self, device: usize, id: ConversationId, talk: &Talk) -> EntryId {
        let entry = self.try_talk(device, id, talk).unwrap();
        self.pass(TELL_EVERY);
        entry
    }

    /// Says something, and delivers nothing yet.
    pub(crate) fn say_unheard(&mut self, device: usize, id: ConversationId, said: &str) {
        self.try_talk(device, id, &text(said)).unwrap();
    }

    pub(crate) fn try_talk(
        &mut self,
        device: usize,
        id: ConversationId,
        talk: &Talk,
    ) -> Result<EntryId, Unable> {
        let now = self.devices[device].now(self.millis);
        let sync = self.devices[device].sync.as_mut().unwrap();
        let (entry, effects) = sync.say(id, talk, None, now)?;
        self.carry_out(device, effects);
        Ok(entry)
    }

    /// Says once more what nobody will be shown where it is.
    pub(crate) fn say_again(&mut self, device: usize, id: ConversationId) {
        let again = self.device(device).replica(id).again().clone();
        for entry in again {
            let stored = self.devices[device].disk[&id].find(&entry).unwrap();
            let talk = Talk::decode(stored.header.kind, stored.body.as_deref().unwrap()).unwrap();
            let now = self.devices[device].now(self.millis);
            let sync = self.devices[device].sync.as_mut().unwrap();
            let (_, effects) = sync.say(id, &talk, Some(entry), now).unwrap();
            self.carry_out(device, effects);
        }
        self.pass(TELL_EVERY);
    }

    /// The process starts again from a disk that is a copy.
    pub(crate) fn restart_as_copy(&mut self, device: usize) {
        self.devices[device].start();
        let effects = self.devices[device].sync.as_mut().unwrap().retire();
        self.carry_out(device, effects);
    }

    /// Two devices connect, and say all they have to say.
    pub(crate) fn meet(&mut self, one: usize, other: usize) {
        self.meet_slowly(one, other);
        self.pass(TELL_EVERY);
        self.pass(TELL_EVERY);
    }

    /// Two devices connect, and nothing is delivered yet.
    pub(crate) fn meet_slowly(&mut self, one: usize, other: usize) {
        self.sessions += 1;
        let id = SessionId(self.sessions);
        self.lines.insert([one, other], id);
        for (device, peer) in [(one, other), (other, one)] {
            let (now, person) = (self.devices[device].now(self.millis), self.person(peer));
            let sync = self.devices[device].sync.as_mut().unwrap();
            let effects = sync.connected(id, person, now);
            self.carry_out(device, effects);
        }
    }

    pub(crate) fn part(&mut self, one: usize, other: usize) {
        let id = self.lines.remove(&[one, other]).unwrap();
        for device in [one, other] {
            let now = self.devices[device].now(self.millis);
            let effects = self.devices[device]
                .sync
                .as_mut()
                .unwrap()
                .disconnected(id, now);
            self.carry_out(device, effects);
        }
    }

    pub(crate) fn silence(&mut self, device: usize) {
        self.silent.insert(device);
    }

    pub(crate) fn wake(&mut self, device: usize) {
        self.silent.remove(&device);
    }

    /// Whether a question to a device is under way.
    pub(crate) fn is_asked_for(&self, device: usize) -> bool {
        let mut queue = self.queue.iter();
        queue.any(|(to, _, frame)| *to == device && matches!(frame.what, What::Want(_)))
    }

    /// A frame from one to another, whatever their program would send.
    pub(crate) fn send(&mut self, from: usize, to: usize, frame: Frame) {
        let line = self
            .lines
            .iter()
            .find(|(ends, _)| ends.contains(&from) && ends.contains(&to));
        let id = *line.unwrap().1;
        let now = self.devices[to].now(self.millis);
        let effects = self.devices[to]
            .sync
            .as_mut()
            .unwrap()
            .receive(id, [frame], now);
        self.carry_out(to, effects);
        self.deliver();
    }

    /// Entries of a log from one to another, over a line of their own.
    pub(crate) fn give(&mut self, from: usize, to: usize, id: ConversationId, log: &[TalkEntry]) {
        self.silent.insert(from);
        self.meet(from, to);
        for stretch in log.chunks(100) {
            self.millis += 5_000;
            let what = What::Talk {
                join: stretch[0].header.join,
                stretch: stretch.to_vec(),
            };
            self.send(
                from,
                to,
                Frame {
                    conversation: id,
                    what,
                },
            );
        }
        self.part(from, to);
        self.silent.remove(&from);
    }

    /// Time passes, and what is sent by then is delivered.
    pub(crate) fn pass(&mut self, millis: u64) {
        let end = self.millis + millis;
        self.deliver();
        while self.millis < end {
            self.millis = end.min(self.millis + TELL_EVERY);
            self.tick();
            self.deliver();
        }
    }

    fn tick(&mut self) {
        for device in 0..self.devices.len() {
            let now = self.devices[device].now(self.millis);
            let effects = self.devices[device].sync.as_mut().unwrap().tick(now);
            self.carry_out(device, effects);
        }
    }

    pub(crate) fn deliver(&mut self) {
        while self.deliver_one() {}
    }

    /// Delivers, and lets time pass when there is nothing to deliver, until something holds.
    pub(crate) fn deliver_until(&mut self, holds: impl Fn(&Self) -> bool) {
        for _ in 0..100_000 {
            if holds(self) {
                return;
            }
            if !self.deliver_one() {
                self.millis += TELL_EVERY;
                self.tick();
            }
        }
        panic!("it does not come");
    }

    fn deliver_one(&mut self) -> bool {
        let Some((to, session, frame)) = self.queue.pop_front() else {
            return false;
        };
        let ends = self
            .lines
            .iter()
            .find(|(_, id)| **id == session)
            .map(|(ends, _)| *ends);
        let Some([one, other]) = ends else {
            return true;
        };
        let from = one + other - to;
        if self.silent.contains(&from) || self.silent.contains(&to) {
            return true;
        }
        self.frames += 1;
        if let What::Talk { stretch, .. } = &frame.what {
            let body = |entry: &TalkEntry| entry.body.as_ref().map_or(0, |body| body.len());
            let size = |entry| Header::LEN + Signature::LEN + body(entry);
            self.bytes += stretch.iter().map(size).sum::<usize>();
        }
        let now = self.devices[to].now(self.millis);
        let effects = self.devices[to]
            .sync
            .as_mut()
            .unwrap()
            .receive(session, [frame], now);
        self.carry_out(to, effects);
        true
    }

    fn carry_out(&mut self, device: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Open(id, kind) => self.devices[device].open(id, kind),
                Effect::Store(id, facts) => self.devices[device].commit(id, &facts),
                Effect::Send(session, frame) => self.post(device, session, frame),
                Effect::SendTalk {
                    session,
                    conversation,
                    join,
                    range,
                } => {
                    let stored = &self.devices[device].disk[&conversation];
                    let stretch = range.filter_map(|at| stored.entry(join, at).cloned());
                    let what = What::Talk {
                        join,
                        stretch: stretch.collect(),
                    };
                    self.post(device, session, Frame { conversation, what });
                }
                Effect::Close(session) => panic!("{session:?} is closed by {device}"),
            }
        }
    }

    fn post(&mut self, from: usize, session: SessionId, frame: Frame) {
        if let What::Want(want) = &frame.what {
            self.wants.push(want.clone());
        }
        let line = self.lines.iter().find(|(_, id)| **id == session);
        if let Some(([one, other], _)) = line {
            self.queue.push_back((one + other - from, session, frame));
        }
    }

    /// The texts that are shown, in order.
    pub(crate) fn texts(&self, device: usize, id: ConversationId) -> Vec<String> {
        let Some(replica) = self.devices[device].sync.as_ref().unwrap().get(&id) else {
            return Vec::new();
        };
        let stored = &self.devices[device].disk[&id];
        let shown = replica.shown(self.devices[device].now(self.millis).clock);
        let talks = shown.iter().map(|(_, named)| {
            let body = stored
                .find(&named.id)
                .and_then(|entry| entry.body.as_deref());
            body.and_then(|body| Talk::decode(named.header.kind, body).ok())
        });
        let talks: Vec<_> = talks.collect();
        let written = shown
            .iter()
            .zip(&talks)
            .map(|((place, named), talk)| Written {
                id: named.id,
                place: *place,
                author: replica.membership().logs[&named.header.join].person,
                talk: talk.as_ref(),
            });
        let written: Vec<_> = written.collect();
        let naming: Vec<_> = written
            .iter()
            .copied()
            .filter(|entry| {
                matches!(
                    entry.talk,
                    Some(Talk::Edit { .. } | Talk::Erase { .. } | Talk::Reaction { .. })
                )
            })
            .collect();
        let texts = written
            .iter()
            .filter_map(|root| match message(root, &naming)?.text {
                Text::Shown(text) => Some(text.to_owned()),
                Text::Erased | Text::Missing => None,
            });
        texts.collect()
    }

    /// The people that the last own message of a device waits for.
    pub(crate) fn waiting(&self, device: usize, id: ConversationId) -> Vec<PersonKey> {
        let replica = self.devices[device]
            .sync
            .as_ref()
            .unwrap()
            .get(&id)
            .unwrap();
        let key = self.devices[device].key();
        let own = replica
            .membership()
            .logs
            .iter()
            .filter(|(_, log)| log.device == key);
        let waiting = own.filter_map(|(join, _)| {
            let last = replica.head(join, Clock::ZERO)?;
            Some(replica.waiting_for(join, last.next - 1))
        });
        waiting.flatten().collect()
    }

    /// What a device holds of the log of another.
    pub(crate) fn log_of(&self, device: usize, id: ConversationId, of: usize) -> Vec<TalkEntry> {
        let replica = self.devices[device]
            .sync
            .as_ref()
            .unwrap()
            .get(&id)
            .unwrap();
        let key = self.devices[of].key();
        let logs = &replica.membership().logs;
        let (join, _) = logs.iter().find(|(_, log)| log.device == key).unwrap();
        let held = replica.log(join).into_iter().flat_map(TalkLog::iter);
        let stored = &self.devices[device].disk[&id];
        held.map(|entry| stored.find(&entry.id).unwrap().clone())
            .collect()
    }

    /// How many logs a device has begun, as another knows.
    pub(crate) fn logs_of(&self, device: usize, id: ConversationId, of: usize) -> usize {
        let key = self.devices[of].key();
        let replica = self.devices[device]
            .sync
            .as_ref()
            .unwrap()
            .get(&id)
            .unwrap();
        let logs = replica.membership().logs.values();
        logs.filter(|log| log.device == key).count()
    }

    /// So many entries behind a log, by its writer.
    pub(crate) fn branch(
        &self,
        device: usize,
        trunk: &[TalkEntry],
        count: usize,
        name: &str,
    ) -> Vec<TalkEntry> {
        let keys = &self.devices[device].keys;
        let mut before = trunk.last().unwrap().clone();
        let mut branch = Vec::new();
        for number in 0..count {
            let next = Next {
                conversation: before.header.conversation,
                join: before.header.join,
                position: before.header.position + 1,
                previous: before.id,
                clock: before.header.clock.next(Clock::ZERO).unwrap(),
            };
            before = keys.speak(next, &text(&format!("{name} {number}")));
            branch.push(before.clone());
        }
        branch
    }

    /// A device starts again, with of one conversation only the roster and these entries.
    pub(crate) fn forget_talk_above(
        &mut self,
        device: usize,
        id: ConversationId,
        kept: &[TalkEntry],
    ) {
        let kept: Vec<_> = kept.iter().map(|entry| entry.id).collect();
        self.devices[device]
            .disk
            .get_mut(&id)
            .unwrap()
            .keep_talk(&kept);
        self.devices[device].start();
    }

    /// Whether a device has all of its own that the others told of.
    pub(crate) fn is_settled(&self, device: usize, id: ConversationId) -> bool {
        self.devices[device].sync.as_ref().unwrap().is_settled(&id)
    }

    /// Where the logs end that do.
    pub(crate) fn ends(&self, device: usize, id: ConversationId) -> Vec<(u64, bool)> {
        let replica = self.devices[device]
            .sync
            .as_ref()
            .unwrap()
            .get(&id)
            .unwrap();
        let logs = replica.membership().logs.keys();
        let ends = logs.filter_map(|join| replica.log(join)?.end());
        ends.map(|end| (end.position(), end.is_lowest())).collect()
    }

    /// What is told of a roster that is held.
    pub(crate) fn roster_hash(&self, device: usize, id: ConversationId) -> Short {
        let replica = self.devices[device]
            .sync
            .as_ref()
            .unwrap()
            .get(&id)
            .unwrap();
        let ids: Vec<_> = replica.roster_ids().map(|id| id.0).collect();
        Short::from(self.devices[device].keys.digest(ids.as_flattened()))
    }
}

impl<'a> Seen<'a> {
    pub(crate) fn replica(&self, id: ConversationId) -> &'a Replica {
        self.device.sync.as_ref().unwrap().get(&id).unwrap()
    }

    pub(crate) fn is_asked(&self, id: ConversationId) -> bool {
        let replica = self.device.sync.as_ref().unwrap().get(&id);
        replica.is_some_and(|replica| matches!(replica.own_role(), Role::Invited(_)))
    }

    /// The texts of all bodies on the disk.
    pub(crate) fn bodies(&self, id: ConversationId) -> Vec<String> {
        self.device.disk[&id].bodies()
    }
}
