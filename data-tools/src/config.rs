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
//!
//! Fields of a source; those without a default are required:
//!
//! | field | value |
//! |---|---|
//! | `name` | `a-z0-9_-`, at most 64; unique |
//! | `path` | a file, a folder (every file in it, but those of folders in it) or a glob pattern, relative to the folder of this file. Patterns and folders pass over hidden files and `README*` |
//! | `files` | how many files the list has, entries of archives counted; another number holds the source. Default: not checked |
//! | `archive_entry` | a glob pattern: which entries of a ZIP archive are read, by their name or their path in it. Default: all but hidden ones and `README*` |
//! | `layout` | `sltd-csv`, `sltd-jsonl`, `sltd-parquet`, `russia`, `ukraine`, `ukraine-inactive`, `czechia` |
//! | `as_of` | an instant, RFC 3339; default: the oldest modification time among the files |
//! | `as_of_name` | how file names begin, such as `list_%Y%m%d`: the as-of is read from them; without a time 00:00 UTC |
//! | `stale_after` | a duration; default `7d` |
//! | `required` | `true`: nothing is published without it; default `false` |
//! | `compression` | `none`, `gzip`, `bzip2`, `zstd`, `zip`; default: by the first bytes, then by name |
//! | `encoding` | `utf-8` (default), `windows-1250`, `windows-1251`, `windows-1252`, `latin-1`, `utf-16le`, `utf-16be`, or another label of the WHATWG Encoding Standard. It is never guessed, but a byte order mark of UTF-8 or UTF-16 counts before it |
//! | `delimiter` | `,` `;` `\|` or `tab`: what separates columns; default for `sltd-csv` and `russia`: the one under which the header has the columns of the layout; `czechia` and `ukraine-inactive`: `;` |
//! | `columns` | our layouts: how the list calls its columns, where it does not call them as we do: `{ number = "doc_no" }`. Of a name, neither case nor blanks, hyphens and underscores count |
//! | `date_format` | our layouts: how days are written, as `dd.mm.yyyy`, `ddmmyyyy`, `mm/dd/yyyy` or in terms of strftime, `%d.%m.%Y`; default: ISO 8601, `2026-11-01` |
//! | `owns` | issuing States, or `["*"]`; default: `issuing_state`, else the State of the public list |
//! | `third_party` | `reject` (default) or `keep`: rows of States it does not own |
//! | `issuing_state`, `type`, `status`, `authority`, `restriction` | the value of rows that have none; not what every row of a public list has itself |
//! | `placeholders` | numbers that stand for none in this source, such as `["99999999"]` |
//! | `placeholder_exemptions` | numbers like `000000` that the States of `owns` really issue |
//! | `kind` | layout `czechia`: 0 to 3; default: by the name of the file |
//!
//! The table `[guards]` sets from where on a figure trips a guard: [`Limits`] has its fields and what holds without.

mod form;
mod read;

pub use form::{ColumnNames, DateFormat, Encoding};
pub use read::{ConfigError, load, parse};

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use crate::guards::Limits;
use jiff::Timestamp;
use sltd::document::{DocumentType, IssuingState, Placeholders};
use sltd::report::{Authority, ReportStatus};

/// The whole file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SourcesFile {
    /// The sources, in the order of the file; names are unique.
    pub sources: Vec<SourceConfig>,
    /// The directory of competent authorities; codes are unique.
    pub authorities: Vec<AuthorityConfig>,
    /// What trips a guard.
    pub guards: Limits,
}

impl SourcesFile {
    /// The directory as a segment takes it.
    pub fn directory(&self) -> Vec<Authority<'_>> {
        let entries = self.authorities.iter();
        entries
            .map(|entry| Authority {
                code: &entry.code,
                name: &entry.name,
                contact: &entry.contact,
            })
            .collect()
    }
}

/// One list from one supplier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceConfig {
    /// Its name: `a-z0-9_-`.
    pub name: String,
    /// Its files: a file, a folder or a glob pattern, absolute or relative to `folder`.
    pub path: String,
    /// How many files it has; `None`: any number.
    pub files: Option<u32>,
    /// Which entries of an archive are read; `None`: all lists in it.
    pub archive_entry: Option<glob::Pattern>,
    /// The folder of `sources.toml`.
    pub folder: PathBuf,
    /// How its rows are written.
    pub layout: Layout,
    /// The instant its data describes; `None`: as `as_of_name` says, else the oldest modification time of its files.
    pub as_of: Option<Timestamp>,
    /// A pattern by which the names of its files say as of when they are.
    pub as_of_name: Option<String>,
    /// The files to be read, of all that there are; `None`: all. Not said in the file.
    pub part: Option<Part>,
    /// The age from which it counts as stale.
    pub stale_after: Duration,
    /// Whether nothing is published without it; else it keeps what it reported before.
    pub required: bool,
    /// How its files are packed; `None`: by their first bytes, then by name.
    pub compression: Option<Compression>,
    /// How its text is encoded.
    pub encoding: Encoding,
    /// What separates its columns; `None`: what the layout has, or the header shows.
    pub delimiter: Option<u8>,
    /// How it calls its columns.
    pub columns: ColumnNames,
    /// How it writes days; `None`: as ISO 8601 has it.
    pub date_format: Option<DateFormat>,
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
    /// Numbers that stand for none, besides those that do everywhere, and numbers that its States really issue.
    pub placeholders: Placeholders,
    /// What its rows are; not said in the file.
    pub purpose: Purpose,
}

