//! Why a source cannot be read.

use std::path::PathBuf;

use super::{SinkError, Stage};
use jiff::Timestamp;

/// Why a source cannot be read. Nothing of it may be published then: a list that is
/// missing its end looks like documents found again.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Its files could not be fetched from where its supplier puts them.
    #[error("{0}")]
    NotFetched(String),
    /// No file fits the pattern.
    #[error("no file matches {pattern}")]
    NoFile {
        /// The pattern, with its folder.
        pattern: String,
    },
    /// The data describe an instant that is still to come.
    #[error(
        "as_of: expected an instant that has passed, found {as_of} (it is {now}): nothing that is sent until then would count"
    )]
    InTheFuture {
        /// The instant.
        as_of: Timestamp,
        /// The time.
        now: Timestamp,
    },
    /// A file was replaced, written to or added while its list was read.
    #[error("{file}: expected a file that nobody writes to, but it has changed while it was read")]
    Changed {
        /// The file.
        file: String,
    },
    /// A file's name does not say as of when it is.
    #[error(
        "{file}: as_of_name: expected a file name that begins like {pattern} and then has no further digit"
    )]
    Name {
        /// The file.
        file: String,
        /// The pattern.
        pattern: String,
    },
    /// The pattern, with its folder, is none.
    #[error("{pattern}: not a glob pattern: {error}")]
    Pattern {
        /// The pattern, with its folder.
        pattern: String,
        /// What is wrong with it.
        error: glob::PatternError,
    },
    /// A file cannot be opened.
    #[error("{file}: {error}")]
    Open {
        /// The file.
        file: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// A file has no content at all. Even a list of nothing has a header or a pair of brackets;
    /// a file without them is a failed copy more often than good news.
    #[error("{file}: expected a list, found an empty file")]
    Empty {
        /// The file.
        file: String,
    },
    /// A file is not packed as its name or the source says.
    #[error("{file}: expected a file packed with {expected}, found other first bytes")]
    NotPacked {
        /// The file.
        file: String,
        /// The compression, as in `sources.toml`.
        expected: &'static str,
    },
    /// A file breaks off or is damaged.
    #[error("{file}: truncated or damaged after {rows} rows were read: {error}")]
    Damaged {
        /// The file.
        file: String,
        /// Rows read from it before.
        rows: u64,
        /// What the system or the decoder says.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file is encoded otherwise than the source says.
    #[error(
        "{file}: expected the `encoding` stated in the source, or UTF-8 if none is; found {found}"
    )]
    Encoding {
        /// The file.
        file: String,
        /// What it seems to be.
        found: &'static str,
    },
    /// A file is of another kind than any list.
    #[error("{file}: expected a list, found {found}")]
    OtherKind {
        /// The file.
        file: String,
        /// What it is.
        found: &'static str,
    },
    /// A list has another number of files than the source says.
    #[error("expected {expected} files, as `files` says, found {found}")]
    Files {
        /// The number in the source.
        expected: u32,
        /// The number there are; entries of archives are counted.
        found: usize,
    },
    /// No entry of an archive is meant by `archive_entry`.
    #[error("{file}: expected an entry that matches archive_entry = \"{pattern}\", found {found}")]
    NoEntry {
        /// The archive.
        file: String,
        /// The pattern.
        pattern: String,
        /// The entries there are.
        found: String,
    },
    /// A required column is missing.
    #[error("{file}: column {column} is missing; {hint}")]
    MissingColumn {
        /// The file.
        file: String,
        /// The column.
        column: &'static str,
        /// What was found instead, and what to do.
        hint: String,
    },
    /// A column stands twice in the header.
    #[error("{file}: expected each column once, found {column} twice")]
    ColumnTwice {
        /// The file.
        file: String,
        /// The column.
        column: &'static str,
    },
    /// The first line is not the header of the layout.
    #[error("{file}: expected the header {expected} on the first line")]
    Header {
        /// The file.
        file: String,
        /// The header.
        expected: &'static str,
    },
    /// A file is no JSON array of objects.
    #[error("{file}: expected a JSON array, found something else {place}")]
    NotAnArray {
        /// The file.
        file: String,
        /// Where.
        place: &'static str,
    },
    /// The column of a Parquet file cannot be read as the layout has it.
    #[error("{file}: column {column}: expected {expected}")]
    ColumnType {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// What can be read.
        expected: &'static str,
    },
    /// The pages of a Parquet file are packed in a way that is not read.
    #[error(
        "{file}: its pages are packed with {codec}: expected UNCOMPRESSED, SNAPPY, GZIP, ZSTD, LZ4 or LZ4_RAW"
    )]
    Codec {
        /// The file.
        file: String,
        /// The codec.
        codec: String,
    },
    /// It is not known which kind of document a Czech file is about.
    #[error(
        "{file}: expected the kind of document in the name, as in typ_dokladu=2, or `kind` in the source"
    )]
    Kind {
        /// The file.
        file: String,
    },
    /// A Czech archive holds two lists of one kind: a daily difference, whose second list names
    /// the documents that are reported no more.
    #[error(
        "{file}: expected one list of each kind, found two: a daily difference is no full list"
    )]
    Difference {
        /// The archive.
        file: String,
    },
    /// A Czech archive of changes does not hold two lists of one kind.
    #[error(
        "{file}: expected two lists of one kind, what is added and then what is withdrawn: a daily difference"
    )]
    NoDifference {
        /// The archive, or the file that is in none.
        file: String,
    },
    /// A list of changes where a list of all that is reported is expected.
    #[error(
        "{file}: a list of changes, as its column `action` says: expected a list of all that is reported; \
         `sltd-data delta` takes changes"
    )]
    Changes {
        /// The file.
        file: String,
    },
    /// The layout cannot be read out of a packed file.
    #[error("{file}: expected a file that is not packed: Parquet packs its own pages")]
    PackedParquet {
        /// The file.
        file: String,
    },
    /// The rejects cannot be written.
    #[error("{}: {error}", path.display())]
    Rejects {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The threads that read waited for each other: a defect of this program.
    #[error(
        "reading has stalled: the stage `{stage}` made no progress for {seconds} s, although nothing waited for the \
         disk or an input. This is a defect of this program: please report it"
    )]
    Stalled {
        /// The stage that kept the others waiting.
        stage: Stage,
        /// How long nothing moved.
        seconds: u64,
    },
    /// The rows in force no longer cannot be written.
    #[error("{}: {error}", path.display())]
    Expired {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The sink gave up.
    #[error(transparent)]
    Sink(#[from] SinkError),
}
