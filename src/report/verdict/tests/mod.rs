//! Questions, reports and the one `check` that the tests of the verdict are made of.

mod rows;
mod several;

use super::*;
use crate::document::{DocumentNumber, Issuer};
use crate::report::{Authority, ReportStatus};

const TODAY: &str = "2026-03-01";
const PASSPORT: Option<DocumentType> = Some(DocumentType::Passport);

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

/// A passport of that number read from a zone, with a nationality.
fn passport(issuer: &str, nationality: &str) -> Query {
    zone(&format!("P<{issuer}"), &format!("8{nationality}"))
}

/// The same by code and issuer, and by check digit and nationality.
fn zone(first: &str, second: &str) -> Query {
    let zone = format!(
        "{first}MUSTERMANN<<ERIKA<<<<<<<<<<<<<<<<<<<<<<\nC01X00T47{second}6408125F2702283<<<<<<<<<<<<<<<4"
    );
    Query::from_mrz(crate::document::mrz::Mrz::read(&zone).unwrap())
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
