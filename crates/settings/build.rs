//! Tells the programs of which commit they are, for `--version` and the man pages: `HASH DATE` of
//! the variable `P2PCHAT_COMMIT`, for who builds without git; otherwise, in a release build, what
//! git says of this folder. The date is that of the commit, so that a build can be repeated.
//!
//! A debug build does not ask git: each commit would build all programs and their tests again.

use std::env;
use std::path::Path;
use std::process::Command;

/// The folder of the workspace, where this runs.
const ROOT: &str = "../..";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=P2PCHAT_COMMIT");
    let given = env::var("P2PCHAT_COMMIT").ok();
    let given = given.filter(|commit| !commit.trim().is_empty());
    let commit = given.or_else(of_git).unwrap_or_default();
    let commit = commit.trim();
    let number = env!("CARGO_PKG_VERSION");
    let version = match commit {
        "" => number.to_owned(),
        _ => format!("{number} ({commit})"),
    };
    let date = commit.split_once(' ').map_or("", |(_, date)| date);
    println!("cargo::rustc-env=P2PCHAT_VERSION={version}");
    println!("cargo::rustc-env=P2PCHAT_DATE={date}");
}

/// The commit that is checked out, and its date.
fn of_git() -> Option<String> {
    // Not of a repository around the unpacked source.
    let is_release = env::var_os("CARGO_CFG_DEBUG_ASSERTIONS").is_none();
    if !is_release || !Path::new(ROOT).join(".git").exists() {
        return None;
    }
    // Which branch is checked out, and when that moved.
    for name in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", name]);
        let path = path.map(|path| Path::new(ROOT).join(path));
        if let Some(path) = path.filter(|path| path.exists()) {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
    git(&["log", "-1", "--abbrev=8", "--format=%h %cs"])
}

/// What a git command prints in the folder of the workspace.
fn git(words: &[&str]) -> Option<String> {
    let output = Command::new("git").current_dir(ROOT).args(words).output();
    let output = output.ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
