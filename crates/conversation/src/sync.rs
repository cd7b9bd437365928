//! How members bring each other up to date: all conversations of a device, over all its sessions.
//!
//! Two that meet tell what they hold, as a digest first; where these differ, item by item. What
//! one lacks one asks for, and is sent: by anybody who holds it, no matter who wrote it. What is
//! said are the frames of [`p2pchat_protocol::v2::peer`].
//!
//! | module | what it has |
//! |---|---|
//! | `candidate` | what someone names and is not known here |
//! | `link` | what one session has to say and to ask about one conversation |
//! | `receive` | what comes in |
//! | `tell` | what others are told |
//! | `serve` | what is asked for, and what is given |

mod candidate;
mod link;
mod receive;
mod serve;
mod tell;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use p2pchat_protocol::v2::conversation::roster::Act;
use p2pchat_protocol::v2::conversation::talk::Talk;
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, EntryId, JoinId};
pub use p2pchat_protocol::v2::peer::{
    Ending, Frame, Have, Heads, Item, MAX_PIECE, Short, Want, What,
};
use p2pchat_protocol::v2::{DisplayName, PersonKey, peer as frame};

use crate::replica::{Deed, Fact, Kind, Replica, Role, Unable};
use crate::seal::Seal;
use candidate::Candidates;
use link::{Asked, Link};

/// Members are told what changed at most this often, in milliseconds: four times a second. What they
/// are told on meeting, or as one of the two comes to be in, does not wait for that.
pub const TELL_EVERY: u64 = 250;
/// After so many milliseconds one member is told the digests again, in turns.
pub const ROUND: u64 = 30_000;
/// A want that is unanswered for so many milliseconds goes to another member.
pub const PATIENCE: u64 = 5_000;
/// The most wants that are open in one session, each about another conversation.
pub const MAX_OPEN: usize = 64;
/// The most conversations of a profile.
pub const MAX_CONVERSATIONS: usize = 1_000;
/// The most conversations that this person was asked to be in and has not joined, those included
/// that they have declined. So strangers do not take the room of all others.
pub const MAX_ASKED: usize = 256;
/// The most of them by one person.
pub const MAX_REQUESTS: usize = 16;
/// Entries of one author, or roster entries from one person, that are taken without having been
/// asked for: so many a second.
pub const PUSHES: u64 = 20;
/// And so many at once.
pub const MAX_PUSHES: u64 = 200;

/// A connection to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// The time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// What entries are dated with.
    pub clock: Clock,
    /// Milliseconds since some moment, which only grow.
    pub millis: u64,
}

/// What is to be done, in this order. Facts are committed before anything behind them is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// There is one conversation more.
    Open(ConversationId, Kind),
    /// Store these, in one transaction.
    Store(ConversationId, Vec<Fact>),
    /// Send this.
    Send(SessionId, Frame),
    /// Read these entries of a log from the store and send them. Those whose bodies are missing
    /// there go without them. If none is there, as others were stored since, nothing is sent.
    SendTalk {
        /// The receiver.
        session: SessionId,
        /// Of which conversation.
        conversation: ConversationId,
        /// Of which log.
        join: JoinId,
        /// Which.
        range: Range<u64>,
    },
    /// End the session: the other side sent what its program cannot have checked.
    Close(SessionId),
}

/// A connection, and what is said over it.
#[derive(Debug, Clone)]
struct Session {
    person: PersonKey,
    links: BTreeMap<ConversationId, Link>,
    candidates: Candidates,
    /// Endings that they were told in this session.
    told: BTreeSet<EntryId>,
}

/// How many entries of an author may still come without having been asked for.
#[derive(Debug, Clone, Copy)]
struct Allowance {
    entries: u64,
    since: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Sync<S> {
    seal: S,
    conversations: BTreeMap<ConversationId, Replica>,
    sessions: BTreeMap<SessionId, Session>,
    allowances: BTreeMap<PersonKey, Allowance>,
    round: Option<(u64, SessionId)>,
    /// How many entries and frames were dropped because they were not what they should be.
    pub dropped: usize,
}

impl<S: Seal> Sync<S> {
    /// A device without conversations.
    pub fn new(seal: S) -> Self {
        Self {
            seal,
            conversations: BTreeMap::new(),
            sessions: BTreeMap::new(),
            allowances: BTreeMap::new(),
            round: None,
            dropped: 0,
        }
    }

