//! The cargo that runs this, and what it builds.

use std::collections::HashMap;
use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
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

/// Whether cargo has set this variable for the program that it runs, which is this one. Some
/// build scripts look at them (ring's does): with them set, what the user has built with cargo
/// would be built again, and once more the next time that they call cargo.
fn is_of_this_run(name: &OsStr) -> bool {
    let begins_with = |of: &&str| name.as_encoded_bytes().starts_with(of.as_bytes());
    ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(begins_with)
}

/// Built programs, by name. Where cargo puts them depends on the user's configuration.
#[derive(Debug)]
pub struct Programs(HashMap<String, PathBuf>);

impl Programs {
    /// Where a program is.
    ///
    /// # Errors
    /// If it was not built.
    pub fn path(&self, name: &str) -> Result<&Path> {
        let path = self.0.get(name);
        path.map(PathBuf::as_path)
            .with_context(|| format!("cargo did not say where it put {name}"))
    }
}

/// The programs that chat in a terminal, without the bridge.
pub const PEERS: [&str; 2] = ["p2pchat-registry", "p2pchat"];
/// All programs that people use.
pub const ALL: [&str; 3] = ["p2pchat-registry", "p2pchat", "p2pchat-bridge"];
/// All programs that people use, and those that test and measure them. Always all of them:
/// which packages are chosen decides how their dependencies are built, so each other choice
/// would build much of them again.
pub const ALL_AND_TOOLS: [&str; 5] = [
    "p2pchat-registry",
    "p2pchat",
    "p2pchat-bridge",
    "p2pchat-soak",
    "p2pchat-bench",
];

/// The command that builds the programs of some packages.
#[must_use]
pub fn build_command(packages: &[&str], release: bool) -> Command {
    let mut command = cargo();
    command
        .args(["build", "--locked", "--bins"])
        .args(packages.iter().map(|name| format!("--package={name}")))
        .args(release.then_some("--release"))
        .stdin(Stdio::null());
    command
}

/// Builds the programs of some packages. Cargo shows its progress.
///
/// # Errors
/// If they do not build.
pub async fn build(packages: &[&str], release: bool) -> Result<Programs> {
    let mut command = build_command(packages, release);
    command
        .arg("--message-format=json-render-diagnostics")
        .stdout(Stdio::piped());
    let shown = process::shown(&command);
    let mut group = Group::spawn(&mut command)?;
    let mut messages = String::new();
    let mut stdout = group.child.stdout.take().context("no output to read")?;
    stdout.read_to_string(&mut messages).await?;
    let status = group.child.wait().await?;
    ensure!(status.success(), "`{shown}`: {status}");
    Ok(executables(&messages))
}

fn executables(messages: &str) -> Programs {
    let messages = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let programs = messages.filter_map(|message| {
        let path = message["executable"].as_str()?;
        let name = message["target"]["name"].as_str()?;
        Some((name.to_owned(), PathBuf::from(path)))
    });
    Programs(programs.collect())
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
        assert_eq!(built.0.len(), 1);
        let path = built.path("p2pchat").unwrap();
        assert_eq!(path, Path::new("/t/debug/p2pchat"));
        assert!(built.path("p2pchat-bridge").is_err());
    }

    #[test]
    fn cargo_is_not_told_about_the_program_that_runs_it() {
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
