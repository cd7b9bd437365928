//! Roster entries as bytes.

use super::{Act, Add, RosterEntry};
use crate::v2::conversation::codec::{
    EntryError, Reader, VERSION, put_count, put_cut, put_ids, put_name,
};
use crate::v2::conversation::{Clock, ConversationId, EntryId, JoinId};
use crate::v2::key::{Certificate, Signature};

/// What entries are hashed and signed under, so that neither means anything elsewhere.
const DOMAIN: &[u8] = b"p2pchat roster entry";

/// What stands where no conversation or join is named.
const NONE: [u8; 32] = [0; 32];

/// Version, kind, conversation, join, clock.
const HEAD: usize = 1 + 1 + 32 + 32 + 8;

/// The random bytes of a create or a join.
const SALT: usize = 16;

mod kind {
    pub(super) const CREATE: u8 = 1;
    pub(super) const ADD: u8 = 2;
    pub(super) const JOIN: u8 = 3;
    pub(super) const OWNER: u8 = 4;
    pub(super) const RESIGN: u8 = 5;
    pub(super) const REMOVE: u8 = 6;
    pub(super) const LEAVE: u8 = 7;
    pub(super) const RENAME: u8 = 8;
}

type Hash<'a> = &'a dyn Fn(&[u8]) -> [u8; 32];

/// What the signature of the roster entry with this id is over.
#[must_use]
pub fn signed_part(id: &EntryId) -> Vec<u8> {
    [DOMAIN, &id.0].concat()
}

impl RosterEntry {
    /// The longest one, in bytes, with its signature.
    pub const MAX: usize = 32 * 1024;
    /// The shortest one, in bytes, with its signature: a `Rename` to nothing.
    pub const MIN: usize = HEAD + 1 + Signature::LEN;
    /// The longest add, in bytes, with its signature: as much as the join has room for that
    /// accepts it.
    pub const MAX_ADD: usize = Self::MAX - (HEAD + Certificate::LEN + SALT + 2 + Signature::LEN);

    /// The entry that says this. Still to be signed: [`signed_part`], [`Self::to_bytes`].
    ///
    /// `conversation` is `None` of a `Create` alone, which makes one; `under` as in the entry.
    /// `hash` is SHA-256.
    ///
    /// # Errors
    /// If nobody could read it: it is too long, say.
    pub fn new(
        conversation: Option<ConversationId>,
        under: Option<JoinId>,
        clock: Clock,
        act: &Act,
        hash: impl Fn(&[u8]) -> [u8; 32],
    ) -> Result<Self, EntryError> {
        Self::read(&unsigned(conversation, under, clock, act), &hash)
    }

    /// The entry as it is stored and sent.
    #[must_use]
    pub fn to_bytes(&self, signature: &Signature) -> Vec<u8> {
        let is_create = matches!(self.act, Act::Create { .. });
        let conversation = (!is_create).then_some(self.conversation);
        let mut bytes = unsigned(conversation, self.under, self.clock, &self.act);
        bytes.extend(signature.0);
        bytes
    }

    /// Reads an entry and its signature, which is still to be verified, as are the certificate and
    /// the add in it. `hash` is SHA-256.
    ///
    /// # Errors
    /// If it is malformed, or of a kind or version that is not known here.
    pub fn decode(
        bytes: &[u8],
        hash: impl Fn(&[u8]) -> [u8; 32],
    ) -> Result<(Self, Signature), EntryError> {
        let (unsigned, signature) = split(bytes)?;
        Ok((Self::read(unsigned, &hash)?, signature))
    }

    fn read(unsigned: &[u8], hash: Hash<'_>) -> Result<Self, EntryError> {
        let mut reader = Reader(unsigned);
        reader.version()?;
        let kind = reader.u8()?;
        if unsigned.len() + Signature::LEN > longest(kind)? {
            return Err(EntryError::TooLong);
        }
        let (conversation, under) = (reader.array()?, reader.array()?);
        let clock = reader.clock()?;
        let act = Act::read(kind, &mut reader, hash)?;
        reader.end()?;

        let is_create = kind == kind::CREATE;
        let is_join = is_create || kind == kind::JOIN;
        if (conversation == NONE) != is_create || (under == NONE) != is_join {
            return Err(EntryError::Place);
        }
        let id = EntryId(hash(&[DOMAIN, unsigned].concat()));
        let entry = Self {
            id,
            conversation: ConversationId(if is_create { id.0 } else { conversation }),
            under: (!is_join).then_some(EntryId(under)),
            clock,
            act,
        };
        entry
            .accepts_its_add()
            .then_some(entry)
            .ok_or(EntryError::Add)
    }

    /// Whether the add in it, if there is one, invites its person to its conversation.
    fn accepts_its_add(&self) -> bool {
        let Act::Join {
            certificate,
            add: Some(add),
            ..
        } = &self.act
        else {
            return true;
        };
        let invited = match add.entry.act {
            Act::Add { person, .. } => Some(person),
            _ => None,
        };
        add.entry.conversation == self.conversation && invited == Some(certificate.person)
    }
}

