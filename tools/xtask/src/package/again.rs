//! Building a second time, in another folder, and comparing.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use tokio::process::Command;

use crate::cargo::{cargo, root};
use crate::{paths, process};

/// Where the second build is: its path is of another length.
const FOLDER: &str = "target/package/again";

/// Builds the commit of this source again, from nothing, in a copy, with another home of cargo,
/// and compares the packages.
///
/// # Errors
/// If the source has changes that are in no commit, if it does not build, or if a file differs;
/// names each of them.
pub(super) async fn compare(packages: &Path, arguments: &[String]) -> Result<()> {
    ensure_committed().await?;
    process::step("building again, in a copy of the source");
    let folder = root().join(FOLDER);
    if folder.exists() {
        fs::remove_dir_all(&folder).context("cannot remove an old copy")?;
    }
    fs::create_dir_all(&folder)?;
    let copy = folder.join("source");
    let mut git = Command::new("git");
    git.args(["clone", "--quiet"]).arg(root()).arg(&copy);
    process::run(&mut git).await?;
    let home = folder.join("cargo");
    borrow_downloads(&home)?;
    let mut build = cargo();
    build
        .current_dir(&copy)
        .env("CARGO_HOME", &home)
        .args(["xtask", "package"])
        .args(arguments);
    process::run(&mut build).await?;
    let second = copy.join(super::FOLDER);
    let different = differences(packages, &second)?;
    if different.is_empty() {
        println!("\nBoth builds are equal, byte for byte.");
        return Ok(());
    }
    bail!(
        "these files are not the same in {} and {}: {}",
        packages.display(),
        second.display(),
        different.join(", ")
    )
}

/// A home of cargo in another place, with what has been downloaded already.
fn borrow_downloads(home: &Path) -> Result<()> {
    fs::create_dir_all(home)?;
    let own = paths::cargo_home()?;
    for name in ["registry", "config.toml"] {
        if own.join(name).exists() {
            symlink(own.join(name), home.join(name))?;
        }
    }
    Ok(())
}

async fn ensure_committed() -> Result<()> {
    let mut git = Command::new("git");
    git.args(["status", "--porcelain"]).current_dir(root());
    let changes = process::output(&mut git).await?;
    ensure!(
        changes.is_empty(),
        "a second build is one of the same commit, and these changes are in none:\n{changes}"
    );
    Ok(())
}

/// The files that are not in both folders with the same bytes, in order.
fn differences(one: &Path, other: &Path) -> Result<Vec<String>> {
    let mut names = BTreeSet::new();
    for folder in [one, other] {
        for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
            names.insert(entry?.file_name());
        }
    }
    ensure!(!names.is_empty(), "there is no package to compare");
    let differs = |name: &std::ffi::OsString| {
        let (one, other) = (fs::read(one.join(name)), fs::read(other.join(name)));
        !matches!((one, other), (Ok(one), Ok(other)) if one == other)
    };
    let names = names.into_iter().filter(differs);
    Ok(names
        .map(|name| name.to_string_lossy().into_owned())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_differs_or_is_missing_is_named() {
        let [one, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        assert!(differences(one.path(), other.path()).is_err());
        for (folder, name, content) in [
            (&one, "same", "a"),
            (&other, "same", "a"),
            (&one, "changed", "a"),
            (&other, "changed", "b"),
            (&one, "missing", "a"),
            (&other, "added", "a"),
        ] {
            fs::write(folder.path().join(name), content).unwrap();
        }
        let found = differences(one.path(), other.path()).unwrap();
        assert_eq!(found, ["added", "changed", "missing"]);
    }
}
