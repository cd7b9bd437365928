use super::*;
use crate::v2::DisplayName;
use crate::v2::conversation::roster::Act;
use crate::v2::conversation::talk::{Header, MAX_BODY};
use crate::v2::frame::{FrameDecoder, HEAD};
use crate::v2::key::Signature;
use crate::v2::peer::{MAX_FIRST, MAX_PIECE, MAX_TO_PEER};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

const GROUP: ConversationId = ConversationId([7; 32]);
const JOIN: EntryId = EntryId([8; 32]);

/// Not SHA-256, which this crate does not have: it differs where a byte does, most of the time.
fn hash(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [1; 32];
    for (at, byte) in bytes.iter().enumerate() {
        hash[at % 32] = (hash[at % 32] ^ byte).wrapping_mul(167).rotate_left(3);
    }
    hash
}

fn raw(bytes: &[u8]) -> frame::Frame {
    let mut rest = bytes;
    let frame = FrameDecoder::default().next(&mut rest, MAX_TO_PEER);
    assert!(rest.is_empty());
    frame.unwrap().unwrap()
}

fn encoded(sent: &ToPeer) -> Vec<u8> {
    let mut bytes = Vec::new();
    sent.encode(&mut bytes);
    bytes
}

fn read(bytes: &[u8]) -> Result<Option<(ToPeer, usize)>, Malformed> {
    ToPeer::decode(&raw(bytes), hash)
}

fn decoded(kind: u8, message: &impl prost::Message) -> Result<Option<(ToPeer, usize)>, Malformed> {
    let mut bytes = Vec::new();
    put(&mut bytes, kind, message);
    read(&bytes)
}

fn about(what: What) -> ToPeer {
    let conversation = GROUP;
    ToPeer::About(Frame { conversation, what })
}

fn sealed(act: &Act) -> Sealed {
    let clock = Clock::from_millis(3);
    let entry = RosterEntry::new(Some(GROUP), Some(JOIN), clock, act, hash).unwrap();
    let bytes = entry.to_bytes(&Signature([9; 64])).into();
    Sealed { entry, bytes }
}

fn owner(byte: u8) -> Sealed {
    let person = PersonKey(PublicKey([byte; 32]));
    sealed(&Act::Owner { person })
}

fn talk(position: u64, body: Option<&[u8]>) -> TalkEntry {
    let header = Header {
        conversation: GROUP,
        join: JOIN,
        position,
        previous: EntryId([3; 32]),
        clock: Clock::from_millis(5),
        kind: 1,
        body_len: body.map_or(20, |body| u32::try_from(body.len()).unwrap()),
        body_hash: body.map_or([0; 32], hash),
    };
    TalkEntry {
        id: header.id(hash),
        header,
        signature: Signature([9; 64]),
        body: body.map(Into::into),
    }
}

fn item() -> Item {
    Item {
        join: EntryId([255; 32]),
        lowest: u64::MAX,
        has_older: true,
        next: u64::MAX,
        newest: Short([255; 16]),
        clock: Clock::MAX,
        end: Some(Ending {
            position: u64::MAX,
            is_lowest: true,
        }),
    }
}

fn some_id() -> impl Strategy<Value = EntryId> {
    any::<[u8; 32]>().prop_map(EntryId)
}

fn some_clock() -> impl Strategy<Value = Clock> {
    (0..=Clock::MAX.number()).prop_map(Clock::from_number)
}

fn some_person() -> impl Strategy<Value = PersonKey> {
    any::<[u8; 32]>().prop_map(|key| PersonKey(PublicKey(key)))
}

fn some_short() -> impl Strategy<Value = Short> {
    any::<[u8; 16]>().prop_map(Short)
}

fn some_item() -> impl Strategy<Value = Item> {
    let end = (any::<u64>(), any::<bool>()).prop_map(|(position, is_lowest)| Ending {
        position,
        is_lowest,
    });
    let positions = any::<[u64; 2]>();
    let held = (some_short(), some_clock(), any::<bool>(), option::of(end));
    (some_id(), positions, held).prop_map(|(join, mut positions, held)| {
        positions.sort_unstable();
        let ([lowest, next], (newest, clock, has_older, end)) = (positions, held);
        Item {
            join,
            lowest,
            has_older,
            next,
            newest,
            clock,
            end,
        }
    })
}

