//! A plot of ours and the limit's, both axes logarithmic: what bends, bends visibly.

use std::path::Path;

use anyhow::{Context, Result};
use plotters::prelude::*;

use crate::row::{Point, Row};

/// In pixels of a page.
const SIZE: (u32, u32) = (720, 400);
/// How much room there is above and below the figures.
const ROOM: f64 = 1.5;
const OURS: RGBColor = RGBColor(0x1f, 0x6f, 0xeb);
const LIMIT: RGBColor = RGBColor(0x9a, 0x9a, 0x9a);

/// Draws the rows of one curve into an SVG file.
///
/// # Errors
/// If there are none, or the file cannot be written.
pub fn draw(file: &Path, points: &[(Point, &Row)]) -> Result<()> {
    let (first, row) = points.first().context("nothing to draw")?;
    let unit = row.unit;
    let figures = points.iter().flat_map(|(_, row)| [row.ours, row.limit]);
    let (low, high) = range(figures);
    let (left, right) = range(points.iter().map(|(point, _)| point.at));

    let root = SVGBackend::new(file, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(80)
        .caption(first.curve, ("sans-serif", 18))
        .build_cartesian_2d(
            (left..right).log_scale(),
            (low / ROOM..high * ROOM).log_scale(),
        )?;
    chart
        .configure_mesh()
        .x_desc(first.over)
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| unit.show(*y))
        .light_line_style(WHITE)
        .draw()?;
    let ours: Vec<f64> = points.iter().map(|(_, row)| row.ours).collect();
    let limit: Vec<f64> = points.iter().map(|(_, row)| row.limit).collect();
    let sides = [("p2pchat", OURS, ours), (&row.against, LIMIT, limit)];
    for (name, color, figures) in sides {
        let line = points.iter().map(|(point, _)| point.at).zip(figures);
        chart
            .draw_series(LineSeries::new(line, color.stroke_width(2)).point_size(3))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color));
    }
    chart
        .configure_series_labels()
        .background_style(WHITE)
        .border_style(LIMIT)
        .draw()?;
    root.present().context("cannot write the plot")
}

/// The least and the most of them, never the same.
fn range(figures: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = figures.fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), figure| {
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
        let points: Vec<_> = rows.iter().map(|row| (row.point.unwrap(), row)).collect();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("search.svg");
        draw(&file, &points).unwrap();
        let picture = std::fs::read_to_string(file).unwrap();
        for text in ["p2pchat", "a bare server", "connections", "k/s"] {
            assert!(picture.contains(text), "no {text}");
        }
        assert!(draw(Path::new("/nowhere/x.svg"), &[]).is_err());
    }
}
