//! Days that stand for no day, and days that can't be.
//!
//! A date column that may not be empty is filled with something. Taken at its word, 1970-01-01 as the day of the report
//! makes a stolen document expire at once, and 9999-12-31 keeps it for ever.

use std::ops::Range;

use sltd::document::Placeholders;
use sltd::report::Day;

use super::reading::Reading;

/// A day that systems write where they know none, and where that is documented.
struct StandIn {
    year: i32,
    month: u8,
    day: u8,
    seen: &'static str,
}

const fn stand_in(year: i32, month: u8, day: u8, seen: &'static str) -> StandIn {
    StandIn {
        year,
        month,
        day,
        seen,
    }
}

/// Before it there was no passport of the kind that lists report: the Conference on Passports of the League of Nations
/// agreed on its form on 21 October 1920. Whatever is dated earlier is a default value or a mistyped year.
const EARLIEST_YEAR: i32 = 1920;
/// From this day on a review date means that there is no end: the first of the stand-ins in use (`2099-12-31`).
const NO_END: (i32, u8, u8) = (2099, 12, 31);

/// Stand-ins for an unknown day in the past. Those before [`EARLIEST_YEAR`] are here for their sources.
const PAST: [StandIn; 15] = [
    stand_in(
        1,
        1,
        1,
        ".NET DateTime.MinValue; Go time.Time{}; SQL date minimum; Python date.min",
    ),
    stand_in(1000, 1, 1, "MySQL DATE minimum"),
    stand_in(
        1582,
        10,
        15,
        "first day of the Gregorian calendar: SPSS and COBOL day 1",
    ),
    stand_in(1601, 1, 1, "Windows FILETIME 0"),
    stand_in(1753, 1, 1, "SQL Server datetime minimum"),
    stand_in(1858, 11, 17, "VMS time 0, modified Julian day 0"),
    stand_in(
        1899,
        12,
        30,
        "OLE Automation and Delphi date 0; spreadsheets show it as 0",
    ),
    stand_in(1899, 12, 31, "Excel day 0 read by other programs"),
    stand_in(1900, 1, 1, "SQL Server smalldatetime minimum; Excel day 1"),
    stand_in(1901, 12, 13, "least 32-bit Unix time"),
    stand_in(1904, 1, 1, "Excel for Macintosh day 0"),
    stand_in(1960, 1, 1, "SAS date 0"),
    stand_in(
        1969,
        12,
        31,
        "Unix time 0 west of Greenwich, and Unix time -1",
    ),
    stand_in(1970, 1, 1, "Unix time 0"),
    stand_in(1980, 1, 1, "FAT and ZIP time 0"),
];

/// Stand-ins for a day that never comes. Those from [`NO_END`] on are here for their sources.
const FUTURE: [StandIn; 7] = [
    stand_in(2079, 6, 6, "SQL Server smalldatetime maximum"),
    stand_in(
        2099,
        12,
        31,
        "last day of the century, SAP and bank systems",
    ),
    stand_in(2100, 1, 1, "the day after"),
    stand_in(2999, 12, 31, "insurance and tax systems"),
    stand_in(4712, 12, 31, "Oracle DATE maximum in old versions"),
    stand_in(9999, 1, 1, "year 9999 without month and day"),
    stand_in(
        9999,
        12,
        31,
        "SQL date maximum; .NET DateTime.MaxValue; SAP valid-to",
    ),
];

fn is_one_of(day: Day, stand_ins: &[StandIn]) -> bool {
    let (year, month, day) = day.ymd();
    let same = |one: &StandIn| (one.year, one.month, one.day) == (year, month, day);
    stand_ins
        .iter()
        .any(|one| same(one) && !one.seen.is_empty())
}

/// Whether a day stands for an unknown one in the past.
fn is_unknown(day: Day) -> bool {
    day.ymd().0 < EARLIEST_YEAR || is_one_of(day, &PAST)
}

/// Whether a day stands for one that never comes.
fn is_never(day: Day) -> bool {
    day.ymd() >= NO_END || is_one_of(day, &FUTURE)
}

/// The days between the last stand-in in the past and the first of a day that never comes.
fn ordinary_days() -> Range<Day> {
    let day = |one: &StandIn| Day::from_ymd(one.year, one.month, one.day);
    let past = PAST.iter().filter_map(day).max();
    let future = FUTURE.iter().filter_map(day).min();
    let after = past.and_then(|past| Day::from_number(past.number() + 1));
    after.unwrap_or(Day::MIN)..future.unwrap_or(Day::MIN)
}

