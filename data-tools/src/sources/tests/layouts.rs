//! Our own layouts.

use super::*;
use crate::config::{Owns, ThirdParty};
use sltd::document::DocumentType;
use sltd::document::IssuingState;
use sltd::report::ReportStatus;

fn csv() -> SourceConfig {
    SourceConfig::for_bytes(Layout::SltdCsv)
}

const HEADER: &str = "number,issuing_state,type,status,date_of_loss,date_reported,review_date,authority,restriction,owner_reference,range_end\n";

#[test]
fn every_column_of_a_row_arrives() {
    let row = "ab 100000,FRA,passport,stolen_blank,2024-01-02,2024-02-03,2034-02-03,ANTS,R1,ref 1,ab 100009\n";
    check(
        &csv(),
        format!("{HEADER}{row}"),
        &[
            "AB100000..AB100009 FRA passport stolen_blank loss=2024-01-02 reported=2024-02-03 \
           review=2034-02-03 authority=ANTS restriction=R1 reference=ref 1",
        ],
        &[],
    );
}

#[test]
fn columns_come_in_any_order_and_unknown_ones_are_named() {
    let text =
        "status,holder,Number,type, issuing_state,eyes\r\nlost,x,0001,identity_card,DEU,blue\r\n";
    let outcome = read_all_ways(&csv(), "list", text.as_bytes()).unwrap();
    assert_eq!(outcome.rows, ["0001 D identity_card lost"]);
    assert_eq!(
        outcome.account.warnings,
        ["columns that are not known and not read: eyes, holder"]
    );
}

#[test]
fn a_source_fixes_what_rows_do_not_say() {
    let source = SourceConfig {
        issuing_state: IssuingState::parse("LVA").ok(),
        document_type: Some(DocumentType::Passport),
        status: Some(ReportStatus::Revoked),
        authority: Some("PMLP".to_owned()),
        restriction: Some("R9".to_owned()),
        ..csv()
    };
    check(
        &source,
        "number\nLV1\n",
        &["LV1 LVA passport revoked authority=PMLP restriction=R9"],
        &[],
    );
    check(
        &source,
        "number,issuing_state,status,authority\nLV1,,,\nLV2,EST,lost,PPA\n",
        &[
            "LV1 LVA passport revoked authority=PMLP restriction=R9",
            "LV2 EST passport lost authority=PPA restriction=R9",
        ],
        &[],
    );
}

#[test]
fn a_header_that_cannot_be_used_stops_the_source() {
    check_error(
        &csv(),
        "number,issuing_state,type\nA,B,C\n",
        "list: column status is missing; expected it among the columns of the file, or columns = { status = \"...\" } in the \
         source to say which it is, or status = \"...\" to fix it for all rows; found number, issuing_state, type",
    );
    check_error(
        &csv(),
        "A1,FRA,passport,lost\n",
        "list: column number is missing; the first line looks like a row: expected a header with the names of the columns",
    );
    check_error(
        &csv(),
        "\n\n",
        "list: expected the header number,issuing_state,type,status,... on the first line",
    );
    check_error(
        &csv(),
        "number,number\n",
        "list: expected each column once, found number twice",
    );
    check_error(
        &SourceConfig::for_bytes(Layout::Russia),
        "0000,000001\n",
        "list: expected the header PASSP_SERIES,PASSP_NUMBER on the first line",
    );
}

#[test]
fn each_unusable_row_is_rejected_with_field_and_reason() {
    let rejected = |row: &str, expected: &str| {
        let text =
            format!("{HEADER}A1,FRA,passport,lost,,,,,,,\n{row}\nA2,FRA,passport,lost,,,,,,,\n");
        // Of a row that may have slipped by a column, only numbers and codes are kept.
        let kept = match expected.split(',').next() {
            Some("row") => String::new(),
            _ if row.contains(",ticket,") => "\"A1,FRA,,lost,,,,,,,\"".to_owned(),
            _ if row.contains(",gone,") => "\"A1,FRA,passport,,,,,,,,\"".to_owned(),
            _ => format!("\"{row}\""),
        };
        let row = format!("2,{expected},{kept}");
        check(
            &csv(),
            text,
            &["A1 FRA passport lost", "A2 FRA passport lost"],
            &[&row],
        );
    };
    rejected(
        ",FRA,passport,lost,,,,,,,",
        "number,missing: expected a value",
    );
    rejected(
        "A1,,passport,lost,,,,,,,",
        "issuing_state,\"missing: expected a value, or one fixed in the source\"",
    );
    // What is known of a code that can't be taken is said to whoever supplied it.
    rejected(
        "A1,CSK,passport,lost,,,,,,,",
        "issuing_state,CSK is no longer a State; expected the one that answers for the document today: CZE or SVK",
    );
    rejected(
        "A1,XXB,passport,lost,,,,,,,",
        "issuing_state,\"XXB is a nationality, not an issuer; expected the State that printed the document\"",
    );
    rejected(
        "A1,FRA,ticket,lost,,,,,,,",
        "type,\"not known; expected passport, domestic_passport, identity_card, visa, residence_permit, refugee_travel_document, \
         emergency_travel_document, seafarers_document, laissez_passer or other\"",
    );
    rejected(
        "A1,FRA,passport,gone,,,,,,,",
        "status,\"not known; expected lost, stolen, stolen_blank, revoked or invalidated\"",
    );
    let day = "\"expected a day of the calendar as YYYY-MM-DD, found another text\"";
    rejected(
        "A1,FRA,passport,lost,2024-02-30,,,,,,",
        &format!("date_of_loss,{day}"),
    );
    rejected(
        "A1,FRA,passport,lost,,2.3.2024,,,,,",
        &format!("date_reported,{day}"),
    );
    rejected(
        "A1,FRA,passport,lost,,,2024-1-1,,,,",
        &format!("review_date,{day}"),
    );
    rejected("A1,FRA,passport,lost", "row,4 fields: expected 11");
    rejected("A1,FRA,passport,lost,,,,,,,,", "row,12 fields: expected 11");
    rejected(
        "A10,FRA,passport,lost,,,,,,,A09",
        "range_end,\"expected the end of a range at or above its start, found it below\"",
    );
    let long = "r".repeat(256);
    rejected(
        &format!("A1,FRA,passport,lost,,,,,,{long},"),
        "owner_reference,256 bytes: expected at most 255",
    );
}

