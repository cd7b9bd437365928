//! Splitting of long texts into several messages.

use crate::grapheme::grapheme_at;
use crate::name::{ChatText, ChatTextError};

/// Splits a text into messages of at most [`ChatText::MAX_SENT`] bytes, in order.
///
/// A cut is made at the last white space that fits (which is dropped, as a line break
/// would be), else between two characters as people see them: not within an emoji of several
/// parts, nor between a letter and its accent, unless it is longer than a message. NUL characters
/// cannot travel and are an error.
///
/// # Errors
/// If the text holds a NUL, or nothing but white space.
pub fn split_text(text: &str) -> Result<Vec<ChatText>, ChatTextError> {
    if text.contains('\0') {
        return Err(ChatTextError::Nul);
    }
    let mut rest = text.trim_end();
    let mut parts = Vec::with_capacity(rest.len() / ChatText::MAX_SENT + 1);
    while !rest.is_empty() {
        let (part, after) = cut(rest);
        if !part.trim().is_empty() {
            parts.push(ChatText::new(part)?);
        }
        rest = after;
    }
    if parts.is_empty() {
        return Err(ChatTextError::Empty);
    }
    Ok(parts)
}

/// The first part of a non-empty text, and the rest.
fn cut(text: &str) -> (&str, &str) {
    if text.len() <= ChatText::MAX_SENT {
        return (text, "");
    }
    let most = text.floor_char_boundary(ChatText::MAX_SENT);
    // With the next two characters: they decide whether a part can end here, and whether white
    // space follows.
    let near = &text[..text.floor_char_boundary(ChatText::MAX_SENT + 8)];
    let end = match grapheme_at(near, most).start {
        0 => most,
        start => start,
    };
    // White space right behind the part is as good a place as white space inside it.
    let spaces = near.rmatch_indices(char::is_whitespace);
    let mut spaces = spaces.map(|(at, _)| grapheme_at(near, at));
    let space = spaces.find(|space| {
        let is_blank = near[space.clone()].chars().all(char::is_whitespace);
        is_blank && (1..=end).contains(&space.start)
    });
    match space {
        Some(space) => (&text[..space.start], &text[space.end..]),
        None => text.split_at(end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(text: &str) -> Vec<String> {
        split_text(text)
            .unwrap()
            .iter()
            .map(|part| part.as_str().to_owned())
            .collect()
    }

    #[test]
    fn a_short_text_is_one_message() {
        assert_eq!(parts("hello"), ["hello"]);
        assert_eq!(parts(&"x".repeat(99)).len(), 1);
    }

    #[test]
    fn a_long_text_is_cut_at_a_space() {
        let text = format!("{} {}", "a".repeat(60), "b".repeat(60));
        assert_eq!(parts(&text), ["a".repeat(60), "b".repeat(60)]);
        let text = format!("{} {}", "a".repeat(99), "b".repeat(5));
        assert_eq!(parts(&text), ["a".repeat(99), "b".repeat(5)]);
    }

    #[test]
    fn a_text_without_spaces_is_cut_between_characters() {
        let text = "ğ".repeat(80);
        let parts = parts(&text);
        assert_eq!(parts.concat(), text);
        assert!(parts.iter().all(|part| part.len() <= 99));
    }

    #[test]
    fn what_people_see_as_one_character_stays_in_one_message() {
        for grapheme in [
            "👨\u{200d}👩\u{200d}👧\u{200d}👦",
            "🇹🇷",
            "👍🏽",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "e\u{301}",
            "नि",
            "각",
            "1\u{fe0f}\u{20e3}",
        ] {
            for begin in 0..4 {
                let text = "x".repeat(begin) + &grapheme.repeat(100);
                let parts = parts(&text);
                assert!(parts.len() > 1);
                assert_eq!(parts.concat(), text);
                for part in parts {
                    let rest = part.trim_start_matches('x');
                    assert_eq!(rest.len() % grapheme.len(), 0, "{part}");
                }
            }
        }
    }

    #[test]
    fn a_space_that_carries_an_accent_is_no_place_for_a_cut() {
        let text = "a".repeat(60) + " \u{301}" + &"b".repeat(60);
        let parts = parts(&text);
        assert_eq!(parts.concat(), text);
        assert_eq!(parts[0].len(), 99);
    }

    #[test]
    fn a_line_break_of_two_characters_is_dropped_as_one() {
        let text = format!("{}\r\n{}", "a".repeat(60), "b".repeat(60));
        assert_eq!(parts(&text), ["a".repeat(60), "b".repeat(60)]);
    }

    #[test]
    fn a_character_longer_than_a_message_is_cut_between_its_parts() {
        let text = "e".to_owned() + &"\u{301}".repeat(120);
        let parts = parts(&text);
        assert_eq!(parts.concat(), text);
        assert_eq!(parts.len(), 3);
    }

    #[test]
    fn nothing_to_say_is_an_error() {
        assert_eq!(split_text(""), Err(ChatTextError::Empty));
        assert_eq!(split_text(" \n "), Err(ChatTextError::Empty));
        assert_eq!(split_text("a\0b"), Err(ChatTextError::Nul));
    }

    proptest! {
        #[test]
        fn no_character_but_white_space_is_lost(text in "[a-zğ👋 \n]{0,500}") {
            let kept: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            match split_text(&text) {
                Ok(parts) => {
                    let sent: String = parts.iter().flat_map(|part| part.as_str().chars())
                        .filter(|c| !c.is_whitespace()).collect();
                    prop_assert_eq!(sent, kept);
                    prop_assert!(parts.iter().all(|part| part.as_str().len() <= ChatText::MAX_SENT));
                }
                Err(_) => prop_assert!(kept.is_empty()),
            }
        }
    }
}
