//! What the user has left or blocked a moment ago, set aside until it is too late to take it
//! back.
//!
//! Version 1 has no packet for leaving: the members learn of it when a text of theirs is refused,
//! and then they have lost us. So what they send meanwhile is kept with its connection open, and
//! handled when it is decided: after an undo it is shown, otherwise refused. A text is kept no
//! longer than its sender waits for it, who would take it for sent: then it is refused, its
//! sender has lost us, and an undo brings back the others.

use std::collections::BTreeMap;
use std::time::Duration;

use p2pchat_model::{ConversationId, Event, JoinedBy, LeaveReason, PeerAddr, Undo, Undoable};
use p2pchat_protocol::Contact;

use super::super::context::Context;
use super::super::io::{Input, SendId, Usage};
use super::super::people::People;
use super::Group;
use super::member::{Member, Presence};

/// How long a text is kept. Its sender may wait no longer than 5 s for the confirmation, if it is
/// the first text.
const KEEP: Duration = Duration::from_secs(3);

/// How many packets are kept. Further ones are handled as those of strangers.
const MAX_KEPT: usize = 256;

/// What can be taken back.
#[derive(Debug)]
pub(crate) struct Aside {
    what: Undoable,
    until: Duration,
    /// The members that went with it, as they were.
    members: BTreeMap<PeerAddr, Member>,
    /// The receiver of each packet in flight to them.
    in_flight: BTreeMap<SendId, PeerAddr>,
    /// The texts and notifies that they sent since, oldest first.
    kept: Vec<Kept>,
}

/// A packet that is kept.
#[derive(Debug)]
struct Kept {
    from: PeerAddr,
    /// Until when: texts are not kept for as long as notifies.
    until: Duration,
    input: Input,
}

impl Aside {
    pub(super) fn new(what: Undoable, now: Duration) -> Self {
        Self {
            what,
            until: now + Undo::LIMIT,
            members: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            kept: Vec::new(),
        }
    }

    pub(crate) fn what(&self) -> Undoable {
        self.what
    }

    pub(super) fn is_of_block(&self) -> bool {
        matches!(self.what, Undoable::Blocked(_))
    }

    /// Sets a member aside, with what is in flight to it.
    pub(super) fn add(&mut self, address: PeerAddr, member: Member) {
        let in_flight = member.send_ids();
        self.in_flight.extend(in_flight.map(|id| (id, address)));
        self.members.insert(address, member);
    }

    /// When something has to be done by itself.
    fn deadline(&self) -> Duration {
        let kept = self.kept.iter().map(|kept| kept.until);
        kept.fold(self.until, Duration::min)
    }

    /// Lets go of members whose text is kept no longer; returns what was kept of them.
    fn release(&mut self, now: Duration) -> Vec<Input> {
        let due = self.kept.iter().filter(|kept| kept.until <= now);
        for from in due.map(|kept| kept.from).collect::<Vec<_>>() {
            self.members.remove(&from);
        }
        let members = &self.members;
        let released = self
            .kept
            .extract_if(.., |kept| !members.contains_key(&kept.from));
        released.map(|kept| kept.input).collect()
    }

    /// Notes the result of a packet that was in flight. Whether it arrived makes no difference.
    pub(super) fn arrived(&mut self, id: SendId) {
        let to = self.in_flight.remove(&id);
        if let Some(member) = to.and_then(|to| self.members.get_mut(&to)) {
            member.outbox.arrived(id);
            member.introductions.arrived(id);
        }
    }
}

impl Group {
    pub(super) fn aside_deadline(&self) -> Option<Duration> {
        self.aside.as_ref().map(Aside::deadline)
    }

    pub(super) fn aside_usage(&self) -> Usage {
        let kept = self.aside.as_ref().map_or(0, |aside| aside.kept.len());
        Usage::new("packets of those who were left or blocked", kept, MAX_KEPT)
    }

