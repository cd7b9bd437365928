//! A plot of ours and the limit's, both axes logarithmic: what bends, bends visibly.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use plotters::prelude::*;

use crate::row::{Point, Row};

/// In pixels of a page.
const SIZE: (u32, u32) = (720, 400);
/// By how much the ends of an axis differ at the least.
const ROOM: f64 = 1.5;
/// At the most so many figures stand beside an axis.
const LABELS: usize = 6;
const OURS: RGBColor = RGBColor(0x1f, 0x6f, 0xeb);
const LIMIT: RGBColor = RGBColor(0x8a, 0x8a, 0x8a);

/// Draws the rows of one curve into an SVG file; those that stand on none are left out.
///
/// # Errors
/// If there are none, or the file cannot be written.
pub fn draw(file: &Path, rows: &[&Row]) -> Result<()> {
    let points: Vec<(&Point, &Row)> = rows
        .iter()
        .filter_map(|row| Some((row.point.as_ref()?, *row)))
        .collect();
    let (first, row) = points.first().context("nothing to draw")?;
    let unit = row.unit;
    let figures = points.iter().flat_map(|(_, row)| [row.ours, row.limit]);
    let (low, high) = range(figures);
    let (left, right) = range(points.iter().map(|(point, _)| point.at));

    let (x, y) = (left / 1.2..right * 1.2, decades(low, high));
    let root = SVGBackend::new(file, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(14)
        .margin_right(30)
        .x_label_area_size(44)
        .y_label_area_size(84)
        .caption(&first.curve, ("sans-serif", 18))
        .build_cartesian_2d(x.clone().log_scale(), y.clone().log_scale())?;
    chart
        .configure_mesh()
        .x_desc(&first.over)
        .y_labels(LABELS)
        .x_label_formatter(&|x| count(*x))
        .y_label_formatter(&|y| unit.show_on_axis(*y))
        .label_style(("sans-serif", 13))
        .light_line_style(WHITE)
        .draw()?;
    let ours: Vec<f64> = points.iter().map(|(_, row)| row.ours).collect();
    let limit: Vec<f64> = points.iter().map(|(_, row)| row.limit).collect();
    // The limit's first, so that ours is seen where the two lie on each other.
    let sides = [
        (row.against.as_str(), LIMIT, limit),
        ("p2pchat", OURS, ours),
    ];
    for (name, color, figures) in sides {
        let line = points.iter().map(|(point, _)| point.at).zip(figures);
        let dots = ShapeStyle::from(color).filled();
        let line = LineSeries::new(line, color.stroke_width(2)).point_size(3);
        chart
            .draw_series(line)?
            .label(name)
            .legend(move |(x, y)| Circle::new((x + 9, y), 4, dots));
    }
    chart
        .configure_series_labels()
        .position(place(&points, &x, &y))
        .label_font(("sans-serif", 13))
        .background_style(WHITE.mix(0.8))
        .border_style(LIMIT)
        .draw()?;
    root.present().context("cannot write the plot")
}

/// Where the names of the lines are least in the way: the corner that is farthest from all
/// figures, each axis taken as one long.
fn place(points: &[(&Point, &Row)], x: &Range<f64>, y: &Range<f64>) -> SeriesLabelPosition {
    use SeriesLabelPosition::{LowerLeft, LowerRight, UpperLeft, UpperRight};
    let along = |axis: &Range<f64>, at: f64| (at / axis.start).ln() / (axis.end / axis.start).ln();
    let corners = [
        (0.8, 0.9, UpperRight),
        (0.8, 0.1, LowerRight),
        (0.2, 0.9, UpperLeft),
        (0.2, 0.1, LowerLeft),
    ];
    let room = |(right, up): (f64, f64)| {
        points
            .iter()
            .flat_map(|(point, row)| [(point.at, row.ours), (point.at, row.limit)])
            .map(|(at, figure)| (along(x, at) - right).hypot(along(y, figure) - up))
            .fold(f64::MAX, f64::min)
    };
    let [first, others @ ..] = corners;
    let mut best = (room((first.0, first.1)), first.2);
    for (right, up, corner) in others {
        let room = room((right, up));
        if room > best.0 {
            best = (room, corner);
        }
    }
    best.1
}

/// A round count, with the thousands apart.
fn count(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// From one power of ten to another: an axis with fewer than two figures says nothing.
fn decades(low: f64, high: f64) -> Range<f64> {
    let (low, high) = (low.log10().floor(), high.log10().ceil());
    // A little more, or rounding takes the figures at the ends away.
    0.999 * 10_f64.powf(low)..1.001 * 10_f64.powf(high.max(low + 1.0))
}

/// The least and the most of them that can stand on a logarithmic axis, never the same.
fn range(figures: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = figures
        .filter(|figure| *figure > 0.0)
        .fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), figure| {
            (low.min(figure), high.max(figure))
        });
    (low, high.max(low * ROOM))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::{Reach, Unit};

    #[test]
    fn a_curve_becomes_a_picture_with_both_sides_named() {
        let row = |at: usize, ours| Row {
            what: "Search".to_owned(),
            against: "a bare server".to_owned(),
            unit: Unit::PerSecond,
            ours,
            limit: 2.0 * ours,
            reach: Reach::AtLeast(0.5),
            point: Some(Point::new("Search", "connections", at)),
        };
        let rows = [row(1, 10_000.0), row(10, 50_000.0), row(1000, 40_000.0)];
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("search.svg");
        draw(&file, &rows.iter().collect::<Vec<_>>()).unwrap();
        let picture = std::fs::read_to_string(file).unwrap();
        for text in ["p2pchat", "a bare server", "connections", "k/s"] {
            assert!(picture.contains(text), "no {text}");
        }
        assert!(draw(Path::new("/nowhere/x.svg"), &[]).is_err());
    }

    #[test]
    fn an_axis_has_whole_decades() {
        let axis = decades(3.0, 70.0);
        assert!(axis.contains(&1.0) && axis.contains(&100.0) && !axis.contains(&101.0));
        assert!(decades(10.0, 10.0).contains(&100.0));
    }

    #[test]
    fn counts_have_their_thousands_apart() {
        assert_eq!(count(100.0), "100");
        assert_eq!(count(1_000_000.0), "1,000,000");
    }
}
