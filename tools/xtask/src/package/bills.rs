//! Bills of materials: which crates are in which program.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tokio::process::Command;

use super::release::commit_time;
use super::targets::Target;
use super::{VERSION, kit};
use crate::cargo::root;
use crate::paths::Builder;
use crate::process;
use crate::tools::{self, Tool};

/// The packages of cargo that are handed out, with their programs.
const PACKAGES: [(&str, &str); 3] = [
    ("registry", "p2pchat-registry"),
    ("peer-native", "p2pchat"),
    ("bridge", "p2pchat-bridge"),
];
const PAGE: (&str, &str) = ("peer-web", "p2pchat-web");

/// What writes them.
#[derive(Debug)]
pub(super) struct Bills {
    cyclonedx: PathBuf,
    /// The time of the commit, in seconds since 1970.
    time: u64,
}

impl Bills {
    /// Brings cargo-cyclonedx, if it is missing.
    ///
    /// # Errors
    /// If it cannot be brought.
    pub(super) async fn bring(time: u64) -> Result<Self> {
        let tool = Tool::compiled("cargo-cyclonedx", "0.5.9", "3 minutes");
        let cyclonedx = tool.brought().await?;
        Ok(Self { cyclonedx, time })
    }

    /// Writes those of the programs for a target.
    ///
    /// # Errors
    /// If cargo-cyclonedx does not.
    pub(super) async fn of_programs(
        &self,
        builder: &Builder,
        target: &Target,
        to: &Path,
    ) -> Result<()> {
        self.describe(target.triple).await?;
        for (package, program) in PACKAGES {
            let name = format!("{program}-{VERSION}-{}.cdx.json", target.triple);
            take(builder, package, program, &to.join(name))?;
        }
        clear().await
    }

    /// Writes that of the page.
    ///
    /// # Errors
    /// As [`Self::of_programs`].
    pub(super) async fn of_page(&self, builder: &Builder, to: &Path) -> Result<()> {
        let (package, program) = PAGE;
        self.describe(tools::WASM).await?;
        let name = format!("{program}-{VERSION}.cdx.json");
        take(builder, package, program, &to.join(name))?;
        clear().await
    }

    /// Writes those of all packages of the workspace, beside their manifests.
    async fn describe(&self, triple: &str) -> Result<()> {
        let mut cyclonedx = kit::in_root(&self.cyclonedx);
        cyclonedx
            .args(["cyclonedx", "--format", "json", "--spec-version", "1.5"])
            .args(["--quiet", "--describe", "binaries", "--target", triple])
            .env("SOURCE_DATE_EPOCH", self.time.to_string());
        process::run(&mut cyclonedx).await
    }
}

/// Writes those of the page and of the programs for some targets, without building them, into a
/// folder that has nothing else afterwards.
///
/// # Errors
/// If cargo-cyclonedx cannot be brought, or does not write them.
pub(super) async fn write(targets: &[&Target], to: &Path) -> Result<()> {
    let bills = Bills::bring(commit_time().await?).await?;
    let builder = Builder::find().await?;
    super::make_empty(to)?;
    for target in targets {
        bills.of_programs(&builder, target, to).await?;
    }
    bills.of_page(&builder, to).await
}

/// Moves one to where it is handed out, without the paths of this machine.
fn take(builder: &Builder, package: &str, program: &str, to: &Path) -> Result<()> {
    let path = root().join(package).join(format!("{program}_bin.cdx.json"));
    let bill = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let bill = bill.replace(&*root().to_string_lossy(), "/p2pchat");
    let name = to.display().to_string();
    builder.ensure_absent(&name, bill.as_bytes())?;
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
