//! The programs that make the web page, try it, fuzz, and look after what p2pchat is made
//! of. Each is used as it is found, if it fits, and otherwise brought into the user's cache,
//! once.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::cargo::{cargo, root};
use crate::wasm::Compiler;
use crate::{apt, cache, process};

/// The line of trunk that builds with Rust 1.95, and the one that is brought.
const TRUNK: (&str, &str) = ("0.21.", "0.21.14");
/// The line of cargo-fuzz whose command line is used here, and the one that is brought.
const CARGO_FUZZ: (&str, &str) = ("0.13.", "0.13.2");
/// The cargo-deny that reads `deny.toml`, and no other: what is an error differs between
/// versions, and so does the name of the folder that its database is in.
const CARGO_DENY: (&str, &str) = ("0.20.2", "0.20.2");
/// The line of cargo-cyclonedx whose JSON is read here, and the one that is brought.
const CARGO_CYCLONEDX: (&str, &str) = ("0.5.", "0.5.9");
/// The `wasm-opt` that is brought is that of npm's newest binaryen; older ones than this
/// do not know what today's compilers emit.
const OLDEST_WASM_OPT: u32 = 116;
/// The oldest node that runs the tests.
const OLDEST_NODE: u32 = 20;

/// What trunk needs beside it, all on one `PATH`.
#[derive(Debug)]
pub struct Toolbox {
    compiler: &'static Compiler,
    path: OsString,
}

impl Toolbox {
    /// Finds everything that makes the web page, and brings what is missing.
    ///
    /// # Errors
    /// If something is missing and cannot be brought; says what to do.
    pub async fn bring() -> Result<Self> {
        let compiler = Compiler::find().await?;
        let folder = cache::folder()?.join("tools");
        // Ours first: one that is installed here for want of a fitting one wins.
        let first = [folder.join("bin"), folder.join("node_modules/.bin")];
        let path = compiler.path(&first)?;
        let toolbox = Self { compiler, path };
        let path = &toolbox.path;
        cargo_tool(path, &folder, "trunk", "trunk", TRUNK).await?;
        let version = locked_version("wasm-bindgen")?;
        let exactly = (version.as_str(), version.as_str());
        cargo_tool(path, &folder, "wasm-bindgen", "wasm-bindgen-cli", exactly).await?;
        toolbox.wasm_opt(&folder).await?;
        Ok(toolbox)
    }

    /// Trunk, in the folder of the workspace.
    #[must_use]
    pub fn trunk(&self) -> Command {
        let trunk = on_path(&self.path, "trunk").unwrap_or_else(|| "trunk".into());
        let mut command = Command::new(trunk);
        self.compiler.prepare(&mut command);
        command
            .env("PATH", &self.path)
            // It would look for tools and for newer versions of itself on the network.
            .env("TRUNK_OFFLINE", "true")
            .env("TRUNK_SKIP_VERSION_CHECK", "true")
            // Trunk takes no other value than true or false, others set it to 1.
            .env_remove("NO_COLOR");
        command
    }

    /// A cargo that compiles for browsers, and finds the runner of their tests.
    #[must_use]
    pub fn cargo(&self) -> Command {
        let mut command = self.compiler.cargo();
        command.env("PATH", &self.path).env(
            "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER",
            "wasm-bindgen-test-runner",
        );
        command
    }

    async fn wasm_opt(&self, folder: &Path) -> Result<()> {
        if let Some(program) = on_path(&self.path, "wasm-opt") {
            let mut command = Command::new(program);
            let said = process::output(command.arg("--version").env("PATH", &self.path)).await;
            if said.is_ok_and(|said| first_number(&said) >= Some(OLDEST_WASM_OPT)) {
                return Ok(());
            }
        }
        println!("installing wasm-opt (npm's binaryen, once)");
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut install = npm().await?;
        install
            .args(["install", "--no-audit", "--no-fund", "--prefix"])
            .arg(folder)
            .arg("binaryen");
        process::run(&mut install)
            .await
            .context("cannot install npm's binaryen; that takes a network")
    }
}

/// cargo-fuzz, which builds the fuzz targets.
///
/// # Errors
/// If it is missing and cannot be brought.
pub async fn cargo_fuzz() -> Result<PathBuf> {
    of_cargo("cargo-fuzz", CARGO_FUZZ).await
}

/// cargo-deny, which checks what may get in.
///
/// # Errors
/// If it is missing and cannot be brought.
pub async fn cargo_deny() -> Result<PathBuf> {
    of_cargo("cargo-deny", CARGO_DENY).await
}

/// cargo-cyclonedx, which writes bills of materials.
///
/// # Errors
/// If it is missing and cannot be brought.
pub async fn cargo_cyclonedx() -> Result<PathBuf> {
    of_cargo("cargo-cyclonedx", CARGO_CYCLONEDX).await
}

/// A subcommand of cargo that is called as a program.
async fn of_cargo(name: &str, fits: (&str, &str)) -> Result<PathBuf> {
    let folder = cache::folder()?.join("tools");
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(
        [folder.join("bin")]
            .into_iter()
            .chain(env::split_paths(&path)),
    )?;
    cargo_tool(&path, &folder, name, name, fits).await?;
    on_path(&path, name).with_context(|| format!("{name} was installed and is not there"))
}

