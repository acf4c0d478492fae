//! What can be wrong with a store, one type an operation.

use super::highest::HighestSeenError;
use super::intervention::{Hold, Pin};
use super::signature::SignatureError;
use crate::index::{BuildError, Damage, OpenError};
use rustix::io::Errno;
use std::io;
use std::path::{Path, PathBuf};

/// Why a snapshot can't be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no such folder, or it is no store.
    #[error(
        "{0} is not a store: expected a folder with a file CURRENT; `sltd-data build` makes one"
    )]
    NotAStore(PathBuf),
    /// It has manifests, but nothing says which of them is current.
    #[error(
        "{path}: CURRENT is missing, but manifests up to generation {newest} are there; `sltd-data repair` makes the \
         newest intact one current again"
    )]
    NoPointer {
        /// The store.
        path: PathBuf,
        /// The newest generation that has a manifest.
        newest: u64,
    },
    /// A file can't be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// `CURRENT` or a manifest is not what was written.
    #[error("{path}: {what}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not hold.
        what: String,
    },
    /// A segment is refused.
    #[error("generation {generation}: {source}")]
    Segment {
        /// The snapshot it belongs to.
        generation: u64,
        /// Why.
        #[source]
        source: OpenError,
    },
    /// A manifest is not signed by a key that is trusted.
    #[error("{path}: {source}")]
    Signature {
        /// The manifest.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<SignatureError>,
    },
    /// A newer snapshot of the store was seen, or nobody can tell.
    #[error(transparent)]
    HighestSeen(#[from] HighestSeenError),
}

/// Why a snapshot can't be published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Another process is changing the store.
    #[error("{0} is locked: another build or publish is changing the store; wait for it to end")]
    Locked(PathBuf),
    /// Something else was published while this was prepared. Whoever prepared it begins again with what is current now.
    #[error("another publication came between")]
    Overtaken,
    /// A file can't be written.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The pointer was being replaced.
    #[error(
        "{path}: {source}; it is not certain whether generation {generation} was published and outlives a loss of \
         power: `sltd-data inspect` tells what is current, and publishing again makes certain"
    )]
    Uncertain {
        /// The generation.
        generation: u64,
        /// The pointer.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// What is published now can't be read.
    #[error("{0}{hint}", hint = repair_hint(.0))]
    Current(#[source] LoadError),
    /// What is published now is not signed by a trusted key: nothing is built on it.
    #[error("nothing is built on a current snapshot that is not trusted: {0}")]
    Untrusted(#[source] LoadError),
    /// What was to be published would not be signed by a trusted key.
    #[error("what is published must be signed with a trusted key: {0}")]
    Signature(#[from] SignatureError),
    /// What is current is signed, and what was to be published is not.
    #[error(
        "what was to be published is not signed, but the current snapshot is, and servers that trust keys would refuse it: \
         sign it with --sign-key, or publish it with --unsigned"
    )]
    UnsignedOverSigned,
    /// The reports published now can't be read, so that nothing can be changed in them.
    #[error(
        "a segment of the current snapshot can't be read: {0}; `sltd-data verify` may say more"
    )]
    Read(#[from] Damage),
    /// A segment can't be written.
    #[error(transparent)]
    Write(#[from] BuildError),
    /// What was written is not what is read back.
    #[error("the segment just built can't be read back: {0}")]
    ReadBack(#[source] OpenError),
    /// The base is pinned.
    #[error(
        "the base is pinned since generation {} (by {}: {}); `sltd-data unpin` lets builds replace it again",
        .0.since, .0.by, .0.reason
    )]
    Pinned(Pin),
    /// What a source that is held reports is no longer what is current.
    #[error("the list of source {0} was replaced while its reports were taken over; build again")]
    HeldListReplaced(String),
    /// Sources would keep what they reported in a base that is damaged.
    #[error(
        "{damage}; so what {} reported before can't be kept: give the lists, or accept what they trip; or restore an \
         intact snapshot first with `sltd-data repair`", sources.join(", ")
    )]
    HeldInDamagedBase {
        /// Their names.
        sources: Vec<String>,
        /// What is wrong with the base.
        damage: String,
    },
    /// There is no base to go back to.
    #[error("{}", no_base(*wanted, kept))]
    NoBase {
        /// The generation asked for; `None`: the one before the current base.
        wanted: Option<u64>,
        /// The generations that there are, newest first.
        kept: Vec<u64>,
    },
    /// The source is not one of the snapshot's, or is in the state already that was asked for.
    #[error("source {name}: {what}")]
    Source {
        /// Its name.
        name: String,
        /// What is wrong with the wish.
        what: &'static str,
    },
    /// An operator keeps the source at the list that it has.
    #[error(
        "source {} is kept at the list that it has since generation {} (by {}: {}), and a build has read another one; \
         build again, or `sltd-data unhold` it first",
        .0.source, .0.since, .0.by, .0.reason
    )]
    Held(Hold),
    /// There is nothing to unpin.
    #[error("the base is not pinned")]
    NotPinned,
}

