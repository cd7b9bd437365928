//! `cargo xtask sbom`: a software bill of materials for each program that people get, in
//! the format CycloneDX, by cargo-cyclonedx.
//!
//! That tool goes by `cargo metadata`, which has each package with all features that
//! anything in the workspace asks for, and so names dozens that are in no program. What
//! `cargo tree` names is what gets built: a bill is cut down to that, and has to have all
//! of it.

mod bom;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::Value;
use tokio::process::Command;

use crate::cargo::{cargo, root};
use crate::wasm::TARGET as WASM;
use crate::{process, tools};
use bom::Bom;

/// The programs, by their packages.
const PROGRAMS: [&str; 3] = ["p2pchat-registry", "p2pchat", BRIDGE];
/// The program that has the page inside.
const BRIDGE: &str = "p2pchat-bridge";
const PAGE: &str = "p2pchat-web";

/// Where they go unless said otherwise.
const OUT: &str = "target/sbom";

/// Where to write them.
#[derive(Debug, Args)]
pub struct Options {
    /// The folder to write to, from that of the workspace; older files give way
    #[arg(long, value_name = "FOLDER", default_value = OUT)]
    out: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self { out: OUT.into() }
    }
}

/// Writes the bills and tells what is in them.
///
/// # Errors
/// If cargo-cyclonedx is missing and cannot be brought, if it does not know what cargo
/// builds, or if a file cannot be written.
pub async fn run(options: &Options) -> Result<()> {
    let tool = tools::cargo_cyclonedx().await?;
    let out = root().join(&options.out);
    let host = host().await?;
    let sources = Sources::mirror().await?;
    let mut bills = Vec::new();
    sources.describe(&tool, &host).await?;
    for program in PROGRAMS {
        let bill = sources.bill(program, &host).await?;
        bills.push((program, bill));
    }
    sources.describe(&tool, WASM).await?;
    let page = sources.bill(PAGE, WASM).await?;
    fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
    println!("{:>10} {:>10}  file", "components", "bytes");
    for (program, mut bill) in bills {
        if program == BRIDGE {
            bill.embed(&page)?;
        }
        let text = bill.text()?;
        let file = out.join(format!("{program}.cdx.json"));
        fs::write(&file, &text).with_context(|| format!("cannot write {}", file.display()))?;
        let (count, bytes) = (bill.components().len(), text.len());
        println!("{count:>10} {bytes:>10}  {}", file.display());
    }
    println!(
        "for {host}; the bridge with the page, of which {} are",
        page.components().len()
    );
    Ok(())
}

/// The manifests of the workspace in a folder apart, since cargo-cyclonedx writes beside
/// each of them.
struct Sources {
    folder: tempfile::TempDir,
    /// The folder of each package, from that of the workspace.
    packages: BTreeMap<String, PathBuf>,
    /// When the sources were last changed, in seconds since 1970.
    changed: String,
}

impl Sources {
    async fn mirror() -> Result<Self> {
        let packages = packages().await?;
        let target = root().join("target");
        fs::create_dir_all(&target)?;
        let folder = tempfile::tempdir_in(target)?;
        for file in ["Cargo.toml", "Cargo.lock"] {
            fs::copy(root().join(file), folder.path().join(file)).context(file)?;
        }
        for package in packages.values() {
            let mirrored = folder.path().join(package);
            fs::create_dir_all(&mirrored)?;
            for entry in fs::read_dir(root().join(package))? {
                let entry = entry?;
                let inner = package.join(entry.file_name());
                if packages.values().any(|other| other.starts_with(&inner)) {
                    // A package of its own, which is mirrored for itself.
                    continue;
                }
                symlink(entry.path(), mirrored.join(entry.file_name()))?;
            }
        }
        Ok(Self {
            folder,
            packages,
            changed: changed().await?,
        })
    }

    /// Has a bill written for everything that there is, as it is built for a target.
    async fn describe(&self, tool: &Path, target: &str) -> Result<()> {
        let mut command = Command::new(tool);
        command
            .current_dir(self.folder.path())
            .env("SOURCE_DATE_EPOCH", &self.changed)
            .args(["cyclonedx", "--quiet", "--format", "json"])
            .args(["--spec-version", "1.5", "--describe", "binaries"])
            .args(["--target", target]);
        println!("{}", process::shown(&command));
        process::run(&mut command).await
    }

