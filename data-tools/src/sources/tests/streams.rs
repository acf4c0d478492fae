//! Files as they come: packed, marked, cut short, empty, far too long.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::config::Compression;

const TEXT: &str =
    "number,issuing_state,type,status\nA1,FRA,visa,lost\nA2,FRA,visa,lost\nA3,FRA,visa,lost\n";
const ROWS: [&str; 3] = ["A1 FRA visa lost", "A2 FRA visa lost", "A3 FRA visa lost"];

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

fn bzip2(text: &[u8]) -> Vec<u8> {
    let mut packed = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(text, 1).unwrap()
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in entries {
        archive
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        archive.write_all(text).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn any_packing(layout: Layout) -> SourceConfig {
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
    let utf_16 = "list: expected UTF-8, found the byte order mark of UTF-16";
    check_error(&csv(), b"\xff\xfen\0u\0", utf_16);
    check_error(&csv(), b"\xfe\xff\0n\0u", utf_16);
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
        "list: expected a list, found an empty file",
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
                .contains(" bytes: expected at most 1048576; the first 4096 are shown,")
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
        ("A4,FRA,vi", "4,row,3 fields: expected 4,\"A4,FRA,vi\""),
        (
            "A4,FRA,visa,lo",
            "4,status,\"expected lost, stolen, stolen_blank, revoked or invalidated, found another text\",\"A4,FRA,visa,lo\"",
        ),
        (
            "A4,FRA,visa,\"lo",
            "4,row,quotation mark without its pair before the end of the row: expected a closing one,\"A4,FRA,visa,\"\"lo\"",
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

/// Reads the files that match a pattern in a folder.
fn read_files(
    folder: &Path,
    path: &str,
    layout: Layout,
) -> Result<(Vec<String>, SourceAccount), SourceError> {
    let (path, folder) = (path.to_owned(), folder.to_owned());
    let rejects = folder.join("rejects");
    let source = SourceConfig {
        path,
        folder,
        kind: None,
        ..any_packing(layout)
    };
    let rows = Arc::new(Mutex::new(Vec::new()));
    let options = ReadOptions {
        today: today(),
        threads: 2,
        rejects: Some(&rejects),
    };
    let (bytes, calls) = (AtomicU64::new(0), AtomicU64::new(0));
    let account = read_source(
        &source,
        &options,
        &|_| Lines(Arc::clone(&rows)),
        &|progress| {
            bytes.fetch_max(progress.bytes, Ordering::Relaxed);
            calls.fetch_add(1, Ordering::Relaxed);
            assert!(progress.bytes <= progress.bytes_total);
        },
    )?;
    assert!(account.rows_read == 0 || (bytes.into_inner() > 0 && calls.into_inner() > 0));
    let mut rows = rows.lock().unwrap().clone();
    rows.sort();
    Ok((rows, account))
}

#[test]
fn files_are_read_in_order_and_named_in_the_rejects() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("b.csv.gz"),
        gzip(TEXT.replace("A2", "?").as_bytes()),
    )
    .unwrap();
    fs::write(
        folder.path().join("a.csv"),
        TEXT.replace("lost\nA3", "gone\nA3"),
    )
    .unwrap();
    fs::create_dir(folder.path().join("c.csv")).unwrap();
    let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    fs::File::options()
        .write(true)
        .open(folder.path().join("b.csv.gz"))
        .unwrap()
        .set_modified(old)
        .unwrap();
    let (rows, account) = read_files(folder.path(), "*.csv*", Layout::SltdCsv).unwrap();
    assert_eq!(rows, [ROWS[0], ROWS[0], ROWS[2], ROWS[2]]);
    assert_eq!(
        account.as_of,
        Timestamp::from_second(1_700_000_000).unwrap(),
        "the oldest of the files"
    );
    let names: Vec<_> = account
        .files
        .iter()
        .map(|file| (file.name.as_str(), file.rows))
        .collect();
    assert_eq!(names, [("a.csv", 3), ("b.csv.gz", 3)]);
    let rejects = fs::read_to_string(account.rejects_file.unwrap()).unwrap();
    let lines: Vec<_> = rejects.lines().collect();
    assert_eq!(lines[0], "row,field,reason,raw,file");
    assert!(
        lines[1].starts_with("2,status,") && lines[1].ends_with(",\"A2,FRA,visa,gone\",a.csv"),
        "{rejects}"
    );
    assert!(
        lines[2].starts_with("2,number,") && lines[2].ends_with(",\"?,FRA,visa,lost\",b.csv.gz"),
        "{rejects}"
    );

    // Mended, the list leaves no rejects of an earlier reading behind.
    fs::write(folder.path().join("a.csv"), TEXT).unwrap();
    let (_, account) = read_files(folder.path(), "a.csv", Layout::SltdCsv).unwrap();
    assert_eq!(
        (
            account.rejects_file,
            fs::read_dir(folder.path().join("rejects")).unwrap().count()
        ),
        (None, 0)
    );
}

#[test]
fn files_that_are_not_there_or_not_lists() {
    let folder = tempfile::tempdir().unwrap();
    let error = read_files(folder.path(), "*.csv", Layout::SltdCsv).unwrap_err();
    assert!(matches!(error, SourceError::NoFile { .. }), "{error}");
    fs::write(folder.path().join("empty.csv"), "").unwrap();
    let error = read_files(folder.path(), "*.csv", Layout::SltdCsv).unwrap_err();
    assert_eq!(
        error.to_string(),
        "empty.csv: expected a list, found an empty file"
    );

    fs::write(folder.path().join("passport_shema.json"), "{}").unwrap();
    fs::write(folder.path().join("passport_01.json"), "[]").unwrap();
    let (_, account) = read_files(folder.path(), "*.json", Layout::Ukraine).unwrap();
    assert_eq!(
        account.warnings,
        [
            "passport_shema.json: not read, a schema and no list",
            "passport_01.json: no rows"
        ]
    );
}

#[test]
fn archives_are_read_entry_by_entry() {
    let folder = tempfile::tempdir().unwrap();
    let list: &[u8] = b"000001;AB12;5.3.2019\n";
    let archive = zip(&[
        ("typ_dokladu=1.csv", list),
        ("typ_dokladu=2.csv", b"10000001;1.1.2020\n"),
        ("__MACOSX/x", b"x"),
    ]);
    fs::write(folder.path().join("lists.zip"), archive).unwrap();
    let (rows, account) = read_files(folder.path(), "lists.zip", Layout::Czechia).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(account.files[1].name, "lists.zip/typ_dokladu=2.csv");

    let archive = zip(&[
        ("plus/typ_dokladu=1.csv", list),
        ("minus/typ_dokladu=1.csv", list),
    ]);
    fs::write(folder.path().join("difference.zip"), archive).unwrap();
    let error = read_files(folder.path(), "difference.zip", Layout::Czechia).unwrap_err();
    assert!(matches!(error, SourceError::Difference { .. }), "{error}");
}

#[test]
fn a_sink_that_gives_up_ends_the_reading() {
    struct Full(u64);
    impl RowSink for Full {
        fn row(&mut self, _: &Row<'_>) -> Result<(), SinkError> {
            self.0 += 1;
            if self.0 > 100 {
                Err(SinkError("the disk is full".into()))
            } else {
                Ok(())
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
        };
        let error = read_bytes_of(&csv(), "list", text.as_bytes(), &options, 1000, &|_| {
            Full(0)
        })
        .unwrap_err();
        assert_eq!(error.to_string(), "the disk is full");
    }
}
