//! Attacks on a roster, its limits, its names and its cuts.

use p2pchat_protocol::v2::conversation::ConversationId;
use p2pchat_protocol::v2::conversation::roster::Add;
use p2pchat_protocol::v2::{PublicKey, Signature};
use proptest::prelude::*;

use super::*;

fn person(number: u16) -> PersonKey {
    let mut key = [0; 32];
    key[..2].copy_from_slice(&number.to_be_bytes());
    PersonKey(PublicKey(key))
}

fn certificate(number: u16) -> Certificate {
    Certificate {
        device: DeviceKey(person(number).0),
        person: person(number),
        signature: Signature([0; 64]),
    }
}

/// A group that is being written: later entries have greater clocks, as long as no clock is ahead.
struct Group {
    roster: Roster,
    written: u16,
    /// How far the clocks of those who write are ahead, in turns.
    ahead: Vec<u64>,
}

const OWNER: u16 = 1000;
const MALLORY: u16 = 666;

impl Group {
    /// With the join of its owner.
    fn new() -> (Self, JoinId) {
        let mut group = Self {
            roster: Roster::default(),
            written: 0,
            ahead: vec![0],
        };
        let create = group.write(
            None,
            Act::Create {
                certificate: certificate(OWNER),
                salt: [0; 16],
                name: "lunch".parse().unwrap(),
            },
        );
        (group, create)
    }

    fn write(&mut self, under: Option<JoinId>, act: Act) -> EntryId {
        self.written += 1;
        let ahead = self.ahead[usize::from(self.written) % self.ahead.len()];
        let mut id = [0; 32];
        id[..2].copy_from_slice(&self.written.to_be_bytes());
        self.roster.insert(RosterEntry {
            id: EntryId(id),
            conversation: ConversationId([0; 32]),
            under,
            clock: Clock::new(u64::from(self.written) + ahead).unwrap(),
            act,
        });
        EntryId(id)
    }

    fn add(&mut self, under: JoinId, number: u16, after: &[EntryId]) -> EntryId {
        let act = Act::Add {
            person: person(number),
            from: Clock::ZERO,
            after: after.iter().copied().collect(),
        };
        self.write(Some(under), act)
    }

    fn join(&mut self, number: u16, add: EntryId) -> JoinId {
        let add = Add {
            entry: self.roster.entries[&add].clone(),
            bytes: Box::default(),
        };
        let act = Act::Join {
            certificate: certificate(number),
            salt: [0; 16],
            add: Some(Box::new(add)),
        };
        self.write(None, act)
    }

    /// Added and joined.
    fn bring(&mut self, under: JoinId, number: u16) -> JoinId {
        let add = self.add(under, number, &[]);
        self.join(number, add)
    }

    fn remove(&mut self, under: JoinId, number: u16, keeps: &[EntryId]) -> EntryId {
        let act = Act::Remove {
            person: person(number),
            keeps: keeps.iter().copied().collect(),
            cut: BTreeMap::new(),
        };
        self.write(Some(under), act)
    }

    fn leave(&mut self, under: JoinId, cut: &[(JoinId, u64)]) -> EntryId {
        let act = Act::Leave {
            keeps: BTreeSet::new(),
            cut: cut.iter().copied().collect(),
        };
        self.write(Some(under), act)
    }

    fn make_owner(&mut self, under: JoinId, number: u16) -> EntryId {
        let person = person(number);
        self.write(Some(under), Act::Owner { person })
    }

    fn is_in(&self, number: u16) -> bool {
        self.roster.group().members.contains_key(&person(number))
    }
}

#[test]
fn a_member_who_leaves_takes_nobody_along() {
    let (mut group, owner) = Group::new();
    let mallory = group.bring(owner, MALLORY);
    for number in [1, 2, 3] {
        group.bring(mallory, number);
    }
    group.leave(mallory, &[]);
    assert!(!group.is_in(MALLORY));
    assert!(
        [1, 2, 3, OWNER]
            .into_iter()
            .all(|number| group.is_in(number))
    );
}

