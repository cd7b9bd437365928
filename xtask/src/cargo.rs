//! The cargo that runs this, and what it builds.

use std::collections::HashMap;
use std::env;
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
        .parent()
        .expect("the manifest of xtask is one folder below that of the workspace")
}

/// The same cargo that runs this program, in the folder of the workspace.
#[must_use]
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
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
        "p2pchat-lab",
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
    fn the_root_is_the_folder_of_the_workspace() {
        assert!(root().join("Cargo.lock").is_file());
    }
}
