//! What a server says of itself: which publications it has refused, and whether it is ready.

use crate::support::{
    ROWS, Server, block_on, get, passport, publish, publish_at, sltd, store, wait_for,
    wait_for_metric,
};
use jiff::{SignedDuration, Timestamp};
use sltd::client::{Health, ServerStatus};
use sltd::snapshot::{Act, Rollback, Store};
use std::fs;
use std::path::Path;

/// A store in a folder of its own folder, so that it can be moved.
fn movable_store() -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    publish(&path, ROWS);
    (dir, path)
}

fn status(server: &Server) -> ServerStatus {
    block_on(async { server.client().await.status().await.unwrap() })
}

/// The generation that checks are answered from.
fn generation(server: &Server) -> u64 {
    let answer = block_on(async {
        let client = server.client().await;
        client.check(&passport("12AB34567")).await.unwrap()
    });
    answer.snapshot.unwrap().generation
}

fn pointer(store: &Path) -> Vec<u8> {
    fs::read(store.join("CURRENT")).unwrap()
}

/// Replaces the pointer as a publish does.
fn point(store: &Path, pointer: &[u8]) {
    let new = store.join("CURRENT.tmp");
    fs::write(&new, pointer).unwrap();
    fs::rename(new, store.join("CURRENT")).unwrap();
}

#[test]
fn what_operators_have_done_is_told_until_it_is_undone() {
    let (_dir, path) = movable_store();
    publish(&path, &ROWS.replace("passport,stolen,", "passport,lost,"));
    let store = Store::open(&path).unwrap();
    let act = |reason| Act {
        at: Timestamp::now(),
        by: "test",
        reason,
    };
    let (server, monitor) = Server::monitored(&path, "");
    let metrics = |pinned, retracted| {
        wait_for_metric(monitor, "sltd_snapshot_pinned", pinned);
        wait_for_metric(monitor, "sltd_source_retracted{source=\"NLD\"}", retracted);
        wait_for_metric(monitor, "sltd_source_retracted{source=\"own\"}", 0.0);
    };
    metrics(0.0, 0.0);

    let before = Rollback {
        to: None,
        with_changes: true,
    };
    let draft = store.roll_back(before, act("wrong merge"));
    draft.unwrap().publish(Vec::new()).unwrap();
    let draft = store.retract("NLD", act("withdrawn by letter"));
    draft.unwrap().publish(Vec::new()).unwrap();
    metrics(1.0, 1.0);
    let told = status(&server);
    let pinned = told.snapshot.unwrap().pinned.unwrap();
    assert_eq!(
        (pinned.since_generation, pinned.reason.as_str()),
        (3, "wrong merge")
    );
    let retracted = told.sources.into_iter().map(|source| source.retracted);
    let retracted: Vec<_> = retracted.map(|one| one.map(|one| one.reason)).collect();
    assert_eq!(retracted, [None, Some("withdrawn by letter".to_owned())]);

    let held = "sltd_source_held{source=\"own\",holder=\"operator\"}";
    wait_for_metric(monitor, held, 0.0);
    let draft = store.hold("own", act("half a list announced"));
    draft.unwrap().publish(Vec::new()).unwrap();
    wait_for_metric(monitor, held, 1.0);
    wait_for_metric(
        monitor,
        "sltd_source_held{source=\"own\",holder=\"guard\"}",
        0.0,
    );
    let own = status(&server).sources.into_iter().next().unwrap();
    let hold = own.held.unwrap();
    assert_eq!(
        (
            hold.since_generation,
            hold.by.as_str(),
            hold.reason.as_str()
        ),
        (5, "test", "half a list announced")
    );
    assert!(hold.at.is_some() && !own.held_by_guard);
    let draft = store.unhold("own", act(""));
    draft.unwrap().publish(Vec::new()).unwrap();
    wait_for_metric(monitor, held, 0.0);
    assert!(status(&server).snapshot.unwrap().base_age.is_some());

    store.unpin(act("")).unwrap().publish(Vec::new()).unwrap();
    let draft = store.lift("NLD", act(""));
    draft.unwrap().publish(Vec::new()).unwrap();
    metrics(0.0, 0.0);
    let told = status(&server);
    assert_eq!(told.snapshot.unwrap().pinned, None);
    assert!(told.sources.iter().all(|source| source.retracted.is_none()));
}

