//! What can be wrong with a segment, and with building one.

use std::io;
use std::path::PathBuf;

/// Why a segment is refused.
#[derive(Debug, thiserror::Error)]
#[error("segment {path}: {damage}", path = path.display())]
pub struct OpenError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    #[source]
    pub damage: Damage,
}

/// What is wrong with a segment's bytes.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// The file could not be read.
    #[error("can't be read: {0}")]
    Io(#[from] io::Error),
    /// The file does not begin with the magic bytes.
    #[error("not a segment: its first bytes are not those of one")]
    NotASegment,
    /// The file is of another format version. Use a program of that version, or rebuild.
    #[error(
        "format version {got}, but this program reads version {expected}: rebuild the snapshot or use the program that wrote it"
    )]
    Version {
        /// The version read here.
        expected: u32,
        /// The version found.
        got: u32,
    },
    /// The file, or a part of it, is longer or shorter than it says.
    #[error("{got} bytes where {expected} were expected: truncated or appended to")]
    Length {
        /// Bytes announced.
        expected: u64,
        /// Bytes present.
        got: u64,
    },
    /// The bytes of a section are not those that were written.
    #[error("section {section} (shard {shard}) does not match its digest")]
    Digest {
        /// Name of the section.
        section: &'static str,
        /// Its shard.
        shard: u32,
    },
    /// The file is no longer what was verified when it was opened: a part of what is mapped can't be read, or is another.
    #[error(
        "{file}: truncated, overwritten or unreadable since it was opened", file = file.display()
    )]
    ChangedWhileMapped {
        /// The file.
        file: PathBuf,
    },
    /// Bytes between sections are not zero.
    #[error("padding before byte {before} is not zero")]
    Padding {
        /// Offset of the section that follows the padding.
        before: u64,
    },
    /// A section matches its digest but can't be what it claims: written by a faulty program.
    #[error("section {section}: {what}")]
    Malformed {
        /// Name of the section.
        section: &'static str,
        /// What does not hold.
        what: &'static str,
    },
    /// The digest of header and section table is not the one the manifest names.
    #[error("its digest is {got}, the manifest names {expected}")]
    NotTheOneNamed {
        /// Digest in the manifest, hexadecimal.
        expected: String,
        /// Digest of the file, hexadecimal.
        got: String,
    },
}

/// Why a segment could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A file could not be written or read back.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// More of something than the format has room for.
    #[error("more than {limit} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The most there may be.
        limit: u64,
    },
    /// An owner's reference longer than a segment can hold.
    #[error("owner's reference of {got} bytes, at most {limit} are kept")]
    ReferenceTooLong {
        /// Longest reference, in bytes.
        limit: usize,
        /// Length given.
        got: usize,
    },
    /// With so little memory for rows, more scratch files would be needed than a build can work with.
    #[error(
        "{given_mib} MiB of memory are too little for so many rows: {needed_mib} MiB are enough",
        given_mib = given >> 20,
        needed_mib = needed.div_ceil(1 << 20)
    )]
    TooLittleMemory {
        /// [`BuildOptions::memory`](super::BuildOptions) as given, in bytes.
        given: u64,
        /// A size that is enough for the same rows, in bytes.
        needed: u64,
    },
    /// A worker thread died.
    #[error("a worker thread panicked")]
    Worker,
}

impl BuildError {
    pub(super) fn io(path: &std::path::Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}
