//! The links and the code in a text. Everything else stays text.

use crate::letters::is_letter;

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Plain text.
    Text(&'a str),
    /// An `http` or `https` address; it is shown as it is, so it leads where it says.
    Link(&'a str),
    /// Code between backticks, which it is without.
    Code(&'a str),
    /// Lines of code between lines that begin with three backticks.
    Block(&'a str),
}

/// The links in a text, as they are written.
pub fn all(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Link(link) => Some(link),
        Piece::Text(_) | Piece::Code(_) | Piece::Block(_) => None,
    })
}

/// What begins and ends lines of code.
const FENCE: &str = "```";

/// Cuts a text at its code and its links. A backtick without another one is text.
#[must_use]
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, code, after)) = next_code(rest) {
        cut_links(before, &mut pieces);
        pieces.push(code);
        rest = after;
    }
    cut_links(rest, &mut pieces);
    pieces
}

fn next_code(text: &str) -> Option<(&str, Piece<'_>, &str)> {
    let mut from = 0;
    while let Some(found) = text[from..].find('`') {
        let (before, behind) = text.split_at(from + found);
        if let Some(fenced) = behind.strip_prefix(FENCE) {
            let begins_line = before.is_empty() || before.ends_with('\n');
            // Behind the first is the language.
            if begins_line
                && let Some((_, lines)) = fenced.split_once('\n')
                && let Some((code, after)) = lines.split_once("\n```")
            {
                return Some((before, Piece::Block(code), after.trim_start_matches('\n')));
            }
            from += found + FENCE.len();
            continue;
        }
        if let Some((code, after)) = behind[1..].split_once('`')
            && !code.is_empty()
            && !code.contains('\n')
        {
            return Some((before, Piece::Code(code), after));
        }
        from += found + 1;
    }
    None
}

fn cut_links<'a>(text: &'a str, pieces: &mut Vec<Piece<'a>>) {
    let mut rest = text;
    while let Some((before, link, after)) = next_link(rest) {
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        pieces.push(Piece::Link(link));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
}

fn next_link(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(found) = text[from..].find(':') {
        let colon = from + found;
        from = colon + 1;
        if !text[from..].starts_with("//") {
            continue;
        }
        from += 2;
        let Some(start) = scheme_start(text, colon) else {
            continue;
        };
        let end = from + link_len(&text[from..]);
        if text[from..end]
            .starts_with(|c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || c == '[')
        {
            return Some((&text[..start], &text[start..end], &text[end..]));
        }
    }
    None
}

/// Where `http` or `https` before the colon begins, unless it is the end of a longer word.
fn scheme_start(text: &str, colon: usize) -> Option<usize> {
    let before = &text[..colon];
    let word = before
        .char_indices()
        .rev()
        .take_while(|(_, c)| c.is_ascii_alphanumeric())
        .last()?
        .0;
    let scheme = &before[word..];
    (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")).then_some(word)
}

/// What ends a link wherever it stands, besides white space: quotes, and the punctuation of
/// scripts that write no space behind it. None of it is common in addresses.
const ENDS: &str =
    "<>\"`\u{fffd}“”„«»‹›—，。、；：！？．（）［］｛｝【】〔〕〖〗《》〈〉「」『』｡｢｣､،؛؟।";
/// What a link does not end with: it belongs to the sentence around the link.
const NOT_LAST: &str = ".,;:!?'*_~…‘’–([{";

/// How many bytes belong to the link, in a text that begins behind `://`: up to white space, a
/// quote or a bracket that closes none of the link's own, without the punctuation of the
/// sentence around it.
fn link_len(text: &str) -> usize {
    let mut open = Vec::new();
    let ends = |c: char| {
        match c {
            '(' | '[' | '{' => open.push(c),
            ')' => return open.pop() != Some('('),
            ']' => return open.pop() != Some('['),
            '}' => return open.pop() != Some('{'),
            _ => {}
        }
        c.is_whitespace() || c.is_control() || ENDS.contains(c)
    };
    let link = &text[..text.find(ends).unwrap_or(text.len())];
    link.trim_end_matches(|c| NOT_LAST.contains(c)).len()
}

/// Whether the last line of a text runs from right to left, by its first letter.
#[must_use]
pub fn ends_right_to_left(text: &str) -> bool {
    let line = text.rsplit('\n').next().unwrap_or(text);
    // Hebrew, Arabic, Syriac, Thaana, N'Ko and their kin; further ones are beyond U+10800.
    let is_rtl = |c| matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}');
    line.chars().find(|c| is_letter(*c)).is_some_and(is_rtl)
}

