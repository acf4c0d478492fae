//! Files as they come: packed, marked, cut short, empty, far too long.

use std::io::Write;

use super::*;
use crate::config::Compression;

pub(super) const TEXT: &str =
    "number,issuing_state,type,status\nA1,FRA,visa,lost\nA2,FRA,visa,lost\nA3,FRA,visa,lost\n";
pub(super) const ROWS: [&str; 3] = ["A1 FRA visa lost", "A2 FRA visa lost", "A3 FRA visa lost"];

pub(super) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

pub(super) fn bzip2(text: &[u8]) -> Vec<u8> {
    let mut packed = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

pub(super) fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(text, 1).unwrap()
}

pub(super) fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in entries {
        archive
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        archive.write_all(text).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

pub(super) fn any_packing(layout: Layout) -> SourceConfig {
    SourceConfig {
        compression: None,
        ..SourceConfig::for_bytes(layout)
    }
}

fn csv() -> SourceConfig {
    any_packing(Layout::SltdCsv)
}

#[test]
fn packed_files_are_known_by_their_first_bytes_and_read_to_the_last_member() {
    let (first, second) = TEXT.as_bytes().split_at(50);
    for packed in [
        TEXT.as_bytes().to_vec(),
        gzip(TEXT.as_bytes()),
        [gzip(first), gzip(second)].concat(),
        bzip2(TEXT.as_bytes()),
        [bzip2(first), bzip2(second)].concat(),
        zstd(TEXT.as_bytes()),
        [zstd(first), zstd(second)].concat(),
        zip(&[("list.csv", TEXT.as_bytes())]),
    ] {
        check(&csv(), packed, &ROWS, &[]);
    }
}

/// Many rows that do not pack to nothing.
fn long_list() -> String {
    let mut text = "number,issuing_state,type,status\n".to_owned();
    let mut state = 1_u64;
    for _ in 0..20_000 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        text.push_str(&format!("{state:X},FRA,visa,lost\n"));
    }
    text
}

#[test]
fn a_truncated_file_stops_the_source_and_says_how_far_it_was_read() {
    let text = long_list();
    for (pack, kept) in [
        (gzip as fn(&[u8]) -> Vec<u8>, "gzip"),
        (bzip2, "bzip2"),
        (zstd, "zstd"),
    ] {
        let whole = pack(text.as_bytes());
        for cut in [whole.len() / 2, whole.len() - 1] {
            let error = read(&csv(), "list", &whole[..cut], 10_000, 2).unwrap_err();
            let SourceError::Damaged { file, rows, .. } = &error else {
                panic!("{kept} {cut}: {error}")
            };
            assert_eq!(file, "list");
            // Every packing works in blocks; what lies in whole ones before the cut is read.
            assert!(
                *rows < 20_000 && (kept == "zstd" || cut < whole.len() - 1 || *rows > 10_000),
                "{kept} {cut}: {rows}"
            );
        }
    }
    let archive = zip(&[("list.csv", text.as_bytes())]);
    for cut in [archive.len() / 2, archive.len() - 1] {
        let error = read(&csv(), "list", &archive[..cut], 10_000, 2).unwrap_err();
        assert!(
            matches!(error, SourceError::Damaged { rows: 0, .. }),
            "{error}"
        );
    }
    let mut damaged = archive;
    damaged[1000] ^= 0xff;
    let error = read(&csv(), "list", &damaged, 10_000, 2).unwrap_err();
    assert!(matches!(error, SourceError::Damaged { .. }), "{error}");
}

#[test]
fn a_file_that_is_not_packed_as_told_stops_the_source() {
    let error = |source: &SourceConfig, name: &str, bytes: &[u8]| {
        read(source, name, bytes, CHUNK_BYTES, 1)
            .unwrap_err()
            .to_string()
    };
    let expected = |name, packing| {
        format!("{name}: expected a file packed with {packing}, found other first bytes")
    };
    assert_eq!(
        error(&csv(), "list.csv.gz", TEXT.as_bytes()),
        expected("list.csv.gz", "gzip")
    );
    assert_eq!(
        error(&csv(), "list.bz2", TEXT.as_bytes()),
        expected("list.bz2", "bzip2")
    );
    let told = SourceConfig {
        compression: Some(Compression::Zstd),
        ..csv()
    };
    assert_eq!(
        error(&told, "list", &gzip(TEXT.as_bytes())),
        expected("list", "zstd")
    );
    // The first bytes go before the name.
    assert_eq!(
        read(&csv(), "list.bz2", &gzip(TEXT.as_bytes()), CHUNK_BYTES, 1)
            .unwrap()
            .rows,
        ROWS
    );
    let packed = SourceConfig {
        compression: None,
        ..SourceConfig::for_bytes(Layout::SltdParquet)
    };
    assert_eq!(
        error(&packed, "list", &gzip(b"PAR1")),
        "list: expected a file that is not packed: Parquet packs its own pages"
    );
}

#[test]
fn byte_order_marks_and_line_ends() {
    check(&csv(), format!("\u{feff}{TEXT}"), &ROWS, &[]);
    check(&csv(), TEXT.replace('\n', "\r\n"), &ROWS, &[]);
    check(&csv(), TEXT.replace('\n', "\n\n"), &ROWS, &[]);
    check(&csv(), TEXT.trim_end(), &ROWS, &[]);
}

