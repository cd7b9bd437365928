//! `cargo xtask package`: what people install, and whether that works.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

pub mod check;
pub mod recipes;

/// What to do.
#[derive(Debug, Args)]
pub struct Options {
    /// Try the packages that are there on clean systems
    #[arg(long)]
    check: bool,

    /// Fill in the recipes of Homebrew and Arch Linux, into target/recipes
    #[arg(long)]
    recipes: bool,
}

/// Does it.
///
/// # Errors
/// As [`check::run`].
pub async fn run(options: &Options) -> Result<ExitCode> {
    if options.recipes {
        let target = crate::cargo::root().join("target");
        for path in recipes::write(&target.join("packages"), &target.join("recipes"))? {
            println!("{}", path.display());
        }
    }
    if options.check {
        return check::run().await;
    }
    Ok(ExitCode::SUCCESS)
}
