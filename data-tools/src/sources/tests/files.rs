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

fn csv_of(folder: &Path, path: &str) -> SourceConfig {
    SourceConfig {
        path: path.to_owned(),
        folder: folder.to_owned(),
        ..any_packing(Layout::SltdCsv)
    }
}

/// The names of the files that a source has, or what is wrong.
fn names(source: &SourceConfig) -> Result<Vec<String>, String> {
    let found = input::find(source).map_err(|error| error.to_string())?;
    Ok(found.inputs.into_iter().map(|input| input.name).collect())
}

#[test]
fn a_path_is_a_file_a_folder_or_a_pattern() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir_all(path.join("lists/deep/.hidden")).unwrap();
    fs::create_dir_all(path.join("of [2026]")).unwrap();
    for name in [
        "lists/b.csv",
        "lists/a.csv",
        "lists/.part.csv",
        "lists/README.csv",
        "lists/ReadMe",
        "lists/deep/c.csv",
        "lists/deep/.hidden/d.csv",
        "of [2026]/list[1].csv",
        "of [2026]/list[1]-2.csv",
        "of [2026]/listx.csv",
    ] {
        fs::write(path.join(name), TEXT).unwrap();
    }
    for (pattern, expected) in [
        ("lists/a.csv", vec!["lists/a.csv"]),
        ("lists", vec!["lists/a.csv", "lists/b.csv"]),
        ("lists/", vec!["lists/a.csv", "lists/b.csv"]),
        ("lists/*", vec!["lists/a.csv", "lists/b.csv"]),
        ("lists/*.csv", vec!["lists/a.csv", "lists/b.csv"]),
        (
            "lists/**/*.csv",
            vec!["lists/a.csv", "lists/b.csv", "lists/deep/c.csv"],
        ),
        ("lists/[ab].csv", vec!["lists/a.csv", "lists/b.csv"]),
        // What is named is meant.
        ("lists/README.csv", vec!["lists/README.csv"]),
        ("lists/.part.csv", vec!["lists/.part.csv"]),
        ("lists/.*.csv", vec!["lists/.part.csv"]),
        ("of [2026]/list[1].csv", vec!["of [2026]/list[1].csv"]),
        (
            "of [2026]/list[1]*.csv",
            vec!["of [2026]/list[1]-2.csv", "of [2026]/list[1].csv"],
        ),
        ("of [2026]/list[x].csv", vec!["of [2026]/listx.csv"]),
        (
            "of [2026]",
            vec![
                "of [2026]/list[1]-2.csv",
                "of [2026]/list[1].csv",
                "of [2026]/listx.csv",
            ],
        ),
    ] {
        assert_eq!(
            names(&csv_of(path, pattern)).unwrap(),
            expected,
            "{pattern}"
        );
    }
    let absolute = path.join("of [2026]/*.csv");
    let found = names(&csv_of(Path::new("/nowhere"), absolute.to_str().unwrap())).unwrap();
    assert_eq!(found.len(), 3);
    assert!(
        names(&csv_of(path, "lists/*.txt"))
            .unwrap_err()
            .contains("no file matches")
    );
    let warnings = input::find(&csv_of(path, "lists")).unwrap().warnings;
    assert_eq!(
        warnings,
        [
            "lists/README.csv: not read, a README and no list",
            "lists/ReadMe: not read, a README and no list",
            "lists/deep: not read, a folder"
        ]
    );
}

/// A list does not lack a file because of its name.
#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_utf_8_are_read() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().unwrap();
    let latin = folder
        .path()
        .join(std::ffi::OsStr::from_bytes(b"vol\xe9s.csv"));
    fs::write(folder.path().join("a.csv"), TEXT).unwrap();
    fs::write(latin, TEXT).unwrap();
    for pattern in ["*.csv", "**/*.csv", "."] {
        let found = names(&csv_of(folder.path(), pattern)).unwrap();
        assert_eq!(found, ["a.csv", "vol\u{fffd}s.csv"], "{pattern}");
    }
}

#[test]
fn a_pipe_is_no_list() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.csv"), TEXT).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("b.csv")).unwrap();
    assert_eq!(
        names(&csv_of(folder.path(), "b.csv")).unwrap_err(),
        "b.csv: expected a list, found a pipe or a device and no file"
    );
    let found = input::find(&csv_of(folder.path(), "*.csv")).unwrap();
    assert_eq!(found.inputs.len(), 1);
    assert_eq!(
        found.warnings,
        ["b.csv: not read, a pipe or a device and no file"]
    );
}

