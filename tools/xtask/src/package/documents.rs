//! Manual pages and completions, which the programs write themselves.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use super::build::Built;
use crate::cargo::{self, ALL};
use crate::process;

/// The shells whose completions are in packages.
pub(super) const SHELLS: [&str; 4] = ["bash", "zsh", "fish", "powershell"];

/// What the programs write about themselves.
#[derive(Debug, Default)]
pub(super) struct Documents {
    /// Manual pages, by their file names.
    pub(super) manual: BTreeMap<String, Vec<u8>>,
    /// Completions, by program and shell.
    pub(super) completions: BTreeMap<(&'static str, &'static str), Vec<u8>>,
}

impl Documents {
    /// Asks the programs: some that were built for this machine, or else others.
    ///
    /// # Errors
    /// If a program does not write them.
    pub(super) async fn write(built: &[Built]) -> Result<Self> {
        let native = built.iter().find(|built| built.target.runs_here());
        let programs: BTreeMap<&str, PathBuf> = if let Some(built) = native {
            ALL.map(|name| (name, built.path(name))).into()
        } else {
            process::step("building the programs for this machine, for their manual pages");
            let programs = cargo::build(&ALL, false).await?;
            let paths = ALL.map(|name| programs.path(name).map(|path| (name, path.to_owned())));
            paths.into_iter().collect::<Result<_>>()?
        };
        process::step("writing manual pages and completions");
        let mut documents = Self::default();
        for name in ALL {
            documents.ask(name, &programs[name]).await?;
        }
        Ok(documents)
    }

    async fn ask(&mut self, name: &'static str, program: &Path) -> Result<()> {
        for shell in SHELLS {
            let script = process::output(alone(program).args(["completions", shell])).await?;
            self.completions.insert((name, shell), script.into_bytes());
        }
        let folder = tempfile::tempdir()?;
        process::output(alone(program).arg("man").arg(folder.path())).await?;
        for entry in fs::read_dir(folder.path())? {
            let entry = entry?;
            let page = fs::read(entry.path())?;
            let file = entry.file_name().to_string_lossy().into_owned();
            self.manual.insert(file, page);
        }
        let own = format!("{name}.1");
        let written = self.manual.contains_key(&own);
        ensure!(written, "{name} has not written the manual page {own}");
        Ok(())
    }
}

/// A program that does not see the settings of the user who builds.
fn alone(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    for name in ["PATH", "HOME"] {
        command.envs(env::var_os(name).map(|value| (name, value)));
    }
    command
}

/// The section of a manual page, the digit at the end of its name.
///
/// # Errors
/// If it has none.
pub(super) fn section(page: &str) -> Result<&str> {
    let section = page.rsplit_once('.').map(|(_, section)| section);
    section
        .filter(|section| section.len() == 1 && section.bytes().all(|byte| byte.is_ascii_digit()))
        .with_context(|| format!("{page} is not the name of a manual page"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_page_goes_into_the_section_of_its_name() {
        assert_eq!(section("p2pchat.1").unwrap(), "1");
        assert_eq!(section("p2pchat.toml.5").unwrap(), "5");
        assert!(section("p2pchat.toml").is_err());
        assert!(section("README").is_err());
    }
}
