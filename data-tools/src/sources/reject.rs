//! Rows that cannot be used, and the file that tells their supplier why.

use std::io;
use std::path::{Path, PathBuf};

use sltd::document::{NumberError, RangeError, StateError};

use super::kept::CODE_MAX;
use super::whole_file::{WholeFile, remove_if_there};
use crate::config::{Purpose, SourceConfig};

/// The longest row read. A longer one is rejected and passed over without being kept: the rows
/// of every published list are shorter than a ten-thousandth of it.
pub const ROW_BYTES_MAX: usize = 1024 * 1024;

/// Why a row cannot be used: the field, and what is wrong with it. Repeats no document number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reject {
    /// The field, as the layout names it; `row` for the row as a whole.
    pub(super) field: &'static str,
    /// What is wrong with it.
    pub(super) reason: Reason,
}

/// The `field` of a reject that is about the row as a whole.
pub(super) const ROW: &str = "row";

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Reason {
    #[error("row of {bytes} bytes: expected at most {ROW_BYTES_MAX}")]
    TooLong { bytes: u64 },
    #[error("quotation mark without its pair before the end of the row: expected a closing one")]
    UnclosedQuote,
    #[error("{found} fields: expected {expected}")]
    FieldCount { expected: usize, found: usize },
    #[error(
        "byte {position} of the row is not UTF-8 text: expected UTF-8, or the encoding stated in the source"
    )]
    NotUtf8 { position: usize },
    #[error("not a JSON object: error in character {column} of the row")]
    NotJson { column: usize },
    #[error("not a JSON object: expected one")]
    NotAnObject,
    #[error("a JSON object with none of the columns: expected number, issuing_state, type, status")]
    NoColumns,
    #[error("field given twice: expected once")]
    Twice,
    #[error("missing: expected a value")]
    Missing,
    #[error("missing: expected a value, or one fixed in the source")]
    MissingAndNotFixed,
    #[error("{0}")]
    Number(#[from] NumberError),
    #[error("{0}")]
    Range(#[from] RangeError),
    #[error("{0}")]
    State(#[from] StateError),
    #[error("{0}")]
    Expected(&'static str),
    #[error("{}; {expected}", not_known(value))]
    NotKnown {
        /// The word, where it is a short code.
        value: Option<String>,
        expected: &'static str,
    },
    #[error("{found} bytes: expected at most {max}")]
    TextTooLong { found: usize, max: usize },
    #[error("document of {state}: expected a State that this source owns")]
    NotOwned { state: String },
    #[error(
        "a change: expected none in a list of all that is reported; `sltd-data delta` takes changes"
    )]
    Change,
    #[error("{0}")]
    Refused(String),
}

fn not_known(value: &Option<String>) -> String {
    match value {
        Some(value) => format!("`{value}` is not known"),
        None => "not known".to_owned(),
    }
}

impl Reject {
    pub(super) fn new(field: &'static str, reason: impl Into<Reason>) -> Self {
        Self {
            field,
            reason: reason.into(),
        }
    }

    /// A word that the layout does not know. It is repeated where it is a short code: a column that has slipped may
    /// hold a name.
    pub(super) fn not_known(field: &'static str, found: &str, expected: &'static str) -> Self {
        let short = found.chars().count() <= CODE_MAX && found.chars().all(char::is_alphanumeric);
        let reason = Reason::NotKnown {
            value: short.then(|| found.to_owned()),
            expected,
        };
        Self { field, reason }
    }

    pub(super) fn expected(field: &'static str, expected: &'static str) -> Self {
        Self {
            field,
            reason: Reason::Expected(expected),
        }
    }
}

/// The rejects file of one source while it is written.
#[derive(Debug)]
pub(super) struct RejectsFile {
    file: WholeFile,
    /// Whether rows name their file: a source of several files.
    name_files: bool,
}

impl RejectsFile {
    /// The file `<folder>/<source>.csv`, of changes `<source>.delta.csv`; nothing is created yet.
    pub(super) fn new(folder: &Path, source: &SourceConfig, name_files: bool) -> Self {
        let (name, temporary) = match source.purpose {
            Purpose::List => (name(&source.name), LIST_TEMPORARY),
            Purpose::Changes => (delta_name(source), CHANGES_TEMPORARY),
        };
        Self {
            file: WholeFile::new(folder, &name, temporary),
            name_files,
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Appends one row. `raw` has the columns that the layout reads.
    pub(super) fn write(
        &mut self,
        file: &str,
        row: u64,
        field: &str,
        reason: &str,
        raw: &str,
    ) -> io::Result<()> {
        let row = row.to_string();
        let values = [row.as_str(), field, reason, raw, file];
        let columns = ["row", "field", "reason", "raw", "file"];
        let count = columns.len() - usize::from(!self.name_files);
        let columns = columns.get(..count).unwrap_or_default();
        self.file.write(columns, values.into_iter().take(count))
    }

    /// Makes the file visible under its name; where nothing was rejected, removes that of an
    /// earlier build. Says where it stands.
    pub(super) fn finish(self) -> io::Result<Option<PathBuf>> {
        self.file.finish()
    }
}

/// How the names of files end that a build is still writing. A build and a delta go on side by side, and each removes
/// its own only.
const LIST_TEMPORARY: &str = ".tmp";
/// The same of a delta.
pub(super) const CHANGES_TEMPORARY: &str = ".changes.tmp";

fn name(source: &str) -> String {
    format!("{source}.csv")
}

/// The name of the rejects of changes: those of one time of several have it in their name.
fn delta_name(source: &SourceConfig) -> String {
    of_time(delta_prefix(&source.name), source)
}

/// The name of the noted rows of changes, made in the same way.
pub(super) fn noted_name(source: &SourceConfig) -> String {
    of_time(noted_prefix(&source.name), source)
}

fn of_time(prefix: String, source: &SourceConfig) -> String {
    match (&source.part, source.as_of) {
        (Some(_), Some(as_of)) => {
            let time = as_of.strftime("%Y%m%dT%H%M%SZ");
            format!("{prefix}{time}.csv")
        }
        _ => format!("{prefix}csv"),
    }
}

/// What the names of all rejects of a source's changes begin with.
fn delta_prefix(source: &str) -> String {
    format!("{source}.delta.")
}

/// What the names of all noted rows of a source's changes begin with.
fn noted_prefix(source: &str) -> String {
    format!("{source}.noted.")
}

/// Removes the rejects and noted rows of earlier changes of a source, before the first of its files are read.
pub(super) fn remove_earlier_changes(folder: &Path, source: &SourceConfig) -> io::Result<()> {
    let is_first = source.part.as_ref().is_none_or(|part| part.first);
    if source.purpose != Purpose::Changes || !is_first || !folder.try_exists()? {
        return Ok(());
    }
    let prefixes = [delta_prefix(&source.name), noted_prefix(&source.name)];
    let own = [delta_name(source), noted_name(source)];
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let file = entry.file_name();
        let earlier = |name: &str| {
            let mut prefixes = prefixes.iter();
            prefixes.any(|prefix| name.starts_with(prefix)) && own.iter().all(|own| own != name)
        };
        if file.to_str().is_some_and(earlier) {
            remove_if_there(&entry.path())?;
        }
    }
    Ok(())
}

/// Removes what builds have left: rejects of lists that are described no more, and the files of readings that were
/// killed. What deltas write is theirs.
///
/// # Errors
/// What the system says of the folder or a file in it.
pub(crate) fn keep_rejects_of<'s>(
    folder: &Path,
    sources: impl Iterator<Item = &'s str>,
) -> io::Result<()> {
    let kept: Vec<String> = sources.map(name).collect();
    remove_if(folder, |file| {
        let unfinished = file.starts_with('.') && file.ends_with(".csv.tmp");
        let whole = file.ends_with(".csv") && !is_of_changes(file);
        unfinished || whole && kept.iter().all(|name| name != file)
    })
}

/// Removes what deltas have left: rejects and noted rows of sources that nobody knows any more, and the files of deltas
/// that were killed. Only for who knows that no delta is under way, or makes it.
///
/// # Errors
/// What the system says of the folder or a file in it.
pub(crate) fn keep_changes_of<'s>(
    folder: &Path,
    sources: impl Iterator<Item = &'s str>,
) -> io::Result<()> {
    let sources: Vec<&str> = sources.collect();
    let kept = |file: &str| {
        let mut sources = sources.iter();
        sources.any(|source| {
            let prefixes = [delta_prefix(source), noted_prefix(source)];
            file == name(source) || prefixes.iter().any(|prefix| file.starts_with(prefix))
        })
    };
    remove_if(folder, |file| {
        let unfinished = file.starts_with('.') && file.ends_with(CHANGES_TEMPORARY);
        let whole = file.ends_with(".csv") && is_of_changes(file);
        unfinished || whole && !kept(file)
    })
}

