//! A standard library for browsers, which `p2pchat-protocol` and `p2pchat-model` have to
//! build with. There are three ways to one, tried in this order:
//!
//! 1. the toolchain has it;
//! 2. rustup adds it;
//! 3. Debian's packages of rustc and cargo for browsers build it from its source.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::geteuid;
use tokio::process::Command;
use tokio::time::timeout;

use crate::cargo::{cargo, root};
use crate::process;

const TARGET: &str = "wasm32-unknown-unknown";
/// Debian's compiler, its cargo, and the source of its standard library.
const PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];
/// A slow line takes this long for 20 MB; without a line, rustup gives up sooner.
const RUSTUP: Duration = Duration::from_secs(300);

/// Checks that some packages build for browsers.
///
/// # Errors
/// If they do not, or if there is no way to a standard library; says what to install.
pub async fn check(packages: &[&str]) -> Result<()> {
    let mut command = match toolchain().await {
        Ok(command) => command,
        Err(rustup) => debian()
            .await
            .map_err(|debian| nothing_works(&rustup, &debian))?,
    };
    command.args(["check", "--locked", "--target", TARGET]);
    command.args(packages.iter().map(|name| format!("--package={name}")));
    process::run(&mut command).await
}

fn nothing_works(rustup: &anyhow::Error, debian: &anyhow::Error) -> anyhow::Error {
    anyhow::anyhow!(
        "no standard library for {TARGET}. Install one:\n  \
         with rustup:          rustup target add {TARGET}\n  \
         on Debian or Ubuntu:  apt-get install {}\n\
         What was tried: {rustup:#}; {debian:#}",
        PACKAGES.join(" ")
    )
}

/// Ways 1 and 2.
async fn toolchain() -> Result<Command> {
    if !has_target().await? {
        println!("rustup target add {TARGET}");
        let mut rustup = Command::new("rustup");
        rustup.args(["target", "add", TARGET]).current_dir(root());
        timeout(RUSTUP, process::run(&mut rustup))
            .await
            .with_context(|| format!("rustup took more than {} s", RUSTUP.as_secs()))??;
        if !has_target().await? {
            bail!("rustup added {TARGET} to another toolchain than the one in use");
        }
    }
    Ok(cargo())
}

async fn has_target() -> Result<bool> {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "sysroot"]).current_dir(root());
    let sysroot = PathBuf::from(process::output(&mut rustc).await?.trim());
    Ok(sysroot
        .join("lib/rustlib")
        .join(TARGET)
        .join("lib")
        .is_dir())
}

/// Way 3.
async fn debian() -> Result<Command> {
    if !has_packages().await {
        install().await?;
    }
    let (rustc, cargo) = (Path::new("/usr/bin/rustc"), Path::new("/usr/bin/cargo"));
    let mut command = Command::new(cargo);
    command
        .current_dir(root())
        .env("RUSTC", rustc)
        .env("PATH", path_with_usr_bin_first()?)
        // Stable compilers build the standard library only with these two.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort")
        .env_remove("RUSTUP_TOOLCHAIN");
    if let Some(linker) = rust_lld().await {
        command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
    }
    Ok(command)
}

async fn has_packages() -> bool {
    let mut query = Command::new("dpkg-query");
    query
        .args(["--show", "--showformat=${db:Status-Abbrev}\n"])
        .args(PACKAGES);
    match process::output(&mut query).await {
        Ok(states) => states.lines().all(|state| state.trim() == "ii"),
        Err(_) => false,
    }
}

async fn install() -> Result<()> {
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!("this is no Debian");
    }
    if !geteuid().is_root() {
        bail!("only root can install Debian's packages");
    }
    println!("apt-get install {}", PACKAGES.join(" "));
    process::run(apt_get().arg("update")).await?;
    let mut install = apt_get();
    install
        .args(["install", "--yes", "--no-install-recommends"])
        .args(PACKAGES);
    process::run(&mut install).await
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command
        .arg("--quiet=2")
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn path_with_usr_bin_first() -> Result<std::ffi::OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let first = PathBuf::from("/usr/bin");
    std::env::join_paths([first].into_iter().chain(std::env::split_paths(&path)))
        .context("PATH cannot be extended")
}

/// The linker inside rustup's toolchain: a system's own lld may be too old for what this
/// compiler emits.
async fn rust_lld() -> Option<PathBuf> {
    let version = process::output(Command::new("rustc").args(["-vV"]))
        .await
        .ok()?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))?;
    let mut rustc = Command::new("rustc");
    let sysroot = process::output(rustc.args(["--print", "sysroot"]))
        .await
        .ok()?;
    let rustlib = Path::new(sysroot.trim()).join("lib/rustlib");
    Some(rustlib.join(host).join("bin/rust-lld")).filter(|path| path.is_file())
}
