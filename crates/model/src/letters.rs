//! What Unicode says of letters: case, and accents composed with their letters (NFC) or apart
//! from them (NFD).

/// A text in lower case, as far as its letters have one.
#[must_use]
pub fn lowercase(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        tables::lowercase(text)
    }
}

/// A text in upper case, as far as its letters have one.
#[must_use]
pub fn uppercase(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_uppercase()
    } else {
        tables::uppercase(text)
    }
}

pub(crate) use tables::{nfc, nfd};

#[cfg(not(target_arch = "wasm32"))]
mod tables {
    use unicode_normalization::UnicodeNormalization;

    pub(crate) fn nfc(text: &str) -> String {
        text.nfc().collect()
    }

    pub(crate) fn nfd(text: &str) -> String {
        text.nfd().collect()
    }

    pub(super) fn lowercase(text: &str) -> String {
        text.to_lowercase()
    }

    pub(super) fn uppercase(text: &str) -> String {
        text.to_uppercase()
    }
}

// The tables would be a fifth of the page, and every browser has them.
#[cfg(target_arch = "wasm32")]
mod tables {
    use js_sys::JsString;

    pub(crate) fn nfc(text: &str) -> String {
        JsString::from(text).normalize("NFC").into()
    }

    pub(crate) fn nfd(text: &str) -> String {
        JsString::from(text).normalize("NFD").into()
    }

    pub(super) fn lowercase(text: &str) -> String {
        JsString::from(text).to_lower_case().into()
    }

    pub(super) fn uppercase(text: &str) -> String {
        JsString::from(text).to_upper_case().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_have_case_in_every_script() {
        for (upper, lower) in [("BOB 7", "bob 7"), ("ZOË", "zoë"), ("ИВАН", "иван")] {
            assert_eq!(lowercase(upper), lower);
            assert_eq!(uppercase(lower), upper);
        }
        assert_eq!(uppercase("ß"), "SS");
    }
}
