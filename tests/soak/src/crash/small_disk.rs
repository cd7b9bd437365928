//! A disk that is full after a few megabytes, and that can be made read-only: a tmpfs in
//! a mount namespace, which any user of Linux can make where user namespaces are allowed.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use p2pchat_testkit::Programs;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Mounts it, and keeps the namespace until the standard input ends.
const SHELL: &str = r#"
    mount -t tmpfs -o size=4m,mode=700 p2pchat "$1" && echo ready && read -r _
"#;
/// What takes up the room.
const FILLER: &str = "filler";

/// The disk. It goes with this.
#[derive(Debug)]
pub(super) struct SmallDisk {
    folder: TempDir,
    holder: Child,
}

impl SmallDisk {
    /// Makes one.
    pub(super) async fn new() -> Result<Self> {
        let folder = TempDir::new()?;
        let mut holder = Command::new("unshare")
            .args([
                "--user",
                "--map-root-user",
                "--mount",
                "sh",
                "-c",
                SHELL,
                "sh",
            ])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot run unshare, of util-linux")?;
        let stdout = holder.stdout.take().context("no output to read")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).await?;
        if line != "ready\n" {
            bail!(
                "the system lets this user mount nothing in a namespace of his own; root \
                 may, and others where user namespaces are not switched off (see the sysctls \
                 user.max_user_namespaces and kernel.apparmor_restrict_unprivileged_userns)"
            );
        }
        Ok(Self { folder, holder })
    }

    /// A file of it, for programs that run within.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same file, for us outside.
    pub(super) fn path_outside(&self, name: &str) -> Result<PathBuf> {
        let root = PathBuf::from(format!("/proc/{}/root", self.pid()?));
        Ok(root.join(self.path(name).strip_prefix("/")?))
    }

    fn pid(&self) -> Result<u32> {
        self.holder.id().context("the small disk is gone")
    }

    /// What a command has to begin with to run within.
    fn enter(&self) -> Result<Vec<OsString>> {
        let target = format!("--target={}", self.pid()?);
        let words = [
            "nsenter",
            &target,
            "--user",
            "--mount",
            "--preserve-credentials",
        ];
        Ok(words.map(OsString::from).to_vec())
    }

    /// The built programs, to be run within.
    pub(super) fn programs(&self, programs: &Programs) -> Result<Programs> {
        Ok(programs.behind(self.enter()?))
    }

    /// Fills it to the last byte.
    pub(super) fn fill(&self) -> Result<()> {
        let path = self.path_outside(FILLER)?;
        let mut file = File::options().create(true).append(true).open(path)?;
        loop {
            match file.write(&[b'x'; 4096]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Makes room again.
    pub(super) fn make_room(&self) -> Result<()> {
        Ok(fs::remove_file(self.path_outside(FILLER)?)?)
    }

    /// Lets nobody write to it any more, or lets everybody again. Nobody may be writing.
    pub(super) async fn set_read_only(&self, on: bool) -> Result<()> {
        let options = if on { "remount,ro" } else { "remount,rw" };
        let folder = self.folder.path();
        self.mount(&["-o", options], &[folder]).await
    }

    /// Lets nobody write to one file of it any more.
    pub(super) async fn make_file_read_only(&self, name: &str) -> Result<()> {
        let path = self.path(name);
        self.mount(&["--bind"], &[&path, &path]).await?;
        self.mount(&["-o", "remount,bind,ro"], &[&path]).await
    }

    async fn mount(&self, options: &[&str], paths: &[&Path]) -> Result<()> {
        let mut words = self.enter()?.into_iter();
        let program = words.next().context("a command has a name")?;
        let status = Command::new(program)
            .args(words)
            .arg("mount")
            .args(options)
            .args(paths)
            .status()
            .await?;
        ensure!(status.success(), "mount {options:?} {paths:?}: {status}");
        Ok(())
    }
}
