//! Whether the page that lies in `dist` is that of today's source.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use crate::cargo::root;

/// What the page is made from.
const SOURCES: [&str; 10] = [
    "index.html",
    "Trunk.toml",
    "Cargo.toml",
    "Cargo.lock",
    "peer-web/Cargo.toml",
    "peer-web/assets",
    "peer-web/src",
    "peer-web/style",
    "crates/model/src",
    "crates/protocol/src",
];

/// Whether it is. The compressed form of the index page is written among the last files.
pub(super) fn is(dist: &Path) -> bool {
    let Some(built) = changed(&dist.join("index.html.br")) else {
        return false;
    };
    SOURCES
        .iter()
        .map(|name| newest(&root().join(name)))
        .all(|change| change.is_some_and(|change| change < built))
}

/// When a file, or something in a folder, was changed last.
fn newest(path: &Path) -> Option<SystemTime> {
    let own = changed(path)?;
    let Ok(entries) = fs::read_dir(path) else {
        return Some(own);
    };
    let within = entries.flatten().filter_map(|entry| newest(&entry.path()));
    Some(within.fold(own, SystemTime::max))
}

fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_fresh_only_while_it_is_newer_than_all_its_sources() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is(folder.path()), "there is no page at all");
        let page = folder.path().join("index.html.br");
        fs::write(&page, "").unwrap();
        assert!(is(folder.path()));
        let file = fs::File::options().write(true).open(&page).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert!(!is(folder.path()));
    }
}
