//! The rules once more, as one would tell them to a colleague: slow, obvious, and
//! written without a look at the table. Both must agree on random cases.

use super::tests::{day, reported};
use super::*;
use crate::document::mrz::Mrz;
use crate::document::{DocumentNumber, Issuer};
use crate::report::{Reason, ReportStatus};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone)]
struct Case {
    query: Query,
    candidates: Vec<Candidate<'static>>,
    today: Day,
    data_too_old: bool,
}

fn told_plainly(case: &Case) -> Judgement<'static> {
    let query = &case.query;

    // Reports that ended yesterday or that the caller must not know of do not exist.
    let mut existing = Vec::new();
    for candidate in &case.candidates {
        let report = &candidate.report;
        let over = match (report.review_date, report.date_reported, report.status) {
            (Some(review), _, _) => case.today > review,
            (None, _, ReportStatus::StolenBlank) => false,
            (None, None, _) => false,
            (None, Some(reported), _) => {
                let (year, month, day) = reported.ymd();
                case.today.ymd() > (year + 10, month, day)
            }
        };
        if !over && candidate.disclosure != Disclosure::Silent {
            existing.push(*candidate);
        }
    }
    if query.number.is_none() {
        existing.clear();
    }

    // Each of them is a hit, a review with its reasons, or another State's business.
    let mut hits = Vec::new();
    let mut reviews = Vec::new();
    let mut elsewhere = Vec::new();
    for candidate in existing {
        let mut reasons = BTreeSet::new();
        match query.issuer {
            None => {
                reasons.insert(Reason::IssuerNotGiven);
            }
            Some(issuer) if issuer.code() == candidate.issuing_state.code() => {}
            Some(issuer) => {
                if let Issuer::Unknown(_) = issuer {
                    reasons.insert(Reason::IssuerUnknown);
                }
                if let Issuer::Known(state) = issuer
                    && state.same_group(&candidate.issuing_state)
                {
                    reasons.insert(Reason::IssuerOfSameGroup);
                }
                if issuer.one_confusable_letter_from(&candidate.issuing_state) {
                    reasons.insert(Reason::IssuerOneLetterAway);
                }
                if reasons.is_empty() {
                    // A national's passport says in faultless lines that the holder is a
                    // citizen of the very State whose own report of the number this is, or
                    // of one whose documents are taken for that State's.
                    let an_organisation = |code: &str| code.starts_with('X') || code == "UNK";
                    let nationals = |zone: &Mrz| {
                        zone.failed.is_empty()
                            && zone.code.as_str().starts_with('P')
                            && !["PR", "PT", "PS", "PL", "PE", "PU"].contains(&zone.code.as_str())
                            && zone.nationality.is_some_and(|nationality| {
                                !an_organisation(nationality.code())
                                    && (nationality.code() == candidate.issuing_state.code()
                                        || nationality.known().is_some_and(|state| {
                                            state.same_group(&candidate.issuing_state)
                                        }))
                            })
                    };
                    if query.mrz.as_ref().is_some_and(nationals)
                        && query.document_type == Some(DocumentType::Passport)
                        && candidate
                            .document_type
                            .compatible_with(DocumentType::Passport)
                        && !candidate.report.third_party
                        && issuer.code() != "UTO"
                        && !an_organisation(issuer.code())
                    {
                        reviews.push((candidate, BTreeSet::from([Reason::ReportedByNationality])));
                    } else {
                        elsewhere.push(candidate);
                    }
                    continue;
                }
            }
        }
        match query.document_type {
            None => {
                reasons.insert(Reason::TypeNotGiven);
            }
            Some(asked) if !asked.compatible_with(candidate.document_type) => {
                reasons.insert(Reason::TypeIncompatible);
            }
            Some(_) => {}
        }
        if candidate.report.third_party {
            reasons.insert(Reason::ThirdPartyReport);
        }
        if query.number_check_failed {
            reasons.insert(Reason::NumberCheckDigitFailed);
        }
        if reasons.is_empty() {
            hits.push(candidate);
        } else {
            reviews.push((candidate, reasons));
        }
    }

    // Someone who may only be told to refer is told so if there is nothing better to
    // say, and otherwise nothing.
    let refer_only = |candidate: &Candidate<'_>| candidate.disclosure == Disclosure::Refer;
    let some_refer =
        hits.iter().any(refer_only) || reviews.iter().any(|(candidate, _)| refer_only(candidate));
    hits.retain(|candidate| !refer_only(candidate));
    reviews.retain(|(candidate, _)| !refer_only(candidate));
    elsewhere.retain(|candidate| !refer_only(candidate));

    let mut reasons: BTreeSet<Reason> = BTreeSet::new();
    for (_, of_match) in &reviews {
        reasons.extend(of_match);
    }
    let verdict = if !hits.is_empty() {
        Verdict::Hit
    } else if !reviews.is_empty() {
        Verdict::Review
    } else if some_refer {
        elsewhere.clear();
        Verdict::Refer
    } else if let Some(number) = query.number
        && query.issuer.is_some_and(|issuer| issuer.code() == "D")
        && [
            Some(DocumentType::Passport),
            Some(DocumentType::IdentityCard),
        ]
        .contains(&query.document_type)
        && number.as_str().len() == 9
        && number
            .as_str()
            .contains(['A', 'E', 'I', 'O', 'U', 'B', 'D', 'Q', 'S'])
        && (query.mrz.is_none() || query.number_check_failed)
    {
        reasons.insert(Reason::NumberImpossible);
        Verdict::Inconclusive
    } else if query.number_check_failed {
        reasons.insert(Reason::Misread);
        Verdict::Inconclusive
    } else if query.number.is_none() && query.zone_not_supported {
        reasons.insert(Reason::ZoneNotSupported);
        Verdict::Inconclusive
    } else if query.number.is_none() {
        reasons.insert(Reason::Unreadable);
        Verdict::Inconclusive
    } else if case.data_too_old {
        reasons.insert(Reason::DataTooOld);
        Verdict::Inconclusive
    } else {
        Verdict::NoRecord
    };

    // Reports that differ in nothing but source and rule of use are shown once.
    let mut matches: Vec<Candidate<'static>> = Vec::new();
    let mut also = BTreeSet::new();
    for candidate in hits
        .into_iter()
        .chain(reviews.into_iter().map(|(candidate, _)| candidate))
    {
        let same = |shown: &Candidate<'static>| {
            shown.issuing_state == candidate.issuing_state
                && shown.document_type == candidate.document_type
                && shown.disclosure == candidate.disclosure
                && shown.report.says_the_same_as(&candidate.report)
        };
        match matches.iter().position(same) {
            None => matches.push(candidate),
            Some(place) if matches[place].report.source != candidate.report.source => {
                also.insert((place, candidate.report.source));
            }
            Some(_) => {}
        }
    }

    let issuers: BTreeSet<_> = elsewhere
        .iter()
        .map(|candidate| candidate.issuing_state)
        .collect();
    Judgement {
        unlisted: 0,
        verdict,
        reasons: reasons.into_iter().collect(),
        matches,
        also: also.into_iter().collect(),
        same_number_other_issuers: issuers.len() as u32,
    }
}