#[test]
fn reports_end_with_their_review_date_or_ten_years_after_they_were_made() {
    let source = SourceConfig {
        document_type: Some(DocumentType::Passport),
        issuing_state: IssuingState::parse("FRA").ok(),
        ..csv()
    };
    // Today is 2026-11-01.
    for (row, expected) in [
        ("lost,,2026-11-01", "passed"),
        ("lost,,2026-10-31", "expired"),
        ("stolen_blank,,2026-10-31", "expired"),
        ("lost,2001-01-01,2027-01-01", "passed"),
        ("lost,2016-11-01,", "passed"),
        ("lost,2016-10-31,", "expired"),
        ("stolen_blank,1990-01-01,", "passed"),
        ("lost,,", "undated"),
        ("stolen_blank,,", "passed"),
    ] {
        let text = format!("number,status,date_reported,review_date\nA1,{row}\n");
        let account = read_all_ways(&source, "list", text.as_bytes())
            .unwrap()
            .account;
        let found = (account.passed, account.expired, account.undated);
        let expected = match expected {
            "passed" => (1, 0, 0),
            "expired" => (0, 1, 0),
            _ => (1, 0, 1),
        };
        assert_eq!(found, expected, "{row}");
    }
}

#[test]
fn rows_of_states_that_the_source_does_not_own() {
    let states = |codes: &[&str]| {
        Owns::States(
            codes
                .iter()
                .map(|code| IssuingState::parse(code).unwrap())
                .collect(),
        )
    };
    let text =
        "number,issuing_state,type,status\nA1,UKR,visa,lost\nA2,D,visa,lost\nA3,RUS,visa,lost\n";
    let source = SourceConfig {
        owns: states(&["UKR", "D"]),
        ..csv()
    };
    check(
        &source,
        text,
        &["A1 UKR visa lost", "A2 D visa lost"],
        &[
            "3,issuing_state,document of RUS: expected a State that this source owns,\"A3,RUS,visa,lost\"",
        ],
    );
    let source = SourceConfig {
        third_party: ThirdParty::Keep,
        ..source
    };
    check(
        &source,
        text,
        &[
            "A1 UKR visa lost",
            "A2 D visa lost",
            "A3 RUS visa lost third-party",
        ],
        &[],
    );
}

#[test]
fn quotation_marks() {
    let header = "number,issuing_state,type,status,owner_reference\n";
    check(
        &csv(),
        format!(
            "{header}\"A1\",FRA,visa,lost,\"a \"\"b\"\", c\"\nA2,FRA,visa,lost,\"two\r\nlines\"\r\nA3,FRA,visa,lost,5\"\n"
        ),
        &[
            "A1 FRA visa lost reference=a \"b\", c",
            "A2 FRA visa lost reference=two\r\nlines",
            "A3 FRA visa lost reference=5\"",
        ],
        &[],
    );
    // A quotation mark without its pair costs its line, not what follows it.
    let unclosed =
        "quotation mark without its pair before the end of the row: expected a closing one";
    for after in [
        "A2,FRA,visa,lost,\nA3,FRA,visa,lost,\n",
        "A2,FRA,visa,lost,\nA3,FRA,visa,lost,\"q\"\n",
    ] {
        let rows = [
            "A2 FRA visa lost",
            if after.contains('"') {
                "A3 FRA visa lost reference=q"
            } else {
                "A3 FRA visa lost"
            },
        ];
        check(
            &csv(),
            format!("{header}A1,FRA,visa,lost,\"open\n{after}"),
            &rows,
            &[&format!("1,row,{unclosed},")],
        );
    }
}

#[test]
fn lines_of_json() {
    let source = SourceConfig::for_bytes(Layout::SltdJsonl);
    let row = r#"{"number":"0A1","issuing_state":"FRA","type":"visa","status":"lost","date_reported":"2025-01-01","range_end":null,"x":[1]}"#;
    let outcome = read_all_ways(
        &source,
        "list",
        format!("\u{feff}{row}\r\n\n{row}").as_bytes(),
    )
    .unwrap();
    assert_eq!(outcome.rows, ["0A1 FRA visa lost reported=2025-01-01"; 2]);
    assert_eq!(
        outcome.account.warnings,
        ["columns that are not known and not read: x"]
    );
    check(
        &source,
        "{\"number\":1}\nnull\n{\"number\":\"A1\"",
        &[],
        &[
            "1,number,\"expected a text, found a number: leading zeros would be lost\",\"{\"\"number\"\":\"\"1\"\"}\"",
            "2,row,not a JSON object: expected one,",
            "3,row,not a JSON object: error in character 14 of the row,",
        ],
    );
}
