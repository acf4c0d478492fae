//! What an operator may set, and what holds otherwise.

use super::address::parse_address;
use super::duration::parse_duration;
use super::size::parse_size;
use crate::index::LoadMode;
use crate::snapshot::signature::TrustedKeyFile;
use crate::snapshot::{LoadOptions, Warm};
use serde::{Deserialize, Deserializer};
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Settings of the server. [`Config::default`] is what holds without a file.
///
/// The file is TOML with the names of the fields below; every key may be left out, an unknown one is
/// an error:
///
/// ```
/// let config = sltd::service::Config::from_toml(r#"
///     listen = "127.0.0.1:7440"
///     threads = 2               # default: as many as there are cores
///     drain = "8s"              # how long running calls may take after SIGTERM
///     max_connections = 16000   # default: 16000, or as many as the descriptors granted leave
///     max_connection_age = "1h" # a tenth more or less; default: off
///     memory = "64MiB"          # what requests and answers may take; default: an eighth of what is free
///     stalled_after = "10m"     # how long a job may wait for its client while it holds any of it
///     watch = "1s"              # how often to look for a new snapshot
///     scrub = "24h"             # how often to read the segments again from the disk, or "off"
///     log = "json"              # or "human"
///     load = "mmap"             # or "heap"
///     warm = "all"              # or "filter"; default: all, where memory allows
///     soft_age = "26h"          # past it answers say stale; default: never
///     hard_age = "7d"           # past it a miss is INCONCLUSIVE; default: never
///     fail_when_too_old = true  # past it health says NOT_SERVING, too; default: false
///     metrics = "127.0.0.1:9440"  # where /metrics, /healthz, /readyz are served; default: nowhere
///     state_dir = "state"       # needed with trusted keys: where the highest generation seen is remembered
///
///     [[trusted_key]]           # any number; default: none, and snapshots need not be signed
///     file = "2026.pub"
///     not_before = "2026-01-01T00:00:00Z"   # what was published in this time is accepted;
///     not_after = "2027-02-01T00:00:00Z"    # default: no limit
/// "#).unwrap();
/// assert_eq!(config.drain, std::time::Duration::from_secs(8));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Config {
    /// Loopback address to listen on; a file may name a host (`localhost:7440`), which is resolved when it is
    /// read. Default 127.0.0.1:7440.
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    /// Threads that serve connections, 1 to 1,024. Default: the cores available.
    pub threads: NonZeroUsize,
    /// How long running calls may take to end once the server was told to stop; then they are cut.
    /// Default 8 s.
    #[serde(deserialize_with = "duration")]
    pub drain: Duration,
    /// Connections open at a time. When one more comes, one has to leave: of those that never had a call answered
    /// the oldest, else the longest idle of the peer that has most. Never more than the descriptors granted leave
    /// beside those that the server needs itself. Default 16,000, or what they leave.
    pub max_connections: Option<NonZeroUsize>,
    /// Age at which a client is told to go on over another connection (GOAWAY), at least 1 s; each connection's is a tenth
    /// longer or shorter by chance. Running calls end as they would have. So servers that are new behind a balancer of
    /// connections get their share. None: never, which the file says as `off`. Default: none.
    #[serde(deserialize_with = "duration_or_off")]
    pub max_connection_age: Option<Duration>,
    /// Bytes that requests and answers may take together, beside the snapshot: requests of many documents while they
    /// are received and checked, answers until their last byte is sent. When they are used up, the call is ended that
    /// has waited longest for its client, with RESOURCE_EXHAUSTED. At least 32 MiB. Default: an eighth of what is
    /// available when the server starts, 64 MiB to 1 GiB.
    #[serde(deserialize_with = "size")]
    pub memory: Option<u64>,
    /// How long a call may wait for its client while it holds any of that memory, even if nobody else needs it, and
    /// with it perhaps an old snapshot. At least 1 s. Default 10 minutes.
    #[serde(deserialize_with = "duration")]
    pub stalled_after: Duration,
    /// How often to look for a new snapshot, at least 10 ms. Default 1 s.
    #[serde(deserialize_with = "duration")]
    pub watch: Duration,
    /// How often to read the segments served again from the disk, at idle priority, and to hold every byte against
    /// its digest; what has changed is said in log, status and metrics. At least 1 s; none: never, which the file says as
    /// `off`. Default 24 h.
    #[serde(deserialize_with = "duration_or_off")]
    pub scrub: Option<Duration>,
    /// Form of the log. Default human.
    pub log: LogFormat,
    /// How segments are held in memory. Default mapped.
    #[serde(deserialize_with = "load_mode")]
    pub load: LoadMode,
    /// What is brought into memory before a snapshot is served. Default: all, where memory allows.
    #[serde(deserialize_with = "warm")]
    pub warm: Option<Warm>,
    /// Age of the snapshot past which answers are marked stale. Default: none.
    #[serde(deserialize_with = "some_duration")]
    pub soft_age: Option<Duration>,
    /// Age of the snapshot past which a miss is no longer answered NO_RECORD. Default: none.
    #[serde(deserialize_with = "some_duration")]
    pub hard_age: Option<Duration>,
    /// Whether health and `/readyz` say that no checks are to be sent here once the snapshot is past its
    /// hard age, or past what its publisher set (`not_after`). Checks are answered all the same. Default: no.
    pub fail_when_too_old: bool,
    /// Loopback address of the HTTP listener for `/metrics`, `/healthz` and `/readyz`. Default: none.
    #[serde(deserialize_with = "some_address")]
    pub metrics: Option<SocketAddr>,
    /// Folder in which the highest generation seen of a store is remembered. Used where keys are trusted, and
    /// required then. [`read`](Self::read) takes it as relative to the folder of the file.
    pub state_dir: Option<PathBuf>,
    /// Keys of which one must have signed a snapshot, for it to be served. Default: none, anything whole is served.
    /// [`read`](Self::read) takes their paths as relative to the folder of the file.
    #[serde(rename = "trusted_key", deserialize_with = "some_keys")]
    pub trusted_keys: Vec<TrustedKeyFile>,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not valid.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<ConfigError>,
    },
    /// The text is not TOML, or a key is unknown or has a wrong value.
    #[error("the configuration is not valid: {0}")]
    Form(#[from] toml::de::Error),
    /// A value is out of bounds, alone or beside another.
    #[error("the configuration is not valid: `{key}` must be {expected}")]
    Value {
        /// The key.
        key: &'static str,
        /// What was expected.
        expected: &'static str,
    },
}

