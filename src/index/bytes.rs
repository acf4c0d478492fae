//! A segment's bytes: mapped, or read into memory. The only room with `unsafe`.

use super::error::Damage;
use crate::files::File;
use memmap2::{Advice, Mmap, MmapMut, MmapOptions};
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// How a segment's bytes are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoadMode {
    /// Mapped: shared with the page cache, resident only where it is used. A file that someone
    /// truncates while it is mapped ends the process with SIGBUS; stores never do that.
    #[default]
    Mmap,
    /// Read into memory: immune to whatever happens to the file afterwards.
    Heap,
}

#[derive(Debug)]
enum Backing {
    /// A file, which stays open to be read by other ways than the mapping.
    Mapped { map: Mmap, file: File },
    /// Memory of our own.
    Private(Mmap),
}

/// A shared part of a segment's bytes.
#[derive(Debug, Clone)]
pub(super) struct Bytes {
    backing: Arc<Backing>,
    range: Range<usize>,
}

impl Bytes {
    /// Takes the first `len` bytes of a file.
    pub(super) fn load(file: File, len: u64, mode: LoadMode) -> io::Result<Self> {
        let len = usize::try_from(len).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        let backing = match mode {
            LoadMode::Heap => {
                Backing::Private(private(len, |memory| file.read_exact_at(memory, 0))?)
            }
            LoadMode::Mmap => {
                // SAFETY: a shared mapping is sound while nobody changes the file. Segments are
                // written under a temporary name, renamed when complete and never modified or
                // truncated afterwards, only unlinked, which leaves a mapping intact; one process
                // writes a store at a time, under its lock. Against an outsider who writes into
                // the file there is no defence but `LoadMode::Heap`; the digests, verified from
                // the same file before this, catch what was changed until then, and readers
                // check every position against the slice, so changed bytes give wrong values or
                // a caught panic, never a read outside the mapping.
                let map = unsafe { MmapOptions::new().len(len).map(file.as_std()) }?;
                map.advise(Advice::Random)?;
                Backing::Mapped { map, file }
            }
        };
        Ok(Self {
            backing: Arc::new(backing),
            range: 0..len,
        })
    }

    /// Bytes that were never in a file.
    #[cfg(test)]
    pub(super) fn owned(bytes: &[u8]) -> Self {
        // A mapping is not empty.
        let mut memory = MmapMut::map_anon(bytes.len().max(1)).unwrap();
        memory[..bytes.len()].copy_from_slice(bytes);
        Self {
            range: 0..bytes.len(),
            backing: Arc::new(Backing::Private(memory.make_read_only().unwrap())),
        }
    }

    /// A part of these bytes.
    pub(super) fn slice(&self, offset: u64, len: u64) -> Result<Self, Damage> {
        let outside = || Damage::Length {
            expected: offset.saturating_add(len),
            got: self.range.len() as u64,
        };
        let start = usize::try_from(offset)
            .ok()
            .and_then(|offset| self.range.start.checked_add(offset))
            .ok_or_else(outside)?;
        let end = usize::try_from(len)
            .ok()
            .and_then(|len| start.checked_add(len))
            .ok_or_else(outside)?;
        if end > self.range.end {
            return Err(outside());
        }
        Ok(Self {
            backing: Arc::clone(&self.backing),
            range: start..end,
        })
    }

    /// These bytes in memory of their own, for what is probed at random. What is mapped is read
    /// from the file, so that the mapping does not become resident beside it; the caller holds
    /// the copy against its digest.
    ///
    /// `None` where there are no bytes.
    pub(super) fn to_private(&self) -> io::Result<Option<Mmap>> {
        if self.range.is_empty() {
            return Ok(None);
        }
        match &*self.backing {
            Backing::Mapped { file, .. } => private(self.range.len(), |memory| {
                file.read_exact_at(memory, self.range.start as u64)
            }),
            Backing::Private(_) => private(self.range.len(), |memory| {
                memory.copy_from_slice(self.as_ref());
                Ok(())
            }),
        }
        .map(Some)
    }

    /// Fills a buffer from an offset on: of what is mapped, from the file, whose end may have been cut off.
    pub(super) fn read_again(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        match &*self.backing {
            Backing::Mapped { file, .. } => {
                file.read_exact_at(buffer, self.range.start as u64 + offset)
            }
            Backing::Private(_) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                let end = start.saturating_add(buffer.len());
                let bytes = self.as_ref().get(start..end);
                buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
                Ok(())
            }
        }
    }

    /// Whether they are mapped from the file that has this name now.
    pub(super) fn are_mapped_from(&self, path: &Path) -> bool {
        match &*self.backing {
            Backing::Mapped { file, .. } => file.has_name(path).unwrap_or(false),
            Backing::Private(_) => false,
        }
    }

    /// Brings these bytes into memory, so that the first query does not wait for the disk.
    pub(super) fn warm(&self) -> io::Result<()> {
        if let Backing::Mapped { map, .. } = &*self.backing {
            // Only faster, and a wish: where the file system keeps large pages of the file.
            #[cfg(target_os = "linux")]
            let _ = map.advise(Advice::HugePage);
            let populate =
                map.advise_range(Advice::PopulateRead, self.range.start, self.range.len());
            if populate.is_err() {
                // Kernels before 5.14 lack it: touch every page instead.
                let sum = self
                    .as_ref()
                    .iter()
                    .step_by(4096)
                    .fold(0u8, |sum, byte| sum.wrapping_add(*byte));
                std::hint::black_box(sum);
            }
        }
        Ok(())
    }
}

/// Memory of our own: in pages of 2 MiB, of which a processor's tables for
/// addresses hold a whole filter, where pages of 4 KiB cost a second miss for each access.
fn private(len: usize, fill: impl FnOnce(&mut [u8]) -> io::Result<()>) -> io::Result<Mmap> {
    let mut memory = MmapMut::map_anon(len)?;
    // Only faster: a kernel without huge pages refuses it.
    #[cfg(target_os = "linux")]
    let _ = memory.advise(Advice::HugePage);
    fill(&mut memory)?;
    memory.make_read_only()
}

/// Asks the processor to fetch what will be read soon. A hint: it changes nothing but time.
#[inline(always)]
pub(super) fn prefetch<T>(soon: &T) {
    // SAFETY: the instruction is one of SSE, which every processor of this architecture has; it
    // reads nothing that a program could see, here from the address of a value that exists.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(soon).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = soon;
}

impl AsRef<[u8]> for Bytes {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        let all: &[u8] = match &*self.backing {
            Backing::Mapped { map, .. } => map,
            Backing::Private(memory) => memory,
        };
        &all[self.range.clone()]
    }
}
