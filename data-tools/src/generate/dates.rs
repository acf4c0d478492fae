//! The days of a generated list and how they are written.

use jiff::civil::Date;

/// The day a generated list is as of: the newest report. Fixed, so that no clock goes into a list.
pub const NEWEST_REPORT: Date = jiff::civil::date(2026, 11, 20);
/// The first day on which a report may lapse, by its review date or ten years after it was made.
pub const FIRST_LAPSE: Date = jiff::civil::date(2031, 1, 1);
/// Every day in a list lies from here ...
const FIRST: Date = jiff::civil::date(2000, 1, 1);
/// ... to here.
const LAST: Date = jiff::civil::date(2060, 12, 31);

/// Days since [`FIRST`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ListDay(u16);

impl ListDay {
    /// The day of the newest report.
    pub(super) fn newest() -> Self {
        Self::of(NEWEST_REPORT)
    }
    /// The first day on which a report may lapse.
    pub(super) fn first_lapse() -> Self {
        Self::of(FIRST_LAPSE)
    }
    fn of(date: Date) -> Self {
        Self(days_between(FIRST, date) as u16)
    }
    /// So many days before; not before the first day a list can hold.
    pub(super) fn before(self, days: u32) -> Self {
        Self(u32::from(self.0).saturating_sub(days) as u16)
    }
    /// So many days later; not after the last day a list can hold.
    pub(super) fn after(self, days: u32) -> Self {
        Self((u32::from(self.0) + days).min(days_between(FIRST, LAST)) as u16)
    }
}

/// The days from `first` to `last`, which is not before it.
fn days_between(first: Date, last: Date) -> u32 {
    let seconds = last.duration_since(first).as_secs();
    (seconds / 86_400) as u32
}

/// Every day a list can hold, written out once: `2026-11-20`.
#[derive(Debug)]
pub(super) struct Calendar(Vec<[u8; 10]>);

impl Calendar {
    /// Writes all days out.
    pub(super) fn new() -> Self {
        let mut days = Vec::new();
        let mut day = FIRST;
        while day <= LAST {
            let (year, month, date) = (day.year() as u16, day.month() as u16, day.day() as u16);
            let digit = |n: u16, unit: u16| b'0' + (n / unit % 10) as u8;
            days.push([
                digit(year, 1000),
                digit(year, 100),
                digit(year, 10),
                digit(year, 1),
                b'-',
                digit(month, 10),
                digit(month, 1),
                b'-',
                digit(date, 10),
                digit(date, 1),
            ]);
            match day.tomorrow() {
                Ok(next) => day = next,
                Err(_) => break,
            }
        }
        Self(days)
    }

    /// The day as ISO 8601 writes it.
    pub(super) fn iso(&self, day: ListDay) -> &[u8; 10] {
        self.0.get(usize::from(day.0)).unwrap_or(b"2000-01-01")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_as_iso_8601() {
        let calendar = Calendar::new();
        for (day, expected) in [
            (ListDay::newest(), "2026-11-20"),
            (ListDay::first_lapse(), "2031-01-01"),
            (ListDay::newest().before(u32::MAX), "2000-01-01"),
            (ListDay::newest().after(100_000), "2060-12-31"),
            (
                ListDay::of(jiff::civil::date(2024, 2, 28)).after(1),
                "2024-02-29",
            ),
        ] {
            assert_eq!(calendar.iso(day), expected.as_bytes());
        }
    }
}
