//! Plots, as SVG without fonts of this machine: text stays text.

use super::figure::Figure;
use super::goals::Goal;
use super::spread::number;
use crate::Result;
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use std::ops::Range;
use std::path::Path;

/// Width of every plot, pixels.
const WIDTH: u32 = 900;
/// Height of a plot of curves, pixels.
const HEIGHT: u32 = 480;
/// Width of the names before rows, pixels.
const NAMES: u32 = 330;
/// Height of one bar with the room around it, pixels.
const BAR: u32 = 26;
/// Height of what stands above and below the bars, pixels.
const FRAME: u32 = 90;
const FONT: (&str, u32) = ("sans-serif", 14);
const TITLE: (&str, u32) = ("sans-serif", 18);
/// Colours of curves and bars, told apart by the colour-blind too (Okabe and Ito).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(80, 80, 80),
];

/// A curve of a plot.
#[derive(Debug)]
pub(crate) struct Curve {
    /// As the legend names it.
    pub(crate) name: String,
    /// Its points, all above zero.
    pub(crate) points: Vec<(f64, f64)>,
}

/// Draws curves over two logarithmic axes.
///
/// # Errors
/// When there are no points, or the file can't be written.
pub(crate) fn curves(path: &Path, title: &str, x: &str, y: &str, curves: &[Curve]) -> Result<()> {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let across = range(points().map(|point| point.0)).ok_or(NOTHING)?;
    let up = range(points().map(|point| point.1)).ok_or(NOTHING)?;
    let root = canvas(path, HEIGHT)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(title, TITLE)
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(72)
        .build_cartesian_2d(across.log_scale(), up.log_scale())?;
    chart
        .configure_mesh()
        .x_desc(x)
        .y_desc(y)
        .label_style(FONT)
        .light_line_style(RGBColor(235, 235, 235))
        .x_label_formatter(&|value| number(*value))
        .y_label_formatter(&|value| number(*value))
        .draw()?;
    for (curve, colour) in curves.iter().zip(COLOURS.iter().cycle()) {
        let colour = *colour;
        chart
            .draw_series(LineSeries::new(
                curve.points.iter().copied(),
                colour.stroke_width(2),
            ))?
            .label(&curve.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        chart.draw_series(
            curve
                .points
                .iter()
                .map(|point| Circle::new(*point, 3, colour.filled())),
        )?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .label_font(FONT)
        .draw()?;
    Ok(root.present()?)
}

/// Draws what ours and each peer took for `prefix/PEER` as bars.
///
/// # Errors
/// When there is no such figure, or the file can't be written.
pub(crate) fn bars(
    path: &Path,
    title: &str,
    unit: &str,
    prefix: &str,
    figures: &[Figure],
) -> Result<()> {
    let mut bars: Vec<(&str, f64)> = Vec::new();
    for figure in figures {
        let Some(peer) = figure.id.strip_prefix(prefix) else {
            continue;
        };
        if peer == "limit" {
            continue;
        }
        if let (Some(ours), Some(theirs)) = (figure.ours(), figure.peer()) {
            // A peer that holds a part only has another figure of ours; the first one is of all.
            if bars.is_empty() {
                bars.push(("sltd", ours));
            }
            bars.push((peer, theirs));
        }
    }
    let most = bars
        .iter()
        .map(|bar| bar.1)
        .reduce(f64::max)
        .ok_or(NOTHING)?;
    let names: Vec<&str> = bars.iter().map(|bar| bar.0).collect();
    rows(
        path,
        title,
        unit,
        &names,
        0.0..most * 1.15,
        number,
        |chart| {
            for (at, (name, value)) in bars.iter().enumerate() {
                let colour = COLOURS[usize::from(*name != "sltd")];
                let top = at as f64;
                chart.draw_series([Rectangle::new(
                    [(0.0, top + 0.15), (*value, top + 0.85)],
                    colour.filled(),
                )])?;
                let label = (*value + most * 0.01, top + 0.3);
                chart.draw_series([Text::new(number(*value), label, FONT)])?;
            }
            Ok(())
        },
    )
}

/// Draws how far every ratio with a goal stands from it, with its spread: 1 is the goal, right of it is better.
///
/// # Errors
/// When there is no such figure, or the file can't be written.
pub(crate) fn ratios(path: &Path, figures: &[Figure]) -> Result<()> {
    let mut lines = Vec::new();
    for figure in figures {
        let ratio = figure.ratio();
        let (Some(goal), true) = (figure.goal().value(), ratio.min > 0.0) else {
            continue;
        };
        let of_goal = match figure.goal() {
            Goal::AtMost(_) | Goal::Below(_) => {
                [ratio.min, ratio.median, ratio.max].map(|ratio| goal / ratio)
            }
            _ => [ratio.min, ratio.median, ratio.max].map(|ratio| ratio / goal),
        };
        lines.push((figure.id.as_str(), of_goal, figure.met()));
    }
    if lines.is_empty() {
        return Err(NOTHING.into());
    }
    // Twice as good and half as good stand equally far from the goal.
    let logs = lines.iter().flat_map(|line| line.1).map(f64::log2);
    let (low, high) = logs.fold((-1.0_f64, 1.0_f64), |(low, high), log| {
        (low.min(log), high.max(log))
    });
    let names: Vec<&str> = lines.iter().map(|line| line.0).collect();
    let title = "Ratios, as multiples of their goals";
    let shown = |log: f64| number(log.exp2());
    rows(
        path,
        title,
        "times the goal",
        &names,
        low..high,
        shown,
        |chart| {
            let goal = [(0.0, 0.0), (0.0, lines.len() as f64)];
            chart.draw_series([PathElement::new(goal, BLACK.stroke_width(1))])?;
            for (at, (_, ratios, met)) in lines.iter().enumerate() {
                let colour = COLOURS[usize::from(!*met)];
                let [one, median, other] = ratios.map(|ratio| (ratio.log2(), at as f64 + 0.5));
                chart.draw_series([PathElement::new([one, other], colour.stroke_width(2))])?;
                chart.draw_series([Circle::new(median, 4, colour.filled())])?;
            }
            Ok(())
        },
    )
}

const NOTHING: &str = "there is nothing to draw";

type Canvas<'p> = DrawingArea<SVGBackend<'p>, Shift>;
type Rows<'a, 'p> = ChartContext<'a, SVGBackend<'p>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

fn canvas(path: &Path, height: u32) -> Result<Canvas<'_>> {
    let root = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE)?;
    Ok(root)
}

