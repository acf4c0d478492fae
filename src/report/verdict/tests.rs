//! The table, row by row, then how several reports come together.

use super::table::{Fact, MATCH_ROWS};
use super::*;
use crate::document::{DocumentNumber, Issuer};
use crate::report::{Authority, ReportStatus};

const TODAY: &str = "2026-03-01";

pub(super) fn day(text: &str) -> Day {
    Day::parse_iso(text).unwrap()
}

/// A report of a German passport by Germany's own source, in force and open to all.
pub(super) fn reported() -> Candidate<'static> {
    Candidate {
        issuing_state: IssuingState::parse("D").unwrap(),
        document_type: DocumentType::Passport,
        report: Report {
            status: ReportStatus::Stolen,
            source_status: "",
            date_of_loss: None,
            date_reported: Some(day("2020-05-17")),
            review_date: None,
            authority: Some(Authority {
                code: "D-1",
                name: "",
                contact: "",
            }),
            restriction: "",
            source: "one",
            third_party: false,
            owner_reference: "",
        },
        disclosure: Disclosure::Full,
    }
}

fn of(code: &str) -> Candidate<'static> {
    Candidate {
        issuing_state: IssuingState::parse(code).unwrap(),
        ..reported()
    }
}

fn third_party(candidate: Candidate<'static>) -> Candidate<'static> {
    Candidate {
        report: Report {
            third_party: true,
            ..candidate.report
        },
        ..candidate
    }
}

fn shown(disclosure: Disclosure, candidate: Candidate<'static>) -> Candidate<'static> {
    Candidate {
        disclosure,
        ..candidate
    }
}

fn expired(candidate: Candidate<'static>) -> Candidate<'static> {
    let report = Report {
        review_date: Some(day("2026-02-28")),
        ..candidate.report
    };
    Candidate {
        report,
        ..candidate
    }
}

/// A question about that passport: issuer (empty: not given) and type.
fn asked(issuer: &str, document_type: Option<DocumentType>) -> Query {
    let number = DocumentNumber::from_normalised(b"C01X00T47").unwrap();
    Query::from_fields(number, Issuer::parse(issuer).ok(), document_type)
}

fn misread(query: Query) -> Query {
    Query {
        number_check_failed: true,
        ..query
    }
}

#[track_caller]
fn check(query: &Query, candidates: &[Candidate<'static>], expected: &str) {
    assert_eq!(answer(query, candidates, false), expected);
}

/// Verdict, reasons, and where there are any, `m` matches and `o` other issuers.
fn answer(query: &Query, candidates: &[Candidate<'static>], too_old: bool) -> String {
    let judgement = judge(query, candidates.iter().copied(), day(TODAY), too_old);
    let mut text = judgement.verdict.to_string();
    for reason in judgement.reasons.iter() {
        text.push(' ');
        text.push_str(reason.name());
    }
    for (count, unit) in [
        (judgement.matches.len(), "m"),
        (judgement.same_number_other_issuers as usize, "o"),
    ] {
        if count != 0 {
            text.push_str(&format!(" {count}{unit}"));
        }
    }
    text
}

use Disclosure::{ContactOnly, Refer, Silent};
use DocumentType::{IdentityCard, Passport, RefugeeTravelDocument};
const PASSPORT: Option<DocumentType> = Some(Passport);

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
fn the_strongest_stands_and_all_matches_are_listed() {
    let card = Candidate {
        document_type: IdentityCard,
        ..reported()
    };
    check(
        &asked("D", PASSPORT),
        &[card, reported()],
        "HIT TYPE_INCOMPATIBLE 2m",
    );
    let both = [card, reported()];
    let judgement = judge(&asked("D", PASSPORT), both, day(TODAY), false);
    assert_eq!(judgement.matches, [reported(), card], "hits first");
    check(
        &asked("", PASSPORT),
        &[of("CZE"), reported()],
        "REVIEW ISSUER_NOT_GIVEN 2m",
    );
}

#[test]
fn refer_is_the_weakest_and_tells_nothing_more() {
    let refer = shown(Refer, reported());
    check(&asked("D", PASSPORT), &[refer], "REFER");
    check(&asked("", None), &[refer], "REFER");
    check(&asked("D", PASSPORT), &[refer, of("AUT")], "REFER");
    check(&misread(asked("D", PASSPORT)), &[refer], "REFER");
    // Left out beside a match that may be shown, its reasons too.
    check(
        &asked("D", PASSPORT),
        &[shown(Refer, third_party(reported())), reported()],
        "HIT 1m",
    );
    check(
        &asked("D", None),
        &[third_party(reported()), refer],
        "REVIEW TYPE_NOT_GIVEN THIRD_PARTY_REPORT 1m",
    );
    // Worth no match, it is not counted either.
    check(&asked("AUT", PASSPORT), &[refer], "NO_RECORD");
    check(&asked("AUT", PASSPORT), &[refer, of("CZE")], "NO_RECORD 1o");
}

#[test]
fn hidden_and_expired_reports_do_not_exist() {
    for gone in [|c| shown(Silent, c), expired] {
        check(&asked("D", PASSPORT), &[gone(reported())], "NO_RECORD");
        check(&asked("", None), &[gone(reported())], "NO_RECORD");
        check(&asked("AUT", PASSPORT), &[gone(reported())], "NO_RECORD");
        check(
            &misread(asked("D", PASSPORT)),
            &[gone(reported())],
            "INCONCLUSIVE MISREAD",
        );
        check(
            &asked("D", PASSPORT),
            &[gone(third_party(reported())), reported(), gone(of("AUT"))],
            "HIT 1m",
        );
    }
    let last_day = Report {
        review_date: Some(day(TODAY)),
        ..reported().report
    };
    check(
        &asked("D", PASSPORT),
        &[Candidate {
            report: last_day,
            ..reported()
        }],
        "HIT 1m",
    );
}

#[test]
fn reports_that_say_the_same_are_shown_once() {
    let from = |source| Candidate {
        report: Report {
            source,
            ..reported().report
        },
        ..reported()
    };
    let lost = Candidate {
        report: Report {
            status: ReportStatus::Lost,
            ..reported().report
        },
        ..reported()
    };
    let ruled = Candidate {
        report: Report {
            restriction: "R1",
            ..reported().report
        },
        ..from("three")
    };
    let card = Candidate {
        document_type: IdentityCard,
        ..from("two")
    };
    check(
        &asked("D", PASSPORT),
        &[from("one"), from("two"), ruled],
        "HIT 1m",
    );
    check(
        &asked("D", PASSPORT),
        &[from("one"), lost, from("two")],
        "HIT 2m",
    );
    check(
        &asked("D", PASSPORT),
        &[from("one"), card],
        "HIT TYPE_INCOMPATIBLE 2m",
    );
    check(
        &asked("D", PASSPORT),
        &[from("one"), third_party(from("two"))],
        "HIT THIRD_PARTY_REPORT 2m",
    );
    let judgement = judge(
        &asked("D", PASSPORT),
        [from("one"), from("two")],
        day(TODAY),
        false,
    );
    assert_eq!(judgement.matches, [from("one")], "the first stands for all");
}

#[test]
fn nothing_is_looked_up_without_a_number() {
    check(
        &Query::unreadable(),
        &[reported()],
        "INCONCLUSIVE UNREADABLE",
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
