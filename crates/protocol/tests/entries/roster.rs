//! Roster entries: what is refused, and what fits.

use std::collections::BTreeSet;

use p2pchat_protocol::v2::conversation::roster::{Act, Add, RosterEntry};
use p2pchat_protocol::v2::conversation::{Clock, EntryError, EntryId};
use p2pchat_protocol::v2::{Certificate, DisplayName};

use crate::{
    GROUP, JOIN, SALT, SIGNATURE, accepting, add_of, bytes, certificate, changed, entry, hash, ids,
    numbered, person, read,
};

#[test]
fn the_longest_add_fits_into_the_join_that_accepts_it() {
    // The head, person, clock and count, the ids and a signature.
    let count = u16::try_from((RosterEntry::MAX_ADD - 74 - 42 - 64) / 32).unwrap();
    let longest = bytes(&add_of(person(1), ids(count)));
    assert!(longest.len() > RosterEntry::MAX_ADD - 32);
    let join = bytes(&accepting(&longest, person(1)));
    assert_eq!(join.len(), longest.len() + 285);
    assert!(join.len() <= RosterEntry::MAX);
    let too_long = entry(&add_of(person(1), ids(count + 1)));
    assert_eq!(too_long, Err(EntryError::TooLong));
    assert_eq!(RosterEntry::MAX_ADD + 285, RosterEntry::MAX);
}

#[test]
fn an_entry_that_nobody_could_read_is_not_written() {
    for count in [1_100, u16::MAX] {
        let keeps = ids(count);
        assert_eq!(entry(&Act::Resign { keeps }), Err(EntryError::TooLong));
    }
    let more_than_a_count_tells = (0..70_000_u32).map(|number| {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&number.to_be_bytes());
        EntryId(id)
    });
    let keeps = more_than_a_count_tells.collect();
    assert_eq!(entry(&Act::Resign { keeps }), Err(EntryError::TooLong));
    let owner = Act::Owner { person: person(1) };
    let nowhere = RosterEntry::new(None, Some(JOIN), Clock::ZERO, &owner, hash);
    assert_eq!(nowhere, Err(EntryError::Place));
    let late = Clock::from_number(1 << 63);
    let late = RosterEntry::new(Some(GROUP), Some(JOIN), late, &owner, hash);
    assert_eq!(late, Err(EntryError::Clock));
}

#[test]
fn a_create_names_its_conversation() {
    let name = "lunch".parse().unwrap();
    let act = Act::Create {
        certificate: certificate(person(1)),
        salt: [2; 16],
        name,
    };
    let create = entry(&act).unwrap();
    assert_eq!(create.conversation.0, create.id.0);
    let bytes = create.to_bytes(&SIGNATURE);
    assert_eq!(bytes[2..66], [0; 64]);
    assert_eq!(RosterEntry::decode(&bytes, hash), Ok((create, SIGNATURE)));
}

#[test]
fn an_entry_says_where_it_belongs_as_its_kind_has_to() {
    let owner = bytes(&Act::Owner { person: person(1) });
    let certificate = certificate(person(1));
    let join = bytes(&Act::Join {
        certificate,
        salt: SALT,
        add: None,
    });
    let create = bytes(&Act::Create {
        certificate,
        salt: [2; 16],
        name: DisplayName::default(),
    });
    for (entry, at, to) in [
        (&owner, 2, 0),
        (&owner, 34, 0),
        (&join, 2, 0),
        (&join, 34, 1),
        (&create, 2, 1),
        (&create, 34, 1),
    ] {
        let moved = changed(entry, at, &[to; 32]);
        assert_eq!(read(&moved), Err(EntryError::Place), "{at}");
    }
}

