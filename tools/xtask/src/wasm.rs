//! A compiler for browsers. There are three ways to one, tried in this order:
//!
//! 1. the toolchain has the standard library for them;
//! 2. rustup adds it;
//! 3. Debian's packages of rustc and cargo for browsers build it from its source.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::Command;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::cargo::{cargo, root};
use crate::{apt, process};

/// The target that browsers run.
pub const TARGET: &str = "wasm32-unknown-unknown";
/// Debian's compiler, its cargo, and the source of its standard library.
const PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];
/// A slow line takes this long for 20 MB; without a line, rustup gives up sooner.
const RUSTUP: Duration = Duration::from_secs(300);

/// How to compile for browsers.
#[derive(Debug, Clone)]
pub enum Compiler {
    /// With the cargo that runs this.
    Toolchain,
    /// With Debian's, which builds the standard library too.
    Debian {
        /// A linker that is recent enough, if one was found.
        linker: Option<PathBuf>,
    },
}

impl Compiler {
    /// Finds one, or brings one; the search is made once.
    ///
    /// # Errors
    /// If there is no way to one; says what to install.
    pub async fn find() -> Result<&'static Self> {
        static FOUND: OnceCell<Compiler> = OnceCell::const_new();
        FOUND.get_or_try_init(search).await
    }

    /// A cargo that compiles for browsers.
    #[must_use]
    pub fn cargo(&self) -> Command {
        let mut command = match self {
            Self::Toolchain => cargo(),
            Self::Debian { .. } => Command::new("/usr/bin/cargo"),
        };
        self.prepare(&mut command);
        command
    }

    /// Sees to it that a program, in the folder of the workspace, finds this compiler.
    /// What it makes goes to a folder apart, so that builds for this machine stay.
    pub fn prepare(&self, command: &mut Command) {
        command
            .current_dir(root())
            .env("CARGO_TARGET_DIR", root().join("target/web"));
        let Self::Debian { linker } = self else {
            return;
        };
        command
            .env("CARGO", "/usr/bin/cargo")
            .env("RUSTC", "/usr/bin/rustc")
            // Stable compilers build the standard library only with these two.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort")
            .env_remove("RUSTUP_TOOLCHAIN");
        if let Some(linker) = linker {
            command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
    }

    /// `PATH`, with some folders first, and a cargo that is this compiler's.
    ///
    /// # Errors
    /// If a folder has a colon in its name.
    pub fn path(&self, first: &[PathBuf]) -> Result<OsString> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let system = match self {
            Self::Toolchain => None,
            Self::Debian { .. } => Some(PathBuf::from("/usr/bin")),
        };
        let folders = first.iter().cloned().chain(system);
        std::env::join_paths(folders.chain(std::env::split_paths(&path)))
            .context("PATH cannot be extended")
    }
}

/// Checks that some packages build for browsers.
///
/// # Errors
/// If they do not, or if there is no compiler.
pub async fn check(packages: &[&str]) -> Result<()> {
    let compiler = Compiler::find().await?;
    let mut command = compiler.cargo();
    command.env("PATH", compiler.path(&[])?);
    command.args(["check", "--locked", "--target", TARGET]);
    command.args(packages.iter().map(|name| format!("--package={name}")));
    process::run(&mut command).await
}

async fn search() -> Result<Compiler> {
    let Err(rustup) = toolchain().await else {
        return Ok(Compiler::Toolchain);
    };
    let Err(debian) = debian().await else {
        let linker = rust_lld().await;
        return Ok(Compiler::Debian { linker });
    };
    bail!(
        "no standard library for {TARGET}. Install one:\n  \
         with rustup:          rustup target add {TARGET}\n  \
         on Debian or Ubuntu:  apt-get install {}\n\
         What was tried: {rustup:#}; {debian:#}",
        PACKAGES.join(" ")
    )
}

/// Ways 1 and 2.
async fn toolchain() -> Result<()> {
    if has_target().await? {
        return Ok(());
    }
    println!("rustup target add {TARGET}");
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]).current_dir(root());
    timeout(RUSTUP, process::run(&mut rustup))
        .await
        .with_context(|| format!("rustup took more than {} s", RUSTUP.as_secs()))??;
    if !has_target().await? {
        bail!("rustup added {TARGET} to another toolchain than the one in use");
    }
    Ok(())
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
async fn debian() -> Result<()> {
    match apt::has(&PACKAGES).await {
        true => Ok(()),
        false => apt::install(&PACKAGES).await,
    }
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