/// Something that cargo installs, of a version that begins with `fits.0`; else `fits.1` is
/// installed.
async fn cargo_tool(
    path: &OsString,
    folder: &Path,
    name: &str,
    package: &str,
    fits: (&str, &str),
) -> Result<()> {
    if let Some(program) = on_path(path, name)
        && let Some(version) = version_of(&program, name).await
        && version.starts_with(fits.0)
    {
        return Ok(());
    }
    println!("installing {package} {} (some minutes, once)", fits.1);
    let mut install = cargo();
    install
        .args(["install", package, "--version", fits.1, "--force", "--root"])
        .arg(folder);
    // The lock file of wasm-bindgen-cli is that of its whole workspace, and old.
    install.args((package != "wasm-bindgen-cli").then_some("--locked"));
    process::run(&mut install)
        .await
        .with_context(|| format!("cannot install {package}; that takes a network"))
}

/// The version that a program says it is. Some subcommands of cargo say it only when they
/// are called as cargo calls them.
async fn version_of(program: &Path, name: &str) -> Option<String> {
    for subcommand in [None, name.strip_prefix("cargo-")] {
        let mut command = Command::new(program);
        command.args(subcommand).arg("--version");
        if let Ok(said) = process::output(&mut command).await {
            return said.split_whitespace().nth(1).map(str::to_owned);
        }
    }
    None
}

/// npm, with a node that is recent enough.
///
/// # Errors
/// If there is none; says what to install.
pub async fn npm() -> Result<Command> {
    node().await?;
    let npm = program("npm", &["npm"], &["npm"]).await?;
    Ok(Command::new(npm))
}

/// Node, to run tests with.
///
/// # Errors
/// If there is none, or an old one; says what to install.
pub async fn node() -> Result<PathBuf> {
    let node = program("Node.js", &["node", "nodejs"], &["nodejs"]).await?;
    let said = process::output(Command::new(&node).arg("--version")).await?;
    if first_number(&said) < Some(OLDEST_NODE) {
        bail!(
            "{} is {}: install Node.js {OLDEST_NODE} or later",
            node.display(),
            said.trim()
        );
    }
    Ok(node)
}

/// A Chromium to try the page in: `$CHROME`, or one on the `PATH`.
///
/// # Errors
/// If there is none; says what to install.
pub async fn chromium() -> Result<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    match env::var_os("CHROME") {
        Some(given) => Ok(given.into()),
        None => program("Chromium (or set CHROME to it)", &names, &["chromium"]).await,
    }
}

/// What drives Chromium: `$CHROMEDRIVER`, or one on the `PATH`.
///
/// # Errors
/// If there is none; says what to install.
pub async fn chromedriver() -> Result<PathBuf> {
    let what = "ChromeDriver (or set CHROMEDRIVER to it)";
    match env::var_os("CHROMEDRIVER") {
        Some(given) => Ok(given.into()),
        None => program(what, &["chromedriver"], &["chromium-driver"]).await,
    }
}

/// A program of the system: under one of its names on the `PATH`, or in these packages.
async fn program(what: &str, names: &[&str], packages: &[&str]) -> Result<PathBuf> {
    let found = || {
        let path = env::var_os("PATH").unwrap_or_default();
        names.iter().find_map(|name| on_path(&path, name))
    };
    if let Some(program) = found() {
        return Ok(program);
    }
    let installed = apt::install(packages).await;
    let packages = packages.join(" ");
    installed.with_context(|| {
        format!("{what} is missing. Install it; on Debian or Ubuntu: apt-get install {packages}")
    })?;
    found().with_context(|| format!("{packages} is installed, but {what} is not on the PATH"))
}

fn on_path(path: &OsString, name: &str) -> Option<PathBuf> {
    env::split_paths(path)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

fn first_number(said: &str) -> Option<u32> {
    let digits = said.trim_start_matches(|c: char| !c.is_ascii_digit());
    let end = digits.find(|c: char| !c.is_ascii_digit());
    digits[..end.unwrap_or(digits.len())].parse().ok()
}

/// The version of a package that this workspace is built with.
fn locked_version(package: &str) -> Result<String> {
    let lock = fs::read_to_string(root().join("Cargo.lock")).context("cannot read Cargo.lock")?;
    version_in(&lock, package).with_context(|| format!("{package} is not in Cargo.lock"))
}

fn version_in(lock: &str, package: &str) -> Option<String> {
    let wanted = format!("name = \"{package}\"");
    let mut lines = lock.lines();
    lines.find(|line| *line == wanted)?;
    let version = lines.next()?.strip_prefix("version = ")?;
    Some(version.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_a_package_is_in_the_lock_file() {
        let lock = "[[package]]\nname = \"a-b\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"a\"\nversion = \"0.2.130\"\n";
        assert_eq!(version_in(lock, "a").as_deref(), Some("0.2.130"));
        assert_eq!(version_in(lock, "b"), None);
        assert!(locked_version("wasm-bindgen").is_ok());
    }

    #[test]
    fn versions_are_read_from_what_programs_say() {
        assert_eq!(first_number("v20.20.2\n"), Some(20));
        assert_eq!(
            first_number("wasm-opt version 123 (version_123)"),
            Some(123)
        );
        assert_eq!(first_number("none"), None);
    }
}
