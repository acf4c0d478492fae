//! Lists of many files, read by any number of threads, each within a time limit.

use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use ::parquet::data_type::{ByteArray, ByteArrayType};
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;

use super::streams::{any_packing, bzip2, gzip, zip, zstd};
use super::*;
use crate::config::Purpose;

/// No reading takes longer. It is generous, since tests run side by side.
const LIMIT: Duration = Duration::from_secs(60);

/// A file of one row; `row` makes its number.
fn file_of(layout: Layout, purpose: Purpose, row: usize) -> Vec<u8> {
    let (more, action) = match purpose {
        Purpose::List => ("", ""),
        Purpose::Changes => (",action", ",add"),
    };
    match layout {
        Layout::SltdCsv => format!(
            "number,issuing_state,type,status{more}\nAB{row:06},FRA,visa,lost{action}\n"
        ),
        Layout::SltdJsonl => {
            let action = action.trim_start_matches(',');
            format!(
                "{{\"number\":\"AB{row:06}\",\"issuing_state\":\"FRA\",\"type\":\"visa\",\"status\":\"lost\",\
                 \"action\":{}}}\n",
                if action.is_empty() { "null".to_owned() } else { format!("\"{action}\"") }
            )
        }
        Layout::SltdParquet => {
            let number = format!("AB{row:06}");
            let mut columns = vec![
                ("number", number.as_str()),
                ("issuing_state", "FRA"),
                ("type", "visa"),
                ("status", "lost"),
            ];
            if purpose == Purpose::Changes {
                columns.push(("action", "add"));
            }
            return parquet_row(&columns);
        }
        Layout::Russia => format!("PASSP_SERIES,PASSP_NUMBER\n0102,{row:06}\n"),
        Layout::Ukraine => format!(
            "[{{\"D_SERIES\":\"АА\",\"D_NUMBER\":\"{row:06}\",\"D_TYPE\":\"ПАСПОРТ ГРОМАДЯНИНА УКРАЇНИ\",\
             \"D_STATUS\":\"ВТРАЧЕНО\"}}]"
        ),
        Layout::UkraineInactive => {
            format!("IP;АА;{row:06};407;X;Y;Z;05.05.1980;;;;1801;05.03.2024;;;;\n")
        }
        Layout::Czechia => format!("1{row:06};1.2.2024\n"),
    }
    .into_bytes()
}

/// A Parquet file of one row of texts.
fn parquet_row(columns: &[(&str, &str)]) -> Vec<u8> {
    let fields: String = columns
        .iter()
        .map(|(name, _)| format!("REQUIRED BYTE_ARRAY {name} (UTF8); "))
        .collect();
    let schema = parse_message_type(&format!("message reports {{ {fields} }}")).unwrap();
    let properties = WriterProperties::builder().build();
    let mut file = SerializedFileWriter::new(Vec::new(), schema.into(), properties.into()).unwrap();
    let mut group = file.next_row_group().unwrap();
    for (_, text) in columns {
        let mut column = group.next_column().unwrap().unwrap();
        column
            .typed::<ByteArrayType>()
            .write_batch(&[ByteArray::from(*text)], None, None)
            .unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    file.into_inner().unwrap()
}

/// Reads a source and gives up on it after the limit.
fn read_in_time(source: SourceConfig, threads: usize, what: String) -> SourceAccount {
    let (done, result) = mpsc::channel();
    std::thread::spawn(move || {
        let folder = tempfile::tempdir().unwrap();
        let rows = Arc::new(Mutex::new(Vec::new()));
        let options = ReadOptions {
            today: today(),
            threads,
            rejects: Some(folder.path()),
            expired: None,
        };
        let watch = Watch {
            stall_after: LIMIT / 2,
            ..Watch::default()
        };
        let sink = |_| Lines(Arc::clone(&rows));
        let read = read_source_watched(&source, &options, watch, &sink, &|_| {});
        let _ = done.send(read.map_err(|error| error.to_string()));
    });
    match result.recv_timeout(LIMIT) {
        Ok(Ok(account)) => account,
        Ok(Err(error)) => panic!("{what}: {error}"),
        Err(_) => panic!("{what}: not read within {LIMIT:?}"),
    }
}

type Pack = fn(&[u8]) -> Vec<u8>;

/// Writes `count` files in one packing; the pattern that finds them.
fn write(
    folder: &Path,
    layout: Layout,
    purpose: Purpose,
    count: usize,
    packing: Packing,
) -> &'static str {
    let files = (0..count).map(|row| {
        (
            format!("typ_dokladu=2-{row:04}.csv"),
            file_of(layout, purpose, row),
        )
    });
    let (ending, pack): (&str, Pack) = match packing {
        Packing::Plain => ("", |text| text.to_vec()),
        Packing::Gzip => (".gz", gzip),
        Packing::Bzip2 => (".bz2", bzip2),
        Packing::Zstd => (".zst", zstd),
        Packing::Zip => {
            let files: Vec<_> = files.collect();
            let entries: Vec<_> = files
                .iter()
                .map(|(name, text)| (name.as_str(), text.as_slice()))
                .collect();
            fs::write(folder.join("all.zip"), zip(&entries)).unwrap();
            return "all.zip";
        }
    };
    for (name, text) in files {
        fs::write(folder.join(format!("{name}{ending}")), pack(&text)).unwrap();
    }
    "*.csv*"
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Plain,
    Gzip,
    Bzip2,
    Zstd,
    Zip,
}

