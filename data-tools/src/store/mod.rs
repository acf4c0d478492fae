//! What operators do to a store without lists: going back, taking sources out of service, tidying up, looking back.

pub mod compact;
pub mod history;
pub mod hold;
pub mod prune;
pub mod repair;
pub mod retract;
pub mod rollback;

use crate::command::{FAILED, HELD, REFUSED, complain, print, unusable, warn};
use crate::guards::Trip;
use crate::publish::{Who, by, code_of_publish, not_published};
use crate::terms::TermsArgs;
use jiff::Timestamp;
use sltd::snapshot::{Act, Draft, Happening, LoadError, PublishError, Published, Store};
use std::path::Path;
use std::process::ExitCode;

const EXIT_CODES: &str = "\
Exit codes: 0 published, 2 wrong usage, 3 failed, 20 published without changes whose files are
damaged, which are named; 21 refused: by a guard, or because the current snapshot or what was to be
published is not signed with a trusted key; 23 another process is changing the store.";

/// Who does something, why, and what the history is to say of it besides.
struct Doing<'a> {
    who: &'a Who,
    reason: &'a str,
    note: Option<String>,
}

/// Publishes what `draft` puts together, and says so.
fn publish(
    store: &Path,
    doing: &Doing<'_>,
    terms: &TermsArgs,
    draft: impl FnOnce(&Store, Act<'_>) -> Result<Draft, PublishError>,
) -> ExitCode {
    publish_unless(store, doing, terms, draft, |_| None)
}

/// Publishes what `draft` puts together unless it trips a guard, and says so.
fn publish_unless(
    store: &Path,
    doing: &Doing<'_>,
    terms: &TermsArgs,
    draft: impl FnOnce(&Store, Act<'_>) -> Result<Draft, PublishError>,
    guard: impl FnOnce(&Draft) -> Option<Trip>,
) -> ExitCode {
    let terms = match terms.read() {
        Ok(terms) => terms,
        Err(error) => return unusable(error),
    };
    let by = by(doing.who);
    let act = Act {
        at: Timestamp::now(),
        by: &by,
        reason: doing.reason,
    };
    let notes = || doing.note.iter().cloned();
    let publish = || {
        let store = Store::open(store)?.with_terms(terms);
        let draft = draft(&store, act)?;
        match guard(&draft) {
            None => {
                let lost: Vec<String> = draft.lost().iter().map(ToString::to_string).collect();
                let published = draft.publish(notes().chain(lost.iter().cloned()).collect())?;
                Ok(Ok((published, lost)))
            }
            Some(trip) => {
                let notes = notes().chain([trip.to_string()]).collect();
                draft.give_up(Happening::Refused, act, notes)?;
                Ok(Err(trip))
            }
        }
    };
    match publish() {
        Ok(Ok((published, lost))) => report_published(&published, &lost),
        Ok(Err(trip)) => {
            complain(format_args!("refused, nothing was published: {trip}"));
            ExitCode::from(REFUSED)
        }
        Err(error) => failed(&error),
    }
}

/// Prints what was published, and which changes are not in it because their files are damaged.
fn report_published(published: &Published, lost: &[String]) -> ExitCode {
    let manifest = &published.manifest;
    for warning in &published.warnings {
        warn(warning);
    }
    let rollback = manifest.pinned.iter();
    let mut rollback = rollback.filter(|pin| pin.since == manifest.generation);
    let undone = rollback.next().map_or_else(String::new, |pin| {
        let changes = match pin.dropped {
            None => "deltas that are newer than its lists were kept".to_owned(),
            Some(deltas) => format!(
                "{deltas} deltas were dropped for good, and with them {} kept withdrawals",
                pin.dropped_withdrawals.unwrap_or(0)
            ),
        };
        format!(
            "base {} is undone; {changes}; builds are withheld until `sltd-data unpin`\n",
            pin.undone
        )
    });
    let printed = print(format_args!(
        "published generation {}: {} documents, base of generation {}\n{undone}",
        manifest.generation, manifest.documents, manifest.base
    ));
    for lost in lost {
        complain(format_args!("LOST: {lost}; publish them again"));
    }
    match printed {
        Ok(()) if !lost.is_empty() => ExitCode::from(HELD),
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(format_args!(
                "published generation {}, but it can't be printed: {error}",
                manifest.generation
            ));
            ExitCode::from(FAILED)
        }
    }
}

fn failed(error: &PublishError) -> ExitCode {
    match error {
        PublishError::Current(LoadError::NotAStore(_)) => complain(error),
        _ => complain(not_published(error)),
    }
    ExitCode::from(code_of_publish(error))
}

/// A reason as commands take it.
fn parse_reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.contains(char::is_control) {
        return Err("expected a reason on one line".to_owned());
    }
    Ok(text.to_owned())
}
