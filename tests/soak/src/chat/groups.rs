//! Who is to chat with whom, and who has to ask whom to bring that about.
//!
//! The plan is nobody's but the run's: users know of it only by being told to ask, to
//! accept and to leave.

use std::time::{Duration, Instant};

use rand::Rng;
use rand::RngExt;
use rand::seq::SliceRandom;

use super::ledger::User;
use super::people::People;

/// How many make a group.
const SIZES: std::ops::RangeInclusive<usize> = 2..=12;
/// How long members may differ about who is one before somebody asks anew. Whoever was out
/// of reach comes back by himself, if somebody says something.
const DIFFER: Duration = Duration::from_secs(10);
/// How long groups may have grown together: whoever leaves is told apart by what he does
/// next, which is under way.
const MIXED: Duration = Duration::from_secs(5);

/// Who is to be in which group.
#[derive(Debug)]
pub(super) struct Plan {
    groups: Vec<Vec<User>>,
    of: Vec<usize>,
    /// Since when each group is not as it is to be.
    differs: Vec<Option<Instant>>,
    /// Since when two of different groups have had each other in their chats.
    mixed: Option<Instant>,
}

impl Plan {
    /// Groups of all sizes.
    pub(super) fn new(users: usize, random: &mut impl Rng) -> Self {
        let mut all: Vec<User> = (0..users).collect();
        all.shuffle(random);
        let mut plan = Self {
            groups: Vec::new(),
            of: vec![0; users],
            differs: Vec::new(),
            mixed: None,
        };
        while !all.is_empty() {
            let size = random.random_range(SIZES).min(all.len());
            let mut group = all.split_off(all.len() - size);
            // One alone is no group.
            if all.len() == 1 {
                group.append(&mut all);
            }
            for user in &group {
                plan.of[*user] = plan.groups.len();
            }
            plan.groups.push(group);
            plan.differs.push(None);
        }
        plan
    }

    pub(super) fn groups(&self) -> &[Vec<User>] {
        &self.groups
    }

    pub(super) fn are_together(&self, one: User, other: User) -> bool {
        self.of[one] == self.of[other]
    }

    pub(super) fn others(&self, user: User) -> impl Iterator<Item = User> {
        let group = self.groups[self.of[user]].iter().copied();
        group.filter(move |other| *other != user)
    }

    /// Moves somebody into another group. `false` if that would leave one alone, or make a
    /// group too great.
    pub(super) fn transfer(&mut self, user: User, to: usize) -> bool {
        let from = self.of[user];
        let possible = from != to
            && self.groups[from].len() > *SIZES.start()
            && self.groups[to].len() < *SIZES.end();
        if possible {
            self.groups[from].retain(|other| *other != user);
            self.groups[to].push(user);
            self.of[user] = to;
        }
        possible
    }

    /// The next requests that are due: who has to ask whom.
    pub(super) fn requests(&mut self, people: &People, now: Instant) -> Vec<(User, User)> {
        let mut requests = Vec::new();
        for (group, differs) in self.groups.iter().zip(&mut self.differs) {
            let able: Vec<User> = people.able(group).collect();
            if is_whole(&able, people) {
                *differs = None;
                continue;
            }
            let since = *differs.get_or_insert(now);
            if let Some(request) = request(&able, people, now, since + DIFFER <= now) {
                requests.push(request);
            }
        }
        requests
    }

    /// Whether everybody has those in his chat who are to be there, and nobody else.
    pub(super) fn is_carried_out(&self, people: &People) -> bool {
        self.groups.iter().all(|group| {
            is_whole(group, people) && group.iter().all(|user| self.is_clean(*user, people))
        })
    }

    /// Whether somebody has nobody in his chat who is not to be there.
    fn is_clean(&self, user: User, people: &People) -> bool {
        people
            .chats_with(user)
            .all(|other| self.are_together(user, other))
    }

    /// One of two who are not to be together and have had each other in their chats for a
    /// while: their groups have grown together.
    pub(super) fn mixed_up(&mut self, people: &People, now: Instant) -> Option<User> {
        let all = 0..self.of.len();
        let mixed = all.filter(|user| people.is_able(*user)).find(|user| {
            people.chats_with(*user).any(|other| {
                !self.are_together(*user, other)
                    && people.is_able(other)
                    && people.knows(other, *user)
            })
        });
        let since = match mixed {
            Some(_) => *self.mixed.get_or_insert(now),
            None => {
                self.mixed = None;
                return None;
            }
        };
        let due = since + MIXED <= now;
        if due {
            self.mixed = None;
        }
        mixed.filter(|_| due)
    }
}

/// Whether all of these know each other.
fn is_whole(group: &[User], people: &People) -> bool {
    group.iter().all(|one| {
        group
            .iter()
            .all(|other| one == other || people.knows(*one, *other))
    })
}

/// The next request within a group: by the one who knows most of it, or to him; later also
/// among the others.
fn request(able: &[User], people: &People, now: Instant, late: bool) -> Option<(User, User)> {
    let known = |user: &User| {
        able.iter()
            .filter(|other| people.knows(*user, **other))
            .count()
    };
    let core = *able.iter().max_by_key(|user| known(user))?;
    let askers: &[User] = if late {
        able
    } else {
        std::slice::from_ref(&core)
    };
    let pairs = askers
        .iter()
        .flat_map(|one| able.iter().map(move |other| (*one, *other)));
    pairs
        .filter(|(one, other)| one != other)
        // Who has somebody in his chat cannot ask him, but may be asked by him.
        .filter_map(
            |(one, other)| match (people.knows(one, other), people.knows(other, one)) {
                (false, _) => Some((one, other)),
                (true, false) => Some((other, one)),
                (true, true) => None,
            },
        )
        .find(|(asker, asked)| people.may_ask(*asker, *asked, now))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn everybody_is_in_one_group_and_nobody_is_alone() {
        for seed in 0..50 {
            let users = 2 + seed as usize * 4;
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut plan = Plan::new(users, &mut random);
            for _ in 0..users {
                let to = random.random_range(0..plan.groups.len());
                plan.transfer(random.random_range(0..users), to);
            }
            let sizes: Vec<usize> = plan.groups.iter().map(Vec::len).collect();
            assert_eq!(sizes.iter().sum::<usize>(), users);
            assert!(
                sizes.iter().all(|size| (2..=13).contains(size)),
                "{sizes:?}"
            );
            for (number, group) in plan.groups.iter().enumerate() {
                assert!(group.iter().all(|user| plan.of[*user] == number));
            }
        }
    }
}
