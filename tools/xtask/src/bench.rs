//! `cargo xtask bench`: brings what the measurements need, and has `p2pchat-bench` make them.

mod needs;
mod quantity;

use std::process::{ExitCode, Stdio};

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use tokio::process::Command;

use crate::cargo::{self, root};
use crate::named::Named;
use crate::process::{self, Group};
use needs::Needs;
use quantity::Quantity;

/// What to measure.
#[derive(Debug, Args)]
pub struct Options {
    /// Only these quantities; all but `builds` and `tests`, which are long, if none is named
    #[arg(
        value_name = "NAME",
        hide_possible_values = true,
        conflicts_with = "check"
    )]
    quantities: Vec<Quantity>,
    /// How often each side is measured; the medians count
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: usize,
    /// For how long each time, in seconds
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    time: f64,
    /// Count the instructions of the codecs and the state machine, by valgrind, and fail
    /// where they have grown by more than 5 %
    #[arg(long)]
    check: bool,
    /// Make today's counts those that later ones are compared with
    #[arg(long, requires = "check")]
    write_baseline: bool,
    /// Say what there is to measure, and measure nothing
    #[arg(long)]
    list: bool,
}

/// Measures, or counts.
///
/// # Errors
/// If something does not build.
pub async fn run(options: &Options) -> Result<ExitCode> {
    if options.list {
        Quantity::value_variants()
            .iter()
            .for_each(|one| println!("{:<10} {}", one.name(), one.what()));
        return Ok(ExitCode::SUCCESS);
    }
    if !cfg!(target_os = "linux") {
        bail!("measuring takes Linux: programs are pinned to cores and use all of 127.0.0.0/8");
    }
    match options.check {
        true => check(options).await,
        false => measure(options).await,
    }
}

async fn measure(options: &Options) -> Result<ExitCode> {
    let quantities = match options.quantities.as_slice() {
        [] => Quantity::ordinary(),
        named => named.to_vec(),
    };
    let needs = Needs::bring(&quantities).await?;
    let bench = cargo::build_with("p2pchat-bench").await?;
    let mut command = Command::new(bench);
    command
        .arg("run")
        .args(quantities.iter().map(Named::name))
        .args(["--rounds", &options.rounds.to_string()])
        .args(["--time", &options.time.to_string()])
        .arg("--write")
        .arg(root().join("docs"));
    needs.tell(&mut command);
    let code = through(command).await?;
    println!("\nthe whole table, with plots: docs/benchmarks.md");
    Ok(code)
}

async fn check(options: &Options) -> Result<ExitCode> {
    needs::valgrind().await?;
    let mut command = Command::new(cargo::build_with("p2pchat-bench").await?);
    command
        .args(["count", "--baseline"])
        .arg(root().join("tools/bench/baseline.json"))
        .args(options.write_baseline.then_some("--write"));
    through(command).await
}

/// Runs a command to its end, which says by its exit code whether all is well.
async fn through(mut command: Command) -> Result<ExitCode> {
    println!("{}", process::shown(&command));
    let mut group = Group::spawn(command.current_dir(root()).stdin(Stdio::null()))?;
    Ok(match group.wait().await?.success() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
