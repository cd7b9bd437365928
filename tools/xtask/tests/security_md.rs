//! Every test, option and file that SECURITY.md names is there: without its test a promise is
//! worth nothing.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::fs;
use std::path::Path;

use xtask::cargo::root;

/// Folders without our sources.
const NOT_OURS: [&str; 4] = ["target", "node_modules", ".git", "dist"];

/// Adds the text of all sources in a folder, tests included.
fn sources(folder: &Path, all: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !NOT_OURS.contains(&name.as_str()) {
            sources(&path, all);
        } else if [".rs", ".js"].iter().any(|end| name.ends_with(end)) && path != this() {
            all.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

fn this() -> std::path::PathBuf {
    root().join("tools/xtask/tests/security_md.rs")
}

/// The words between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// What is wrong with a quoted word, if anything.
fn complaint(word: &str, sources: &str) -> Option<String> {
    let is_name = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let found = if let Some(option) = word.strip_prefix("--") {
        // An option is a field of its program's arguments; a value may follow.
        let option = option.split(' ').next().unwrap_or(option);
        sources.contains(&format!("pub {}: ", option.replace('-', "_")))
    } else if word.ends_with(".rs") {
        root().join(word).is_file()
    } else if word.matches('_').count() > 2 && is_name(word) {
        sources.contains(&format!("fn {word}("))
    } else {
        true
    };
    (!found).then(|| format!("there is no {word}"))
}

#[test]
fn every_test_option_and_file_that_it_names_exists() {
    let text = fs::read_to_string(root().join("docs/SECURITY.md")).unwrap();
    let mut all = String::new();
    sources(root(), &mut all);
    let complaints: Vec<_> = quoted(&text)
        .filter_map(|word| complaint(word, &all))
        .collect();
    assert_eq!(complaints, [] as [&str; 0]);
    let tests = quoted(&text).filter(|word| word.matches('_').count() > 2);
    assert!(tests.count() > 20, "this looks at nothing");
}

#[test]
fn every_link_leads_somewhere() {
    let text = fs::read_to_string(root().join("docs/SECURITY.md")).unwrap();
    // As GitHub makes them from headings.
    let anchors: Vec<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("### ").or(line.strip_prefix("## ")))
        .map(|heading| {
            heading
                .to_lowercase()
                .replace([',', '\''], "")
                .replace(' ', "-")
        })
        .collect();
    let links = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let missing: Vec<_> = links
        .filter(|link| match link.strip_prefix('#') {
            Some(anchor) => !anchors.iter().any(|known| known == anchor),
            None => {
                let file = link.split('#').next().unwrap();
                !root().join("docs").join(file).is_file()
            }
        })
        .collect();
    assert_eq!(missing, [] as [&str; 0]);
}

#[test]
fn the_first_screen_of_the_readme_says_what_is_not_protected() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let first_screen: Vec<_> = readme.lines().take(25).collect();
    let has = |text: &str| first_screen.iter().any(|line| line.contains(text));
    assert!(has("not encrypted") && has("](docs/SECURITY.md)"));
}

#[test]
fn a_word_that_names_nothing_is_noticed() {
    let sources = "pub failed_logins: Option<u32>\nfn a_b_c_d() {}";
    for there in [
        "--failed-logins",
        "a_b_c_d",
        "tools/xtask/src/check.rs",
        "/busy on",
    ] {
        assert_eq!(complaint(there, sources), None);
    }
    for missing in ["--failed-login", "a_b_c_e", "tools/xtask/src/checked.rs"] {
        assert!(complaint(missing, sources).is_some(), "{missing}");
    }
}
