//! Pages, unread marks, search and retention.

use std::collections::BTreeMap;

use p2pchat_conversation::message::{Place, Text};
use p2pchat_conversation::replica::{Deed, Fact};
use p2pchat_model::{MessageId, Username};
use p2pchat_protocol::v2::conversation::Clock;
use p2pchat_protocol::v2::conversation::talk::Talk;

use super::super::retention::Limits;
use super::super::{Change, MAX_UNREAD, Reader, Store, Visible};
use super::world::{World, person};

#[test]
fn a_page_has_messages_with_what_names_them() {
    let mut world = World::new();
    let first = world.message(0, "first");
    let text = "second".to_owned();
    world.say(1, &Talk::Message { text });
    world.settle();
    let emoji = "👍".to_owned();
    world.say(1, &Talk::Reaction { to: first, emoji });
    let text = "the first".to_owned();
    world.say(0, &Talk::Edit { of: first, text });
    let text = "third".to_owned();
    world.say(0, &Talk::Reply { to: first, text });
    world.settle();
    assert_eq!(world.texts(1), ["the first", "second", "third"]);

    let (store, visible) = (&world.devices[1].store, world.visible(1));
    let newest = store.page(&world.group, None, 2, &visible).unwrap();
    assert!(newest.more);
    let place = newest.posts[0].entry.place;
    let older = store.page(&world.group, Some(place), 2, &visible).unwrap();
    assert!(!older.more);
    let [post] = &older.posts[..] else {
        panic!("one message");
    };
    assert_eq!((post.entry.id, post.naming.len()), (first, 2));
    let message = post.message().unwrap();
    assert_eq!(message.reactions["👍"], [person(2)]);
    assert_eq!(newest.posts[1].message().unwrap().answers, Some(first));
    assert_eq!(
        store.last(&world.group, &visible).unwrap().unwrap(),
        newest.posts[1]
    );

    let unread = |read, me: u8| {
        let me = Reader {
            person: person(me),
            account: None,
            read,
        };
        store.unread(&world.group, &me, &visible).unwrap().messages
    };
    assert_eq!((unread(None, 2), unread(None, 1)), (2, 1));
    assert_eq!((unread(Some(place), 2), unread(Some(place), 1)), (1, 0));
}

#[test]
fn what_is_unread_is_counted_on_or_once_more_where_it_has_to_be() {
    let mut world = World::new();
    let mut reader = Reader {
        person: person(1),
        account: Some(Username::new("ann").unwrap()),
        read: None,
    };
    let unread = |world: &World, reader: &Reader| {
        let (store, visible) = (&world.devices[0].store, world.visible(0));
        let count = || store.unread(&world.group, reader, &visible).unwrap();
        let counted_on = count();
        store.counted.borrow_mut().clear();
        assert_eq!(counted_on, count(), "counted from the beginning");
        (counted_on.messages, counted_on.mentions)
    };
    let first = world.message(1, "first");
    world.message(1, "hi @ann");
    world.settle();
    assert_eq!(unread(&world, &reader), (2, 1));
    world.message(1, "third");
    world.message(0, "an own one");
    world.settle();
    assert_eq!(unread(&world, &reader), (3, 1));

    // One that was written before what was counted, and comes later.
    world.switch(1);
    world.message(1, "@Ann, are you there?");
    world.message(0, "another own one");
    assert_eq!(unread(&world, &reader), (3, 1));
    world.switch(1);
    world.settle();
    assert_eq!(unread(&world, &reader), (4, 2));

    world.say(1, &Talk::Erase { of: first });
    world.settle();
    assert_eq!(unread(&world, &reader), (3, 2));
    let (store, visible) = (&world.devices[0].store, world.visible(0));
    let posts = store.page(&world.group, None, 9, &visible).unwrap().posts;
    let read = posts.iter().find(|post| {
        let message = post.message();
        message.is_some_and(|message| message.text == Text::Shown("third"))
    });
    reader.read = read.map(|post| post.entry.place);
    assert_eq!(unread(&world, &reader), (1, 1));
    reader.account = None;
    assert_eq!(unread(&world, &reader), (1, 0));

    let join = posts[0].entry.join;
    let position = posts.last().unwrap().entry.place.position;
    let floor = Fact::Floor { join, position };
    let floor = Change::Facts(world.group, vec![floor]);
    world.devices[0].store.commit(&[floor]).unwrap();
    unread(&world, &reader);
    world.act(0, &Deed::Remove(person(2)));
    unread(&world, &reader);
}

