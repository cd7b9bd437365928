//! The frames as bytes.

use prost::Message as _;

use super::{
    Bye, Ending, Ephemeral, Frame, Have, Heads, Hello, Item, MAX_ENTRIES, MAX_IDS, MAX_ITEMS,
    MAX_OTHER, Sealed, Short, ToPeer, Want, What,
};
use crate::v2::conversation::roster::RosterEntry;
use crate::v2::conversation::talk::TalkEntry;
use crate::v2::conversation::{Clock, ConversationId, EntryId, JoinId, Place};
use crate::v2::frame::{self, put_message as put};
use crate::v2::key::{Certificate, DeviceKey, PersonKey, PublicKey};
use crate::v2::registry::Malformed;
use crate::v2::wire;

mod kind {
    pub(super) const HELLO: u8 = 1;
    pub(super) const PING: u8 = 2;
    pub(super) const PONG: u8 = 3;
    pub(super) const BYE: u8 = 4;

    pub(super) const HAVE: u8 = 16;
    pub(super) const WANT_ROSTER: u8 = 17;
    pub(super) const WANT_NEWEST: u8 = 18;
    pub(super) const WANT_LOG: u8 = 19;
    pub(super) const WANT_PROOF: u8 = 20;
    pub(super) const ROSTER: u8 = 21;
    pub(super) const TALK: u8 = 22;
    pub(super) const PROOF: u8 = 23;
    pub(super) const DONE: u8 = 24;
    pub(super) const ANSWER: u8 = 25;

    pub(super) const TYPING: u8 = 128;
    pub(super) const READ: u8 = 129;
}

type Hash<'a> = &'a dyn Fn(&[u8]) -> [u8; 32];

impl ToPeer {
    /// Appends the frame to `out`. Its lists must not exceed their limits, and the entries in it
    /// have at most [`MAX_PIECE`](super::MAX_PIECE) bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Hello(hello) => {
                let certificate = hello.certificate.to_bytes().to_vec();
                let time = hello.time;
                put(out, kind::HELLO, &wire::Hello { certificate, time });
            }
            Self::Ping => put(out, kind::PING, &wire::Empty {}),
            Self::Pong => put(out, kind::PONG, &wire::Empty {}),
            Self::Bye(bye) => {
                let number = *bye as u32;
                put(out, kind::BYE, &wire::Number { number });
            }
            Self::About(frame) => frame.encode(out),
            Self::Ephemeral {
                conversation,
                what: Ephemeral::Typing,
            } => put(out, kind::TYPING, &wire::About::from(conversation)),
            Self::Ephemeral {
                conversation,
                what: Ephemeral::Read(place),
            } => put(out, kind::READ, &wire_read(conversation, place)),
        }
    }

    /// Reads a frame. `None` if its kind is unknown and may be skipped. With it comes how many
    /// roster entries in it are malformed, or of a newer program, and were left out: they cost the
    /// others nothing. A malformed talk entry does, since its sender should have checked it.
    ///
    /// Signatures are still to be verified. `hash` is SHA-256.
    ///
    /// # Errors
    /// If it is unknown or malformed.
    pub fn decode(
        frame: &frame::Frame,
        hash: impl Fn(&[u8]) -> [u8; 32],
    ) -> Result<Option<(Self, usize)>, Malformed> {
        let message = &frame.message[..];
        if frame.kind != kind::WANT_ROSTER && message.len() > MAX_OTHER {
            return Err(Malformed::Message(frame.kind));
        }
        let mut dropped = 0;
        let read = match frame.kind {
            kind::HELLO => Hello::read(message).map(Self::Hello),
            kind::PING => read_empty(message).map(|()| Self::Ping),
            kind::PONG => read_empty(message).map(|()| Self::Pong),
            kind::BYE => read_bye(message).map(Self::Bye),
            kind::HAVE..=kind::ANSWER => {
                Frame::read(frame.kind, message, &hash, &mut dropped).map(Self::About)
            }
            kind::TYPING => read_about(message).map(|conversation| Self::Ephemeral {
                conversation,
                what: Ephemeral::Typing,
            }),
            kind::READ => read_read(message),
            kind if kind >= frame::OPTIONAL => return Ok(None),
            kind => return Err(Malformed::Kind(kind)),
        };
        let read = read.ok_or(Malformed::Message(frame.kind))?;
        Ok(Some((read, dropped)))
    }
}

