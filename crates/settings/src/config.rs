//! The config file: TOML, with one section for each program of p2pchat. A program reads
//! its own section and ignores the values of the others.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use thiserror::Error;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A section of the config file, named after its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// The registry.
    Registry,
    /// The peer on a terminal.
    Peer,
    /// The peer in a browser.
    Bridge,
}

/// Why a config file cannot be used. A line is shown by its number and not by its text: a
/// section of another program may hold a password.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the config file {}: {source}; name another one with --config FILE", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not TOML, or has an unknown section or key.
    #[error("the config file {}{place}: {reason}", path.display())]
    Wrong {
        /// Which file.
        path: PathBuf,
        /// `", line N"`, or nothing.
        place: String,
        /// What is wrong.
        reason: String,
    },
}

/// What a section of the file says.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct File {
    path: PathBuf,
    /// The keys, each with what it is set to.
    pub(crate) keys: BTreeMap<String, Entry>,
}

/// What one key is set to.
#[derive(Debug, PartialEq)]
pub(crate) struct Entry {
    /// The line of the key.
    pub(crate) line: usize,
    /// The value.
    pub(crate) value: Value,
}

/// A value of the file, as text for the parser of the option.
#[derive(Debug, PartialEq)]
pub(crate) enum Value {
    /// `true` or `false`.
    Switch(bool),
    /// A string or a number.
    One(String),
    /// A list of these.
    Many(Vec<String>),
    /// A type that no option has, under its name in TOML.
    Other(&'static str),
}

impl Section {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Registry, Self::Peer, Self::Bridge];

    /// The name of the section.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::Peer => "peer",
            Self::Bridge => "bridge",
        }
    }
}

impl File {
    /// Reads a section of this file. A file that does not exist is an error only if it is
    /// `required`.
    pub(crate) fn load(
        path: PathBuf,
        required: bool,
        section: Section,
    ) -> Result<Self, ConfigError> {
        match std::fs::read_to_string(&path) {
            Ok(text) => parse(&path, &text, section),
            Err(error) if !required && is_absent(&error) => Ok(Self::default()),
            Err(source) => Err(ConfigError::Read { path, source }),
        }
    }

    /// An error at this line.
    pub(crate) fn wrong(&self, line: usize, reason: String) -> ConfigError {
        ConfigError::Wrong {
            path: self.path.clone(),
            place: format!(", line {line}"),
            reason,
        }
    }
}

/// Whether there is no such file: nothing of this name, or no folder for it.
fn is_absent(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}

fn parse(path: &Path, text: &str, section: Section) -> Result<File, ConfigError> {
    let line = |span: Range<usize>| text[..span.start.min(text.len())].matches('\n').count() + 1;
    let wrong = |span: Option<Range<usize>>, reason: String| ConfigError::Wrong {
        path: path.to_owned(),
        place: span.map_or(String::new(), |span| format!(", line {}", line(span))),
        reason,
    };
    let file = DeTable::parse(text)
        .map_err(|error| wrong(error.span(), error.message().replace('\n', " ")))?;
    let mut keys = BTreeMap::new();
    for (name, content) in file.get_ref() {
        let known = Section::ALL
            .iter()
            .find(|known| known.name() == name.get_ref());
        let Some(known) = known else {
            let all = Section::ALL.map(|known| format!("[{}]", known.name()));
            let reason = format!(
                "unknown section [{}]: use {}",
                name.get_ref(),
                all.join(", ")
            );
            return Err(wrong(Some(name.span()), reason));
        };
        let Some(content) = content.get_ref().as_table() else {
            let reason = format!("write [{}] on a line, and its keys below it", known.name());
            return Err(wrong(Some(name.span()), reason));
        };
        if *known == section {
            keys = content
                .iter()
                .map(|(key, value)| (key.get_ref().to_string(), entry(line(key.span()), value)))
                .collect();
        }
    }
    Ok(File {
        path: path.to_owned(),
        keys,
    })
}

fn entry(line: usize, value: &Spanned<DeValue<'_>>) -> Entry {
    let value = value.get_ref();
    let value = match value {
        DeValue::Boolean(on) => Value::Switch(*on),
        DeValue::Array(values) => values
            .iter()
            .map(|value| text(value.get_ref()))
            .collect::<Option<_>>()
            .map_or(Value::Other("array of other arrays or tables"), Value::Many),
        _ => text(value).map_or(Value::Other(value.type_str()), Value::One),
    };
    Entry { line, value }
}

/// A string or a number as text.
fn text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .ok()
            .map(|number| number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<BTreeMap<String, Entry>, String> {
        let file = parse(Path::new("c.toml"), text, Section::Bridge);
        file.map(|file| file.keys)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_sections_of_other_programs_are_left_alone() {
        let keys = parsed("[registry]\ntcp = 1\n[bridge]\nhello-port = 2\n[peer]\nx = 1\n");
        let entry = Entry {
            line: 4,
            value: Value::One("2".to_owned()),
        };
        assert_eq!(
            keys.unwrap(),
            BTreeMap::from([("hello-port".to_owned(), entry)])
        );
        assert_eq!(parsed("[peer]\nx = 1\n").unwrap(), BTreeMap::new());
        assert_eq!(
            parsed("\npeer = 1\n").unwrap_err(),
            "the config file c.toml, line 2: write [peer] on a line, and its keys below it"
        );
    }

    #[test]
    fn a_file_of_a_windows_editor_is_read_as_any_other() {
        let keys = parsed("\u{feff}[bridge]\r\nhello-port = 2\r\n").unwrap();
        let entry = Entry {
            line: 2,
            value: Value::One("2".to_owned()),
        };
        assert_eq!(keys, BTreeMap::from([("hello-port".to_owned(), entry)]));
        let error = parsed("\u{feff}[bridg]\r\n").unwrap_err();
        assert!(error.contains("line 1: unknown section [bridg]"), "{error}");
    }

    #[test]
    fn an_unknown_section_is_named_with_its_line() {
        assert_eq!(
            parsed("[peer]\n[bridg]\n").unwrap_err(),
            "the config file c.toml, line 2: unknown section [bridg]: use [registry], [peer], [bridge]"
        );
    }

    #[test]
    fn an_error_does_not_show_what_the_file_holds() {
        let error = parsed("[registry]\nstore = 'mongodb://u:hush@h\n").unwrap_err();
        assert!(error.contains("line 2"), "{error}");
        assert!(!error.contains("hush") && !error.contains('\n'), "{error}");
    }

    #[test]
    fn values_become_the_text_that_a_flag_would_have() {
        let text = "[bridge]\na = 'x'\nb = 0x10\nc = true\nd = ['y', 1_000]\ne = 1.5\nf = [[1]]\n";
        let values: Vec<_> = parsed(text).unwrap().into_values().collect();
        let values: Vec<_> = values.into_iter().map(|entry| entry.value).collect();
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        assert_eq!(
            values,
            [
                Value::One("x".to_owned()),
                Value::One("16".to_owned()),
                Value::Switch(true),
                Value::Many(texts(&["y", "1000"])),
                Value::Other("float"),
                Value::Other("array of other arrays or tables"),
            ]
        );
    }
}
