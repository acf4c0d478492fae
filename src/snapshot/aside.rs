//! A base that was built to be published later: put aside, and taken up again.

use super::error::{LoadError, PublishError};
use super::manifest::Event;
use super::store::{CANDIDATE, MANIFEST_MAX};
use super::terms::TermsFiles;
use super::turn;
use super::writer::{Candidate, Origin, StoreWriter};
use crate::files;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const SEGMENT: &str = "segment";
/// Written last: without it there is no candidate.
const ORIGIN: &str = "origin.json";
/// On what terms it was built.
const TERMS: &str = "terms.json";

impl StoreWriter {
    /// Puts a candidate aside, in place of one that was put aside before.
    ///
    /// # Errors
    /// [`PublishError::Io`].
    pub fn put_aside(&self, candidate: &Candidate) -> Result<(), PublishError> {
        let folder = self.aside();
        if candidate.path.starts_with(&folder) {
            return Ok(());
        }
        self.drop_aside()?;
        let origin = folder.join(ORIGIN);
        files::create_folder(&folder).map_err(PublishError::io(&folder))?;
        let segment = folder.join(SEGMENT);
        files::rename(&candidate.path, &segment).map_err(PublishError::io(&segment))?;
        if let Some(terms) = self.store().terms.files() {
            let path = folder.join(TERMS);
            let text = serde_json::to_vec_pretty(terms)
                .map_err(std::io::Error::from)
                .map_err(PublishError::io(&path))?;
            files::write_whole(&path, &text).map_err(PublishError::io(&path))?;
        }
        let text = serde_json::to_vec_pretty(&candidate.origin)
            .map_err(std::io::Error::from)
            .map_err(PublishError::io(&origin))?;
        files::write_whole(&origin, &text).map_err(PublishError::io(&origin))?;
        let store = self.store().path();
        files::sync_folder(store).map_err(PublishError::io(store))
    }

    /// The candidate that was put aside, read back; `None` if there is none.
    ///
    /// # Errors
    /// [`PublishError`] when it can't be read.
    pub fn take_up(&self) -> Result<Option<Candidate>, PublishError> {
        let path = self.aside().join(ORIGIN);
        let text = match files::read(&path, MANIFEST_MAX) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.map_err(PublishError::io(&path))?,
        };
        let origin = serde_json::from_slice(&text)
            .map_err(|error| LoadError::damaged(&path, error.to_string()))?;
        self.candidate(&self.aside().join(SEGMENT), origin)
            .map(Some)
    }

    /// From what the terms were read on which the candidate was built that was put aside; `None` where that is not known.
    ///
    /// # Errors
    /// [`PublishError`] when it can't be read.
    pub fn terms_aside(&self) -> Result<Option<TermsFiles>, PublishError> {
        let path = self.aside().join(TERMS);
        let text = match files::read(&path, MANIFEST_MAX) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.map_err(PublishError::io(&path))?,
        };
        let parsed = serde_json::from_slice(&text);
        Ok(parsed.map_err(|error| LoadError::damaged(&path, error.to_string()))?)
    }

    /// Removes a candidate that was published, or was not put aside or dropped to the end.
    ///
    /// # Errors
    /// [`PublishError`] when the store can't be read or changed.
    pub(super) fn tidy_aside(&self) -> Result<(), PublishError> {
        let folder = self.aside();
        let there = |path: &Path| files::exists(path).map_err(PublishError::io(path));
        if !there(&folder)? {
            return Ok(());
        }
        let (origin, segment) = (folder.join(ORIGIN), folder.join(SEGMENT));
        if !there(&origin)? || !there(&segment)? {
            return self.drop_aside();
        }
        // A loss of power may leave both of its names.
        let temporary = files::temporary(&origin);
        files::remove_file(&temporary).map_err(PublishError::io(&temporary))?;
        let text = files::read(&origin, MANIFEST_MAX).map_err(PublishError::io(&origin))?;
        // One that is damaged is kept for who takes it up to be told.
        if let Ok(origin) = serde_json::from_slice(&text)
            && self.was_published(&origin)?
        {
            self.drop_aside()?;
        }
        Ok(())
    }

    /// Whether a base was published of what was built from this; perhaps with some sources held.
    fn was_published(&self, origin: &Origin) -> Result<bool, PublishError> {
        let store = self.store();
        let Some(pointer) = turn::pointer(store)? else {
            return Ok(false);
        };
        let chain = store.chain(&pointer)?;
        let mut builds = chain.iter().filter(|one| one.event == Event::Build);
        Ok(builds.any(|build| build.built_at == origin.built_at))
    }

    /// Removes the candidate that was put aside, if there is one.
    ///
    /// # Errors
    /// [`PublishError::Io`].
    pub fn drop_aside(&self) -> Result<(), PublishError> {
        let folder = self.aside();
        let removed = files::remove_folder(&folder).map_err(PublishError::io(&folder));
        removed.map(|_| ())
    }

    fn aside(&self) -> PathBuf {
        self.store().path().join(CANDIDATE)
    }
}