/// Whether a failed read says something of the store: a file that is named but missing, or not of the form that it
/// should have. Everything else is the system's refusal.
fn is_damage(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, IsADirectory, NotADirectory, NotFound, UnexpectedEof};
    matches!(
        error.kind(),
        NotFound | InvalidData | UnexpectedEof | IsADirectory | NotADirectory
    )
}

fn is_io_error(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::IO.raw_os_error())
}

/// What to do where what is current can't be read.
fn repair_hint(error: &LoadError) -> &'static str {
    match error {
        LoadError::Damaged { .. } | LoadError::Segment { .. } | LoadError::Io { .. } => {
            "; `sltd-data repair` reports what of the store is intact, and restores it"
        }
        // They say so themselves, or it would be of no use.
        LoadError::NotAStore(_)
        | LoadError::NoPointer { .. }
        | LoadError::Signature { .. }
        | LoadError::HighestSeen(_) => "",
    }
}

/// Why there is no base to go back to.
fn no_base(wanted: Option<u64>, kept: &[u64]) -> String {
    let list: Vec<String> = kept.iter().map(u64::to_string).collect();
    let kept = match list.as_slice() {
        [] => "none is kept".to_owned(),
        [one] => format!("only generation {one} is kept"),
        all => format!("kept are the generations {}", all.join(", ")),
    };
    match wanted {
        Some(generation) => format!("generation {generation} is no base that is kept: {kept}"),
        None => format!(
            "there is no earlier base that differs from the current one, to go back to: {kept}; --to names one"
        ),
    }
}

impl PublishError {
    /// Whether it is certain that what was current still is.
    pub fn leaves_current(&self) -> bool {
        !matches!(self, Self::Uncertain { .. })
    }
}

/// What was to be done after a snapshot was made current, and could not be. Later publishes make up for it.
#[derive(Debug, thiserror::Error)]
pub enum Afterwards {
    /// It has no line in the history, which then tells of it from its manifest.
    #[error("the history could not be written: {0}")]
    History(#[source] PublishError),
    /// What is not needed any more is still there.
    #[error("what is not needed any more could not be removed: {0}")]
    Removal(#[source] PublishError),
}

impl LoadError {
    /// Whether a file is missing or not what was written; otherwise the system refuses, or it is of another kind.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Damaged { .. } | Self::NoPointer { .. } => true,
            Self::Io { source, .. } => is_damage(source),
            Self::Segment { source, .. } => match &source.damage {
                // A disk does not give back what is damaged on it.
                Damage::Io(source) => is_damage(source) || is_io_error(source),
                // What another program wrote is whole.
                Damage::Version { .. } => false,
                _ => true,
            },
            Self::NotAStore(_) | Self::Signature { .. } | Self::HighestSeen(_) => false,
        }
    }

    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    pub(super) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            what: what.into(),
        }
    }

    pub(super) fn signature(path: &Path) -> impl Fn(SignatureError) -> Self + '_ {
        move |source| Self::Signature {
            path: path.to_owned(),
            source: Box::new(source),
        }
    }

    pub(super) fn segment(generation: u64, path: &Path, damage: Damage) -> Self {
        Self::Segment {
            generation,
            source: OpenError {
                path: path.to_owned(),
                damage,
            },
        }
    }
}

impl From<LoadError> for PublishError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Signature { .. } => Self::Untrusted(error),
            _ => Self::Current(error),
        }
    }
}

impl PublishError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}
