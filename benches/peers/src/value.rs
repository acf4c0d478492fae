//! What a peer holds under a document number: the reports of all documents with the number, packed, so that a peer
//! answers with exactly what a segment answers with.
//!
//! ```text
//! value   = report*
//! report  = profile * 2 + has_reference, reported, loss, review, [length, reference]
//! ```
//! all varints, the least significant seven bits first. A profile stands for what many reports share: issuing State,
//! type, status, source, authority, restriction; the [`Dictionary`] of them stays in memory, as a segment's tables do.
//! A day is 0 where there is none, else one more than the zigzag distance in days: of the report from
//! [`BASE_DAY`], of the others from the report. A typical value takes 6 to 8 bytes.

use hashbrown::HashTable;
use sltd::document::{DocumentType, IssuingState};
use sltd::report::{Authority, Day, Report, ReportStatus};
use std::hash::{BuildHasher, RandomState};

/// 1 January 2020, around which days of reports lie.
const BASE_DAY: i64 = 18_262;

/// A report of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Reported<'r> {
    /// Who issued the document.
    pub(crate) issuing_state: IssuingState,
    /// Its type.
    pub(crate) document_type: DocumentType,
    /// What is reported.
    pub(crate) report: Report<'r>,
}

impl Reported<'_> {
    /// Without what differs from report to report.
    fn profile(&self) -> Self {
        let report = Report {
            date_of_loss: None,
            date_reported: None,
            review_date: None,
            owner_reference: "",
            ..self.report
        };
        Self { report, ..*self }
    }
}

/// A profile that owns its texts.
#[derive(Debug)]
struct Profile {
    issuing_state: IssuingState,
    document_type: DocumentType,
    status: ReportStatus,
    source_status: Box<str>,
    /// Code, name, contact.
    authority: Option<[Box<str>; 3]>,
    restriction: Box<str>,
    source: Box<str>,
    third_party: bool,
}

impl Profile {
    fn of(reported: &Reported<'_>) -> Self {
        let report = &reported.report;
        let authority = report
            .authority
            .map(|authority| [authority.code, authority.name, authority.contact].map(Box::from));
        Self {
            issuing_state: reported.issuing_state,
            document_type: reported.document_type,
            status: report.status,
            source_status: report.source_status.into(),
            authority,
            restriction: report.restriction.into(),
            source: report.source.into(),
            third_party: report.third_party,
        }
    }

    fn reported(&self) -> Reported<'_> {
        let authority = self.authority.as_ref();
        Reported {
            issuing_state: self.issuing_state,
            document_type: self.document_type,
            report: Report {
                status: self.status,
                source_status: &self.source_status,
                date_of_loss: None,
                date_reported: None,
                review_date: None,
                authority: authority.map(|[code, name, contact]| Authority {
                    code,
                    name,
                    contact,
                }),
                restriction: &self.restriction,
                source: &self.source,
                third_party: self.third_party,
                owner_reference: "",
            },
        }
    }
}

/// The profiles of the reports that it has packed.
#[derive(Debug, Default)]
pub(crate) struct Dictionary {
    profiles: Vec<Profile>,
    numbers: HashTable<u32>,
    hasher: RandomState,
}

impl Dictionary {
    /// The number of a report's profile.
    pub(crate) fn profile(&mut self, reported: &Reported<'_>) -> u32 {
        let profile = reported.profile();
        let hash = self.hasher.hash_one(profile);
        let profiles = &self.profiles;
        let is_same = |number: &u32| {
            profiles
                .get(*number as usize)
                .is_some_and(|other| other.reported() == profile)
        };
        if let Some(number) = self.numbers.find(hash, is_same) {
            return *number;
        }
        let number = self.profiles.len() as u32;
        self.profiles.push(Profile::of(reported));
        let (profiles, hasher) = (&self.profiles, &self.hasher);
        self.numbers.insert_unique(hash, number, |number| {
            let profile = profiles.get(*number as usize).map(Profile::reported);
            profile.map_or(0, |profile| hasher.hash_one(profile))
        });
        number
    }

    /// Takes the profiles of another dictionary over; what their numbers there are here.
    pub(crate) fn merge(&mut self, other: &Self) -> Vec<u32> {
        let profiles = other.profiles.iter();
        profiles
            .map(|profile| self.profile(&profile.reported()))
            .collect()
    }

    /// Hands the reports of a value on, in order; `None` where it is no value of this dictionary.
    pub(crate) fn unpack<'d>(
        &'d self,
        mut value: &'d [u8],
        mut each: impl FnMut(Reported<'d>),
    ) -> Option<()> {
        while !value.is_empty() {
            let head = take_varint(&mut value)?;
            let mut reported = self
                .profiles
                .get(usize::try_from(head >> 1).ok()?)?
                .reported();
            let date_reported = take_day(&mut value, BASE_DAY)?;
            let base = date_reported.map_or(BASE_DAY, |day| i64::from(day.number()));
            reported.report.date_reported = date_reported;
            reported.report.date_of_loss = take_day(&mut value, base)?;
            reported.report.review_date = take_day(&mut value, base)?;
            if head & 1 == 1 {
                let length = usize::try_from(take_varint(&mut value)?).ok()?;
                let (text, rest) = value.split_at_checked(length)?;
                reported.report.owner_reference = std::str::from_utf8(text).ok()?;
                value = rest;
            }
            each(reported);
        }
        Some(())
    }
}

