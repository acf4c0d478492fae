//! Input, output and exit codes as tables. The command as a whole is tested as a process.

use sltd::client::outcomes::{Outcome, Printer};
use sltd::client::questions::{Defaults, Item, Source, read};
use sltd::client::{Answer, ClientError, Fault, Question, Verdict};
use sltd::document::DocumentType;
use std::io::{self, Cursor};

fn read_all(source: Source) -> Vec<Item> {
    let mut items = Vec::new();
    let hand_over = &mut |item| {
        items.push(item);
        true
    };
    read(source, hand_over).unwrap();
    items
}

/// What is expected of an item: the question, or the field and a part of what was expected.
type Expected<'a> = (u64, Result<Question, (&'a str, &'a str)>);

fn check(source: Source, expected: &[Expected<'_>], input: &str) {
    let items = read_all(source);
    assert_eq!(items.len(), expected.len(), "{input:?}: {items:?}");
    for (item, (line, question)) in items.iter().zip(expected) {
        assert_eq!(item.line, *line, "{input:?}");
        match (&item.question, question) {
            (Ok(got), Ok(expected)) => assert!(got == expected, "{input:?}: {got:?}"),
            (Err(fault), Err((field, part))) => {
                assert_eq!(fault.field, *field, "{input:?}");
                assert!(fault.description.contains(part), "{input:?}: {fault}");
                assert!(
                    !fault.to_string().contains("X0000001"),
                    "{input:?}: {fault}"
                );
            }
            (got, _) => panic!("{input:?}: {got:?}"),
        }
    }
}

fn number(number: &str) -> Question {
    Question::number(number)
}

#[test]
fn lines_of_numbers() {
    let visa = DocumentType::Visa;
    let passport = DocumentType::Passport;
    let none = Defaults::default();
    let some = Defaults {
        issuer: "UTO".to_owned(),
        document_type: Some(passport),
    };
    let long = format!("{}\nX0000001", "A".repeat(1_025));
    let longest = "A".repeat(1_024);
    let cases: &[(&str, &Defaults, &[Expected<'_>])] = &[
        ("", &none, &[]),
        ("\n \r\n\t\n", &none, &[]),
        ("X0000001", &none, &[(1, Ok(number("X0000001")))]),
        (
            "X0000001\r\n\r\n X 2 \n",
            &none,
            &[(1, Ok(number("X0000001"))), (3, Ok(number("X 2")))],
        ),
        ("\u{feff}X0000001\n", &none, &[(1, Ok(number("X0000001")))]),
        (
            "X1,UTO",
            &none,
            &[(1, Ok(number("X1").issuing_state("UTO")))],
        ),
        (
            "X1, UTO , visa \r\n",
            &none,
            &[(1, Ok(number("X1").issuing_state("UTO").document_type(visa)))],
        ),
        (
            "X1,,VISA",
            &none,
            &[(1, Ok(number("X1").document_type(visa)))],
        ),
        ("X1,,", &none, &[(1, Ok(number("X1")))]),
        (
            "X1",
            &some,
            &[(
                1,
                Ok(number("X1").issuing_state("UTO").document_type(passport)),
            )],
        ),
        (
            "X1,D",
            &some,
            &[(
                1,
                Ok(number("X1").issuing_state("D").document_type(passport)),
            )],
        ),
        (
            "X1,,visa",
            &some,
            &[(1, Ok(number("X1").issuing_state("UTO").document_type(visa)))],
        ),
        // The service knows what a number is, an empty one too.
        (
            "Issuing State;Type;Number\r\nUTO;visa;\"X1\"\r\n",
            &none,
            &[(2, Ok(number("X1").issuing_state("UTO").document_type(visa)))],
        ),
        (
            "X1\rX2\r\rX3",
            &none,
            &[
                (1, Ok(number("X1"))),
                (2, Ok(number("X2"))),
                (4, Ok(number("X3"))),
            ],
        ),
        (
            "\"X0000001,UTO",
            &none,
            &[(1, Err(("number", "closes the field")))],
        ),
        (",UTO", &none, &[(1, Ok(number("").issuing_state("UTO")))]),
        (
            "UTO,D,X0000001\nX1",
            &none,
            &[(1, Err(("type", "passport"))), (2, Ok(number("X1")))],
        ),
        (
            "X0000001,UTO,visa,,x",
            &none,
            &[(1, Err(("number", "got 5 fields")))],
        ),
        (
            &long,
            &none,
            &[
                (1, Err(("number", "at most 1024 bytes"))),
                (2, Ok(number("X0000001"))),
            ],
        ),
        (&longest, &none, &[(1, Ok(number(&longest)))]),
    ];
    for (input, defaults, expected) in cases {
        let bytes = Box::new(Cursor::new(input.to_string()));
        check(Source::Numbers(bytes, (*defaults).clone()), expected, input);
        // The same through a buffer that ends in the middle of everything.
        let bytes = io::BufReader::with_capacity(3, Cursor::new(input.to_string()));
        check(
            Source::Numbers(Box::new(bytes), (*defaults).clone()),
            expected,
            input,
        );
    }
    let latin = Box::new(Cursor::new(b"\xc0X0000001\nX1".as_slice()));
    let expected = [(1, Err(("number", "UTF-8"))), (2, Ok(number("X1")))];
    check(Source::Numbers(latin, none), &expected, "not UTF-8");
}

#[test]
fn zones() {
    let zone = |text: &str| Question::zone(text);
    let long = format!("A\n{}\nB\n\nC", "A".repeat(1_023));
    let line = |length: usize| format!("P{}\n", "<".repeat(length - 1));
    let (td3, td1, lost) = (line(44).repeat(2), line(30).repeat(3), line(44));
    let parted = [
        line(44),
        line(44),
        line(30),
        line(30),
        line(30),
        td3.clone(),
        lost.clone(),
        td3.clone(),
        lost.clone(),
    ]
    .join("\n")
    .replacen("\n\n", "\n\n\n", 1);
    // Permits of one line, and a card whose first line may be one.
    let permit = "CSC123456780<<<<<<<<<<<<<<<<<<\n";
    let card = [
        "CSFRA99AB020515<<<<<<<<<<<<<<<\n",
        "8001014F2801016FRA<<<<<<<<<<<4\n",
        "DOE<<JANE<<<<<<<<<<<<<<<<<<<<<\n",
    ];
    let permits = [permit, permit, card[0], card[1], card[2], permit].join("\n");
    let swiss = [
        "AAA001D<<\n",
        "FACHE123456789012<<800101<<<<<\n",
        "DOE<<JANE<<<<<<<<<<<<<<<<<<<<«\n",
    ];
    let (parted_swiss, swiss) = (swiss.join("\n"), swiss.concat());
    let card = card.concat();
    let cases: &[(&str, &[Expected<'_>])] = &[
        ("", &[]),
        ("\n\r\n \n", &[]),
        ("\u{2}\nA<\nB<\n\u{3}\n", &[(2, Ok(zone("A<\nB<\n")))]),
        ("A<\nB<", &[(1, Ok(zone("A<\nB<\n")))]),
        ("A<\r\nB<\r\n", &[(1, Ok(zone("A<\nB<\n")))]),
        (
            "\u{feff}A\n\nB\nC\n \r\n\n\nD",
            &[
                (1, Ok(zone("A\n"))),
                (3, Ok(zone("B\nC\n"))),
                (8, Ok(zone("D\n"))),
            ],
        ),
        // Lines parted by empty ones: one zone where together they have a layout, and none has alone.
        (
            &parted,
            &[
                (1, Ok(zone(&td3))),
                (6, Ok(zone(&td1))),
                (12, Ok(zone(&td3))),
                (15, Ok(zone(&lost))),
                (17, Ok(zone(&td3))),
                (20, Ok(zone(&lost))),
            ],
        ),
        (
            &permits,
            &[
                (1, Ok(zone(permit))),
                (3, Ok(zone(permit))),
                (5, Ok(zone(&card))),
                (11, Ok(zone(permit))),
            ],
        ),
        (&parted_swiss, &[(1, Ok(zone(&swiss)))]),
        (
            &long,
            &[
                (1, Err(("mrz", "at most 1024 bytes"))),
                (5, Ok(zone("C\n"))),
            ],
        ),
    ];
    for (input, expected) in cases {
        check(
            Source::Zones(Box::new(Cursor::new(input.to_string()))),
            expected,
            input,
        );
    }
    let latin = Box::new(Cursor::new(b"A\n\xc0\nB\n\nC".as_slice()));
    let expected = [(1, Err(("mrz", "UTF-8"))), (5, Ok(zone("C\n")))];
    check(Source::Zones(latin), &expected, "not UTF-8");
}

/// Numbers without end.
struct Endless;

impl io::Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        for (byte, next) in buffer.iter_mut().zip(b"X1\n".iter().cycle()) {
            *byte = *next;
        }
        Ok(buffer.len() / 3 * 3)
    }
}

#[test]
fn reading_stops_when_nobody_wants_more() {
    let mut count = 0;
    let source = Source::Numbers(Box::new(io::BufReader::new(Endless)), Defaults::default());
    let hand_over = &mut |_| {
        count += 1;
        count < 10
    };
    read(source, hand_over).unwrap();
    assert_eq!(count, 10);
}

fn answered(verdict: i32) -> Outcome {
    Outcome::answered(Answer {
        verdict,
        ..Answer::default()
    })
}

fn of(verdict: Verdict) -> Outcome {
    answered(verdict.into())
}

fn malformed() -> Outcome {
    let description = "character 3: expected a letter".to_owned();
    Outcome::malformed(
        7,
        vec![Fault {
            field: "number".to_owned(),
            description,
        }],
    )
}

fn failed() -> Outcome {
    let (endpoint, message) = ("http://[::1]:1".to_owned(), "refused".to_owned());
    Outcome::failed(8, ClientError::Unavailable { endpoint, message })
}

/// What stands on standard output, the exit code, and what stands on standard error.
fn printed(outcomes: &[Outcome], json: bool, broken_off: bool) -> (String, u8, String) {
    let mut out = Vec::new();
    let mut printer = Printer::new(&mut out, json);
    for outcome in outcomes {
        printer.print(outcome.clone()).unwrap();
    }
    let error = broken_off.then(|| io::Error::other("cut off"));
    printer.end(error).unwrap();
    let tally = printer.tally();
    let (code, complaint) = (tally.exit_code(), tally.complaint().unwrap_or_default());
    drop(printer);
    (String::from_utf8(out).unwrap(), code, complaint)
}

#[test]
fn exit_codes() {
    use Verdict::{Hit, Inconclusive, NoRecord, Refer, Review};
    // Outcomes; exit code; its code if the input broke off after them.
    let cases = [
        (vec![], 2, 2),
        (vec![of(NoRecord)], 0, 2),
        (vec![of(Hit)], 10, 2),
        (vec![of(Review)], 11, 2),
        (vec![of(Inconclusive)], 12, 2),
        (vec![of(Refer)], 13, 2),
        (vec![answered(0)], 3, 3),
        (vec![answered(77)], 3, 3),
        (vec![malformed()], 2, 2),
        (vec![failed()], 3, 3),
        (vec![of(Hit), of(Hit)], 0, 2),
        (vec![of(NoRecord), of(Refer), of(Hit)], 0, 2),
        (vec![of(Hit), malformed()], 2, 2),
        (vec![malformed(), malformed()], 2, 2),
        (vec![failed(), of(Hit)], 3, 3),
        (vec![failed(), malformed(), of(Hit)], 3, 3),
        (vec![malformed(), failed()], 3, 3),
        (vec![of(Hit), answered(77)], 3, 3),
    ];
    for (outcomes, code, broken_off) in cases {
        for json in [false, true] {
            assert_eq!(printed(&outcomes, json, false).1, code, "{outcomes:?}");
            assert_eq!(printed(&outcomes, json, true).1, broken_off, "{outcomes:?}");
        }
    }
}

#[test]
fn one_is_printed_at_length_and_several_in_a_line_each() {
    let (full, _, complaint) = printed(&[of(Verdict::NoRecord)], false, false);
    assert!(
        full.starts_with("NO_RECORD: ") && full.lines().count() > 1,
        "{full}"
    );
    assert_eq!(complaint, "");
    let outcomes = [
        of(Verdict::NoRecord),
        malformed(),
        failed(),
        of(Verdict::Hit),
    ];
    let (text, _, complaint) = printed(&outcomes, false, false);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert!(lines[0].starts_with("NO_RECORD    "), "{text}");
    assert_eq!(
        lines[1],
        "MALFORMED    line 7: number: character 3: expected a letter"
    );
    assert_eq!(
        lines[2],
        "FAILED       line 8: http://[::1]:1 is not available: refused"
    );
    assert!(lines[3].starts_with("HIT          "), "{text}");
    assert_eq!(complaint, "");
    let (text, _, _) = printed(&outcomes, true, false);
    let json = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let json: Vec<_> = json.collect();
    assert_eq!(json.len(), 4, "{text}");
    assert_eq!(json[0]["verdict"], "VERDICT_NO_RECORD");
    assert_eq!(json[1]["error"]["code"], 3);
    assert_eq!(
        json[1]["error"]["details"][0]["fieldViolations"][0]["field"],
        "number"
    );
    assert_eq!(json[2]["error"]["code"], 14);
    assert_eq!(json[3]["verdict"], "VERDICT_HIT");
}

#[test]
fn what_goes_wrong_with_one_is_said_on_standard_error() {
    let cases = [
        (vec![], false, "got an empty input"),
        (
            vec![malformed()],
            false,
            "malformed question: number: character 3: expected a letter",
        ),
        (
            vec![failed()],
            false,
            "http://[::1]:1 is not available: refused",
        ),
        (vec![of(Verdict::Hit)], true, "cut off"),
    ];
    for (outcomes, broken_off, part) in cases {
        let (text, _, complaint) = printed(&outcomes, false, broken_off);
        assert!(complaint.contains(part), "{complaint}");
        assert_eq!(text.is_empty(), !broken_off, "{text}");
    }
}

#[test]
fn command_lines() {
    use clap::Parser as _;
    let cases: &[(&[&str], bool)] = &[
        (&["--number", "X1"], true),
        (
            &[
                "--number",
                "-",
                "--issuer",
                "UTO",
                "--type",
                "identity_card",
                "--json",
            ],
            true,
        ),
        (&["--mrz-file", "-", "--deadline", "500ms"], true),
        (&["--mrz", "A", "--server", "http://[::1]:1"], true),
        (&[], false),
        (&["--json"], false),
        (&["--number", "X1", "--mrz", "A"], false),
        (&["--mrz-file", "F", "--mrz", "A"], false),
        (&["--mrz", "A", "--issuer", "UTO"], false),
        (&["--mrz-file", "F", "--type", "visa"], false),
        (&["--number", "X1", "--type", "book"], false),
        (&["--number", "X1", "--deadline", "5"], false),
        (&["X1"], false),
    ];
    for (arguments, valid) in cases {
        let line = ["sltd", "check"].iter().chain(*arguments);
        let parsed = super::super::Cli::try_parse_from(line);
        assert_eq!(parsed.is_ok(), *valid, "{arguments:?}: {parsed:?}");
    }
}
