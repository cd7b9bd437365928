//! What a profile knows of keys and accounts: text files in its folder, each line an entry.
//!
//! The machine decides what is in them; this module reads and writes them. An entry that this
//! version cannot read is an error: to skip it would trust the next key that comes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use p2pchat_model::{KnownRegistry, Username};
use p2pchat_platform::files::{private_file, sync_folder};
use p2pchat_protocol::v2::{Fingerprint, PersonKey, PublicKey};
use thiserror::Error;

/// What is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The pinned registries.
    pub registries: Vec<KnownRegistry>,
    /// The people whose keys are pinned: the registry that vouches for them, and their name there.
    pub people: BTreeMap<(Fingerprint, Username), Pin>,
    /// The keys that were pinned for people before, at which registry: their conversations stay.
    pub former: BTreeMap<(Fingerprint, PersonKey), Username>,
    /// The account that was last logged in, at which registry.
    pub account: Option<(Fingerprint, Username)>,
    /// The registry that answered last: the one to go to where none is named.
    pub registry: Option<LastRegistry>,
}

/// The registry that a profile has used last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastRegistry {
    /// Its name, as [`Options::registry`](crate::Options::registry) has it.
    pub name: String,
    /// It was started on this machine by the peer, and is started again if it is gone.
    pub is_own: bool,
}

/// The pin of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin {
    /// Their key.
    pub person: PersonKey,
    /// The newest serial of the binding that was seen.
    pub serial: u64,
    /// Whether the user has compared codes with them.
    pub is_verified: bool,
    /// Another key that the registry has for them, which the user has not accepted.
    pub changed: Option<PersonKey>,
    /// Whether the user agrees to have them in the open chat, unencrypted.
    pub is_open_allowed: bool,
}

/// One of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KnownFile {
    /// The pinned registries.
    Registries,
    /// The pinned people.
    People,
    /// The last account.
    Account,
    /// The last registry.
    Registry,
}

/// Why one of the files cannot be read.
#[derive(Debug, Error)]
pub enum KnownError {
    /// The system refuses.
    #[error("cannot read {path}: {reason}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// It has a line that this version cannot read.
    #[error("{path} has an invalid entry: `{line}`")]
    Entry {
        /// The file.
        path: PathBuf,
        /// The line.
        line: String,
    },
}

/// Behind how well a key is known: they may be in the open chat.
const OPEN: &str = "+open";
/// Before the name of a registry that was started on this machine.
const OWN: &str = "started";
/// Before the name of another registry.
const NAMED: &str = "named";
/// In place of how well a key is known: it is not the person's any more.
const FORMER: &str = "former";
/// Behind the day of the first contact: the user has named or accepted this key.
const TRUSTED: &str = " trusted";

impl KnownFile {
    const ALL: [Self; 4] = [
        Self::Registries,
        Self::People,
        Self::Account,
        Self::Registry,
    ];

    /// Its name in the folder of the profile.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Registries => "known_registries",
            Self::People => "known_people",
            Self::Account => "account",
            Self::Registry => "registry",
        }
    }

    /// What its first line says.
    fn comment(self) -> &'static str {
        match self {
            Self::Registries => {
                "# registry, fingerprint of its key, day, trusted if named or accepted"
            }
            Self::People => "# registry, key, serial, new or verified or former, other key, name",
            Self::Account => "# registry, name",
            Self::Registry => "# named or started here, registry",
        }
    }
}

impl Known {
    /// Reads the files in the folder of a profile.
    ///
    /// # Errors
    /// If one is there and cannot be read.
    pub fn open(folder: &Path) -> Result<Self, KnownError> {
        let mut known = Self::default();
        for file in KnownFile::ALL {
            let path = folder.join(file.name());
            let text = match fs::read_to_string(&path) {
                Ok(text) => text,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(reason) => return Err(KnownError::Io { path, reason }),
            };
            let read = known.read(file, &text);
            read.map_err(|line| KnownError::Entry { path, line })?;
        }
        Ok(known)
    }