    /// Notes that the user has blocked a user: members that are removed for it are set aside.
    /// Returns what was kept for an earlier undo, to be handled.
    pub(crate) fn blocked(&mut self, now: Duration, what: Undoable) -> Vec<Input> {
        let late = self.end_aside();
        self.aside = Some(Aside::new(what, now));
        late
    }

    /// Keeps a packet of a peer that is set aside; returns any other.
    pub(crate) fn keep_aside(&mut self, now: Duration, input: Input) -> Option<Input> {
        let (from, keep) = match &input {
            Input::Text { from, .. } => (*from, KEEP),
            Input::Contact {
                from,
                contact: Contact::Notify { .. },
                ..
            } => (*from, Undo::LIMIT),
            _ => return Some(input),
        };
        match &mut self.aside {
            Some(Aside {
                until,
                members,
                kept,
                ..
            }) if now < *until && members.contains_key(&from) && kept.len() < MAX_KEPT => {
                kept.push(Kept {
                    from,
                    until: now + keep,
                    input,
                });
                None
            }
            _ => Some(input),
        }
    }

    /// What is kept no longer, to be handled: all of it if it is too late for an undo, because the
    /// time is over, or another chat has begun after a leave.
    pub(crate) fn release_kept(&mut self, now: Duration) -> Vec<Input> {
        let is_late = |aside: &Aside| {
            aside.until <= now || matches!(aside.what, Undoable::Left(_)) && !self.roster.is_empty()
        };
        match &mut self.aside {
            Some(aside) if !is_late(aside) => aside.release(now),
            Some(_) => self.end_aside(),
            None => Vec::new(),
        }
    }

    /// The same, whether or not it is too late.
    pub(crate) fn end_aside(&mut self) -> Vec<Input> {
        let kept = self.aside.take().map(|aside| aside.kept);
        let kept = kept.into_iter().flatten();
        kept.map(|kept| kept.input).collect()
    }

    /// What can be taken back now.
    pub(crate) fn undoable(&self, now: Duration) -> Option<Undoable> {
        let aside = self.aside.as_ref().filter(|aside| now < aside.until)?;
        Some(aside.what)
    }

    /// Takes out what can be taken back.
    pub(crate) fn take_aside(&mut self, now: Duration) -> Option<Aside> {
        self.undoable(now)?;
        self.aside.take()
    }

    /// Makes members again of those that are still admitted. Returns whether there are any, and
    /// what they sent meanwhile, to be handled.
    pub(crate) fn take_back(
        &mut self,
        cx: &mut Context,
        people: People<'_>,
        aside: Aside,
    ) -> (bool, Vec<Input>) {
        self.in_flight.extend(aside.in_flight);
        let mut is_any_back = false;
        for (address, mut member) in aside.members {
            if people.is_blocked(address) || self.roster.get(address).is_some() {
                continue;
            }
            let (at, person) = (cx.now.wall, people.person(address));
            match (member.presence, aside.what) {
                (Presence::Present, Undoable::Left(_)) => {
                    self.roster.insert(address, member);
                    cx.emit(Event::MemberJoined {
                        conversation: ConversationId::OPEN,
                        at,
                        member: person,
                        by: JoinedBy::Back,
                    });
                }
                // The others may have met someone new in the meantime.
                (Presence::Present, Undoable::Blocked(_)) => {
                    member.lose(cx.now.elapsed, LeaveReason::Blocked);
                    self.roster.insert(address, member);
                    self.rejoin(cx, people, address);
                    if !self.is_present(address) {
                        self.forget(address);
                        continue;
                    }
                }
                (Presence::Lost { reason, .. }, _) => {
                    self.roster.insert(address, member);
                    if reason != LeaveReason::Unreachable {
                        continue;
                    }
                    cx.emit(Event::MemberLeft {
                        conversation: ConversationId::OPEN,
                        at,
                        member: person,
                        reason,
                    });
                }
            }
            is_any_back = true;
        }
        let kept = aside.kept.into_iter().map(|kept| kept.input);
        (is_any_back, kept.collect())
    }
}
