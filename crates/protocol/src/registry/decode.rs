//! Incremental decoders: a TCP read may end anywhere in a packet.

use super::{MalformedRequest, OnlineUser, Request, Response, ResponseError};

/// An incremental decoder of [`Request`]s. Holds less than one request between calls.
#[derive(Debug, Default)]
pub struct RequestDecoder {
    partial: [u8; Request::LEN],
    filled: usize,
}

impl RequestDecoder {
    /// The next request, taken from the front of `bytes`, or `None` when they are used up.
    pub fn next(&mut self, bytes: &mut &[u8]) -> Option<Result<Request, MalformedRequest>> {
        let taken = bytes.len().min(Request::LEN - self.filled);
        let (front, rest) = bytes.split_at(taken);
        self.partial[self.filled..self.filled + taken].copy_from_slice(front);
        self.filled += taken;
        *bytes = rest;
        if self.filled < Request::LEN {
            return None;
        }
        self.filled = 0;
        Some(Request::decode(&self.partial))
    }

    /// Whether a request has begun and not ended: then its sender has a deadline.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.filled > 0
    }
}

/// Cuts a stream into [`Response`]s.
///
/// The online list has neither length nor end mark. It ends when the next response
/// begins (a type byte is a control character, which no name holds), or when the caller
/// finds that the stream went quiet ([`ResponseDecoder::quiet`]). That may be an error: a
/// lost segment is silence too. So a list that silence has ended goes on with the next byte
/// that begins no response, and is then returned again, as a whole.
///
/// Holds at most [`ResponseDecoder::MAX_USERS`] entries and one partial entry.
#[derive(Debug, Default)]
pub struct ResponseDecoder {
    partial: Vec<u8>,
    list: Option<List>,
    skipped: usize,
    continues: bool,
}

/// An online list that may go on.
#[derive(Debug, Default)]
struct List {
    users: Vec<OnlineUser>,
    /// How many bytes came of it.
    bytes: usize,
    /// Silence has ended it, and nothing came since.
    is_quiet: bool,
    /// It was returned before, when it was shorter.
    is_longer: bool,
}

impl ResponseDecoder {
    /// How many users an online list may hold: 6 MB on the wire.
    pub const MAX_USERS: usize = 200_000;

    /// The next response that is complete, taken from the front of `bytes`, or `None` when they
    /// are used up.
    ///
    /// # Errors
    /// If the bytes cannot be a response. Then the connection has to be dropped.
    pub fn next(&mut self, bytes: &mut &[u8]) -> Result<Option<Response>, ResponseError> {
        while let Some(&first) = bytes.first() {
            let next = if self.list.is_none() {
                self.read_head(bytes)?
            } else if self.partial.is_empty() && first < b' ' {
                self.end_list()
            } else {
                self.read_entry(bytes)?;
                None
            };
            if next.is_some() {
                return Ok(next);
            }
        }
        Ok(None)
    }

    /// How many bytes the online list has, if silence would end it: all its entries are complete.
    #[must_use]
    pub fn may_end(&self) -> Option<usize> {
        let list = self.list.as_ref().filter(|list| !list.is_quiet)?;
        self.partial.is_empty().then_some(list.bytes)
    }

    /// Takes note that the stream went quiet; returns the online list that this ends, if any.
    pub fn quiet(&mut self) -> Option<Response> {
        self.may_end()?;
        let list = self.list.as_mut()?;
        let users = list.users.clone();
        self.continues = list.is_longer;
        (list.is_quiet, list.is_longer) = (true, true);
        Some(Response::Online(users))
    }

    /// Whether the online list that was returned last was returned before, when silence had
    /// ended it too early: it answers no further request.
    #[must_use]
    pub fn continues(&self) -> bool {
        self.continues
    }

    /// How many entries of online lists were not `name-address` and were left out.
    #[must_use]
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// Moves up to a head from `bytes`. Returns its response, unless that is an online list,
    /// which begins with it.
    fn read_head(&mut self, bytes: &mut &[u8]) -> Result<Option<Response>, ResponseError> {
        let missing = Response::HEAD_LEN - self.partial.len();
        let (front, rest) = bytes.split_at(missing.min(bytes.len()));
        self.partial.extend_from_slice(front);
        *bytes = rest;
        let Ok(head) = <&[u8; Response::HEAD_LEN]>::try_from(&self.partial[..]) else {
            return Ok(None);
        };
        let response = Response::decode_head(head)?;
        self.partial.clear();
        if let Response::Online(_) = response {
            self.list = Some(List::default());
            return Ok(None);
        }
        Ok(Some(response))
    }

    /// Moves up to one entry from `bytes` to the list.
    fn read_entry(&mut self, bytes: &mut &[u8]) -> Result<(), ResponseError> {
        let list = self
            .list
            .as_mut()
            .expect("entries are only read within a list");
        list.is_quiet = false;
        while let Some((&byte, rest)) = bytes.split_first() {
            self.partial.push(byte);
            *bytes = rest;
            list.bytes += 1;
            if let Some(entry) = self.partial.strip_suffix(OnlineUser::SEPARATOR) {
                match OnlineUser::decode(entry) {
                    Some(user) if list.users.len() < Self::MAX_USERS => list.users.push(user),
                    Some(_) => return Err(ResponseError::LongList),
                    None => self.skipped += 1,
                }
                self.partial.clear();
                return Ok(());
            }
            if self.partial.len() == OnlineUser::MAX_ENTRY {
                return Err(ResponseError::LongEntry);
            }
        }
        Ok(())
    }

    /// The list, which ends here, unless it was returned as it is.
    fn end_list(&mut self) -> Option<Response> {
        let list = self.list.take().filter(|list| !list.is_quiet)?;
        self.continues = list.is_longer;
        Some(Response::Online(list.users))
    }
}
