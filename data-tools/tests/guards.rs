//! What stands between a list and its being current, as an operator meets it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod support;

use serde_json::Value;
use std::process::Command;
use support::{Desk, sltd_data};

/// A desk with a `sources.toml` of sources named like the files, each the own list of every State.
struct Lists {
    desk: Desk,
    day: u32,
}

impl Lists {
    fn new() -> Self {
        Self {
            desk: Desk::new(),
            day: 0,
        }
    }

    /// Writes a list of passports of some States: numbers `first..end` of each.
    fn list(&self, name: &str, of: &[(&str, u32, u32)]) {
        let mut text = String::from("number,issuing_state,type,status,date_reported\n");
        for (state, first, end) in of {
            for number in *first..*end {
                text.push_str(&format!("AB{number:06},{state},passport,lost,2025-01-01\n"));
            }
        }
        self.desk.write(&format!("{name}.csv"), text);
    }

    fn describe(&self, names: &[&str], more: &str) {
        let mut text = String::new();
        for name in names {
            let as_of = format!("2026-01-{:02}T00:00:00Z", self.day);
            text.push_str(&format!(
                "[[source]]\nname = \"{name}\"\nas_of = \"{as_of}\"\nowns = [\"*\"]\npath = \"{name}.csv\"\n\
                 layout = \"sltd-csv\"\n{more}\n"
            ));
        }
        self.desk.write("sources.toml", text);
    }

    /// Builds a day later; what is printed, with the exit code that it must have.
    #[track_caller]
    fn build(&mut self, names: &[&str], more: &[&str], code: i32) -> Value {
        self.day += 1;
        self.describe(names, "");
        let mut build = self.desk.build("sources.toml", "store");
        build.args(more);
        printed(&mut build, code)
    }

    fn documents(&self) -> u64 {
        self.desk.load("store").documents()
    }

