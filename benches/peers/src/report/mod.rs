//! The report: sections measured one after the other, and written down as far as they have come.

mod figure;
mod fit;
mod goals;
mod machine;
mod plots;
mod results;
mod spread;

pub(crate) use figure::{Figure, Findings};
pub(crate) use fit::Line;
pub(crate) use machine::memory_bytes;
pub(crate) use plots::{Curve, curves};
pub(crate) use spread::{Spread, number};

use crate::Result;
use crate::given::Given;
use crate::programs::{self, Programs};
use crate::sections::Section;
use clap::ValueEnum as _;
use goals::PROMISES;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What is to be measured.
#[derive(Debug)]
pub(crate) struct Order {
    /// Rows of the list.
    pub(crate) records: u64,
    /// Fewer and shorter rounds.
    pub(crate) quick: bool,
    /// Only these sections; empty: all.
    pub(crate) only: Vec<Section>,
    /// Where to work; `None`: the system's folder for temporary files.
    pub(crate) scratch: Option<PathBuf>,
    /// Rows of the lists of the scale curve.
    pub(crate) scale: Vec<u64>,
}

/// Measures and writes down.
///
/// # Errors
/// When there is nothing to measure with, or nowhere to write. A section that fails is told in the report, and the
/// others are measured all the same.
pub(crate) fn run(order: &Order) -> Result<ExitCode> {
    let scratch = match &order.scratch {
        Some(folder) => {
            std::fs::create_dir_all(folder)?;
            tempfile::tempdir_in(folder)?
        }
        None => tempfile::tempdir()?,
    };
    let programs = Programs::build()?;
    let given = Given::prepare(
        scratch.path(),
        programs,
        order.records,
        order.quick,
        order.scale.clone(),
    )?;
    let heading = heading(&given)?;
    let (mut text, mut figures, mut failed) = (String::new(), Vec::new(), false);
    let folder = programs::benches();
    for section in Section::value_variants() {
        if !order.only.is_empty() && !order.only.contains(section) {
            continue;
        }
        eprintln!("measuring: {}", section.title());
        let measured = measure(*section, &given);
        failed |= measured.is_err();
        let mut findings = measured.unwrap_or_else(|error| {
            eprintln!("  failed: {error}");
            Findings {
                notes: vec![format!("**failed**: {error}")],
                ..Findings::default()
            }
        });
        add_missing(*section, &mut findings);
        let markdown = findings.markdown(section.title());
        println!("\n{markdown}");
        text = text + "\n" + &markdown;
        figures.append(&mut findings.figures);
        // After each section: whatever ends the run, what was measured before is kept.
        results::write(&folder.join("results.json"), figures.iter())?;
        if !order.quick && order.only.is_empty() {
            let overview = overview(&folder.join("plots"), &figures)?;
            let whole = format!("{heading}\n{overview}{text}");
            std::fs::write(folder.join("RESULTS.md"), whole)?;
        }
    }
    let missed: Vec<&str> = figures
        .iter()
        .filter(|figure| !figure.met())
        .map(|figure| figure.id.as_str())
        .collect();
    eprintln!("{} figures; not met: {}", figures.len(), missed.join(", "));
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// A section that panics, in whichever library, has failed like any other.
fn measure(section: Section, given: &Given) -> Result<Findings> {
    catch_unwind(AssertUnwindSafe(|| section.measure(given)))
        .unwrap_or_else(|_| Err("it has panicked".into()))
}

/// Adds what was promised and not found.
fn add_missing(section: Section, findings: &mut Findings) {
    let promised = PROMISES.iter().filter(|promise| promise.section == section);
    for promise in promised {
        if findings
            .figures
            .iter()
            .all(|figure| figure.id != promise.id)
        {
            findings.figures.push(Figure::missing(promise.id));
        }
    }
}

/// Plots of what the sections have found together, as Markdown; what can't be drawn yet is left out.
fn overview(folder: &Path, figures: &[Figure]) -> Result<String> {
    std::fs::create_dir_all(folder)?;
    let bytes = |file: &str, title, prefix| {
        plots::bars(
            &folder.join(file),
            title,
            "bytes a document",
            prefix,
            figures,
        )
    };
    let drawn = [
        (
            "ratios.svg",
            plots::ratios(&folder.join("ratios.svg"), figures),
        ),
        (
            "bytes.svg",
            bytes(
                "bytes.svg",
                "Everything that an answer needs",
                "bytes/whole/",
            ),
        ),
        (
            "keys.svg",
            bytes("keys.svg", "Numbers alone", "bytes/keys-and-filter/"),
        ),
    ];
    Ok(drawn
        .into_iter()
        .filter(|(_, drawn)| drawn.is_ok())
        .map(|(file, _)| format!("![{}](plots/{file})\n\n", file.trim_end_matches(".svg")))
        .collect())
}

/// What was measured, on what, and how to do it again.
fn heading(given: &Given) -> Result<String> {
    // File names only: where they lie on this machine is nobody's business.
    let shown = std::env::args().skip(1).map(|argument| {
        let path = Path::new(&argument);
        let name = path
            .file_name()
            .filter(|_| path.is_absolute() || path.starts_with(".."));
        name.map_or(argument.clone(), |name| name.to_string_lossy().into_owned())
    });
    let command = ["cargo run --release --manifest-path benches/peers/Cargo.toml --".to_owned()]
        .into_iter()
        .chain(shown)
        .collect::<Vec<_>>()
        .join(" ");
    let bytes = std::fs::metadata(&given.list)?.len();
    Ok(format!(
        "# Results\n\nWritten by the command below; medians, with the least and the greatest in parentheses. Ratios \
         are taken round by round and rise with what is better of ours, unless the goal is \"at most\" or \"below\": \
         then they are ours divided by the peer's. A goal is met when the interval of the ratios reaches it.\n\n\
         - command: `{command}`\n- list: {} rows, {bytes} bytes\n{}",
        given.records,
        machine::describe()
    ))
}
