//! Messages with what names them, in every order.

use p2pchat_protocol::v2::{DeviceKey, PublicKey};
use proptest::prelude::*;

use super::*;

const ROOT: EntryId = EntryId([0; 32]);

fn person(number: u8) -> PersonKey {
    PersonKey(PublicKey([number; 32]))
}

/// An entry of person `author` at a time.
fn written(author: u8, at: u64, talk: &Talk) -> Written<'_> {
    let mut id = [author; 32];
    id[..8].copy_from_slice(&at.to_be_bytes());
    Written {
        id: EntryId(id),
        place: Place {
            clock: Clock::from_millis(at),
            device: DeviceKey(PublicKey([author; 32])),
            position: at,
        },
        author: person(author),
        talk: Some(talk),
    }
}

fn hello() -> Talk {
    Talk::Message {
        text: "helo".to_owned(),
    }
}

fn root(talk: &Talk) -> Written<'_> {
    Written {
        id: ROOT,
        ..written(1, 10, talk)
    }
}

fn edit(text: &str) -> Talk {
    let text = text.to_owned();
    Talk::Edit { of: ROOT, text }
}

fn reaction(emoji: &str) -> Talk {
    let emoji = emoji.to_owned();
    Talk::Reaction { to: ROOT, emoji }
}

#[test]
fn only_the_author_edits_and_the_last_edit_holds() {
    let talk = hello();
    let edits = ["hello", "hello!", "hacked", "before"].map(edit);
    let naming = [
        written(1, 30, &edits[1]),
        written(1, 20, &edits[0]),
        written(2, 40, &edits[2]),
        written(1, 5, &edits[3]),
    ];
    let shown = message(&root(&talk), &naming).unwrap();
    assert_eq!(shown.text, Text::Shown("hello!"));
    assert_eq!(shown.edited, Some(Clock::from_millis(30)));
}

#[test]
fn an_erase_by_the_author_takes_the_message_and_all_its_edits_whenever_they_come() {
    let talk = hello();
    let (erase, text) = (Talk::Erase { of: ROOT }, edit("later"));
    let by_another = [written(2, 20, &erase)];
    assert_eq!(erased(&root(&talk), &by_another), []);
    let shown = message(&root(&talk), &by_another).unwrap();
    assert_eq!(shown.text, Text::Shown("helo"));

    let naming = [written(1, 20, &erase), written(1, 30, &text)];
    let shown = message(&root(&talk), &naming).unwrap();
    assert_eq!((shown.text, shown.edited), (Text::Erased, None));
    assert_eq!(erased(&root(&talk), &naming), [ROOT, naming[1].id]);
}

#[test]
fn a_reply_is_shown_without_the_text_of_what_it_answers() {
    let (to, text) = (EntryId([9; 32]), "yes".to_owned());
    let reply = Talk::Reply { to, text };
    let shown = message(&root(&reply), &[]).unwrap();
    assert_eq!((shown.text, shown.answers), (Text::Shown("yes"), Some(to)));
}

#[test]
fn the_last_reaction_of_a_person_counts_and_an_empty_one_takes_it_back() {
    let talk = hello();
    let [heart, thumb, none] = ["❤", "👍", ""].map(reaction);
    let naming = [
        written(3, 40, &thumb),
        written(2, 30, &thumb),
        written(2, 20, &heart),
        written(4, 20, &heart),
        written(4, 21, &none),
    ];
    let shown = message(&root(&talk), &naming).unwrap();
    let expected = [("👍", vec![person(2), person(3)])];
    assert_eq!(shown.reactions, BTreeMap::from(expected));
}

#[test]
fn what_is_no_message_and_what_is_not_kept_is_told_apart() {
    let reaction = reaction("👍");
    assert_eq!(message(&root(&reaction), &[]), None);
    let lost = Written {
        talk: None,
        ..root(&reaction)
    };
    assert_eq!(message(&lost, &[]).unwrap().text, Text::Missing);
}

proptest! {
    /// Whatever the order in which entries came: one message.
    #[test]
    fn shuffled_entries_show_one_message(
        entries in prop::collection::vec((1_u8..4, 0_u64..40), 0..20)
            .prop_flat_map(|entries| (Just(entries.clone()), Just(entries).prop_shuffle())),
    ) {
        let talk = hello();
        let kinds = [
            edit("a"), edit("b"), reaction("👍"), reaction("❤"), reaction(""), reaction("🎉"),
            edit("c"), Talk::Erase { of: EntryId([7; 32]) },
        ];
        // One device does not use a place twice: the kind follows from it.
        let of = |entries: &[(u8, u64)]| -> Vec<_> {
            let kind = |author: u8, at: u64| (at as usize * 3 + usize::from(author)) % kinds.len();
            let entries = entries.iter();
            entries.map(|&(author, at)| written(author, at, &kinds[kind(author, at)])).collect()
        };
        let (in_order, shuffled) = (of(&entries.0), of(&entries.1));
        prop_assert_eq!(message(&root(&talk), &in_order), message(&root(&talk), &shuffled));
    }
}
