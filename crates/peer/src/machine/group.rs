//! The chat: its members, the introductions between them, and the texts.
//!
//! The peer that brings people together tells everyone: the requester its own members, the
//! one that accepts its earlier ones, and each the other side. A notify carries the
//! sender's whole list, so a receiver learns everything from the first one; and because
//! the sender itself tells everyone on that list, the receiver passes newcomers on only to
//! members that the sender does not have. In the ordinary case there are none: one newcomer
//! costs one notify per member.
//!
//! A member whose list lacks someone is answered with a list: a notify whose newcomer is
//! its sender. It brings in those that the member never knew, and none that it lost. Legacy
//! clients would not understand it and get none.
//!
//! The introductions of a member hold the addresses that it is not believed to know. They
//! are drained by notifies, one newcomer each, since legacy clients read no list.

mod aside;
mod introductions;
mod member;
mod notifies;
mod outbox;
mod roster;
mod strangers;
mod texts;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use p2pchat_model::{
    Conversation, ConversationId, Event, JoinedBy, LeaveReason, Notice, PeerAddr, Problem, Undoable,
};
use p2pchat_protocol::ChatList;

use super::context::{Context, Refusal};
use super::io::{Input, SendId, Usage};
use super::people::People;
use aside::Aside;
use member::{Member, Presence};
use outbox::MAX_OUTBOX;
use roster::Roster;
use strangers::HeldPackets;
pub(super) use strangers::StrangerPacket;

/// How many members there may be: what one chat_list can hold.
const MAX_MEMBERS: usize = ChatList::MAX;
/// How many lost members are remembered: as many again.
const MAX_LOST: usize = MAX_MEMBERS;
/// How long an unreachable member is remembered and tried: long enough for a cable, a lift
/// or a restart, too short for its address to be reassigned to another host.
const REMEMBER: Duration = Duration::from_secs(600);

/// The members, present and lost, with all that is to be sent to them.
#[derive(Debug, Default)]
pub(super) struct Group {
    roster: Roster,
    /// The receiver of each text and notify in flight.
    in_flight: BTreeMap<SendId, PeerAddr>,
    held: HeldPackets,
    /// What the user can take back.
    aside: Option<Aside>,
    /// Whether the user was told that there is no more room: they are told once.
    full_announced: bool,
}

/// A notify: "this newcomer joined us, and these are all of us".
#[derive(Debug)]
pub(super) struct Notify {
    /// The newcomer.
    pub(super) newcomer: PeerAddr,
    /// All members that the sender has.
    pub(super) members: ChatList,
}

impl Group {
    pub(super) fn is_present(&self, address: PeerAddr) -> bool {
        self.roster.present().contains(&address)
    }

    pub(super) fn is_full(&self) -> bool {
        self.roster.present().len() >= MAX_MEMBERS
    }

    pub(super) fn has_room_for(&self, one: PeerAddr, more: &ChatList) -> bool {
        let newcomers: BTreeSet<_> = more.iter().chain([one]).collect();
        let present = self.roster.present();
        present.len() + newcomers.difference(present).count() <= MAX_MEMBERS
    }

    /// The chat_list as it is sent to a receiver.
    pub(super) fn list_without(&self, receiver: PeerAddr) -> ChatList {
        let present = self.roster.present().iter().copied();
        present.filter(|address| *address != receiver).collect()
    }

