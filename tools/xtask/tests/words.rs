//! The words on the list in `docs/GLOSSARY.md` are gone from code, comments and documents.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::fs;
use std::path::Path;
use std::process::Command;

use xtask::cargo::root;

/// What not to write. Matched as whole words, without regard to case.
const WORDS: [&str; 26] = [
    "he",
    "him",
    "his",
    "himself",
    "somebody",
    "somebody's",
    "whoever",
    "whomever",
    "whom",
    "anew",
    "at the most",
    "at the least",
    "of late",
    "seldom",
    "seldomer",
    "fared",
    "fares",
    "name is none",
    "is no command",
    "programs of 2017",
    "program of 2017",
    "clients of 2017",
    "client of 2017",
    "database of 2017",
    "clock on the wall",
    "by chance",
];
/// Where they may stand: the list itself, here and for readers, and the one definition.
const EXCEPT: [(&str, &str); 3] = [
    ("tools/xtask/tests/words.rs", ""),
    ("docs/GLOSSARY.md", ""),
    ("README.md", "program of 2017"),
];

/// The files under version control that people read as text.
fn files() -> Vec<String> {
    let listed = Command::new("git")
        .args([
            "ls-files", "*.rs", "*.md", "*.js", "*.html", "*.css", "*.toml", "*.yml", "*.yaml",
            "*.sh",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    let files = String::from_utf8(listed.stdout).unwrap();
    files.lines().map(str::to_owned).collect()
}

/// Whether a line has this word, not as a part of another one.
fn has(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '-' || c == '\'';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

fn found(file: &str, text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.to_lowercase();
        for word in WORDS.iter().filter(|word| has(&line, word)) {
            let is_excepted =
                |(path, only): &(&str, &str)| *path == file && (only.is_empty() || only == word);
            if !EXCEPT.iter().any(is_excepted) {
                all.push(format!("{file}:{number}: {word}"));
            }
        }
    }
    all
}

#[test]
fn the_words_on_the_list_are_gone() {
    let files = files();
    assert!(files.len() > 300, "this looks at {} files", files.len());
    let all: Vec<String> = files
        .iter()
        .filter(|file| Path::new(root()).join(file).is_file())
        .flat_map(|file| found(file, &fs::read_to_string(root().join(file)).unwrap()))
        .collect();
    assert!(all.is_empty(), "{}\n({} in all)", all.join("\n"), all.len());
}

#[test]
fn a_word_is_found_alone_and_not_within_another() {
    assert_eq!(found("a", "Whoever asks, he said.").len(), 2);
    assert!(found("a", "the history of this sheet").is_empty());
    assert_eq!(found("docs/GLOSSARY.md", "he").len(), 0);
}
