//! What others are told: what one holds, who is named a conversation, and what ended a membership.

use std::collections::BTreeSet;

use p2pchat_protocol::v2::PersonKey;
use p2pchat_protocol::v2::conversation::roster::Act;
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, EntryId, JoinId};
use p2pchat_protocol::v2::peer::MAX_ITEMS;

use super::frame::{Ending, Frame, Have, Heads, Item, Short, What};
use super::serve::piece;
use super::{Effect, MAX_PIECE, Now, SessionId, Sync, TELL_EVERY, stored};
use crate::replica::{Fact, Kind, Replica, Role, Summary};
use crate::seal::Seal;

impl<S: Seal> Sync<S> {
    /// Names a conversation to a device of a member or an invited person, or tells it what ended a
    /// membership.
    pub(super) fn meet(
        &mut self,
        id: SessionId,
        conversation: ConversationId,
        effects: &mut Vec<Effect>,
    ) {
        let Some((session, replica)) = self.at(id, conversation) else {
            return;
        };
        if is_named(replica, &session.person) {
            let is_shared = shared(replica, &session.person).is_some();
            let link = session.links.entry(conversation).or_default();
            link.owes.digest = true;
            if is_shared && !link.is_shared {
                // What has waited for one of them to be in goes out now.
                link.told = None;
            }
            link.is_shared = is_shared;
            return;
        }
        session.links.remove(&conversation);
        let tidings = tidings(replica, &session.person);
        let unknown = tidings
            .into_iter()
            .filter(|id| !replica.has_answered(&session.person, id));
        let unknown = unknown.collect();
        self.bring(id, conversation, unknown, effects);
    }

    /// Tells someone who names a conversation what ended a membership, even if they have known it
    /// once: their disk may be an older one.
    pub(super) fn remind(
        &mut self,
        id: SessionId,
        conversation: ConversationId,
        effects: &mut Vec<Effect>,
    ) {
        let Some((session, replica)) = self.at(id, conversation) else {
            return;
        };
        let tidings = tidings(replica, &session.person);
        self.bring(id, conversation, tidings, effects);
    }

    /// Sends endings with what it takes to verify them, each once in a session.
    fn bring(
        &mut self,
        id: SessionId,
        conversation: ConversationId,
        endings: BTreeSet<EntryId>,
        effects: &mut Vec<Effect>,
    ) {
        let Some((session, replica)) = self.at(id, conversation) else {
            return;
        };
        let mut is_news = false;
        for ending in endings {
            if session.told.insert(ending)
                && let Some(entry) = replica.roster().get(&ending)
            {
                let grounds = replica.roster().grounds(entry);
                send_roster(id, replica, &grounds, effects);
                is_news = true;
            }
        }
        if is_news {
            effects.extend(last_words(id, replica, &session.person));
        }
    }

    /// Stores what this device wrote, sends it to those connected who may have it, and tells
    /// what is held now.
    pub(super) fn wrote(&mut self, id: ConversationId, facts: Vec<Fact>, now: Now) -> Vec<Effect> {
        let roster = facts.iter().filter_map(|fact| match fact {
            Fact::Roster(sealed) => Some(sealed.clone()),
            _ => None,
        });
        let roster: Vec<_> = roster.collect();
        let talk = facts.iter().filter_map(|fact| match fact {
            Fact::Talk { entry, .. } => Some(entry.clone()),
            _ => None,
        });
        let talk: Vec<_> = talk.collect();
        let mut effects: Vec<_> = stored(id, facts).into_iter().collect();
        if !roster.is_empty() {
            self.roster_changed(id, &mut effects);
        }
        let Some(replica) = self.conversations.get(&id) else {
            return effects;
        };
        for (session, of) in &mut self.sessions {
            let role = replica.role(&of.person);
            if !roster.is_empty() && role != Role::Stranger {
                send(*session, id, What::Roster(roster.clone()), &mut effects);
            }
            let Role::Member(from) = role else {
                continue;
            };
            for entry in &talk {
                if entry.header.clock > from {
                    let (join, stretch) = (entry.header.join, vec![entry.clone()]);
                    send(*session, id, What::Talk { join, stretch }, &mut effects);
                }
                if let Some(link) = of.links.get_mut(&id) {
                    link.owes.items.insert(entry.header.join);
                }
            }
        }
        self.tell_all(now, &mut effects);
        effects
    }

    /// The roster has changed: everybody is met again.
    pub(super) fn roster_changed(&mut self, id: ConversationId, effects: &mut Vec<Effect>) {
        let sessions: Vec<_> = self.sessions.keys().copied().collect();
        for session in sessions {
            self.meet(session, id, effects);
        }
    }

