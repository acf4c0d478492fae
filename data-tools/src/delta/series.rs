//! One command, several deltas: files whose names state different times are a delta for each time.

use super::{Changed, Changes, DeltaFailure, check_sources, delta};
use crate::build::Progress;
use crate::config::{Purpose, SourceConfig, SourcesFile};
use crate::publish::Outcome;
use crate::sources::{self, ExpiredFile};
use jiff::Timestamp;
use sltd::snapshot::{PublishError, Store};

/// What became of the deltas of one command.
#[derive(Debug)]
pub struct Series {
    /// Those that were offered, in order of time.
    pub offered: Vec<Changed>,
    /// How many follow that were not read, since one before was refused or failed.
    pub left: usize,
    /// Why one could not be published.
    pub failure: Option<DeltaFailure>,
}

/// Reads all sources as changes and publishes them: those of different times one after the other, in order of time.
/// The first that is refused or fails is the last.
pub fn deltas(changes: &Changes<'_>, progress: &dyn Progress) -> Series {
    let mut series = Series {
        offered: Vec::new(),
        left: 0,
        failure: None,
    };
    if let Err(failure) = run(changes, progress, &mut series) {
        series.failure = Some(failure);
    }
    series
}

fn run(
    changes: &Changes<'_>,
    progress: &dyn Progress,
    series: &mut Series,
) -> Result<(), DeltaFailure> {
    let store = Store::open(changes.store)?.with_terms(changes.terms.clone());
    // Of all, before the first of several is published.
    let current = store.pointer().and_then(|pointer| store.manifest(&pointer));
    check_sources(changes, &current.map_err(PublishError::from)?)?;
    let parts = by_time(changes.sources)?;
    let expired_failed = |error| DeltaFailure::Expired {
        path: changes
            .expired
            .unwrap_or(std::path::Path::new(""))
            .to_owned(),
        error,
    };
    let expired = changes.expired.map(ExpiredFile::new).transpose();
    let expired = expired.map_err(expired_failed)?;
    let mut result = Ok(());
    let mut left = parts.len();
    for sources in &parts {
        left -= 1;
        let part = Changes {
            sources,
            ..*changes
        };
        match delta(&part, expired.as_ref(), progress) {
            Ok(changed) => {
                let refused = matches!(changed.offered.outcome, Outcome::Refused(_));
                series.offered.push(changed);
                if refused {
                    break;
                }
            }
            Err(failure) => {
                result = Err(failure);
                break;
            }
        }
    }
    series.left = left;
    if let Some(expired) = expired
        && !series.offered.is_empty()
    {
        expired.finish().map_err(expired_failed)?;
    }
    result
}

/// The sources as they are for each delta: one, unless the files of a source state several times.
fn by_time(sources: &SourcesFile) -> Result<Vec<SourcesFile>, DeltaFailure> {
    let mut parts: Vec<(Timestamp, SourceConfig)> = Vec::new();
    for source in &sources.sources {
        let source = &SourceConfig {
            purpose: Purpose::Changes,
            ..source.clone()
        };
        let failed = |error| DeltaFailure::Source {
            name: source.name.clone(),
            source: error,
        };
        for part in sources::by_time(source).map_err(failed)? {
            parts.push((sources::as_of(&part).map_err(failed)?, part));
        }
    }
    let with = |parts: Vec<SourceConfig>| SourcesFile {
        sources: parts,
        ..sources.clone()
    };
    if parts.len() == sources.sources.len() {
        let parts = parts.into_iter().map(|(_, part)| part);
        return Ok(vec![with(parts.collect())]);
    }
    parts.sort_by_key(|(as_of, _)| *as_of);
    let mut deltas: Vec<Vec<SourceConfig>> = Vec::new();
    for (_, part) in parts {
        match deltas.last_mut() {
            Some(last) if last.iter().all(|other| other.name != part.name) => last.push(part),
            _ => deltas.push(vec![part]),
        }
    }
    Ok(deltas.into_iter().map(with).collect())
}
