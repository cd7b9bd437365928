//! What is asked of others, and what they are given that they ask for.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::ops::Range;

use p2pchat_protocol::v2::Signature;
use p2pchat_protocol::v2::conversation::talk::{Header, TalkEntry};
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, JoinId};

use super::frame::{Short, Want, What};
use super::link::Asked;
use super::tell::{items, roster_hash, send, send_roster};
use super::{Effect, MAX_OPEN, MAX_PIECE, Now, SessionId, Sync};
use crate::log::Named;
use crate::replica::{Replica, Role};
use crate::seal::Seal;

impl<S: Seal> Sync<S> {
    /// Asks everybody for what is missing.
    pub(super) fn ask_all(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let sessions: Vec<_> = self.sessions.keys().copied().collect();
        for session in sessions {
            self.ask(session, now, effects);
        }
    }

    /// Asks one for what is missing and they hold.
    pub(super) fn ask(&mut self, id: SessionId, now: Now, effects: &mut Vec<Effect>) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let mut open = session
            .links
            .values()
            .filter(|link| link.asked.is_some())
            .count();
        let idle = session
            .links
            .iter()
            .filter(|(_, link)| link.asked.is_none() && !link.is_silent);
        let idle: Vec<_> = idle.map(|(conversation, _)| *conversation).collect();
        for conversation in idle {
            if open >= MAX_OPEN {
                return;
            }
            open += usize::from(self.ask_about(id, conversation, now, effects));
        }
    }

    fn ask_about(
        &mut self,
        id: SessionId,
        conversation: ConversationId,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let Some(replica) = self.conversations.get(&conversation) else {
            return false;
        };
        let others = self.sessions.iter().filter(|(other, _)| **other != id);
        let others = others.filter_map(|(_, other)| other.links.get(&conversation)?.asked.as_ref());
        let wanted: Vec<_> = others.map(|asked| asked.want.clone()).collect();
        let is_open = |join: &JoinId, range: &Range<u64>| {
            wanted.iter().any(|want| match want {
                Want::Log {
                    join: of,
                    range: open,
                } => of == join && open.start < range.end && range.start < open.end,
                _ => false,
            })
        };
        let own_roster = roster_hash(replica, &self.seal);
        let asked = self.sessions.get(&id).map(|session| session.person);
        let is_stranger = asked.is_some_and(|person| replica.role(&person) == Role::Stranger);
        let link = self
            .sessions
            .get_mut(&id)
            .and_then(|of| of.links.get_mut(&conversation));
        let Some(link) = link else {
            return false;
        };
        let Some(mut want) = link.next_want(replica, own_roster, is_open) else {
            return false;
        };
        if let Want::Roster(held) = &mut want
            && is_stranger
        {
            // They may be in by entries that are not here yet. What is here is not for them.
            held.clear();
        }
        if want == Want::Newest && wanted.contains(&want) {
            return false;
        }
        let is_search = link.is_search(replica, &want);
        link.asked = Some(Asked {
            want: want.clone(),
            since: now.millis,
            was_of_use: false,
            is_search,
        });
        send(id, conversation, What::Want(want), effects);
        true
    }

    /// Answers a want, as far as the other side may see it.
    pub(super) fn serve(
        &mut self,
        id: SessionId,
        conversation: ConversationId,
        want: &Want,
        effects: &mut Vec<Effect>,
    ) {
        let (Some(session), Some(replica)) = (
            self.sessions.get(&id),
            self.conversations.get(&conversation),
        ) else {
            return;
        };
        let role = replica.role(&session.person);
        if role == Role::Stranger || !matches!(replica.own_role(), Role::Member(_)) {
            return;
        }
        let mut pieces = Vec::new();
        match (want, role) {
            (Want::Roster(held), _) => serve_roster(id, replica, held, effects),
            (Want::Newest, Role::Member(from)) => pieces = newest_page(replica, from),
            (Want::Log { join, range }, Role::Member(from)) => {
                let piece = piece(replica, join, range, from);
                pieces.extend(piece.map(|range| (*join, range)));
            }
            (Want::Proof(join), Role::Member(_)) => {
                if let Some(end) = replica.log(join).and_then(|log| log.end()) {
                    let entries = end.proof().map(without_body).collect();
                    let proof = What::Proof {
                        join: *join,
                        entries,
                    };
                    send(id, conversation, proof, effects);
                }
            }
            _ => return,
        }
        for (join, range) in pieces {
            let range = self.genuine(conversation, &join, range);
            if !range.is_empty() {
                effects.push(Effect::SendTalk {
                    session: id,
                    conversation,
                    join,
                    range,
                });
            }
        }
        send(id, conversation, What::Done, effects);
    }

    /// The part of a range whose last signature is right, as the receiver asks for it. Another
    /// vouched for this one when it came; what is wrong is forgotten, and asked for again.
    fn genuine(
        &mut self,
        conversation: ConversationId,
        join: &JoinId,
        mut range: Range<u64>,
    ) -> Range<u64> {
        let Some(replica) = self.conversations.get_mut(&conversation) else {
            return 0..0;
        };
        while !range.is_empty() && !replica.is_genuine_at(join, range.end - 1, &self.seal) {
            range.end -= 1;
        }
        range
    }
}

