//! One turn: what follows from its inputs is committed, then sent and told. A want may go out before.

use std::sync::Arc;
use std::time::Duration;

use p2pchat_conversation::log::End;
use p2pchat_conversation::replica::{Fact, Replica, Role};
use p2pchat_conversation::sync::{Effect, Frame, SessionId, What};
use p2pchat_protocol::v2::conversation::ConversationId;
use p2pchat_protocol::v2::peer::{Bye, ToPeer};
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::sleep;

use super::super::session::encoded;
use super::super::{Change, Said, StoreError};
use super::handle::{Answer, Event, Marks, Read, View};
use super::{Core, Line};
use crate::machine::SaidBy;

/// How long to wait before a store that could not be written is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// Of how many entries beyond the end of a log it is told that they do not count: more than come
/// before two members find that they hold two chains.
const MAX_LOST: u64 = 200;

/// What is done in one turn.
#[derive(Default)]
pub(super) struct Turn {
    pub(super) effects: Vec<Effect>,
    pub(super) events: Vec<Event>,
    /// What the sessions wait for, to read on.
    pub(super) done: Vec<oneshot::Sender<()>>,
    pub(super) answers: Vec<Answer>,
    /// The calls of front ends that what is said follows from.
    pub(super) calls: Vec<(SaidBy, Said)>,
    pub(super) reads: Vec<Read>,
    pub(super) marks: Vec<Marks>,
    /// The frame that was sent last. The next member mostly gets the same.
    last: Option<(ToPeer, Arc<[u8]>)>,
}

impl Turn {
    /// A frame as it is sent, encoded once for all who get it one after the other.
    fn encoded(&mut self, frame: Frame) -> Arc<[u8]> {
        let frame = ToPeer::About(frame);
        if let Some((last, bytes)) = &self.last
            && *last == frame
        {
            return Arc::clone(bytes);
        }
        let bytes = encoded(&frame);
        self.last = Some((frame, Arc::clone(&bytes)));
        bytes
    }
}

/// The node cannot go on.
pub(super) struct Stopped;

/// Takes what is stored out of the effects: facts of one conversation that follow each other as one
/// change.
pub(super) fn changes(effects: &mut Vec<Effect>) -> Vec<Change> {
    let mut changes = Vec::new();
    for effect in std::mem::take(effects) {
        match (effect, changes.last_mut()) {
            (Effect::Open(id, kind), _) => changes.push(Change::Open(id, kind)),
            (Effect::Store(id, facts), Some(Change::Facts(last, before))) if *last == id => {
                before.extend(facts);
            }
            (Effect::Store(id, facts), _) => changes.push(Change::Facts(id, facts)),
            (other, _) => effects.push(other),
        }
    }
    changes
}

/// Whether something is only asked for.
fn is_want(effect: &Effect) -> bool {
    matches!(effect, Effect::Send(_, frame) if matches!(frame.what, What::Want(_)))
}

/// The facts among changes.
fn facts(changes: &[Change]) -> impl Iterator<Item = (ConversationId, &Vec<Fact>)> {
    changes.iter().filter_map(|change| match change {
        Change::Facts(id, facts) => Some((*id, facts)),
        _ => None,
    })
}

impl Core {
    /// Commits what has come of a turn, then sends and tells it.
    pub(super) async fn finish(&mut self, mut turn: Turn) -> Result<(), Stopped> {
        self.say_waiting(&mut turn);
        // Sessions that end while it is sent have effects too.
        while !turn.effects.is_empty() {
            let mut effects = std::mem::take(&mut turn.effects);
            let mut changes = changes(&mut effects);
            let calls = turn.calls.drain(..);
            changes.extend(calls.map(|(by, said)| Change::Call(by, said)));
            let ended = self.ended_logs(&changes);
            if !effects.is_empty() && effects.iter().all(is_want) {
                // It says nothing of what is stored here, and is looked for during the commit.
                for want in effects.drain(..) {
                    self.carry_out(want, &mut turn);
                }
                yield_now().await;
            }
            self.commit(&changes).await?;
            turn.events.extend(ended);
            self.note_begun(&changes);
            self.note(&changes, &mut turn);
            for effect in effects {
                self.carry_out(effect, &mut turn);
            }
        }
        for (marks, reply) in turn.marks.drain(..) {
            let _ = reply.send(self.store.commit(&marks));
        }
        for event in turn.events.drain(..) {
            // Nobody may listen.
            let _ = self.events.send(event);
        }
        turn.answers.drain(..).for_each(|answer| answer());
        if !turn.reads.is_empty() {
            let view = View {
                sync: &self.sync,
                store: &self.store,
                now: self.now(),
            };
            turn.reads.drain(..).for_each(|read| read(&view));
        }
        Ok(())
    }

