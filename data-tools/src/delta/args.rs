//! The command line of `sltd-data delta`.

use super::{Changed, Changes, DeltaFailure, Series, deltas};
use crate::build::Shown;
use crate::command::{FAILED, REFUSED, USAGE, complain, print, unusable};
use crate::config;
use crate::publish::{AcceptArgs, Outcome, Who, by, code_of_publish, conclude};
use crate::resources::{default_threads, parse_size};
use crate::stated::{StatedAsOf, state};
use crate::terms::TermsArgs;
use clap::Args;
use jiff::Timestamp;
use std::path::PathBuf;
use std::process::ExitCode;

const EXIT_CODES: &str = "\
Exit codes: 0 published, 2 wrong usage or delta.toml, 3 failed, 20 published without the changes of
a source that trips a guard, 21 refused by a guard, 23 another process is changing the store. Unless
it is 0 or 20, the snapshot before stays current.";

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
///
/// A source that the store does not know, or that owns other States there, is refused (21): its name
/// or its owns may be mistyped. --accept unknown-source:NAME and --accept owns:NAME confirm it.
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
    /// The instant or day that the changes of a source describe; as often as there are sources
    #[arg(long, value_name = "SOURCE=WHEN")]
    as_of: Vec<StatedAsOf>,
    #[command(flatten)]
    accept: AcceptArgs,
    #[command(flatten)]
    who: Who,
    /// List rows that are in force no longer in FILE, as CSV; they are only counted without it
    #[arg(long, value_name = "FILE")]
    expired: Option<PathBuf>,
    /// Print the accounts as one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    terms: TermsArgs,
}

/// Runs the command.
pub fn run(args: &DeltaArgs) -> ExitCode {
    let mut sources = match config::load(&args.sources) {
        Ok(sources) => sources,
        Err(error) => return unusable(error),
    };
    if let Err(error) = state(&mut sources, &args.as_of) {
        return unusable(error);
    }
    let terms = match args.terms.read() {
        Ok(terms) => terms,
        Err(error) => return unusable(error),
    };
    let (by, accepted) = (by(&args.who), args.accept.accepted());
    let changes = Changes {
        sources: &sources,
        store: &args.store,
        terms: &terms,
        memory: args.memory,
        threads: args.threads.map_or_else(default_threads, usize::from),
        now: Timestamp::now(),
        by: &by,
        accepted: &accepted,
        expired: args.expired.as_deref(),
    };
    let shown = Shown::new();
    let series = deltas(&changes, &shown);
    shown.finish();
    let mut code = match series.offered.is_empty() {
        true => ExitCode::SUCCESS,
        false => conclude_all(&series, args.json),
    };
    if let Some(failure) = &series.failure {
        complain(failure);
        code = ExitCode::from(match failure {
            DeltaFailure::Layout { .. } => USAGE,
            DeltaFailure::Unexpected(_) => REFUSED,
            DeltaFailure::Publish(error) => code_of_publish(error),
            _ => FAILED,
        });
    }
    if series.left > 0 {
        complain(format_args!(
            "{} deltas of later times were not read",
            series.left
        ));
    }
    code
}

/// Prints what became of all deltas, and returns the exit code: that of the worst.
fn conclude_all(series: &Series, json: bool) -> ExitCode {
    let text = match (json, series.offered.as_slice()) {
        (true, [one]) if series.failure.is_none() => format!("{}\n", object(one)),
        (true, all) => {
            let all: Vec<_> = all.iter().map(object).collect();
            format!(
                "{}\n",
                serde_json::json!({ "deltas": all, "left": series.left })
            )
        }
        (false, all) => all.iter().map(text).collect(),
    };
    let mut text = Some(text);
    let mut worst = ExitCode::SUCCESS;
    for changed in &series.offered {
        let code = conclude(&changed.offered, || text.take().map_or(Ok(()), print));
        if code != ExitCode::SUCCESS {
            worst = code;
        }
    }
    worst
}

/// A delta as JSON.
fn object(changed: &Changed) -> serde_json::Value {
    let manifest = &changed.offered.manifest;
    let mut object = serde_json::json!({
        "generation": manifest.generation,
        "builtAt": manifest.built_at,
        "documents": manifest.documents,
        "documentsBefore": changed.documents_before,
        "unmatched": changed.unmatched,
        "sources": changed.accounts.json(),
    });
    if let (Some(object), serde_json::Value::Object(more)) =
        (object.as_object_mut(), changed.offered.json())
    {
        object.extend(more);
    }
    object
}

/// A delta for people.
fn text(changed: &Changed) -> String {
    let mut text = changed.accounts.to_string();
    if changed.unmatched > 0 {
        text.push_str(&format!(
            "{} withdrawals are of documents that their source does not report\n",
            changed.unmatched
        ));
    }
    text.push_str(&changed.offered.to_string());
    if let Outcome::Published = changed.offered.outcome {
        text.push_str(&format!("before: {} documents\n", changed.documents_before));
    }
    text
}