#[test]
fn a_refused_publication_is_named_everywhere_until_a_good_one_is_served() {
    let (_dir, store) = movable_store();
    let (server, monitor) = Server::monitored(&store, "");
    let good = pointer(&store);
    let ready = get(monitor, "/readyz");
    assert_eq!((ready.status, ready.text.as_str()), (200, "ready\n"));
    assert!(status(&server).refused.is_none());

    let bad = format!("00000009.json {}\n", "0".repeat(64));
    point(&store, bad.as_bytes());
    wait_for_metric(monitor, "sltd_publication_refused", 1.0);
    server.still_answers();
    let refused = status(&server).refused.unwrap();
    assert_eq!(refused.manifest, "00000009.json");
    assert_eq!(refused.reason().as_str_name(), "REFUSAL_REASON_UNREADABLE");
    assert!(refused.detail.contains("00000009.json"), "{refused:?}");
    // To the second: how the rest is written is not the same everywhere.
    let since = refused.since.unwrap().to_string()[..19].to_owned();
    let ready = get(monitor, "/readyz");
    assert_eq!(ready.status, 200);
    assert!(
        ready.text.contains(&format!("refused since {since}")),
        "{ready:?}"
    );
    assert!(
        server.log().contains("the published snapshot was refused"),
        "{}",
        server.log()
    );
    let told = sltd(&["status", "--server", &server.url()]).exits(0);
    assert!(told.out.starts_with("READY"), "{told:?}");
    assert!(
        told.out.contains("REFUSED   00000009.json since"),
        "{told:?}"
    );
    let told = sltd(&["status", "--server", &server.url(), "--json"]).exits(0);
    assert_eq!(told.json()[0]["refused"]["manifest"], "00000009.json");
    let told_since = told.json()[0]["refused"]["since"].to_string();
    assert!(told_since.contains(&since), "{told:?}");

    // The pointer itself, then a manifest.
    point(&store, b"garbage");
    let pointer_refused = "sltd_publications_refused_total{reason=\"manifest\"}";
    wait_for_metric(monitor, pointer_refused, 1.0);
    assert_eq!(status(&server).refused.unwrap().manifest, "");

    // Back to what is served: nothing stands refused, and nothing was swapped.
    point(&store, &good);
    wait_for_metric(monitor, "sltd_publication_refused", 0.0);
    publish(&store, ROWS);
    wait_for_metric(monitor, "sltd_snapshot_generation", 2.0);
    let after = status(&server);
    assert_eq!(after.refused, None);
    assert_eq!((after.refusals, after.swaps), (2, 1));
    assert_eq!(
        get(monitor, "/metrics").metric("sltd_snapshot_swaps_total"),
        1.0
    );
    assert_eq!(get(monitor, "/readyz").text, "ready\n");
}

#[test]
fn a_damaged_segment_is_refused_with_its_generation() {
    let (_dir, store) = movable_store();
    let (server, monitor) = Server::monitored(&store, "watch = \"1h\"\n");
    let before = pointer(&store);
    // The server must not see the good one first: it is published in a copy.
    let copy = store.with_file_name("copy");
    publish(&copy, ROWS);
    let manifest = publish(&copy, &ROWS.replace("passport,stolen,", "passport,lost,"));
    let file = &manifest.segments[0].file;
    let mut bytes = fs::read(copy.join("segments").join(file)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(store.join("segments").join(file), bytes).unwrap();
    fs::copy(
        copy.join("manifests/00000002.json"),
        store.join("manifests/00000002.json"),
    )
    .unwrap();
    point(&store, &pointer(&copy));
    let refusals = "sltd_publications_refused_total{reason=\"segment\"}";
    wait_for_metric(monitor, refusals, 1.0);
    let refused = status(&server).refused.unwrap();
    assert_eq!(
        (refused.manifest.as_str(), refused.generation),
        ("00000002.json", 2)
    );
    server.still_answers();
    point(&store, &before);
    wait_for("nothing to be refused", || {
        status(&server).refused.is_none()
    });
}

#[test]
fn a_publication_is_noticed_without_looking() {
    let dir = store(ROWS);
    // Whoever only looked would find it in an hour.
    let (server, _) = Server::monitored(dir.path(), "watch = \"1h\"\n");
    wait_for("the store to be watched", || {
        status(&server).watch_method().as_str_name() == "WATCH_METHOD_INOTIFY"
    });
    for expected in 2..=4 {
        publish(dir.path(), ROWS);
        wait_for("the publication", || generation(&server) == expected);
    }
}

#[test]
fn a_generation_that_was_served_already_does_not_come_back() {
    let (_dir, store) = movable_store();
    publish(&store, ROWS);
    let (server, monitor) = Server::monitored(&store, "watch = \"20ms\"\n");
    let second = pointer(&store);
    publish(&store, ROWS);
    wait_for("the third", || generation(&server) == 3);

    point(&store, &second);
    wait_for_metric(monitor, "sltd_publication_refused", 1.0);
    let refused = status(&server).refused.unwrap();
    assert_eq!(refused.reason().as_str_name(), "REFUSAL_REASON_GENERATION");
    assert_eq!(refused.generation, 2);
    assert!(
        refused.detail.contains("not above generation 3"),
        "{refused:?}"
    );
    // Another snapshot under the number of the one served is none that may follow it.
    publish(&store, &ROWS.replace("12AB34567", "99ZZ99999"));
    let refusals = "sltd_publications_refused_total{reason=\"generation\"}";
    wait_for_metric(monitor, refusals, 2.0);
    assert_eq!(status(&server).refused.unwrap().generation, 3);
    assert_eq!(generation(&server), 3);
    server.still_answers();
    publish(&store, ROWS);
    wait_for("the fourth", || generation(&server) == 4);
    assert_eq!(status(&server).refused, None);
}

#[test]
fn another_store_in_the_place_of_the_one_served_counts_anew() {
    let (_dir, store) = movable_store();
    publish(&store, ROWS);
    let (server, _) = Server::monitored(&store, "watch = \"20ms\"\n");
    assert_eq!(generation(&server), 2);
    let first_id = status(&server).snapshot.unwrap().store_id;
    let other = store.with_file_name("other");
    publish(&other, ROWS);
    fs::rename(&store, store.with_file_name("old")).unwrap();
    fs::rename(&other, &store).unwrap();
    wait_for("the other store", || generation(&server) == 1);
    let snapshot = status(&server).snapshot.unwrap();
    assert_ne!(snapshot.store_id, first_id);
    assert!(
        server.log().contains("another store has taken the place"),
        "{}",
        server.log()
    );
    // It is watched like the one before.
    publish(&store, ROWS);
    wait_for("its next", || generation(&server) == 2);
}

#[test]
fn past_its_hard_age_a_server_is_not_ready_where_the_operator_wants_that() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    let old = Timestamp::now() - SignedDuration::from_hours(2);
    publish_at(&store, ROWS, old);
    for (fail, code, exit, health) in [
        (false, 200, 0, Health::Serving),
        (true, 503, 1, Health::NotServing),
    ] {
        let settings = format!("hard_age = \"1h\"\nfail_when_too_old = {fail}\n");
        let (server, monitor) = Server::monitored(&store, &settings);
        assert_eq!(get(monitor, "/readyz").status, code);
        assert_eq!(
            get(monitor, "/metrics").metric("sltd_ready"),
            f64::from(code == 200)
        );
        assert_eq!(get(monitor, "/healthz").status, 200);
        let said = block_on(async { server.client().await.health().await.unwrap() });
        assert_eq!(said, health);
        let told = sltd(&["status", "--server", &server.url()]).exits(exit);
        assert!(told.out.contains("TOO OLD"), "{told:?}");
        // Whoever asks is answered all the same.
        server.still_answers();
    }
    let settings = "hard_age = \"1h\"\nfail_when_too_old = true\n";
    let (server, monitor) = Server::monitored(&store, settings);
    let text = get(monitor, "/readyz").text;
    assert_eq!(text, "not ready: the snapshot is past its hard age\n");
    publish(&store, ROWS);
    wait_for("a fresh snapshot to make it ready", || {
        get(monitor, "/readyz").status == 200
    });
    wait_for("health to say so", || {
        block_on(async { server.client().await.health().await.unwrap() }) == Health::Serving
    });
}

