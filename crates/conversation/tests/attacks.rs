//! What members, strangers and relays do who keep to no rule, one by one, and what it costs others.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[allow(dead_code, reason = "the simulation uses all of it")]
#[path = "simulation/device.rs"]
mod device;
#[allow(dead_code, reason = "the simulation uses all of it")]
#[path = "simulation/keys.rs"]
mod keys;
#[allow(dead_code, reason = "the schedules use all of it")]
#[path = "schedules/town.rs"]
mod town;

use std::collections::BTreeSet;

use p2pchat_conversation::replica::{Deed, Role, Unable};
use p2pchat_conversation::seal::{Next, Seal};
use p2pchat_conversation::sync::{
    Ending, Frame, Have, Heads, Item, MAX_ASKED, MAX_REQUESTS, ROUND, Short, Want, What,
};
use p2pchat_protocol::v2::PersonKey;
use p2pchat_protocol::v2::conversation::roster::{Act, Add as Sealed};
use p2pchat_protocol::v2::conversation::talk::{Talk, TalkEntry};
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, EntryId, JoinId};

use town::Town;

fn named(conversation: ConversationId, people: Option<[PersonKey; 2]>) -> Frame {
    let have = Have {
        people,
        roster: Short([1; 16]),
        heads: Heads::Digest(Short([2; 16])),
        asks: true,
    };
    let what = What::Have(have);
    Frame { conversation, what }
}

#[test]
fn a_third_person_does_not_learn_which_people_talk() {
    let mut town = Town::of(4);
    let direct = town.direct(0, 1);
    let people = [town.person(0), town.person(1)];
    for device in [0, 3] {
        town.meet(device, 2);
    }
    town.frames = 0;
    // Of two people who do talk, and of two who do not.
    town.send(2, 0, named(direct, Some(people)));
    let declined = What::Answer(EntryId(direct.0));
    town.send(
        2,
        0,
        Frame {
            conversation: direct,
            what: declined,
        },
    );
    let hash = keys::hash;
    let people = [town.person(3), town.person(1)];
    let other = ConversationId::direct(people, hash);
    town.send(2, 3, named(other, Some(people)));
    town.pass(1_000);
    assert_eq!(town.frames, 0);
}

/// The join of a device, as the first one knows it.
fn join_of(town: &Town, device: usize, group: ConversationId) -> JoinId {
    let key = town.devices[device].key();
    let logs = &town.device(0).replica(group).membership().logs;
    let (join, _) = logs.iter().find(|(_, log)| log.device == key).unwrap();
    *join
}

/// A log goes on.
fn write_on(town: &Town, device: usize, log: &mut Vec<TalkEntry>, talk: &Talk) {
    let before = log.last().unwrap();
    let next = Next {
        conversation: before.header.conversation,
        join: before.header.join,
        position: before.header.position + 1,
        previous: before.id,
        clock: before.header.clock.next(Clock::ZERO).unwrap(),
    };
    let entry = town.devices[device].keys.speak(next, talk);
    log.push(entry);
}

#[test]
fn many_erases_of_a_message_with_many_edits_cost_no_more_than_their_number() {
    let mut town = Town::of(2);
    let group = town.group(&[1]);
    town.meet(0, 1);
    let of = town.say(1, group, "again and again");
    town.part(0, 1);
    let mut log = town.log_of(1, group, 1);
    for number in 0..150 {
        let text = format!("edit {number}");
        write_on(&town, 1, &mut log, &Talk::Edit { of, text });
    }
    for _ in 0..150 {
        write_on(&town, 1, &mut log, &Talk::Erase { of });
    }
    let before = town.devices[0].disk[&group].fact_count();
    town.give(1, 0, group, &log);
    assert_eq!(town.log_of(0, group, 1).len(), log.len());
    let stored = town.devices[0].disk[&group].fact_count() - before;
    assert!(stored < 3 * log.len(), "{stored}");
}

#[test]
fn roster_entries_without_effect_are_neither_stored_nor_asked_for_again() {
    let mut town = Town::of(2);
    let group = town.group(&[1]);
    town.meet_slowly(0, 1);
    town.pass(1_000);
    let join = join_of(&town, 1, group);
    let before = town.devices[0].disk[&group].fact_count();
    town.silence(1);
    town.wants.clear();
    town.send(1, 0, named(group, None));
    for second in 0..20 {
        let name = "mine".parse().unwrap();
        let clock = town.devices[1].now(town.millis + second).clock;
        let keys = &town.devices[1].keys;
        let rename = keys.seal(Some(group), Some(join), clock, Act::Rename { name });
        for what in [What::Roster(vec![rename]), What::Done] {
            let conversation = group;
            town.send(1, 0, Frame { conversation, what });
        }
    }
    assert_eq!(town.devices[0].disk[&group].fact_count(), before);
    // The want of the roster, once.
    assert_eq!(town.wants.len(), 1);
}

