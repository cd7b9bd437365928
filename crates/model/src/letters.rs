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

/// Whether this is a letter. A table of all of them would be large in a page: what is no letter are
/// the usual digits, punctuation, symbols and emoji.
pub(crate) fn is_letter(c: char) -> bool {
    match c {
        '\0'..='\u{7f}' => c.is_ascii_alphabetic(),
        '\u{80}'..='\u{bf}' | '×' | '÷' => false,
        '\u{60c}' | '\u{61b}'..='\u{61f}' | '\u{660}'..='\u{66d}' | '\u{6f0}'..='\u{6f9}' => false,
        '\u{2000}'..='\u{2bff}' | '\u{3000}'..='\u{303f}' => false,
        '\u{fe00}'..='\u{fe0f}' | '\u{ff01}'..='\u{ff20}' | '\u{1f000}'..='\u{1faff}' => false,
        _ => true,
    }
}

/// Whether this is a letter or a digit.
pub(crate) fn is_of_word(c: char) -> bool {
    let is_digit = c.is_ascii_digit() || matches!(c, '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}');
    is_digit || is_letter(c)
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
