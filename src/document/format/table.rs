//! The shapes, State by State, and the rules that go beyond a shape.

use super::Piece::{L, N, Of, X};
use super::{Row, Shape};
use crate::document::DocumentType::{
    self, DomesticPassport, EmergencyTravelDocument, IdentityCard, Passport, RefugeeTravelDocument,
};
use crate::document::alphabets::GERMAN;

const fn row(state: &'static str, document_type: DocumentType, shapes: &'static [Shape]) -> Row {
    Row {
        state,
        document_type,
        shapes,
        rule: None,
    }
}

const fn passport(state: &'static str, shapes: &'static [Shape]) -> Row {
    row(state, Passport, shapes)
}

const fn ruled(
    state: &'static str,
    document_type: DocumentType,
    shapes: &'static [Shape],
    rule: fn(&[u8]) -> bool,
) -> Row {
    Row {
        state,
        document_type,
        shapes,
        rule: Some(rule),
    }
}

/// Those of them that are letters.
const GERMAN_LETTERS: &str = "CFGHJKLMNPRTVWXYZ";

/// Letters without `I` and `O`.
const CHINESE: &str = "ABCDEFGHJKLMNPQRSTUVWXYZ";

/// In order of the State's code.
#[rustfmt::skip] // one row a State: it is read and compared as a table
pub(super) static ROWS: &[Row] = &[
    passport("ARG", &[&[L(3), N(6)]]),
    passport("ARM", &[&[L(2), N(7)]]),
    // The second since the P series (Purview).
    passport("AUS", &[&[L(1), N(7)], &[Of(1, "P"), L(1), N(7)]]),
    passport("AUT", &[&[L(1), N(7)]]),
    passport("AZE", &[&[L(1), N(8)]]),
    passport("BEL", &[&[L(2), N(6)]]),
    // In the zone a long number.
    ruled("BEL", IdentityCard, &[&[N(12)]], belgian_card),
    passport("BGR", &[&[N(9)]]),
    passport("BLR", &[&[L(2), N(7)]]),
    passport("BRA", &[&[L(2), N(6)]]),
    // Until 2023, and since.
    passport("CAN", &[&[L(2), N(6)], &[L(1), N(6), L(2)]]),
    // The newer ones are alphanumeric.
    passport("CHE", &[&[L(1), X(7)]]),
    // Ordinary since 2012, with a second letter since April 2017, before 2012, official ones (consular notices);
    // then those of Hong Kong and Macao, whose zone says CHN as well.
    passport("CHN", &[
        &[Of(1, "EG"), N(8)], &[Of(1, "E"), Of(1, CHINESE), N(7)],
        &[Of(1, "1"), Of(1, "45"), N(7)],
        &[Of(1, "PSD"), Of(1, "E"), N(7)], &[Of(1, "PS"), N(7)], &[Of(1, "PS"), N(8)],
        &[Of(1, "KH"), N(8)], &[Of(1, "M"), Of(1, "A"), N(7)],
    ]),
    passport("CYP", &[&[L(1), N(6)], &[L(1), N(7)], &[L(1), N(8)]]),
    passport("CZE", &[&[N(8)]]),
    // The older ones have a series, before the number or behind it (PRADO CZE-BO-01002; the Ministry of the Interior's
    // lists and form of inquiry).
    row("CZE", IdentityCard, &[
        &[N(9)], &[L(2), N(6)], &[L(2), N(2), N(6)], &[N(6), L(2)], &[N(6), L(2), N(2)],
    ]),
    // C to K passports, Z those of foreigners and refugees (the zone calls both P); provisional and children's
    // documents keep a series letter and seven digits.
    passport("D", &[&[Of(1, "CFGHJKZ"), Of(8, GERMAN)], &[L(1), N(7)]]),
    // Alphanumeric since 1 November 2010.
    row("D", IdentityCard, &[&[Of(1, GERMAN_LETTERS), Of(8, GERMAN)]]),
    row("D", RefugeeTravelDocument, &[&[Of(1, "Z"), Of(8, GERMAN)]]),
    row("D", EmergencyTravelDocument, &[&[L(1), N(7)]]),
    passport("DNK", &[&[N(9)]]),
    passport("DOM", &[&[Of(1, "R"), Of(1, "D"), N(7)]]),
    passport("DZA", &[&[N(9)]]),
    passport("ESP", &[&[X(2), N(6)], &[X(3), N(6)]]),
    passport("EST", &[&[L(1), N(7)], &[L(2), N(7)]]),
    passport("FIN", &[&[L(2), N(7)]]),
    passport("FRA", &[&[N(2), L(2), N(5)]]),
    // 1988 to 2021: year, month, department, serial. Since then nine characters.
    row("FRA", IdentityCard, &[&[N(2), Of(1, "0"), Of(1, "123456789"), X(3), N(5)], &[N(2), Of(1, "1"), Of(1, "012"), X(3), N(5)], &[X(9)]]),
    // Nine digits; older ones of seven characters (Criminal Justice Hub).
    passport("GBR", &[&[N(9)], &[N(6), L(1)], &[L(1), N(6)]]),
    passport("GRC", &[&[L(2), N(7)]]),
    passport("HKG", &[&[Of(1, "KH"), N(8)]]),
    passport("HRV", &[&[N(9)]]),
    passport("HUN", &[&[L(2), N(6)], &[L(2), N(7)]]),
    passport("IDN", &[&[L(1), N(7)]]),
    passport("IND", &[&[L(1), N(7)]]),
    passport("IRL", &[&[X(2), N(7)]]),
    passport("IRN", &[&[L(1), N(8)]]),
    passport("ISL", &[&[Of(1, "A"), N(7)]]),
    passport("ITA", &[&[X(2), N(7)]]),
    // On paper, the first electronic ones, and those since 2016 (microsoft/presidio `it_identity_card_recognizer.py`).
    row("ITA", IdentityCard, &[&[L(2), N(7)], &[N(7), L(2)], &[L(2), N(5), L(2)]]),
    passport("JAM", &[&[Of(1, "A"), N(7)]]),
    passport("JPN", &[&[L(2), N(7)]]),
    passport("KAZ", &[&[L(1), N(7)]]),
    // The booklets issued since December 2021 have a letter within.
    passport("KOR", &[&[Of(1, "MS"), N(8)], &[Of(1, "MS"), N(3), L(1), N(4)]]),
    passport("LBY", &[&[X(8)]]),
    passport("LIE", &[&[L(1), N(5)]]),
    passport("LTU", &[&[X(8)]]),
    passport("LUX", &[&[X(8)]]),
    passport("LVA", &[&[X(2), N(7)]]),
    passport("MAC", &[&[Of(1, "M"), Of(1, "A"), N(7)]]),
    passport("MEX", &[&[L(1), N(8)]]),
    passport("MLT", &[&[N(7)]]),
    passport("MOZ", &[&[L(2), N(7)], &[N(2), L(2), N(5)]]),
    passport("MYS", &[&[Of(1, "AHK"), N(8)]]),
    passport("NLD", &[&[L(2), X(6), N(1)]]),
    passport("NZL", &[&[L(1), N(6)], &[L(2), N(6)]]),
    passport("PAK", &[&[L(2), N(7)]]),
    passport("PHL", &[&[L(1), N(6)], &[L(1), N(7), L(1)], &[L(2), N(6)], &[L(2), N(7)]]),
    passport("POL", &[&[L(2), N(7)]]),
    ruled("POL", IdentityCard, &[&[L(3), N(6)]], polish_card),
    // Until April 2018, and since (Santander, "Nationale Identifikationsmerkmale"; validator.js issue 2195).
    passport("PRT", &[&[L(1), N(6)], &[L(2), N(6)]]),
    passport("ROU", &[&[N(8)], &[N(9)]]),
    // The travel passport; the domestic one has four digits of series and six of number.
    passport("RUS", &[&[N(9)]]),
    row("RUS", DomesticPassport, &[&[N(10)]]),
    passport("SVK", &[&[X(1), N(7)], &[L(2), N(6)], &[L(2), N(7)]]),
    passport("SVN", &[&[Of(1, "P"), L(1), N(7)]]),
    // Nine letters and digits since 1 January 2022 (polisen.se, "Nya pass och nationella identitetskort").
    passport("SWE", &[&[N(8)], &[X(9)]]),
    row("SWE", IdentityCard, &[&[N(8)], &[X(9)]]),
    passport("THA", &[&[L(1), N(6)], &[L(1), N(7)], &[L(2), N(6)], &[L(2), N(7)]]),
    passport("TUR", &[&[L(1), N(8)]]),
    // The fourth character is often the letter O.
    row("TUR", IdentityCard, &[&[L(1), N(2), X(1), N(5)]]),
    passport("TWN", &[&[N(9)]]),
    passport("UKR", &[&[L(2), N(6)]]),
    // Cards have nine digits and no series, under either name; the booklet's Cyrillic series of two letters takes
    // two to eight Latin ones.
    row("UKR", DomesticPassport, &[
        &[N(9)],
        &[L(2), N(6)], &[L(3), N(6)], &[L(4), N(6)], &[L(5), N(6)], &[L(6), N(6)], &[L(7), N(6)], &[L(8), N(6)],
    ]),
    row("UKR", IdentityCard, &[&[N(9)]]),
    // The older one, and the next generation.
    passport("USA", &[&[N(9)], &[L(1), N(8)]]),
    // Series letters as in js-simple-validate.
    passport("ZAF", &[&[Of(1, "TAMD"), N(8)]]),
];

/// Twelve digits: the last two are the first ten modulo 97, with 97 in place of 0.
fn belgian_card(number: &[u8]) -> bool {
    let value = |digits: &[u8]| {
        digits
            .iter()
            .fold(0u64, |value, digit| value * 10 + u64::from(digit - b'0'))
    };
    let Some((first, last)) = number.split_at_checked(10) else {
        return false;
    };
    let expected = match value(first) % 97 {
        0 => 97,
        remainder => remainder,
    };
    value(last) == expected
}

/// Three letters and six digits, the first of which is a check digit over the other eight: letters valued 10 to 35,
/// weights 7, 3, 1 for them and 7, 3, 1, 7, 3 for the digits after it.
fn polish_card(number: &[u8]) -> bool {
    let &[ref letters @ .., check, d1, d2, d3, d4, d5] = number else {
        return false;
    };
    let letters = letters.iter().map(|letter| u32::from(letter - b'A') + 10);
    let digits = [d1, d2, d3, d4, d5].map(|digit| u32::from(digit - b'0'));
    let sum: u32 = letters
        .chain(digits)
        .zip([7, 3, 1, 7, 3, 1, 7, 3])
        .map(|(value, weight)| value * weight)
        .sum();
    u32::from(check - b'0') == sum % 10
}
