//! `results.json`: the ratios for programs to read.

use super::figure::Figure;
use crate::Result;
use serde::Serialize;
use std::path::Path;

/// One entry: a figure against one peer.
#[derive(Debug, Serialize)]
struct Entry<'f> {
    id: &'f str,
    /// Median measured of ours; null where nothing was measured.
    ours: Option<f64>,
    /// Median measured of the peer.
    peer: Option<f64>,
    /// Unit of both.
    unit: &'static str,
    /// Median of the ratios; higher is better, unless the goal is "at most".
    ratio: f64,
    /// Least and greatest of the ratios.
    spread: [f64; 2],
    goal: Option<f64>,
    met: bool,
}

/// Writes all figures that have a ratio.
///
/// # Errors
/// When the file can't be written.
pub(crate) fn write<'f>(path: &Path, figures: impl Iterator<Item = &'f Figure>) -> Result<()> {
    let entries: Vec<Entry<'_>> = figures
        .filter(|figure| figure.is_compared())
        .map(|figure| {
            let ratio = figure.ratio();
            Entry {
                id: &figure.id,
                ours: figure.ours(),
                peer: figure.peer(),
                unit: figure.unit,
                ratio: ratio.median,
                spread: [ratio.min, ratio.max],
                goal: figure.goal().value(),
                met: figure.met(),
            }
        })
        .collect();
    std::fs::write(path, serde_json::to_string_pretty(&entries)? + "\n")?;
    Ok(())
}
