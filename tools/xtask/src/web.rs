//! `cargo xtask web`: the web page, built by trunk, compressed, and measured.

mod compress;
mod shrink;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use clap::Args;
use tokio::process::Command;

use crate::cargo::root;
use crate::process;
use crate::tools::{self, Toolbox};
use compress::Size;

/// The most that the page may take: all files after brotli, which is what a browser downloads
/// that opens it for the first time.
const MOST: usize = 250 * 1024;
/// The page itself, among its files.
const INDEX: &str = "index.html";
/// One of the files that are written last, and only by a complete build.
const LAST: &str = "index.html.br";
/// Starts the program of a page that is built without trunk.
const START: &str =
    r#"<script type="module">import start from "/p2pchat-web.js"; start();</script>"#;
/// What the page is made from.
const SOURCES: [&str; 10] = [
    "index.html",
    "Trunk.toml",
    "Cargo.toml",
    "Cargo.lock",
    "peer-web/Cargo.toml",
    "peer-web/assets",
    "peer-web/src",
    "peer-web/style",
    "crates/model/src",
    "crates/protocol/src",
];

/// How to build it.
#[derive(Debug, Args)]
pub struct Options {
    /// Build nothing if the page in `dist` is newer than its source
    #[arg(long)]
    if_changed: bool,
    /// Build for a look at it, without trunk: sooner, but ten times as large
    #[arg(long)]
    quick: bool,
}