    /// Lines of the history.
    fn history(&self) -> String {
        let mut history = sltd_data("history");
        history.arg("--store").arg(self.desk.path("store"));
        let output = history.output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

#[track_caller]
fn printed(command: &mut Command, code: i32) -> Value {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{said}{:?}",
        output.stdout
    );
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

/// The flags that a printed result names, of what was refused or held.
fn flags(printed: &Value) -> Vec<String> {
    let texts = printed["refused"].as_array().unwrap().iter();
    let refused = texts.map(|refused| refused["accept"].as_str().unwrap().to_owned());
    let held = printed["held"].as_array().unwrap().iter();
    let why = held.flat_map(|held| held["why"].as_array().unwrap());
    let of_held = why.filter_map(|why| {
        let (_, flag) = why.as_str().unwrap().split_once("; --accept ")?;
        Some(flag.split(' ').next().unwrap().to_owned())
    });
    let mut flags: Vec<String> = refused.chain(of_held).collect();
    flags.sort();
    flags.dedup();
    flags
}

#[test]
fn a_source_that_trips_a_guard_is_held_and_the_rest_is_published() {
    let mut lists = Lists::new();
    lists.list("one", &[("FIN", 0, 2000), ("SWE", 0, 500)]);
    lists.list("two", &[("UKR", 0, 2000)]);
    lists.build(&["one", "two"], &[], 0);
    // FIN loses a quarter; two gains a few.
    lists.list("one", &[("FIN", 0, 1500), ("SWE", 0, 500)]);
    lists.list("two", &[("UKR", 0, 2100)]);
    let printed = lists.build(&["one", "two"], &[], 20);
    assert_eq!(printed["outcome"], "published");
    assert_eq!(flags(&printed), ["shrink:FIN"]);
    let one = &printed["sources"][0];
    let count = |of: &Value, name: &str| of[name].as_u64().unwrap();
    assert_eq!(
        ["read", "indexed", "held", "documents"].map(|name| count(one, name)),
        [2000, 0, 2000, 2500]
    );
    assert_eq!(count(&printed["sources"][1], "indexed"), 2100);
    assert_eq!(lists.documents(), 4600);
    assert_eq!(count(&printed["diff"], "added"), 100);
    assert_eq!(count(&printed["diff"], "withdrawn"), 0);
    // What was held keeps its edition: a list of the same day as before is not older.
    let manifest = lists.desk.load("store").manifest().clone();
    let one = manifest
        .sources
        .iter()
        .find(|source| source.name == "one")
        .unwrap();
    assert_eq!(
        (one.list, one.as_of.to_string().as_str()),
        (Some(1), "2026-01-01T00:00:00Z")
    );
    let history = lists.history();
    assert!(
        history.contains("source one is held: source one, FIN: 1500 documents, 2000 before"),
        "{history}"
    );
    // By name it passes, and is the measure from then on.
    lists.build(
        &["one", "two"],
        &["--accept", "shrink:FIN", "--accept", "overall"],
        0,
    );
    assert_eq!(lists.documents(), 4100);
    lists.build(&["one", "two"], &[], 0);
}

#[test]
fn growth_is_measured_against_what_was_usual() {
    let mut lists = Lists::new();
    let mut grow = |end: u32, more: &[&str], code: i32| {
        lists.list("list", &[("GBR", 0, end), ("FRA", 0, 3000)]);
        let printed = lists.build(&["list"], more, code);
        (flags(&printed), lists.documents())
    };
    grow(2000, &[], 0);
    // 15 % is no cause; 40 % is, with no step so far that would explain it.
    grow(2300, &[], 0);
    let refused = vec!["growth:GBR".to_owned()];
    // The largest step is 300: three times that is not enough for a growth of 1000.
    assert_eq!(grow(3300, &[], 21), (refused.clone(), 5300));
    assert_eq!(grow(3300, &["--accept", "growth:GBR"], 0).1, 6300);
    // Now a step of 1000 is known, and three of them at once pass.
    assert_eq!(grow(6200, &[], 0).1, 9200);
    assert_eq!(grow(20_000, &[], 21), (refused, 9200));
    // A State that was not there, below and above the floor.
    lists.list(
        "list",
        &[("GBR", 0, 6200), ("FRA", 0, 3000), ("ESP", 0, 999)],
    );
    lists.build(&["list"], &[], 0);
    lists.list(
        "list",
        &[
            ("GBR", 0, 6200),
            ("FRA", 0, 3000),
            ("ESP", 0, 999),
            ("ITA", 0, 1000),
        ],
    );
    let printed = lists.build(&["list"], &[], 21);
    assert_eq!(flags(&printed), ["new:ITA"]);
    lists.build(&["list"], &["--accept", "new:ITA"], 0);
    lists.list("more", &[("PRT", 0, 1000), ("DNK", 0, 1000)]);
    let printed = lists.build(&["list", "more"], &[], 20);
    assert_eq!(flags(&printed), ["new:more"]);
    lists.build(&["list", "more"], &["--accept", "new:more"], 0);
}

#[test]
fn empty_missing_removed_and_older_lists_keep_what_was_there() {
    let mut lists = Lists::new();
    for name in ["empty", "missing", "removed", "rest"] {
        lists.list(name, &[("FIN", 0, 10)]);
    }
    let all = ["empty", "missing", "removed", "rest"];
    lists.build(&all, &[], 0);
    lists.list("empty", &[]);
    std::fs::remove_file(lists.desk.path("missing.csv")).unwrap();
    let printed = lists.build(&["empty", "missing", "rest"], &[], 20);
    assert_eq!(flags(&printed), ["empty:empty", "removed:removed"]);
    let held = printed["held"].as_array().unwrap();
    let missing = held
        .iter()
        .find(|held| held["source"] == "missing")
        .unwrap();
    assert!(
        missing["why"][0]
            .as_str()
            .unwrap()
            .contains("no file matches"),
        "{missing}"
    );
    let sources = |lists: &Lists| {
        let counts = sltd::snapshot::Figures::of(lists.desk.load("store").counts());
        all.map(|name| counts.of_source(name))
    };
    assert_eq!(sources(&lists), [10, 10, 10, 10]);
    // An older list, and one that breaks off.
    lists.desk.write("missing.csv", "");
    lists.list("rest", &[("FIN", 0, 11)]);
    lists.day = 0;
    let printed = lists.build(
        &["missing", "rest"],
        &["--accept", "removed:empty", "--accept", "removed:removed"],
        3,
    );
    // One is unreadable, the other older: nothing is left to publish.
    let message = printed["error"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("no list could be used; nothing was published:"),
        "{message}"
    );
    lists.day = 3;
    lists.build(
        &["missing", "rest"],
        &["--accept", "removed:empty", "--accept", "removed:removed"],
        20,
    );
    assert_eq!(sources(&lists), [0, 10, 0, 11]);
    // What was taken out stays out, whatever it said before.
    let printed = lists.build(&["missing", "rest"], &[], 20);
    assert!(flags(&printed).is_empty(), "{printed}");
    assert_eq!(sources(&lists), [0, 10, 0, 11]);
    // A required source stops everything.
    lists.day += 1;
    lists.describe(&["missing", "rest"], "required = true");
    let output = lists.desk.build("sources.toml", "store").output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("source missing"));
    // A list of tomorrow would silence whatever is said until then.
    lists.list("missing", &[("FIN", 0, 10)]);
    let text = std::fs::read_to_string(lists.desk.path("sources.toml")).unwrap();
    lists
        .desk
        .write("sources.toml", text.replace("2026-01", "9026-01"));
    let output = lists.desk.build("sources.toml", "store").output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("expected an instant that has passed")
    );
}

#[test]
fn a_snapshot_that_shrinks_in_all_is_refused() {
    let mut lists = Lists::new();
    // Each below the floor: only all of them together are too few.
    let states = ["FIN", "SWE", "NOR", "DNK", "ISL"];
    let of = |end: u32| states.map(|state| (state, 0, end));
    lists.list("list", &of(900));
    lists.build(&["list"], &[], 0);
    lists.list("list", &of(850));
    let printed = lists.build(&["list"], &[], 21);
    assert_eq!(flags(&printed), ["overall"]);
    assert_eq!(
        (lists.documents(), &printed["generation"]),
        (4500, &2.into())
    );
    assert!(lists.history().contains("REFUSED"), "{}", lists.history());
    lists.build(&["list"], &["--accept", "overall"], 0);
    assert_eq!(lists.documents(), 4250);
}

