//! More connections than anyone needs.

use crate::support::{
    ROWS, Raw, Server, block_on, get, kind, passport, publish, serve, sltd, wait_for,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::net::SocketAddr;

/// Connections held open at once, and the files this process needs beside them.
const IDLE: u64 = 10_000;

const OWN_FILES: u64 = 500;

/// How many connections this process may hold: all where the system lets it.
fn connections_allowed() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let wanted = IDLE + OWN_FILES;
    let granted = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    if limit.current.is_some_and(|current| current < granted) {
        setrlimit(
            Resource::Nofile,
            Rlimit {
                current: Some(granted),
                maximum: limit.maximum,
            },
        )
        .unwrap();
    }
    let current = getrlimit(Resource::Nofile).current.unwrap_or(wanted);
    let allowed = current.saturating_sub(OWN_FILES).min(IDLE);
    if allowed < IDLE {
        println!(
            "NOTE: this system lets a process have {current} open files: {allowed} idle connections instead of {IDLE}"
        );
    }
    allowed
}

#[test]
fn ten_thousand_idle_connections_are_carried() {
    let (_dir, server) = serve();
    let idle: Vec<Raw> = (0..connections_allowed())
        .map(|_| Raw::open(server.address))
        .collect();
    server.still_answers();
    // They are open, each of them: every one answers a ping.
    for mut raw in idle {
        raw.frame(kind::PING, 0, 0, b"12345678");
        let answer = std::iter::from_fn(|| raw.next()).find(|frame| frame.kind == kind::PING);
        assert_eq!(
            answer.expect("an idle connection was closed").payload,
            b"12345678"
        );
    }
    server.still_answers();
}

/// A server with so many places.
fn with_places(places: usize) -> (tempfile::TempDir, Server, SocketAddr) {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), ROWS);
    let (server, monitor) = Server::monitored(dir.path(), &format!("max_connections = {places}\n"));
    (dir, server, monitor)
}

fn is_open(raw: &mut Raw) -> bool {
    raw.frame(kind::PING, 0, 0, b"12345678");
    std::iter::from_fn(|| raw.next()).any(|frame| frame.kind == kind::PING)
}

#[test]
fn idle_connections_lock_nobody_out() {
    let (_dir, server, monitor) = with_places(30);
    let open = |_| {
        let mut raw = Raw::open(server.address);
        // It is served before the next one comes.
        assert!(raw.next().is_some(), "turned away");
        raw
    };
    let mut idle: Vec<Raw> = (0..100).map(open).collect();
    // Whoever checks, asks for the status or for health comes in.
    server.still_answers();
    sltd(&["status", "--server", &server.url()]).exits(0);
    let displaced = get(monitor, "/metrics").metric("sltd_connections_displaced_total");
    assert!(displaced >= 70.0, "{displaced}");
    // Those that came first are gone, and with those that came last nothing has happened.
    assert!(idle.remove(0).rest().len() <= 2, "the first is still open");
    assert!(is_open(&mut idle.pop().unwrap()));
    assert!(get(monitor, "/metrics").metric("sltd_connections") <= 31.0);
}

#[test]
fn the_longest_idle_of_the_peer_that_has_most_leaves_with_a_goodbye_and_no_call_fails() {
    let (_dir, server, monitor) = with_places(12);
    let mut kiosks: Vec<Raw> = (2..6)
        .map(|host| Raw::open_from([127, 0, 0, host], server.address))
        .collect();
    for kiosk in &mut kiosks {
        kiosk.check(1).expect("an answer");
    }
    // One client that asks once and stays, again and again.
    let mut greedy: Vec<Raw> = Vec::new();
    for _ in 0..40 {
        let mut raw = Raw::open(server.address);
        raw.check(1).expect("an answer");
        greedy.push(raw);
    }
    wait_for("those that were asked to leave to be gone", || {
        get(monitor, "/metrics").metric("sltd_connections") <= 12.0
    });
    let goodbye = greedy.remove(0).rest();
    assert!(
        goodbye.iter().any(|frame| frame.kind == kind::GOAWAY),
        "{goodbye:?}"
    );
    for kiosk in &mut kiosks {
        kiosk.check(3).expect("a kiosk has lost its place");
    }
}

/// Fewer descriptors than connections: clients must not take those that the server needs for what is published.
#[test]
fn idle_connections_do_not_stop_publications() {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), ROWS);
    let (server, monitor) = Server::with_descriptors(
        dir.path(),
        300,
        "max_connections = 16000\nwatch = \"10ms\"\n",
    );
    let _idle: Vec<Raw> = (0..400).map(|_| Raw::open(server.address)).collect();
    let places = get(monitor, "/metrics").metric("sltd_connections_max");
    assert!((1.0..300.0).contains(&places), "{places}");
    publish(dir.path(), ROWS);
    wait_for("the publication to be served", || {
        get(monitor, "/metrics").metric("sltd_snapshot_generation") == 2.0
    });
    server.still_answers();
    assert!(
        server.log().contains("fewer files may be open"),
        "{}",
        server.log()
    );
}

#[test]
fn old_connections_are_ended_and_no_call_fails() {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), ROWS);
    let (server, monitor) = Server::monitored(dir.path(), "max_connection_age = \"1s\"\n");
    let mut raw = Raw::open(server.address);
    raw.check(1).expect("an answer");
    let goodbye = raw.rest();
    assert!(
        goodbye.iter().any(|frame| frame.kind == kind::GOAWAY),
        "{goodbye:?}"
    );
    // A client goes on over further connections and doesn't notice.
    block_on(async {
        let client = server.client().await;
        let accepted = || get(monitor, "/metrics").metric("sltd_connections_accepted_total");
        let before = accepted();
        while accepted() < before + 3.0 {
            client.check(&passport("12AB34567")).await.unwrap();
        }
    });
}
