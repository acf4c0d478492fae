//! The worked example of FORMAT.md: the store that is kept is read, and built again byte for byte.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

use jiff::Timestamp;
use sltd::document::{DocumentNumber, DocumentType, Issuer, IssuingState};
use sltd::report::{Query, Verdict};
use sltd::snapshot::{LoadOptions, Moment, Snapshot, Store};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/format/example")
}

fn load(store: &Path) -> Snapshot {
    let store = Store::open(store).unwrap();
    store.load_current(&LoadOptions::default()).unwrap()
}

/// The verdict on a document, of which no more than the number may be given: then any report of it is a REVIEW.
fn verdict(snapshot: &Snapshot, number: &str, document: Option<(&str, &str)>) -> Verdict {
    let number = DocumentNumber::normalise(number).unwrap();
    let state = document.map(|(state, _)| Issuer::Known(IssuingState::parse(state).unwrap()));
    let of_type = document.map(|(_, of_type)| DocumentType::from_name(of_type).unwrap());
    let query = Query::from_fields(number, state, of_type);
    let now = Moment::at(Timestamp::now());
    snapshot.check(&query, now).unwrap().judgement.verdict
}

#[test]
fn the_example_says_what_it_is_said_to_say() {
    let snapshot = load(&example().join("store"));
    let text = fs::read_to_string(example().join("expected.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
    let reported = expected["reported"].as_array().unwrap();
    for document in reported {
        let [number, state, of_type] = [0, 1, 2].map(|at| document[at].as_str().unwrap());
        let verdict = verdict(&snapshot, number, Some((state, of_type)));
        assert_eq!(verdict, Verdict::Hit);
    }
    assert_eq!(snapshot.documents(), reported.len() as u64);
    for number in expected["not_reported"].as_array().unwrap() {
        let number = number.as_str().unwrap();
        assert_eq!(verdict(&snapshot, number, None), Verdict::NoRecord);
    }
}

#[test]
fn the_example_is_built_again_byte_for_byte() {
    let built = tempfile::tempdir().unwrap();
    for (command, sources) in [("build", "sources.toml"), ("delta", "delta.toml")] {
        let mut run = Command::new(env!("CARGO_BIN_EXE_sltd-data"));
        run.arg(command)
            .arg("--sources")
            .arg(example().join(sources));
        run.arg("--store").arg(built.path());
        if command == "build" {
            run.args(["--as-of", "2026-10-21"]);
        }
        let output = run.output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let segments = |snapshot: &Snapshot| {
        let segments = snapshot.manifest().segments.iter();
        segments.map(|entry| entry.file.clone()).collect::<Vec<_>>()
    };
    let kept = segments(&load(&example().join("store")));
    assert_eq!(segments(&load(built.path())), kept);
    for file in kept {
        let [kept, again] = [example().join("store"), built.path().to_owned()]
            .map(|store| fs::read(store.join("segments").join(&file)).unwrap());
        assert!(kept == again, "{file}");
    }
}
