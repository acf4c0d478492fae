//! `sltd-data nightly` as a timer runs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod support;

use std::fs;
use std::process::Command;
use support::{Desk, fails, sltd_data, succeeds};

const HEADER: &str = "number,issuing_state,type,status,date_reported\n";

/// A desk with two suppliers' folders.
fn desk() -> Desk {
    let desk = Desk::new();
    let mut sources = String::new();
    let mut config =
        "store = \"store\"\nsources = \"sources.toml\"\nkeep = 2\nby = \"timer\"\n".to_owned();
    for (name, state) in [("north", "FIN"), ("south", "ITA")] {
        fs::create_dir_all(desk.path(&format!("inbox/{name}"))).unwrap();
        sources.push_str(&format!(
            "[[source]]\nname = \"{name}\"\nlayout = \"sltd-csv\"\nowns = [\"{state}\"]\n\
             path = \"lists/{name}/*.csv\"\n"
        ));
        config.push_str(&format!(
            "[[fetch]]\nfrom = \"inbox/{name}\"\nto = \"lists/{name}\"\nsettled = \"0s\"\n"
        ));
    }
    desk.write("sources.toml", sources);
    desk.write("nightly.toml", config);
    desk
}

fn list(desk: &Desk, name: &str, state: &str, numbers: std::ops::Range<u32>) {
    let rows = numbers.map(|number| format!("AB{number:06},{state},passport,lost,2025-01-01\n"));
    let text = HEADER.to_owned() + &rows.collect::<String>();
    desk.write(&format!("inbox/{name}/list.csv"), text);
}

fn nightly(desk: &Desk) -> Command {
    let mut nightly = sltd_data("nightly");
    nightly.arg("--config").arg(desk.path("nightly.toml"));
    nightly
}

#[test]
fn every_night_what_came_is_published() {
    let desk = desk();
    fails(&mut nightly(&desk), 3, "no file matches");
    list(&desk, "north", "FIN", 0..2000);
    list(&desk, "south", "ITA", 0..2000);
    succeeds(&mut nightly(&desk));
    // The next night one list has grown and the other did not come.
    list(&desk, "north", "FIN", 0..2100);
    fs::remove_file(desk.path("inbox/south/list.csv")).unwrap();
    let output = succeeds(&mut nightly(&desk));
    let said = String::from_utf8(output.stdout).unwrap();
    for expected in [
        "100 documents added, 0 withdrawn, 0 changed",
        "published generation 2: 4100 documents",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    // One that has shrunk is held, with a code of its own.
    list(&desk, "north", "FIN", 0..100);
    fails(&mut nightly(&desk), 20, "");
    assert_eq!(desk.load("store").documents(), 4100);
    succeeds(nightly(&desk).args(["--accept", "shrink:FIN", "--accept", "overall"]));
    assert_eq!(desk.load("store").documents(), 2100);
    succeeds(
        sltd_data("rollback")
            .args(["--reason", "test", "--store"])
            .arg(desk.path("store")),
    );
    fails(&mut nightly(&desk), 22, "");
    let mut history = sltd_data("history");
    let history = succeeds(history.arg("--store").arg(desk.path("store")));
    let history = String::from_utf8(history.stdout).unwrap();
    assert_eq!(history.matches("by timer").count(), 5, "{history}");
    // A lock of another is told apart from other failures.
    let writer = sltd::snapshot::Store::writer(desk.path("store")).unwrap();
    fails(&mut nightly(&desk), 23, "is locked");
    drop(writer);
    desk.write("nightly.toml", "store = 1\n");
    fails(&mut nightly(&desk), 2, "expected");
}
