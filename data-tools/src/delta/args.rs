//! The command line of `sltd-data delta`.

use super::{Changed, Changes, DeltaFailure, Series, deltas};
use crate::build::Shown;
use crate::command::{FAILED, LOCKED, NOTED, REFUSED, REJECTS, USAGE, complain, print, unusable};
use crate::config;
use crate::publish::{AcceptArgs, Outcome, Who, by, code_of_publish, conclude};
use crate::resources::{default_threads, parse_share};
use crate::stated::{StatedAsOf, state};
use crate::terms::TermsArgs;
use clap::Args;
use jiff::Timestamp;
use sltd::service::parse_size;
use std::path::PathBuf;
use std::process::ExitCode;

const EXIT_CODES: &str = "\
Exit codes: 0 published, 2 wrong usage or delta.toml, 3 failed, or no list could be used, 20 published
without the changes of a source that trips a guard or of whose rows too many are rejected, 21 refused
by a guard, 23 another process is changing the store, 24 too many rejects in a required source, 25
published with --strict, and a row was noted or rejected. Unless it is 0, 20 or 25, the snapshot
before stays current.";

const LONG_AFTER_HELP: &str = "\
Example:
  sltd-data delta --sources delta.toml --store var/store

A delta.toml is written like a sources.toml (see `sltd-data build --help`); its lists have two more
columns:
  action   add, withdraw or unwithdraw; required
  reason   why a report is withdrawn
For withdraw and unwithdraw, number, issuing_state and type are enough. Layout czechia takes the
daily difference.

Which statements count:
  - as_of of a source is the time its data was exported. A later as_of wins, whichever was published
    first; of equal ones, the later publication. A list replaces all that its source said up to then.
  - Files count in the order of their names, rows in the order of the file: a withdraw row cancels
    the add rows of its document before it, all add rows after the last withdraw stand. A source that
    withdraws and adds a document in one delta corrects its report. In a czechia difference the
    removals come first.
  - An add row that has expired replaces earlier reports and shows nothing.
  - A source withdraws its own reports only. If it owns the issuing State, its withdrawal also hides
    other parties' reports of the same number and State, if their type is the same or a coarser one
    (other covers all), and if they were exported no later, or are dated (date_reported, else
    date_of_loss) before the day (UTC) of the withdrawal. It hides them for ten years, whatever is
    added or listed afterwards. An unwithdraw row of the same source with the same or a later as_of
    ends that (a mistyped number); the source's own report stays withdrawn.
  - A report without a date is back with the next list of its source.

What becomes of rows:
  indexed      the report counts; of an unwithdraw row: a report is shown again
  withdrawn    a report that was shown has disappeared
  noted        a withdraw or unwithdraw row that changed nothing shown. It is kept, and counts against
               what arrives later. DIR/rejects/SOURCE.noted.csv says who still reports the number, and
               which hidden reports have no date.
  superseded   an add row: its source has said something later of the document, or its owner has
               withdrawn it

";

/// Publish additions and withdrawals over the current snapshot, live within seconds
///
/// A source withdraws its own reports only; if it owns the issuing State, its withdrawal also hides
/// earlier reports by others. Withdrawals that change nothing shown are kept and listed in
/// DIR/rejects/SOURCE.noted.csv; rows that can't be used go to DIR/rejects/SOURCE.delta.csv. A source
/// of whose rows none can be used, or too many are rejected, is held: nothing of it counts. A build
/// that is under way goes on, and what it publishes has these changes too; so do retractions and other
/// publications while the lists are read.
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
    /// Memory for sorting what comes of the rows, such as 512MiB; they themselves are all held besides, with up to 500
    /// bytes each
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "256MiB")]
    memory: u64,
    /// Threads that parse and sort [default: the cores available]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// The instant or day that the changes of a source describe; as often as there are sources
    #[arg(long, value_name = "SOURCE=WHEN")]
    as_of: Vec<StatedAsOf>,
    /// Largest share of a source's rows that may be rejected; above it the source is held: its changes are not
    /// published. Below 1,000 rows half of them may be. Rows of States that a source does not own do not count
    #[arg(long, value_name = "SHARE", default_value = "0.05", value_parser = parse_share)]
    max_rejects: f64,
    #[command(flatten)]
    accept: AcceptArgs,
    #[command(flatten)]
    who: Who,
    /// List rows that are in force no longer in FILE, as CSV; they are only counted without it
    #[arg(long, value_name = "FILE")]
    expired: Option<PathBuf>,
    /// Exit with 25 if a row was noted or rejected; everything else is published all the same
    #[arg(long)]
    strict: bool,
    /// Show no progress, and no account of what went well: only errors, warnings and what was held
    #[arg(long, short)]
    quiet: bool,
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
        max_rejects: args.max_rejects,
        memory: args.memory,
        threads: args.threads.map_or_else(default_threads, usize::from),
        now: Timestamp::now(),
        by: &by,
        accepted: &accepted,
        expired: args.expired.as_deref(),
    };
    let shown = Shown::unless(args.quiet);
    let series = deltas(&changes, &shown);
    shown.finish();
    let mut code = match series.offered.is_empty() {
        true => ExitCode::SUCCESS,
        false => conclude_all(&series, args.json, args.quiet),
    };
    let mut published = series.offered.iter();
    if args.strict
        && code == ExitCode::SUCCESS
        && published.any(|changed| changed.accounts.any_noted_or_rejected())
    {
        code = ExitCode::from(NOTED);
        if args.quiet && !args.json {
            complain("published, but rows were noted or rejected (--strict)");
        }
    }
    if let Some(failure) = &series.failure {
        complain(failure);
        code = ExitCode::from(match failure {
            DeltaFailure::Layout { .. } => USAGE,
            DeltaFailure::Unexpected(_) => REFUSED,
            DeltaFailure::TooManyRejects { .. } => REJECTS,
            DeltaFailure::Exemptions(_) => LOCKED,
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
fn conclude_all(series: &Series, json: bool, quiet: bool) -> ExitCode {
    let text = match (json, series.offered.as_slice()) {
        (true, [one]) if series.failure.is_none() => format!("{}\n", object(one)),
        (true, all) => {
            let all: Vec<_> = all.iter().map(object).collect();
            format!(
                "{}\n",
                serde_json::json!({ "deltas": all, "left": series.left })
            )
        }
        (false, all) if quiet => {
            let all = all.iter();
            all.map(|changed| changed.accounts.warnings() + &changed.offered.trouble())
                .collect()
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
    text.push_str(&changed.offered.to_string());
    if let Outcome::Published = changed.offered.outcome {
        text.push_str(&format!("before: {} documents\n", changed.documents_before));
    }
    text
}
