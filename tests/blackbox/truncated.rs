//! Files that are truncated or overwritten in place while a server has them mapped: it lives, says which file it was, and
//! does not take what is missing for unreported.

use crate::support::{PATIENCE, ROWS, Server, block_on, passport, publish, store, wait_for};
use rustix::process::{Pid, Signal, kill_process};
use sltd::client::{Client, ClientOptions, Question, StreamOptions, Verdict};
use sltd::document::DocumentNumber;
use sltd::index::{LoadMode, Segment};
use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Enough for many pages of a segment.
const DOCUMENTS: u32 = 60_000;
/// Reported documents that are asked about.
const ASKED: u32 = 1_000;

fn number(n: u32) -> String {
    // Not in a row, so that they do not share records.
    format!("77TT{:06}", n * 13)
}

fn rows() -> String {
    let rows = (0..DOCUMENTS).map(|n| {
        let status = ["lost", "stolen", "revoked"][n as usize % 3];
        format!("{},FRA,passport,{status},,\n", number(n))
    });
    format!("{ROWS}{}", rows.collect::<String>())
}

fn questions() -> Vec<Question> {
    let step = DOCUMENTS / ASKED;
    (0..ASKED).map(|n| passport(number(n * step))).collect()
}

fn segment(store: &Path) -> PathBuf {
    let mut files = fs::read_dir(store.join("segments")).unwrap();
    files.next().unwrap().unwrap().path()
}

/// Asserts that of the reported documents none is answered otherwise than as a hit, one by one, in a batch and in a
/// stream; returns how many had no answer.
#[track_caller]
fn ask(server: &Server) -> usize {
    block_on(async {
        let options = ClientOptions {
            retries: 0,
            deadline: PATIENCE,
            ..ClientOptions::default()
        };
        let client = Client::connect([server.url()], options).await.unwrap();
        let questions = questions();
        let mut failed = 0;
        for question in &questions {
            match client.check(question).await {
                Ok(answer) => assert_eq!(answer.verdict(), Verdict::Hit, "{}", server.log()),
                Err(_) => failed += 1,
            }
        }
        if let Ok(answer) = client.batch(&questions).await {
            for result in answer.results {
                assert_eq!(result.unwrap().verdict(), Verdict::Hit);
            }
        } else {
            failed += questions.len();
        }
        let mut stream = client
            .stream(questions.clone(), StreamOptions::default())
            .await
            .unwrap();
        while let Ok(Some(chunk)) = stream.next().await {
            for verdict in chunk.verdicts() {
                assert_eq!(verdict, Verdict::Hit);
            }
        }
        failed += questions.len() - stream.answered() as usize;
        failed
    })
}

#[test]
fn a_truncated_file_ends_no_server_and_hides_no_report() {
    let whole = {
        let dir = store(&rows());
        fs::metadata(segment(dir.path())).unwrap().len()
    };
    for length in [
        0,
        1,
        4096,
        whole / 4,
        whole / 2 + 1_000,
        whole - 5_000,
        whole - 100,
    ] {
        let dir = store(&rows());
        let mut server = Server::start(dir.path());
        assert_eq!(ask(&server), 0);
        let path = segment(dir.path());
        let file = File::options().write(true).open(&path).unwrap();
        file.set_len(length).unwrap();
        assert!(ask(&server) > 0, "{length}: all was answered");
        assert_eq!(server.ended(), None, "{length}: {}", server.log());
        let name = path.file_name().unwrap().to_str().unwrap();
        wait_for("the log to name the file", || server.log().contains(name));
        let failures = server.log().matches("a check failed").count();
        assert!(failures <= 2, "{length}: one line is enough: {failures}");
        // What is published next is served.
        publish(dir.path(), ROWS);
        wait_for("the next publication", || {
            server.answers() == Ok(Verdict::Hit)
        });
    }
}

/// The file has its length again when the copy is done, and other bytes.
#[test]
fn another_segment_over_the_one_that_is_served_hides_no_report() {
    let dir = store(&rows());
    let other = store(&rows().replace("77TT", "78TT"));
    let mut server = Server::start(dir.path());
    assert_eq!(ask(&server), 0);
    let bytes = fs::read(segment(other.path())).unwrap();
    let path = segment(dir.path());
    assert_eq!(bytes.len() as u64, fs::metadata(&path).unwrap().len());
    fs::write(&path, bytes).unwrap();
    assert!(ask(&server) > 0);
    assert_eq!(server.ended(), None, "{}", server.log());
}

