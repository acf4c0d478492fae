//! Everything that changes a store at once, and servers that start in the middle of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod support;

use sltd::snapshot::{LoadOptions, Store, Warm};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use support::{Desk, sltd_data, succeeds};

const HEADER: &str = "number,issuing_state,type,status,date_reported,action\n";
const BUILDS: u32 = 8;

/// The exit code of a command on the store, which must be one of these.
#[track_caller]
fn ends(command: &mut Command, codes: &[i32]) -> i32 {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code().unwrap();
    assert!(codes.contains(&code), "{command:?}: {code}: {said}");
    assert!(!said.contains("panicked"), "{said}");
    code
}

fn command(desk: &Desk, name: &str) -> Command {
    let mut command = sltd_data(name);
    command.arg("--store").arg(desk.path("store"));
    command
}

/// Publishes one more document, which no list knows.
fn delta(desk: &Desk, number: u32) -> Command {
    let row = format!("RC{number:06},FIN,passport,lost,2026-02-01,add\n");
    desk.write(&format!("changes-{number}.csv"), format!("{HEADER}{row}"));
    let file = format!("delta-{number}.toml");
    desk.write(
        &file,
        format!(
            "[[source]]\nname = \"list\"\nas_of = \"2026-02-01T00:00:00Z\"\nowns = [\"*\"]\n\
             path = \"changes-{number}.csv\"\nlayout = \"sltd-csv\"\n"
        ),
    );
    let mut delta = command(desk, "delta");
    delta.arg("--sources").arg(desk.path(&file));
    delta
}

#[test]
fn builds_deltas_compactions_and_prunings_go_on_at_once_and_nothing_is_lost() {
    let desk = Desk::new();
    desk.generate("list.csv", 30_000, &["--seed", "5"]);
    desk.describe("sources.toml", "list.csv", "sltd-csv", "");
    succeeds(&mut desk.build("sources.toml", "store"));
    let listed = desk.load("store").documents();
    let (done, deltas, loads) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
    let going_on = || done.load(Ordering::Relaxed) < 2;
    std::thread::scope(|scope| {
        // Of two builders one is told that the other has the lock.
        let locked: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut locked = 0;
                    for _ in 0..BUILDS {
                        let mut build = desk.build("sources.toml", "store");
                        locked += u32::from(ends(&mut build, &[0, 23]) == 23);
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                    locked
                })
            })
            .collect();
        scope.spawn(|| {
            while going_on() {
                let number = deltas.load(Ordering::Relaxed);
                ends(&mut delta(&desk, number), &[0]);
                deltas.store(number + 1, Ordering::Relaxed);
            }
        });
        scope.spawn(|| {
            while going_on() {
                // 3: its base was replaced meanwhile.
                ends(&mut command(&desk, "compact"), &[0, 3, 23]);
                ends(command(&desk, "prune").args(["--keep", "1"]), &[0]);
            }
        });
        scope.spawn(|| {
            let options = LoadOptions {
                warm: Some(Warm::Filter),
                ..LoadOptions::default()
            };
            while going_on() {
                // As a server that starts, whatever is under way.
                let published = deltas.load(Ordering::Relaxed);
                let store = Store::open(desk.path("store")).unwrap();
                let snapshot = store.load_current(&options).unwrap();
                let more = snapshot.documents() - listed;
                assert!(more >= u64::from(published), "{more} of {published}");
                loads.fetch_add(1, Ordering::Relaxed);
            }
        });
        let locked: u32 = locked.into_iter().map(|one| one.join().unwrap()).sum();
        assert!(locked > 0, "no build ever met another");
    });
    let published = u64::from(deltas.load(Ordering::Relaxed));
    assert!(published > 3 && loads.load(Ordering::Relaxed) > 3);
    assert_eq!(desk.load("store").documents(), listed + published);
    succeeds(&mut command(&desk, "verify"));
}