impl Add {
    /// Reads an add with its signature, as a join carries it. `hash` is SHA-256.
    ///
    /// # Errors
    /// If it is malformed or another kind of entry.
    pub fn decode(bytes: &[u8], hash: impl Fn(&[u8]) -> [u8; 32]) -> Result<Self, EntryError> {
        Self::read(bytes, &hash)
    }

    fn read(bytes: &[u8], hash: Hash<'_>) -> Result<Self, EntryError> {
        let (unsigned, _) = split(bytes)?;
        // Before anything else of it is read: a join in a join in a join would be.
        if unsigned.get(1) != Some(&kind::ADD) {
            return Err(EntryError::Add);
        }
        Ok(Self {
            entry: RosterEntry::read(unsigned, hash)?,
            bytes: bytes.into(),
        })
    }

    /// Its signature, still to be verified.
    ///
    /// # Panics
    /// If its bytes are not what [`Self::decode`] has read.
    #[must_use]
    pub fn signature(&self) -> Signature {
        Signature(*self.bytes.last_chunk().expect("an add has a signature"))
    }
}

/// What is signed, and the signature.
fn split(bytes: &[u8]) -> Result<(&[u8], Signature), EntryError> {
    if bytes.len() > RosterEntry::MAX {
        return Err(EntryError::TooLong);
    }
    let (unsigned, signature) = bytes.split_last_chunk().ok_or(EntryError::Short)?;
    Ok((unsigned, Signature(*signature)))
}

fn longest(kind: u8) -> Result<usize, EntryError> {
    match kind {
        kind::ADD => Ok(RosterEntry::MAX_ADD),
        kind::CREATE..=kind::RENAME => Ok(RosterEntry::MAX),
        unknown => Err(EntryError::Kind(unknown)),
    }
}

fn unsigned(
    conversation: Option<ConversationId>,
    under: Option<JoinId>,
    clock: Clock,
    act: &Act,
) -> Vec<u8> {
    let mut out = vec![VERSION, act.kind()];
    out.extend(conversation.map_or(NONE, |conversation| conversation.0));
    out.extend(under.map_or(NONE, |join| join.0));
    out.extend(clock.number().to_be_bytes());
    act.put(&mut out);
    out
}

impl Act {
    fn kind(&self) -> u8 {
        match self {
            Self::Create { .. } => kind::CREATE,
            Self::Add { .. } => kind::ADD,
            Self::Join { .. } => kind::JOIN,
            Self::Owner { .. } => kind::OWNER,
            Self::Resign { .. } => kind::RESIGN,
            Self::Remove { .. } => kind::REMOVE,
            Self::Leave { .. } => kind::LEAVE,
            Self::Rename { .. } => kind::RENAME,
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Create {
                certificate,
                salt,
                name,
            } => {
                out.extend(certificate.to_bytes());
                out.extend(salt);
                put_name(out, name);
            }
            Self::Add {
                person,
                from,
                after,
            } => {
                out.extend(person.0.0);
                out.extend(from.number().to_be_bytes());
                put_ids(out, after);
            }
            Self::Join {
                certificate,
                salt,
                add,
            } => {
                let add = add.as_ref().map_or(&[][..], |add| &add.bytes);
                out.extend(certificate.to_bytes());
                out.extend(salt);
                put_count(out, add.len());
                out.extend(add);
            }
            Self::Owner { person } => out.extend(person.0.0),
            Self::Resign { keeps } => put_ids(out, keeps),
            Self::Remove { person, keeps, cut } => {
                out.extend(person.0.0);
                put_ids(out, keeps);
                put_cut(out, cut);
            }
            Self::Leave { keeps, cut } => {
                put_ids(out, keeps);
                put_cut(out, cut);
            }
            Self::Rename { name } => put_name(out, name),
        }
    }

    fn read(kind: u8, reader: &mut Reader<'_>, hash: Hash<'_>) -> Result<Self, EntryError> {
        Ok(match kind {
            kind::CREATE => Self::Create {
                certificate: reader.certificate()?,
                salt: reader.array()?,
                name: reader.name()?,
            },
            kind::ADD => Self::Add {
                person: reader.person()?,
                from: reader.clock()?,
                after: reader.ids()?,
            },
            kind::JOIN => Self::Join {
                certificate: reader.certificate()?,
                salt: reader.array()?,
                add: read_accepted(reader, hash)?,
            },
            kind::OWNER => Self::Owner {
                person: reader.person()?,
            },
            kind::RESIGN => Self::Resign {
                keeps: reader.ids()?,
            },
            kind::REMOVE => Self::Remove {
                person: reader.person()?,
                keeps: reader.ids()?,
                cut: reader.cut()?,
            },
            kind::LEAVE => Self::Leave {
                keeps: reader.ids()?,
                cut: reader.cut()?,
            },
            kind::RENAME => Self::Rename {
                name: reader.name()?,
            },
            unknown => return Err(EntryError::Kind(unknown)),
        })
    }
}

/// The add in a join. None in a direct conversation.
fn read_accepted(reader: &mut Reader<'_>, hash: Hash<'_>) -> Result<Option<Box<Add>>, EntryError> {
    let length = reader.u16()?;
    let bytes = reader.bytes(length.into())?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let add = Add::read(bytes, hash).map_err(|_| EntryError::Add)?;
    Ok(Some(Box::new(add)))
}
