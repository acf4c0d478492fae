//! What is known of a source's files before they are read: as of when they are, and which bytes they hold.
//!
//! A copy of a list is no newer list: its file's time says when it was copied. Its bytes tell.

use super::input::{self, Inputs, Origin};
use super::{Files, SourceError};
use crate::config::{Part, SourceConfig};
use jiff::Timestamp;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::Offset;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Bytes that are read and digested at a time: enough for all cores to have a part.
const READ_BYTES: usize = 4 << 20;

/// The files of a source as they were delivered.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    /// The instant that they describe: as stated, else the oldest time at which one of them was modified.
    pub(crate) as_of: Timestamp,
    /// Whether that was stated: by the source, or by the name of a file.
    pub(crate) stated: bool,
    /// BLAKE3 of their bytes, file after file, hexadecimal.
    pub(crate) digest: String,
    /// Those that were looked at, to be read.
    pub(crate) files: Files,
    /// What they looked like when they were digested.
    facts: Vec<(PathBuf, u64, SystemTime)>,
}

impl Delivery {
    /// Looks at the files of a source and digests them.
    ///
    /// # Errors
    /// [`SourceError`] when there are none, one can't be read, or its name does not say when it is of.
    pub(crate) fn from_source(source: &SourceConfig) -> Result<Self, SourceError> {
        let found = input::find(source)?;
        let as_of = stated(source, &found)?;
        let paths: Vec<PathBuf> = paths(&found).map(Path::to_owned).collect();
        let facts = facts(&paths, source)?;
        Ok(Self {
            as_of: as_of.unwrap_or_else(|| super::modified(found.oldest)),
            stated: as_of.is_some(),
            digest: digest(&paths, source)?,
            files: Files(found),
            facts,
        })
    }

    /// Makes sure that the files are those that were digested.
    ///
    /// # Errors
    /// [`SourceError::Changed`] when one was replaced, written to or added meanwhile.
    pub(crate) fn check_unchanged(&self, source: &SourceConfig) -> Result<(), SourceError> {
        let found = input::find(source)?;
        let digested = |path: &&Path| self.facts.iter().any(|(known, ..)| known == path);
        if let Some(added) = paths(&found).find(|path| !digested(path)) {
            return Err(SourceError::Changed {
                file: name_of(added, source),
            });
        }
        for (path, length, modified) in &self.facts {
            let now = facts(std::slice::from_ref(path), source)?;
            let same = |(_, now_length, now_modified): &(PathBuf, u64, SystemTime)| {
                now_length == length && now_modified == modified
            };
            if !now.iter().all(same) {
                return Err(SourceError::Changed {
                    file: name_of(path, source),
                });
            }
        }
        Ok(())
    }
}

/// The instant that a source's files describe, where it is stated.
pub(super) fn stated(
    source: &SourceConfig,
    found: &Inputs,
) -> Result<Option<Timestamp>, SourceError> {
    if source.as_of.is_some() {
        return Ok(source.as_of);
    }
    let Some(pattern) = &source.as_of_name else {
        return Ok(None);
    };
    let named = paths(found).map(|path| named(pattern, path, source));
    let named: Vec<Timestamp> = named.collect::<Result<_, _>>()?;
    Ok(named.into_iter().min())
}

/// A source of changes as one for each time that the names of its files state, in order of time.
///
/// # Errors
/// [`SourceError`] as for [`Delivery::from_source`].
pub(crate) fn by_time(source: &SourceConfig) -> Result<Vec<SourceConfig>, SourceError> {
    let Some(pattern) = source
        .as_of_name
        .as_ref()
        .filter(|_| source.as_of.is_none())
    else {
        return Ok(vec![source.clone()]);
    };
    let found = input::find(source)?;
    let mut times: BTreeMap<Timestamp, BTreeSet<PathBuf>> = BTreeMap::new();
    for path in paths(&found) {
        let time = named(pattern, path, source)?;
        times.entry(time).or_default().insert(path.to_owned());
    }
    let several = times.len() > 1;
    let parts = times.into_iter().enumerate();
    let parts = parts.map(|(place, (as_of, files))| SourceConfig {
        as_of: Some(as_of),
        part: several.then_some(Part {
            files,
            first: place == 0,
        }),
        ..source.clone()
    });
    Ok(parts.collect())
}

