//! Rejected rows by reason, for the accounts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use sltd::document::{NumberError, RangeError, StateError};

use super::reject::{ROW, Reason, Reject};

/// The most reasons told apart; beyond them rows are counted as of other reasons.
const REASONS_MAX: usize = 500;

const NOT_OWNED: &str = ", which this source does not own";

/// How many rows were rejected for a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectCount {
    /// The field, as the layout names it; `row` for the row as a whole.
    pub field: &'static str,
    /// What is wrong with it, without what differs from row to row.
    pub reason: String,
    /// Rows.
    pub rows: u64,
}

impl RejectCount {
    /// Whether the rows are of issuing States that the source does not own.
    pub fn is_not_owned(&self) -> bool {
        self.reason.ends_with(NOT_OWNED)
    }

    /// Field and reason as a part of a sentence.
    pub fn phrase(&self) -> String {
        let between = if self.reason.starts_with('`') {
            " "
        } else {
            ": "
        };
        [self.field, between, &self.reason].concat()
    }
}

/// Rejected rows by reason.
#[derive(Debug, Default)]
pub(super) struct ReasonCounts(BTreeMap<(&'static str, Cow<'static, str>), u64>);

impl ReasonCounts {
    pub(super) fn add(&mut self, reject: &Reject) {
        self.add_rows((reject.field, group(&reject.reason)), 1);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (key, rows) in &other.0 {
            self.add_rows(key.clone(), *rows);
        }
    }

    fn add_rows(&mut self, key: (&'static str, Cow<'static, str>), rows: u64) {
        let full = self.0.len() >= REASONS_MAX && !self.0.contains_key(&key);
        let key = match full {
            true => (key.0, Cow::Borrowed("other reasons")),
            false => key,
        };
        *self.0.entry(key).or_default() += rows;
    }

    /// Those whose columns can't be told apart.
    pub(super) fn without_columns(&self) -> u64 {
        let rows = self.0.iter().filter(|((field, _), _)| *field == ROW);
        rows.map(|(_, rows)| rows).sum()
    }

    /// The most frequent first.
    pub(super) fn into_counts(self) -> Vec<RejectCount> {
        let count = |((field, reason), rows): ((_, Cow<'_, str>), _)| RejectCount {
            field,
            reason: reason.into_owned(),
            rows,
        };
        let mut counts: Vec<_> = self.0.into_iter().map(count).collect();
        // Those of equal frequency stay in the order of their names.
        counts.sort_by_key(|count| std::cmp::Reverse(count.rows));
        counts
    }
}

/// A reason without what differs from row to row, and without anything of the row but short codes.
fn group(reason: &Reason) -> Cow<'static, str> {
    Cow::Borrowed(match reason {
        Reason::TooLong { .. } => "longer than a row may be",
        Reason::FieldCount { .. } => "not as many fields as columns",
        Reason::NotUtf8 { .. } => "not UTF-8 text",
        Reason::NotJson { .. } | Reason::NotAnObject => "not a JSON object",
        Reason::NoColumns => "a JSON object with none of the columns",
        Reason::Number(NumberError::Character { .. }) => {
            "a character that no document number holds"
        }
        Reason::Number(NumberError::TooLong { .. }) => {
            "more letters and digits than a document number has"
        }
        Reason::Number(NumberError::Placeholder) => "a placeholder",
        Reason::Number(NumberError::TwoNumbers) => "two numbers in one cell",
        Reason::Number(NumberError::Decimal) => "digits with a decimal point",
        Reason::Number(NumberError::Exponent) => "a number with an exponent",
        Reason::Number(NumberError::NotUtf8 { .. }) => "not UTF-8 text",
        Reason::Range(RangeError::Length { .. }) => {
            "not as long as the number that begins the range"
        }
        Reason::Range(RangeError::Letter { .. }) => {
            "differs in letters from the number that begins the range"
        }
        Reason::Range(RangeError::TooMany { .. }) => "too many documents in a range",
        Reason::State(StateError::TooLong { .. } | StateError::NotALetter { .. }) => {
            "not a code of one to three letters"
        }
        Reason::State(StateError::Unknown { code }) => {
            return Cow::Owned(format!("`{code}` is not known"));
        }
        Reason::Expected(expected) => expected
            .strip_suffix(", found another text")
            .unwrap_or(expected),
        Reason::NotKnown {
            value: Some(value), ..
        } => {
            return Cow::Owned(format!("`{value}` is not known"));
        }
        Reason::NotKnown { value: None, .. } => "a word that is not known",
        Reason::TextTooLong { .. } => "too long",
        Reason::NotOwned { state } => {
            return Cow::Owned(format!("document of {state}{NOT_OWNED}"));
        }
        Reason::Refused(why) => {
            return Cow::Owned(why.split(';').next().unwrap_or_default().to_owned());
        }
        other => return Cow::Owned(other.to_string()),
    })
}
