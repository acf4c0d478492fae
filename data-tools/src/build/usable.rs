//! Whether a list that was read may be used.

use super::{Build, BuildFailure};
use crate::accounts::rejected_sentence;
use crate::config::SourceConfig;
use crate::guards::Trip;
use crate::sources::SourceAccount;
use sltd::snapshot::RowAccount;

/// From so many rows on, the share of rejects that `--max-rejects` sets counts.
const REJECTS_ROWS_MIN: u64 = 1000;
/// The share of rejects that counts below: of few rows, some may be wrong.
const REJECTS_OF_FEW: f64 = 0.5;

/// Why a list is not used, one sentence; `None`: it may be used. `before` are the documents that its source reports;
/// `was_empty` says that its list in force has no row either.
///
/// # Errors
/// [`BuildFailure::TooManyRejects`] for a source that is required.
pub(super) fn unusable(
    build: &Build<'_>,
    source: &SourceConfig,
    read: &SourceAccount,
    before: u64,
    was_empty: bool,
) -> Result<Option<String>, BuildFailure> {
    if read.rows_read == 0 {
        let empty = Trip::Empty {
            source: source.name.clone(),
            before,
        };
        let held = !was_empty && !build.accepted.lets_pass(&empty);
        return Ok(held.then(|| empty.to_string()));
    }
    let rows = RowAccount {
        read: read.rows_read,
        rejected: read.rejected,
        ..RowAccount::default()
    };
    let sentence = || rejected_sentence(&rows, read.not_owned, &read.reasons);
    let read_rows = read.rows_read.saturating_sub(read.not_owned);
    let rejected = read.rejected.saturating_sub(read.not_owned);
    let limit = match read_rows < REJECTS_ROWS_MIN {
        true => build.max_rejects.max(REJECTS_OF_FEW),
        false => build.max_rejects,
    };
    let why = if read.rejected == read.rows_read {
        match read_rows {
            0 => format!(
                "none of its {} rows is of a State that it owns",
                read.rows_read
            ),
            _ => format!("no row of its list can be used: {}", sentence()),
        }
    } else if rejected as f64 > limit * read_rows as f64 {
        format!("{}; --max-rejects allows {limit}", sentence())
    } else if let Some(file) = read.files.iter().find(|file| file.is_no_list()) {
        // What a server says in place of one of many files is few rows, and yet all that the file had are missing.
        format!(
            "{} is no list of its layout: in none of its {} rows can the columns be told apart",
            file.name, file.rows
        )
    } else {
        return Ok(None);
    };
    if source.required {
        return Err(BuildFailure::TooManyRejects {
            name: source.name.clone(),
            why,
            file: read.rejects_file.clone(),
        });
    }
    Ok(Some(why))
}
