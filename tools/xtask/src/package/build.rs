//! The programs of a target, built without a trace of the machine that builds them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use memchr::memmem;
use tokio::process::Command;

use super::kit::Kit;
use super::targets::Target;
use crate::cargo::{ALL, root};
use crate::paths::Builder;
use crate::{process, tools};

/// Where cargo builds what goes into packages.
const FOLDER: &str = "target/package/build";
/// The parts of macOS beside the C library that programs are linked with, in place of an SDK: the
/// registry asks the system which DNS servers there are.
const FRAMEWORKS: &str = "packaging/macos";
/// The page, which is in the bridge.
const PAGE: &str = "dist";

/// The programs of a target.
#[derive(Debug)]
pub(super) struct Built {
    /// What they run on.
    pub(super) target: &'static Target,
    folder: PathBuf,
}

impl Built {
    /// Where a program is.
    #[must_use]
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(self.target.program(name))
    }

    /// The bytes of a program.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.path(name);
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    }
}

/// Builds the programs of a target.
///
/// # Errors
/// If they do not build, if the page is not inside the bridge, or if a program names a path of
/// this machine.
pub(super) async fn programs(
    target: &'static Target,
    kit: &Kit,
    builder: &Builder,
    quick: bool,
) -> Result<Built> {
    tools::need_target(target.triple).await?;
    process::step(&format!(
        "building the programs for {} (ten minutes on two cores)",
        target.triple
    ));
    let mut command = kit.zigbuild();
    command
        .args(["--locked", "--release", "--bins"])
        .args(ALL.map(|name| format!("--package={name}")))
        .args(["--target", &format!("{}{}", target.triple, target.libc)])
        .env("CARGO_TARGET_DIR", root().join(FOLDER));
    without_paths(&mut command, target, builder);
    if quick {
        hurry(&mut command);
    }
    process::run(&mut command).await?;
    let folder = root().join(FOLDER).join(target.triple).join("release");
    let built = Built { target, folder };
    for name in ALL {
        builder.ensure_absent(name, &built.read(name)?)?;
    }
    ensure_page_inside(&built.read("p2pchat-bridge")?)?;
    Ok(built)
}

/// Sets what makes programs the same wherever they are built.
fn without_paths(command: &mut Command, target: &Target, builder: &Builder) {
    let c_flags = format!("CFLAGS_{}", target.triple.replace('-', "_"));
    let mut rust_flags = builder.rust_flags();
    if target.is_macos() {
        // Not an absolute path: cargo names what it compiles after the flags, too.
        rust_flags.push("\u{1f}-Lframework=");
        rust_flags.push(FRAMEWORKS);
    }
    command
        .env("CARGO_ENCODED_RUSTFLAGS", rust_flags)
        .env(c_flags, builder.c_flags())
        // Packages of distributions hold no names of functions.
        .env("CARGO_PROFILE_RELEASE_STRIP", "symbols")
        // The macros of mongodb are compiled with constants that change.
        .env("CONST_RANDOM_SEED", "p2pchat");
}

/// For a trial of the packages: programs that are built soon and run slowly.
fn hurry(command: &mut Command) {
    command
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
}

/// Refuses a bridge that has not all files of the page inside.
fn ensure_page_inside(bridge: &[u8]) -> Result<()> {
    let page = page()?;
    ensure!(
        page.keys().any(|name| name.ends_with(".wasm")),
        "there is no page in {PAGE}: cargo xtask web"
    );
    for (name, content) in page {
        ensure!(
            memmem::find(bridge, &content).is_some(),
            "{name} of the page is not inside p2pchat-bridge"
        );
    }
    Ok(())
}

/// The files of the page.
fn page() -> Result<BTreeMap<String, Vec<u8>>> {
    let folder = root().join(PAGE);
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(&folder).context("there is no page: cargo xtask web")? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        files.insert(name, fs::read(entry.path())?);
    }
    Ok(files)
}

/// Refuses a page that names a path of this machine. To be called before it is inside of
/// anything: there it is compressed too.
///
/// # Errors
/// If a file of the page does.
pub(super) fn ensure_page_clean(builder: &Builder) -> Result<()> {
    for (name, content) in page()? {
        builder.ensure_absent(&name, &content)?;
    }
    Ok(())
}
