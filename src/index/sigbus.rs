//! What happens when a mapped file no longer has a page that is read.
//!
//! A file that is truncated while it is mapped, or that the disk cannot read, raises SIGBUS in the thread that reads
//! the missing page. By default that ends the process. For files that are mapped here, a handler puts a page of zeros
//! in the place of the missing one and marks the file's [`MappedRange`] as faulted; the read goes on and gets zeros.
//! So whoever reads from a range must ask it [afterwards](MappedRange::has_faulted), before relying on what was read.
//!
//! Faults at any other address have the effect that they had before the handler was installed, which happens with the
//! first range: it restores the action before, and the faulting instruction is run again.
//!
//! The handler only reads atomics and calls `mmap` and `sigaction`. It looks the address up in a table that never moves
//! and never shrinks. A slot is written while no thread can fault in its range: before the range is handed out and
//! after it was dropped. So a slot that changes while the handler looks at it is not the one that it looks for, and it
//! need not wait for anybody.

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};
use rustix::param::page_size;
use std::ffi::{c_int, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Ranges of one part of the table; another part is added when all are taken.
const PART: usize = 64;

/// A place in the table for one mapped range.
struct Slot {
    /// Odd while the range is being changed.
    version: AtomicUsize,
    /// The range's first address, and the one behind its last; both 0 while the slot is free.
    start: AtomicUsize,
    end: AtomicUsize,
    faulted: AtomicBool,
}

struct Part {
    slots: [Slot; PART],
    next: OnceLock<Box<Self>>,
}

static TABLE: Part = Part::new();
/// Held while a slot is taken or given back. The handler does not take it.
static CHANGES: Mutex<()> = Mutex::new(());
/// Size of a page: the handler must not ask for it.
static PAGE: AtomicUsize = AtomicUsize::new(0);
/// What SIGBUS did before the handler was installed.
static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

impl Part {
    const fn new() -> Self {
        Self {
            slots: [const {
                Slot {
                    version: AtomicUsize::new(0),
                    start: AtomicUsize::new(0),
                    end: AtomicUsize::new(0),
                    faulted: AtomicBool::new(false),
                }
            }; PART],
            next: OnceLock::new(),
        }
    }
}

impl Slot {
    fn is_free(&self) -> bool {
        self.end.load(Ordering::Relaxed) == 0
    }

    /// Changes the range; the caller holds [`CHANGES`].
    fn set(&self, start: usize, end: usize) {
        let version = self.version.load(Ordering::Relaxed);
        self.version
            .store(version.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release);
        self.start.store(start, Ordering::Relaxed);
        self.end.store(end, Ordering::Relaxed);
        self.faulted.store(false, Ordering::Relaxed);
        self.version
            .store(version.wrapping_add(2), Ordering::Release);
    }

    /// Whether an address is in the range; false of a slot that is being changed.
    fn contains(&self, address: usize) -> bool {
        let version = self.version.load(Ordering::Acquire);
        let start = self.start.load(Ordering::Relaxed);
        let end = self.end.load(Ordering::Relaxed);
        fence(Ordering::Acquire);
        let unchanged = version == self.version.load(Ordering::Relaxed);
        unchanged && version.is_multiple_of(2) && (start..end).contains(&address)
    }
}

fn parts() -> impl Iterator<Item = &'static Part> {
    std::iter::successors(Some(&TABLE), |part| part.next.get().map(|next| &**next))
}

