//! What comes in.

use p2pchat_protocol::v2::PersonKey;
use p2pchat_protocol::v2::conversation::roster::Add as Sealed;
use p2pchat_protocol::v2::conversation::talk::TalkEntry;
use p2pchat_protocol::v2::conversation::{ConversationId, EntryId, JoinId};

use super::frame::{Frame, Have, Heads, Item, Short, Want, What};
use super::link::Link;
use super::tell::{digest, is_ending, roster_hash, send};
use super::{Allowance, Effect, MAX_PUSHES, Now, PUSHES, SessionId, Sync, stored};
use crate::log::{Named, NotTaken};
use crate::replica::{Fact, Replica, Role, Took};
use crate::seal::Seal;

impl<S: Seal> Sync<S> {
    /// Frames have come over a session.
    pub fn receive(
        &mut self,
        id: SessionId,
        frames: impl IntoIterator<Item = Frame>,
        now: Now,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        for frame in frames {
            self.take(id, frame, now, &mut effects);
        }
        self.ask(id, now, &mut effects);
        self.tell_all(now, &mut effects);
        effects
    }

    fn take(&mut self, id: SessionId, frame: Frame, now: Now, effects: &mut Vec<Effect>) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let person = session.person;
        let conversation = frame.conversation;
        let is_known = self.conversations.contains_key(&conversation);
        match frame.what {
            What::Have(have) if is_known => self.told(id, conversation, have, effects),
            What::Have(have) => self.consider(id, conversation, &have, now, effects),
            What::Roster(entries) if is_known => {
                self.take_roster(id, conversation, entries, now, effects);
            }
            What::Roster(entries) => {
                self.take_candidate(id, conversation, entries, now);
            }
            What::Done if is_known => {
                if let Some(link) = self.link(id, conversation) {
                    // If late.
                    link.is_silent = false;
                    link.answered();
                }
            }
            What::Done => self.judge_candidate(id, conversation, now, effects),
            What::Want(want) => self.serve(id, conversation, &want, effects),
            What::Talk { join, stretch } => {
                self.take_talk(id, conversation, &join, stretch, now, effects);
            }
            What::Proof { join, entries } => {
                self.take_proof(id, conversation, &join, &entries, effects);
            }
            What::Answer(to) => {
                if let Some(replica) = self.conversations.get_mut(&conversation) {
                    effects.extend(stored(conversation, replica.note_answer(person, to)));
                }
            }
        }
    }

    fn link(&mut self, id: SessionId, conversation: ConversationId) -> Option<&mut Link> {
        let session = self.sessions.get_mut(&id)?;
        session.links.get_mut(&conversation)
    }

    /// They have told what they hold.
    fn told(
        &mut self,
        id: SessionId,
        conversation: ConversationId,
        have: Have,
        effects: &mut Vec<Effect>,
    ) {
        let Some((session, replica)) = self.at(id, conversation) else {
            return;
        };
        if replica.is_of_others(&session.person) {
            return;
        }
        self.answer(id, conversation, effects);
        self.remind(id, conversation, effects);
        let (Some(session), Some(replica)) = (
            self.sessions.get_mut(&id),
            self.conversations.get_mut(&conversation),
        ) else {
            return;
        };
        // The roster is heard of anybody, by those who are not in too: it may say that they are.
        let link = session.links.entry(conversation).or_default();
        let own_roster = roster_hash(replica, &self.seal);
        link.is_silent = false;
        link.roster = (have.roster != own_roster).then_some(have.roster);
        let (Role::Member(own), Role::Member(theirs)) =
            (replica.own_role(), replica.role(&session.person))
        else {
            return;
        };
        let from = Some(own.max(theirs));
        match have.heads {
            Heads::Digest(theirs) => {
                let differs = theirs != digest(replica, from, &self.seal);
                link.owes.all |= differs || have.asks;
                link.owes.question |= differs;
                link.heard |= !differs;
            }
            Heads::Items(items) => {
                link.owes.all |= have.asks;
                link.heard = true;
                let person = session.person;
                for item in items {
                    let facts = receipt(replica, person, &item);
                    effects.extend(stored(conversation, facts));
                    link.offer(item);
                    link.ask_bodies(replica, &item.join);
                }
            }
        }
    }

    fn take_roster(
        &mut self,
        id: SessionId,
        conversation: ConversationId,
        entries: Vec<Sealed>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let endings = entries.iter().filter(|sealed| is_ending(&sealed.entry.act));
        let endings: Vec<_> = endings.map(|sealed| sealed.entry.id).collect();
        if !self.may_tell_roster(id, conversation, entries.len(), now) {
            // The hash of their roster tells of them, and they are asked for.
            return;
        }
        let Some(replica) = self.conversations.get_mut(&conversation) else {
            return;
        };
        let took = replica.take_roster(entries, &self.seal);
        self.dropped += took.dropped;
        let is_changed = !took.facts.is_empty();
        effects.extend(stored(conversation, took.facts));
        if is_changed {
            if let Some(asked) = self
                .link(id, conversation)
                .and_then(|link| link.asked.as_mut())
            {
                asked.was_of_use = true;
            }
            self.roster_changed(conversation, effects);
            self.ask_all(now, effects);
        }
        self.answer(id, conversation, effects);
        self.confirm_leavings(id, conversation, &endings, effects);
    }

    /// Whether roster entries are taken from a session: who is in is found out again for each frame
    /// of them.
    fn may_tell_roster(
        &mut self,
        id: SessionId,
        conversation: ConversationId,
        entries: usize,
        now: Now,
    ) -> bool {
        let Some(session) = self.sessions.get(&id) else {
            return false;
        };
        let link = session.links.get(&conversation);
        let asked = link.and_then(|link| link.asked.as_ref());
        let is_asked = asked.is_some_and(|asked| matches!(asked.want, Want::Roster(_)));
        let person = session.person;
        is_asked || self.allows(person, entries, now)
    }

    /// Tells someone who has left that their leaving is known.
    fn confirm_leavings(
        &mut self,
        id: SessionId,
        conversation: ConversationId,
        endings: &[EntryId],
        effects: &mut Vec<Effect>,
    ) {
        if endings.is_empty() {
            return;
        }
        let Some((session, replica)) = self.at(id, conversation) else {
            return;
        };
        let theirs = replica.leavings_of(&session.person);
        for ending in endings.iter().filter(|ending| theirs.contains(ending)) {
            if session.told.insert(*ending) {
                send(id, conversation, What::Answer(*ending), effects);
            }
        }
    }

    fn take_talk(
        &mut self,
        id: SessionId,
        conversation: ConversationId,
        join: &JoinId,
        stretch: Vec<TalkEntry>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let Some((author, is_asked)) = self.may_talk(id, conversation, join, &stretch) else {
            self.dropped += stretch.len();
            return;
        };
        if !is_asked && !self.allows(author, stretch.len(), now) {
            // Their head tells of it, and it is asked for in its turn.
            return;
        }
        let positions: Vec<_> = stretch.iter().map(Named::from).collect();
        let Some(replica) = self.conversations.get_mut(&conversation) else {
            return;
        };
        let taken = replica.take_talk(join, stretch, &self.seal);
        self.took(id, conversation, join, taken, effects);
        self.compare(id, conversation, join, &positions);
    }

    /// Whether talk is taken from a session: of logs that count, from members, and from their
    /// authors, who may have left since. Gives the author, and whether it was asked for.
    fn may_talk(
        &self,
        id: SessionId,
        conversation: ConversationId,
        join: &JoinId,
        stretch: &[TalkEntry],
    ) -> Option<(PersonKey, bool)> {
        let session = self.sessions.get(&id)?;
        let replica = self.conversations.get(&conversation)?;
        let author = replica.membership().logs.get(join)?.person;
        let is_in = |role| matches!(role, Role::Member(_));
        let may_bring = author == session.person || is_in(replica.role(&session.person));
        if !may_bring || !is_in(replica.own_role()) {
            return None;
        }
        let link = session.links.get(&conversation);
        let asked = link.and_then(|link| link.asked.as_ref());
        let is_asked = asked.is_some_and(|asked| match &asked.want {
            Want::Newest => true,
            Want::Log { join: of, range } => {
                let mut positions = stretch.iter().map(|entry| entry.header.position);
                of == join && positions.all(|position| range.contains(&position))
            }
            _ => false,
        });
        Some((author, is_asked))
    }

    /// Whether so many entries of an author may come without having been asked for.
    fn allows(&mut self, author: PersonKey, entries: usize, now: Now) -> bool {
        let full = Allowance {
            entries: MAX_PUSHES,
            since: now.millis,
        };
        let allowance = self.allowances.entry(author).or_insert(full);
        let more = now.millis.saturating_sub(allowance.since) * PUSHES / 1000;
        if more > 0 {
            allowance.entries = MAX_PUSHES.min(allowance.entries + more);
            allowance.since = now.millis;
        }
        let entries = u64::try_from(entries).unwrap_or(u64::MAX);
        let left = allowance.entries.checked_sub(entries);
        allowance.entries = left.unwrap_or(allowance.entries);
        left.is_some()
    }

    fn take_proof(
        &mut self,
        id: SessionId,
        conversation: ConversationId,
        join: &JoinId,
        entries: &[TalkEntry],
        effects: &mut Vec<Effect>,
    ) {
        if self.may_talk(id, conversation, join, &[]).is_none() {
            self.dropped += entries.len();
            return;
        }
        let proof: Vec<_> = entries.iter().map(Named::from).collect();
        if let Some(replica) = self.conversations.get_mut(&conversation) {
            let taken = replica.take_proof(join, &proof, &self.seal);
            self.took(id, conversation, join, taken, effects);
        }
    }

    /// Stores what came of talk, and owes everybody the news.
    fn took(
        &mut self,
        id: SessionId,
        conversation: ConversationId,
        join: &JoinId,
        taken: Result<Took, NotTaken>,
        effects: &mut Vec<Effect>,
    ) {
        let took = match taken {
            Ok(took) => took,
            Err(NotTaken::Unproven { position }) => {
                if let Some(link) = self.link(id, conversation) {
                    link.doubts.insert((*join, position));
                }
                return;
            }
            Err(
                NotTaken::Empty
                | NotTaken::OtherLog
                | NotTaken::NotAChain
                | NotTaken::NoProof
                | NotTaken::Signature,
            ) => {
                self.dropped += 1;
                effects.push(Effect::Close(id));
                return;
            }
        };
        self.dropped += took.dropped;
        if took.facts.is_empty() {
            return;
        }
        if let Some(replica) = self.conversations.get_mut(&conversation) {
            let answers = took.facts.iter().filter_map(|fact| match fact {
                Fact::Talk { entry, .. } => Some(entry),
                _ => None,
            });
            let got: Vec<_> = answers
                .flat_map(|entry| replica.got_by_answer(entry))
                .collect();
            effects.extend(stored(conversation, took.facts));
            for (person, join, position) in got {
                let facts = replica.note_got(person, join, position..position + 1);
                effects.extend(stored(conversation, facts));
            }
        }
        for (session, of) in &mut self.sessions {
            if let Some(link) = of.links.get_mut(&conversation) {
                link.owes.items.insert(*join);
                if let Some(asked) = link.asked.as_mut().filter(|_| *session == id) {
                    asked.was_of_use = true;
                }
            }
        }
    }

    /// Remembers where both hold the same entry, while a fork is looked for.
    fn compare(
        &mut self,
        id: SessionId,
        conversation: ConversationId,
        join: &JoinId,
        named: &[Named],
    ) {
        let Some(replica) = self.conversations.get(&conversation) else {
            return;
        };
        let is_same = |entry: &&Named| {
            let held = replica
                .log(join)
                .and_then(|log| log.get(entry.header.position));
            held.is_some_and(|held| held.id == entry.id)
        };
        let same = named
            .iter()
            .filter(is_same)
            .map(|entry| entry.header.position)
            .max();
        let session = self.sessions.get_mut(&id);
        let link = session.and_then(|session| session.links.get_mut(&conversation));
        if let Some((link, position)) = link.zip(same) {
            link.found_same(*join, position + 1);
        }
    }
}

/// A person holds what they tell of an own log.
fn receipt(replica: &mut Replica, person: PersonKey, item: &Item) -> Vec<Fact> {
    let is_own = replica
        .membership()
        .logs
        .get(&item.join)
        .is_some_and(|of| of.person == replica.person() && of.person != person);
    let newest = item.next.checked_sub(1);
    let held = newest.and_then(|at| replica.log(&item.join)?.get(at));
    let is_same = held.is_some_and(|held| Short::from(held.id) == item.newest);
    if !is_own || !is_same || item.lowest >= item.next {
        return Vec::new();
    }
    replica.note_got(person, item.join, item.lowest..item.next)
}
