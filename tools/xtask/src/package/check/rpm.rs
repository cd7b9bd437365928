//! The RPMs. There is no Fedora to be had here, so they are installed into a Debian by rpm, which
//! runs their scripts there; what they depend on is looked at, and not resolved.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use super::root::{ALICE, Debian, Root};
use super::{chat, page};
use crate::process;
use crate::steps::Steps;

/// How many steps there are.
pub(super) const STEPS: usize = 4;
const PROGRAMS: &str = "/usr/bin";
/// What they may depend on: what each Fedora has, rpm itself, and their own config files.
const COMMON: [&str; 5] = ["/bin/sh", "config(p2pchat", "glibc ", "rpmlib(", "systemd"];

/// Runs the steps.
pub(super) async fn run(steps: &mut Steps, debian: &Debian, rpms: &[PathBuf; 2]) {
    steps
        .run(
            "rpm-needs",
            "they depend on what each Fedora has",
            needs(rpms),
        )
        .await;
    let mut installed = None;
    let install = async {
        let root = installed.insert(Root::debian(debian).await?);
        let mut rpm = rpm(root)?;
        process::run(rpm.args(["--nodeps", "--verbose", "--install"]).args(rpms)).await?;
        for name in crate::cargo::ALL {
            print!("{}", root.run(ALICE, &[name, "--version"]).await?);
        }
        Ok(())
    };
    steps
        .run("rpm-install", "rpm installs them into a root", install)
        .await;
    let installed = || installed.as_ref().context("nothing is installed");
    let chat = async {
        let root = installed()?;
        let registry = chat::registry(root).await?;
        chat::meet(root, PROGRAMS).await?;
        drop(registry);
        page::is_served(root, PROGRAMS).await
    };
    steps
        .run(
            "rpm-chat",
            "a registry, by its unit, two people, the page",
            chat,
        )
        .await;
    let removed = async {
        let root = installed()?;
        let mut erase = rpm(root)?;
        erase.args(["--nodeps", "--erase", "p2pchat", "p2pchat-registry"]);
        process::run(&mut erase).await?;
        for name in crate::cargo::ALL {
            let program = root.path(PROGRAMS).join(name);
            ensure!(!program.exists(), "{} is still there", program.display());
        }
        let accounts = "/var/lib/p2pchat-registry/accounts.sqlite3";
        ensure!(root.path(accounts).exists(), "{accounts} is gone");
        Ok(())
    };
    steps
        .run("rpm-erase", "erasing them keeps the data", removed)
        .await;
}

/// The rpm of this machine, at work in a root.
fn rpm(root: &Root) -> Result<Command> {
    let mut command = root.beside("rpm")?;
    command.arg("--root").arg(root.path("/"));
    Ok(command)
}

async fn needs(rpms: &[PathBuf]) -> Result<()> {
    for rpm in rpms {
        let query = |what: &str| {
            let mut command = Command::new("rpm");
            command.args(["--query", what, "--package"]).arg(rpm);
            command
        };
        let needs = process::output(&mut query("--requires")).await?;
        let is_common = |need: &str| COMMON.iter().any(|common| need.starts_with(common));
        let others: Vec<&str> = needs.lines().filter(|need| !is_common(need)).collect();
        ensure!(others.is_empty(), "{} needs {others:?}", rpm.display());
        print!("{}", process::output(&mut query("--list")).await?);
        print!("{}", process::output(&mut query("--scripts")).await?);
    }
    Ok(())
}
