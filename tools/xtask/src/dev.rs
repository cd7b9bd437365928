//! `cargo xtask dev`: a registry, a bridge, `echo`, and the page with live reload.

use std::fs;
use std::process::{ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::cargo::{self, root};
use crate::demo::{Bridge, Client, Echo, Stage, loopback};
use crate::process::{self, Group};
use crate::tools::Toolbox;

/// Where `Trunk.toml` expects the bridge.
const BRIDGE: &str = "127.0.0.1:7878";
/// Where `Trunk.toml` serves the page.
const PAGE: &str = "http://127.0.0.1:8080";

/// Starts all of it, and ends when trunk does.
///
/// # Errors
/// If something is missing, does not build or does not start.
pub async fn run() -> Result<ExitCode> {
    let toolbox = Toolbox::for_trunk().await?;
    let programs = cargo::build(&cargo::ALL, false).await?;
    let [echo, you] = loopback::free()?;
    let stage = Stage::set(&programs).await?;
    let mut echo = Echo::new(Client::start(&stage, "echo", echo).await?);
    Client::register(&stage, "you").await?;
    let mut bridge = stage.bridge(programs.path("p2pchat-bridge")?, "you", you);
    let bridge = Bridge::start(bridge.args(["--listen", BRIDGE, "--allow-origin", PAGE])).await?;

    // Not `dist`, which holds the page of a release.
    let dist = root().join("target/web/dev");
    fs::create_dir_all(&dist).with_context(|| format!("cannot make {}", dist.display()))?;
    let mut trunk = toolbox.trunk();
    trunk
        .args(["serve", "--dist"])
        .arg(&dist)
        .stdin(Stdio::null());
    println!("$ {}", process::shown(&trunk));
    let mut trunk = Group::spawn(&mut trunk)?;
    println!(
        "\nThe page, once trunk has built it:  {PAGE}/#{}\n\
         Sign in as `you`, password `{}`; `echo` is online. Ctrl-C ends everything.\n",
        bridge.secret(),
        stage.password()
    );
    let status = tokio::select! {
        status = trunk.child.wait() => status?,
        result = echo.live() => return result.context("echo has stopped").map(|()| ExitCode::FAILURE),
    };
    if !status.success() {
        bail!("trunk serve: {status}");
    }
    Ok(ExitCode::SUCCESS)
}
