//! Who is a member, and who has to be told of whom.
//!
//! Whoever brings people together tells everybody: the requester his own members, the
//! one who accepts his earlier ones, and each the other side. A notify carries the
//! sender's whole list, so a receiver learns everything from the first one; and because
//! its sender tells everybody on that list himself, the receiver passes news on only to
//! members whom the sender does not have. In the ordinary case that is nobody: one
//! newcomer costs one notify a member.
//!
//! Where a member's list lacks somebody, he is answered with a list: a notify whose
//! newcomer is its sender. It brings in those he never knew, and nobody whom he lost.
//! Clients of 2017 would not understand it and get none.
//!
//! `untold` of a member holds the addresses that he is not believed to know. It is
//! drained by notifies, one newcomer each, since clients of 2017 read no list.

mod introductions;
mod member;
mod memory;
mod notify;
mod roster;
pub(super) mod strangers;
pub(super) mod texts;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use p2pchat_model::{Event, JoinedBy, LeaveReason, Notice, PeerAddr, Problem};
use p2pchat_protocol::ChatList;

use super::{Machine, Refusal, SendId};
pub(super) use member::{Member, Part, Standing};
pub(super) use memory::MAX_LOST;
use roster::Members;

/// How many members there may be: what one chat_list can hold.
pub(super) const MAX_MEMBERS: usize = ChatList::MAX;

/// The members, present and lost.
#[derive(Debug, Default)]
pub(super) struct Group {
    members: Members,
    /// To whom each text or notify went whose result is not there yet.
    sent: BTreeMap<SendId, PeerAddr>,
    /// Whether the user knows that there is no room: he is told once.
    told_full: bool,
}

impl Group {
    pub(super) fn is_empty(&self) -> bool {
        self.members.present().is_empty()
    }

    /// Whether anybody is a member, or may come back and bring others.
    pub(super) fn knows_anybody(&self) -> bool {
        self.members.len() > 0
    }

    pub(super) fn is_present(&self, address: PeerAddr) -> bool {
        self.members.present().contains(&address)
    }

    pub(super) fn is_full(&self) -> bool {
        self.members.present().len() >= MAX_MEMBERS
    }

    pub(super) fn has_room_for(&self, one: PeerAddr, more: &ChatList) -> bool {
        let newcomers: BTreeSet<_> = more.iter().chain([one]).collect();
        let new = newcomers.difference(self.members.present()).count();
        self.members.present().len() + new <= MAX_MEMBERS
    }

    /// The chat_list, as it goes to somebody.
    pub(super) fn list_without(&self, receiver: PeerAddr) -> ChatList {
        self.present()
            .filter(|address| *address != receiver)
            .collect()
    }

