//! More connections than anyone needs.

use crate::support::{ROWS, Raw, Server, kind, publish, serve, wait_for};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

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

#[test]
fn connections_over_the_limit_are_closed_and_the_rest_served() {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), ROWS);
    let config = dir.path().join("sltd.toml");
    std::fs::write(&config, "max_connections = 3\n").unwrap();
    let server = Server::start_with(dir.path(), &["--config", config.to_str().unwrap()], "info");
    let mut held: Vec<Raw> = (0..3).map(|_| Raw::open(server.address)).collect();
    for raw in &mut held {
        assert!(raw.next().is_some_and(|frame| frame.kind == kind::SETTINGS));
    }
    assert!(
        Raw::open(server.address).next().is_none(),
        "a fourth is taken"
    );
    wait_for("the log to say so", || {
        server.log().contains("too many are open")
    });
    held.pop();
    wait_for("the place to be free", || {
        Raw::open(server.address).next().is_some()
    });
    drop(held);
    wait_for("all places to be free", || server.answers().is_ok());
}
