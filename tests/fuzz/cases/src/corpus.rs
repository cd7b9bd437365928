//! The committed inputs of the fuzz targets: one JSON file a target, easy to read and to move.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The inputs of one target.
///
/// In the file each input is a string with one character (U+0000 to U+00FF) for each byte, so
/// that HTTP and JSON can be read as what they are.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corpus {
    /// As few as will do to reach the code that fuzzing has reached so far.
    pub inputs: Vec<Input>,
    /// Every input that once failed, by what it showed.
    pub regressions: BTreeMap<String, Input>,
}

/// The bytes of an input.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Input(pub Vec<u8>);

impl From<Input> for String {
    fn from(input: Input) -> Self {
        input.0.into_iter().map(char::from).collect()
    }
}

impl TryFrom<String> for Input {
    type Error = std::char::TryFromCharError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = text.chars().map(u8::try_from);
        bytes.collect::<Result<_, _>>().map(Self)
    }
}

impl Corpus {
    /// The committed file of a target.
    #[must_use]
    pub fn file(target: &str) -> PathBuf {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
        folder.join(target).with_extension("json")
    }

    /// Reads the committed file of a target.
    ///
    /// # Errors
    /// If it is not there or is malformed.
    pub fn read(target: &str) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(Self::file(target))?)?)
    }

    /// Writes the committed file of a target.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, target: &str) -> io::Result<()> {
        fs::write(
            Self::file(target),
            serde_json::to_string_pretty(self)? + "\n",
        )
    }

    /// Writes each input into a file of its own, as fuzzers read them.
    ///
    /// # Errors
    /// If one cannot be written.
    pub fn unpack(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let inputs = (0..).zip(&self.inputs);
        let inputs = inputs.map(|(number, input)| (format!("committed-{number:03}"), input));
        let regressions = self.regressions.iter();
        let regressions = regressions.map(|(name, input)| (name.clone(), input));
        for (name, input) in inputs.chain(regressions) {
            fs::write(folder.join(name), &input.0)?;
        }
        Ok(())
    }

    /// Takes the files of a folder, the result of a minimisation, in place of the inputs.
    /// Regressions stay.
    ///
    /// # Errors
    /// If one cannot be read.
    pub fn pack(&mut self, folder: &Path) -> io::Result<()> {
        let files = fs::read_dir(folder)?.map(|entry| fs::read(entry?.path()).map(Input));
        self.inputs = files.collect::<io::Result<_>>()?;
        let regressions = &self.regressions;
        self.inputs
            .retain(|input| !regressions.values().any(|known| known == input));
        self.inputs.sort();
        self.inputs.dedup();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_survive_the_way_to_the_fuzzer_and_back() {
        let corpus = Corpus {
            inputs: vec![
                Input((0..=255).collect()),
                Input(b"GET / HTTP/1.1".to_vec()),
            ],
            regressions: BTreeMap::from([("an-empty-one".to_owned(), Input(Vec::new()))]),
        };
        let json = serde_json::to_string(&corpus).unwrap();
        assert!(json.contains("GET / HTTP/1.1"), "readable: {json}");
        assert_eq!(serde_json::from_str::<Corpus>(&json).unwrap(), corpus);
        let folder = tempfile::tempdir().unwrap();
        let inputs = folder.path().join("inputs");
        corpus.unpack(&inputs).unwrap();
        let mut packed = Corpus::default();
        packed.pack(&inputs).unwrap();
        assert_eq!(packed.inputs.len(), 3);
        assert!(
            corpus
                .inputs
                .iter()
                .all(|input| packed.inputs.contains(input))
        );
    }
}
