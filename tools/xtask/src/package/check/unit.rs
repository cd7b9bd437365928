//! What systemd would do with a unit: the part that matters where no systemd runs.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use super::root::{Root, User};

/// A service of the system.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unit {
    /// The command line of `ExecStart=`.
    pub(super) command: Vec<String>,
    environment: BTreeMap<String, String>,
    /// Files with more of it; a `-` before the name says that it need not be there.
    environment_files: Vec<String>,
    user: String,
}

impl Unit {
    /// Reads the unit of a root.
    pub(super) fn read(root: &Root, path: &str) -> Result<Self> {
        let text = fs::read_to_string(root.path(path))
            .with_context(|| format!("no unit {path} is installed"))?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self> {
        let mut unit = Self {
            command: Vec::new(),
            environment: BTreeMap::new(),
            environment_files: Vec::new(),
            user: String::new(),
        };
        let lines = text.lines().skip_while(|line| *line != "[Service]").skip(1);
        for line in lines.take_while(|line| !line.starts_with('[')) {
            let Some((key, value)) = line.split_once('=') else {
                continue;
            };
            // The folder of a service's state.
            let value = value.replace("%S", "/var/lib");
            match key {
                "ExecStart" => unit.command = value.split(' ').map(str::to_owned).collect(),
                "Environment" => unit.set(&value)?,
                "EnvironmentFile" => unit.environment_files.push(value),
                "User" => unit.user = value,
                "DynamicUser" if value == "yes" => bail!("who owns its files is not told here"),
                _ => {}
            }
        }
        Ok(unit)
    }

    fn set(&mut self, line: &str) -> Result<()> {
        let (name, value) = line.split_once('=').context("a variable without a value")?;
        let value = value.trim_matches('"');
        self.environment.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    /// The command that starts it in a root.
    pub(super) fn start(mut self, root: &Root) -> Result<Command> {
        for file in std::mem::take(&mut self.environment_files) {
            let path = file.trim_start_matches('-');
            match fs::read_to_string(root.path(path)) {
                Ok(text) => {
                    let is_set = |line: &&str| !line.is_empty() && !line.starts_with('#');
                    text.lines()
                        .filter(is_set)
                        .try_for_each(|line| self.set(line))?;
                }
                Err(_) if file.starts_with('-') => {}
                Err(error) => bail!("{path}: {error}"),
            }
        }
        let user = system_user(root, &self.user)?;
        let (program, arguments) = self.command.split_first().context("it starts nothing")?;
        let mut command = root.command(user, program)?;
        command
            .args(arguments)
            .env_remove("HOME")
            .envs(self.environment);
        Ok(command)
    }
}

/// The ids of a user in the root's list of them.
fn system_user(root: &Root, name: &str) -> Result<User> {
    let users = fs::read_to_string(root.path("/etc/passwd"))?;
    let ids = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let is_them = fields.next() == Some(name);
        let ids = [fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?];
        is_them.then_some(ids)
    });
    let [user, group] = ids.with_context(|| format!("there is no user {name:?}"))?;
    Ok(User::System(user, group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_says_what_is_started_and_by_which_user() {
        let text = "# comment\n[Unit]\nUser=no\n[Service]\nUser=reg\n\
            Environment=A=%S/x\nEnvironment=\"B=b c\"\nEnvironmentFile=-/etc/e\n\
            ExecStart=/usr/bin/p --a b\n[Install]\nUser=no\n";
        let unit = Unit::parse(&text.replace("\"B=b c\"", "B=\"b c\"")).unwrap();
        assert_eq!(unit.command, ["/usr/bin/p", "--a", "b"]);
        assert_eq!(unit.user, "reg");
        assert_eq!(unit.environment["A"], "/var/lib/x");
        assert_eq!(unit.environment["B"], "b c");
        assert_eq!(unit.environment_files, ["-/etc/e"]);
        let dynamic = text.replace("User=reg", "DynamicUser=yes");
        assert!(Unit::parse(&dynamic).is_err());
    }
}
