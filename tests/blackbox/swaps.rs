//! Thousands of swaps: two servers over one store, asked without a pause.

use crate::support::{ROWS, Server, block_on, passport, publish, wait_for};
use sltd::client::{Question, Verdict};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Marker documents, of which each generation reports one.
const MARKERS: u64 = 16;

/// Swaps in an ordinary run; the variable SLTD_SWAPS sets another number.
const SWAPS: u64 = 40;

fn marker(generation: u64) -> String {
    format!("MK{:04}", generation % MARKERS)
}

fn rows_of(generation: u64) -> String {
    format!("{ROWS}{},FRA,passport,lost,,\n", marker(generation))
}

/// What a server process has of its memory for itself, in KiB, and how many segment files it has mapped.
fn memory(server: &Server) -> (u64, usize) {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let own = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let own = own.unwrap().trim().trim_end_matches(" kB").parse().unwrap();
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", server.id())).unwrap();
    let segments: std::collections::BTreeSet<&str> = maps
        .lines()
        .filter_map(|line| line.split_once('/'))
        .map(|(_, path)| path)
        .filter(|path| path.contains("/segments/"))
        .collect();
    (own, segments.len())
}

/// Tells others to stop when it goes.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn no_call_fails_and_no_answer_is_mixed_however_often_snapshots_change() {
    let swaps = std::env::var("SLTD_SWAPS").map_or(SWAPS, |swaps| swaps.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), &rows_of(1));
    let servers = [Server::start(dir.path()), Server::start(dir.path())];
    let questions: Vec<Question> = (0..MARKERS).map(|place| passport(marker(place))).collect();
    let done = AtomicBool::new(false);
    let seen = [AtomicU64::new(1), AtomicU64::new(1)];
    let calls = AtomicU64::new(0);
    let mut before = Vec::new();
    std::thread::scope(|scope| {
        let (questions, done, calls) = (&questions, &done, &calls);
        for (server, seen) in servers.iter().zip(&seen) {
            scope.spawn(move || {
                block_on(async {
                    let client = server.client().await;
                    while !done.load(Ordering::Relaxed) {
                        let batch = client.batch(questions).await.unwrap();
                        let generation = batch.snapshot.unwrap().generation;
                        for (place, result) in batch.results.iter().enumerate() {
                            let hit = result.as_ref().unwrap().verdict() == Verdict::Hit;
                            let marked = generation % MARKERS == place as u64;
                            assert_eq!(hit, marked, "generation {generation}: {place}");
                        }
                        assert!(seen.fetch_max(generation, Ordering::Relaxed) <= generation);
                        calls.fetch_add(1, Ordering::Relaxed);
                    }
                });
            });
        }
        // Whatever happens, the askers are told to stop.
        let _stop = Stop(done);
        for generation in 2..=swaps + 1 {
            publish(dir.path(), &rows_of(generation));
            wait_for("both servers to serve it", || {
                let served = |seen: &AtomicU64| seen.load(Ordering::Relaxed) == generation;
                seen.iter().all(served)
            });
            if generation == 10 {
                before.extend(servers.iter().map(memory));
            }
        }
    });
    println!(
        "{swaps} swaps, {} calls, memory {before:?}",
        calls.load(Ordering::Relaxed)
    );
    for (server, (own, _)) in servers.iter().zip(&before) {
        wait_for("the old snapshots to be let go", || memory(server).1 == 1);
        let (now, _) = memory(server);
        // Some of it is the allocator's, which keeps what it may need again.
        assert!(now < own + 16 * 1024, "{now} KiB after, {own} KiB before");
        assert!(!server.log().contains("ERROR"), "{}", server.log());
    }
}