#[test]
fn a_file_that_is_whole_again_is_served_again() {
    let dir = store(&rows());
    let server = Server::start(dir.path());
    let path = segment(dir.path());
    let whole = fs::read(&path).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    file.set_len(0).unwrap();
    assert!(ask(&server) > 0);
    fs::write(&path, &whole).unwrap();
    // A publication has the server look at once.
    publish(dir.path(), &rows());
    wait_for("the file to be served again", || {
        server.answers() == Ok(Verdict::Hit)
    });
    assert_eq!(ask(&server), 0);
}

/// Only what is mapped from segments is another matter.
#[test]
fn any_other_fault_ends_the_server_as_before() {
    let dir = store(ROWS);
    let mut server = Server::start(dir.path());
    let process = Pid::from_raw(server.id().cast_signed()).unwrap();
    // Rust's own handler ignores the first one, as a fault would come again.
    wait_for("the server to end", || {
        let _ = kill_process(process, Signal::BUS);
        server.ended().is_some()
    });
    assert_eq!(server.wait().signal(), Some(Signal::BUS.as_raw()));
}

/// Who reads all of a segment, as publishing does, does not take its end for the end of the list.
#[test]
fn what_reads_a_truncated_segment_ends_with_an_error() {
    let dir = store(&rows());
    let path = segment(dir.path());
    let whole = fs::read(&path).unwrap();
    for length in [
        0,
        4096,
        whole.len() / 2 + 1_000,
        whole.len() - 5_000,
        whole.len() - 100,
    ] {
        let segment = Segment::open(&path, LoadMode::Mmap).unwrap();
        let mut warm = Segment::open(&path, LoadMode::Mmap).unwrap();
        warm.warm_filter().unwrap();
        let of_own = Segment::open(&path, LoadMode::Heap).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_len(length as u64).unwrap();
        let reported = DocumentNumber::normalise(&number(7)).unwrap();
        for segment in [&segment, &warm] {
            // Nothing is said for certain that was read from what is missing.
            assert!(segment.may_contain(&reported), "{length}");
            let mut positions = Vec::new();
            segment.may_contain_each(&[reported; 40], &mut positions);
            assert_eq!(positions.len(), 40);
            assert!(segment.find(&reported).is_err(), "{length}");
            assert!(segment.for_each(|_, _| ()).is_err(), "{length}");
            assert!(segment.walk(None).any(|one| one.is_err()), "{length}");
            assert!(segment.is_suspect());
            let error = segment.intact().unwrap_err().to_string();
            assert!(error.contains(path.to_str().unwrap()), "{error}");
        }
        assert_eq!(of_own.find(&reported).unwrap().count(), 1);
        assert!(of_own.intact().is_ok());
        fs::write(&path, &whole).unwrap();
        // Whole again, it is so for those who open it anew.
        assert!(segment.intact().is_err());
        assert!(
            Segment::open(&path, LoadMode::Mmap)
                .unwrap()
                .intact()
                .is_ok()
        );
    }
}

/// What is answered from is what was verified, whatever happens to the file meanwhile.
#[test]
fn what_is_read_into_memory_is_what_was_verified() {
    let dir = store(&rows());
    let path = segment(dir.path());
    let whole = fs::read(&path).unwrap();
    let at = whole.len() as u64 / 2;
    let file = File::options().write(true).open(&path).unwrap();
    let flip = |byte: u8| file.write_all_at(&[byte], at).unwrap();
    let done = AtomicBool::new(false);
    let (mut opened, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let byte = whole[at as usize];
            while !done.load(Ordering::Relaxed) {
                flip(!byte);
                std::thread::sleep(Duration::from_micros(300));
                flip(byte);
                std::thread::sleep(Duration::from_micros(300));
            }
        });
        let begin = Instant::now();
        while (opened < 100 || refused < 100) && begin.elapsed() < PATIENCE {
            match Segment::open(&path, LoadMode::Heap) {
                Ok(segment) => {
                    let held = segment.reread_open(&mut |_| true);
                    if !matches!(held, Ok(true)) {
                        done.store(true, Ordering::Relaxed);
                        panic!("served, and not what was verified: {held:?}");
                    }
                    opened += 1;
                }
                Err(_) => refused += 1,
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(opened > 0 && refused > 0, "{opened} {refused}");
}

#[test]
fn segments_are_read_only() {
    let dir = store(ROWS);
    for entry in fs::read_dir(dir.path().join("segments")).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o222, 0, "{mode:o}");
    }
}
