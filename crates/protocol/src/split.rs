//! Splitting of long texts into several messages.

use crate::name::{ChatText, ChatTextError};

/// Splits a text into messages of at most [`ChatText::MAX_SENT`] bytes, in order.
///
/// A cut is made at the last white space that fits (which is dropped, as a line break
/// would be), else between two characters. NUL characters cannot travel and are an error.
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
    let fits = text.floor_char_boundary(ChatText::MAX_SENT);
    // White space right behind the part is as good a place as white space inside it.
    let candidates = &text[..text.ceil_char_boundary(fits + 1)];
    match candidates
        .char_indices()
        .rev()
        .find(|&(at, c)| c.is_whitespace() && at > 0 && at <= fits)
    {
        Some((at, space)) => (&text[..at], &text[at + space.len_utf8()..]),
        None => text.split_at(fits),
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
