//! The tools that build the web page, run its tests, and fuzz.
//!
//! A tool that is there is used if its version fits. Otherwise it is brought into the cache,
//! once: as the release that its project has built, and where that cannot be downloaded, by
//! compiling it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use tokio::process::Command;

use crate::cargo::{cargo, root};
use crate::{process, system};

/// The target that browsers run.
pub const WASM: &str = "wasm32-unknown-unknown";
/// The trunk that is brought. Any 0.21 fits.
const TRUNK: &str = "0.21.14";
/// The cargo-fuzz that is brought. Any 0.13 fits.
const CARGO_FUZZ: &str = "0.13.2";
/// The oldest `wasm-opt` that knows what today's compilers emit.
const OLDEST_WASM_OPT: u32 = 116;
/// The oldest Node.js that runs the tests.
const OLDEST_NODE: u32 = 20;
/// The most that downloading a tool may take, in seconds. A few MB; compiling takes minutes.
const DOWNLOAD: &str = "60";

/// What builds the web page: trunk, wasm-bindgen and wasm-opt, all on one `PATH`.
#[derive(Debug)]
pub struct Toolbox {
    path: OsString,
}

impl Toolbox {
    /// Finds all of it, and brings what is missing.
    ///
    /// # Errors
    /// If something is missing and cannot be brought; says what to do.
    pub async fn bring() -> Result<Self> {
        let toolbox = Self::for_trunk().await?;
        toolbox.wasm_opt(&folder()?).await?;
        Ok(toolbox)
    }

    /// Without wasm-opt, which only a release of the page needs.
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
        need_wasm_target().await?;
        let folder = folder()?;
        // Ours first: it is there because the one on the user's path does not fit.
        let ours = [folder.join("bin"), folder.join("node_modules/.bin")];
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths(ours.into_iter().chain(env::split_paths(&path)))?;
        bring(&path, &Tool::wasm_bindgen()?).await?;
        Ok(Self { path })
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

    /// Trunk, in the folder of the workspace.
    #[must_use]
    pub fn trunk(&self) -> Command {
        let mut command = self.program("trunk");
        into_wasm_folder(&mut command);
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
        into_wasm_folder(&mut command);
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
        process::step("installing wasm-opt, of npm's binaryen (once)");
        make(folder)?;
        let mut install = npm().await?;
        install
            .args(["install", "--no-audit", "--no-fund", "--prefix"])
            .arg(folder)
            .arg("binaryen");
        process::run(&mut install)
            .await
            .context("cannot install npm's binaryen; is there a network?")
    }
}

/// A cargo that compiles for browsers.
///
/// # Errors
/// If the toolchain has no standard library for them and rustup cannot add it.
pub async fn wasm_cargo() -> Result<Command> {
    need_wasm_target().await?;
    let mut command = cargo();
    into_wasm_folder(&mut command);
    Ok(command)
}

/// What is compiled for browsers goes to a folder apart: their build and one for this machine
/// do not wait for each other.
fn into_wasm_folder(command: &mut Command) {
    command.env("CARGO_TARGET_DIR", root().join("target/web"));
}

async fn need_wasm_target() -> Result<()> {
    if has_wasm_target().await? {
        return Ok(());
    }
    process::step("adding the standard library for browsers (20 MB, once)");
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", WASM]).current_dir(root());
    let added = process::run(&mut rustup).await;
    added.with_context(|| {
        format!(
            "Rust has no standard library for {WASM}. Install one: rustup target add {WASM}, \
             or the package of your system"
        )
    })?;
    ensure!(
        has_wasm_target().await?,
        "rustup added {WASM} to another toolchain than the one in use"
    );
    Ok(())
}

async fn has_wasm_target() -> Result<bool> {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "sysroot"]).current_dir(root());
    let sysroot = PathBuf::from(process::output(&mut rustc).await?.trim());
    Ok(sysroot.join("lib/rustlib").join(WASM).join("lib").is_dir())
}

