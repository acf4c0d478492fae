//! Going back, taking sources out of service, folding changes in, tidying up: as an operator does it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod support;

use serde_json::Value;
use std::process::{Command, Output};
use support::{Desk, fails, files, sltd_data, succeeds};

const HEADER: &str = "number,issuing_state,type,status,date_reported,action\n";

/// Publishes lists: sources with the numbers of the Finnish passports that they report.
fn build(desk: &Desk, day: u32, lists: &[(&str, &[&str])]) -> Command {
    let mut sources = String::new();
    for (name, numbers) in lists {
        let rows = numbers
            .iter()
            .map(|number| format!("{number},FIN,passport,lost,2025-01-01,\n"));
        let text = HEADER.replace(",action", "") + &rows.collect::<String>().replace(",\n", "\n");
        desk.write(&format!("{name}.csv"), text);
        let owns = if name.starts_with("other") {
            "SWE"
        } else {
            "FIN"
        };
        sources.push_str(&format!(
            "[[source]]\nname = \"{name}\"\nas_of = \"2026-01-{day:02}T00:00:00Z\"\nowns = [\"{owns}\"]\n\
             third_party = \"keep\"\npath = \"{name}.csv\"\nlayout = \"sltd-csv\"\n"
        ));
    }
    desk.write("sources.toml", sources);
    desk.build("sources.toml", "store")
}

/// Publishes changes of a source.
fn change(desk: &Desk, source: &str, day: u32, rows: &str) {
    desk.write("changes.csv", format!("{HEADER}{rows}"));
    desk.write(
        "delta.toml",
        format!(
            "[[source]]\nname = \"{source}\"\nas_of = \"2026-01-{day:02}T00:00:00Z\"\nowns = [\"FIN\"]\n\
             path = \"changes.csv\"\nlayout = \"sltd-csv\"\n"
        ),
    );
    let mut delta = command(desk, "delta");
    succeeds(delta.arg("--sources").arg(desk.path("delta.toml")));
}

/// A command on the store.
fn command(desk: &Desk, name: &str) -> Command {
    let mut command = sltd_data(name);
    command.arg("--store").arg(desk.path("store"));
    command
}

/// Which of the numbers A1 to A9 are hits, or to be reviewed.
fn hits(desk: &Desk) -> Vec<u32> {
    let hit = |number: &u32| {
        let mut lookup = command(desk, "lookup");
        lookup.args([
            "--number",
            &format!("A{number}"),
            "--issuer",
            "FIN",
            "--type",
            "passport",
        ]);
        let code = lookup.output().unwrap().status.code();
        // What only another State reports is for a review.
        assert!(matches!(code, Some(0 | 10 | 11)), "{code:?}");
        code != Some(0)
    };
    (1..=9).filter(hit).collect()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_wrong_base_is_gone_back_from_with_the_changes_made_since() {
    let desk = Desk::new();
    succeeds(&mut build(&desk, 1, &[("list", &["A1", "A2"])]));
    change(&desk, "list", 2, "A3,FIN,passport,lost,2025-01-01,add\n");
    fails(
        command(&desk, "rollback").args(["--reason", "x"]),
        3,
        "there is no earlier base that differs",
    );
    succeeds(&mut build(&desk, 4, &[("list", &["A1", "A9"])]));
    change(
        &desk,
        "list",
        5,
        "A1,FIN,passport,,,withdraw\nA4,FIN,passport,lost,2025-01-01,add\n",
    );
    assert_eq!(hits(&desk), [4, 9]);
    // Changes are newer than the first list too: those of the 2nd and of the 5th.
    fails(&mut command(&desk, "rollback"), 2, "--reason");
    let reason = ["--reason", "wrong merge", "--by", "Aino"];
    succeeds(command(&desk, "rollback").args(reason));
    assert_eq!(hits(&desk), [2, 3, 4]);
    // Builds go on and are withheld; deltas are not.
    let mut withheld = build(&desk, 6, &[("list", &["A1", "A2", "A5"])]);
    fails(&mut withheld, 22, "");
    assert_eq!(hits(&desk), [2, 3, 4]);
    change(&desk, "list", 7, "A6,FIN,passport,lost,2025-01-01,add\n");
    assert_eq!(hits(&desk), [2, 3, 4, 6]);
    fails(&mut command(&desk, "publish"), 22, "");
    succeeds(&mut command(&desk, "unpin"));
    fails(&mut command(&desk, "unpin"), 3, "not pinned");
    succeeds(&mut command(&desk, "publish"));
    assert_eq!(hits(&desk), [1, 2, 5, 6]);
    fails(&mut command(&desk, "publish"), 3, "nothing was put aside");
    assert!(!desk.path("store/candidate").exists());
    // What was undone is not gone back to, unless it is named; nor is what came after what was gone back to.
    let output =
        succeeds(command(&desk, "rollback").args(["--reason", "once more", "--without-deltas"]));
    assert!(
        text(&output).contains("base of generation 1"),
        "{}",
        text(&output)
    );
    assert_eq!(hits(&desk), [1, 2]);
    succeeds(command(&desk, "rollback").args(["--reason", "after all", "--to", "3"]));
    assert_eq!(hits(&desk), [1, 9]);
    let history = text(&succeeds(&mut command(&desk, "history")));
    for expected in [
        "rollback",
        "by Aino: wrong merge",
        "WITHHELD",
        "unpinned",
        "(base 3)",
    ] {
        assert!(history.contains(expected), "{expected}: {history}");
    }
    let json = text(&succeeds(
        command(&desk, "history").args(["--json", "--last", "1"]),
    ));
    let last: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&last["event"], &last["reason"]),
        (&"rollback".into(), &"after all".into())
    );
}

