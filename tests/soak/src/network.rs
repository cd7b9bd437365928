//! A real network: hosts in network namespaces, the built programs at their real ports,
//! and what happens to cables. What users see has to be right, and said in words.
//!
//! Each scene runs in a process of its own, in namespaces of its own (`sandbox`), with
//! hosts at a switch (`lan`) or far from each other (`wan`).

mod lan;
mod reader;
mod sandbox;
mod scenes;
mod stage;
mod wan;

use std::fs;
use std::io::{Read, stdin};
use std::path::{Path, PathBuf};
use std::process::{Stdio, exit};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use clap::ValueEnum as _;
use futures::future::try_join_all;
use p2pchat_testkit::Programs;
use tokio::process::Command;
use tokio::time::timeout;

use crate::Report;
use stage::Stage;

pub use sandbox::{Impossible, Sandbox};
pub use scenes::Scene;

/// How long a scene may take.
const SCENE_LIMIT: Duration = Duration::from_secs(180);

/// What to play.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Only this scene; may be given several times
    #[arg(long = "scene", value_name = "SCENE")]
    pub scenes: Vec<Scene>,
    /// How many texts each of three says where packets are lost or late
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    pub texts: usize,
    /// Print what all users see, as it happens
    #[arg(long)]
    pub show: bool,
    /// Play the scene right here, and write its report to this file
    #[arg(long, hide = true)]
    pub inside: Option<PathBuf>,
}

/// Plays the scenes side by side.
///
/// # Errors
/// If the system does not allow it ([`Impossible`]), or a program is not built.
pub async fn run(programs: &Programs, options: &Options) -> Result<Report> {
    if let (Some(file), [scene]) = (&options.inside, options.scenes.as_slice()) {
        return inside(programs, *scene, options, file).await;
    }
    let sandbox = Sandbox::find()?;
    let scenes = match options.scenes.as_slice() {
        [] => Scene::value_variants(),
        scenes => scenes,
    };
    let played = scenes
        .iter()
        .map(|scene| outside(programs, &sandbox, *scene, options));
    let mut report = Report::new("a real network");
    for scene in try_join_all(played).await? {
        report.include(scene);
    }
    Ok(report)
}

/// Has a scene played in a sandbox.
async fn outside(
    programs: &Programs,
    sandbox: &Sandbox,
    scene: Scene,
    options: &Options,
) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("report.json");
    let mut command = Command::from(sandbox.command(&programs.path("p2pchat-soak")?)?);
    command
        .args(["network", "--scene", &scene.to_string()])
        .args(["--texts", &options.texts.to_string()])
        .args(options.show.then_some("--show"))
        .arg("--inside")
        .arg(&file)
        .kill_on_drop(true)
        // Its end is the end of the scene, however this process ends.
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    let mut child = command.spawn().context("cannot run unshare")?;
    let _stdin = child.stdin.take();
    let status = timeout(SCENE_LIMIT, child.wait())
        .await
        .with_context(|| format!("scene {scene} does not end"))??;
    match fs::read(&file) {
        Ok(report) => Ok(serde_json::from_slice(&report)?),
        Err(_) => bail!("scene {scene} ended without a report: {status}"),
    }
}

/// Plays a scene in the sandbox that this process is in.
async fn inside(
    programs: &Programs,
    scene: Scene,
    options: &Options,
    file: &Path,
) -> Result<Report> {
    thread::spawn(|| {
        // What is started here is in the sandbox, which ends with its first process.
        let _ = stdin().read(&mut [0]);
        exit(1);
    });
    let mut stage = Stage::new(programs, scene.title(), options.texts, options.show)?;
    let played = scene.play(&mut stage).await;
    let mut report = stage.report;
    if let Err(error) = played {
        report.check(false, format!("{error:#}"));
    }
    fs::write(file, serde_json::to_vec(&report)?)?;
    Ok(report)
}
