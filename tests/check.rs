//! `sltd check` against the real server: every verdict, every exit code, every way in and out.

mod support;

use serde_json::{Value, json};
use support::{NUMBERS, ROWS, Ran, Server, publish, publish_at, sltd, sltd_fed};

/// A passport's zone (Doc 9303 part 4) with all check digits right.
fn passport(issuer: &str, number: &str) -> String {
    let (birth, expiry) = ("800101", "310101");
    let number = with_digit(number);
    let dates = [with_digit(birth), with_digit(expiry)];
    let optional = "<".repeat(15);
    let composite = digit(
        &[&number, &dates[0], &dates[1], &optional]
            .map(String::as_str)
            .concat(),
    );
    let first = format!("{:<<44}", format!("P<{issuer:<<3}SPECIMEN<<ANNA"));
    format!(
        "{first}\n{number}{issuer:<<3}{}F{}{optional}{composite}\n",
        dates[0], dates[1]
    )
}

fn with_digit(field: &str) -> String {
    format!("{field}{}", digit(field))
}

/// The check digit: weights 7, 3, 1 over the values of digits, letters and fillers.
fn digit(text: &str) -> u32 {
    let values = text.chars().map(|c| c.to_digit(36).unwrap_or(0));
    let weighted = values.zip([7, 3, 1].into_iter().cycle());
    weighted.map(|(value, weight)| value * weight).sum::<u32>() % 10
}

/// A card's zone, three lines of 30.
const LOST_CARD: &str = "\
IDD<<L9ZZ900012<<<<<<<<<<<<<<<
8001014F3101012D<<<<<<<<<<<<<8
SPECIMEN<<ANNA<<<<<<<<<<<<<<<<
";

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

#[test]
fn malformed_questions_name_the_field_and_never_the_number() {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), ROWS);
    let server = Server::start(dir.path());
    let url = server.url();
    let long = "7".repeat(25);
    let cases: &[(&[&str], &str, &str)] = &[
        (&["--number", "12AB3#567"], "number", "character 6"),
        (&["--number", &long], "number", "24"),
        (&["--number", " - "], "number", ""),
        (
            &["--number", "12AB34567", "--issuer", "Q1"],
            "issuing_state",
            "",
        ),
    ];
    for (arguments, field, part) in cases {
        let command = ["check", "--server", &url];
        let ran = sltd(&[&command, *arguments].concat())
            .exits(2)
            .says(field)
            .says(part);
        let shown = ran.out + &ran.err;
        assert!(
            !shown.contains("12AB3") && !shown.contains(&long),
            "{shown}"
        );
        let ran = sltd(&[&command, *arguments, &["--json"]].concat()).exits(2);
        let error = &ran.json()[0]["error"];
        assert_eq!(error["code"], json!(3), "{error}");
        let violation = &error["details"][0]["fieldViolations"][0];
        assert_eq!(violation["field"], json!(field), "{error}");
        assert!(
            violation["description"].as_str().unwrap().contains(part),
            "{error}"
        );
    }
}

#[test]
fn several_questions_have_a_line_each_and_one_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), ROWS);
    let server = Server::start(dir.path());
    let numbers = "12AB34567,FRA,passport\n77CC88888,FRA,passport\r\n\n12AB34567\n";
    let zones = format!("{}\n\n{LOST_CARD}\nP<FRA\n", passport("FRA", "77CC88888"));
    let malformed = format!("{numbers}12AB#,FRA\n");
    let file = dir.path().join("zones.mrz");
    std::fs::write(&file, &zones).unwrap();
    let file = file.to_str().unwrap();
    let words = |verdicts: &[&str]| verdicts.iter().map(ToString::to_string).collect::<Vec<_>>();
    let verdicts = words(&["HIT", "NO_RECORD", "REVIEW"]);
    let with_malformed = words(&["HIT", "NO_RECORD", "REVIEW", "MALFORMED"]);
    let of_zones = words(&["NO_RECORD", "HIT", "INCONCLUSIVE"]);
    let cases: &[(&[&str], &str, i32, &[String])] = &[
        (&["--number", "-"], numbers, 0, &verdicts),
        (&["--number", "-"], &malformed, 2, &with_malformed),
        (&["--mrz-file", "-"], &zones, 0, &of_zones),
        (&["--mrz-file", file], "", 0, &of_zones),
        // One question is one question, wherever it comes from.
        (
            &["--number", "-"],
            "12AB34567,FRA,passport\n",
            10,
            &verdicts[..1],
        ),
        (
            &["--number", "-", "--issuer", "FRA", "--type", "passport"],
            "12AB34567",
            10,
            &verdicts[..1],
        ),
        (&["--mrz-file", "-"], LOST_CARD, 10, &verdicts[..1]),
        (&["--number", "-"], "12AB#", 2, &[]),
        (&["--number", "-"], "", 2, &[]),
    ];
    let url = server.url();
    for (arguments, input, code, expected) in cases {
        let ask = |more: &[&str]| {
            let command = [&["check", "--server", &url], *arguments, more].concat();
            sltd_fed(&command, input).exits(*code)
        };
        let people = ask(&[]);
        let firsts: Vec<&str> = match expected {
            [_] => people.out.lines().take(1).collect(),
            _ => people.out.lines().collect(),
        };
        let firsts = firsts
            .iter()
            .map(|line| line.split([' ', ':']).next().unwrap());
        assert!(firsts.eq(expected.iter()), "{expected:?}: {people:#?}");
        let json = ask(&["--json"]).json();
        let verdicts = json.iter().filter(|value| value.get("verdict").is_some());
        let verdicts = verdicts.map(|value| value["verdict"].as_str().unwrap().to_owned());
        let answered = expected.iter().filter(|word| *word != "MALFORMED");
        assert!(
            verdicts.eq(answered.map(|word| format!("VERDICT_{word}"))),
            "{json:#?}"
        );
    }
}

