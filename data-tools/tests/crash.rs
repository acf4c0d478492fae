//! Builds killed at any moment, builds beside builds, and disks that say no: the store always opens,
//! with the snapshot before or the new one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod support;

use sltd::document::DocumentNumber;
use sltd::snapshot::{LoadError, LoadOptions, Store};
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::{Desk, fails, files, succeeds};

/// Rows of the list: with little memory, some seconds of work through scratch files.
const ROWS: u32 = 40_000;
/// Builds killed, but for those that ended before.
const KILLS: u32 = 36;
/// How long anything may take that ought to happen at all.
const PATIENCE: Duration = Duration::from_secs(120);

const HEADER: &str = "number,issuing_state,type,status\n";

/// A desk with a list, and beside it a list of one row by which builds are told apart.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.generate("list.csv", ROWS, &[]);
    fs::create_dir(desk.path("lists")).unwrap();
    fs::rename(desk.path("list.csv"), desk.path("lists/list.csv")).unwrap();
    desk.describe("sources.toml", "lists/*.csv", "sltd-csv", "");
    desk
}

fn mark(number: u32) -> String {
    format!("MARK{number:05}")
}

/// A build of the list and of a mark of its own, through scratch files.
fn marked_build(desk: &Desk, number: u32) -> Command {
    desk.write(
        "lists/mark.csv",
        format!("{HEADER}{},FRA,passport,lost\n", mark(number)),
    );
    let mut command = desk.build("sources.toml", "store");
    command.args(["--memory", "512KiB", "--threads", "2"]);
    // All are as of the same instant.
    command.args(["--accept", "same-as-of:list"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Which of the marks below `end` the current snapshot holds; `None` where nothing is published.
/// Loading verifies every byte.
fn marked(desk: &Desk, end: u32) -> Option<u32> {
    let snapshot = match Store::open(desk.path("store")) {
        Ok(store) => store.load_current(&LoadOptions::default()).unwrap(),
        Err(LoadError::NotAStore(_)) => return None,
        Err(error) => panic!("{error}"),
    };
    let found = (0..end).filter(|number| {
        let number = DocumentNumber::normalise(&mark(*number)).unwrap();
        !snapshot.segments()[0].find(&number).unwrap().is_empty()
    });
    let found: Vec<u32> = found.collect();
    let [number] = found[..] else {
        panic!("expected one mark, found {found:?}")
    };
    Some(number)
}

/// When a build is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// So long after its begin.
    After(Duration),
    /// As soon as something stands in the store that was not there, in a place named by its folder
    /// (or, at the top, by the beginning of its name).
    Seen(&'static str),
    /// As soon as the pointer is another one.
    Published,
}

/// The steps of a publication, as they show in the store.
const STEPS: [Moment; 5] = [
    Moment::Seen("building/"),
    Moment::Seen("building/segment"),
    Moment::Seen("segments/"),
    Moment::Seen("manifests/"),
    Moment::Published,
];

impl Moment {
    /// Waits for the moment, or for the build's end.
    fn wait(self, child: &mut Child, desk: &Desk, before: &[String], pointer: Option<&[u8]>) {
        let begin = Instant::now();
        let folder = desk.path("store");
        while child.try_wait().unwrap().is_none() {
            assert!(
                begin.elapsed() < PATIENCE,
                "a build does not come to {self:?}"
            );
            let come = match self {
                Self::After(time) => begin.elapsed() >= time,
                Self::Seen(place) => seen(&folder, place, before),
                Self::Published => fs::read(folder.join("CURRENT")).ok().as_deref() != pointer,
            };
            if come {
                return;
            }
            // Steps of a publication follow one another in less than a millisecond.
            std::thread::sleep(Duration::from_micros(50));
        }
    }
}

fn seen(store: &std::path::Path, place: &str, before: &[String]) -> bool {
    let (folder, begin) = place.split_once('/').unwrap();
    let Ok(entries) = fs::read_dir(store.join(folder)) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let name = entry.file_name().into_string().unwrap();
        name.starts_with(begin) && !before.contains(&format!("{folder}/{name}"))
    })
}

/// Nothing but what belongs there: no scratch files, no half-written files, nothing that nobody names.
fn assert_tidy(desk: &Desk) {
    let store = desk.path("store");
    assert!(!store.join("building").exists() && !store.join("publishing").exists());
    let found = files(&store);
    let known = |name: &String| {
        ["CURRENT", "LOCK", "history.jsonl"].contains(&name.as_str())
            || (name.starts_with("manifests/") && name.ends_with(".json"))
            || (name.starts_with("copies/") && name.ends_with(".json"))
            || (name.starts_with("segments/") && name.ends_with(".seg"))
    };
    assert!(found.iter().all(known), "{found:?}");
    // The last seven.
    for folder in ["manifests/", "copies/", "segments/"] {
        let count = found.iter().filter(|name| name.starts_with(folder)).count();
        assert!((1..=7).contains(&count), "{found:?}");
    }
}

#[test]
fn a_build_killed_at_any_moment_leaves_the_old_snapshot_or_the_new_one() {
    let desk = desk();
    let begin = Instant::now();
    succeeds(&mut marked_build(&desk, 0));
    let whole = begin.elapsed();
    let mut published = 0;
    // The same moments each time, as shares of a whole build; what they hit is another thing each time.
    let mut state = 5u64;
    let (mut old, mut new, mut killed, mut number) = (0, 0, 0, 0);
    while killed < KILLS {
        number += 1;
        assert!(
            number < 4 * KILLS,
            "{killed} of {number} builds were killed before their end"
        );
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let moment = match number % 2 {
            0 => STEPS[(number / 2) as usize % STEPS.len()],
            _ => Moment::After(whole.mul_f64((state >> 40) as f64 / (1u64 << 24) as f64)),
        };
        let before = files(&desk.path("store"));
        let pointer = fs::read(desk.path("store/CURRENT")).unwrap();
        let mut child = marked_build(&desk, number).spawn().unwrap();
        moment.wait(&mut child, &desk, &before, Some(&pointer));
        let ended = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        killed += u32::from(!ended);
        let found = marked(&desk, number + 1).expect("a snapshot was published before");
        assert!(
            found == published || found == number,
            "{moment:?}: {found}, neither {published} nor {number}"
        );
        if found == number {
            new += 1
        } else {
            old += 1
        }
        published = found;
        // What the killed left does not hinder the next, and goes with it.
        if number % 6 == 0 {
            number += 1;
            succeeds(&mut marked_build(&desk, number));
            assert_eq!(marked(&desk, number + 1), Some(number));
            published = number;
            assert_tidy(&desk);
        }
    }
    println!("{killed} builds killed: {old} times the old snapshot stood, {new} times the new one");
    assert!(
        old > 0 && new > 0,
        "the moments miss one side of the pointer: {old} old, {new} new"
    );
    // Generations only rise, whatever was killed between.
    let history = fs::read_to_string(desk.path("store/history.jsonl")).unwrap();
    let generations: Vec<u64> = history
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["generation"]
                .as_u64()
                .unwrap()
        })
        .collect();
    assert!(generations.is_sorted_by(|a, b| a < b), "{generations:?}");
}

