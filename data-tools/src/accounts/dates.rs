//! Days of a list that were not what they should be, as they are printed.

use crate::sources::DateCounts;
use serde_json::{Value, json};

/// The counts as JSON.
pub(super) fn json(dates: &DateCounts) -> Value {
    json!({
        "standIn": dates.stand_in,
        "future": dates.future,
        "reviewNoEnd": dates.review_no_end,
        "reviewNotGiven": dates.review_not_given,
        "reviewBeforeReport": dates.review_before_report,
        "lossAfterReport": dates.loss_after_report,
    })
}

/// One sentence for each count that is not 0.
pub(super) fn sentences(dates: &DateCounts) -> impl Iterator<Item = String> {
    [
        (
            dates.stand_in,
            "days of loss or report stand for none, such as 1970-01-01: not used, the rows were kept",
        ),
        (
            dates.future,
            "days of loss or report are later than the list: not used, the rows were kept",
        ),
        (
            dates.review_no_end,
            "review dates mean that there is no end, such as 9999-12-31",
        ),
        (
            dates.review_not_given,
            "review dates stand for none, such as 1970-01-01: not used",
        ),
        (
            dates.review_before_report,
            "review dates are before the report: not used",
        ),
        (
            dates.loss_after_report,
            "days of loss are after the day of the report",
        ),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
}