    /// A conversation as it was stored.
    pub fn restore(
        &mut self,
        id: ConversationId,
        kind: Kind,
        facts: impl IntoIterator<Item = Fact>,
    ) {
        let mut replica = Replica::new(id, kind, &self.seal);
        replica.restore(facts);
        self.conversations.insert(id, replica);
    }

    /// The conversations.
    pub fn conversations(&self) -> impl Iterator<Item = &Replica> {
        self.conversations.values()
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, id: &ConversationId) -> Option<&Replica> {
        self.conversations.get(id)
    }

    /// A session, and a conversation that it is about.
    fn at(
        &mut self,
        id: SessionId,
        conversation: ConversationId,
    ) -> Option<(&mut Session, &Replica)> {
        let replica = self.conversations.get(&conversation)?;
        Some((self.sessions.get_mut(&id)?, replica))
    }

    fn me(&self) -> PersonKey {
        self.seal.certificate().person
    }

    /// There is a session with a device of a person, whose certificate was verified.
    pub fn connected(&mut self, id: SessionId, person: PersonKey, now: Now) -> Vec<Effect> {
        let session = Session {
            person,
            links: BTreeMap::new(),
            candidates: Candidates::default(),
            told: BTreeSet::new(),
        };
        self.sessions.insert(id, session);
        let mut effects = Vec::new();
        let conversations: Vec<_> = self.conversations.keys().copied().collect();
        for conversation in conversations {
            self.meet(id, conversation, &mut effects);
        }
        self.tell(id, now, &mut effects);
        effects
    }

    /// A session has ended.
    pub fn disconnected(&mut self, id: SessionId, now: Now) -> Vec<Effect> {
        self.sessions.remove(&id);
        let mut effects = Vec::new();
        self.ask_all(now, &mut effects);
        effects
    }

    /// Time has passed: to be called at least as often as members are told.
    pub fn tick(&mut self, now: Now) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut is_late = false;
        for session in self.sessions.values_mut() {
            for link in session.links.values_mut() {
                let too_late = |asked: &Asked| now.millis >= asked.since + PATIENCE;
                if link.asked.as_ref().is_some_and(too_late) {
                    link.asked = None;
                    link.is_silent = true;
                    is_late = true;
                }
            }
        }
        for session in self.sessions.keys().copied().collect::<Vec<_>>() {
            self.next_candidate(session, now, &mut effects);
        }
        self.next_round(now);
        if is_late {
            self.ask_all(now, &mut effects);
        }
        self.tell_all(now, &mut effects);
        effects
    }

    /// Tells one member the digests again, each in turn.
    fn next_round(&mut self, now: Now) {
        let (since, last) = *self.round.get_or_insert((now.millis, SessionId(0)));
        if now.millis < since + ROUND {
            return;
        }
        let behind = self.sessions.range(SessionId(last.0 + 1)..).next();
        let next = behind.or(self.sessions.first_key_value());
        let next = next.map_or(SessionId(0), |(id, _)| *id);
        if let Some(session) = self.sessions.get_mut(&next) {
            let links = session.links.values_mut();
            links.for_each(|link| link.owes.digest = true);
        }
        self.round = Some((now.millis, next));
    }

    /// Makes a group.
    ///
    /// # Errors
    /// [`Unable::NoLaterTime`]
    pub fn create(
        &mut self,
        salt: [u8; 16],
        name: DisplayName,
        now: Now,
    ) -> Result<(ConversationId, Vec<Effect>), Unable> {
        let certificate = self.seal.certificate();
        let act = Act::Create {
            certificate,
            salt,
            name,
        };
        let create = self.seal.seal(None, None, now.clock, act);
        let id = create.entry.conversation;
        let mut replica = Replica::new(id, Kind::Group, &self.seal);
        let facts = replica.create(create, &self.seal)?;
        self.conversations.insert(id, replica);
        let mut effects = vec![Effect::Open(id, Kind::Group)];
        effects.extend(stored(id, facts));
        Ok((id, effects))
    }

    /// The direct conversation with a person, which begins with one's own join.
    ///
    /// # Errors
    /// [`Unable::NoLaterTime`]
    pub fn direct(
        &mut self,
        person: PersonKey,
        now: Now,
    ) -> Result<(ConversationId, Vec<Effect>), Unable> {
        let (id, kind) = self.direct_with(person);
        let mut effects = Vec::new();
        if !self.conversations.contains_key(&id) {
            let replica = Replica::new(id, kind, &self.seal);
            self.conversations.insert(id, replica);
            effects.push(Effect::Open(id, kind));
        }
        let is_in = |replica: &Replica| matches!(replica.own_role(), Role::Member(_));
        if !self.conversations.get(&id).is_some_and(is_in) {
            effects.extend(self.accept(id, now)?);
        }
        Ok((id, effects))
    }

