//! What those who package take from here, and the workflows: filled in, and read by the tools
//! that will read them.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use p2pchat_testkit::skip;
use tempfile::TempDir;
use xtask::cargo::root;
use xtask::package::recipes::{self, RECIPES, REPOSITORY};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const SYSTEMS: [&str; 3] = ["x86_64-linux", "aarch64-linux", "aarch64-macos"];

/// The recipes of packages that have made-up checksums.
fn filled() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let sums = SYSTEMS.iter().zip('a'..).map(|(system, digit)| {
        let sum = digit.to_string().repeat(64);
        format!("{sum}  p2pchat-{VERSION}-{system}.tar.gz\n")
    });
    fs::write(folder.path().join("SHA256SUMS"), sums.collect::<String>()).unwrap();
    let written = recipes::write(folder.path(), folder.path()).unwrap();
    assert_eq!(written.len(), RECIPES.len());
    folder
}

/// Runs a tool in a folder, which has to accept what it is given; what it printed. `None` if the
/// tool is not here.
fn accepted(folder: &Path, words: &[&str]) -> Option<String> {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).current_dir(folder);
    let output = match command.output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            skip(&format!("{} is not installed", words[0]));
            return None;
        }
        Err(error) => panic!("{words:?}: {error}"),
    };
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (said(&output.stdout), said(&output.stderr));
    assert!(output.status.success(), "{words:?}: {out}{err}");
    Some(out)
}

#[test]
fn a_recipe_has_the_version_the_address_and_the_checksums_of_what_was_built() {
    let folder = filled();
    for (recipe, systems) in [
        ("p2pchat.rb", &SYSTEMS[..]),
        ("PKGBUILD", &SYSTEMS[..2]),
        (".SRCINFO", &SYSTEMS[..2]),
    ] {
        let text = fs::read_to_string(folder.path().join(recipe)).unwrap();
        assert!(
            text.contains(VERSION) && text.contains(REPOSITORY),
            "{recipe}"
        );
        for left in ["VERSION", "SHA256_", "REPOSITORY"] {
            assert!(!text.contains(left), "{recipe}: {left}");
        }
        for (digit, _) in ('a'..).zip(systems) {
            let sum = digit.to_string().repeat(64);
            assert_eq!(text.matches(&sum).count(), 1, "{recipe}: {sum}");
        }
    }
}

#[test]
fn no_recipe_and_no_workflow_has_a_version_or_an_address_of_its_own() {
    let workflows = [".github/workflows/ci.yml", ".github/workflows/release.yml"];
    for file in RECIPES.iter().chain(&workflows).chain(&["flake.nix"]) {
        let text = fs::read_to_string(root().join(file)).unwrap();
        assert!(!text.contains(VERSION), "{file}");
        let addresses = text.matches("github.com/").count();
        assert_eq!(addresses, 0, "{file}");
    }
    let flake = fs::read_to_string(root().join("flake.nix")).unwrap();
    let ours = REPOSITORY.trim_start_matches("https://github.com/");
    assert!(flake.contains(&format!("github:{ours}")));
}

#[test]
fn ruby_takes_the_formula() {
    let folder = filled();
    accepted(folder.path(), &["ruby", "-c", "p2pchat.rb"]);
}

#[test]
fn bash_and_makepkg_take_the_pkgbuild() {
    let folder = filled();
    accepted(folder.path(), &["bash", "-n", "PKGBUILD"]).unwrap();
    // What the lint of makepkg finds, it says.
    let shown = [
        "--shell=bash",
        "--exclude=SC2034,SC2154,SC2164,SC2155",
        "PKGBUILD",
    ];
    accepted(folder.path(), &[&["shellcheck"], &shown[..]].concat());
    // It does not run as root, and looks for a pacman, which it does not need for this.
    let mut words = vec!["env", "PACMAN=true", "makepkg", "--printsrcinfo"];
    if rustix::process::geteuid().is_root() {
        fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
        let nobody = [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
        ];
        words.splice(0..0, nobody);
    }
    if accepted(folder.path(), &["makepkg", "--version"]).is_some() {
        let printed = accepted(folder.path(), &words).unwrap();
        let ours = fs::read_to_string(folder.path().join(".SRCINFO")).unwrap();
        let lines = |text: &str| -> Vec<String> {
            let lines = text.lines().filter(|line| !line.is_empty());
            lines.map(str::to_owned).collect()
        };
        assert_eq!(lines(&printed), lines(&ours));
    }
}

#[test]
fn nix_reads_the_flake() {
    accepted(root(), &["nix-instantiate", "--parse", "flake.nix"]);
}

#[test]
fn actionlint_takes_the_workflows() {
    accepted(root(), &["actionlint", "-no-color"]);
}
