//! Why a verdict is what it is.

/// Why a verdict is not a plain `HIT` or `NO_RECORD`. The discriminants order the reasons
/// wherever they are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Reason {
    /// No document type was given.
    TypeNotGiven = 0,
    /// The type given and the type reported cannot be the same document.
    TypeIncompatible = 1,
    /// The report is not the issuing State's own.
    ThirdPartyReport = 2,
    /// The number's check digit failed, and the number as read is reported.
    NumberCheckDigitFailed = 3,
    /// No issuer was given.
    IssuerNotGiven = 4,
    /// The issuer given is not known.
    IssuerUnknown = 5,
    /// The issuer given is of the same group as the one reported.
    IssuerOfSameGroup = 6,
    /// The issuer given is one confusable letter away from the one reported.
    IssuerOneLetterAway = 7,
    /// The number's check digit failed, and the number as read is not reported.
    Misread = 8,
    /// The zone could not be segmented, or holds no number.
    Unreadable = 9,
    /// The data served is past its hard age, so that absence says nothing.
    DataTooOld = 10,
    /// The issuer read is another State than the holder's, which has reported the number:
    /// no check digit covers the issuer.
    ReportedByNationality = 11,
    /// The number holds a letter that the issuer's documents never have.
    NumberImpossible = 12,
    /// The zone is of a kind that is known and can't be read.
    ZoneNotSupported = 13,
}

impl Reason {
    /// Every reason, in order.
    pub const ALL: [Self; 14] = [
        Self::TypeNotGiven,
        Self::TypeIncompatible,
        Self::ThirdPartyReport,
        Self::NumberCheckDigitFailed,
        Self::IssuerNotGiven,
        Self::IssuerUnknown,
        Self::IssuerOfSameGroup,
        Self::IssuerOneLetterAway,
        Self::Misread,
        Self::Unreadable,
        Self::DataTooOld,
        Self::ReportedByNationality,
        Self::NumberImpossible,
        Self::ZoneNotSupported,
    ];

    /// Its stable name: `TYPE_NOT_GIVEN`.
    pub fn name(self) -> &'static str {
        match self {
            Self::TypeNotGiven => "TYPE_NOT_GIVEN",
            Self::TypeIncompatible => "TYPE_INCOMPATIBLE",
            Self::ThirdPartyReport => "THIRD_PARTY_REPORT",
            Self::NumberCheckDigitFailed => "NUMBER_CHECK_DIGIT_FAILED",
            Self::IssuerNotGiven => "ISSUER_NOT_GIVEN",
            Self::IssuerUnknown => "ISSUER_UNKNOWN",
            Self::IssuerOfSameGroup => "ISSUER_OF_SAME_GROUP",
            Self::IssuerOneLetterAway => "ISSUER_ONE_LETTER_AWAY",
            Self::Misread => "MISREAD",
            Self::Unreadable => "UNREADABLE",
            Self::DataTooOld => "DATA_TOO_OLD",
            Self::ReportedByNationality => "REPORTED_BY_NATIONALITY",
            Self::NumberImpossible => "NUMBER_IMPOSSIBLE",
            Self::ZoneNotSupported => "ZONE_NOT_SUPPORTED",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u8
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// A set of reasons, iterated in the order of [`Reason`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Reasons(u16);

impl Reasons {
    /// No reason.
    pub const NONE: Self = Self(0);

    /// Whether there is no reason.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many there are.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether `reason` is among them.
    pub fn contains(self, reason: Reason) -> bool {
        self.0 & reason.bit() != 0
    }

    /// Adds one.
    pub fn insert(&mut self, reason: Reason) {
        self.0 |= reason.bit();
    }

    /// All of both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The reasons, in order.
    pub fn iter(self) -> impl Iterator<Item = Reason> {
        Reason::ALL
            .into_iter()
            .filter(move |&reason| self.contains(reason))
    }
}

impl FromIterator<Reason> for Reasons {
    fn from_iter<I: IntoIterator<Item = Reason>>(reasons: I) -> Self {
        reasons
            .into_iter()
            .fold(Self::NONE, |set, reason| Self(set.0 | reason.bit()))
    }
}

impl std::fmt::Debug for Reasons {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_lists_its_reasons_in_order() {
        assert!(Reason::ALL.is_sorted_by(|a, b| a < b));
        let mut set: Reasons = [Reason::DataTooOld, Reason::TypeNotGiven]
            .into_iter()
            .collect();
        set.insert(Reason::IssuerUnknown);
        set.insert(Reason::IssuerUnknown);
        assert_eq!(
            format!("{set:?}"),
            "{TypeNotGiven, IssuerUnknown, DataTooOld}"
        );
        assert_eq!((set.len(), set.is_empty()), (3, false));
        assert_eq!((Reasons::NONE.len(), Reasons::NONE.is_empty()), (0, true));
        assert_eq!(
            Reason::ALL
                .into_iter()
                .collect::<Reasons>()
                .iter()
                .collect::<Vec<_>>(),
            Reason::ALL
        );
    }

    #[test]
    fn names_differ() {
        let names: std::collections::BTreeSet<_> =
            Reason::ALL.map(Reason::name).into_iter().collect();
        assert_eq!(names.len(), Reason::ALL.len());
    }
}
