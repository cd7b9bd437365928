//! Notifies: what members tell of others and how much of it is believed, and introductions
//! to members, one at a time to each.

use std::collections::BTreeSet;
use std::time::Duration;

use p2pchat_model::{DropKind, DropReason, JoinedBy, LeaveReason, PeerAddr};
use p2pchat_protocol::{ChatList, Contact};

use super::super::context::Context;
use super::super::io::{Acknowledgement, Output, SendId};
use super::super::people::People;
use super::member::{Member, Presence};
use super::strangers::{Content, StrangerPacket};
use super::{Group, Notify};

/// How many unverified members there may be by the word of one member alone: nothing was
/// received from them and they have taken nothing yet. Each text is tried on each of them,
/// for ten minutes, so made-up ones are traffic at another's expense. The first text
/// verifies those who are real.
const MAX_UNVERIFIED_OF_ONE: usize = 64;
/// The same by the word of all members together: half of what is sent at once.
const MAX_UNVERIFIED: usize = 256;

impl Group {
    /// Takes a notify. One of a stranger is returned, to be held.
    pub(crate) fn notify_received(
        &mut self,
        cx: &mut Context,
        people: People<'_>,
        from: PeerAddr,
        notify: Notify,
    ) -> Option<StrangerPacket> {
        if people.is_blocked(from) {
            let name = people.person(from).name;
            cx.count_drop(from, name, DropKind::Notify, DropReason::Blocked);
            return None;
        }
        match self.presence(from) {
            Some(Presence::Present) => {}
            Some(Presence::Lost { .. }) => self.rejoin(cx, people, from),
            None => {
                let content = Content::Notify(notify);
                let packet = StrangerPacket { from, content };
                if people.is_logged_in() {
                    return Some(packet);
                }
                packet.count_drop(cx, people);
                return None;
            }
        }
        self.verify(from);
        self.apply_notify(cx, people, from, &notify);
        None
    }

    /// Takes the chat_list of a member that asked for a chat: its program may have been started
    /// again, or not know that it is in the chat.
    pub(crate) fn member_asked(
        &mut self,
        cx: &mut Context,
        people: People<'_>,
        from: PeerAddr,
        members: ChatList,
    ) {
        self.verify(from);
        let theirs: BTreeSet<PeerAddr> = members.iter().chain([from]).collect();
        let unknown_to_them = self.roster.present() - &theirs;
        let member = self.roster.get(from);
        let sends_lists = member.is_some_and(|member| member.introductions.sends_lists);
        let newcomer = from;
        self.apply_notify(cx, people, from, &Notify { newcomer, members });
        // Legacy clients send a list with a request too, and read none.
        if let Some(member) = self.roster.get_mut(from) {
            member.introductions.sends_lists = sends_lists;
        }
        self.introduce(from, &unknown_to_them);
    }

    /// Applies a member's notify: the newcomer, and all that the member has.
    pub(super) fn apply_notify(
        &mut self,
        cx: &mut Context,
        people: People<'_>,
        from: PeerAddr,
        notify: &Notify,
    ) {
        let Notify { newcomer, members } = notify;
        let ours = self.roster.present().clone();
        let mut theirs: BTreeSet<PeerAddr> = members
            .iter()
            .filter(|address| people.is_admissible(cx, from, *address))
            .collect();
        if members.is_empty() && *newcomer != from {
            // A legacy client sends no list. It tells its members all the same.
            theirs.extend(&ours);
        }
        theirs.insert(from);
        if *newcomer != from && people.is_admissible(cx, from, *newcomer) {
            theirs.insert(*newcomer);
        }
        let candidates = self.candidates(&ours, &theirs, *newcomer);
        let joined = self.admit_candidates(cx, people, from, candidates, *newcomer);
        for member in &ours {
            if theirs.contains(member) && self.believes(*member, from) {
                self.introduced(*member, &theirs);
            } else {
                self.introduce(*member, &joined);
            }
        }
        let unknown_to_them = &ours - &theirs;
        for address in &joined {
            self.introduce(*address, &unknown_to_them);
        }
        // A notify with just a list is an answer already, and is not answered; one with an
        // empty list asks. (That of a legacy client is empty, but has a newcomer.)
        let asks = (*newcomer == from) == members.is_empty();
        if let Some(sender) = self.roster.get_mut(from) {
            let introductions = &mut sender.introductions;
            introductions.sends_lists |= !members.is_empty() || *newcomer == from;
            introductions.wants_list |= asks && !unknown_to_them.is_empty();
        }
    }

    /// The addresses of a member's list that are not yet in the group.
    fn candidates(
        &self,
        ours: &BTreeSet<PeerAddr>,
        theirs: &BTreeSet<PeerAddr>,
        newcomer: PeerAddr,
    ) -> BTreeSet<PeerAddr> {
        let is_unknown = |address: &PeerAddr| {
            self.presence(*address).is_none() && !self.roster.has_left(*address)
        };
        theirs
            .iter()
            // A lost member comes back by its own doing, or as the newcomer: that another
            // one still lists it proves nothing.
            .filter(|address| is_unknown(address) || **address == newcomer)
            .filter(|address| !ours.contains(address))
            .copied()
            .collect()
    }

