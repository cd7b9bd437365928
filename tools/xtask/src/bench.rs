//! `cargo xtask bench`: builds the programs and what their measurements need, and runs
//! `p2pchat-bench`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Error, Result, ensure};
use clap::Args;
use tokio::process::Command;

use crate::cargo::{self, root};
use crate::mongod::Mongod;
use crate::{e2e, process, system, tools, web};

/// What to measure.
#[derive(Debug, Args)]
pub struct Options {
    /// Count the instructions of the codecs and the state machine with valgrind, and fail
    /// if they have grown by more than 5 %
    #[arg(long, conflicts_with = "arguments")]
    check: bool,
    /// Write today's counts down, for later ones to be compared with
    #[arg(long, requires = "check")]
    write_baseline: bool,
    /// What to measure, and options of `p2pchat-bench run`; `-- --help` lists both
    #[arg(
        value_name = "NAME",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    arguments: Vec<String>,
}

/// Measures, or counts.
///
/// # Errors
/// If something does not build, or if a measurement is not as it should be.
pub async fn run(options: &Options) -> Result<ExitCode> {
    ensure!(
        cfg!(target_os = "linux"),
        "measuring needs Linux: programs are pinned to cores and use all of 127.0.0.0/8"
    );
    if options.check {
        count(options.write_baseline).await?;
    } else {
        measure(&options.arguments).await?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn count(write: bool) -> Result<()> {
    system::need("valgrind", &["valgrind"], "valgrind").await?;
    let mut command = bench().await?;
    command
        .args(["count", "--baseline", "tools/bench/baseline.json"])
        .args(write.then_some("--write"));
    process::run(&mut command).await
}

async fn measure(arguments: &[String]) -> Result<()> {
    let names = arguments
        .iter()
        .take_while(|argument| !argument.starts_with('-'));
    let names: Vec<&str> = names.map(String::as_str).collect();
    let wanted = |any: &[&str]| names.is_empty() || names.iter().any(|name| any.contains(name));
    let mut mongodb = None;
    if wanted(&["cluster"]) {
        mongodb = or_say("MongoDB", Mongod::bring().await);
    }
    let mut browser = None;
    if wanted(&["browser", "page"]) {
        browser = or_say("a browser", need_browser().await);
    }
    let mut command = bench().await?;
    command.arg("run").args(arguments);
    command.envs(browser.into_iter().flatten());
    if let Some(mongodb) = &mongodb {
        mongodb.tell(&mut command);
    }
    process::run(&mut command).await
}

async fn bench() -> Result<Command> {
    let programs = cargo::build(&cargo::ALL_AND_TOOLS, true).await?;
    let mut command = Command::new(programs.path("p2pchat-bench")?);
    command.current_dir(root());
    Ok(command)
}

/// What the rows about the page need, by the variables that tell `p2pchat-bench`.
async fn need_browser() -> Result<[(&'static str, PathBuf); 3]> {
    let chromium = tools::chromium().await?;
    let node = tools::node().await?;
    e2e::libraries(&root().join("tests/e2e")).await?;
    // Before the bridge, which has the page inside.
    web::ensure_built().await?;
    Ok([
        ("E2E_CHROMIUM", chromium),
        ("P2PCHAT_BENCH_NODE", node),
        ("P2PCHAT_BENCH_HELLO", web::hello().await?),
    ])
}

/// What is missing is said here; a measurement that needs it says that it is skipped.
fn or_say<T>(what: &str, brought: Result<T>) -> Option<T> {
    let say = |error: &Error| println!("no measurements that need {what}: {error:#}");
    brought.inspect_err(say).ok()
}
