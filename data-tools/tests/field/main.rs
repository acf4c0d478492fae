//! Runs the cases of `tests/field` with the real `sltd-data`: what operators were sent, and what must come of it.
//!
//! `tests/field/README.md` describes the form of a case. Each file is a test of its own, so that one can be run by its
//! name: `cargo test -p sltd-data --test field numbers/decimal_point`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod case;
mod step;

use case::Case;
use libtest_mimic::{Arguments, Failed, Trial};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/field");
    let trials = case_files(&cases)
        .into_iter()
        .map(|file| {
            let name = file.strip_prefix(&cases).unwrap().with_extension("");
            Trial::test(name.to_str().unwrap(), move || run(&file))
        })
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Every case below a folder, in the order of their names.
fn case_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn run(file: &Path) -> Result<(), Failed> {
    let text = fs::read_to_string(file).unwrap();
    let case: Case = toml::from_str(&text).map_err(|error| Failed::from(error.to_string()))?;
    let folder = tempfile::tempdir().unwrap();
    for file in &case.file {
        file.write(folder.path());
    }
    for (index, step) in case.step.iter().enumerate() {
        step.run(folder.path())
            .map_err(|what| format!("{}\nstep {}: {what}", case.why, index + 1))?;
    }
    Ok(())
}