    /// Makes members of as many as there is room for, the newcomer first.
    fn admit_candidates(
        &mut self,
        cx: &mut Context,
        people: People<'_>,
        from: PeerAddr,
        mut candidates: BTreeSet<PeerAddr>,
        newcomer: PeerAddr,
    ) -> BTreeSet<PeerAddr> {
        let by = JoinedBy::Member(people.person(from));
        let room = self.room_for_unverified(from);
        let too_many = candidates.len().saturating_sub(room);
        let first = candidates.take(&newcomer);
        let admitted: Vec<_> = first.into_iter().chain(candidates).take(room).collect();
        if too_many > 0 {
            let too_many = u64::try_from(too_many).unwrap_or(u64::MAX);
            let (kind, reason) = (DropKind::Newcomer, DropReason::TooMuch);
            let name = people.person(from).name;
            cx.count_drops(Some(from), name, kind, reason, too_many);
        }
        let mut joined = BTreeSet::new();
        for address in admitted {
            self.join(cx, people, address, by);
            if self.is_present(address) {
                joined.insert(address);
            }
        }
        joined
    }

    /// How many more unverified members a member may bring.
    fn room_for_unverified(&self, from: PeerAddr) -> usize {
        let (mut all, mut theirs) = (0, 0);
        for (_, member) in self.roster.iter() {
            all += usize::from(member.unverified_from.is_some());
            theirs += usize::from(member.unverified_from == Some(from));
        }
        let room = MAX_UNVERIFIED_OF_ONE.saturating_sub(theirs);
        room.min(MAX_UNVERIFIED.saturating_sub(all))
    }

    /// Notes that a member is not believed to know these, and is to be told of them.
    pub(super) fn introduce(&mut self, member: PeerAddr, others: &BTreeSet<PeerAddr>) {
        if others.is_empty() {
            return;
        }
        if let Some(entry) = self.roster.get_mut(member) {
            let others = others.iter().copied().filter(|address| *address != member);
            entry.introductions.add(others);
        }
    }

    /// Notes that a member has been told of these by another.
    fn introduced(&mut self, member: PeerAddr, others: &BTreeSet<PeerAddr>) {
        if let Some(entry) = self.roster.get_mut(member) {
            let introductions = &mut entry.introductions;
            introductions.retain(|address| !others.contains(address));
        }
    }

    /// Whether a member believes another's notify: if it is not believed to know the
    /// sender, it takes it for a stranger.
    fn believes(&self, member: PeerAddr, sender: PeerAddr) -> bool {
        let entry = self.roster.get(member);
        entry.is_some_and(|entry| !entry.introductions.contains(sender))
    }

    /// A present member that another is not believed to know.
    fn next_introduction(&self, member: &Member) -> Option<PeerAddr> {
        let mut unknown = member.introductions.iter();
        unknown.find(|newcomer| self.is_present(*newcomer))
    }

    /// Whether there is anything to tell a member.
    pub(super) fn has_introduction(&self, member: &Member) -> bool {
        let wants_list = member.introductions.wants_list && member.reads_lists();
        wants_list || self.next_introduction(member).is_some()
    }

    /// The newcomer of the notify that is due to a member, if one is; `own` where the list
    /// is all that there is to tell.
    fn due_notify(&self, to: PeerAddr, now: Duration, own: PeerAddr) -> Option<PeerAddr> {
        let member = self.roster.get(to)?;
        let may_send = member.is_present() && member.introductions.may_send(now);
        let is_due = may_send && self.has_introduction(member);
        is_due.then(|| self.next_introduction(member).unwrap_or(own))
    }

    /// Sends a member the next notify, if one is due. `all` is made once, for all members
    /// that are to be told.
    pub(super) fn send_notify(
        &mut self,
        cx: &mut Context,
        to: PeerAddr,
        all: &mut Option<ChatList>,
    ) {
        let own = cx.config.address;
        let Some(newcomer) = self.due_notify(to, cx.now.elapsed, own) else {
            return;
        };
        let all = all.get_or_insert_with(|| self.roster.present().iter().copied().collect());
        let members = all.without(to);
        let Some(member) = self.roster.get_mut(to) else {
            return;
        };
        let id = cx.next_send();
        member.introductions.sent(id, newcomer);
        let patience = member.patience();
        self.in_flight.insert(id, to);
        cx.push(Output::Notify {
            id,
            to,
            contact: Contact::Notify { newcomer, members },
            patience,
        });
    }

    /// Takes the result of a notify.
    pub(crate) fn notify_done(
        &mut self,
        cx: &mut Context,
        people: People<'_>,
        id: SendId,
        result: Result<Acknowledgement, LeaveReason>,
    ) {
        let now = cx.now.elapsed;
        let Some((address, member)) = self.receiver(id) else {
            return;
        };
        let reads_lists = member.reads_lists();
        let Some(newcomer) = member.introductions.arrived(id) else {
            return;
        };
        match result {
            Ok(taken) => {
                member.unverified_from = None;
                let introductions = &mut member.introductions;
                introductions.succeeded(now, newcomer, taken, reads_lists);
            }
            Err(reason) => {
                if member.introductions.failed(now) && member.is_present() {
                    self.lose(cx, people, address, reason);
                }
            }
        }
    }
}
