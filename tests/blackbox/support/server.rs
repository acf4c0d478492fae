//! `sltd serve` as a process.

use super::{PATIENCE, ROWS, block_on, publish, wait_for};
use rustix::process::{Pid, Signal, kill_process};
use sltd::client::{Client, ClientError, ClientOptions, Question, Verdict};
use sltd::document::DocumentType;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    log: Arc<Mutex<String>>,
    /// Whether its log is read.
    heard: Arc<AtomicBool>,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Serves a store on a free port; returns when checks are answered.
    pub(crate) fn start(store: &Path) -> Self {
        Self::start_with(store, &[], "info")
    }

    /// The same with further arguments and a level of logging.
    #[track_caller]
    pub(crate) fn start_with(store: &Path, arguments: &[&str], level: &str) -> Self {
        let program = Command::new(env!("CARGO_BIN_EXE_sltd"));
        Self::start_program(program, store, arguments, level)
    }

    /// The same of the program as a command begins it.
    #[track_caller]
    pub(crate) fn start_program(
        mut program: Command,
        store: &Path,
        arguments: &[&str],
        level: &str,
    ) -> Self {
        let listen: &[&str] = match arguments.contains(&"--listen") {
            true => &[],
            false => &["--listen", "127.0.0.1:0"],
        };
        let mut child = program
            .args(["serve", "--store"])
            .arg(store)
            .args(listen)
            .args(arguments)
            .env("RUST_LOG", level)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let written = Arc::clone(&log);
        let heard = Arc::new(AtomicBool::new(true));
        let listening = Arc::clone(&heard);
        std::thread::spawn(move || {
            let heard = |_: &String| listening.load(Ordering::Relaxed);
            for line in lines.map_while(Result::ok).take_while(heard) {
                let mut log = written.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let mut address = None;
        wait_for("the log to name the address", || {
            address = log.lock().unwrap().lines().find_map(bound_address);
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "{ended:?}: {}", log.lock().unwrap());
            address.is_some()
        });
        Self {
            child,
            log,
            heard,
            address: address.unwrap(),
        }
    }

    /// The id of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// A figure of its memory in MiB, such as `VmRSS`, what it takes now, or `VmHWM`, the most it has taken.
    pub(crate) fn memory(&self, figure: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(figure));
        let kib = line.and_then(|line| line.split_whitespace().nth(1));
        kib.unwrap().parse::<u64>().unwrap() / 1024
    }

    /// What clients call it by.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client with all the time in the world.
    pub(crate) async fn client(&self) -> Client {
        let options = ClientOptions {
            deadline: PATIENCE,
            ..ClientOptions::default()
        };
        Client::connect([self.url()], options).await.unwrap()
    }

    /// What it says of a reported passport, over a connection of its own.
    pub(crate) fn answers(&self) -> Result<Verdict, ClientError> {
        block_on(async {
            let question = Question::number("12AB34567").issuing_state("FRA");
            let question = question.document_type(DocumentType::Passport);
            let answer = self.client().await.check(&question).await?;
            Ok(answer.verdict())
        })
    }

    /// Asserts that a reported passport is a hit.
    #[track_caller]
    pub(crate) fn still_answers(&self) {
        assert_eq!(self.answers(), Ok(Verdict::Hit), "{}", self.log());
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Reads one line more of its log and then closes the pipe.
    pub(crate) fn stop_reading_log(&self) {
        self.heard.store(false, Ordering::Relaxed);
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    /// Whether it has ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        wait_for("the server to end", || self.ended().is_some());
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in the line that says it serves, in either form of the log.
fn bound_address(line: &str) -> Option<SocketAddr> {
    if !line.contains("serving") {
        return None;
    }
    let at = line.find("127.0.0.1:")?;
    let end = |c: char| !(c.is_ascii_digit() || c == '.' || c == ':');
    line[at..].split(end).next()?.parse().ok()
}

/// A store of [`ROWS`](super::ROWS) and a server over it.
pub(crate) fn serve() -> (tempfile::TempDir, Server) {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), ROWS);
    let server = Server::start(dir.path());
    (dir, server)
}
