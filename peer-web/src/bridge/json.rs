//! Reads the JSON of the contract.
//!
//! `serde_json` would be a tenth of the page, most of it words about errors that no one reads
//! here and numbers with fractions, of which the contract has none: an update that the page
//! does not understand is ignored. Fields and variants are told to serde by their number, in
//! the order of their declaration: what compares their names is here, once, and not in the code
//! of each type. What is read is the same, and a test compares the two.

use std::fmt;

use js_sys::JSON;
use p2pchat_model::{CallId, Event, Update};
use serde::de::{
    self, DeserializeSeed, EnumAccess, IntoDeserializer, SeqAccess, VariantAccess, Visitor,
};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};

/// How deep values may be nested; those of the contract are not half as deep.
const DEEPEST: u8 = 32;

/// The enums whose variant stands in a field of their object: their name in Rust, that field,
/// and the field with the value, or [`WHOLE`] if that is the object. In `p2pchat_model` these are
/// the attributes `tag` and `content`, which only other targets have.
const TAGS: [(&str, &str, &str); 7] = [
    ("Event", "event", WHOLE),
    ("Line", "kind", WHOLE),
    ("Link", "state", WHOLE),
    ("Security", "state", WHOLE),
    ("Notice", "what", WHOLE),
    ("JoinedBy", "by", "who"),
    ("DeliveryState", "state", "reason"),
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
        self.peek();
        let is_digit = |c: char| c.is_ascii_digit();
        let end = self.rest.find(|c| !is_digit(c)).unwrap_or(self.rest.len());
        self.split(end).parse().map_err(|_| Misfit)
    }

    /// The next text, in its quotes, and whether it has no escapes.
    fn quoted(&mut self) -> Result<(&'a str, bool), Misfit> {
        if self.peek() != Some(b'"') {
            return Err(Misfit);
        }
        let bytes = self.rest.as_bytes();
        let mut end = 1;
        let mut is_plain = true;
        while *bytes.get(end).ok_or(Misfit)? != b'"' {
            let is_escape = bytes[end] == b'\\';
            is_plain &= !is_escape;
            end += 1 + usize::from(is_escape);
        }
        Ok((self.split(end + 1), is_plain))
    }

    /// A name of the contract. None of them has escapes.
    fn name(&mut self) -> Result<&'a str, Misfit> {
        let (quoted, _) = self.quoted()?;
        Ok(&quoted[1..quoted.len() - 1])
    }

    /// Reads a list or an object between these brackets, item by item.
    fn items(
        &mut self,
        [open, close]: [&str; 2],
        read: &mut dyn FnMut(&mut Self) -> Result<(), Misfit>,
    ) -> Result<(), Misfit> {
        self.take(open)?;
        self.depth = self.depth.checked_sub(1).ok_or(Misfit)?;
        if !self.takes(close) {
            read(self)?;
            while self.takes(",") {
                read(self)?;
            }
            self.take(close)?;
        }
        self.depth += 1;
        Ok(())
    }

    /// The fields of an object: their names, and the text from their values on.
    fn object(&mut self) -> Result<Object<'a>, Misfit> {
        self.peek();
        let (whole, depth) = (self.rest, self.depth);
        let mut fields = Vec::new();
        self.items(["{", "}"], &mut |reader| {
            let name = reader.name()?;
            reader.take(":")?;
            fields.push((name, reader.rest));
            reader.skip()
        })?;
        Ok(Object {
            whole,
            fields,
            depth,
        })
    }

    /// Reads a value of which nothing is wanted.
    fn skip(&mut self) -> Result<(), Misfit> {
        match self.peek().ok_or(Misfit)? {
            b'"' => self.quoted().map(drop),
            b'{' => self.object().map(drop),
            b'[' => self.items(["[", "]"], &mut Self::skip),
            b't' => self.take("true"),
            b'f' => self.take("false"),
            b'n' => self.take("null"),
            _ => self.number().map(drop),
        }
    }
}

/// What an object consists of.
struct Object<'a> {
    /// The text from its beginning on.
    whole: &'a str,
    /// The names of its fields, and the text from their values on.
    fields: Vec<(&'a str, &'a str)>,
    /// How deep its values may be.
    depth: u8,
}

impl<'a> Object<'a> {
    /// What reads this field. One that is missing is null, as in all of the contract.
    fn field(&self, name: &str) -> Reader<'a> {
        let mut fields = self.fields.iter();
        let rest = match fields.find(|(other, _)| *other == name) {
            _ if name == WHOLE => self.whole,
            Some((_, text)) => text,
            None => "null",
        };
        let depth = self.depth;
        Reader { rest, depth }
    }
}

impl<'de> de::Deserializer<'de> for &mut Reader<'de> {
    type Error = Misfit;

    /// What does not say what it is: an id, which is a text or a number.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.peek() {
            Some(b'"') => self.deserialize_str(visitor),
            _ => self.deserialize_u64(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let is_true = self.takes("true");
        if !is_true {
            self.take("false")?;
        }
        visitor.visit_bool(is_true)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_u64(self.number()?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let (quoted, is_plain) = self.quoted()?;
        if is_plain {
            return visitor.visit_borrowed_str(&quoted[1..quoted.len() - 1]);
        }
        let text = JSON::parse(quoted).map_err(|_| Misfit)?;
        visitor.visit_string(text.as_string().ok_or(Misfit)?)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let mut texts = Vec::new();
        let depth = self.depth;
        // A list that is left out is empty.
        if !self.takes("null") {
            self.items(["[", "]"], &mut |reader| {
                texts.push(reader.rest);
                reader.skip()
            })?;
        }
        let mut texts = texts.into_iter();
        visitor.visit_seq(Values(|| {
            let rest = texts.next()?;
            Some(Reader { rest, depth })
        }))
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
        let object = self.object()?;
        let mut fields = fields.iter();
        visitor.visit_seq(Values(|| Some(object.field(fields.next()?))))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let (name, value) = match TAGS.iter().find(|(tagged, ..)| *tagged == name) {
            Some((_, tag, content)) => {
                let object = self.object()?;
                (object.field(tag).name()?, object.field(content))
            }
            None if self.peek() == Some(b'"') => (self.name()?, Reader { rest: "", depth: 0 }),
            None => {
                let object = self.object()?;
                let [(name, _)] = object.fields[..] else {
                    return Err(Misfit);
                };
                (name, object.field(name))
            }
        };
        let index = variants.iter().position(|variant| *variant == name);
        visitor.visit_enum(Variant {
            index: index.ok_or(Misfit)?,
            value,
        })
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_u64(visitor)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u128 f32 f64 char bytes byte_buf unit identifier
        unit_struct newtype_struct tuple tuple_struct map ignored_any
    }
}

/// The values of a list, or of fields in their order: what reads the next one.
struct Values<F>(F);

impl<'de, F: FnMut() -> Option<Reader<'de>>> SeqAccess<'de> for Values<F> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        let value = (self.0)();
        value
            .map(|mut value| seed.deserialize(&mut value))
            .transpose()
    }
}

/// A variant of an enum.
struct Variant<'a> {
    /// Which, in the order of their declaration.
    index: usize,
    /// What reads its value.
    value: Reader<'a>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Misfit;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Misfit> {
        let index = seed.deserialize(self.index.into_deserializer());
        index.map(|index| (index, self))
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
        seed.deserialize(&mut self.value)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Misfit> {
        Err(Misfit)
    }

    fn struct_variant<V: Visitor<'de>>(
        mut self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.value.deserialize_struct("", fields, visitor)
    }
}
