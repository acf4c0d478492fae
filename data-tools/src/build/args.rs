//! The command line of `sltd-data build`.

use super::progress::Shown;
use super::{Build, BuildFailure, Built, build};
use crate::command::{FAILED, REJECTS, complain, print, unusable};
use crate::config;
use crate::diff::Diff;
use crate::publish::{AcceptArgs, Who, by, code_of, code_of_publish, conclude};
use crate::resources::{ResourceArgs, parse_share};
use crate::stated::{BuildAsOf, state};
use crate::terms::TermsArgs;
use clap::Args;
use jiff::Timestamp;
use sltd::report::Day;
use std::path::PathBuf;
use std::process::ExitCode;

const EXIT_CODES: &str = "\
Exit codes: 0 published, 2 wrong usage or sources.toml, 3 failed, 20 published with a source held,
21 refused by a guard, 22 withheld by a pin, 23 another process is changing the store, 24 too many
rejects in a required source. Unless it is 0 or 20, the snapshot before stays current, or the message on standard error
says that it does not.";

const LONG_AFTER_HELP: &str = "\
Example:
  sltd-data build --sources sources.toml --store var/store

A sources.toml with everything it may say; name, path and layout are required, owns where neither
the layout nor issuing_state says it:

";

/// A sources.toml, as the help shows it.
const SOURCES: &str = r#"[[source]]
name = "ukraine-stolen"
path = "ukraine/*.json.gz"       # a file, a folder or a glob, relative to the folder of this file
layout = "ukraine"               # or sltd-csv, sltd-jsonl, sltd-parquet, russia, czechia,
                                 # ukraine-inactive (files INACTIVE_*.csv)
owns = ["UKR"]                   # the States whose own list it is; ["*"]: every State's
third_party = "reject"           # or "keep": rows of States that it does not own
as_of = "2026-11-22T04:00:00Z"   # default: the oldest modification time of its files
# as_of_name = "list_%Y%m%d"     # in its place: how file names begin; without a time 00:00 UTC
stale_after = "7d"               # a number with ms, s, m, h or d
required = false                 # true: nothing is published if its list can't be read or used
compression = "gzip"             # or bzip2, zstd, zip, none; default: what the files are
encoding = "utf-8"               # or windows-1250, latin-1, utf-16le and others: see below
files = 78                       # how many files the list has; default: any number
status = "lost"                  # of rows that have none; also issuing_state, type, authority,
authority = "KYIV"               # restriction
placeholders = ["99999999"]      # numbers that stand for none, besides NULL, 0000, words and so on
placeholder_exemptions = ["0000000"]   # such numbers that the States it owns really issue
# kind = 2                       # layout czechia, where no file name has typ_dokladu=2

[[source]]                       # what else may be said of the form of files
name = "france"
path = "france/all.zip"
archive_entry = "stolen-*.txt"   # which entries of an archive; default: all lists in it
layout = "sltd-csv"
owns = ["FRA"]
delimiter = ";"                  # or ",", "|", "tab"; default: as the header shows
columns = { number = "doc_no" }  # what the list calls our columns, where it differs
date_format = "dd.mm.yyyy"       # or ddmmyyyy, mm/dd/yyyy, %d.%m.%Y, ...; default: 2026-11-01

[[authority]]                    # whom to ask about rows that name its code
code = "KYIV"
name = "National Central Bureau, Kyiv"
contact = "+380 44 000 00 00"
issuing_state = "UKR"

[guards]                         # from where on a figure trips one; these hold without the table
overall_shrink = 0.05            # the documents of all sources
issuer_shrink = 0.2              # those of one issuing State in one source
issuer_growth = 0.2              # the same, and by more than
growth_steps = 3.0               # times the largest step among the bases kept
turnover = 0.2                   # documents of one State in one source that others replace
format = 0.5                     # those with unlikely numbers, if less than
format_before = 0.1              # this share had them in the list before
withdrawals = 0.05               # the documents of a source that one delta withdraws
reports = 1000                   # different reports of one document in one source
floor = 1000                     # below so many documents shares mean nothing
"#;

