//! What people do: accept, talk, change who is in.

use p2pchat_conversation::replica::{Deed, Replica, Role};
use p2pchat_protocol::v2::conversation::talk::Talk;
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, EntryId};
use rand::RngExt;
use rand::seq::IndexedRandom;

use crate::world::{HUB, LIAR, Sabotage, World};

impl World {
    /// Those who are asked accept, most of them.
    pub(crate) fn answer_requests(&mut self) {
        for device in 0..self.devices.len() {
            let Some(sync) = &self.devices[device].sync else {
                continue;
            };
            let asked = sync
                .conversations()
                .filter(|replica| matches!(replica.own_role(), Role::Invited(_)));
            let asked: Vec<_> = asked.map(Replica::id).collect();
            for id in asked {
                if self.rng.random_range(0..10) != 0 {
                    continue;
                }
                let now = self.now(device);
                let declines = !self.devices[device].is_liar && self.rng.random_range(0..12) == 0;
                let sync = self.devices[device].sync.as_mut().unwrap();
                if declines {
                    let effects = sync.decline(id, now);
                    self.note("declined");
                    self.carry_out(device, effects);
                } else if let Ok(effects) = sync.accept(id, now) {
                    self.note("accepted");
                    self.carry_out(device, effects);
                    // Unless it was killed before that was committed.
                    if self.devices[device].sync.is_some() {
                        self.entered.insert((id, self.devices[device].person()));
                    }
                }
            }
        }
    }

    /// A device and one of the conversations that its person is in.
    pub(crate) fn pick_member(&mut self, with_liar: bool) -> Option<(usize, ConversationId)> {
        let device = self.pick(with_liar)?;
        let sync = self.devices[device].sync.as_ref()?;
        let is_in = |replica: &&Replica| matches!(replica.own_role(), Role::Member(_));
        let ids: Vec<_> = sync
            .conversations()
            .filter(is_in)
            .map(Replica::id)
            .collect();
        Some((device, *ids.choose(&mut self.rng)?))
    }

    pub(crate) fn talk(&mut self) {
        let Some((device, id)) = self.pick_member(true) else {
            return;
        };
        if device == LIAR && self.liar_is_quiet {
            return;
        }
        let now = self.now(device);
        let sync = self.devices[device].sync.as_ref().unwrap();
        let again = sync.get(&id).unwrap().again().iter().next().copied();
        if let Some(again) = again {
            self.say_again(device, id, again);
            return;
        }
        let shown = sync.get(&id).unwrap().shown(now.clock);
        let last = shown
            .iter()
            .rev()
            .take(12)
            .map(|(_, entry)| entry.id)
            .collect::<Vec<_>>();
        let target = last.choose(&mut self.rng).copied();
        self.texts += 1;
        let text = format!("text {}", self.texts);
        let kind = self.rng.random_range(0..10);
        let talk = match (kind, target) {
            (6, Some(to)) => Talk::Reply { to, text },
            (7, Some(of)) => Talk::Edit { of, text },
            (8, Some(of)) => Talk::Erase { of },
            (9, Some(to)) => Talk::Reaction {
                to,
                emoji: "👍".to_owned(),
            },
            _ => Talk::Message { text },
        };
        self.say(device, id, &talk, None);
    }

    pub(crate) fn say_again(&mut self, device: usize, id: ConversationId, again: EntryId) {
        let talk = self.devices[device].disk[&id]
            .find(&again)
            .and_then(|entry| Talk::decode(entry.header.kind, entry.body.as_deref()?).ok());
        self.note("said again");
        let talk = talk.unwrap_or(Talk::Message {
            text: "erased before it was said again".to_owned(),
        });
        self.say(device, id, &talk, Some(again));
    }

    pub(crate) fn say(
        &mut self,
        device: usize,
        id: ConversationId,
        talk: &Talk,
        instead_of: Option<EntryId>,
    ) {
        let mut now = self.now(device);
        let replica = self.devices[device].sync.as_ref().unwrap().get(&id);
        let shown = replica.unwrap().shown(now.clock);
        if self.sabotage == Some(Sabotage::ClockBackwards) && device == 2 {
            now.clock = Clock::ZERO;
        }
        let sync = self.devices[device].sync.as_mut().unwrap();
        let Ok((entry, effects)) = sync.say(id, talk, instead_of, now) else {
            return;
        };
        self.note("said");
        self.check_order(device, id, entry, shown.last().map(|(place, _)| *place));
        self.carry_out(device, effects);
        let device = &self.devices[device];
        if !device.is_liar && matches!(talk, Talk::Message { .. } | Talk::Reply { .. }) {
            self.said.push((id, device.person(), entry));
        }
    }

    /// Someone who is in changes something.
    pub(crate) fn decide(&mut self) {
        let Some((device, id)) = self.pick_member(false) else {
            return;
        };
        let person = self.rng.random_range(0..self.devices.len());
        let person = self.devices[person].person();
        let is_hub = person == self.devices[HUB].person();
        let deed = match self.rng.random_range(0..10) {
            0..4 => Deed::Add {
                person,
                sees_all: self.rng.random(),
            },
            4..6 if !is_hub => Deed::Remove(person),
            6 if self.devices[device].person() != self.devices[HUB].person() => Deed::Leave,
            7 if person != self.devices[LIAR].person() => Deed::Owner(person),
            _ => Deed::Rename(format!("name {}", self.texts).parse().unwrap()),
        };
        self.act(device, id, &deed);
    }

    pub(crate) fn act(&mut self, device: usize, id: ConversationId, deed: &Deed) {
        let now = self.now(device);
        let own = self.devices[device].person();
        let sync = self.devices[device].sync.as_mut().unwrap();
        let Ok(effects) = sync.act(id, deed, now) else {
            return;
        };
        match deed {
            Deed::Add { .. } => self.note("added"),
            Deed::Owner(_) => self.note("owner"),
            Deed::Remove(person) => {
                self.note("removed");
                self.ended.insert((id, *person));
            }
            Deed::Leave => {
                self.note("left");
                self.ended.insert((id, own));
            }
            Deed::Rename(_) => self.note("renamed"),
            Deed::Resign => {}
        }
        self.carry_out(device, effects);
    }
}
