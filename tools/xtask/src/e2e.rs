//! The tests of the built programs and the page, in real browsers.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use tokio::process::Command;

use crate::cargo::{self, root};
use crate::{process, tools, web};

/// The command that runs them. Builds the page and the programs, and installs the libraries of the tests,
/// which learn from the environment where everything is.
///
/// # Errors
/// If something is missing or does not build.
pub async fn tests() -> Result<Command> {
    // Before the bridge, which has the page inside.
    web::ensure_built().await?;
    let programs = cargo::build(&cargo::ALL, false).await?;
    let chromium = tools::chromium().await?;
    let firefox = tools::firefox().await?;
    let folder = root().join("tests/e2e");
    libraries(&folder).await?;
    let mut command = Command::new(tools::node().await?);
    command
        .current_dir(&folder)
        .args(["--test", "--test-reporter=spec", "--test-concurrency=2"])
        .args(files(&folder.join("tests"))?)
        .env("E2E_REGISTRY", programs.path("p2pchat-registry")?)
        .env("E2E_PEER", programs.path("p2pchat")?)
        .env("E2E_BRIDGE", programs.path("p2pchat-bridge")?)
        .env("E2E_CHROMIUM", chromium)
        .env("E2E_FIREFOX", firefox)
        .env("E2E_SCREENSHOTS", root().join("target/screenshots"));
    Ok(command)
}

/// Installs exactly what the lock file names, unless that was done since it changed.
pub(crate) async fn libraries(folder: &Path) -> Result<()> {
    let changed = |name: &str| fs::metadata(folder.join(name))?.modified();
    let installed = changed("node_modules/.package-lock.json");
    if installed.is_ok_and(|at| changed("package-lock.json").is_ok_and(|lock| lock <= at)) {
        return Ok(());
    }
    let mut npm = tools::npm().await?;
    npm.current_dir(folder)
        .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
    process::run(&mut npm)
        .await
        .context("cannot install the libraries of the tests in browsers; is there a network?")
}

/// The test files by name, since what node takes from a folder depends on its version.
fn files(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("no {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".test.js") {
            files.push(format!("tests/{name}"));
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod own_tests {
    use super::*;

    #[test]
    fn there_are_tests_for_browsers() {
        assert!(!files(&root().join("tests/e2e/tests")).unwrap().is_empty());
    }
}
