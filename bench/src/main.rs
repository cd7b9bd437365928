//! `p2pchat-bench`: flags and the table.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use p2pchat_bench::bare::{self, Bare};
use p2pchat_bench::page;
use p2pchat_bench::pin::{self, Side};
use p2pchat_bench::row::Row;
use p2pchat_bench::rows::{self, Context, What};

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
        /// Write `benchmarks.md`, and its plots, into this folder
        #[arg(long, value_name = "FOLDER")]
        write: Option<PathBuf>,
    },
    /// Be what the programs are held against
    #[command(subcommand)]
    Bare(Bare),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode> {
    match Cli::parse().task {
        Task::Run {
            what,
            rounds,
            time,
            write,
        } => run(what, rounds, time, write.as_deref()).await,
        Task::Bare(bare) => bare::run(bare).await.map(|()| ExitCode::SUCCESS),
    }
}

async fn run(
    mut what: Vec<What>,
    rounds: usize,
    time: f64,
    write: Option<&Path>,
) -> Result<ExitCode> {
    if what.is_empty() {
        what = What::value_variants().to_vec();
    }
    pin::to(Side::Load)?;
    let context = Context::new(rounds, Duration::from_secs_f64(time))?;
    let mut rows = Vec::new();
    println!("{}", page::HEAD);
    for what in what {
        for row in rows::measure(what, &context).await? {
            println!("{row}");
            rows.push(row);
        }
    }
    if let Some(folder) = write {
        let how = format!("{rounds} times {time} s each");
        page::write(folder, &rows, &how)?;
    }
    Ok(match rows.iter().all(Row::holds) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
