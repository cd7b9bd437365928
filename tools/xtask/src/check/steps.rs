//! What each check runs.

use std::env;
use std::process::{ExitStatus, Stdio};

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::tally::Tally;
use crate::cargo::cargo;
use crate::mongod::MongoDb;
use crate::process::{self, Group};
use crate::{e2e, wasm, web};

/// How many seeds the simulation of a whole network runs with, unless the user says.
const SIM_SEEDS: (&str, &str) = ("P2PCHAT_SIM_SEEDS", "1000");
/// Packages that browsers run too.
const FOR_BROWSERS: [&str; 2] = ["p2pchat-protocol", "p2pchat-model"];

pub(super) async fn fmt() -> Result<()> {
    run(cargo().args(["fmt", "--all", "--check"])).await
}

pub(super) async fn clippy() -> Result<()> {
    let mut command = cargo();
    command.args(["clippy", "--workspace", "--all-targets", "--locked"]);
    // All complaints at once, not those of the first package alone.
    command.args(["--keep-going", "--", "-D", "warnings"]);
    run(&mut command).await
}

/// Private items too: the only readers of this documentation are those of the source.
pub(super) async fn doc() -> Result<()> {
    let mut command = cargo();
    command.args([
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ]);
    command.args(["--locked", "--keep-going"]);
    run(command.env("RUSTDOCFLAGS", "-D warnings")).await
}

pub(super) async fn wasm() -> Result<()> {
    wasm::check(&FOR_BROWSERS).await
}

/// What became of the tests.
pub(super) struct Tested {
    pub(super) tally: Tally,
    pub(super) status: ExitStatus,
}

/// All tests that run without a browser.
pub(super) async fn tests(mongodb: Option<&MongoDb>) -> Result<Tested> {
    let mut command = cargo();
    command.args(["test", "--workspace", "--locked", "--no-fail-fast"]);
    if let Some(mongodb) = mongodb {
        mongodb.tell(&mut command);
    }
    if env::var_os(SIM_SEEDS.0).is_none() {
        command.env(SIM_SEEDS.0, SIM_SEEDS.1);
    }
    count(command).await
}

/// The tests of the web page inside a browser.
pub(super) async fn browser() -> Result<Tested> {
    count(web::tests().await?).await
}

/// The tests of everything together.
pub(super) async fn e2e() -> Result<Tested> {
    count(e2e::tests().await?).await
}

/// Runs a command that tests, and counts what it tested.
async fn count(mut command: Command) -> Result<Tested> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    println!("{}", process::shown(&command));
    let mut group = Group::spawn(&mut command)?;
    let stdout = group.child.stdout.take().context("no output to read")?;
    let mut lines = BufReader::new(stdout).split(b'\n');
    let mut tally = Tally::default();
    while let Some(line) = lines.next_segment().await? {
        // A test may print what is no UTF-8.
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        tally.line(&line);
    }
    let status = group.wait().await?;
    Ok(Tested { tally, status })
}

async fn run(command: &mut Command) -> Result<()> {
    println!("{}", process::shown(command));
    process::run(command).await
}
