//! Keeping a source at the list that it has, and taking its lists again.
//!
//! Only the manifest changes. Builds then take over what the source's list in force says; its deltas count as before.

use super::draft::Draft;
use super::error::PublishError;
use super::intervention::{Hold, Holder};
use super::manifest::{Act, Event, Manifest};
use super::store::Store;
use super::turn::Turn;
use std::sync::Arc;

impl Store {
    /// Puts together what is current with a source kept at the list that it has: no build replaces it.
    ///
    /// # Errors
    /// [`PublishError::Source`] when there is no such source, it has no list, or it is kept already.
    pub fn hold(&self, source: &str, act: Act<'_>) -> Result<Draft, PublishError> {
        self.with_holds(source, Event::Hold, act, |manifest| {
            let mut sources = manifest.sources.iter();
            match sources.find(|known| known.name == source && !known.removed) {
                None => return Err("the snapshot has no such source"),
                Some(known) if known.list.is_none() => {
                    return Err("it has no list that it could be kept at, only changes");
                }
                Some(_) => {}
            }
            if manifest.operators_hold(source).is_some() {
                return Err("it is kept at its list already");
            }
            manifest.held.retain(|one| one.source != source);
            manifest.held.push(Hold {
                source: source.to_owned(),
                holder: Holder::Operator,
                since: manifest.generation,
                at: act.at,
                by: act.by.to_owned(),
                reason: act.reason.to_owned(),
            });
            Ok(())
        })
    }

    /// Puts together what is current with a source whose lists are taken again.
    ///
    /// # Errors
    /// [`PublishError::Source`] when no operator keeps it at its list.
    pub fn unhold(&self, source: &str, act: Act<'_>) -> Result<Draft, PublishError> {
        self.with_holds(source, Event::Unhold, act, |manifest| {
            if manifest.operators_hold(source).is_none() {
                return Err("no operator keeps it at its list");
            }
            manifest.held.retain(|one| one.source != source);
            Ok(())
        })
    }

    fn with_holds(
        &self,
        source: &str,
        event: Event,
        act: Act<'_>,
        change: impl FnOnce(&mut Manifest) -> Result<(), &'static str>,
    ) -> Result<Draft, PublishError> {
        let turn = Arc::new(Turn::take(self)?);
        let (pointer, current) = turn.current()?;
        let mut manifest = current.next(&pointer, event, act, &self.terms);
        change(&mut manifest).map_err(|what| PublishError::Source {
            name: source.to_owned(),
            what,
        })?;
        Draft::new(turn, manifest, Vec::new())
    }
}
