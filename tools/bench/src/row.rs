//! A line of the table: a figure of ours, the limit's, and how the two should stand.

use std::fmt;

use crate::sample::Pair;

/// What a figure counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A second.
    PerSecond,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Nothing: the part of a whole.
    Share,
    /// Nothing: a number of things.
    Number,
}

/// How ours divided by the limit's should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reach {
    /// This or more: of rates.
    AtLeast(f64),
    /// This or less: of times and sizes.
    AtMost(f64),
    /// Ours, whatever the limit's is: this many of the unit or less.
    Below(f64),
    /// Ours may exceed the limit's by this many of the unit.
    MoreByAtMost(f64),
    /// Whatever it is: a figure to know.
    Any,
}

/// How the table of rows begins.
pub const HEAD: &str = "\
| what | ours | against | its | ratio | reach | holds |
|---|---|---|---|---|---|---|";

/// A line of the table.
#[derive(Debug, Clone)]
pub struct Row {
    /// What was measured.
    pub what: String,
    /// Against what.
    pub against: String,
    /// What the two figures count in.
    pub unit: Unit,
    /// That of the built program.
    pub ours: f64,
    /// That of the limit.
    pub limit: f64,
    /// How they should stand.
    pub reach: Reach,
}

impl Row {
    /// Ours divided by the limit's.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.ours / self.limit
    }

    /// Whether it is as it should be.
    #[must_use]
    pub fn holds(&self) -> bool {
        match self.reach {
            Reach::AtLeast(least) => self.ratio() >= least,
            Reach::AtMost(most) => self.ratio() <= most,
            Reach::Below(most) => self.ours <= most,
            Reach::MoreByAtMost(most) => self.ours - self.limit <= most,
            Reach::Any => true,
        }
    }
}

/// Something that this machine lacks, without which a quantity cannot be measured.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Missing(pub String);

/// The rate of a pair, and the time that 99 of 100 did not exceed, as two rows.
#[must_use]
pub fn rate_and_p99(what: &str, against: &str, pair: Pair, [rate, p99]: [f64; 2]) -> [Row; 2] {
    [
        Row {
            what: what.to_owned(),
            against: against.to_owned(),
            unit: Unit::PerSecond,
            ours: pair.ours.rate,
            limit: pair.limit.rate,
            reach: Reach::AtLeast(rate),
        },
        Row {
            what: format!("{what}, p99"),
            against: against.to_owned(),
            unit: Unit::Seconds,
            ours: pair.ours.p99,
            limit: pair.limit.p99,
            reach: Reach::AtMost(p99),
        },
    ]
}

impl Unit {
    /// A figure with the unit that suits its size.
    #[must_use]
    pub fn show(self, figure: f64) -> String {
        let (scales, unit): (&[(f64, &str)], _) = match self {
            Self::PerSecond => (&[(1e6, " M"), (1e3, " k"), (1.0, " ")], "/s"),
            Self::Share => (&[(0.01, " ")], "%"),
            Self::Number => (&[(1.0, "")], ""),
            Self::Seconds => (&[(1.0, " "), (1e-3, " m"), (1e-6, " µ"), (1e-9, " n")], "s"),
            Self::Bytes => (&[(1048576.0, " Mi"), (1024.0, " Ki"), (1.0, " ")], "B"),
        };
        show(figure, scales, unit)
    }
}

/// A figure in the largest unit that it is at least one of.
fn show(figure: f64, scales: &[(f64, &str)], unit: &str) -> String {
    let fitting = scales.iter().find(|(scale, _)| figure >= *scale * 0.9999);
    let (scale, prefix) = fitting.or(scales.last()).copied().unwrap_or((1.0, " "));
    format!("{}{prefix}{unit}", three_digits(figure / scale))
}

/// As many places behind the point as make three digits: more would be noise.
fn three_digits(figure: f64) -> String {
    match figure {
        100.0.. => format!("{figure:.0}"),
        10.0.. => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}

/// As a line of a Markdown table.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reach = match self.reach {
            Reach::AtLeast(least) => format!("≥ {least}"),
            Reach::AtMost(most) => format!("≤ {most}"),
            Reach::Below(most) => format!("≤ {}", self.unit.show(most)),
            Reach::MoreByAtMost(most) => format!("≤ {} more", self.unit.show(most)),
            Reach::Any => String::new(),
        };
        let holds = match (self.reach, self.holds()) {
            (Reach::Any, _) => "",
            (_, true) => "yes",
            (_, false) => "**no**",
        };
        let ratio = self.ratio();
        let ratio = if ratio.is_finite() {
            format!("{ratio:.2}")
        } else {
            String::new()
        };
        write!(
            f,
            "| {} | {} | {} | {} | {ratio} | {reach} | {holds} |",
            self.what,
            self.unit.show(self.ours),
            self.against,
            self.unit.show(self.limit),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_with_three_digits_in_a_unit_that_suits() {
        assert_eq!(Unit::PerSecond.show(123_456.0), "123 k/s");
        assert_eq!(Unit::PerSecond.show(75.3), "75.3 /s");
        assert_eq!(Unit::Seconds.show(0.000_012_34), "12.3 µs");
        assert_eq!(Unit::Bytes.show(1536.0), "1.50 KiB");
        assert_eq!(Unit::Bytes.show(0.0), "0.00 B");
    }

    #[test]
    fn a_row_holds_or_says_that_it_does_not() {
        let mut row = Row {
            what: "Search".to_owned(),
            against: "a bare server".to_owned(),
            unit: Unit::PerSecond,
            ours: 95_000.0,
            limit: 100_000.0,
            reach: Reach::AtLeast(0.95),
        };
        assert!(row.holds());
        assert_eq!(
            row.to_string(),
            "| Search | 95.0 k/s | a bare server | 100 k/s | 0.95 | ≥ 0.95 | yes |"
        );
        row.ours = 90_000.0;
        assert!(row.to_string().ends_with("| 0.90 | ≥ 0.95 | **no** |"));
    }
}
