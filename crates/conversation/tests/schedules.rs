//! Schedules that broke earlier designs or that a network brings about, one by one, without chance:
//! what each device does is said here.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[allow(dead_code, reason = "the simulation uses all of it")]
#[path = "simulation/device.rs"]
mod device;
#[allow(dead_code, reason = "the simulation uses all of it")]
#[path = "simulation/keys.rs"]
mod keys;
#[path = "schedules/town.rs"]
mod town;

use p2pchat_conversation::log::TalkLog;
use p2pchat_conversation::replica::{Deed, Fact, Role, Unable};
use p2pchat_conversation::roster::MAX_JOINS;
use p2pchat_conversation::seal::Next;
use p2pchat_conversation::seal::Seal;
use p2pchat_conversation::sync::{
    Frame, Have, Heads, Item, MAX_PIECE, MAX_PUSHES, PATIENCE, ROUND, Short, TELL_EVERY, Want, What,
};
use p2pchat_protocol::v2::conversation::talk::{Talk, TalkEntry};
use p2pchat_protocol::v2::conversation::{Clock, EntryId};

use town::{Town, text};

#[test]
fn a_message_reaches_who_was_away_though_its_writer_is_gone_for_good() {
    let mut town = Town::of(3);
    let group = town.group(&[1, 2]);
    town.meet(0, 1);
    town.say(0, group, "hello");
    assert_eq!(town.waiting(0, group), [town.person(2)]);
    town.part(0, 1);
    town.meet(1, 2);
    assert_eq!(town.texts(2, group), ["hello"]);
}

#[test]
fn two_halves_with_one_member_in_common_hold_the_same_at_once() {
    let mut town = Town::of(3);
    let group = town.group(&[1, 2]);
    town.meet(0, 1);
    town.meet(1, 2);
    let since = town.millis;
    town.say(0, group, "over the middle");
    town.pass(250);
    assert_eq!(town.texts(2, group), ["over the middle"]);
    // The writer hears of it when they meet, not before: no hearsay.
    assert_eq!(town.waiting(0, group), [town.person(2)]);
    town.meet(0, 2);
    assert_eq!(town.waiting(0, group), []);
    assert!(town.millis - since < 2_000);
}

#[test]
fn a_newcomer_sees_the_last_page_first() {
    let mut town = Town::of(2);
    let group = town.group(&[]);
    for number in 0..5_000 {
        town.say(0, group, &format!("message {number}"));
    }
    town.add(0, group, 1);
    town.meet_slowly(0, 1);
    town.deliver_until(|town| town.device(1).is_asked(group));
    town.accept(1, group);
    town.bytes = 0;
    town.deliver_until(|town| !town.texts(1, group).is_empty());
    // The page comes in one piece, beside the roster.
    town.deliver_until(|town| town.texts(1, group).len() > 100);
    let texts = town.texts(1, group);
    assert_eq!(texts.last().unwrap(), "message 4999");
    assert!(town.bytes <= MAX_PIECE, "{}", town.bytes);
    town.deliver();
    assert_eq!(town.texts(1, group).len(), 5_000);
}

#[test]
fn who_was_away_gets_the_newest_first_and_all_in_the_end() {
    let mut town = Town::of(2);
    let group = town.group(&[1]);
    town.meet(0, 1);
    town.say(0, group, "before");
    town.part(0, 1);
    for number in 0..2_000 {
        town.say(0, group, &format!("message {number}"));
    }
    town.meet_slowly(0, 1);
    town.deliver_until(|town| town.texts(1, group).last().unwrap() == "message 1999");
    assert!(town.texts(1, group).len() < 1_000);
    assert_ne!(town.waiting(0, group), []);
    town.pass(1_000);
    assert_eq!(town.texts(1, group).len(), 2_001);
    assert_eq!(town.waiting(0, group), []);
}

