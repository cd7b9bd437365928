//! A run: all measurements, one after the other, each printed at once as a table.

use std::time::Duration;

use anyhow::Result;

use crate::machine;
use crate::pin::{self, Side};
use crate::row::{HEAD, Missing, Row};
use crate::rows::{self, Context, What};

/// The share of the cores that other programs may take on a machine that is called quiet.
const QUIET: f64 = 0.1;

/// Measures these quantities and prints a Markdown table of them on standard output. Returns
/// whether all could be measured and every row is within its reach.
///
/// # Errors
/// If nothing can be pinned to a core.
pub async fn run(what: &[What], rounds: usize, time: Duration) -> Result<bool> {
    // While all cores are there to be counted.
    println!("{}\n", machine::describe());
    pin::to(Side::Load)?;
    let context = Context::new(rounds, time)?;
    let mut good = true;
    println!("{HEAD}");
    for (index, what) in (1..).zip(what) {
        let name = what.name();
        eprintln!(
            "[{index}] {name}: {rounds} times {} s each{}",
            time.as_secs_f64(),
            noise()
        );
        match rows::measure(*what, &context).await {
            Ok(rows) => {
                rows.iter().for_each(|row| println!("{row}"));
                good &= rows.iter().all(Row::holds);
            }
            Err(error) if error.is::<Missing>() => eprintln!("{name} is skipped: {error}"),
            // The others can be measured all the same.
            Err(error) => {
                eprintln!("{name}: {error:#}");
                good = false;
            }
        }
    }
    Ok(good)
}

/// A remark where other programs take the cores: times then say little, and ratios less than
/// they could.
fn noise() -> String {
    match machine::busy() {
        Some(busy) if busy > QUIET => {
            format!(
                ", while other programs take {:.0} % of the cores",
                busy * 100.0
            )
        }
        _ => String::new(),
    }
}