fn some_have() -> impl Strategy<Value = What> {
    let heads = prop_oneof![
        some_short().prop_map(Heads::Digest),
        vec(some_item(), 0..5).prop_map(Heads::Items),
    ];
    let people = option::of((some_person(), some_person()).prop_map(|(a, b)| [a, b]));
    (people, some_short(), heads, any::<bool>()).prop_map(|(people, roster, heads, asks)| {
        What::Have(Have {
            people,
            roster,
            heads,
            asks,
        })
    })
}

fn some_want() -> impl Strategy<Value = Want> {
    prop_oneof![
        vec(some_short(), 0..20).prop_map(Want::Roster),
        Just(Want::Newest),
        (some_id(), any::<[u64; 2]>())
            .prop_filter("a range of none", |(_, [one, other])| one != other)
            .prop_map(|(join, [one, other])| {
                let range = one.min(other)..one.max(other);
                Want::Log { join, range }
            }),
        some_id().prop_map(Want::Proof),
    ]
}

fn some_what() -> impl Strategy<Value = What> {
    let bodies = vec(option::of(vec(any::<u8>(), 1..40)), 1..5);
    prop_oneof![
        some_have(),
        some_want().prop_map(What::Want),
        vec(any::<u8>().prop_map(owner), 0..5).prop_map(What::Roster),
        (any::<u64>(), bodies).prop_map(|(position, bodies)| What::Talk {
            join: JOIN,
            stretch: bodies
                .iter()
                .map(|body| talk(position, body.as_deref()))
                .collect(),
        }),
        vec(any::<u64>(), 1..=2).prop_map(|positions| What::Proof {
            join: JOIN,
            entries: positions.into_iter().map(|at| talk(at, None)).collect(),
        }),
        Just(What::Done),
        some_id().prop_map(What::Answer),
    ]
}