#[test]
fn the_status_command_says_what_is_wrong_with_the_asking() {
    sltd(&["status", "--server", "127.0.0.1:1"])
        .exits(2)
        .says("http://HOST:PORT");
    let away = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", away.local_addr().unwrap());
    drop(away);
    sltd(&["status", "--server", &url])
        .exits(3)
        .says("not available");
}

/// What no command of ours does: bytes of a served segment are overwritten where they stand.
#[test]
fn a_segment_overwritten_while_it_is_served_is_taken_out_of_service() {
    use std::os::unix::fs::FileExt as _;
    let (_dir, store) = movable_store();
    let (server, monitor) = Server::monitored(&store, "");
    let segment = store.join("segments");
    let segment = fs::read_dir(segment).unwrap().next().unwrap().unwrap();
    let whole = fs::read(segment.path()).unwrap();
    let file = fs::OpenOptions::new().write(true).open(segment.path());
    let file = file.unwrap();
    // Most bytes belong to other documents, and some make this one unreported; where the check trips over
    // them, it fails.
    let tripped = (0..whole.len()).step_by(16).any(|start| {
        let bytes = &whole[start..whole.len().min(start + 16)];
        file.write_all_at(&vec![0xff; bytes.len()], start as u64)
            .unwrap();
        let failed = server.answers().is_err();
        if !failed {
            file.write_all_at(bytes, start as u64).unwrap();
        }
        failed
    });
    assert!(tripped);
    wait_for("no check to be answered", || {
        let failed = server.answers().unwrap_err();
        failed.code() == tonic::Code::Unavailable
    });
    let found = "sltd_suspect_verifications_total{found=\"damaged\"}";
    assert_eq!(get(monitor, "/metrics").metric(found), 1.0);
    assert_eq!(get(monitor, "/readyz").status, 503);
    let told = status(&server);
    assert_eq!(
        told.not_ready_reason().as_str_name(),
        "NOT_READY_REASON_DAMAGED"
    );
    assert_eq!(told.snapshot, None);
    let refused = told.refused.unwrap();
    assert_eq!(refused.generation, 1);
    assert_eq!(refused.reason().as_str_name(), "REFUSAL_REASON_SEGMENT");
    let told = sltd(&["status", "--server", &server.url()]).exits(1);
    assert!(
        told.out.starts_with("NOT_READY: the snapshot was damaged"),
        "{told:?}"
    );
    assert!(told.out.contains("Snapshot  none is served"), "{told:?}");

    publish(&store, &ROWS.replace("passport,stolen,", "passport,lost,"));
    wait_for("a sound one", || get(monitor, "/readyz").status == 200);
    server.still_answers();
    assert_eq!(status(&server).refused, None);
}
