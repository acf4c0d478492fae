//! Lists of many files through the real commands, and a reading that stalls.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod support;

use sltd::report::Day;
use sltd::snapshot::Store;
use sltd_data::build::{Progress, Shown};
use sltd_data::config;
use sltd_data::sources::{Fate, ReadOptions, Row, RowSink, SinkError, Watch, read_source_watched};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::{Desk, sltd_data};

/// No command takes longer. It is generous, since tests run side by side.
const LIMIT: Duration = Duration::from_secs(60);

/// Waits for a command, which must end in time; its exit code and what it said on standard error.
#[track_caller]
fn ends_in_time(command: &mut Command) -> (Option<i32>, String) {
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut errors = child.stderr.take().unwrap();
    let said = std::thread::spawn(move || {
        let mut said = String::new();
        errors.read_to_string(&mut said).map(|_| said)
    });
    let code = wait(&mut child).unwrap_or_else(|| {
        let _ = child.kill();
        panic!("{command:?}: has not ended within {LIMIT:?}");
    });
    (code, said.join().unwrap().unwrap())
}

fn wait(child: &mut Child) -> Option<Option<i32>> {
    let begun = Instant::now();
    while begun.elapsed() < LIMIT {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status.code());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    None
}

#[track_caller]
fn succeeds_in_time(command: &mut Command) {
    let (code, said) = ends_in_time(command);
    assert_eq!(code, Some(0), "{command:?}: {said}");
}

/// Files of one row each.
fn write(folder: &Path, files: usize, more: (&str, &str)) {
    fs::create_dir_all(folder).unwrap();
    for file in 0..files {
        let text = format!(
            "number,issuing_state,type,status{}\nAB{file:06},FRA,passport,lost{}\n",
            more.0, more.1
        );
        fs::write(folder.join(format!("{file:04}.csv")), text).unwrap();
    }
}

#[test]
fn every_command_that_reads_lists_reads_many_files() {
    for threads in ["1", "2", "16"] {
        let desk = Desk::new();
        let arguments = |command: &mut Command| {
            command.arg("--store").arg(desk.path("store"));
            command.args(["--threads", threads]);
        };
        write(&desk.path("lists"), 78, ("", ""));
        desk.describe("sources.toml", "lists/*.csv", "sltd-csv", "");
        let mut build = sltd_data("build");
        build.arg("--sources").arg(desk.path("sources.toml"));
        arguments(&mut build);
        succeeds_in_time(&mut build);
        assert_eq!(desk.load("store").documents(), 78);

        write(&desk.path("changes"), 100, (",action", ",add"));
        let changes = "[[source]]\nname = \"list\"\nowns = [\"*\"]\npath = \"changes/*.csv\"\nlayout = \"sltd-csv\"\n";
        desk.write("delta.toml", changes);
        let mut delta = sltd_data("delta");
        delta.arg("--sources").arg(desk.path("delta.toml"));
        arguments(&mut delta);
        succeeds_in_time(&mut delta);
        assert_eq!(desk.load("store").documents(), 100);

        write(&desk.path("inbox"), 120, ("", ""));
        desk.write(
            "nightly.toml",
            format!(
                "store = \"nights\"\nsources = \"night.toml\"\nthreads = {threads}\n\
                 [[fetch]]\nfrom = \"inbox\"\nto = \"fetched\"\nsettled = \"0s\"\n"
            ),
        );
        desk.write("night.toml", changes.replace("changes", "fetched"));
        let mut nightly = sltd_data("nightly");
        nightly.arg("--config").arg(desk.path("nightly.toml"));
        succeeds_in_time(&mut nightly);
        assert_eq!(desk.load("nights").documents(), 120);
    }
}

/// The folder of the test below, for the process that it starts.
const FOLDER: &str = "SLTD_TEST_STUCK";

#[test]
fn a_stall_that_nothing_can_interrupt_ends_the_process_and_releases_the_store() {
    let desk = Desk::new();
    write(&desk.path("lists"), 3, ("", ""));
    desk.describe("sources.toml", "lists/*.csv", "sltd-csv", "");
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--ignored", "--exact", "holds_a_store_and_gets_stuck"]);
    child.arg("--nocapture").env(FOLDER, desk.path(""));
    let (code, said) = ends_in_time(&mut child);
    assert_eq!(code, Some(3), "{said}");
    let expected = "error: source list: reading has stalled: the stage `sink` made no progress";
    assert!(said.contains(expected), "{said}");
    drop(Store::writer(desk.path("store")).unwrap());
}

#[test]
#[ignore = "started by the test above in a process of its own"]
fn holds_a_store_and_gets_stuck() {
    struct Stuck;
    impl RowSink for Stuck {
        fn row(&mut self, _: &Row<'_>) -> Result<Fate, SinkError> {
            loop {
                std::thread::park();
            }
        }
    }
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let _writer = Store::writer(folder.join("store")).unwrap();
    let sources = config::load(&folder.join("sources.toml")).unwrap();
    let options = ReadOptions {
        today: Day::MIN,
        threads: 2,
        rejects: None,
        expired: None,
    };
    let shown = Shown::new();
    let watch = Watch {
        stall_after: Duration::from_millis(200),
        on_stuck: &|error| shown.stuck("list", error),
    };
    let read = read_source_watched(&sources.sources[0], &options, watch, &|_| Stuck, &|_| {});
    panic!("not stuck: {read:?}");
}
