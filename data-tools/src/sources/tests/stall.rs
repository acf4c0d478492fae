//! A pipeline whose threads wait for each other ends with an error that names the stage.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::streams::{TEXT, any_packing};
use super::*;

const STALL_AFTER: Duration = Duration::from_millis(200);

fn tuning<'a>(threads: usize, on_stuck: &'a (dyn Fn(&SourceError) + Sync)) -> Tuning<'a> {
    Tuning {
        watch: Watch {
            stall_after: STALL_AFTER,
            on_stuck,
        },
        ..Tuning::new(threads)
    }
}

fn options(threads: usize) -> ReadOptions<'static> {
    ReadOptions {
        today: today(),
        threads,
        rejects: None,
        expired: None,
    }
}

fn stage_of(error: &SourceError) -> Stage {
    match error {
        SourceError::Stalled { stage, .. } => *stage,
        other => panic!("{other}"),
    }
}

/// The reader needs two buffers and there is one: what lost buffers would come to.
#[test]
fn a_reader_that_gets_no_buffer_is_named() {
    for threads in [1, 4] {
        let tuning = Tuning {
            buffers: 1,
            ..tuning(threads, &|error| panic!("stuck: {error}"))
        };
        let rows = Arc::new(Mutex::new(Vec::new()));
        let sink = |_| Lines(Arc::clone(&rows));
        let source = any_packing(Layout::SltdCsv);
        let begun = Instant::now();
        let read = read_bytes_of(
            &source,
            "list",
            TEXT.as_bytes(),
            &options(threads),
            &tuning,
            &sink,
        );
        let error = read.unwrap_err();
        assert_eq!(stage_of(&error), Stage::Reading);
        assert!(begun.elapsed() >= STALL_AFTER);
        assert!(
            error
                .to_string()
                .starts_with("reading has stalled: the stage `reading` made no progress")
        );
    }
}

/// A sink that waits until it is told to go on.
struct Stuck<'a>(&'a AtomicBool);

impl RowSink for Stuck<'_> {
    fn row(&mut self, _: &Row<'_>) -> Result<Fate, SinkError> {
        while !self.0.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(Fate::Taken)
    }
}

#[test]
fn a_sink_that_is_stuck_is_named_to_whom_it_concerns() {
    for threads in [1, 4] {
        let go_on = AtomicBool::new(false);
        let named = Mutex::new(None);
        let on_stuck = |error: &SourceError| {
            *named.lock().unwrap() = Some(stage_of(error));
            // A command ends the process here.
            go_on.store(true, Ordering::Release);
        };
        let tuning = tuning(threads, &on_stuck);
        let sink = |_| Stuck(&go_on);
        let source = any_packing(Layout::SltdCsv);
        let read = read_bytes_of(
            &source,
            "list",
            TEXT.as_bytes(),
            &options(threads),
            &tuning,
            &sink,
        );
        assert_eq!(stage_of(&read.unwrap_err()), Stage::Sink);
        assert_eq!(named.into_inner().unwrap(), Some(Stage::Sink));
    }
}

/// A sink that is slow, but never for as long as a stall lasts.
struct Slow;

impl RowSink for Slow {
    fn row(&mut self, _: &Row<'_>) -> Result<Fate, SinkError> {
        std::thread::sleep(STALL_AFTER / 4);
        Ok(Fate::Taken)
    }
}

/// An input that gives one row at a time, and each of them late.
#[cfg(unix)]
#[test]
fn who_waits_for_an_input_or_makes_slow_progress_has_not_stalled() {
    use std::io::Write as _;

    let text = format!("{TEXT}{}", TEXT.split_once('\n').unwrap().1.repeat(4));
    let tuning = tuning(1, &|error| panic!("stuck: {error}"));
    let source = any_packing(Layout::SltdCsv);
    let read = read_bytes_of(
        &source,
        "list",
        text.as_bytes(),
        &options(1),
        &tuning,
        &|_| Slow,
    );
    assert_eq!(read.unwrap().passed, 15);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.csv");
    let made = std::process::Command::new("mkfifo")
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    let writer = std::thread::spawn({
        let path = path.clone();
        move || {
            let mut file = std::fs::File::options().write(true).open(path).unwrap();
            for line in TEXT.split_inclusive('\n') {
                std::thread::sleep(STALL_AFTER * 2);
                file.write_all(line.as_bytes()).unwrap();
            }
        }
    });
    let mut inputs = Inputs {
        inputs: Vec::new(),
        oldest: SystemTime::UNIX_EPOCH,
        warnings: Vec::new(),
    };
    let source = SourceConfig::for_bytes(Layout::SltdCsv);
    inputs
        .inputs
        .push(input::Input::plain("list.csv", Origin::File(path)));
    let rows = Arc::new(Mutex::new(Vec::new()));
    let sink = |_| Lines(Arc::clone(&rows));
    let read = read_inputs(&source, inputs, &options(1), &tuning, &sink, &|_| {});
    writer.join().unwrap();
    assert_eq!(read.unwrap().passed, 3);
}
