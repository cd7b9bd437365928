//! What members tell of others, and how much of it is believed.

use std::collections::BTreeSet;

use p2pchat_model::{DropKind, DropReason, JoinedBy, PeerAddr};
use p2pchat_protocol::ChatList;

use super::super::Machine;
use super::strangers::{Early, Notify};
use super::{Group, Standing};

/// How many people may be in the chat by the word of one member alone, from whom nothing
/// was heard and who have taken nothing yet. Each text is tried on each of them, for ten
/// minutes, so made-up ones are traffic that somebody else pays for. The first text proves
/// those who are real.
const MAX_HEARSAY_OF_ONE: usize = 64;
/// The same by the word of all members together: half of what is sent at once.
const MAX_HEARSAY: usize = 256;

impl Group {
    /// How many more a member may bring.
    fn room_for_hearsay(&self, by: PeerAddr) -> usize {
        let (mut all, mut his) = (0, 0);
        for (_, member) in self.members.iter() {
            all += usize::from(member.brought_by.is_some());
            his += usize::from(member.brought_by == Some(by));
        }
        let room = MAX_HEARSAY_OF_ONE.saturating_sub(his);
        room.min(MAX_HEARSAY.saturating_sub(all))
    }
}

impl Machine {
    pub(in super::super) fn notify_received(&mut self, from: PeerAddr, notify: Notify) {
        if self.is_blocked(from) {
            return self.dropped(from, None, DropKind::Notify, DropReason::Blocked);
        }
        match self.group.standing(from) {
            Some(Standing::Present) => {}
            Some(Standing::Lost { .. }) => self.welcome_back(from),
            None if self.session.account().is_some() => {
                return self.hold(from, Early::Notify(notify));
            }
            None => return self.stranger(from, &Early::Notify(notify)),
        }
        self.group.prove(from);
        self.learn(from, &notify);
    }

    /// Those on somebody's list who can be members: neither the user himself, nor who is
    /// blocked, nor an address that means somebody else to each machine.
    pub(in super::super) fn believable(&mut self, from: PeerAddr, list: &ChatList) -> ChatList {
        list.iter()
            .filter(|address| self.is_believable(from, *address))
            .collect()
    }

    fn is_believable(&mut self, from: PeerAddr, address: PeerAddr) -> bool {
        let own = self.config.address;
        if address == own {
            return false;
        }
        // To a peer on the network, a loopback address is a program on the user's machine.
        if address.ip().is_loopback() && !own.ip().is_loopback() {
            self.dropped(from, None, DropKind::Newcomer, DropReason::Malformed);
            return false;
        }
        if self.is_blocked(address) {
            self.dropped(address, None, DropKind::Newcomer, DropReason::Blocked);
            return false;
        }
        true
    }

    /// A member told of a newcomer, and of everybody he has.
    pub(super) fn learn(&mut self, from: PeerAddr, notify: &Notify) {
        let Notify { newcomer, members } = notify;
        let mine = self.group.present_set();
        let believable = |address: &PeerAddr| self.is_believable(from, *address);
        let mut known: BTreeSet<PeerAddr> = members.iter().filter(believable).collect();
        if members.is_empty() && *newcomer != from {
            // A client of 2017 sends no list. It tells its members all the same.
            known.extend(&mine);
        }
        known.insert(from);
        if *newcomer != from && self.is_believable(from, *newcomer) {
            known.insert(*newcomer);
        }
        let news = self.news(&mine, &known, *newcomer);
        let news = self.take_in(from, news, *newcomer);
        for member in &mine {
            match known.contains(member) && self.group.hears(*member, from) {
                true => self.group.has_heard(*member, &known),
                false => self.group.must_hear(*member, &news),
            }
        }
        let strange_to_him = &mine - &known;
        for address in &news {
            self.group.must_hear(*address, &strange_to_him);
        }
        // A list by itself is an answer already, and is not answered; one without anybody
        // on it asks. (That of a client of 2017 has nobody on it, but is not by itself.)
        let asks = (*newcomer == from) == members.is_empty();
        if let Some(sender) = self.group.get_mut(from) {
            sender.sends_lists |= !members.is_empty() || *newcomer == from;
            sender.wants_list |= asks && !strange_to_him.is_empty();
        }
    }

    /// Whom of these the user does not have.
    fn news(
        &self,
        mine: &BTreeSet<PeerAddr>,
        known: &BTreeSet<PeerAddr>,
        newcomer: PeerAddr,
    ) -> BTreeSet<PeerAddr> {
        let unknown = |address: &PeerAddr| self.group.standing(*address).is_none();
        known
            .iter()
            // Somebody lost comes back by his own doing, or by being the newcomer: that
            // another still lists him says nothing.
            .filter(|address| unknown(address) || **address == newcomer)
            .filter(|address| !mine.contains(address))
            .copied()
            .collect()
    }

    /// Makes members of as many as there is room for, the newcomer first.
    fn take_in(
        &mut self,
        from: PeerAddr,
        mut news: BTreeSet<PeerAddr>,
        newcomer: PeerAddr,
    ) -> BTreeSet<PeerAddr> {
        let by = JoinedBy::Member(self.directory.person(from));
        let room = self.group.room_for_hearsay(from);
        let first = news.take(&newcomer);
        let (taken, left): (Vec<_>, Vec<_>) = first
            .into_iter()
            .chain(news)
            .enumerate()
            .partition(|(at, _)| *at < room);
        let too_many = u64::try_from(left.len()).unwrap_or(u64::MAX);
        if too_many > 0 {
            self.count_dropped(
                Some(from),
                None,
                DropKind::Newcomer,
                DropReason::TooMuch,
                too_many,
            );
        }
        let mut joined = BTreeSet::new();
        for (_, address) in taken {
            self.join(address, by);
            if self.group.is_present(address) {
                joined.insert(address);
            }
        }
        joined
    }
}
