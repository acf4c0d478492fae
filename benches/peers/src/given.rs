//! What is measured with: a list, questions about it, and the store built from it.

use crate::Result;
use crate::process::{Usage, measure};
use crate::programs::{Programs, succeed};
use sltd::index::LoadMode;
use sltd::snapshot::{LoadOptions, Snapshot, Store, Warm};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Questions about the list; at the published rate, one in 13,700 is about a reported document.
const QUESTIONS: u64 = 2_000_000;
/// Memory of builds: what `sort` gets.
pub(crate) const BUILD_MEMORY: &str = "8GiB";

/// What the sections work with.
#[derive(Debug)]
pub(crate) struct Given {
    /// The list, as `sltd-data generate` writes it.
    pub(crate) list: PathBuf,
    /// Questions about it, `number,issuer,type` a line.
    pub(crate) queries: PathBuf,
    /// A store built from the list.
    pub(crate) store: PathBuf,
    /// An existing folder that is removed afterwards.
    pub(crate) scratch: PathBuf,
    /// What is measured.
    pub(crate) programs: Programs,
    /// Cores.
    pub(crate) threads: usize,
    /// Rows of the list.
    pub(crate) records: u64,
    /// Whether rounds are few and short.
    pub(crate) quick: bool,
    /// Rows of the lists of the scale curve.
    pub(crate) scale: Vec<u64>,
}

impl Given {
    /// Generates list and questions in a folder, and builds the store there.
    ///
    /// # Errors
    /// When a program fails.
    pub(crate) fn prepare(
        folder: &Path,
        programs: Programs,
        records: u64,
        quick: bool,
        scale: Vec<u64>,
    ) -> Result<Self> {
        let given = Self {
            list: folder.join("list.csv"),
            queries: folder.join("list.queries"),
            store: folder.join("store"),
            scratch: folder.to_owned(),
            programs,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            records,
            quick,
            scale,
        };
        eprintln!("generating a list of {records} rows");
        given.generate(records, &given.list, &given.queries)?;
        eprintln!("building a store of it");
        given.build_store(&given.list, &given.store, given.threads, BUILD_MEMORY)?;
        Ok(given)
    }

    /// `full` in a full run, else less.
    pub(crate) fn rounds(&self, full: usize) -> usize {
        if self.quick { full.min(3) } else { full }
    }

    /// Writes a list of so many rows, and questions about it.
    ///
    /// # Errors
    /// When `sltd-data generate` fails.
    pub(crate) fn generate(&self, records: u64, list: &Path, queries: &Path) -> Result<()> {
        let mut command = Command::new(&self.programs.sltd_data);
        command.args(["generate", "--records", &records.to_string(), "--out"]);
        command.arg(list).arg("--queries").arg(queries);
        let questions = if self.quick { QUESTIONS / 4 } else { QUESTIONS };
        succeed(command.args(["--query-count", &questions.to_string()]))
    }

    /// Builds a list into a store that is removed first.
    ///
    /// # Errors
    /// When the build fails.
    pub(crate) fn build_store(
        &self,
        list: &Path,
        store: &Path,
        threads: usize,
        memory: &str,
    ) -> Result<Usage> {
        if store.exists() {
            std::fs::remove_dir_all(store)?;
        }
        let mut command = Command::new(&self.programs.sltd_data);
        command
            .args(["build", "--json", "--memory", memory, "--threads"])
            .arg(threads.to_string());
        command
            .arg("--sources")
            .arg(describe_list(&self.scratch, list)?)
            .arg("--store")
            .arg(store);
        measure(command.stdout(Stdio::null()))
    }

    /// The snapshot of the store, in memory as asked for: all of it read into memory of our own (`load = "heap"`), or
    /// the filter only.
    ///
    /// # Errors
    /// When it can't be loaded.
    pub(crate) fn snapshot(&self, warm: Warm) -> Result<Snapshot> {
        Ok(Store::open(&self.store)?.load_current(&LoadOptions {
            warm: Some(warm),
            load: match warm {
                Warm::All => LoadMode::Heap,
                Warm::Filter | Warm::Nothing => LoadMode::Mmap,
            },
        })?)
    }
}

/// Writes the `sources.toml` of a list into a folder.
///
/// # Errors
/// When it can't be written.
pub(crate) fn describe_list(folder: &Path, list: &Path) -> Result<PathBuf> {
    let path = folder.join("sources.toml");
    let list = toml::Value::from(list.to_str().ok_or("expected a path that is UTF-8")?);
    std::fs::write(
        &path,
        format!(
            "[[source]]\nname = \"world\"\npath = {list}\nlayout = \"sltd-csv\"\nowns = [\"*\"]\n"
        ),
    )?;
    Ok(path)
}
