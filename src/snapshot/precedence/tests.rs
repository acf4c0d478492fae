use super::*;
use crate::report::ReportStatus;

/// `own 3 lost`, `other 2 withdrawn visa 2026-01-05`: source, edition (as-of in hours of 2026, generation after a colon),
/// what, and, if wanted, type and day of report.
fn statements(texts: &[&'static str]) -> Vec<Dated<'static>> {
    texts.iter().map(|text| one(text)).collect()
}

fn one(text: &'static str) -> Dated<'static> {
    let mut words = text.split(' ');
    let mut word = || words.next();
    let (source, edition, what) = (word().unwrap(), word().unwrap(), word().unwrap());
    let document_type = word().map_or(DocumentType::Passport, |name| {
        DocumentType::from_name(name).unwrap()
    });
    let date_reported = word().and_then(Day::parse_iso);
    let (as_of, generation) = edition.split_once(':').unwrap_or((edition, "1"));
    let edition = Edition {
        as_of: instant(as_of.parse().unwrap()),
        generation: generation.parse().unwrap(),
    };
    let third_party = source.starts_with("other");
    let report = |status| Report {
        status,
        source_status: "",
        date_of_loss: None,
        date_reported,
        review_date: None,
        authority: None,
        restriction: "",
        source,
        third_party,
        owner_reference: "",
    };
    let said = match what {
        "withdrawn" => Said::Withdrawn { reason: "" },
        "unwithdrawn" => Said::Unwithdrawn { reason: "" },
        "expired" => Said::Expired,
        "silenced" => Said::Overruled(report(ReportStatus::Lost)),
        status => Said::Reported(report(ReportStatus::from_name(status).unwrap())),
    };
    let statement = Statement {
        source,
        third_party,
        edition: Some(edition),
        said,
    };
    let lists = Lists::from([(
        "listed".to_owned(),
        Edition {
            as_of: instant(50),
            generation: 1,
        },
    )]);
    Dated::new(document_type, statement, &lists).unwrap()
}

fn instant(hours: i64) -> Timestamp {
    let first: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    Timestamp::from_second(first.as_second() + 3600 * hours).unwrap()
}

fn today() -> Day {
    Day::from_ymd(2026, 2, 1).unwrap()
}

/// What is left, and what of it answers may depend on.
#[track_caller]
fn check(given: &[&'static str], left: &[&'static str], of_answers: &[&'static str]) {
    let unit = Unit::resolve(statements(given), today());
    assert_eq!(unit.statements(), statements(left));
    let answers: Vec<Dated<'_>> = unit.of_answers().copied().collect();
    assert_eq!(answers, statements(of_answers));
    let kept = unit.statements().len()
        - unit
            .statements()
            .iter()
            .filter(|one| one.report().is_some())
            .count();
    assert_eq!(unit.kept().count(), kept);
}

#[test]
fn the_last_word_of_each_source_counts() {
    check(&[], &[], &[]);
    let both = ["own 2 lost", "own2 1 lost"];
    check(&["own 2 lost", "own 1 stolen", "own2 1 lost"], &both, &both);
    check(
        &["own 1 lost", "own 2 withdrawn"],
        &["own 2 withdrawn"],
        &[],
    );
    check(
        &["own 3 stolen", "own 1 lost", "own 2 withdrawn"],
        &["own 3 stolen", "own 2 withdrawn"],
        &["own 3 stolen"],
    );
    check(
        &["own 5:1 lost", "own 5:2 withdrawn"],
        &["own 5:2 withdrawn"],
        &[],
    );
    check(&["own 1 lost", "own 2 expired"], &["own 2 expired"], &[]);
    check(
        &["other 1 lost", "other 2 withdrawn", "other2 1 lost"],
        &["other 2 withdrawn", "other2 1 lost"],
        &["other2 1 lost"],
    );
    // An `unwithdraw` says nothing of the source's own reports.
    check(
        &["own 1 lost", "own 2 unwithdrawn"],
        &["own 2 unwithdrawn", "own 1 lost"],
        &["own 1 lost"],
    );
}

#[test]
fn what_a_list_has_replaced_still_silences() {
    // The list of `listed` is of hour 50.
    let all = ["listed 40 withdrawn", "other 30 silenced"];
    check(
        &[
            "other 30 lost",
            "listed 20 withdrawn",
            "listed 40 withdrawn",
        ],
        &all,
        &all,
    );
}

#[test]
fn withdrawals_that_silence_by_themselves_are_needed_for_answers() {
    let all = ["other 1 silenced", "own 2 withdrawn", "own2 3 withdrawn"];
    check(
        &["other 1 lost", "own 2 withdrawn", "own2 3 withdrawn"],
        &all,
        &all,
    );
    check(
        &["other 3 lost", "own 2 withdrawn", "own2 3 withdrawn"],
        &["other 3 silenced", "own 2 withdrawn", "own2 3 withdrawn"],
        &["other 3 silenced", "own2 3 withdrawn"],
    );
    // Taken back by its own source.
    check(
        &["other 1 lost", "own 2 withdrawn", "own 2 unwithdrawn"],
        &["other 1 lost", "own 2 withdrawn", "own 2 unwithdrawn"],
        &["other 1 lost"],
    );
}

#[test]
fn the_day_decides_where_the_as_of_does_not() {
    for (day, silenced) in [
        ("other 40 lost passport 2025-12-31", true),
        ("other 40 lost passport 2026-01-01", false),
        ("other 40 lost passport 2026-01-02", false),
        ("other 40 lost passport", false),
        ("other 20 lost passport 2026-01-09", true),
    ] {
        // Of 20:00 on the first of January.
        let unit = Unit::resolve(statements(&["own 20 withdrawn", day]), today());
        let shown = unit.statements().iter().filter_map(Dated::shown).count();
        assert_eq!(shown, usize::from(!silenced), "{day}");
    }
}

#[test]
fn after_ten_years_a_withdrawal_silences_nobody() {
    let given = ["other 1 lost", "own 2 withdrawn"];
    let shown = |today: &str| {
        let unit = Unit::resolve(statements(&given), Day::parse_iso(today).unwrap());
        unit.statements().iter().filter_map(Dated::shown).count()
    };
    assert_eq!((shown("2036-01-01"), shown("2036-01-02")), (0, 1));
}

/// Whatever the order, wherever what was said so far is resolved in between, and whichever sources are left out then.
#[test]
fn order_and_steps_do_not_matter() {
    let all = [
        "own 10 lost",
        "own 33 withdrawn",
        "own 50 stolen",
        "own2 20 withdrawn other",
        "own2 40 unwithdrawn",
        "own2 30 withdrawn",
        "own 31 withdrawn refugee_travel_document",
        "other 20 lost",
        "other 47 stolen other 2026-01-01",
        "other2 10 lost refugee_travel_document",
        "other2 15 expired refugee_travel_document",
        "listed 44 withdrawn",
    ];
    let sources = ["own", "own2", "other", "listed"];
    let expected = Unit::resolve(statements(&all), today());
    let count = all.len();
    for steps in 0..512_usize {
        let mut so_far = Vec::new();
        for place in 0..count {
            so_far.push(one(all[(place * 5 + steps) % count]));
            if ((steps * 7) >> (place % 9)) & 1 == 1 {
                so_far = Unit::resolve(so_far, today()).statements().to_vec();
            }
        }
        let unit = Unit::resolve(so_far, today());
        assert_eq!(unit, expected, "{steps:b}");
    }
    // What answers may depend on is enough to leave sources out.
    let of_answers: Vec<Dated<'_>> = expected.of_answers().copied().collect();
    for left_out in 0..16_usize {
        let retracted = sources.into_iter().enumerate();
        let retracted = retracted.filter(|(place, _)| left_out >> place & 1 == 1);
        let retracted: Retracted = retracted.map(|(_, name)| name.to_owned()).collect();
        let shown = |unit: Unit<'static>| -> Vec<Report<'static>> {
            unit.statements().iter().filter_map(Dated::shown).collect()
        };
        let from_all = shown(Unit::in_service(&statements(&all), &retracted, today()));
        let from_answers = shown(Unit::in_service(&of_answers, &retracted, today()));
        assert_eq!(from_all, from_answers, "{retracted:?}");
    }
}

/// A dirty list may report one number a hundred thousand times.
#[test]
fn many_statements_of_one_document_take_no_square_of_their_number() {
    let mut many = Vec::new();
    for round in 0..40_000 {
        for text in [
            "own 10 lost",
            "own 10 withdrawn",
            "own 10 unwithdrawn",
            "other 12 lost",
        ] {
            let mut one = one(text);
            one.edition.as_of = instant(round / 7);
            many.push(one);
        }
    }
    let begin = std::time::Instant::now();
    let unit = Unit::resolve(many, today());
    assert!(begin.elapsed().as_secs() < 20);
    assert!(!unit.statements().is_empty());
}