    /// The bill of a package, of what is built of it and for it alone.
    async fn bill(&self, package: &str, target: &str) -> Result<Bom> {
        let folder = self.packages.get(package);
        let folder = folder.with_context(|| format!("there is no package {package}"))?;
        let file = folder.join(format!("{package}_bin.cdx.json"));
        let text = fs::read_to_string(self.folder.path().join(&file))
            .with_context(|| format!("cargo-cyclonedx wrote no {}", file.display()))?;
        let mut bill = Bom::parse(&text, self.folder.path())?;
        bill.cut(&built(package, target).await?)
            .with_context(|| format!("the bill of {package} for {target}"))?;
        Ok(bill)
    }
}

/// The folder of each package of the workspace.
async fn packages() -> Result<BTreeMap<String, PathBuf>> {
    let mut command = cargo();
    command.args(["metadata", "--locked", "--no-deps", "--format-version=1"]);
    let metadata: Value = serde_json::from_str(&process::output(&mut command).await?)?;
    let packages = metadata["packages"].as_array();
    let folder = |package: &Value| {
        let manifest = Path::new(package["manifest_path"].as_str()?);
        let folder = manifest.parent()?.strip_prefix(root()).ok()?;
        Some((package["name"].as_str()?.to_owned(), folder.to_owned()))
    };
    let packages: Option<_> = packages.and_then(|all| all.iter().map(folder).collect());
    packages.context("cargo metadata says not where the packages are")
}

/// What is built for a package, itself included: a name and a version each.
async fn built(package: &str, target: &str) -> Result<BTreeSet<String>> {
    let mut command = cargo();
    command
        .args(["tree", "--locked", "--package", package, "--target", target])
        .args(["--edges", "normal,build", "--prefix", "none"])
        .args(["--format", "{p}"]);
    let built = in_tree(&process::output(&mut command).await?);
    ensure!(built.len() > 1, "cargo tree shows nothing of {package}");
    Ok(built)
}

/// The packages that `cargo tree` printed: behind name and version may stand a path, or
/// that it was shown before.
fn in_tree(printed: &str) -> BTreeSet<String> {
    let package = |line: &str| {
        let (name, rest) = line.split_once(" v")?;
        let version = rest.split_whitespace().next()?;
        Some(format!("{name} {version}"))
    };
    printed.lines().filter_map(package).collect()
}

/// When the sources were last changed: bills of the same sources are the same.
async fn changed() -> Result<String> {
    if let Ok(given) = std::env::var("SOURCE_DATE_EPOCH") {
        return Ok(given);
    }
    let mut command = Command::new("git");
    command
        .current_dir(root())
        .args(["log", "-1", "--format=%ct"]);
    let seconds = process::output(&mut command).await;
    let seconds = seconds.context("outside of a git checkout, set SOURCE_DATE_EPOCH")?;
    Ok(seconds.trim().to_owned())
}

/// What programs are built for here.
async fn host() -> Result<String> {
    let said = process::output(Command::new("rustc").arg("-vV").current_dir(root())).await?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say its host")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_tree_prints_is_read() {
        let printed = "p2pchat v0.1.0 (/a/peer-native)\nserde v1.0.229\n\
                       serde v1.0.229 (*)\nyew-macro v0.23.0 (proc-macro)\n\n";
        let expected = ["p2pchat 0.1.0", "serde 1.0.229", "yew-macro 0.23.0"];
        assert_eq!(in_tree(printed), expected.map(str::to_owned).into());
    }

    #[tokio::test]
    async fn every_program_is_a_package_and_builds_something() {
        let packages = packages().await.unwrap();
        for program in PROGRAMS {
            assert!(packages.contains_key(program), "{program}");
        }
        let native = built(BRIDGE, &host().await.unwrap()).await.unwrap();
        let page = built(PAGE, WASM).await.unwrap();
        let has = |built: &BTreeSet<String>, name: &str| {
            built
                .iter()
                .any(|package| package.split(' ').next() == Some(name))
        };
        assert!(has(&native, "hyper") && !has(&native, "yew"));
        assert!(has(&page, "yew") && !has(&page, "tokio"));
    }
}
