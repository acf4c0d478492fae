//! Taking a source out of service at once, and into it again.
//!
//! Nothing is written anew: the manifest names the sources out of service, and readers leave out what these say, reports
//! and withdrawals. What they have sent meanwhile is there when they come back.

use super::draft::Draft;
use super::error::PublishError;
use super::intervention::Retraction;
use super::manifest::{Act, Event, Manifest};
use super::store::Store;
use super::turn::Turn;
use crate::index::LoadMode;
use std::sync::Arc;

impl Store {
    /// Puts together what is current without what a source says.
    ///
    /// # Errors
    /// [`PublishError::Source`] when there is no such source, or it is out of service already.
    pub fn retract(&self, source: &str, act: Act<'_>) -> Result<Draft, PublishError> {
        self.with_service(Event::Retract, act, |manifest| {
            if manifest.sources.iter().all(|known| known.name != source) {
                return Err("the snapshot has no such source");
            }
            if manifest.is_retracted(source) {
                return Err("it is out of service already");
            }
            manifest.retracted.push(Retraction {
                source: source.to_owned(),
                since: manifest.generation,
                at: act.at,
                by: act.by.to_owned(),
                reason: act.reason.to_owned(),
            });
            Ok(())
        })
        .map_err(|error| error.of(source))
    }

    /// Puts together what is current with what a source says that was out of service.
    ///
    /// # Errors
    /// [`PublishError::Source`] when it is not out of service.
    pub fn lift(&self, source: &str, act: Act<'_>) -> Result<Draft, PublishError> {
        self.with_service(Event::Lift, act, |manifest| {
            if !manifest.is_retracted(source) {
                return Err("it is not out of service");
            }
            manifest.retracted.retain(|one| one.source != source);
            Ok(())
        })
        .map_err(|error| error.of(source))
    }

    fn with_service(
        &self,
        event: Event,
        act: Act<'_>,
        change: impl FnOnce(&mut Manifest) -> Result<(), &'static str>,
    ) -> Result<Draft, NotChanged> {
        let turn = Arc::new(Turn::take(self)?);
        let (pointer, current) = turn.current()?;
        let mut manifest = current.next(&pointer, event, act, &self.terms);
        change(&mut manifest).map_err(NotChanged::What)?;
        let mut segments = Vec::new();
        for entry in &manifest.segments {
            let segment = self.open_segment(manifest.generation, entry, LoadMode::Mmap);
            segments.push(Arc::new(segment.map_err(PublishError::from)?));
        }
        let mut draft = Draft::new(Arc::clone(&turn), manifest, segments)?;
        draft.count_hidden()?;
        draft.measure();
        Ok(draft)
    }
}

enum NotChanged {
    What(&'static str),
    Failed(PublishError),
}

impl From<PublishError> for NotChanged {
    fn from(error: PublishError) -> Self {
        Self::Failed(error)
    }
}

impl NotChanged {
    fn of(self, source: &str) -> PublishError {
        match self {
            Self::What(what) => PublishError::Source {
                name: source.to_owned(),
                what,
            },
            Self::Failed(error) => error,
        }
    }
}
