//! From a generated list to a store and back: every row's document is found with its report, and the
//! segment depends on the rows alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod support;

use sltd::document::{DocumentNumber, DocumentType, IssuingState};
use sltd::report::{Report, ReportStatus};
use sltd::snapshot::Snapshot;
use std::collections::HashMap;
use std::fs;
use std::process::Command;
use support::{Desk, succeeds};

/// Rows of a list.
const ROWS: u32 = 20_000;
/// The day of the newest report in a generated list.
const AS_OF: &str = "2026-11-20T00:00:00Z";

/// What a row says, read by this test's own plain means.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    number: String,
    state: String,
    document_type: DocumentType,
    status: ReportStatus,
    date_of_loss: String,
    date_reported: String,
    review_date: String,
    authority: String,
    restriction: String,
    reference: String,
    /// Empty but for a range.
    end: String,
}

/// Rows by field names, in the names of our CSV.
fn ours(fields: &HashMap<&str, String>) -> Said {
    let text = |name| fields.get(name).cloned().unwrap_or_default();
    Said {
        number: text("number"),
        state: text("issuing_state"),
        document_type: DocumentType::from_name(&text("type")).unwrap(),
        status: ReportStatus::from_name(&text("status")).unwrap(),
        date_of_loss: text("date_of_loss"),
        date_reported: text("date_reported"),
        review_date: text("review_date"),
        authority: text("authority"),
        restriction: text("restriction"),
        reference: text("owner_reference"),
        end: text("range_end"),
    }
}

fn of_state(state: &str, document_type: &str, status: &str, number: String) -> Said {
    let fields = [
        ("number", number),
        ("issuing_state", state.to_owned()),
        ("type", document_type.to_owned()),
        ("status", status.to_owned()),
    ];
    ours(&HashMap::from(fields))
}

fn read(layout: &str, list: &str) -> Vec<Said> {
    let lines = || list.trim_start_matches('\u{feff}').lines();
    match layout {
        "sltd-csv" => {
            let header: Vec<&str> = lines().next().unwrap().split(',').collect();
            let row = |line: &str| {
                ours(
                    &header
                        .iter()
                        .copied()
                        .zip(line.split(',').map(str::to_owned))
                        .collect(),
                )
            };
            lines().skip(1).map(row).collect()
        }
        "sltd-jsonl" => {
            let row = |line: &str| {
                let fields: HashMap<String, String> = serde_json::from_str(line).unwrap();
                ours(
                    &fields
                        .iter()
                        .map(|(name, value)| (name.as_str(), value.clone()))
                        .collect(),
                )
            };
            lines().map(row).collect()
        }
        "russia" => {
            let row = |line: &str| {
                of_state(
                    "RUS",
                    "domestic_passport",
                    "invalidated",
                    line.replace(',', ""),
                )
            };
            lines().skip(1).map(row).collect()
        }
        "czechia" => {
            let row = |line: &str| {
                let (number, date) = line.split_once(';').unwrap();
                let [day, month, year] = [0, 1, 2].map(|part| date.split('.').nth(part).unwrap());
                let mut said = of_state("CZE", "identity_card", "invalidated", number.to_owned());
                said.date_reported = format!("{year}-{month:0>2}-{day:0>2}");
                said
            };
            lines().map(row).collect()
        }
        "ukraine" => {
            let rows: Vec<HashMap<String, Option<String>>> =
                serde_json::from_str(list.trim_start_matches('\u{feff}')).unwrap();
            let row = |row: &HashMap<String, Option<String>>| {
                let text = |name: &str| row[name].clone().unwrap_or_default();
                let status = if text("D_STATUS") == "ВИКРАДЕНО" {
                    "stolen"
                } else {
                    "lost"
                };
                // A citizen's passport without a series is a card.
                let document_type = if text("D_SERIES").is_empty() {
                    "identity_card"
                } else {
                    "domestic_passport"
                };
                let number = text("D_SERIES") + &text("D_NUMBER");
                let mut said = of_state("UKR", document_type, status, number);
                said.reference = text("ID");
                said.date_of_loss = text("THEFT_DATA").chars().take(10).collect();
                said.date_reported = text("INSERT_DATE").chars().take(10).collect();
                said
            };
            rows.iter().map(row).collect()
        }
        other => panic!("{other}"),
    }
}

/// Whether a report says what a row says.
fn says(report: &Report<'_>, row: &Said) -> bool {
    let day = |day: Option<sltd::report::Day>| day.map(|day| day.to_string()).unwrap_or_default();
    report.status == row.status
        && day(report.date_of_loss) == row.date_of_loss
        && day(report.date_reported) == row.date_reported
        && day(report.review_date) == row.review_date
        && report.authority.map_or("", |authority| authority.code) == row.authority
        && report.restriction == row.restriction
        && report.owner_reference == row.reference
        && report.source == "list"
        && !report.third_party
}

/// Asserts that the documents of a row, the first and the last of a range, have its report.
fn find(snapshot: &Snapshot, row: &Said) {
    let state = IssuingState::parse(&row.state).unwrap();
    for number in [&row.number, &row.end]
        .into_iter()
        .filter(|number| !number.is_empty())
    {
        let number = DocumentNumber::normalise(number).unwrap();
        let segment = &snapshot.segments()[0];
        assert!(segment.may_contain(&number), "the filter hides {row:?}");
        let documents = segment.find(&number).unwrap();
        let mut same = documents.map(Result::unwrap).filter(|document| {
            document.issuing_state == state && document.document_type == row.document_type
        });
        let document = same.next().unwrap_or_else(|| panic!("not found: {row:?}"));
        let mut reports = Vec::new();
        document.reports(&mut reports).unwrap();
        assert!(
            reports.iter().any(|report| says(report, row)),
            "{row:?} is not among {reports:?}"
        );
    }
}

