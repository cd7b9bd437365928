//! Lines that are made and break, devices that end and come back, and what is made wrong for a check
//! to notice.

use std::collections::VecDeque;

use p2pchat_conversation::replica::Deed;
use p2pchat_conversation::sync::{Frame, SessionId, TELL_EVERY, Want, What};
use p2pchat_protocol::v2::conversation::talk::TalkEntry;
use rand::RngExt;
use rand::seq::IndexedRandom;

use crate::world::{HUB, LIAR, Line, Sabotage, World};

impl World {
    pub(crate) fn connect(&mut self) {
        let (Some(one), Some(other)) = (self.pick(true), self.pick(true)) else {
            return;
        };
        self.join_up(one, other);
    }

    pub(crate) fn join_up(&mut self, one: usize, other: usize) {
        let known = self
            .lines
            .values()
            .any(|line| line.ends.contains(&one) && line.ends.contains(&other));
        if one == other || known {
            return;
        }
        self.sessions += 1;
        let id = SessionId(self.sessions);
        let line = Line {
            ends: [one, other],
            queues: [VecDeque::new(), VecDeque::new()],
        };
        self.lines.insert(id, line);
        self.note("connected");
        for (device, peer) in [(one, other), (other, one)] {
            let (now, person) = (self.now(device), self.devices[peer].person());
            if let Some(sync) = self.devices[device].sync.as_mut() {
                let effects = sync.connected(id, person, now);
                self.carry_out(device, effects);
            }
        }
    }

    pub(crate) fn cut(&mut self) {
        let ids: Vec<_> = self.lines.keys().copied().collect();
        if let Some(id) = ids.choose(&mut self.rng) {
            self.note("cut");
            self.end_line(*id);
        }
    }

    pub(crate) fn end_line(&mut self, id: SessionId) {
        let Some(line) = self.lines.remove(&id) else {
            return;
        };
        for device in line.ends {
            let now = self.now(device);
            if let Some(sync) = self.devices[device].sync.as_mut() {
                let effects = sync.disconnected(id, now);
                self.carry_out(device, effects);
            }
        }
    }

    /// Ends a device: it may come back from its disk, from an older copy of that, or not at all.
    pub(crate) fn kill(&mut self) {
        let Some(device) = self.pick(false) else {
            return;
        };
        self.note("killed");
        self.turn_off(device);
        if device > HUB + 1 && self.rng.random_range(0..6) == 0 {
            self.note("gone for good");
            self.devices[device].is_gone = true;
        }
    }

    pub(crate) fn turn_off(&mut self, device: usize) {
        self.devices[device].sync = None;
        let lines = self
            .lines
            .iter()
            .filter(|(_, line)| line.ends.contains(&device));
        let lines: Vec<_> = lines.map(|(id, _)| *id).collect();
        for id in lines {
            self.end_line(id);
        }
    }

    pub(crate) fn restart(&mut self) {
        let off = (0..self.devices.len()).filter(|at| {
            let device = &self.devices[*at];
            device.sync.is_none() && !device.is_gone
        });
        let off: Vec<_> = off.collect();
        let Some(device) = off.choose(&mut self.rng).copied() else {
            if let Some(device) = self.pick(false) {
                self.devices[device].backup = Some(self.devices[device].disk.clone());
            }
            return;
        };
        let backup = self.devices[device].backup.clone();
        match backup {
            Some(backup) if self.rng.random_range(0..3) == 0 => {
                self.note("put back");
                self.devices[device].disk = backup;
                self.devices[device].start();
                if self.sabotage != Some(Sabotage::ForgetMark) {
                    // In the transaction that notes where the folder is now.
                    let effects = self.devices[device].sync.as_mut().unwrap().retire();
                    let kills = std::mem::replace(&mut self.kills, false);
                    self.carry_out(device, effects);
                    self.kills = kills;
                }
            }
            _ => {
                self.note("restarted");
                self.devices[device].start();
            }
        }
    }

