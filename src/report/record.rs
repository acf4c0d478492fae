//! One report.

use super::Day;
use crate::document::Word;

/// What is reported of a document. The discriminants are the codes stored in segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ReportStatus {
    /// Stolen from its bearer.
    Stolen = 1,
    /// Lost by its bearer.
    Lost = 2,
    /// Stolen as a blank.
    StolenBlank = 3,
    /// Revoked by the issuer.
    Revoked = 4,
    /// Declared invalid by the issuer.
    Invalidated = 5,
}

/// The words for a status in lists, without case, blanks and hyphens.
const SPELLINGS: [(ReportStatus, &[&str]); 5] = [
    (
        ReportStatus::Stolen,
        &["stolen", "theft", "stolenfrombearer", "stolendocument"],
    ),
    (
        ReportStatus::Lost,
        &["lost", "loss", "lostbybearer", "lostdocument"],
    ),
    (
        ReportStatus::StolenBlank,
        &[
            "stolenblank",
            "stolenblanks",
            "blankstolen",
            "stolenblankdocument",
            "stolenasblank",
        ],
    ),
    (ReportStatus::Revoked, &["revoked", "revocation"]),
    (
        ReportStatus::Invalidated,
        &["invalidated", "invalid", "invalidation"],
    ),
];

impl ReportStatus {
    /// Every status, in order of its code.
    pub const ALL: [Self; 5] = [
        Self::Stolen,
        Self::Lost,
        Self::StolenBlank,
        Self::Revoked,
        Self::Invalidated,
    ];

    /// The code stored in segments, 1 to 5.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The status of a stored code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code).checked_sub(1)?).copied()
    }

    /// The name in lists: `stolen_blank`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stolen => "stolen",
            Self::Lost => "lost",
            Self::StolenBlank => "stolen_blank",
            Self::Revoked => "revoked",
            Self::Invalidated => "invalidated",
        }
    }

    /// The status that a [`name`](Self::name) or another usual word stands for, in
    /// whatever case, with blanks, hyphens or underscores between its parts (`stolen
    /// blank`).
    pub fn from_name(name: &str) -> Option<Self> {
        let exact = Self::ALL
            .into_iter()
            .find(|status| status.name().eq_ignore_ascii_case(name));
        exact.or_else(|| {
            let word = Word::new(name)?;
            let known = SPELLINGS
                .iter()
                .find(|(_, words)| words.contains(&word.as_str()));
            known.map(|&(status, _)| status)
        })
    }
}

impl std::fmt::Display for ReportStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// Years a report without a review date stays in force after the day it was made: the
/// default of INTERPOL's own file of stolen and lost documents.
pub const DEFAULT_RETENTION_YEARS: u16 = 10;

/// The last day (UTC, to its end) on which a report is in force: its review date, else
/// [`DEFAULT_RETENTION_YEARS`] after it was made.
///
/// `None`, for ever: with the review date [`Day::MAX`], which says that there is no end; and, without
/// a review date, for a stolen blank, which no expiry makes harmless since nothing was ever issued on
/// it, and for a report that bears no day.
pub fn last_day_in_force(
    status: ReportStatus,
    date_reported: Option<Day>,
    review_date: Option<Day>,
) -> Option<Day> {
    let default = date_reported.filter(|_| status != ReportStatus::StolenBlank);
    match review_date {
        Some(Day::MAX) => None,
        Some(last) => Some(last),
        None => Some(default?.plus_years(DEFAULT_RETENTION_YEARS)),
    }
}

/// The competent authority that owns a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Authority<'a> {
    /// The code reports name it by.
    pub code: &'a str,
    /// Its name; empty if the directory does not list the code.
    pub name: &'a str,
    /// How to reach it (telephone, e-mail, hours), as the directory has it; may be empty.
    pub contact: &'a str,
}

