//! The file `nightly.toml`.

use serde::{Deserialize, Deserializer};
use sltd::service::parse_size;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What happens every night. Paths are relative to the folder of the file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NightlyConfig {
    /// The store; made if it does not exist.
    pub store: PathBuf,
    /// The file that describes the lists.
    pub sources: PathBuf,
    /// Bytes of rows to hold in memory; default: half of the memory available.
    #[serde(default, deserialize_with = "size")]
    pub memory: Option<u64>,
    /// Threads; default: the cores available.
    pub threads: Option<std::num::NonZeroU16>,
    /// Largest share of a source's rows that may be rejected.
    #[serde(default = "max_rejects")]
    pub max_rejects: f64,
    /// Bases to keep; default: as many as before.
    pub keep: Option<std::num::NonZeroU32>,
    /// Who builds, for the history; default: the system's user.
    pub by: Option<String>,
    /// Whether what was built is only put aside.
    #[serde(default)]
    pub put_aside: bool,
    /// Files of private keys to sign with.
    #[serde(default)]
    pub sign_keys: Vec<PathBuf>,
    /// A list of keys, with one of which must be signed what is current and what is published; default: none.
    pub trusted_keys: Option<PathBuf>,
    /// How long what is published may be relied on; default: no such limit.
    #[serde(default, deserialize_with = "validity")]
    pub valid_for: Option<Duration>,
    /// Folders from which lists are fetched first.
    #[serde(default, rename = "fetch")]
    pub fetches: Vec<Fetch>,
}

/// A folder into which a supplier puts lists.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fetch {
    /// Where they are put.
    pub from: PathBuf,
    /// Where `sources.toml` looks for them. What is there is replaced as a whole.
    pub to: PathBuf,
    /// For how long nothing must have changed in the folder: a list that is still being written is not fetched.
    #[serde(default = "settled", deserialize_with = "duration")]
    pub settled: Duration,
}

/// Why a `nightly.toml` can't be used.
#[derive(Debug, thiserror::Error)]
pub enum NightlyConfigError {
    /// It can't be read.
    #[error("{}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// It is no TOML, or says something it may not say.
    #[error("{}: {error}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: toml::de::Error,
    },
    /// A value is out of bounds.
    #[error("{}: {what}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what was expected.
        what: &'static str,
    },
}

impl NightlyConfig {
    /// Reads the file.
    ///
    /// # Errors
    /// [`NightlyConfigError`].
    pub fn load(path: &Path) -> Result<Self, NightlyConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| NightlyConfigError::Read {
            path: path.to_owned(),
            error,
        })?;
        let mut config: Self = toml::from_str(&text).map_err(|error| NightlyConfigError::Form {
            path: path.to_owned(),
            error,
        })?;
        if !(0.0..=1.0).contains(&config.max_rejects) {
            return Err(NightlyConfigError::Value {
                path: path.to_owned(),
                what: "max_rejects: expected a share from 0 to 1",
            });
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let fetches = config.fetches.iter_mut();
        let fetched = fetches.flat_map(|fetch| [&mut fetch.from, &mut fetch.to]);
        for path in [&mut config.store, &mut config.sources]
            .into_iter()
            .chain(&mut config.sign_keys)
            .chain(&mut config.trusted_keys)
            .chain(fetched)
        {
            // An absolute path replaces the folder.
            *path = folder.join(&path);
        }
        Ok(config)
    }
}

fn max_rejects() -> f64 {
    0.05
}

fn settled() -> Duration {
    Duration::from_secs(60)
}

fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_size(&text)
        .map(Some)
        .map_err(serde::de::Error::custom)
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    sltd::service::parse_duration(&text).map_err(serde::de::Error::custom)
}

fn validity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    crate::terms::parse_validity(&text)
        .map(Some)
        .map_err(serde::de::Error::custom)
}