    /// All who come back are there and meet, the liar perhaps not.
    pub(crate) fn end_faults(&mut self) {
        if self.rng.random() {
            self.devices[LIAR].is_gone = true;
            self.turn_off(LIAR);
        }
        for device in 0..self.devices.len() {
            if self.devices[device].sync.is_none() && !self.devices[device].is_gone {
                self.devices[device].start();
            }
        }
        // All through one, or each with each.
        let is_star = self.rng.random();
        let lines: Vec<_> = self.lines.keys().copied().collect();
        lines.into_iter().for_each(|id| self.end_line(id));
        for one in 0..self.devices.len() {
            for other in 0..one {
                if is_star && other != HUB {
                    continue;
                }
                let are_on = [one, other]
                    .iter()
                    .all(|at| self.devices[*at].sync.is_some());
                if are_on {
                    self.join_up(one, other);
                }
            }
        }
        for _ in 0..80 {
            self.millis += 4 * TELL_EVERY;
            self.tick_all();
            self.say_all_again();
            self.deliver_all();
        }
    }

    pub(crate) fn say_all_again(&mut self) {
        for device in 0..self.devices.len() {
            let Some(sync) = &self.devices[device].sync else {
                continue;
            };
            let again = sync
                .conversations()
                .flat_map(|replica| replica.again().iter().map(|entry| (replica.id(), *entry)));
            for (id, entry) in again.collect::<Vec<_>>() {
                if self.devices[device].sync.is_some() {
                    self.say_again(device, id, entry);
                }
            }
        }
    }

    pub(crate) fn deliver_all(&mut self) {
        for _ in 0..100_000 {
            let waiting = self.lines.iter().find_map(|(id, line)| {
                let end = line.queues.iter().position(|queue| !queue.is_empty());
                Some((*id, end?))
            });
            let Some((id, end)) = waiting else {
                return;
            };
            self.deliver_one(id, end);
        }
        self.fail("they never stop talking".to_owned());
    }

    /// Someone is put out, and no person wanted it.
    pub(crate) fn remove_unasked(&mut self) {
        let person = self.devices[3].person();
        let is_on = self.devices[HUB].sync.is_some();
        let was_in = self
            .entered
            .iter()
            .find(|(_, entered)| *entered == person)
            .copied();
        if let Some((id, _)) = was_in.filter(|_| is_on) {
            self.act(HUB, id, &Deed::Remove(person));
            self.ended.remove(&(id, person));
        }
    }

    pub(crate) fn talk_to_removed(&mut self) {
        let lines = self
            .lines
            .iter()
            .filter(|(_, line)| line.ends.contains(&HUB));
        let lines: Vec<_> = lines.map(|(id, line)| (*id, line.ends)).collect();
        for (session, ends) in lines {
            let other = ends[usize::from(ends[0] == HUB)];
            let removed = (self.groups.iter().copied())
                .find(|id| self.ended.contains(&(*id, self.devices[other].person())));
            let Some(conversation) = removed else {
                continue;
            };
            let Some((join, stretch)) = self.devices[HUB].disk[&conversation].any_talk() else {
                continue;
            };
            let what = What::Talk { join, stretch };
            self.send(HUB, session, Frame { conversation, what });
        }
    }

    pub(crate) fn is_ignored(&self, device: usize, frame: &Frame) -> bool {
        match (self.sabotage, &frame.what) {
            (Some(Sabotage::AnswerNothing), What::Want(Want::Newest | Want::Log { .. })) => true,
            (Some(Sabotage::IgnoreProofs), What::Proof { .. }) => device == 2,
            (Some(Sabotage::IgnoreProofs), What::Talk { join, stretch }) => {
                let replica = self.devices[device].sync.as_ref();
                let replica = replica.and_then(|sync| sync.get(&frame.conversation));
                let log = replica.and_then(|replica| replica.log(join));
                let differs = |entry: &TalkEntry| {
                    let held = log.and_then(|log| log.get(entry.header.position));
                    held.is_some_and(|held| held.id != entry.id)
                };
                device == 2 && stretch.iter().any(differs)
            }
            (Some(Sabotage::DropBadLogs), What::Talk { stretch, .. }) => {
                device == 3 && stretch.iter().any(|entry| entry.header.kind > 5)
            }
            _ => false,
        }
    }
}