#[test]
fn a_join_accepts_an_add_of_its_conversation_for_its_person() {
    let add = bytes(&add_of(person(1), BTreeSet::new()));
    let join = bytes(&accepting(&add, person(1)));
    let accepted = read(&join).unwrap();
    let Act::Join {
        add: Some(read), ..
    } = accepted.act
    else {
        panic!("{accepted:?}");
    };
    assert_eq!((&read.bytes[..], read.signature()), (&add[..], SIGNATURE));

    let for_another = entry(&accepting(&add, person(2)));
    assert_eq!(for_another, Err(EntryError::Add));
    let elsewhere = changed(&join, 2, &[6; 32]);
    assert_eq!(
        RosterEntry::decode(&elsewhere, hash).unwrap_err(),
        EntryError::Add
    );
    let no_add = [bytes(&Act::Owner { person: person(1) }), join.clone()];
    for accepted in no_add {
        let length = u16::try_from(accepted.len()).unwrap();
        assert_eq!(Add::decode(&accepted, hash), Err(EntryError::Add));
        let head = &join[..74 + Certificate::LEN + SALT.len()];
        let join = [head, &length.to_be_bytes(), &accepted, &SIGNATURE.0].concat();
        assert_eq!(
            RosterEntry::decode(&join, hash).unwrap_err(),
            EntryError::Add
        );
    }
}

#[test]
fn two_joins_of_one_device_at_one_moment_are_two_logs() {
    let certificate = certificate(person(1));
    let [one, other] = [SALT, [7; 16]].map(|salt| {
        let add = None;
        let join = Act::Join {
            certificate,
            salt,
            add,
        };
        entry(&join).unwrap().id
    });
    assert_ne!(one, other);
}

#[test]
fn lists_ascend_and_names_are_names() {
    let keeps = ids(3);
    let resign = bytes(&Act::Resign { keeps });
    let cut = (0..3).map(|number| (numbered(number), 5)).collect();
    let keeps = BTreeSet::new();
    let leave = bytes(&Act::Leave { keeps, cut });
    for (entry, second) in [(&resign, 76 + 32), (&leave, 78 + 40)] {
        for number in [0, 2, 3] {
            let id = numbered(number).0;
            assert_eq!(read(&changed(entry, second, &id)), Err(EntryError::Order));
        }
    }
    assert_eq!(read(&changed(&resign, 74, &[0, 4])), Err(EntryError::Short));
    assert_eq!(
        read(&changed(&resign, 74, &[0, 2])),
        Err(EntryError::LeftOver)
    );

    let name = "lunch".parse().unwrap();
    let rename = bytes(&Act::Rename { name });
    for name in [b"lunc\xff", b"lunc ", b"lu\nch"] {
        assert_eq!(read(&changed(&rename, 75, name)), Err(EntryError::Text));
    }
    let long = [&rename[..74], &[65], &[b'x'; 65], &SIGNATURE.0].concat();
    assert_eq!(read(&long), Err(EntryError::Text));
    let certificate = certificate(person(1));
    let join = bytes(&Act::Join {
        certificate,
        salt: SALT,
        add: None,
    });
    assert_eq!(
        read(&changed(&join, 74, &[2])),
        Err(EntryError::Certificate)
    );
}

#[test]
fn unknown_kinds_and_versions_are_told_apart_from_faults() {
    let owner = bytes(&Act::Owner { person: person(1) });
    for kind in [0, 9, 255] {
        let unknown = changed(&owner, 1, &[kind]);
        assert_eq!(read(&unknown), Err(EntryError::Kind(kind)));
        // Whatever it is made of.
        let unknown = [&[1, kind][..], &SIGNATURE.0].concat();
        assert_eq!(read(&unknown), Err(EntryError::Kind(kind)));
    }
    assert_eq!(read(&changed(&owner, 0, &[2])), Err(EntryError::Version(2)));
    assert_eq!(read(&[0; 63]), Err(EntryError::Short));
    let long = vec![1; RosterEntry::MAX + 1];
    assert_eq!(read(&long), Err(EntryError::TooLong));
}
