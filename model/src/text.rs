//! Texts on their way to a screen, and from a keyboard.

use std::borrow::Cow;

use p2pchat_protocol::split_text;

/// Makes a text safe to show: what would steer a terminal, turn the direction of what
/// follows, or hide in it, becomes visible or goes away. Line breaks and tabs stay.
///
/// - Control characters become their picture (`␛`), or `�` above U+007F.
/// - Directional overrides, embeddings and isolates become `�`: right-to-left letters
///   need none of them.
/// - Zero-width characters that join nothing (U+200B, U+2060, U+FEFF) and the line and
///   paragraph separators become `�`. The joiners stay: emoji and some scripts use them.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().any(|c| replacement(c).is_some()) {
        Cow::Owned(text.chars().map(|c| replacement(c).unwrap_or(c)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

fn replacement(c: char) -> Option<char> {
    match c {
        '\n' | '\t' => None,
        '\0'..='\u{1f}' => char::from_u32(0x2400 + c as u32),
        '\u{7f}' => Some('\u{2421}'),
        '\u{80}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200b}'
        | '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0001}' => Some(char::REPLACEMENT_CHARACTER),
        _ => None,
    }
}

/// How many packets a text takes on its way to each member; 0 for one with nothing to say.
#[must_use]
pub fn packets(text: &str) -> usize {
    split_text(text).map_or(0, |parts| parts.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_shown_and_not_done() {
        assert_eq!(printable("a\u{1b}[2Jb\rc"), "a␛[2Jb␍c");
        assert_eq!(printable("\u{7f}\u{9b}31m"), "␡\u{fffd}31m");
        assert_eq!(printable("abc\u{202e}def"), "abc\u{fffd}def");
    }

    #[test]
    fn ordinary_text_is_left_alone() {
        for text in ["hi\n\tyou", "çay 👩‍👩‍👧 שלום", "नमस्ते"] {
            assert!(matches!(printable(text), Cow::Borrowed(_)));
        }
    }

    #[test]
    fn packets_are_counted_as_they_are_sent() {
        assert_eq!(packets(" "), 0);
        assert_eq!(packets("hello"), 1);
        assert_eq!(packets(&"x".repeat(100)), 2);
    }
}