/// Whether a file may hold rejects or noted rows of changes, by its name. That of a list may look so too.
fn is_of_changes(file: &str) -> bool {
    file.contains(".delta.") || file.contains(".noted.")
}

/// Removes the files of a folder, which may be missing, by their names.
fn remove_if(folder: &Path, unneeded: impl Fn(&str) -> bool) -> io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(&unneeded) {
            remove_if_there(&entry.path())?;
        }
    }
    Ok(())
}

/// Puts a text on one line: line breaks and other control characters become `\n`, `\r`, `\x00`.
pub(super) fn on_one_line(line: &mut String) {
    use std::fmt::Write as _;
    if !line.contains(char::is_control) {
        return;
    }
    let mut escaped = String::with_capacity(line.len() + 8);
    for character in line.chars() {
        match character {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push('\t'),
            control if control.is_control() => {
                // Writing to a string can't fail.
                let _ = write!(escaped, "\\x{:02x}", u32::from(control));
            }
            other => escaped.push(other),
        }
    }
    *line = escaped;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_on_one_line() {
        for (raw, expected) in [
            ("plain,row", "plain,row"),
            ("a\r\nb\tc\\n", "a\\r\\nb\tc\\n"),
            ("\0", "\\x00"),
            ("ВТРАЧЕНО\u{85}", "ВТРАЧЕНО\\x85"),
            ("", ""),
        ] {
            let mut line = raw.to_owned();
            on_one_line(&mut line);
            assert_eq!(line, expected);
        }
    }

    fn source() -> SourceConfig {
        SourceConfig {
            name: "one".to_owned(),
            ..SourceConfig::for_bytes(crate::config::Layout::SltdCsv)
        }
    }

    #[test]
    fn a_file_of_rejects_appears_whole_private_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let list = || {
            let mut names: Vec<_> = std::fs::read_dir(folder.path())
                .unwrap()
                .map(|entry| entry.unwrap().file_name())
                .collect();
            names.sort();
            names
        };
        let mut rejects = RejectsFile::new(folder.path(), &source(), false);
        rejects
            .write("a.csv", 7, "number", "missing", "x,\"y\"")
            .unwrap();
        assert_eq!(list(), [".one.csv.tmp"]);
        let path = rejects.finish().unwrap().unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "row,field,reason,raw\n7,number,missing,\"x,\"\"y\"\"\"\n"
        );
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions())
                & 0o777,
            0o600
        );

        let mut rejects = RejectsFile::new(folder.path(), &source(), true);
        rejects.write("a.csv", 1, ROW, "bad", "r").unwrap();
        drop(rejects);
        assert_eq!(
            list(),
            ["one.csv"],
            "a reading that failed leaves what was there"
        );

        assert_eq!(
            RejectsFile::new(folder.path(), &source(), true)
                .finish()
                .unwrap(),
            None
        );
        assert!(
            list().is_empty(),
            "the rejects of an earlier build are gone"
        );
    }

    #[test]
    fn builds_and_deltas_remove_only_what_is_their_own() {
        let files = [
            "one.csv",
            "gone.csv",
            "one.delta.csv",
            "one.noted.20261122T000000Z.csv",
            "gone.delta.csv",
            "list.delta.csv",
            ".one.csv.tmp",
            ".gone.csv.tmp",
            ".one.delta.csv.changes.tmp",
            ".gone.noted.csv.changes.tmp",
            "notes",
        ];
        let left = |remove: &dyn Fn(&Path)| {
            let folder = tempfile::tempdir().unwrap();
            for name in files {
                std::fs::write(folder.path().join(name), "").unwrap();
            }
            remove(folder.path());
            let entries = std::fs::read_dir(folder.path()).unwrap();
            let left = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let left: std::collections::BTreeSet<String> = left.collect();
            let mut gone: Vec<&str> = files.to_vec();
            gone.retain(|name| !left.contains(*name));
            gone
        };
        let sources = || ["one", "two", "list.delta"].into_iter();
        assert_eq!(
            left(&|folder| keep_rejects_of(folder, sources()).unwrap()),
            ["gone.csv", ".one.csv.tmp", ".gone.csv.tmp"]
        );
        assert_eq!(
            left(&|folder| keep_changes_of(folder, sources()).unwrap()),
            [
                "gone.delta.csv",
                ".one.delta.csv.changes.tmp",
                ".gone.noted.csv.changes.tmp"
            ]
        );
    }
}
