//! Text in a field of fixed width: UTF-8, filled up with NUL.
//!
//! A text ends at the first NUL, or at the end of the field if it has none. The bytes after
//! the NUL are ignored: later versions may signal there.

/// A field of `N` bytes with `text`, filled up with NUL.
///
/// # Panics
/// If `text` is longer than `N` bytes. Every caller passes a type whose limit is `N`
/// or less, so a text is never cut here.
pub(crate) fn filled<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [0; N];
    field[..text.len()].copy_from_slice(text.as_bytes());
    field
}

/// The text bytes of a field: up to the first NUL, or all of it.
#[must_use]
pub fn text_bytes(field: &[u8]) -> &[u8] {
    let end = field
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(field.len());
    &field[..end]
}

/// The text of a field, if it is UTF-8.
#[must_use]
pub fn text(field: &[u8]) -> Option<&str> {
    std::str::from_utf8(text_bytes(field)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_at_the_first_nul_or_with_the_field() {
        assert_eq!(text(b"ab\0cd"), Some("ab"));
        assert_eq!(text(b"abcde"), Some("abcde"));
        assert_eq!(text(b"\0\0"), Some(""));
        assert_eq!(text(b"\xff\0"), None);
        assert_eq!(
            text(b"a\0\xff"),
            Some("a"),
            "what follows the NUL is not looked at"
        );
    }

    #[test]
    fn a_field_is_filled_with_nul() {
        assert_eq!(filled::<4>("ab"), *b"ab\0\0");
        assert_eq!(filled::<2>("ab"), *b"ab");
    }
}