#[test]
fn a_removal_ends_adds_that_it_does_not_keep_and_a_log_that_it_does_not_list() {
    let (mut group, owner) = Group::new();
    let mallory = group.bring(owner, MALLORY);
    let (good, second) = (group.add(mallory, 1, &[]), group.add(mallory, 2, &[]));
    group.join(1, good);
    group.join(2, second);
    // A further device of theirs, which the owner has not seen.
    let device = group.bring(owner, MALLORY);
    group.remove(owner, MALLORY, &[good]);
    assert!(group.is_in(1) && !group.is_in(2) && !group.is_in(MALLORY));
    let logs = group.roster.group().logs;
    assert_eq!(logs[&mallory].cut, Some(0));
    assert_eq!(logs[&device].cut, Some(0));
}

#[test]
fn of_several_cuts_the_smallest_counts() {
    let (mut group, owner) = Group::new();
    let bob = group.bring(owner, 1);
    group.leave(bob, &[(bob, 7)]);
    for count in [5, 9] {
        let act = Act::Remove {
            person: person(1),
            keeps: BTreeSet::new(),
            cut: BTreeMap::from([(bob, count)]),
        };
        group.write(Some(owner), act);
    }
    assert_eq!(group.roster.group().logs[&bob].cut, Some(5));
}

#[test]
fn one_leaves_once_for_each_add() {
    let (mut group, owner) = Group::new();
    let bob = group.bring(owner, 1);
    let leaving = group.leave(bob, &[(bob, 7)]);
    // The first has the smaller id here.
    group.leave(bob, &[(bob, 5)]);
    assert_eq!(group.roster.group().logs[&bob].cut, Some(7));
    let again = group.add(owner, 1, &[leaving]);
    group.join(1, again);
    assert!(group.is_in(1));
}

#[test]
fn after_a_hand_over_the_former_owner_decides_nothing() {
    let (mut group, owner) = Group::new();
    let add = group.add(owner, 1, &[]);
    let alice = group.join(1, add);
    let kept = group.make_owner(owner, 1);
    let keeps = BTreeSet::from([kept]);
    group.write(Some(owner), Act::Resign { keeps });
    group.bring(alice, 2);
    group.remove(owner, 2, &[]);
    group.make_owner(owner, 2);
    let name = "theirs".parse().unwrap();
    group.write(Some(owner), Act::Rename { name });
    assert!(group.is_in(2));
    let membership = group.roster.group();
    assert_eq!(membership.owners, BTreeSet::from([person(1)]));
    assert_eq!(membership.name, Some("lunch".parse().unwrap()));
    // Who is no owner any more can be removed, the creator too.
    group.remove(alice, OWNER, &[add]);
    assert!(!group.is_in(OWNER) && group.is_in(1));
}

#[test]
fn an_owner_cannot_be_removed() {
    let (mut group, owner) = Group::new();
    let alice = group.bring(owner, 1);
    group.make_owner(owner, 1);
    group.remove(alice, OWNER, &[]);
    group.remove(owner, 1, &[]);
    assert!(group.is_in(OWNER) && group.is_in(1));
}

#[test]
fn the_removed_come_back_by_an_owner_alone_those_who_left_by_anybody() {
    let (mut group, owner) = Group::new();
    let alice = group.bring(owner, 1);
    group.bring(owner, MALLORY);
    let removal = group.remove(owner, MALLORY, &[]);
    let by_member = group.add(alice, MALLORY, &[removal]);
    group.join(MALLORY, by_member);
    assert!(!group.is_in(MALLORY));
    let by_owner = group.add(owner, MALLORY, &[removal]);
    group.join(MALLORY, by_owner);
    assert!(group.is_in(MALLORY));

    let bob = group.bring(owner, 2);
    let leaving = group.leave(bob, &[]);
    assert!(!group.is_in(2));
    let again = group.add(alice, 2, &[leaving]);
    group.join(2, again);
    assert!(group.is_in(2));
}

#[test]
fn an_add_that_is_dated_back_does_not_survive_the_removal_of_its_writer() {
    let (mut group, owner) = Group::new();
    let mallory = group.bring(owner, MALLORY);
    group.remove(owner, MALLORY, &[]);
    let act = Act::Add {
        person: person(7),
        from: Clock::ZERO,
        after: BTreeSet::new(),
    };
    let id = EntryId([1; 32]);
    group.roster.insert(RosterEntry {
        id,
        conversation: ConversationId([0; 32]),
        under: Some(mallory),
        clock: Clock::ZERO,
        act,
    });
    group.join(7, id);
    assert!(!group.is_in(7));
}

