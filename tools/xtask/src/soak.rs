//! `cargo xtask soak`: the long and hostile runs of the built programs, one after the
//! other, each bounded, summed up in a table.

mod runs;
mod summary;

use std::path::Path;
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::cargo::{self, cargo};
use crate::mongod::MongoDb;
use crate::named::Named;
use crate::network;
use crate::process::{self, Group};
use runs::{Kind, Run};
use summary::{Outcome, Summary};

/// How long a run may take at the most, besides the minutes that were asked for. None takes
/// a third of it on two cores.
const LIMIT: Duration = Duration::from_secs(90 * 60);
/// How long people chat, unless somebody says.
const CHAT_MINUTES: f64 = 30.0;
/// How many seeds the simulation has, unless the user says by the variable.
const SIM_SEEDS: (&str, &str) = ("P2PCHAT_SIM_SEEDS", "10000");

/// What to run.
#[derive(Debug, Args)]
pub struct Options {
    /// Only these runs; all if none is named
    #[arg(value_name = "NAME", hide_possible_values = true)]
    runs: Vec<Run>,
    /// How long people chat, in minutes
    #[arg(long, value_name = "N", default_value_t = CHAT_MINUTES)]
    minutes: f64,
    /// What the runs draw their moments from, where they draw any
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Say what runs there are, and run nothing
    #[arg(long)]
    list: bool,
}

/// Runs them. All of them run, whatever becomes of the first ones.
///
/// # Errors
/// If the programs do not build. A run that fails is part of the summary.
pub async fn run(options: &Options) -> Result<ExitCode> {
    let runs: Vec<Run> = Run::value_variants()
        .iter()
        .copied()
        .filter(|run| options.runs.is_empty() || options.runs.contains(run))
        .collect();
    if options.list {
        runs.iter()
            .for_each(|run| println!("{:<14} {}", run.name(), run.what()));
        return Ok(ExitCode::SUCCESS);
    }
    let soak = cargo::build_with("p2pchat-soak").await?;
    // A run that needs one says so if there is none.
    let mongodb = match runs.iter().any(|run| run.needs_mongod()) {
        true => MongoDb::bring()
            .await
            .inspect_err(|error| eprintln!("{error:#}"))
            .ok(),
        false => None,
    };
    if runs.contains(&Run::Network) {
        network::bring().await;
    }
    let mut summary = Summary::default();
    for (index, run) in runs.iter().enumerate() {
        println!(
            "\n[{}/{}] {}: {}",
            index + 1,
            runs.len(),
            run.name(),
            run.what()
        );
        let mut command = command(*run, &soak, options);
        if let Some(mongodb) = mongodb.as_ref().filter(|_| run.needs_mongod()) {
            mongodb.tell(&mut command);
        }
        summary.add(run.name(), follow(command, options).await);
    }
    println!("\n{summary}");
    Ok(match summary.is_good() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn command(run: Run, soak: &Path, options: &Options) -> Command {
    let seed = options
        .seed
        .map(|seed| ["--seed".to_owned(), seed.to_string()]);
    let mut command = match run.kind() {
        Kind::Simulation(package, test) => {
            let mut command = cargo();
            command.args(["test", "--release", "--locked", "--package", package]);
            command.args(["--test", test, "--", "--nocapture"]);
            if std::env::var_os(SIM_SEEDS.0).is_none() {
                command.env(SIM_SEEDS.0, SIM_SEEDS.1);
            }
            return command;
        }
        Kind::Soak { .. } => Command::new(soak),
    };
    command.arg(run.name());
    if run.has_seed() {
        command.args(seed.into_iter().flatten());
    }
    if run.has_minutes() {
        command.args(["--minutes", &options.minutes.to_string()]);
    }
    command
}

/// Runs a command to its end, prints what it prints, and takes the figures from it.
async fn follow(mut command: Command, options: &Options) -> Outcome {
    println!("{}", process::shown(&command));
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let start = Instant::now();
    let mut outcome = Outcome::default();
    let limit = LIMIT + Duration::from_secs_f64(options.minutes.clamp(0.0, 1e6) * 60.0);
    let ended = match timeout(limit, listen(&mut command, &mut outcome)).await {
        Ok(ended) => ended,
        Err(_) => Err(anyhow::anyhow!("it did not end within {limit:?}")),
    };
    outcome.ended(start.elapsed(), ended);
    outcome
}

async fn listen(command: &mut Command, outcome: &mut Outcome) -> Result<ExitStatus> {
    let mut group = Group::spawn(command)?;
    let stdout = group.child.stdout.take().context("no output to read")?;
    let mut lines = BufReader::new(stdout).lines();
    while let Some(line) = lines.next_line().await? {
        println!("{line}");
        outcome.line(&line);
    }
    Ok(group.wait().await?)
}