#[test]
fn a_flood_of_one_author_holds_nobody_else_up() {
    let mut town = Town::of(3);
    let group = town.group(&[1, 2]);
    town.meet(0, 1);
    town.meet(0, 2);
    town.meet_slowly(1, 2);
    town.deliver();
    for number in 0..5_000 {
        town.say_unheard(1, group, &format!("flood {number}"));
    }
    town.say_unheard(0, group, "in between");
    let others = |town: &Town| town.texts(2, group).iter().any(|text| text == "in between");
    town.deliver_until(others);
    // Beyond what may be pushed they come when they are asked for, in their turn.
    let pushed = u64::try_from(town.texts(2, group).len()).unwrap();
    assert!(pushed <= MAX_PUSHES + 1, "{pushed}");
    town.pass(ROUND);
    assert_eq!(town.texts(2, group).len(), 5_001);
}

#[test]
fn logs_are_asked_for_in_turns() {
    let mut town = Town::of(3);
    let group = town.group(&[1, 2]);
    town.meet(0, 1);
    for number in 0..3_000 {
        town.say(1, group, &format!("flood {number}"));
    }
    for number in 0..10 {
        town.say(0, group, &format!("message {number}"));
    }
    for number in 0..3_000 {
        town.say(1, group, &format!("flood more {number}"));
    }
    town.pass(1_000);
    town.meet_slowly(0, 2);
    let of_owner = |town: &Town| {
        let texts = town.texts(2, group);
        texts
            .iter()
            .filter(|text| text.starts_with("message"))
            .count()
    };
    town.deliver_until(|town| of_owner(town) == 10);
    assert!(
        town.texts(2, group).len() < 1_500,
        "{}",
        town.texts(2, group).len()
    );
}

#[test]
fn the_only_session_is_told_the_digests_each_round() {
    let mut town = Town::of(2);
    let group = town.group(&[1]);
    town.meet(0, 1);
    town.say(0, group, "hello");
    town.pass(2 * ROUND);
    for _ in 0..4 {
        let before = town.frames;
        town.pass(ROUND);
        assert_eq!(town.frames, before + 2);
    }
}

#[test]
fn who_is_removed_is_told_and_gets_nothing_more() {
    let mut town = Town::of(3);
    let group = town.group(&[1, 2]);
    town.meet(0, 1);
    town.meet(0, 2);
    town.part(0, 2);
    town.act(0, group, &Deed::Remove(town.person(2)));
    town.say(0, group, "without you");
    town.meet(1, 2);
    let replica = town.device(2).replica(group);
    assert_eq!(replica.own_role(), Role::Stranger);
    assert_eq!(replica.membership().removals.len(), 1);
    town.say(1, group, "nor from me");
    assert_eq!(town.texts(2, group), [""; 0]);
    // Asked again by an owner, they are in again, and see all if they were let.
    town.act(
        0,
        group,
        &Deed::Add {
            person: town.person(2),
            sees_all: true,
        },
    );
    town.pass(ROUND);
    town.accept(2, group);
    town.pass(ROUND);
    assert_eq!(town.texts(2, group), ["without you", "nor from me"]);
}

#[test]
fn no_receipt_is_awaited_of_who_was_removed_once_though_it_does_not_count_any_more() {
    let mut town = Town::with(&[0, 1, 1, 2]);
    let group = town.group(&[1, 3]);
    town.meet(0, 1);
    town.act(0, group, &Deed::Owner(town.person(1)));
    town.meet(1, 2);
    town.pass(ROUND);
    town.join_again(2, group);
    town.part(1, 2);
    // One device of an owner removes someone; the other, which does not know, resigns.
    town.act(1, group, &Deed::Remove(town.person(3)));
    town.act(2, group, &Deed::Resign);
    town.meet(0, 2);
    let replica = town.device(0).replica(group);
    assert!(replica.membership().members.contains_key(&town.person(3)));
    assert_eq!(replica.role(&town.person(3)), Role::Stranger);
    town.say(0, group, "hello");
    assert_eq!(town.waiting(0, group), []);
}

#[test]
fn a_member_cannot_bring_back_who_was_removed() {
    let mut town = Town::of(3);
    let group = town.group(&[1, 2]);
    town.meet(0, 1);
    town.meet(0, 2);
    town.act(0, group, &Deed::Remove(town.person(2)));
    let person = town.person(2);
    let add = Deed::Add {
        person,
        sees_all: true,
    };
    assert!(town.try_act(1, group, &add).is_err());
    assert!(town.try_act(2, group, &Deed::Leave).is_err());
    assert_eq!(town.device(0).replica(group).role(&person), Role::Stranger);
}

