//! The buffers that chunks travel in. There is a fixed number of them, which bounds the memory.
//!
//! A [`Lease`] gives its buffer back when it is dropped, so no path can lose one, errors included.

use std::io::{ErrorKind, Read};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes that are filled from a stream and go to a worker. The memory is kept for the next use.
#[derive(Debug, Default)]
pub(in crate::sources) struct Buffer {
    memory: Vec<u8>,
    used: usize,
}

impl Buffer {
    pub(in crate::sources) fn bytes(&self) -> &[u8] {
        self.memory.get(..self.used).unwrap_or_default()
    }

    /// Bytes that are used.
    pub(in crate::sources) fn len(&self) -> usize {
        self.used
    }

    /// Reads up to `count` more bytes; fewer only at the end of the stream.
    pub(in crate::sources) fn fill(
        &mut self,
        text: &mut dyn Read,
        count: usize,
    ) -> std::io::Result<usize> {
        let from = self.used;
        if self.memory.len() < from + count {
            self.memory.resize(from + count, 0);
        }
        while let Some(room) = self.memory.get_mut(self.used..from + count)
            && !room.is_empty()
        {
            match text.read(room) {
                Ok(0) => break,
                Ok(read) => self.used += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.used - from)
    }

    /// Makes line breaks of carriage returns, from a place on.
    pub(in crate::sources) fn break_lines(&mut self, from: usize) {
        let bytes = self.memory.get_mut(from..self.used).unwrap_or_default();
        for byte in bytes.iter_mut().filter(|byte| **byte == b'\r') {
            *byte = b'\n';
        }
    }

    /// Drops the first bytes.
    pub(in crate::sources) fn drop_front(&mut self, count: usize) {
        self.memory.copy_within(count.min(self.used)..self.used, 0);
        self.used -= count.min(self.used);
    }

    /// Moves what follows the first `count` bytes into an empty buffer.
    pub(in crate::sources) fn split_into(&mut self, count: usize, rest: &mut Self) {
        let tail = self.bytes().get(count..).unwrap_or_default();
        if rest.memory.len() < tail.len() {
            rest.memory.resize(tail.len(), 0);
        }
        if let Some(place) = rest.memory.get_mut(..tail.len()) {
            place.copy_from_slice(tail);
        }
        rest.used = tail.len();
        self.used = self.used.min(count);
    }
}

/// The buffers that nobody uses.
#[derive(Debug)]
pub(super) struct Pool {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    spare: Vec<Buffer>,
    closed: bool,
}

impl Pool {
    pub(super) fn new(buffers: usize) -> Arc<Self> {
        let mut spare = Vec::new();
        spare.resize_with(buffers, Buffer::default);
        Arc::new(Self {
            state: Mutex::new(State {
                spare,
                closed: false,
            }),
            changed: Condvar::new(),
        })
    }

    /// An empty buffer, as soon as there is one; `None` once the pool is closed.
    pub(super) fn lease(self: &Arc<Self>) -> Option<Lease> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(mut buffer) = state.spare.pop() {
                buffer.used = 0;
                return Some(Lease {
                    buffer,
                    pool: Arc::clone(self),
                });
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets go whoever waits for a buffer.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A buffer in use. It goes back to its pool when this is dropped.
#[derive(Debug)]
pub(in crate::sources) struct Lease {
    buffer: Buffer,
    pool: Arc<Pool>,
}

impl Deref for Lease {
    type Target = Buffer;

    fn deref(&self) -> &Buffer {
        &self.buffer
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Buffer {
        &mut self.buffer
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        self.pool.lock().spare.push(buffer);
        self.pool.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_empty_however_it_is_dropped() {
        let pool = Pool::new(1);
        let fails = |pool: &Arc<Pool>| -> Option<()> {
            let mut lease = pool.lease()?;
            lease.fill(&mut &b"abc"[..], 10).ok()?;
            assert_eq!(lease.bytes(), b"abc");
            None
        };
        for _ in 0..3 {
            assert_eq!(fails(&pool), None);
        }
        let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _lease = pool.lease();
            std::panic::resume_unwind(Box::new(()));
        }));
        assert!(unwound.is_err());
        assert_eq!(pool.lease().unwrap().bytes(), b"");
    }

    #[test]
    fn closing_a_pool_lets_go_who_waits() {
        let pool = Pool::new(1);
        let held = pool.lease().unwrap();
        let waiting = std::thread::spawn({
            let pool = Arc::clone(&pool);
            move || pool.lease().is_none()
        });
        pool.close();
        assert!(waiting.join().unwrap());
        drop(held);
        assert!(pool.lease().is_none());
    }
}
