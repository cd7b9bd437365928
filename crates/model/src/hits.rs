//! What a search has found in a text.

use crate::letters::{is_of_word, lowercase};

/// A text in parts, each with whether it is one of these words, or begins with the last of them,
/// as the search finds them (but for accents, which it ignores).
#[must_use]
pub fn hits<'a>(text: &'a str, words: &str) -> Vec<(bool, &'a str)> {
    let is_between = |letter: char| !is_of_word(letter);
    let words = lowercase(words);
    let words: Vec<&str> = words
        .split(is_between)
        .filter(|one| !one.is_empty())
        .collect();
    let mut parts = Vec::new();
    // Where the next part begins, and how far the text is looked through.
    let (mut from, mut at) = (0, 0);
    for piece in text.split_inclusive(is_between) {
        let begins = at;
        at += piece.len();
        let Some(length) = hit(piece.trim_end_matches(is_between), &words) else {
            continue;
        };
        if from < begins {
            parts.push((false, &text[from..begins]));
        }
        from = begins + length;
        parts.push((true, &text[begins..from]));
    }
    if from < text.len() {
        parts.push((false, &text[from..]));
    }
    parts
}

/// How much of a word is one of these.
fn hit(word: &str, words: &[&str]) -> Option<usize> {
    let (last, others) = words.split_last()?;
    let lower = lowercase(word);
    if others.contains(&lower.as_str()) {
        return Some(word.len());
    }
    let letters = last.chars().count();
    let end = word.char_indices().nth(letters).map(|(end, _)| end);
    lower.starts_with(last).then(|| end.unwrap_or(word.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, words: &str, expected: &str) {
        let parts = hits(text, words).into_iter();
        let shown: String = parts
            .map(|(is_hit, part)| {
                if is_hit {
                    format!("[{part}]")
                } else {
                    part.to_owned()
                }
            })
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn words_are_found_whole_but_for_the_last() {
        check("Coffee at the cafe?", "coffee", "[Coffee] at the cafe?");
        check("Coffee at the cafe?", "at c", "[C]offee [at] the [c]afe?");
        check("cat at", "at", "cat [at]");
        check("ÄRGER, ärgerlich", "ärger", "[ÄRGER], [ärger]lich");
        check("ÄRGER, ärgerlich", "ärger x", "[ÄRGER], ärgerlich");
        check("“foo”-bar", "foo-b", "“[foo]”-[b]ar");
        check("«Coffee»☕ at ¿7", "coffee 7", "«[Coffee]»☕ at ¿[7]");
    }

    #[test]
    fn nothing_is_found_without_words() {
        check("anything", "", "anything");
        check("anything", " - ", "anything");
        check("", "anything", "");
    }
}
