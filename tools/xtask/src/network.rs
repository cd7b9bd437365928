//! What the tests of a real network take of the system.

use std::env;
use std::path::PathBuf;

use crate::apt;

/// The programs, and Debian's packages that have them.
const TOOLS: [(&str, &str); 2] = [("ip", "iproute2"), ("nft", "nftables")];
/// Where programs for the administrator lie; not on everybody's `PATH`.
const SYSTEM_FOLDERS: [&str; 2] = ["/usr/sbin", "/sbin"];

/// Installs what is missing, where that can be done. Where not it says so, and the tests
/// say that they are skipped.
pub async fn bring() {
    if !cfg!(target_os = "linux") {
        return println!("network namespaces are Linux's alone: no real network is tried");
    }
    let missing = |(name, package): (&str, &'static str)| (!is_there(name)).then_some(package);
    let packages: Vec<&str> = TOOLS.into_iter().filter_map(missing).collect();
    if packages.is_empty() {
        return;
    }
    if let Err(error) = apt::install(&packages).await {
        let packages = packages.join(" ");
        println!("no real network is tried without these packages: {packages} ({error:#})");
    }
}

fn is_there(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(SYSTEM_FOLDERS.map(PathBuf::from))
        .any(|folder| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_there_or_not() {
        assert!(is_there("sh"));
        assert!(!is_there("no-such-program"));
    }
}
