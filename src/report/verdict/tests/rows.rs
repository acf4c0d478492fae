//! The table, row by row.

use super::super::table::{Fact, MATCH_ROWS};
use super::*;
use crate::document::mrz::Mrz;
use Disclosure::{ContactOnly, Refer};
use DocumentType::{IdentityCard, RefugeeTravelDocument};

#[test]
fn row_hit() {
    check(&asked("D", PASSPORT), &[reported()], "HIT 1m");
    check(
        &asked("DEU", Some(RefugeeTravelDocument)),
        &[reported()],
        "HIT 1m",
    );
    check(
        &asked("D", PASSPORT),
        &[shown(ContactOnly, reported())],
        "HIT 1m",
    );
}

#[test]
fn rows_review_of_an_equal_issuer() {
    check(&asked("D", None), &[reported()], "REVIEW TYPE_NOT_GIVEN 1m");
    check(
        &asked("D", Some(IdentityCard)),
        &[reported()],
        "REVIEW TYPE_INCOMPATIBLE 1m",
    );
    check(
        &asked("D", PASSPORT),
        &[third_party(reported())],
        "REVIEW THIRD_PARTY_REPORT 1m",
    );
    check(
        &misread(asked("D", PASSPORT)),
        &[reported()],
        "REVIEW NUMBER_CHECK_DIGIT_FAILED 1m",
    );
}

#[test]
fn rows_review_of_an_issuer_that_may_be_the_same() {
    check(
        &asked("", PASSPORT),
        &[reported()],
        "REVIEW ISSUER_NOT_GIVEN 1m",
    );
    check(
        &asked("XCT", PASSPORT),
        &[reported()],
        "REVIEW ISSUER_UNKNOWN 1m",
    );
    check(
        &asked("XXB", PASSPORT),
        &[reported()],
        "REVIEW ISSUER_UNKNOWN 1m",
    );
    check(
        &asked("UNK", PASSPORT),
        &[of("RKS")],
        "REVIEW ISSUER_OF_SAME_GROUP 1m",
    );
    check(
        &asked("CHN", PASSPORT),
        &[of("HKG")],
        "REVIEW ISSUER_OF_SAME_GROUP 1m",
    );
    check(
        &asked("AIA", PASSPORT),
        &[of("ALA")],
        "REVIEW ISSUER_ONE_LETTER_AWAY 1m",
    );
    check(
        &asked("O", PASSPORT),
        &[reported()],
        "REVIEW ISSUER_UNKNOWN ISSUER_ONE_LETTER_AWAY 1m",
    );
    check(
        &asked("GBD", PASSPORT),
        &[of("GBO")],
        "REVIEW ISSUER_OF_SAME_GROUP ISSUER_ONE_LETTER_AWAY 1m",
    );
}

#[test]
fn a_review_gives_every_reason() {
    check(
        &asked("", None),
        &[reported()],
        "REVIEW TYPE_NOT_GIVEN ISSUER_NOT_GIVEN 1m",
    );
    check(
        &misread(asked("O", Some(IdentityCard))),
        &[third_party(reported())],
        "REVIEW TYPE_INCOMPATIBLE THIRD_PARTY_REPORT NUMBER_CHECK_DIGIT_FAILED ISSUER_UNKNOWN ISSUER_ONE_LETTER_AWAY 1m",
    );
}

#[test]
fn row_another_known_issuer() {
    check(&asked("AUT", PASSPORT), &[reported()], "NO_RECORD 1o");
    check(
        &asked("AUT", PASSPORT),
        &[of("CZE"), of("D"), of("CZE"), third_party(of("D"))],
        "NO_RECORD 2o",
    );
    check(
        &asked("AUT", PASSPORT),
        &[of("CZE"), of("AUT"), of("D")],
        "HIT 1m 2o",
    );
    check(
        &asked("AUT", None),
        &[of("CZE"), of("AUT")],
        "REVIEW TYPE_NOT_GIVEN 1m 1o",
    );
    check(
        &misread(asked("AUT", PASSPORT)),
        &[reported()],
        "INCONCLUSIVE MISREAD 1o",
    );
    check(&asked("UTO", PASSPORT), &[reported()], "NO_RECORD 1o");
}

#[test]
fn row_the_state_of_nationality_has_reported_it() {
    let review = "REVIEW REPORTED_BY_NATIONALITY 1m";
    check(&passport("AUT", "D<<"), &[reported()], review);
    // The report of a refugee's document is of what a `P` may be.
    let refugees = Candidate {
        document_type: RefugeeTravelDocument,
        ..reported()
    };
    check(&passport("AUT", "D<<"), &[refugees], review);
    check(
        &passport("AUT", "D<<"),
        &[reported(), of("AUT")],
        "HIT REPORTED_BY_NATIONALITY 2m",
    );
    for (query, candidate) in [
        // Another State's, a third party's, a card's.
        (passport("AUT", "D<<"), of("CZE")),
        (passport("AUT", "D<<"), third_party(reported())),
        (
            passport("AUT", "D<<"),
            Candidate {
                document_type: IdentityCard,
                ..reported()
            },
        ),
        // The issuer is no State, or the specimen State.
        (passport("XPO", "D<<"), reported()),
        (passport("UTO", "D<<"), reported()),
    ] {
        check(&query, &[candidate], "NO_RECORD 1o");
    }
    // A refugee's document, a visa, a fault in the zone.
    let refugee = passport("AUT", "D<<").with_fields(None, None, Some(RefugeeTravelDocument));
    check(&refugee.unwrap(), &[reported()], "NO_RECORD 1o");
    check(&zone("V<AUT", "8D<<"), &[reported()], "NO_RECORD 1o");
    for code in ["PR", "PT", "PS", "PL", "PE", "PU"] {
        check(
            &zone(&format!("{code}AUT"), "8D<<"),
            &[reported()],
            "NO_RECORD 1o",
        );
    }
    for code in ["PP", "PD", "PO", "PM", "PN"] {
        check(&zone(&format!("{code}AUT"), "8D<<"), &[reported()], review);
    }
    // One office's codes are the same nationality, but not two reasons to doubt.
    check(&passport("AUT", "GBD"), &[of("GBR")], review);
    check(&passport("AUT", "RKS"), &[of("UNK")], review);
    check(
        &passport("GBR", "GBD"),
        &[of("BMU")],
        "REVIEW ISSUER_OF_SAME_GROUP 1m",
    );
    check(
        &zone("P<AUT", "9D<<"),
        &[reported()],
        "INCONCLUSIVE MISREAD 1o",
    );
}

