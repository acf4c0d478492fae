//! `sltd-data delta` as an operator runs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod support;

use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Output};
use support::{Desk, fails, sltd_data, succeeds};

const LIST: &str = "\
number,issuing_state,type,status,date_reported,authority
AB000001,FIN,passport,lost,2025-01-01,NCB
AB000002,FIN,passport,stolen,2025-01-01,NCB
AB000003,FIN,passport,lost,2025-01-01,NCB
AB000003,FIN,identity_card,lost,2025-01-01,NCB
";

/// A store of the list, whose as-of is 2026-01-01.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("list.csv", LIST);
    desk.describe("sources.toml", "list.csv", "sltd-csv", "");
    succeeds(&mut desk.build("sources.toml", "store"));
    desk
}

/// Changes of the source `list`.
fn delta(desk: &Desk, as_of: &str, rows: &str) -> Command {
    desk.write(
        "changes.csv",
        format!("number,issuing_state,type,status,date_reported,action,reason\n{rows}"),
    );
    describe(desk, as_of, "changes.csv", "sltd-csv");
    command(desk)
}

fn describe(desk: &Desk, as_of: &str, path: &str, layout: &str) {
    desk.write(
        "delta.toml",
        format!(
            "[[source]]\nname = \"list\"\nas_of = \"{as_of}\"\nowns = [\"*\"]\npath = \"{path}\"\nlayout = \"{layout}\"\n"
        ),
    );
}

fn command(desk: &Desk) -> Command {
    let mut command = sltd_data("delta");
    command.arg("--sources").arg(desk.path("delta.toml"));
    command.arg("--store").arg(desk.path("store"));
    command
}

