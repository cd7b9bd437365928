//! What there are packages for: one row of a table each.

use std::env::consts;

use anyhow::{Context, Result};

/// How programs are handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A `.tar.gz` to unpack anywhere.
    Tarball,
    /// The same as a `.zip`, which Windows opens by itself.
    Zip,
    /// Packages of distributions: `.deb` and `.rpm`.
    Distribution,
}

/// A kind of machine, and what is made for it.
#[derive(Debug)]
pub(super) struct Target {
    /// Its name in Rust.
    pub(super) triple: &'static str,
    /// What is added to that for the linker: the oldest glibc that the programs run with.
    pub(super) libc: &'static str,
    /// Its name in that of an archive.
    pub(super) name: &'static str,
    /// What is made.
    pub(super) form: Form,
    /// Whether it is made if no target is named.
    pub(super) by_default: bool,
}

/// glibc of Debian 10, RHEL 8 and Ubuntu 20.04: all that is newer runs the programs too.
const OLD_GLIBC: &str = ".2.28";

/// All of them. The static programs run on any Linux; those in packages of distributions are
/// linked with the C library of the system, as distributions want it.
pub(super) static TARGETS: [Target; 6] = [
    Target {
        triple: "x86_64-unknown-linux-musl",
        libc: "",
        name: "x86_64-linux",
        form: Form::Tarball,
        by_default: true,
    },
    Target {
        triple: "x86_64-unknown-linux-gnu",
        libc: OLD_GLIBC,
        name: "x86_64-linux",
        form: Form::Distribution,
        by_default: true,
    },
    Target {
        triple: "aarch64-unknown-linux-musl",
        libc: "",
        name: "aarch64-linux",
        form: Form::Tarball,
        by_default: false,
    },
    Target {
        triple: "aarch64-unknown-linux-gnu",
        libc: OLD_GLIBC,
        name: "aarch64-linux",
        form: Form::Distribution,
        by_default: false,
    },
    Target {
        triple: "aarch64-apple-darwin",
        libc: "",
        name: "aarch64-macos",
        form: Form::Tarball,
        by_default: false,
    },
    Target {
        triple: "x86_64-pc-windows-gnu",
        libc: "",
        name: "x86_64-windows",
        form: Form::Zip,
        by_default: false,
    },
];

impl Target {
    /// The target of this name in Rust.
    ///
    /// # Errors
    /// If there is no row for it.
    pub(super) fn of(triple: &str) -> Result<&'static Self> {
        let found = TARGETS.iter().find(|target| target.triple == triple);
        found.with_context(|| format!("there are no packages for {triple}"))
    }

    /// A program of this name, as it is called there.
    #[must_use]
    pub(super) fn program(&self, name: &str) -> String {
        if self.is_windows() {
            format!("{name}.exe")
        } else {
            name.to_owned()
        }
    }

    /// Whether it is Windows, where nothing has man pages.
    #[must_use]
    pub(super) fn is_windows(&self) -> bool {
        self.triple.contains("windows")
    }

    /// Whether it is Linux, which has systemd.
    #[must_use]
    pub(super) fn is_linux(&self) -> bool {
        self.triple.contains("linux")
    }

    /// Whether it is macOS.
    #[must_use]
    pub(super) fn is_macos(&self) -> bool {
        self.triple.contains("apple")
    }

    /// Whether its programs run on this machine.
    #[must_use]
    pub(super) fn runs_here(&self) -> bool {
        self.name == format!("{}-{}", consts::ARCH, consts::OS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_found_by_its_triple_and_makes_another_file() {
        for target in &TARGETS {
            assert_eq!(Target::of(target.triple).unwrap().triple, target.triple);
            let twins = TARGETS
                .iter()
                .filter(|other| (other.name, other.form) == (target.name, target.form));
            assert_eq!(twins.count(), 1, "{}", target.triple);
        }
        assert!(Target::of("riscv64gc-unknown-linux-gnu").is_err());
    }

    #[test]
    fn a_program_is_called_as_its_system_wants_it() {
        let windows = Target::of("x86_64-pc-windows-gnu").unwrap();
        assert_eq!(windows.program("p2pchat"), "p2pchat.exe");
        assert!(windows.is_windows() && !windows.is_linux());
        let linux = Target::of("aarch64-unknown-linux-musl").unwrap();
        assert_eq!(linux.program("p2pchat"), "p2pchat");
        assert!(linux.is_linux() && !linux.is_windows() && !linux.is_macos());
        assert!(Target::of("aarch64-apple-darwin").unwrap().is_macos());
    }

    #[test]
    fn by_default_there_are_packages_of_both_forms_for_one_machine() {
        let default = TARGETS.iter().filter(|target| target.by_default);
        let made: Vec<_> = default.map(|target| (target.name, target.form)).collect();
        let name = "x86_64-linux";
        assert_eq!(made, [(name, Form::Tarball), (name, Form::Distribution)]);
    }
}