/// Appends a report, given as the number of its profile, its days (report, loss, review) and its reference.
pub(crate) fn pack(profile: u32, days: [Option<Day>; 3], reference: &str, value: &mut Vec<u8>) {
    put_varint(
        u64::from(profile) << 1 | u64::from(!reference.is_empty()),
        value,
    );
    let [reported, loss, review] = days.map(|day| day.map(|day| i64::from(day.number())));
    let base = reported.unwrap_or(BASE_DAY);
    put_varint(day_code(reported, BASE_DAY), value);
    put_varint(day_code(loss, base), value);
    put_varint(day_code(review, base), value);
    if !reference.is_empty() {
        put_varint(reference.len() as u64, value);
        value.extend_from_slice(reference.as_bytes());
    }
}

fn day_code(day: Option<i64>, base: i64) -> u64 {
    day.map_or(0, |day| {
        let distance = day - base;
        ((distance << 1) ^ (distance >> 63)).cast_unsigned() + 1
    })
}

/// The next day; the inner `None` is no day.
fn take_day(value: &mut &[u8], base: i64) -> Option<Option<Day>> {
    let Some(zigzag) = take_varint(value)?.checked_sub(1) else {
        return Some(None);
    };
    let distance = (zigzag >> 1).cast_signed() ^ -((zigzag & 1).cast_signed());
    let number = base.checked_add(distance)?;
    Day::from_number(i32::try_from(number).ok()?).map(Some)
}

fn put_varint(mut number: u64, value: &mut Vec<u8>) {
    while number >= 0x80 {
        value.push(number as u8 | 0x80);
        number >>= 7;
    }
    value.push(number as u8);
}

fn take_varint(value: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = value.split_first()?;
        *value = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Dictionary {
        fn pack(&mut self, reported: &Reported<'_>, value: &mut Vec<u8>) {
            let report = &reported.report;
            let days = [
                report.date_reported,
                report.date_of_loss,
                report.review_date,
            ];
            pack(self.profile(reported), days, report.owner_reference, value);
        }
    }

    fn reported<'r>(status: ReportStatus, days: [&str; 3], reference: &'r str) -> Reported<'r> {
        let [date_reported, date_of_loss, review_date] = days.map(Day::parse_iso);
        Reported {
            issuing_state: IssuingState::parse("FRA").unwrap(),
            document_type: DocumentType::Passport,
            report: Report {
                status,
                source_status: "word",
                date_of_loss,
                date_reported,
                review_date,
                authority: Some(Authority {
                    code: "A",
                    name: "B",
                    contact: "C",
                }),
                restriction: "R",
                source: "world",
                third_party: true,
                owner_reference: reference,
            },
        }
    }

    #[test]
    fn what_is_packed_comes_back() {
        let reports = [
            reported(
                ReportStatus::Lost,
                ["2024-02-29", "2024-02-01", "2034-02-28"],
                "",
            ),
            reported(ReportStatus::Stolen, ["", "1979-12-31", ""], "reference"),
            reported(ReportStatus::Lost, ["0001-01-01", "9999-12-31", ""], ""),
            reported(ReportStatus::Lost, ["", "", ""], "é"),
        ];
        let (mut dictionary, mut value) = (Dictionary::default(), Vec::new());
        for report in &reports {
            dictionary.pack(report, &mut value);
        }
        let mut unpacked = Vec::new();
        assert_eq!(
            dictionary.unpack(&value, |report| unpacked.push(report)),
            Some(())
        );
        assert_eq!(unpacked, reports);
        assert_eq!(dictionary.profiles.len(), 2, "one for each status");
        for length in 1..value.len() {
            let mut whole = 0;
            if dictionary
                .unpack(&value[..length], |_| whole += 1)
                .is_some()
            {
                assert!(whole < reports.len(), "cut at {length}");
            }
        }
    }

    #[test]
    fn a_typical_value_is_as_small_as_said() {
        let (mut dictionary, mut value) = (Dictionary::default(), Vec::new());
        let typical = reported(
            ReportStatus::Lost,
            ["2024-02-29", "2024-02-20", "2034-02-28"],
            "",
        );
        dictionary.pack(&typical, &mut value);
        assert_eq!(value.len(), 6);
    }

    #[test]
    fn merged_profiles_have_numbers_of_their_own() {
        let lost = reported(ReportStatus::Lost, ["", "", ""], "");
        let stolen = reported(ReportStatus::Stolen, ["", "", ""], "");
        let (mut first, mut second) = (Dictionary::default(), Dictionary::default());
        assert_eq!((first.profile(&lost), second.profile(&stolen)), (0, 0));
        assert_eq!(second.profile(&lost), 1);
        assert_eq!(first.merge(&second), [1, 0]);
    }
}
