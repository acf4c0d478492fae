//! Latencies drawn: how long which share of the calls took, at several rates.

use crate::services::ask::Asked;
use crate::{Result, programs};
use plotters::prelude::*;

/// The file.
const FILE: &str = "latency.svg";

/// How long which share of the calls took.
#[derive(Debug)]
pub(super) struct Curve {
    whose: &'static str,
    /// Percent of the echo's top rate.
    rate: u32,
    /// One part in so many took longer than so many microseconds; medians of the rounds.
    points: Vec<(f64, f64)>,
}

impl Curve {
    /// The medians of some rounds.
    pub(super) fn new(whose: &'static str, rate: u32, asked: &[Asked]) -> Self {
        let shares = asked.first().map_or(&[][..], |asked| &asked.latency_us);
        let points = shares
            .iter()
            .filter(|(share, _)| *share < 1.0)
            .map(|&(share, _)| {
                let rounds: Vec<f64> = asked.iter().map(|asked| asked.latency_us(share)).collect();
                (1.0 / (1.0 - share), super::unary::median(&rounds))
            })
            .collect();
        Self {
            whose,
            rate,
            points,
        }
    }
}

/// Draws curves into the folder of plots; the name of the file.
///
/// # Errors
/// When it can't be written.
pub(super) fn draw(curves: &[Curve]) -> Result<String> {
    let folder = programs::benches().join("plots");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(FILE);
    let all = || curves.iter().flat_map(|curve| curve.points.iter().copied());
    let most = |of: fn((f64, f64)) -> f64| all().map(of).fold(1.0, f64::max);
    let least = all().map(|(_, us)| us).fold(f64::INFINITY, f64::min);
    let area = SVGBackend::new(&path, (900, 540)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(
            "Latency of unary calls, from the scheduled instant",
            ("sans-serif", 20),
        )
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(
            (2.0..most(|(parts, _)| parts)).log_scale(),
            (least / 2.0..most(|(_, us)| us) * 2.0).log_scale(),
        )?;
    chart
        .configure_mesh()
        .x_desc("one call in so many takes longer")
        .y_desc("microseconds")
        .draw()?;
    let rates: Vec<u32> = curves.iter().map(|curve| curve.rate).collect();
    for curve in curves {
        let shade = rates.iter().filter(|rate| **rate < curve.rate).count() as f64
            / rates.len().max(1) as f64;
        // Ours in blue, the other in red, the darker the more calls a second.
        let color = HSLColor(
            if curve.whose == "ours" { 0.6 } else { 0.02 },
            0.8,
            0.75 - shade * 0.5,
        );
        chart
            .draw_series(LineSeries::new(
                curve.points.iter().copied(),
                color.stroke_width(2),
            ))?
            .label(format!("{}, {} %", curve.whose, curve.rate))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .border_style(BLACK)
        .background_style(WHITE)
        .draw()?;
    area.present()?;
    Ok(FILE.to_owned())
}
