//! What holds for all entries and for any bytes.

use std::collections::{BTreeMap, BTreeSet};

use p2pchat_protocol::v2::conversation::roster::{Act, RosterEntry};
use p2pchat_protocol::v2::conversation::talk::{Header, SALT, Talk, TalkEntry};
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, EntryId};
use p2pchat_protocol::v2::{DisplayName, PersonKey, PublicKey, Signature};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

use crate::{
    GROUP, accepting, bytes, certificate, changed, hash, header, longer, read, shorter, talk_entry,
};

fn some_ids() -> impl Strategy<Value = BTreeSet<EntryId>> {
    btree_set(any::<[u8; 32]>().prop_map(EntryId), 0..20)
}

fn some_cut() -> impl Strategy<Value = BTreeMap<EntryId, u64>> {
    btree_map(any::<[u8; 32]>().prop_map(EntryId), any::<u64>(), 0..20)
}

fn some_person() -> impl Strategy<Value = PersonKey> {
    any::<[u8; 32]>().prop_map(|key| PersonKey(PublicKey(key)))
}

fn some_name() -> impl Strategy<Value = DisplayName> {
    "\\PC{0,20}".prop_filter_map("no name", |name| name.parse().ok())
}

fn some_clock() -> impl Strategy<Value = Clock> {
    (0..=Clock::MAX.number()).prop_map(Clock::from_number)
}

fn some_add() -> impl Strategy<Value = Act> {
    (some_person(), some_clock(), some_ids()).prop_map(|(person, from, after)| Act::Add {
        person,
        from,
        after,
    })
}

fn some_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (some_person(), any::<[u8; 16]>(), some_name()).prop_map(|(person, salt, name)| {
            Act::Create {
                certificate: certificate(person),
                salt,
                name,
            }
        }),
        some_add(),
        some_add().prop_map(|add| {
            let Act::Add { person, .. } = add else {
                unreachable!()
            };
            accepting(&bytes(&add), person)
        }),
        (some_person(), any::<[u8; 16]>()).prop_map(|(person, salt)| {
            Act::Join {
                certificate: certificate(person),
                salt,
                add: None,
            }
        }),
        some_person().prop_map(|person| Act::Owner { person }),
        some_ids().prop_map(|keeps| Act::Resign { keeps }),
        (some_person(), some_ids(), some_cut()).prop_map(|(person, keeps, cut)| Act::Remove {
            person,
            keeps,
            cut
        }),
        (some_ids(), some_cut()).prop_map(|(keeps, cut)| Act::Leave { keeps, cut }),
        some_name().prop_map(|name| Act::Rename { name }),
    ]
}

fn some_talk() -> impl Strategy<Value = Talk> {
    let id = || any::<[u8; 32]>().prop_map(EntryId);
    prop_oneof![
        ".{1,40}".prop_map(|text| Talk::Message { text }),
        (id(), ".{1,40}").prop_map(|(to, text)| Talk::Reply { to, text }),
        (id(), ".{1,40}").prop_map(|(of, text)| Talk::Edit { of, text }),
        id().prop_map(|of| Talk::Erase { of }),
        (id(), ".{0,16}").prop_map(|(to, emoji)| Talk::Reaction { to, emoji }),
    ]
}

/// What is read is written as it came.
fn is_read_once(bytes: &[u8]) {
    if let Ok((entry, signature)) = RosterEntry::decode(bytes, hash) {
        assert_eq!(entry.to_bytes(&signature), bytes);
    }
    if let Ok(entry) = TalkEntry::decode(bytes, hash) {
        assert_eq!(entry.to_bytes(), bytes);
    }
}

proptest! {
    #[test]
    fn a_roster_entry_is_read_as_it_was_written(
        act in some_act(), place in any::<[[u8; 32]; 2]>(), clock in some_clock(),
        signature in any::<[u8; 64]>(),
    ) {
        let [conversation, under] = place;
        let is_create = matches!(act, Act::Create { .. });
        let is_join = is_create || matches!(act, Act::Join { .. });
        let conversation = match act {
            Act::Join { add: Some(_), .. } => GROUP,
            _ => ConversationId(conversation),
        };
        let conversation = (!is_create).then_some(conversation);
        let under = (!is_join).then_some(EntryId(under));
        let entry = RosterEntry::new(conversation, under, clock, &act, hash).unwrap();
        prop_assert_eq!(&entry.act, &act);
        prop_assert_eq!((entry.under, entry.clock), (under, clock));
        let signature = Signature(signature);
        let bytes = entry.to_bytes(&signature);
        prop_assert_eq!(RosterEntry::decode(&bytes, hash), Ok((entry, signature)));
        prop_assert!(read(&longer(&bytes)).is_err());
        prop_assert!(read(&shorter(&bytes)).is_err());
    }

    /// A changed byte makes a malformed entry or another one: two forms of one value there are not.
    #[test]
    fn a_changed_roster_entry_is_another_or_none(
        act in some_act(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let good = bytes(&act);
        let at = at.index(good.len());
        let bad = if cut { good[..at].to_vec() } else { changed(&good, at, &[byte]) };
        is_read_once(&bad);
        if bad != good {
            let whole = RosterEntry::decode(&good, hash).unwrap();
            prop_assert_ne!(RosterEntry::decode(&bad, hash), Ok(whole));
        }
    }

    #[test]
    fn a_talk_entry_is_read_as_it_was_written(
        talk in some_talk(), salt in any::<[u8; SALT]>(), ids in any::<[[u8; 32]; 3]>(),
        numbers in any::<[u64; 2]>(), is_there in any::<bool>(),
    ) {
        let body = talk.to_body(salt).unwrap();
        prop_assert_eq!(Talk::decode(talk.kind(), &body), Ok(talk.clone()));
        let header = Header {
            conversation: ConversationId(ids[0]),
            join: EntryId(ids[1]),
            position: numbers[0],
            previous: EntryId(ids[2]),
            clock: Clock::from_number(numbers[1]),
            ..header(&body, talk.kind())
        };
        let entry = talk_entry(header, is_there.then_some(&body));
        let bytes = entry.to_bytes();
        let read = TalkEntry::decode(&bytes, hash);
        prop_assert_eq!(read, Ok(entry));
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in vec(any::<u8>(), 0..600), kind in 0..10_u8, zero in any::<bool>(),
    ) {
        is_read_once(&bytes);
        // So that more than the first bytes are looked at.
        let mut likely = [&[1, kind][..], &bytes].concat();
        if let (true, Some(places)) = (zero, likely.get_mut(34..74)) {
            places.fill(0);
        }
        is_read_once(&likely);
        let read = Talk::decode(kind, &bytes);
        if let (Ok(talk), Some(salt)) = (read, bytes.first_chunk()) {
            prop_assert_eq!(talk.to_body(*salt).unwrap(), bytes);
        }
    }
}
