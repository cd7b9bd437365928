//! `cargo xtask soak`: the long and hostile runs of the built programs, each with a time limit.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use tokio::process::Command;
use tokio::time::timeout;

use crate::cargo::{self, cargo};
use crate::mongod::Mongod;
use crate::steps::Steps;
use crate::{process, system};

/// The most time that a run may take. On two cores none takes a third of it, at its default
/// length.
const LIMIT: Duration = Duration::from_secs(90 * 60);
/// The number of seeds of a simulation, unless the user sets the variable.
const SIM_SEEDS: (&str, &str) = ("P2PCHAT_SIM_SEEDS", "10000");
/// The runs of `p2pchat-soak`, the shorter ones first. Those behind are simulations: tests.
const RUNS: [(&str, Kind); 15] = [
    ("presence", Kind::Soak),
    ("crash", Kind::Soak),
    ("mongo-crash", Kind::SoakWithMongod),
    ("replica-set", Kind::SoakWithMongod),
    ("cluster", Kind::SoakWithMongod),
    ("history-crash", Kind::Soak),
    ("full-disk", Kind::Soak),
    ("hostile", Kind::Soak),
    ("floods", Kind::Soak),
    ("guessing", Kind::Soak),
    ("network", Kind::Soak),
    ("simulation", Kind::Test("p2pchat-peer", "simulation")),
    (
        "conversation-simulation",
        Kind::Test("p2pchat-conversation", "simulation"),
    ),
    (
        "cluster-simulation",
        Kind::Test("p2pchat-registry", "cluster_simulation"),
    ),
    ("chat", Kind::Soak),
];

/// What a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A subcommand of `p2pchat-soak`.
    Soak,
    /// One that starts a `mongod`.
    SoakWithMongod,
    /// A test of a package, with many seeds.
    Test(&'static str, &'static str),
}

/// What to run.
#[derive(Debug, Args)]
pub struct Options {
    /// Only this run; all of them if none is named
    #[arg(value_name = "NAME")]
    run: Option<String>,
    /// Options of that run, such as `chat --minutes 5`; `chat -- --help` lists them
    #[arg(
        value_name = "OPTIONS",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    options: Vec<String>,
    /// List the runs, and run nothing
    #[arg(long)]
    list: bool,
}

/// Runs them. All of them run, even if an early one fails.
///
/// # Errors
/// If there is no such run, or the programs do not build. A run that fails is in the table.
pub async fn run(options: &Options) -> Result<ExitCode> {
    if options.list {
        RUNS.iter().for_each(|(name, _)| println!("{name}"));
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = |(name, _): &&(&str, Kind)| options.run.as_deref().is_none_or(|one| one == *name);
    let runs: Vec<&(&str, Kind)> = RUNS.iter().filter(chosen).collect();
    if runs.is_empty() {
        bail!("there is no such run; `cargo xtask soak --list` lists them");
    }
    let programs = cargo::build(&cargo::ALL_AND_TOOLS, true).await?;
    let soak = programs.path("p2pchat-soak")?;
    if runs.iter().any(|(name, _)| *name == "network") {
        system::need_network_tools().await;
    }
    let mut steps = Steps::new(runs.len());
    for (name, kind) in runs {
        let run = async {
            let mut command = match kind {
                Kind::Test(package, test) => simulation(package, test),
                Kind::Soak | Kind::SoakWithMongod => Command::new(soak),
            };
            match kind {
                Kind::Test(..) => command.args(&options.options),
                _ => command.arg(name).args(&options.options),
            };
            if *kind == Kind::SoakWithMongod {
                Mongod::bring().await?.tell(&mut command);
            }
            let limit = || format!("it did not end within {} minutes", LIMIT.as_secs() / 60);
            timeout(LIMIT, process::run(&mut command))
                .await
                .with_context(limit)?
        };
        steps.run(name, name, run).await;
    }
    Ok(steps.finish())
}

fn simulation(package: &str, test: &str) -> Command {
    let mut command = cargo();
    command.args(["test", "--release", "--locked", "--package", package]);
    command.args(["--test", test, "--", "--nocapture"]);
    if std::env::var_os(SIM_SEEDS.0).is_none() {
        command.env(SIM_SEEDS.0, SIM_SEEDS.1);
    }
    command
}
