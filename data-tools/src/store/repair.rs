//! `sltd-data repair`.

use crate::command::{DAMAGED, FAILED, HELD, REFUSED, complain, print, unusable, warn};
use crate::publish::{Who, by, code_of_publish, not_published};
use crate::terms::TermsArgs;
use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};
use sltd::snapshot::{Act, PublishError, RepairOutcome, Repaired, Store};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Find out what of a damaged store is intact, and make that current again
///
/// Reads every file of the store: CURRENT, manifests, signatures and all segments that are kept.
/// Files of which there is a copy are put back as they were. Where a segment of the current snapshot
/// is damaged, the newest base that is intact is published again, with all changes that its lists
/// do not know, and the lists are named that are to be built from. Where no base is intact, the lists
/// of all sources are named: a build goes on over the damaged base, with the changes that are intact.
///
/// With --trusted-keys, nothing is put back, published or signed where what is current is signed with
/// none of them. --dry-run needs no right to write.
///
/// After a restore from a backup, --above publishes what is current above what servers have seen.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 all that is current is intact, or is again; 1 no base is intact, or with --dry-run
something is damaged; 2 wrong usage; 3 failed; 20 an intact snapshot was published that lacks lists,
changes or generations, which are named; 21 what is current is signed with no trusted key, and
nothing was changed, or what was to be published is not; 23 another process is changing the store.")]
pub struct RepairArgs {
    /// The store
    #[arg(long, value_name = "DIR", default_value = "var/store")]
    store: PathBuf,
    /// Change nothing, only say what is intact and what would be done
    #[arg(long)]
    dry_run: bool,
    /// Print what was found and done as one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    terms: TermsArgs,
}

/// Runs the command.
pub fn run(args: &RepairArgs) -> ExitCode {
    let terms = match args.terms.read() {
        Ok(terms) => terms,
        Err(error) => return unusable(error),
    };
    let by = by(&args.who);
    let act = Act {
        at: Timestamp::now(),
        by: &by,
        reason: "",
    };
    let repaired = match Store::repair(&args.store, terms, act, args.dry_run) {
        Ok(repaired) => repaired,
        Err(error) => {
            match error {
                PublishError::Current(_) => complain(&error),
                _ => complain(not_published(&error)),
            }
            return ExitCode::from(code_of_publish(&error));
        }
    };
    let text = match args.json {
        true => format!("{}\n", json(&repaired, args.dry_run)),
        false => text(&repaired, args.dry_run),
    };
    if let Err(error) = print(text) {
        complain(format_args!("what was done can't be printed: {error}"));
        return ExitCode::from(FAILED);
    }
    if let RepairOutcome::Published {
        published: Some(published),
        ..
    } = &repaired.outcome
    {
        for warning in &published.warnings {
            warn(warning);
        }
    }
    ExitCode::from(code_of(&repaired, args.dry_run))
}

fn code_of(repaired: &Repaired, dry_run: bool) -> u8 {
    let complete = repaired.lists_lost.is_empty()
        && repaired.changes_lost.is_empty()
        && repaired.generations_lost.is_none();
    match &repaired.outcome {
        RepairOutcome::NoBase | RepairOutcome::NoManifest => DAMAGED,
        RepairOutcome::NotTrusted(_) => REFUSED,
        _ if dry_run && !repaired.damaged.is_empty() => DAMAGED,
        _ if complete => 0,
        _ => HELD,
    }
}

/// Whether all stands as it was found.
fn changes_nothing(repaired: &Repaired, dry_run: bool) -> bool {
    dry_run || matches!(repaired.outcome, RepairOutcome::NotTrusted(_))
}

