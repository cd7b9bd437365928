//! Reads the JSON of the contract.
//!
//! `serde_json` would be a tenth of the page, most of it words about errors that no one reads
//! here and numbers with fractions, of which the contract has none: an update that the page
//! does not understand is ignored. What is read is the same, and a test compares the two.

use std::fmt;

use js_sys::JSON;
use p2pchat_model::{CallId, Event, Update};
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    self, DeserializeSeed, EnumAccess, IgnoredAny, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};

/// How deep values may be nested; those of the contract are not half as deep.
const DEEPEST: u8 = 32;

/// The enums whose variant stands in a field of their object: their name in Rust, that field,
/// and the field with the value, where that has one of its own. In `p2pchat_model` these are the
/// attributes `tag` and `content`, which only other targets have.
const TAGS: [(&str, &str, Option<&str>); 7] = [
    ("Event", "event", None),
    ("Line", "kind", None),
    ("Link", "state", None),
    ("Security", "state", None),
    ("Notice", "what", None),
    ("JoinedBy", "by", Some("who")),
    ("DeliveryState", "state", Some("reason")),
];
/// The name of a field whose value is the object that it is in: `flatten` elsewhere.
const WHOLE: &str = "$";

/// Reads an update. `None` if it is not one of this version of the contract.
#[must_use]
pub fn read(text: &str) -> Option<Update> {
    #[derive(Deserialize)]
    struct Envelope {
        re: Option<Id>,
    }
    let Envelope { re } = Reader::whole(text).ok()?;
    let event: Event = Reader::whole(text).ok()?;
    let (re, event) = (re.map(|Id(id)| id), event.into());
    Some(Update { re, event })
}

/// The id of a call.
struct Id(CallId);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Id;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Id, E> {
                Ok(Id(number.into()))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Id, E> {
                text.parse().map(Id).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Any)
    }
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
            whole: None,
            again: None,
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
            b'[' => self.deserialize_seq(visitor),
            b'0'..=b'9' => self.deserialize_u64(visitor),
            b't' | b'f' => self.deserialize_bool(visitor),
            _ => self.take("null").and_then(|()| visitor.visit_unit()),
        }
    }

    // One kind of value each: what reads a type holds no more than the type may be.

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let is_true = self.takes("true");
        if !is_true {
            self.take("false")?;
        }
        visitor.visit_bool(is_true)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.peek();
        visitor.visit_u64(self.number()?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        (self.peek() == Some(b'"')).then_some(()).ok_or(Misfit)?;
        self.string(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.inside(["[", "]"], |items| visitor.visit_seq(items))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.takes("null") {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.peek();
        let whole = fields.contains(&WHOLE).then_some(self.rest);
        self.inside(["{", "}"], |items| {
            visitor.visit_map(Items { whole, ..items })
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let variant = match TAGS.iter().find(|(tagged, ..)| *tagged == name) {
            Some((_, tag, content)) => self.tagged(tag, *content)?,
            None => self.untagged()?,
        };
        visitor.visit_enum(variant)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_u64(visitor)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u128 f32 f64 char bytes byte_buf unit
        unit_struct newtype_struct tuple tuple_struct map ignored_any
    }
}

impl<'a> Reader<'a> {
    /// The variant of an enum whose name stands in a field of its object, and which has its
    /// fields beside that, or in another field.
    fn tagged(&mut self, tag: &str, content: Option<&str>) -> Result<Variant<'a>, Misfit> {
        self.peek();
        let depth = self.depth;
        let mut at = self.rest;
        let name = self.inside(["{", "}"], |mut items| {
            let mut name = None;
            while let Some(key) = items.next_key::<&'a str>()? {
                if key == tag {
                    name = Some(items.next_value::<&'a str>()?);
                    continue;
                }
                if Some(key) == content {
                    at = items.reader.rest.trim_ascii_start();
                    at = at.strip_prefix(':').unwrap_or(at);
                }
                items.next_value::<IgnoredAny>()?;
            }
            name.ok_or(Misfit)
        })?;
        let reader = Reader { rest: at, depth };
        Ok(Variant { name, reader })
    }

    /// The variant of an enum that is its name, or an object with its name before its value.
    fn untagged(&mut self) -> Result<Variant<'a>, Misfit> {
        if self.peek() == Some(b'"') {
            let name = <&str>::deserialize(&mut *self)?;
            let (rest, depth) = ("", 0);
            let reader = Reader { rest, depth };
            return Ok(Variant { name, reader });
        }
        let depth = self.depth;
        self.inside(["{", "}"], |mut items| {
            let name = items.next_key()?.ok_or(Misfit)?;
            items.reader.take(":")?;
            let rest = items.reader.rest;
            IgnoredAny::deserialize(&mut *items.reader)?;
            let reader = Reader { rest, depth };
            Ok(Variant { name, reader })
        })
    }
}

/// A variant of an enum.
struct Variant<'a> {
    name: &'a str,
    /// What reads its value.
    reader: Reader<'a>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Misfit;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Misfit> {
        let name = BorrowedStrDeserializer::new(self.name);
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        mut self,
        seed: T,
    ) -> Result<T::Value, Misfit> {
        seed.deserialize(&mut self.reader)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Misfit> {
        Err(Misfit)
    }

    fn struct_variant<V: Visitor<'de>>(
        mut self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.reader.deserialize_struct("", fields, visitor)
    }
}

/// The items of a list or an object.
struct Items<'r, 'a> {
    reader: &'r mut Reader<'a>,
    close: &'static str,
    is_first: bool,
    /// The text from the object on, if it is read once more as the value of [`WHOLE`].
    whole: Option<&'a str>,
    /// The same once that is the next value.
    again: Option<&'a str>,
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
            return seed.deserialize(&mut *self.reader).map(Some);
        }
        self.again = self.whole.take();
        let whole = self.again.map(|_| BorrowedStrDeserializer::new(WHOLE));
        whole.map(|whole| seed.deserialize(whole)).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        if let Some(rest) = self.again.take() {
            let depth = self.reader.depth;
            return seed.deserialize(&mut Reader { rest, depth });
        }
        self.reader.take(":")?;
        seed.deserialize(&mut *self.reader)
    }
}