#[test]
fn nobody_lets_others_see_more_than_they_see() {
    let (mut group, owner) = Group::new();
    let act = Act::Add {
        person: person(MALLORY),
        from: Clock::new(500).unwrap(),
        after: BTreeSet::new(),
    };
    let add = group.write(Some(owner), act);
    let mallory = group.join(MALLORY, add);
    let second = group.bring(mallory, 1);
    group.bring(second, 2);
    let members = group.roster.group().members;
    assert_eq!(members[&person(2)], Clock::new(500).unwrap());
    assert_eq!(members[&person(OWNER)], Clock::ZERO);
}

#[test]
fn renames_of_others_than_owners_do_nothing_however_many() {
    let (mut group, owner) = Group::new();
    let mallory = group.bring(owner, MALLORY);
    for _ in 0..50 {
        let name = "mine".parse().unwrap();
        group.write(Some(mallory), Act::Rename { name });
    }
    let name: DisplayName = "supper".parse().unwrap();
    group.write(Some(owner), Act::Rename { name });
    assert_eq!(group.roster.group().name, Some(name));
}

#[test]
fn second_selves_of_one_member_do_not_fill_a_group() {
    let (mut group, owner) = Group::new();
    let mallory = group.bring(owner, MALLORY);
    for number in 0..300 {
        group.bring(mallory, number);
    }
    let Membership { members, logs, .. } = group.roster.group();
    assert_eq!(members.len(), 2 + MAX_ADDED);
    assert!(logs.values().all(|log| members.contains_key(&log.person)));
    // There is room for people that an owner adds later.
    for number in 300..600 {
        group.bring(owner, number);
    }
    let members = group.roster.group().members;
    assert_eq!(members.len(), MAX_PEOPLE);
    let by_owner = (300..600).filter(|number| members.contains_key(&person(*number)));
    assert_eq!(by_owner.count(), MAX_PEOPLE - 2);
}

#[test]
fn the_newest_open_invitations_of_a_member_count() {
    let (mut group, owner) = Group::new();
    let mallory = group.bring(owner, MALLORY);
    for number in 0..40 {
        group.add(mallory, number, &[]);
    }
    let invited = group.roster.group().invited;
    assert_eq!(invited.len(), MAX_INVITED);
    assert!(invited.contains_key(&person(39)) && !invited.contains_key(&person(0)));
}

#[test]
fn one_person_has_so_many_logs() {
    let (mut group, owner) = Group::new();
    let add = group.add(owner, MALLORY, &[]);
    for _ in 0..100 {
        group.join(MALLORY, add);
    }
    assert_eq!(group.roster.group().logs.len(), 1 + MAX_JOINS);
}

#[test]
fn only_an_owner_brings_back_who_has_joined_too_often() {
    let (mut group, owner) = Group::new();
    let helper = group.bring(owner, 1);
    let mut left = Vec::new();
    for _ in 0..=MAX_JOINS {
        let add = group.add(helper, MALLORY, &left);
        let join = group.join(MALLORY, add);
        if left.len() < MAX_JOINS {
            left.push(group.leave(join, &[]));
        }
    }
    assert!(!group.is_in(MALLORY));
    // Each add that another member writes is one more of the same.
    let second = group.bring(owner, 2);
    let add = group.add(second, MALLORY, &left);
    group.join(MALLORY, add);
    assert!(!group.is_in(MALLORY));
    let add = group.add(owner, MALLORY, &left);
    for _ in 0..=MAX_JOINS {
        group.join(MALLORY, add);
    }
    assert!(group.is_in(MALLORY));
    let logs = group.roster.group().logs;
    let theirs = logs.values().filter(|log| log.person == person(MALLORY));
    assert_eq!(theirs.count(), 2 * MAX_JOINS);
}

#[test]
fn a_chain_of_any_length_is_followed() {
    let (mut group, owner) = Group::new();
    let mut under = owner;
    for number in 0..20_000 {
        under = group.bring(under, number);
    }
    // Each adds one, so that no limit of an adder is reached.
    assert_eq!(group.roster.group().members.len(), MAX_PEOPLE);
}

#[test]
fn a_direct_conversation_is_the_joins_of_its_two_people() {
    let (mut group, create) = Group::new();
    group.add(create, 3, &[]);
    for number in [1, 3] {
        let certificate = certificate(number);
        group.write(
            None,
            Act::Join {
                certificate,
                salt: [0; 16],
                add: None,
            },
        );
    }
    let people = [person(1), person(2)];
    let membership = group.roster.direct(people);
    let members: Vec<_> = membership.members.into_keys().collect();
    assert_eq!(members, [person(1)]);
    assert_eq!(membership.logs.len(), 1);
}