#[test]
fn a_leaving_is_told_by_the_one_who_left() {
    let mut town = Town::of(3);
    let group = town.group(&[1, 2]);
    town.meet(0, 1);
    town.meet(0, 2);
    town.part(0, 1);
    town.part(0, 2);
    town.say(2, group, "good bye");
    town.act(2, group, &Deed::Leave);
    town.meet(1, 2);
    let person = town.person(2);
    assert_eq!(town.device(1).replica(group).role(&person), Role::Stranger);
    assert_eq!(town.texts(1, group), ["good bye"], "nobody else has it");
    // The others carry both on.
    town.part(1, 2);
    town.meet(0, 1);
    assert_eq!(town.device(0).replica(group).role(&person), Role::Stranger);
    assert_eq!(town.texts(0, group), ["good bye"]);
}

#[test]
fn any_member_brings_an_invitation_and_no_one_asks_twice() {
    let mut town = Town::of(3);
    let group = town.group(&[1]);
    town.meet(0, 1);
    town.add(0, group, 2);
    town.part(0, 1);
    // The one who asked does not come back.
    town.meet(1, 2);
    assert!(town.device(2).is_asked(group));
    town.decline(2, group);
    assert_eq!(
        town.device(1).replica(group).role(&town.person(2)),
        Role::Stranger
    );
    town.part(1, 2);
    town.frames = 0;
    town.meet(1, 2);
    assert_eq!(town.frames, 0);
    // Who has not heard of it names the conversation once, and is answered.
    town.meet(0, 2);
    assert_eq!(
        town.device(0).replica(group).role(&town.person(2)),
        Role::Stranger
    );
}

#[test]
fn a_direct_conversation_begins_when_the_other_accepts() {
    let mut town = Town::of(3);
    let direct = town.direct(0, 1);
    town.say(0, direct, "are you there?");
    town.meet(0, 1);
    assert!(town.device(1).is_asked(direct));
    assert_eq!(town.device(1).bodies(direct), [""; 0]);
    // What has waited is sent at once, and the next thing that its writer is told is the receipt.
    town.join_at_once(1, direct);
    assert_eq!(town.texts(1, direct), ["are you there?"]);
    town.pass(TELL_EVERY);
    assert_eq!(town.waiting(0, direct), []);
    town.say(1, direct, "yes");
    assert_eq!(town.texts(0, direct), ["are you there?", "yes"]);
    // Nobody else hears of it.
    town.frames = 0;
    town.meet(0, 2);
    assert_eq!(town.frames, 0);
}

#[test]
fn a_fork_far_below_is_found_by_halving() {
    let mut town = Town::of(3);
    let group = town.group(&[1, 2]);
    town.meet(0, 1);
    town.say(1, group, "the trunk");
    let trunk = town.log_of(0, group, 1);
    town.part(0, 1);
    // One branch for each of the others, a thousand entries long.
    let left = town.branch(1, &trunk, 1_000, "left");
    let right = town.branch(1, &trunk, 1_000, "right");
    town.give(1, 0, group, &left);
    town.meet(0, 2);
    town.part(0, 2);
    town.forget_talk_above(2, group, &trunk);
    town.give(1, 2, group, &right);
    assert_ne!(town.texts(0, group), town.texts(2, group));
    town.frames = 0;
    town.meet(0, 2);
    town.pass(ROUND);
    assert_eq!(town.texts(0, group), ["the trunk"]);
    assert_eq!(town.texts(2, group), ["the trunk"]);
    for device in [0, 2] {
        let ends = town.ends(device, group);
        assert_eq!(ends, [(1, true)], "device {device}");
    }
    assert!(town.frames < 200, "{}", town.frames);
}

