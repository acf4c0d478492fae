//! Many questions at once: the filter first, for a group together.

use super::errors::{CallError, Violation};
use super::serving::{Current, Serving};
use crate::document::DocumentNumber;
use crate::report::Query;
use crate::snapshot::Answer;
use jiff::Timestamp;

/// Questions in a group. Their numbers are hashed first and then looked up, so that the waits for
/// memory overlap; more would not overlap better, and a group is the least a job does at a time.
pub(super) const GROUP: usize = 32;

/// One item of a group: the question, or why it is none.
pub(super) type Item = Result<Query, Violation>;

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
    /// Asks the filter about all items of a group.
    pub(super) fn filter(
        &mut self,
        serving: &Serving,
        current: &Current,
        group: &[Item],
    ) -> Result<(), CallError> {
        self.numbers.clear();
        self.items.clear();
        self.unreported.clear();
        for (index, item) in group.iter().enumerate() {
            let number = item.as_ref().ok().and_then(|query| query.number);
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

    /// Checks an item of the group that the filter was asked about last, by its place in the group.
    pub(super) fn check<T>(
        &self,
        (serving, current, now): (&Serving, &Current, Timestamp),
        place: usize,
        query: &Query,
        read: impl FnOnce(&Answer<'_>) -> T,
    ) -> Result<T, CallError> {
        match self.unreported.get(place) {
            Some(true) => serving.check_unreported(current, query, now, read),
            _ => serving.check(current, query, now, read),
        }
    }
}
