//! Bytes that change in files that a server serves: it finds out by itself.

use crate::support::{ROWS, Server, block_on, get, publish, store, wait_for, wait_for_metric};
use sltd::client::ServerStatus;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// The kernel's number of `SCHED_IDLE`.
const SCHED_IDLE: &str = "5";

fn status(server: &Server) -> ServerStatus {
    block_on(async { server.client().await.status().await.unwrap() })
}

/// Waits for the end of a pass.
fn scrubbed(monitor: SocketAddr) {
    let passes = || get(monitor, "/metrics").metric("sltd_scrub_passes_total");
    wait_for("a pass", || passes() >= 1.0);
}

/// The file of the only segment.
fn segment(store: &Path) -> PathBuf {
    let mut files = fs::read_dir(store.join("segments")).unwrap();
    files.next().unwrap().unwrap().path()
}

/// Changes a byte where it stands, as a disk does: the file stays the one that is open.
fn flip(path: &Path, at: usize) {
    let bytes = fs::read(path).unwrap();
    let file = File::options().write(true).open(path).unwrap();
    file.write_all_at(&[bytes[at] ^ 1], at as u64).unwrap();
    file.sync_all().unwrap();
}

#[test]
fn changed_bytes_are_reported_until_they_are_right_again() {
    let dir = store(ROWS);
    let settings = "scrub = \"1s\"\nload = \"heap\"\n";
    let (server, monitor) = Server::monitored(dir.path(), settings);
    let path = segment(dir.path());
    let length = fs::read(&path).unwrap().len();
    scrubbed(monitor);
    let whole = status(&server).scrub.unwrap();
    assert_eq!((whole.bytes, whole.changed.len()), (length as u64, 0));
    for at in [0, 100, 200, length / 2, length - 1] {
        flip(&path, at);
        wait_for_metric(monitor, "sltd_segments_changed", 1.0);
        let changed = status(&server).scrub.unwrap().changed;
        let name = path.file_name().unwrap().to_str().unwrap();
        assert_eq!(changed[0].file, name);
        wait_for("the log to say so", || {
            server.log().contains("is not what it was")
        });
        // It answers from memory of its own.
        server.still_answers();
        flip(&path, at);
        wait_for_metric(monitor, "sltd_segments_changed", 0.0);
    }
    assert_eq!(get(monitor, "/readyz").status, 200);
    fs::remove_file(&path).unwrap();
    wait_for_metric(monitor, "sltd_segments_changed", 1.0);
    // What is published next is another file, although it holds the same.
    publish(dir.path(), ROWS);
    wait_for_metric(monitor, "sltd_snapshot_generation", 2.0);
    wait_for_metric(monitor, "sltd_segments_changed", 0.0);
    server.still_answers();
}

#[test]
fn what_is_mapped_from_changed_bytes_is_answered_from_no_longer() {
    let dir = store(ROWS);
    let (server, monitor) = Server::monitored(dir.path(), "scrub = \"1s\"\n");
    let path = segment(dir.path());
    scrubbed(monitor);
    flip(&path, fs::read(&path).unwrap().len() / 2);
    wait_for("the server not to be ready", || {
        get(monitor, "/readyz").status == 503
    });
    assert_eq!(status(&server).scrub.unwrap().changed.len(), 1);
    assert!(server.answers().is_err());
    // The list is built anew: the file has the same name, and is another one.
    publish(dir.path(), ROWS);
    wait_for("the server to be ready", || {
        get(monitor, "/readyz").status == 200
    });
    server.still_answers();
    wait_for_metric(monitor, "sltd_segments_changed", 0.0);
}

/// The name may be gone, or be another file's: what is mapped is whole all the same.
#[test]
fn a_file_that_is_removed_or_replaced_takes_nothing_out_of_service() {
    let dir = store(ROWS);
    let (server, monitor) = Server::monitored(dir.path(), "scrub = \"1s\"\n");
    let path = segment(dir.path());
    let whole = fs::read(&path).unwrap();
    let passes = || get(monitor, "/metrics").metric("sltd_scrub_passes_total");
    for replacement in [None, Some(b"another file".to_vec())] {
        fs::remove_file(&path).unwrap();
        if let Some(bytes) = replacement {
            fs::write(&path, bytes).unwrap();
        }
        wait_for_metric(monitor, "sltd_segments_changed", 1.0);
        let before = passes();
        wait_for("another pass", || passes() > before);
        assert_eq!(get(monitor, "/readyz").status, 200);
        server.still_answers();
        let _ = fs::remove_file(&path);
        fs::write(&path, &whole).unwrap();
        wait_for_metric(monitor, "sltd_segments_changed", 0.0);
    }
    // What was cut off is not there to be answered from.
    let file = File::options().write(true).open(&path).unwrap();
    file.set_len(4096).unwrap();
    publish(dir.path(), ROWS);
    wait_for_metric(monitor, "sltd_snapshot_generation", 2.0);
    server.still_answers();
}

#[test]
fn it_is_read_when_nobody_else_wants_to() {
    let dir = store(ROWS);
    let (server, monitor) = Server::monitored(dir.path(), "scrub = \"1s\"\n");
    scrubbed(monitor);
    let threads = fs::read_dir(format!("/proc/{}/task", server.id())).unwrap();
    let policies: Vec<String> = threads
        .filter_map(|thread| {
            let thread = thread.unwrap().path();
            let name = fs::read_to_string(thread.join("comm")).ok()?;
            (name.trim() == "scrub").then_some(())?;
            let facts = fs::read_to_string(thread.join("stat")).ok()?;
            // The 41st field; the second is the name, in parentheses.
            let (_, after) = facts.rsplit_once(") ")?;
            Some(after.split(' ').nth(38)?.to_owned())
        })
        .collect();
    assert_eq!(policies, [SCHED_IDLE]);
    let (off, monitor) = Server::monitored(dir.path(), "scrub = \"off\"\n");
    let threads = fs::read_dir(format!("/proc/{}/task", off.id())).unwrap();
    let names = threads.map(|thread| fs::read_to_string(thread.unwrap().path().join("comm")));
    assert!(names.flatten().all(|name| name.trim() != "scrub"));
    assert_eq!(
        get(monitor, "/metrics").metric("sltd_scrub_passes_total"),
        0.0
    );
}
