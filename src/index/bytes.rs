//! A segment's bytes: mapped, or read into memory. The only room with `unsafe`.

use super::error::Damage;
use super::sigbus::MappedRange;
use crate::files::File;
use memmap2::{Advice, Mmap, MmapMut, MmapOptions};
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

/// How a segment's bytes are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoadMode {
    /// Mapped: shared with the page cache, resident only where it is used. The first file that is mapped installs a
    /// handler for SIGBUS, which a file raises that someone truncates while it is mapped: what is asked of it from then
    /// on is an error. Faults at other addresses have the effect that they had before.
    #[default]
    Mmap,
    /// Read into memory: immune to whatever happens to the file afterwards.
    Heap,
}

/// Sixteen bytes of a file, and where they are; the offset is a multiple of sixteen.
pub(super) type Witness = (usize, [u8; 16]);

#[derive(Debug)]
enum Backing {
    /// A file, which stays open to be read by other ways than the mapping.
    Mapped {
        /// Before `map`, so that it is dropped first.
        range: MappedRange,
        map: Mmap,
        file: File,
        /// What is looked at to tell whether the file was truncated or replaced since.
        witnesses: [Witness; 2],
    },
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
    /// Reads the first `len` bytes of a file into memory of their own.
    pub(super) fn read(file: &File, len: u64) -> io::Result<Self> {
        let len = addressable(len)?;
        let memory = private(len, |memory| file.read_exact_at(memory, 0))?;
        Ok(Self {
            backing: Arc::new(Backing::Private(memory)),
            range: 0..len,
        })
    }

    /// Maps the first `len` bytes of a file, which has the bytes of the witnesses.
    pub(super) fn map(file: File, len: u64, witnesses: [Witness; 2]) -> io::Result<Self> {
        let len = addressable(len)?;
        // SAFETY: a shared mapping is sound while nobody changes the file. Segments are written under a temporary
        // name, renamed when complete and never modified or truncated afterwards, only unlinked, which leaves a
        // mapping intact; one process writes a store at a time, under its lock, and others may only read them.
        // Against an outsider who writes into the file there is no full defence but `LoadMode::Heap`; the digests,
        // verified from the same file before this, catch what was changed until then, `are_intact` a file that was
        // truncated or replaced since, and readers check every position against the slice, so changed bytes give
        // wrong values or a caught panic, never a read outside the mapping.
        let map = unsafe { MmapOptions::new().len(len).map(file.as_std()) }?;
        map.advise(Advice::Random)?;
        let backing = Backing::Mapped {
            range: MappedRange::register(&map)?,
            map,
            file,
            witnesses,
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

    /// Whether what was read from these bytes before this call were the file's: false once a page of it could not be
    /// read, or its first or last bytes were found changed, and then for ever. Always true of memory of our own.
    ///
    /// Bytes that are changed in the middle of a file do not show here.
    #[inline]
    pub(super) fn are_intact(&self) -> bool {
        let Backing::Mapped {
            range,
            map,
            witnesses,
            ..
        } = &*self.backing
        else {
            return true;
        };
        // Orders what was read before, on processors that would not: another thread's handler marks the range before
        // there are zeros to be read.
        fence(Ordering::Acquire);
        // Where a file is truncated within a page, the rest of that page reads as zeros without a fault. The end of the
        // file is then missing, too.
        if !witnesses.iter().all(|witness| is_there(map, witness)) {
            range.set_faulted();
        }
        !range.has_faulted()
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

fn addressable(len: u64) -> io::Result<usize> {
    usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge.into())
}

/// Whether a mapping still has these bytes.
#[inline]
fn is_there(map: &Mmap, (offset, expected): &Witness) -> bool {
    let Some(bytes) = map
        .get(*offset..)
        .and_then(<[u8]>::first_chunk::<{ size_of::<u128>() }>)
    else {
        return false;
    };
    let bytes = bytes.as_ptr().cast::<u128>();
    if !bytes.is_aligned() {
        return false;
    }
    // SAFETY: the bytes are inside the mapping and aligned, and any bytes are an integer. Volatile, as the file may have
    // been changed since they were read last.
    let found = unsafe { bytes.read_volatile() };
    found.to_le() == u128::from_le_bytes(*expected)
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
