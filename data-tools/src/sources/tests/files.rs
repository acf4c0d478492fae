//! Files on disk: found by their pattern, in order, archives entry by entry.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::streams::{ROWS, TEXT, any_packing, gzip, zip};
use super::*;

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
        expired: None,
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
        lines[1].starts_with("2,status,") && lines[1].ends_with(",\"A2,FRA,visa,\",a.csv"),
        "{rejects}"
    );
    assert!(
        lines[2].starts_with("2,number,") && lines[2].ends_with(",\",FRA,visa,lost\",b.csv.gz"),
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
