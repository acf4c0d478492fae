//! How long reports are in force.

use sltd::report::{Day, ReportStatus, last_day_in_force};

use super::reading::{Reading, Says};

/// [`last_day_in_force`] asked about one day for many reports: no calendar in the way of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Retention {
    today: Day,
    /// Reports without a review date are in force when made on this day or later.
    first_reported: Day,
}

impl Retention {
    pub(super) fn new(today: Day) -> Self {
        // The later a report was made the later it ends, so the first day can be searched for.
        let (mut low, mut high) = (Day::MIN.number(), Day::MAX.number());
        while low < high {
            let middle = low + (high - low) / 2;
            let last = last_day_in_force(ReportStatus::Lost, Day::from_number(middle), None);
            if last.is_some_and(|last| last < today) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let first_reported = Day::from_number(low).unwrap_or(today);
        Self {
            today,
            first_reported,
        }
    }

    /// Whether a report is in force; `None` when it bears no day from which an end could be told.
    pub(super) fn in_force(&self, reading: &Reading<'_>) -> Option<bool> {
        match (reading.review_date, reading.date_reported) {
            (Some(last), _) => Some(last >= self.today),
            (None, _) if reading.says == Says::Reported(ReportStatus::StolenBlank) => Some(true),
            (None, Some(reported)) => Some(reported >= self.first_reported),
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Layout, SourceConfig};
    use sltd::document::{DocumentNumber, DocumentType, IssuingState};

    #[test]
    fn retention_is_that_of_reports() {
        let source = SourceConfig::for_bytes(Layout::SltdCsv);
        let number = DocumentNumber::normalise("A1").unwrap();
        let state = IssuingState::parse("FRA").unwrap();
        let days = |text: &str| Day::parse_iso(text);
        for today in [
            "0001-01-01",
            "0011-01-01",
            "2024-02-28",
            "2024-02-29",
            "2026-11-01",
            "9999-12-31",
        ] {
            let today = days(today).unwrap();
            let retention = Retention::new(today);
            for status in ReportStatus::ALL {
                for review_date in [
                    None,
                    days("2024-02-28"),
                    days("2026-10-31"),
                    days("2026-11-01"),
                ] {
                    for reported in [
                        0,
                        9 * 365,
                        3648,
                        3649,
                        3650,
                        3651,
                        3652,
                        3653,
                        3654,
                        3655,
                        11 * 365,
                        800_000,
                    ] {
                        for date_reported in [None, Day::from_number(today.number() - reported)] {
                            let reading =
                                Reading::new(&source, number, state, DocumentType::Visa, status);
                            let reading = Reading {
                                date_reported,
                                review_date,
                                ..reading
                            };
                            let last = last_day_in_force(status, date_reported, review_date);
                            let expected = last.is_none_or(|last| last >= today);
                            assert_eq!(
                                retention.in_force(&reading).unwrap_or(true),
                                expected,
                                "{reading:?}"
                            );
                        }
                    }
                }
            }
        }
    }
}
