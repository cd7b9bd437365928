//! Characters as people see them.

use std::ops::Range;

/// Where the grapheme is that has the character at `at`.
pub(crate) use tables::grapheme_at;

#[cfg(not(target_arch = "wasm32"))]
mod tables {
    use super::Range;
    use unicode_segmentation::GraphemeCursor;

    pub(crate) fn grapheme_at(text: &str, at: usize) -> Range<usize> {
        let cursor = || GraphemeCursor::new(at, text.len(), true);
        // Fail only for a text that comes in pieces.
        let start = match cursor().is_boundary(text, 0) {
            Ok(true) => Some(at),
            _ => cursor().prev_boundary(text, 0).ok().flatten(),
        };
        let end = cursor().next_boundary(text, 0).ok().flatten();
        start.unwrap_or(0)..end.unwrap_or(text.len())
    }
}

// The tables would be 20 KB of the page, 7 KB compressed, and the browser has them.
#[cfg(target_arch = "wasm32")]
mod tables {
    use super::Range;
    use js_sys::Intl::Segmenter;
    use js_sys::{Array, JsString, Object, Reflect, global};

    thread_local! {
        /// `None` in browsers from before 2024 that have none.
        static SEGMENTER: Option<Segmenter> = {
            let intl = Reflect::get(&global(), &"Intl".into());
            let has_one = intl.and_then(|intl| Reflect::has(&intl, &"Segmenter".into()));
            (has_one == Ok(true)).then(|| Segmenter::new(&Array::new(), &Object::new()))
        };
    }

    pub(crate) fn grapheme_at(text: &str, at: usize) -> Range<usize> {
        let found = SEGMENTER.with(|segmenter| {
            let unit = u32::try_from(text[..at].encode_utf16().count()).ok()?;
            let found = segmenter.as_ref()?.segment(text).containing(unit)?;
            let before = JsString::from(text).substring(0, found.index());
            let start = String::from(before).len();
            Some(start..start + String::from(found.segment()).len())
        });
        found.unwrap_or_else(|| at..text.ceil_char_boundary(at + 1))
    }
}
