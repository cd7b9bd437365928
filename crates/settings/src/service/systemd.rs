//! systemd: a unit of the system, or of a user.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Installation, Scope, ServiceError, Step};

/// Where packages put units, below the root, for the system and for users.
const OF_PACKAGES: [&str; 2] = ["lib/systemd", "usr/lib/systemd"];

/// Where a service of the system must not be: what is hidden from it, and what does not last.
pub(super) const OUT_OF_REACH: [&str; 5] = ["/home", "/root", "/run/user", "/tmp", "/var/tmp"];

/// What begins the line that says which program is run.
const RUNS: &str = "ExecStart=";

impl Installation {
    pub(super) fn check_reach(&self) -> Result<(), ServiceError> {
        let is_hidden = OUT_OF_REACH
            .iter()
            .any(|folder| self.program.starts_with(folder));
        if self.scope == Scope::System && is_hidden {
            let program = self.program.clone();
            return Err(ServiceError::OutOfReach(program, self.service.name));
        }
        Ok(())
    }

    pub(super) fn install_unit(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.packaged().is_none() {
            steps.push(Step::Write(self.unit_path(), self.unit()));
        }
        for words in [
            ["daemon-reload"].as_slice(),
            &["enable", self.service.name],
            // Starts it too; one that runs may be an older version.
            &["restart", self.service.name],
        ] {
            steps.push(Step::Run(self.systemctl(words)));
        }
        steps
    }

    pub(super) fn uninstall_unit(&self, purge: bool) -> Vec<Step> {
        let name = self.service.name;
        let mut steps = vec![Step::Try(self.systemctl(&["disable", "--now", name]))];
        if purge && self.scope == Scope::System {
            // Before the unit goes, which says what is its state.
            steps.push(Step::Run(self.systemctl(&["clean", "--what=state", name])));
        }
        if self.packaged().is_none() {
            steps.push(Step::Remove(self.unit_path()));
        }
        steps.push(Step::Run(self.systemctl(&["daemon-reload"])));
        steps
    }

    pub(super) fn advice_on_unit(&self) -> Vec<String> {
        let name = self.service.name;
        let line = |words: &[&str]| self.systemctl(words).join(" ");
        let mut advice = match self.scope {
            Scope::System => vec![format!(
                "{name} is a service of this system, from each boot on."
            )],
            Scope::User => vec![
                format!("{name} is a service of yours, from each login on."),
                "To let it run while you are logged out: loginctl enable-linger".to_owned(),
            ],
        };
        let journal = match self.scope {
            Scope::System => "journalctl -u",
            Scope::User => "journalctl --user -u",
        };
        let sudo = match self.scope {
            Scope::System => "sudo ",
            Scope::User => "",
        };
        advice.push(format!("Its log: {journal} {name}"));
        advice.push(format!("To stop it: {sudo}{}", line(&["stop", name])));
        advice.push(format!(
            "To remove it: {sudo}{} uninstall",
            self.program.display()
        ));
        advice
    }

    pub(super) fn systemctl(&self, words: &[&str]) -> Vec<String> {
        let scope = match self.scope {
            Scope::System => None,
            Scope::User => Some("--user"),
        };
        let words = ["systemctl"]
            .into_iter()
            .chain(scope)
            .chain(words.iter().copied());
        words.map(str::to_owned).collect()
    }

    fn file(&self) -> String {
        format!("{}.service", self.service.name)
    }

    pub(super) fn unit_path(&self) -> PathBuf {
        let folder = match self.scope {
            Scope::System => Path::new(self.service.root).join("etc/systemd/system"),
            Scope::User => self.config.join("systemd/user"),
        };
        folder.join(self.file())
    }

    /// The unit as it will be: that of a package, or ours with the path of this program.
    #[must_use]
    pub fn unit(&self) -> String {
        if let Some(unit) = self.packaged() {
            return unit;
        }
        let unit = match self.scope {
            Scope::System => self.service.system_unit,
            Scope::User => self.service.user_unit,
        };
        let lines = unit.lines().map(|line| {
            if line.starts_with(RUNS) {
                self.runs() + "\n"
            } else {
                format!("{line}\n")
            }
        });
        lines.collect()
    }

    /// The line that says which program is run.
    fn runs(&self) -> String {
        let path = self.program.to_string_lossy();
        let mut quoted = String::new();
        for c in path.chars() {
            match c {
                '%' | '$' => quoted.extend([c, c]),
                '"' | '\\' => quoted.extend(['\\', c]),
                _ => quoted.push(c),
            }
        }
        if path
            .chars()
            .any(|c| c.is_whitespace() || "\"'\\".contains(c))
        {
            quoted = format!("\"{quoted}\"");
        }
        format!("{RUNS}{quoted}")
    }

    /// The unit that a package has put here for this program; it is used as it is.
    pub(super) fn packaged(&self) -> Option<String> {
        let scope = match self.scope {
            Scope::System => "system",
            Scope::User => "user",
        };
        OF_PACKAGES.iter().find_map(|folder| {
            let folder = Path::new(self.service.root).join(folder).join(scope);
            let unit = fs::read_to_string(folder.join(self.file())).ok()?;
            let runs = self.runs();
            unit.lines().any(|line| line == runs).then_some(unit)
        })
    }
}
