//! The page of results: the table, a plot for each curve, and the machine.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::row::Row;
use crate::{machine, plot};

/// How the table begins.
pub const HEAD: &str = "\
| what | ours | against | its | ratio | reach | holds |
|---|---|---|---|---|---|---|";

/// Writes `benchmarks.md` into a folder, and beside it, in `benchmarks/`, the plots.
///
/// # Errors
/// If they cannot be written.
pub fn write(folder: &Path, rows: &[Row], how: &str) -> Result<()> {
    let plots = folder.join("benchmarks");
    fs::create_dir_all(&plots).with_context(|| format!("cannot make {}", plots.display()))?;
    let mut text = format!(
        "# Benchmarks\n\n\
         Written by `cargo xtask bench`. Each line has two sides, ours and the limit, which \
         were measured in turn in the same run ({how}); the medians are compared. Servers \
         have a core of their own, what loads them has the others.\n\n\
         {}\n\n{HEAD}\n",
        machine::describe()
    );
    for row in rows {
        writeln!(text, "{row}")?;
    }
    for (curve, points) in curves(rows) {
        let file = format!("{}.svg", curve.to_lowercase().replace(' ', "-"));
        plot::draw(&plots.join(&file), &points).with_context(|| format!("cannot draw {curve}"))?;
        let over = points[0].0.over;
        write!(text, "\n![{curve} over {over}](benchmarks/{file})\n")?;
    }
    let page = folder.join("benchmarks.md");
    fs::write(&page, text).with_context(|| format!("cannot write {}", page.display()))
}

/// The rows of each curve that has more than one point.
fn curves(rows: &[Row]) -> BTreeMap<&'static str, Vec<(crate::row::Point, &Row)>> {
    let mut curves: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in rows {
        if let Some(point) = row.point {
            curves.entry(point.curve).or_default().push((point, row));
        }
    }
    curves.retain(|_, points| points.len() > 1);
    curves
}
