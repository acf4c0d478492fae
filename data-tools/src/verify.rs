//! `sltd-data verify`: is the current snapshot of a store whole?
//!
//! Opening it holds every byte against a digest. What a digest can't tell is whether the program
//! that wrote the bytes was right, so `deep` asks the opened segments about everything in them.

mod deep;

use crate::command::{DAMAGED, FAILED, complain, print, unusable};
use crate::terms::TrustArgs;
use clap::Args;
use sltd::index::Damage;
use sltd::snapshot::{LoadError, LoadOptions, Snapshot, Store, Terms, Warm};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Verify that the current snapshot of a store is whole
///
/// Holds pointer, manifest and every byte of every segment against its digest, then walks all
/// documents: each must be found again by its number, pass the filter, and have reports that can be
/// read; all counts must be what is found. The changes as they came, which builds read and no server
/// opens, and the copies of manifests are looked at too, bases before the current one are not:
/// `sltd-data repair --dry-run` does that.
///
/// Reads the whole snapshot once and then asks it about each document, on all cores; nearly all of
/// it is in memory meanwhile. A server may be serving the store at the same time.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 whole, 1 something is damaged, or not signed with a trusted key (said on standard
error), 2 wrong usage, 3 the store can't be read, or there is none.")]
pub struct VerifyArgs {
    /// Directory of the store
    #[arg(long, value_name = "DIR", default_value = "var/store")]
    store: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Why a snapshot was not found whole.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// There is no store, or the system does not let it be read: nothing is known of its state.
    #[error("{0}")]
    Unreadable(LoadError),
    /// Pointer, manifest or a segment is not what was written.
    #[error("damaged: {0}")]
    Damaged(LoadError),
    /// It is not signed with a trusted key.
    #[error("not to be trusted: {0}")]
    Untrusted(LoadError),
    /// All digests match, yet what stands there can't be right: written by a faulty program.
    #[error("damaged: {part}: {what}")]
    Wrong {
        /// The file, or the part of the snapshot.
        part: String,
        /// What does not hold.
        what: String,
    },
}

/// What was found whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verified {
    /// Generation of the snapshot.
    pub generation: u64,
    /// Its segments.
    pub segments: usize,
    /// Segments of changes as they came, which builds read and no server opens.
    pub deltas: usize,
    /// Segments of withdrawals that are kept, which no server opens either.
    pub kept: usize,
    /// The bytes of all these.
    pub bytes: u64,
    /// Documents walked, summed over the segments.
    pub documents: u64,
    /// Numbers among them, summed over the segments.
    pub numbers: u64,
    /// Reports read: one of a range is read once for each of its documents.
    pub reports: u64,
}

/// Runs the command.
pub fn run(args: &VerifyArgs) -> ExitCode {
    let terms = match args.trust.read() {
        Ok(terms) => terms,
        Err(error) => return unusable(error),
    };
    match verify(&args.store, &terms) {
        Ok(whole) => {
            let line = format!(
                "generation {} is whole: {} documents, {} numbers, {} reports read; {} bytes in {} {}, {} of changes as they came and {} of kept withdrawals\n",
                whole.generation,
                whole.documents,
                whole.numbers,
                whole.reports,
                whole.bytes,
                whole.segments,
                if whole.segments == 1 {
                    "segment"
                } else {
                    "segments"
                },
                whole.deltas,
                whole.kept,
            );
            // The exit code says it too, should nobody be able to read the line.
            let _ = print(line);
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&error);
            ExitCode::from(match error {
                VerifyError::Unreadable(_) => FAILED,
                VerifyError::Damaged(_) | VerifyError::Untrusted(_) | VerifyError::Wrong { .. } => {
                    DAMAGED
                }
            })
        }
    }
}

