//! The JSON of the contract, read and written by the browser.
//!
//! Reading it with `serde_json` would take a tenth of the page, most of it for words about
//! errors that no one reads: an update that the page does not understand is ignored.

use std::fmt;

use js_sys::{Array, JSON, Object, Reflect};
use p2pchat_model::{CallId, Event, Update};
use serde::Deserialize;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, IntoDeserializer, Visitor};
use wasm_bindgen::{JsCast, JsValue};

/// Reads an update. `None` if it is not one of this version of the contract.
#[must_use]
pub fn read(text: &str) -> Option<Update> {
    let value = JSON::parse(text).ok()?;
    let re = Reflect::get(&value, &"re".into()).ok()?;
    let re = Option::<CallId>::deserialize(Value(re)).ok()?;
    let event = Event::deserialize(Value(value)).ok()?.into();
    Some(Update { re, event })
}

/// A value that the browser has read.
struct Value(JsValue);

/// A value does not fit. Without words: they are not shown.
#[derive(Debug)]
struct Misfit;

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not of this version")
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl IntoDeserializer<'_, Misfit> for Value {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> de::Deserializer<'de> for Value {
    type Error = Misfit;

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "all numbers of the contract are whole, and none is below 0"
    )]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let value = self.0;
        if let Some(text) = value.as_string() {
            visitor.visit_string(text)
        } else if let Some(number) = value.as_f64() {
            visitor.visit_u64(number as u64)
        } else if let Some(is_true) = value.as_bool() {
            visitor.visit_bool(is_true)
        } else if let Some(array) = value.dyn_ref::<Array>() {
            visitor.visit_seq(SeqDeserializer::new(array.iter().map(Value)))
        } else if let Some(object) = value.dyn_ref::<Object>() {
            let entries = Object::entries(object);
            let entries = entries.iter().map(|entry| {
                let entry: Array = entry.unchecked_into();
                (Value(entry.get(0)), Value(entry.get(1)))
            });
            visitor.visit_map(MapDeserializer::new(entries))
        } else {
            visitor.visit_unit()
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.0.is_null() || self.0.is_undefined() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