/// Whether a text is only a few emoji, which are drawn larger.
#[must_use]
pub fn only_emoji(text: &str) -> bool {
    let is_emoji = |c: char| matches!(u32::from(c), 0x1f300..=0x1faff | 0x2600..=0x27bf);
    let joins = |c: char| matches!(c, '\u{200d}' | '\u{fe0f}');
    (1..=8).contains(&text.chars().count())
        && text.chars().any(is_emoji)
        && text.chars().all(|c| is_emoji(c) || joins(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Piece::{Block, Code, Link, Text};

    #[test]
    fn code_stands_between_backticks_and_has_no_links() {
        assert_eq!(
            pieces("run `curl http://x.y`, see http://x.y"),
            [
                Text("run "),
                Code("curl http://x.y"),
                Text(", see "),
                Link("http://x.y")
            ]
        );
        assert_eq!(
            pieces("so:\n```rust\nfn main() {}\n\n```\nand `a`"),
            [
                Text("so:\n"),
                Block("fn main() {}\n"),
                Text("and "),
                Code("a")
            ]
        );
        for text in ["a ` b", "``", "```", "```\na", "a ```\nb\n``` c", "`a\nb`"] {
            assert_eq!(pieces(text), [Text(text)], "{text}");
        }
    }

    #[test]
    fn web_addresses_become_links_without_the_sentence_around_them() {
        assert_eq!(
            pieces("see https://example.org/a?b=c#d, then (http://x.y/z_(1))."),
            [
                Text("see "),
                Link("https://example.org/a?b=c#d"),
                Text(", then ("),
                Link("http://x.y/z_(1)"),
                Text(")."),
            ]
        );
        assert_eq!(pieces("HTTPS://EXAMPLE.ORG"), [Link("HTTPS://EXAMPLE.ORG")]);
        assert_eq!(pieces("http://[::1]:80/"), [Link("http://[::1]:80/")]);
    }

    /// The one link of each text, between the marks `⟦` and `⟧`.
    #[test]
    fn a_link_ends_where_the_sentence_around_it_goes_on() {
        for marked in [
            // Scripts that write no space around it.
            "见⟦http://例子.测试/⟧",
            "见⟦https://example.org/a⟧，然后看",
            "看⟦https://example.org/a⟧。然后",
            "⟦https://example.org/a⟧、それから",
            "（⟦https://example.org/a⟧）",
            "【⟦https://example.org/a⟧】和「b」",
            "《⟦https://example.org/a?q=书⟧》",
            "「⟦https://example.org/a⟧」と",
            "是⟦https://example.org/a⟧！？",
            "انظر ⟦https://example.org/a⟧، ثم",
            "देखो ⟦https://example.org/a⟧।",
            // Typographic quotes and dashes.
            "“⟦https://x.org/a⟧”.",
            "‘⟦https://x.org/a⟧’.",
            "„⟦https://x.org/a⟧“, sagt er",
            "«⟦https://x.org/a⟧»",
            "⟦https://x.org/a⟧—or not",
            "⟦https://x.org/a⟧ – or not",
            "\"⟦https://x.org/a⟧\"",
            // Brackets: of the link, and around it.
            "⟦https://en.wikipedia.org/wiki/Rust_(programming_language)⟧",
            "(⟦https://en.wikipedia.org/wiki/Rust_(programming_language)⟧)",
            "(see ⟦https://en.wikipedia.org/wiki/A_(b)_(c)⟧).",
            "[the text](⟦https://x.org/a⟧), and",
            "(⟦https://x.org/a⟧),(b)",
            "{⟦https://x.org/a⟧}",
            "⟦https://x.org/a[1]⟧]",
            "⟦https://en.wikipedia.org/wiki/Michelson–Morley_experiment⟧",
            "⟦http://[::1]:80/⟧",
            // The end of a sentence.
            "⟦https://x.org/a.html⟧.",
            "⟦https://x.org/a⟧…",
            "⟦https://x.org/?a=b&c=d,e⟧, f",
            "*⟦https://x.org/a⟧*",
        ] {
            let (before, rest) = marked.split_once('⟦').unwrap();
            let (link, after) = rest.split_once('⟧').unwrap();
            let expected: Vec<_> = [Text(before), Link(link), Text(after)]
                .into_iter()
                .filter(|piece| *piece != Text(""))
                .collect();
            let text = marked.replace(['⟦', '⟧'], "");
            assert_eq!(pieces(&text), expected, "{text}");
        }
    }

    #[test]
    fn nothing_else_becomes_a_link() {
        for text in [
            "javascript:alert(1)",
            "javascript://x%0aalert(1)",
            "xhttp://example.org",
            "data:text/html,<script>",
            "http://",
            "https:// example.org",
            "://",
            "plain",
            "<a href=\"x\">",
        ] {
            assert_eq!(pieces(text), [Text(text)], "{text}");
        }
    }

    #[test]
    fn pieces_together_are_the_text() {
        for text in [
            "é://http://ü.de/ß…://",
            "http://a http://b\nhttp://c",
            "",
            "a://b://http://c",
        ] {
            let joined: String = pieces(text)
                .iter()
                .map(|piece| match piece {
                    Text(text) | Link(text) | Code(text) | Block(text) => *text,
                })
                .collect();
            assert_eq!(joined, text);
        }
    }

    #[test]
    fn the_last_line_tells_where_the_text_ends() {
        for (text, expected) in [
            ("hello", false),
            ("שלום", true),
            ("1. سلام https://x.org", true),
            ("hello\nשלום", true),
            ("שלום\nhello", false),
            ("https://x.org سلام", false),
            ("123", false),
            ("٣, hello", false),
            ("😀 “שלום”", true),
            ("日本", false),
            ("", false),
        ] {
            assert_eq!(ends_right_to_left(text), expected, "{text}");
        }
    }

    #[test]
    fn emoji_alone_are_told_from_text() {
        assert!(only_emoji("👍"));
        assert!(only_emoji("👩‍👩‍👧"));
        assert!(only_emoji("❤️"));
        assert!(!only_emoji("👍 ok"));
        assert!(!only_emoji(""));
        assert!(!only_emoji("5"));
    }
}