impl Hello {
    fn read(message: &[u8]) -> Option<Self> {
        let read = wire::Hello::decode(message).ok()?;
        Some(Self {
            certificate: Certificate::from_bytes(&read.certificate)?,
            time: read.time,
        })
    }
}

fn read_empty(message: &[u8]) -> Option<()> {
    wire::Empty::decode(message).ok().map(|_| ())
}

fn read_bye(message: &[u8]) -> Option<Bye> {
    let number = wire::Number::decode(message).ok()?.number;
    Bye::ALL.into_iter().find(|known| *known as u32 == number)
}

impl From<&ConversationId> for wire::About {
    fn from(conversation: &ConversationId) -> Self {
        Self {
            conversation: conversation.0.to_vec(),
        }
    }
}

fn read_about(message: &[u8]) -> Option<ConversationId> {
    conversation(&wire::About::decode(message).ok()?.conversation)
}

fn conversation(bytes: &[u8]) -> Option<ConversationId> {
    bytes.try_into().ok().map(ConversationId)
}

fn id(bytes: &[u8]) -> Option<EntryId> {
    bytes.try_into().ok().map(EntryId)
}

fn short(bytes: &[u8]) -> Option<Short> {
    bytes.try_into().ok().map(Short)
}

fn wire_read(conversation: &ConversationId, place: &Place) -> wire::Read {
    wire::Read {
        conversation: conversation.0.to_vec(),
        clock: place.clock.number(),
        device: place.device.0.0.to_vec(),
        position: place.position,
    }
}

fn read_read(message: &[u8]) -> Option<ToPeer> {
    let read = wire::Read::decode(message).ok()?;
    let place = Place {
        clock: Clock::new(read.clock)?,
        device: DeviceKey(PublicKey::try_from(&read.device[..]).ok()?),
        position: read.position,
    };
    Some(ToPeer::Ephemeral {
        conversation: conversation(&read.conversation)?,
        what: Ephemeral::Read(place),
    })
}

impl Frame {
    fn encode(&self, out: &mut Vec<u8>) {
        let of = &self.conversation;
        match &self.what {
            What::Have(have) => put(out, kind::HAVE, &wire_have(of, have)),
            What::Want(want) => encode_want(of, want, out),
            What::Roster(entries) => {
                let entries = entries.iter().map(|sealed| sealed.bytes.to_vec());
                put(out, kind::ROSTER, &wire_entries(of, entries));
            }
            What::Talk { stretch, .. } => {
                let entries = stretch.iter().map(TalkEntry::to_bytes);
                put(out, kind::TALK, &wire_entries(of, entries));
            }
            What::Proof { entries, .. } => {
                let entries = entries.iter().map(TalkEntry::to_bytes);
                put(out, kind::PROOF, &wire_entries(of, entries));
            }
            What::Done => put(out, kind::DONE, &wire::About::from(of)),
            What::Answer(to) => put(out, kind::ANSWER, &wire_named(of, to)),
        }
    }

    /// `kind` is one of those that are about a conversation, or between them.
    fn read(kind: u8, message: &[u8], hash: Hash<'_>, dropped: &mut usize) -> Option<Self> {
        let (conversation, what) = match kind {
            kind::HAVE => read_have(message)?,
            kind::WANT_ROSTER => read_want_roster(message)?,
            kind::WANT_NEWEST => (read_about(message)?, What::Want(Want::Newest)),
            kind::WANT_LOG => read_want_log(message)?,
            kind::WANT_PROOF => {
                let (conversation, join) = read_named(message)?;
                (conversation, What::Want(Want::Proof(join)))
            }
            kind::ROSTER => read_roster(message, hash, dropped)?,
            kind::TALK => read_talk(message, hash)?,
            kind::PROOF => read_proof(message, hash)?,
            kind::DONE => (read_about(message)?, What::Done),
            kind::ANSWER => {
                let (conversation, to) = read_named(message)?;
                (conversation, What::Answer(to))
            }
            _ => return None,
        };
        Some(Self { conversation, what })
    }
}