fn some_frame() -> impl Strategy<Value = ToPeer> {
    let hello =
        (any::<[[u8; 32]; 4]>(), any::<u64>()).prop_map(|([device, person, r, s], time)| {
            let signature = [r, s].concat().try_into().unwrap();
            let certificate = Certificate {
                device: DeviceKey(PublicKey(device)),
                person: PersonKey(PublicKey(person)),
                signature: Signature(signature),
            };
            ToPeer::Hello(Hello { certificate, time })
        });
    let place = (some_clock(), any::<[u8; 32]>(), any::<u64>());
    let read = place.prop_map(|(clock, device, position)| {
        Ephemeral::Read(Place {
            clock,
            device: DeviceKey(PublicKey(device)),
            position,
        })
    });
    let ephemeral = prop_oneof![Just(Ephemeral::Typing), read];
    prop_oneof![
        1 => hello,
        1 => Just(ToPeer::Ping),
        1 => Just(ToPeer::Pong),
        1 => select(Bye::ALL.to_vec()).prop_map(ToPeer::Bye),
        1 => ephemeral.prop_map(|what| ToPeer::Ephemeral {
            conversation: GROUP,
            what
        }),
        5 => some_what().prop_map(about),
    ]
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded_the_same(sent in some_frame()) {
        prop_assert_eq!(read(&encoded(&sent)), Ok(Some((sent, 0))));
    }

    /// What is read is written so that it is read the same.
    #[test]
    fn a_changed_message_is_read_or_refused(
        sent in some_frame(), at in any::<Index>(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let mut frame = raw(&encoded(&sent));
        if !frame.message.is_empty() {
            let at = at.index(frame.message.len());
            if cut {
                frame.message.truncate(at);
            } else {
                frame.message[at] = byte;
            }
        }
        if let Ok(Some((other, _))) = ToPeer::decode(&frame, hash) {
            prop_assert_eq!(read(&encoded(&other)), Ok(Some((other, 0))));
        }
    }
}

#[test]
fn a_malformed_roster_entry_costs_the_others_nothing() {
    let (first, last) = (owner(1), owner(2));
    let unknown_kind = [&[1, 9][..], &first.bytes[2..]].concat();
    let unknown_version = [&[2][..], &first.bytes[1..]].concat();
    let short = first.bytes[..100].to_vec();
    let bad = [short, unknown_kind, unknown_version, Vec::new()];
    let entries = [
        vec![first.bytes.to_vec()],
        bad.to_vec(),
        vec![last.bytes.to_vec()],
    ]
    .concat();
    let message = wire_entries(&GROUP, entries.into_iter());
    let left = about(What::Roster(vec![first, last]));
    assert_eq!(decoded(kind::ROSTER, &message), Ok(Some((left, 4))));
}

#[test]
fn a_malformed_talk_entry_is_the_fault_of_its_sender() {
    let good = talk(1, Some(b"0123456789abcdefhello")).to_bytes();
    let malformed = Err(Malformed::Message(kind::TALK));
    let bodiless = talk(2, None);
    let elsewhere = |change: fn(&mut Header)| {
        let mut entry = bodiless.clone();
        change(&mut entry.header);
        entry.to_bytes()
    };
    for bad in [
        good[..good.len() - 1].to_vec(),
        Vec::new(),
        elsewhere(|header| header.join = EntryId([1; 32])),
        elsewhere(|header| header.conversation = ConversationId([1; 32])),
    ] {
        let message = wire_entries(&GROUP, [good.clone(), bad].into_iter());
        assert_eq!(decoded(kind::TALK, &message), malformed);
    }
    let none = wire_entries(&GROUP, std::iter::empty());
    assert_eq!(decoded(kind::TALK, &none), malformed);
}

#[test]
fn a_proof_is_one_or_two_headers() {
    let header = talk(1, None).to_bytes();
    let whole = talk(1, Some(b"0123456789abcdefhello")).to_bytes();
    for (entries, is_good) in [
        (vec![], false),
        (vec![&header], true),
        (vec![&header; 2], true),
        (vec![&header; 3], false),
        (vec![&header, &whole], false),
    ] {
        let message = wire_entries(&GROUP, entries.into_iter().cloned());
        assert_eq!(decoded(kind::PROOF, &message).is_ok(), is_good);
    }
}

#[test]
fn lists_have_a_greatest_length() {
    let have = |count| {
        about(What::Have(Have {
            people: Some([PersonKey(PublicKey([255; 32])); 2]),
            roster: Short([255; 16]),
            heads: Heads::Items(vec![item(); count]),
            asks: true,
        }))
    };
    let roster = |count| {
        about(What::Roster(vec![
            sealed(&Act::Rename {
                name: DisplayName::default()
            });
            count
        ]))
    };
    let want = |count| about(What::Want(Want::Roster(vec![Short([255; 16]); count])));
    let lists: [(&dyn Fn(usize) -> ToPeer, usize); 3] =
        [(&have, MAX_ITEMS), (&roster, MAX_ENTRIES), (&want, MAX_IDS)];
    for (list, most) in lists {
        let longest = list(most);
        let bytes = encoded(&longest);
        assert_eq!(read(&bytes), Ok(Some((longest, 0))));
        let kind = bytes[4];
        let limit = if kind == kind::WANT_ROSTER {
            MAX_TO_PEER
        } else {
            MAX_OTHER
        };
        assert!(bytes.len() - HEAD <= limit, "{kind}");
        assert_eq!(
            read(&encoded(&list(most + 1))),
            Err(Malformed::Message(kind))
        );
    }
}

#[test]
fn a_piece_and_a_longest_entry_fit_into_a_frame() {
    let body = [1; MAX_BODY];
    let longest = talk(1, Some(&body));
    let smallest = talk(1, None);
    let most = MAX_PIECE / smallest.to_bytes().len();
    let mut stretch = vec![smallest; most];
    stretch.push(longest);
    let sent = about(What::Talk {
        join: JOIN,
        stretch,
    });
    assert_eq!(read(&encoded(&sent)), Ok(Some((sent, 0))));
    let sent = about(What::Roster(vec![owner(1)]));
    let mut frame = raw(&encoded(&sent));
    frame.message.extend([0x7a, 0x80, 0x80, 0x08]);
    frame.message.extend(vec![0; 128 * 1024]);
    let refused = ToPeer::decode(&frame, hash);
    assert_eq!(refused, Err(Malformed::Message(kind::ROSTER)));
}

#[test]
fn a_hello_fits_into_the_first_frame() {
    let certificate = Certificate {
        device: DeviceKey(PublicKey([255; 32])),
        person: PersonKey(PublicKey([255; 32])),
        signature: Signature([255; 64]),
    };
    let time = u64::MAX;
    let hello = encoded(&ToPeer::Hello(Hello { certificate, time }));
    assert!(hello.len() - HEAD <= MAX_FIRST);
}

#[test]
fn unknown_kinds_of_the_upper_half_are_skipped_and_others_end_the_session() {
    let unknown = |kind| decoded(kind, &wire::Empty {});
    for kind in [0, 5, 15, 26, 127] {
        assert_eq!(unknown(kind), Err(Malformed::Kind(kind)));
    }
    for kind in [130, 255] {
        assert_eq!(unknown(kind), Ok(None));
    }
    for kind in [kind::HELLO, kind::BYE, kind::HAVE, kind::READ] {
        assert_eq!(unknown(kind), Err(Malformed::Message(kind)));
    }
}