#[test]
fn heads_that_no_one_serves_hold_nothing_up() {
    let mut town = Town::of(4);
    let group = town.group(&[1, 2, 3]);
    for other in 1..4 {
        town.meet(0, other);
    }
    town.part(0, 3);
    town.say(0, group, "wanted");
    let log = town.log_of(0, group, 0);
    town.part(0, 1);
    town.part(0, 2);
    // The second claims to hold more than there is, and answers nothing.
    town.silence(1);
    town.meet(1, 3);
    let newest = log.last().unwrap();
    let item = Item {
        join: newest.header.join,
        lowest: 0,
        has_older: false,
        next: newest.header.position + 50,
        newest: Short([9; 16]),
        clock: Clock::MAX,
        end: None,
    };
    let have = Have {
        people: None,
        roster: town.roster_hash(3, group),
        heads: Heads::Items(vec![item]),
        asks: false,
    };
    town.send(
        1,
        3,
        Frame {
            conversation: group,
            what: What::Have(have),
        },
    );
    assert_eq!(town.texts(3, group), [""; 0]);
    town.meet(2, 3);
    town.pass(PATIENCE);
    town.pass(1_000);
    assert_eq!(town.texts(3, group), ["wanted"]);
}

#[test]
fn a_receipt_is_news_for_what_was_not_known_alone() {
    let mut town = Town::of(2);
    let group = town.group(&[1]);
    town.meet(0, 1);
    for text in ["one", "two", "three"] {
        town.say(0, group, text);
    }
    let join = town.log_of(0, group, 0)[0].header.join;
    let mut replica = town.device(0).replica(group).clone();
    let person = town.person(1);
    let mut news = |range| {
        let facts = replica.note_got(person, join, range);
        let ranges = facts.into_iter().map(|fact| match fact {
            Fact::Got { range, .. } => range,
            other => panic!("{other:?}"),
        });
        ranges.collect::<Vec<_>>()
    };
    assert_eq!(news(10..12).pop(), Some(10..12));
    assert_eq!(news(8..15), [12..15, 8..10]);
    assert!(news(8..15).is_empty());
}

#[test]
fn who_answers_late_is_asked_again_at_once() {
    let mut town = Town::of(2);
    let group = town.group(&[1]);
    town.meet(0, 1);
    town.say(0, group, "before");
    town.pass(1_000);
    town.part(0, 1);
    town.say(0, group, "meanwhile");
    town.meet_slowly(0, 1);
    town.deliver_until(|town| town.is_asked_for(0));
    town.silence(0);
    town.pass(PATIENCE);
    town.wake(0);
    assert_eq!(town.texts(1, group), ["before"]);
    let what = What::Done;
    town.send(
        0,
        1,
        Frame {
            conversation: group,
            what,
        },
    );
    town.pass(1_000);
    assert_eq!(town.texts(1, group), ["before", "meanwhile"]);
}

#[test]
fn entries_without_their_bodies_count_as_not_held() {
    let mut town = Town::of(3);
    let group = town.group(&[1, 2]);
    town.meet(0, 1);
    town.say(0, group, "kept back");
    let mut log = town.log_of(0, group, 0);
    town.part(0, 1);
    town.meet(1, 2);
    town.part(1, 2);
    let log_id = log[0].header.join;
    town.forget_talk_above(2, group, &[]);
    log.iter_mut().for_each(|entry| entry.body = None);
    town.give(1, 2, group, &log);
    assert_eq!(
        town.device(2)
            .replica(group)
            .log(&log_id)
            .map_or(0, TalkLog::len),
        0
    );
    town.meet(0, 2);
    assert_eq!(town.texts(2, group), ["kept back"]);
}

#[test]
fn an_erase_takes_a_message_that_comes_later_and_its_edits() {
    let mut town = Town::of(2);
    let group = town.group(&[1]);
    town.meet(0, 1);
    let wrong = town.say(0, group, "wrong");
    town.talk(
        0,
        group,
        &Talk::Edit {
            of: wrong,
            text: "worse".to_owned(),
        },
    );
    town.talk(0, group, &Talk::Erase { of: wrong });
    assert_eq!(town.texts(1, group), [""; 0]);
    let edit = Talk::Edit {
        of: wrong,
        text: "again".to_owned(),
    };
    assert!(town.try_talk(0, group, &edit).is_err());
    let bodies = town.device(1).bodies(group);
    assert!(!bodies.iter().any(|body| body.contains("w")), "{bodies:?}");
}

#[test]
fn an_entry_of_the_future_waits_and_its_writer_begins_a_new_log() {
    let mut town = Town::of(2);
    let group = town.group(&[1]);
    town.meet(0, 1);
    town.devices[1].skew = 3 * 3_600_000;
    town.say(1, group, "three hours ahead");
    assert_eq!(town.texts(0, group), [""; 0]);
    town.say(0, group, "not after that");
    town.devices[1].skew = 0;
    town.say(1, group, "right again");
    town.say_again(1, group);
    assert_eq!(
        town.texts(0, group),
        ["not after that", "right again", "three hours ahead"]
    );
    assert_eq!(town.logs_of(0, group, 1), 2);
}

