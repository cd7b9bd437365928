//! What a developer waits for: a build after one file has changed, and all the checks.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Instant, SystemTime};

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use super::Context;
use crate::pin::{self, Side};
use crate::row::{Reach, Row, Unit};
use crate::sample::median;

/// The crates, by their folders, those that most others need first.
const CRATES: [&str; 9] = [
    "crates/protocol",
    "crates/model",
    "crates/peer",
    "crates/settings",
    "registry",
    "peer-native",
    "bridge",
    "tests/soak",
    "tools/xtask",
];

/// Building the workspace after one file of each crate was touched.
///
/// # Errors
/// If it does not build.
pub(super) async fn builds(context: &Context) -> Result<Vec<Row>> {
    let nothing = nothing_to_do().await?;
    let mut rows = Vec::new();
    for name in CRATES {
        let file = root().join(name).join("src/lib.rs");
        let mut times = Vec::new();
        for _ in 0..context.rounds {
            let file = File::options().append(true).open(&file);
            file.with_context(|| format!("{name} has no lib.rs"))?
                .set_modified(SystemTime::now())?;
            times.push(cargo(&["build", "--workspace"]).await?);
        }
        rows.push(row(
            format!("building after a change in {name}"),
            median(times),
            nothing,
        ));
    }
    Ok(rows)
}

/// `cargo xtask test`, with everything built before.
///
/// # Errors
/// If something fails.
pub(super) async fn tests(_: &Context) -> Result<Vec<Row>> {
    let nothing = nothing_to_do().await?;
    cargo(&["test", "--workspace", "--no-run"]).await?;
    let took = cargo(&["xtask", "test"]).await?;
    let what = "`cargo xtask test`, everything built".to_owned();
    Ok(vec![row(what, took, nothing)])
}

fn row(what: String, ours: f64, limit: f64) -> Row {
    Row {
        what,
        against: "nothing to build".to_owned(),
        unit: Unit::Seconds,
        ours,
        limit,
        reach: Reach::Any,
        point: None,
    }
}

/// How long cargo takes to see that all is built.
async fn nothing_to_do() -> Result<f64> {
    cargo(&["build", "--workspace"]).await?;
    cargo(&["build", "--workspace"]).await
}

/// How many seconds it takes, on all cores.
async fn cargo(arguments: &[&str]) -> Result<f64> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(arguments)
        .current_dir(root())
        .kill_on_drop(true)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let began = Instant::now();
    pin::to(Side::All)?;
    let child = command.spawn();
    pin::to(Side::Load)?;
    let status = child.context("cannot start cargo")?.wait().await?;
    let arguments = arguments.join(" ");
    ensure!(status.success(), "`cargo {arguments}`: {status}");
    Ok(began.elapsed().as_secs_f64())
}

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
