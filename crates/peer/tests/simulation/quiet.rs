//! After all that happened: everything heals, everybody says something, and then all
//! must be in order.

use std::collections::BTreeSet;
use std::time::Duration;

use p2pchat_model::PeerAddr;

use super::schedule::Happening;
use super::users::Act;
use super::world::World;

/// How often everybody says something in the end, at the least.
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
                "everybody_sees_everybody_online",
                self.everybody_sees_everybody_online(),
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

    /// Everybody says something to everybody in his list, again and again, until that
    /// changes nothing in anybody's list.
    fn speak_until_rest(&mut self) -> Result<(), String> {
        let mut before = Vec::new();
        for round in 0..MOST_ROUNDS {
            for seat in 0..self.peers.len() {
                let delay = self.chance.between(Duration::ZERO, Duration::from_secs(3));
                self.schedule
                    .after(delay, Happening::User(seat, Act::Speak));
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

    /// Whom somebody sees in the chat.
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
    fn everybody_sees_everybody_online(&self) -> Result<(), String> {
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

    /// Whoever has somebody in his list is in that one's list: each has said something to
    /// all in his list since the last fault, and a refusal would have told him. So this
    /// holds whatever happened before.
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
    /// Not where people leave or programs crash: who leaves and comes back by the request
    /// of one member is told of those whom that one has, while the others, on whose lists
    /// he still stood, find out that he left and cannot know that he came back. Nor with
    /// the outsider, who says that people know each other who do not.
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
                let mut his = self.members(other);
                his.insert(address);
                if his != mine {
                    let (one, other) = (self.peers[seat].name, self.peers[other].name);
                    return Err(format!("{one} has {mine:?}, {other} has {his:?}"));
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
            let told = peer.running().expect("all run by now").book.told;
            if told.left + told.unconfirmed + told.failed > 0 {
                return Err(format!("{}: {told:?}", peer.name));
            }
        }
        Ok(())
    }
}