#[test]
fn a_passport_card_is_a_passport_or_a_card() {
    let card = Mrz::read(
        "IPUSAC012345674<<<<<<<<<<<<<<<\n8001014F2801017USA<<<<<<<<<<<<\nDOE<<JANE<<<<<<<<<<<<<<<<<<<<<",
    )
    .unwrap();
    assert!(card.code.is_passport_card());
    let query = Query {
        number_check_failed: false,
        ..Query::from_mrz(card)
    };
    for document_type in [DocumentType::Passport, IdentityCard] {
        let candidate = Candidate {
            document_type,
            ..of("USA")
        };
        check(&query, &[candidate], "HIT 1m");
        let typed = query.with_fields(None, None, Some(document_type)).unwrap();
        check(&typed, &[candidate], "HIT 1m");
    }
    let visa = Candidate {
        document_type: DocumentType::Visa,
        ..of("USA")
    };
    check(&query, &[visa], "REVIEW TYPE_INCOMPATIBLE 1m");
}

#[test]
fn rows_without_a_match() {
    let check =
        |query: &Query, too_old, expected: &str| assert_eq!(answer(query, &[], too_old), expected);
    let unreadable = Query::unreadable();
    check(&asked("D", PASSPORT), false, "NO_RECORD");
    check(&asked("D", PASSPORT), true, "INCONCLUSIVE DATA_TOO_OLD");
    check(
        &misread(asked("D", PASSPORT)),
        false,
        "INCONCLUSIVE MISREAD",
    );
    check(&unreadable, false, "INCONCLUSIVE UNREADABLE");
    // A letter that Germany's numbers never have: typed, or with a check digit that failed.
    let impossible = |document_type| Query {
        number: DocumentNumber::from_normalised(b"CO1X00T47"),
        ..asked("D", document_type)
    };
    check(
        &impossible(PASSPORT),
        false,
        "INCONCLUSIVE NUMBER_IMPOSSIBLE",
    );
    check(
        &impossible(Some(IdentityCard)),
        true,
        "INCONCLUSIVE NUMBER_IMPOSSIBLE",
    );
    check(
        &misread(impossible(PASSPORT)),
        false,
        "INCONCLUSIVE NUMBER_IMPOSSIBLE",
    );
    check(&impossible(None), false, "NO_RECORD");
    let not_supported = Query {
        zone_not_supported: true,
        ..unreadable
    };
    check(&not_supported, false, "INCONCLUSIVE ZONE_NOT_SUPPORTED");
    // In this order, one reason each.
    check(&misread(asked("D", PASSPORT)), true, "INCONCLUSIVE MISREAD");
    check(&unreadable, true, "INCONCLUSIVE UNREADABLE");
    check(&misread(unreadable), true, "INCONCLUSIVE MISREAD");
}

#[test]
fn old_data_still_reports() {
    let check = |query: &Query, candidate, expected: &str| {
        assert_eq!(answer(query, &[candidate], true), expected)
    };
    check(&asked("D", PASSPORT), reported(), "HIT 1m");
    check(&asked("D", None), reported(), "REVIEW TYPE_NOT_GIVEN 1m");
    check(&asked("D", PASSPORT), shown(Refer, reported()), "REFER");
    check(
        &asked("AUT", PASSPORT),
        reported(),
        "INCONCLUSIVE DATA_TOO_OLD 1o",
    );
}

#[test]
fn every_report_fits_a_row_and_every_row_is_the_first_for_some_report() {
    let mut first = [false; MATCH_ROWS.len()];
    for issuer in ["D", "", "XCT", "UNK", "AIA", "AUT"] {
        for document_type in [PASSPORT, None, Some(IdentityCard)] {
            for query in [
                asked(issuer, document_type),
                misread(asked(issuer, document_type)),
                passport("AUT", "D<<"),
            ] {
                for candidate in ["D", "RKS", "ALA"].map(of) {
                    for candidate in [candidate, third_party(candidate)] {
                        let facts = Facts::of(&query, &candidate);
                        let row = MATCH_ROWS.iter().position(|row| facts.fit(row));
                        first[row.expect("a row fits")] = true;
                    }
                }
            }
        }
    }
    assert_eq!(first, [true; MATCH_ROWS.len()]);
    // A row without a fact would fit everything.
    assert!(MATCH_ROWS.iter().all(|(facts, _)| !facts.is_empty()));
    assert_eq!(MATCH_ROWS[0].0[0], Fact::IssuerEqual);
}