    fn present(&self) -> impl Iterator<Item = PeerAddr> + '_ {
        self.members.present().iter().copied()
    }

    /// Those who left only because they could not be reached.
    fn out_of_reach(&self) -> impl Iterator<Item = PeerAddr> + '_ {
        let all = self.members.iter();
        all.filter(|(_, member)| member.is_out_of_reach())
            .map(|(address, _)| address)
    }

    /// Who is to be told how a text fared: those present, or if nobody is, those who may
    /// come back with it.
    pub(super) fn listeners(&self) -> Vec<PeerAddr> {
        match self.is_empty() {
            true => self.out_of_reach().collect(),
            false => self.present().collect(),
        }
    }

    pub(super) fn known(&self) -> impl Iterator<Item = PeerAddr> + '_ {
        self.members.iter().map(|(address, _)| address)
    }

    /// Whether somebody is there, if he is known.
    pub(super) fn standing(&self, address: PeerAddr) -> Option<Standing> {
        self.members.get(address).map(|member| member.standing)
    }

    /// Notes that there is somebody at this address, and that he is in the chat.
    pub(super) fn prove(&mut self, address: PeerAddr) {
        if let Some(member) = self.members.get_mut(address) {
            member.brought_by = None;
        }
    }

    /// Forgets somebody, and what is on its way to him.
    pub(super) fn forget(&mut self, address: PeerAddr) {
        let Some(member) = self.members.remove(address) else {
            return;
        };
        let notify = member.notifying.map(|(id, _)| id);
        for id in [notify, member.sending, member.abandoned]
            .into_iter()
            .flatten()
        {
            self.sent.remove(&id);
        }
    }

    pub(super) fn get_mut(&mut self, address: PeerAddr) -> Option<&mut Member> {
        self.members.get_mut(address)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (PeerAddr, &mut Member)> {
        self.members.iter_mut()
    }

    /// Notes that something is on its way to somebody.
    pub(super) fn is_sent(&mut self, id: SendId, to: PeerAddr) {
        self.sent.insert(id, to);
    }

    /// To whom something went whose result is there.
    pub(super) fn receiver(&mut self, id: SendId) -> Option<(PeerAddr, &mut Member)> {
        let to = self.sent.remove(&id)?;
        Some((to, self.members.get_mut(to)?))
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        let forget = self.members.longest_lost();
        let forget = forget.map(|(since, _)| since + memory::REMEMBER);
        [forget, self.members.next_due()]
            .into_iter()
            .flatten()
            .min()
    }

    fn has_news_for(&self, member: &Member) -> bool {
        (member.wants_list && member.reads_lists()) || self.news_for(member).is_some()
    }

    /// Somebody present whom a member is not believed to know.
    fn news_for(&self, member: &Member) -> Option<PeerAddr> {
        let is_present = |newcomer: &PeerAddr| {
            self.members.count(1);
            self.is_present(*newcomer)
        };
        member.untold.iter().copied().find(is_present)
    }

    fn present_set(&self) -> BTreeSet<PeerAddr> {
        self.members.present().clone()
    }

    /// Notes that a member is not believed to know these.
    fn must_hear(&mut self, member: PeerAddr, news: &BTreeSet<PeerAddr>) {
        if news.is_empty() {
            return;
        }
        if let Some(entry) = self.members.get_mut(member) {
            entry
                .untold
                .extend(news.iter().filter(|address| **address != member));
        }
    }

    /// Whether a member takes another's word: to one who is not believed to know him, it
    /// is a stranger who tells.
    fn hears(&self, member: PeerAddr, from: PeerAddr) -> bool {
        let untold = self.members.get(member).map(|entry| &entry.untold);
        untold.is_some_and(|untold| !untold.contains(&from))
    }

    /// Notes that a member has been told of these by another.
    fn has_heard(&mut self, member: PeerAddr, known: &BTreeSet<PeerAddr>) {
        if let Some(entry) = self.members.get_mut(member) {
            entry.untold.retain(|address| !known.contains(address));
        }
    }

    /// Of whom a member is to be told now, if of anybody; of `own` where the list is all
    /// that there is to tell.
    fn due_notify(&self, to: PeerAddr, now: Duration, own: PeerAddr) -> Option<PeerAddr> {
        let member = self.members.get(to)?;
        let due = member.may_be_notified(now) && self.has_news_for(member);
        due.then(|| self.news_for(member).unwrap_or(own))
    }

    /// Notes when each of these is to be looked at again.
    fn plan(&mut self, agenda: BTreeSet<PeerAddr>) {
        for address in agenda {
            let at = self
                .members
                .get(address)
                .and_then(|member| member.deadline(|| self.has_news_for(member)));
            self.members.plan(address, at);
        }
    }
}

impl Machine {
    /// The user accepted: the requester and everybody he came with are members now.
    pub(super) fn accepted(&mut self, requester: PeerAddr, his: &ChatList) {
        let mine = self.group.present_set();
        let mut theirs: BTreeSet<PeerAddr> = his.iter().collect();
        theirs.insert(requester);
        self.join(requester, JoinedBy::AcceptedByUs);
        for member in his.iter() {
            self.join(member, JoinedBy::WithGroup);
        }
        let only_mine = &mine - &theirs;
        let only_theirs = &theirs - &mine;
        for member in &only_mine {
            self.group.must_hear(*member, &only_theirs);
        }
        for member in &theirs {
            self.group.must_hear(*member, &only_mine);
        }
    }

    /// Somebody accepted our request, which told him of `told`.
    pub(super) fn accepted_by(&mut self, newcomer: PeerAddr, told: &ChatList) {
        let mine = self.group.present_set();
        self.join(newcomer, JoinedBy::AcceptedUs);
        let news = BTreeSet::from([newcomer]);
        for member in &mine {
            self.group.must_hear(*member, &news);
        }
        let told = told.iter().collect();
        self.group.must_hear(newcomer, &(&mine - &told));
    }

