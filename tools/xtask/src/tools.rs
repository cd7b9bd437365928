//! The tools that build the web page, run its tests, fuzz, and make packages.
//!
//! A tool that is there is used if its version fits. Otherwise it is brought into the cache,
//! once: as the release that its project has built, and where that cannot be downloaded, by
//! compiling it.

mod install;

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use tokio::process::Command;

use crate::cargo::{cargo, root};
use crate::paths::Builder;
use crate::{process, system};
pub(crate) use install::{Tool, folder};
use install::{bring, make};

/// The target that browsers run.
pub const WASM: &str = "wasm32-unknown-unknown";
/// The oldest `wasm-opt` that knows what today's compilers emit.
const OLDEST_WASM_OPT: u32 = 116;
/// What makes the program of the page smaller, of npm: another version makes another page.
const BINARYEN: &str = "binaryen@132.0.0";
/// What makes scripts smaller, of npm.
const ESBUILD: &str = "esbuild@0.25.12";
/// The oldest Node.js that runs the tests.
const OLDEST_NODE: u32 = 20;

/// What builds the web page: trunk, wasm-bindgen, wasm-opt and esbuild, all on one `PATH`.
#[derive(Debug)]
pub struct Toolbox {
    path: OsString,
    builder: Builder,
}

impl Toolbox {
    /// Finds all of it, and brings what is missing.
    ///
    /// # Errors
    /// If something is missing and cannot be brought; says what to do.
    pub async fn bring() -> Result<Self> {
        let toolbox = Self::for_trunk().await?;
        toolbox.wasm_opt(&folder()?).await?;
        if system::find_in(&toolbox.path, "esbuild").is_none() {
            install_by_npm(&folder()?, "esbuild", ESBUILD).await?;
        }
        Ok(toolbox)
    }

    /// Without wasm-opt and esbuild, which only a release of the page needs.
    ///
    /// # Errors
    /// As [`Toolbox::bring`].
    pub async fn for_trunk() -> Result<Self> {
        let toolbox = Self::for_bindgen().await?;
        bring(&toolbox.path, &Tool::trunk()).await?;
        Ok(toolbox)
    }

    /// With wasm-bindgen alone.
    ///
    /// # Errors
    /// As [`Toolbox::bring`].
    pub async fn for_bindgen() -> Result<Self> {
        need_target(WASM).await?;
        let folder = folder()?;
        // Ours first: it is there because the one on the user's path does not fit.
        let ours = [folder.join("bin"), folder.join("node_modules/.bin")];
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths(ours.into_iter().chain(env::split_paths(&path)))?;
        bring(&path, &Tool::wasm_bindgen()?).await?;
        let builder = Builder::find().await?;
        Ok(Self { path, builder })
    }

    /// A program of the toolbox, in the folder of the workspace.
    fn program(&self, name: &str) -> Command {
        let program = system::find_in(&self.path, name).unwrap_or_else(|| name.into());
        let mut command = Command::new(program);
        command.current_dir(root()).env("PATH", &self.path);
        command
    }

    /// wasm-bindgen, in the folder of the workspace.
    #[must_use]
    pub fn wasm_bindgen(&self) -> Command {
        self.program("wasm-bindgen")
    }

    /// esbuild, in the folder of the workspace.
    #[must_use]
    pub fn esbuild(&self) -> Command {
        self.program("esbuild")
    }

    /// Trunk, in the folder of the workspace.
    #[must_use]
    pub fn trunk(&self) -> Command {
        let mut command = self.program("trunk");
        for_wasm(&mut command, &self.builder);
        command
            // It would look for tools and for newer versions of itself on the network.
            .env("TRUNK_OFFLINE", "true")
            .env("TRUNK_SKIP_VERSION_CHECK", "true")
            // The convention is any value; trunk takes only true and false.
            .env_remove("NO_COLOR");
        command
    }

    /// A cargo that compiles for browsers, and finds the runner of their tests.
    #[must_use]
    pub fn cargo(&self) -> Command {
        let mut command = cargo();
        for_wasm(&mut command, &self.builder);
        command.env("PATH", &self.path).env(
            "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER",
            "wasm-bindgen-test-runner",
        );
        command
    }

    async fn wasm_opt(&self, folder: &Path) -> Result<()> {
        if let Some(program) = system::find_in(&self.path, "wasm-opt") {
            let mut command = Command::new(program);
            let text = process::output(command.arg("--version").env("PATH", &self.path)).await;
            if text.is_ok_and(|text| first_number(&text) >= Some(OLDEST_WASM_OPT)) {
                return Ok(());
            }
        }
        install_by_npm(folder, "wasm-opt", BINARYEN).await
    }
}

/// Brings a tool of a package of npm into a folder.
async fn install_by_npm(folder: &Path, tool: &str, package: &str) -> Result<()> {
    process::step(&format!("installing {tool}, of npm's {package} (once)"));
    make(folder)?;
    let mut install = npm().await?;
    install
        .args(["install", "--no-audit", "--no-fund", "--prefix"])
        .arg(folder)
        .arg(package);
    process::run(&mut install)
        .await
        .with_context(|| format!("cannot install npm's {package}; is there a network?"))
}

