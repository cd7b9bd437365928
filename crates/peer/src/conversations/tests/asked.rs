//! What front ends ask the store for.

use p2pchat_model::{CallId, FrontEndId, MessageId};
use p2pchat_protocol::v2::conversation::talk::Talk;

use super::super::calls::MAX_CALLS;
use super::super::{Change, MAX_UNREAD_BYTES, Reader, Said, Store};
use super::world::{World, person};
use crate::machine::SaidBy;

#[test]
fn a_message_is_found_by_its_id_and_nothing_else_is() {
    let mut world = World::new();
    let first = world.message(0, "one");
    let second = world.message(0, "two");
    let text = "three".to_owned();
    let edit = world.say(0, &Talk::Edit { of: first, text }).unwrap();
    world.settle();
    for at in [0, 1] {
        let store = &world.devices[at].store;
        let visible = world.visible(at);
        for id in [first, second] {
            let post = store.post(&world.group, &id, &visible).unwrap().unwrap();
            let message = post.entry.message_id();
            assert_eq!(store.entry_of(&world.group, message).unwrap(), Some(id));
            let (clock, writer, position) = message.parts();
            let others = [
                MessageId::of_entry(clock + 1, writer, position),
                MessageId::of_entry(clock, writer + 1, position),
                MessageId::of_entry(clock, writer, position + 1),
            ];
            for other in others {
                assert_eq!(store.entry_of(&world.group, other).unwrap(), None);
            }
            let place = Store::place_of(message);
            let page = store.page(&world.group, Some(place), 9, &visible).unwrap();
            let is_earlier = page
                .posts
                .iter()
                .all(|it| it.entry.place < post.entry.place);
            assert!(is_earlier && page.posts.len() == usize::from(id == second));
        }
        let (post, begins) = store
            .post_of(&world.group, &edit, &visible)
            .unwrap()
            .unwrap();
        assert_eq!((post.entry.id, begins), (first, false));
    }
}

#[test]
fn the_newest_calls_are_known_with_what_they_led_to() {
    let mut world = World::new();
    let entry = world.message(0, "one");
    let visible = world.visible(0);
    let store = &mut world.devices[0].store;
    let post = store.post(&world.group, &entry, &visible).unwrap().unwrap();
    let said = Said {
        entry,
        place: post.entry.place,
    };
    let call = |number: u64| SaidBy {
        front_end: FrontEndId::new("page").unwrap(),
        id: CallId::Number(number),
        fingerprint: u64::MAX - number,
    };
    let count = MAX_CALLS.cast_unsigned() + 10;
    let calls: Vec<_> = (0..count)
        .map(|number| Change::Call(call(number), said))
        .collect();
    store.commit(&calls).unwrap();
    for (number, is_known) in [(0, false), (9, false), (10, true), (count - 1, true)] {
        let known = store.call(&call(number)).unwrap();
        let expected = is_known.then_some((u64::MAX - number, said));
        assert_eq!(known, expected, "{number}");
    }
}

#[test]
fn unread_messages_are_counted_through_a_bounded_length_of_text() {
    let mut world = World::new();
    let long = "x".repeat(32 * 1024);
    let within = MAX_UNREAD_BYTES / long.len();
    for _ in 0..within + 5 {
        world.message(0, &long);
    }
    world.settle();
    let (store, visible) = (&world.devices[1].store, world.visible(1));
    let me = Reader {
        person: person(2),
        account: None,
        read: None,
    };
    let unread = store.unread(&world.group, &me, &visible).unwrap();
    assert_eq!(unread.messages, within as u64);
}
