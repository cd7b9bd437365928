//! Reads the JSON of the contract.
//!
//! `serde_json` would be a tenth of the page, most of it words about errors that no one reads
//! here and numbers with fractions, of which the contract has none: an update that the page
//! does not understand is ignored. What is read is the same, and a test compares the two.

use std::fmt;

use js_sys::JSON;
use p2pchat_model::{CallId, Event, Update};
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};

/// How deep values may be nested; those of the contract are not half as deep.
const DEEPEST: u8 = 32;

/// Reads an update. `None` if it is not one of this version of the contract.
#[must_use]
pub fn read(text: &str) -> Option<Update> {
    #[derive(Deserialize)]
    struct Envelope {
        re: Option<CallId>,
    }
    let Envelope { re } = Reader::whole(text).ok()?;
    let event: Event = Reader::whole(text).ok()?;
    let event = event.into();
    Some(Update { re, event })
}

/// A text is not what is expected. Without words.
#[derive(Debug)]
struct Misfit;

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an update of this version")
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// A text of which some is read.
struct Reader<'a> {
    rest: &'a str,
    /// How much deeper values may be.
    depth: u8,
}

impl<'a> Reader<'a> {
    fn whole<T: Deserialize<'a>>(text: &'a str) -> Result<T, Misfit> {
        let mut reader = Self {
            rest: text,
            depth: DEEPEST,
        };
        let value = T::deserialize(&mut reader)?;
        reader.peek().is_none().then_some(value).ok_or(Misfit)
    }

    /// The next character that is not white space.
    fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.bytes().next()
    }

    fn takes(&mut self, what: &str) -> bool {
        self.peek();
        let rest = self.rest.strip_prefix(what);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn take(&mut self, what: &str) -> Result<(), Misfit> {
        self.takes(what).then_some(()).ok_or(Misfit)
    }

    fn split(&mut self, at: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(at);
        self.rest = rest;
        taken
    }

    fn number(&mut self) -> Result<u64, Misfit> {
        let is_digit = |c: char| c.is_ascii_digit();
        let end = self.rest.find(|c| !is_digit(c)).unwrap_or(self.rest.len());
        self.split(end).parse().map_err(|_| Misfit)
    }

    fn string<V: Visitor<'a>>(&mut self, visitor: V) -> Result<V::Value, Misfit> {
        let bytes = self.rest.as_bytes();
        let mut end = 1;
        let mut is_plain = true;
        while *bytes.get(end).ok_or(Misfit)? != b'"' {
            let is_escape = bytes[end] == b'\\';
            is_plain &= !is_escape;
            end += 1 + usize::from(is_escape);
        }
        let quoted = self.split(end + 1);
        if is_plain {
            return visitor.visit_borrowed_str(&quoted[1..end]);
        }
        let text = JSON::parse(quoted).map_err(|_| Misfit)?;
        visitor.visit_string(text.as_string().ok_or(Misfit)?)
    }

    /// Reads a list or an object between these brackets.
    fn inside<T>(
        &mut self,
        brackets: [&'static str; 2],
        read: impl FnOnce(Items<'_, 'a>) -> Result<T, Misfit>,
    ) -> Result<T, Misfit> {
        let [open, close] = brackets;
        self.take(open)?;
        self.depth = self.depth.checked_sub(1).ok_or(Misfit)?;
        let value = read(Items {
            reader: self,
            close,
            is_first: true,
        })?;
        self.depth += 1;
        self.take(close)?;
        Ok(value)
    }
}

impl<'de> de::Deserializer<'de> for &mut Reader<'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.peek().ok_or(Misfit)? {
            b'"' => self.string(visitor),
            b'{' => self.inside(["{", "}"], |items| visitor.visit_map(items)),
            b'[' => self.inside(["[", "]"], |items| visitor.visit_seq(items)),
            b'0'..=b'9' => visitor.visit_u64(self.number()?),
            b't' => self.take("true").and_then(|()| visitor.visit_bool(true)),
            b'f' => self.take("false").and_then(|()| visitor.visit_bool(false)),
            _ => self.take("null").and_then(|()| visitor.visit_unit()),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.takes("null") {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    // An event has its name inside, so it is read whole before it becomes one.
    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The items of a list or an object.
struct Items<'r, 'a> {
    reader: &'r mut Reader<'a>,
    close: &'static str,
    is_first: bool,
}

impl Items<'_, '_> {
    /// Whether there is another item, which is read next.
    fn has_next(&mut self) -> Result<bool, Misfit> {
        if self.reader.peek() == self.close.bytes().next() {
            return Ok(false);
        }
        if !std::mem::take(&mut self.is_first) {
            self.reader.take(",")?;
        }
        Ok(true)
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        if self.has_next()? {
            seed.deserialize(&mut *self.reader).map(Some)
        } else {
            Ok(None)
        }
    }
}

impl<'de> MapAccess<'de> for Items<'_, 'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        if self.has_next()? {
            seed.deserialize(&mut *self.reader).map(Some)
        } else {
            Ok(None)
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        self.reader.take(":")?;
        seed.deserialize(&mut *self.reader)
    }
}