    /// Tells everybody what is due.
    pub(super) fn tell_all(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let sessions: Vec<_> = self.sessions.keys().copied().collect();
        for session in sessions {
            self.tell(session, now, effects);
        }
    }

    /// Tells one what is due.
    pub(super) fn tell(&mut self, id: SessionId, now: Now, effects: &mut Vec<Effect>) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        for (conversation, link) in &mut session.links {
            let is_due = link.told.is_none_or(|told| now.millis >= told + TELL_EVERY);
            if link.owes.is_nothing() || !is_due {
                continue;
            }
            let Some(replica) = self.conversations.get(conversation) else {
                continue;
            };
            if !is_named(replica, &session.person) {
                continue;
            }
            // What the first digest brings up is told at once.
            let is_first = link.told.is_none();
            let told = now
                .millis
                .checked_sub(if is_first { TELL_EVERY } else { 0 });
            link.told = Some(told.unwrap_or_default());
            let owes = std::mem::take(&mut link.owes);
            let is_curious = || {
                wants_items(replica, &session.person, &self.seal) || link.may_have_bodies(replica)
            };
            let asks = owes.question || (owes.digest && is_curious());
            let roster = roster_hash(replica, &self.seal);
            let people = match replica.kind() {
                Kind::Group => None,
                Kind::Direct(people) => Some(people),
            };
            let mut have = |heads| {
                let have = Have {
                    people,
                    roster,
                    heads,
                    asks,
                };
                send(id, *conversation, What::Have(have), effects);
            };
            let from = shared(replica, &session.person);
            if owes.digest {
                have(Heads::Digest(digest(replica, from, &self.seal)));
            }
            let items: Vec<_> = if owes.all {
                items(replica, from).collect()
            } else {
                items_of(replica, &owes.items, from).collect()
            };
            for piece in items.chunks(MAX_ITEMS) {
                have(Heads::Items(piece.to_vec()));
            }
            if owes.all && items.is_empty() {
                have(Heads::Items(Vec::new()));
            }
        }
    }

    /// Answers who names a conversation that this person is not in: by the add that they declined,
    /// or by what ended their membership.
    pub(super) fn answer(
        &mut self,
        id: SessionId,
        conversation: ConversationId,
        effects: &mut Vec<Effect>,
    ) {
        let Some((session, replica)) = self.at(id, conversation) else {
            return;
        };
        for answer in replica.answers(&session.person) {
            if !session.told.insert(answer) {
                continue;
            }
            // Those who name the conversation may not know of the removal.
            let ending = replica.roster().get(&answer);
            if let Some(ending) = ending.filter(|entry| is_ending(&entry.act)) {
                let grounds = replica.roster().grounds(ending);
                send_roster(id, replica, &grounds, effects);
            }
            send(id, conversation, What::Answer(answer), effects);
        }
    }
}

pub(super) fn send(
    session: SessionId,
    conversation: ConversationId,
    what: What,
    effects: &mut Vec<Effect>,
) {
    let frame = Frame { conversation, what };
    effects.push(Effect::Send(session, frame));
}

/// What this device's person, who has left, wrote last: it may be that nobody else has it.
fn last_words(id: SessionId, replica: &Replica, person: &PersonKey) -> Vec<Effect> {
    let (Role::Stranger, Role::Member(from)) = (replica.own_role(), replica.role(person)) else {
        return Vec::new();
    };
    let logs = replica.membership().logs.iter();
    let own = logs.filter(|(_, log)| log.person == replica.person());
    let words = own.filter_map(|(join, _)| {
        let range = piece(replica, join, &(0..u64::MAX), from)?;
        let mut positions = range.clone();
        let has_all = positions.all(|position| replica.has_got(person, join, position));
        (!has_all).then(|| Effect::SendTalk {
            session: id,
            conversation: replica.id(),
            join: *join,
            range,
        })
    });
    words.collect()
}

/// Whether a conversation is named to a person: by those who are in, to those who are in or asked.
fn is_named(replica: &Replica, person: &PersonKey) -> bool {
    match replica.own_role() {
        Role::Member(_) => replica.role(person) != Role::Stranger,
        Role::Invited(_) => matches!(replica.role(person), Role::Member(_)),
        Role::Stranger => false,
    }
}

/// What a person has to be told of: that they were removed, or that this device's person has left.
fn tidings(replica: &Replica, person: &PersonKey) -> BTreeSet<EntryId> {
    match (replica.own_role(), replica.role(person)) {
        (Role::Member(_), Role::Stranger) => {
            let removals = replica.membership().removals.get(person);
            removals.cloned().unwrap_or_default()
        }
        (Role::Stranger, Role::Member(_)) => replica.own_leavings(),
        _ => BTreeSet::new(),
    }
}

