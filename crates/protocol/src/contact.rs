//! Chat requests, their answers, and notifies: the packets by which a chat begins and grows.
//!
//! A request and a notify have a head of 26 bytes and then a chat_list without length or end
//! mark: it ends where the sender's half of the stream ends or goes quiet, which only the
//! caller of [`ContactDecoder`] can tell.

use thiserror::Error;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::address::{AddressError, ChatList, ChatListError, PeerAddr};
use crate::field::{filled, text_bytes};
use crate::name::{Username, UsernameError};

const REQUEST: u8 = 0;
const NOTIFY: u8 = 1;
const REQUEST_WORD: &str = "CHAT REQUEST";
/// [`REQUEST_WORD`], truncated to the field of 10 bytes in which the specification has it.
const REQUEST_KEYWORD_TRUNCATED: &[u8] = b"CHAT REQUE";
const NOTIFY_WORD: &str = "New User";
/// The longest line of a chat_list, without its LF.
const MAX_LINE: usize = PeerAddr::FIELD;

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct RawHead {
    kind: u8,
    first: [u8; 15],
    second: [u8; 10],
}

const _: () = assert!(size_of::<RawHead>() == Contact::HEAD_LEN);

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct RawAnswer {
    kind: u8,
    status: u8,
    message: [u8; 15],
}

const _: () = assert!(size_of::<RawAnswer>() == ChatAnswer::LEN);

/// A packet on port 5858: a chat request or a notify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contact {
    /// "May I chat with you?"
    Request {
        /// The name that the requester gives.
        from: Username,
        /// Members of the requester's current chat.
        members: ChatList,
    },
    /// "A member joined us."
    Notify {
        /// The member who joined.
        newcomer: PeerAddr,
        /// The sender's members; empty from legacy clients.
        members: ChatList,
    },
}

/// Why bytes are not a [`Contact`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ContactError {
    /// Neither a request nor a notify.
    #[error("unknown packet type {0}")]
    UnknownKind(u8),
    /// A request without the words CHAT REQUEST in either field.
    #[error("a chat request that does not say CHAT REQUEST")]
    NotARequest,
    /// The requester's name is invalid.
    #[error(transparent)]
    From(#[from] UsernameError),
    /// The newcomer's address is invalid.
    #[error("newcomer: {0}")]
    Newcomer(#[from] AddressError),
    /// The chat_list is invalid.
    #[error(transparent)]
    List(#[from] ChatListError),
    /// The stream ended within the head.
    #[error("{max} bytes make a request or notify, the stream ended after {0}", max = Contact::HEAD_LEN)]
    Short(usize),
}

impl Contact {
    /// The length of the part before the chat_list, in bytes.
    pub const HEAD_LEN: usize = 26;

    /// Appends the packet to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let (head, members) = match self {
            Self::Request { from, members } => {
                let head = RawHead {
                    kind: REQUEST,
                    first: filled(REQUEST_WORD),
                    second: filled(from.as_str()),
                };
                (head, members)
            }
            Self::Notify { newcomer, members } => {
                let head = RawHead {
                    kind: NOTIFY,
                    first: newcomer.to_field(),
                    second: filled(NOTIFY_WORD),
                };
                (head, members)
            }
        };
        out.extend_from_slice(head.as_bytes());
        members.put(out);
    }

    /// The chat_list.
    #[must_use]
    pub fn members(&self) -> &ChatList {
        match self {
            Self::Request { members, .. } | Self::Notify { members, .. } => members,
        }
    }

    fn decode_head(head: &[u8; Self::HEAD_LEN]) -> Result<Self, ContactError> {
        let raw: &RawHead = zerocopy::transmute_ref!(head);
        let members = ChatList::default();
        match raw.kind {
            REQUEST => {
                // The whole word first: no name is as long, but the truncated one may be a name.
                let name = if text_bytes(&raw.first) == REQUEST_WORD.as_bytes() {
                    &raw.second[..]
                } else if text_bytes(&raw.second).starts_with(REQUEST_KEYWORD_TRUNCATED) {
                    &raw.first[..]
                } else {
                    return Err(ContactError::NotARequest);
                };
                let from = Username::from_field(name)?;
                Ok(Self::Request { from, members })
            }
            NOTIFY => {
                let newcomer = PeerAddr::from_field(&raw.first)?;
                Ok(Self::Notify { newcomer, members })
            }
            other => Err(ContactError::UnknownKind(other)),
        }
    }
}

