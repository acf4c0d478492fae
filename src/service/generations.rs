//! Which publications may follow those that this process has served.

use crate::snapshot::Manifest;
use std::collections::HashMap;

/// A generation that may not be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "generation {generation} is not above generation {highest}, the highest that this server has served of \
     the store {store}; if the store was restored from a backup, publish above that, with `--above {highest}` \
     (`sltd-data build`, `delta` or `repair`)"
)]
pub(super) struct NotAbove {
    /// The store's id.
    pub(super) store: String,
    /// What was published.
    pub(super) generation: u64,
    /// What has been served.
    pub(super) highest: u64,
}

/// The highest generations served, by the stores' random ids.
///
/// Within a store they only rise: one that does not was put back by hand, and would bring back reports
/// that were withdrawn, and lose those made since. (`sltd-data rollback` publishes what stood before
/// under a higher generation.) A folder with another id is another store, whose generations count by
/// themselves: putting one in the place of the other is how an operator moves to a new store, and
/// nothing that a build or publish could do by mistake. Whoever must be safe from a foreign store
/// signs.
#[derive(Debug, Default)]
pub(super) struct Generations(HashMap<String, u64>);

impl Generations {
    /// Whether a manifest's snapshot may be served after all that have been.
    pub(super) fn admit(&self, manifest: &Manifest) -> Result<(), NotAbove> {
        match self.0.get(&manifest.store) {
            Some(&highest) if manifest.generation <= highest => Err(NotAbove {
                store: manifest.store.clone(),
                generation: manifest.generation,
                highest,
            }),
            _ => Ok(()),
        }
    }

    /// Remembers that a manifest's snapshot is served.
    pub(super) fn served(&mut self, manifest: &Manifest) {
        let highest = self.0.entry(manifest.store.clone()).or_default();
        *highest = manifest.generation.max(*highest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Snapshot;

    #[test]
    fn generations_only_rise_within_a_store() {
        let manifest = |store: &str, generation| {
            let mut manifest = Snapshot::without_segments().manifest().clone();
            (manifest.store, manifest.generation) = (store.to_owned(), generation);
            manifest
        };
        let mut generations = Generations::default();
        // What is served in turn, and whether it may be.
        for (store, generation, admitted) in [
            ("a", 3, true),
            ("a", 3, false),
            ("a", 2, false),
            ("a", 4, true),
            ("b", 1, true),
            ("a", 4, false),
            ("b", 1, false),
            ("a", 9, true),
        ] {
            let manifest = manifest(store, generation);
            let found = generations.admit(&manifest);
            assert_eq!(found.is_ok(), admitted, "{store} {generation}: {found:?}");
            if admitted {
                generations.served(&manifest);
            }
        }
    }
}
