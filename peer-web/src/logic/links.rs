//! The links in a text. Everything else stays text.

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Plain text.
    Text(&'a str),
    /// An `http` or `https` address; it is shown as it is, so it leads where it says.
    Link(&'a str),
}

/// Cuts a text at its links. The pieces together are the text.
#[must_use]
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
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
    pieces
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

/// How many bytes belong to the link, in a text that begins behind `://`: up to white space or
/// a quote, without the punctuation of the sentence around it.
fn link_len(text: &str) -> usize {
    let end = text
        .find(|c: char| c.is_whitespace() || c.is_control() || "<>\"`\u{fffd}".contains(c))
        .unwrap_or(text.len());
    let mut link = &text[..end];
    while let Some(last) = link.chars().next_back() {
        let closes_nothing = match last {
            ')' => link.matches(')').count() > link.matches('(').count(),
            ']' => link.matches(']').count() > link.matches('[').count(),
            _ => ".,;:!?'*_~}…".contains(last),
        };
        if !closes_nothing {
            break;
        }
        link = &link[..link.len() - last.len_utf8()];
    }
    link.len()
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
    use Piece::{Link, Text};

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
        assert_eq!(
            pieces("见http://例子.测试/"),
            [Text("见"), Link("http://例子.测试/")]
        );
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
                    Text(text) | Link(text) => *text,
                })
                .collect();
            assert_eq!(joined, text);
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