/// Who is in, the owners and the name in the end, by what is told of a group.
fn told_of(history: &[Change]) -> (BTreeSet<PersonKey>, BTreeSet<PersonKey>, DisplayName) {
    let creator = person(OWNER);
    let (mut members, mut owners) = (BTreeSet::from([creator]), BTreeSet::from([creator]));
    let mut name = "lunch".parse().unwrap();
    for change in history {
        match change.what {
            Changed::Invited(_) => {}
            Changed::Joined => assert!(members.insert(change.by)),
            Changed::Left => {
                assert!(members.remove(&change.by));
                owners.remove(&change.by);
            }
            Changed::Removed(person) => {
                members.remove(&person);
                owners.remove(&person);
            }
            Changed::Owner(person) => assert!(owners.insert(person)),
            Changed::Resigned => assert!(owners.remove(&change.by)),
            Changed::Renamed(new) => name = new,
        }
    }
    (members, owners, name)
}

fn told(group: &Group) -> Vec<(u16, Changed)> {
    let number = |key: PersonKey| u16::from_be_bytes(key.0.0[..2].try_into().unwrap());
    let history = group.roster.history_of_group(|_, _| false);
    assert!(history.is_sorted_by_key(|change| change.clock));
    (history
        .iter()
        .map(|change| (number(change.by), change.what)))
    .collect()
}

#[test]
fn what_made_a_difference_is_told_once_and_with_who_did_it() {
    let (mut group, owner) = Group::new();
    let add = group.add(owner, 1, &[]);
    group.add(owner, 1, &[]);
    let bob = group.join(1, add);
    // A second device.
    group.join(1, add);
    for name in ["team", "team"] {
        let name = name.parse().unwrap();
        group.write(Some(owner), Act::Rename { name });
    }
    group.make_owner(owner, 1);
    let keeps = group.roster.entries.keys().copied().collect();
    group.write(Some(owner), Act::Resign { keeps });
    group.add(bob, 2, &[]);
    group.remove(bob, 2, &[]);
    let keeps = group.roster.entries.keys().copied().collect();
    let cut = BTreeMap::new();
    group.write(Some(owner), Act::Leave { keeps, cut });
    let expected = [
        (OWNER, Changed::Invited(person(1))),
        (1, Changed::Joined),
        (OWNER, Changed::Renamed("team".parse().unwrap())),
        (OWNER, Changed::Owner(person(1))),
        (OWNER, Changed::Resigned),
        (1, Changed::Invited(person(2))),
        (1, Changed::Removed(person(2))),
        (OWNER, Changed::Left),
    ];
    assert_eq!(told(&group), expected);
}

#[test]
fn who_is_invited_by_one_who_did_not_know_of_their_removal_is_not_told_as_back() {
    let (mut group, owner) = Group::new();
    group.bring(owner, 1);
    group.remove(owner, 1, &[]);
    let told_before = told(&group);
    group.bring(owner, 1);
    assert!(!group.is_in(1));
    assert_eq!(told(&group), told_before);
}

#[test]
fn who_comes_back_by_entries_that_are_dated_back_is_told_as_back() {
    let (mut group, owner) = Group::new();
    group.written = 100;
    group.bring(owner, 1);
    let mallory = group.bring(owner, MALLORY);
    let leaving = group.leave(mallory, &[]);
    // By a friend.
    let add = Act::Add {
        person: person(MALLORY),
        from: Clock::ZERO,
        after: BTreeSet::from([leaving]),
    };
    group.written = 50;
    let add = group.write(Some(owner), add);
    group.join(MALLORY, add);
    let told = told(&group);
    let by_mallory = told.iter().filter(|(by, _)| *by == MALLORY);
    let by_mallory: Vec<_> = by_mallory.map(|(_, what)| *what).collect();
    let joined = Changed::Joined;
    assert_eq!(by_mallory, [joined, Changed::Left, joined]);
}

#[test]
fn an_invitation_that_an_owner_takes_back_is_told_with_its_end() {
    let (mut group, owner) = Group::new();
    let bob = group.bring(owner, 1);
    group.add(bob, 2, &[]);
    group.remove(owner, 2, &[]);
    let told = told(&group);
    assert_eq!(
        told[2..],
        [
            (1, Changed::Invited(person(2))),
            (OWNER, Changed::Removed(person(2)))
        ]
    );
}

