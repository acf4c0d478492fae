//! Sections to a file, their places and digests to the section table.
//!
//! What has been written is made durable on the side, so that the disk works while the cores do
//! and the last sync finds little left.

use super::super::error::BuildError;
use super::super::format::{Frame, HEADER_LEN, Section, SectionKind, align_up};
use crate::files::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

/// Bytes written between two syncs on the side.
const SYNC_EVERY: u64 = 64 << 20;

/// A segment file being written, front to back; padding is what the file system fills gaps with.
pub(super) struct SegmentWriter {
    file: File,
    path: PathBuf,
    end: u64,
    sections: Vec<Section>,
    syncer: Syncer,
    synced: u64,
}

/// Syncs a file on a thread of its own, each time it is told to.
struct Syncer {
    now: Sender<()>,
    thread: JoinHandle<io::Result<()>>,
}

impl Syncer {
    fn start(file: File) -> Self {
        let (now, told) = channel();
        let thread = std::thread::spawn(move || {
            while told.recv().is_ok() {
                // What piled up meanwhile is one sync.
                while told.try_recv().is_ok() {}
                file.sync_data()?;
            }
            Ok(())
        });
        Self { now, thread }
    }

    /// Waits for the last sync. An error that any of them met is told here: the kernel tells
    /// it once only.
    fn finish(self) -> io::Result<()> {
        drop(self.now);
        self.thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the syncing thread panicked")))
    }
}

/// A section being written in parts.
pub(super) struct OpenSection {
    kind: SectionKind,
    offset: u64,
    len: u64,
    hasher: blake3::Hasher,
}

impl SegmentWriter {
    /// Starts an empty file.
    pub(super) fn create(path: &Path) -> Result<Self, BuildError> {
        // A file that is written over while servers have it mapped gives wrong answers.
        let file = File::create_read_only(path).map_err(|source| BuildError::io(path, source))?;
        let clone = file
            .try_clone()
            .map_err(|source| BuildError::io(path, source))?;
        Ok(Self {
            syncer: Syncer::start(clone),
            synced: 0,
            file,
            path: path.to_owned(),
            end: HEADER_LEN as u64,
            sections: Vec::new(),
        })
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> Result<(), BuildError> {
        self.file
            .write_all_at(bytes, offset)
            .map_err(|source| BuildError::io(&self.path, source))
    }

    /// Writes a whole section with the digest its maker computed.
    pub(super) fn section(
        &mut self,
        kind: SectionKind,
        shard: u32,
        bytes: &[u8],
        digest: blake3::Hash,
    ) -> Result<(), BuildError> {
        let offset = align_up(self.end, kind.align());
        self.write_at(bytes, offset)?;
        let len = bytes.len() as u64;
        self.sections.push(Section {
            kind,
            shard,
            offset,
            len,
            digest: *digest.as_bytes(),
        });
        self.end = offset + len;
        if self.end - self.synced >= SYNC_EVERY {
            self.synced = self.end;
            // A syncer that has met an error has ended; the error is told when the file is finished.
            let _ = self.syncer.now.send(());
        }
        Ok(())
    }

    /// Writes a whole small section.
    pub(super) fn table(&mut self, kind: SectionKind, bytes: &[u8]) -> Result<(), BuildError> {
        self.section(kind, 0, bytes, blake3::hash(bytes))
    }

    /// Begins a section that comes in parts; nothing else may be written until it is
    /// [closed](Self::close).
    pub(super) fn begin(&self, kind: SectionKind) -> OpenSection {
        OpenSection {
            kind,
            offset: align_up(self.end, kind.align()),
            len: 0,
            hasher: blake3::Hasher::new(),
        }
    }

    /// Appends a part to an open section.
    pub(super) fn append(&self, section: &mut OpenSection, bytes: &[u8]) -> Result<(), BuildError> {
        self.write_at(bytes, section.offset + section.len)?;
        section.hasher.update(bytes);
        section.len += bytes.len() as u64;
        Ok(())
    }

    /// Ends a section that came in parts.
    pub(super) fn close(&mut self, section: OpenSection) {
        let OpenSection {
            kind,
            offset,
            len,
            hasher,
        } = section;
        self.end = offset + len;
        self.sections.push(Section {
            kind,
            shard: 0,
            offset,
            len,
            digest: *hasher.finalize().as_bytes(),
        });
    }

    /// Writes header and section table and makes all of it durable. Returns their digest and
    /// the file's length. `frame` comes without sections.
    pub(super) fn finish(self, mut frame: Frame) -> Result<(blake3::Hash, u64), BuildError> {
        frame.sections.clone_from(&self.sections);
        let bytes = frame.encode();
        let (header, table) = bytes.split_at(HEADER_LEN);
        self.write_at(table, frame.table_offset())?;
        self.write_at(header, 0)?;
        let synced = self.syncer.finish().and_then(|()| self.file.sync_all());
        synced.map_err(|source| BuildError::io(&self.path, source))?;
        Ok((
            blake3::hash(&bytes),
            frame.table_offset() + table.len() as u64,
        ))
    }
}