#[test]
fn a_source_out_of_service_says_nothing_until_it_is_back() {
    let desk = Desk::new();
    let lists = |day| {
        let lists: [(&str, &[&str]); 2] = [("list", &["A1", "A2"]), ("other", &["A2", "A3"])];
        build(&desk, day, &lists)
    };
    succeeds(&mut lists(1));
    change(
        &desk,
        "list",
        2,
        "A3,FIN,passport,,,withdraw\nA4,FIN,passport,lost,2025-01-01,add\n",
    );
    assert_eq!(hits(&desk), [1, 2, 4]);
    let retract = |more: &[&str]| {
        let mut retract = command(&desk, "retract");
        retract.args(["--reason", "compromised"]).args(more);
        retract
    };
    fails(&mut retract(&["--source", "nobody"]), 3, "no such source");
    succeeds(&mut retract(&["--source", "list"]));
    // Its withdrawal had silenced the other's report.
    assert_eq!(hits(&desk), [2, 3]);
    assert_eq!(desk.load("store").documents(), 2);
    fails(
        &mut retract(&["--source", "list"]),
        3,
        "out of service already",
    );
    // It goes on speaking, and is heard again later.
    change(&desk, "list", 3, "A5,FIN,passport,lost,2025-01-01,add\n");
    assert_eq!(hits(&desk), [2, 3]);
    succeeds(&mut lists(1));
    assert_eq!(
        (hits(&desk), desk.load("store").documents()),
        (vec![2, 3], 2)
    );
    succeeds(&mut retract(&["--source", "list", "--lift"]));
    assert_eq!(
        (hits(&desk), desk.load("store").documents()),
        (vec![1, 2, 4, 5], 4)
    );
    fails(
        &mut retract(&["--source", "list", "--lift"]),
        3,
        "not out of service",
    );
    succeeds(&mut command(&desk, "verify"));
}