/// What one source says about one document, borrowed from the segment that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Report<'a> {
    /// What is reported.
    pub status: ReportStatus,
    /// The source's own word for it; empty where it used ours.
    pub source_status: &'a str,
    /// Day of loss or theft.
    pub date_of_loss: Option<Day>,
    /// Day of the report.
    pub date_reported: Option<Day>,
    /// The last day on which the report is in force, as the owner set it.
    pub review_date: Option<Day>,
    /// The owner.
    pub authority: Option<Authority<'a>>,
    /// The owner's restriction code; empty: none.
    pub restriction: &'a str,
    /// Name of the source.
    pub source: &'a str,
    /// Whether the source is not the issuing State's own.
    pub third_party: bool,
    /// The owner's own reference; empty: none.
    pub owner_reference: &'a str,
}

impl<'a> Report<'a> {
    /// The last day on which it is in force; `None`: for ever. See [`last_day_in_force`].
    pub fn last_day(&self) -> Option<Day> {
        last_day_in_force(self.status, self.date_reported, self.review_date)
    }

    /// Whether it is in force on the day (UTC) of a check. A check asks this itself: a
    /// report must stop raising alarms on its day, not at the next build.
    pub fn in_force(&self, today: Day) -> bool {
        self.last_day().is_none_or(|last| today <= last)
    }

    /// Whether two reports tell a reader the same, whichever sources they come from and
    /// under whichever rules of use.
    pub fn says_the_same_as(&self, other: &Report<'_>) -> bool {
        self.content() == other.content()
    }

    /// What [`says_the_same_as`](Self::says_the_same_as) compares.
    pub(super) fn content(&self) -> Report<'a> {
        Report {
            source: "",
            restriction: "",
            ..*self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_lead_back() {
        for (at, status) in ReportStatus::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(status.code()), at + 1);
            assert_eq!(ReportStatus::from_code(status.code()), Some(status));
            assert_eq!(ReportStatus::from_name(status.name()), Some(status));
            assert_eq!(
                ReportStatus::from_name(&status.to_string().to_uppercase()),
                Some(status)
            );
        }
        assert_eq!(ReportStatus::from_code(0), None);
        assert_eq!(ReportStatus::from_code(6), None);
        for (name, expected) in [
            ("stolen blank", ReportStatus::StolenBlank),
            ("Stolen-Blank", ReportStatus::StolenBlank),
            ("STOLEN_BLANK", ReportStatus::StolenBlank),
            ("stolenblank", ReportStatus::StolenBlank),
            ("invalid", ReportStatus::Invalidated),
            ("Lost ", ReportStatus::Lost),
        ] {
            assert_eq!(ReportStatus::from_name(name), Some(expected), "{name}");
        }
        for name in ["valid", "", "P", "lost?"] {
            assert_eq!(ReportStatus::from_name(name), None, "{name}");
        }
    }

    #[test]
    fn retention() {
        let day = |text: &str| Day::parse_iso(text);
        let check = |status, reported, review, last| {
            let report = Report {
                status,
                source_status: "",
                date_of_loss: day("1999-09-09"),
                date_reported: day(reported),
                review_date: day(review),
                authority: None,
                restriction: "",
                source: "",
                third_party: false,
                owner_reference: "",
            };
            assert_eq!(report.last_day(), day(last), "{status} {reported} {review}");
            assert!(report.in_force(Day::MIN));
            assert_eq!(report.in_force(Day::MAX), last.is_empty());
            if let Some(last) = day(last) {
                assert!(report.in_force(last), "to the end of the day");
                assert!(!report.in_force(Day::from_number(last.number() + 1).unwrap()));
            }
        };
        use ReportStatus::*;
        check(Lost, "2016-02-29", "", "2026-02-28");
        check(Stolen, "2020-01-01", "", "2030-01-01");
        check(Revoked, "2020-01-01", "2021-05-05", "2021-05-05");
        check(Invalidated, "2020-01-01", "2045-05-05", "2045-05-05");
        check(Invalidated, "", "2021-05-05", "2021-05-05");
        check(Lost, "", "", "");
        check(Lost, "2020-01-01", "9999-12-31", "");
        check(StolenBlank, "1980-01-01", "", "");
        check(StolenBlank, "1980-01-01", "2021-05-05", "2021-05-05");
    }
}
