//! The file that tells which rows of changes withdraw or take back, and change nothing that is shown, or not for good.

use std::io;
use std::path::{Path, PathBuf};

use sltd::snapshot::{NotedRow, StillReported};

use super::account::SourceAccount;
use super::reject::{CHANGES_TEMPORARY, noted_name};
use super::whole_file::WholeFile;
use crate::config::SourceConfig;

/// The most reports that a row names.
const STILL_REPORTED_MAX: usize = 8;

/// Writes the noted rows of a source, in their order; where there are none, removes the file of earlier changes. Says
/// where it stands.
///
/// # Errors
/// What the system says.
pub(crate) fn write_noted<'n>(
    folder: &Path,
    source: &SourceConfig,
    account: &SourceAccount,
    noted: impl Iterator<Item = &'n NotedRow>,
) -> io::Result<Option<PathBuf>> {
    let name_files = account.files.len() > 1;
    let columns = [
        "row",
        "number",
        "issuing_state",
        "type",
        "action",
        "why",
        "file",
    ];
    let count = columns.len() - usize::from(!name_files);
    let columns: Vec<&str> = columns.into_iter().take(count).collect();
    let mut file = WholeFile::new(folder, &noted_name(source), CHANGES_TEMPORARY);
    for row in noted {
        let (name, number) = account.row_number(&row.position).unwrap_or_default();
        let values = [
            number.to_string(),
            row.number.to_string(),
            row.issuing_state.to_string(),
            row.document_type.to_string(),
            match row.takes_back {
                false => "withdraw".to_owned(),
                true => "unwithdraw".to_owned(),
            },
            why(row),
            name.to_owned(),
        ];
        file.write(&columns, values.iter().take(count).map(String::as_str))?;
    }
    file.finish()
}

/// What there is to know about a noted row.
fn why(row: &NotedRow) -> String {
    if !row.until_next_list.is_empty() {
        let sources: Vec<&str> = row.until_next_list.iter().map(String::as_str).collect();
        return format!(
            "hides a report without a date, which is back with the next list of {}",
            sources.join(", ")
        );
    }
    let mut why = match row.takes_back {
        false => "no report of this document disappears".to_owned(),
        true => "no report of this document is shown again".to_owned(),
    };
    if row.too_late && !row.takes_back {
        why.push_str(", since its source has stated something later of it");
    }
    if row.still_reported.is_empty() {
        why.push_str("; the number is not reported at all");
        return why;
    }
    why.push_str("; the number is reported as ");
    let still = row.still_reported.iter().take(STILL_REPORTED_MAX);
    let still: Vec<String> = still
        .map(
            |StillReported {
                 issuing_state,
                 document_type,
                 source,
             }| format!("{issuing_state} {document_type} by {source}"),
        )
        .collect();
    why.push_str(&still.join(", "));
    if row.still_reported.len() > STILL_REPORTED_MAX {
        why.push_str(", and others");
    }
    why
}
