//! The config file: TOML, one section for each program of p2pchat. A program reads its
//! own and leaves the others alone.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use thiserror::Error;

/// The programs, each under the name of its section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
pub enum Program {
    /// The registry.
    Registry,
    /// The peer on a terminal.
    Peer,
    /// The peer in a browser.
    Bridge,
}

/// What a section says. Each key may be absent, and so may be the whole section.
pub trait Section: Default + DeserializeOwned {
    /// Whose it is.
    const PROGRAM: Program;
    /// What that program calls the file when it complains of it.
    const FILE: &str = "the config file";
}

/// Why a config file cannot be used. What is shown of it is the line's number and not the
/// line: a section of another program may hold a password.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file that was named is not there, or cannot be read.
    #[error("cannot read {file} {}: {source}", path.display())]
    Read {
        /// What the program calls the file.
        file: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not TOML, or has a key or value that means nothing.
    #[error("{file} {}{place}: {reason}", path.display())]
    Wrong {
        /// What the program calls the file.
        file: &'static str,
        /// Which file.
        path: PathBuf,
        /// `", line N"`, or nothing.
        place: String,
        /// What is wrong.
        reason: String,
    },
}

/// Reads a section of the file that was named, else of the one in the user's config
/// folder, if there is one.
///
/// # Errors
/// If a file that was named cannot be read, or the file is wrong.
pub fn load<S: Section>(named: Option<&Path>) -> Result<S, ConfigError> {
    let Some(path) = named.map(Path::to_owned).or_else(default_path) else {
        return Ok(S::default());
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(&path, &text),
        Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => {
            Ok(S::default())
        }
        Err(source) => Err(ConfigError::Read {
            file: S::FILE,
            path,
            source,
        }),
    }
}

/// The file in the user's config folder; `None` if he has no home.
#[must_use]
pub fn default_path() -> Option<PathBuf> {
    crate::folders::config_file("config.toml")
}

/// Reads a section of a file with this content; `path` is for the error.
///
/// # Errors
/// If it is wrong.
pub fn parse<S: Section>(path: &Path, text: &str) -> Result<S, ConfigError> {
    let file: Result<File<S>, toml::de::Error> = toml::from_str(text);
    file.map(|File(section)| section).map_err(|error| {
        let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
        let place = error
            .span()
            .map(|span| format!(", line {}", line(span.start)));
        ConfigError::Wrong {
            file: S::FILE,
            path: path.to_owned(),
            place: place.unwrap_or_default(),
            reason: error.message().replace('\n', " "),
        }
    })
}

/// The whole file.
struct File<S>(S);

impl<'de, S: Section> Deserialize<'de> for File<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Sections(PhantomData))
    }
}

/// Takes one section and passes over those of the other programs.
struct Sections<S>(PhantomData<S>);

impl<'de, S: Section> Visitor<'de> for Sections<S> {
    type Value = File<S>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a section for each program")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut section = S::default();
        while let Some(program) = map.next_key::<Program>()? {
            if program == S::PROGRAM {
                section = map.next_value()?;
            } else {
                map.next_value::<toml::Table>()?;
            }
        }
        Ok(File(section))
    }
}

#[cfg(test)]
mod tests;
