//! All measurements of a run, one after the other; what is measured is printed and written
//! at once.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::figures::{Figures, Measured, Outcome};
use crate::pin::{self, Side};
use crate::row::Row;
use crate::rows::{self, Context, What};
use crate::{machine, page};

/// The share of the cores that may be taken on a machine that is called quiet.
const QUIET: f64 = 0.1;

/// Measures these; everything ordinary if nothing is named. Says whether all was measured
/// and is as it should be.
///
/// # Errors
/// If the page cannot be written, or the system lets nothing be pinned to a core.
pub async fn run(
    what: Vec<What>,
    rounds: usize,
    time: Duration,
    write: Option<&Path>,
) -> Result<bool> {
    let all = match what.is_empty() {
        true => What::ordinary(),
        false => what,
    };
    // While all cores are there to be counted.
    let machine = machine::describe();
    pin::to(Side::Load)?;
    let context = Context::new(rounds, time)?;
    let mut figures = match write {
        Some(folder) => Figures::of_machine(&machine, &folder.join("benchmarks"))?,
        None => Figures::default(),
    };
    let mut good = true;
    println!("{}", page::HEAD);
    for (index, what) in (1..).zip(&all) {
        eprintln!("[{index}/{}] {}", all.len(), what.name());
        let how = how(&context);
        let outcome = match rows::measure(*what, &context).await {
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
        let measured = Measured { how, outcome };
        figures.measured.insert(what.name(), measured);
        if let Some(folder) = write {
            page::write(folder, &figures)?;
        }
    }
    Ok(good)
}

/// How often and for how long each side is measured, and what else runs here: with that,
/// times say little, and ratios less than they could.
fn how(context: &Context) -> String {
    let (rounds, time) = (context.rounds, context.time.as_secs_f64());
    let how = format!("{rounds} times {time} s each");
    match machine::busy() {
        Some(busy) if busy > QUIET => format!(
            "{how}, while something else took {:.0} % of the cores",
            busy * 100.0
        ),
        _ => how,
    }
}
