//! Lists in Parquet.

use super::*;
use ::parquet::data_type::{ByteArray, ByteArrayType, Int32Type};
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;
use sltd::report::ReportStatus;

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
