//! `p2pchat-bench`: flags and the table.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};
use p2pchat_bench::bare::{self, Bare};
use p2pchat_bench::figures::{Figures, Measured, Outcome};
use p2pchat_bench::micro::{self, Work};
use p2pchat_bench::pin::{self, Side};
use p2pchat_bench::row::Row;
use p2pchat_bench::rows::{self, Context, What};
use p2pchat_bench::{count, machine, page};

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

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode> {
    match Cli::parse().task {
        Task::Run {
            what,
            rounds,
            time,
            write,
        } => run(what, rounds, time, write.as_deref()).await,
        Task::Count { baseline, write } => count::run(&baseline, write).map(code),
        Task::Work { work } => {
            micro::run(work);
            Ok(ExitCode::SUCCESS)
        }
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
        what = What::ordinary();
    }
    // While all cores are there to be counted.
    let machine = machine::describe();
    pin::to(Side::Load)?;
    let context = Context::new(rounds, Duration::from_secs_f64(time))?;
    let mut figures = match write {
        Some(folder) => Figures::of_machine(&machine, &folder.join("benchmarks"))?,
        None => Figures::default(),
    };
    let mut good = true;
    println!("{}", page::HEAD);
    for what in what {
        let outcome = match rows::measure(what, &context).await {
            Ok(outcome) => outcome,
            // The others can be measured all the same.
            Err(error) => {
                eprintln!("{}: {error:#}", what.name());
                good = false;
                continue;
            }
        };
        if let Outcome::Skipped(why) = &outcome {
            println!("{} is skipped, because {why}", what.name());
        }
        outcome.rows().iter().for_each(|row| println!("{row}"));
        good &= outcome.rows().iter().all(Row::holds);
        let how = format!("{rounds} times {time} s each");
        let measured = Measured { how, outcome };
        figures.measured.insert(what.name(), measured);
        if let Some(folder) = write {
            page::write(folder, &figures)?;
        }
    }
    Ok(code(good))
}

fn code(good: bool) -> ExitCode {
    match good {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
