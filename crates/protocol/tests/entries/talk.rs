//! Talk entries and their bodies: what is refused, and what is for the log to refuse.

use p2pchat_protocol::v2::conversation::talk::{
    Header, MAX_BODY, MAX_REACTION, MAX_TEXT, SALT, Talk, TalkEntry,
};
use p2pchat_protocol::v2::conversation::{Clock, EntryError, EntryId, roster, talk};

use crate::{changed, hash, header, talk_entry};

#[test]
fn what_ends_a_log_is_read_as_it_is() {
    let good = header(&[1; SALT], 1);
    let ends: [fn(&mut Header); 6] = [
        |header| header.position = u64::MAX,
        |header| header.previous = EntryId([0; 32]),
        |header| header.clock = Clock::from_number(1 << 63),
        |header| header.clock = Clock::from_number(u64::MAX),
        |header| header.body_len = 0,
        |header| header.body_len = u32::MAX,
    ];
    for end in ends {
        let mut header = good;
        end(&mut header);
        let entry = talk_entry(header, None);
        assert_eq!(TalkEntry::decode(&entry.to_bytes(), hash), Ok(entry));
    }
    // Shorter than its salt, and there.
    let body = [1, 2, 3];
    let entry = talk_entry(header(&body, 1), Some(&body));
    assert_eq!(TalkEntry::decode(&entry.to_bytes(), hash), Ok(entry));
}

#[test]
fn a_body_is_the_one_of_its_header_or_is_not_there() {
    let salt = [4; SALT];
    let text = "x".repeat(MAX_TEXT);
    let to = EntryId([2; 32]);
    let longest = Talk::Reply { to, text }.to_body(salt).unwrap();
    assert_eq!(longest.len(), MAX_BODY);
    let entry = talk_entry(header(&longest, 2), Some(&longest));
    let bytes = entry.to_bytes();
    assert_eq!(bytes.len(), TalkEntry::MAX);
    assert_eq!(TalkEntry::decode(&bytes, hash), Ok(entry.clone()));
    let erased = &bytes[..Header::LEN + 64];
    let body = None;
    assert_eq!(
        TalkEntry::decode(erased, hash),
        Ok(TalkEntry { body, ..entry })
    );

    let last = bytes.len() - 1;
    assert_eq!(
        TalkEntry::decode(&bytes[..last], hash),
        Err(EntryError::Body)
    );
    let other = changed(&bytes, last, b"y");
    assert_eq!(TalkEntry::decode(&other, hash), Err(EntryError::Body));
    let long = [&bytes[..], b"x"].concat();
    assert_eq!(TalkEntry::decode(&long, hash), Err(EntryError::TooLong));
    assert_eq!(
        TalkEntry::decode(&erased[1..], hash),
        Err(EntryError::Version(7))
    );
    assert_eq!(
        TalkEntry::decode(&erased[..213], hash),
        Err(EntryError::Short)
    );
}

#[test]
fn texts_are_as_long_as_they_may_be() {
    let salt = [4; SALT];
    let (to, of) = (EntryId([2; 32]), EntryId([2; 32]));
    for length in [0, MAX_TEXT + 1] {
        let text = "x".repeat(length);
        for talk in [
            Talk::Message { text: text.clone() },
            Talk::Reply {
                to,
                text: text.clone(),
            },
            Talk::Edit { of, text },
        ] {
            assert_eq!(talk.to_body(salt), Err(EntryError::Text));
        }
    }
    let emoji = "x".repeat(MAX_REACTION + 1);
    let long = Talk::Reaction { to, emoji };
    assert_eq!(long.to_body(salt), Err(EntryError::Text));
    assert_eq!(
        Talk::decode(1, &[b"0123456789abcdef", &b"\xff"[..]].concat()),
        Err(EntryError::Text)
    );
    let erase = Talk::Erase { of }.to_body(salt).unwrap();
    assert_eq!(
        Talk::decode(4, &[&erase[..], b"x"].concat()),
        Err(EntryError::LeftOver)
    );
    assert_eq!(Talk::decode(4, &erase[1..]), Err(EntryError::Short));
    assert_eq!(Talk::decode(1, &[0; SALT - 1]), Err(EntryError::Short));
    assert_eq!(Talk::decode(6, &[0; SALT]), Err(EntryError::Kind(6)));
}

#[test]
fn nothing_signed_means_the_same_in_a_roster_and_in_a_talk_log() {
    let id = EntryId([1; 32]);
    let (roster, talk) = (roster::signed_part(&id), talk::signed_part(&id));
    assert_ne!(roster, talk);
    assert!(roster.ends_with(&id.0) && talk.ends_with(&id.0));
}
