//! What comes: frames of the sessions, commands, and the time.

use std::sync::Arc;

use p2pchat_conversation::message;
use p2pchat_conversation::replica::{Fact, Role};
use p2pchat_conversation::sync::{Effect, PATIENCE, SessionId};
use p2pchat_protocol::v2::PersonKey;
use p2pchat_protocol::v2::conversation::talk::Talk;
use p2pchat_protocol::v2::conversation::{ConversationId, EntryId};
use p2pchat_protocol::v2::peer::{Bye, Ephemeral, Frame as About, Hello, ToPeer};

use super::super::Said;
use super::super::places::Place;
use super::super::session::{Inbound, Outbound, SessionError, Told, encoded};
use super::handle::{Command, Event, Failed, MAX_COMMANDS, Say};
use super::turn::Turn;
use super::{Core, Line, Route};
use crate::machine::SaidBy;

impl Core {
    pub(super) fn take(&mut self, input: Inbound, turn: &mut Turn) {
        let Inbound {
            session,
            what,
            done,
        } = input;
        turn.done.push(done);
        match what {
            Told::Met { hello, outbound } => self.met(session, &hello, outbound, turn),
            Told::Frame { frame, dropped } => self.received(session, frame, dropped, turn),
            Told::Talk(talk) => self.received_about(session, talk, turn),
        }
    }

    fn met(&mut self, id: SessionId, hello: &Hello, outbound: Outbound, turn: &mut Turn) {
        // It may have ended meanwhile.
        let Some(connection) = self.connections.remove(&id) else {
            return;
        };
        if !self.is_open {
            let _ = connection
                .reply
                .map(|reply| reply.send(Err(SessionError::Closed)));
            outbound.close(Bye::Leaving);
            return;
        }
        let (device, person) = (hello.certificate.device, hello.certificate.person);
        let millis = self.millis();
        let new = Place {
            device,
            person,
            dialled_by: if connection.is_inbound {
                device
            } else {
                self.own_device()
            },
            since: millis,
            used: millis,
            is_known: self.is_known(&person),
        };
        let mut places = std::mem::take(&mut self.places);
        let verdict = places.admit(id, new, |person| self.is_known(person));
        self.places = places;
        for (old, bye) in verdict.closed {
            self.close(old, bye, turn);
        }
        // There is a session with the device, this one or another.
        let met = match verdict.refused {
            None | Some(Bye::Replaced) => Ok(()),
            Some(bye) => Err(SessionError::Bye(bye)),
        };
        let _ = connection.reply.map(|reply| reply.send(met));
        if let Some(bye) = verdict.refused {
            outbound.close(bye);
            return;
        }
        let time = (hello.time, millis);
        let line = Line {
            outbound,
            person,
            device,
            time,
        };
        self.lines.insert(id, line);
        turn.events.push(Event::Connected(person, device));
        self.look_at_clock(turn);
        let now = self.now();
        turn.effects.extend(self.sync.connected(id, person, now));
    }

    /// Whether there is a conversation with a person.
    fn is_known(&self, person: &PersonKey) -> bool {
        let is_with = |role| !matches!(role, Role::Stranger);
        let mut conversations = self.sync.conversations();
        *person == self.certificate.person
            || conversations.any(|replica| {
                matches!(replica.own_role(), Role::Member(_)) && is_with(replica.role(person))
            })
    }

    fn received(&mut self, id: SessionId, frame: ToPeer, dropped: usize, turn: &mut Turn) {
        if !self.lines.contains_key(&id) {
            return;
        }
        let before = self.sync.dropped;
        self.sync.dropped += dropped;
        self.log_dropped(before);
        match frame {
            ToPeer::About(frame) => self.received_about(id, vec![frame], turn),
            ToPeer::Ephemeral { conversation, what } => {
                self.places.touch(id, self.millis());
                let person = self.places.get(id).map(|place| place.person);
                if let Some(person) = person.filter(|it| self.is_shared(&conversation, it)) {
                    turn.events.push(Event::Ephemeral {
                        conversation,
                        person,
                        what,
                    });
                }
            }
            ToPeer::Hello(_) | ToPeer::Ping | ToPeer::Pong | ToPeer::Bye(_) => {}
        }
    }

    fn received_about(&mut self, id: SessionId, frames: Vec<About>, turn: &mut Turn) {
        if !self.lines.contains_key(&id) {
            return;
        }
        let before = self.sync.dropped;
        let now = self.now();
        self.places.touch(id, now.millis);
        turn.effects.extend(self.sync.receive(id, frames, now));
        self.log_dropped(before);
    }