#[test]
fn an_empty_file_stops_the_source_and_one_with_a_header_alone_is_a_list_of_nothing() {
    for layout in Layout::ALL {
        let source = any_packing(layout);
        let empty = "list: expected a list, found an empty file";
        if layout != Layout::SltdParquet {
            check_error(&source, b"", empty);
            check_error(&source, "\u{feff}", empty);
            check_error(&source, gzip(b""), empty);
        }
    }
    check_error(
        &any_packing(Layout::SltdCsv),
        zip(&[("a.csv", b"")]),
        "list/a.csv: expected a list, found an empty file",
    );
    check_error(
        &any_packing(Layout::SltdCsv),
        zip(&[]),
        "list: expected a list, found an archive with no list in it",
    );
    for (layout, text) in [
        (Layout::SltdCsv, "number,issuing_state,type,status\n"),
        (Layout::SltdCsv, "number,issuing_state,type,status"),
        (Layout::Russia, "PASSP_SERIES,PASSP_NUMBER\n"),
        (Layout::Ukraine, "[ ]\n"),
        (Layout::SltdJsonl, "\n"),
    ] {
        let account = read_all_ways(&any_packing(layout), "list", text.as_bytes())
            .unwrap()
            .account;
        assert_eq!(
            (account.rows_read, account.warnings),
            (0, vec!["list: no rows".to_owned()])
        );
    }
}

#[test]
fn a_row_of_ten_megabytes_is_one_reject() {
    let long = "x".repeat(10_000_000);
    let head = "number,issuing_state,type,status\n";
    let json = r#"{"number":"A1","issuing_state":"FRA","type":"visa","status":"lost"}"#;
    for (layout, text, rows) in [
        (
            Layout::SltdCsv,
            format!("{head}A1,FRA,visa,lost\n{long}\nA2,FRA,visa,lost\n"),
            2,
        ),
        (
            Layout::SltdCsv,
            format!("{head}A1,FRA,visa,lost\n\"{long}\"\nA2,FRA,visa,lost\n"),
            2,
        ),
        (
            Layout::SltdCsv,
            format!("{head}A1,FRA,visa,lost\n\"{long}\nA2,FRA,visa,lost\n"),
            2,
        ),
        (
            Layout::SltdCsv,
            format!("{head}A1,FRA,visa,lost\n{long}"),
            1,
        ),
        (Layout::SltdJsonl, format!("{json}\n{long}\n{json}"), 2),
        (
            Layout::Ukraine,
            format!("[{{\"D_NUMBER\":\"{long}]}}\"}},{{\"D_NUMBER\":{long}}}]"),
            0,
        ),
    ] {
        let outcome = read_all_ways(&any_packing(layout), "list", text.as_bytes()).unwrap();
        assert_eq!(outcome.rows.len(), rows, "{layout:?}");
        assert!(
            outcome.rejects.contains(",row,row of 100000"),
            "{layout:?}: {:.200}",
            outcome.rejects
        );
        assert!(
            outcome
                .rejects
                .contains(" bytes: expected at most 1048576,")
        );
        assert!(outcome.rejects.len() < 10_000);
    }
}

#[test]
fn a_row_of_a_little_more_than_the_longest_is_rejected_wherever_it_is_cut() {
    let row = |length: usize| format!("A1,FRA,visa,lost,{}\n", "r".repeat(length - 17));
    for (length, reason) in [
        (
            ROW_BYTES_MAX,
            "owner_reference,1048559 bytes: expected at most 255".to_owned(),
        ),
        (
            ROW_BYTES_MAX + 1,
            format!("row,row of {} bytes: expected", ROW_BYTES_MAX + 1),
        ),
    ] {
        let text = format!(
            "number,issuing_state,type,status,owner_reference\n{}A2,FRA,visa,lost,\n",
            row(length)
        );
        let outcome = read_all_ways(&csv(), "list", text.as_bytes()).unwrap();
        assert_eq!(outcome.rows, ["A2 FRA visa lost"]);
        assert!(
            outcome.rejects.starts_with(&format!("1,{reason}")),
            "{:.100}",
            outcome.rejects
        );
    }
}

#[test]
fn a_row_cut_short_at_the_end_is_rejected() {
    for (cut, reason) in [
        ("A4,FRA,vi", "4,row,3 fields: expected 4,"),
        (
            "A4,FRA,visa,lo",
            "4,status,\"`lo` is not known; expected lost, stolen, stolen_blank, revoked or invalidated\",\"A4,FRA,visa,lo\"",
        ),
        (
            "A4,FRA,visa,\"lo",
            "4,row,quotation mark without its pair before the end of the row: expected a closing one,",
        ),
    ] {
        check(&csv(), format!("{TEXT}{cut}"), &ROWS, &[reason]);
    }
    let russia = any_packing(Layout::Russia);
    check(
        &russia,
        "PASSP_SERIES,PASSP_NUMBER\n0102,000",
        &[],
        &[
            "1,PASSP_NUMBER,expected a number of six digits; fewer may have lost their leading zeros,\"0102,000\"",
        ],
    );
}

#[test]
fn a_sink_that_gives_up_ends_the_reading() {
    struct Full(u64);
    impl RowSink for Full {
        fn row(&mut self, _: &Row<'_>) -> Result<Fate, SinkError> {
            self.0 += 1;
            if self.0 > 100 {
                Err(SinkError("the disk is full".into()))
            } else {
                Ok(Fate::Taken)
            }
        }
        fn finish(&mut self) -> Result<(), SinkError> {
            panic!("a failed reading is not finished")
        }
    }
    let text = long_list();
    for threads in [1, 4] {
        let options = ReadOptions {
            today: today(),
            threads,
            rejects: None,
            expired: None,
        };
        let tuning = Tuning {
            chunk_bytes: 1000,
            ..Tuning::new(threads)
        };
        let error = read_bytes_of(&csv(), "list", text.as_bytes(), &options, &tuning, &|_| {
            Full(0)
        })
        .unwrap_err();
        assert_eq!(error.to_string(), "the disk is full");
    }
}