/// A cargo that compiles for browsers.
///
/// # Errors
/// If the toolchain has no standard library for them and rustup cannot add it.
pub async fn wasm_cargo() -> Result<Command> {
    need_target(WASM).await?;
    let mut command = cargo();
    for_wasm(&mut command, &Builder::find().await?);
    Ok(command)
}

/// What is compiled for browsers goes to a folder apart: their build and one for this machine
/// do not wait for each other. And it names no path of this machine: the page is handed out.
fn for_wasm(command: &mut Command, builder: &Builder) {
    command
        .env("CARGO_TARGET_DIR", root().join("target/web"))
        .env("CARGO_ENCODED_RUSTFLAGS", builder.rust_flags());
}

/// Adds what Rust needs to compile for a target, unless it is there.
///
/// # Errors
/// If it cannot be added; says what to do.
pub async fn need_target(target: &str) -> Result<()> {
    if has_target(target).await? {
        return Ok(());
    }
    process::step(&format!(
        "adding the standard library for {target} (20 to 40 MB, once)"
    ));
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", target]).current_dir(root());
    let added = process::run(&mut rustup).await;
    added.with_context(|| {
        format!(
            "Rust has no standard library for {target}. Install one: rustup target add {target}, \
             or the package of your system"
        )
    })?;
    ensure!(
        has_target(target).await?,
        "rustup added {target} to another toolchain than the one in use"
    );
    Ok(())
}

async fn has_target(target: &str) -> Result<bool> {
    let library = sysroot().await?.join("lib/rustlib").join(target);
    Ok(library.join("lib").is_dir())
}

/// The folder of the toolchain.
///
/// # Errors
/// If rustc does not run.
pub async fn sysroot() -> Result<PathBuf> {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "sysroot"]).current_dir(root());
    Ok(PathBuf::from(process::output(&mut rustc).await?.trim()))
}

/// cargo-fuzz, which builds the fuzz targets.
///
/// # Errors
/// If it is missing and cannot be brought.
pub async fn cargo_fuzz() -> Result<PathBuf> {
    Tool::cargo_fuzz().brought().await
}

/// npm, with a Node.js that is recent enough.
///
/// # Errors
/// If it is missing; says what to install.
pub async fn npm() -> Result<Command> {
    node().await?;
    Ok(Command::new(system::need("npm", &["npm"], "npm").await?))
}

/// Node.js.
///
/// # Errors
/// If it is missing or old; says what to install.
pub async fn node() -> Result<PathBuf> {
    let node = system::need("Node.js", &["node", "nodejs"], "nodejs").await?;
    let text = process::output(Command::new(&node).arg("--version")).await?;
    if first_number(&text) < Some(OLDEST_NODE) {
        let (node, version) = (node.display(), text.trim());
        bail!("{node} is {version}: install Node.js {OLDEST_NODE} or later");
    }
    Ok(node)
}

/// A Chromium to test the page in: `$CHROME`, or one on the `PATH`.
///
/// # Errors
/// If it is missing; says what to install.
pub async fn chromium() -> Result<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    match env::var_os("CHROME") {
        Some(given) => Ok(given.into()),
        None => {
            system::need(
                "Chromium (or CHROME in the environment)",
                &names,
                "chromium",
            )
            .await
        }
    }
}

/// A Firefox to test the page in: `$FIREFOX`, or one on the `PATH`.
///
/// # Errors
/// If it is missing; says what to install.
pub async fn firefox() -> Result<PathBuf> {
    let what = "Firefox (or FIREFOX in the environment)";
    match env::var_os("FIREFOX") {
        Some(given) => Ok(given.into()),
        None => system::need(what, &["firefox-esr", "firefox"], "firefox-esr").await,
    }
}

/// The program that drives Chromium: `$CHROMEDRIVER`, or one on the `PATH`.
///
/// # Errors
/// If it is missing; says what to install.
pub async fn chromedriver() -> Result<PathBuf> {
    let what = "ChromeDriver (or CHROMEDRIVER in the environment)";
    match env::var_os("CHROMEDRIVER") {
        Some(given) => Ok(given.into()),
        None => system::need(what, &["chromedriver"], "chromium-driver").await,
    }
}

fn first_number(text: &str) -> Option<u32> {
    let digits = text.trim_start_matches(|c: char| !c.is_ascii_digit());
    let end = digits.find(|c: char| !c.is_ascii_digit());
    digits[..end.unwrap_or(digits.len())].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_programs_print() {
        assert_eq!(first_number("v20.20.2\n"), Some(20));
        assert_eq!(
            first_number("wasm-opt version 123 (version_123)"),
            Some(123)
        );
        assert_eq!(first_number("none"), None);
    }
}
