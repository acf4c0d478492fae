//! The command line.

use crate::sections::{Section, loads};
use crate::services::{ask, echo};
use crate::{Result, programs, report};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Rows of the list of a full run.
const RECORDS: u64 = 40_000_000;
/// Rows of the list of a quick run.
const QUICK_RECORDS: u64 = 1_000_000;
/// Sizes of the scale curve, in millions of rows; 138 million is the size of the largest public list.
const SCALE: &str = "1,4,10,40,138";

/// Measure sltd side by side with what a user would pick instead
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Report(ReportArgs),
    /// Serve one answer to every question: the process that others are held against
    #[command(hide = true)]
    Echo(echo::EchoArgs),
    /// Ask a server and print what was seen as JSON
    #[command(hide = true)]
    Ask(ask::AskArgs),
    /// Load a list into an embedded store
    #[command(hide = true)]
    LoadStore(loads::LoadStoreArgs),
}

/// Measure every figure and write benches/RESULTS.md, benches/results.json and benches/plots
///
/// Builds the programs, generates a list and questions about it, sets up the servers that are compared with where they
/// are missing (benches/peers/setup, which needs the rights to install packages), and measures. A peer that can't be
/// had is told as such. The full run takes hours and 40 GB of disk, a quick one five minutes and 2 GB.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo run --release --manifest-path benches/peers/Cargo.toml -- report --quick
  cargo run --release --manifest-path benches/peers/Cargo.toml -- report --only lookups,bytes

Exit codes: 0 everything was measured, 1 a section has failed, 2 wrong usage.")]
pub(crate) struct ReportArgs {
    /// Rows of the list [default: 40000000, with --quick 1000000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1000..))]
    records: Option<u64>,
    /// Fewer and shorter rounds; RESULTS.md and plots are left alone
    #[arg(long)]
    quick: bool,
    /// Only these sections; RESULTS.md is left alone
    #[arg(long, value_enum, value_delimiter = ',', value_name = "SECTION")]
    only: Vec<Section>,
    /// Install nothing and build no RocksDB: what is not here is missing in the report
    #[arg(long)]
    as_is: bool,
    /// Where to work [default: the system's folder for temporary files]
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// Sizes of the scale curve in millions of rows [with --quick: none but those given]
    #[arg(long, value_delimiter = ',', value_name = "MILLIONS", default_value = SCALE, default_value_if("quick", "true", None), value_parser = parse_millions)]
    scale: Vec<f64>,
}

/// Runs a command.
///
/// # Errors
/// When it could not be done at all; a section of a report that fails is told in the report.
pub(crate) fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Command::Report(arguments) => {
            if !arguments.as_is {
                programs::set_up();
                programs::go_on_with_rocksdb();
            }
            report::run(&report::Order {
                records: arguments.records.unwrap_or(if arguments.quick {
                    QUICK_RECORDS
                } else {
                    RECORDS
                }),
                quick: arguments.quick,
                only: arguments.only,
                scratch: arguments.scratch,
                scale: arguments
                    .scale
                    .iter()
                    .map(|millions| (millions * 1e6) as u64)
                    .collect(),
            })
        }
        Command::Echo(arguments) => echo::echo_main(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Ask(arguments) => ask::ask_main(&arguments).map(|()| ExitCode::SUCCESS),
        Command::LoadStore(arguments) => {
            loads::load_store_main(&arguments).map(|()| ExitCode::SUCCESS)
        }
    }
}

fn parse_millions(text: &str) -> std::result::Result<f64, String> {
    match text.parse::<f64>() {
        Ok(millions) if (0.001..=2000.0).contains(&millions) => Ok(millions),
        _ => Err("expected millions of rows, from 0.001 to 2000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_quick_run_has_no_scale_curve_unless_asked_for() {
        let scale = |arguments: &[&str]| {
            let parsed = Cli::try_parse_from([&["sltd-bench", "report"], arguments].concat());
            match parsed.map(|cli| cli.command) {
                Ok(Command::Report(arguments)) => arguments.scale,
                _ => Vec::new(),
            }
        };
        assert_eq!(scale(&[]), [1.0, 4.0, 10.0, 40.0, 138.0]);
        assert_eq!(scale(&["--quick"]), [] as [f64; 0]);
        assert_eq!(scale(&["--quick", "--scale", "0.5,1"]), [0.5, 1.0]);
    }
}