#[test]
fn a_copied_folder_writes_to_a_new_log() {
    let mut town = Town::of(2);
    let group = town.group(&[1]);
    town.meet(0, 1);
    town.say(1, group, "one");
    let copy = town.devices[1].disk.clone();
    town.say(1, group, "two");
    town.part(0, 1);
    town.devices[1].disk = copy;
    town.restart_as_copy(1);
    town.say(1, group, "three");
    town.meet(0, 1);
    assert_eq!(town.texts(0, group), ["one", "two", "three"]);
    assert_eq!(town.texts(1, group), ["one", "two", "three"]);
    assert_eq!(town.logs_of(0, group, 1), 2);
}

#[test]
fn a_folder_put_back_unnoticed_fetches_its_own_log_before_it_writes() {
    let mut town = Town::of(2);
    let group = town.group(&[1]);
    town.meet(0, 1);
    town.say(1, group, "one");
    let copy = town.devices[1].disk.clone();
    town.say(1, group, "two");
    town.part(0, 1);
    town.devices[1].disk = copy;
    town.devices[1].start();
    town.meet_slowly(0, 1);
    assert!(!town.is_settled(1, group));
    town.deliver_until(|town| town.is_settled(1, group));
    town.say(1, group, "three");
    assert_eq!(town.texts(0, group), ["one", "two", "three"]);
    assert_eq!(town.ends(0, group), []);
    assert_eq!(town.logs_of(0, group, 1), 1);
}

#[test]
fn a_new_key_is_another_conversation() {
    let mut town = Town::of(3);
    let queued = town.direct(0, 1);
    town.say(0, queued, "for the old key");
    // The same name may stand for the other key now; nothing is sent there by itself.
    let other = town.direct(0, 2);
    assert_ne!(queued, other);
    town.meet(0, 2);
    town.accept(2, other);
    assert_eq!(town.texts(2, other), [""; 0]);
    assert_eq!(town.texts(2, queued), [""; 0]);
}

#[test]
fn an_answer_is_a_receipt() {
    let mut town = Town::of(3);
    let group = town.group(&[1, 2]);
    town.meet(0, 1);
    let asked = town.say(0, group, "who comes?");
    town.meet(1, 2);
    town.part(0, 1);
    town.talk(
        2,
        group,
        &Talk::Reply {
            to: asked,
            text: "I do".to_owned(),
        },
    );
    town.part(1, 2);
    assert_eq!(town.waiting(0, group), [town.person(2)]);
    town.meet(0, 1);
    assert_eq!(town.waiting(0, group), []);
}

#[test]
fn a_second_device_gets_all_conversations() {
    let mut town = Town::with(&[0, 0, 1]);
    let group = town.group(&[2]);
    town.meet(0, 2);
    let direct = town.direct(0, 2);
    town.pass(1_000);
    town.accept(2, direct);
    town.say(2, direct, "to you alone");
    town.say(2, group, "to all");
    town.meet(0, 1);
    town.pass(ROUND);
    for id in [group, direct] {
        town.join_again(1, id);
    }
    assert_eq!(town.texts(1, direct), ["to you alone"]);
    assert_eq!(town.texts(1, group), ["to all"]);
    town.say(1, group, "from the other");
    assert_eq!(town.texts(0, group), ["to all", "from the other"]);
}

#[test]
fn ten_thousand_names_of_conversations_leave_nothing_behind() {
    let mut town = Town::of(2);
    town.meet(0, 1);
    for number in 0..10_000_u32 {
        let mut id = [7; 32];
        id[..4].copy_from_slice(&number.to_be_bytes());
        let have = Have {
            people: None,
            roster: Short([1; 16]),
            heads: Heads::Digest(Short([2; 16])),
            asks: true,
        };
        let conversation = p2pchat_protocol::v2::conversation::ConversationId(id);
        town.send(
            0,
            1,
            Frame {
                conversation,
                what: What::Have(have),
            },
        );
    }
    assert_eq!(
        town.devices[1]
            .sync
            .as_ref()
            .unwrap()
            .conversations()
            .count(),
        0
    );
    assert_eq!(town.devices[1].disk.len(), 0);
    // Others are heard all the same.
    town.part(0, 1);
    let group = town.group(&[]);
    town.add(0, group, 1);
    town.meet(0, 1);
    assert!(town.device(1).is_asked(group));
}