/// Builds the page.
///
/// # Errors
/// As [`build`].
pub async fn run(options: &Options) -> Result<ExitCode> {
    let Options { if_changed, quick } = *options;
    let proof = if quick { INDEX } else { LAST };
    if if_changed && is_newer_than_source(&dist().join(proof)) {
        println!("The page in dist is newer than its source.");
    } else if quick {
        build_quickly().await?;
    } else {
        build().await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds the page into `dist`, with the compressed forms beside the files, and prints the
/// size of each file.
///
/// # Errors
/// If a tool is missing, if the page does not build, or if it is too large.
pub async fn build() -> Result<()> {
    let built = root().join("target/web/page");
    let sizes = trunk("index.html", &built).await?;
    put(&built)?;
    check(&sizes)
}

/// Builds the page, unless the one in `dist` is newer than its source.
///
/// # Errors
/// As [`build`].
pub async fn ensure_built() -> Result<()> {
    if is_newer_than_source(&dist().join(LAST)) {
        Ok(())
    } else {
        build().await
    }
}

/// Builds the page without optimisation and without trunk, which takes longer to compile than
/// the page and wasm-bindgen together.
async fn build_quickly() -> Result<()> {
    let built = root().join("target/web/quick");
    let toolbox = Toolbox::for_bindgen().await?;
    process::step("building the web page (a minute)");
    let mut build = toolbox.cargo();
    build
        .args([
            "build",
            "--locked",
            "--package=p2pchat-web",
            "--bin=p2pchat-web",
        ])
        .args(["--target", tools::WASM])
        .env("CARGO_PROFILE_DEV_DEBUG", "0");
    process::run(&mut build).await?;
    let mut bindgen = toolbox.wasm_bindgen();
    bindgen
        .args(["--target=web", "--no-typescript", "--out-dir"])
        .arg(&built)
        .arg(format!("target/web/{}/debug/p2pchat-web.wasm", tools::WASM));
    process::run(&mut bindgen).await?;
    let index = fs::read_to_string(root().join(INDEX)).context(INDEX)?;
    let (index, assets) = without_trunk(&index)?;
    for asset in assets {
        let name = asset.file_name().context("an asset without a name")?;
        fs::copy(root().join(&asset), built.join(name))
            .with_context(|| format!("cannot copy {}", asset.display()))?;
    }
    fs::write(built.join(INDEX), index)?;
    put(&built)
}

/// The index as trunk makes it, for files whose names carry no hash, and the assets that it
/// names. In its source each element for trunk has a line of its own.
fn without_trunk(index: &str) -> Result<(String, Vec<PathBuf>)> {
    let mut made = String::new();
    let mut assets = Vec::new();
    for line in index.lines() {
        if !line.contains("data-trunk") {
            made += line;
        } else if attribute(line, "rel")? == "rust" {
            made += START;
        } else {
            let href = attribute(line, "href")?;
            let name = href.rsplit('/').next().unwrap_or(href);
            made += &line
                .replace("data-trunk data-integrity=\"none\" ", "")
                .replace(r#"rel="css""#, r#"rel="stylesheet""#)
                .replace(href, name);
            assets.push(PathBuf::from(href));
        }
        made.push('\n');
    }
    Ok((made, assets))
}

fn attribute<'a>(line: &'a str, name: &str) -> Result<&'a str> {
    let value = line.split_once(&format!(" {name}=\""));
    let value = value.and_then(|(_, rest)| rest.split_once('"'));
    let (value, _) = value.with_context(|| format!("{INDEX}: no {name} in {}", line.trim()))?;
    Ok(value)
}

/// Builds the smallest yew page in the same way, to compare the page with; its folder.
///
/// # Errors
/// If a tool is missing, or if it does not build.
pub async fn hello() -> Result<PathBuf> {
    let built = root().join("target/web/hello");
    trunk("tools/bench/hello/index.html", &built).await?;
    Ok(built)
}

/// How many seconds the tests of the page may take in all, on a machine that has other work too.
const TESTS_LIMIT: &str = "600";
/// How many seconds the driver of the browser may take to start there.
const DRIVER_LIMIT: &str = "60";

/// The command that runs the tests of the page inside a browser.
///
/// # Errors
/// If something that they need is missing.
pub async fn tests() -> Result<Command> {
    let mut command = Toolbox::for_bindgen().await?.cargo();
    command
        .env("CHROMEDRIVER", tools::chromedriver().await?)
        .env("WASM_BINDGEN_TEST_TIMEOUT", TESTS_LIMIT)
        .env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", DRIVER_LIMIT)
        .args([
            "test",
            "--locked",
            "--no-fail-fast",
            "--package=p2pchat-web",
        ])
        .args(["--test=web", "--target", tools::WASM]);
    Ok(command)
}

/// Builds the page of an index file into a folder, with the compressed forms.
async fn trunk(index: &str, built: &Path) -> Result<Vec<Size>> {
    let toolbox = Toolbox::bring().await?;
    process::step("building the web page (a minute or two)");
    let mut command = toolbox.trunk();
    command.args(["build", index, "--release", "--dist"]);
    process::run(command.arg(built)).await?;
    shrink::all(built, &files(built)?, &toolbox).await?;
    // Takes some seconds of the only thread, but nothing else runs now.
    compress::all(&files(built)?)
}

/// Replaces the page in `dist` by a complete one: a bridge that looks for it never finds half.
fn put(built: &Path) -> Result<()> {
    if dist().exists() {
        fs::remove_dir_all(dist()).context("cannot remove dist")?;
    }
    fs::rename(built, dist()).context("cannot put the page into dist")
}

/// Whether a file of the page is newer than all that the page is made from.
fn is_newer_than_source(file: &Path) -> bool {
    let Some(built) = changed(file) else {
        return false;
    };
    SOURCES
        .iter()
        .map(|name| newest(&root().join(name)))
        .all(|change| change.is_some_and(|change| change < built))
}

/// When a file, or any file in a folder, was changed last.
fn newest(path: &Path) -> Option<SystemTime> {
    let own = changed(path)?;
    let Ok(entries) = fs::read_dir(path) else {
        return Some(own);
    };
    let within = entries.flatten().filter_map(|entry| newest(&entry.path()));
    Some(within.fold(own, SystemTime::max))
}

fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

fn dist() -> PathBuf {
    root().join("dist")
}

/// The files in a folder, in order.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("no {}", folder.display()))?;
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

/// Prints the sizes, and refuses a page that is too large.
fn check(sizes: &[Size]) -> Result<()> {
    println!("\n{:>9} {:>9} {:>9}  file", "bytes", "gzip", "brotli");
    let mut sum = Size {
        name: "all files".to_owned(),
        ..Size::default()
    };
    for size in sizes {
        println!("{size}");
        sum.add(size);
    }
    println!("{sum}");
    let brotli = sum.brotli;
    ensure!(
        brotli <= MOST,
        "the page has {brotli} bytes after brotli; at most {MOST} are allowed"
    );
    Ok(())
}

#[cfg(test)]
mod own_tests {
    use std::fs::File;

    use super::*;

    fn size(brotli: usize) -> Size {
        Size {
            brotli,
            ..Size::default()
        }
    }

    #[test]
    fn a_page_that_is_too_large_in_sum_is_refused() {
        assert!(check(&[size(MOST / 2), size(MOST / 2)]).is_ok());
        assert!(check(&[size(MOST / 2), size(MOST / 2 + 1)]).is_err());
    }

    #[test]
    fn without_trunk_the_index_names_the_same_files() {
        let source = fs::read_to_string(root().join(INDEX)).unwrap();
        let (index, assets) = without_trunk(&source).unwrap();
        assert_eq!(source.matches("data-trunk").count(), assets.len() + 1);
        assert!(!index.contains("data-trunk") && index.contains(START));
        assert!(assets.iter().all(|asset| root().join(asset).is_file()));
        assert!(
            index.contains(r#"<link rel="stylesheet" href="base.css" />"#),
            "{index}"
        );
        assert!(without_trunk(r#"<link data-trunk rel="icon" />"#).is_err());
    }

    #[test]
    fn a_page_is_built_again_unless_it_is_newer_than_all_its_sources() {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join(LAST);
        assert!(!is_newer_than_source(&page), "there is no page at all");
        fs::write(&page, "").unwrap();
        assert!(is_newer_than_source(&page));
        let file = File::options().write(true).open(&page).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert!(!is_newer_than_source(&page));
    }
}
