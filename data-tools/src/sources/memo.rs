//! What the short texts of a list stand for, remembered.

use sltd::document::{DocumentType, IssuingState, StateError};
use sltd::report::ReportStatus;

/// Remembers what the texts of a column stand for. A list has a few States, types and statuses in
/// millions of rows, and reading one with all its aliases costs more than the rest of the row.
#[derive(Debug)]
pub(super) struct Memo<T> {
    slots: Box<[Option<(MemoText, T)>; MEMO_SLOTS]>,
}

const MEMO_SLOTS: usize = 256;

/// A text of at most 16 bytes: its length, and its first and last bytes, which meet or overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct MemoText {
    length: usize,
    first: u64,
    last: u64,
}

impl MemoText {
    fn new(text: &[u8]) -> Option<Self> {
        let byte = |place: usize| text.get(place).map_or(0, |byte| u64::from(*byte));
        let length = text.len();
        let half = |half: Option<&[u8; 4]>| half.map(|half| u32::from_le_bytes(*half).into());
        let (first, last) = match length {
            0..4 => (byte(0), byte(1) << 8 | byte(2)),
            4..8 => (half(text.first_chunk())?, half(text.last_chunk())?),
            8..=16 => (
                u64::from_le_bytes(*text.first_chunk()?),
                u64::from_le_bytes(*text.last_chunk()?),
            ),
            _ => return None,
        };
        Some(Self {
            length,
            first,
            last,
        })
    }

    fn slot(&self) -> usize {
        let folded = self.first ^ self.last.rotate_left(29) ^ self.length as u64;
        // The high byte of a product depends on all bytes below it.
        (folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize
    }
}

impl<T: Copy> Default for Memo<T> {
    fn default() -> Self {
        Self {
            slots: Box::new([None; MEMO_SLOTS]),
        }
    }
}

impl<T: Copy> Memo<T> {
    /// What `read` makes of a text.
    #[inline]
    pub(super) fn read(&mut self, text: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let Some(key) = MemoText::new(text.as_bytes()) else {
            return read(text);
        };
        let slot = self.slots.get_mut(key.slot())?;
        if let Some((known, value)) = slot
            && *known == key
        {
            return Some(*value);
        }
        let value = read(text)?;
        *slot = Some((key, value));
        Some(value)
    }
}

/// The memories of one thread.
#[derive(Debug, Default)]
pub(super) struct Memos {
    states: Memo<IssuingState>,
    types: Memo<DocumentType>,
    statuses: Memo<ReportStatus>,
}

impl Memos {
    pub(super) fn state(&mut self, code: &str) -> Result<IssuingState, StateError> {
        let known = self
            .states
            .read(code, |code| IssuingState::parse(code).ok());
        // What is wrong with a code is not remembered: that is rare.
        known.map_or_else(|| IssuingState::parse(code), Ok)
    }

    pub(super) fn document_type(&mut self, name: &str) -> Option<DocumentType> {
        self.types.read(name, DocumentType::from_name)
    }

    pub(super) fn status(&mut self, name: &str) -> Option<ReportStatus> {
        self.statuses.read(name, ReportStatus::from_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memo_gives_what_it_was_given() {
        let mut memo = Memo::default();
        for _ in 0..2 {
            for text in [
                "",
                "a",
                "b",
                "a\0",
                "abc",
                "acb",
                "four",
                "seven 7",
                "sixteen letters!",
                "seventeen letters",
                "no",
            ] {
                let read = memo.read(text, |text| (text != "no").then_some(text.len()));
                assert_eq!(read, (text != "no").then_some(text.len()), "{text}");
            }
        }
        assert_eq!(memo.read("a", |_| None), Some(1), "remembered");
    }
}