    /// Logs how much was dropped, at each power of ten from 10 on: a few are dropped among honest
    /// members too, whose joins come in another order.
    pub(super) fn log_dropped(&self, before: usize) {
        let power = self.sync.dropped.checked_ilog10();
        if power > before.checked_ilog10() && power >= Some(1) {
            let dropped = self.sync.dropped;
            tracing::warn!(dropped, "what peers sent does not count");
        }
    }

    /// Whether both are in a conversation.
    fn is_shared(&self, conversation: &ConversationId, person: &PersonKey) -> bool {
        let is_in = |role| matches!(role, Role::Member(_));
        let replica = self.sync.get(conversation);
        replica.is_some_and(|replica| is_in(replica.own_role()) && is_in(replica.role(person)))
    }

    pub(super) fn obey(&mut self, command: Command, turn: &mut Turn) {
        match command {
            Command::Read(read) => turn.reads.push(read),
            Command::Write(write) => {
                let now = self.now();
                let (effects, answer) = write(&mut self.sync, now);
                turn.effects.extend(effects);
                turn.answers.push(answer);
            }
            Command::Say(say) => self.say_soon(say, turn),
            Command::Mark(marks) => turn.marks.push(marks),
            Command::Dial {
                address,
                device,
                reply,
            } => {
                if self.places.of_device(&device).is_some() {
                    let _ = reply.send(Ok(()));
                } else if !self.is_open {
                    let _ = reply.send(Err(SessionError::Closed));
                } else {
                    self.connect(Route::Dialled(address, device), Some(reply));
                }
            }
            Command::Tell(conversation, what) => self.tell(conversation, what, None, turn),
            Command::TellPerson(person, all) => {
                for (conversation, what) in all {
                    self.tell(conversation, what, Some(person), turn);
                }
            }
            Command::SetOpen(is_open) => self.set_open(is_open, turn),
            Command::Keep(keep) => self.age.keep = keep,
            Command::RegistryTime(time) => {
                self.registry = time.map(|time| (time, self.millis()));
                self.look_at_clock(turn);
            }
        }
    }

    /// Whether nothing is missing of one's own log, as far as anybody knows.
    fn may_say(&self, conversation: &ConversationId) -> bool {
        self.begun.contains(conversation)
            || (self.sync.is_settled(conversation) && !self.is_early(conversation))
    }

    /// Whether nobody has told yet what they hold of one's own log, and someone may come who can:
    /// the store may be an older one that was put back.
    fn is_early(&self, conversation: &ConversationId) -> bool {
        let is_new = !self.restored.contains(conversation);
        if is_new || self.millis() >= self.opened + PATIENCE {
            return false;
        }
        let Some(replica) = self.sync.get(conversation) else {
            return false;
        };
        let mut members = replica.membership().members.keys();
        let mut places = self.places.iter();
        members.any(|person| *person != self.certificate.person)
            && !places.any(|(_, place)| self.is_shared(conversation, &place.person))
    }

    /// Says what has waited long enough.
    pub(super) fn say_waiting(&mut self, turn: &mut Turn) {
        let millis = self.millis();
        for (until, say) in std::mem::take(&mut self.waiting) {
            if millis >= until || self.may_say(&say.conversation) {
                self.say(say, turn);
            } else {
                self.waiting.push_back((until, say));
            }
        }
    }

    /// Says something when one's own log is known to be whole, at once if too much waits.
    fn say_soon(&mut self, say: Say, turn: &mut Turn) {
        if self.waiting.len() < MAX_COMMANDS && !self.may_say(&say.conversation) {
            self.waiting.push_back((self.millis() + PATIENCE, say));
        } else {
            self.say(say, turn);
        }
    }

    fn say(&mut self, say: Say, turn: &mut Turn) {
        let Say {
            conversation,
            talk,
            said_by,
            reply,
        } = say;
        let said = self.say_once(conversation, &talk, said_by, turn);
        turn.answers.push(Box::new(move || {
            // The caller may be gone.
            let _ = reply.send(said);
        }));
    }

