//! Texts with code in them: spans between backticks, and blocks between lines of three.

use p2pchat_model::printable;
use ratatui::text::Span;

use super::theme::Theme;
use crate::wrap;

/// What begins and ends a block.
const FENCE: &str = "```";
/// Before each row of a block.
const EDGE: &str = "│ ";

/// Wraps a text into rows of at most `columns`. Code has a style of its own and no backticks.
pub(super) fn rows(text: &str, columns: usize, theme: Theme) -> Vec<Vec<Span<'static>>> {
    let text = printable(text);
    let mut rows = Vec::new();
    let mut lines = text.split('\n');
    while let Some(line) = lines.next() {
        let begins = line.trim_start().strip_prefix(FENCE);
        // What stands behind it is the language, or all of a block in one line.
        let is_fence = begins.is_some_and(|behind| !behind.contains('`'));
        let ends = lines.clone().position(|line| line.trim() == FENCE);
        match ends.filter(|_| is_fence) {
            Some(count) => {
                for line in lines.by_ref().take(count) {
                    block_line(line, columns, theme, &mut rows);
                }
                lines.next();
            }
            None => line_with_spans(line, columns, theme, &mut rows),
        }
    }
    if rows.is_empty() {
        rows.push(vec![Span::raw("")]);
    }
    rows
}

/// A line of a block: its spaces stay, and it is cut where the row ends.
fn block_line(line: &str, columns: usize, theme: Theme, rows: &mut Vec<Vec<Span<'static>>>) {
    let room = columns.saturating_sub(wrap::width(EDGE));
    for row in wrap::cut(line, room) {
        rows.push(vec![
            Span::styled(EDGE, theme.dim()),
            Span::styled(row, theme.code()),
        ]);
    }
}

fn line_with_spans(line: &str, columns: usize, theme: Theme, rows: &mut Vec<Vec<Span<'static>>>) {
    let parts = parts(line);
    if parts.iter().all(|(_, is_code)| !is_code) {
        let plain = wrap::rows(line, columns).into_iter();
        rows.extend(plain.map(|row| vec![Span::raw(row)]));
        return;
    }
    let bare: String = parts.iter().map(|(text, _)| *text).collect();
    let bare = bare.replace('\t', " ");
    let letters = parts
        .iter()
        .flat_map(|(text, is_code)| text.chars().map(|_| *is_code));
    let mut letters = bare.chars().zip(letters);
    for row in wrap::rows(&bare, columns) {
        let mut spans: Vec<(String, bool)> = Vec::new();
        for letter in row.chars() {
            // A row has the letters of the text in their order, without some of the spaces.
            let is_code = letters.find(|(other, _)| *other == letter);
            let is_code = is_code.is_some_and(|(_, is_code)| is_code);
            match spans.last_mut() {
                Some((text, same)) if *same == is_code => text.push(letter),
                _ => spans.push((letter.to_string(), is_code)),
            }
        }
        let spans = spans.into_iter().map(|(text, is_code)| {
            if is_code {
                Span::styled(text, theme.code())
            } else {
                Span::raw(text)
            }
        });
        rows.push(spans.collect());
    }
}

/// The parts of a line, and whether each is code. A backtick without another one is text.
fn parts(line: &str) -> Vec<(&str, bool)> {
    let mut parts = Vec::new();
    let mut rest = line;
    while let Some((before, behind)) = rest.split_once('`') {
        let Some((code, after)) = behind.split_once('`').filter(|(code, _)| !code.is_empty())
        else {
            break;
        };
        parts.extend([(before, false), (code, true)]);
        rest = after;
    }
    parts.push((rest, false));
    parts
}

#[cfg(test)]
mod tests {
    use super::super::theme::Colours;
    use super::*;

    /// The rows as text, with `<` and `>` around code.
    fn marked(text: &str, columns: usize) -> Vec<String> {
        let theme = Theme::new(Colours::Many);
        let mark = |span: &Span<'_>| {
            if span.style == theme.code() {
                format!("<{}>", span.content)
            } else {
                span.content.to_string()
            }
        };
        let rows = rows(text, columns, theme);
        let rows = rows.iter().map(|row| row.iter().map(mark).collect());
        rows.collect()
    }

    #[test]
    fn spans_of_code_have_no_backticks_and_keep_their_style_over_rows() {
        assert_eq!(marked("run `cargo test` now", 40), ["run <cargo test> now"]);
        assert_eq!(
            marked("run `cargo test` now", 10),
            ["run <cargo>", "<test> now"]
        );
        assert_eq!(marked("`a` and `b`", 40), ["<a> and <b>"]);
        for plain in ["it's 5` long", "``", "a ` b", ""] {
            assert_eq!(marked(plain, 40), [plain], "{plain}");
        }
    }

    #[test]
    fn a_block_keeps_its_spaces_and_an_open_one_is_text() {
        assert_eq!(
            marked("see:\n```rust\nfn main() {\n    `x`\n}\n```\nend", 40),
            ["see:", "│ <fn main() {>", "│ <    `x`>", "│ <}>", "end"]
        );
        assert_eq!(marked("```\nabcdefgh\n```", 6), ["│ <abcd>", "│ <efgh>"]);
        assert_eq!(marked("```\nabc", 40), ["```", "abc"]);
        assert_eq!(marked("```\n```", 40), [""]);
    }

    #[test]
    fn no_row_is_wider_than_its_limit_and_nothing_is_lost() {
        for text in [
            "`日本語のとても` 長い文章です",
            "a `👩‍👩‍👧 family` of e\u{301}e\u{301}",
            "tab\there `and\tthere`  two  spaces",
            "```\n\tfn 日本語()\n```",
            "\u{1b}[31m `\u{202e}`",
        ] {
            for columns in 4..20 {
                for row in rows(text, columns, Theme::new(Colours::Many)) {
                    let row: String = row.iter().map(|span| span.content.as_ref()).collect();
                    assert!(wrap::width(&row) <= columns, "{row:?} in {columns}");
                    assert!(!row.chars().any(char::is_control), "{row:?}");
                }
            }
        }
    }
}
