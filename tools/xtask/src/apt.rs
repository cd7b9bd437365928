//! Debian's packages, where this is Debian or its like.

use std::path::Path;

use anyhow::{Result, bail};
use rustix::process::geteuid;
use tokio::process::Command;

use crate::process;

/// Whether all of these packages are installed.
pub async fn has(packages: &[&str]) -> bool {
    let mut query = Command::new("dpkg-query");
    query
        .args(["--show", "--showformat=${db:Status-Abbrev}\n"])
        .args(packages);
    match process::output(&mut query).await {
        Ok(states) => states.lines().all(|state| state.trim() == "ii"),
        Err(_) => false,
    }
}

/// Installs packages; shows which.
///
/// # Errors
/// If this is no Debian, the user is not root, or the packages cannot be fetched.
pub async fn install(packages: &[&str]) -> Result<()> {
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!("this is no Debian");
    }
    if !geteuid().is_root() {
        bail!("only root can install Debian's packages");
    }
    println!("apt-get install {}", packages.join(" "));
    process::run(apt_get().arg("update")).await?;
    let mut install = apt_get();
    install
        .args(["install", "--yes", "--no-install-recommends"])
        .args(packages);
    process::run(&mut install).await
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command
        .arg("--quiet=2")
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}