#[test]
fn changes_are_measured_from_the_last_base_on() {
    let mut lists = Lists::new();
    lists.list("list", &[("FIN", 0, 10_000)]);
    lists.list("other", &[("SWE", 0, 10)]);
    lists.build(&["list", "other"], &[], 0);
    let mut day = 1;
    let mut withdraw = |first: u32, end: u32, more: &[&str], code: i32| {
        day += 1;
        let mut text = String::from("number,issuing_state,type,status,action\n");
        for number in first..end {
            text.push_str(&format!("AB{number:06},FIN,passport,,withdraw\n"));
        }
        lists.desk.write("changes.csv", text);
        lists.desk.write(
            "more.csv",
            "number,issuing_state,type,status,action\nX1,SWE,passport,lost,add\n",
        );
        let source = |name: &str, path: &str| {
            format!(
                "[[source]]\nname = \"{name}\"\nas_of = \"2026-02-{day:02}T00:00:00Z\"\nowns = [\"*\"]\n\
                 path = \"{path}\"\nlayout = \"sltd-csv\"\n"
            )
        };
        let text = source("list", "changes.csv") + &source("other", "more.csv");
        lists.desk.write("delta.toml", text);
        let mut delta = sltd_data("delta");
        delta.arg("--sources").arg(lists.desk.path("delta.toml"));
        delta
            .arg("--store")
            .arg(lists.desk.path("store"))
            .arg("--json")
            .args(more);
        let printed = printed(&mut delta, code);
        (printed, lists.documents())
    };
    // Fewer than the floor, again and again, up to a fifth.
    assert_eq!(withdraw(0, 400, &[], 0).1, 9_611);
    // At once no more than a twentieth.
    let (printed, documents) = withdraw(400, 1_500, &[], 20);
    assert_eq!(
        (flags(&printed), documents),
        (vec!["withdrawals:list".to_owned()], 9_611)
    );
    assert_eq!(printed["sources"][0]["held"], 1_100);
    // Five in a hundred in all: that is for somebody to look at.
    let (printed, documents) = withdraw(400, 900, &[], 21);
    assert_eq!(
        (flags(&printed), documents),
        (vec!["overall".to_owned()], 9_611)
    );
    assert_eq!(withdraw(400, 900, &["--accept", "overall"], 0).1, 9_111);
    // Accepted once, it need not be again for the next one.
    assert_eq!(withdraw(900, 1_000, &[], 0).1, 9_011);
    let all = ["--accept", "overall", "--accept", "withdrawals:list"];
    assert_eq!(withdraw(1_000, 2_000, &all, 0).1, 8_011);
    let (printed, _) = withdraw(2_000, 2_001, &[], 20);
    assert_eq!(flags(&printed), ["shrink:FIN"]);
    assert_eq!(
        withdraw(2_000, 2_001, &["--accept", "shrink:FIN"], 0).1,
        8_010
    );
}

/// An operator who has looked at the lists accepts all of it in the next run, and nothing else.
#[test]
fn all_waivers_are_named_at_once_and_those_that_nothing_needs_are_warned_of() {
    let mut lists = Lists::new();
    lists.list("one", &[("FIN", 0, 4000), ("SWE", 0, 4000)]);
    lists.list("two", &[("UKR", 0, 2000)]);
    lists.build(&["one", "two"], &[], 0);
    lists.list("one", &[("FIN", 0, 1000), ("SWE", 0, 1000)]);
    let held = lists.build(&["one", "two"], &[], 20);
    assert_eq!(
        held["needed"],
        serde_json::json!(["overall", "shrink:FIN", "shrink:SWE"])
    );
    let flags: Vec<String> = held["needed"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|flag| ["--accept".to_owned(), flag.as_str().unwrap().to_owned()])
        .collect();
    let mut flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    flags.extend(["--accept", "growth:FIN", "--accept", "empty:two"]);
    let published = lists.build(&["one", "two"], &flags, 0);
    assert_eq!(published["needed"], serde_json::json!([]));
    let warnings = published["warnings"].to_string();
    for unused in [
        "--accept growth:FIN was not needed",
        "--accept empty:two was not needed",
    ] {
        assert!(warnings.contains(unused), "{warnings}");
    }
    assert_eq!(warnings.matches("was not needed").count(), 2, "{warnings}");
    assert_eq!(lists.documents(), 4000);
    // In text as well.
    lists.list("one", &[("FIN", 0, 100), ("SWE", 0, 1000)]);
    lists.day += 1;
    lists.describe(&["one", "two"], "");
    let mut build = sltd_data("build");
    build.arg("--sources").arg(lists.desk.path("sources.toml"));
    build.arg("--store").arg(lists.desk.path("store"));
    let output = build.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let all = "to let all of it pass: --accept overall --accept shrink:FIN\n";
    assert!(said.contains(all), "{said}");
}