    /// Adds what a file has.
    ///
    /// # Errors
    /// The line that cannot be read.
    pub fn read(&mut self, file: KnownFile, text: &str) -> Result<(), String> {
        let lines = text.lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            self.read_line(file, line).ok_or_else(|| line.to_owned())?;
        }
        Ok(())
    }

    fn read_line(&mut self, file: KnownFile, line: &str) -> Option<()> {
        match file {
            KnownFile::Registries => {
                let [registry, fingerprint, since] = words(line)?;
                let day = since.strip_suffix(TRUSTED);
                self.registries.push(KnownRegistry {
                    registry: registry.to_owned(),
                    fingerprint: fingerprint.parse().ok()?,
                    since: day.unwrap_or(since).to_owned(),
                    trusted: day.is_some(),
                });
            }
            KnownFile::People => {
                let [registry, person, serial, state, changed, name] = words(line)?;
                let (registry, name) = (registry.parse().ok()?, name.parse().ok()?);
                if state == FORMER {
                    self.former.insert((registry, key(person)?), name);
                    return Some(());
                }
                let is_open_allowed = state.ends_with(OPEN);
                let pin = Pin {
                    person: key(person)?,
                    serial: serial.parse().ok()?,
                    is_verified: match state.trim_end_matches(OPEN) {
                        "new" => false,
                        "verified" => true,
                        _ => return None,
                    },
                    changed: match changed {
                        "-" => None,
                        changed => Some(key(changed)?),
                    },
                    is_open_allowed,
                };
                self.people.insert((registry, name), pin);
            }
            KnownFile::Account => {
                let [registry, name] = words(line)?;
                self.account = Some((registry.parse().ok()?, name.parse().ok()?));
            }
            KnownFile::Registry => {
                let [how, name] = words(line)?;
                let is_own = match how {
                    NAMED => false,
                    OWN => true,
                    _ => return None,
                };
                let name = name.to_owned();
                self.registry = Some(LastRegistry { name, is_own });
            }
        }
        Some(())
    }

    /// The whole text of a file.
    #[must_use]
    pub fn text(&self, file: KnownFile) -> String {
        let mut text = format!("{}\n", file.comment());
        match file {
            KnownFile::Registries => {
                for known in &self.registries {
                    let KnownRegistry {
                        registry,
                        fingerprint,
                        since,
                        trusted,
                    } = known;
                    let trusted = if *trusted { TRUSTED } else { "" };
                    let _ = writeln!(text, "{registry} {fingerprint} {since}{trusted}");
                }
            }
            KnownFile::People => {
                for ((registry, name), pin) in &self.people {
                    let person = hex(&pin.person);
                    let state = if pin.is_verified { "verified" } else { "new" };
                    let changed = pin.changed.as_ref().map_or_else(|| "-".to_owned(), hex);
                    let serial = pin.serial;
                    let open = if pin.is_open_allowed { OPEN } else { "" };
                    let _ = writeln!(
                        text,
                        "{registry} {person} {serial} {state}{open} {changed} {name}"
                    );
                }
                for ((registry, key), name) in &self.former {
                    let _ = writeln!(text, "{registry} {} 0 {FORMER} - {name}", hex(key));
                }
            }
            KnownFile::Account => {
                if let Some((registry, name)) = &self.account {
                    let _ = writeln!(text, "{registry} {name}");
                }
            }
            KnownFile::Registry => {
                if let Some(LastRegistry { name, is_own }) = &self.registry {
                    let how = if *is_own { OWN } else { NAMED };
                    let _ = writeln!(text, "{how} {name}");
                }
            }
        }
        text
    }
}

/// Writes a file as a whole: after a crash it is there as it was before, or as it is now.
pub(crate) fn keep(folder: &Path, file: KnownFile, text: &str) -> io::Result<()> {
    let path = folder.join(file.name());
    let new = path.with_extension("new");
    let mut written = private_file().create(true).truncate(true).open(&new)?;
    written.write_all(text.as_bytes())?;
    written.sync_all()?;
    fs::rename(&new, &path)?;
    sync_folder(folder)
}

/// The words of a line; the last one is the rest, since old names may have spaces.
fn words<const N: usize>(line: &str) -> Option<[&str; N]> {
    let words: Vec<&str> = line.splitn(N, ' ').collect();
    words.try_into().ok()
}

fn key(text: &str) -> Option<PersonKey> {
    let bytes = HEXLOWER.decode(text.as_bytes()).ok()?;
    PublicKey::try_from(&bytes[..]).ok().map(PersonKey)
}

fn hex(key: &PersonKey) -> String {
    HEXLOWER.encode(&key.0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let fingerprint: Fingerprint = "ABCDEFGHIJKLMNOPQRSTUVWXYZ".parse().unwrap();
        let person = |byte| PersonKey(PublicKey([byte; 32]));
        let pin = |is_verified, changed| Pin {
            person: person(1),
            serial: 7,
            is_verified,
            changed,
            is_open_allowed: is_verified,
        };
        Known {
            registries: [false, true]
                .map(|trusted| KnownRegistry {
                    registry: "chat.example".to_owned(),
                    fingerprint,
                    since: "2026-11-28".to_owned(),
                    trusted,
                })
                .into(),
            people: BTreeMap::from([
                ((fingerprint, "ann".parse().unwrap()), pin(false, None)),
                (
                    (fingerprint, "b o".parse().unwrap()),
                    pin(true, Some(person(2))),
                ),
            ]),
            former: BTreeMap::from([((fingerprint, person(3)), "b o".parse().unwrap())]),
            account: Some((fingerprint, "ann".parse().unwrap())),
            registry: Some(LastRegistry {
                name: "a.example, b.example:4000#ABCDEFGHIJKLMNOPQRSTUVWXYZ".to_owned(),
                is_own: true,
            }),
        }
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Known::open(folder.path()).unwrap(), Known::default());
        let known = known();
        for file in KnownFile::ALL {
            keep(folder.path(), file, &known.text(file)).unwrap();
        }
        assert_eq!(Known::open(folder.path()).unwrap(), known);
        let forgotten = Known::default().text(KnownFile::Account);
        keep(folder.path(), KnownFile::Account, &forgotten).unwrap();
        assert_eq!(Known::open(folder.path()).unwrap().account, None);
    }

    #[test]
    fn an_entry_that_cannot_be_read_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        for (file, line) in [
            (KnownFile::Registries, "chat.example ABCD 2026-11-28"),
            (KnownFile::People, "bob"),
            (KnownFile::Account, "ann"),
            (KnownFile::Registry, "chat.example"),
        ] {
            keep(folder.path(), file, line).unwrap();
            let error = Known::open(folder.path()).unwrap_err().to_string();
            assert!(error.contains(&format!("`{line}`")), "{error}");
            keep(folder.path(), file, "").unwrap();
        }
    }
}
