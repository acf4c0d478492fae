//! The command line of `sltd-data delta`.

use super::{Changed, Changes, DeltaFailure, delta};
use crate::build::{Shown, parse_size};
use crate::command::{FAILED, LOCKED, USAGE, complain, print};
use crate::config;
use clap::Args;
use jiff::Timestamp;
use sltd::snapshot::PublishError;
use std::path::PathBuf;
use std::process::ExitCode;

const EXIT_CODES: &str = "\
Exit codes: 0 published, 2 wrong usage or delta.toml, 3 failed, 23 another process is changing the
store. Unless it is 0, the snapshot before stays current.";

const LONG_AFTER_HELP: &str = "\
Example:
  sltd-data delta --sources delta.toml --store var/store

A delta.toml is written like a sources.toml (see `sltd-data build --help`); its lists have two more
columns:
  action   add or withdraw, required
  reason   why a report is withdrawn
A withdrawal needs number, issuing_state and type. Layout czechia takes the daily difference. The
as_of of a source is the instant that its changes describe: they stand until a list of the same
source with a later one is published, and of two changes of a source the one with the later counts.

";

/// Publish additions and withdrawals over the current snapshot, live within seconds
///
/// A source withdraws only what it has reported itself; the withdrawal of a State's own source also
/// silences what others had reported of the document before. Rows that can't be used, among them
/// withdrawals of what is not reported, go to DIR/rejects/SOURCE.delta.csv with the reason. A build
/// that is under way goes on, and what it publishes has these changes too.
#[derive(Debug, Args)]
#[command(
    after_help = EXIT_CODES,
    after_long_help = [LONG_AFTER_HELP, EXIT_CODES].concat(),
)]
pub struct DeltaArgs {
    /// The file that describes the lists of changes
    #[arg(long, value_name = "FILE")]
    sources: PathBuf,
    /// The store, which has a snapshot
    #[arg(long, value_name = "DIR", default_value = "var/store")]
    store: PathBuf,
    /// Memory for rows, such as 512MiB or 4GiB
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "256MiB")]
    memory: u64,
    /// Threads that parse and sort [default: the cores available]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Print the accounts as one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &DeltaArgs) -> ExitCode {
    let sources = match config::load(&args.sources) {
        Ok(sources) => sources,
        Err(error) => {
            complain(&error);
            return ExitCode::from(USAGE);
        }
    };
    let by = std::env::var("USER").unwrap_or_else(|_| "unknown".to_owned());
    let changes = Changes {
        sources: &sources,
        store: &args.store,
        memory: args.memory,
        threads: args.threads.map_or_else(
            || std::thread::available_parallelism().map_or(1, usize::from),
            usize::from,
        ),
        now: Timestamp::now(),
        by: &by,
    };
    let shown = Shown::new();
    let outcome = delta(&changes, &shown);
    shown.finish();
    match outcome {
        Ok(changed) => match print(accounts(&changed, args.json)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                complain(format_args!(
                    "published generation {}, but the accounts can't be printed: {error}",
                    changed.manifest.generation
                ));
                ExitCode::from(FAILED)
            }
        },
        Err(error) => {
            complain(&error);
            ExitCode::from(match error {
                DeltaFailure::Layout { .. } => USAGE,
                DeltaFailure::Publish(PublishError::Locked(_)) => LOCKED,
                _ => FAILED,
            })
        }
    }
}

/// What is printed in the end.
fn accounts(changed: &Changed, json: bool) -> String {
    let manifest = &changed.manifest;
    if json {
        let object = serde_json::json!({
            "generation": manifest.generation,
            "builtAt": manifest.built_at,
            "documents": manifest.documents,
            "documentsBefore": changed.documents_before,
            "unmatched": changed.unmatched,
            "sources": changed.accounts.json(),
        });
        return format!("{object}\n");
    }
    let mut text = changed.accounts.to_string();
    if changed.unmatched > 0 {
        text.push_str(&format!(
            "{} withdrawals are of documents that their source does not report\n",
            changed.unmatched
        ));
    }
    text.push_str(&format!(
        "published generation {}: {} documents, before {}\n",
        manifest.generation, manifest.documents, changed.documents_before
    ));
    text
}