#[test]
fn a_first_build_killed_leaves_no_store_or_a_whole_one() {
    let desk = desk();
    for (number, moment) in STEPS.into_iter().enumerate() {
        let number = number as u32;
        let _ = fs::remove_dir_all(desk.path("store"));
        let mut child = marked_build(&desk, number).spawn().unwrap();
        moment.wait(&mut child, &desk, &[], None);
        child.kill().unwrap();
        child.wait().unwrap();
        let found = marked(&desk, number + 1);
        assert!(
            found.is_none_or(|found| found == number),
            "{moment:?}: {found:?}"
        );
        assert!(
            found.is_some() || !matches!(moment, Moment::Published),
            "published and not there"
        );
    }
    succeeds(&mut marked_build(&desk, 9));
    assert_eq!(marked(&desk, 10), Some(9));
    assert_tidy(&desk);
}

#[test]
fn a_build_beside_a_build_is_refused() {
    let desk = desk();
    succeeds(&mut marked_build(&desk, 0));
    let mut first = marked_build(&desk, 1).spawn().unwrap();
    Moment::Seen("building/").wait(&mut first, &desk, &[], None);
    assert!(
        first.try_wait().unwrap().is_none(),
        "the first ended before it could be met"
    );
    let mut second = desk.build("sources.toml", "store");
    fails(
        &mut second,
        23,
        "another build or publish is changing the store",
    );
    assert!(first.wait().unwrap().success());
    assert_eq!(marked(&desk, 2), Some(1));
    // A lock that nobody holds any more is no lock.
    succeeds(&mut marked_build(&desk, 2));
    assert_tidy(&desk);
}

#[test]
fn a_folder_that_can_not_be_written_is_named() {
    let desk = desk();
    succeeds(&mut marked_build(&desk, 0));
    type Prepare = fn(&Desk) -> PathBuf;
    let cases: [(&str, Prepare); 3] = [
        // Files where folders should be: permissions would not stop a privileged user.
        ("a file for a store", |desk| desk.path("sources.toml")),
        ("a file for the folder above", |desk| {
            desk.path("sources.toml").join("store")
        }),
        ("a file for the segments", |desk| {
            fs::create_dir_all(desk.path("half")).unwrap();
            desk.write("half/segments", "");
            desk.path("half")
        }),
    ];
    for (what, prepare) in cases {
        let store = prepare(&desk);
        let name = store
            .strip_prefix(desk.path(""))
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        fails(&mut desk.build("sources.toml", &name), 3, &name);
        println!("{what}: refused");
    }
    assert_eq!(marked(&desk, 1), Some(0));
}

#[test]
fn a_disk_that_is_full_leaves_the_old_snapshot() {
    let desk = desk();
    succeeds(&mut marked_build(&desk, 0));
    // A limit on the length of a file fails a write in the middle, as a full disk does.
    for kibibytes in [0, 1, 64, 256] {
        let build = marked_build(&desk, 1);
        let mut limited = Command::new("bash");
        let script = format!("trap '' XFSZ; ulimit -f {kibibytes}; exec \"$0\" \"$@\"");
        limited
            .args(["-c", &script])
            .arg(build.get_program())
            .args(build.get_args());
        fails(&mut limited, 3, "File too large");
        assert_eq!(marked(&desk, 2), Some(0), "{kibibytes} KiB");
    }
    succeeds(&mut marked_build(&desk, 1));
    assert_tidy(&desk);
}
