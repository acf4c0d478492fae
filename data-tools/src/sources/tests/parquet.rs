//! Lists in Parquet.

use super::*;
use crate::config::ColumnNames;
use ::parquet::basic::Compression;
use ::parquet::data_type::{
    ByteArray, ByteArrayType, DataType, Int32Type, Int64Type, Int96, Int96Type,
};
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
        "list: column date_reported: expected texts, dates or timestamps, one a row",
    );
    let bytes = file(&[], &[], &SCHEMA.replace("issuing_state", "state"));
    check_error(
        &source(),
        &bytes,
        "list: column issuing_state is missing; expected it among the columns of the file, or columns = { issuing_state = \
         \"...\" } in the source to say which it is, or issuing_state = \"...\" to fix it for all rows; found number, state, \
         type, eyes, date_reported",
    );
}

/// A file of one row: number, State, type, status, and a column of any kind.
fn one_row<T: DataType>(column: &str, value: T::T, codec: Compression) -> Vec<u8> {
    let schema = format!(
        "message reports {{ required binary NUMBER (UTF8); required binary Issuing_State (UTF8); required binary type (UTF8); \
         required binary status (UTF8); required {column}; }}"
    );
    let properties = WriterProperties::builder().set_compression(codec).build();
    let schema = parse_message_type(&schema).unwrap();
    let mut writer =
        SerializedFileWriter::new(Vec::new(), schema.into(), properties.into()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for text in ["A1", "FRA", "visa", "lost"] {
        let mut column = group.next_column().unwrap().unwrap();
        let texts = [ByteArray::from(text)];
        column
            .typed::<ByteArrayType>()
            .write_batch(&texts, None, None)
            .unwrap();
        column.close().unwrap();
    }
    let mut column = group.next_column().unwrap().unwrap();
    column
        .typed::<T>()
        .write_batch(&[value], None, None)
        .unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn of_timestamps_the_day_counts() {
    let source = SourceConfig::for_bytes(Layout::SltdParquet);
    let expected = ["A1 FRA visa lost reported=2024-03-05"];
    // 2024-03-05T23:59:59Z
    let second = 1_709_683_199_i64;
    for (kind, unit) in [
        ("int64 date_reported (TIMESTAMP_MILLIS)", 1_000),
        ("int64 date_reported (TIMESTAMP_MICROS)", 1_000_000),
        ("int64 date_reported (TIMESTAMP(MILLIS,true))", 1_000),
        ("int64 date_reported (TIMESTAMP(MICROS,false))", 1_000_000),
        ("int64 date_reported (TIMESTAMP(NANOS,true))", 1_000_000_000),
    ] {
        let bytes = one_row::<Int64Type>(kind, second * unit, Compression::UNCOMPRESSED);
        check(&source, &bytes, &expected, &[]);
        let loss = kind.replace("date_reported", "date_of_loss");
        let before_1970 = one_row::<Int64Type>(&loss, -86_401 * unit, Compression::UNCOMPRESSED);
        check(
            &source,
            &before_1970,
            &["A1 FRA visa lost loss=1969-12-30"],
            &[],
        );
    }
    let mut julian = Int96::new();
    julian.set_data(0, 0, 2_440_588 + 19_787);
    let bytes = one_row::<Int96Type>("int96 date_reported", julian, Compression::UNCOMPRESSED);
    check(&source, &bytes, &expected, &[]);
    // A form of days in the source is one of texts.
    let source = SourceConfig {
        date_format: crate::config::DateFormat::new("dd.mm.yyyy"),
        ..source
    };
    check(&source, &bytes, &expected, &[]);
    let bytes = one_row::<ByteArrayType>(
        "binary date_reported (UTF8)",
        ByteArray::from("05.03.2024"),
        Compression::UNCOMPRESSED,
    );
    check(&source, &bytes, &expected, &[]);
}

#[test]
fn pages_may_be_packed_with_any_common_codec() {
    let source = SourceConfig::for_bytes(Layout::SltdParquet);
    let text = || ByteArray::from("R");
    for codec in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(Default::default()),
        Compression::ZSTD(Default::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
    ] {
        let bytes = one_row::<ByteArrayType>("binary owner_reference (UTF8)", text(), codec);
        check(&source, &bytes, &["A1 FRA visa lost reference=R"], &[]);
    }
}

/// The codec is a number in the metadata of each column; one that is not read is named.
#[test]
fn a_codec_that_is_not_read_is_named() {
    let column = "binary owner_reference (UTF8)";
    let bytes = one_row::<ByteArrayType>(column, ByteArray::from("R"), Compression::UNCOMPRESSED);
    let read = |bytes: &[u8]| {
        read(
            &SourceConfig::for_bytes(Layout::SltdParquet),
            "list",
            bytes,
            CHUNK_BYTES,
            1,
        )
    };
    let named: Vec<String> = (0..bytes.len())
        .filter_map(|position| {
            // UNCOMPRESSED is written as 0; LZO is 3, BROTLI 4, as zigzag numbers.
            let mut other = bytes.clone();
            if other[position] != 0 {
                return None;
            }
            other[position] = 4 << 1;
            let error = read(&other).err()?.to_string();
            assert!(!error.contains("eature"), "{error}");
            error.contains("BROTLI").then_some(error)
        })
        .collect();
    let expected = "list: its pages are packed with BROTLI: expected UNCOMPRESSED, SNAPPY, GZIP, ZSTD, LZ4 or LZ4_RAW";
    assert_eq!(named, vec![expected; 5]);
}

#[test]
fn a_column_of_no_type_has_no_value() {
    let schema = SCHEMA.replace(
        "optional int32 date_reported (DATE)",
        "optional int32 date_reported (UNKNOWN)",
    );
    let row = [Some("01"), Some("FRA"), Some("visa"), None];
    let outcome = read_all_ways(&source(), "list", &file(&[row], &[None], &schema)).unwrap();
    assert_eq!(outcome.rows, ["01 FRA visa lost"]);
    let source = SourceConfig {
        columns: ColumnNames([("type", "date_reported".to_owned())].into_iter().collect()),
        ..source()
    };
    let error = read_all_ways(&source, "list", &file(&[row], &[None], &schema)).unwrap_err();
    assert!(
        error.contains("column type is missing")
            && error.ends_with("without any value date_reported"),
        "{error}"
    );
}
