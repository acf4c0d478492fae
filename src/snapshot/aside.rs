//! A base that was built to be published later: put aside, and taken up again.

use super::error::{LoadError, PublishError};
use super::files;
use super::manifest::SegmentEntry;
use super::store::CANDIDATE;
use super::writer::{Candidate, StoreWriter};
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

const SEGMENT: &str = "segment";
/// Written last: without it there is no candidate.
const ORIGIN: &str = "origin.json";

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
        files::make_folder(&folder).map_err(PublishError::io(&folder))?;
        let segment = folder.join(SEGMENT);
        files::rename(&candidate.path, &segment).map_err(PublishError::io(&segment))?;
        let text = serde_json::to_vec_pretty(&candidate.origin)
            .map_err(std::io::Error::from)
            .map_err(PublishError::io(&origin))?;
        files::write_whole(&origin, &text).map_err(PublishError::io(&origin))
    }

    /// The candidate that was put aside, read back; `None` if there is none.
    ///
    /// # Errors
    /// [`PublishError`] when it can't be read.
    pub fn take_up(&self) -> Result<Option<Candidate>, PublishError> {
        let path = self.aside().join(ORIGIN);
        let text = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.map_err(PublishError::io(&path))?,
        };
        let segment = self.aside().join(SEGMENT);
        let origin = serde_json::from_slice(&text)
            .map_err(|error| LoadError::damaged(&path, error.to_string()))?;
        let there = segment.try_exists().map_err(PublishError::io(&segment))?;
        let candidate = if there {
            let candidate = self.candidate(&segment, origin)?;
            (!self.is_current(&candidate)?).then_some(candidate)
        } else {
            None
        };
        if candidate.is_none() {
            // It was published, and the process killed before it could remove it.
            self.drop_aside()?;
        }
        Ok(candidate)
    }

    /// Whether a candidate is the current base.
    fn is_current(&self, candidate: &Candidate) -> Result<bool, PublishError> {
        let Some(current) = self.current()? else {
            return Ok(false);
        };
        let entry = SegmentEntry::of(&candidate.segment);
        let same = current.manifest.segments.first() == Some(&entry);
        Ok(same && current.manifest.built_at == candidate.origin.built_at)
    }

    /// Removes the candidate that was put aside, if there is one.
    ///
    /// # Errors
    /// [`PublishError::Io`].
    pub fn drop_aside(&self) -> Result<(), PublishError> {
        let folder = self.aside();
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(PublishError::io(&folder)(error))
            }
            _ => Ok(()),
        }
    }

    fn aside(&self) -> PathBuf {
        self.store().path().join(CANDIDATE)
    }
}