/// Verifies the current snapshot of a store, on terms such as whom to trust.
///
/// # Errors
/// [`VerifyError`] with the first thing found wrong.
pub fn verify(store: &Path, terms: &Terms) -> Result<Verified, VerifyError> {
    let options = LoadOptions {
        warm: Some(Warm::Filter),
        ..LoadOptions::default()
    };
    // Bytes that match their digests and still trip the code were written by a faulty program: that
    // is a finding, not a crash.
    let whole = catch_unwind(AssertUnwindSafe(|| {
        let store = Store::open(store).map_err(sort)?.with_terms(terms.clone());
        let snapshot = store.load_current(&options).map_err(sort)?;
        check_manifest(&snapshot)?;
        let mut whole = walk(&snapshot)?;
        look_beside(&store, &mut whole)?;
        Ok(whole)
    }));
    whole.unwrap_or_else(|_| {
        Err(wrong(
            "snapshot",
            "reading it ended in a panic, whose message stands above",
        ))
    })
}

fn walk(snapshot: &Snapshot) -> Result<Verified, VerifyError> {
    let mut whole = Verified {
        generation: snapshot.generation(),
        ..Verified::default()
    };
    for (segment, entry) in snapshot
        .segments()
        .iter()
        .zip(&snapshot.manifest().segments)
    {
        let walked = deep::walk(segment).map_err(|what| wrong(&entry.file, what))?;
        whole.segments += 1;
        whole.bytes += segment.file_len();
        whole.documents += walked.documents;
        whole.numbers += walked.numbers;
        whole.reports += walked.reports;
    }
    Ok(whole)
}

/// Looks at what builds and repairs read and no server does: changes as they came, and the copies of manifests.
fn look_beside(store: &Store, whole: &mut Verified) -> Result<(), VerifyError> {
    let chain = store.pointer().and_then(|pointer| store.chain(&pointer));
    let chain = chain.map_err(sort)?;
    // Of older snapshots not all is kept.
    if let Some(current) = chain.first() {
        let kept = store.open_kept(current).map_err(sort)?;
        for (segment, entry) in kept.iter().zip(&current.kept) {
            deep::walk(segment).map_err(|what| wrong(&entry.file, what))?;
            whole.kept += 1;
            whole.bytes += segment.file_len();
        }
    }
    let copies_of_kept = chain
        .first()
        .map(|current| store.damaged_copies_of_kept(current));
    let copies_of_kept = copies_of_kept.unwrap_or_default();
    for manifest in chain {
        let copies = store.damaged_copies(&manifest);
        if let Some(path) = copies.first().or(copies_of_kept.first()) {
            let what = "it is not what it is a copy of; `sltd-data repair` puts it back";
            return Err(wrong(&path.display().to_string(), what));
        }
        let Some(changes) = store.open_changes(&manifest).map_err(sort)? else {
            continue;
        };
        let file = manifest.delta.map(|delta| delta.segment.file);
        deep::walk(&changes).map_err(|what| wrong(&file.unwrap_or_default(), what))?;
        whole.deltas += 1;
        whole.bytes += changes.file_len();
    }
    Ok(())
}

/// Holds what the manifest says of the segments and sources against them and against itself.
fn check_manifest(snapshot: &Snapshot) -> Result<(), VerifyError> {
    let manifest = snapshot.manifest();
    for (segment, entry) in snapshot.segments().iter().zip(&manifest.segments) {
        let says = (entry.documents, entry.length);
        let has = (segment.documents(), segment.file_len());
        if says != has {
            let what = format!(
                "the manifest says {} documents in {} bytes, it has {} in {}",
                says.0, says.1, has.0, has.1
            );
            return Err(wrong(&entry.file, what));
        }
    }
    match manifest
        .sources
        .iter()
        .find(|source| !source.rows.adds_up())
    {
        Some(source) => Err(wrong(
            "manifest",
            format!(
                "the rows of source {} do not add up: {}",
                source.name, source.rows
            ),
        )),
        None => Ok(()),
    }
}

fn wrong(part: &str, what: impl Into<String>) -> VerifyError {
    VerifyError::Wrong {
        part: part.to_owned(),
        what: what.into(),
    }
}

/// Damage, or a store of which nothing can be said?
fn sort(error: LoadError) -> VerifyError {
    if let LoadError::Signature { .. } = error {
        return VerifyError::Untrusted(error);
    }
    // What another program wrote can't be held against anything here.
    let version = matches!(&error, LoadError::Segment { source, .. } if matches!(source.damage, Damage::Version { .. }));
    if error.is_damage() || version {
        VerifyError::Damaged(error)
    } else {
        VerifyError::Unreadable(error)
    }
}