/// An incremental decoder of one [`Contact`].
///
/// Holds at most [`ChatList::MAX`] addresses and one line.
#[derive(Debug, Default)]
pub struct ContactDecoder {
    /// The head until it is complete, then the line that has not ended yet.
    partial: Vec<u8>,
    contact: Option<Contact>,
    lines: usize,
    /// How many bytes came.
    bytes: usize,
}

impl ContactDecoder {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// If they cannot belong to a request or notify. Then the connection has to be dropped.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), ContactError> {
        self.bytes += bytes.len();
        if self.contact.is_none() {
            let missing = Contact::HEAD_LEN - self.partial.len();
            let (head, rest) = bytes.split_at(missing.min(bytes.len()));
            self.partial.extend_from_slice(head);
            bytes = rest;
            let Ok(head) = <&[u8; Contact::HEAD_LEN]>::try_from(&self.partial[..]) else {
                return Ok(());
            };
            self.contact = Some(Contact::decode_head(head)?);
            self.partial.clear();
        }
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            self.extend_line(&bytes[..end])?;
            self.end_line()?;
            bytes = &bytes[end + 1..];
        }
        self.extend_line(bytes)
    }

    /// Whether the head is complete: from then on the end of the stream ends the packet.
    #[must_use]
    pub fn has_head(&self) -> bool {
        self.contact.is_some()
    }

    /// How many bytes came, if silence would end the packet: its head and all its lines are
    /// complete.
    #[must_use]
    pub fn may_end(&self) -> Option<usize> {
        (self.has_head() && self.partial.is_empty()).then_some(self.bytes)
    }

    /// The packet, when the stream has ended or gone quiet. A last line without its LF is
    /// incomplete and does not count.
    ///
    /// # Errors
    /// If the head is not complete.
    pub fn finish(self) -> Result<Contact, ContactError> {
        self.contact.ok_or(ContactError::Short(self.partial.len()))
    }

    fn extend_line(&mut self, bytes: &[u8]) -> Result<(), ContactError> {
        if self.partial.len() + bytes.len() > MAX_LINE {
            let line = self.lines + 1;
            return Err(ChatListError::LongLine { line }.into());
        }
        self.partial.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), ContactError> {
        self.lines += 1;
        // Empty lines and repeated addresses count too: else they would be work without end.
        if self.lines > ChatList::MAX {
            return Err(ChatListError::TooLong.into());
        }
        if !self.partial.is_empty() {
            let address =
                PeerAddr::from_text_bytes(&self.partial).map_err(|source| ChatListError::Line {
                    line: self.lines,
                    source,
                })?;
            let (Contact::Request { members, .. } | Contact::Notify { members, .. }) = self
                .contact
                .as_mut()
                .expect("lines are only read once the head is there");
            members.push(address)?;
            self.partial.clear();
        }
        Ok(())
    }
}

/// The answer to a chat request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChatAnswer {
    /// Status 20.
    Accepted,
    /// Status 40, or any unknown status: legacy clients read it like that too.
    Rejected,
    /// Status 41, which legacy clients do not send: the user is busy, or another request waits
    /// for their answer.
    Busy,
}

impl ChatAnswer {
    /// The length of the packet, in bytes.
    pub const LEN: usize = 17;

    /// The packet.
    #[must_use]
    pub fn encode(self) -> [u8; Self::LEN] {
        let (status, message) = match self {
            Self::Accepted => (20, "OK"),
            Self::Rejected => (40, "Rejected"),
            Self::Busy => (41, "BUSY"),
        };
        zerocopy::transmute!(RawAnswer {
            kind: REQUEST,
            status,
            message: filled(message),
        })
    }

    /// Reads a packet. Only the status counts.
    #[must_use]
    pub fn decode(packet: &[u8; Self::LEN]) -> Self {
        let raw: &RawAnswer = zerocopy::transmute_ref!(packet);
        match raw.status {
            20 => Self::Accepted,
            41 => Self::Busy,
            _ => Self::Rejected,
        }
    }
}
