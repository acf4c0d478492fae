//! A publication that is not served, and why.

use super::watch::LoadError;
use crate::snapshot::{self, Pointer};
use jiff::Timestamp;

/// Kinds of faults, as operators tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefusalReason {
    /// A file cannot be read.
    Unreadable,
    /// Pointer or manifest is not what was written.
    Manifest,
    /// A segment is not what was written.
    Segment,
    /// The generation is not above what has been served.
    Generation,
    /// Reading it panicked.
    Panic,
}

impl RefusalReason {
    pub(super) const ALL: [Self; 5] = [
        Self::Unreadable,
        Self::Manifest,
        Self::Segment,
        Self::Generation,
        Self::Panic,
    ];

    /// Its name in the metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Manifest => "manifest",
            Self::Segment => "segment",
            Self::Generation => "generation",
            Self::Panic => "panic",
        }
    }
}

impl From<&LoadError> for RefusalReason {
    fn from(error: &LoadError) -> Self {
        match error {
            LoadError::Store(
                snapshot::LoadError::NotAStore(_) | snapshot::LoadError::Io { .. },
            ) => Self::Unreadable,
            LoadError::Store(snapshot::LoadError::Damaged { .. }) => Self::Manifest,
            LoadError::Store(snapshot::LoadError::Segment { .. }) => Self::Segment,
            LoadError::NotAbove(_) => Self::Generation,
            LoadError::Panicked => Self::Panic,
        }
    }
}

/// A publication that stands refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// What the store's pointer names; `None`: the pointer itself cannot be read.
    pub(super) pointer: Option<Pointer>,
    /// Its generation, where its manifest can be read.
    pub(super) generation: Option<u64>,
    /// What kind of fault it is.
    pub(super) reason: RefusalReason,
    /// What exactly is wrong.
    pub(super) detail: String,
    /// When it was refused first.
    pub(super) since: Timestamp,
}

impl Refusal {
    /// File name of its manifest; empty if that is not known.
    pub(super) fn manifest(&self) -> &str {
        self.pointer.as_ref().map_or("", Pointer::manifest)
    }
}
