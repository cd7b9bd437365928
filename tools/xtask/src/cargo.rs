//! The cargo that runs this, and what it builds.

use std::collections::HashMap;
use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use crate::process::{self, Group};

/// The folder of the workspace.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("the manifest of xtask is two folders below that of the workspace")
}

/// The same cargo that runs this program, in the folder of the workspace.
#[must_use]
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    for (name, _) in env::vars_os().filter(|(name, _)| is_of_this_run(name)) {
        command.env_remove(name);
    }
    command
}

/// Whether cargo has set this variable for the program that it runs, which is this one. Build
/// scripts look at some of them (ring's does), so with them what somebody has built by cargo
/// itself would be built anew, and once more the next time that he does.
fn is_of_this_run(name: &OsStr) -> bool {
    let is_begun_by = |of: &&str| name.as_encoded_bytes().starts_with(of.as_bytes());
    ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(is_begun_by)
}

/// The programs that people use, built.
#[derive(Debug)]
pub struct Programs {
    /// `p2pchat-registry`
    pub registry: PathBuf,
    /// `p2pchat`
    pub peer: PathBuf,
    /// `p2pchat-bridge`
    pub bridge: PathBuf,
}

/// Builds the programs. Cargo shows its progress.
///
/// # Errors
/// If they do not build.
pub async fn build(release: bool) -> Result<Programs> {
    let packages = ["p2pchat-registry", "p2pchat", "p2pchat-bridge"];
    let mut built = build_packages(&packages, release).await?;
    let mut take = |name: &str| {
        built
            .remove(name)
            .with_context(|| format!("cargo did not say where it put {name}"))
    };
    Ok(Programs {
        registry: take("p2pchat-registry")?,
        peer: take("p2pchat")?,
        bridge: take("p2pchat-bridge")?,
    })
}

/// Builds the programs as people use them, and those that try them; where one of the latter
/// is. Always all of them: cargo would build much anew for each other choice, since what the
/// chosen ones ask of a dependency decides how it is built.
///
/// # Errors
/// If they do not build.
pub async fn build_with(tool: &str) -> Result<PathBuf> {
    println!("building the programs and {tool}, optimised");
    let packages = [
        "p2pchat-registry",
        "p2pchat",
        "p2pchat-bridge",
        "p2pchat-soak",
        "p2pchat-bench",
    ];
    let mut built = build_packages(&packages, true).await?;
    built
        .remove(tool)
        .with_context(|| format!("cargo did not say where it put {tool}"))
}

/// Builds the programs of some packages, and says where each of them is. Cargo shows its
/// progress.
///
/// # Errors
/// If they do not build.
pub async fn build_packages(packages: &[&str], release: bool) -> Result<HashMap<String, PathBuf>> {
    let mut command = cargo();
    command
        .args([
            "build",
            "--locked",
            "--bins",
            "--message-format=json-render-diagnostics",
        ])
        .args(
            packages
                .iter()
                .map(|package| format!("--package={package}")),
        )
        .args(release.then_some("--release"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let shown = process::shown(&command);
    let mut group = Group::spawn(&mut command)?;
    let mut messages = String::new();
    let mut stdout = group.child.stdout.take().context("no output to read")?;
    stdout.read_to_string(&mut messages).await?;
    let status = group.wait().await?;
    if !status.success() {
        bail!("the programs do not build: `{shown}`: {status}");
    }
    Ok(executables(&messages))
}

/// Where each program is, by cargo's own messages: the target folder may be anywhere.
fn executables(messages: &str) -> HashMap<String, PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| {
            let path = message["executable"].as_str()?;
            let name = message["target"]["name"].as_str()?;
            Some((name.to_owned(), PathBuf::from(path)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_says_where_a_program_is() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"a"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"p2pchat"},"executable":"/t/debug/p2pchat"}
not json"#;
        let built = executables(messages);
        assert_eq!(built.len(), 1);
        assert_eq!(built["p2pchat"], Path::new("/t/debug/p2pchat"));
    }

    #[test]
    fn cargo_is_not_told_whose_program_runs_it() {
        // Cargo tells it to this test as well.
        assert!(env::var_os("CARGO_PKG_NAME").is_some());
        let command = cargo();
        let mut removed = command.as_std().get_envs().filter(|(_, to)| to.is_none());
        assert!(removed.any(|(name, _)| name == "CARGO_PKG_NAME"));
        assert!(!is_of_this_run(OsStr::new("CARGO_TARGET_DIR")));
    }

    #[test]
    fn the_root_is_the_folder_of_the_workspace() {
        assert!(root().join("Cargo.lock").is_file());
    }
}