#[test]
fn compacting_changes_nothing_that_is_said() {
    let desk = Desk::new();
    succeeds(&mut build(
        &desk,
        1,
        &[("list", &["A1", "A2"]), ("other", &["A2", "A7"])],
    ));
    let output = succeeds(&mut command(&desk, "compact"));
    assert!(text(&output).contains("no changes"));
    for day in 2..5 {
        let row = format!("A{day},FIN,passport,lost,2025-01-01,add\nA7,FIN,passport,,,withdraw\n");
        change(&desk, "list", day, &row);
    }
    let before = (hits(&desk), desk.load("store").documents());
    assert!(desk.load("store").segments().len() > 1);
    succeeds(&mut command(&desk, "compact"));
    assert_eq!((hits(&desk), desk.load("store").documents()), before);
    assert_eq!(desk.load("store").segments().len(), 1);
    succeeds(&mut command(&desk, "verify"));
    let same = text(&succeeds(command(&desk, "diff").args(["4", "5"])));
    assert!(
        same.contains("0 documents added, 0 withdrawn, 0 changed"),
        "{same}"
    );
    // The lists of the third day are later than the changes of the second and third. The withdrawal of the fourth is
    // not, although it changed nothing when it came.
    succeeds(&mut build(
        &desk,
        3,
        &[("list", &["A1"]), ("other", &["A2", "A7"])],
    ));
    assert_eq!(hits(&desk), [1, 2, 4]);
    // And back to the base before that, which is still what it was.
    succeeds(command(&desk, "rollback").args(["--reason", "test"]));
    assert_eq!((hits(&desk), desk.load("store").documents()), before);
}

#[test]
fn pruning_leaves_what_is_in_use() {
    let desk = Desk::new();
    for day in 1..=4 {
        let number = format!("A{day}");
        succeeds(build(&desk, day, &[("list", &["A9", &number])]).args(["--keep", "3"]));
    }
    let segments = |desk: &Desk| files(&desk.path("store/segments")).len();
    assert_eq!(segments(&desk), 3);
    let diff = text(&succeeds(&mut command(&desk, "diff")));
    assert!(
        diff.contains("from generation 3 to 4: 1 documents added, 1 withdrawn, 0 changed"),
        "{diff}"
    );
    fails(
        command(&desk, "diff").args(["1", "4"]),
        3,
        "expected one whose snapshot is kept: 4, 3, 2",
    );
    // As a server has it open.
    let store = sltd::snapshot::Store::open(desk.path("store")).unwrap();
    let chain = store.chain(&store.pointer().unwrap()).unwrap();
    let options = sltd::snapshot::LoadOptions::default();
    let open = store.load_manifest(&chain[2], &options).unwrap();
    let dry = text(&succeeds(command(&desk, "prune").args([
        "--keep",
        "1",
        "--dry-run",
    ])));
    assert!(
        dry.contains("in use, kept") && dry.contains("would be removed"),
        "{dry}"
    );
    assert_eq!(segments(&desk), 3);
    // The one before the current is kept in any case: a server may be about to open it.
    succeeds(command(&desk, "prune").args(["--keep", "1"]));
    assert_eq!(segments(&desk), 3);
    drop(open);
    succeeds(command(&desk, "prune").args(["--keep", "1"]));
    assert_eq!(segments(&desk), 2);
    succeeds(&mut command(&desk, "verify"));
    assert_eq!(hits(&desk), [4, 9]);
}

#[test]
fn a_build_can_be_looked_at_before_it_is_published() {
    let desk = Desk::new();
    succeeds(&mut build(&desk, 1, &[("list", &["A1", "A2"])]));
    let mut aside = build(&desk, 3, &[("list", &["A1", "A3"])]);
    let output = succeeds(aside.arg("--no-publish"));
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed["outcome"], "putAside");
    assert_eq!(printed["diff"]["issuingStates"][0]["added"], 1);
    assert_eq!(hits(&desk), [1, 2]);
    change(&desk, "list", 4, "A5,FIN,passport,lost,2025-01-01,add\n");
    let output = text(&succeeds(&mut command(&desk, "publish")));
    assert!(
        output.contains("1 documents added, 1 withdrawn"),
        "{output}"
    );
    assert_eq!(hits(&desk), [1, 3, 5]);
    // One that was put aside before a newer list was published does not replace that.
    succeeds(build(&desk, 5, &[("list", &["A6"])]).arg("--no-publish"));
    succeeds(&mut build(&desk, 6, &[("list", &["A7"])]));
    fails(&mut command(&desk, "publish"), 21, "");
    assert_eq!(hits(&desk), [7]);
    succeeds(command(&desk, "publish").args(["--accept", "older:list"]));
    assert_eq!(hits(&desk), [6]);
}