/// The clock after which both this device and a person see entries.
fn shared(replica: &Replica, person: &PersonKey) -> Option<Clock> {
    match (replica.own_role(), replica.role(person)) {
        (Role::Member(own), Role::Member(theirs)) => Some(own.max(theirs)),
        _ => None,
    }
}

pub(super) fn roster_hash(replica: &Replica, seal: &impl Seal) -> Short {
    Short::from(replica.roster_hash(seal))
}

/// What is held of the logs that both see.
pub(super) fn items(replica: &Replica, from: Option<Clock>) -> impl Iterator<Item = Item> {
    items_of(replica, replica.membership().logs.keys(), from)
}

/// The same of some logs.
fn items_of<'a>(
    replica: &'a Replica,
    joins: impl IntoIterator<Item = &'a JoinId>,
    from: Option<Clock>,
) -> impl Iterator<Item = Item> {
    let counts = |join: &&JoinId| replica.membership().logs.contains_key(*join);
    let shared = joins.into_iter().filter(counts);
    shared.filter_map(move |join| item(replica, join, from?))
}

fn item(replica: &Replica, join: &JoinId, from: Clock) -> Option<Item> {
    let end = replica.log(join)?.end().map(|end| Ending {
        position: end.position(),
        is_lowest: end.is_lowest(),
    });
    let Some(head) = replica.head(join, from) else {
        return end.map(|ending| Item {
            join: *join,
            lowest: ending.position,
            has_older: false,
            next: ending.position,
            newest: Short([0; 16]),
            clock: Clock::ZERO,
            end,
        });
    };
    Some(Item {
        join: *join,
        lowest: head.lowest,
        has_older: replica.head_below(join, head.lowest, from).is_some(),
        next: head.next,
        newest: head.id.into(),
        clock: head.clock,
        end,
    })
}

/// A hash of the heads that both see. Where the stretches below begin is not in it: newcomers and
/// those who keep less would never agree.
pub(super) fn digest(replica: &Replica, from: Option<Clock>, seal: &impl Seal) -> Short {
    let digest = match from {
        Some(from) => summary(replica, from, seal).digest,
        None => seal.digest(&[]),
    };
    Short::from(digest)
}

fn summary(replica: &Replica, from: Clock, seal: &impl Seal) -> Summary {
    replica.summary(from, || {
        let mut bytes = Vec::new();
        for item in items(replica, Some(from)) {
            bytes.extend(item.join.0);
            bytes.extend(item.next.to_be_bytes());
            bytes.extend(item.newest.0);
            let end = item.end.map_or([u8::MAX; 9], |end| {
                let mut bytes = [0; 9];
                bytes[..8].copy_from_slice(&end.position.to_be_bytes());
                bytes[8] = u8::from(end.is_lowest);
                bytes
            });
            bytes.extend(end);
        }
        let mut logs = replica.membership().logs.keys();
        Summary {
            digest: seal.digest(&bytes),
            has_gap: logs.any(|join| has_gap(replica, join, from)),
        }
    })
}

fn has_gap(replica: &Replica, join: &JoinId, from: Clock) -> bool {
    let log = replica.log(join).zip(replica.head(join, from));
    log.is_some_and(|(log, head)| log.missing(0..head.next).is_some())
}

/// Whether the items of a person are of use though their digest agrees: there may be gaps below the
/// heads, or own entries that they are not known to hold.
fn wants_items(replica: &Replica, person: &PersonKey, seal: &impl Seal) -> bool {
    let Some(from) = shared(replica, person) else {
        return false;
    };
    let logs = replica.membership().logs.iter();
    let mut own = logs.filter(|(_, of)| of.person == replica.person() && of.person != *person);
    let lacks = |join: &JoinId| {
        let head = replica.head(join, from);
        head.is_some_and(|head| !replica.has_got(person, join, head.next - 1))
    };
    summary(replica, from, seal).has_gap || own.any(|(join, _)| lacks(join))
}

/// Sends roster entries, in this order, in pieces.
pub(super) fn send_roster(
    id: SessionId,
    replica: &Replica,
    ids: &[EntryId],
    effects: &mut Vec<Effect>,
) {
    let mut piece = Vec::new();
    let mut size = 0;
    for sealed in replica.sealed(ids) {
        if size + sealed.bytes.len() > MAX_PIECE {
            let full = std::mem::take(&mut piece);
            send(id, replica.id(), What::Roster(full), effects);
            size = 0;
        }
        size += sealed.bytes.len();
        piece.push(sealed);
    }
    if !piece.is_empty() {
        send(id, replica.id(), What::Roster(piece), effects);
    }
}

/// Whether an act ends someone's membership.
pub(super) fn is_ending(act: &Act) -> bool {
    matches!(act, Act::Remove { .. } | Act::Leave { .. })
}