/// Few values of each kind, so that they meet: two of a group, two a letter apart, two of
/// both, and two of neither.
const STATES: [&str; 8] = ["D", "AUT", "AIA", "ALA", "GBD", "GBO", "RKS", "UNK"];

fn cases() -> impl Strategy<Value = Case> {
    let issuer = prop_oneof![
        1 => Just(None),
        3 => Just(Issuer::parse("D").ok()),
        6 => prop::sample::select(&STATES[..]).prop_map(|code| Issuer::parse(code).ok()),
        2 => prop::sample::select(&["O", "DC", "XCT", "XXB", "UTO", "UND"][..]).prop_map(|code| Issuer::parse(code).ok()),
    ];
    let document_type = || prop::sample::select(&DocumentType::ALL[..]);
    let query = (
        prop::sample::select(&["C01X00T47", "CO1X00T47", "CO1X00T47", "CO1X0047"][..]),
        prop::bool::weighted(0.9),
        issuer,
        prop_oneof![
            3 => prop::option::weighted(0.8, document_type()),
            1 => Just(Some(DocumentType::Passport)),
        ],
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.3),
    );
    let typed = query.prop_map(
        |(number, readable, issuer, document_type, number_check_failed, zone_not_supported)| {
            Query {
                number: DocumentNumber::from_normalised(number.as_bytes()).filter(|_| readable),
                issuer,
                document_type,
                number_check_failed,
                mrz: None,
                zone_not_supported,
            }
        },
    );
    // Zones whose check digits hold, and the same with a fault.
    let read = (
        // Mostly passports whose issuer is not the holder's State, which has reported some.
        prop_oneof![
            3 => Just("P<"),
            2 => prop::sample::select(&["PP", "PN", "PT", "V<", "I<"][..]),
        ],
        prop_oneof![
            2 => prop::sample::select(&["AUT", "D<<"][..]),
            3 => prop::sample::select(&["AIA", "GBD", "UNK", "UTO", "XPO", "QQQ"][..]),
        ],
        prop_oneof![
            3 => prop::sample::select(&["AUT", "D<<"][..]),
            2 => prop::sample::select(&["GBO", "RKS", "UNK", "XXB"][..]),
        ],
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(code, issuer, nationality, fault, refugee)| {
            let digit = if fault { '9' } else { '8' };
            let zone = format!(
                "{code}{issuer}MUSTERMANN<<ERIKA<<<<<<<<<<<<<<<<<<<<<<\n\
                 C01X00T47{digit}{nationality}6408125F2702283<<<<<<<<<<<<<<<4"
            );
            let query = Query::from_mrz(Mrz::read(&zone).unwrap());
            let finer = refugee.then_some(DocumentType::RefugeeTravelDocument);
            query.with_fields(None, None, finer).unwrap_or(query)
        });
    let query = prop_oneof![1 => typed, 1 => read];
    (
        query,
        prop::collection::vec(candidates(), 0..6),
        prop::bool::weighted(0.3),
    )
        .prop_map(|(query, candidates, data_too_old)| Case {
            query,
            candidates,
            today: day("2026-03-01"),
            data_too_old,
        })
}

