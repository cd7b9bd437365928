//! `cargo xtask deny`: what may get into p2pchat, as `deny.toml` has it, by cargo-deny.
//!
//! Licences, bans, sources and withdrawn versions are checked with what cargo has
//! already. What is known to be vulnerable or unmaintained is in the RustSec database,
//! which is on GitHub alone. Where that cannot be reached, the copy of an earlier run
//! serves; where there is none either, this says so and passes all the same.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;
use tokio::time::timeout;

use crate::cargo::root;
use crate::{process, tools};

/// What of `deny.toml` needs no database.
const OFFLINE: [&str; 3] = ["licenses", "bans", "sources"];
/// How long the database may take to come: 40 MB where nothing is there yet.
const FETCH: Duration = Duration::from_secs(180);
/// Where cargo-deny, of the version that is brought, has the database in its folder.
const DATABASE: &str = "advisory-db-3157b0e258782691";
/// The one advisory of a database without any, which cargo-deny does not take: about
/// nothing.
const NOTHING: &str = "```toml
[advisory]
id = \"RUSTSEC-0000-0001\"
package = \"no-package-has-this-name\"
date = \"2000-01-01\"

[versions]
patched = []
```

# Nothing
";
/// The section of `deny.toml` about advisories.
const SECTION: &str = "[advisories]\n";

/// Against what the advisories were checked. In words, for the report.
#[derive(Debug, PartialEq, Eq)]
pub enum Advisories {
    /// The database as it is now.
    Now,
    /// The copy that was fetched earlier; its last change was on this day.
    Copy(String),
    /// Nothing.
    Unchecked,
}

impl fmt::Display for Advisories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now => f.write_str("ok"),
            Self::Copy(day) => write!(f, "ok, by the advisories of {day}"),
            Self::Unchecked => f.write_str("ok, but ADVISORIES WERE NOT CHECKED"),
        }
    }
}

/// Checks everything that can be checked here.
///
/// # Errors
/// If something violates `deny.toml`, or cargo-deny is missing and cannot be brought.
pub async fn run() -> Result<Advisories> {
    let tool = tools::cargo_deny().await?;
    let mut check = deny(&tool);
    check.arg("check").args(OFFLINE);
    shown(&mut check).await?;
    let (database, advisories) = match fetch(&tool).await {
        Ok(()) => (None, Advisories::Now),
        Err(reason) => without_network(&reason).await?,
    };
    let mut check = deny(&tool);
    // Nothing more comes from the network from here on.
    check.arg("--offline");
    let Some(config) = database else {
        check.args(["check", "advisories"]);
        shown(&mut check).await?;
        return Ok(advisories);
    };
    check.arg("--config").arg(config);
    // It has none of those that `deny.toml` ignores.
    check.args(["check", "--allow", "unknown-advisory"]);
    check.args(["--allow", "advisory-not-detected", "advisories"]);
    // What it prints would read as if there had been advisories to check.
    process::output(&mut check).await?;
    println!("No version in use has been withdrawn.");
    Ok(advisories)
}

fn deny(tool: &Path) -> Command {
    let mut command = Command::new(tool);
    command.current_dir(root()).arg("--locked");
    command
}

async fn shown(command: &mut Command) -> Result<()> {
    println!("{}", process::shown(command));
    process::run(command).await
}

/// Brings the database up to date. The error is for people.
async fn fetch(tool: &Path) -> Result<(), String> {
    let mut command = deny(tool);
    command.args(["fetch", "db"]);
    println!("{}", process::shown(&command));
    match timeout(FETCH, process::output(&mut command)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(last_line(&format!("{error:#}"))),
        Err(_) => Err(format!("it took more than {} s", FETCH.as_secs())),
    }
}

/// What can still be checked: the configuration to do it with, where it is another, and
/// what that is worth.
async fn without_network(reason: &str) -> Result<(Option<PathBuf>, Advisories)> {
    println!("The RustSec database cannot be fetched: {reason}");
    let copy = cargo_home()?.join("advisory-dbs").join(DATABASE);
    if copy.join("crates").is_dir() {
        let mut log = Command::new("git");
        log.arg("-C").arg(&copy).args(["log", "-1", "--format=%cs"]);
        let day = process::output(&mut log).await?.trim().to_owned();
        println!("Its copy here is of {day}; what was found out since is not in it.");
        return Ok((None, Advisories::Copy(day)));
    }
    println!(
        "There is no earlier copy of it, so ADVISORIES ARE NOT CHECKED: whether a dependency \
         is known to be vulnerable or unmaintained. Run `cargo xtask deny` where GitHub can \
         be reached. Withdrawn versions are looked for all the same."
    );
    Ok((Some(empty_database()?), Advisories::Unchecked))
}

/// A configuration whose database says nothing: cargo-deny looks for withdrawn versions
/// only together with advisories.
fn empty_database() -> Result<PathBuf> {
    let folder = root().join("target/deny");
    let database = folder.join(DATABASE);
    for part in ["crates", ".git"] {
        fs::create_dir_all(database.join(part))?;
    }
    fs::write(database.join("crates/nothing.md"), NOTHING)?;
    // Its age is that of this file.
    fs::write(database.join(".git/FETCH_HEAD"), "")?;
    let config = folder.join("deny.toml");
    let policy = fs::read_to_string(root().join("deny.toml")).context("deny.toml")?;
    fs::write(&config, with_database(&policy, &folder)?)?;
    Ok(config)
}

/// The policy, with databases in this folder.
fn with_database(policy: &str, folder: &Path) -> Result<String> {
    ensure!(
        policy.matches(SECTION).count() == 1,
        "deny.toml needs one section [advisories]"
    );
    // A string of TOML, quotes and escapes included.
    let folder = serde_json::to_string(&folder.display().to_string())?;
    let section = format!("{SECTION}db-path = {folder}\n");
    Ok(policy.replace(SECTION, &section))
}

fn cargo_home() -> Result<PathBuf> {
    if let Some(home) = std::env::var_os("CARGO_HOME") {
        return Ok(home.into());
    }
    let home = std::env::var_os("HOME").context("HOME is not set")?;
    Ok(PathBuf::from(home).join(".cargo"))
}

/// What a program says last is why it ended.
fn last_line(said: &str) -> String {
    let mut lines = said.lines().map(str::trim);
    lines
        .rfind(|line| !line.is_empty())
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_stays_but_for_the_database() {
        let policy = "[bans]\na = 1\n[advisories]\nyanked = \"deny\"\n";
        assert_eq!(
            with_database(policy, Path::new("/a \"b")).unwrap(),
            "[bans]\na = 1\n[advisories]\ndb-path = \"/a \\\"b\"\nyanked = \"deny\"\n"
        );
        assert!(with_database("[bans]\n", Path::new("/a")).is_err());
        let ours = fs::read_to_string(root().join("deny.toml")).unwrap();
        assert!(with_database(&ours, Path::new("/a")).is_ok());
    }

    #[test]
    fn the_report_says_that_advisories_were_not_checked() {
        assert!(Advisories::Unchecked.to_string().contains("NOT CHECKED"));
        assert!(!Advisories::Now.to_string().contains("NOT"));
        let copy = Advisories::Copy("2026-08-21".to_owned());
        assert!(copy.to_string().contains("2026-08-21"));
    }

    #[test]
    fn the_reason_is_what_was_said_last() {
        assert_eq!(last_line("`x`: exit\n  why: no host\n\n"), "why: no host");
        assert_eq!(last_line(""), "");
    }
}
