//! The HTTP listener beside the calls, asked by hand.

use super::{PATIENCE, Server, wait_for};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

/// What an HTTP server answered.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Page {
    /// The value of a metric, named with its labels as written; 0 where it is not.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let mut lines = self.text.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map_or(0.0, |value| value.parse().unwrap())
    }
}

impl Server {
    /// Serves a store with these settings, and its metrics.
    #[track_caller]
    pub(crate) fn monitored(store: &Path, settings: &str) -> (Self, SocketAddr) {
        let program = Command::new(env!("CARGO_BIN_EXE_sltd"));
        Self::monitored_program(program, store, settings)
    }

    /// The same with so many file descriptors.
    #[track_caller]
    pub(crate) fn with_descriptors(
        store: &Path,
        descriptors: usize,
        settings: &str,
    ) -> (Self, SocketAddr) {
        let mut shell = Command::new("sh");
        let limit = format!("ulimit -n {descriptors}; exec \"$0\" \"$@\"");
        shell.args(["-c", &limit, env!("CARGO_BIN_EXE_sltd")]);
        Self::monitored_program(shell, store, settings)
    }

    #[track_caller]
    fn monitored_program(program: Command, store: &Path, settings: &str) -> (Self, SocketAddr) {
        let config = store.join("sltd.toml");
        std::fs::write(&config, format!("metrics = \"127.0.0.1:0\"\n{settings}")).unwrap();
        let config = config.to_str().unwrap();
        let server = Self::start_program(program, store, &["--config", config], "info");
        let log = server.log();
        let line = log.lines().find(|line| line.contains("metrics are served"));
        let address = line.and_then(|line| line.split("address=").nth(1));
        let monitor = address.expect("the metrics' address").trim();
        (server, monitor.parse().unwrap())
    }
}

/// Asks for a page.
#[track_caller]
pub(crate) fn get(monitor: SocketAddr, path: &str) -> Page {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {monitor}\r\n\r\n");
    say(monitor, request.as_bytes()).expect("an answer")
}

/// Says something and reads to the end; `None`: hung up on without a word.
#[track_caller]
pub(crate) fn say(monitor: SocketAddr, what: &[u8]) -> Option<Page> {
    let mut stream = TcpStream::connect(monitor).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // A server that has hung up already is no failure.
    let _ = stream.write_all(what);
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        read => drop(read.unwrap()),
    }
    let answer = String::from_utf8(bytes).unwrap();
    let (head, text) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Some(Page {
        status,
        text: text.to_owned(),
    })
}

/// Waits until a metric has a value.
#[track_caller]
pub(crate) fn wait_for_metric(monitor: SocketAddr, name: &str, value: f64) {
    wait_for(name, || get(monitor, "/metrics").metric(name) == value);
}
