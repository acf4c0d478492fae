//! A base that was built to be published later: put aside, and taken up again.

use super::error::{LoadError, PublishError};
use super::manifest::Event;
use super::store::{CANDIDATE, MANIFEST_MAX};
use super::terms::TermsFiles;
use super::turn;
use super::writer::{Candidate, Origin, StoreWriter};
use crate::files;
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const SEGMENT: &str = "segment";
/// Written last: without it there is no candidate.
const ORIGIN: &str = "origin.json";
/// On what terms it was built.
const TERMS: &str = "terms.json";

/// What is known of a candidate that was put aside.
#[derive(Debug, Serialize, Deserialize)]
struct Aside {
    /// BLAKE3 of the JSON of `content`, without blanks, hexadecimal.
    digest: String,
    content: Content,
}

#[derive(Debug, Serialize, Deserialize)]
struct Content {
    /// Digest of the segment.
    segment: String,
    origin: Origin,
    /// What was accepted when it was built.
    accepted: Vec<String>,
}

impl Content {
    fn digest(&self) -> serde_json::Result<String> {
        Ok(blake3::hash(&serde_json::to_vec(self)?)
            .to_hex()
            .to_string())
    }

    /// What is in a file of this name.
    fn parse(path: &Path, text: &[u8]) -> Result<Self, LoadError> {
        let damaged = |error: serde_json::Error| LoadError::damaged(path, error.to_string());
        let aside: Aside = serde_json::from_slice(text).map_err(damaged)?;
        match aside.content.digest().map_err(damaged)? == aside.digest {
            true => Ok(aside.content),
            false => Err(LoadError::damaged(path, "it does not match its digest")),
        }
    }
}

impl StoreWriter {
    /// Puts a candidate aside, in place of one that was put aside before, with what was accepted of it: arguments of
    /// `--accept`.
    ///
    /// # Errors
    /// [`PublishError::Io`].
    pub fn put_aside(
        &self,
        candidate: &Candidate,
        accepted: &[String],
    ) -> Result<(), PublishError> {
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
        let content = Content {
            segment: candidate.segment.digest().to_hex().to_string(),
            origin: candidate.origin.clone(),
            accepted: accepted.to_vec(),
        };
        let text = content
            .digest()
            .and_then(|digest| serde_json::to_vec_pretty(&Aside { digest, content }))
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
        let Some(content) = self.content_aside()? else {
            return Ok(None);
        };
        let path = self.aside().join(SEGMENT);
        let candidate = self.candidate(&path, content.origin)?;
        if candidate.segment.digest().to_hex().as_str() != content.segment {
            let what = "it is not the segment that was put aside";
            return Err(LoadError::damaged(&path, what).into());
        }
        Ok(Some(candidate))
    }

    /// What was accepted of the candidate that was put aside when it was built; nothing if there is none.
    ///
    /// # Errors
    /// [`PublishError`] when it can't be read.
    pub fn accepted_aside(&self) -> Result<Vec<String>, PublishError> {
        let content = self.content_aside()?;
        Ok(content.map_or_else(Vec::new, |content| content.accepted))
    }

    fn content_aside(&self) -> Result<Option<Content>, PublishError> {
        let path = self.aside().join(ORIGIN);
        let text = match files::read(&path, MANIFEST_MAX) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.map_err(PublishError::io(&path))?,
        };
        Ok(Some(Content::parse(&path, &text)?))
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
        if let Ok(content) = Content::parse(&origin, &text)
            && self.was_published(&content.origin)?
        {
            self.drop_aside()?;
        }
        Ok(())
    }

    /// Whether all lists that were built from this have been published, by one build or by several: where a source was
    /// held, its list was not.
    fn was_published(&self, origin: &Origin) -> Result<bool, PublishError> {
        let store = self.store();
        let Some(pointer) = turn::pointer(store)? else {
            return Ok(false);
        };
        let chain = store.chain(&pointer)?;
        let mut builds = chain.iter().filter(|one| one.event == Event::Build);
        Ok(builds.any(|build| {
            build.built_at == origin.built_at
                && origin.sources.iter().all(|list| {
                    let mut sources = build.sources.iter();
                    let published = sources.find(|source| source.name == list.name);
                    published.is_some_and(|published| match list.removed {
                        true => published.removed,
                        false => {
                            published.list.is_some()
                                && published.digest == list.digest
                                && published.as_of == list.as_of
                        }
                    })
                })
        }))
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
