//! How several reports come together, and what the caller may not know of.

use super::*;
use crate::report::Reason;
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

/// Reports that differ in the day of loss.
fn many(count: i32) -> impl Iterator<Item = Candidate<'static>> {
    (0..count).map(|past| {
        let mut found = reported();
        found.report.date_of_loss = Day::from_number(day(TODAY).number() - past);
        found
    })
}

#[test]
fn of_very_many_reports_some_are_listed_and_all_count() {
    let asked = asked("D", PASSPORT);
    // Reviews first, and the only hit at the very end.
    let reviews = many(5000).map(third_party);
    let judgement = judge(&asked, reviews.chain([reported()]), day(TODAY), false);
    assert_eq!(judgement.verdict, Verdict::Hit);
    assert_eq!(
        judgement.reasons,
        [Reason::ThirdPartyReport].into_iter().collect()
    );
    assert_eq!(judgement.matches.len(), 1000);
    assert_eq!(judgement.matches[0], reported());
    assert_eq!(judgement.unlisted, 5001 - 1000);

    let judgement = judge(&asked, many(1000), day(TODAY), false);
    assert_eq!((judgement.matches.len(), judgement.unlisted), (1000, 0));
    let judgement = judge(&asked, many(2000), day(TODAY), false);
    assert_eq!((judgement.matches.len(), judgement.unlisted), (1000, 1000));
}

#[test]
fn of_very_many_reports_those_that_say_the_same_are_one_match() {
    let asked = asked("D", PASSPORT);
    for count in [2, 9, 10, 3000] {
        let other = |found: Candidate<'static>| Candidate {
            report: Report {
                source: "another",
                restriction: "other",
                ..found.report
            },
            ..found
        };
        let twice = many(count).chain(many(count).map(other));
        let judgement = judge(&asked, twice, day(TODAY), false);
        let listed = (count as usize).min(1000);
        assert_eq!(judgement.matches.len(), listed, "{count}");
        assert_eq!(judgement.unlisted, count as usize - listed, "{count}");
        for place in [0, listed - 1] {
            let also: Vec<_> = judgement.also_reported_by(place).collect();
            assert_eq!(also, ["another"], "{count}, {place}");
        }
    }
}
