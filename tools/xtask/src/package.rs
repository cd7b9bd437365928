//! `cargo xtask package`: everything that is handed out to people, in `target/packages`.
//!
//! **Invariant:** what is made depends on the commit and on the versions of the tools alone, and
//! not on the machine, the folder or the time. So nothing that is handed out names a path of
//! this machine: `tree::Tree` refuses such a file.

mod again;
mod archive;
mod bills;
mod build;
pub mod check;
mod contents;
mod distribution;
mod documents;
mod kit;
mod licences;
pub mod recipes;
mod release;
mod targets;
mod tree;
mod units;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use sha2::{Digest, Sha256};

use crate::cargo::root;
use crate::{process, web};
use build::Built;
use release::Release;
use targets::{Form, TARGETS, Target};

/// Where the packages are, from the folder of the workspace.
const FOLDER: &str = "target/packages";
/// Where bills of materials are that were made alone.
const BILLS: &str = "target/sbom";
/// The file with the sums of the others, as `sha256sum --check` reads it.
const SUMS: &str = "SHA256SUMS";
/// The version of all programs.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Who packages of distributions name as those who made them.
const MAINTAINER: &str = env!("CARGO_PKG_AUTHORS");
/// The name of the program in those of archives.
const NAME: &str = "p2pchat";

/// What to make, or to do with what is made.
#[derive(Debug, Args)]
pub struct Options {
    /// Only for this target; may be given several times. Default: both of Linux on x86_64
    #[arg(long, value_name = "TRIPLE", value_parser = triple())]
    target: Vec<&'static Target>,
    /// For all targets
    #[arg(long, conflicts_with = "target")]
    all: bool,
    /// Then build the commit again in another folder, and compare
    #[arg(long)]
    verify: bool,
    /// Build programs that run slowly, for a trial of the packages
    #[arg(long)]
    quick: bool,
    /// Make nothing: try the packages that are there on clean systems
    ///
    /// Installs, uses, upgrades and removes them in a Debian of their own, which mmdebstrap
    /// makes once, and runs the tarball beside busybox alone. As root.
    #[arg(long, conflicts_with_all = ["target", "all", "verify", "quick"])]
    check: bool,
    /// Make nothing: fill in the recipes of Homebrew and Arch Linux, in `target/recipes`
    #[arg(long, conflicts_with_all = ["target", "all", "verify", "quick", "check"])]
    recipes: bool,
    /// Build nothing: write the bills of materials alone, in `target/sbom`
    #[arg(long, conflicts_with_all = ["verify", "quick", "check", "recipes"])]
    bills: bool,
}

fn triple() -> impl TypedValueParser<Value = &'static Target> {
    let names = PossibleValuesParser::new(TARGETS.iter().map(|target| target.triple));
    names.try_map(|name| Target::of(&name))
}

impl Options {
    fn targets(&self) -> Vec<&'static Target> {
        if self.all {
            TARGETS.iter().collect()
        } else if self.target.is_empty() {
            TARGETS.iter().filter(|target| target.by_default).collect()
        } else {
            self.target.clone()
        }
    }

    /// The arguments that make the same packages again.
    fn arguments(&self) -> Vec<String> {
        let targets = self.targets();
        let targets = targets
            .iter()
            .map(|target| format!("--target={}", target.triple));
        targets
            .chain(self.quick.then(|| "--quick".to_owned()))
            .collect()
    }
}