/// cargo-fuzz, which builds the fuzz targets.
///
/// # Errors
/// If it is missing and cannot be brought.
pub async fn cargo_fuzz() -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = [folder()?.join("bin")];
    let path = env::join_paths(folders.into_iter().chain(env::split_paths(&path)))?;
    bring(&path, &Tool::cargo_fuzz()).await?;
    system::find_in(&path, "cargo-fuzz").context("cargo-fuzz was installed and is not there")
}

/// A program that cargo can install.
struct Tool {
    program: &'static str,
    package: &'static str,
    /// The version that is brought.
    version: String,
    /// What a version that fits begins with.
    fits: String,
    /// Where its project has a release for this machine, if it has one.
    release: Option<String>,
    install: &'static [&'static str],
    /// How long compiling it takes on two cores.
    compiling: &'static str,
}

impl Tool {
    fn trunk() -> Self {
        let release = platform().map(|platform| {
            format!(
                "https://github.com/trunk-rs/trunk/releases/download/v{TRUNK}/trunk-{platform}.tar.gz"
            )
        });
        Self {
            program: "trunk",
            package: "trunk",
            version: TRUNK.to_owned(),
            fits: "0.21.".to_owned(),
            release,
            // Without TLS: it would only look for newer versions of itself.
            install: &["--locked", "--no-default-features"],
            compiling: "3 minutes",
        }
    }

    /// The page and this program have to be of the same version.
    fn wasm_bindgen() -> Result<Self> {
        let version = locked_version("wasm-bindgen")?;
        let release = platform().map(|platform| {
            // That for Linux needs no library of the system.
            let platform =
                platform.replace("x86_64-unknown-linux-gnu", "x86_64-unknown-linux-musl");
            format!(
                "https://github.com/wasm-bindgen/wasm-bindgen/releases/download/{version}/\
                 wasm-bindgen-{version}-{platform}.tar.gz"
            )
        });
        Ok(Self {
            program: "wasm-bindgen",
            package: "wasm-bindgen-cli",
            fits: version.clone(),
            version,
            release,
            // Not --locked: its lock file is that of its whole workspace, and old. Without
            // TLS: it talks to no machine but this one.
            install: &["--no-default-features"],
            compiling: "a minute",
        })
    }

    fn cargo_fuzz() -> Self {
        Self {
            program: "cargo-fuzz",
            package: "cargo-fuzz",
            version: CARGO_FUZZ.to_owned(),
            fits: "0.13.".to_owned(),
            release: None,
            install: &["--locked"],
            compiling: "a minute",
        }
    }
}

/// Brings a tool, unless one that fits is on this path.
async fn bring(path: &OsStr, tool: &Tool) -> Result<()> {
    if let Some(program) = system::find_in(path, tool.program)
        && fits(&program, tool).await
    {
        return Ok(());
    }
    let folder = folder()?;
    make(&folder.join("bin"))?;
    if let Some(url) = &tool.release {
        process::step(&format!("downloading {} {}", tool.package, tool.version));
        match download(url, &folder, tool).await {
            Ok(()) => return Ok(()),
            Err(error) => println!("no ready-made {}: {error:#}", tool.package),
        }
    }
    process::step(&format!(
        "compiling {} {} ({} on two cores, once)",
        tool.package, tool.version, tool.compiling
    ));
    let mut install = cargo();
    install
        // Unoptimised it is there in half the time, and quick enough for one page.
        .args([
            "install",
            "--debug",
            tool.package,
            "--version",
            &tool.version,
        ])
        .args(tool.install)
        .args(["--force", "--root"])
        .arg(&folder)
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_PROFILE_DEV_DEBUG_ASSERTIONS", "false")
        .env("CARGO_PROFILE_DEV_OVERFLOW_CHECKS", "false");
    process::run(&mut install)
        .await
        .with_context(|| format!("cannot install {}; is there a network?", tool.package))
}