/// A row for each name, from above, over one axis.
fn rows(
    path: &Path,
    title: &str,
    unit: &str,
    names: &[&str],
    across: Range<f64>,
    shown: impl Fn(f64) -> String,
    draw: impl FnOnce(&mut Rows<'_, '_>) -> Result<()>,
) -> Result<()> {
    let root = canvas(path, FRAME + BAR * names.len() as u32)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(title, TITLE)
        .margin(12)
        .margin_left(NAMES)
        .x_label_area_size(42)
        .build_cartesian_2d(across, names.len() as f64..0.0)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .x_desc(unit)
        .label_style(FONT)
        .light_line_style(RGBColor(235, 235, 235))
        .x_label_formatter(&|value| shown(*value))
        .draw()?;
    let (_, area) = chart.plotting_area().get_pixel_range();
    for (at, name) in names.iter().enumerate() {
        let middle =
            area.start + (area.end - area.start) * (2 * at as i32 + 1) / (2 * names.len() as i32);
        root.draw(&Text::new(*name, (12, middle - 7), FONT))?;
    }
    draw(&mut chart)?;
    Ok(root.present()?)
}

/// The least and the greatest with some room around them; `None` without values or with one that has no logarithm.
fn range(values: impl Iterator<Item = f64>) -> Option<Range<f64>> {
    let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
    for value in values {
        low = low.min(value);
        high = high.max(value);
    }
    (low > 0.0 && high.is_finite() && low <= high).then(|| low / 1.3..high * 1.3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plots_say_what_they_show() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("plot.svg");
        let text = || std::fs::read_to_string(&path);
        let figures = [
            Figure::less("bytes/whole/lmdb", "B", &[14.0], &[40.0]),
            Figure::less(
                "absent/one-at-a-time/hashbrown",
                "ns",
                &[50.0, 51.0],
                &[40.0, 60.0],
            ),
            Figure::missing("bytes/whole/redis"),
        ];
        bars(&path, "Bytes", "B", "bytes/whole/", &figures)?;
        let drawn = text()?;
        for shown in ["sltd", "lmdb", "14", "40"] {
            assert!(drawn.contains(shown), "{shown}");
        }
        assert!(!drawn.contains("redis"), "what is missing is no bar");
        ratios(&path, &figures)?;
        assert!(text()?.contains("absent/one-at-a-time/hashbrown"));
        let curve = Curve {
            name: "build".to_owned(),
            points: vec![(1.0, 2.0), (10.0, 20.0)],
        };
        curves(&path, "Scale", "documents", "seconds", &[curve])?;
        assert!(text()?.contains("build"));
        Ok(())
    }

    #[test]
    fn nothing_is_not_drawn() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("plot.svg");
        assert!(curves(&path, "", "", "", &[]).is_err());
        assert!(bars(&path, "", "", "bytes/whole/", &[]).is_err());
        assert!(ratios(&path, &[]).is_err());
        Ok(())
    }
}