/// Leaves of the inputs of a source those of its part.
pub(super) fn keep_part(source: &SourceConfig, found: &mut Inputs) {
    if let Some(part) = &source.part {
        found.inputs.retain(|input| match &input.origin {
            Origin::File(path) => part.files.contains(path),
            Origin::Bytes(_) => true,
        });
    }
}

/// The files of inputs, each once, in the order in which they are read.
fn paths(found: &Inputs) -> impl Iterator<Item = &Path> {
    let mut before: Option<&Path> = None;
    found.inputs.iter().filter_map(move |input| {
        let Origin::File(path) = &input.origin else {
            return None;
        };
        // The entries of an archive follow each other.
        (before.replace(path) != Some(path.as_path())).then_some(path.as_path())
    })
}

/// The instant that a file's name states.
fn named(pattern: &str, path: &Path, source: &SourceConfig) -> Result<Timestamp, SourceError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    parse_name(pattern, &name).ok_or_else(|| SourceError::Name {
        file: name_of(path, source),
        pattern: pattern.to_owned(),
    })
}

/// Reads the instant at the beginning of a file's name; without a time of day 00:00, without an offset UTC.
fn parse_name(pattern: &str, name: &str) -> Option<Timestamp> {
    let (read, end) = BrokenDownTime::parse_prefix(pattern, name).ok()?;
    // A pattern of a day must not pass over the time that follows it.
    let rest = name.get(end..)?;
    if rest.starts_with(|next: char| next.is_ascii_digit()) {
        return None;
    }
    if let Ok(instant) = read.to_timestamp() {
        return Some(instant);
    }
    Offset::UTC.to_timestamp(read.to_datetime().ok()?).ok()
}

/// Whether a pattern states a day: what it writes of an instant can be read back.
pub(crate) fn states_a_day(pattern: &str) -> bool {
    let Ok(sample) = "2026-11-22T04:05:06Z".parse::<Timestamp>() else {
        return false;
    };
    let written = BrokenDownTime::from(sample).to_string(pattern);
    let Some(read) = written.ok().and_then(|name| parse_name(pattern, &name)) else {
        return false;
    };
    let day = |instant| Offset::UTC.to_datetime(instant).date();
    day(read) == day(sample)
}

fn digest(paths: &[PathBuf], source: &SourceConfig) -> Result<String, SourceError> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; READ_BYTES];
    for path in paths {
        let open = open_error(path, source);
        let mut file = File::open(path).map_err(&open)?;
        let mut bytes = 0_u64;
        loop {
            let mut filled = 0;
            while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
                match file.read(rest) {
                    Ok(0) => break,
                    Ok(read) => filled += read,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(open(error)),
                }
            }
            let Some(read) = buffer.get(..filled).filter(|read| !read.is_empty()) else {
                break;
            };
            hasher.update_rayon(read);
            bytes = bytes.saturating_add(read.len() as u64);
        }
        // Where one file ends and the next begins counts too.
        hasher.update(&bytes.to_le_bytes());
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn facts(
    paths: &[PathBuf],
    source: &SourceConfig,
) -> Result<Vec<(PathBuf, u64, SystemTime)>, SourceError> {
    let facts = paths.iter().map(|path| {
        let open = open_error(path, source);
        let facts = fs::metadata(path).map_err(&open)?;
        let modified = facts.modified().map_err(&open)?;
        Ok((path.clone(), facts.len(), modified))
    });
    facts.collect()
}

fn open_error<'p>(
    path: &'p Path,
    source: &'p SourceConfig,
) -> impl Fn(io::Error) -> SourceError + 'p {
    |error| SourceError::Open {
        file: name_of(path, source),
        error,
    }
}

