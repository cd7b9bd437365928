//! What must hold at each step, and in the end.

use std::collections::{BTreeMap, BTreeSet};

use p2pchat_conversation::message::{Place, Written, message};
use p2pchat_conversation::replica::{Fact, Kind, Replica, Role};
use p2pchat_conversation::sync::{Frame, SessionId, What};
use p2pchat_protocol::v2::PersonKey;
use p2pchat_protocol::v2::conversation::talk::Talk;
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, EntryId};

use crate::world::{HUB, Sabotage, World, talk_of};

impl World {
    fn replica(&self, device: usize, id: &ConversationId) -> Option<&Replica> {
        self.devices[device].sync.as_ref()?.get(id)
    }

    /// What is seen before it is answered stays before it, whatever clocks say.
    pub(crate) fn check_order(
        &mut self,
        device: usize,
        id: ConversationId,
        entry: EntryId,
        last: Option<Place>,
    ) {
        if self.devices[device].is_liar {
            return;
        }
        let shown = self.replica(device, &id).unwrap().shown(Clock::MAX);
        let place = shown
            .iter()
            .find(|(_, shown)| shown.id == entry)
            .map(|(place, _)| *place);
        if place.is_none_or(|place| Some(place) <= last) {
            self.fail(format!("device {device} writes before what they had seen"));
        }
    }

    pub(crate) fn check_facts(&mut self, device: usize, id: ConversationId, facts: &[Fact]) {
        if self.devices[device].is_liar {
            return;
        }
        let own = self.devices[device].key();
        let mut twice = None;
        for entry in talk_of(facts) {
            let (join, position) = (entry.header.join, entry.header.position);
            let log = self
                .replica(device, &id)
                .and_then(|of| of.membership().logs.get(&join));
            if log.is_none_or(|log| log.device != own) {
                continue;
            }
            let known = self.positions.insert((join, position), entry.id);

            if known.is_some_and(|known| known != entry.id) {
                twice = Some(position);
            }
        }
        if let Some(position) = twice {
            self.fail(format!("device {device} uses a position twice: {position}"));
        }
        for fact in facts {
            if let Fact::Got {
                person,
                join,
                range,
            } = fact
            {
                let theirs = self
                    .devices
                    .iter()
                    .filter(|other| other.person() == *person);
                let holds = |disk: &crate::device::Disk| {
                    disk.get(&id).is_some_and(|stored| {
                        range.clone().all(|at| stored.entry(*join, at).is_some())
                    })
                };
                let is_true = theirs.clone().any(|other| {
                    other.is_liar || holds(&other.disk) || other.backup.as_ref().is_some_and(holds)
                });
                // A disk that was put back to an older copy held it once.
                let was_put_back = self.happened.contains_key("put back");
                if !is_true && !was_put_back {
                    self.fail(format!("{person:?} is said to hold {range:?} of {join:?}"));
                }
            }
        }
    }

    /// Talk goes to those who are in, and of it what they may see.
    pub(crate) fn check_frame(&mut self, device: usize, session: SessionId, frame: &Frame) {
        if self.devices[device].is_liar {
            return;
        }
        let What::Talk { stretch, .. } = &frame.what else {
            return;
        };
        let Some(line) = self.lines.get(&session) else {
            return;
        };
        let other = line.ends[usize::from(line.ends[0] == device)];
        let person = self.devices[other].person();
        let Some(replica) = self.replica(device, &frame.conversation) else {
            return;
        };
        let is_removed = is_shut_out(replica, &person);
        let from = replica.membership().members.get(&person).copied();
        match from {
            None => self.fail(format!("{person:?} is sent talk and is not in")),
            Some(_) if is_removed => self.fail(format!("{person:?} is sent talk after a removal")),
            Some(from) => {
                let from = from.max(Clock::ZERO);
                if stretch.iter().any(|entry| entry.header.clock <= from) {
                    self.fail(format!("{person:?} is sent what they may not see"));
                }
            }
        }
    }

    /// Honest devices send nothing that ends a session.
    pub(crate) fn check_blame(&mut self, device: usize, session: SessionId) {
        let Some(line) = self.lines.get(&session) else {
            return;
        };
        let other = line.ends[usize::from(line.ends[0] == device)];
        if !self.devices[other].is_liar && !self.devices[device].is_liar {
            self.fail(format!(
                "device {device} ends a session with honest device {other}"
            ));
        }
    }