#[test]
fn who_is_asked_learns_it_though_the_group_was_made_ahead_of_time() {
    let mut town = Town::of(3);
    town.devices[0].skew = 3_600_000;
    let group = town.group(&[1]);
    town.add(1, group, 2);
    town.meet(1, 2);
    assert!(town.device(2).is_asked(group));
}

#[test]
fn an_invitation_that_begins_in_2099_does_not_stand_before_another() {
    let mut town = Town::of(4);
    let group = town.group(&[1, 2]);
    town.meet(0, 1);
    town.meet(0, 2);
    let hostile = Act::Add {
        person: town.person(3),
        from: Clock::from_millis(4_070_908_800_000),
        after: BTreeSet::new(),
    };
    let join = join_of(&town, 1, group);
    let keys = &town.devices[1].keys;
    let hostile = keys.seal(Some(group), Some(join), Clock::from_millis(1), hostile);
    let what = What::Roster(vec![hostile]);
    let conversation = group;
    town.send(1, 0, Frame { conversation, what });
    town.add(2, group, 3);
    town.meet(2, 3);
    town.accept(3, group);
    town.say(3, group, "here");
    assert_eq!(town.texts(2, group), ["here"]);
}

#[test]
fn what_may_be_seen_below_a_gap_is_served_though_what_is_older_may_not() {
    let mut town = Town::of(3);
    let group = town.group(&[2]);
    for number in 0..10 {
        town.say(0, group, &format!("before {number}"));
    }
    let (person, sees_all) = (town.person(1), false);
    town.act(0, group, &Deed::Add { person, sees_all });
    town.meet(0, 1);
    town.accept(1, group);
    town.part(0, 1);
    for number in 0..10 {
        town.say(0, group, &format!("after {number}"));
    }
    town.meet(0, 2);
    town.part(0, 2);
    let mut kept = town.log_of(2, group, 0);
    kept.drain(13..15);
    town.forget_talk_above(2, group, &kept);
    town.meet(1, 2);
    let texts: Vec<_> = [0, 1, 2, 5, 6, 7, 8, 9]
        .map(|number| format!("after {number}"))
        .into();
    assert_eq!(town.texts(1, group), texts);
}

#[test]
fn logs_that_nobody_began_are_not_asked_for() {
    let mut town = Town::of(2);
    let group = town.group(&[1]);
    town.meet(0, 1);
    town.wants.clear();
    let item = |number: u64| {
        let mut join = [9; 32];
        join[..8].copy_from_slice(&number.to_be_bytes());
        Item {
            join: EntryId(join),
            lowest: 0,
            has_older: true,
            next: 7,
            newest: Short([5; 16]),
            clock: Clock::ZERO,
            end: Some(Ending {
                position: 7,
                is_lowest: true,
            }),
        }
    };
    for number in 0..100 {
        let have = Have {
            people: None,
            roster: town.roster_hash(0, group),
            heads: Heads::Items((0..100).map(|at| item(number * 100 + at)).collect()),
            asks: false,
        };
        let what = What::Have(have);
        let conversation = group;
        town.send(1, 0, Frame { conversation, what });
    }
    assert_eq!(town.wants, []);
}

/// Second selves of a member that they add and join as: one person, so many adds.
fn joined(
    town: &Town,
    member: usize,
    group: ConversationId,
    count: u64,
    after: usize,
) -> Vec<Sealed> {
    let join = join_of(town, member, group);
    let second = &town.devices.last().unwrap().keys;
    let person = second.certificate().person;
    let after: BTreeSet<_> = (0..after as u64)
        .map(|number| {
            let mut id = [8; 32];
            id[..8].copy_from_slice(&number.to_be_bytes());
            EntryId(id)
        })
        .collect();
    let joins = (0..count).map(|number| {
        let clock = Clock::from_millis(device::BEGIN + number);
        let (from, after) = (Clock::ZERO, after.clone());
        let add = Act::Add {
            person,
            from,
            after,
        };
        let add = town.devices[member]
            .keys
            .seal(Some(group), Some(join), clock, add);
        let act = Act::Join {
            certificate: second.certificate(),
            salt: second.salt(),
            add: Some(Box::new(add)),
        };
        second.seal(Some(group), None, clock, act)
    });
    joins.collect()
}