#[test]
fn requests_of_one_person_are_limited() {
    let mut town = Town::of(2);
    for _ in 0..40 {
        let group = town.group(&[]);
        town.add(0, group, 1);
    }
    town.meet(0, 1);
    town.pass(ROUND);
    let sync = town.devices[1].sync.as_ref().unwrap();
    assert_eq!(
        sync.conversations().count(),
        p2pchat_conversation::sync::MAX_REQUESTS
    );
}

#[test]
fn a_stranger_is_served_nothing() {
    let mut town = Town::of(3);
    let group = town.group(&[1]);
    town.meet(0, 1);
    let secret = town.say(0, group, "a secret");
    let log = town.log_of(0, group, 0);
    assert_eq!(log.last().map(|entry| entry.id), Some(secret));
    town.meet(0, 2);
    town.frames = 0;
    let join = log[0].header.join;
    for want in [
        Want::Newest,
        Want::Roster(Vec::new()),
        Want::Log {
            join,
            range: 0..u64::MAX,
        },
        Want::Proof(join),
    ] {
        town.send(
            2,
            0,
            Frame {
                conversation: group,
                what: What::Want(want),
            },
        );
    }
    assert_eq!(town.frames, 0);
    let keys = town.devices[2].keys.clone();
    let forged: TalkEntry = keys.speak(
        Next {
            conversation: group,
            join,
            position: log.len() as u64,
            previous: log.last().map_or(EntryId([0; 32]), |last| last.id),
            clock: town.devices[2].now(town.millis).clock,
        },
        &text("forged"),
    );
    let what = What::Talk {
        join,
        stretch: vec![forged],
    };
    town.send(
        2,
        0,
        Frame {
            conversation: group,
            what,
        },
    );
    assert_eq!(town.texts(0, group), ["a secret"]);
}

#[test]
fn who_has_joined_too_often_by_members_is_brought_back_by_an_owner() {
    let mut town = Town::of(3);
    let group = town.group(&[1, 2]);
    for (one, other) in [(0, 1), (0, 2), (1, 2)] {
        town.meet(one, other);
    }
    let bob = town.person(1);
    let add = Deed::Add {
        person: bob,
        sees_all: true,
    };
    for _ in 0..MAX_JOINS {
        town.act(1, group, &Deed::Leave);
        town.act(2, group, &add);
        town.accept(1, group);
        town.say(1, group, "back");
    }
    town.act(1, group, &Deed::Leave);
    assert_eq!(town.try_act(2, group, &add), Err(Unable::TheyTooOften));
    town.act(0, group, &add);
    town.accept(1, group);
    town.say(1, group, "for good");
    for device in 0..3 {
        let texts = town.texts(device, group);
        assert_eq!(texts.len(), MAX_JOINS + 1, "nothing of before is lost");
        assert_eq!(texts.last().unwrap(), "for good");
    }
}

#[test]
fn who_can_begin_no_further_log_can_leave_and_be_added_again() {
    let mut town = Town::of(2);
    let group = town.group(&[1]);
    town.meet(0, 1);
    let direct = town.direct(1, 0);
    town.accept(0, direct);
    for _ in 1..MAX_JOINS {
        town.join_again(1, group);
        town.join_again(1, direct);
    }
    // What the data folder began is not gone on with.
    town.part(0, 1);
    town.restart_as_copy(1);
    town.meet(0, 1);
    let said = |town: &mut Town, id| town.try_talk(1, id, &text("stuck"));
    assert_eq!(said(&mut town, direct), Err(Unable::TooOftenDirect));
    assert_eq!(said(&mut town, group), Err(Unable::TooOften));
    town.act(1, group, &Deed::Leave);
    town.add(0, group, 1);
    town.accept(1, group);
    town.say(1, group, "here again");
    assert_eq!(town.texts(0, group), ["here again"]);
}