    /// Commits, and tries again for as long as that fails. Nothing else is done meanwhile, so
    /// nothing is sent that is not stored, and no session is read from.
    async fn commit(&mut self, changes: &[Change]) -> Result<(), Stopped> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut is_broken = false;
        loop {
            let error = match self.store.commit(changes) {
                Ok(()) => break,
                Err(StoreError::Unknown) => {
                    tracing::error!(error = %StoreError::Unknown, "conversations stop");
                    return Err(Stopped);
                }
                Err(error) => error,
            };
            if !is_broken {
                tracing::warn!(%error, "conversations cannot be stored; all waits for it");
                let _ = self.events.send(Event::Broken(Some(error.to_string())));
            }
            is_broken = true;
            let stopping = self.stopping.clone();
            if stopping.run_until_cancelled(sleep(RETRY)).await.is_none() {
                return Err(Stopped);
            }
        }
        if is_broken {
            let _ = self.events.send(Event::Broken(None));
        }
        Ok(())
    }

    /// The logs that end, with what of them is still stored.
    fn ended_logs(&self, changes: &[Change]) -> Vec<Event> {
        let stored =
            facts(changes).flat_map(|(id, facts)| facts.iter().map(move |fact| (id, fact)));
        let ended = stored.filter_map(|(conversation, fact)| match fact {
            Fact::Ended { join, proof } => {
                let end = End::proven_by(proof).map_or(u64::MAX, |end| end.position());
                let beyond = end..end.saturating_add(MAX_LOST);
                let lost = self.store.entries(&conversation, join, &beyond);
                Some(Event::LogEnded {
                    conversation,
                    join: *join,
                    // They are not shown when they are read again.
                    lost: lost.unwrap_or_default(),
                })
            }
            _ => None,
        });
        ended.collect()
    }

    /// Nothing of a log that has just begun can be missing, so its first entry waits for nobody.
    fn note_begun(&mut self, changes: &[Change]) {
        for (id, facts) in facts(changes) {
            if facts.iter().any(|fact| matches!(fact, Fact::Began(_))) {
                self.begun.insert(id);
            }
        }
    }

    /// What was stored, as events.
    fn note(&self, changes: &[Change], turn: &mut Turn) {
        for change in changes {
            match change {
                Change::Open(id, _) => {
                    let replica = self.sync.get(id);
                    let role = replica.map_or(Role::Stranger, Replica::own_role);
                    turn.events.push(match role {
                        Role::Invited(_) => Event::Requested(*id),
                        Role::Member(_) | Role::Stranger => Event::Opened(*id),
                    });
                }
                Change::Facts(id, facts) => {
                    self.note_entries(*id, facts, &mut turn.events);
                    note_facts(*id, facts, &mut turn.events);
                }
                _ => {}
            }
        }
    }

    /// The new entries, those of one person that follow each other in one event.
    fn note_entries(&self, id: ConversationId, facts: &[Fact], events: &mut Vec<Event>) {
        let Some(replica) = self.sync.get(&id) else {
            return;
        };
        for fact in facts {
            let Fact::Talk { entry, .. } = fact else {
                continue;
            };
            let log = replica.membership().logs.get(&entry.header.join);
            // One that does not count any more came in this turn.
            let by = log.map_or_else(|| replica.person(), |log| log.person);
            match events.last_mut() {
                Some(Event::Entries {
                    conversation,
                    person,
                    entries,
                }) if (*conversation, *person) == (id, by) => entries.push(entry.id),
                _ => events.push(Event::Entries {
                    conversation: id,
                    person: by,
                    entries: vec![entry.id],
                }),
            }
        }
    }

    fn carry_out(&mut self, effect: Effect, turn: &mut Turn) {
        match effect {
            // They are stored already.
            Effect::Open(..) | Effect::Store(..) => {}
            Effect::Send(id, frame) => {
                let is_long = |line: &Line| line.outbound.is_long();
                let is_push = matches!(frame.what, What::Talk { .. });
                // Their head tells of it, and it is asked for when they have read what waits.
                if !is_push || !self.lines.get(&id).is_some_and(is_long) {
                    let bytes = turn.encoded(frame);
                    self.send_bytes(id, bytes, turn);
                }
            }
            Effect::SendTalk {
                session,
                conversation,
                join,
                range,
            } => match self.store.entries(&conversation, &join, &range) {
                Ok(stretch) if stretch.is_empty() => {}
                Ok(stretch) => {
                    let what = What::Talk { join, stretch };
                    let frame = ToPeer::About(Frame { conversation, what });
                    self.send_bytes(session, encoded(&frame), turn);
                }
                Err(error) => tracing::warn!(%error, "entries cannot be read"),
            },
            Effect::Close(id) => self.close(id, Bye::Malformed, turn),
        }
    }

    pub(super) fn send_bytes(&mut self, id: SessionId, bytes: Arc<[u8]>, turn: &mut Turn) {
        let Some(line) = self.lines.get(&id) else {
            return;
        };
        if line.outbound.send_bytes(bytes).is_err() {
            tracing::debug!(session = id.0, "a session reads too slowly");
            self.close(id, Bye::TooMany, turn);
        }
    }
}

fn note_facts(id: ConversationId, facts: &[Fact], events: &mut Vec<Event>) {
    let is_membership = |fact: &Fact| {
        matches!(
            fact,
            Fact::Roster(_) | Fact::Dropped(_) | Fact::Shut(..) | Fact::Answered(..)
        )
    };
    if facts.iter().any(is_membership) {
        events.push(Event::Membership(id));
    }
    for fact in facts {
        if let Fact::Got {
            person,
            join,
            range,
        } = fact
        {
            events.push(Event::Delivered {
                conversation: id,
                person: *person,
                join: *join,
                range: range.clone(),
            });
        }
    }
}