#[test]
fn so_many_unread_messages_are_counted_however_many_come() {
    let mut world = World::new();
    let reader = Reader {
        person: person(2),
        account: None,
        read: None,
    };
    for part in 0..3 {
        for number in 0..MAX_UNREAD / 2 {
            world.message(0, &format!("{part}, {number}"));
        }
        world.settle();
        let (store, visible) = (&world.devices[1].store, world.visible(1));
        let unread = store.unread(&world.group, &reader, &visible).unwrap();
        let all = (part + 1) * (MAX_UNREAD / 2);
        assert_eq!(unread.messages, all.min(MAX_UNREAD));
    }
}

#[test]
fn a_page_begins_at_any_message() {
    let mut world = World::new();
    let texts = ["one", "two", "three", "four"];
    for text in texts {
        world.message(0, text);
    }
    let (store, visible) = (&world.devices[0].store, world.visible(0));
    let all = store.page(&world.group, None, 9, &visible).unwrap().posts;
    let from = |place: &Place, count| {
        let page = store.page_from(&world.group, place, count, &visible);
        page.map(|page| (page.posts, page.more)).unwrap()
    };
    let second = all[1].entry.place;
    assert_eq!(from(&second, 2), (all[1..3].to_vec(), true));
    assert_eq!(from(&second, 3), (all[1..].to_vec(), false));
    let first = Store::place_of(MessageId::FIRST);
    assert_eq!(from(&first, 9).0, all, "whatever it is");
    let last = Store::place_of(MessageId::LAST);
    assert_eq!(from(&last, 9), (Vec::new(), false));
}

#[test]
fn what_does_not_count_is_not_shown_or_found() {
    let mut world = World::new();
    world.message(0, "apple");
    let message = world.message(0, "banana");
    let text = "cherry".to_owned();
    world.say(0, &Talk::Edit { of: message, text });
    let store = &world.devices[0].store;
    let all = world.visible(0);
    let places: Vec<_> = store.page(&world.group, None, 9, &all).unwrap().posts;
    let clocks: Vec<_> = places.iter().map(|post| post.entry.place.clock).collect();
    let shown = |visible: &Visible| {
        let page = store.page(&world.group, None, 9, visible).unwrap();
        page.posts.len()
    };
    let found = |visible: &Visible, word| {
        let within = BTreeMap::from([(world.group, visible.clone())]);
        store.find(&within, word, 9).unwrap().len()
    };
    assert_eq!((shown(&all), found(&all, "cherry")), (2, 1));
    let from = Visible {
        from: clocks[0],
        ..all.clone()
    };
    assert_eq!((shown(&from), found(&from, "apple")), (1, 0));
    let latest = Visible {
        latest: clocks[1],
        ..all.clone()
    };
    // The edit is later: its text is not shown, so it is not found.
    assert_eq!((shown(&latest), found(&latest, "cherry")), (2, 0));
    let limits = all.limits.keys().map(|join| (*join, 1)).collect();
    let cut = Visible { limits, ..all };
    assert_eq!(
        (shown(&cut), found(&cut, "cherry"), found(&cut, "apple")),
        (1, 0, 1)
    );
    assert_eq!(shown(&Visible::default()), 0);
}

#[test]
fn search_is_over_all_conversations_or_one() {
    let mut world = World::new();
    world.message(0, "Crème brûlée for all");
    let now = world.now();
    let store = &world.devices[0].store;
    let all = BTreeMap::from([(world.group, world.visible(0))]);
    for words in ["creme", "brul", "ALL creme"] {
        assert_eq!(store.find(&all, words, 9).unwrap().len(), 1, "{words}");
    }
    for words in ["", "\"", "brul creme", "creme OR nothing", "nothing"] {
        assert!(store.find(&all, words, 9).unwrap().is_empty(), "{words}");
    }
    let effects = world.devices[0].sync.direct(person(3), now);
    let (direct, effects) = effects.unwrap();
    world.perform(0, effects);
    let text = "creme of the crop".to_owned();
    let said = world.devices[0]
        .sync
        .say(direct, &Talk::Message { text }, None, now);
    world.perform(0, said.unwrap().1);
    let other = Visible::of(world.devices[0].sync.get(&direct).unwrap(), Clock::MAX);
    let store = &world.devices[0].store;
    let find = |within: BTreeMap<_, _>, count| {
        let found = store.find(&within, "creme", count).unwrap();
        found.iter().map(|(id, _)| *id).collect::<Vec<_>>()
    };
    assert_eq!(find(BTreeMap::from([(direct, other.clone())]), 9), [direct]);
    let both = BTreeMap::from([(direct, other), (world.group, world.visible(0))]);
    assert_eq!(find(both.clone(), 9), [direct, world.group]);
    assert_eq!(find(both, 1), [direct]);
    assert!(find(BTreeMap::new(), 9).is_empty());
}

