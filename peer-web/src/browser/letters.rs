//! Upper and lower case, by the tables that every browser has: ours would make the page
//! larger by a tenth.

use js_sys::JsString;

/// In lower case.
#[must_use]
pub fn lowercase(text: &str) -> String {
    match text.is_ascii() {
        true => text.to_ascii_lowercase(),
        false => JsString::from(text).to_lower_case().into(),
    }
}

/// In upper case.
#[must_use]
pub fn uppercase(text: &str) -> String {
    match text.is_ascii() {
        true => text.to_ascii_uppercase(),
        false => JsString::from(text).to_upper_case().into(),
    }
}
