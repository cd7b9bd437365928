//! Text editor of several lines: a cursor between graphemes, and the keys of shells.
//!
//! Not `ratatui-textarea`, which cuts between code points and scrolls sideways: here a
//! family emoji is one step of the cursor, and long lines go on in the next row.

use p2pchat_model::printable;
use unicode_segmentation::UnicodeSegmentation;
use zeroize::Zeroize;

use crate::wrap::{is_blank, width, words};

/// A text and the cursor in it.
#[derive(Debug, Default, Clone)]
pub(super) struct Editor {
    text: String,
    cursor: usize,
}

/// A text in rows, and the position of the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Laid {
    pub(super) rows: Vec<String>,
    pub(super) cursor_row: usize,
    pub(super) cursor_column: usize,
}

impl Editor {
    /// With capacity for a secret, so that it never moves and leaves no copies.
    pub(super) fn for_secret() -> Self {
        Self {
            text: String::with_capacity(256),
            cursor: 0,
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(super) fn before_cursor(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// Replaces everything; the cursor goes to the end.
    pub(super) fn set(&mut self, text: &str) {
        self.text.clear();
        self.text.push_str(text);
        self.cursor = self.text.len();
    }

    /// Clears the text, in memory too.
    pub(super) fn wipe(&mut self) {
        self.text.zeroize();
        self.cursor = 0;
    }

    pub(super) fn take(&mut self) -> String {
        self.cursor = 0;
        std::mem::take(&mut self.text)
    }

    /// Inserts a text at the cursor, without characters that cannot be sent.
    pub(super) fn insert(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        for c in text.chars() {
            if !c.is_control() || matches!(c, '\n' | '\t') {
                self.text.insert(self.cursor, c);
                self.cursor += c.len_utf8();
            }
        }
        self.leave_grapheme();
    }

    /// Replaces the text between `start` and the cursor.
    pub(super) fn replace_before_cursor(&mut self, start: usize, text: &str) {
        self.text.replace_range(start..self.cursor, text);
        self.cursor = start + text.len();
        self.leave_grapheme();
    }

    /// Moves the cursor to the end of the grapheme that it is in: what is left and right of
    /// it may have become one, such as the two letters of a flag.
    fn leave_grapheme(&mut self) {
        let mut ends = self.text.grapheme_indices(true);
        let end = ends.find(|(at, grapheme)| at + grapheme.len() >= self.cursor);
        if let Some((at, grapheme)) = end
            && self.cursor > 0
        {
            self.cursor = at + grapheme.len();
        }
    }

    fn previous(&self) -> usize {
        let last = self.before_cursor().grapheme_indices(true).next_back();
        last.map_or(0, |(at, _)| at)
    }

    fn next(&self) -> usize {
        let next = self.text[self.cursor..].graphemes(true).next();
        self.cursor + next.map_or(0, str::len)
    }

    fn word_start(&self) -> usize {
        let mut words = self.before_cursor().split_word_bound_indices();
        let start = words.rfind(|(_, word)| !is_blank(word));
        start.map_or(0, |(at, _)| at)
    }

    fn word_end(&self) -> usize {
        let mut words = self.text[self.cursor..].split_word_bound_indices();
        let end = words.find(|(_, word)| !is_blank(word));
        let end = end.map(|(at, word)| self.cursor + at + word.len());
        end.unwrap_or(self.text.len())
    }

    fn line_start(&self) -> usize {
        self.before_cursor().rfind('\n').map_or(0, |at| at + 1)
    }

    fn line_end(&self) -> usize {
        let end = self.text[self.cursor..].find('\n');
        end.map_or(self.text.len(), |at| self.cursor + at)
    }

    fn delete(&mut self, range: std::ops::Range<usize>) {
        self.cursor = range.start;
        self.text.replace_range(range, "");
        self.leave_grapheme();
    }

    pub(super) fn left(&mut self) {
        self.cursor = self.previous();
    }

    pub(super) fn right(&mut self) {
        self.cursor = self.next();
    }

    pub(super) fn word_left(&mut self) {
        self.cursor = self.word_start();
    }

    pub(super) fn word_right(&mut self) {
        self.cursor = self.word_end();
    }

    pub(super) fn home(&mut self) {
        self.cursor = self.line_start();
    }

    pub(super) fn end(&mut self) {
        self.cursor = self.line_end();
    }

    pub(super) fn backspace(&mut self) {
        self.delete(self.previous()..self.cursor);
    }

    pub(super) fn delete_next(&mut self) {
        self.delete(self.cursor..self.next());
    }

    pub(super) fn delete_word(&mut self) {
        self.delete(self.word_start()..self.cursor);
    }

    pub(super) fn delete_to_start(&mut self) {
        self.delete(self.line_start()..self.cursor);
    }

    pub(super) fn delete_to_end(&mut self) {
        self.delete(self.cursor..self.line_end());
    }

    /// Goes to the line above; `false` if there is none.
    pub(super) fn up(&mut self) -> bool {
        let start = self.line_start();
        if start == 0 {
            return false;
        }
        let column = self.text[start..self.cursor].graphemes(true).count();
        self.cursor = start - 1;
        let above = self.line_start();
        self.cursor = above;
        self.go_right(column);
        true
    }

    /// Goes to the line below; `false` if there is none.
    pub(super) fn down(&mut self) -> bool {
        let end = self.line_end();
        if end == self.text.len() {
            return false;
        }
        let start = self.line_start();
        let column = self.text[start..self.cursor].graphemes(true).count();
        self.cursor = end + 1;
        self.go_right(column);
        true
    }

    fn go_right(&mut self, count: usize) {
        for _ in 0..count {
            if self.cursor < self.line_end() {
                self.right();
            }
        }
    }

    /// Wraps the text into rows, between words where possible; as dots if it is `secret`. A row
    /// leaves one of the `columns` free, where the cursor stands behind its last letter.
    pub(super) fn lay_out(&self, columns: usize, secret: bool) -> Laid {
        let room = columns.max(3) - 1;
        let mut laid = Laid {
            rows: vec![String::new()],
            cursor_row: 0,
            cursor_column: 0,
        };
        let (mut at, mut used) = (0, 0);
        for word in words(&self.text) {
            let fits = |word: &str| used + width(&printable(word)) <= room;
            if !secret && used > 0 && !is_blank(word) && !fits(word) {
                laid.rows.push(String::new());
                used = 0;
            }
            for grapheme in word.graphemes(true) {
                let shown = match grapheme {
                    "\n" => "".into(),
                    _ if secret => "•".into(),
                    "\t" => " ".into(),
                    other => printable(other),
                };
                let wide = width(&shown);
                // A space between two rows is in neither.
                let ends_row = grapheme == "\n" || (is_blank(&shown) && used + wide > room);
                if !ends_row && used + wide > room {
                    laid.rows.push(String::new());
                    used = 0;
                }
                if at == self.cursor {
                    laid.place_cursor(used);
                }
                if ends_row {
                    laid.rows.push(String::new());
                    used = 0;
                } else {
                    used += wide;
                    laid.push(&shown);
                }
                at += grapheme.len();
            }
        }
        if self.cursor == self.text.len() {
            laid.place_cursor(used);
        }
        laid
    }
}

impl Laid {
    fn place_cursor(&mut self, column: usize) {
        self.cursor_row = self.rows.len() - 1;
        self.cursor_column = column;
    }

    fn push(&mut self, text: &str) {
        if let Some(row) = self.rows.last_mut() {
            row.push_str(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> Editor {
        let mut editor = Editor::default();
        editor.insert(text);
        editor
    }

    #[test]
    fn a_grapheme_is_one_step_of_the_cursor_and_one_deletion() {
        let mut editor = with("a👩‍👩‍👧e\u{301}");
        editor.left();
        editor.backspace();
        assert_eq!(editor.text(), "ae\u{301}");
        editor.right();
        editor.backspace();
        assert_eq!(editor.text(), "a");
    }

    #[test]
    fn the_cursor_is_never_inside_a_grapheme() {
        // Without the letter between them, the two are one flag.
        let mut editor = with("🇹x🇷");
        editor.left();
        editor.backspace();
        assert_eq!(editor.lay_out(10, false).cursor_column, 2);
        editor.insert("!");
        assert_eq!(editor.text(), "🇹🇷!");
        let family = "👩\u{200d}👩\u{200d}👧";
        for text in [
            family,
            "🇹🇷🇩🇪",
            "e\u{301}o\u{302}\u{303}",
            "سلام لا",
            "नमस्ते",
            "👍🏽",
            "1️⃣",
        ] {
            let mut editor = with(&format!("{text}z{text}"));
            for step in 0..40 {
                match step % 7 {
                    0 | 2 | 3 => editor.left(),
                    1 => editor.right(),
                    4 => editor.insert("\u{200d}"),
                    5 => editor.backspace(),
                    _ => editor.delete_next(),
                }
                let bounds = editor.text().grapheme_indices(true).map(|(at, _)| at);
                let mut bounds = bounds.chain([editor.text().len()]);
                assert!(
                    bounds.any(|at| at == editor.cursor),
                    "{text} {step}: {editor:?}"
                );
            }
        }
    }

    #[test]
    fn an_emoji_is_a_word_of_its_own() {
        let mut editor = with("hello 👩‍👩‍👧 🇹🇷 ");
        editor.delete_word();
        assert_eq!(editor.text(), "hello 👩‍👩‍👧 ");
        editor.delete_word();
        assert_eq!(editor.text(), "hello ");
        editor.home();
        editor.word_right();
        editor.insert(",");
        assert_eq!(editor.text(), "hello, ");
    }

    #[test]
    fn words_and_lines_are_deleted_as_in_a_shell() {
        let mut editor = with("one two three\nfour five");
        editor.delete_word();
        assert_eq!(editor.text(), "one two three\nfour ");
        editor.delete_to_start();
        assert!(editor.up());
        editor.word_right();
        editor.delete_to_end();
        assert_eq!(editor.text(), "one\n");
        assert!(editor.down());
        assert!(!editor.down());
    }

    #[test]
    fn control_characters_are_not_inserted() {
        assert_eq!(with("a\u{1b}[31m\0b\r\nc\rd").text(), "a[31mb\nc\nd");
    }

    #[test]
    fn the_cursor_is_where_the_next_letter_will_be() {
        let laid = with("日本語").lay_out(5, false);
        assert_eq!(laid.rows, ["日本", "語"]);
        assert_eq!((laid.cursor_row, laid.cursor_column), (1, 2));
        let laid = with("abcd").lay_out(5, false);
        assert_eq!((laid.cursor_row, laid.cursor_column), (0, 4));
        let laid = with("one two three").lay_out(9, false);
        assert_eq!(laid.rows, ["one two ", "three"]);
        assert_eq!((laid.cursor_row, laid.cursor_column), (1, 5));
        let laid = with("one two three").lay_out(8, false);
        assert_eq!(laid.rows, ["one two", "three"]);
        let laid = with("one two  three").lay_out(8, false);
        assert_eq!(laid.rows, ["one two", " three"]);
        let laid = with("one two ").lay_out(8, false);
        assert_eq!((laid.cursor_row, laid.cursor_column), (1, 0));
        let laid = with("see abcdefghij").lay_out(7, false);
        assert_eq!(laid.rows, ["see ", "abcdef", "ghij"]);
        // Dots do not show where words end.
        let laid = with("one two three").lay_out(9, true);
        assert_eq!(laid.rows, ["••••••••", "•••••"]);
        let laid = with("pass").lay_out(10, true);
        assert_eq!(laid.rows, ["••••"]);
        let mut editor = with("ab\ncd");
        editor.up();
        editor.home();
        let laid = editor.lay_out(10, false);
        assert_eq!((laid.cursor_row, laid.cursor_column), (0, 0));
    }

    #[test]
    fn each_place_of_the_cursor_is_another_one_and_in_the_field() {
        for text in [
            "one two  three",
            "abcd\nx\n\ny ",
            "a\tb\t\tc",
            "日本 語 日本語",
            "กำนำ คำ นำ",
            "🇹\u{200d}🇷🇩🇪 👍🏽",
        ] {
            for columns in 3..12 {
                let mut editor = with(text);
                let mut seen = Vec::new();
                for _ in 0..=text.graphemes(true).count() {
                    let laid = editor.lay_out(columns, false);
                    let place = (laid.cursor_row, laid.cursor_column);
                    assert!(
                        laid.cursor_column < columns,
                        "{text:?} in {columns}: {laid:?}"
                    );
                    assert!(!seen.contains(&place), "{text:?} in {columns}: {place:?}");
                    assert!(laid.cursor_row < laid.rows.len());
                    seen.push(place);
                    editor.left();
                }
                assert_eq!(seen.last(), Some(&(0, 0)), "{text:?} in {columns}");
            }
        }
    }
}
