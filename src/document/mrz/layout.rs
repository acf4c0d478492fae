//! The layouts, and what the table of one consists of.
//!
//! Lines and columns count from 1, both ends inclusive, so that the tables in `standard.rs` and `deviants.rs` can be
//! read beside the published ones. Names have an entry only to tell what may hold other characters than a zone has, and
//! are never read; sex has none; dates of birth and personal numbers have one only where a check digit covers them.

use super::check_digit::{CheckDigit, verifies};
use super::zone::Zone;
use super::{deviants, standard};

/// Layout of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MrzLayout {
    /// Cards, three lines of 30 (Doc 9303 part 5).
    Td1,
    /// Older cards, two lines of 36 (Doc 9303 part 6).
    Td2,
    /// Passports, two lines of 44 (Doc 9303 part 4).
    Td3,
    /// Visas, two lines of 44 (Doc 9303 part 7).
    MrvA,
    /// Visas, two lines of 36 (Doc 9303 part 7).
    MrvB,
    /// French identity card issued 1988 to 2021, two lines of 36. The document number has 12 characters, four of
    /// them year and month of issue; there is no date of expiry.
    FrenchIdentityCard,
    /// French driving licence since 2013, one line of 30.
    FrenchDrivingLicence,
    /// Swiss and Liechtenstein driving licence, lines of 9, 30 and 30. No check digits.
    SwissDrivingLicence,
    /// Slovak identity card issued until 2008, two lines of 34. No composite check digit.
    SlovakIdentityCard,
    /// Dutch driving licence since November 2014, one line of 30 (ISO/IEC 18013-3).
    DutchDrivingLicence,
}

impl MrzLayout {
    /// Every layout.
    pub const ALL: [Self; 10] = [
        Self::Td1,
        Self::Td2,
        Self::Td3,
        Self::MrvA,
        Self::MrvB,
        Self::FrenchIdentityCard,
        Self::FrenchDrivingLicence,
        Self::SwissDrivingLicence,
        Self::SlovakIdentityCard,
        Self::DutchDrivingLicence,
    ];

    /// Its name, for people: `TD1`, `MRV-A`, `French identity card`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Td1 => "TD1",
            Self::Td2 => "TD2",
            Self::Td3 => "TD3",
            Self::MrvA => "MRV-A",
            Self::MrvB => "MRV-B",
            Self::FrenchIdentityCard => "French identity card",
            Self::FrenchDrivingLicence => "French driving licence",
            Self::SwissDrivingLicence => "Swiss driving licence",
            Self::SlovakIdentityCard => "Slovak identity card",
            Self::DutchDrivingLicence => "Dutch driving licence",
        }
    }
}

/// Some columns of a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) line: usize,
    pub(super) from: usize,
    pub(super) to: usize,
}

/// A check digit: which, where, over what.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) digit: CheckDigit,
    pub(super) at: Span,
    pub(super) over: &'static [Span],
}

/// One layout's table.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) layout: MrzLayout,
    /// The lengths of the lines.
    pub(super) lines: &'static [usize],
    /// What tells the layout from others with such lines.
    pub(super) recognises: fn(&[u8]) -> bool,
    pub(super) code: Span,
    pub(super) issuer: Span,
    pub(super) number: Span,
    /// The number's check digit; `None` where the layout has none.
    pub(super) number_check: Option<Check>,
    /// Where a number longer than its field goes on (Doc 9303 part 5, part 6).
    pub(super) continuation: Option<Span>,
    pub(super) nationality: Option<Span>,
    pub(super) expiry: Option<Span>,
    /// The holder's names.
    pub(super) names: &'static [Span],
    /// All check digits but the number's.
    pub(super) checks: &'static [Check],
}

impl Plan {
    /// Whether the lines of a zone are the first ones of some layout, and not all.
    pub(super) fn is_begun_by(zone: &Zone) -> bool {
        PLANS.iter().any(|plan| zone.begins(plan.lines))
    }

