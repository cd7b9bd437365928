//! The tools that make packages, each of one version: what they make is the same everywhere.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tokio::process::Command;

use crate::cargo::{cargo, root};
use crate::process;
use crate::tools::{self, Tool};

/// The compiler of C and the linker for all targets, and the subcommand of cargo that uses it,
/// as packages of Python. `pip` fetches them without root and runs nothing of them.
const ZIG: [(&str, &str); 2] = [("cargo-zigbuild", "0.24.1"), ("ziglang", "0.17.1")];

/// All tools that are needed, ready to be run.
#[derive(Debug)]
pub(super) struct Kit {
    zig: PathBuf,
    deb: PathBuf,
    rpm: PathBuf,
    about: PathBuf,
}

impl Kit {
    /// Finds all of it, and brings what is missing.
    ///
    /// # Errors
    /// If something is missing and cannot be brought.
    pub(super) async fn bring() -> Result<Self> {
        let about = Tool::compiled("cargo-about", "0.9.3", "6 minutes");
        let about = about.with(&["--locked", "--features=cli"]).optimised();
        Ok(Self {
            zig: zig().await?,
            deb: Tool::compiled("cargo-deb", "3.8.0", "4 minutes")
                .optimised()
                .brought()
                .await?,
            rpm: Tool::compiled("cargo-generate-rpm", "0.21.1", "4 minutes")
                .optimised()
                .brought()
                .await?,
            about: about.brought().await?,
        })
    }

    /// cargo-zigbuild: `cargo build`, linked by zig.
    #[must_use]
    pub(super) fn zigbuild(&self) -> Command {
        let mut command = in_root(&self.zig.join("bin/cargo-zigbuild"));
        command
            .arg("zigbuild")
            .env("CARGO_ZIGBUILD_ZIG_PATH", self.zig.join("ziglang/zig"));
        command
    }

    /// The folder of zig, which has the C libraries that static programs hold.
    #[must_use]
    pub(super) fn zig_folder(&self) -> &Path {
        &self.zig
    }

    /// cargo-deb.
    #[must_use]
    pub(super) fn deb(&self) -> Command {
        in_root(&self.deb)
    }

    /// cargo-generate-rpm.
    #[must_use]
    pub(super) fn rpm(&self) -> Command {
        in_root(&self.rpm)
    }

    /// cargo-about, which finds the licences of dependencies.
    #[must_use]
    pub(super) fn about(&self) -> Command {
        in_root(&self.about)
    }
}

/// A program with the environment of our cargo, in the folder of the workspace.
pub(super) fn in_root(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    for (name, value) in cargo().as_std().get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

async fn zig() -> Result<PathBuf> {
    let folder = tools::folder()?.join("zig");
    let is_there = |(name, version): &(&str, &str)| {
        let info = format!("{}-{version}.dist-info", name.replace('-', "_"));
        folder.join(info).is_dir()
    };
    if ZIG.iter().all(is_there) {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).context("cannot remove an old zig")?;
    }
    process::step("fetching zig and cargo-zigbuild (100 MB, once)");
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps"])
        .args(["--only-binary=:all:", "--target"])
        .arg(&folder)
        .args(ZIG.map(|(name, version)| format!("{name}=={version}")));
    process::run(&mut pip)
        .await
        .context("cannot fetch zig; are Python 3 with pip and a network there?")?;
    Ok(folder)
}
