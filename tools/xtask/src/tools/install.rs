//! Bringing a tool: as the release that its project has built, or by compiling it.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use crate::cargo::{cargo, root};
use crate::{process, system};

/// The trunk that is brought. Any 0.21 fits.
const TRUNK: &str = "0.21.14";
/// The cargo-fuzz that is brought. Any 0.13 fits.
const CARGO_FUZZ: &str = "0.13.2";
/// The most that downloading a tool may take, in seconds. A few MB; compiling takes minutes.
const DOWNLOAD: &str = "60";

/// A program that cargo can install.
pub(crate) struct Tool {
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
    pub(super) fn trunk() -> Self {
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
    pub(super) fn wasm_bindgen() -> Result<Self> {
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

    pub(super) fn cargo_fuzz() -> Self {
        Self {
            fits: "0.13.".to_owned(),
            ..Self::compiled("cargo-fuzz", CARGO_FUZZ, "a minute")
        }
    }

    /// A tool of exactly this version, which is always compiled here.
    pub(crate) fn compiled(package: &'static str, version: &str, compiling: &'static str) -> Self {
        Self {
            program: package,
            package,
            version: version.to_owned(),
            fits: version.to_owned(),
            release: None,
            install: &["--locked"],
            compiling,
        }
    }

    /// With these options for `cargo install`.
    pub(crate) fn with(self, install: &'static [&'static str]) -> Self {
        Self { install, ..self }
    }

    /// Where it is. Brings it if it is missing.
    ///
    /// # Errors
    /// If it cannot be brought.
    pub(crate) async fn brought(&self) -> Result<PathBuf> {
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = [folder()?.join("bin")];
        let path = env::join_paths(folders.into_iter().chain(env::split_paths(&path)))?;
        bring(&path, self).await?;
        system::find_in(&path, self.program)
            .with_context(|| format!("{} was installed and is not there", self.program))
    }
}

/// Brings a tool, unless one that fits is on this path.
pub(super) async fn bring(path: &OsStr, tool: &Tool) -> Result<()> {
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

/// The folder that tools are brought to.
pub(crate) fn folder() -> Result<PathBuf> {
    Ok(system::cache()?.join("tools"))
}

pub(super) fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
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
