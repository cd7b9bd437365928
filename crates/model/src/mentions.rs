//! Where a text mentions someone.

use std::ops::Range;

use p2pchat_protocol::Username;

use crate::letters::{self, lowercase};

/// How many times as long as in lower case a name can be as it was written, in bytes: the sign of
/// Kelvin is a `k`.
const LONGER: usize = 3;

/// Where a text mentions someone: `@` and the name as a word of its own, in whatever case.
pub fn mentions(text: &str, name: Username) -> impl Iterator<Item = Range<usize>> + '_ {
    let name = lowercase(name.as_str());
    let all = text.match_indices('@');
    all.filter_map(move |(at, _)| {
        let begins = at + 1;
        if text[..at].chars().next_back().is_some_and(is_of_word) {
            return None;
        }
        let written = &text[begins..];
        let ends = written
            .char_indices()
            .map(|(end, letter)| (end, is_of_word(letter)));
        let ends = ends.chain([(written.len(), false)]);
        ends.take_while(|(end, _)| *end <= LONGER * name.len())
            .find(|&(end, goes_on)| !goes_on && lowercase(&written[..end]) == name)
            .map(|(end, _)| at..begins + end)
    })
}

/// Whether a letter continues a word.
fn is_of_word(letter: char) -> bool {
    letters::is_of_word(letter) || matches!(letter, '_' | '-' | '@')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, name: &str) -> Vec<String> {
        let all = mentions(text, Username::new(name).unwrap());
        all.map(|range| text[range].to_owned()).collect()
    }

    #[test]
    fn a_mention_is_the_name_as_a_word_in_whatever_case() {
        for (text, all) in [
            ("@ann", &["@ann"][..]),
            ("hi @ANN!", &["@ANN"]),
            ("(@Ann)", &["@Ann"]),
            ("@anna and @ann.", &["@ann"]),
            ("@ann, @Ann\n@ann", &["@ann", "@Ann", "@ann"]),
        ] {
            assert_eq!(found(text, "Ann"), all, "{text}");
        }
        for text in [
            "ann", "@anna", "me@ann", "@ann_b", "@ ann", "@@ann", "@", "",
        ] {
            assert_eq!(found(text, "Ann"), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_name_may_have_any_letters_and_marks() {
        assert_eq!(found("@ΟΔΟΣ: @οδος", "Οδος"), ["@ΟΔΟΣ", "@οδος"]);
        assert_eq!(found("hi @b.c and @b", "b.c"), ["@b.c"]);
        assert_eq!(found("@\u{212a}im", "kim"), ["@\u{212a}im"]);
        assert_eq!(found("@日本さん", "日本"), [""; 0]);
    }
}
