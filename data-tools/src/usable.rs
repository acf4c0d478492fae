//! Whether enough rows of a list can be used.

use crate::accounts::rejected_sentence;
use crate::sources::SourceAccount;
use sltd::snapshot::RowAccount;

/// From so many rows on, the share of rejects that `--max-rejects` sets counts.
const REJECTS_ROWS_MIN: u64 = 1000;
/// The share of rejects that counts below: of few rows, some may be wrong.
const REJECTS_OF_FEW: f64 = 0.5;

/// Why a list that was read is not used, one sentence: no row of it can be, more of its rows than the share
/// `max_rejects` can't be, or one of its files is something else. `None`: it may be used.
pub(crate) fn too_many_rejects(max_rejects: f64, read: &SourceAccount) -> Option<String> {
    if read.rows_read == 0 {
        return None;
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
        true => max_rejects.max(REJECTS_OF_FEW),
        false => max_rejects,
    };
    if read.rejected == read.rows_read {
        return Some(match read_rows {
            0 => format!(
                "none of its {} rows is of a State that it owns",
                read.rows_read
            ),
            _ => format!("no row of its list can be used: {}", sentence()),
        });
    }
    if rejected as f64 > limit * read_rows as f64 {
        return Some(format!("{}; --max-rejects allows {limit}", sentence()));
    }
    // What a server says in place of one of many files is few rows, and yet all that the file had are missing.
    let file = read.files.iter().find(|file| file.is_no_list())?;
    Some(format!(
        "{} is no list of its layout: in none of its {} rows can the columns be told apart",
        file.name, file.rows
    ))
}
