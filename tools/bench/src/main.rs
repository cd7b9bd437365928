//! `p2pchat-bench`: flags and the table.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use p2pchat_bench::bare::{self, Bare};
use p2pchat_bench::micro::{self, Work};
use p2pchat_bench::rows::What;
use p2pchat_bench::{count, run};
use tokio::runtime::Builder;

/// Measures the built programs, which lie beside this one, side by side with their limits.
#[derive(Debug, Parser)]
#[command(name = "p2pchat-bench", max_term_width = 90)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Measure, and print a table
    Run {
        /// What to measure; everything if nothing is named
        #[arg(value_enum)]
        what: Vec<What>,
        /// How often each side is measured; the medians count
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// For how long each time
        #[arg(long, value_name = "SECONDS", default_value_t = 2.0)]
        time: f64,
    },
    /// Count the instructions of small pieces of work, by valgrind
    Count {
        /// The counts of earlier
        #[arg(long, value_name = "FILE")]
        baseline: PathBuf,
        /// Put the new counts there
        #[arg(long)]
        write: bool,
    },
    /// Do one of those pieces of work
    Work {
        /// Which
        #[arg(value_enum)]
        work: Work,
    },
    /// Be what the programs are held against
    #[command(subcommand)]
    Bare(Bare),
}

fn main() -> Result<ExitCode> {
    let task = Cli::parse().task;
    let mut runtime = match &task {
        Task::Bare(bare) if bare.has_threads() => Builder::new_multi_thread(),
        _ => Builder::new_current_thread(),
    };
    runtime.enable_all().build()?.block_on(carry_out(task))
}

async fn carry_out(task: Task) -> Result<ExitCode> {
    match task {
        Task::Run { what, rounds, time } => {
            let what = if what.is_empty() {
                What::value_variants()
            } else {
                &what
            };
            let time = Duration::from_secs_f64(time);
            run::run(what, rounds, time).await.map(code)
        }
        Task::Count { baseline, write } => count::run(&baseline, write).map(code),
        Task::Work { work } => {
            micro::run(work);
            Ok(ExitCode::SUCCESS)
        }
        Task::Bare(bare) => bare::run(bare).await.map(|()| ExitCode::SUCCESS),
    }
}

fn code(good: bool) -> ExitCode {
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
