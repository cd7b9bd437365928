//! The packages of Debian, in a fresh Debian: a first installation up to its purge, and an upgrade.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use tokio::process::Command;

use super::root::{ALICE, Debian, Root, User};
use super::{chat, files, page};
use crate::process;
use crate::steps::Steps;

/// How many steps there are.
pub(super) const STEPS: usize = 11;
/// Where the packages put programs.
const PROGRAMS: &str = "/usr/bin";
const NAMES: [&str; 2] = ["p2pchat", "p2pchat-registry"];
/// The version that an older package is given.
const OLDER: &str = "0.0.1-1";
const ACCOUNTS: &str = "/var/lib/p2pchat-registry/accounts.sqlite3";
/// Completes the first word after the program that is given to it, as a shell does at Tab.
const COMPLETE: &str = r#"set -e
. /usr/share/bash-completion/bash_completion
_completion_loader "$1" || [ $? = 124 ]
function=$(complete -p "$1" | sed 's/.* -F \([^ ]*\) .*/\1/')
COMP_WORDS=("$1" "$2") COMP_CWORD=1 COMP_LINE="$1 $2" COMP_POINT=${#COMP_LINE}
"$function" "$1" "$2" "$1" || true
printf '%s\n' "${COMPREPLY[@]}"
"#;

/// A root, and what was in it before.
#[derive(Debug)]
struct Installed {
    root: Root,
    before: BTreeSet<String>,
}

/// Runs the steps.
pub(super) async fn run(steps: &mut Steps, debian: &Debian, debs: &[PathBuf; 2]) {
    steps
        .run("deb-lintian", "lintian finds no error", lintian(debs))
        .await;
    let mut fresh = None;
    let install = async {
        let root = Root::debian(debian).await?;
        let before = files::list(&root)?;
        let installed = fresh.insert(Installed { root, before });
        apt(&installed.root, "install", debs).await
    };
    steps
        .run(
            "deb-install",
            "apt installs them into a fresh Debian",
            install,
        )
        .await;
    let fresh = || fresh.as_ref().context("nothing is installed");
    let version = async { version(&fresh()?.root).await };
    steps
        .run("deb-version", "each program says its version", version)
        .await;
    let pages = async { manuals(&fresh()?.root).await };
    steps
        .run("deb-man", "man renders each manual page", pages)
        .await;
    let completion = async { complete(&fresh()?.root).await };
    steps
        .run("deb-completion", "bash completes an option", completion)
        .await;
    let chat = async { first_use(&fresh()?.root).await };
    steps
        .run("deb-chat", "a registry, by its unit, and two people", chat)
        .await;
    let page = async { page::is_served(&fresh()?.root, PROGRAMS).await };
    steps
        .run("deb-page", "the bridge serves the page", page)
        .await;
    leave(steps, fresh()).await;
    upgrade(steps, debian, debs).await;
}

async fn leave(steps: &mut Steps, fresh: Result<&Installed>) {
    let fresh = fresh.ok();
    let fresh = || fresh.context("nothing is installed");
    let removed = async { remove(&fresh()?.root).await };
    steps
        .run("deb-remove", "removing them keeps the data", removed)
        .await;
    let purged = async {
        let Installed { root, before } = fresh()?;
        // apt does not know a package that is removed and has no settings.
        root.run(User::Root, &[&["dpkg", "--purge"], &NAMES[..]].concat())
            .await?;
        files::same(root, before)
    };
    steps
        .run("deb-purge", "purging them leaves nothing", purged)
        .await;
}

async fn upgrade(steps: &mut Steps, debian: &Debian, debs: &[PathBuf; 2]) {
    let mut older = None;
    let install = async {
        let root = older.insert(Root::debian(debian).await?);
        let folder = tempfile::tempdir()?;
        let mut repacked = Vec::new();
        for deb in debs {
            repacked.push(repack(deb, folder.path()).await?);
        }
        apt(root, "install", &repacked).await?;
        first_use(root).await
    };
    steps
        .run(
            "deb-older",
            "an older version is installed and used",
            install,
        )
        .await;
    let upgraded = async {
        let root = older.as_ref().context("nothing is installed")?;
        apt(root, "install", debs).await?;
        for name in NAMES {
            let query = ["dpkg-query", "--show", "--showformat=${Version}", name];
            let version = root.run(User::Root, &query).await?;
            ensure!(version != OLDER, "{name} is still the older one");
        }
        let _registry = chat::registry(root).await?;
        chat::meet_again(root, PROGRAMS).await
    };
    steps
        .run(
            "deb-upgrade",
            "an upgrade keeps accounts and history",
            upgraded,
        )
        .await;
}

async fn lintian(debs: &[PathBuf]) -> Result<()> {
    let mut lintian = Command::new("lintian");
    lintian.args([
        "--allow-root",
        "--fail-on",
        "error",
        "--tag-display-limit",
        "0",
    ]);
    process::run(lintian.args(debs)).await
}

/// Gives packages to apt, which has no other ones: what they depend on has to be there.
async fn apt(root: &Root, what: &str, debs: &[PathBuf]) -> Result<()> {
    let mut command = root.command(User::Root, "apt-get")?;
    command
        .args(["--yes", "-o", "APT::Sandbox::User=root", what])
        .env("DEBIAN_FRONTEND", "noninteractive");
    for deb in debs {
        command.arg(root.take(deb)?);
    }
    let printed = process::output(&mut command).await?;
    print!("{printed}");
    for deb in debs {
        let name = deb.file_name().context("a file without a name")?;
        fs::remove_file(root.path("/tmp").join(name))?;
    }
    Ok(())
}

/// Checks that each program is of the version of this source.
async fn version(root: &Root) -> Result<()> {
    for name in crate::cargo::ALL {
        let printed = root.run(ALICE, &[name, "--version"]).await?;
        print!("{printed}");
        ensure!(
            printed.contains(env!("CARGO_PKG_VERSION")),
            "another version"
        );
    }
    Ok(())
}

/// The files of both packages in a folder.
async fn files_in(root: &Root, folder: &str) -> Result<Vec<String>> {
    let listed = [&["dpkg", "--listfiles"], &NAMES[..]].concat();
    let listed = root.run(User::Root, &listed).await?;
    let inside = listed.lines().filter(|path| path.starts_with(folder));
    let files = inside.filter(|path| root.path(path).is_file());
    Ok(files.map(str::to_owned).collect())
}

async fn manuals(root: &Root) -> Result<()> {
    let pages = files_in(root, "/usr/share/man/").await?;
    for name in crate::cargo::ALL {
        let page = format!("/usr/share/man/man1/{name}.1.gz");
        let other = page.replace("1/", "8/").replace(".1.", ".8.");
        ensure!(
            pages.contains(&page) || pages.contains(&other),
            "{name} has no page"
        );
    }
    for page in &pages {
        let mut man = root.command(ALICE, "man")?;
        man.args(["--warnings=w", "--local-file", page]);
        let output = man
            .env("MANPAGER", "cat")
            .env("MANWIDTH", "80")
            .output()
            .await?;
        let [text, warnings] = [&output.stdout, &output.stderr].map(|b| String::from_utf8_lossy(b));
        ensure!(
            output.status.success() && warnings.is_empty(),
            "{page}: {warnings}"
        );
        ensure!(
            text.contains("NAME") && text.lines().count() > 10,
            "{page}: {text}"
        );
        println!("{page}: {} lines", text.lines().count());
    }
    let found = root.run(ALICE, &["man", "--where", "p2pchat"]).await?;
    ensure!(!found.trim().is_empty(), "man does not find p2pchat");
    Ok(())
}

async fn complete(root: &Root) -> Result<()> {
    for (program, begin, option) in [
        ("p2pchat", "--reg", "--registry"),
        ("p2pchat-bridge", "--lis", "--listen"),
        ("p2pchat-registry", "--sto", "--store"),
    ] {
        let words = ["bash", "-c", COMPLETE, "complete", program, begin];
        let completed = root.run(ALICE, &words).await?;
        let found = completed.lines().any(|word| word.trim() == option);
        ensure!(found, "{program} {begin}: {completed:?}");
        println!("{program} {begin}: {}", completed.trim().replace('\n', " "));
    }
    Ok(())
}

/// A registry runs, and people make accounts and chat.
async fn first_use(root: &Root) -> Result<()> {
    let _registry = chat::registry(root).await?;
    chat::meet(root, PROGRAMS).await
}

async fn remove(root: &Root) -> Result<()> {
    let remove = [&["apt-get", "--yes", "remove"], &NAMES[..]].concat();
    root.run(User::Root, &remove).await?;
    for name in crate::cargo::ALL {
        let program = root.path(PROGRAMS).join(name);
        ensure!(!program.exists(), "{} is still there", program.display());
    }
    for kept in [ACCOUNTS, "/home/alice/.local/share/p2pchat"] {
        ensure!(root.path(kept).exists(), "{kept} is gone");
    }
    Ok(())
}

/// The same package, of an older version.
async fn repack(deb: &Path, folder: &Path) -> Result<PathBuf> {
    let name = deb.file_name().and_then(|name| name.to_str());
    let name = name.context("a file without a name")?;
    let Some((package, rest)) = name.split_once('_') else {
        bail!("{name} names no version");
    };
    let (version, arch) = rest.rsplit_once('_').context("no architecture")?;
    let unpacked = folder.join(package);
    let dpkg = |option: &str| {
        let mut command = Command::new("dpkg-deb");
        command.arg(option);
        command
    };
    process::output(dpkg("--raw-extract").arg(deb).arg(&unpacked)).await?;
    let control = unpacked.join("DEBIAN/control");
    let fields = fs::read_to_string(&control)?;
    ensure!(
        fields.contains(version),
        "{name} is not of the version in its name"
    );
    fs::write(&control, fields.replace(version, OLDER))?;
    let older = folder.join(format!("{package}_{OLDER}_{arch}"));
    let mut build = dpkg("--build");
    // Compressing takes minutes, and is not what is tried.
    process::output(build.arg("-Znone").arg(&unpacked).arg(&older)).await?;
    Ok(older)
}