#[test]
fn who_has_added_a_thousand_times_can_be_removed() {
    let mut town = Town::of(3);
    let group = town.group(&[1]);
    let joins = joined(&town, 1, group, 1_100, 0);
    town.meet(0, 1);
    town.silence(1);
    for piece in joins.chunks(200) {
        let what = What::Roster(piece.to_vec());
        let conversation = group;
        town.send(1, 0, Frame { conversation, what });
    }
    let person = town.person(1);
    town.act(0, group, &Deed::Remove(person));
    let role = |device| town.device(0).replica(group).role(&town.person(device));
    assert_eq!(role(1), Role::Stranger);
    // The people they added stay.
    assert!(matches!(role(2), Role::Member(_)));
}

#[test]
fn who_has_filled_the_roster_can_be_removed() {
    let mut town = Town::of(3);
    let group = town.group(&[1]);
    let mut joins = joined(&town, 1, group, 130, 1_000);
    joins.extend(joined(&town, 1, group, 100, 0));
    town.meet(0, 1);
    town.silence(1);
    for join in joins {
        let what = What::Roster(vec![join]);
        let conversation = group;
        town.send(1, 0, Frame { conversation, what });
    }
    let person = town.person(1);
    town.act(0, group, &Deed::Remove(person));
    assert_eq!(town.device(0).replica(group).role(&person), Role::Stranger);
}

#[test]
fn who_was_removed_does_not_learn_how_the_roster_goes_on() {
    let mut town = Town::of(2);
    let group = town.group(&[1]);
    let person = town.person(1);
    town.act(0, group, &Deed::Remove(person));
    town.silence(1);
    town.meet_slowly(0, 1);
    town.wants.clear();
    town.send(1, 0, named(group, None));
    assert_eq!(town.wants, [Want::Roster(Vec::new())]);
}

#[test]
fn a_request_beyond_the_limit_comes_when_there_is_room() {
    let mut town = Town::of(2);
    let mut groups = Vec::new();
    for _ in 0..=MAX_REQUESTS {
        let group = town.group(&[]);
        town.add(0, group, 1);
        groups.push(group);
    }
    town.meet(0, 1);
    let is_known = |town: &Town, group| town.devices[1].sync.as_ref().unwrap().get(group).is_some();
    let known: Vec<_> = groups
        .iter()
        .filter(|group| is_known(&town, group))
        .collect();
    assert_eq!(known.len(), MAX_REQUESTS);
    for group in known {
        town.accept(1, *group);
    }
    town.pass(2 * ROUND);
    assert!(groups.iter().all(|group| is_known(&town, group)));
}

#[test]
fn requests_of_many_strangers_leave_room_for_others() {
    let strangers = 20;
    let people: Vec<_> = (0..=strangers).collect();
    let mut town = Town::with(&people);
    let last = usize::from(strangers);
    for stranger in 0..last {
        for _ in 0..MAX_REQUESTS {
            let group = town.group_of(stranger);
            town.add(stranger, group, last);
        }
    }
    for stranger in 0..last {
        town.meet(stranger, last);
        town.pass(ROUND);
        town.part(stranger, last);
    }
    let sync = town.devices[last].sync.as_ref().unwrap();
    assert_eq!(sync.conversations().count(), MAX_ASKED);
}

#[test]
fn who_has_left_is_not_made_an_owner_in_vain() {
    let mut town = Town::of(2);
    let group = town.group(&[1]);
    town.meet(0, 1);
    town.act(1, group, &Deed::Leave);
    town.add(0, group, 1);
    town.pass(ROUND);
    town.accept(1, group);
    let owner = Deed::Owner(town.person(1));
    assert_eq!(town.try_act(0, group, &owner), Err(Unable::HasQuit));
}

#[test]
fn a_relay_that_keeps_the_body_of_an_edit_back_hides_it_only_until_another_is_met() {
    let mut town = Town::of(3);
    let group = town.group(&[1, 2]);
    town.meet(0, 1);
    let erased = town.say(0, group, "erased");
    town.talk(0, group, &Talk::Erase { of: erased });
    let of = town.say(0, group, "wrong");
    let text = "right".to_owned();
    let edit = town.talk(0, group, &Talk::Edit { of, text });
    town.part(0, 1);
    let mut log = town.log_of(1, group, 0);
    for entry in log.iter_mut().filter(|entry| entry.id == edit) {
        entry.body = None;
    }
    town.give(1, 2, group, &log);
    assert_eq!(town.texts(2, group), ["wrong"]);
    town.meet(0, 2);
    town.pass(ROUND);
    assert_eq!(town.texts(2, group), ["right"]);
}

#[test]
fn a_third_person_does_not_learn_what_was_declined() {
    let mut town = Town::of(3);
    let direct = town.direct(0, 1);
    town.meet(0, 1);
    town.decline(1, direct);
    town.meet(2, 1);
    town.frames = 0;
    let people = [town.person(0), town.person(1)];
    town.send(2, 1, named(direct, Some(people)));
    assert_eq!(town.frames, 0);
}
