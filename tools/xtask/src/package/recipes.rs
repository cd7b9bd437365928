//! The recipes for those who package: Homebrew's and Arch's, of the released programs.
//!
//! In `packaging/` they stand without the version, the address of the repository and the
//! checksums. These have one source each: `Cargo.toml`, and what was built.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::cargo::root;

/// The recipes, from the folder of the workspace.
pub const RECIPES: [&str; 3] = [
    "packaging/homebrew/p2pchat.rb",
    "packaging/aur/PKGBUILD",
    "packaging/aur/.SRCINFO",
];
/// Where the filled ones are, from the folder of the workspace.
pub const FOLDER: &str = "target/recipes";
/// Where this is hosted: the one place that says so. There is no address yet.
pub const REPOSITORY: &str = "https://github.com/OWNER/p2pchat";
/// What the name of a checksum begins with, before the system that it is for.
const CHECKSUM: &str = "SHA256_";

/// Fills in the recipes, with the checksums of `packages/SHA256SUMS`, into a folder.
///
/// # Errors
/// If a package is missing that a recipe takes.
pub fn write(packages: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    let file = packages.join(super::SUMS);
    let sums = fs::read_to_string(&file)
        .with_context(|| format!("no {}: cargo xtask package --all", file.display()))?;
    let sums = tarballs(&sums);
    fs::create_dir_all(folder)?;
    let mut written = Vec::new();
    for recipe in RECIPES {
        let template = fs::read_to_string(root().join(recipe))?;
        let filled = fill(&template, &sums).context(recipe)?;
        let name = Path::new(recipe)
            .file_name()
            .context("a recipe has a name")?;
        let path = folder.join(name);
        fs::write(&path, filled)?;
        written.push(path);
    }
    Ok(written)
}

/// The checksums of the tarballs of this version, by the system that they are for.
fn tarballs(sums: &str) -> BTreeMap<String, String> {
    let begin = concat!("p2pchat-", env!("CARGO_PKG_VERSION"), "-");
    let lines = sums.lines().filter_map(|line| {
        let (sum, name) = line.split_once("  ")?;
        let system = name.strip_prefix(begin)?.strip_suffix(".tar.gz")?;
        Some((system.replace('-', "_"), sum.to_owned()))
    });
    lines.collect()
}

fn fill(template: &str, sums: &BTreeMap<String, String>) -> Result<String> {
    let mut filled = template
        .replace("VERSION", env!("CARGO_PKG_VERSION"))
        .replace("REPOSITORY", REPOSITORY);
    for (system, sum) in sums {
        filled = filled.replace(&format!("{CHECKSUM}{system}"), sum);
    }
    let missing = filled.split_once(CHECKSUM).map(|(_, rest)| {
        let is_end = |c: char| !c.is_ascii_alphanumeric() && c != '_';
        rest.split(is_end).next().unwrap_or_default().to_owned()
    });
    let missing = missing.unwrap_or_default();
    ensure!(
        missing.is_empty(),
        "SHA256SUMS has no tarball for {missing}"
    );
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_names_the_version_and_the_checksum_of_each_system() {
        let version = env!("CARGO_PKG_VERSION");
        let sums = format!(
            "aa  p2pchat-{version}-x86_64-linux.tar.gz\nbb  p2pchat-{version}-x86_64-linux.spdx\n\
             cc  p2pchat-0.0.1-aarch64-linux.tar.gz\n"
        );
        let sums = tarballs(&sums);
        assert_eq!(sums.len(), 1);
        let filled = fill("vVERSION 'SHA256_x86_64_linux'", &sums).unwrap();
        assert_eq!(filled, format!("v{version} 'aa'"));
        let error = fill("(SHA256_aarch64_linux)", &sums)
            .unwrap_err()
            .to_string();
        assert!(error.ends_with("no tarball for aarch64_linux"), "{error}");
    }
}