fn floors(facts: &[Fact]) -> Vec<u64> {
    let positions = facts.iter().map(|fact| match fact {
        Fact::Floor { position, .. } => *position,
        other => panic!("{other:?}"),
    });
    positions.collect()
}

fn limits(bodies: i64, bytes: i64) -> Limits {
    Limits {
        bodies,
        bytes,
        check_every: 1,
    }
}

fn apply(world: &mut World, floors: Vec<Fact>) {
    let change = Change::Facts(world.group, floors);
    world.devices[0].store.commit(&[change]).unwrap();
    world.restart(0);
}

#[test]
fn the_member_with_the_most_loses_the_oldest_first() {
    let mut world = World::with_limits(limits(10, i64::MAX));
    for number in 0..4 {
        world.message(1, &format!("early {number}"));
    }
    world.settle();
    for number in 0..9 {
        world.message(0, &format!("flood {number}"));
    }
    let surplus = world.devices[0].store.surplus().unwrap();
    let [(group, facts)] = &surplus[..] else {
        panic!("one conversation");
    };
    assert_eq!(*group, world.group);
    assert_eq!(
        floors(facts),
        [3],
        "3 of the 9 who came after the other's 4"
    );
    apply(&mut world, facts.clone());
    assert_eq!(world.texts(0).len(), 10);
    assert_eq!(world.texts(0)[4], "flood 3");
    assert!(world.found(0, "flood 2").is_empty());
    assert_eq!(world.devices[0].store.surplus().unwrap(), []);
}

#[test]
fn the_bytes_of_a_conversation_are_bounded_too() {
    let mut world = World::with_limits(limits(i64::MAX, 1_000));
    for number in 0..9 {
        world.message(1, &format!("short {number}"));
    }
    world.settle();
    for _ in 0..3 {
        world.message(0, &"long ".repeat(80));
    }
    let surplus = world.devices[0].store.surplus().unwrap();
    let [(_, facts)] = &surplus[..] else {
        panic!("one conversation");
    };
    assert_eq!(floors(facts), [2], "2 of 3 long ones, none of 9 short ones");
    let facts = facts.clone();
    apply(&mut world, facts);
    assert_eq!(world.texts(0).len(), 10);
}

#[test]
fn what_is_older_than_a_time_goes() {
    let mut world = World::new();
    world.message(0, "old");
    world.message(1, "old too");
    world.settle();
    let time = world.now().clock;
    world.message(0, "new");
    let old = world.devices[0].store.older_than(time).unwrap();
    assert_eq!(old.len(), 1);
    assert_eq!(floors(&old[0].1), [1, 1]);
    apply(&mut world, old[0].1.clone());
    assert_eq!(world.texts(0), ["new"]);
    assert_eq!(world.devices[0].store.older_than(time).unwrap(), []);
}

#[test]
fn many_messages_are_indexed_as_they_are_stored_and_the_edited_by_their_latest_text() {
    let mut world = World::new();
    world.switch(1);
    let ids: Vec<_> = (0..20)
        .map(|number| world.message(0, &format!("walrus {number}")))
        .collect();
    let text = "otter".to_owned();
    world.say(0, &Talk::Edit { of: ids[3], text });
    world.say(0, &Talk::Erase { of: ids[4] });
    world.switch(1);
    world.settle();
    let count = |sql: &str| -> i64 {
        let connection = &world.devices[1].store.connection;
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let indexed = count("SELECT count(*) FROM talk WHERE indexed");
    assert_eq!(indexed, 18, "all but the edited and the erased one");
    assert!(count("SELECT count(*) FROM touched") < 4);
    assert_eq!(world.found(1, "walrus").len(), 18);
    assert_eq!(world.found(1, "walrus 7"), ["walrus 7"]);
    assert_eq!(world.found(1, "otter"), ["otter"]);
    let text = "seal".to_owned();
    world.say(0, &Talk::Edit { of: ids[7], text });
    world.settle();
    assert!(world.found(1, "walrus 7").is_empty());
    assert_eq!(world.found(1, "seal"), ["seal"]);
}