/// Makes the packages.
///
/// # Errors
/// If a tool is missing, if something does not build, if the page is not inside the bridge, if
/// a file names a path of this machine, or if a second build is not the same.
pub async fn run(options: &Options) -> Result<ExitCode> {
    let folder = root().join(FOLDER);
    if options.check {
        return check::run(&folder).await;
    }
    if options.recipes {
        for path in recipes::write(&folder, &root().join(recipes::FOLDER))? {
            println!("{}", path.display());
        }
        return Ok(ExitCode::SUCCESS);
    }
    if options.bills {
        bills::write(&options.targets(), &root().join(BILLS)).await?;
        return Ok(ExitCode::SUCCESS);
    }
    make(options, &folder).await?;
    if options.verify {
        again::compare(&folder, &options.arguments()).await?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn make(options: &Options, folder: &Path) -> Result<()> {
    make_empty(folder)?;
    let mut release = Release::prepare().await?;
    // The same page again would have each bridge linked again, for minutes a target.
    web::ensure_built().await?;
    build::ensure_page_clean(&release.builder)?;
    let mut all_built = Vec::new();
    for target in options.targets() {
        let built = build::programs(target, &release.kit, &release.builder, options.quick);
        all_built.push(built.await?);
    }
    release.describe(&all_built).await?;
    for built in &all_built {
        hand_out(&release, built, folder).await?;
    }
    release.bills.of_page(&release.builder, folder).await?;
    print(&sums(folder)?, folder)
}

/// Makes a folder, and removes what was in it.
fn make_empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        let removed = fs::remove_dir_all(folder);
        removed.with_context(|| format!("cannot remove the old {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// Makes what there is for a target.
async fn hand_out(release: &Release, built: &Built, folder: &Path) -> Result<()> {
    let target = built.target;
    let name = format!("{NAME}-{}-{}", release.version, target.name);
    match target.form {
        Form::Tarball => {
            process::step(&format!("making {name}.tar.gz"));
            let tree = contents::archive(release, built)?;
            archive::tarball(
                &tree,
                &name,
                release.time,
                &folder.join(format!("{name}.tar.gz")),
            )?;
        }
        Form::Zip => {
            process::step(&format!("making {name}.zip"));
            let tree = contents::archive(release, built)?;
            archive::zip(&tree, &name, &folder.join(format!("{name}.zip")))?;
        }
        Form::Distribution => distribution::packages(release, built, folder).await?,
    }
    let bills = &release.bills;
    bills.of_programs(&release.builder, target, folder).await
}

/// Writes the sums of all files in a folder; the text.
fn sums(folder: &Path) -> Result<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(
            entry?
                .file_name()
                .into_string()
                .ok()
                .context("a strange name")?,
        );
    }
    names.sort();
    let mut text = String::new();
    for name in names {
        let sum = Sha256::digest(fs::read(folder.join(&name))?);
        let sum: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
        text += &format!("{sum}  {name}\n");
    }
    fs::write(folder.join(SUMS), &text)?;
    Ok(text)
}

/// Says what there is.
fn print(sums: &str, folder: &Path) -> Result<()> {
    println!("\n{:>9}  file in {FOLDER}", "kB");
    for name in sums
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1))
    {
        println!(
            "{:>9}  {name}",
            fs::metadata(folder.join(name))?.len() / 1000
        );
    }
    println!("{:>9}  {SUMS}", "");
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        options: Options,
    }

    fn triples(line: &[&str]) -> Vec<&'static str> {
        let cli = Cli::try_parse_from([&["package"], line].concat()).unwrap();
        let targets = cli.options.targets();
        targets.iter().map(|target| target.triple).collect()
    }

    #[test]
    fn what_is_named_is_made_or_what_runs_on_most_machines() {
        let default = ["x86_64-unknown-linux-musl", "x86_64-unknown-linux-gnu"];
        assert_eq!(triples(&[]), default);
        let windows = "x86_64-pc-windows-gnu";
        assert_eq!(triples(&["--target", windows]), [windows]);
        assert_eq!(triples(&["--all"]).len(), TARGETS.len());
        assert!(Cli::try_parse_from(["package", "--target", "pdp11"]).is_err());
    }

    #[test]
    fn a_second_build_is_told_to_make_the_same() {
        let line = [
            "package",
            "--quick",
            "--target",
            "aarch64-apple-darwin",
            "--verify",
        ];
        let options = Cli::try_parse_from(line).unwrap().options;
        let again = options.arguments();
        assert_eq!(again, ["--target=aarch64-apple-darwin", "--quick"]);
    }

    #[test]
    fn the_sums_are_those_that_the_tool_of_the_system_reads() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("b"), "").unwrap();
        fs::write(folder.path().join("a"), "abc").unwrap();
        let text = sums(folder.path()).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  b"
            ]
        );
        assert_eq!(fs::read_to_string(folder.path().join(SUMS)).unwrap(), text);
    }
}
