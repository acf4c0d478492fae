//! Many questions at once: the filter first, for a group together.

use super::errors::CallError;
use super::serving::{Current, Serving};
use crate::document::DocumentNumber;
use crate::report::Query;
use crate::snapshot::Answer;
use jiff::Timestamp;

/// Questions in a group. Their numbers are hashed first and then looked up, so that the waits for
/// memory overlap; more would not overlap better, and a group is the least a job does at a time.
pub(super) const GROUP: usize = 32;

/// The space to look at groups in, used again and again.
#[derive(Default)]
pub(super) struct Groups {
    numbers: Vec<DocumentNumber>,
    /// For each of `numbers` the item it belongs to.
    items: Vec<usize>,
    positions: Vec<u32>,
    unreported: Vec<bool>,
}

impl Groups {
    /// Asks the filter about the numbers of a group's items; `None` for an item without one.
    pub(super) fn filter(
        &mut self,
        serving: &Serving,
        current: &Current,
        group: impl Iterator<Item = Option<DocumentNumber>>,
    ) -> Result<(), CallError> {
        self.numbers.clear();
        self.items.clear();
        self.unreported.clear();
        for (index, number) in group.enumerate() {
            self.unreported.push(number.is_some());
            if let Some(number) = number {
                self.numbers.push(number);
                self.items.push(index);
            }
        }
        serving.filter(current, &self.numbers, &mut self.positions)?;
        for &position in &self.positions {
            // A position is one of `numbers`.
            let item = self
                .items
                .get(position as usize)
                .and_then(|&item| self.unreported.get_mut(item));
            if let Some(unreported) = item {
                *unreported = false;
            }
        }
        Ok(())
    }

    /// Whether the filter has said for certain that nothing is reported about an item's number.
    pub(super) fn unreported(&self, place: usize) -> bool {
        self.unreported.get(place).copied().unwrap_or(false)
    }

    /// The number of an item of the group, if it has one.
    pub(super) fn number(&self, place: usize) -> Option<&DocumentNumber> {
        let at = self.items.binary_search(&place).ok()?;
        self.numbers.get(at)
    }

    /// Checks an item of the group that the filter was asked about last, by its place in the group.
    pub(super) fn check<T>(
        &self,
        (serving, current, now): (&Serving, &Current, Timestamp),
        place: usize,
        query: &Query,
        read: impl FnOnce(&Answer<'_>) -> T,
    ) -> Result<T, CallError> {
        if self.unreported(place) {
            serving.check_unreported(current, query, now, read)
        } else {
            serving.check(current, query, now, read)
        }
    }
}