#[test]
fn one_who_has_declined_is_told_to_be_invited_again() {
    let (mut group, owner) = Group::new();
    let first = group.add(owner, 1, &[]);
    group.add(owner, 1, &[]);
    let history = |has_declined| {
        group
            .roster
            .history_of_group(|_, add| has_declined && *add == first)
    };
    assert_eq!(history(false).len(), 1);
    assert_eq!(history(true).len(), 2);
}

#[test]
fn thousands_of_endings_of_one_person_are_gone_through_once() {
    let (mut group, owner) = Group::new();
    for _ in 0..6_000 {
        group.add(owner, 1, &[]);
    }
    for _ in 0..6_000 {
        group.remove(owner, 1, &[]);
    }
    assert_eq!(told(&group).len(), 2);
}

#[test]
fn of_ten_thousand_invitations_of_a_member_a_few_are_told() {
    let (mut group, owner) = Group::new();
    let mallory = group.bring(owner, MALLORY);
    for number in 0..10_000 {
        group.add(mallory, number, &[]);
    }
    assert_eq!(told(&group).len(), 2 + MAX_INVITED);
}

#[test]
fn of_a_direct_conversation_it_is_told_that_the_other_one_has_joined() {
    let (mut group, _) = Group::new();
    for number in [2, 1, 1, 2] {
        let certificate = certificate(number);
        let act = Act::Join {
            certificate,
            salt: [0; 16],
            add: None,
        };
        group.write(None, act);
    }
    let history = group.roster.history_of_direct([person(1), person(2)]);
    let by: Vec<_> = history.iter().map(|change| change.by).collect();
    assert_eq!(by, [person(1)]);
}

proptest! {
    /// Any entries in any order: one result.
    #[test]
    fn shuffled_entries_give_one_roster(
        (acts, order) in prop::collection::vec((0_u8..9, 0_usize..40, 0_u16..5, any::<bool>()), 1..40)
            .prop_flat_map(|acts| {
                let count = acts.len() + 1;
                (Just(acts), Just((0..count).collect::<Vec<_>>()).prop_shuffle())
            }),
        ahead in prop::collection::vec(0_u64..50, 1..9),
    ) {
        let (mut group, _) = Group::new();
        group.ahead = ahead;
        for (kind, which, number, is_all) in acts {
            let written: Vec<EntryId> = group.roster.entries.keys().copied().collect();
            let under = written[which % written.len()];
            let named = if is_all { written.clone() } else { Vec::new() };
            match kind {
                0 | 1 => { group.add(under, number, &named); }
                2 | 3 => {
                    let is_add = |id: &&EntryId| matches!(group.roster.entries[*id].act, Act::Add { .. });
                    if let Some(&add) = written.iter().filter(is_add).nth(which % 5) {
                        group.join(number, add);
                        continue;
                    }
                    group.add(under, number, &named);
                }
                4 => { group.remove(under, number, &named); }
                5 => { group.make_owner(under, number); }
                6 => {
                    let name = format!("{number}").parse().unwrap();
                    group.write(Some(under), Act::Rename { name });
                }
                7 => {
                    let keeps = named.into_iter().collect();
                    group.write(Some(under), Act::Resign { keeps });
                }
                _ => { group.leave(under, &[(under, which as u64)]); }
            }
        }
        let entries: Vec<_> = group.roster.entries().cloned().collect();
        let mut shuffled = Roster::default();
        for at in order {
            if let Some(entry) = entries.get(at) {
                prop_assert!(shuffled.insert(entry.clone()));
            }
        }
        let membership = group.roster.group();
        let history = group.roster.history_of_group(|_, _| false);
        let (members, owners, name) = told_of(&history);
        prop_assert!(members.iter().eq(membership.members.keys()), "{:#?}", history);
        // One who is not in may be made an owner, which makes no difference.
        let are_in = |people: &BTreeSet<PersonKey>| &members & people;
        prop_assert_eq!(are_in(&owners), are_in(&membership.owners));
        prop_assert_eq!(Some(name), membership.name);
        prop_assert_eq!(shuffled.history_of_group(|_, _| false), history);
        prop_assert_eq!(shuffled.group(), membership);
    }
}
