//! A root of a system that nothing was installed in, with a network of its own.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::process::{self, Group};
use crate::system;

/// The Debian whose packages are tried.
const SUITE: &str = "bookworm";
/// What is in it besides what every Debian has: what the packages depend on, and what a person
/// reads manual pages and completes options with.
const INCLUDED: &str = "adduser,bash-completion,man-db,systemd";
/// What a Debian is mounted in, so that its programs run: in a mount namespace of its own, so that
/// nothing of it is left when the last process in there has ended.
const ENTER: &str = r#"set -e
mount --bind "$1" "$1"
mkdir -p "$1/dev" "$1/proc" "$1/run" "$1/tmp"
mount --rbind /dev "$1/dev"
mount -t proc proc "$1/proc"
mount -t tmpfs -o mode=755 tmpfs "$1/run"
ip link set lo up
echo
exec cat
"#;
/// Where programs are searched for.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The first id of the people who chat; far from those that packages take.
const FIRST_ID: u32 = 4001;

/// A Debian as it comes, packed.
#[derive(Debug)]
pub(super) struct Debian(PathBuf);

impl Debian {
    /// Makes it with mmdebstrap, once.
    pub(super) async fn bring() -> Result<Self> {
        let folder = system::cache()?.join("roots");
        let packed = folder.join(format!("{SUITE}-{}.tar", INCLUDED.replace(',', "-")));
        if packed.is_file() {
            return Ok(Self(packed));
        }
        system::need("mmdebstrap", &["mmdebstrap"], "mmdebstrap").await?;
        fs::create_dir_all(&folder)?;
        process::step("making a Debian with mmdebstrap (some 100 MB, some minutes, once)");
        // Under another name until it is whole.
        let part = folder.join("part.tar");
        let mut make = Command::new("mmdebstrap");
        make.args(["--quiet", "--variant=apt"])
            .arg(format!("--include={INCLUDED}"))
            .arg(SUITE)
            .arg(&part);
        let made = process::run(&mut make).await;
        made.context("cannot make a Debian; can its archive be reached?")?;
        fs::rename(part, &packed)?;
        Ok(Self(packed))
    }
}

/// A root, and what keeps its network and its mounts. Removed on drop.
#[derive(Debug)]
pub(super) struct Root {
    // In this order: first the processes end, then the folder is removed.
    keeper: Group,
    folder: TempDir,
}

/// A user in a root.
#[derive(Debug, Clone, Copy)]
pub(super) enum User {
    /// The administrator.
    Root,
    /// One with these ids, who has this home folder.
    Person(u32, &'static str),
    /// A system user with these ids.
    System(u32, u32),
}

/// The first of those who chat.
pub(super) const ALICE: User = User::Person(FIRST_ID, "/home/alice");
/// The second.
pub(super) const BOB: User = User::Person(FIRST_ID + 1, "/home/bob");

impl User {
    pub(super) fn ids(self) -> [u32; 2] {
        match self {
            Self::Root => [0, 0],
            Self::Person(id, _) => [id, id],
            Self::System(user, group) => [user, group],
        }
    }

    pub(super) fn home(self) -> &'static str {
        match self {
            Self::Root => "/root",
            Self::Person(_, home) => home,
            Self::System(..) => "/",
        }
    }
}

impl Root {
    /// A fresh Debian.
    pub(super) async fn debian(debian: &Debian) -> Result<Self> {
        let folder = new_folder()?;
        let mut unpack = Command::new("tar");
        unpack.args(["--numeric-owner", "--exclude=./dev/*", "-xf"]);
        unpack.arg(&debian.0).arg("-C").arg(folder.path());
        process::output(&mut unpack).await?;
        Self::enter(folder).await?.with_people()
    }

