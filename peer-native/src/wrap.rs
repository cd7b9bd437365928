//! Wraps texts into rows of a given width. Width is counted in terminal columns, and a text
//! is cut between graphemes, so wide letters and emoji stay whole.

use p2pchat_model::printable;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Columns from one tab stop to the next.
const TAB: usize = 4;

/// Width of a text without line breaks, in columns: that of its graphemes, each of which the
/// screen puts into columns of its own. A terminal draws no ligatures across them, so this is
/// more than the width of the whole where `لا` would be one.
#[must_use]
pub fn width(text: &str) -> usize {
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// Makes a text printable in one row: line breaks and tabs become spaces.
#[must_use]
pub fn one_line(text: &str) -> String {
    printable(text).replace(['\n', '\t'], " ")
}

/// Cuts a text to at most `columns`, with `…` where it is cut.
#[must_use]
pub fn fit(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let wide = width(grapheme);
        if used + wide + 1 > columns {
            break;
        }
        out.push_str(grapheme);
        used += wide;
    }
    if columns > 0 {
        out.push('…');
    }
    out
}

/// Wraps a text into printable rows of at most `columns` (at least 2, for wide letters). A
/// row ends at a space where possible, and at each line break.
#[must_use]
pub fn rows(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(2);
    let text = printable(text);
    let mut rows = Vec::new();
    for line in text.split('\n') {
        wrap_line(line, columns, &mut rows);
    }
    rows
}

/// Cuts a line into printable rows of at most `columns` (at least 2), wherever they end.
#[must_use]
pub fn cut(line: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(2);
    let mut line = printable(line).into_owned();
    while let Some(at) = line.find('\t') {
        let spaces = tab_as_spaces("\t", width(&line[..at]));
        line.replace_range(at..=at, &spaces);
    }
    let (mut row, mut rows) = (String::new(), Vec::new());
    break_word(&line, columns, &mut row, &mut rows);
    rows.push(row);
    rows
}

fn wrap_line(line: &str, columns: usize, rows: &mut Vec<String>) {
    let (mut row, mut used) = (String::new(), 0);
    for word in words(line) {
        let word = tab_as_spaces(word, used);
        let wide = width(&word);
        let blank = is_blank(&word);
        if used + wide > columns && used > 0 {
            rows.push(std::mem::take(&mut row).trim_end().to_owned());
            used = 0;
            if blank {
                continue;
            }
        }
        if wide <= columns {
            row.push_str(&word);
            used += wide;
        } else {
            used = break_word(&word, columns, &mut row, rows);
        }
    }
    rows.push(row.trim_end().to_owned());
}

/// The parts that a row may end between: words with the marks at them, such as `(see` and `end,`
/// and `--profile`, and what is between words. Scripts without spaces have short words.
pub(crate) fn words(line: &str) -> impl Iterator<Item = &str> {
    let is_mark = |part: &str| {
        !part
            .chars()
            .any(|letter| letter.is_alphanumeric() || letter.is_whitespace())
    };
    let mut parts = line.split_word_bound_indices().peekable();
    // Some letters of Thai have a bound of words in them.
    let mut letters = line.grapheme_indices(true).map(|(at, _)| at).peekable();
    let mut is_in_letter = move |bound: usize| {
        while letters.next_if(|at| *at < bound).is_some() {}
        letters.peek() != Some(&bound)
    };
    std::iter::from_fn(move || {
        let (start, mut last) = parts.next()?;
        let mut end = start + last.len();
        while let Some((at, next)) = parts.next_if(|&(at, next)| {
            let belongs = !is_blank(last) && !is_blank(next) && (is_mark(last) || is_mark(next));
            is_in_letter(at) || belongs
        }) {
            (last, end) = (next, at + next.len());
        }
        Some(&line[start..end])
    })
}

/// Whether a part of a text between two word bounds is no word, emoji or sign.
pub(crate) fn is_blank(part: &str) -> bool {
    part.chars().all(char::is_whitespace)
}

fn tab_as_spaces(word: &str, used: usize) -> String {
    match word {
        "\t" => " ".repeat(TAB - used % TAB),
        word => word.replace('\t', " "),
    }
}

/// Breaks a word that is wider than a row into several; the last part stays in `row`, and
/// its width is returned.
fn break_word(word: &str, columns: usize, row: &mut String, rows: &mut Vec<String>) -> usize {
    let mut used = 0;
    for grapheme in word.graphemes(true) {
        let wide = width(grapheme);
        if used + wide > columns && used > 0 {
            rows.push(std::mem::take(row));
            used = 0;
        }
        row.push_str(grapheme);
        used += wide;
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_end_at_spaces_and_long_words_are_cut() {
        assert_eq!(rows("hello big world", 10), ["hello big", "world"]);
        assert_eq!(rows("abcdefghijkl mn", 5), ["abcde", "fghij", "kl mn"]);
        assert_eq!(rows("a\n\nb", 5), ["a", "", "b"]);
        // Not between a word and the marks at it.
        assert_eq!(rows("to the end, then", 10), ["to the", "end, then"]);
        assert_eq!(rows("see --profile", 6), ["see", "--prof", "ile"]);
        assert_eq!(rows("now (again)", 5), ["now", "(agai", "n)"]);
        assert_eq!(rows("", 5), [""]);
    }

    #[test]
    fn no_row_is_wider_than_its_limit() {
        for text in [
            "日本語のとても長い文章です",
            "👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧 family",
            "שלום עולם טוב",
            "a\tb\tc\td\te",
            "e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}",
            "\u{1b}[31mred\u{1b}[0m \u{202e}right",
        ] {
            for columns in 2..12 {
                for row in rows(text, columns) {
                    assert!(width(&row) <= columns, "{row:?} in {columns}");
                    assert!(!row.chars().any(char::is_control), "{row:?}");
                }
            }
        }
    }

    #[test]
    fn the_width_of_a_text_is_that_of_its_parts() {
        for text in ["سلام لا لا", "👩‍👩‍👧🇹🇷e\u{301}", "日本a"] {
            let parts: usize = text.graphemes(true).map(width).sum();
            assert_eq!(width(text), parts, "{text}");
        }
        assert_eq!(width("لا"), 2);
    }

    #[test]
    fn a_cut_is_between_graphemes() {
        for text in [
            "👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧",
            "🇹🇷🇩🇪🇫🇷",
            "e\u{301}e\u{301}e\u{301}",
            "👍🏽👍🏽👍🏽",
            "لالالا",
        ] {
            let whole: Vec<_> = text.graphemes(true).collect();
            for columns in 0..7 {
                let cut = fit(text, columns);
                assert!(width(&cut) <= columns, "{cut} in {columns}");
                let kept = cut
                    .trim_end_matches('…')
                    .graphemes(true)
                    .collect::<Vec<_>>();
                assert!(whole.starts_with(&kept), "{cut}");
                for row in rows(text, columns) {
                    assert!(
                        row.graphemes(true).all(|part| whole.contains(&part)),
                        "{row}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_cut_leaves_a_mark() {
        assert_eq!(fit("hello", 5), "hello");
        assert_eq!(fit("hello", 4), "hel…");
        assert_eq!(fit("日本語", 4), "日…");
        assert_eq!(fit("x", 0), "");
    }
}
