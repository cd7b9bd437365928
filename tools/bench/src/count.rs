//! Instructions, counted by valgrind and held against those of earlier.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::machine;
use crate::micro::Work;

/// How much a count may grow.
const MORE: f64 = 1.05;
/// In which function valgrind counts.
const MEASURED: &str = "--toggle-collect=*micro*measured*";

/// The counts of earlier.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Baseline {
    /// What compiled it: another compiler makes other instructions.
    rustc: String,
    /// By the name of the work.
    instructions: BTreeMap<String, u64>,
}

/// Counts all work, prints it beside what it was, and says whether all is well. With
/// `write` the new counts replace the old ones.
///
/// # Errors
/// If there is no valgrind or no baseline.
pub fn run(baseline: &Path, write: bool) -> Result<bool> {
    let before = match fs::read_to_string(baseline) {
        Ok(text) => serde_json::from_str(&text)?,
        Err(_) if write => Baseline::default(),
        Err(error) => bail!("cannot read {}: {error}", baseline.display()),
    };
    let rustc = machine::rustc().unwrap_or_default();
    if !before.rustc.is_empty() && before.rustc != rustc {
        println!("the baseline is of {}, this is {rustc}", before.rustc);
    }
    println!("{:<16} {:>12} {:>12}", "instructions", "before", "now");
    let mut now = BTreeMap::new();
    let mut grown = Vec::new();
    for work in Work::value_variants() {
        let name = name(*work);
        let count = count(&name)?;
        let old = before.instructions.get(&name).copied();
        println!("{}", line(&name, old, count));
        if old.is_some_and(|old| has_grown(old, count)) {
            grown.push(name.clone());
        }
        now.insert(name, count);
    }
    if write {
        let text = serde_json::to_string_pretty(&Baseline {
            rustc,
            instructions: now,
        })?;
        fs::write(baseline, text + "\n")
            .with_context(|| format!("cannot write {}", baseline.display()))?;
        println!("{} has the new counts", baseline.display());
        return Ok(true);
    }
    let unknown = now
        .keys()
        .filter(|name| !before.instructions.contains_key(*name));
    for name in unknown {
        println!("{name} is not in the baseline: cargo xtask bench --check --write-baseline");
        grown.push(name.clone());
    }
    Ok(grown.is_empty())
}

fn name(work: Work) -> String {
    let value = work.to_possible_value().expect("no work is hidden");
    value.get_name().to_owned()
}

/// Does the work under valgrind.
fn count(name: &str) -> Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args(["--collect-atstart=no", MEASURED])
        .arg(std::env::current_exe()?)
        .args(["work", name])
        .output()
        .context("cannot start valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("{name} under valgrind: {}\n{said}", output.status);
    }
    collected(&said).with_context(|| format!("valgrind counted nothing of {name}:\n{said}"))
}

/// `==12345== Collected : 67890`
fn collected(said: &str) -> Option<u64> {
    let (_, count) = said.split_once("Collected : ")?;
    let count = count.split_whitespace().next()?.parse().ok()?;
    (count > 0).then_some(count)
}

fn has_grown(before: u64, now: u64) -> bool {
    ratio(before, now) > MORE
}

fn ratio(before: u64, now: u64) -> f64 {
    // Both stay far below 2^52: exact.
    now as f64 / before as f64
}

fn line(name: &str, before: Option<u64>, now: u64) -> String {
    match before {
        None => format!("{name:<16} {:>12} {now:>12}", "-"),
        Some(before) => {
            let percent = (ratio(before, now) - 1.0) * 100.0;
            let verdict = if has_grown(before, now) {
                "  GROWN"
            } else {
                ""
            };
            format!("{name:<16} {before:>12} {now:>12} {percent:>+7.2} %{verdict}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_valgrind_counted_is_read() {
        assert_eq!(collected("==1== Events\n==1== Collected : 42\n"), Some(42));
        assert_eq!(collected("==1== Collected : 0\n"), None, "it saw nothing");
        assert_eq!(collected("no"), None);
    }

    #[test]
    fn more_than_five_percent_are_too_many() {
        assert!(!has_grown(1_000, 1_050));
        assert!(has_grown(1_000, 1_051));
        assert!(line("text", Some(1_000), 1_100).ends_with("+10.00 %  GROWN"));
        assert!(!line("text", Some(1_000), 900).contains("GROWN"));
    }
}
