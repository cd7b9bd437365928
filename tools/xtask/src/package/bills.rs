//! Bills of materials: which crates are in which program.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use tokio::process::Command;

use super::Release;
use super::targets::Target;
use crate::cargo::root;
use crate::{process, tools};

/// The packages of cargo that are handed out, with their programs.
const PACKAGES: [(&str, &str); 3] = [
    ("registry", "p2pchat-registry"),
    ("peer-native", "p2pchat"),
    ("bridge", "p2pchat-bridge"),
];
const PAGE: (&str, &str) = ("peer-web", "p2pchat-web");

/// Writes those of the programs for a target.
///
/// # Errors
/// If cargo-cyclonedx does not.
pub(super) async fn of_programs(release: &Release, target: &Target, to: &Path) -> Result<()> {
    describe(release, target.triple).await?;
    for (package, program) in PACKAGES {
        let name = format!("{program}-{}-{}", release.version, target.name);
        take(
            release,
            package,
            program,
            &to.join(format!("{name}.cdx.json")),
        )?;
    }
    clear().await
}

/// Writes that of the page.
///
/// # Errors
/// As [`of_programs`].
pub(super) async fn of_page(release: &Release, to: &Path) -> Result<()> {
    let (package, program) = PAGE;
    describe(release, tools::WASM).await?;
    let name = format!("{program}-{}.cdx.json", release.version);
    take(release, package, program, &to.join(name))?;
    clear().await
}

/// Writes those of all packages of the workspace, beside their manifests.
async fn describe(release: &Release, triple: &str) -> Result<()> {
    let mut bills = release.kit.bills();
    bills
        .args(["--format", "json", "--spec-version", "1.5", "--quiet"])
        .args(["--describe", "binaries", "--target", triple])
        .env("SOURCE_DATE_EPOCH", release.time.to_string());
    process::run(&mut bills).await
}

/// Moves one to where it is handed out, without the paths of this machine.
fn take(release: &Release, package: &str, program: &str, to: &Path) -> Result<()> {
    let path = root().join(package).join(format!("{program}_bin.cdx.json"));
    let bill = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let bill = bill.replace(&*root().to_string_lossy(), "/p2pchat");
    let name = to.display().to_string();
    release.builder.ensure_absent(&name, bill.as_bytes())?;
    fs::write(to, bill).context(name)
}

/// Removes those of the other packages, which are not handed out.
async fn clear() -> Result<()> {
    let mut git = Command::new("git");
    git.args(["ls-files", "*Cargo.toml"]).current_dir(root());
    for manifest in process::output(&mut git).await?.lines() {
        let manifest = root().join(manifest);
        let folder = manifest.parent().context("a manifest without a folder")?;
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with(".cdx.json") {
                fs::remove_file(path)?;
            }
        }
    }
    Ok(())
}