/// What was done, or would be.
fn outcome(repaired: &Repaired, dry_run: bool) -> String {
    match (&repaired.outcome, dry_run) {
        (RepairOutcome::Intact, _) => "what is current is intact".to_owned(),
        (RepairOutcome::Restored, false) => {
            "what is current is intact; files were put back".to_owned()
        }
        (RepairOutcome::Restored, true) => {
            "what is current is intact; without --dry-run files would be put back".to_owned()
        }
        (RepairOutcome::Published { base, published }, _) => match published {
            Some(published) => format!(
                "published generation {}: {} documents, base of generation {base}",
                published.manifest.generation, published.manifest.documents
            ),
            None => format!(
                "without --dry-run the base of generation {base} would be published, with all changes that it lacks"
            ),
        },
        (RepairOutcome::NoBase, _) => {
            "no base is intact, and nothing was published: build from the lists".to_owned()
        }
        (RepairOutcome::NoManifest, _) => {
            "no manifest is intact: what was current is not known; build a new store from the lists, in another folder"
                .to_owned()
        }
        (RepairOutcome::NotTrusted(why), _) => format!(
            "what is current is not to be trusted, and nothing was changed: {why}\n\
             if the list of keys is right, another has written it: restore the store from a backup, or build a new one \
             from the lists, in another folder"
        ),
    }
}

fn text(repaired: &Repaired, dry_run: bool) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    for file in &repaired.damaged {
        let restored = match (file.can_be_restored, changes_nothing(repaired, dry_run)) {
            (false, _) => "",
            (true, false) => "; put back",
            (true, true) => "; can be put back",
        };
        let _ = writeln!(
            text,
            "damaged: {}: {}{restored}",
            file.path.display(),
            file.what
        );
    }
    for snapshot in &repaired.snapshots {
        let state = match (snapshot.is_intact, snapshot.base_is_intact) {
            (true, _) => "intact",
            (false, true) => "base intact",
            (false, false) => "DAMAGED",
        };
        let _ = writeln!(
            text,
            "{state:11}  generation {}, published {}: {} documents",
            snapshot.generation,
            snapshot.published_at.strftime("%Y-%m-%d %H:%M:%SZ"),
            snapshot.documents
        );
    }
    let (segments, bytes) = repaired.read;
    let _ = writeln!(text, "{segments} segments intact, {bytes} bytes");
    let _ = writeln!(text, "{}", outcome(repaired, dry_run));
    if let Some((first, last)) = repaired.generations_lost {
        let _ = writeln!(
            text,
            "LOST: generations {first} to {last}, of which no manifest is left: build from all lists (above {last}: \
             see --above), and publish again the changes made since {}",
            match repaired.snapshots.first() {
                Some(newest) => newest.published_at.to_string(),
                None => "the store was made".to_owned(),
            }
        );
    }
    for (source, as_of) in &repaired.lists_lost {
        let _ = writeln!(
            text,
            "LOST: the list of source {source} as of {as_of}: build from it, or from a later one"
        );
    }
    for lost in &repaired.changes_lost {
        let _ = writeln!(text, "LOST: {lost}; publish them again");
    }
    text
}

fn json(repaired: &Repaired, dry_run: bool) -> Value {
    let damaged = repaired.damaged.iter().map(|file| {
        json!({
            "file": file.path.display().to_string(),
            "what": file.what,
            "restored": file.can_be_restored && !changes_nothing(repaired, dry_run),
        })
    });
    let snapshots = repaired.snapshots.iter().map(|snapshot| {
        json!({
            "generation": snapshot.generation,
            "publishedAt": snapshot.published_at,
            "documents": snapshot.documents,
            "intact": snapshot.is_intact,
            "baseIntact": snapshot.base_is_intact,
        })
    });
    let lists = repaired.lists_lost.iter();
    let lists = lists.map(|(source, as_of)| json!({ "source": source, "asOf": as_of }));
    let changes = repaired.changes_lost.iter().map(ToString::to_string);
    let (name, published) = match &repaired.outcome {
        RepairOutcome::Intact => ("intact", None),
        RepairOutcome::Restored => ("restored", None),
        RepairOutcome::Published { published, .. } => ("published", published.as_ref()),
        RepairOutcome::NoBase => ("noBase", None),
        RepairOutcome::NoManifest => ("noManifest", None),
        RepairOutcome::NotTrusted(_) => ("notTrusted", None),
    };
    json!({
        "outcome": name,
        "dryRun": dry_run,
        "generation": published.map(|published| published.manifest.generation),
        "damaged": damaged.collect::<Vec<_>>(),
        "snapshots": snapshots.collect::<Vec<_>>(),
        "generationsLost": repaired.generations_lost.map(|(first, last)| [first, last]),
        "listsLost": lists.collect::<Vec<_>>(),
        "changesLost": changes.collect::<Vec<_>>(),
    })
}
