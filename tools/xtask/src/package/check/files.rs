//! What is in a root, to see what a package leaves behind.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Result, ensure};

use super::root::Root;

/// What is not the packages': the kernel's, the people's, and the notes of dpkg, apt and rpm about
/// what they did. `man` and systemd's tools have caches.
const LEFT_OUT: [&str; 16] = [
    "dev",
    "home",
    "proc",
    "run",
    "sys",
    "tmp",
    "root",
    "var/cache",
    "var/lib/apt",
    "var/lib/dpkg",
    "var/lib/rpm",
    "usr/lib/sysimage",
    "var/log",
    "etc/.pwd.lock",
    "etc/subuid-",
    "etc/subgid-",
];

/// Every path of a root, and its users and groups.
pub(super) fn list(root: &Root) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let base = root.path("/");
    collect(&base, &base, &mut found)?;
    for file in ["/etc/passwd", "/etc/group"] {
        let lines = fs::read_to_string(root.path(file))?;
        let names = lines.lines().filter_map(|line| line.split(':').next());
        found.extend(names.map(|name| format!("{name} in {file}")));
    }
    Ok(found)
}

fn collect(base: &Path, folder: &Path, found: &mut BTreeSet<String>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.strip_prefix(base)?;
        if LEFT_OUT.iter().any(|out| Path::new(out) == name) {
            continue;
        }
        found.insert(name.display().to_string());
        let metadata = fs::symlink_metadata(&path)?;
        if metadata.is_dir() && metadata.dev() == fs::metadata(base)?.dev() {
            collect(base, &path, found)?;
        }
    }
    Ok(())
}

/// Checks that a root has no more and no less than before.
pub(super) fn same(root: &Root, before: &BTreeSet<String>) -> Result<()> {
    let after = list(root)?;
    let more: Vec<&String> = after.difference(before).collect();
    let less: Vec<&String> = before.difference(&after).collect();
    ensure!(more.is_empty(), "left behind: {more:?}");
    ensure!(less.is_empty(), "taken away, but of others: {less:?}");
    println!("the same {} files, users and groups as before", after.len());
    Ok(())
}