/// What is printed with `--json`.
fn published(command: &mut Command) -> Value {
    let output: Output = succeeds(command.arg("--json"));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn counts(account: &Value) -> [u64; 5] {
    ["read", "indexed", "withdrawn", "superseded", "rejected"]
        .map(|name| account["sources"][0][name].as_u64().unwrap())
}

/// The exit code of a lookup: 0 no record, 10 hit.
fn look_up(desk: &Desk, number: &str) -> i32 {
    let mut command = sltd_data("lookup");
    command.arg("--store").arg(desk.path("store"));
    command.args(["--number", number, "--issuer", "FIN", "--type", "passport"]);
    command.output().unwrap().status.code().unwrap()
}

#[test]
fn additions_and_withdrawals_are_live_and_accounted_for() {
    let desk = desk();
    let rows = "\
AB000001,FIN,passport,,,withdraw,found by the bearer
AB000009,FIN,passport,stolen,2026-02-01,add,
AB000009,FIN,passport,stolen,2026-02-01,add,
AB000002,FIN,visa,,,withdraw,
AB000008,FIN,passport,,,withdraw,
AB000007,FIN,passport,stolen,2026-02-01,found,
AB000007,FIN,passport,,2026-02-01,add,
";
    let account = published(&mut delta(&desk, "2026-02-01T00:00:00Z", rows));
    assert_eq!(counts(&account), [7, 1, 1, 0, 2], "{account}");
    assert_eq!(account["sources"][0]["merged"], 1);
    assert_eq!(account["sources"][0]["noted"], 2);
    assert_eq!(
        (&account["documentsBefore"], &account["documents"]),
        (&4.into(), &4.into())
    );
    let found = ["AB000001", "AB000002", "AB000009"].map(|number| look_up(&desk, number));
    assert_eq!(found, [0, 10, 10]);
    let rejects = fs::read_to_string(desk.path("store/rejects/list.delta.csv")).unwrap();
    for expected in [
        "6,action,\"expected add, withdraw or unwithdraw, found another text\",",
        "7,status,",
    ] {
        assert!(rejects.contains(expected), "{expected}: {rejects}");
    }
    let noted = fs::read_to_string(desk.path("store/rejects/list.noted.csv")).unwrap();
    let expected = "\
row,number,issuing_state,type,action,why
4,AB000002,FIN,visa,withdraw,no report of this document disappears; the number is reported as FIN passport by list
5,AB000008,FIN,passport,withdraw,no report of this document disappears; the number is not reported at all
";
    assert_eq!(noted, expected);
    succeeds(sltd_data("verify").arg("--store").arg(desk.path("store")));
    // What a build publishes has the changes that its lists do not know yet, and no others.
    succeeds(&mut desk.build("sources.toml", "store"));
    assert_eq!(look_up(&desk, "AB000001"), 0);
    assert_eq!(look_up(&desk, "AB000009"), 10);
    let later = fs::read_to_string(desk.path("sources.toml")).unwrap();
    desk.write("sources.toml", later.replace("2026-01-01T", "2026-03-01T"));
    succeeds(&mut desk.build("sources.toml", "store"));
    assert_eq!(look_up(&desk, "AB000001"), 10);
    assert_eq!(look_up(&desk, "AB000009"), 0);
    assert_eq!(desk.load("store").segments().len(), 1);
}

#[test]
fn what_is_older_than_the_list_or_a_later_change_is_superseded() {
    let desk = desk();
    let row = "AB000001,FIN,passport,,,withdraw,\n";
    let twice = format!("{row}{row}AB000001,FIN,passport,lost,2025-01-01,add,\n").repeat(2);
    let account = published(&mut delta(&desk, "2025-12-31T00:00:00Z", &twice));
    assert_eq!(counts(&account), [6, 0, 0, 1, 0]);
    assert_eq!(account["sources"][0]["merged"], 4);
    // A withdrawal that comes too late is told.
    assert_eq!(account["sources"][0]["noted"], 1);
    let noted = fs::read_to_string(desk.path("store/rejects/list.noted.csv")).unwrap();
    let why = "disappears, since its source has stated something later of it; the number is reported as FIN passport";
    assert!(noted.contains(why), "{noted}");
    assert_eq!(look_up(&desk, "AB000001"), 10);
    let account = published(&mut delta(&desk, "2026-05-01T00:00:00Z", &row.repeat(3)));
    assert_eq!(counts(&account), [3, 0, 1, 0, 0]);
    assert_eq!(account["sources"][0]["merged"], 2);
    let again = "AB000001,FIN,passport,lost,2026-04-01,add,\n";
    let account = published(&mut delta(&desk, "2026-04-01T00:00:00Z", again));
    assert_eq!(counts(&account), [1, 0, 0, 1, 0]);
    assert_eq!(look_up(&desk, "AB000001"), 0);
    let account = published(&mut delta(&desk, "2026-06-01T00:00:00Z", again));
    assert_eq!(counts(&account), [1, 1, 0, 0, 0]);
    assert_eq!(look_up(&desk, "AB000001"), 10);
}

#[test]
fn strict_says_that_a_row_was_noted_or_rejected() {
    let desk = desk();
    let withdraw = "AB000001,FIN,passport,,,withdraw,\n";
    for (as_of, rows, code) in [
        ("2026-02-01T00:00:00Z", withdraw, 0),
        ("2026-02-02T00:00:00Z", withdraw, 25),
        (
            "2026-02-03T00:00:00Z",
            "AB000002,FIN,passport,,,withdraw,\nAB000001,FIN,passport,lost,,found,\n",
            25,
        ),
    ] {
        let output = delta(&desk, as_of, rows).arg("--strict").output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{as_of}");
    }
    // All of it is published.
    assert_eq!(desk.load("store").generation(), 4);
}

#[test]
fn a_mistyped_withdrawal_is_taken_back() {
    let desk = desk();
    desk.write(
        "sources.toml",
        "[[source]]\nname = \"list\"\nas_of = \"2026-01-01T00:00:00Z\"\nowns = [\"FIN\"]\npath = \"list.csv\"\n\
         layout = \"sltd-csv\"\n[[source]]\nname = \"other\"\nas_of = \"2026-01-01T00:00:00Z\"\nowns = [\"SWE\"]\n\
         third_party = \"keep\"\npath = \"other.csv\"\nlayout = \"sltd-csv\"\n",
    );
    desk.write(
        "other.csv",
        "number,issuing_state,type,status,date_reported\nAB000001,FIN,other,stolen,2025-01-01\n\
         AB000002,FIN,passport,stolen,\n",
    );
    succeeds(&mut desk.build("sources.toml", "store"));
    let delta = |rows| {
        let command = delta(&desk, "2026-02-01T00:00:00Z", rows);
        let described = fs::read_to_string(desk.path("delta.toml")).unwrap();
        desk.write("delta.toml", described.replace("[\"*\"]", "[\"FIN\"]"));
        command
    };
    let rows = "AB000001,FIN,passport,,,withdraw,\nAB000002,FIN,passport,,,withdraw,\n";
    let account = published(&mut delta(rows));
    let of_source = &account["sources"][0];
    assert_eq!(of_source["withdrawn"], 2, "{account}");
    assert_eq!(of_source["untilNextList"], 1);
    let noted = fs::read_to_string(desk.path("store/rejects/list.noted.csv")).unwrap();
    let expected = "2,AB000002,FIN,passport,withdraw,\
                    \"hides a report without a date, which is back with the next list of other\"\n";
    assert!(noted.ends_with(expected), "{noted}");
    assert_eq!(look_up(&desk, "AB000001"), 0);
    let rows = "AB000001,FIN,passport,,,unwithdraw,mistyped\n";
    let account = published(&mut delta(rows));
    assert_eq!(account["sources"][0]["indexed"], 1, "{account}");
    // The third party's report is back, the source's own is not.
    assert_eq!(look_up(&desk, "AB000001"), 11);
    let account = published(&mut delta(rows));
    assert_eq!(account["sources"][0]["noted"], 1, "{account}");
}

#[test]
fn in_a_delta_the_order_of_files_and_rows_decides() {
    let desk = desk();
    let header = "number,issuing_state,type,status,date_reported,action\n";
    let add = "AB000001,FIN,passport,stolen,2026-01-05,add\n";
    let withdraw = "AB000001,FIN,passport,,,withdraw\n";
    for (name, rows) in [("b", withdraw), ("a", add), ("c", "")] {
        desk.write(&format!("part-{name}.csv"), format!("{header}{rows}"));
    }
    describe(&desk, "2026-02-01T00:00:00Z", "part-*.csv", "sltd-csv");
    let account = published(&mut command(&desk));
    assert_eq!(counts(&account), [2, 0, 1, 1, 0], "{account}");
    assert_eq!(look_up(&desk, "AB000001"), 0);
    desk.write("part-c.csv", format!("{header}{add}"));
    describe(&desk, "2026-02-02T00:00:00Z", "part-*.csv", "sltd-csv");
    let account = published(&mut command(&desk));
    // The first addition is cancelled, the withdrawal changes nothing, the second addition stands.
    assert_eq!(counts(&account), [3, 1, 0, 1, 0], "{account}");
    assert_eq!(account["sources"][0]["noted"], 1);
    assert_eq!(look_up(&desk, "AB000001"), 10);
    // An expired addition replaces what there was.
    let expired = "AB000001,FIN,passport,stolen,2001-01-05,add\n";
    desk.write("part-d.csv", format!("{header}{expired}"));
    describe(&desk, "2026-02-03T00:00:00Z", "part-d.csv", "sltd-csv");
    let account = published(&mut command(&desk));
    assert_eq!(account["sources"][0]["expired"], 1);
    assert_eq!(look_up(&desk, "AB000001"), 0);
}

#[test]
fn a_czech_difference_is_additions_then_withdrawals() {
    let desk = Desk::new();
    let archive = |name: &str, entries: &[(&str, &str)]| {
        let mut zip = zip::ZipWriter::new(fs::File::create(desk.path(name)).unwrap());
        for (entry, text) in entries {
            zip.start_file(*entry, zip::write::SimpleFileOptions::default())
                .unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap();
    };
    let list = (
        "typ_dokladu=2.csv",
        "30000001;5.3.2024\n30000002;6.3.2024\n",
    );
    archive("list.zip", &[list]);
    desk.describe("sources.toml", "list.zip", "czechia", "");
    succeeds(&mut desk.build("sources.toml", "store"));
    let added = ("typ_dokladu=2-plus.csv", "30000003;1.2.2026\n");
    let withdrawn = ("typ_dokladu=2-minus.csv", "30000001;5.3.2024\n");
    archive("rozdil.zip", &[added, withdrawn]);
    describe(&desk, "2026-02-02T00:00:00Z", "rozdil.zip", "czechia");
    let account = published(&mut command(&desk));
    assert_eq!(counts(&account), [2, 1, 1, 0, 0]);
    let snapshot = desk.load("store");
    assert_eq!(snapshot.documents(), 2);
    // What is in both lists is a correction: it stays reported.
    let added = ("typ_dokladu=2-plus.csv", "30000002;7.3.2026\n");
    let withdrawn = ("typ_dokladu=2-minus.csv", "30000002;6.3.2024\n");
    archive("rozdil.zip", &[added, withdrawn]);
    describe(&desk, "2026-02-03T00:00:00Z", "rozdil.zip", "czechia");
    let account = published(&mut command(&desk));
    assert_eq!(counts(&account), [2, 1, 1, 0, 0]);
    assert_eq!(desk.load("store").documents(), 2);
    // On most days something is added, on some nothing is withdrawn, and on some neither.
    let added = ("typ_dokladu=2-plus.csv", "30000004;7.3.2026\n");
    let nothing = ["typ_dokladu=2-plus.csv", "typ_dokladu=2-minus.csv"].map(|name| (name, ""));
    for (as_of, entries, indexed) in [
        ("2026-02-04T00:00:00Z", [added, nothing[1]], 1),
        ("2026-02-05T00:00:00Z", nothing, 0),
    ] {
        archive("rozdil.zip", &entries);
        describe(&desk, as_of, "rozdil.zip", "czechia");
        let account = published(&mut command(&desk));
        assert_eq!(counts(&account), [indexed, indexed, 0, 0, 0]);
        assert_eq!(desk.load("store").documents(), 3);
    }
    // A full list is no difference, nor the other way round.
    archive("rozdil.zip", &[added, withdrawn]);
    describe(&desk, "2026-02-02T00:00:00Z", "list.zip", "czechia");
    fails(&mut command(&desk), 3, "expected two lists of one kind");
    desk.describe_at(
        "2026-02-01T00:00:00Z",
        "sources.toml",
        "rozdil.zip",
        "czechia",
        "",
    );
    fails(
        &mut desk.build("sources.toml", "store"),
        3,
        "a daily difference is no full list",
    );
}

#[test]
fn a_file_without_changes_changes_nothing() {
    let desk = desk();
    desk.write("none.jsonl", "");
    describe(&desk, "2026-02-02T00:00:00Z", "none.jsonl", "sltd-jsonl");
    let account = published(&mut command(&desk));
    assert_eq!(counts(&account), [0; 5]);
    desk.write("none.csv", "number,issuing_state,type,status,action\n");
    describe(&desk, "2026-02-02T00:00:00Z", "none.csv", "sltd-csv");
    assert_eq!(counts(&published(&mut command(&desk))), [0; 5]);
    // Without its header, it was cut off on its way.
    desk.write("none.csv", "");
    fails(&mut command(&desk), 3, "found an empty file");
}

#[test]
fn what_is_no_list_of_changes_is_refused() {
    let desk = desk();
    let before = fs::read(desk.path("store/CURRENT")).unwrap();
    describe(&desk, "2026-02-02T00:00:00Z", "list.csv", "sltd-csv");
    fails(&mut command(&desk), 3, "column action is missing");
    describe(&desk, "2026-02-02T00:00:00Z", "list.csv", "russia");
    fails(
        &mut command(&desk),
        2,
        "expected one that has lists of changes",
    );
    // A list of changes taken for a list would report what was found, and nothing else.
    drop(delta(&desk, "2026-02-02T00:00:00Z", ""));
    desk.describe_at(
        "2026-02-03T00:00:00Z",
        "sources.toml",
        "changes.csv",
        "sltd-csv",
        "",
    );
    fails(
        &mut desk.build("sources.toml", "store"),
        3,
        "`sltd-data delta` takes changes",
    );
    assert_eq!(fs::read(desk.path("store/CURRENT")).unwrap(), before);
}

#[test]
fn deltas_go_on_beside_a_build_and_are_not_lost_by_it() {
    let desk = desk();
    desk.generate("long.csv", 400_000, &["--seed", "3"]);
    let long = fs::read_to_string(desk.path("long.csv")).unwrap();
    desk.write(
        "long.csv",
        format!("{long}AB000001,FIN,passport,lost,2025-01-01,,,,,,\n"),
    );
    desk.describe_at(
        "2026-01-02T00:00:00Z",
        "sources.toml",
        "long.csv",
        "sltd-csv",
        "",
    );
    let mut build = desk.build("sources.toml", "store");
    build.args(["--accept", "new:list", "--accept", "growth:list"]);
    build.stderr(std::process::Stdio::null());
    build.stdout(std::process::Stdio::null());
    let mut build = build.spawn().unwrap();
    while !desk.path("store/building").exists() {
        std::thread::yield_now();
    }
    let row = "AB000001,FIN,passport,,,withdraw,\n";
    published(&mut delta(&desk, "2026-02-01T00:00:00Z", row));
    assert!(
        build.try_wait().unwrap().is_none(),
        "the build ended before a delta could be published beside it"
    );
    assert!(build.wait().unwrap().success());
    let snapshot = desk.load("store");
    assert_eq!(snapshot.generation(), 3);
    assert!(snapshot.documents() > 300_000);
    assert_eq!(look_up(&desk, "AB000001"), 0);
}

#[test]
fn a_delta_killed_at_any_moment_leaves_the_old_snapshot_or_the_new_one() {
    const KILLS: u32 = 40;
    let desk = desk();
    let begin = std::time::Instant::now();
    published(&mut delta(
        &desk,
        "2026-02-01T00:00:00Z",
        "AB000009,FIN,passport,lost,2026-02-01,add,\n",
    ));
    let whole = begin.elapsed();
    let (mut before, mut after) = (0, 0);
    for number in 0..KILLS {
        let generation = desk.load("store").generation();
        let row = format!("KK{number:06},FIN,passport,lost,2026-02-01,add,\n");
        let mut command = delta(&desk, "2026-02-02T00:00:00Z", &row);
        command.stdout(std::process::Stdio::null());
        command.stderr(std::process::Stdio::null());
        let mut child = command.spawn().unwrap();
        // Spread over one and a half times the time that a whole one takes.
        std::thread::sleep(whole.mul_f64(1.5 * f64::from(number) / f64::from(KILLS)));
        // The last one lives.
        if number + 1 < KILLS {
            child.kill().unwrap();
        }
        child.wait().unwrap();
        let snapshot = desk.load("store");
        let found = look_up(&desk, &format!("KK{number:06}"));
        match (snapshot.generation() - generation, found) {
            (0, 0) => before += 1,
            (1, 10) => after += 1,
            other => panic!("generations more, exit code of the lookup: {other:?}"),
        }
        // What was there before still is.
        assert_eq!(look_up(&desk, "AB000009"), 10);
    }
    assert!(before > 0 && after > 0, "{before} before, {after} after");
    // What the killed left hinders nobody, and goes.
    published(&mut delta(
        &desk,
        "2026-02-03T00:00:00Z",
        "KL000001,FIN,passport,lost,2026-02-01,add,\n",
    ));
    assert_eq!(look_up(&desk, "KL000001"), 10);
    assert!(!desk.path("store/publishing").exists());
    succeeds(sltd_data("verify").arg("--store").arg(desk.path("store")));
}
