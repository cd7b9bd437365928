//! The JSON of the bridge, by code that is small: each byte of the page is downloaded.
//!
//! Of what a general library has for it, this leaves out what no frame holds (fractions,
//! negative numbers, bytes) and all words about what is wrong: nobody would read them. A
//! frame is understood as a whole or not at all. What serde derives is used as it is, so the
//! model says once what the JSON looks like.

use serde::de::DeserializeOwned;
use serde::{Serialize, de, ser};
use std::fmt;

mod read;
mod write;

#[cfg(test)]
mod tests;

/// Reads a value from a text that holds it and nothing else. `None` if it does not, or if it
/// is of a later version.
#[must_use]
pub fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    let mut reader = read::Reader::new(text);
    let value = T::deserialize(&mut reader).ok()?;
    reader.is_at_end().then_some(value)
}

/// Writes a value. `None` if it holds what frames do not.
#[must_use]
pub fn write<T: Serialize>(value: &T) -> Option<String> {
    let mut writer = write::Writer::default();
    value.serialize(&mut writer).ok()?;
    Some(writer.text)
}

/// It is not what was expected, whatever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Unfit;

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a frame of this version")
    }
}

impl std::error::Error for Unfit {}

impl ser::Error for Unfit {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// None of these makes its words, which would be most of the code that reads.
impl de::Error for Unfit {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }

    fn invalid_type(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self
    }

    fn invalid_value(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self
    }

    fn invalid_length(_: usize, _: &dyn de::Expected) -> Self {
        Self
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }

    fn missing_field(_: &'static str) -> Self {
        Self
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self
    }
}
