//! The web page: built, compressed, weighed.

mod compress;
mod fresh;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::cargo::root;
use crate::process;
use crate::tools::Toolbox;
use compress::Weight;

/// The most that the whole page may weigh, all files after brotli: what somebody downloads
/// who opens it for the first time.
const MOST: usize = 250 * 1024;

/// Builds the page into `dist`, puts the compressed forms beside the files, and tells what
/// it weighs.
///
/// # Errors
/// If a tool is missing, if it does not build, or if it weighs too much.
pub async fn build() -> Result<()> {
    let built = root().join("target/web/page");
    let weights = trunk("index.html", &built).await?;
    put(&built, &dist()).context("cannot put the page into dist")?;
    weigh(&weights)
}

/// Builds the least yew page in the same way, for the page to be held against; the folder
/// that it is in.
///
/// # Errors
/// If a tool is missing, or if it does not build.
pub async fn hello() -> Result<PathBuf> {
    let built = root().join("target/web/hello");
    trunk("tools/bench/hello/index.html", &built).await?;
    Ok(built)
}

/// Builds the page that an index file is of into a folder, and puts the compressed forms
/// beside its files.
async fn trunk(index: &str, built: &Path) -> Result<Vec<Weight>> {
    let toolbox = Toolbox::bring().await?;
    let mut command = toolbox.trunk();
    command.args(["build", index, "--release", "--dist"]);
    command.arg(built);
    println!("{}", process::shown(&command));
    process::run(&mut command).await?;
    // Some seconds are long for the one thread of the runtime, but nothing else runs now.
    compress::all(&files(built)?)
}

/// Only a page that is whole takes the place of the last one.
fn put(built: &Path, dist: &Path) -> Result<()> {
    if dist.exists() {
        fs::remove_dir_all(dist)?;
    }
    fs::create_dir_all(dist)?;
    for file in files(built)? {
        let name = file.file_name().context("a file without a name")?;
        fs::copy(&file, dist.join(name))?;
    }
    Ok(())
}

/// Builds the page, unless the one in `dist` is newer than all that it is made from.
///
/// # Errors
/// As [`build`].
pub async fn ensure() -> Result<()> {
    match fresh::is(&dist()) {
        true => Ok(()),
        false => build().await,
    }
}

/// The tests of the page that run in a browser.
///
/// # Errors
/// If something that they need is missing.
pub async fn tests() -> Result<Command> {
    let toolbox = Toolbox::bring().await?;
    let mut command = toolbox.cargo();
    command
        .env("CHROMEDRIVER", crate::tools::chromedriver().await?)
        .args(["test", "--locked", "--package=p2pchat-web"])
        .args(["--test=web", "--target", crate::wasm::TARGET]);
    Ok(command)
}

fn dist() -> PathBuf {
    root().join("dist")
}

/// The files that trunk made.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)
        .with_context(|| format!("trunk left nothing in {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

fn weigh(weights: &[Weight]) -> Result<()> {
    println!("\n{:>9} {:>9} {:>9}  file", "bytes", "gzip", "brotli");
    let mut sum = Weight::default();
    for weight in weights {
        println!("{weight}");
        sum.add(weight);
    }
    sum.name = "the whole page".to_owned();
    println!("{sum}");
    if sum.brotli > MOST {
        bail!(
            "the page weighs {} bytes after brotli; {MOST} are allowed",
            sum.brotli
        );
    }
    Ok(())
}

#[cfg(test)]
mod own_tests {
    use super::*;

    fn weight(brotli: usize) -> Weight {
        Weight {
            brotli,
            ..Weight::default()
        }
    }

    #[test]
    fn a_page_that_weighs_too_much_in_sum_is_refused() {
        assert!(weigh(&[weight(MOST / 2), weight(MOST / 2)]).is_ok());
        assert!(weigh(&[weight(MOST / 2), weight(MOST / 2 + 1)]).is_err());
    }
}
