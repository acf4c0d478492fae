//! Numbers by State and type.

use super::Piece::{L, N, Of, X};
use super::*;
use crate::document::DocumentType::{
    DomesticPassport, IdentityCard, Passport, RefugeeTravelDocument,
};
use crate::document::cell::WORD_MAX;
use proptest::prelude::*;

#[track_caller]
fn check(state: &str, document_type: Option<DocumentType>, cases: &[(&str, Option<bool>)]) {
    let issuer = IssuingState::parse(state).unwrap();
    for &(number, expected) in cases {
        let found = plausible(
            &issuer,
            document_type,
            &DocumentNumber::normalise(number).unwrap(),
        );
        assert_eq!(found, expected, "{state} {document_type:?} {number}");
    }
}

const YES: Option<bool> = Some(true);
const NO: Option<bool> = Some(false);

#[test]
fn passports() {
    for (state, fitting, other) in [
        (
            "USA",
            &["123456789", "A12345678"][..],
            &["12345678", "AB1234567", "1234567890"][..],
        ),
        (
            "GBR",
            &["123456789", "123456A", "A123456"],
            &["1234567", "12345678"],
        ),
        (
            "CAN",
            &["AB123456", "A123456BC"],
            &["A12345678", "AB1234567"],
        ),
        ("CHE", &["X1234567", "X0A1B2C3"], &["12345678", "X123456"]),
        (
            "CHN",
            &[
                "G12345678",
                "E12345678",
                "EA1234567",
                "141234567",
                "PE1234567",
                "P1234567",
                "K12345678",
                "MA1234567",
            ],
            &[
                "EI1234567",
                "EO1234567",
                "A12345678",
                "161234567",
                "E1234567",
            ],
        ),
        ("HKG", &["K12345678", "H12345678"], &["G12345678"]),
        ("MAC", &["MA1234567"], &["MB1234567"]),
        (
            "D",
            &["C01X0006H", "K12345678", "Z12345678", "E1234567"],
            &[
                "CO1X0006H",
                "L01X0006H",
                "CA1X0006H",
                "C01X0006",
                "123456789",
                "C01X0006B",
            ],
        ),
        (
            "SWE",
            &["12345678", "AA1234567", "123456789"],
            &["A1234567", "AA123456"],
        ),
        (
            "SVK",
            &["P1234567", "12345678", "BA123456", "BA1234567"],
            &["123456789", "BAA12345"],
        ),
        (
            "AUS",
            &["N1234567", "PA1234567"],
            &["NA1234567", "12345678"],
        ),
        ("CYP", &["K123456", "K1234567", "K12345678"], &["K12345"]),
        ("FRA", &["12AB34567"], &["12345678", "AB1234567"]),
        ("ESP", &["AB123456", "ABC123456"], &["A123456"]),
        (
            "NLD",
            &["AB12CD3E4", "NP1234567"],
            &["AB12CD3EF", "1B12CD3E4"],
        ),
        (
            "PHL",
            &["A123456", "P1234567A", "EB1234567"],
            &["P12345678"],
        ),
        ("THA", &["A123456", "AA1234567"], &["AAA12345"]),
        (
            "KOR",
            &["M12345678", "S12345678", "M123A4567"],
            &["G12345678"],
        ),
        ("PRT", &["C123456", "CC123456"], &["CCC12345", "1234567"]),
        ("RUS", &["123456789"], &["1234567890"]),
        ("MEX", &["A12345678"], &["12345678901"]),
        ("ZAF", &["T12345678"], &["B12345678"]),
    ] {
        let cases: Vec<_> = fitting
            .iter()
            .map(|&n| (n, YES))
            .chain(other.iter().map(|&n| (n, NO)))
            .collect();
        check(state, Some(Passport), &cases);
    }
}

