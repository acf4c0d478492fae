//! Our own layouts.

use super::*;
use crate::config::{Owns, ThirdParty};
use sltd::document::DocumentType;
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
        "list: column status is missing; expected it among the columns of the file, or its value fixed in the source",
    );
    check_error(
        &csv(),
        "A1,FRA,passport,lost\n",
        "list: column number is missing; expected it among the columns of the file",
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
        let row = format!(
            "2,{expected},{}",
            if row.contains(',') {
                format!("\"{row}\"")
            } else {
                row.to_owned()
            }
        );
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
        "A1,FRA,pass,lost,,,,,,,",
        "type,\"expected passport, domestic_passport, identity_card, visa, residence_permit, refugee_travel_document, \
         emergency_travel_document, seafarers_document, laissez_passer or other, found another text\"",
    );
    rejected(
        "A1,FRA,passport,gone,,,,,,,",
        "status,\"expected lost, stolen, stolen_blank, revoked or invalidated, found another text\"",
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
            &[&format!("1,row,{unclosed},\"A1,FRA,visa,lost,\"\"open\"")],
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
            "1,number,\"expected a text, found a number: leading zeros would be lost\",\"{\"\"number\"\":1}\"",
            "2,row,not a JSON object: expected one,null",
            "3,row,not a JSON object: error in character 14 of the row,\"{\"\"number\"\":\"\"A1\"\"\"",
        ],
    );
}

mod parquet_files {
    use super::*;
    use ::parquet::data_type::{ByteArray, ByteArrayType, Int32Type};
    use ::parquet::file::properties::WriterProperties;
    use ::parquet::file::writer::SerializedFileWriter;
    use ::parquet::schema::parser::parse_message_type;

    /// A file with optional texts, one a row, and a column of dates.
    fn file(rows: &[[Option<&str>; 4]], dates: &[Option<i32>], schema: &str) -> Vec<u8> {
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let properties = Arc::new(WriterProperties::builder().build());
        let mut writer = SerializedFileWriter::new(Vec::new(), schema, properties).unwrap();
        for part in [0..rows.len() / 2, rows.len() / 2..rows.len()] {
            let mut group = writer.next_row_group().unwrap();
            for column in 0..4 {
                let cells: Vec<_> = rows[part.clone()].iter().map(|row| row[column]).collect();
                let levels: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
                let values: Vec<_> = cells
                    .iter()
                    .flatten()
                    .map(|&cell| ByteArray::from(cell))
                    .collect();
                let mut writer = group.next_column().unwrap().unwrap();
                writer
                    .typed::<ByteArrayType>()
                    .write_batch(&values, Some(&levels), None)
                    .unwrap();
                writer.close().unwrap();
            }
            let levels: Vec<i16> = dates[part.clone()]
                .iter()
                .map(|day| i16::from(day.is_some()))
                .collect();
            let values: Vec<_> = dates[part.clone()].iter().flatten().copied().collect();
            let mut writer = group.next_column().unwrap().unwrap();
            writer
                .typed::<Int32Type>()
                .write_batch(&values, Some(&levels), None)
                .unwrap();
            writer.close().unwrap();
            group.close().unwrap();
        }
        writer.into_inner().unwrap()
    }

    const SCHEMA: &str = "message list { optional binary number (UTF8); optional binary issuing_state (UTF8); \
        optional binary type; optional binary eyes (UTF8); optional int32 date_reported (DATE); }";

    fn source() -> SourceConfig {
        SourceConfig {
            status: Some(ReportStatus::Lost),
            ..SourceConfig::for_bytes(Layout::SltdParquet)
        }
    }

    #[test]
    fn rows_of_all_row_groups() {
        let rows = [
            [Some("01"), Some("FRA"), Some("visa"), Some("blue")],
            [Some("02"), None, Some("visa"), None],
            [Some("03"), Some("DEU"), Some("passport"), None],
            [None, Some("DEU"), Some("passport"), None],
        ];
        let bytes = file(&rows, &[Some(20_000), None, None, Some(1)], SCHEMA);
        let outcome = read_all_ways(&source(), "list", &bytes).unwrap();
        assert_eq!(
            outcome.rows,
            ["01 FRA visa lost reported=2024-10-04", "03 D passport lost"]
        );
        let expected = [
            "2,issuing_state,\"missing: expected a value, or one fixed in the source\",\
             \"{\"\"number\"\":\"\"02\"\",\"\"type\"\":\"\"visa\"\"}\"",
            "4,number,missing: expected a value,\"{\"\"date_reported\"\":\"\"1970-01-02\"\",\
             \"\"issuing_state\"\":\"\"DEU\"\",\"\"type\"\":\"\"passport\"\"}\"",
        ];
        assert_eq!(outcome.rejects.lines().collect::<Vec<_>>(), expected);
        assert_eq!(
            outcome.account.warnings,
            ["columns that are not known and not read: eyes"]
        );
    }

    #[test]
    fn a_damaged_file_stops_the_source_and_never_panics() {
        let row = [Some("01"), Some("FRA"), Some("visa"), Some("blue")];
        let bytes = file(&[row; 4], &[Some(20_000); 4], SCHEMA);
        for cut in 1..bytes.len() {
            assert!(
                read(&source(), "list", &bytes[..cut], CHUNK_BYTES, 1).is_err(),
                "cut to {cut}"
            );
        }
        for position in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[position] ^= 0x55;
            let _ = read(&source(), "list", &damaged, CHUNK_BYTES, 1);
        }
    }

    #[test]
    fn columns_of_other_types_stop_the_source() {
        let schema = SCHEMA
            .replace(
                "optional int32 date_reported (DATE)",
                "optional int32 number2",
            )
            .replace("eyes", "status");
        let bytes = file(&[], &[], &schema.replace("number2", "date_reported"));
        check_error(
            &source(),
            &bytes,
            "list: column date_reported: expected texts or dates, one a row",
        );
        let bytes = file(&[], &[], &SCHEMA.replace("issuing_state", "state"));
        check_error(
            &source(),
            &bytes,
            "list: column issuing_state is missing; expected it among the columns of the file, or its value fixed in the source",
        );
    }
}