/// Threads beyond this are surely a mistake.
const THREADS_MAX: usize = 1_024;
/// Looking more often would cost more than it brings.
const WATCH_MIN: Duration = Duration::from_millis(10);
/// The pools of a smaller memory would not hold a full batch and its answer.
const MEMORY_MIN: u64 = 32 << 20;
/// Bounds of what is taken without being told.
const MEMORY_DEFAULT: RangeInclusive<u64> = 64 << 20..=1 << 30;
/// A client that reads and writes pauses for less.
const STALLED_AFTER_MIN: Duration = Duration::from_secs(1);
/// Ages are looked at once a second.
const CONNECTION_AGE_MIN: Duration = Duration::from_secs(1);
/// As for `WATCH_MIN`.
const SCRUB_MIN: Duration = Duration::from_secs(1);

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7440)),
            threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            drain: Duration::from_secs(8),
            max_connections: None,
            max_connection_age: None,
            memory: None,
            stalled_after: Duration::from_secs(10 * 60),
            watch: Duration::from_secs(1),
            scrub: Some(Duration::from_secs(24 * 60 * 60)),
            log: LogFormat::Human,
            load: LoadMode::Mmap,
            warm: None,
            soft_age: None,
            hard_age: None,
            fail_when_too_old: false,
            metrics: None,
            state_dir: None,
            trusted_keys: Vec::new(),
        }
    }
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// If the file cannot be read or its content is not valid.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let config = Self::from_toml(&text).map_err(|error| ConfigError::File {
            path: path.to_owned(),
            source: Box::new(error),
        })?;
        Ok(Self {
            state_dir: config.state_dir.map(|dir| folder.join(dir)),
            trusted_keys: config
                .trusted_keys
                .into_iter()
                .map(|key| key.relative_to(folder))
                .collect(),
            ..config
        })
    }

    /// Reads a configuration from the text of a file.
    ///
    /// # Errors
    /// If the text is not valid TOML, a key is unknown, or a value is out of bounds.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text)?;
        config.validate()?;
        Ok(config)
    }

    /// How snapshots are to be loaded.
    pub fn load_options(&self) -> LoadOptions {
        LoadOptions {
            load: self.load,
            warm: self.warm,
        }
    }

    /// Bytes that requests and answers may take: `memory`, or what is derived from the memory available now.
    pub(super) fn memory_bytes(&self) -> usize {
        let memory = self.memory.unwrap_or_else(|| {
            let (least, most) = MEMORY_DEFAULT.into_inner();
            crate::memory::available().map_or(least, |available| (available / 8).clamp(least, most))
        });
        usize::try_from(memory).unwrap_or(usize::MAX)
    }

    /// Checks what the types leave open.
    ///
    /// # Errors
    /// If a value is out of bounds, alone or beside another.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let wrong = |key, expected| Err(ConfigError::Value { key, expected });
        if self.threads.get() > THREADS_MAX {
            return wrong("threads", "at most 1024");
        }
        if self.memory.is_some_and(|memory| memory < MEMORY_MIN) {
            return wrong("memory", "at least 32MiB");
        }
        if self.stalled_after < STALLED_AFTER_MIN {
            return wrong("stalled_after", "at least 1s");
        }
        if self.watch < WATCH_MIN {
            return wrong("watch", "at least 10ms");
        }
        let age = self.max_connection_age;
        if age.is_some_and(|age| age < CONNECTION_AGE_MIN) {
            return wrong("max_connection_age", "at least 1s, or off");
        }
        if self.scrub.is_some_and(|every| every < SCRUB_MIN) {
            return wrong("scrub", "at least 1s, or off");
        }
        if let (Some(soft), Some(hard)) = (self.soft_age, self.hard_age)
            && hard < soft
        {
            return wrong("hard_age", "no shorter than `soft_age`");
        }
        if !self.trusted_keys.is_empty() && self.state_dir.is_none() {
            // Without a memory a restart would open the way for any older snapshot that was once signed.
            return wrong("state_dir", "set where a `trusted_key` is");
        }
        Ok(())
    }
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map_err(serde::de::Error::custom)
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_address(&text).map_err(serde::de::Error::custom)
}