#[test]
fn cards_and_others() {
    check(
        "D",
        Some(IdentityCard),
        &[("L01X00T47", YES), ("LO1X00T47", NO), ("D23145890", NO)],
    );
    check(
        "D",
        Some(RefugeeTravelDocument),
        &[("Z01X0006H", YES), ("C01X0006H", NO)],
    );
    check(
        "POL",
        Some(IdentityCard),
        &[
            ("ABA300000", YES),
            ("ABA400000", NO),
            ("ABA300001", NO),
            ("AB1234567", NO),
        ],
    );
    // A published specimen, and one of the older kind whose last digits are no check digits.
    check(
        "BEL",
        Some(IdentityCard),
        &[
            ("600001795015", YES),
            ("000590240601", NO),
            ("000590240653", YES),
            ("600001795016", NO),
        ],
    );
    // A multiple of 97.
    check(
        "BEL",
        Some(IdentityCard),
        &[
            ("000000009797", YES),
            ("000000009700", NO),
            ("59024060100", NO),
        ],
    );
    check(
        "CZE",
        Some(IdentityCard),
        &[
            ("123456789", YES),
            ("AB 123456", YES),
            ("AB12 123456", YES),
            ("123456 AB12", YES),
            ("12345678", NO),
            ("ABC123456", NO),
        ],
    );
    check(
        "ITA",
        Some(IdentityCard),
        &[
            ("CA12345AA", YES),
            ("AA1234567", YES),
            ("1234567AA", YES),
            ("123456789", NO),
        ],
    );
    check(
        "SWE",
        Some(IdentityCard),
        &[("12345678", YES), ("AA1234567", YES), ("1234567", NO)],
    );
    check(
        "TUR",
        Some(IdentityCard),
        &[("A08O26475", YES), ("A08026475", YES), ("AO8026475", NO)],
    );
    check(
        "FRA",
        Some(IdentityCard),
        &[
            ("940992310285", YES),
            ("1710GVA12345", YES),
            ("X4RTBPFW4", YES),
        ],
    );
    check(
        "FRA",
        Some(IdentityCard),
        &[
            ("941392310285", NO),
            ("940092310285", NO),
            ("94099231028", NO),
        ],
    );
    check(
        "UKR",
        Some(IdentityCard),
        &[("001234567", YES), ("СН123456", NO)],
    );
    check(
        "UKR",
        Some(DomesticPassport),
        &[
            ("СН123456", YES),
            ("ЩЩ123456", YES),
            ("001234567", YES),
            ("С123456", NO),
        ],
    );
    check(
        "UKR",
        Some(Passport),
        &[("FE123456", YES), ("001234567", NO)],
    );
    check(
        "RUS",
        Some(DomesticPassport),
        &[("4509 123456", YES), ("123456789", NO)],
    );
}

#[test]
fn without_a_type_every_known_one_will_do() {
    check(
        "RUS",
        None,
        &[("4509123456", YES), ("123456789", YES), ("12345678", NO)],
    );
    check(
        "POL",
        None,
        &[("AB1234567", YES), ("ABA300000", YES), ("ABA400000", NO)],
    );
}

#[test]
fn nothing_is_known_of_other_states_and_types() {
    check("SEN", Some(Passport), &[("A12345678", None)]);
    check("SEN", None, &[("A12345678", None)]);
    check("USA", Some(IdentityCard), &[("123456789", None)]);
    check("USA", Some(DocumentType::Visa), &[("123456789", None)]);
    check("POL", Some(DocumentType::Other), &[("AB1234567", None)]);
}

#[test]
fn rows_are_sorted_and_sound() {
    for pair in ROWS.windows(2) {
        let key = |row: &Row| (row.state, row.document_type);
        assert!(
            pair[0].state <= pair[1].state && key(&pair[0]) != key(&pair[1]),
            "{:?}",
            pair[1]
        );
    }
    for row in ROWS {
        assert_eq!(IssuingState::parse(row.state).unwrap().code(), row.state);
        for shape in row.shapes {
            let length: usize = shape.iter().map(|piece| piece.count()).sum();
            assert!((5..=DocumentNumber::MAX_LEN).contains(&length), "{row:?}");
        }
    }
}

#[test]
fn short_shapes_have_a_digit() {
    for row in ROWS {
        for shape in row.shapes {
            let length: usize = shape.iter().map(|piece| piece.count()).sum();
            let has_digit = shape.iter().any(|piece| matches!(piece, N(_)));
            assert!(has_digit || length > WORD_MAX, "{row:?}: taken for a word");
        }
    }
}

proptest! {
    #[test]
    fn any_number_is_answered(number in "[A-Z]{0,3}[A-Z0-9]{1,9}[0-9]{0,12}", row in 0..ROWS.len()) {
        let row = &ROWS[row];
        let issuer = IssuingState::parse(row.state).unwrap();
        let number = DocumentNumber::from_normalised(number.as_bytes()).unwrap();
        let typed = plausible(&issuer, Some(row.document_type), &number).unwrap();
        let untyped = plausible(&issuer, None, &number).unwrap();
        prop_assert!(untyped || !typed);
    }
}

proptest! {
    /// The outlines are a faster way to the same.
    #[test]
    fn outlines_are_the_shapes(number in "[A-Z0-9]{1,24}|[A-Z]{0,3}[0-9]{5,9}[A-Z]{0,2}") {
        let number = DocumentNumber::normalise(&number).unwrap();
        let outlined = Outlined::new(&number);
        for (place, row) in ROWS.iter().enumerate() {
            let slow = row.shapes.iter().any(|shape| has_shape(shape, number.as_bytes()));
            prop_assert_eq!(outlined.has_shape_of(place), slow, "{:?}", row);
        }
    }
}

fn has_shape(shape: Shape, number: &[u8]) -> bool {
    let mut rest = number;
    shape
        .iter()
        .all(|piece| match rest.split_at_checked(piece.count()) {
            Some((run, after)) => {
                rest = after;
                run.iter().all(|&character| takes(*piece, character))
            }
            None => false,
        })
        && rest.is_empty()
}

fn takes(piece: Piece, character: u8) -> bool {
    match piece {
        L(_) => character.is_ascii_uppercase(),
        N(_) => character.is_ascii_digit(),
        X(_) => character.is_ascii_alphanumeric(),
        Of(_, characters) => characters.as_bytes().contains(&character),
    }
}
