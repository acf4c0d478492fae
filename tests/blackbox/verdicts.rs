//! Every verdict has its exit code, its words and its JSON.

use crate::support::{
    LOST_CARD, ROWS, Server, digit, passport_zone as passport, publish, publish_at, sltd,
};
use serde_json::{Value, json};

/// What is expected of an answer: places in the JSON (RFC 6901) and what stands there.
type Expected<'a> = &'a [(&'a str, Value)];

#[test]
fn every_verdict_has_its_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), ROWS);
    let server = Server::start(dir.path());
    let url = server.url();
    let hit = passport("FRA", "12AB34567");
    let clean = passport("FRA", "77CC88888");
    // One character read as another, so that the digit after the number fails.
    let misread = clean.replacen("77CC88888", "77CC88887", 1);
    let wrong_digit = |zone: &str, number: &str| {
        let right = format!("{number}{}", digit(number));
        let wrong = format!("{number}{}", (digit(number) + 1) % 10);
        assert!(zone.contains(&right));
        zone.replacen(&right, &wrong, 1)
    };
    let misread_hit = wrong_digit(&hit, "12AB34567");
    let cases: &[(&[&str], i32, &str, Expected<'_>)] = &[
        (
            &[
                "--number",
                "12AB34567",
                "--issuer",
                "FRA",
                "--type",
                "passport",
            ],
            10,
            "HIT",
            &[
                ("/verdict", json!("VERDICT_HIT")),
                ("/reasons", json!([])),
                ("/document/number", json!("12AB34567")),
                ("/document/issuingState", json!("FRA")),
                ("/document/type", json!("DOCUMENT_TYPE_PASSPORT")),
                ("/sameNumberOtherIssuers", json!(0)),
                ("/matches/0/status", json!("REPORT_STATUS_STOLEN")),
                ("/matches/0/issuingState", json!("FRA")),
                ("/matches/0/type", json!("DOCUMENT_TYPE_PASSPORT")),
                ("/matches/0/dateOfLoss", json!("2026-10-01")),
                ("/matches/0/dateReported", json!("2026-10-02")),
                (
                    "/matches/0/authority/name",
                    json!("National Central Bureau"),
                ),
                (
                    "/matches/0/authority/contact",
                    json!("+999 1, day and night"),
                ),
                ("/matches/0/confirmWithAuthority", json!(true)),
                ("/matches/1", Value::Null),
                ("/snapshot/generation", json!("1")),
                ("/snapshot/stale", json!(false)),
                ("/coverage/level", json!("COVERAGE_LEVEL_CURRENT")),
                ("/coverage/documents", json!("101")),
                ("/coverage/newestReport", json!("2026-10-02")),
                ("/formatPlausible", json!(true)),
            ],
        ),
        (
            &[
                "--number",
                " 12-ab 34.567",
                "--issuer",
                "fr",
                "--type",
                "passport",
            ],
            10,
            "HIT",
            &[("/document/number", json!("12AB34567"))],
        ),
        (
            &[
                "--number",
                "20BB00142",
                "--issuer",
                "FRA",
                "--type",
                "passport",
            ],
            10,
            "HIT",
            &[("/matches/0/status", json!("REPORT_STATUS_STOLEN_BLANK"))],
        ),
        (
            &[
                "--number",
                "C4ZZ12345",
                "--issuer",
                "DEU",
                "--type",
                "passport",
            ],
            10,
            "HIT",
            &[
                ("/document/issuingState", json!("D")),
                ("/matches/0/status", json!("REPORT_STATUS_REVOKED")),
            ],
        ),
        (
            &["--number", "Х0440041", "--issuer", "UKR", "--type", "visa"],
            10,
            "HIT",
            &[
                ("/document/number", json!("X0440041")),
                ("/matches/0/status", json!("REPORT_STATUS_INVALIDATED")),
            ],
        ),
        (
            &["--mrz", &hit],
            10,
            "HIT",
            &[
                ("/mrz/layout", json!("MRZ_LAYOUT_TD3")),
                ("/mrz/failedCheckDigits", json!([])),
                ("/document/number", json!("12AB34567")),
            ],
        ),
        (
            &["--mrz", LOST_CARD],
            10,
            "HIT",
            &[
                ("/mrz/layout", json!("MRZ_LAYOUT_TD1")),
                ("/matches/0/status", json!("REPORT_STATUS_LOST")),
                ("/document/issuingState", json!("D")),
            ],
        ),
        (
            &["--number", "12AB34567", "--issuer", "FRA"],
            11,
            "REVIEW",
            &[("/reasons", json!(["REASON_TYPE_NOT_GIVEN"]))],
        ),
        (
            &["--number", "12AB34567"],
            11,
            "REVIEW",
            &[
                (
                    "/reasons",
                    json!(["REASON_TYPE_NOT_GIVEN", "REASON_ISSUER_NOT_GIVEN"]),
                ),
                ("/coverage", Value::Null),
            ],
        ),
        (
            &[
                "--number",
                "12AB34567",
                "--issuer",
                "QQQ",
                "--type",
                "passport",
            ],
            11,
            "REVIEW",
            &[
                ("/reasons", json!(["REASON_ISSUER_UNKNOWN"])),
                ("/document/issuingState", json!("QQQ")),
            ],
        ),
        (
            &[
                "--number",
                "33XY00007",
                "--issuer",
                "FRA",
                "--type",
                "passport",
            ],
            11,
            "REVIEW",
            &[
                ("/reasons", json!(["REASON_THIRD_PARTY_REPORT"])),
                ("/matches/0/source", json!("NLD")),
            ],
        ),
        (
            &[
                "--number",
                "L9ZZ90001",
                "--issuer",
                "D",
                "--type",
                "passport",
            ],
            11,
            "REVIEW",
            &[("/reasons", json!(["REASON_TYPE_INCOMPATIBLE"]))],
        ),
        (
            &["--mrz", &misread_hit],
            11,
            "REVIEW",
            &[
                ("/reasons", json!(["REASON_NUMBER_CHECK_DIGIT_FAILED"])),
                (
                    "/mrz/failedCheckDigits/0",
                    json!("CHECK_DIGIT_DOCUMENT_NUMBER"),
                ),
            ],
        ),
        (
            &[
                "--number",
                "12AB34567",
                "--issuer",
                "USA",
                "--type",
                "passport",
            ],
            0,
            "NO_RECORD",
            &[
                ("/verdict", json!("VERDICT_NO_RECORD")),
                ("/sameNumberOtherIssuers", json!(1)),
                ("/matches", json!([])),
            ],
        ),
        (
            &[
                "--number",
                "77CC88888",
                "--issuer",
                "FRA",
                "--type",
                "passport",
            ],
            0,
            "NO_RECORD",
            &[("/coverage/level", json!("COVERAGE_LEVEL_CURRENT"))],
        ),
        (
            &[
                "--number",
                "77CC88888",
                "--issuer",
                "JPN",
                "--type",
                "passport",
            ],
            0,
            "NO_RECORD",
            &[
                ("/coverage/level", json!("COVERAGE_LEVEL_NONE")),
                ("/coverage/documents", json!("0")),
            ],
        ),
        (
            &["--mrz", &clean],
            0,
            "NO_RECORD",
            &[("/mrz/failedCheckDigits", json!([]))],
        ),
        (
            &["--mrz", &misread],
            12,
            "INCONCLUSIVE",
            &[
                ("/reasons", json!(["REASON_MISREAD"])),
                ("/document/number", json!("77CC88887")),
            ],
        ),
        (
            &["--mrz", "P<FRA"],
            12,
            "INCONCLUSIVE",
            &[
                ("/reasons", json!(["REASON_UNREADABLE"])),
                ("/document", Value::Null),
                ("/mrz", Value::Null),
            ],
        ),
    ];
    for (arguments, code, word, expected) in cases {
        let ask = |more: &[&str]| {
            let command = ["check", "--server", &url];
            sltd(&[&command, *arguments, more].concat()).exits(*code)
        };
        let people = ask(&[]);
        assert!(people.out.starts_with(&format!("{word}: ")), "{people:#?}");
        let answers = ask(&["--json"]).json();
        assert_eq!(answers.len(), 1, "one line: {answers:#?}");
        for (pointer, value) in *expected {
            let found = answers[0].pointer(pointer).unwrap_or(&Value::Null);
            assert_eq!(found, value, "{arguments:?} {pointer}: {:#}", answers[0]);
        }
    }
}

#[test]
fn data_past_its_hard_age_is_inconclusive_but_hits_stay() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    publish_at(&store, ROWS, "2026-10-10T00:00:00Z".parse().unwrap());
    let config = dir.path().join("sltd.toml");
    std::fs::write(&config, "soft_age = \"1s\"\nhard_age = \"2s\"\n").unwrap();
    let server = Server::start_with(&store, &["--config", config.to_str().unwrap()], "info");
    let ask = |number| {
        let url = server.url();
        let question = ["--number", number, "--issuer", "FRA", "--type", "passport"];
        sltd(&[&["check", "--json", "--server", &url], &question[..]].concat())
    };
    let miss = ask("77CC88888").exits(12).json();
    assert_eq!(miss[0]["reasons"], json!(["REASON_DATA_TOO_OLD"]));
    assert_eq!(miss[0]["snapshot"]["stale"], json!(true));
    assert_eq!(miss[0]["coverage"]["level"], json!("COVERAGE_LEVEL_STALE"));
    ask("12AB34567").exits(10);
}
