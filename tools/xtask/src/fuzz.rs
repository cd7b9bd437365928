//! `cargo xtask fuzz`: the coverage-guided fuzz targets, bounded and summed up.
//!
//! Each target begins with what is in `tests/fuzz/corpus` and `tests/fuzz/regressions`, and keeps
//! what it finds worth keeping in the cache, where the next run finds it.

mod report;

use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::cargo::root;
use crate::process::{self, Group};
use crate::{cache, tools};
use report::{Outcome, Report};

/// The most memory that a target may take, in MiB: the greatest limits on what others may
/// send are a few. Beyond it, the input is a finding.
const MEMORY_MIB: u32 = 2048;
/// How long one input may take, in seconds, on a machine that has other things to do.
const INPUT_SECONDS: u32 = 60;
/// How long an input may be, in bytes, unless the corpus has a longer one.
const INPUT_BYTES: u32 = 4096;
/// How much longer than asked for a target may run: it has to end its last input.
const GRACE: Duration = Duration::from_secs(120);

/// What to fuzz.
#[derive(Debug, Args)]
pub struct Options {
    /// Only these targets; all if none is named
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// How long each target runs
    #[arg(long, value_name = "N", default_value = "3")]
    minutes: NonZeroUsize,
}

/// Runs the targets, as many at a time as there are cores.
///
/// # Errors
/// If cargo-fuzz is missing and cannot be brought, the targets do not build, or one of
/// them cannot be run. Findings are part of the report.
pub async fn run(options: &Options) -> Result<ExitCode> {
    let targets = chosen(&options.targets)?;
    let tool = tools::cargo_fuzz().await?;
    build(&tool).await?;
    let minutes = options.minutes.get() as u64;
    let limit = Duration::from_secs(60 * minutes);
    let cores = available_parallelism().map_or(1, NonZeroUsize::get);
    let rounds = targets.len().div_ceil(cores) as u64;
    println!(
        "{} targets, {minutes} minutes each, {cores} at a time: {} minutes",
        targets.len(),
        rounds * minutes
    );
    let places = Arc::new(Semaphore::new(cores));
    let mut running = JoinSet::new();
    for target in targets {
        let place = Arc::clone(&places);
        running.spawn(async move {
            let _place = place.acquire_owned().await?;
            fuzz(&target, limit)
                .await
                .with_context(|| format!("the target {target}"))
        });
    }
    let mut report = Report::default();
    while let Some(outcome) = running.join_next().await {
        let outcome = outcome??;
        println!("{}", outcome.in_words());
        report.add(outcome);
    }
    println!("{report}");
    Ok(match report.is_good() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn folder() -> PathBuf {
    root().join("tests/fuzz")
}

/// All targets that there are, or those that are asked for.
fn chosen(asked: &[String]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder().join("fuzz_targets"))? {
        let path = entry?.path();
        let name = path.file_stem().context("a file without a name")?;
        all.push(name.to_string_lossy().into_owned());
    }
    all.sort();
    if let Some(unknown) = asked.iter().find(|name| !all.contains(name)) {
        bail!("there is no target {unknown}; there are {}", all.join(", "));
    }
    Ok(match asked.is_empty() {
        true => all,
        false => asked.to_vec(),
    })
}

/// Builds all targets. No sanitizer: there is no unsafe code in what is fuzzed, without
/// one twice as many inputs are tried, and stable Rust will do.
async fn build(tool: &Path) -> Result<()> {
    let mut command = Command::new(tool);
    command
        .args([
            "fuzz",
            "build",
            "--fuzz-dir=tests/fuzz",
            "--sanitizer=none",
            "--target-dir",
        ])
        .arg(built())
        .current_dir(root());
    println!("{}", process::shown(&command));
    process::run(&mut command).await
}

fn built() -> PathBuf {
    root().join("target/fuzz")
}

/// Where cargo-fuzz has put a target: the folder has the name of this system.
fn program(target: &str) -> Result<PathBuf> {
    let folders = fs::read_dir(built())?.filter_map(|entry| Some(entry.ok()?.path()));
    folders
        .map(|folder| folder.join("release").join(target))
        .find(|program| program.is_file())
        .with_context(|| format!("cargo-fuzz has not built {target}"))
}

/// Runs one target until its time is over or it finds something.
async fn fuzz(target: &str, limit: Duration) -> Result<Outcome> {
    let kept = cache::folder()?.join("fuzz");
    let corpus = kept.join("corpus").join(target);
    let findings = kept.join("findings").join(target);
    for folder in [&corpus, &findings] {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let log = kept.join(format!("{target}.log"));
    let known = count(&findings);
    let mut command = Command::new(program(target)?);
    command
        .args([
            format!("-max_total_time={}", limit.as_secs()),
            format!("-rss_limit_mb={MEMORY_MIB}"),
            format!("-timeout={INPUT_SECONDS}"),
            format!("-max_len={INPUT_BYTES}"),
            format!("-artifact_prefix={}/", findings.display()),
            "-print_final_stats=1".to_owned(),
        ])
        .args(dictionary(target))
        .arg(&corpus)
        .args(committed(target))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&log).with_context(|| format!("cannot make {}", log.display()))?);
    // Files that are written and thrown away a thousand times a second.
    let in_memory = Path::new("/dev/shm");
    if in_memory.is_dir() {
        command.env("TMPDIR", in_memory);
    }
    let mut group = Group::spawn(&mut command)?;
    let ended = timeout(limit + GRACE, group.wait()).await;
    let ended = ended.context("it did not end when its time was over")??;
    let said = fs::read(&log)?;
    Ok(Outcome {
        target: target.to_owned(),
        is_good: ended.success() && count(&findings) == known,
        figures: report::figures(&String::from_utf8_lossy(&said)),
        corpus: count(&corpus),
        findings: count(&findings) - known,
        findings_in: findings,
        log,
    })
}

fn dictionary(target: &str) -> Option<String> {
    let path = folder().join(format!("dictionaries/{target}.dict"));
    path.is_file().then(|| format!("-dict={}", path.display()))
}

/// What is in the repository for a target.
fn committed(target: &str) -> Vec<PathBuf> {
    let folders = ["corpus", "regressions"].map(|kind| folder().join(kind).join(target));
    folders.into_iter().filter(|path| path.is_dir()).collect()
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}