/// What a text stands for that is no day: words and signs that are entered where there is no value ([`Placeholders`]:
/// `NULL`, `N/A`, `-`), nothing but zeros, or nothing but nines, in a date's groups. `0000-00-00` is what MySQL keeps
/// where it was given no date, day 0 of January 1900 what spreadsheets show for 0.
pub(super) fn stand_in_text(text: &str) -> Option<Day> {
    // Another single character is of a column that has slipped.
    let single = matches!(text.as_bytes(), [one] if one.is_ascii_alphanumeric() && *one != b'0');
    if !single && Placeholders::is_cell(text) {
        return Some(Day::MIN);
    }
    let text = text.split(['T', ' ']).next().unwrap_or_default();
    let digits = || text.bytes().filter(u8::is_ascii_digit);
    let separated = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'/'));
    if !separated || digits().count() < 4 {
        return None;
    }
    if digits().all(|digit| digit == b'0') || is_day_0(text) {
        Some(Day::MIN)
    } else {
        (digits().count() == 8 && digits().all(|digit| digit == b'9')).then_some(Day::MAX)
    }
}

/// Whether a text is day 0 of January 1900, in any order of day, month and year.
fn is_day_0(text: &str) -> bool {
    let mut groups = text.split(['-', '.', '/']).map(|group| group.parse().ok());
    let mut values: [Option<u16>; 4] = std::array::from_fn(|_| groups.next().flatten());
    values.sort_unstable();
    values == [None, Some(0), Some(1), Some(1900)]
}

/// How many days of rows were not what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DateCounts {
    /// Days of loss or report that stand for none, and were dropped.
    pub stand_in: u64,
    /// Days of loss or report later than the day after the list's as-of, which were dropped.
    pub future: u64,
    /// Review dates that stand for one that never comes.
    pub review_no_end: u64,
    /// Review dates that stand for none, and were dropped.
    pub review_not_given: u64,
    /// Review dates before the report, which were dropped.
    pub review_before_report: u64,
    /// Days of loss after the day of the report; both were kept.
    pub loss_after_report: u64,
}

impl DateCounts {
    pub(super) fn add(&mut self, other: &Self) {
        self.stand_in += other.stand_in;
        self.future += other.future;
        self.review_no_end += other.review_no_end;
        self.review_not_given += other.review_not_given;
        self.review_before_report += other.review_before_report;
        self.loss_after_report += other.loss_after_report;
    }
}

/// The rules for the days of a list.
#[derive(Debug, Clone)]
pub(super) struct DateRules {
    /// The last day on which something in it may have happened.
    latest: Day,
    /// Days that stand for no other: nearly each day of a list is one of them, which two comparisons tell without a
    /// calendar.
    ordinary: Range<Day>,
}

impl DateRules {
    /// Those of a list whose data describe an instant. A day is added: somewhere it is tomorrow already.
    pub(super) fn new(as_of: jiff::Timestamp) -> Self {
        let day = Day::from_timestamp(as_of);
        Self {
            latest: Day::from_number(day.number() + 1).unwrap_or(Day::MAX),
            ordinary: ordinary_days(),
        }
    }

