//! The units of systemd as packages have them: those for operators, with other paths.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::cargo::root;

/// The unit of the bridge, for a user, with its program in this folder.
///
/// # Errors
/// If the unit in the source has changed in a way that is not known here.
pub(super) fn bridge(folder: &str) -> Result<String> {
    let path = format!("ExecStart={folder}/p2pchat-bridge");
    edited(
        "p2pchat-bridge",
        &[("ExecStart=%h/.cargo/bin/p2pchat-bridge", &path)],
    )
}

/// The unit of the registry. Its user is one of the system: an operator who manages accounts
/// can act as that user.
///
/// # Errors
/// As [`bridge`].
pub(super) fn registry() -> Result<String> {
    let changes = [
        ("ExecStart=/usr/local/bin/", "ExecStart=/usr/bin/"),
        ("DynamicUser=yes", "User=p2pchat-registry"),
    ];
    edited("p2pchat-registry", &changes)
}

fn edited(name: &str, changes: &[(&str, &str)]) -> Result<String> {
    let path = format!("ops/{name}.service");
    let unit = fs::read_to_string(root().join(&path)).with_context(|| path.clone())?;
    // The lines before say how to install it by hand.
    let start = unit
        .find("[Unit]")
        .with_context(|| format!("{path}: no [Unit]"))?;
    let mut unit = unit[start..].to_owned();
    for (from, to) in changes {
        ensure!(
            unit.matches(from).count() == 1,
            "{path} has not one `{from}`"
        );
        unit = unit.replace(from, to);
    }
    Ok(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_units_run_the_programs_of_the_package() {
        let registry = registry().unwrap();
        assert!(registry.starts_with("[Unit]"));
        assert!(registry.contains("\nExecStart=/usr/bin/p2pchat-registry\n"));
        assert!(registry.contains("\nUser=p2pchat-registry\n"));
        assert!(!registry.contains("DynamicUser"));
        let bridge = bridge("/usr/bin").unwrap();
        assert!(bridge.contains("\nExecStart=/usr/bin/p2pchat-bridge\n"));
        assert!(!bridge.contains(".cargo"));
    }

    #[test]
    fn a_unit_that_has_changed_is_not_taken_as_it_is() {
        assert!(edited("p2pchat-registry", &[("DynamicUser=no", "User=a")]).is_err());
    }
}