fn name_of(path: &Path, source: &SourceConfig) -> String {
    let name = path.strip_prefix(&source.folder).unwrap_or(path);
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Layout;

    #[test]
    fn files_that_change_or_come_meanwhile_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        let source = SourceConfig {
            path: "list-*.csv".to_owned(),
            folder: folder.path().to_owned(),
            ..SourceConfig::for_bytes(Layout::SltdCsv)
        };
        write("list-1.csv", "number\n");
        write("other.csv", "");
        let check = |delivery: &Delivery| match delivery.check_unchanged(&source) {
            Ok(()) => None,
            Err(SourceError::Changed { file }) => Some(file),
            Err(error) => panic!("{error}"),
        };
        let delivery = Delivery::from_source(&source).unwrap();
        write("other.csv", "number\n");
        assert_eq!(check(&delivery), None);
        write("list-2.csv", "number\n");
        assert_eq!(check(&delivery).as_deref(), Some("list-2.csv"));
        let delivery = Delivery::from_source(&source).unwrap();
        write("list-1.csv", "number\nX1\n");
        assert_eq!(check(&delivery).as_deref(), Some("list-1.csv"));
    }

    #[test]
    fn what_was_looked_at_is_what_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, number: &str| {
            let row = format!("number,issuing_state,type,status\n{number},FIN,passport,lost\n");
            fs::write(folder.path().join(name), row).unwrap();
        };
        let source = SourceConfig {
            path: "list-*.csv".to_owned(),
            folder: folder.path().to_owned(),
            ..SourceConfig::for_bytes(Layout::SltdCsv)
        };
        write("list-2.csv", "AB990201");
        let files = Files::from_source(&source).unwrap();
        // Comes first by name, and perhaps by time: nothing that was said of the files holds for it.
        write("list-1.csv", "AB990202");
        struct Nowhere;
        impl crate::sources::RowSink for Nowhere {
            fn row(
                &mut self,
                _: &crate::sources::Row<'_>,
            ) -> Result<crate::sources::Fate, crate::sources::SinkError> {
                Ok(crate::sources::Fate::Taken)
            }
        }
        let options = crate::sources::ReadOptions {
            today: sltd::report::Day::MIN,
            threads: 1,
            rejects: None,
            expired: None,
        };
        let watch = crate::sources::Watch::default();
        let read =
            crate::sources::read_files(&source, files, &options, watch, &|_| Nowhere, &|_| {});
        let read = read.unwrap();
        let names: Vec<_> = read.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!((names, read.passed), (vec!["list-2.csv"], 1));
    }

    #[test]
    fn names_state_when_files_are_of() {
        let cases = [
            (
                "list_%Y%m%d",
                "list_20261122.csv.gz",
                Some("2026-11-22T00:00:00Z"),
            ),
            ("list_%Y%m%d", "list_20261122", Some("2026-11-22T00:00:00Z")),
            (
                "list_%Y%m%d",
                "list_20261122_b.csv",
                Some("2026-11-22T00:00:00Z"),
            ),
            (
                "%Y-%m-%dT%H%M",
                "2026-11-22T0405.csv",
                Some("2026-11-22T04:05:00Z"),
            ),
            (
                "d%Y%m%d%H%M%S",
                "d20261122040506.csv",
                Some("2026-11-22T04:05:06Z"),
            ),
            (
                "d%Y%m%dT%H%M%z",
                "d20261122T0405+0200.csv",
                Some("2026-11-22T02:05:00Z"),
            ),
            ("d%s", "d1795320306.csv", Some("2026-11-22T04:05:06Z")),
            // A time that the pattern does not read, another day, another list.
            ("list_%Y%m%d", "list_202611220405.csv", None),
            ("list_%Y%m%d", "list_20261322.csv", None),
            ("list_%Y%m%d", "list.csv", None),
            ("list_%Y%m%d", "other_20261122.csv", None),
        ];
        for (pattern, name, expected) in cases {
            let expected = expected.map(|text| text.parse().unwrap());
            assert_eq!(parse_name(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn patterns_state_a_day() {
        for pattern in ["list_%Y%m%d", "%y%m%d", "%Y%j", "d%s", "%d.%m.%Y", "%F"] {
            assert!(states_a_day(pattern), "{pattern}");
        }
        for pattern in ["list", "%Y%m", "%H%M", "%m%d", "%!", "", "%"] {
            assert!(!states_a_day(pattern), "{pattern}");
        }
    }
}