    /// Makes somebody a member, or a present one again.
    pub(super) fn join(&mut self, address: PeerAddr, by: JoinedBy) {
        if address == self.config.address || self.group.is_present(address) {
            return;
        }
        if self.group.is_full() {
            return self.tell_full();
        }
        self.group.told_full = false;
        self.group.members.admit(address, self.now.elapsed);
        let at = self.now.wall;
        let member = self.directory.person(address);
        if member.name.is_none() {
            self.doubt_names();
        }
        self.emit(Event::MemberJoined { at, member, by });
        if let (JoinedBy::Member(who), Some(entry)) = (by, self.group.get_mut(address)) {
            entry.brought_by = Some(who.address);
        }
        for notify in self.strangers.release(address) {
            self.learn(address, &notify);
        }
    }

    fn tell_full(&mut self) {
        if !std::mem::replace(&mut self.group.told_full, true) {
            self.notice(Notice::ChatFull);
        }
    }

    /// Somebody who was out of reach is there again. The members may have met people in
    /// the meantime whom he does not know, and so may he: he is told of all, and all of
    /// him, as if he had been accepted.
    pub(super) fn welcome_back(&mut self, address: PeerAddr) {
        let others = self.group.present_set();
        self.join(address, JoinedBy::Back);
        if !self.group.is_present(address) {
            return;
        }
        let news = BTreeSet::from([address]);
        for member in &others {
            self.group.must_hear(*member, &news);
        }
        self.group.must_hear(address, &others);
        if let Some(member) = self.group.get_mut(address)
            && others.is_empty()
        {
            // Nobody to tell him of, but he may have somebody to tell of.
            member.wants_list = true;
        }
    }

    /// Takes a member out of the chat, because he could not be reached or refused. One who
    /// was out of reach already still is, or is not waited for any more.
    pub(super) fn lose(&mut self, address: PeerAddr, reason: LeaveReason) {
        let Some(member) = self.group.members.get(address) else {
            return;
        };
        let is_news = match member.is_out_of_reach() {
            true => reason != LeaveReason::Unreachable,
            false => member.is_present(),
        };
        let now = self.now.elapsed;
        let unsent = self.group.members.lose(address, now, reason);
        let person = self.directory.person(address);
        if is_news {
            let at = self.now.wall;
            self.emit(Event::MemberLeft {
                at,
                member: person,
                reason,
            });
        }
        self.fail_deliveries(person, unsent, reason);
    }

    fn forget_long_lost(&mut self) {
        let before = self.group.members.lost_count();
        while let Some(address) = self.group.long_lost(self.now.elapsed) {
            self.lose(address, LeaveReason::GivenUp);
            self.group.forget(address);
        }
        if self.group.members.lost_count() < before {
            self.group.forget_untold();
        }
    }

    pub(super) fn leave(&mut self) -> Result<(), Refusal> {
        if self.group.listeners().is_empty() {
            return Err(Problem::NobodyThere.into());
        }
        self.drop_group();
        Ok(())
    }

    /// Leaves the chat and forgets who was in it.
    pub(super) fn drop_group(&mut self) {
        let was_chatting = !self.group.listeners().is_empty();
        self.group.sent.clear();
        for (address, member) in std::mem::take(&mut self.group.members) {
            let unsent = member.outbox;
            let person = self.directory.person(address);
            self.fail_deliveries(person, unsent, LeaveReason::WeLeft);
        }
        self.dismiss_held();
        if was_chatting {
            let at = self.now.wall;
            self.emit(Event::ChatLeft { at });
        }
    }

    /// Sends what is due, and forgets whom it is time to forget.
    pub(super) fn group_tick(&mut self) {
        self.forget_long_lost();
        let agenda = self.group.members.agenda(self.now.elapsed);
        // Made once, for as many as are to be told.
        let mut everybody = None;
        for to in &agenda {
            self.send_notify(*to, &mut everybody);
        }
        for to in &agenda {
            self.send_text(*to);
        }
        self.group.plan(agenda);
    }
}