fn serve_roster(id: SessionId, replica: &Replica, held: &[Short], effects: &mut Vec<Effect>) {
    let held: BTreeSet<_> = held.iter().collect();
    let missing = replica.roster().entries();
    let missing = missing.filter(|entry| !held.contains(&Short::from(entry.id)));
    let ids = replica.roster().in_order(missing);
    send_roster(id, replica, &ids, effects);
}

/// The bytes of an entry.
fn size(entry: &Named) -> usize {
    Header::LEN + Signature::LEN + usize::try_from(entry.header.body_len).unwrap_or(usize::MAX)
}

/// The newest part of a range that may be seen and fits in a piece. At least one entry, if there
/// is one.
pub(super) fn piece(
    replica: &Replica,
    join: &JoinId,
    range: &Range<u64>,
    from: Clock,
) -> Option<Range<u64>> {
    let log = replica.log(join)?;
    let end = range.end.min(replica.limit(join));
    let held = log.stretches().newest(end)?;
    let mut start = held.end;
    let mut room = MAX_PIECE;
    for position in (held.start.max(range.start)..held.end).rev() {
        let entry = log.get(position);
        let Some(entry) = entry.filter(|entry| entry.header.clock > from) else {
            break;
        };
        let is_first = start == held.end;
        match room.checked_sub(size(entry)) {
            Some(left) => room = left,
            None if is_first => room = 0,
            None => break,
        }
        start = position;
    }
    (start < held.end).then_some(start..held.end)
}

/// The newest entries of all logs together that fit in a piece.
fn newest_page(replica: &Replica, from: Clock) -> Vec<(JoinId, Range<u64>)> {
    let mut heads: BinaryHeap<_> = items(replica, Some(from))
        .filter(|item| item.next > item.lowest)
        .map(|item| (item.clock, item.join, item.next - 1, item.lowest))
        .collect();
    let mut room = MAX_PIECE;
    let mut page: BTreeMap<JoinId, Range<u64>> = BTreeMap::new();
    while let Some((_, join, position, lowest)) = heads.pop() {
        let Some(log) = replica.log(&join) else {
            continue;
        };
        let Some(left) = log
            .get(position)
            .and_then(|entry| room.checked_sub(size(entry)))
        else {
            break;
        };
        room = left;
        let range = page.entry(join).or_insert(position..position + 1);
        range.start = position;
        if position > lowest
            && let Some(below) = log.get(position - 1)
        {
            heads.push((below.header.clock, join, position - 1, lowest));
        }
    }
    page.into_iter().collect()
}

fn without_body(named: Named) -> TalkEntry {
    TalkEntry {
        id: named.id,
        header: named.header,
        signature: named.signature,
        body: None,
    }
}
