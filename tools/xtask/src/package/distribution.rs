//! Packages of distributions, by the tools that are kept for them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Release;
use super::build::Built;
use super::contents::{self, Distribution, Package};
use crate::cargo::root;
use crate::process;

/// Where the manifests of the packages look for files.
const STAGE: &str = "target/package";

/// Makes the packages of a distribution for a target, into a folder.
///
/// # Errors
/// If a file is missing, or a tool does not like something.
pub(super) async fn packages(release: &Release, built: &Built, to: &Path) -> Result<()> {
    for package in Package::ALL {
        let name = package.name();
        process::step(&format!("making {name}.deb for {}", built.target.triple));
        let tree = contents::package(release, built, package, Distribution::Debian)?;
        tree.write(&root().join(STAGE).join("deb").join(name))?;
        deb(release, built, package, to).await?;
        process::step(&format!("making {name}.rpm for {}", built.target.triple));
        let tree = contents::package(release, built, package, Distribution::Rpm)?;
        tree.write(&root().join(STAGE).join("rpm").join(name))?;
        rpm(release, built, package, to).await?;
    }
    Ok(())
}

async fn deb(release: &Release, built: &Built, package: Package, to: &Path) -> Result<()> {
    let changelog = root().join(STAGE).join("changelog");
    fs::write(&changelog, debian_changelog(release, package.name()))
        .with_context(|| changelog.display().to_string())?;
    let mut deb = release.kit.deb();
    deb.args([
        "--quiet",
        "--no-build",
        "--no-strip",
        "--locked",
        "--package",
    ])
    .arg(package.name())
    .args(["--target", built.target.triple, "--output"])
    .arg(to)
    .env("SOURCE_DATE_EPOCH", release.time.to_string());
    process::run(&mut deb).await
}

async fn rpm(release: &Release, built: &Built, package: Package, to: &Path) -> Result<()> {
    let mut rpm = release.kit.rpm();
    rpm.args(["--auto-req", "disabled", "--package", package.folder()])
        .args(["--target", built.target.triple, "--output"])
        .arg(to)
        .env("SOURCE_DATE_EPOCH", release.time.to_string());
    process::run(&mut rpm).await
}

/// What has changed in the package, as Debian wants it. What has changed in the program is in
/// a file beside it.
fn debian_changelog(release: &Release, name: &str) -> String {
    let Release {
        version, mail_date, ..
    } = release;
    format!(
        "{name} ({version}-1) unstable; urgency=medium\n\n  \
         * Version {version}: see /usr/share/doc/{name}/changelog.gz.\n\n \
         -- {}  {mail_date}\n",
        super::MAINTAINER
    )
}
