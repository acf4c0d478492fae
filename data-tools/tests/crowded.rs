//! A number with very many reports: mostly a word for "no number" that nobody knew.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod support;

use serde_json::Value;
use std::fmt::Write as _;
use std::process::{Command, Output};
use support::{Desk, sltd_data, succeeds};

const HEADER: &str = "number,issuing_state,type,status,date_of_loss,date_reported,action\n";
const CROWDED: &str = "KEINE7";
const REPORTS: u32 = 20_000;

/// Rows that report one number, each on other days.
fn crowded(rows: u32) -> String {
    (0..rows).fold(String::new(), |mut text, row| {
        let (day, month, year) = (1 + row % 28, 1 + row / 28 % 12, 2020 + row / 336 % 5);
        let reported = 1 + row / 1680;
        writeln!(
            text,
            "{CROWDED},FIN,passport,lost,{year}-{month:02}-{day:02},2025-06-{reported:02},add"
        )
        .unwrap();
        text
    })
}

/// Describes two sources that own Finland's documents; `list` has these rows.
fn describe(desk: &Desk, as_of: &str, rows: &str) {
    let source = |name: &str, as_of: &str| {
        format!(
            "[[source]]\nname = \"{name}\"\npath = \"{name}.csv\"\nlayout = \"sltd-csv\"\nowns = [\"FIN\"]\nas_of = \"{as_of}\"\n"
        )
    };
    let plain = HEADER.replace(",action", "");
    let rows = rows.replace(",add\n", "\n");
    desk.write(
        "list.csv",
        format!("{plain}AB000001,FIN,passport,lost,,2025-01-01\n{rows}"),
    );
    desk.write(
        "other.csv",
        format!("{plain}AB000002,FIN,passport,lost,,2025-01-01\n"),
    );
    desk.write(
        "sources.toml",
        source("list", as_of) + &source("other", "2026-01-01T00:00:00Z"),
    );
    desk.write(
        "delta.toml",
        source("list", "2026-08-01T00:00:00Z").replace("list.csv", "changes.csv"),
    );
}

fn command(desk: &Desk, name: &str) -> Command {
    let mut command = sltd_data(name);
    command.arg("--store").arg(desk.path("store"));
    command
}

fn delta(desk: &Desk, rows: &str) -> Command {
    desk.write("changes.csv", format!("{HEADER}{rows}"));
    let mut delta = command(desk, "delta");
    delta.arg("--sources").arg(desk.path("delta.toml"));
    delta
}

/// What a command says that ends with a code; it never names the number.
#[track_caller]
fn says(command: &mut Command, code: i32) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let said = String::from_utf8([stdout, stderr].concat()).unwrap();
    assert_eq!(status.code(), Some(code), "{said}");
    assert!(!said.contains(CROWDED), "{said}");
    said
}

/// The verdict about the number, how many reports are listed, and how many are not.
fn look_up(desk: &Desk) -> (String, usize, u64) {
    let mut lookup = command(desk, "lookup");
    let number = [
        "--number", CROWDED, "--issuer", "FIN", "--type", "passport", "--json",
    ];
    let output = lookup.args(number).output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let verdict = answer["verdict"].as_str().unwrap().to_owned();
    let listed = answer["matches"].as_array().unwrap().len();
    (verdict, listed, answer["matchesOmitted"].as_u64().unwrap())
}

#[test]
fn a_source_with_very_many_reports_of_one_document_is_held_until_that_is_accepted() {
    let desk = Desk::new();
    describe(&desk, "2026-01-01T00:00:00Z", "");
    succeeds(&mut desk.build("sources.toml", "store"));

    // As many as may be.
    describe(&desk, "2026-01-02T00:00:00Z", &crowded(1000));
    says(&mut desk.build("sources.toml", "store"), 0);
    assert_eq!(look_up(&desk), ("VERDICT_HIT".to_owned(), 1000, 0));
    describe(&desk, "2026-01-03T00:00:00Z", "");
    says(&mut desk.build("sources.toml", "store"), 0);

    let held = "more than 1000 different reports";
    describe(&desk, "2026-02-01T00:00:00Z", &crowded(REPORTS));
    assert!(says(&mut desk.build("sources.toml", "store"), 20).contains(held));
    assert_eq!(look_up(&desk), ("VERDICT_NO_RECORD".to_owned(), 0, 0));
    assert!(says(&mut delta(&desk, &crowded(1001)), 21).contains(held));

    // All of them count, and some are listed: with a source out of service too.
    let mut build = desk.build("sources.toml", "store");
    says(build.args(["--accept", "reports:FIN"]), 0);
    let found = ("VERDICT_HIT".to_owned(), 1000, u64::from(REPORTS) - 1000);
    assert_eq!(look_up(&desk), found);
    succeeds(command(&desk, "retract").args(["--source", "other", "--reason", "test"]));
    assert_eq!(look_up(&desk), found);

    // Changes of other documents are not asked about it, and it can be withdrawn.
    says(
        &mut delta(&desk, "AB000009,FIN,passport,lost,,2026-01-01,add\n"),
        0,
    );
    says(
        &mut delta(&desk, &format!("{CROWDED},FIN,passport,,,,withdraw\n")),
        0,
    );
    assert_eq!(look_up(&desk), ("VERDICT_NO_RECORD".to_owned(), 0, 0));
}

#[test]
fn what_was_accepted_when_a_base_was_put_aside_is_not_asked_again() {
    let desk = Desk::new();
    describe(&desk, "2026-01-01T00:00:00Z", "");
    succeeds(&mut desk.build("sources.toml", "store"));
    describe(&desk, "2026-02-01T00:00:00Z", &crowded(1001));
    let mut build = desk.build("sources.toml", "store");
    says(build.args(["--no-publish", "--accept", "reports:list"]), 0);
    let said = says(&mut command(&desk, "publish"), 0);
    assert!(!said.contains("was not needed"), "{said}");
    assert_eq!(look_up(&desk), ("VERDICT_HIT".to_owned(), 1000, 1));
    assert!(!desk.path("store/candidate").exists());
}

#[test]
fn what_was_put_aside_is_kept_until_all_of_it_is_published() {
    let desk = Desk::new();
    describe(&desk, "2026-01-01T00:00:00Z", "");
    succeeds(&mut desk.build("sources.toml", "store"));
    describe(&desk, "2026-02-01T00:00:00Z", &crowded(1001));
    let mut build = desk.build("sources.toml", "store");
    says(build.arg("--no-publish"), 20);
    assert!(says(&mut command(&desk, "publish"), 20).contains("stays there"));
    assert_eq!(look_up(&desk), ("VERDICT_NO_RECORD".to_owned(), 0, 0));

    // Damaged, it is refused; whole again, the rest of it is published.
    let path = desk.path("store/candidate/origin.json");
    let origin = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, origin.replace("2026-02-01T00", "2026-02-02T00")).unwrap();
    assert!(says(&mut command(&desk, "publish"), 3).contains("digest"));
    std::fs::write(&path, origin).unwrap();
    let mut publish = command(&desk, "publish");
    says(publish.args(["--accept", "reports:FIN"]), 0);
    assert_eq!(look_up(&desk), ("VERDICT_HIT".to_owned(), 1000, 1));
    assert!(!desk.path("store/candidate").exists());
}
