//! The text of a man page: what `clap_mangen` has no words for.

use std::fmt::Write as _;
use std::io;

use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

use super::foot;

/// A man page that is being written. A text may have `code` between backticks, which is bold.
#[derive(Debug, Default)]
pub struct Text(String);

impl Text {
    /// A page with its title and the line that says what it is about.
    #[must_use]
    pub fn new(name: &str, section: u8, about: &str) -> Self {
        let mut text = Self::default();
        let (date, source) = foot();
        let section = section.to_string();
        let mut roff = Roff::new();
        roff.control("TH", [name, &section, date, &source, "p2pchat manual"]);
        roff.control("SH", ["NAME"]);
        roff.text([roman(format!("{name} - {about}"))]);
        text.add(&roff);
        text
    }

    /// A heading.
    pub fn heading(&mut self, words: &str) {
        self.control("SH", &[words]);
    }

    /// A heading within a section.
    pub fn subheading(&mut self, words: &str) {
        self.control("SS", &[words]);
    }

    /// A paragraph.
    pub fn paragraph(&mut self, words: &str) {
        self.control("PP", &[]);
        self.words(words);
    }

    /// A term, and below it what it is.
    pub fn entry(&mut self, term: &str, words: &str) {
        self.control("TP", &[]);
        self.inline([bold(term)]);
        self.words(words);
    }

    /// The same, with what is of the term but not of its name.
    pub fn entry_of(&mut self, term: &str, kind: &str, words: &str) {
        self.control("TP", &[]);
        self.inline([bold(term), roman(" "), italic(kind)]);
        self.words(words);
    }

    /// Lines as they are to be typed.
    pub fn code(&mut self, lines: &str) {
        self.control("PP", &[]);
        self.control("RS", &["4"]);
        self.control("EX", &[]);
        for line in lines.lines() {
            self.inline([roman(line)]);
        }
        self.control("EE", &[]);
        self.control("RE", &[]);
    }

    /// Names of pages with their sections, as `p2pchat(1)`.
    pub fn pages(&mut self, pages: &[String]) {
        let mut all = Vec::new();
        for (at, page) in pages.iter().enumerate() {
            if at > 0 {
                all.push(roman(", "));
            }
            let (name, section) = page.split_once('(').unwrap_or((page, ""));
            all.push(bold(name));
            all.push(roman(format!("({section}")));
        }
        self.inline(all);
    }

    pub(super) fn bold_then(&mut self, name: &str, rest: &str) {
        self.inline([bold(name), roman(rest)]);
    }

    pub(super) fn line_break(&mut self) {
        self.control("br", &[]);
    }

    /// Adds what `clap_mangen` renders.
    pub(super) fn rendered(&mut self, render: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) {
        let mut out = Vec::new();
        render(&mut out).expect("a Vec takes everything");
        self.0.push_str(&String::from_utf8_lossy(&out));
    }

    /// The page. Characters beyond ASCII are written as groff names them, so that it does not
    /// depend on how it is called.
    #[must_use]
    pub fn finish(self) -> String {
        let mut page = String::with_capacity(self.0.len());
        let mut lines: Vec<&str> = self.0.lines().collect();
        // How roff writes an apostrophe, which each part of the page says once more.
        let apostrophe: Vec<&str> = lines.drain(..2).collect();
        lines.retain(|line| !apostrophe.contains(line));
        for line in apostrophe.into_iter().chain(lines) {
            for c in bold_code(line).chars() {
                if c.is_ascii() {
                    page.push(c);
                } else {
                    write!(page, "\\[u{:04X}]", u32::from(c)).expect("a String takes everything");
                }
            }
            page.push('\n');
        }
        page
    }

    fn words(&mut self, words: &str) {
        for (at, paragraph) in words.split("\n\n").enumerate() {
            if at > 0 {
                self.control("IP", &[]);
            }
            self.inline([roman(paragraph)]);
        }
    }

    fn control(&mut self, name: &str, words: &[&str]) {
        let mut roff = Roff::new();
        roff.control(name, words.iter().copied());
        self.add(&roff);
    }

    fn inline(&mut self, words: impl Into<Vec<Inline>>) {
        let mut roff = Roff::new();
        roff.text(words.into());
        self.add(&roff);
    }

    fn add(&mut self, roff: &Roff) {
        self.rendered(|mut out| roff.to_writer(&mut out));
    }
}

/// A line with what is between backticks in bold; groff would show them as quotation marks.
fn bold_code(line: &str) -> String {
    let parts: Vec<&str> = line.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return line.to_owned();
    }
    let mut text = String::with_capacity(line.len());
    for (at, part) in parts.iter().enumerate() {
        match at {
            0 => {}
            _ if at % 2 == 1 => text.push_str("\\fB"),
            _ => text.push_str("\\fR"),
        }
        text.push_str(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_bold_and_what_is_not_ascii_has_its_name() {
        assert_eq!(bold_code("a `b c` d `e`"), r"a \fBb c\fR d \fBe\fR");
        assert_eq!(bold_code("a ` alone"), "a ` alone");
        let mut text = Text::new("x", 7, "a page");
        text.paragraph("it's `a-b`: … \\ and\n\n.not a request");
        let page = text.finish();
        assert!(page.is_ascii(), "{page}");
        assert!(page.contains(r"\fBa\-b\fR: \[u2026] "), "{page}");
        let lines: Vec<&str> = page.lines().collect();
        assert!(!lines.iter().any(|line| line.starts_with(".not")), "{page}");
    }
}
