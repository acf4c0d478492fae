//! How several reports come together, and what the caller may not know of.

use super::*;
use Disclosure::{Refer, Silent};
use DocumentType::IdentityCard;

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
    let judgement = judge(
        &asked("D", PASSPORT),
        [from("one"), lost, from("two"), from("one"), ruled],
        day(TODAY),
        false,
    );
    let also = |place| judgement.also_reported_by(place).collect::<Vec<_>>();
    assert_eq!(also(0), ["two"], "the others are named, each once");
    assert!(also(1).is_empty() && also(2).is_empty());
}

#[test]
fn nothing_is_looked_up_without_a_number() {
    check(
        &Query::unreadable(),
        &[reported()],
        "INCONCLUSIVE UNREADABLE",
    );
}