fn check(layout: &str, generate: &[&str], describe: &str) {
    let desk = Desk::new();
    desk.generate("list", ROWS, &[&["--layout", layout], generate].concat());
    desk.describe_at(AS_OF, "sources.toml", "list", layout, describe);
    let output = succeeds(&mut desk.build("sources.toml", "store"));
    let account: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |name: &str| account["sources"][0][name].as_u64().unwrap();
    assert_eq!(of("read"), u64::from(ROWS), "{account}");
    assert_eq!(
        (of("rejected"), of("expired")),
        (0, 0),
        "every row is usable: {account}"
    );
    assert_eq!(of("indexed") + of("merged"), u64::from(ROWS), "{account}");
    let snapshot = desk.load("store");
    let list = String::from_utf8(fs::read(desk.path("list")).unwrap()).unwrap();
    let rows = read(layout, &list);
    assert_eq!(rows.len(), ROWS as usize);
    for row in &rows {
        find(&snapshot, row);
    }
    // Nothing else is there: walked, the store has no more documents than the rows name.
    let mut walked = 0;
    snapshot.segments()[0].for_each(|_, _| walked += 1).unwrap();
    assert_eq!(walked, snapshot.documents());
    if rows.iter().all(|row| row.end.is_empty()) {
        let mut named: Vec<_> = rows
            .iter()
            .map(|row| (&row.number, &row.state, row.document_type.code()))
            .collect();
        named.sort();
        named.dedup();
        assert_eq!(walked, named.len() as u64);
    }
}

#[test]
fn our_csv() {
    check("sltd-csv", &[], "");
}

#[test]
fn our_csv_with_ranges_and_references() {
    check("sltd-csv", &["--ranges", "--references", "--seed", "2"], "");
}

#[test]
fn our_json_lines() {
    check("sltd-jsonl", &["--references"], "");
}

/// Parquet has no text to be read by plain means; the same rows must give the segment that CSV gives.
#[test]
fn our_parquet() {
    /// More than a group of rows has.
    const ROWS: u32 = 70_000;
    let desk = Desk::new();
    let more = ["--ranges", "--references"];
    for layout in ["sltd-csv", "sltd-parquet"] {
        desk.generate(layout, ROWS, &[&["--layout", layout], &more[..]].concat());
        desk.describe_at(AS_OF, "sources.toml", layout, layout, "");
        succeeds(&mut desk.build("sources.toml", &format!("{layout}-store")));
    }
    let whole = |store: &str| {
        let rows = desk.load(store).manifest().sources[0].rows;
        assert_eq!((rows.read, rows.rejected), (u64::from(ROWS), 0));
        desk.segment(store)
    };
    assert!(whole("sltd-csv-store") == whole("sltd-parquet-store"));
}

#[test]
fn the_russian_list() {
    check("russia", &[], "status = \"invalidated\"");
}

#[test]
fn the_ukrainian_list() {
    check("ukraine", &[], "");
}

#[test]
fn the_czech_list() {
    check("czechia", &[], "status = \"invalidated\"\nkind = 0");
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let desk = Desk::new();
    desk.generate("list", ROWS, &["--ranges", "--references"]);
    desk.describe_at(AS_OF, "sources.toml", "list", "sltd-csv", "");
    succeeds(desk.build("sources.toml", "store").args(["--threads", "2"]));
    let expected = desk.segment("store");

    let list = fs::read_to_string(desk.path("list")).unwrap();
    let (header, rows) = list.split_once('\n').unwrap();
    let mut rows: Vec<&str> = rows.lines().collect();
    // A fixed shuffle: the order must differ, not be random.
    let mut state = 1u64;
    for last in (1..rows.len()).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        rows.swap(last, (state >> 33) as usize % (last + 1));
    }
    let shares = [&rows[..1], &rows[1..7_000], &rows[7_000..]];
    for (number, share) in shares.into_iter().enumerate() {
        let mut text = format!("{header}\n{}", share.join("\n"));
        // Neither line ends nor a byte order mark make another row.
        if number == 1 {
            text = format!("\u{feff}{}\r\n", text.replace('\n', "\r\n"));
        }
        desk.write(&format!("part-{number}.csv"), text);
    }
    desk.describe_at(AS_OF, "split.toml", "part-*.csv", "sltd-csv", "");
    for (sources, threads, memory) in [
        ("sources.toml", "1", "1GiB"),
        ("sources.toml", "5", "0KiB"),
        ("split.toml", "1", "64KiB"),
        ("split.toml", "2", "1MiB"),
        ("split.toml", "5", "0KiB"),
    ] {
        succeeds(
            desk.build(sources, "again")
                .args(["--threads", threads, "--memory", memory])
                // Other bytes, as of the same instant.
                .args(["--accept", "same-as-of:list"]),
        );
        assert!(
            desk.segment("again") == expected,
            "{sources}, {threads} threads, {memory}"
        );
        // Another build of the same rows is another publication of the same segment.
        assert_eq!(
            fs::read_dir(desk.path("again/segments")).unwrap().count(),
            1
        );
    }
}

/// With little memory for rows there are more scratch files than may be open.
#[test]
fn a_build_needs_few_open_files() {
    let desk = Desk::new();
    desk.generate("list", 100_000, &["--references"]);
    desk.describe_at(AS_OF, "sources.toml", "list", "sltd-csv", "");
    succeeds(&mut desk.build("sources.toml", "store"));
    let build = desk.build("sources.toml", "again");
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 48; exec \"$0\" \"$@\""]);
    limited.arg(build.get_program()).args(build.get_args());
    succeeds(limited.args(["--threads", "2", "--memory", "0KiB"]));
    assert!(desk.segment("again") == desk.segment("store"));
}
