//! `cargo xtask fuzz`: the coverage-guided fuzz targets, each for a limited time.
//!
//! A target begins with the committed inputs (`tests/fuzz/corpus`). Inputs that
//! reach new code go to the cache, where the next run finds them.

use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::cargo::{cargo, root};
use crate::process::{self, Group};
use crate::{system, tools};

/// The most memory that a target may take, in MiB; more is a finding. No limit on what others
/// may send is above a few MiB.
const MEMORY_MIB: u32 = 2048;
/// The most time that one input may take, in seconds, on a busy machine; more is a finding.
const INPUT_SECONDS: u32 = 60;
/// The most bytes of an input, unless the corpus has a longer one.
const INPUT_BYTES: u32 = 4096;
/// The time that a target has to end its last input.
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

/// Runs the targets, as many at a time as there are cores, and prints a line for each.
///
/// # Errors
/// If cargo-fuzz is missing and cannot be brought, if the targets do not build, or if one of
/// them cannot be run.
pub async fn run(options: &Options) -> Result<ExitCode> {
    let targets = chosen(&options.targets)?;
    build(&tools::cargo_fuzz().await?).await?;
    unpack().await?;
    let minutes = options.minutes.get();
    let limit = Duration::from_secs(60 * minutes as u64);
    let cores = available_parallelism().map_or(1, NonZeroUsize::get);
    println!(
        "{} targets, {minutes} minutes each, {cores} at a time: {} minutes",
        targets.len(),
        targets.len().div_ceil(cores) * minutes
    );
    let permits = Arc::new(Semaphore::new(cores));
    let mut running = JoinSet::new();
    for target in targets {
        let permits = Arc::clone(&permits);
        running.spawn(async move {
            let _permit = permits.acquire_owned().await?;
            let result = fuzz(&target, limit).await;
            result.with_context(|| format!("the target {target}"))
        });
    }
    let mut code = ExitCode::SUCCESS;
    while let Some(good) = running.join_next().await {
        if !good?? {
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

fn folder() -> PathBuf {
    root().join("tests/fuzz")
}

/// All targets, or those that are named.
fn chosen(named: &[String]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder().join("fuzz_targets"))? {
        let path = entry?.path();
        let name = path.file_stem().context("a file without a name")?;
        all.push(name.to_string_lossy().into_owned());
    }
    all.sort();
    for name in named {
        ensure!(
            all.contains(name),
            "no target {name}; there are {}",
            all.join(", ")
        );
    }
    Ok(if named.is_empty() {
        all
    } else {
        named.to_vec()
    })
}

/// Builds all targets. Without a sanitizer: no code that is fuzzed is unsafe, without one twice
/// as many inputs are tried, and stable Rust will do.
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
    process::run(&mut command).await
}

fn built() -> PathBuf {
    root().join("target/fuzz")
}

/// Where cargo-fuzz has put a target: in a folder that has the name of this system.
fn program(target: &str) -> Result<PathBuf> {
    let folders = fs::read_dir(built())?.filter_map(|entry| Some(entry.ok()?.path()));
    folders
        .map(|folder| folder.join("release").join(target))
        .find(|program| program.is_file())
        .with_context(|| format!("cargo-fuzz has not built {target}"))
}

/// Runs a target until its time is over or it finds something. Prints what libFuzzer says at
/// its end, and says whether nothing was found.
async fn fuzz(target: &str, limit: Duration) -> Result<bool> {
    let kept = system::cache()?.join("fuzz");
    let corpus = kept.join("corpus").join(target);
    let findings = kept.join("findings").join(target);
    for folder in [&corpus, &findings] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
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
        ])
        .args(dictionary(target))
        .arg(&corpus)
        .arg(committed()?.join(target))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&log).with_context(|| format!("cannot make {}", log.display()))?);
    // In memory: files that are written and removed a thousand times a second.
    let in_memory = Path::new("/dev/shm");
    if in_memory.is_dir() {
        command.env("TMPDIR", in_memory);
    }
    let mut group = Group::spawn(&mut command)?;
    let ended = timeout(limit + GRACE, group.child.wait()).await;
    let ended = ended.context("it did not end when its time was over")??;
    let found = count(&findings) - known;
    if ended.success() && found == 0 {
        let text = fs::read(&log)?;
        let text = String::from_utf8_lossy(&text);
        let done = text.lines().rfind(|line| line.starts_with("Done "));
        println!("{target}: nothing found. {}", done.unwrap_or_default());
        return Ok(true);
    }
    let (log, findings) = (log.display(), findings.display());
    println!(
        "{target}: FAILED, {found} findings in {findings}; see {log}\n  \
         Fix it, and keep the input in tests/fuzz/corpus/{target}.json."
    );
    Ok(false)
}

fn dictionary(target: &str) -> Option<String> {
    let path = folder().join(format!("dictionaries/{target}.dict"));
    path.is_file().then(|| format!("-dict={}", path.display()))
}

/// Where the committed inputs of all targets are, as files for the fuzzer.
fn committed() -> Result<PathBuf> {
    Ok(system::cache()?.join("fuzz/committed"))
}

/// Writes the committed inputs out.
async fn unpack() -> Result<()> {
    let mut command = cargo();
    command
        .args(["run", "--package", "p2pchat-fuzz-cases", "--", "unpack"])
        .arg(committed()?);
    process::run(&mut command).await
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}
