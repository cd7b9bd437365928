//! Talk entries as bytes: headers, bodies, and both together.

use super::{Header, MAX_BODY, MAX_REACTION, MAX_TEXT, SALT, Talk, TalkEntry};
use crate::v2::conversation::codec::{EntryError, Reader, VERSION, text};
use crate::v2::conversation::{Clock, ConversationId, EntryId};
use crate::v2::key::Signature;

/// What headers are hashed and signed under, so that neither means anything elsewhere.
const DOMAIN: &[u8] = b"p2pchat talk entry";

mod kind {
    pub(super) const MESSAGE: u8 = 1;
    pub(super) const REPLY: u8 = 2;
    pub(super) const EDIT: u8 = 3;
    pub(super) const ERASE: u8 = 4;
    pub(super) const REACTION: u8 = 5;
}

/// What the signature of the talk entry with this id is over.
#[must_use]
pub fn signed_part(id: &EntryId) -> Vec<u8> {
    [DOMAIN, &id.0].concat()
}

impl Header {
    /// Its length in bytes.
    pub const LEN: usize = 1 + 32 + 32 + 8 + 32 + 8 + 1 + 4 + 32;

    /// The header as it is hashed, stored and sent.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let parts: [&[u8]; 9] = [
            &[VERSION],
            &self.conversation.0,
            &self.join.0,
            &self.position.to_be_bytes(),
            &self.previous.0,
            &self.clock.number().to_be_bytes(),
            &[self.kind],
            &self.body_len.to_be_bytes(),
            &self.body_hash,
        ];
        let bytes = parts.concat();
        bytes
            .try_into()
            .expect("the parts are as long as the whole")
    }

    /// The name of its entry. `hash` is SHA-256.
    #[must_use]
    pub fn id(&self, hash: impl Fn(&[u8]) -> [u8; 32]) -> EntryId {
        EntryId(hash(&[DOMAIN, &self.to_bytes()].concat()))
    }

    /// Takes what ends a log as it is: its entry is the proof that the log has ended.
    fn read(reader: &mut Reader<'_>) -> Result<Self, EntryError> {
        reader.version()?;
        Ok(Self {
            conversation: ConversationId(reader.array()?),
            join: reader.id()?,
            position: reader.u64()?,
            previous: reader.id()?,
            clock: Clock::from_number(reader.u64()?),
            kind: reader.u8()?,
            body_len: reader.array().map(u32::from_be_bytes)?,
            body_hash: reader.array()?,
        })
    }
}

impl TalkEntry {
    /// The longest one, in bytes: header, signature and body.
    pub const MAX: usize = Header::LEN + Signature::LEN + MAX_BODY;

    /// The entry as it is stored and sent.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let body = self.body.as_deref().unwrap_or_default();
        [&self.header.to_bytes()[..], &self.signature.0, body].concat()
    }

    /// Reads an entry. Its signature is still to be verified; its body, if it is there, is the one
    /// that the header names, and still to be read ([`Talk::decode`]). `hash` is SHA-256.
    ///
    /// # Errors
    /// If it is malformed or of another version. What ends a log is not: that is for the log.
    pub fn decode(bytes: &[u8], hash: impl Fn(&[u8]) -> [u8; 32]) -> Result<Self, EntryError> {
        if bytes.len() > Self::MAX {
            return Err(EntryError::TooLong);
        }
        let mut reader = Reader(bytes);
        let header = Header::read(&mut reader)?;
        let signature = Signature(reader.array()?);
        let body = reader.rest();
        let is_of_header =
            || u32::try_from(body.len()) == Ok(header.body_len) && hash(body) == header.body_hash;
        if !body.is_empty() && !is_of_header() {
            return Err(EntryError::Body);
        }
        Ok(Self {
            id: header.id(hash),
            header,
            signature,
            body: (!body.is_empty()).then(|| body.into()),
        })
    }
}

impl Talk {
    /// The kind of an edit. It goes with the message that it is of, when that is erased.
    pub const EDIT: u8 = kind::EDIT;
    /// The kind of an erase. Its own body is not erased by another: it tells what is missing.
    pub const ERASE: u8 = kind::ERASE;

    /// The kind that its header has.
    #[must_use]
    pub fn kind(&self) -> u8 {
        match self {
            Self::Message { .. } => kind::MESSAGE,
            Self::Reply { .. } => kind::REPLY,
            Self::Edit { .. } => kind::EDIT,
            Self::Erase { .. } => kind::ERASE,
            Self::Reaction { .. } => kind::REACTION,
        }
    }

    /// The body that says this.
    ///
    /// # Errors
    /// If a text is too short or too long.
    pub fn to_body(&self, salt: [u8; SALT]) -> Result<Vec<u8>, EntryError> {
        let (target, text) = match self {
            Self::Message { text } => (None, text.as_str()),
            Self::Reply { to, text } => (Some(to), text.as_str()),
            Self::Edit { of, text } => (Some(of), text.as_str()),
            Self::Erase { of } => (Some(of), ""),
            Self::Reaction { to, emoji } => (Some(to), emoji.as_str()),
        };
        let target = target.map_or(&[][..], |target| &target.0);
        let body = [&salt[..], target, text.as_bytes()].concat();
        Self::decode(self.kind(), &body).map(|_| body)
    }

    /// Reads the body of an entry of this kind.
    ///
    /// # Errors
    /// If it is malformed, or the kind is not known here. The entry stays in its log either way:
    /// the body may be gone elsewhere, so its form cannot end one.
    pub fn decode(kind: u8, body: &[u8]) -> Result<Self, EntryError> {
        let mut reader = Reader(body);
        reader.bytes(SALT)?;
        let read = match kind {
            kind::MESSAGE => Self::Message {
                text: read_text(&mut reader)?,
            },
            kind::REPLY => Self::Reply {
                to: reader.id()?,
                text: read_text(&mut reader)?,
            },
            kind::EDIT => Self::Edit {
                of: reader.id()?,
                text: read_text(&mut reader)?,
            },
            kind::ERASE => Self::Erase { of: reader.id()? },
            kind::REACTION => Self::Reaction {
                to: reader.id()?,
                emoji: read_emoji(&mut reader)?,
            },
            unknown => return Err(EntryError::Kind(unknown)),
        };
        reader.end()?;
        Ok(read)
    }
}

fn read_text(reader: &mut Reader<'_>) -> Result<String, EntryError> {
    match text(reader.rest())? {
        text if (1..=MAX_TEXT).contains(&text.len()) => Ok(text.to_owned()),
        _ => Err(EntryError::Text),
    }
}

fn read_emoji(reader: &mut Reader<'_>) -> Result<String, EntryError> {
    match text(reader.rest())? {
        emoji if emoji.len() <= MAX_REACTION => Ok(emoji.to_owned()),
        _ => Err(EntryError::Text),
    }
}
