//! Layouts that issuers print beside those of Doc 9303. There is no common standard: the columns are those of
//! published samples, whose check digits they explain.

use super::check_digit::{CheckDigit, verifies};
use super::layout::{MrzLayout, Plan, at, check};
use super::standard::{MRV_A, TD1};
use super::zone::Zone;

/// The second line holds the number first (year and month of issue, department, serial), then given names and
/// birth; the last digit covers both lines.
pub(super) const FRENCH_IDENTITY_CARD: Plan = Plan {
    layout: MrzLayout::FrenchIdentityCard,
    lines: &[36, 36],
    recognises: |zone| zone.starts_with(b"IDFRA"),
    code: at(1, 1, 2),
    issuer: at(1, 3, 5),
    number: at(2, 1, 12),
    number_check: Some(check(
        CheckDigit::DocumentNumber,
        at(2, 13, 13),
        &[at(2, 1, 12)],
    )),
    continuation: None,
    nationality: None,
    expiry: None,
    names: &[at(1, 6, 30), at(2, 14, 27)],
    checks: &[
        check(CheckDigit::DateOfBirth, at(2, 34, 34), &[at(2, 28, 33)]),
        check(
            CheckDigit::Composite,
            at(2, 36, 36),
            &[at(1, 1, 36), at(2, 1, 35)],
        ),
    ],
};

/// `D1FRA` on ordinary licences; other letters and digits before `FRA` occur. The check digit after the number
/// covers code and issuer too, the expiry has none of its own.
pub(super) const FRENCH_DRIVING_LICENCE: Plan = Plan {
    layout: MrzLayout::FrenchDrivingLicence,
    lines: &[30],
    recognises: |zone| matches!(zone, [b'A'..=b'D', b'0'..=b'9', b'F', b'R', b'A', ..]),
    code: at(1, 1, 2),
    issuer: at(1, 3, 5),
    number: at(1, 6, 14),
    number_check: Some(check(
        CheckDigit::DocumentNumber,
        at(1, 15, 15),
        &[at(1, 1, 14)],
    )),
    continuation: None,
    nationality: None,
    expiry: Some(at(1, 16, 21)),
    names: &[at(1, 22, 29)],
    checks: &[check(CheckDigit::Composite, at(1, 30, 30), &[at(1, 1, 29)])],
};

/// `D1NLD`, a version of one digit, the licence's number of ten digits, and characters that only the chip knows. One
/// check digit covers all of it (as ISO/IEC 18013-3 has it; the number: rdw.nl on the model of 2014; columns and digit: the
/// public specimen D1NLD1 5094962111).
pub(super) const DUTCH_DRIVING_LICENCE: Plan = Plan {
    layout: MrzLayout::DutchDrivingLicence,
    lines: &[30],
    recognises: |zone| matches!(zone, [b'D', b'1', b'N', b'L', b'D', b'0'..=b'9', ..]),
    code: at(1, 1, 2),
    issuer: at(1, 3, 5),
    number: at(1, 7, 16),
    number_check: Some(check(
        CheckDigit::DocumentNumber,
        at(1, 30, 30),
        &[at(1, 1, 29)],
    )),
    continuation: None,
    nationality: None,
    expiry: None,
    names: &[],
    checks: &[],
};

/// What a zone is that is known to exist and of which no public source shows where the number stands.
pub(super) fn unsupported(zone: &Zone) -> Option<&'static str> {
    let one_line = zone.fits(&[30]);
    let mut zone = zone.clone();
    zone.read_letters(2..5);
    match zone.characters() {
        [b'A'..=b'D', b'0'..=b'9', b'E', b'S', b'T', ..] if one_line => {
            Some("an Estonian driving licence")
        }
        [b'A'..=b'D', b'0'..=b'9', b'L', b'U', b'X', ..] if one_line => {
            Some("a Luxembourg driving licence")
        }
        [
            b'A'..=b'D',
            b'0'..=b'9',
            b'A'..=b'Z',
            b'A'..=b'Z',
            b'A'..=b'Z' | b'<',
            ..,
        ] if one_line => Some("a driving licence of another State"),
        [b'C', b'A'..=b'Z', ..] if one_line => Some("a Chinese permit of one line"),
        _ if is_pakistani_card(&zone) => Some("a Pakistani card"),
        _ => None,
    }
}

/// Whether a zone is a Pakistani card's, whose lines are those of Doc 9303 and whose columns perhaps are not: a reader
/// published by idpass takes columns 6 to 13 for the number and the digit behind them for its check digit. Certificates
/// of crew members (`AC`) have one form everywhere.
pub(super) fn is_pakistani_card(zone: &Zone) -> bool {
    match zone.characters() {
        [b'A', b'C', ..] => false,
        characters => matches!(characters, [b'A' | b'C' | b'I', _, b'P', b'A', b'K', ..]),
    }
}

/// The first line is the number of the blank and the language. The licence's number (its field 5) is the holder's
/// register number of nine digits followed by the card's version of three.
pub(super) const SWISS_DRIVING_LICENCE: Plan = Plan {
    layout: MrzLayout::SwissDrivingLicence,
    lines: &[9, 30, 30],
    recognises: |zone| matches!(zone.get(9..14), Some(b"FACHE" | b"FALIE")),
    code: at(2, 1, 2),
    issuer: at(2, 3, 5),
    number: at(2, 6, 17),
    number_check: None,
    continuation: None,
    nationality: None,
    expiry: None,
    names: &[at(3, 1, 30)],
    checks: &[],
};

pub(super) const SLOVAK_IDENTITY_CARD: Plan = Plan {
    layout: MrzLayout::SlovakIdentityCard,
    lines: &[34, 34],
    // A zone of 36 that lost two columns has this shape too.
    recognises: |zone| zone.get(2..5) == Some(b"SVK"),
    names: &[at(1, 6, 34)],
    ..MRV_A
};

/// Senegal's card, the first of the ECOWAS design: the number runs through columns 6 to 23, its check digit stands
/// in column 24. Where column 15 is a filler this is the long number of Doc 9303 and read as such.
///
/// A zone is taken for one only where nothing else fits as well: with eighteen characters and nothing after them,
/// its own check digit right or the ordinary one wrong.
pub(super) const SENEGALESE_CARD: Plan = Plan {
    recognises: |zone| spans_eighteen(zone) && zone.get(23) != Some(&b'<'),
    number: at(1, 6, 23),
    number_check: Some(check(
        CheckDigit::DocumentNumber,
        at(1, 24, 24),
        &[at(1, 6, 23)],
    )),
    continuation: None,
    ..TD1
};

/// The same without a check digit after the number: the composite alone covers it.
pub(super) const SENEGALESE_CARD_UNCHECKED: Plan = Plan {
    recognises: |zone| spans_eighteen(zone) && zone.get(23) == Some(&b'<'),
    number_check: None,
    ..SENEGALESE_CARD
};

fn spans_eighteen(zone: &[u8]) -> bool {
    let (Some(b"SEN"), Some(number), Some(&[digit, ref rest @ ..])) =
        (zone.get(2..5), zone.get(5..23), zone.get(23..30))
    else {
        return false;
    };
    if number.contains(&b'<') || rest.iter().any(|&character| character != b'<') {
        return false;
    }
    let ordinary = TD1
        .number_check
        .as_ref()
        .is_some_and(|check| TD1.verify(zone, check));
    verifies(digit, number.iter().copied()) || !ordinary
}
