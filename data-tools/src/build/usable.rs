//! Whether a list that was read may be used.

use super::{Build, BuildFailure};
use crate::config::SourceConfig;
use crate::guards::Trip;
use crate::sources::SourceAccount;
use crate::usable::too_many_rejects;

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
    let Some(why) = too_many_rejects(build.max_rejects, read) else {
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
