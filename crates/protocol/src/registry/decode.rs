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
/// finds that the stream went quiet ([`ResponseDecoder::quiet`]).
///
/// Holds at most [`ResponseDecoder::MAX_USERS`] entries and one partial entry.
#[derive(Debug, Default)]
pub struct ResponseDecoder {
    partial: Vec<u8>,
    list: Option<Vec<OnlineUser>>,
    skipped: usize,
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
        loop {
            if self.list.is_some() {
                if self.partial.is_empty() && bytes.first().is_some_and(|&byte| byte < b' ') {
                    return Ok(self.take_list());
                }
                if !self.next_entry(bytes)? {
                    return Ok(None);
                }
            } else {
                let missing = Response::HEAD_LEN - self.partial.len();
                let (front, rest) = bytes.split_at(missing.min(bytes.len()));
                self.partial.extend_from_slice(front);
                *bytes = rest;
                let Ok(head) = <&[u8; Response::HEAD_LEN]>::try_from(&self.partial[..]) else {
                    return Ok(None);
                };
                let response = Response::decode_head(head)?;
                self.partial.clear();
                match response {
                    Response::Online(list) => self.list = Some(list),
                    whole => return Ok(Some(whole)),
                }
            }
        }
    }

    /// Whether silence would end an online list: all its entries are complete.
    #[must_use]
    pub fn may_end(&self) -> bool {
        self.list.is_some() && self.partial.is_empty()
    }

    /// Takes note that the stream went quiet; returns the online list that this ends, if any.
    pub fn quiet(&mut self) -> Option<Response> {
        if self.may_end() {
            self.take_list()
        } else {
            None
        }
    }

    /// How many entries of online lists were not `name-address` and were left out.
    #[must_use]
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    fn take_list(&mut self) -> Option<Response> {
        self.list.take().map(Response::Online)
    }

    /// Moves one entry from `bytes` to the list. `false` when `bytes` are used up.
    fn next_entry(&mut self, bytes: &mut &[u8]) -> Result<bool, ResponseError> {
        while let Some((&byte, rest)) = bytes.split_first() {
            self.partial.push(byte);
            *bytes = rest;
            if self.partial.ends_with(OnlineUser::SEPARATOR) {
                return self.end_entry().map(|()| true);
            }
            if self.partial.len() == OnlineUser::MAX_ENTRY {
                return Err(ResponseError::LongEntry);
            }
        }
        Ok(false)
    }

    fn end_entry(&mut self) -> Result<(), ResponseError> {
        let entry = &self.partial[..self.partial.len() - OnlineUser::SEPARATOR.len()];
        let user = OnlineUser::decode(entry);
        self.partial.clear();
        let list = self
            .list
            .as_mut()
            .expect("entries are only read within a list");
        match user {
            Some(user) if list.len() < Self::MAX_USERS => list.push(user),
            Some(_) => return Err(ResponseError::LongList),
            None => self.skipped += 1,
        }
        Ok(())
    }
}