fn candidates() -> impl Strategy<Value = Candidate<'static>> {
    let dates = |days: &'static [&'static str]| prop::sample::select(days).prop_map(Day::parse_iso);
    let report = (
        prop::sample::select(&ReportStatus::ALL[..]),
        dates(&[
            "",
            "2016-02-28",
            "2016-02-29",
            "2016-03-01",
            "2020-05-17",
            "2020-05-17",
        ]),
        dates(&["", "", "", "2026-02-28", "2026-03-01", "2030-01-01"]),
        prop::sample::select(&["one", "two"][..]),
        prop::bool::weighted(0.3),
    );
    let disclosure = prop_oneof![
        4 => Just(Disclosure::Full),
        1 => Just(Disclosure::ContactOnly),
        3 => Just(Disclosure::Refer),
        1 => Just(Disclosure::Silent),
    ];
    // Mostly passports, so that most questions about passports meet them.
    let document_type = prop_oneof![
        3 => Just(DocumentType::Passport),
        2 => prop::sample::select(&DocumentType::ALL[..]),
    ];
    (
        prop::sample::select(&STATES[..]),
        document_type,
        report,
        disclosure,
    )
        .prop_map(
            |(
                state,
                document_type,
                (status, date_reported, review_date, source, third_party),
                disclosure,
            )| Candidate {
                issuing_state: IssuingState::parse(state).unwrap(),
                document_type,
                report: Report {
                    status,
                    date_reported,
                    review_date,
                    source,
                    third_party,
                    ..reported().report
                },
                disclosure,
            },
        )
}

#[test]
fn table_and_twin_agree() {
    let verdicts = RefCell::new(BTreeMap::new());
    let reasons = RefCell::new(BTreeMap::new());
    let config = Config {
        cases: 20_000,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&cases(), |case| {
            let judged = judge(
                &case.query,
                case.candidates.iter().copied(),
                case.today,
                case.data_too_old,
            );
            prop_assert_eq!(&judged, &told_plainly(&case));
            *verdicts
                .borrow_mut()
                .entry(judged.verdict.name())
                .or_insert(0) += 1;
            for reason in judged.reasons.iter() {
                *reasons.borrow_mut().entry(reason).or_insert(0) += 1;
            }
            Ok(())
        })
        .unwrap();
    // Agreement on cases that never come up would prove nothing.
    let (verdicts, reasons) = (verdicts.into_inner(), reasons.into_inner());
    assert_eq!(verdicts.len(), Verdict::ALL.len(), "{verdicts:?}");
    assert_eq!(reasons.len(), Reason::ALL.len(), "{reasons:?}");
    assert!(
        verdicts
            .values()
            .chain(reasons.values())
            .all(|&times| times >= 100),
        "{verdicts:?} {reasons:?}"
    );
}

#[test]
fn the_order_of_reports_changes_nothing_but_the_order_of_matches() {
    let config = Config {
        cases: 2_000,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&cases(), |case| {
            let forwards = judge(
                &case.query,
                case.candidates.iter().copied(),
                case.today,
                case.data_too_old,
            );
            let backwards = judge(
                &case.query,
                case.candidates.iter().rev().copied(),
                case.today,
                case.data_too_old,
            );
            prop_assert_eq!(forwards.verdict, backwards.verdict);
            prop_assert_eq!(forwards.reasons, backwards.reasons);
            prop_assert_eq!(forwards.matches.len(), backwards.matches.len());
            prop_assert_eq!(
                forwards.same_number_other_issuers,
                backwards.same_number_other_issuers
            );
            Ok(())
        })
        .unwrap();
}
