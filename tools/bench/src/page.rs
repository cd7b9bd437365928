//! The page of results. The words are those of `page/words.md`; the figures come from what
//! was measured, and so do the tables, the plots and who reaches what.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::figures::{Figures, Outcome};
use crate::plot;
use crate::row::Row;

/// How the table begins.
pub const HEAD: &str = "\
| what | ours | against | its | ratio | reach | holds |
|---|---|---|---|---|---|---|";
/// Written by people. A line `{{…}}` stands for what was measured.
const WORDS: &str = include_str!("page/words.md");

/// Writes `benchmarks.md` into a folder, and beside it, in `benchmarks/`, the plots and
/// the figures.
///
/// # Errors
/// If they cannot be written.
pub fn write(folder: &Path, figures: &Figures) -> Result<()> {
    let beside = folder.join("benchmarks");
    fs::create_dir_all(&beside).with_context(|| format!("cannot make {}", beside.display()))?;
    figures.write(&beside)?;
    for (curve, rows) in curves(figures) {
        let file = beside.join(file_name(curve));
        plot::draw(&file, &rows).with_context(|| format!("cannot draw {curve}"))?;
    }
    let page = folder.join("benchmarks.md");
    fs::write(&page, fill_in(WORDS, figures)?)
        .with_context(|| format!("cannot write {}", page.display()))
}

/// Puts what was measured in place of the lines that stand for it.
fn fill_in(words: &str, figures: &Figures) -> Result<String> {
    let mut text = String::new();
    for line in words.lines() {
        let wanted = line
            .strip_prefix("{{")
            .and_then(|line| line.strip_suffix("}}"));
        match wanted {
            None => writeln!(text, "{line}")?,
            Some(wanted) => {
                let (kind, rest) = wanted.split_once(' ').unwrap_or((wanted, ""));
                match kind {
                    "machine" => writeln!(text, "{}", figures.machine)?,
                    "sum" => text.push_str(&sum(figures)?),
                    "table" => text.push_str(&table(figures, rest)?),
                    "plot" => text.push_str(&picture(figures, rest)),
                    other => bail!("nothing is called {other}"),
                }
            }
        }
    }
    Ok(text)
}

/// Which rows are as they should be, and by how much the others are not.
fn sum(figures: &Figures) -> Result<String> {
    let (holding, others): (Vec<&Row>, Vec<&Row>) = figures
        .rows()
        .filter(|row| row.has_reach())
        .partition(|row| row.holds());
    let all = holding.len() + others.len();
    let mut text = format!("{} of {all} rows are as they should be.", holding.len());
    if !others.is_empty() {
        write!(text, " These are not:\n\n{HEAD}\n")?;
        others.iter().try_for_each(|row| writeln!(text, "{row}"))?;
    } else {
        text.push('\n');
    }
    Ok(text)
}

/// The rows of some quantities, with how they were measured below.
fn table(figures: &Figures, names: &str) -> Result<String> {
    let mut lines = String::new();
    let mut below: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for name in names.split_whitespace() {
        match figures.measured.get(name) {
            None => below
                .entry("Not measured yet".to_owned())
                .or_default()
                .push(name),
            Some(measured) => {
                let rows = measured.outcome.rows();
                rows.iter().try_for_each(|row| writeln!(lines, "{row}"))?;
                let how = match &measured.outcome {
                    Outcome::Rows(_) => format!("Measured {}", measured.how),
                    Outcome::Skipped(why) => format!("Skipped, because {why}"),
                };
                below.entry(how).or_default().push(name);
            }
        }
    }
    let mut text = match lines.is_empty() {
        true => String::new(),
        false => format!("{HEAD}\n{lines}\n"),
    };
    for (how, names) in below {
        writeln!(text, "{how}: {}.", names.join(", "))?;
    }
    Ok(text)
}

fn picture(figures: &Figures, curve: &str) -> String {
    match curves(figures).get(curve) {
        Some(_) => format!("![{curve}](benchmarks/{})\n", file_name(curve)),
        None => format!("(No plot of {curve}: it was not measured.)\n"),
    }
}

/// The rows of each curve that has more than one point.
fn curves(figures: &Figures) -> BTreeMap<&str, Vec<&Row>> {
    let mut curves: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in figures.rows() {
        if let Some(point) = &row.point {
            curves.entry(point.curve.as_str()).or_default().push(row);
        }
    }
    curves.retain(|_, rows| rows.len() > 1);
    curves
}

fn file_name(curve: &str) -> String {
    let words = curve.to_lowercase();
    let words = words.split(|c: char| !c.is_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    format!("{}.svg", words.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Measured;
    use crate::row::{Point, Reach, Unit};

    fn figures() -> Figures {
        let row = |at: usize, ours| Row {
            what: format!("Search, {at} connections"),
            against: "a bare server".to_owned(),
            unit: Unit::PerSecond,
            ours,
            limit: 100.0,
            reach: Reach::AtLeast(0.9),
            point: Some(Point::new("Search", "connections", at)),
        };
        let outcome = Outcome::Rows(vec![row(1, 95.0), row(10, 50.0)]);
        let how = "5 times".to_owned();
        let mut figures = Figures::default();
        figures
            .measured
            .insert("search".to_owned(), Measured { how, outcome });
        let outcome = Outcome::Skipped("there is no Redis".to_owned());
        let how = String::new();
        figures
            .measured
            .insert("redis".to_owned(), Measured { how, outcome });
        figures
    }

    #[test]
    fn the_page_has_tables_plots_and_who_misses_what() {
        let words = "# Words\n{{sum}}\n{{table search redis text}}\n{{plot Search}}\n";
        let page = fill_in(words, &figures()).unwrap();
        assert!(page.starts_with("# Words\n1 of 2 rows"), "{page}");
        assert!(page.contains("Skipped, because there is no Redis: redis."));
        assert!(page.contains("Not measured yet: text."));
        assert!(page.contains("Measured 5 times: search."));
        assert!(page.contains("![Search](benchmarks/search.svg)"));
        assert_eq!(page.matches("Search, 10 connections").count(), 2);
        assert!(fill_in("{{tables}}", &figures()).is_err());
    }

    #[test]
    fn the_page_is_written_with_its_plots() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &figures()).unwrap();
        for file in ["benchmarks.md", "benchmarks/search.svg"] {
            assert!(folder.path().join(file).is_file(), "no {file}");
        }
    }
}
