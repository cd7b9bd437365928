//! `cargo xtask test`: every check that a change has to pass, one after the other.

use std::env;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::cargo::cargo;
use crate::mongod::Mongod;
use crate::steps::Steps;
use crate::{e2e, process, system, tools, web};

/// The number of seeds that the simulation of a network runs with, unless the user sets it.
const SIM_SEEDS: (&str, &str) = ("P2PCHAT_SIM_SEEDS", "1000");

/// What to check.
#[derive(Debug, Args)]
pub struct Options {
    /// Only this step; may be given several times
    #[arg(long, value_name = "STEP")]
    only: Vec<Step>,
}

/// The checks, in the order in which they run: quick ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Formatting, by rustfmt
    Fmt,
    /// The web page, built by trunk, and its size
    Web,
    /// Lints, by clippy
    Clippy,
    /// The documentation of every item, and the links in it
    Doc,
    /// The build of the protocol and the model for browsers
    Wasm,
    /// All tests of Rust, with a MongoDB, which is fetched if it is missing
    Tests,
    /// The tests of the web page, inside a headless Chromium
    Browser,
    /// The built programs and the web page, end to end, in a headless Chromium; the main walk also in Firefox
    E2e,
}

/// Runs the checks. All of them run, even if an early one fails.
///
/// # Errors
/// Never: a check that fails is in the table.
pub async fn run(options: &Options) -> Result<ExitCode> {
    let chosen = |step: &&Step| options.only.is_empty() || options.only.contains(step);
    let chosen: Vec<&Step> = Step::value_variants().iter().filter(chosen).collect();
    let mut steps = Steps::new(chosen.len());
    for step in chosen {
        let value = step.to_possible_value().expect("no step is hidden");
        let title = value
            .get_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        steps.run(value.get_name(), &title, step.run()).await;
    }
    Ok(steps.finish())
}

impl Step {
    async fn run(self) -> Result<()> {
        match self {
            Self::Fmt => process::run(cargo().args(["fmt", "--all", "--check"])).await,
            Self::Web => web::build().await,
            Self::Clippy => clippy().await,
            Self::Doc => doc().await,
            Self::Wasm => wasm().await,
            Self::Tests => tests().await,
            Self::Browser => process::run(&mut web::tests().await?).await,
            Self::E2e => process::run(&mut e2e::tests().await?).await,
        }
    }
}

async fn clippy() -> Result<()> {
    let mut command = cargo();
    command.args(["clippy", "--workspace", "--all-targets", "--locked"]);
    // Show the complaints about all packages, not those about the first one alone.
    command.args(["--keep-going", "--", "-D", "warnings"]);
    process::run(&mut command).await
}

/// With private items: this documentation is read only by those who change the source.
async fn doc() -> Result<()> {
    let mut command = cargo();
    command.args([
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ]);
    command.args(["--locked", "--keep-going"]);
    process::run(command.env("RUSTDOCFLAGS", "-D warnings")).await
}

async fn wasm() -> Result<()> {
    let mut command = tools::wasm_cargo().await?;
    command.args(["check", "--locked", "--target", tools::WASM]);
    command.args(["--package=p2pchat-protocol", "--package=p2pchat-model"]);
    process::run(&mut command).await
}

/// Without a MongoDB the other tests run all the same, and then this fails.
async fn tests() -> Result<()> {
    let mongodb = Mongod::bring().await;
    if let Err(error) = &mongodb {
        println!("{error:#}");
    }
    system::need_network_tools().await;
    let mut command = cargo();
    command.args(["test", "--workspace", "--locked", "--no-fail-fast"]);
    if let Ok(mongodb) = &mongodb {
        mongodb.tell(&mut command);
    }
    if env::var_os(SIM_SEEDS.0).is_none() {
        command.env(SIM_SEEDS.0, SIM_SEEDS.1);
    }
    process::run(&mut command).await?;
    mongodb.map(drop)
}
