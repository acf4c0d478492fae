//! A publication that is not served, and why.

use super::generations::NotAbove;
use super::watch::LoadError;
use crate::snapshot::{self, Pointer};
use jiff::Timestamp;

/// What is wrong with a publication.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// It cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// It is not newer than what has been served.
    #[error(transparent)]
    NotAbove(#[from] NotAbove),
}

/// Kinds of faults, as operators tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefusalReason {
    /// A file cannot be read.
    Unreadable,
    /// Pointer or manifest is not what was written.
    Manifest,
    /// A segment is not what was written.
    Segment,
    /// No trusted key has signed it.
    Signature,
    /// The generation is not above what has been served, or that cannot be told.
    Generation,
    /// Reading it panicked.
    Panic,
}

impl RefusalReason {
    pub(super) const ALL: [Self; 6] = [
        Self::Unreadable,
        Self::Manifest,
        Self::Segment,
        Self::Signature,
        Self::Generation,
        Self::Panic,
    ];

    /// Its name in the metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Manifest => "manifest",
            Self::Segment => "segment",
            Self::Signature => "signature",
            Self::Generation => "generation",
            Self::Panic => "panic",
        }
    }
}

impl From<&Fault> for RefusalReason {
    fn from(fault: &Fault) -> Self {
        use snapshot::LoadError::{
            Damaged, HighestSeen, Io, NoPointer, NotAStore, Segment, Signature,
        };
        match fault {
            Fault::Load(LoadError::Store(error)) => match error {
                NotAStore(_) | NoPointer { .. } | Io { .. } => Self::Unreadable,
                Damaged { .. } => Self::Manifest,
                Segment { .. } => Self::Segment,
                Signature { .. } => Self::Signature,
                HighestSeen(_) => Self::Generation,
            },
            Fault::Load(LoadError::Hangs(_)) => Self::Unreadable,
            Fault::Load(LoadError::Panicked) => Self::Panic,
            Fault::NotAbove(_) => Self::Generation,
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