fn wire_named(conversation: &ConversationId, id: &EntryId) -> wire::AboutEntry {
    wire::AboutEntry {
        conversation: conversation.0.to_vec(),
        id: id.0.to_vec(),
    }
}

fn read_named(message: &[u8]) -> Option<(ConversationId, EntryId)> {
    let read = wire::AboutEntry::decode(message).ok()?;
    Some((conversation(&read.conversation)?, id(&read.id)?))
}

fn wire_have(conversation: &ConversationId, have: &Have) -> wire::Have {
    let (digest, items) = match &have.heads {
        Heads::Digest(digest) => (Some(digest.0.to_vec()), Vec::new()),
        Heads::Items(items) => (None, items.iter().map(wire::Item::from).collect()),
    };
    let people = have.people.iter().flatten();
    wire::Have {
        conversation: conversation.0.to_vec(),
        items,
        people: people.flat_map(|person| person.0.0).collect(),
        roster: have.roster.0.to_vec(),
        digest,
        asks: have.asks,
    }
}

/// The items or entries of a list, counted before there is memory for them: a `Vec` of nothing
/// takes none.
#[derive(Clone, PartialEq, prost::Message)]
struct Count {
    #[prost(message, repeated, tag = "2")]
    list: Vec<wire::Empty>,
}

/// Whether the list of a message has at most so many.
fn has_at_most(most: usize, message: &[u8]) -> bool {
    Count::decode(message).is_ok_and(|count| count.list.len() <= most)
}

fn read_have(message: &[u8]) -> Option<(ConversationId, What)> {
    if !has_at_most(MAX_ITEMS, message) {
        return None;
    }
    let read = wire::Have::decode(message).ok()?;
    let heads = match &read.digest {
        Some(digest) if read.items.is_empty() => Heads::Digest(short(digest)?),
        Some(_) => return None,
        None => {
            let items = read.items.iter().map(Item::read);
            Heads::Items(items.collect::<Option<_>>()?)
        }
    };
    let have = Have {
        people: read_people(&read.people)?,
        roster: short(&read.roster)?,
        heads,
        asks: read.asks,
    };
    Some((conversation(&read.conversation)?, What::Have(have)))
}

/// Two keys, or nothing.
fn read_people(bytes: &[u8]) -> Option<Option<[PersonKey; 2]>> {
    if bytes.is_empty() {
        return Some(None);
    }
    let (first, second) = bytes.split_at_checked(PublicKey::LEN)?;
    let person = |key: &[u8]| PublicKey::try_from(key).ok().map(PersonKey);
    Some(Some([person(first)?, person(second)?]))
}

impl From<&Item> for wire::Item {
    fn from(item: &Item) -> Self {
        Self {
            join: item.join.0.to_vec(),
            lowest: item.lowest,
            has_older: item.has_older,
            next: item.next,
            newest: item.newest.0.to_vec(),
            clock: item.clock.number(),
            end: item.end.map(|end| wire::Ending {
                position: end.position,
                is_lowest: end.is_lowest,
            }),
        }
    }
}

impl Item {
    fn read(read: &wire::Item) -> Option<Self> {
        let item = Self {
            join: id(&read.join)?,
            lowest: read.lowest,
            has_older: read.has_older,
            next: read.next,
            newest: short(&read.newest)?,
            clock: Clock::new(read.clock)?,
            end: read.end.map(|end| Ending {
                position: end.position,
                is_lowest: end.is_lowest,
            }),
        };
        (item.lowest <= item.next).then_some(item)
    }
}

