//! Conversations that someone names and that are not known here. Their rosters are asked for one
//! after the other; one of which this person is no part is not kept.

use std::collections::{BTreeMap, VecDeque};

use p2pchat_protocol::v2::PersonKey;
use p2pchat_protocol::v2::conversation::ConversationId;
use p2pchat_protocol::v2::conversation::roster::Add as Sealed;

use super::frame::{Have, Short, Want, What};
use super::tell::{roster_hash, send};
use super::{
    Effect, MAX_ASKED, MAX_CONVERSATIONS, MAX_REQUESTS, Now, PATIENCE, SessionId, Sync, stored,
};
use crate::replica::{Kind, Replica, Role};
use crate::seal::Seal;

/// Those of one session.
#[derive(Debug, Clone, Default)]
pub(super) struct Candidates {
    /// The one whose roster is asked for, and when something of it came last.
    current: Option<(Replica, u64)>,
    waiting: VecDeque<(ConversationId, Kind)>,
    /// Those that this person is no part of, and the hash of the roster that said so.
    refused: BTreeMap<ConversationId, Short>,
}

impl Candidates {
    /// Whether one is to be looked at, as they name it with this hash of its roster.
    fn is_new(&self, id: &ConversationId, roster: Short) -> bool {
        let is_current = self.current.as_ref().is_some_and(|(it, _)| it.id() == *id);
        let is_waiting = self.waiting.iter().any(|(waiting, _)| waiting == id);
        !is_current
            && !is_waiting
            && self.refused.get(id) != Some(&roster)
            && self.waiting.len() + self.refused.len() < MAX_CONVERSATIONS
    }

    /// Takes the current one, if it is this.
    fn take(&mut self, id: &ConversationId) -> Option<Replica> {
        let current = self.current.take_if(|(it, _)| it.id() == *id);
        current.map(|(candidate, _)| candidate)
    }
}

impl<S: Seal> Sync<S> {
    /// Someone names a conversation that is not known here.
    pub(super) fn consider(
        &mut self,
        id: SessionId,
        conversation: ConversationId,
        have: &Have,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let person = self.sessions.get(&id).map(|session| session.person);
        if let Some(people) = have.people {
            let hash = |bytes: &[u8]| self.seal.digest(bytes);
            let is_named = ConversationId::direct(people, hash) == conversation;
            let is_of = |person: PersonKey| people.contains(&person);
            if !is_named || !is_of(self.me()) || !person.is_some_and(is_of) {
                return;
            }
        }
        let kind = have.people.map_or(Kind::Group, Kind::Direct);
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if session.candidates.is_new(&conversation, have.roster) {
            session.candidates.waiting.push_back((conversation, kind));
            self.next_candidate(id, now, effects);
        }
    }

    /// Asks for the roster of the next one, if none is looked at.
    pub(super) fn next_candidate(&mut self, id: SessionId, now: Now, effects: &mut Vec<Effect>) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let too_late = |(_, since): &mut (Replica, u64)| now.millis >= *since + PATIENCE;
        session.candidates.current.take_if(too_late);
        let is_full = self.conversations.len() >= MAX_CONVERSATIONS;
        while session.candidates.current.is_none() && !is_full {
            let Some((conversation, kind)) = session.candidates.waiting.pop_front() else {
                return;
            };
            if self.conversations.contains_key(&conversation) {
                continue;
            }
            let candidate = Replica::new(conversation, kind, &self.seal);
            session.candidates.current = Some((candidate, now.millis));
            let want = What::Want(Want::Roster(Vec::new()));
            send(id, conversation, want, effects);
        }
    }

    pub(super) fn take_candidate(
        &mut self,
        id: SessionId,
        conversation: ConversationId,
        entries: Vec<Sealed>,
        now: Now,
    ) {
        let session = self.sessions.get_mut(&id);
        let current = session.and_then(|session| session.candidates.current.as_mut());
        if let Some((candidate, since)) = current.filter(|(it, _)| it.id() == conversation) {
            *since = now.millis;
            self.dropped += candidate.take_roster(entries, &self.seal).dropped;
        }
    }

    /// The roster of the current one is there: it is kept if this person is in or asked.
    pub(super) fn judge_candidate(
        &mut self,
        id: SessionId,
        conversation: ConversationId,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let session = self.sessions.get_mut(&id);
        let taken = session.and_then(|session| session.candidates.take(&conversation));
        let Some(candidate) = taken else {
            return;
        };
        if self.is_wanted(&candidate) {
            effects.push(Effect::Open(conversation, candidate.kind()));
            effects.extend(stored(conversation, candidate.roster_facts()));
            self.conversations.insert(conversation, candidate);
            self.roster_changed(conversation, effects);
        } else if candidate.own_role() == Role::Stranger
            && let Some(session) = self.sessions.get_mut(&id)
        {
            let roster = roster_hash(&candidate, &self.seal);
            session.candidates.refused.insert(conversation, roster);
        }
        self.next_candidate(id, now, effects);
    }

    /// Whether this person is in, or asked by someone who has not asked too often, as have not all
    /// together.
    fn is_wanted(&self, candidate: &Replica) -> bool {
        match candidate.own_role() {
            Role::Member(_) => true,
            Role::Invited(_) => {
                let by = candidate.inviter();
                let asked = self
                    .conversations
                    .values()
                    .filter(|known| known.is_only_asked());
                let asked: Vec<_> = asked.map(Replica::inviter).collect();
                let from_them = asked.iter().filter(|inviter| **inviter == by);
                from_them.count() < MAX_REQUESTS && asked.len() < MAX_ASKED
            }
            Role::Stranger => false,
        }
    }
}