    /// When the faults have ended.
    pub(crate) fn check_end(&mut self) -> Result<(), String> {
        let ids: BTreeSet<_> = self.devices[HUB].disk.keys().copied().collect();
        for id in ids {
            self.check_conversation(id)?;
        }
        Ok(())
    }

    fn check_conversation(&self, id: ConversationId) -> Result<(), String> {
        let hub = self
            .replica(HUB, &id)
            .ok_or("the first device lost a conversation")?;
        for (device, of) in self.devices.iter().enumerate() {
            if of.is_gone || of.is_liar {
                continue;
            }
            let person = of.person();
            let is_in = matches!(hub.role(&person), Role::Member(_));
            let Some(replica) = self.replica(device, &id) else {
                if is_in {
                    return Err(format!("device {device} does not know a conversation"));
                }
                continue;
            };
            let was_in = self.entered.contains(&(id, person)) && of.backup.is_none();
            let is_kept = |person: &PersonKey| !self.ended.contains(&(id, *person));
            let adders_stay = || self.ended.iter().all(|(of, _)| *of != id);
            if hub.kind() == Kind::Group && was_in && is_kept(&person) && adders_stay() && !is_in {
                return Err(format!("{person:?} is out, and no owner wanted it"));
            }
            if is_in && matches!(replica.role(&hub.person()), Role::Member(_)) {
                self.compare(hub, replica, device)?;
            } else if let Some(removals) = hub.membership().removals.get(&person)
                && !is_in
                && matches!(replica.own_role(), Role::Member(_))
            {
                return Err(format!(
                    "device {device} is not told of its removal: {removals:?}"
                ));
            }
        }
        self.check_said(&id, hub)
    }

    /// What honest people said is there, where nothing ended their membership.
    fn check_said(&self, id: &ConversationId, hub: &Replica) -> Result<(), String> {
        let shown: BTreeSet<_> = hub
            .shown(Clock::MAX)
            .into_iter()
            .map(|(_, entry)| entry.id)
            .collect();
        let replaced: BTreeSet<_> = self
            .devices
            .iter()
            .flat_map(|device| device.replaced(id))
            .collect();
        for (of, person, entry) in &self.said {
            let gone = self.devices.iter().any(|device| {
                device.person() == *person && (device.is_gone || device.backup.is_some())
            });
            let is_in = matches!(hub.role(person), Role::Member(_));
            let sees = hub
                .membership()
                .members
                .get(&hub.person())
                .copied()
                .unwrap_or_default();
            if of != id
                || gone
                || !is_in
                || self.ended.contains(&(*id, *person))
                || sees > Clock::ZERO
            {
                continue;
            }
            let held = self.devices.iter().any(|device| {
                device.person() == *person
                    && device
                        .disk
                        .get(id)
                        .is_some_and(|of| of.find(entry).is_some())
            });
            if held && !shown.contains(entry) && !replaced.contains(entry) {
                return Err(format!("{entry:?} of {person:?} is lost"));
            }
        }
        Ok(())
    }

