//! What can be wrong with a signature, and with a key.

use super::key::KeyId;
use super::signatures::SIGNATURES_MAX;
use jiff::Timestamp;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a manifest is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Nobody has signed it.
    #[error("not signed, but trusted keys are configured")]
    Unsigned,
    /// The file of its signatures is not what was written.
    #[error("line {line}: expected a key id and a signature, hexadecimal")]
    Malformed {
        /// The line, counted from 1.
        line: usize,
    },
    /// Its signatures are by keys that are not trusted.
    #[error("signed only with keys that are not trusted: {}", listed(keys))]
    UnknownKey {
        /// The ids that the signatures give.
        keys: Vec<KeyId>,
    },
    /// A signature by a trusted key is not of these bytes.
    #[error("the signature of key {key} does not fit: it or the manifest was changed")]
    Wrong {
        /// The key that is said to have signed.
        key: KeyId,
    },
    /// The keys that have signed it are not trusted for the time at which it was published.
    #[error(
        "published at {published_at} and signed with key {key}, which is trusted for what was published {}",
        window(*not_before, *not_after)
    )]
    OutsideValidity {
        /// The key, one of them.
        key: KeyId,
        /// When the manifest was published.
        published_at: Timestamp,
        /// What the key is trusted from.
        not_before: Option<Timestamp>,
        /// What the key is trusted until.
        not_after: Option<Timestamp>,
    },
}

fn listed(keys: &[KeyId]) -> String {
    let keys: Vec<String> = keys.iter().map(KeyId::to_string).collect();
    keys.join(", ")
}

/// From when until when.
fn window(not_before: Option<Timestamp>, not_after: Option<Timestamp>) -> impl fmt::Display {
    fmt::from_fn(move |f| match (not_before, not_after) {
        (Some(from), Some(until)) => write!(f, "from {from} to {until}"),
        (Some(from), None) => write!(f, "from {from} on"),
        (None, Some(until)) => write!(f, "until {until}"),
        (None, None) => f.write_str("at any time"),
    })
}

/// Why a key can't be used. No message holds anything of a private key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// It is a folder, a pipe or a device.
    #[error("{0} is not a regular file")]
    NotAFile(PathBuf),
    /// Others than its owner may read or change a private key, directly or behind a link.
    #[error(
        "{path} may be used by others than its owner (mode {mode:03o}): a private key that others could read is no \
         secret; make a new one, or `chmod 600` it if nobody can have read it"
    )]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Another user than the one who runs this program, or root, owns a private key, and so can read it.
    #[error("{path} belongs to user {owner}, who can read it: expected a private key of one's own")]
    OfAnother {
        /// The file.
        path: PathBuf,
        /// The id of its owner.
        owner: u32,
    },
    /// It holds something else than a private key.
    #[error(
        "{0}: expected an Ed25519 private key in PKCS#8 PEM, not encrypted, as `sltd-data keygen` and `openssl \
         genpkey -algorithm ed25519` write it"
    )]
    NotAPrivateKey(PathBuf),
    /// It holds something else than a public key.
    #[error(
        "{0}: expected an Ed25519 public key in PEM, as `sltd-data keygen` and `openssl pkey -pubout` write it"
    )]
    NotAPublicKey(PathBuf),
    /// A key is never written over another file.
    #[error("{0} exists already: a key is never written over anything")]
    Exists(PathBuf),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
    /// A list of trusted keys is not of the form that it should have.
    #[error("{path}: expected one [[trusted_key]] or more, each with `file`: {source}")]
    Form {
        /// The list.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: toml::de::Error,
    },
    /// A list of trusted keys is empty: it would trust nobody, or, taken for none, everybody.
    #[error("expected at least one [[trusted_key]], found none")]
    NoTrustedKey,
    /// A trusted key is never valid.
    #[error("{0}: not_after must be later than not_before")]
    NeverValid(PathBuf),
    /// More signatures than a manifest may have.
    #[error("expected at most {SIGNATURES_MAX} keys to sign with, found {0}")]
    TooMany(usize),
}
