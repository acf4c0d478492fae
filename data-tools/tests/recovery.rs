//! Stores that have lost something, as an operator meets them: what is refused, what is said, and what goes on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod support;

use serde_json::Value;
use std::fs;
use std::process::{Command, Stdio};
use support::{Desk, fails, sltd_data, succeeds};

const HEADER: &str = "number,issuing_state,type,status,date_reported\n";

/// A desk with a store of one generation.
fn desk() -> Desk {
    let desk = Desk::new();
    list(&desk, &["A1", "A2"]);
    desk.describe("sources.toml", "list.csv", "sltd-csv", "");
    succeeds(&mut desk.build("sources.toml", "store"));
    desk
}

fn list(desk: &Desk, numbers: &[&str]) {
    let rows = numbers
        .iter()
        .map(|number| format!("{number},FIN,passport,lost,2025-01-01\n"));
    desk.write("list.csv", HEADER.to_owned() + &rows.collect::<String>());
}

/// A command on the store.
fn command(desk: &Desk, name: &str) -> Command {
    let mut command = sltd_data(name);
    command.arg("--store").arg(desk.path("store"));
    command
}

/// Publishes one more document.
fn delta(desk: &Desk, number: &str) -> Command {
    let row = format!("{number},FIN,passport,lost,2025-01-01,add\n");
    desk.write(
        "changes.csv",
        HEADER.replace('\n', ",action\n").as_str().to_owned() + &row,
    );
    let source = "[[source]]\nname = \"list\"\nas_of = \"2026-02-01T00:00:00Z\"\nowns = [\"*\"]";
    let layout = "path = \"changes.csv\"\nlayout = \"sltd-csv\"";
    desk.write("delta.toml", format!("{source}\n{layout}\n"));
    let mut delta = command(desk, "delta");
    delta.arg("--sources").arg(desk.path("delta.toml"));
    delta
}

#[test]
fn nothing_is_published_over_manifests_without_a_pointer() {
    let desk = desk();
    fs::remove_file(desk.path("store/CURRENT")).unwrap();
    // With its history or without.
    for _ in 0..2 {
        let missing = "CURRENT is missing, but manifests up to generation 1 are there";
        fails(&mut desk.build("sources.toml", "store"), 3, missing);
        fails(&mut delta(&desk, "A3"), 3, missing);
        fails(&mut command(&desk, "publish"), 3, missing);
        let mut rollback = command(&desk, "rollback");
        fails(rollback.args(["--reason", "x"]), 3, missing);
        fails(&mut command(&desk, "compact"), 3, missing);
        fails(&mut command(&desk, "prune"), 3, missing);
        fails(&mut command(&desk, "verify"), 1, missing);
        fails(&mut command(&desk, "inspect"), 3, missing);
        let _ = fs::remove_file(desk.path("store/history.jsonl"));
    }
    assert!(desk.path("store/manifests/00000001.json").exists());
    assert!(!desk.path("store/CURRENT").exists());
}

#[test]
fn what_servers_have_seen_is_published_above() {
    let desk = desk();
    list(&desk, &["A1", "A2", "A3"]);
    desk.describe_at(
        "2026-01-02T00:00:00Z",
        "sources.toml",
        "list.csv",
        "sltd-csv",
        "",
    );
    let mut build = desk.build("sources.toml", "store");
    succeeds(build.args(["--above", "41"]));
    assert_eq!(desk.load("store").generation(), 42);
    // One that is lower changes nothing; the chain goes on over the gap.
    succeeds(delta(&desk, "A4").args(["--above", "3"]));
    assert_eq!(desk.load("store").generation(), 43);
    succeeds(command(&desk, "rollback").args(["--reason", "x", "--above", "50"]));
    let snapshot = desk.load("store");
    assert_eq!((snapshot.generation(), snapshot.manifest().base), (51, 1));
    assert_eq!(snapshot.documents(), 3);
    succeeds(&mut command(&desk, "verify"));
    let mut absurd = desk.build("sources.toml", "store");
    fails(
        absurd.args(["--above", "18446744073709551615"]),
        2,
        "--above",
    );
    let mut first = desk.build("sources.toml", "other");
    succeeds(first.args(["--above", "7"]));
    assert_eq!(desk.load("other").generation(), 8);
}

