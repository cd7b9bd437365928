//! From JSON.

use std::borrow::Cow;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::Unfit;

/// How deep lists and objects may lie in each other where they are passed over: deeper than
/// in any frame.
const DEEPEST: usize = 32;

/// A text, and how far it has been read.
pub(super) struct Reader<'de> {
    text: &'de str,
    at: usize,
}

impl<'de> Reader<'de> {
    pub(super) fn new(text: &'de str) -> Self {
        Self { text, at: 0 }
    }

    /// Whether nothing but white space is left.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// The next byte that is not white space.
    #[inline(never)]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                byte => return byte.copied(),
            }
        }
    }

    /// Passes over this byte if it is the next one.
    fn skip(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8) -> Result<(), Unfit> {
        self.skip(byte).then_some(()).ok_or(Unfit)
    }

    /// Passes over this word if it comes next.
    fn skip_word(&mut self, word: &str) -> bool {
        let comes = self.peek().is_some() && self.text[self.at..].starts_with(word);
        self.at += if comes { word.len() } else { 0 };
        comes
    }

    /// Whether another element comes before `end`, which is passed over.
    #[inline(never)]
    fn another(&mut self, end: u8, is_first: &mut bool) -> Result<bool, Unfit> {
        let was_first = std::mem::take(is_first);
        if self.skip(end) {
            return Ok(false);
        }
        if !was_first {
            self.expect(b',')?;
        }
        Ok(true)
    }

    #[inline(never)]
    fn number(&mut self) -> Result<u64, Unfit> {
        self.peek();
        let digits = self.text[self.at..].bytes();
        let count = digits.take_while(u8::is_ascii_digit).count();
        let digits = &self.text[self.at..self.at + count];
        self.at += count;
        let is_fraction = matches!(self.peek(), Some(b'.' | b'e' | b'E'));
        match is_fraction || (digits.starts_with('0') && count > 1) {
            true => Err(Unfit),
            false => digits.parse().map_err(|_| Unfit),
        }
    }

    #[inline(never)]
    fn string(&mut self) -> Result<Cow<'de, str>, Unfit> {
        self.expect(b'"')?;
        let mut whole = String::new();
        loop {
            let rest = &self.text[self.at..];
            let length = rest
                .find(|c| matches!(c, '"' | '\\' | '\0'..' '))
                .ok_or(Unfit)?;
            let (plain, end) = (&rest[..length], rest.as_bytes()[length]);
            self.at += length + 1;
            match end {
                b'"' if whole.is_empty() => return Ok(Cow::Borrowed(plain)),
                b'"' => {
                    whole.push_str(plain);
                    return Ok(Cow::Owned(whole));
                }
                b'\\' => {
                    whole.push_str(plain);
                    whole.push(self.escaped()?);
                }
                _ => return Err(Unfit),
            }
        }
    }

    /// What a backslash stands before.
    fn escaped(&mut self) -> Result<char, Unfit> {
        let letter = *self.text.as_bytes().get(self.at).ok_or(Unfit)?;
        self.at += 1;
        Ok(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.unit()?;
                let second = match first {
                    0xd800..0xdc00 if self.text[self.at..].starts_with("\\u") => {
                        self.at += 2;
                        Some(self.unit()?)
                    }
                    _ => None,
                };
                let units = [first].into_iter().chain(second);
                let mut decoded = char::decode_utf16(units);
                match (decoded.next(), decoded.next()) {
                    (Some(Ok(char)), None) => char,
                    _ => return Err(Unfit),
                }
            }
            _ => return Err(Unfit),
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Result<u16, Unfit> {
        let digits = self.text.get(self.at..self.at + 4).ok_or(Unfit)?;
        self.at += 4;
        match digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            true => u16::from_str_radix(digits, 16).map_err(|_| Unfit),
            false => Err(Unfit),
        }
    }

    /// Passes over a value, whatever it is: a later version may have more fields.
    #[inline(never)]
    fn skip_value(&mut self, depth: usize) -> Result<(), Unfit> {
        if depth > DEEPEST {
            return Err(Unfit);
        }
        let mut is_first = true;
        match self.peek().ok_or(Unfit)? {
            b'"' => drop(self.string()?),
            b'[' => {
                self.at += 1;
                while self.another(b']', &mut is_first)? {
                    self.skip_value(depth + 1)?;
                }
            }
            b'{' => {
                self.at += 1;
                while self.another(b'}', &mut is_first)? {
                    self.string()?;
                    self.expect(b':')?;
                    self.skip_value(depth + 1)?;
                }
            }
            _ => {
                let rest = self.text[self.at..].bytes();
                let of_a_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
                let length = rest.take_while(of_a_word).count();
                if length == 0 {
                    return Err(Unfit);
                }
                self.at += length;
            }
        }
        Ok(())
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Unfit;

    /// No frame has a value that does not say what it is.
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Unfit> {
        Err(Unfit)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.skip_word("true") {
            true => visitor.visit_bool(true),
            false if self.skip_word("false") => visitor.visit_bool(false),
            false => Err(Unfit),
        }
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_u64(self.number()?)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_u64(self.number()?)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_u64(self.number()?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_u64(self.number()?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_str(&self.string()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.skip_word("null") {
            true => visitor.visit_none(),
            false => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.expect(b'[')?;
        visitor.visit_seq(Elements::of(self))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.expect(b'{')?;
        visitor.visit_map(Elements::of(self))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        let holds_more = self.skip(b'{');
        let variant = Variant {
            reader: &mut *self,
            holds_more,
        };
        let value = visitor.visit_enum(variant)?;
        if holds_more {
            self.expect(b'}')?;
        }
        Ok(value)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.skip_value(0)?;
        visitor.visit_unit()
    }
}

/// What is in a list or an object, behind its first bracket. Visitors read to its end.
struct Elements<'a, 'de> {
    reader: &'a mut Reader<'de>,
    is_first: bool,
}

impl<'a, 'de> Elements<'a, 'de> {
    fn of(reader: &'a mut Reader<'de>) -> Self {
        Self {
            reader,
            is_first: true,
        }
    }
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = Unfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Unfit> {
        match self.reader.another(b']', &mut self.is_first)? {
            true => seed.deserialize(&mut *self.reader).map(Some),
            false => Ok(None),
        }
    }
}

impl<'de> MapAccess<'de> for Elements<'_, 'de> {
    type Error = Unfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Unfit> {
        match self.reader.another(b'}', &mut self.is_first)? {
            true => seed.deserialize(&mut *self.reader).map(Some),
            false => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unfit> {
        self.reader.expect(b':')?;
        seed.deserialize(&mut *self.reader)
    }
}

/// A variant: a string, or the one key of an object whose value is what the variant holds.
struct Variant<'a, 'de> {
    reader: &'a mut Reader<'de>,
    holds_more: bool,
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Unfit;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Unfit> {
        let name = seed.deserialize(&mut *self.reader)?;
        if self.holds_more {
            self.reader.expect(b':')?;
        }
        Ok((name, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Unfit;

    fn unit_variant(self) -> Result<(), Unfit> {
        match self.holds_more {
            true => Err(Unfit),
            false => Ok(()),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Unfit> {
        match self.holds_more {
            true => seed.deserialize(self.reader),
            false => Err(Unfit),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Unfit> {
        Err(Unfit)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        match self.holds_more {
            true => self.reader.deserialize_map(visitor),
            false => Err(Unfit),
        }
    }
}
