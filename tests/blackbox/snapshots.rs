//! Snapshots change under running calls; a bad one is refused.

use crate::support::{
    ROWS, Server, block_on, get, passport, publish, sltd, store, wait_for, wait_for_metric,
};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use sltd::client::{Client, Question, StreamOptions, Verdict};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The rows of a generation: of the numbers asked about, its own alone is reported.
fn rows_of(generation: u64) -> String {
    let rows: String = (0..200)
        .map(|n| format!("AB{generation:02}C{n:04},FRA,passport,lost,,\n"))
        .collect();
    format!("{ROWS}{rows}")
}

/// The generation that a set of verdicts over all generations' numbers belongs to.
fn generation_of(verdicts: &[Verdict]) -> Option<u64> {
    let hits: Vec<usize> = (0..verdicts.len())
        .filter(|&n| verdicts[n] == Verdict::Hit)
        .collect();
    match hits[..] {
        [generation] => u64::try_from(generation).ok(),
        _ => None,
    }
}

const GENERATIONS: u64 = 12;

#[test]
fn snapshots_change_under_running_calls() {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), &rows_of(1));
    let config = dir.path().join("sltd.toml");
    std::fs::write(&config, "watch = \"10ms\"\nthreads = 2\n").unwrap();
    let server = Server::start_with(dir.path(), &["--config", config.to_str().unwrap()], "info");
    let (done, newest, calls) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let questions: Vec<Question> = (0..=GENERATIONS)
        .map(|g| passport(format!("AB{g:02}C0007")))
        .collect();
    std::thread::scope(|scope| {
        let ask = |how: usize| {
            block_on(async {
                let client = server.client().await;
                let mut last = 0;
                while !done.load(Ordering::Relaxed) {
                    let (named, verdicts) = match how {
                        0 => unary(&client, &questions).await,
                        1 => batch(&client, &questions).await,
                        _ => stream(&client, &questions).await,
                    };
                    assert_eq!(generation_of(&verdicts), Some(named), "{verdicts:?}");
                    assert!(named >= last, "generation {named} after {last}");
                    last = named;
                    newest.fetch_max(named, Ordering::Relaxed);
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            });
        };
        let askers: Vec<_> = (0..3).map(|how| scope.spawn(move || ask(how))).collect();
        // Whatever happens, the askers are told to stop.
        let publisher = scope.spawn(|| {
            for generation in 2..=GENERATIONS {
                publish(dir.path(), &rows_of(generation));
                let before = calls.load(Ordering::Relaxed);
                wait_for("calls to go on", || {
                    calls.load(Ordering::Relaxed) > before + 3
                });
            }
            wait_for("the last to be served", || {
                newest.load(Ordering::Relaxed) == GENERATIONS
            });
        });
        let published = publisher.join();
        done.store(true, Ordering::Relaxed);
        for asker in askers {
            asker.join().unwrap();
        }
        published.unwrap();
    });
    assert!(!server.log().contains("ERROR"), "{}", server.log());
}

/// Asks until one snapshot has answered all questions, one call each.
async fn unary(client: &Client, questions: &[Question]) -> (u64, Vec<Verdict>) {
    loop {
        let mut answers = Vec::new();
        for question in questions {
            answers.push(client.check(question).await.unwrap());
        }
        let named: Vec<u64> = answers
            .iter()
            .map(|answer| answer.snapshot.unwrap().generation)
            .collect();
        // Each call may see a later snapshot than the one before; what it says of itself must be true.
        for (number, (answer, generation)) in answers.iter().zip(&named).enumerate() {
            assert_eq!(
                answer.verdict() == Verdict::Hit,
                number as u64 == *generation
            );
        }
        if named.iter().all(|generation| *generation == named[0]) {
            return (
                named[0],
                answers.iter().map(|answer| answer.verdict()).collect(),
            );
        }
    }
}

async fn batch(client: &Client, questions: &[Question]) -> (u64, Vec<Verdict>) {
    let batch = client.batch(questions).await.unwrap();
    let verdicts = batch
        .results
        .iter()
        .map(|result| result.as_ref().unwrap().verdict());
    (batch.snapshot.unwrap().generation, verdicts.collect())
}

