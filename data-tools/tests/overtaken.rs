//! A delta that takes long, and what others publish meanwhile.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod support;

use serde_json::Value;
use std::fmt::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::{Desk, sltd_data, succeeds};

const HEADER: &str = "number,issuing_state,type,status,date_reported\n";
/// Rows of the changes: enough that their reading takes a while.
const ROWS: u32 = 300_000;

/// A store with two sources. `list` reports AB000001 to AB000009.
fn desk() -> Desk {
    let desk = Desk::new();
    let rows = |letters: &str| {
        (1..10).fold(HEADER.to_owned(), |mut rows, number| {
            writeln!(rows, "{letters}{number:06},FIN,passport,lost,2025-01-01").unwrap();
            rows
        })
    };
    desk.write("list.csv", rows("AB"));
    desk.write("other.csv", rows("CD"));
    sources(&desk, "2026-01-01T00:00:00Z");
    succeeds(&mut desk.build("sources.toml", "store"));
    desk
}

fn sources(desk: &Desk, as_of_list: &str) {
    let source = |name: &str, as_of: &str| {
        format!(
            "[[source]]\nname = \"{name}\"\npath = \"{name}.csv\"\nlayout = \"sltd-csv\"\nowns = [\"FIN\"]\nas_of = \"{as_of}\"\n"
        )
    };
    let other = source("other", "2026-01-01T00:00:00Z");
    desk.write("sources.toml", source("list", as_of_list) + &other);
}

/// A delta of `list` as of February 2026 that withdraws AB000001 and has many other rows, stopped while it reads them.
struct Stopped(Option<Child>);

impl Stopped {
    fn new(desk: &Desk) -> Self {
        let mut rows = "number,issuing_state,type,status,date_reported,action\n".to_owned();
        // A row that is rejected: the file that it is written to shows that the reading has begun.
        rows.push_str("NULL,FIN,passport,lost,2026-01-15,add\n");
        rows.push_str("AB000001,FIN,passport,,,withdraw\n");
        for number in 0..ROWS {
            let number = number % 500;
            writeln!(rows, "EF{number:06},FIN,passport,lost,2026-01-15,add").unwrap();
        }
        desk.write("changes.csv", rows);
        desk.write(
            "delta.toml",
            "[[source]]\nname = \"list\"\npath = \"changes.csv\"\nlayout = \"sltd-csv\"\nowns = [\"FIN\"]\n\
             as_of = \"2026-02-01T00:00:00Z\"\n",
        );
        let mut delta = command(desk, "delta");
        delta.arg("--sources").arg(desk.path("delta.toml"));
        let delta = delta.args(["--json", "--threads", "1"]);
        let delta = delta.stdout(Stdio::piped()).stderr(Stdio::piped());
        let stopped = Self(Some(delta.spawn().unwrap()));
        let begun = desk.path("store/rejects/.list.delta.csv.changes.tmp");
        let limit = Instant::now() + Duration::from_secs(60);
        while !begun.exists() {
            assert!(Instant::now() < limit, "the delta reads nothing");
            std::thread::sleep(Duration::from_millis(1));
        }
        stopped.signal("-STOP");
        stopped
    }

    fn signal(&self, signal: &str) {
        let id = self.0.as_ref().unwrap().id();
        succeeds(Command::new("kill").args([signal, &id.to_string()]));
    }

    /// Lets it go on; what it prints in the end.
    fn finish(mut self) -> Value {
        self.signal("-CONT");
        let output = self.0.take().unwrap().wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Stopped {
    /// A test that has failed leaves no process behind.
    fn drop(&mut self) {
        if let Some(mut delta) = self.0.take() {
            let _ = delta.kill();
            let _ = delta.wait();
        }
    }
}

fn command(desk: &Desk, name: &str) -> Command {
    let mut command = sltd_data(name);
    command.arg("--store").arg(desk.path("store"));
    command
}

/// The exit code of a lookup: 0 no record, 10 hit.
fn look_up(desk: &Desk, number: &str) -> i32 {
    let mut lookup = command(desk, "lookup");
    lookup.args(["--number", number, "--issuer", "FIN", "--type", "passport"]);
    lookup.output().unwrap().status.code().unwrap()
}

fn rows(published: &Value) -> [u64; 4] {
    ["indexed", "withdrawn", "noted", "superseded"]
        .map(|name| published["sources"][0][name].as_u64().unwrap())
}

#[test]
fn a_retraction_need_not_wait_for_a_delta_that_reads_its_lists() {
    let desk = desk();
    let delta = Stopped::new(&desk);
    succeeds(command(&desk, "retract").args(["--source", "other", "--reason", "leaked"]));
    assert_eq!(look_up(&desk, "CD000001"), 0);

    let published = delta.finish();
    assert_eq!(published["generation"], 3);
    assert_eq!(rows(&published), [500, 1, 0, 0]);
    assert_eq!(look_up(&desk, "AB000001"), 0);
    assert_eq!(look_up(&desk, "EF000001"), 10);
    assert_eq!(look_up(&desk, "CD000001"), 0, "the retraction still holds");
    assert!(!desk.path("store/changing").exists());
}

#[test]
fn a_list_that_comes_meanwhile_counts() {
    let desk = desk();
    let delta = Stopped::new(&desk);
    // The list is later than the changes, and still has the document that they withdraw.
    sources(&desk, "2026-03-01T00:00:00Z");
    succeeds(&mut desk.build("sources.toml", "store"));
    // What the delta is writing is left alone.
    assert!(
        desk.path("store/rejects/.list.delta.csv.changes.tmp")
            .exists()
    );
    succeeds(&mut command(&desk, "prune"));

    let published = delta.finish();
    assert_eq!(published["generation"], 3);
    assert_eq!(rows(&published), [0, 0, 1, 500]);
    assert_eq!(look_up(&desk, "AB000001"), 10);
    assert_eq!(look_up(&desk, "EF000001"), 0);
    let rejects = std::fs::read_to_string(desk.path("store/rejects/list.delta.csv")).unwrap();
    assert_eq!(rejects.lines().count(), 2, "{rejects}");
}
