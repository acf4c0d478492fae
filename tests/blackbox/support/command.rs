//! A command and what came of it.

use super::PATIENCE;
use serde_json::Value;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Its exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Ran {
    /// Standard output as JSON, one value a line.
    pub(crate) fn json(&self) -> Vec<Value> {
        let lines = self.out.lines();
        let parsed = lines.map(|line| serde_json::from_str(line).expect(line));
        parsed.collect()
    }

    /// Asserts the exit code; shows everything if it is another.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// Asserts that standard error says something.
    #[track_caller]
    pub(crate) fn says(self, part: &str) -> Self {
        assert!(self.err.contains(part), "expected {part:?}: {self:#?}");
        assert!(!self.err.contains("panicked"), "{self:#?}");
        self
    }
}

/// Runs `sltd` with nothing on its standard input.
pub(crate) fn sltd(arguments: &[&str]) -> Ran {
    sltd_fed(arguments, "")
}

/// Runs `sltd` with a text on its standard input. Ends it if it does not end by itself.
pub(crate) fn sltd_fed(arguments: &[&str], input: &str) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sltd"))
        .args(arguments)
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // A command that has failed may have closed its input.
    std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let id = rustix::process::Pid::from_child(&child);
    let (ended, watchdog) = std::sync::mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        if watchdog.recv_timeout(PATIENCE).is_err() {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
        }
    });
    let output = child.wait_with_output().unwrap();
    let _ = ended.send(());
    watch.join().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}
