//! The keys whose word counts, and for when.

use super::error::{KeyError, SignatureError};
use super::key::{self, KeyId};
use super::signatures::{Signature, Signatures, message};
use crate::files;
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::pkcs8::DecodePublicKey as _;
use jiff::Timestamp;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The most bytes that a list of keys may have.
const LIST_MAX: u64 = 1 << 20;

/// One `[[trusted_key]]` of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedKeyFile {
    /// The file of the public key, in PEM.
    pub file: PathBuf,
    /// Snapshots published before are not accepted from it; default: no such limit.
    pub not_before: Option<Timestamp>,
    /// Snapshots published after are not accepted from it; default: no such limit.
    pub not_after: Option<Timestamp>,
}

impl TrustedKeyFile {
    /// The same with its path relative to a folder rather than to the working directory.
    pub fn relative_to(mut self, folder: &Path) -> Self {
        self.file = folder.join(self.file);
        self
    }
}

/// Keys whose signatures are accepted, one at least.
#[derive(Debug, Clone)]
pub struct TrustedKeys(Vec<TrustedKey>);

/// One of them.
#[derive(Debug, Clone)]
pub(super) struct TrustedKey {
    id: KeyId,
    key: VerifyingKey,
    not_before: Option<Timestamp>,
    not_after: Option<Timestamp>,
}

/// What is known of a trusted key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustedKeyInfo {
    /// Its id.
    pub id: KeyId,
    /// Snapshots published before are not accepted from it.
    pub not_before: Option<Timestamp>,
    /// Snapshots published after are not accepted from it.
    pub not_after: Option<Timestamp>,
}

impl TrustedKeys {
    /// What is known of each, in the order of the list.
    pub fn infos(&self) -> impl Iterator<Item = TrustedKeyInfo> {
        self.0.iter().map(|key| TrustedKeyInfo {
            id: key.id,
            not_before: key.not_before,
            not_after: key.not_after,
        })
    }

    /// Reads a TOML file that lists them, each a `[[trusted_key]]` with the keys of [`TrustedKeyFile`]; their paths
    /// are relative to the folder of the list.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct List {
            trusted_key: Vec<TrustedKeyFile>,
        }
        let text = files::read_to_string(path, LIST_MAX).map_err(KeyError::io(path))?;
        let list: List = toml::from_str(&text).map_err(|source| KeyError::Form {
            path: path.to_owned(),
            source,
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let keys = list.trusted_key.into_iter();
        Self::open(keys.map(|key| key.relative_to(folder)))
    }

    /// Reads the keys that were listed.
    ///
    /// # Errors
    /// [`KeyError`] if one can't be used, or there is none.
    pub fn open(keys: impl IntoIterator<Item = TrustedKeyFile>) -> Result<Self, KeyError> {
        let keys: Vec<TrustedKey> = keys
            .into_iter()
            .map(TrustedKey::open)
            .collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(KeyError::NoTrustedKey);
        }
        Ok(Self(keys))
    }

    /// Those that have signed the bytes of a manifest's file.
    ///
    /// # Errors
    /// [`SignatureError`] if there is none.
    pub(in crate::snapshot) fn signers(
        &self,
        manifest: &[u8],
        signatures: &Signatures,
    ) -> Result<Signers<'_>, SignatureError> {
        let message = message(manifest);
        let mut signers = Vec::new();
        let mut wrong = None;
        for signature in signatures.iter() {
            for key in self.called(signature.key) {
                if key.has_signed(&message, signature) {
                    signers.push(key);
                } else {
                    wrong = Some(key.id);
                }
            }
        }
        match (signers.is_empty(), wrong) {
            (false, _) => Ok(Signers(signers)),
            (true, Some(key)) => Err(SignatureError::Wrong { key }),
            (true, None) => Err(SignatureError::UnknownKey {
                keys: signatures.keys().collect(),
            }),
        }
    }

    /// Those that would have signed, were a manifest signed with keys of these names.
    ///
    /// # Errors
    /// [`SignatureError`] if there is none.
    pub(in crate::snapshot) fn among(&self, keys: &[KeyId]) -> Result<Signers<'_>, SignatureError> {
        let signers: Vec<_> = keys.iter().flat_map(|id| self.called(*id)).collect();
        match (signers.is_empty(), keys.is_empty()) {
            (false, _) => Ok(Signers(signers)),
            (true, true) => Err(SignatureError::Unsigned),
            (true, false) => Err(SignatureError::UnknownKey {
                keys: keys.to_vec(),
            }),
        }
    }

    /// A key may be listed more than once, each time for another time.
    fn called(&self, id: KeyId) -> impl Iterator<Item = &TrustedKey> {
        self.0.iter().filter(move |key| key.id == id)
    }
}

/// Trusted keys that have signed a manifest, one at least.
#[derive(Debug)]
pub(in crate::snapshot) struct Signers<'a>(Vec<&'a TrustedKey>);

impl Signers<'_> {
    /// Their ids, each once.
    pub(in crate::snapshot) fn ids(&self) -> Vec<KeyId> {
        let mut ids: Vec<KeyId> = Vec::new();
        for key in &self.0 {
            if !ids.contains(&key.id) {
                ids.push(key.id);
            }
        }
        ids
    }

    /// Whether one of them is trusted for what was published at an instant.
    ///
    /// # Errors
    /// [`SignatureError::OutsideValidity`].
    pub(in crate::snapshot) fn valid_at(
        &self,
        published_at: Timestamp,
    ) -> Result<(), SignatureError> {
        if self.0.iter().any(|key| key.is_valid_at(published_at)) {
            return Ok(());
        }
        match self.0.first() {
            None => Err(SignatureError::Unsigned),
            Some(key) => Err(SignatureError::OutsideValidity {
                key: key.id,
                published_at,
                not_before: key.not_before,
                not_after: key.not_after,
            }),
        }
    }
}

impl TrustedKey {
    fn open(listed: TrustedKeyFile) -> Result<Self, KeyError> {
        let TrustedKeyFile {
            file: path,
            not_before,
            not_after,
        } = listed;
        let file = files::open_without_waiting(&path).map_err(KeyError::io(&path))?;
        let text = key::read(&path, file)?;
        let key = text.and_then(|text| VerifyingKey::from_public_key_pem(&text).ok());
        // With a weak key, one signature would fit many messages.
        let Some(key) = key.filter(|key| !key.is_weak()) else {
            return Err(KeyError::NotAPublicKey(path));
        };
        if let (Some(not_before), Some(not_after)) = (not_before, not_after)
            && not_after <= not_before
        {
            return Err(KeyError::NeverValid(path));
        }
        Ok(Self {
            id: KeyId::of(&key),
            key,
            not_before,
            not_after,
        })
    }

    fn has_signed(&self, message: &[u8], signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.bytes);
        self.key.verify_strict(message, &signature).is_ok()
    }

    fn is_valid_at(&self, published_at: Timestamp) -> bool {
        self.not_before.is_none_or(|from| published_at >= from)
            && self.not_after.is_none_or(|until| published_at <= until)
    }
}
