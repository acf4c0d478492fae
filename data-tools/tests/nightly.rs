//! `sltd-data nightly` as a timer runs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod support;

use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;
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
    list(&desk, "north", "FIN", 0..7);
    let before = fs::read(desk.path("lists/north/list.csv")).unwrap();
    fails(&mut nightly(&desk), 23, "is locked");
    let after = fs::read(desk.path("lists/north/list.csv")).unwrap();
    assert!(
        before == after,
        "nothing is fetched without the right to build"
    );
    drop(writer);
    desk.write("nightly.toml", "store = 1\n");
    fails(&mut nightly(&desk), 2, "expected");
}

#[test]
fn a_source_whose_list_can_not_be_fetched_is_held() {
    let desk = desk();
    list(&desk, "north", "FIN", 0..20);
    list(&desk, "south", "ITA", 0..20);
    succeeds(&mut nightly(&desk));
    let inbox = desk.path("inbox/south");
    let prepared: [(&str, &dyn Fn()); 3] = [
        ("broken.csv", &|| {
            std::os::unix::fs::symlink("nowhere", inbox.join("broken.csv")).unwrap();
        }),
        ("inbox/south", &|| fs::remove_dir_all(&inbox).unwrap()),
        ("inbox/south", &|| fs::write(&inbox, "a file").unwrap()),
    ];
    for (night, (named, prepare)) in (1..).zip(prepared) {
        prepare();
        list(&desk, "north", "FIN", 0..20 + night);
        let output = nightly(&desk).arg("--json").output().unwrap();
        assert_eq!(output.status.code(), Some(20), "{output:?}");
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(said["held"][0]["source"], "south");
        let why = said["held"][0]["why"][0].as_str().unwrap();
        assert!(
            why.contains("could not be fetched") && why.contains(named),
            "{why}"
        );
        assert_eq!(desk.load("store").documents(), u64::from(40 + night));
    }
    // One that is required stops all, and one that belongs to nobody does, too.
    let sources = fs::read_to_string(desk.path("sources.toml")).unwrap();
    desk.write("sources.toml", sources.clone() + "required = true\n");
    fails(&mut nightly(&desk), 3, "could not be fetched");
    desk.write("sources.toml", sources.replace("lists/south", "elsewhere"));
    fails(&mut nightly(&desk), 3, "no source has its lists in");
}

#[test]
fn of_two_at_once_one_is_told_before_it_touches_anything() {
    let desk = desk();
    list(&desk, "north", "FIN", 0..3000);
    list(&desk, "south", "ITA", 0..3000);
    let mut codes = Vec::new();
    for _ in 0..6 {
        let children = [0, 1, 2].map(|_| {
            let mut nightly = nightly(&desk);
            nightly.stdout(Stdio::null()).stderr(Stdio::null());
            nightly.spawn().unwrap()
        });
        for mut child in children {
            codes.push(child.wait().unwrap().code().unwrap());
        }
        assert_eq!(desk.load("store").documents(), 6000);
    }
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes, [0, 23]);
}

#[test]
fn killed_while_it_fetches_the_list_before_stands_or_the_new_one() {
    let desk = desk();
    list(&desk, "south", "ITA", 0..10);
    list(&desk, "north", "FIN", 0..40_000);
    let begin = Instant::now();
    succeeds(&mut nightly(&desk));
    let whole = begin.elapsed();
    let mut lists = vec![fs::read(desk.path("inbox/north/list.csv")).unwrap()];
    let (mut old, mut new) = (0, 0);
    for round in 0..24 {
        list(&desk, "north", "FIN", 0..40_001 + round);
        lists.push(fs::read(desk.path("inbox/north/list.csv")).unwrap());
        let mut nightly = nightly(&desk);
        nightly.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = nightly.spawn().unwrap();
        // Fetching is a small part of it, in the beginning.
        std::thread::sleep(whole.mul_f64(f64::from(round) / 24.0 / 4.0));
        child.kill().unwrap();
        child.wait().unwrap();
        let found = fs::read(desk.path("lists/north/list.csv")).unwrap();
        let place = lists.iter().position(|list| *list == found);
        match place.expect("a list that was sent, whole") + 1 == lists.len() {
            true => new += 1,
            false => old += 1,
        }
    }
    println!("{old} times the list before stood, {new} times the new one");
    // No lock is left, and no folder of a fetch that was not finished.
    succeeds(&mut nightly(&desk));
    let found = fs::read(desk.path("lists/north/list.csv")).unwrap();
    assert!(Some(&found) == lists.last());
    let mut names: Vec<_> = fs::read_dir(desk.path("lists"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["north", "south"]);
}
