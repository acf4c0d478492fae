//! On what terms a store is read and published.

use super::highest::HighestSeen;
use super::signature::{
    KeyError, KeyId, SIGNATURES_MAX, SignatureError, Signatures, SigningKey, TrustedKeyInfo,
    TrustedKeys,
};
use arc_swap::ArcSwap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// On what terms a store is read and published: whose signatures are asked for, who signs, what is remembered, and
/// how long what is published is good for. By default nobody signs, and anything whole is accepted.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// Shared by all copies of these terms.
    trusted: Option<Arc<ArcSwap<TrustedKeys>>>,
    signing: Arc<[SigningKey]>,
    highest: Option<Arc<HighestSeen>>,
    valid_for: Option<Duration>,
    above: Option<u64>,
    unsigned: bool,
    files: Option<TermsFiles>,
}

/// The files that terms were read from, and what was said beside them: what a base is put aside with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermsFiles {
    /// Private keys to sign with.
    pub sign_keys: Vec<PathBuf>,
    /// The list of trusted keys.
    pub trusted_keys: Option<PathBuf>,
    /// For how long what is published may be relied on, in milliseconds.
    pub valid_for_ms: Option<u64>,
}

impl Terms {
    /// Accepts only snapshots that one of these keys has signed, reading and publishing.
    #[must_use]
    pub fn trusting(self, keys: TrustedKeys) -> Self {
        Self {
            trusted: Some(Arc::new(ArcSwap::from_pointee(keys))),
            ..self
        }
    }

    /// Puts other keys in the place of those trusted, in all copies of these terms; false, and nothing done, where none
    /// are.
    pub(crate) fn replace_trusted(&self, keys: TrustedKeys) -> bool {
        match &self.trusted {
            Some(trusted) => trusted.store(Arc::new(keys)),
            None => return false,
        }
        true
    }

    /// Signs with all of these keys what is published.
    ///
    /// # Errors
    /// [`KeyError::TooMany`].
    pub fn signing(self, keys: Vec<SigningKey>) -> Result<Self, KeyError> {
        if keys.len() > SIGNATURES_MAX {
            return Err(KeyError::TooMany(keys.len()));
        }
        Ok(Self {
            signing: keys.into(),
            ..self
        })
    }

    /// Loads no snapshot older than the newest that was loaded, in this process or one before.
    #[must_use]
    pub fn remembering(self, highest: HighestSeen) -> Self {
        Self {
            highest: Some(Arc::new(highest)),
            ..self
        }
    }

    /// Says of what is published that it must not be relied on for longer.
    #[must_use]
    pub fn valid_for(self, valid_for: Option<Duration>) -> Self {
        Self { valid_for, ..self }
    }

    /// Publishes without signatures over what is signed.
    #[must_use]
    pub fn unsigned(self, unsigned: bool) -> Self {
        Self { unsigned, ..self }
    }

    /// Says what the terms were read from, so that a base that is put aside is published on the same.
    #[must_use]
    pub fn read_from(self, files: TermsFiles) -> Self {
        Self {
            files: Some(files),
            ..self
        }
    }

    /// What the terms were read from.
    pub(super) fn files(&self) -> Option<&TermsFiles> {
        self.files.as_ref()
    }

    /// Whether what is published would lack signatures that it should have where what is current is signed.
    pub(super) fn lack_signatures(&self) -> bool {
        self.signing.is_empty() && !self.unsigned
    }

    /// Publishes under generations above this one: what servers have seen of a store that was restored since.
    #[must_use]
    pub fn above(self, above: Option<u64>) -> Self {
        Self { above, ..self }
    }

    /// The same, above a generation at least.
    pub(super) fn at_least_above(self, generation: u64) -> Self {
        Self {
            above: self.above.max(Some(generation)),
            ..self
        }
    }

    /// The generation of what is published over another.
    pub(super) fn generation_after(&self, before: u64) -> u64 {
        before.max(self.above.unwrap_or(0)).saturating_add(1)
    }

    /// Until when what is built at an instant is good, if nothing new is said of what was `promised` before.
    pub(super) fn not_after(
        &self,
        built_at: Timestamp,
        promised: Option<Timestamp>,
    ) -> Option<Timestamp> {
        match self.valid_for {
            Some(valid_for) => Some(built_at.checked_add(valid_for).unwrap_or(Timestamp::MAX)),
            None => promised,
        }
    }

    /// Whether what is signed on these terms would be accepted on them, of a snapshot published at an instant.
    ///
    /// # Errors
    /// [`SignatureError`]: no key to sign with is trusted, or not at this time.
    pub(super) fn check(&self, published_at: Timestamp) -> Result<(), SignatureError> {
        let Some(trusted) = self.trusted() else {
            return Ok(());
        };
        let keys: Vec<KeyId> = self.signing.iter().map(SigningKey::id).collect();
        trusted.among(&keys)?.valid_at(published_at)
    }

    /// Signs the bytes of a manifest's file; `None` without a key.
    ///
    /// # Errors
    /// [`SignatureError`] if the signatures would not be accepted on these terms.
    pub(super) fn sign(
        &self,
        manifest: &[u8],
        published_at: Timestamp,
    ) -> Result<Option<Signatures>, SignatureError> {
        let signatures = Signatures::sign(manifest, &self.signing);
        if let Some(trusted) = self.trusted() {
            let signatures = signatures.as_ref().ok_or(SignatureError::Unsigned)?;
            trusted
                .signers(manifest, signatures)?
                .valid_at(published_at)?;
        }
        Ok(signatures)
    }

    /// The keys that are trusted; none: what is not signed is accepted, too.
    pub fn trusted_keys(&self) -> Vec<TrustedKeyInfo> {
        let keys = self.trusted();
        keys.iter().flat_map(|keys| keys.infos()).collect()
    }

    pub(super) fn signing_keys(&self) -> &[SigningKey] {
        &self.signing
    }

    pub(super) fn trusted(&self) -> Option<Arc<TrustedKeys>> {
        self.trusted.as_deref().map(ArcSwap::load_full)
    }

    pub(super) fn highest(&self) -> Option<&HighestSeen> {
        self.highest.as_deref()
    }
}