    fn direct_with(&self, person: PersonKey) -> (ConversationId, Kind) {
        let people = [self.me(), person];
        let id = ConversationId::direct(people, |bytes| self.seal.digest(bytes));
        (id, Kind::Direct(people))
    }

    /// Accepts a request to be in a conversation.
    ///
    /// # Errors
    /// If there is none.
    pub fn accept(&mut self, id: ConversationId, now: Now) -> Result<Vec<Effect>, Unable> {
        let replica = self.conversations.get_mut(&id).ok_or(Unable::NotIn)?;
        let facts = replica.join(now.clock, &self.seal)?;
        Ok(self.wrote(id, facts, now))
    }

    /// Declines a request to be in a conversation. All who ask by that add are answered by it.
    pub fn decline(&mut self, id: ConversationId, now: Now) -> Vec<Effect> {
        let me = self.me();
        let Some(replica) = self.conversations.get_mut(&id) else {
            return Vec::new();
        };
        let Role::Invited(add) = replica.own_role() else {
            return Vec::new();
        };
        let facts = replica.note_answer(me, add);
        let mut effects: Vec<_> = stored(id, facts).into_iter().collect();
        for session in self.sessions.keys().copied().collect::<Vec<_>>() {
            self.answer(session, id, &mut effects);
        }
        self.tell_all(now, &mut effects);
        effects
    }

    /// Writes a roster entry.
    ///
    /// # Errors
    /// If this person may not.
    pub fn act(
        &mut self,
        id: ConversationId,
        deed: &Deed,
        now: Now,
    ) -> Result<Vec<Effect>, Unable> {
        let replica = self.conversations.get_mut(&id).ok_or(Unable::NotIn)?;
        let facts = replica.act(deed, now.clock, &self.seal)?;
        Ok(self.wrote(id, facts, now))
    }

    /// Writes a talk entry. `instead_of` names one of [`Replica::again`].
    ///
    /// # Errors
    /// If this person is not in.
    pub fn say(
        &mut self,
        id: ConversationId,
        talk: &Talk,
        instead_of: Option<EntryId>,
        now: Now,
    ) -> Result<(EntryId, Vec<Effect>), Unable> {
        let replica = self.conversations.get_mut(&id).ok_or(Unable::NotIn)?;
        let (entry, facts) = replica.say(talk, instead_of, now.clock, &self.seal)?;
        Ok((entry, self.wrote(id, facts, now)))
    }

    /// Whether all who are connected have told what they hold of a conversation, and of this
    /// device's own logs nothing is missing. Before that a device that was started again may use a
    /// position twice, as what it stored may be older than what it sent.
    #[must_use]
    pub fn is_settled(&self, id: &ConversationId) -> bool {
        let Some(replica) = self.conversations.get(id) else {
            return true;
        };
        let mut links = self.sessions.values().filter_map(|session| {
            let is_member = matches!(replica.role(&session.person), Role::Member(_));
            session
                .links
                .get(id)
                .filter(|link| is_member && !link.is_silent)
        });
        let own = self.seal.certificate().device;
        links.all(|link| {
            let offers_own = link.items.keys().any(|join| {
                let log = replica.membership().logs.get(join);
                log.is_some_and(|log| log.device == own)
                    && link.items.get(join).is_some_and(|item| {
                        let held = replica.log(join).and_then(|log| log.head(u64::MAX));
                        item.next > held.map_or(0, |held| held.next)
                    })
            });
            link.heard && !offers_own
        })
    }

    /// Does not keep what is below a position of a log any more.
    pub fn forget_below(&mut self, id: ConversationId, join: JoinId, position: u64) -> Vec<Effect> {
        let replica = self.conversations.get_mut(&id);
        let facts = replica.map(|replica| replica.forget_below(join, position));
        stored(id, facts.unwrap_or_default()).into_iter().collect()
    }

    /// Ends writing to the logs that there are, in all conversations: the data folder may be a
    /// copy.
    pub fn retire(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        for (id, replica) in &mut self.conversations {
            effects.extend(stored(*id, replica.retire()));
        }
        effects
    }
}

fn stored(id: ConversationId, facts: Vec<Fact>) -> Option<Effect> {
    (!facts.is_empty()).then_some(Effect::Store(id, facts))
}
