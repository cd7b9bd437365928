//! The tarball, in a root that has a shell and nothing else: what it needs is in it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use super::root::{ALICE, Root, User};
use super::{chat, page};
use crate::process::{self, Group};
use crate::steps::Steps;
use crate::{cargo, demo};

/// How many steps there are.
pub(super) const STEPS: usize = 3;
/// The user who runs the registry.
const OPERATOR: User = User::System(4000, 4000);

/// Runs the steps.
pub(super) async fn run(steps: &mut Steps, tarball: &Path) {
    let mut unpacked = None;
    let unpack = async {
        let found = unpack(tarball).await?;
        let (root, programs) = unpacked.insert(found);
        for name in cargo::ALL {
            let program = format!("{programs}/{name}");
            let printed = root.run(ALICE, &[&program, "--version"]).await?;
            print!("{printed}");
            ensure!(
                printed.contains(env!("CARGO_PKG_VERSION")),
                "another version"
            );
        }
        Ok(())
    };
    steps
        .run("tar-run", "all programs run beside busybox alone", unpack)
        .await;
    let unpacked = || unpacked.as_ref().context("nothing is unpacked");
    let chat = async {
        let (root, programs) = unpacked()?;
        let _registry = registry(root, programs).await?;
        chat::meet(root, programs).await?;
        chat::meet_again(root, programs).await
    };
    steps
        .run("tar-chat", "two people chat, and find it again", chat)
        .await;
    let page = async {
        let (root, programs) = unpacked()?;
        page::is_served(root, programs).await
    };
    steps
        .run("tar-page", "the bridge serves the page", page)
        .await;
}

/// A root with the tarball in it, and the folder of its programs there.
async fn unpack(tarball: &Path) -> Result<(Root, String)> {
    let root = Root::busybox().await?;
    fs::create_dir(root.path("/opt"))?;
    let mut tar = Command::new("tar");
    tar.arg("-xzf")
        .arg(tarball)
        .arg("-C")
        .arg(root.path("/opt"));
    process::output(&mut tar).await?;
    let mut folders = fs::read_dir(root.path("/opt"))?;
    let folder = folders.next().context("the tarball is empty")??;
    ensure!(
        folders.next().is_none(),
        "the tarball has more than one folder"
    );
    let name = folder.file_name();
    Ok((root, format!("/opt/{}", name.display())))
}

async fn registry(root: &Root, programs: &str) -> Result<Group> {
    let [id, group] = OPERATOR.ids();
    let home = root.path("/srv");
    fs::create_dir(&home)?;
    std::os::unix::fs::chown(&home, Some(id), Some(group))?;
    let mut command = root.command(OPERATOR, &format!("{programs}/p2pchat-registry"))?;
    command.args(["--store", "/srv/accounts.sqlite3"]);
    let (registry, line) = demo::start(&mut command).await?;
    println!("{line}");
    Ok(registry)
}
