//! The quiet end of a run: everything heals, every user sends something, and then all must
//! be in order.

use std::collections::BTreeSet;
use std::time::Duration;

use p2pchat_model::PeerAddr;

use super::schedule::SimEvent;
use super::users::Act;
use super::world::World;

/// How often every user sends something in the end, at least.
const LEAST_ROUNDS: usize = 3;
/// So often, and the groups must have come to rest.
const MOST_ROUNDS: usize = 12;
/// The pause between two rounds: a text that was refused to a new member is tried again
/// in it until it is through or given up.
const PAUSE: Duration = Duration::from_secs(20);
/// How long everything on its way takes to arrive or be given up.
const SETTLE: Duration = Duration::from_secs(120);

impl World {
    /// Lets all come to rest, and looks at what is left.
    pub(crate) fn settle(&mut self) {
        self.end_troubles();
        self.run_for(self.mix.request_limit + SETTLE);
        let rest = self.speak_until_rest();
        self.run_for(SETTLE);
        let verdicts = [
            ("groups_come_to_rest", rest),
            ("nothing_is_left_over", self.nothing_is_left_over()),
            (
                "all_users_see_each_other_online",
                self.all_users_see_each_other_online(),
            ),
            ("members_know_each_other", self.members_know_each_other()),
            ("members_of_a_group_agree", self.members_of_a_group_agree()),
            (
                "without_faults_nothing_is_lost",
                self.without_faults_nothing_is_lost(),
            ),
        ];
        for (check, verdict) in verdicts {
            if let Err(words) = verdict {
                self.fail(check, &words);
            }
        }
    }

    /// Every user sends something to all in their list, again and again, until that changes
    /// no list.
    fn speak_until_rest(&mut self) -> Result<(), String> {
        let mut before = Vec::new();
        for round in 0..MOST_ROUNDS {
            for seat in 0..self.peers.len() {
                let delay = self.rng.between(Duration::ZERO, Duration::from_secs(3));
                self.schedule.after(delay, SimEvent::User(seat, Act::Speak));
            }
            self.run_for(PAUSE);
            let now: Vec<_> = (0..self.peers.len())
                .map(|seat| self.members(seat))
                .collect();
            if now == before && round >= LEAST_ROUNDS {
                return Ok(());
            }
            before = now;
        }
        Err(format!("the lists still change after {MOST_ROUNDS} rounds"))
    }

    /// The members that a user sees in the chat.
    pub(crate) fn members(&self, seat: usize) -> BTreeSet<PeerAddr> {
        let running = self.peers[seat].running();
        running.map_or_else(BTreeSet::new, |running| running.book.members.clone())
    }

    /// All who were asked have answered and all that was said is through or has failed.
    fn nothing_is_left_over(&self) -> Result<(), String> {
        for peer in &self.peers {
            let name = peer.name;
            let Some(running) = peer.running() else {
                return Err(format!("{name} does not run"));
            };
            let book = &running.book;
            if book.account.is_none() {
                return Err(format!("{name} did not get in"));
            }
            if book.searches > 0 {
                return Err(format!("{name} searched and has no answer"));
            }
            if book.incoming.is_some() || !book.outgoing.is_empty() || !book.sending.is_empty() {
                return Err(format!("{name} still waits for something"));
            }
        }
        Ok(())
    }

    /// The online list is kept fresh.
    fn all_users_see_each_other_online(&self) -> Result<(), String> {
        let all: BTreeSet<PeerAddr> = self.seats.iter().copied().collect();
        for peer in &self.peers {
            let view = &peer.running().expect("all run by now").view;
            let seen: BTreeSet<PeerAddr> = view.online.iter().map(|user| user.address).collect();
            if seen != all {
                return Err(format!("{} sees {seen:?} online", peer.name));
            }
        }
        Ok(())
    }

    /// Membership is mutual: each user has sent something to all in their list since the last
    /// fault, and a refusal would have told them. So this holds whatever happened before.
    fn members_know_each_other(&self) -> Result<(), String> {
        for seat in 0..self.peers.len() {
            for address in self.members(seat) {
                let Some(other) = self.seat_of(address) else {
                    continue;
                };
                if !self.members(other).contains(&self.seats[seat]) {
                    let (one, other) = (self.peers[seat].name, self.peers[other].name);
                    return Err(format!("{one} has {other} in the chat, not the reverse"));
                }
            }
        }
        Ok(())
    }

    /// All in a group have the same list.
    ///
    /// Not where users leave or programs crash: a member that leaves and comes back by the
    /// request of another is told of those that the other has, while the rest, which still
    /// list it, find out that it left and cannot know that it came back. Nor with the
    /// outsider, who claims that peers know each other that do not.
    fn members_of_a_group_agree(&self) -> Result<(), String> {
        if !self.mix.is_steady() {
            return Ok(());
        }
        for seat in 0..self.peers.len() {
            let mut mine = self.members(seat);
            mine.insert(self.seats[seat]);
            for address in self.members(seat) {
                let Some(other) = self.seat_of(address) else {
                    continue;
                };
                let mut theirs = self.members(other);
                theirs.insert(address);
                if theirs != mine {
                    let (one, other) = (self.peers[seat].name, self.peers[other].name);
                    return Err(format!("{one} has {mine:?}, {other} has {theirs:?}"));
                }
            }
        }
        Ok(())
    }

    /// Where nothing breaks and nobody leaves, every text gets through and nobody drops
    /// out of a chat.
    fn without_faults_nothing_is_lost(&self) -> Result<(), String> {
        if !self.mix.is_faultless() {
            return Ok(());
        }
        for peer in &self.peers {
            let totals = peer.running().expect("all run by now").book.totals;
            if totals.left + totals.unconfirmed + totals.failed > 0 {
                return Err(format!("{}: {totals:?}", peer.name));
            }
        }
        Ok(())
    }
}