    /// The plan for a zone, if its lines and its first characters fit one, digits in the issuer read as letters.
    pub(super) fn of(zone: &Zone) -> Option<&'static Self> {
        let recognises = |plan: &Self| {
            let issuer = plan.field(zone.characters(), plan.issuer);
            if !zone.has_underscores() && !issuer.iter().any(u8::is_ascii_digit) {
                return (plan.recognises)(zone.characters());
            }
            let mut read = zone.clone();
            read.end_lines(plan.lines);
            read.read_letters(plan.range(plan.issuer));
            (plan.recognises)(read.characters())
        };
        PLANS
            .iter()
            .find(|plan| zone.fits(plan.lines) && recognises(plan))
    }

    /// The characters of `span` in a zone that fits the plan.
    pub(super) fn field<'z>(&self, zone: &'z [u8], span: Span) -> &'z [u8] {
        zone.get(self.range(span)).unwrap_or_default()
    }

    /// Where `span` is among the characters of a zone.
    pub(super) fn range(&self, span: Span) -> std::ops::Range<usize> {
        let before: usize = self.lines.iter().take(span.line - 1).sum();
        before + span.from - 1..before + span.to
    }

    /// The characters of several fields, one after the other.
    pub(super) fn fields<'z>(
        &'z self,
        zone: &'z [u8],
        spans: &'z [Span],
    ) -> impl Iterator<Item = u8> + Clone + 'z {
        spans
            .iter()
            .flat_map(|&span| self.field(zone, span).iter().copied())
    }

    /// Whether a check digit covers the names, and says nothing where these hold what no zone holds.
    pub(super) fn covers_names(&self, digit: CheckDigit) -> bool {
        let mut over = self
            .checks
            .iter()
            .filter(|check| check.digit == digit)
            .flat_map(|check| check.over);
        over.any(|&covered| {
            let covered = self.range(covered);
            self.names.iter().any(|&names| {
                let names = self.range(names);
                covered.start < names.end && names.start < covered.end
            })
        })
    }

    /// Whether a check digit of this plan is right.
    pub(super) fn verify(&self, zone: &[u8], check: &Check) -> bool {
        match self.field(zone, check.at) {
            &[digit] => verifies(digit, self.fields(zone, check.over)),
            _ => false,
        }
    }
}

pub(super) const fn at(line: usize, from: usize, to: usize) -> Span {
    Span { line, from, to }
}

pub(super) const fn check(digit: CheckDigit, at: Span, over: &'static [Span]) -> Check {
    Check { digit, at, over }
}

/// In order of trial: the deviants are told by their first characters, so they come before what they resemble.
const PLANS: &[Plan] = &[
    deviants::FRENCH_IDENTITY_CARD,
    deviants::FRENCH_DRIVING_LICENCE,
    deviants::DUTCH_DRIVING_LICENCE,
    deviants::SWISS_DRIVING_LICENCE,
    deviants::SLOVAK_IDENTITY_CARD,
    deviants::SENEGALESE_CARD,
    deviants::SENEGALESE_CARD_UNCHECKED,
    standard::MRV_A,
    standard::MRV_B,
    standard::TD1,
    standard::TD2,
    standard::TD3,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_lies_within_its_line() {
        for plan in PLANS {
            let total: usize = plan.lines.iter().sum();
            let zone = vec![b'<'; total];
            let checks = plan.checks.iter().chain(plan.number_check.as_ref());
            let single = [
                Some(plan.code),
                Some(plan.issuer),
                Some(plan.number),
                plan.continuation,
            ];
            let spans = single
                .into_iter()
                .chain([plan.nationality, plan.expiry])
                .flatten()
                .chain(plan.names.iter().copied())
                .chain(checks.flat_map(|check| check.over.iter().copied().chain([check.at])));
            for span in spans {
                let line = plan.lines[span.line - 1];
                assert!(
                    1 <= span.from && span.from <= span.to && span.to <= line,
                    "{plan:?}: {span:?}"
                );
                assert_eq!(plan.field(&zone, span).len(), span.to - span.from + 1);
            }
            // A number may fill its field and all of the continuation but digit and filler.
            let longest = plan.field(&zone, plan.number).len()
                + plan
                    .continuation
                    .map_or(0, |span| plan.field(&zone, span).len() - 2);
            assert!(longest <= crate::document::DocumentNumber::MAX_LEN);
        }
    }

    #[test]
    fn every_layout_has_a_plan_and_a_name() {
        for layout in MrzLayout::ALL {
            assert!(PLANS.iter().any(|plan| plan.layout == layout), "{layout:?}");
            assert!(
                MrzLayout::ALL
                    .into_iter()
                    .filter(|other| other.name() == layout.name())
                    .count()
                    == 1
            );
        }
    }
}