/// Some of the files of a source, which are read by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The files.
    pub files: BTreeSet<PathBuf>,
    /// Whether it is the first of the source's parts.
    pub first: bool,
}

/// What the rows of a source are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Purpose {
    /// All that the source reports.
    #[default]
    List,
    /// What has changed: additions and withdrawals.
    Changes,
}

impl SourceConfig {
    /// Whether a file without a byte is what it should be: no changes, in a layout that begins with no header. An empty
    /// list was cut off on its way.
    pub fn may_be_empty(&self) -> bool {
        self.purpose == Purpose::Changes
            && matches!(self.layout, Layout::Czechia | Layout::SltdJsonl)
    }

    /// A source of a layout that owns every State's documents and fixes nothing; it has no files.
    pub fn for_bytes(layout: Layout) -> Self {
        Self {
            name: "bytes".to_owned(),
            path: String::new(),
            files: None,
            archive_entry: None,
            folder: PathBuf::new(),
            layout,
            as_of: None,
            as_of_name: None,
            part: None,
            stale_after: Duration::from_secs(7 * 24 * 60 * 60),
            required: false,
            compression: Some(Compression::None),
            encoding: Encoding::UTF_8,
            delimiter: None,
            columns: ColumnNames::default(),
            date_format: None,
            owns: Owns::All,
            third_party: ThirdParty::Reject,
            issuing_state: None,
            document_type: None,
            status: None,
            authority: None,
            restriction: None,
            kind: (layout == Layout::Czechia).then_some(1),
            placeholders: Placeholders::default(),
            purpose: Purpose::List,
        }
    }
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
    /// The Ukrainian Migration Service's files of invalid documents.
    UkraineInactive,
    /// The Czech lists of invalid documents.
    Czechia,
}

impl Layout {
    /// Every layout.
    pub const ALL: [Self; 7] = [
        Self::SltdCsv,
        Self::SltdJsonl,
        Self::SltdParquet,
        Self::Russia,
        Self::Ukraine,
        Self::UkraineInactive,
        Self::Czechia,
    ];

    /// Its name in `sources.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::SltdCsv => "sltd-csv",
            Self::SltdJsonl => "sltd-jsonl",
            Self::SltdParquet => "sltd-parquet",
            Self::Russia => "russia",
            Self::Ukraine => "ukraine",
            Self::UkraineInactive => "ukraine-inactive",
            Self::Czechia => "czechia",
        }
    }

    /// Whether it is one of ours, whose columns may have other names and days another form.
    pub fn is_ours(self) -> bool {
        self.issuing_state().is_none()
    }

    /// Whether its rows are columns of text, one behind the other.
    pub fn is_delimited(self) -> bool {
        !matches!(self, Self::SltdJsonl | Self::SltdParquet | Self::Ukraine)
    }

    /// Whether there are lists of changes in it.
    pub fn has_changes(self) -> bool {
        !matches!(self, Self::Russia | Self::Ukraine | Self::UkraineInactive)
    }

    /// The code of the State whose list a public layout is; `None` for ours.
    pub fn issuing_state(self) -> Option<&'static str> {
        match self {
            Self::SltdCsv | Self::SltdJsonl | Self::SltdParquet => None,
            Self::Russia => Some("RUS"),
            Self::Ukraine | Self::UkraineInactive => Some("UKR"),
            Self::Czechia => Some("CZE"),
        }
    }
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

impl Compression {
    /// Every compression.
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Bzip2, Self::Zstd, Self::Zip];

    /// Its name in `sources.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Zstd => "zstd",
            Self::Zip => "zip",
        }
    }
}

/// Whose documents a source reports as their owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owns {
    /// Every State's: `["*"]`.
    All,
    /// Those of these States.
    States(Vec<IssuingState>),
}

impl Owns {
    /// Their codes; `*`: every State.
    pub fn codes(&self) -> Vec<String> {
        match self {
            Self::All => vec!["*".to_owned()],
            Self::States(states) => states.iter().map(|state| state.code().to_owned()).collect(),
        }
    }

    /// Whether the documents of a State are among them.
    pub fn contains(&self, state: &IssuingState) -> bool {
        match self {
            Self::All => true,
            Self::States(states) => states.contains(state),
        }
    }
}

/// What happens to rows of States that the source does not own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ThirdParty {
    /// They are rejected.
    Reject,
    /// They are kept as reports of a third party.
    Keep,
}

impl ThirdParty {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Reject, Self::Keep];

    /// Its name in `sources.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Keep => "keep",
        }
    }
}
