//! Texts before they are shown or sent.

use std::borrow::Cow;

use p2pchat_protocol::split_text;

use crate::lookalike::is_invisible;

/// The longest message that can be sent at once, in bytes: 166 packets.
pub const MAX_MESSAGE: usize = 16 * 1024;

/// The longest draft, in bytes: some times the longest message, so that one that is too long
/// can be shortened.
pub const MAX_DRAFT: usize = 64 * 1024;

/// How many letters at the end of a message are too many to send it at once.
#[must_use]
pub fn letters_too_many(message: &str) -> usize {
    letters_beyond(message, MAX_MESSAGE)
}

/// How many letters of a text do not fit into so many bytes.
#[must_use]
pub fn letters_beyond(text: &str, bytes: usize) -> usize {
    let ends = text
        .char_indices()
        .map(|(at, letter)| at + letter.len_utf8());
    ends.filter(|end| *end > bytes).count()
}

/// Makes a text safe to show: what would control a terminal, change the direction of what
/// follows, or is invisible, becomes visible. Line breaks and tabs stay.
///
/// - Control characters become their picture (`␛`), or `�` above U+007F.
/// - Directional overrides, embeddings and isolates become `�`: right-to-left letters
///   need none of them.
/// - Invisible characters become `�`, and a soft hyphen `-`. Joiners and variation
///   selectors stay after emoji and the letters of those scripts that use them.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    let replaced = || {
        text.chars().scan(None, |before, c| {
            let replaced = replacement(*before, c);
            *before = Some(c);
            Some((c, replaced))
        })
    };
    if replaced().any(|(_, new)| new.is_some()) {
        Cow::Owned(replaced().map(|(c, new)| new.unwrap_or(c)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

fn replacement(before: Option<char>, c: char) -> Option<char> {
    match c {
        '\n' | '\t' | ' '..='~' => None,
        '\0'..='\u{1f}' => char::from_u32(0x2400 + c as u32),
        '\u{7f}' => Some('\u{2421}'),
        '\u{80}'..='\u{9f}' => Some(char::REPLACEMENT_CHARACTER),
        '\u{ad}' => Some('-'),
        c if is_invisible(c) && !before.is_some_and(|before| modifies(c, before)) => {
            Some(char::REPLACEMENT_CHARACTER)
        }
        _ => None,
    }
}

/// Whether an invisible character has an effect after this one.
fn modifies(c: char, before: char) -> bool {
    match c {
        // The joiners: within emoji, and in Arabic and the scripts of South and South-East Asia.
        '\u{200c}'..='\u{200d}' => {
            is_symbol(before)
                || matches!(before, '\u{fe0f}' | '\u{600}'..='\u{109f}' | '\u{1780}'..='\u{18af}')
        }
        // Variation selectors: emoji or text, and `1️⃣`.
        '\u{fe00}'..='\u{fe0f}' => is_symbol(before) || matches!(before, '0'..='9' | '#' | '*'),
        // Tags: the flags of England, Scotland and Wales.
        '\u{e0020}'..='\u{e007f}' => matches!(before, '\u{1f3f4}' | '\u{e0020}'..='\u{e007e}'),
        '\u{180b}'..='\u{180f}' => matches!(before, '\u{1800}'..='\u{18af}'),
        _ => false,
    }
}

/// Arrows, signs and emoji.
fn is_symbol(c: char) -> bool {
    matches!(
        c,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2100}'..='\u{27ff}' | '\u{2900}'..='\u{2bff}'
            | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}' | '\u{1f000}'..='\u{1faff}'
    )
}

/// How many packets a text takes for each member; 0 for one that is blank.
#[must_use]
pub fn packets(text: &str) -> usize {
    split_text(text).map_or(0, |parts| parts.len())
}

/// The text of the message that `/me waves` sends: `* waves`. The protocol has no packet for
/// an action, and every program, legacy clients too, shows a text with its sender's name.
#[must_use]
pub fn action(what: &str) -> String {
    format!("* {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_control_characters_become_visible() {
        assert_eq!(printable("a\u{1b}[2Jb\rc"), "a␛[2Jb␍c");
        assert_eq!(printable("\u{7f}\u{9b}31m"), "␡\u{fffd}31m");
        assert_eq!(printable("abc\u{202e}def"), "abc\u{fffd}def");
    }

    #[test]
    fn invisible_characters_become_visible() {
        assert_eq!(printable("bo\u{200d}b"), "bo\u{fffd}b");
        assert_eq!(printable("\u{200c}\u{3164}"), "\u{fffd}\u{fffd}");
        assert_eq!(
            printable("an\u{ad}n\u{fe0f}\u{2800}"),
            "an-n\u{fffd}\u{fffd}"
        );
        assert_eq!(
            printable("\u{430}\u{200d}\u{e0061}"),
            "\u{430}\u{fffd}\u{fffd}"
        );
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        let england = "\u{1f3f4}\u{e0067}\u{e0062}\u{e007f}";
        for text in [
            "hi\n\tyou",
            "çay 👩‍👩‍👧 שלום",
            "नमस्ते",
            "می\u{200c}خواهم",
            "❤️ 1️⃣ ↔️",
            england,
        ] {
            assert!(matches!(printable(text), Cow::Borrowed(_)));
        }
    }

    #[test]
    fn packets_are_counted_as_they_are_sent() {
        assert_eq!(packets(" "), 0);
        assert_eq!(packets("hello"), 1);
        assert_eq!(packets(&"x".repeat(100)), 2);
    }

    #[test]
    fn an_action_is_a_text_that_makes_sense_by_itself() {
        assert_eq!(action("waves"), "* waves");
    }
}