    /// A shell, its small tools and nothing else.
    pub(super) async fn busybox() -> Result<Self> {
        let busybox = system::need("busybox", &["busybox"], "busybox-static").await?;
        let folder = new_folder()?;
        let path = |name: &str| folder.path().join(name);
        for name in ["bin", "etc", "home", "root", "tmp"] {
            fs::create_dir(path(name))?;
        }
        fs::copy(busybox, path("bin/busybox"))?;
        symlink("busybox", path("bin/sh"))?;
        fs::write(path("etc/passwd"), "root:x:0:0::/root:/bin/sh\n")?;
        fs::write(path("etc/group"), "root:x:0:\n")?;
        fs::set_permissions(path("tmp"), Permissions::from_mode(0o1777))?;
        Self::enter(folder).await?.with_people()
    }

    /// Nothing.
    pub(super) async fn empty() -> Result<Self> {
        Self::enter(new_folder()?).await
    }

    async fn enter(folder: TempDir) -> Result<Self> {
        let mut command = Command::new("unshare");
        command
            .args(["--net", "--mount", "--ipc", "sh", "-c", ENTER, "enter"])
            .arg(folder.path())
            // It reads this to its end, which comes when this program ends however it does.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut keeper = Group::spawn(&mut command)?;
        let stdout = keeper.child.stdout.take().context("no output to read")?;
        let ready = BufReader::new(stdout).lines().next_line().await?;
        ensure!(ready.is_some(), "cannot make namespaces for a root");
        Ok(Self { keeper, folder })
    }

    /// The same with those who chat.
    fn with_people(self) -> Result<Self> {
        for (user, name) in [(ALICE, "alice"), (BOB, "bob")] {
            self.add(user, name)?;
        }
        Ok(self)
    }

    fn add(&self, user: User, name: &str) -> Result<()> {
        let [id, group] = user.ids();
        let home = user.home();
        let add = |file: &str, line: &str| -> Result<()> {
            let path = self.path(file);
            Ok(fs::write(&path, fs::read_to_string(&path)? + line)?)
        };
        add(
            "/etc/passwd",
            &format!("{name}:x:{id}:{group}::{home}:/bin/sh\n"),
        )?;
        add("/etc/group", &format!("{name}:x:{group}:\n"))?;
        fs::create_dir_all(self.path(home))?;
        chown(self.path(home), Some(id), Some(group))?;
        Ok(())
    }

    /// Where a file of the root is for this program.
    pub(super) fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside.trim_start_matches('/'))
    }

    /// Puts a file of this machine into its `/tmp`; where it is there.
    pub(super) fn take(&self, file: &Path) -> Result<String> {
        let name = file.file_name().and_then(OsStr::to_str);
        let inside = format!("/tmp/{}", name.context("a file without a name")?);
        fs::copy(file, self.path(&inside))
            .with_context(|| format!("cannot copy {}", file.display()))?;
        Ok(inside)
    }

    /// A command of this machine in the network of the root and in front of it, as root.
    pub(super) fn beside(&self, program: &str) -> Result<Command> {
        let keeper = self.keeper.child.id().context("the root is gone")?;
        let mut command = Command::new("/usr/bin/nsenter");
        command
            .args(["--target", &keeper.to_string()])
            .args(["--net", "--mount", "--ipc", "--", program]);
        Ok(command)
    }

    /// A command inside, with an empty environment but for what a login sets.
    pub(super) fn command(&self, user: User, program: &str) -> Result<Command> {
        let [id, group] = user.ids();
        // Not by nsenter's --root, which is opened where the mounts of the root are not.
        let mut command = self.beside("/usr/sbin/chroot")?;
        command
            .args([&format!("--userspec=+{id}:+{group}"), "--groups="])
            .arg(self.folder.path())
            .arg(program)
            .env_clear()
            .env("PATH", PATH)
            .env("HOME", user.home())
            .env("LC_ALL", "C.UTF-8");
        Ok(command)
    }

    /// Runs a program inside to its end; what it printed.
    pub(super) async fn run(&self, user: User, words: &[&str]) -> Result<String> {
        let (program, arguments) = words.split_first().context("a command has a name")?;
        let mut command = self.command(user, program)?;
        process::output(command.args(arguments)).await
    }
}

fn new_folder() -> Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("p2pchat-root-").tempdir()?;
    // The folder of a root is everyone's to enter.
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
    Ok(folder)
}
