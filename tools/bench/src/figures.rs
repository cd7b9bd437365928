//! All figures that were measured on this machine, kept in a file beside the page: so one
//! quantity can be measured again without the others.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::row::Row;

/// The name of the file.
pub const FILE: &str = "figures.json";

/// What was measured on one machine.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Figures {
    /// The machine, in one sentence.
    pub machine: String,
    /// By the name of the quantity.
    pub measured: BTreeMap<String, Measured>,
}

/// One quantity.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Measured {
    /// How often and for how long each side was measured.
    pub how: String,
    /// What came out.
    pub outcome: Outcome,
}

/// What came out of measuring a quantity.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Its rows.
    Rows(Vec<Row>),
    /// Nothing: this is missing on the machine.
    Skipped(String),
}

/// Something that a machine lacks, without which a quantity cannot be measured.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Lacking(pub String);

impl Outcome {
    /// The rows, or why there are none.
    ///
    /// # Errors
    /// If it failed for another reason than that something is [`Lacking`].
    pub fn of(result: Result<Vec<Row>>) -> Result<Self> {
        match result {
            Ok(rows) => Ok(Self::Rows(rows)),
            Err(error) => error
                .downcast::<Lacking>()
                .map(|Lacking(what)| Self::Skipped(what)),
        }
    }

    /// The rows; none if it was skipped.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        match self {
            Self::Rows(rows) => rows,
            Self::Skipped(_) => &[],
        }
    }
}

impl Figures {
    /// Those in a folder; none if there is no file.
    ///
    /// # Errors
    /// If there is a file that cannot be read.
    pub fn in_folder(folder: &Path) -> Result<Self> {
        let file = folder.join(FILE);
        match fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text)
                .with_context(|| format!("{} is none of ours; delete it", file.display())),
            Err(_) => Ok(Self::default()),
        }
    }

    /// Those in a folder that are of this machine; others cannot be compared with what is
    /// measured here, and are left out.
    ///
    /// # Errors
    /// If there is a file that cannot be read.
    pub fn of_machine(machine: &str, folder: &Path) -> Result<Self> {
        let found = Self::in_folder(folder)?;
        match found.machine == machine {
            true => Ok(found),
            false => Ok(Self {
                machine: machine.to_owned(),
                ..Self::default()
            }),
        }
    }

    /// Writes them into a folder.
    ///
    /// # Errors
    /// If that cannot be done.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let file = folder.join(FILE);
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
    }

    /// The rows of all quantities.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.measured.values().flat_map(|one| one.outcome.rows())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_another_machine_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let mut figures = Figures::of_machine("a small one", folder.path()).unwrap();
        let outcome = Outcome::of(Err(Lacking("no Redis".to_owned()).into())).unwrap();
        let how = String::new();
        let measured = Measured { how, outcome };
        figures.measured.insert("redis".to_owned(), measured);
        figures.write(folder.path()).unwrap();
        let same = Figures::of_machine("a small one", folder.path()).unwrap();
        assert_eq!(same.measured.len(), 1);
        let other = Figures::of_machine("a large one", folder.path()).unwrap();
        assert!(other.measured.is_empty());
    }

    #[test]
    fn what_fails_is_not_taken_for_what_is_lacking() {
        assert!(Outcome::of(Err(anyhow::anyhow!("it broke"))).is_err());
    }
}
