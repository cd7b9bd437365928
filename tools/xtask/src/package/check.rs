//! `cargo xtask package --check`: tries the packages on systems that have nothing of p2pchat, as
//! those who install them would.
//!
//! Debian's are installed in a fresh Debian, the tarball is unpacked in a root that has a shell and
//! nothing else, and the RPMs are installed into a Debian, because no Fedora can be made from
//! Debian's archive. The image of the registry is a root that has its program alone. Each root has
//! a loopback network of its own and no other. systemd does not run in them: the registry is
//! started as its unit says (`unit.rs`).

mod chat;
mod container;
mod deb;
mod files;
mod page;
mod root;
mod rpm;
mod tarball;
mod unit;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};

use crate::steps::Steps;
use crate::system;
use root::Debian;

/// The packages of one build, for this machine.
#[derive(Debug)]
struct Packages {
    /// p2pchat and p2pchat-registry.
    debs: [PathBuf; 2],
    /// The same.
    rpms: [PathBuf; 2],
    tarball: PathBuf,
}

impl Packages {
    /// Finds them in a folder.
    fn find(folder: &Path) -> Result<Self> {
        let one = |begin: &str, end: &str| one_of(folder, begin, end);
        let tarball = format!("-{}-linux.tar.gz", std::env::consts::ARCH);
        Ok(Self {
            debs: [one("p2pchat_", ".deb")?, one("p2pchat-registry_", ".deb")?],
            rpms: [one("p2pchat-", ".rpm")?, one("p2pchat-registry-", ".rpm")?],
            tarball: one("p2pchat-", &tarball)?,
        })
    }
}

/// The one file whose name begins and ends so. Behind `begin` comes the version.
fn one_of(folder: &Path, begin: &str, end: &str) -> Result<PathBuf> {
    let missing = || {
        let folder = folder.display();
        format!("no {begin}VERSION{end} in {folder}: run `cargo xtask package` first")
    };
    let entries = fs::read_dir(folder).with_context(missing)?;
    let mut found = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let version = (name.to_str())
            .and_then(|name| name.strip_prefix(begin)?.strip_suffix(end))
            .filter(|version| version.starts_with(|c: char| c.is_ascii_digit()));
        if version.is_some() && is_for_here(&name.to_string_lossy()) {
            found.push(folder.join(name));
        }
    }
    ensure!(
        found.len() < 2,
        "several versions: {found:?}: remove the older ones"
    );
    found.pop().with_context(missing)
}

/// Whether a package runs on this machine, as far as its name says.
fn is_for_here(name: &str) -> bool {
    let others: &[&str] = match std::env::consts::ARCH {
        "x86_64" => &["arm64", "aarch64"],
        _ => &["amd64", "x86_64"],
    };
    !others.iter().any(|other| name.contains(other))
}

/// Runs the checks on the packages in a folder. All of them run, even if an early one fails.
///
/// # Errors
/// If there are no packages, or a tool or a Debian cannot be brought. A check that fails is in
/// the table.
pub async fn run(folder: &Path) -> Result<ExitCode> {
    ensure!(
        rustix::process::geteuid().is_root(),
        "only root can install packages into a root of its own: run this with sudo, or in a \
         container"
    );
    let packages = Packages::find(folder)?;
    for (program, package) in [("lintian", "lintian"), ("rpm", "rpm"), ("curl", "curl")] {
        system::need(program, &[program], package).await?;
    }
    let debian = Debian::bring().await?;
    let mut steps = Steps::new(deb::STEPS + rpm::STEPS + tarball::STEPS + container::STEPS);
    deb::run(&mut steps, &debian, &packages.debs).await;
    rpm::run(&mut steps, &debian, &packages.rpms).await;
    tarball::run(&mut steps, &packages.tarball).await;
    container::run(&mut steps, &packages.tarball).await;
    Ok(steps.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_package_is_found_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let arch = std::env::consts::ARCH;
        let mut names = vec![
            "p2pchat_0.2.0-1_amd64.deb".to_owned(),
            "p2pchat-registry_0.2.0-1_amd64.deb".to_owned(),
            "p2pchat-0.2.0-1.x86_64.rpm".to_owned(),
            "p2pchat-registry-0.2.0-1.x86_64.rpm".to_owned(),
            format!("p2pchat-0.2.0-{arch}-linux.tar.gz"),
        ];
        if arch == "aarch64" {
            names = names
                .iter()
                .map(|name| name.replace("amd64", "arm64"))
                .collect();
            names = names
                .iter()
                .map(|name| name.replace("x86_64", "aarch64"))
                .collect();
        }
        let make = |name: &str| fs::write(folder.path().join(name), "").unwrap();
        for name in &names[1..] {
            make(name);
        }
        let error = Packages::find(folder.path()).unwrap_err().to_string();
        assert!(error.contains("p2pchat_VERSION.deb"), "{error}");
        make(&names[0]);
        let found = Packages::find(folder.path()).unwrap();
        assert_eq!(found.debs[0], folder.path().join(&names[0]));
        assert_eq!(found.rpms[0], folder.path().join(&names[2]));
        assert_eq!(found.tarball, folder.path().join(&names[4]));
        make(&names[0].replace("0.2.0", "0.1.0"));
        let error = Packages::find(folder.path()).unwrap_err().to_string();
        assert!(error.contains("several versions"), "{error}");
    }
}