const FORMS: &str = "
Files: gzip, bzip2, zstd and ZIP are recognised by themselves. In folders, patterns and archives,
hidden files and README* are passed over; what is named in full is read. Folders in a folder are
not read, and warned of; lists/** reads them too. A name with brackets is found as it is written.
`files` counts the lists that are read, entries of archives included; another number holds the
source.

Text is UTF-8 unless `encoding` says otherwise: windows-1250, windows-1251, windows-1252, latin-1
(read as windows-1252, which includes it), utf-16le, utf-16be, or another label of the WHATWG Encoding
Standard. It is never guessed; only a byte order mark (UTF-8, UTF-16) counts before what is stated.
Lines end with LF, CRLF, or CR alone. A first line sep=; is understood. JSON objects come one a line,
in an array, or one after the other on several lines.

In the names of columns neither case nor blanks, hyphens and underscores count, in CSV, JSON and
Parquet alike: \"Issuing State\" and issuingState are issuing_state. Parquet dates may be texts, dates or
timestamps (the day in UTC counts); pages may be packed with Snappy, gzip, Zstandard or LZ4.

";

const COLUMNS: &str = "
The columns of our own layouts, sltd-csv, sltd-jsonl and sltd-parquet:
  number issuing_state type status date_of_loss date_reported review_date authority restriction
  owner_reference range_end
The first four are required; each but the number may be fixed in the source instead.

A report ends with its review date, else ten years after date_reported: reported on 2016-11-05, it
ends with 2026-11-05 (UTC). A stolen blank without a review date, and a row with neither date, never
ends. 1970-01-01, 1900-01-01, 0001-01-01, 9999-12-31, NULL, N/A, 0 and other stand-ins for an unknown
day are no date, nor is a day of loss or report later than the day after the list's as_of. A review date of
9999-12-31 (any from 2099-12-31 on) means no end; one before the report is not used. Such rows are
kept, and counted.

";

/// Build a snapshot from lists of reported documents and publish it
///
/// Reads every list that sources.toml names, normalises each row, sorts and merges them, writes an
/// index, reads it back to verify it, and makes it the store's current snapshot; servers take it
/// over by themselves. Killed at any instant, the store holds the old snapshot or the new one.
///
/// A list that is empty, or has shrunk or grown beyond measure, trips a guard: its source is held at
/// what it reported before, and so is one whose files did not come, of whose rows none can be used, or
/// too many are rejected. Before publishing, what is
/// different from the current snapshot is printed.
///
/// Rows that can't be used go to DIR/rejects/SOURCE.csv with the reason and the columns that the
/// layout reads, fit to be sent back to whoever supplied them; other columns, such as names, are not
/// kept, and nothing of a row whose columns can't be told apart. Time is linear in the number of rows; rows past --memory go through
/// scratch files in the store.
#[derive(Debug, Args)]
#[command(
    after_help = EXIT_CODES,
    after_long_help = [LONG_AFTER_HELP, SOURCES, FORMS, COLUMNS, EXIT_CODES].concat(),
)]
pub struct BuildArgs {
    /// The file that describes the lists
    #[arg(long, value_name = "FILE")]
    sources: PathBuf,
    /// The store; made if it does not exist
    #[arg(long, value_name = "DIR", default_value = "var/store")]
    store: PathBuf,
    #[command(flatten)]
    resources: ResourceArgs,
    /// The day (YYYY-MM-DD, UTC) on whose end a report must still be in force [default: today]; or, as
    /// SOURCE=WHEN and as often as needed, the instant or day that the list of a source describes
    #[arg(long, value_name = "DATE")]
    as_of: Vec<BuildAsOf>,
    /// Largest share of a source's rows that may be rejected; above it the source is held. Below 1,000
    /// rows half of them may be. Rows of States that a source does not own do not count
    #[arg(long, value_name = "SHARE", default_value = "0.05", value_parser = parse_share)]
    max_rejects: f64,
    /// Let --as-of lie more than a day ahead
    #[arg(long)]
    force: bool,
    /// List rows that are in force no longer in FILE, as CSV; they are only counted without it
    #[arg(long, value_name = "FILE")]
    expired: Option<PathBuf>,
    /// Put what was built aside, for `sltd-data publish`
    #[arg(long)]
    no_publish: bool,
    /// Don't compare what was built with what is current
    #[arg(long)]
    no_diff: bool,
    /// Bases to keep from now on to go back to, with the changes since [default: as before, at first 7]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    keep: Option<u32>,
    #[command(flatten)]
    accept: AcceptArgs,
    #[command(flatten)]
    who: Who,
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
pub fn run(args: &BuildArgs) -> ExitCode {
    let mut sources = match config::load(&args.sources) {
        Ok(sources) => sources,
        Err(error) => return unusable(error),
    };
    let (mut day, mut of_sources) = (None, Vec::new());
    for as_of in &args.as_of {
        match as_of {
            BuildAsOf::Source(stated) => of_sources.push(stated),
            BuildAsOf::Day(_) if day.is_some() => {
                return unusable("--as-of: expected one day at the most, found two");
            }
            BuildAsOf::Day(given) => day = Some(*given),
        }
    }
    if let Err(error) = state(&mut sources, of_sources) {
        return unusable(error);
    }
    let terms = match args.terms.read() {
        Ok(terms) => terms,
        Err(error) => return unusable(error),
    };
    let now = Timestamp::now();
    let today = Day::from_timestamp(now);
    let as_of = day.unwrap_or(today);
    if as_of.number() > today.number() + 1 && !args.force {
        return unusable(format_args!(
            "--as-of {as_of}: more than a day ahead; reports that expire before it would be left out although they \
             are in force today; --force does it all the same"
        ));
    }
    let (by, accepted) = (by(&args.who), args.accept.accepted());
    let request = Build {
        sources: &sources,
        store: &args.store,
        terms: &terms,
        memory: args.resources.memory(),
        threads: args.resources.threads(),
        as_of,
        built_at: now,
        max_rejects: args.max_rejects,
        by: &by,
        accepted: &accepted,
        put_aside: args.no_publish,
        compare: !args.no_diff,
        bases_kept: args.keep,
        expired: args.expired.as_deref(),
    };
    let shown = Shown::unless(args.quiet);
    report(args.json, args.quiet, |show| {
        let built = build(&request, &shown, &mut |diff| {
            shown.finish();
            show(diff);
        });
        shown.finish();
        built
    })
}

/// Does a build and prints what came of it; `work` is given what shows the differences.
pub(crate) fn report(
    json: bool,
    quiet: bool,
    work: impl FnOnce(&mut dyn FnMut(&Diff)) -> Result<Built, BuildFailure>,
) -> ExitCode {
    let mut show = |diff: &Diff| {
        if !json && !quiet {
            // A publish does not fail for want of a reader.
            let _ = print(diff);
        }
    };
    match work(&mut show) {
        Ok(built) if quiet && !json => conclude(&built.offered, || {
            print(built.accounts.warnings() + &built.offered.trouble())
        }),
        Ok(built) => conclude(&built.offered, || print(accounts(&built, json))),
        Err(error) => {
            complain(&error);
            ExitCode::from(match error {
                BuildFailure::TooManyRejects { .. } => REJECTS,
                BuildFailure::Publish(error) => code_of_publish(&error),
                BuildFailure::Offer(error) => code_of(&error),
                _ => FAILED,
            })
        }
    }
}

/// What is printed in the end.
fn accounts(built: &Built, json: bool) -> String {
    let manifest = &built.offered.manifest;
    if json {
        let bytes: u64 = manifest.segments.iter().map(|segment| segment.length).sum();
        let mut object = serde_json::json!({
            "generation": manifest.generation,
            "builtAt": manifest.built_at,
            "asOf": manifest.as_of,
            "documents": manifest.documents,
            "bytes": bytes,
            "sources": built.accounts.json(),
        });
        if let (Some(object), serde_json::Value::Object(more)) =
            (object.as_object_mut(), built.offered.json())
        {
            object.extend(more);
        }
        return format!("{object}\n");
    }
    format!("{}{}", built.accounts, built.offered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sources_in_the_help_can_be_read() {
        let file = config::parse(SOURCES, std::path::Path::new("")).unwrap();
        assert_eq!((file.sources.len(), file.authorities.len()), (2, 1));
        assert!(SOURCES.lines().all(|line| line.len() <= 100));
    }
}
