//! Rows that were rejected or have unlikely numbers, as they are printed.

use crate::sources::{RejectCount, UnlikelyRows};
use serde_json::{Value, json};
use sltd::document::Unlikely;
use sltd::snapshot::RowAccount;
use std::fmt;

/// Most reasons of a source that are printed; the JSON form has all.
const LINES: usize = 10;

/// Columns of a reason in a sentence.
const REASON_WIDTH: usize = 40;
/// Columns of a line that is printed.
const WIDTH: usize = 100;

/// A text of at most so many columns, the end left out where it is longer.
fn within(text: String, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text;
    }
    let kept: String = text.chars().take(columns.saturating_sub(3)).collect();
    format!("{}...", kept.trim_end())
}

/// Rejected rows by reason, as JSON.
pub(super) fn reasons_json(reasons: &[RejectCount]) -> Value {
    let reasons = reasons.iter();
    reasons
        .map(|count| json!({ "field": count.field, "reason": count.reason, "rows": count.rows }))
        .collect()
}

/// Rows with unlikely numbers, as JSON.
pub(super) fn unlikely_json(unlikely: &UnlikelyRows) -> Value {
    let [repeated_character, abbreviated_range, date, unknown_format] = unlikely;
    json!({
        "rows": unlikely.iter().sum::<u64>(),
        "repeatedCharacter": repeated_character,
        "abbreviatedRange": abbreviated_range,
        "date": date,
        "unknownFormat": unknown_format,
    })
}

/// A share in percent with one decimal, without it where it is 0; rounded so that only all are 100 %.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    let tenths = (part as f64 / whole.max(1) as f64 * 1000.0).round();
    let tenths = if part < whole {
        tenths.min(999.0)
    } else {
        tenths
    };
    let tenths = if part > 0 { tenths.max(1.0) } else { tenths };
    if tenths % 10.0 == 0.0 {
        format!("{:.0} %", tenths / 10.0)
    } else {
        format!("{:.1} %", tenths / 10.0)
    }
}

/// How many of a source's rows were rejected, and why most of them were; those of States that it does not own apart.
pub(crate) fn rejected(rows: &RowAccount, not_owned: u64, reasons: &[RejectCount]) -> String {
    let (rejected, read) = (
        rows.rejected - not_owned.min(rows.rejected),
        rows.read - not_owned.min(rows.read),
    );
    let of_rows = reasons.iter().find(|count| !count.is_not_owned());
    let share = percent(rejected, read);
    let mut sentence = format!("{rejected} of {read} rows ({share}) rejected");
    if let Some(count) = of_rows {
        sentence.push_str(", most often: ");
        sentence.push_str(&within(count.phrase(), REASON_WIDTH));
    }
    sentence
}

/// The shares of rows with unlikely numbers and of repeated rows; `None`: there are none.
pub(super) fn unlikely(rows: &RowAccount, unlikely: &UnlikelyRows) -> Option<String> {
    let used = rows.indexed + rows.merged + rows.held;
    let all: u64 = unlikely.iter().sum();
    if all == 0 {
        return None;
    }
    let words = [
        "repeated character",
        "short range",
        "date",
        "unknown format",
    ];
    let parts = words.iter().zip(unlikely).filter(|(_, rows)| **rows > 0);
    let parts: Vec<_> = parts.map(|(word, rows)| format!("{rows} {word}")).collect();
    let share = percent(all, used);
    Some(format!(
        "{all} of {used} rows ({share}) have unlikely numbers: {}",
        parts.join(", ")
    ))
}

/// Writes rejected rows by reason as a table.
pub(super) fn write_reasons<'s>(
    f: &mut fmt::Formatter<'_>,
    sources: impl Iterator<Item = (&'s str, &'s [RejectCount])> + Clone,
) -> fmt::Result {
    let some = sources.filter(|(_, reasons)| !reasons.is_empty());
    let names = some.clone().map(|(name, _)| name.len());
    let Some(width) = names.max() else {
        return Ok(());
    };
    let width = width.max("source".len());
    writeln!(f, "{:width$}  {:>11}  rejected because", "source", "rows")?;
    for (name, reasons) in some {
        for count in reasons.iter().take(LINES) {
            let phrase = within(count.phrase(), WIDTH.saturating_sub(width + 15));
            writeln!(f, "{name:width$}  {:>11}  {phrase}", count.rows)?;
        }
        let more = reasons.get(LINES..).unwrap_or_default();
        if !more.is_empty() {
            let rows: u64 = more.iter().map(|count| count.rows).sum();
            writeln!(f, "{name:width$}  {rows:>11}  {} other reasons", more.len())?;
        }
    }
    Ok(())
}

/// The reasons as [`Unlikely`] has them stay in step with the words here.
const _: () = assert!(Unlikely::ALL.len() == 4);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_but_never_to_none_or_all() {
        for (part, whole, expected) in [
            (3, 5, "60 %"),
            (1, 3, "33.3 %"),
            (0, 0, "0 %"),
            (5, 5, "100 %"),
            (99_999, 100_000, "99.9 %"),
            (1, 100_000, "0.1 %"),
        ] {
            assert_eq!(percent(part, whole), expected, "{part} of {whole}");
        }
    }
}