    /// Says something unless this call has said it. Calls of this turn are not stored yet.
    fn say_once(
        &mut self,
        conversation: ConversationId,
        talk: &Talk,
        said_by: Option<SaidBy>,
        turn: &mut Turn,
    ) -> Result<Said, Failed> {
        if let Some(by) = &said_by {
            let is_it =
                |(call, _): &&(SaidBy, Said)| call.front_end == by.front_end && call.id == by.id;
            let known = match turn.calls.iter().find(is_it) {
                Some((call, said)) => Some((call.fingerprint, *said)),
                None => self.store.call(by)?,
            };
            if let Some((fingerprint, said)) = known {
                let is_same = fingerprint == by.fingerprint;
                return is_same.then_some(said).ok_or(Failed::IdUsed);
            }
        }
        let now = self.now();
        let (entry, effects) = self.sync.say(conversation, talk, None, now)?;
        let said = self.said(entry, &effects);
        self.begun.insert(conversation);
        turn.effects.extend(effects);
        turn.calls.extend(said_by.map(|by| (by, said)));
        Ok(said)
    }

    /// Where an entry stands that was just said.
    fn said(&self, entry: EntryId, effects: &[Effect]) -> Said {
        let facts = effects.iter().flat_map(|effect| match effect {
            Effect::Store(_, facts) => &facts[..],
            _ => &[],
        });
        let mut headers = facts.filter_map(|fact| match fact {
            Fact::Talk { entry: said, .. } if said.id == entry => Some(said.header),
            _ => None,
        });
        let header = headers.next().expect("what is said is stored");
        let place = message::Place {
            clock: header.clock,
            device: self.own_device(),
            position: header.position,
        };
        Said { entry, place }
    }

    /// Tells members who are connected, or one person alone.
    fn tell(
        &mut self,
        conversation: ConversationId,
        what: Ephemeral,
        only: Option<PersonKey>,
        turn: &mut Turn,
    ) {
        let bytes = encoded(&ToPeer::Ephemeral { conversation, what });
        let sessions: Vec<_> = self
            .places
            .iter()
            .filter(|(_, place)| only.is_none_or(|only| only == place.person))
            .filter(|(_, place)| self.is_shared(&conversation, &place.person))
            .map(|(id, _)| id)
            .collect();
        for id in sessions {
            self.send_bytes(id, Arc::clone(&bytes), turn);
        }
    }

    pub(super) fn tick(&mut self, turn: &mut Turn) {
        let now = self.now();
        turn.effects.extend(self.sync.tick(now));
        self.look_at_clock(turn);
        self.say_again(turn);
        if let Err(error) = self.store.index_words() {
            tracing::debug!(%error, "words cannot be indexed");
        }
        let surplus = self.store.surplus();
        self.forget(surplus, turn);
        self.forget_old(turn);
    }

    fn look_at_clock(&mut self, turn: &mut Turn) {
        let (_, is_corrected) = self.time();
        if is_corrected != self.is_corrected {
            self.is_corrected = is_corrected;
            turn.events.push(Event::ClockCorrected(is_corrected));
        }
    }

    /// Says once more what nobody will be shown where it is, in its order.
    fn say_again(&mut self, turn: &mut Turn) {
        let due = self.sync.conversations().flat_map(|replica| {
            let is_in = matches!(replica.own_role(), Role::Member(_));
            let again = replica.again().iter().filter(move |_| is_in);
            again.map(|entry| (replica.id(), *entry))
        });
        let due: Vec<_> = due
            .filter(|(id, entry)| !self.unsayable.contains(entry) && self.may_say(id))
            .collect();
        let mut found: Vec<_> = due
            .into_iter()
            .filter_map(|(id, entry)| self.stored_talk(id, entry))
            .collect();
        found.sort_by_key(|(_, place, ..)| *place);
        for (id, _, entry, talk) in found {
            let now = self.now();
            match self.sync.say(id, &talk, Some(entry), now) {
                Ok((_, effects)) => turn.effects.extend(effects),
                Err(error) => {
                    tracing::debug!(%error, "an entry cannot be said once more");
                    self.unsayable.insert(entry);
                }
            }
        }
    }

    /// What an own entry says, and where it stands in its log.
    fn stored_talk(
        &mut self,
        id: ConversationId,
        entry: EntryId,
    ) -> Option<(ConversationId, u64, EntryId, Talk)> {
        let stored = self.store.entry(&id, &entry).ok().flatten();
        let found = stored.and_then(|stored| {
            let talk = Talk::decode(stored.header.kind, stored.body.as_deref()?).ok()?;
            Some((id, stored.header.clock.number(), entry, talk))
        });
        if found.is_none() {
            self.unsayable.insert(entry);
        }
        found
    }
}