impl Packing {
    const ALL: [Self; 5] = [Self::Plain, Self::Gzip, Self::Bzip2, Self::Zstd, Self::Zip];

    /// Parquet files are read where they are. A Czech archive has one list of each kind.
    fn fits(self, layout: Layout) -> bool {
        match layout {
            Layout::SltdParquet => self == Self::Plain,
            Layout::Czechia => self != Self::Zip,
            _ => true,
        }
    }
}

fn every_number_of_files(layout: Layout, purpose: Purpose, packing: Packing) {
    for count in [1, 2, 3, 10, 100, 1000] {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), layout, purpose, count, packing);
        // A thousand files are read often enough by one thread and by many.
        let threads: Vec<usize> = if count < 1000 {
            (1..=16).collect()
        } else {
            vec![1, 16]
        };
        for threads in threads {
            let source = SourceConfig {
                path: path.to_owned(),
                folder: folder.path().to_owned(),
                kind: None,
                purpose,
                ..any_packing(layout)
            };
            let what =
                format!("{layout:?}, {purpose:?}, {packing:?}: {count} files, {threads} threads");
            let begun = Instant::now();
            let account = read_in_time(source, threads, what.clone());
            assert_eq!(
                (account.passed, account.files.len()),
                (count as u64, count),
                "{what}"
            );
            assert!(begun.elapsed() < LIMIT, "{what}");
        }
    }
}

/// One test for each layout, so that they run side by side.
macro_rules! every_number_of_files_is_read {
    ($($name:ident: $layout:expr;)*) => {$(
        #[test]
        fn $name() {
            for packing in Packing::ALL.into_iter().filter(|packing| packing.fits($layout)) {
                every_number_of_files($layout, Purpose::List, packing);
            }
        }
    )*};
}

every_number_of_files_is_read! {
    any_number_of_files_of_sltd_csv: Layout::SltdCsv;
    any_number_of_files_of_sltd_jsonl: Layout::SltdJsonl;
    any_number_of_files_of_sltd_parquet: Layout::SltdParquet;
    any_number_of_files_of_russia: Layout::Russia;
    any_number_of_files_of_ukraine: Layout::Ukraine;
    any_number_of_files_of_ukraine_inactive: Layout::UkraineInactive;
    any_number_of_files_of_czechia: Layout::Czechia;
}

#[test]
fn any_number_of_files_of_changes() {
    for layout in [Layout::SltdCsv, Layout::SltdJsonl, Layout::SltdParquet] {
        every_number_of_files(layout, Purpose::Changes, Packing::Plain);
    }
}

/// A file that can't be used among many ends the reading with its error, whatever the number of threads.
#[test]
fn a_bad_file_among_many_ends_the_reading() {
    for (bad, expected) in [
        (&b"x,y\n"[..], "column number is missing"),
        (b"", "empty file"),
    ] {
        for threads in [1, 2, 16] {
            let folder = tempfile::tempdir().unwrap();
            write(
                folder.path(),
                Layout::SltdCsv,
                Purpose::List,
                100,
                Packing::Plain,
            );
            let packed = if bad.is_empty() {
                gzip(bad)
            } else {
                bad.to_vec()
            };
            let name = if bad.is_empty() {
                "typ-x.csv.gz"
            } else {
                "typ-x.csv"
            };
            fs::write(folder.path().join(name), packed).unwrap();
            let source = SourceConfig {
                path: "*.csv*".to_owned(),
                folder: folder.path().to_owned(),
                ..any_packing(Layout::SltdCsv)
            };
            let options = ReadOptions {
                today: today(),
                threads,
                rejects: None,
                expired: None,
            };
            let rows = Arc::new(Mutex::new(Vec::new()));
            let sink = |_| Lines(Arc::clone(&rows));
            let error = read_source(&source, &options, &sink, &|_| {}).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
