//! The file `sources.toml`: which lists there are, whose they are and how they are read.
//!
//! ```toml
//! [[source]]
//! name = "ukraine-stolen"
//! path = "ukraine/*.json"
//! layout = "ukraine"
//! owns = ["UKR"]
//! stale_after = "2d"
//!
//! [[authority]]
//! code = "NCB-KYIV"
//! name = "National Central Bureau, Kyiv"
//! contact = "+380 44 000 00 00, day and night"
//! issuing_state = "UKR"
//! ```

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use sltd::document::{DocumentType, IssuingState};
use sltd::report::ReportStatus;

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourcesFile {
    /// The sources, in the order of the file; names are unique.
    pub sources: Vec<SourceConfig>,
    /// The directory of competent authorities; (State, code) is unique.
    pub authorities: Vec<AuthorityConfig>,
}

/// One list from one supplier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceConfig {
    /// Its name: `a-z0-9_-`.
    pub name: String,
    /// Its files: a glob pattern, absolute or relative to `folder`.
    pub path: String,
    /// The folder of `sources.toml`.
    pub folder: PathBuf,
    /// How its rows are written.
    pub layout: Layout,
    /// The instant its data describes; `None`: the oldest modification time of its files.
    pub as_of: Option<Timestamp>,
    /// The age from which it counts as stale.
    pub stale_after: Duration,
    /// How its files are packed; `None`: by their first bytes, then by name.
    pub compression: Option<Compression>,
    /// How its text is encoded.
    pub encoding: Encoding,
    /// The States whose documents it reports as their owner.
    pub owns: Owns,
    /// What happens to rows of other States.
    pub third_party: ThirdParty,
    /// The issuing State of rows that name none.
    pub issuing_state: Option<IssuingState>,
    /// The type of rows that name none.
    pub document_type: Option<DocumentType>,
    /// The status of rows that name none.
    pub status: Option<ReportStatus>,
    /// The authority of rows that name none.
    pub authority: Option<String>,
    /// The restriction of rows that name none.
    pub restriction: Option<String>,
    /// Layout `czechia` only: the kind of document; `None`: by the name of the file.
    pub kind: Option<u8>,
}

/// An entry of the directory of competent authorities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityConfig {
    /// The code reports name it by.
    pub code: String,
    /// Its name.
    pub name: String,
    /// How to reach it (telephone, e-mail, hours); may be empty.
    pub contact: String,
    /// Its State.
    pub issuing_state: IssuingState,
}

/// A layout of rows; each has a module in [`sources`](crate::sources).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Ours, comma-separated.
    SltdCsv,
    /// Ours, one JSON object a line.
    SltdJsonl,
    /// Ours, Parquet.
    SltdParquet,
    /// The Russian list of invalid domestic passports.
    Russia,
    /// The Ukrainian lists of stolen and lost passports.
    Ukraine,
    /// The Czech lists of invalid documents.
    Czechia,
}

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, one member or more.
    Gzip,
    /// bzip2, one stream or more.
    Bzip2,
    /// Zstandard, one frame or more.
    Zstd,
    /// A ZIP archive; its entries are read like files.
    Zip,
}

/// How text is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// Windows-1251, Cyrillic.
    Windows1251,
}

/// Whose documents a source reports as their owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owns {
    /// Every State's: `["*"]`.
    All,
    /// Those of these States.
    States(Vec<IssuingState>),
}

/// What happens to rows of States that the source does not own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ThirdParty {
    /// They are rejected.
    Reject,
    /// They are kept as reports of a third party.
    Keep,
}

/// What is wrong with a `sources.toml`. STUB.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

/// Reads a `sources.toml`; patterns in it are relative to its folder.
pub fn load(_path: &Path) -> Result<SourcesFile, ConfigError> {
    todo!()
}

/// Reads the text of a `sources.toml`; patterns in it are relative to `folder`.
pub fn parse(_text: &str, _folder: &Path) -> Result<SourcesFile, ConfigError> {
    todo!()
}

/// Reads a duration written as a whole number and a unit: `500ms`, `8s`, `2m`, `12h`, `7d`.
pub fn parse_duration(_text: &str) -> Option<Duration> {
    todo!()
}