fn some_address<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SocketAddr>, D::Error> {
    address(deserializer).map(Some)
}

fn some_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    duration(deserializer).map(Some)
}

fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_size(&text)
        .map(Some)
        .map_err(serde::de::Error::custom)
}

fn duration_or_off<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text == "off" {
        return Ok(None);
    }
    let every = parse_duration(&text).map_err(serde::de::Error::custom)?;
    Ok(Some(every))
}

/// Written down, a list is not empty: that of a template that was not filled in must not mean that nobody signs.
fn some_keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<TrustedKeyFile>, D::Error> {
    let keys = Vec::deserialize(deserializer)?;
    if keys.is_empty() {
        return Err(serde::de::Error::invalid_length(
            0,
            &"a trusted key at least",
        ));
    }
    Ok(keys)
}

fn load_mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LoadMode, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "mmap" => Ok(LoadMode::Mmap),
        "heap" => Ok(LoadMode::Heap),
        other => Err(serde::de::Error::unknown_variant(other, &["mmap", "heap"])),
    }
}

fn warm<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Warm>, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "all" => Ok(Some(Warm::All)),
        "filter" => Ok(Some(Warm::Filter)),
        other => Err(serde::de::Error::unknown_variant(other, &["all", "filter"])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_means_the_defaults() {
        assert_eq!(Config::from_toml("").unwrap(), Config::default());
    }

    #[test]
    fn paths_in_a_file_are_relative_to_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sltd.toml");
        std::fs::write(
            &path,
            "state_dir = \"state\"\n[[trusted_key]]\nfile = \"a.pub\"\n[[trusted_key]]\nfile = \"/b.pub\"\n",
        )
        .unwrap();
        let config = Config::read(&path).unwrap();
        assert_eq!(config.state_dir, Some(dir.path().join("state")));
        let files: Vec<&Path> = config.trusted_keys.iter().map(|key| &*key.file).collect();
        assert_eq!(files, [&*dir.path().join("a.pub"), Path::new("/b.pub")]);
    }

    #[test]
    fn a_host_may_be_named() {
        let config = Config::from_toml("listen = \"localhost:1\"\nmetrics = \"localhost:2\"");
        let config = config.unwrap();
        assert_eq!(config.listen, SocketAddr::from((Ipv4Addr::LOCALHOST, 1)));
        assert_eq!(
            config.metrics,
            Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 2)))
        );
    }

    #[test]
    fn mistakes_in_a_file_name_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine.toml");
        for text in ["threads = 0", "threads", "watch = \"1ms\"", "drian = 1"] {
            std::fs::write(&path, text).unwrap();
            let message = Config::read(&path).unwrap_err().to_string();
            assert!(message.starts_with(path.to_str().unwrap()), "{message}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        let cases = [
            ("drian = \"8s\"", "unknown field `drian`"),
            ("drain = 8", "expected a string"),
            ("drain = \"8\"", "expected a whole number and a unit"),
            ("threads = 0", "nonzero"),
            ("threads = 2000", "`threads` must be at most 1024"),
            (
                "memory = \"64MB\"",
                "expected a whole number followed by KiB",
            ),
            ("memory = \"16MiB\"", "`memory` must be at least 32MiB"),
            (
                "stalled_after = \"1ms\"",
                "`stalled_after` must be at least 1s",
            ),
            ("watch = \"1ms\"", "`watch` must be at least 10ms"),
            (
                "max_connection_age = \"1ms\"",
                "`max_connection_age` must be at least 1s, or off",
            ),
            ("scrub = \"1ms\"", "`scrub` must be at least 1s, or off"),
            ("scrub = \"never\"", "expected a whole number and a unit"),
            ("load = \"disk\"", "expected `mmap` or `heap`"),
            ("warm = \"none\"", "expected `all` or `filter`"),
            ("log = \"xml\"", "expected `human` or `json`"),
            ("listen = \"localhost\"", "is not HOST:PORT"),
            ("listen = \"0.0.0.0:7440\"", "not a loopback address"),
            ("metrics = 9440", "expected a string"),
            ("metrics = \"192.0.2.1:9440\"", "not a loopback address"),
            ("fail_when_too_old = \"yes\"", "expected a boolean"),
            (
                "soft_age = \"2d\"\nhard_age = \"1d\"",
                "no shorter than `soft_age`",
            ),
            (
                "[[trusted_key]]\nfile = \"a.pub\"",
                "`state_dir` must be set where a `trusted_key` is",
            ),
            ("trusted_key = []", "a trusted key at least"),
            (
                "[[trusted_key]]\nnot_after = \"2026-01-01T00:00:00Z\"",
                "missing field `file`",
            ),
            (
                "[[trusted_key]]\nfile = \"a\"\nnot_after = \"2026\"",
                "not_after",
            ),
            (
                "[[trusted_key]]\nfile = \"a\"\nuntil = \"2026\"",
                "unknown field `until`",
            ),
        ];
        for (text, expected) in cases {
            let message = Config::from_toml(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }
}
