//! `cargo xtask`: flags, signals, exit code.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use xtask::{bench, check, demo, dev, fuzz, package, soak, web};

/// Tasks on the source of p2pchat.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 90)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Start a registry, two users and a friendly peer, and let you chat
    ///
    /// Says how to join from another terminal as soon as the programs are built, prepares the
    /// web page meanwhile, and prints a URL for each of two users. The peer `echo` answers by
    /// itself. With --tui you chat in this terminal, as `you`, and no page is prepared.
    /// Without a terminal it plays a conversation of three peers and prints it. Nothing is
    /// kept and nothing is left running.
    Demo(demo::Options),
    /// Build the web page into `dist`, and print its size
    ///
    /// Brings the tools that are missing. A bridge that is built afterwards has the page
    /// inside.
    Web(web::Options),
    /// Start a registry, a bridge, `echo`, and the page with live reload, for work on the page
    Dev,
    /// Run every check that a change has to pass
    ///
    /// Formatting, the web page, lints, documentation, the build for browsers, and all tests,
    /// those with a real MongoDB and in a browser too. Brings what is missing. Ends with a
    /// table of the steps; the exit code is 0 only if none failed.
    Test(check::Options),
    /// Give everything that takes bytes from others inputs that a fuzzer makes up
    ///
    /// Guided by coverage, with cargo-fuzz, which is installed if it is missing. Inputs that
    /// reach new code are kept for the next run. The exit code is 0 only if nothing was found.
    Fuzz(fuzz::Options),
    /// Run the programs for a long time, with floods, kills, cut connections and full disks
    ///
    /// Each run prints a report; a table of the runs comes at the end. The exit code is 0 only
    /// if every check held. All runs together take some two hours.
    Soak(soak::Options),
    /// Measure how close the programs are to the limits of the machine
    ///
    /// Each quantity is measured side by side with what limits it; the table, with plots, is
    /// written to docs/benchmarks.md. With --check it counts instructions instead, which takes
    /// a minute, and compares them with the committed counts.
    Bench(bench::Options),
    /// Make everything that is handed out to people, in `target/packages`
    ///
    /// Archives, packages of distributions, checksums and bills of materials. Brings the tools
    /// that are missing. What is made of a commit is the same on each machine. Takes half an
    /// hour if nothing is built.
    Package(package::Options),
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
        Task::Web(options) => web::run(&options).await,
        Task::Test(options) => check::run(&options).await,
        Task::Fuzz(options) => fuzz::run(&options).await,
        Task::Soak(options) => soak::run(&options).await,
        Task::Bench(options) => bench::run(&options).await,
        Task::Package(options) => package::run(&options).await,
    }
}

/// Waits for a signal that ends this program; its number.
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
