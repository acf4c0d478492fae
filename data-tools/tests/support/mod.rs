//! A small language for tests of the real `sltd-data`: a folder with lists, a build of them.
#![allow(dead_code, reason = "every test crate uses a part of it")]

use sltd::snapshot::{LoadOptions, Snapshot, Store};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder with lists and stores.
pub(crate) struct Desk(tempfile::TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Generates a list.
    pub(crate) fn generate(&self, name: &str, records: u32, more: &[&str]) {
        let mut command = sltd_data("generate");
        command.args(["--records", &records.to_string(), "--out"]);
        command.arg(self.path(name)).args(more);
        succeeds(&mut command);
    }

    /// Describes one source, named `list`, that owns what it reports; `more` are further lines.
    pub(crate) fn describe(&self, file: &str, path: &str, layout: &str, more: &str) {
        self.describe_at("2026-01-01T00:00:00Z", file, path, layout, more);
    }

    /// The same, as of an instant: another list than the one in force is of another one.
    pub(crate) fn describe_at(
        &self,
        as_of: &str,
        file: &str,
        path: &str,
        layout: &str,
        more: &str,
    ) {
        let source = format!("[[source]]\nname = \"list\"\nas_of = \"{as_of}\"\nowns = [\"*\"]");
        self.write(
            file,
            format!("{source}\npath = \"{path}\"\nlayout = \"{layout}\"\n{more}\n"),
        );
    }

    /// A build of the sources described in a file. `--as-of` is early: nothing has expired.
    pub(crate) fn build(&self, sources: &str, store: &str) -> Command {
        let mut command = sltd_data("build");
        command.arg("--sources").arg(self.path(sources));
        command.arg("--store").arg(self.path(store));
        command.args(["--as-of", "2024-01-01", "--json"]);
        command
    }

    /// The snapshot of a store, opened and verified.
    pub(crate) fn load(&self, store: &str) -> Snapshot {
        let store = Store::open(self.path(store)).unwrap();
        store.load_current(&LoadOptions::default()).unwrap()
    }

    /// The only segment of a store.
    pub(crate) fn segment(&self, store: &str) -> Vec<u8> {
        let manifest = self.load(store).manifest().clone();
        let [segment] = &manifest.segments[..] else {
            panic!("expected one segment: {manifest:?}");
        };
        fs::read(self.path(store).join("segments").join(&segment.file)).unwrap()
    }
}

/// A subcommand of the real binary.
pub(crate) fn sltd_data(subcommand: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sltd-data"));
    command.arg(subcommand);
    command
}

/// Runs a command that must succeed.
#[track_caller]
pub(crate) fn succeeds(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    output
}

/// Runs a command that must end with a code and say something, and not by a panic.
#[track_caller]
pub(crate) fn fails(command: &mut Command, code: i32, part: &str) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{command:?}: {said}");
    assert!(
        said.contains(part),
        "{command:?}: expected {part:?}: {said}"
    );
    assert!(!said.contains("panicked"), "{said}");
}

/// Every file below a folder, relative to it, sorted.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                open.push(entry.path());
            } else {
                let path = entry.path();
                found.push(
                    path.strip_prefix(folder)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .to_owned(),
                );
            }
        }
    }
    found.sort();
    found
}
