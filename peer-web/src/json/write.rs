//! To JSON.

use std::fmt::Write as _;

use serde::ser::{
    Impossible, Serialize, SerializeSeq, SerializeStruct, SerializeStructVariant, Serializer,
};

use super::Unfit;

/// What was written so far.
#[derive(Default)]
pub(super) struct Writer {
    pub(super) text: String,
}

impl Writer {
    #[inline(never)]
    fn string(&mut self, text: &str) {
        self.text.push('"');
        for char in text.chars() {
            match char {
                '"' | '\\' => self.text.extend(['\\', char]),
                // Writing to a string does not fail.
                '\0'..' ' => _ = write!(self.text, "\\u{:04x}", u32::from(char)),
                _ => self.text.push(char),
            }
        }
        self.text.push('"');
    }

    #[inline(never)]
    fn number(&mut self, number: u64) {
        // The same.
        _ = write!(self.text, "{number}");
    }

    /// The bracket before the first element, the comma before each other.
    #[inline(never)]
    fn before_element(&mut self, bracket: char, is_first: &mut bool) {
        self.text.push(match std::mem::take(is_first) {
            true => bracket,
            false => ',',
        });
    }

    /// The bracket behind the last element; both of them where there was none.
    #[inline(never)]
    fn end(&mut self, brackets: [char; 2], is_first: bool) {
        self.text.extend(&brackets[usize::from(!is_first)..]);
    }
}

/// A list or an object that is being written.
pub(super) struct Elements<'a> {
    writer: &'a mut Writer,
    is_first: bool,
    /// Whether it is all that an object around it has.
    is_enclosed: bool,
}

impl<'a> Elements<'a> {
    fn of(writer: &'a mut Writer) -> Self {
        Self {
            writer,
            is_first: true,
            is_enclosed: false,
        }
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Unfit> {
        self.writer.before_element('{', &mut self.is_first);
        self.writer.string(name);
        self.writer.text.push(':');
        value.serialize(&mut *self.writer)
    }

    fn end_object(self) {
        self.writer.end(['{', '}'], self.is_first);
        if self.is_enclosed {
            self.writer.text.push('}');
        }
    }
}

impl<'a> Serializer for &'a mut Writer {
    type Ok = ();
    type Error = Unfit;
    type SerializeSeq = Elements<'a>;
    type SerializeStruct = Elements<'a>;
    type SerializeStructVariant = Elements<'a>;
    type SerializeTuple = Impossible<(), Unfit>;
    type SerializeTupleStruct = Impossible<(), Unfit>;
    type SerializeTupleVariant = Impossible<(), Unfit>;
    type SerializeMap = Impossible<(), Unfit>;

    fn serialize_bool(self, value: bool) -> Result<(), Unfit> {
        self.text.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Result<(), Unfit> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), Unfit> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), Unfit> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Unfit> {
        self.number(value);
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), Unfit> {
        self.string(value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Unfit> {
        self.text.push_str("null");
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unfit> {
        value.serialize(self)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Unfit> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unfit> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Unfit> {
        let mut object = Elements::of(self);
        object.field(variant, value)?;
        object.end_object();
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Elements<'a>, Unfit> {
        Ok(Elements::of(self))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Elements<'a>, Unfit> {
        Ok(Elements::of(self))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Elements<'a>, Unfit> {
        self.text.push('{');
        self.string(variant);
        self.text.push(':');
        Ok(Elements {
            is_enclosed: true,
            ..Elements::of(self)
        })
    }

    // What follows is in no frame.

    fn serialize_i8(self, _: i8) -> Result<(), Unfit> {
        Err(Unfit)
    }

    fn serialize_i16(self, _: i16) -> Result<(), Unfit> {
        Err(Unfit)
    }

    fn serialize_i32(self, _: i32) -> Result<(), Unfit> {
        Err(Unfit)
    }

    fn serialize_i64(self, _: i64) -> Result<(), Unfit> {
        Err(Unfit)
    }

    fn serialize_f32(self, _: f32) -> Result<(), Unfit> {
        Err(Unfit)
    }

    fn serialize_f64(self, _: f64) -> Result<(), Unfit> {
        Err(Unfit)
    }

    fn serialize_char(self, _: char) -> Result<(), Unfit> {
        Err(Unfit)
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Unfit> {
        Err(Unfit)
    }

    fn serialize_unit(self) -> Result<(), Unfit> {
        Err(Unfit)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unfit> {
        Err(Unfit)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Unfit> {
        Err(Unfit)
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Unfit> {
        Err(Unfit)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Unfit> {
        Err(Unfit)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Unfit> {
        Err(Unfit)
    }
}

impl SerializeSeq for Elements<'_> {
    type Ok = ();
    type Error = Unfit;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        self.writer.before_element('[', &mut self.is_first);
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> Result<(), Unfit> {
        self.writer.end(['[', ']'], self.is_first);
        Ok(())
    }
}

impl SerializeStruct for Elements<'_> {
    type Ok = ();
    type Error = Unfit;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Unfit> {
        self.field(name, value)
    }

    fn end(self) -> Result<(), Unfit> {
        self.end_object();
        Ok(())
    }
}

impl SerializeStructVariant for Elements<'_> {
    type Ok = ();
    type Error = Unfit;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Unfit> {
        self.field(name, value)
    }

    fn end(self) -> Result<(), Unfit> {
        self.end_object();
        Ok(())
    }
}
