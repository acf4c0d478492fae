//! `sltd-data generate`: synthetic lists shaped like the published one, and questions about them.
//!
//! # What a list looks like
//! About half of the documents are not passports; States report by their weights (`states.rs`, with
//! its basis); numbers have several formats a State. Of the rows
//! - 8 % stand in runs of consecutive numbers reported together (8 to 4,096 long): stolen blanks,
//!   issued documents stolen in one go, series declared invalid; each a row of its own unless ranges
//!   are asked for, then a run of blanks is one row;
//! - 0.4 % report a number that another State reports too, beside the equal numbers that come by
//!   chance where windows of one shape overlap;
//! - 1.5 % report a document that is listed already, with other dates and often another status, one in
//!   sixteen of them as another kind of document of the same number;
//! - 0.05 % repeat the row before them byte by byte (a build merges them).
//!
//! All others are the first report of a document, so 40 million rows hold more than 39 million
//! documents. Every row is usable: dates are relative to [`NEWEST_REPORT`], and no report lapses
//! before [`FIRST_LAPSE`].
//!
//! # How it streams
//! Nothing is remembered but, for each kind of document of each State, how many units of 4,096
//! consecutive numbers are used up: `space.rs` says how a keyed bijection orders units and a keyed
//! hash chooses numbers within them, and why that proves an unreported document to be one. Unreported
//! questions come from the same windows, used up or not, so they lie between and beside reported
//! numbers; their numbers may be reported by other States, never by their own.
//!
//! The same arguments give the same bytes on every machine: keys and draws come from ChaCha8 by the
//! seed, all arithmetic is on integers, no clock is read and no hash map walked.

mod dates;
mod layouts;
mod mix;
mod parquet;
mod queries;
mod rows;
mod shape;
mod sheet;
mod space;
mod states;
#[cfg(test)]
mod tests;
mod world;

use crate::command::{FAILED, USAGE, complain, say};
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

pub use dates::{FIRST_LAPSE, NEWEST_REPORT};
pub use layouts::Layout;
use queries::Questions;
use rows::{Rows, Traits};
use sheet::{Output, Sheet};
use world::World;

/// Write a synthetic list of reported documents, and questions to ask about it
///
/// The list is shaped like the published one: States by their shares, several number formats each,
/// runs of stolen blanks, equal numbers of different States, documents reported more than once. The
/// same arguments give the same bytes. It streams: a billion rows need no more memory than a thousand
/// (and 75 bytes of disk each).
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Example, a list and questions about it:
  sltd-data generate --records 1000000 --seed 7 --out list.csv --queries questions.csv
To build it, describe it in a sources.toml: path = \"list.csv\", layout = \"sltd-csv\", owns = [\"*\"].
To ask a server the questions: sltd check --number - < questions.csv

Exit codes: 0 written, 2 wrong usage or more records than the layout's States can report, 3 a file
can't be written.")]
pub struct GenerateArgs {
    /// Rows of the list; every one is usable
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub records: u64,
    /// Another seed gives another list
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// The layout to write it in
    #[arg(long, value_name = "NAME", value_enum, default_value = "sltd-csv")]
    pub layout: Layout,
    /// Also write questions to this file, `number,issuer,type` a line, as `sltd check --number -` reads them
    #[arg(long, value_name = "FILE")]
    pub queries: Option<PathBuf>,
    /// How many questions
    #[arg(
        long,
        value_name = "M",
        default_value_t = 1_000_000,
        requires = "queries"
    )]
    pub query_count: u64,
    /// The share of questions that are about reported documents: 0.01, or 1/13700 [the published rate]
    #[arg(long, value_name = "F", default_value = "1/13700", value_parser = parse_share, requires = "queries")]
    pub hit_share: f64,
    /// Write each run of stolen blanks as one row with a `range_end`; our own layouts only
    #[arg(long)]
    pub ranges: bool,
    /// Fill `owner_reference`; our own layouts only
    #[arg(long)]
    pub references: bool,
}

/// Why a list could not be generated.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The States of the table have not issued that many documents.
    #[error("{asked} records asked for: a list of this layout has at most {most}")]
    TooManyRecords {
        /// Rows asked for.
        asked: u64,
        /// Rows a list of this layout can have.
        most: u64,
    },
    /// A pattern of the table is wrong: a defect of the program.
    #[error("the table of States has an unknown shape {pattern} for {state}")]
    Shape {
        /// The State.
        state: &'static str,
        /// Its pattern.
        pattern: &'static str,
    },
    /// No space has a number left: a defect of the program, as the density leaves a fifth to spare.
    #[error("no numbers left after {rows} rows")]
    Exhausted {
        /// Rows written.
        rows: u64,
    },
    /// List and questions would stand in one file.
    #[error("the list and the questions can't both be written to {}", .0.display())]
    OneFile(PathBuf),
    /// A file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generated {
    /// Rows of the list.
    pub rows: u64,
    /// Questions asked.
    pub queries: u64,
    /// Questions about reported documents among them.
    pub reported_queries: u64,
}

/// Runs the command.
pub fn run(args: &GenerateArgs) -> ExitCode {
    match generate(args) {
        Ok(done) => {
            say(format_args!(
                "{} rows, {} questions, {} of them about reported documents",
                done.rows, done.queries, done.reported_queries
            ));
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&error);
            ExitCode::from(match error {
                GenerateError::TooManyRecords { .. } | GenerateError::OneFile(_) => USAGE,
                _ => FAILED,
            })
        }
    }
}

/// Writes the list and, where asked for, the questions.
///
/// # Errors
/// When a file cannot be written, or more rows are asked for than the States of the layout can report.
/// Files begun are left as they are.
pub fn generate(args: &GenerateArgs) -> Result<Generated, GenerateError> {
    if args.queries.as_ref() == Some(&args.out) {
        return Err(GenerateError::OneFile(args.out.clone()));
    }
    let world = World::new(
        args.layout.states(),
        args.layout.issued(),
        args.records,
        args.seed,
    )?;
    let ours = args.layout.is_ours();
    let traits = Traits {
        repeats: ours,
        ranges: ours && args.ranges,
        long_retention: ours,
    };
    let mut rows = Rows::new(&world, traits, args.seed);
    let mut sheet = Sheet::create(args)?;
    for _ in 0..args.records {
        sheet.row(&rows.next_row()?)?;
    }
    sheet.finish()?;

    let mut generated = Generated {
        rows: args.records,
        queries: 0,
        reported_queries: 0,
    };
    if let Some(path) = &args.queries {
        let reported = (args.query_count as f64 * args.hit_share).round() as u64;
        let mut out = Output::create(path)?;
        for question in Questions::new(
            &world,
            rows.cursors(),
            args.seed,
            args.query_count,
            reported,
        ) {
            generated.queries += 1;
            generated.reported_queries += u64::from(question.reported);
            question.write(&mut out.buffer);
            out.flush_if_full()?;
        }
        out.finish()?;
    }
    Ok(generated)
}

/// A share between 0 and 1, as a number or as `1/13700`.
fn parse_share(text: &str) -> Result<f64, String> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let share = match text.split_once('/') {
        Some((part, whole)) => number(part)
            .zip(number(whole))
            .map(|(part, whole)| part / whole),
        None => number(text),
    };
    share
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "expected a share between 0 and 1, such as 0.01 or 1/13700".to_owned())
}