/// A range of addresses at which a file is mapped, known to the handler until this is dropped. It must be dropped before
/// the mapping is.
pub(super) struct MappedRange(&'static Slot);

impl MappedRange {
    /// Makes a mapping known to the handler, which is installed first if it is not yet.
    ///
    /// # Errors
    /// What the system says when it refuses the handler.
    pub(super) fn register(mapping: &[u8]) -> io::Result<Self> {
        let range = mapping.as_ptr_range();
        let _changes = CHANGES.lock().unwrap_or_else(PoisonError::into_inner);
        install()?;
        let mut part = &TABLE;
        let slot = loop {
            match part.slots.iter().find(|slot| slot.is_free()) {
                Some(slot) => break slot,
                None => part = part.next.get_or_init(|| Box::new(Part::new())),
            }
        };
        slot.set(range.start.addr(), range.end.addr());
        Ok(Self(slot))
    }

    /// Whether any page of the range could not be read. Never false again once it is true.
    #[inline]
    pub(super) fn has_faulted(&self) -> bool {
        self.0.faulted.load(Ordering::Acquire)
    }

    /// Has the range count as faulted.
    pub(super) fn set_faulted(&self) {
        self.0.faulted.store(true, Ordering::Release);
    }
}

impl Drop for MappedRange {
    fn drop(&mut self) {
        let _changes = CHANGES.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.set(0, 0);
    }
}

impl std::fmt::Debug for MappedRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MappedRange")
            .field("has_faulted", &self.has_faulted())
            .finish_non_exhaustive()
    }
}

/// Installs the handler, once; the caller holds [`CHANGES`].
fn install() -> io::Result<()> {
    if BEFORE.get().is_some() {
        return Ok(());
    }
    PAGE.store(page_size(), Ordering::Relaxed);
    let mut before = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: a null action changes nothing; the one in force is written to memory of its type.
    let asked = unsafe { libc::sigaction(libc::SIGBUS, null_mut(), before.as_mut_ptr()) };
    if asked != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was written, as the call succeeded.
    let before = unsafe { before.assume_init() };
    // SAFETY: an action is integers and an optional function, for which zeros are values.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) = handle;
    action.sa_sigaction = handler as *const () as usize;
    // On the alternate stack, where a thread has one.
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // Before the handler can run, which needs it.
    let _ = BEFORE.set(before);
    // SAFETY: `handle` has the signature that SA_SIGINFO asks for and calls only what a handler may call.
    match unsafe { libc::sigaction(libc::SIGBUS, &raw const action, null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The handler.
extern "C" fn handle(signal: c_int, info: *mut libc::siginfo_t, _: *mut c_void) {
    // SAFETY: with SA_SIGINFO the kernel passes a valid pointer.
    let code = unsafe { (*info).si_code };
    // Positive codes are the kernel's own; with others somebody has sent the signal, and it has no address.
    if code > 0 {
        // SAFETY: as above; signals of faults have an address.
        let address = unsafe { (*info).si_addr() }.addr();
        let mut slots = parts().flat_map(|part| &part.slots);
        if let Some(slot) = slots.find(|slot| slot.contains(address)) {
            // Before there are zeros to be read.
            slot.faulted.store(true, Ordering::SeqCst);
            if put_zeros(address) {
                return;
            }
        }
    }
    if let Some(before) = BEFORE.get() {
        // SAFETY: the action was in force before. The call is one that a handler may make.
        unsafe { libc::sigaction(signal, before, null_mut()) };
    }
    if code <= 0 {
        // Nothing raises it again by itself.
        // SAFETY: a call that a handler may make; the signal comes once the handler has returned.
        unsafe { libc::raise(signal) };
    }
}

/// Puts a page of zeros where an address is that is mapped here; says whether that succeeded.
fn put_zeros(address: usize) -> bool {
    let page = PAGE.load(Ordering::Relaxed);
    let start = address & !page.wrapping_sub(1);
    // SAFETY: the page belongs to a mapping that a `MappedRange` stands for and that nobody writes to. The thread that
    // faulted is reading it, so it lives. Its bytes become zeros, as those of a file can that somebody writes into: see
    // where it is mapped. It is unmapped with the rest of the mapping.
    unsafe {
        mmap_anonymous(
            std::ptr::without_provenance_mut(start),
            page,
            ProtFlags::READ,
            MapFlags::PRIVATE | MapFlags::FIXED,
        )
    }
    .is_ok()
}