    fn compare(&self, hub: &Replica, replica: &Replica, device: usize) -> Result<(), String> {
        let id = hub.id();
        let (ours, theirs) = (hub.membership(), replica.membership());
        if ours != theirs {
            return Err(format!(
                "device {device} has another roster: {theirs:?}, not {ours:?}"
            ));
        }
        let own = |of: &Replica| of.membership().members.get(&of.person()).copied();
        let from = own(hub).max(own(replica)).unwrap_or_default();
        let shown = |of: &Replica| {
            let mut shown = of.shown(Clock::MAX);
            shown.retain(|(_, entry)| entry.header.clock > from);
            shown
        };
        let (ours, theirs) = (shown(hub), shown(replica));
        let ids = |shown: &[(Place, p2pchat_conversation::log::Named)]| {
            shown.iter().map(|(_, entry)| entry.id).collect::<Vec<_>>()
        };
        if ids(&ours) != ids(&theirs) {
            let (ours_all, theirs_all) = (&ours, &theirs);
            let (ours, theirs) = (ids(&ours), ids(&theirs));
            let lack: Vec<_> = ours.iter().filter(|id| !theirs.contains(id)).collect();
            let more: Vec<_> = theirs.iter().filter(|id| !ours.contains(id)).collect();
            let of = |of: &Replica| {
                let odd = lack.first().or(more.first());
                let (_, entry) = odd.and_then(|odd| {
                    ours_all
                        .iter()
                        .chain(theirs_all)
                        .find(|(_, entry)| entry.id == **odd)
                })?;
                let join = entry.header.join;
                let log = of.log(&join)?;
                Some(format!(
                    "{:?} at {} {:?}: {:?} {:?} limit {}",
                    of.membership().logs.get(&join),
                    entry.header.position,
                    join,
                    log.stretches(),
                    log.end(),
                    of.limit(&join)
                ))
            };
            let (held, others) = (of(hub), of(replica));
            return Err(format!(
                "device {device} holds other entries of {id:?}: lacks {lack:?}, has {more:?} more: \n{held:?}, \n{others:?}"
            ));
        }
        for join in hub.membership().logs.keys() {
            let end = |of: &Replica| {
                let end = of.log(join)?.end()?;
                Some((end.position(), end.is_lowest()))
            };
            if end(hub) != end(replica) && from == Clock::ZERO {
                let (ours, theirs) = (end(hub), end(replica));
                return Err(format!(
                    "device {device} ends {join:?} at {theirs:?}, others at {ours:?}: other entries"
                ));
            }
        }
        let (ours, theirs) = (
            self.messages(HUB, hub, &ours),
            self.messages(device, replica, &theirs),
        );
        if ours != theirs {
            return Err(format!(
                "device {device} shows other messages: {theirs:?}, not {ours:?}"
            ));
        }
        Ok(())
    }

    /// What is shown of each message.
    fn messages(
        &self,
        device: usize,
        replica: &Replica,
        shown: &[(Place, p2pchat_conversation::log::Named)],
    ) -> BTreeMap<EntryId, String> {
        let stored = &self.devices[device].disk[&replica.id()];
        let talks = shown.iter().map(|(place, named)| {
            let entry = stored.find(&named.id);
            let body = entry.and_then(|entry| entry.body.as_deref());
            let talk = body.and_then(|body| Talk::decode(named.header.kind, body).ok());
            let author = replica.membership().logs[&named.header.join].person;
            (*place, named.id, author, talk)
        });
        let mut talks: Vec<_> = talks.collect();
        if self.sabotage == Some(Sabotage::IgnoreEdits) && device == 3 {
            for (_, _, _, talk) in &mut talks {
                talk.take_if(|talk| matches!(talk, Talk::Edit { .. }));
            }
        }
        let written = talks.iter().map(|(place, id, author, talk)| Written {
            id: *id,
            place: *place,
            author: *author,
            talk: talk.as_ref(),
        });
        let written: Vec<_> = written.collect();
        // What an edit or a reaction was is not seen without its body, but by its kind.
        let kinds = shown.iter().map(|(_, named)| named.header.kind);
        let roots = written
            .iter()
            .zip(kinds)
            .filter(|(_, kind)| matches!(kind, 1 | 2));
        let roots = roots.filter_map(|(root, _)| {
            let shown = message(root, &written)?;
            Some((root.id, format!("{shown:?}")))
        });
        roots.collect()
    }
}

/// Whether a removal of a person counts, or did, that no add by an owner names. Found from the
/// roster alone, by other means than the program's.
fn is_shut_out(replica: &Replica, person: &PersonKey) -> bool {
    let removals = replica.membership().removals.get(person);
    removals.is_some_and(|removals| {
        removals.iter().any(|removal| {
            let owners = &replica.membership().ever_owners;
            !replica.roster().is_asked_back(person, removal, owners)
        })
    })
}

impl crate::device::Device {
    /// The own entries that were said once more elsewhere.
    fn replaced(&self, id: &ConversationId) -> Vec<EntryId> {
        self.disk
            .get(id)
            .map(crate::device::Stored::replaced)
            .unwrap_or_default()
    }
}
