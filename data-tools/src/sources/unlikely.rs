//! Documents whose numbers are unlikely, counted by issuing State.

use sltd::document::{IssuingState, NumberRange, Unlikely};

use super::reading::Reading;

/// Documents of an issuing State in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatePlausibility {
    /// The State.
    pub issuing_state: IssuingState,
    /// Documents, those of ranges included; repeated rows count each time.
    pub documents: u64,
    /// Those among them whose numbers are unlikely.
    pub unlikely: u64,
}

/// Rows with unlikely numbers by reason, in the order of [`Unlikely::ALL`].
pub type UnlikelyRows = [u64; Unlikely::ALL.len()];

/// The counts of one thread.
#[derive(Debug)]
pub(super) struct UnlikelyCounts {
    rows: UnlikelyRows,
    /// Documents, and unlikely ones, by the ordinal of their State.
    states: Vec<[u64; 2]>,
}

impl Default for UnlikelyCounts {
    fn default() -> Self {
        Self {
            rows: UnlikelyRows::default(),
            states: vec![[0; 2]; IssuingState::COUNT],
        }
    }
}

impl UnlikelyCounts {
    /// Counts a row that is indexed.
    #[inline]
    pub(super) fn add(&mut self, reading: &Reading<'_>, range: Option<NumberRange>) {
        let cell = match reading.cell {
            "" => reading.number.as_str(),
            cell => cell,
        };
        let (state, document_type) = (&reading.issuing_state, reading.document_type);
        let unlikely = Unlikely::find(cell, &reading.number, state, document_type);
        if let Some(reason) = unlikely
            && let Some(rows) = self.rows.get_mut(reason as usize)
        {
            *rows += 1;
        }
        let documents = range.map_or(1, |range| u64::from(range.documents()));
        if let Some(counts) = state.ordinal().and_then(|place| self.states.get_mut(place)) {
            counts[0] += documents;
            counts[1] += documents * u64::from(unlikely.is_some());
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (mine, others) in self.rows.iter_mut().zip(other.rows) {
            *mine += others;
        }
        for (mine, others) in self.states.iter_mut().zip(&other.states) {
            mine[0] += others[0];
            mine[1] += others[1];
        }
    }

    /// Rows by reason, and documents by State.
    pub(super) fn finish(&self) -> (UnlikelyRows, Vec<StatePlausibility>) {
        let states = IssuingState::all().zip(&self.states);
        let states = states.filter(|(_, [documents, _])| *documents > 0);
        let states = states.map(
            |(issuing_state, &[documents, unlikely])| StatePlausibility {
                issuing_state,
                documents,
                unlikely,
            },
        );
        (self.rows, states.collect())
    }
}