#[test]
fn history_is_told_in_the_order_in_which_it_became_current() {
    let desk = desk();
    for number in ["A3", "A4", "A5"] {
        succeeds(&mut delta(&desk, number));
    }
    let path = desk.path("store/history.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let mut lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    // The clock was set back before the last, and a process was killed before it wrote the line of the third.
    lines[3]["at"] = "2020-01-01T00:00:00Z".into();
    lines.remove(2);
    let lines = lines.iter().map(|line| format!("{line}\n"));
    fs::write(&path, lines.collect::<String>()).unwrap();
    let told = succeeds(command(&desk, "history").arg("--json")).stdout;
    let told = String::from_utf8(told).unwrap();
    let generation = |line| serde_json::from_str::<Value>(line).unwrap()["generation"].clone();
    let told: Vec<Value> = told.lines().map(generation).collect();
    assert_eq!(told, [1, 2, 3, 4]);
}

#[test]
fn nothing_is_promised_for_no_time() {
    let desk = desk();
    let mut build = desk.build("sources.toml", "store");
    fails(build.args(["--valid-for", "0s"]), 2, "for no time");
    fails(
        delta(&desk, "A3").args(["--valid-for", "0ms"]),
        2,
        "for no time",
    );
}

/// The rest of a build that was killed may be larger than all that the store holds.
#[test]
fn pruning_removes_what_a_killed_build_has_left() {
    let desk = desk();
    desk.generate("long.csv", 200_000, &[]);
    desk.describe_at(
        "2026-01-02T00:00:00Z",
        "long.toml",
        "long.csv",
        "sltd-csv",
        "",
    );
    let scratch = desk.path("store/building");
    let mut build = desk.build("long.toml", "store");
    build.args(["--memory", "256KiB", "--threads", "1"]);
    build.stdout(Stdio::null()).stderr(Stdio::null());
    let mut build = build.spawn().unwrap();
    let begun = || fs::read_dir(&scratch).is_ok_and(|mut found| found.next().is_some());
    while !begun() {
        assert!(
            build.try_wait().unwrap().is_none(),
            "it ended before it was met"
        );
    }
    // It takes no step more, and holds what it has.
    let pid = build.id().to_string();
    succeeds(Command::new("kill").args(["-STOP", &pid]));
    // While it runs, nothing of it is left over.
    let output = succeeds(&mut command(&desk, "prune"));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!said.contains("building"), "{said}");
    build.kill().unwrap();
    build.wait().unwrap();
    desk.write("store/CURRENT.tmp", "half");
    desk.write("store/rejects/.list.csv.tmp", "half");
    fs::create_dir_all(desk.path("store/candidate")).unwrap();
    desk.write("store/candidate/segment", "half");
    desk.write("store/segments/nobody.seg", "nobody names it");
    let parts = [
        "building/",
        "CURRENT.tmp",
        ".list.csv.tmp",
        "candidate/segment",
        "nobody.seg",
    ];
    for (arguments, word) in [
        (&["--dry-run"][..], "would be removed: "),
        (&[], "removed: "),
    ] {
        let output = succeeds(command(&desk, "prune").args(arguments));
        let said = String::from_utf8(output.stdout).unwrap();
        for part in parts {
            let mut lines = said.lines();
            let found = lines.any(|line| line.starts_with(word) && line.contains(part));
            assert!(found, "{arguments:?}: {part}: {said}");
        }
    }
    let left = support::files(&desk.path("store"));
    assert!(
        !left
            .iter()
            .any(|name| parts.iter().any(|part| name.contains(part))),
        "{left:?}"
    );
    assert!(!scratch.exists() && !desk.path("store/candidate").exists());
    // No lock is left either: what was killed holds nothing.
    succeeds(&mut desk.build("sources.toml", "store"));
    succeeds(&mut command(&desk, "verify"));
}