fn encode_want(conversation: &ConversationId, want: &Want, out: &mut Vec<u8>) {
    match want {
        Want::Roster(held) => {
            let held = held.iter().flat_map(|id| id.0).collect();
            let conversation = conversation.0.to_vec();
            let want = wire::WantRoster { conversation, held };
            put(out, kind::WANT_ROSTER, &want);
        }
        Want::Newest => put(out, kind::WANT_NEWEST, &wire::About::from(conversation)),
        Want::Log { join, range } => {
            let want = wire::WantLog {
                conversation: conversation.0.to_vec(),
                join: join.0.to_vec(),
                begin: range.start,
                end: range.end,
            };
            put(out, kind::WANT_LOG, &want);
        }
        Want::Proof(join) => put(out, kind::WANT_PROOF, &wire_named(conversation, join)),
    }
}

fn read_want_roster(message: &[u8]) -> Option<(ConversationId, What)> {
    let read = wire::WantRoster::decode(message).ok()?;
    let (held, rest) = read.held.as_chunks();
    if !rest.is_empty() || held.len() > MAX_IDS {
        return None;
    }
    let held = held.iter().copied().map(Short).collect();
    let want = Want::Roster(held);
    Some((conversation(&read.conversation)?, What::Want(want)))
}

fn read_want_log(message: &[u8]) -> Option<(ConversationId, What)> {
    let read = wire::WantLog::decode(message).ok()?;
    let (join, range) = (id(&read.join)?, read.begin..read.end);
    if range.is_empty() {
        return None;
    }
    let want = Want::Log { join, range };
    Some((conversation(&read.conversation)?, What::Want(want)))
}

fn wire_entries(
    conversation: &ConversationId,
    entries: impl Iterator<Item = Vec<u8>>,
) -> wire::Entries {
    wire::Entries {
        conversation: conversation.0.to_vec(),
        entries: entries.map(|entry| wire::Entry { entry }).collect(),
    }
}

fn read_entries(message: &[u8]) -> Option<(ConversationId, Vec<wire::Entry>)> {
    if !has_at_most(MAX_ENTRIES, message) {
        return None;
    }
    let read = wire::Entries::decode(message).ok()?;
    Some((conversation(&read.conversation)?, read.entries))
}

fn read_roster(
    message: &[u8],
    hash: Hash<'_>,
    dropped: &mut usize,
) -> Option<(ConversationId, What)> {
    let (conversation, read) = read_entries(message)?;
    let count = read.len();
    let entries = read.into_iter().filter_map(|read| {
        let (entry, _) = RosterEntry::decode(&read.entry, hash).ok()?;
        let bytes = read.entry.into();
        Some(Sealed { entry, bytes })
    });
    let entries: Vec<_> = entries.collect();
    *dropped = count - entries.len();
    Some((conversation, What::Roster(entries)))
}

/// Entries of one log of the conversation, at least one, and its name.
fn read_log(message: &[u8], hash: Hash<'_>) -> Option<(ConversationId, JoinId, Vec<TalkEntry>)> {
    let (conversation, read) = read_entries(message)?;
    let entries = read.iter().map(|read| TalkEntry::decode(&read.entry, hash));
    let entries: Vec<_> = entries.collect::<Result<_, _>>().ok()?;
    let join = entries.first()?.header.join;
    let is_of_log =
        |entry: &TalkEntry| entry.header.conversation == conversation && entry.header.join == join;
    let are_of_log = entries.iter().all(is_of_log);
    are_of_log.then_some((conversation, join, entries))
}

fn read_talk(message: &[u8], hash: Hash<'_>) -> Option<(ConversationId, What)> {
    let (conversation, join, stretch) = read_log(message, hash)?;
    Some((conversation, What::Talk { join, stretch }))
}

fn read_proof(message: &[u8], hash: Hash<'_>) -> Option<(ConversationId, What)> {
    let (conversation, join, entries) = read_log(message, hash)?;
    let is_proof = entries.len() <= 2 && entries.iter().all(|entry| entry.body.is_none());
    is_proof.then_some((conversation, What::Proof { join, entries }))
}

#[cfg(test)]
mod tests;
