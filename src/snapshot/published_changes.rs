//! All changes published so far: as they came, or, where that file is damaged, as a later snapshot has them.

use super::error::PublishError;
use super::manifest::{DeltaEntry, Manifest, SegmentEntry};
use super::precedence::Lists;
use super::store::Store;
use crate::index::{Edition, Segment};
use jiff::Timestamp;

/// Changes that a snapshot lacks because their file is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostChanges {
    /// The generation that published them.
    pub generation: u64,
    /// Their sources, and the instants that they describe; none of withdrawals that were kept of changes long gone.
    pub sources: Vec<(String, Timestamp)>,
    /// What is wrong with their file.
    pub damage: String,
}

impl std::fmt::Display for LostChanges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (generation, damage) = (self.generation, &self.damage);
        if self.sources.is_empty() {
            return write!(
                f,
                "the withdrawals that generation {generation} kept of changes before it are lost: {damage}"
            );
        }
        let sources = self.sources.iter();
        let sources: Vec<_> = sources
            .map(|(name, as_of)| format!("of {name} as of {as_of}"))
            .collect();
        write!(
            f,
            "the changes {} that generation {generation} brought are lost: {damage}",
            sources.join(", ")
        )
    }
}

/// Opens all changes published so far that the lists of a base do not hold, newest manifest of the chain first; and
/// tells those that are lost.
///
/// # Errors
/// [`PublishError`] when the system does not let a segment be read.
pub(super) fn changes(
    store: &Store,
    chain: &[Manifest],
    base: &Manifest,
) -> Result<(Vec<Segment>, Vec<LostChanges>), PublishError> {
    let lists = &base.lists();
    let since = base.changes_since;
    // What is older is about to be removed, and not all of what it names may be there any more.
    let oldest_base = chain.iter().rposition(Manifest::begins_base);
    let chain = chain.get(..=oldest_base.unwrap_or_default());
    let chain = chain.unwrap_or_default();
    let mut changes = Gathered {
        store,
        chain,
        lists,
        deltas: Vec::new(),
        lost: Vec::new(),
    };
    // What came before the oldest manifest stands in the changes that it had, and in what it kept.
    if let Some(oldest) = chain.last()
        && oldest.generation >= since
    {
        let lists = oldest.lists();
        let said = oldest.sources.iter().filter_map(|source| {
            Some(Said {
                source: source.name.clone(),
                until: source.changed?,
                since: lists.get(&source.name).copied(),
            })
        });
        let said: Vec<_> = said.collect();
        for entry in oldest.segments.iter().skip(1) {
            changes.open(oldest.generation, entry, &said)?;
        }
        for entry in &oldest.kept {
            changes.open(oldest.generation, entry, &[])?;
        }
    }
    // Withdrawals are kept although a list of their source has replaced them.
    let current = chain.first().filter(|current| current.generation >= since);
    let kept_is_whole = match current {
        Some(current) => changes.open_kept(current)?,
        None => true,
    };
    for earlier in chain.iter().rev() {
        let generation = earlier.generation;
        if let Some(delta) = &earlier.delta
            && generation >= since
            && (matters(delta, generation, lists) || !kept_is_whole)
        {
            let said = delta.sources.iter().map(|source| Said {
                source: source.name.clone(),
                until: source.as_of,
                since: Some(Edition {
                    as_of: source.as_of,
                    generation,
                }),
            });
            let said: Vec<_> = said.collect();
            changes.open(generation, &delta.segment, &said)?;
        }
    }
    Ok((changes.deltas, changes.lost))
}

/// What a source says in changes.
struct Said {
    source: String,
    /// The newest instant that they describe.
    until: Timestamp,
    /// What lists that are no older may have replaced.
    since: Option<Edition>,
}

/// Changes that are applied anew.
struct Gathered<'a> {
    store: &'a Store,
    /// The manifests that are looked at, newest first.
    chain: &'a [Manifest],
    /// The lists that the changes are applied to.
    lists: &'a Lists,
    deltas: Vec<Segment>,
    lost: Vec<LostChanges>,
}

impl Gathered<'_> {
    /// Opens changes, or, where they are damaged, what a later snapshot has of them.
    fn open(
        &mut self,
        generation: u64,
        entry: &SegmentEntry,
        said: &[Said],
    ) -> Result<(), PublishError> {
        match self.store.open_kept_segment(generation, entry) {
            Ok(segment) => self.deltas.push(segment),
            Err(error) if error.is_damage() => match self.snapshot_since(generation, said)? {
                Some(segments) => self.deltas.extend(segments),
                None => self.lost.push(LostChanges {
                    generation,
                    sources: said
                        .iter()
                        .map(|said| (said.source.clone(), said.until))
                        .collect(),
                    damage: error.to_string(),
                }),
            },
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Opens what a snapshot keeps beside its changes; whether it is whole. If it is not, all of it is in what the oldest
    /// snapshot keeps and in the deltas since.
    fn open_kept(&mut self, manifest: &Manifest) -> Result<bool, PublishError> {
        for entry in &manifest.kept {
            match self.store.open_kept_segment(manifest.generation, entry) {
                Ok(segment) => self.deltas.push(segment),
                Err(error) if error.is_damage() => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    /// The segments of changes, and of what is kept beside them, of the first snapshot from a generation on that are
    /// whole, and in which all stands that was said: no list that is newer than those which changes are applied to has
    /// replaced any of it.
    fn snapshot_since(
        &self,
        generation: u64,
        said: &[Said],
    ) -> Result<Option<Vec<Segment>>, PublishError> {
        let since = self.chain.iter().rev();
        'snapshots: for manifest in since.filter(|one| one.generation >= generation) {
            let lists = manifest.lists();
            if said.iter().any(|said| {
                let list = lists.get(&said.source);
                list > self.lists.get(&said.source) && list >= said.since.as_ref()
            }) {
                continue;
            }
            let mut segments = Vec::new();
            let entries = manifest.segments.iter().chain(&manifest.kept);
            for (place, entry) in entries.enumerate() {
                match self.store.open_kept_segment(manifest.generation, entry) {
                    // Changes may be folded into the base.
                    Ok(base) if place == 0 && base.holds_lists_only() => {}
                    Ok(segment) => segments.push(segment),
                    Err(error) if error.is_damage() => continue 'snapshots,
                    Err(error) => return Err(error.into()),
                }
            }
            return Ok(Some(segments));
        }
        Ok(None)
    }
}

/// Whether any source of a delta is ahead of its list.
fn matters(delta: &DeltaEntry, generation: u64, lists: &Lists) -> bool {
    delta.sources.iter().any(|source| {
        let edition = Edition {
            as_of: source.as_of,
            generation,
        };
        lists.get(&source.name).is_none_or(|list| edition > *list)
    })
}