#[test]
fn a_list_has_as_many_files_as_its_source_says() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.csv", "b.csv", "README"] {
        fs::write(folder.path().join(name), TEXT).unwrap();
    }
    let text = TEXT.as_bytes();
    let archive = zip(&[("a.csv", text), ("b.csv", text), ("README.txt", b"x")]);
    fs::create_dir(folder.path().join("packed")).unwrap();
    fs::write(folder.path().join("packed/all.zip"), archive).unwrap();
    for path in ["*", "packed"] {
        let source = |files| SourceConfig {
            files: Some(files),
            ..csv_of(folder.path(), path)
        };
        assert_eq!(names(&source(2)).unwrap().len(), 2);
        for files in [1, 3] {
            let expected = format!("expected {files} files, as `files` says, found 2");
            assert_eq!(names(&source(files)).unwrap_err(), expected);
        }
    }
}

#[test]
fn the_list_in_an_archive_is_picked_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let text = TEXT.as_bytes();
    let archive = zip(&[
        ("README.md", b"x"),
        (".DS_Store", b"x"),
        ("lists/.hidden.csv", b"x"),
        ("lists/stolen.csv", text),
        ("lists/lost.csv", text),
        ("checksums.txt", b"x"),
    ]);
    fs::write(folder.path().join("all.zip"), archive).unwrap();
    let picked = |pattern: Option<&str>| {
        names(&SourceConfig {
            archive_entry: pattern.map(|pattern| glob::Pattern::new(pattern).unwrap()),
            ..csv_of(folder.path(), "all.zip")
        })
    };
    let (stolen, lost) = (
        "all.zip/lists/stolen.csv".to_owned(),
        "all.zip/lists/lost.csv".to_owned(),
    );
    let all = vec![
        stolen.clone(),
        lost.clone(),
        "all.zip/checksums.txt".to_owned(),
    ];
    assert_eq!(picked(None), Ok(all));
    for (pattern, expected) in [
        ("stolen.csv", vec![stolen.clone()]),
        ("lists/stolen.csv", vec![stolen.clone()]),
        ("s*.csv", vec![stolen.clone()]),
        ("lists/[!.]*.csv", vec![stolen.clone(), lost.clone()]),
        (".hidden*", vec!["all.zip/lists/.hidden.csv".to_owned()]),
    ] {
        assert_eq!(picked(Some(pattern)), Ok(expected), "{pattern}");
    }
    assert_eq!(
        picked(Some("found.csv")).unwrap_err(),
        "all.zip: expected an entry that matches archive_entry = \"found.csv\", found README.md, .DS_Store, \
         lists/.hidden.csv, lists/stolen.csv, lists/lost.csv, checksums.txt"
    );
    // A workbook is an archive too.
    let workbook = zip(&[
        ("[Content_Types].xml", b"<x/>"),
        ("xl/workbook.xml", b"<x/>"),
    ]);
    fs::write(folder.path().join("list.xlsx"), workbook).unwrap();
    assert_eq!(
        names(&csv_of(folder.path(), "list.xlsx")).unwrap_err(),
        "list.xlsx: expected a list, found a workbook or another office document: save it as CSV"
    );
}

#[test]
fn no_entry_of_an_archive_is_overlooked() {
    let folder = tempfile::tempdir().unwrap();
    let text = TEXT.as_bytes();
    let found = |archive: &[u8]| {
        fs::write(folder.path().join("all.zip"), archive).unwrap();
        names(&csv_of(folder.path(), "all.zip"))
    };
    let archive = zip(&[("./a.csv", text), ("../b.csv", text), ("./.c.csv", text)]);
    assert_eq!(
        found(&archive).unwrap(),
        ["all.zip/./a.csv", "all.zip/../b.csv"]
    );
    // Programs unpack the last of entries with one name, and the last of two archives.
    let archive = zip(&[("1.csv", text), ("2.csv", text)]);
    let mut twice = archive.clone();
    for place in memchr::memmem::find_iter(&archive, b"2.csv") {
        twice[place] = b'1';
    }
    assert_eq!(
        found(&twice).unwrap_err(),
        "all.zip: expected a list, found an archive with several entries of one name: expected each name once"
    );
    let two = [zip(&[("1.csv", text)]), archive].concat();
    assert_eq!(
        found(&two).unwrap_err(),
        "all.zip: expected a list, found an archive that something stands before: expected one archive"
    );
    assert_eq!(
        found(&zip(&[("README", b"x")])).unwrap_err(),
        "all.zip: expected a list, found an archive with no list in it"
    );
}
