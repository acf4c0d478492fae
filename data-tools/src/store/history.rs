//! `sltd-data history`.

use crate::command::{FAILED, complain, print, say};
use clap::Args;
use sltd::snapshot::{Happened, Happening, Store};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Show what has happened to a store
///
/// Every publish, refusal, hold, rollback and retraction: when, who, why, and the documents reported
/// then and before.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 shown, 2 wrong usage, 3 failed.")]
pub struct HistoryArgs {
    /// The store
    #[arg(long, value_name = "DIR", default_value = "var/store")]
    store: PathBuf,
    /// Only the last so many
    #[arg(long, value_name = "N")]
    last: Option<usize>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &HistoryArgs) -> ExitCode {
    match history(args).and_then(|text| Ok(print(text)?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(error);
            ExitCode::from(FAILED)
        }
    }
}

fn history(args: &HistoryArgs) -> Result<String, Box<dyn std::error::Error>> {
    let (happened, unreadable) = Store::open(&args.store)?.history()?;
    if unreadable > 0 {
        say(format_args!(
            "warning: {unreadable} lines of the history can't be read"
        ));
    }
    let first = args
        .last
        .map_or(0, |last| happened.len().saturating_sub(last));
    let mut text = String::new();
    for one in happened.iter().skip(first) {
        if args.json {
            text.push_str(&serde_json::to_string(one)?);
            text.push('\n');
        } else {
            show(one, &mut text);
        }
    }
    Ok(text)
}

fn show(one: &Happened, text: &mut String) {
    let event = match one.event {
        Happening::Build => "build",
        Happening::Delta => "delta",
        Happening::Compact => "compaction",
        Happening::Rollback => "rollback",
        Happening::Unpin => "unpinned",
        Happening::Retract => "retraction",
        Happening::Lift => "retraction lifted",
        Happening::Hold => "hold",
        Happening::Unhold => "hold ended",
        Happening::Repair => "repair",
        Happening::Refused => "REFUSED",
        Happening::Withheld => "WITHHELD",
    };
    // Writing to a string can't fail.
    let _ = write!(
        text,
        "{}  {event:17}  generation {} (base {})  {} documents, before {}  by {}",
        one.at.strftime("%Y-%m-%d %H:%M:%SZ"),
        one.generation,
        one.base,
        one.documents,
        one.documents_before,
        one.by
    );
    if !one.reason.is_empty() {
        let _ = write!(text, ": {}", one.reason);
    }
    text.push('\n');
    if let Some(undone) = one.undone {
        let changes = match one.dropped {
            None => "deltas that are newer than its lists were kept".to_owned(),
            Some(deltas) => format!("{deltas} deltas were dropped"),
        };
        let _ = writeln!(text, "    base {undone} is undone; {changes}");
    }
    for note in &one.notes {
        let _ = writeln!(text, "    {note}");
    }
}
