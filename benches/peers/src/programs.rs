//! The programs that are measured and measured against: built, set up, found.

use crate::Result;
use std::collections::HashMap;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder of this package.
const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");

/// The programs of the main workspace, of this source.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    /// `sltd`: serves.
    pub(crate) sltd: PathBuf,
    /// `sltd-data`: generates and builds.
    pub(crate) sltd_data: PathBuf,
}

impl Programs {
    /// Builds them.
    ///
    /// # Errors
    /// When cargo fails.
    pub(crate) fn build() -> Result<Self> {
        let main = Path::new(PACKAGE).join("../..");
        let mut built = cargo_build(&main, &["-p", "sltd", "-p", "sltd-data", "--bins"])?;
        let mut take = |name: &str| {
            built
                .remove(name)
                .ok_or_else(|| format!("cargo does not say where {name} is"))
        };
        Ok(Self {
            sltd: take("sltd")?,
            sltd_data: take("sltd-data")?,
        })
    }
}

/// The folder where results are written.
pub(crate) fn benches() -> PathBuf {
    Path::new(PACKAGE).with_file_name("")
}

/// Installs what is missing of the servers and libraries that are compared with. Where that can't be done, the peers
/// concerned are missing in the report, which says so.
pub(crate) fn set_up() {
    eprintln!("setting up what is missing (benches/peers/setup)");
    match Command::new(Path::new(PACKAGE).join("setup"))
        .stdout(Stdio::null())
        .status()
    {
        Ok(status) if status.success() => {}
        Ok(status) => eprintln!("  it ended with {status}: some peers will be missing"),
        Err(error) => eprintln!("  it can't be run: {error}; some peers will be missing"),
    }
}

/// Builds this program with RocksDB and goes on as that; returns where it is part of this one already, or can't be
/// built.
pub(crate) fn go_on_with_rocksdb() {
    if cfg!(feature = "rocksdb") {
        return;
    }
    eprintln!("building with RocksDB, which takes many minutes the first time");
    match cargo_build(Path::new(PACKAGE), &["--features", "rocksdb"]) {
        Ok(built) => {
            if let Some(program) = built.get(env!("CARGO_PKG_NAME")) {
                let error = Command::new(program)
                    .args(std::env::args_os().skip(1))
                    .exec();
                eprintln!("  it can't be started: {error}; RocksDB will be missing");
            }
        }
        Err(error) => eprintln!("  {error}; RocksDB will be missing"),
    }
}

/// Builds for release; the programs by name.
fn cargo_build(folder: &Path, arguments: &[&str]) -> Result<HashMap<String, PathBuf>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "build",
            "--release",
            "--message-format=json-render-diagnostics",
        ])
        .args(arguments)
        .current_dir(folder)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!(
            "cargo build {} ended with {}",
            arguments.join(" "),
            output.status
        )
        .into());
    }
    let text = String::from_utf8(output.stdout)?;
    let mut built = HashMap::new();
    for line in text.lines() {
        let message: serde_json::Value = serde_json::from_str(line)?;
        let name = message
            .pointer("/target/name")
            .and_then(|name| name.as_str());
        let path = message.get("executable").and_then(|path| path.as_str());
        if let (Some(name), Some(path)) = (name, path) {
            built.insert(name.to_owned(), PathBuf::from(path));
        }
    }
    Ok(built)
}

/// Runs a command that says nothing.
///
/// # Errors
/// When it can't be started or doesn't end with success.
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let status = command.stdout(Stdio::null()).status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{} ended with {status}", name(command)).into())
    }
}

/// A program's name alone, for what is written down: where it lies on this machine is nobody's business.
pub(crate) fn name(command: &Command) -> String {
    let path = Path::new(command.get_program());
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}