    /// Drops the days of a row that stand for none or can't be, and counts them.
    #[inline]
    pub(super) fn apply(&self, reading: &mut Reading<'_>, counts: &mut DateCounts) {
        for date in [&mut reading.date_of_loss, &mut reading.date_reported] {
            let Some(day) = *date else {
                continue;
            };
            let ordinary = self.ordinary.contains(&day);
            if ordinary && day <= self.latest {
                continue;
            }
            if !ordinary && (is_unknown(day) || is_never(day)) {
                counts.stand_in += 1;
                *date = None;
            } else if day > self.latest {
                counts.future += 1;
                *date = None;
            }
        }
        if let (Some(loss), Some(reported)) = (reading.date_of_loss, reading.date_reported)
            && loss > reported
        {
            counts.loss_after_report += 1;
        }
        let Some(day) = reading.review_date else {
            return;
        };
        let ordinary = self.ordinary.contains(&day);
        let known = reading.date_reported.or(reading.date_of_loss);
        reading.review_date = if !ordinary && is_never(day) {
            counts.review_no_end += 1;
            Some(Day::MAX)
        } else if !ordinary && is_unknown(day) {
            counts.review_not_given += 1;
            None
        } else if known.is_some_and(|known| day < known) {
            counts.review_before_report += 1;
            None
        } else {
            Some(day)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Layout, SourceConfig};
    use sltd::document::{DocumentNumber, DocumentType, IssuingState};
    use sltd::report::ReportStatus;

    #[test]
    fn days_that_are_none_are_dropped_and_counted() {
        let source = SourceConfig::for_bytes(Layout::SltdCsv);
        let rules = DateRules::new("2026-11-01T23:00:00Z".parse().unwrap());
        let day = |text: &str| (!text.is_empty()).then(|| Day::parse_iso(text).unwrap());
        // Loss, report, review; what is left of them; what was counted.
        for (given, left, counted) in [
            (["", "", ""], ["", "", ""], ""),
            (
                ["2026-11-02", "2026-11-02", "2030-01-01"],
                ["2026-11-02", "2026-11-02", "2030-01-01"],
                "",
            ),
            (["2026-11-03", "2026-11-03", ""], ["", "", ""], "future 2"),
            (["1970-01-01", "1900-01-01", ""], ["", "", ""], "stand-in 2"),
            (["0001-01-01", "9999-12-31", ""], ["", "", ""], "stand-in 2"),
            (["1919-12-31", "0201-05-03", ""], ["", "", ""], "stand-in 2"),
            (
                ["1920-01-01", "1970-01-02", ""],
                ["1920-01-01", "1970-01-02", ""],
                "",
            ),
            (
                ["", "2020-01-01", "9999-12-31"],
                ["", "2020-01-01", "9999-12-31"],
                "no end 1",
            ),
            (
                ["", "2020-01-01", "2099-12-31"],
                ["", "2020-01-01", "9999-12-31"],
                "no end 1",
            ),
            (
                ["", "2020-01-01", "2099-12-30"],
                ["", "2020-01-01", "2099-12-30"],
                "",
            ),
            (
                ["", "2020-01-01", "1970-01-01"],
                ["", "2020-01-01", ""],
                "not given 1",
            ),
            (
                ["", "2020-01-01", "2019-12-31"],
                ["", "2020-01-01", ""],
                "before 1",
            ),
            (
                ["", "2020-01-01", "2020-01-01"],
                ["", "2020-01-01", "2020-01-01"],
                "",
            ),
            (
                ["2020-01-01", "1970-01-01", "2019-12-31"],
                ["2020-01-01", "", ""],
                "stand-in 1 before 1",
            ),
            (
                ["2020-01-02", "2020-01-01", ""],
                ["2020-01-02", "2020-01-01", ""],
                "loss after 1",
            ),
        ] {
            let [date_of_loss, date_reported, review_date] = given.map(day);
            let mut reading = Reading {
                date_of_loss,
                date_reported,
                review_date,
                ..Reading::new(
                    &source,
                    DocumentNumber::normalise("A1").unwrap(),
                    IssuingState::parse("FRA").unwrap(),
                    DocumentType::Visa,
                    ReportStatus::Lost,
                )
            };
            let mut counts = DateCounts::default();
            rules.apply(&mut reading, &mut counts);
            let found = [
                reading.date_of_loss,
                reading.date_reported,
                reading.review_date,
            ];
            assert_eq!(found, left.map(day), "{given:?}");
            let words = [
                ("stand-in", counts.stand_in),
                ("future", counts.future),
                ("no end", counts.review_no_end),
                ("not given", counts.review_not_given),
                ("before", counts.review_before_report),
                ("loss after", counts.loss_after_report),
            ];
            let words: Vec<_> = words
                .iter()
                .filter(|(_, count)| *count > 0)
                .map(|(word, count)| format!("{word} {count}"))
                .collect();
            assert_eq!(words.join(" "), counted, "{given:?}");
        }
    }

    #[test]
    fn every_stand_in_is_a_day_of_its_kind() {
        for one in &PAST {
            let day = Day::from_ymd(one.year, one.month, one.day).unwrap();
            assert!(is_unknown(day) && !is_never(day), "{}", one.seen);
        }
        for one in &FUTURE {
            let day = Day::from_ymd(one.year, one.month, one.day).unwrap();
            assert!(is_never(day) && !is_unknown(day), "{}", one.seen);
        }
    }

    #[test]
    fn texts_that_stand_for_no_day() {
        for text in [
            "0000-00-00",
            "0000-00-00T00:00:00",
            "00.00.0000",
            "00000000",
            "0000",
            "1900-01-00",
            "1/0/1900",
            "00.01.1900",
            "0",
            "n/a",
            "NULL",
            "unknown",
            "-",
            "#N/A",
        ] {
            assert_eq!(stand_in_text(text), Some(Day::MIN), "{text}");
        }
        for text in ["9999-99-99", "99.99.9999", "99999999"] {
            assert_eq!(stand_in_text(text), Some(Day::MAX), "{text}");
        }
        for text in [
            "",
            "5",
            "F",
            "2024-00-00",
            "9999",
            "0000-00-0x",
            "1900-01-00-1",
            "x1",
        ] {
            assert_eq!(stand_in_text(text), None, "{text}");
        }
    }
}