    pub(super) fn usage(&self) -> [Usage; 7] {
        let of_each = |count: fn(&Member) -> usize| {
            let counts = self.roster.iter().map(|(_, member)| count(member));
            counts.max().unwrap_or(0)
        };
        [
            Usage::new("members", self.roster.present().len(), MAX_MEMBERS),
            Usage::new("lost members", self.roster.lost_count(), MAX_LOST),
            Usage::new("members who left", self.roster.left_count(), MAX_LOST),
            Usage::new(
                "addresses that a member is to be told of",
                of_each(|member| member.introductions.len()),
                MAX_MEMBERS + MAX_LOST,
            ),
            Usage::new(
                "packets for a member",
                of_each(|member| member.outbox.len()),
                MAX_OUTBOX,
            ),
            self.held.usage(),
            self.aside_usage(),
        ]
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        let lost = self.roster.longest_lost();
        let forget = lost.map(|(since, _)| since + REMEMBER);
        [
            forget,
            self.roster.next_due(),
            self.held.deadline(),
            self.aside_deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Takes over the members that another process of the user has left, without telling the
    /// user.
    pub(super) fn resume(&mut self, cx: &Context, chat: &Conversation) {
        let now = cx.now.elapsed;
        for member in &chat.members {
            self.roster.admit(member.address, now);
        }
        for member in &chat.out_of_reach {
            self.roster.admit(member.address, now);
            let unreachable = LeaveReason::Unreachable;
            self.roster.lose(member.address, now, unreachable);
        }
    }

    fn is_empty(&self) -> bool {
        self.roster.present().is_empty()
    }

    /// Whether a member is in the chat; `None` for an address that is not a member.
    fn presence(&self, address: PeerAddr) -> Option<Presence> {
        self.roster.get(address).map(|member| member.presence)
    }

    /// The members whose delivery status the user is shown for a text: the present ones, or
    /// if there are none, the unreachable ones, which may come back with it.
    fn recipients(&self) -> Vec<PeerAddr> {
        if self.is_empty() {
            let all = self.roster.iter();
            all.filter(|(_, member)| member.is_unreachable())
                .map(|(address, _)| address)
                .collect()
        } else {
            self.roster.present().iter().copied().collect()
        }
    }

    /// Notes that there is a peer at this address, and that it is in the chat.
    fn verify(&mut self, address: PeerAddr) {
        if let Some(member) = self.roster.get_mut(address) {
            member.unverified_from = None;
        }
    }

    /// The receiver of a text or notify with a result, which is no longer in flight.
    fn receiver(&mut self, id: SendId) -> Option<(PeerAddr, &mut Member)> {
        if let Some(aside) = &mut self.aside {
            aside.arrived(id);
        }
        let to = self.in_flight.remove(&id)?;
        Some((to, self.roster.get_mut(to)?))
    }

    /// A request was accepted: the requester and all of its members join.
    pub(super) fn accepted(
        &mut self,
        cx: &mut Context,
        people: People<'_>,
        requester: PeerAddr,
        members: &ChatList,
        by: JoinedBy,
    ) {
        let ours = self.roster.present().clone();
        let mut theirs: BTreeSet<PeerAddr> = members.iter().collect();
        theirs.insert(requester);
        self.join(cx, people, requester, by);
        for member in members.iter() {
            self.join(cx, people, member, JoinedBy::WithGroup);
        }
        let only_ours = &ours - &theirs;
        let only_theirs = &theirs - &ours;
        for member in &only_ours {
            self.introduce(*member, &only_theirs);
        }
        for member in &theirs {
            self.introduce(*member, &only_ours);
        }
    }

    /// A peer accepted our request, which carried the list `known`.
    pub(super) fn accepted_by(
        &mut self,
        cx: &mut Context,
        people: People<'_>,
        newcomer: PeerAddr,
        known: &ChatList,
    ) {
        let ours = self.roster.present().clone();
        self.join(cx, people, newcomer, JoinedBy::AcceptedUs);
        let joined = BTreeSet::from([newcomer]);
        for member in &ours {
            self.introduce(*member, &joined);
        }
        let known = known.iter().collect();
        self.introduce(newcomer, &(&ours - &known));
    }

    /// Makes an address a member, or a present one again.
    fn join(&mut self, cx: &mut Context, people: People<'_>, address: PeerAddr, by: JoinedBy) {
        if address == cx.config.address || self.is_present(address) {
            return;
        }
        if self.is_full() {
            if !std::mem::replace(&mut self.full_announced, true) {
                cx.notice(Notice::ChatFull);
            }
            return;
        }
        self.full_announced = false;
        self.roster.admit(address, cx.now.elapsed);
        let at = cx.now.wall;
        let member = people.person(address);
        if member.name.is_none() {
            cx.note_unconfirmed_name();
        }
        let conversation = ConversationId::OPEN;
        cx.emit(Event::MemberJoined {
            conversation,
            at,
            member,
            by,
        });
        if let (JoinedBy::Member(who), Some(entry)) = (by, self.roster.get_mut(address)) {
            entry.unverified_from = Some(who.address);
        }
        for notify in self.held.take_notifies(address) {
            self.apply_notify(cx, people, address, &notify);
        }
    }

    /// Takes an unreachable member back. The members may have met others in the meantime
    /// that it does not know, and so may it: it is told of all, and all of it, as if it had
    /// just been accepted.
    fn rejoin(&mut self, cx: &mut Context, people: People<'_>, address: PeerAddr) {
        let others = self.roster.present().clone();
        self.join(cx, people, address, JoinedBy::Back);
        if !self.is_present(address) {
            return;
        }
        let joined = BTreeSet::from([address]);
        for member in &others {
            self.introduce(*member, &joined);
        }
        self.introduce(address, &others);
        if let Some(member) = self.roster.get_mut(address)
            && others.is_empty()
        {
            // No one to tell of it, but it may have members to tell of.
            member.introductions.wants_list = true;
        }
    }

    /// Takes a member out of the chat. One that was unreachable before stays so, or is given
    /// up for this reason.
    fn lose(
        &mut self,
        cx: &mut Context,
        people: People<'_>,
        address: PeerAddr,
        reason: LeaveReason,
    ) {
        let Some(member) = self.roster.get(address) else {
            return;
        };
        let is_news = if member.is_unreachable() {
            reason != LeaveReason::Unreachable
        } else {
            member.is_present()
        };
        let unsent = self.roster.lose(address, cx.now.elapsed, reason);
        let member = people.person(address);
        if is_news {
            let at = cx.now.wall;
            let conversation = ConversationId::OPEN;
            cx.emit(Event::MemberLeft {
                conversation,
                at,
                member,
                reason,
            });
        }
        texts::fail_deliveries(cx, member, unsent, reason);
    }

    /// Forgets a member, and what is in flight to it.
    fn forget(&mut self, address: PeerAddr) -> Option<Member> {
        let member = self.roster.remove(address)?;
        for id in member.send_ids() {
            self.in_flight.remove(&id);
        }
        Some(member)
    }

    /// Removes the members that are blocked, for an undo if there is one.
    pub(super) fn remove_blocked(&mut self, cx: &mut Context, people: People<'_>) {
        let all = self.roster.iter().map(|(address, _)| address);
        let blocked: Vec<PeerAddr> = all.filter(|address| people.is_blocked(*address)).collect();
        for address in blocked {
            let presence = self.presence(address);
            self.lose(cx, people, address, LeaveReason::Blocked);
            let removed = self.forget(address).zip(presence);
            let aside = self.aside.as_mut().filter(|aside| aside.is_of_block());
            if let (Some((mut member, presence)), Some(aside)) = (removed, aside) {
                member.presence = presence;
                aside.add(address, member);
            }
        }
    }

    /// Leaves the chat by the user's wish, who may take it back. Returns what was kept for an
    /// earlier undo, to be handled.
    pub(super) fn leave(
        &mut self,
        cx: &mut Context,
        people: People<'_>,
    ) -> Result<Vec<Input>, Refusal> {
        if self.recipients().is_empty() {
            return Err(Problem::NobodyThere.into());
        }
        let late = self.end_aside();
        let mut aside = Aside::new(Undoable::Left(ConversationId::OPEN), cx.now.elapsed);
        for (address, member) in self.empty(cx, people) {
            aside.add(address, member);
        }
        self.aside = Some(aside);
        Ok(late)
    }

    /// Leaves the chat and forgets who was in it.
    pub(super) fn clear(&mut self, cx: &mut Context, people: People<'_>) {
        self.empty(cx, people);
    }

    /// Leaves the chat. Returns who was in it.
    fn empty(&mut self, cx: &mut Context, people: People<'_>) -> Roster {
        let was_chatting = !self.recipients().is_empty();
        self.in_flight.clear();
        let mut roster = std::mem::take(&mut self.roster);
        for (address, member) in roster.iter_mut() {
            let unsent = member.outbox.abort();
            let person = people.person(address);
            texts::fail_deliveries(cx, person, unsent, LeaveReason::WeLeft);
        }
        self.drop_held_packets(cx, people);
        if was_chatting {
            let at = cx.now.wall;
            let conversation = ConversationId::OPEN;
            cx.emit(Event::ChatLeft { conversation, at });
        }
        roster
    }

    /// Sends what is due, and drops and forgets what it is time for.
    pub(super) fn tick(&mut self, cx: &mut Context, people: People<'_>) {
        self.drop_due_packets(cx, people);
        self.forget_long_lost(cx, people);
        let due = self.roster.take_due(cx.now.elapsed);
        self.send_due(cx, due);
    }

    /// Sends what is due to these members, and notes when something is due to each again.
    fn send_due(&mut self, cx: &mut Context, due: BTreeSet<PeerAddr>) {
        let mut all = None;
        for to in &due {
            self.send_notify(cx, *to, &mut all);
        }
        for to in &due {
            self.send_text(cx, *to);
        }
        for address in due {
            let member = self.roster.get(address);
            let at = member.and_then(|member| member.deadline(|| self.has_introduction(member)));
            self.roster.schedule(address, at);
        }
    }

    fn forget_long_lost(&mut self, cx: &mut Context, people: People<'_>) {
        let before = self.roster.lost_count();
        while let Some(address) = self.long_lost(cx.now.elapsed) {
            let member = self.roster.get(address);
            let has_left = member.is_some_and(|member| !member.is_unreachable());
            self.lose(cx, people, address, LeaveReason::GivenUp);
            self.forget(address);
            if has_left && self.roster.left_count() < MAX_LOST {
                self.roster.note_left(address);
            }
        }
        if self.roster.lost_count() < before {
            let known: BTreeSet<PeerAddr> =
                self.roster.iter().map(|(address, _)| address).collect();
            for (_, member) in self.roster.iter_mut() {
                member
                    .introductions
                    .retain(|address| known.contains(address));
            }
        }
    }

    /// A member to forget: one that was lost long ago, or the longest lost where there are
    /// too many.
    fn long_lost(&self, now: Duration) -> Option<PeerAddr> {
        let (since, address) = self.roster.longest_lost()?;
        let is_due = since + REMEMBER <= now || self.roster.lost_count() > MAX_LOST;
        is_due.then_some(address)
    }
}

#[cfg(test)]
mod tests;