/// Puts the programs of a release into `bin`, if they run here and are of the version wanted.
async fn download(url: &str, folder: &Path, tool: &Tool) -> Result<()> {
    let work = tempfile::tempdir_in(folder)?;
    let archive = work.path().join("release.tar.gz");
    let mut curl = Command::new("curl");
    curl.args(["--fail", "--silent", "--show-error", "--location"])
        .args(["--connect-timeout", "5", "--max-time", DOWNLOAD, "--output"])
        .arg(&archive)
        .arg(url);
    process::output(&mut curl).await?;
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(&archive).arg("-C").arg(work.path());
    process::output(&mut tar).await?;
    // Some archives have a folder around the programs.
    let mut folders = vec![work.path().to_owned()];
    for entry in fs::read_dir(work.path())? {
        folders.push(entry?.path());
    }
    let unpacked = folders
        .into_iter()
        .find(|folder| folder.join(tool.program).is_file())
        .with_context(|| format!("{url} has no {}", tool.program))?;
    ensure!(
        fits(&unpacked.join(tool.program), tool).await,
        "{url} does not run here, or is of another version"
    );
    for entry in fs::read_dir(&unpacked)? {
        let path = entry?.path();
        if path.is_file() && path != archive {
            let name = path.file_name().context("a file without a name")?;
            fs::rename(&path, folder.join("bin").join(name))?;
        }
    }
    Ok(())
}

/// Whether a program says that it is of a version that fits. Subcommands of cargo say it only
/// when they are called as cargo calls them.
async fn fits(program: &Path, tool: &Tool) -> bool {
    for subcommand in [None, tool.program.strip_prefix("cargo-")] {
        let mut command = Command::new(program);
        command.args(subcommand).arg("--version");
        if let Ok(text) = process::output(&mut command).await {
            let mut words = text.split_whitespace();
            return words
                .nth(1)
                .is_some_and(|version| version.starts_with(&tool.fits));
        }
    }
    false
}

/// This machine, as releases are named.
fn platform() -> Option<String> {
    let system = match env::consts::OS {
        "linux" => "unknown-linux-gnu",
        "macos" => "apple-darwin",
        _ => return None,
    };
    Some(format!("{}-{system}", env::consts::ARCH))
}

fn folder() -> Result<PathBuf> {
    Ok(system::cache()?.join("tools"))
}

fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
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
    fn versions_are_read_from_what_programs_print() {
        assert_eq!(first_number("v20.20.2\n"), Some(20));
        assert_eq!(
            first_number("wasm-opt version 123 (version_123)"),
            Some(123)
        );
        assert_eq!(first_number("none"), None);
    }

    /// Packs a script as the releases are packed, some of which have a folder around it.
    async fn release(folder: &Path, script: &str) -> String {
        let packed = folder.join("trunk-x");
        fs::create_dir_all(&packed).unwrap();
        let program = packed.join("trunk");
        fs::write(&program, script).unwrap();
        process::output(Command::new("chmod").arg("+x").arg(&program))
            .await
            .unwrap();
        let archive = folder.join("trunk.tar.gz");
        let mut tar = Command::new("tar");
        tar.arg("-czf")
            .arg(&archive)
            .arg("-C")
            .arg(folder)
            .arg("trunk-x");
        process::output(&mut tar).await.unwrap();
        format!("file://{}", archive.display())
    }

    #[tokio::test]
    async fn only_a_release_that_runs_and_fits_is_taken() {
        if system::find(&["curl"]).is_none() {
            return;
        }
        let [from, to] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        fs::create_dir(to.path().join("bin")).unwrap();
        let taken = to.path().join("bin/trunk");
        let scripts = ["#!/bin/sh\necho trunk 0.20.1\n", "#!/bin/sh\nexit 1\n"];
        for script in scripts {
            let url = release(from.path(), script).await;
            assert!(download(&url, to.path(), &Tool::trunk()).await.is_err());
            assert!(!taken.exists());
        }
        let url = release(from.path(), "#!/bin/sh\necho trunk 0.21.3\n").await;
        download(&url, to.path(), &Tool::trunk()).await.unwrap();
        assert!(taken.is_file());
        let url = "file:///no/such/release.tar.gz";
        assert!(download(url, to.path(), &Tool::trunk()).await.is_err());
    }
}
