//! What this machine has: programs on the `PATH`, Debian's packages, a cache folder.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustix::process::geteuid;
use tokio::process::Command;

use crate::process;

/// Programs for tests of a real network, and the packages of Debian that have them.
const NETWORK: [(&str, &str); 2] = [("ip", "iproute2"), ("nft", "nftables")];
/// Folders of an administrator's programs, which are not on every user's `PATH`.
const ADMIN_FOLDERS: [&str; 2] = ["/usr/sbin", "/sbin"];

/// The folder for what is fetched or built once; `cargo clean` leaves it alone.
///
/// # Errors
/// If the user has no home folder.
pub fn cache() -> Result<PathBuf> {
    let base = match env::var_os("XDG_CACHE_HOME") {
        Some(folder) if Path::new(&folder).is_absolute() => PathBuf::from(folder),
        _ => PathBuf::from(env::var_os("HOME").context("HOME is not set")?).join(".cache"),
    };
    Ok(base.join("p2pchat"))
}

/// The first program of this name in a list of folders like `PATH`.
#[must_use]
pub fn find_in(path: &OsStr, name: &str) -> Option<PathBuf> {
    env::split_paths(path)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

/// The first program on the `PATH` that has one of these names.
#[must_use]
pub fn find(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    names.iter().find_map(|name| find_in(&path, name))
}

/// A program of the system, under one of its names; installs a package of Debian if there is
/// none.
///
/// # Errors
/// If it is missing and cannot be installed; says what to install.
pub async fn need(what: &str, names: &[&str], package: &str) -> Result<PathBuf> {
    if let Some(program) = find(names) {
        return Ok(program);
    }
    install(&[package]).await.with_context(|| {
        format!("{what} is missing. Install it; on Debian or Ubuntu: apt-get install {package}")
    })?;
    find(names).with_context(|| format!("{package} is installed, but {what} is not on the PATH"))
}

/// Installs what tests of a real network need, where that is possible. Where it is not, this
/// says so, and those tests say that they are skipped.
pub async fn need_network_tools() {
    if !cfg!(target_os = "linux") {
        return println!("no tests of a real network: only Linux has network namespaces");
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(ADMIN_FOLDERS.map(PathBuf::from));
    let path = env::join_paths(folders).unwrap_or_default();
    let missing: Vec<&str> = NETWORK
        .into_iter()
        .filter(|(name, _)| find_in(&path, name).is_none())
        .map(|(_, package)| package)
        .collect();
    if missing.is_empty() {
        return;
    }
    if let Err(error) = install(&missing).await {
        let missing = missing.join(" ");
        println!("no tests of a real network: these packages are missing: {missing} ({error:#})");
    }
}

/// Installs packages of Debian, and says which.
async fn install(packages: &[&str]) -> Result<()> {
    if find(&["apt-get"]).is_none() {
        bail!("this is not Debian or Ubuntu");
    }
    if !geteuid().is_root() {
        bail!("only root can install packages");
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_under_one_of_its_names() {
        assert_eq!(find(&["no-such-program", "sh"]), find(&["sh"]));
        assert!(find(&["sh"]).is_some());
        assert_eq!(find(&["no-such-program"]), None);
    }
}
