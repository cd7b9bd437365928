//! What roster and talk entries have in common as bytes: how a field is read and written, and what
//! can be wrong.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::{Clock, EntryId, JoinId};
use crate::v2::key::{Certificate, PersonKey, PublicKey};
use crate::v2::text::DisplayName;

/// The version that entries begin with.
pub(super) const VERSION: u8 = 1;

/// What is wrong with the bytes of an entry or of a body. It is so for all who read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EntryError {
    /// More bytes than an entry of its kind may have.
    #[error("an entry that is too long")]
    TooLong,
    /// Of another version: a newer program may know it.
    #[error("an entry of version {0}")]
    Version(u8),
    /// Of a kind that is not known here: a newer program may know it.
    #[error("an entry of the unknown kind {0}")]
    Kind(u8),
    /// It ends within a field.
    #[error("an entry that ends too early")]
    Short,
    /// It does not end where its fields do.
    #[error("an entry with bytes left over")]
    LeftOver,
    /// It names no conversation or join where it has to, or one where it must not.
    #[error("an entry that does not say where it belongs as its kind has to")]
    Place,
    /// A clock of 2^63 or more. In the header of a talk entry that ends the log instead.
    #[error("a clock that is too great")]
    Clock,
    /// A certificate of another form.
    #[error("a certificate that is malformed")]
    Certificate,
    /// A list that is not in ascending order, or has something twice.
    #[error("a list that does not ascend")]
    Order,
    /// A text that is not UTF-8, too short or too long, or a name with a control character or with
    /// white space at an end.
    #[error("a text that is not allowed")]
    Text,
    /// What a join accepts is malformed, no add, of another conversation, or for another person.
    #[error("a join that accepts what is no add for its person here")]
    Add,
    /// The body is not the one that the header names.
    #[error("a body that is not the one of its header")]
    Body,
}

/// What is not read yet.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], EntryError> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or(EntryError::Short)?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], EntryError> {
        let (array, rest) = self.0.split_first_chunk().ok_or(EntryError::Short)?;
        self.0 = rest;
        Ok(*array)
    }

    pub(super) fn u8(&mut self) -> Result<u8, EntryError> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, EntryError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, EntryError> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn version(&mut self) -> Result<(), EntryError> {
        match self.u8()? {
            VERSION => Ok(()),
            other => Err(EntryError::Version(other)),
        }
    }

    pub(super) fn clock(&mut self) -> Result<Clock, EntryError> {
        Clock::new(self.u64()?).ok_or(EntryError::Clock)
    }

    pub(super) fn id(&mut self) -> Result<EntryId, EntryError> {
        self.array().map(EntryId)
    }

    pub(super) fn person(&mut self) -> Result<PersonKey, EntryError> {
        Ok(PersonKey(PublicKey(self.array()?)))
    }

    pub(super) fn certificate(&mut self) -> Result<Certificate, EntryError> {
        Certificate::from_bytes(self.bytes(Certificate::LEN)?).ok_or(EntryError::Certificate)
    }

    pub(super) fn name(&mut self) -> Result<DisplayName, EntryError> {
        let length = self.u8()?;
        let name = text(self.bytes(length.into())?)?;
        name.parse().map_err(|_| EntryError::Text)
    }

    /// No memory is taken for a count, only for what is there.
    pub(super) fn ids(&mut self) -> Result<BTreeSet<EntryId>, EntryError> {
        let mut ids = BTreeSet::new();
        for _ in 0..self.u16()? {
            let id = self.id()?;
            if ids.last().is_some_and(|last| *last >= id) {
                return Err(EntryError::Order);
            }
            ids.insert(id);
        }
        Ok(ids)
    }

    pub(super) fn cut(&mut self) -> Result<BTreeMap<JoinId, u64>, EntryError> {
        let mut cut = BTreeMap::new();
        for _ in 0..self.u16()? {
            let (join, count) = (self.id()?, self.u64()?);
            if cut.last_key_value().is_some_and(|(last, _)| *last >= join) {
                return Err(EntryError::Order);
            }
            cut.insert(join, count);
        }
        Ok(cut)
    }

    /// All that is left.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    pub(super) fn end(&self) -> Result<(), EntryError> {
        self.0.is_empty().then_some(()).ok_or(EntryError::LeftOver)
    }
}

pub(super) fn text(bytes: &[u8]) -> Result<&str, EntryError> {
    std::str::from_utf8(bytes).map_err(|_| EntryError::Text)
}

/// A length or count. What does not fit is longer than any entry, which the whole is checked for.
pub(super) fn put_count(out: &mut Vec<u8>, count: usize) {
    let count = u16::try_from(count).unwrap_or(u16::MAX);
    out.extend(count.to_be_bytes());
}

pub(super) fn put_name(out: &mut Vec<u8>, name: &DisplayName) {
    let length = u8::try_from(name.as_str().len()).expect("a name has at most 64 bytes");
    out.push(length);
    out.extend(name.as_str().as_bytes());
}

pub(super) fn put_ids(out: &mut Vec<u8>, ids: &BTreeSet<EntryId>) {
    put_count(out, ids.len());
    out.extend(ids.iter().flat_map(|id| id.0));
}

pub(super) fn put_cut(out: &mut Vec<u8>, cut: &BTreeMap<JoinId, u64>) {
    put_count(out, cut.len());
    for (join, count) in cut {
        out.extend(join.0);
        out.extend(count.to_be_bytes());
    }
}
