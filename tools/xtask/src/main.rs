//! `cargo xtask`: flags, signals, exit code.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use xtask::{bench, check, demo, deny, dev, fuzz, sbom, soak, web};

/// What there is to do with the source of p2pchat.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 90)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build everything and let you chat in the browser, with a friendly peer too
    ///
    /// Starts a registry, two users with a bridge each, whose URLs it prints, and `echo`,
    /// which answers by itself. With --tui you are in a terminal instead, registered and
    /// logged in as `you`. Without a terminal it plays a conversation of three peers and
    /// prints it. Nothing is kept and nothing is left running.
    Demo(demo::Options),
    /// Build the web page into `dist`, and tell what it weighs
    ///
    /// Sets up what is missing for that. A bridge that is built afterwards has the page
    /// inside.
    Web,
    /// The web developer's loop: registry, bridge, `echo`, and the page with live reload
    Dev,
    /// Set up what is missing and run every check
    ///
    /// Formatting, lints, documentation, the build for browsers, and all tests, against
    /// a real MongoDB as well. The last line of the output is the sum of it; the exit
    /// code is 0 only if nothing failed.
    Test(check::Options),
    /// Try everything that takes bytes from others with inputs that a fuzzer makes up
    ///
    /// Coverage-guided, by cargo-fuzz, which is installed if it is missing. What is found
    /// worth keeping is kept for the next run. Ends with a table of figures; the exit code
    /// is 0 only if nothing was found.
    Fuzz(fuzz::Options),
    /// Run the programs for long, with floods, kills, cut connections and pulled cables
    ///
    /// Each run prints a report; the summary at the end has them all. The exit code is 0
    /// only if all that has to hold held. All of them take some two hours.
    Soak(soak::Options),
    /// Measure how close the programs are to the limit of the machine
    ///
    /// Each quantity is measured side by side with what limits it; the table, with plots,
    /// is written to docs/benchmarks.md. The exit code is 0 only if everything that was
    /// measured is as it should be. With --check it counts instructions instead, which
    /// takes a minute, and compares them with those that are committed.
    Bench(bench::Options),
    /// Check what p2pchat is made of: licences, sources, bans, advisories
    ///
    /// By cargo-deny and deny.toml. The advisories are those of the RustSec database, which
    /// is fetched from GitHub; where that is out of reach, this says what was not checked.
    Deny,
    /// Write a bill of materials for each program, in the format CycloneDX
    ///
    /// By cargo-cyclonedx, cut down to what is built. That of the bridge has the page in it.
    Sbom(sbom::Options),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let task = Cli::parse().task;
    let result = tokio::select! {
        result = run(task) => result,
        // Dropping the task ends every process that it started.
        signal = stop_signal() => match signal {
            Ok(number) => {
                eprintln!("\ncargo xtask: stopped, and everything it had started");
                return ExitCode::from(128 + number);
            }
            Err(error) => Err(error),
        },
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cargo xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(task: Task) -> Result<ExitCode> {
    match task {
        Task::Demo(options) => demo::run(&options).await,
        Task::Dev => dev::run().await,
        Task::Web => web::build().await.map(|()| ExitCode::SUCCESS),
        Task::Test(options) => check::run(&options).await,
        Task::Fuzz(options) => fuzz::run(&options).await,
        Task::Soak(options) => soak::run(&options).await,
        Task::Bench(options) => bench::run(&options).await,
        Task::Deny => deny::run().await.map(|advisories| {
            println!("{advisories}");
            ExitCode::SUCCESS
        }),
        Task::Sbom(options) => sbom::run(&options).await.map(|()| ExitCode::SUCCESS),
    }
}

/// The number of the signal that wants this program to end, when it comes.
async fn stop_signal() -> Result<u8> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(tokio::select! {
        _ = interrupt.recv() => 2,
        _ = terminate.recv() => 15,
        _ = hangup.recv() => 1,
    })
}
