//! What trips a guard, with its figures.

use super::accept::Kind;
use jiff::Timestamp;
use sltd::snapshot::{Manifest, SourceEntry};

/// A figure beyond its limit.
#[derive(Debug, Clone, PartialEq)]
pub enum Trip {
    /// A list without a report, of a source that had some.
    Empty {
        /// The source.
        source: String,
        /// Documents before.
        before: u64,
    },
    /// A source that is no longer listed.
    Removed {
        /// The source.
        source: String,
        /// Documents before.
        before: u64,
    },
    /// A list that is older than the one in force.
    Older {
        /// The source.
        source: String,
        /// The instant that it describes.
        as_of: Timestamp,
        /// The instant that the one in force describes.
        current: Timestamp,
    },
    /// Another list than the one in force, as of the same instant.
    SameAsOf {
        /// The source.
        source: String,
        /// The instant.
        as_of: Timestamp,
    },
    /// A list that a rollback has taken out.
    RolledBack {
        /// The source.
        source: String,
        /// The generation that published it.
        list: u64,
        /// The rollback's generation.
        since: u64,
    },
    /// Changes of a source that the store does not know.
    UnknownSource {
        /// The source.
        source: String,
    },
    /// Changes of a source that owns other States than in the store.
    Owns {
        /// The source.
        source: String,
        /// Codes of the States that it owns in the store.
        known: Vec<String>,
        /// Codes of the States that it is said to own.
        given: Vec<String>,
    },
    /// Documents with very many reports: placeholders rather than numbers.
    Reports {
        /// The source.
        source: String,
        /// Code of the issuing State.
        issuing_state: String,
        /// How many documents have so many.
        documents: u64,
        /// The reports allowed.
        limit: u64,
    },
    /// Fewer documents of an issuing State.
    Shrunk {
        /// The source.
        source: String,
        /// Code of the issuing State.
        issuing_state: String,
        /// Documents before.
        before: u64,
        /// Documents after.
        after: u64,
        /// The share allowed.
        limit: f64,
    },
    /// More documents of an issuing State.
    Grown {
        /// The source.
        source: String,
        /// Code of the issuing State.
        issuing_state: String,
        /// Documents before.
        before: u64,
        /// Documents after.
        after: u64,
        /// The share allowed.
        limit: f64,
        /// The largest growth from one base to the next.
        step: u64,
    },
    /// An issuing State that the source did not report before.
    New {
        /// The source.
        source: String,
        /// Code of the issuing State.
        issuing_state: String,
        /// Documents.
        after: u64,
        /// Whether the source reported nothing at all before.
        source_is_new: bool,
    },
    /// Numbers of another form than before.
    Format {
        /// The source.
        source: String,
        /// Code of the issuing State.
        issuing_state: String,
        /// Share of documents with unlikely numbers before.
        before: f64,
        /// Their share after.
        after: f64,
        /// The share allowed.
        limit: f64,
    },
    /// Other documents than before.
    Turnover {
        /// The source.
        source: String,
        /// Code of the issuing State.
        issuing_state: String,
        /// Documents before.
        before: u64,
        /// Documents among them that others have replaced.
        replaced: u64,
        /// The share allowed.
        limit: f64,
    },
    /// Many documents withdrawn at once.
    Withdrawals {
        /// The source.
        source: String,
        /// Documents withdrawn.
        withdrawn: u64,
        /// Documents that it reported when the last base was published.
        documents: u64,
        /// The share allowed.
        limit: f64,
    },
    /// No source is left in service.
    LastSource {
        /// Documents before.
        before: u64,
    },
    /// Fewer documents in all.
    Overall {
        /// Documents before.
        before: u64,
        /// Documents after.
        after: u64,
        /// The share allowed.
        limit: f64,
    },
}

impl Trip {
    /// What stands against the list of a source, by what is current: its as-of, and whether it was rolled back.
    pub(crate) fn of_list(list: &SourceEntry, current: &Manifest) -> Vec<Self> {
        let source = || list.name.clone();
        let mut trips = Vec::new();
        let mut before = current.sources.iter();
        if let Some(in_force) = before.find(|one| one.name == list.name && one.list.is_some()) {
            let other_bytes = in_force.digest.is_some() && in_force.digest != list.digest;
            if list.as_of < in_force.as_of {
                trips.push(Self::Older {
                    source: source(),
                    as_of: list.as_of,
                    current: in_force.as_of,
                });
            } else if list.as_of == in_force.as_of && other_bytes {
                trips.push(Self::SameAsOf {
                    source: source(),
                    as_of: list.as_of,
                });
            }
        }
        let digest = list.digest.as_deref();
        if let Some(undone) = digest.and_then(|digest| current.undone_list(&list.name, digest)) {
            trips.push(Self::RolledBack {
                source: source(),
                list: undone.list,
                since: undone.since,
            });
        }
        trips
    }

    /// The source that is held for it; `None`: it stands against the whole.
    pub fn source(&self) -> Option<&str> {
        match self {
            Self::Empty { source, .. }
            | Self::Removed { source, .. }
            | Self::Older { source, .. }
            | Self::SameAsOf { source, .. }
            | Self::RolledBack { source, .. }
            | Self::UnknownSource { source }
            | Self::Owns { source, .. }
            | Self::Reports { source, .. }
            | Self::Shrunk { source, .. }
            | Self::Grown { source, .. }
            | Self::New { source, .. }
            | Self::Format { source, .. }
            | Self::Turnover { source, .. }
            | Self::Withdrawals { source, .. } => Some(source),
            Self::Overall { .. } | Self::LastSource { .. } => None,
        }
    }

    /// The issuing State that it is about.
    pub fn issuing_state(&self) -> Option<&str> {
        match self {
            Self::Reports { issuing_state, .. }
            | Self::Shrunk { issuing_state, .. }
            | Self::Grown { issuing_state, .. }
            | Self::Format { issuing_state, .. }
            | Self::Turnover { issuing_state, .. }
            | Self::New { issuing_state, .. } => Some(issuing_state),
            _ => None,
        }
    }

    /// What guard it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Empty { .. } => Kind::Empty,
            Self::Removed { .. } => Kind::Removed,
            Self::Older { .. } => Kind::Older,
            Self::SameAsOf { .. } => Kind::SameAsOf,
            Self::RolledBack { .. } => Kind::RolledBack,
            Self::UnknownSource { .. } => Kind::UnknownSource,
            Self::Owns { .. } => Kind::Owns,
            Self::Reports { .. } => Kind::Reports,
            Self::Shrunk { .. } => Kind::Shrink,
            Self::Grown { .. } => Kind::Growth,
            Self::New { .. } => Kind::New,
            Self::Format { .. } => Kind::Format,
            Self::Turnover { .. } => Kind::Turnover,
            Self::Withdrawals { .. } => Kind::Withdrawals,
            Self::Overall { .. } | Self::LastSource { .. } => Kind::Overall,
        }
    }

    /// What `--accept` takes to let it pass.
    pub fn flag(&self) -> String {
        let whole_source = matches!(
            self,
            Self::New {
                source_is_new: true,
                ..
            }
        );
        let what = match self.issuing_state() {
            Some(state) if !whole_source => Some(state),
            _ => self.source(),
        };
        match what {
            Some(what) => format!("{}:{what}", self.kind().name()),
            None => self.kind().name().to_owned(),
        }
    }
}
