//! Keys and signatures by themselves. What they do to a store is tested with it (`tests/signing`).

mod files;
mod keys;
mod trust;

use super::key::SigningKey;
use super::signatures::{FILE_MAX, SIGNATURES_MAX, Signatures};
use super::{KeyError, KeyId, SignatureError, TrustedKeyFile, TrustedKeys};
use jiff::Timestamp;
use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The example of RFC 8410, section 10.3, as openssl writes it, too.
const PRIVATE: &str = "\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
";
/// Its public key, from section 10.1.
const PUBLIC: &str = "\
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
";
/// What the example key makes of [`MANIFEST`]; openssl makes the same of it and the prefix.
const LINE: &str = "\
b78f6b3770eaececab0944c1ace27496 f23ba72db9f69fa5b1d98f1241e10103db7209e6921a8e04e47aa84eb76e40c1\
90703263316ed5992a6e34abb6be4ba1a762e2c9aca821b1cef3e59ca624d00b
";
const MANIFEST: &[u8] = b"{\"format\":2}";

/// A folder with keys.
struct Ring(TempDir);

impl Ring {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file with a mode.
    fn write(&self, name: &str, text: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    /// A new key, and its public key in a file.
    fn key(&self, name: &str) -> SigningKey {
        let key = SigningKey::generate().unwrap();
        let public = self.path(&format!("{name}.pub"));
        key.write_new(&self.path(name), &public).unwrap();
        key
    }

    /// Trusts keys for what was published from one second of the epoch to another.
    fn trusting(&self, keys: &[(&str, Option<i64>, Option<i64>)]) -> TrustedKeys {
        let listed = keys.iter().map(|(name, from, until)| TrustedKeyFile {
            file: self.path(&format!("{name}.pub")),
            not_before: from.map(at),
            not_after: until.map(at),
        });
        TrustedKeys::open(listed).unwrap()
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn accepts(
    trusted: &TrustedKeys,
    manifest: &[u8],
    signatures: &Signatures,
    published_at: i64,
) -> Result<(), SignatureError> {
    trusted
        .signers(manifest, signatures)?
        .valid_at(at(published_at))
}