#[test]
fn many_questions_come_back_in_order() {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), ROWS);
    let server = Server::start(dir.path());
    // More than several calls hold; every number tells its place.
    let numbers: String = (0..12_345)
        .map(|n| format!("20BB{n:05},FRA,passport\n"))
        .collect();
    let ran = sltd_fed(
        &[
            "check",
            "--server",
            &server.url(),
            "--json",
            "--number",
            "-",
        ],
        &numbers,
    )
    .exits(0);
    let answers = ran.json();
    assert_eq!(answers.len(), 12_345);
    for (n, answer) in answers.iter().enumerate() {
        assert_eq!(answer["document"]["number"], json!(format!("20BB{n:05}")));
        let reported = (100..200).contains(&n);
        let verdict = if reported {
            "VERDICT_HIT"
        } else {
            "VERDICT_NO_RECORD"
        };
        assert_eq!(answer["verdict"], json!(verdict), "{n}");
    }
}

#[test]
fn a_service_that_does_not_answer_is_exit_code_3() {
    // Bound and closed again: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let nobody = format!("http://127.0.0.1:{port}");
    // Listens and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    for (url, input) in [
        (&nobody, ""),
        (&silent, ""),
        (&nobody, "12AB34567\n77CC88888\n"),
    ] {
        let number = if input.is_empty() { "12AB34567" } else { "-" };
        let command = [
            "check",
            "--server",
            url,
            "--deadline",
            "500ms",
            "--number",
            number,
        ];
        let ran = sltd_fed(&command, input).exits(3);
        assert!(
            !(ran.out.clone() + &ran.err).contains("12AB34567"),
            "{ran:#?}"
        );
        if input.is_empty() {
            ran.says(url);
        } else {
            assert_eq!(ran.out.lines().count(), 2, "{ran:#?}");
        }
    }
}

#[test]
fn wrong_usage_is_exit_code_2_and_says_what_was_expected() {
    let cases: &[(&[&str], &str)] = &[
        (&[], "Usage"),
        (&["check"], "--number"),
        (
            &["check", "--number", "12AB34567", "--mrz", "P<"],
            "cannot be used with",
        ),
        (
            &["check", "--number", "12AB34567", "--type", "book"],
            "identity_card",
        ),
        (
            &["check", "--number", "12AB34567", "--deadline", "5"],
            "500ms",
        ),
        (
            &["check", "--number", "12AB34567", "--server", "nowhere"],
            "http://",
        ),
        (
            &["check", "--mrz-file", "/nowhere/zone.mrz"],
            "/nowhere/zone.mrz",
        ),
        (
            &["check", "--mrz", "P<", "--issuer", "FRA"],
            "cannot be used with",
        ),
        (&["serve", "--listen", "here"], "--listen"),
        (
            &["serve", "--config", "/nowhere/sltd.toml"],
            "/nowhere/sltd.toml",
        ),
        (&["serve", "--drain", "soon"], "8s"),
        (&["look-up"], "look-up"),
    ];
    for (arguments, part) in cases {
        sltd(arguments).exits(2).says(part);
    }
}

#[test]
fn help_and_version_and_completions() {
    let version = sltd(&["--version"]).exits(0);
    assert_eq!(
        version.out.trim(),
        concat!("sltd ", env!("CARGO_PKG_VERSION"))
    );
    for (arguments, parts) in [
        (
            ["check", "--help"],
            ["10  HIT", "--mrz-file", "127.0.0.1:7440"],
        ),
        (["serve", "--help"], ["SIGTERM", "--drain", "var/store"]),
        (["completions", "bash"], ["_sltd", "check", "serve"]),
    ] {
        let shown: Ran = sltd(&arguments).exits(0);
        for part in parts {
            assert!(shown.out.contains(part), "{part}: {}", shown.out);
        }
    }
}

#[test]
fn output_cut_short_is_no_error() {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), ROWS);
    let server = Server::start(dir.path());
    let numbers: String = (0..5_000).map(|n| format!("20BB{n:05}\n")).collect();
    let file = dir.path().join("numbers");
    std::fs::write(&file, numbers).unwrap();
    let script = format!(
        "set -o pipefail; {} check --server {} --number - < {} | head -n 1 > /dev/null",
        env!("CARGO_BIN_EXE_sltd"),
        server.url(),
        file.display()
    );
    let status = std::process::Command::new("bash")
        .args(["-c", &script])
        .status()
        .unwrap();
    assert_eq!(
        status.code(),
        Some(0),
        "a reader that has seen enough is no failure"
    );
    assert!(!NUMBERS.iter().any(|number| server.log().contains(number)));
}