async fn stream(client: &Client, questions: &[Question]) -> (u64, Vec<Verdict>) {
    let mut answers = client
        .stream(questions.to_vec(), StreamOptions::default())
        .await
        .unwrap();
    let chunk = answers.next().await.unwrap().expect("an answer");
    assert!(answers.next().await.unwrap().is_none());
    (
        chunk.snapshot().unwrap().generation,
        chunk.verdicts().collect(),
    )
}

#[test]
fn a_bad_publication_is_refused_and_the_one_before_stays() {
    let dir = store(ROWS);
    let config = dir.path().join("sltd.toml");
    std::fs::write(&config, "watch = \"10ms\"\n").unwrap();
    let server = Server::start_with(dir.path(), &["--config", config.to_str().unwrap()], "info");
    let current = dir.path().join("CURRENT");
    let pointer = std::fs::read(&current).unwrap();
    let digest = "0".repeat(64);
    for (bad, part) in [
        ("garbage".to_owned(), "CURRENT: expected one line"),
        (format!("00000009.json {digest}\n"), "00000009.json"),
        (
            format!("00000001.json {digest}\n"),
            "does not match the digest",
        ),
        (
            format!("../../etc/passwd {digest}\n"),
            "CURRENT: expected one line",
        ),
    ] {
        let logged = server.log().len();
        std::fs::write(&current, &bad).unwrap();
        wait_for(part, || server.log()[logged..].contains(part));
        assert!(
            server.log()[logged..].contains("stays in service"),
            "{}",
            server.log()
        );
        server.still_answers();
    }
    std::fs::write(&current, &pointer).unwrap();
    wait_for("the snapshot to be back", || {
        server.log().contains("what is published is what is served")
    });
    server.still_answers();
}

/// What `CURRENT` is may be anything: the server waits for nobody, takes in no more than a pointer has, and takes over
/// what is published once it is a file again.
#[test]
fn a_pointer_that_is_no_file_stops_no_later_takeover() {
    let dir = store(ROWS);
    let (server, monitor) = Server::monitored(dir.path(), "");
    let current = dir.path().join("CURRENT");
    let put = dir.path().join("put");
    let pipe = |path: &Path| mknodat(CWD, path, FileType::Fifo, Mode::RWXU, 0).unwrap();
    let large = |path: &Path| {
        let of = path.with_file_name("large");
        fs::File::create(&of).unwrap().set_len(3 << 30).unwrap();
        symlink(&of, path).unwrap();
    };
    let endless = |path: &Path| symlink("/dev/zero", path).unwrap();
    for (generation, make) in [
        (2.0, &pipe as &dyn Fn(&Path)),
        (3.0, &large),
        (4.0, &endless),
    ] {
        let before = fs::read(&current).unwrap();
        make(&put);
        fs::rename(&put, &current).unwrap();
        wait_for("the server to say so", || {
            get(monitor, "/readyz").text.contains("CURRENT")
        });
        server.still_answers();
        fs::write(&put, before).unwrap();
        fs::rename(&put, &current).unwrap();
        publish(dir.path(), ROWS);
        wait_for_metric(monitor, "sltd_snapshot_generation", generation);
    }
    let status = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak: u64 = peak
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap();
    assert!(peak < 512 << 10, "{peak} KiB");
}

/// The same of what the pointer leads to.
#[test]
fn a_manifest_or_segment_that_is_no_file_is_refused() {
    for name in ["manifests/00000001.json", "segments"] {
        let dir = store(ROWS);
        let mut path = dir.path().join(name);
        if path.is_dir() {
            path = fs::read_dir(&path).unwrap().next().unwrap().unwrap().path();
        }
        fs::remove_file(&path).unwrap();
        mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0).unwrap();
        let store = dir.path().to_str().unwrap();
        sltd(&["serve", "--store", store, "--listen", "127.0.0.1:0"])
            .exits(3)
            .says("not a regular file");
    }
}
