//! Private keys and what names a key.

use super::error::KeyError;
use crate::files;
use ed25519_dalek::Signer as _;
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _};
use ed25519_dalek::pkcs8::{KeypairBytes, PublicKeyBytes};
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use zeroize::Zeroizing;

/// The longest file that a key is looked for in; that of an Ed25519 key has about a hundred bytes.
const KEY_FILE_MAX: u64 = 4096;
/// Permission bits of group and others.
const OTHERS: u32 = 0o077;

/// What a key is called: the first half of the BLAKE3 of its public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(pub(super) [u8; 16]);

impl KeyId {
    pub(super) fn of(key: &VerifyingKey) -> Self {
        let mut id = [0; 16];
        id.copy_from_slice(&blake3::hash(key.as_bytes()).as_bytes()[..16]);
        Self(id)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// A private key. It is zeroed when dropped, and shown nowhere.
pub struct SigningKey {
    id: KeyId,
    /// Where it stays: moved, a copy of it would be left behind.
    key: Box<ed25519_dalek::SigningKey>,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.id).finish()
    }
}

impl SigningKey {
    fn new(key: ed25519_dalek::SigningKey) -> Self {
        Self {
            id: KeyId::of(&key.verifying_key()),
            key: Box::new(key),
        }
    }

    /// Makes a key of the system's random numbers.
    ///
    /// # Errors
    /// [`KeyError::Random`].
    pub fn generate() -> Result<Self, KeyError> {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(secret.as_mut_slice()).map_err(KeyError::Random)?;
        Ok(Self::new(ed25519_dalek::SigningKey::from_bytes(&secret)))
    }

    /// Reads a key from a PKCS#8 PEM file that nobody but its owner may use, who must be the user that runs this
    /// program or root. What counts is the file itself, whatever links lead to it.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let file = files::open_without_waiting(path).map_err(KeyError::io(path))?;
        // Of what was opened: asked by its name, it could be another file by then.
        let metadata = file.metadata().map_err(KeyError::io(path))?;
        let me = rustix::process::geteuid().as_raw();
        check_secrecy(path, metadata.mode(), metadata.uid(), me)?;
        let text = read(path, file)?.ok_or_else(|| KeyError::NotAPrivateKey(path.to_owned()))?;
        let key = ed25519_dalek::SigningKey::from_pkcs8_pem(&text)
            .map_err(|_| KeyError::NotAPrivateKey(path.to_owned()))?;
        Ok(Self::new(key))
    }

    /// Writes the key into a new file that only its owner may read, and its public key into another.
    ///
    /// # Errors
    /// [`KeyError`], [`Exists`](KeyError::Exists) for each file that is there already. Neither file is there then,
    /// unless it was before.
    pub fn write_new(&self, private: &Path, public: &Path) -> Result<(), KeyError> {
        // Without the public key, as openssl writes it: not every reader knows the form that has it.
        let pair = KeypairBytes {
            secret_key: *self.key.as_bytes(),
            public_key: None,
        };
        let secret = pair
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|_| KeyError::NotAPrivateKey(private.to_owned()))?;
        let open = PublicKeyBytes::from(&self.key.verifying_key())
            .to_public_key_pem(LineEnding::LF)
            .map_err(|_| KeyError::NotAPublicKey(public.to_owned()))?;
        let write = |path: &Path, mode: u32, text: &str| {
            let mut file = create(path, mode)?;
            let written = file
                .write_all(text.as_bytes())
                .and_then(|()| file.sync_all())
                .and_then(|()| files::sync_folder(files::folder_of(path)));
            written.map_err(|source| {
                // Half a key is none; what the first error was is said.
                let _ = fs::remove_file(path);
                KeyError::io(path)(source)
            })
        };
        write(public, 0o644, &open)?;
        write(private, 0o600, &secret).inspect_err(|_| {
            let _ = fs::remove_file(public);
        })
    }

    /// What it is called.
    pub fn id(&self) -> KeyId {
        self.id
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

/// Whether a private key is one: used by nobody but its owner, who is the one that runs this program, or root.
fn check_secrecy(path: &Path, mode: u32, owner: u32, me: u32) -> Result<(), KeyError> {
    if mode & OTHERS != 0 {
        return Err(KeyError::OpenToOthers {
            path: path.to_owned(),
            mode: mode & 0o777,
        });
    }
    if owner != me && owner != 0 {
        return Err(KeyError::OfAnother {
            path: path.to_owned(),
            owner,
        });
    }
    Ok(())
}

/// Reads a key's file; `None` if no key's file looks like this. The text is zeroed when dropped.
pub(super) fn read(path: &Path, file: File) -> Result<Option<Zeroizing<String>>, KeyError> {
    let metadata = file.metadata().map_err(KeyError::io(path))?;
    if !metadata.is_file() {
        return Err(KeyError::NotAFile(path.to_owned()));
    }
    // Longer than what is read, so that it never has to move, which would leave a copy behind.
    let mut text = Zeroizing::new(String::with_capacity(2 * KEY_FILE_MAX as usize));
    match file.take(KEY_FILE_MAX + 1).read_to_string(&mut text) {
        Err(error) if error.kind() == ErrorKind::InvalidData => Ok(None),
        Err(error) => Err(KeyError::io(path)(error)),
        Ok(length) => Ok((length as u64 <= KEY_FILE_MAX).then_some(text)),
    }
}

fn create(path: &Path, mode: u32) -> Result<File, KeyError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .map_err(|source| match source.kind() {
            ErrorKind::AlreadyExists => KeyError::Exists(path.to_owned()),
            _ => KeyError::io(path)(source),
        })
}

impl KeyError {
    pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_key_is_its_owners_alone() {
        let check = |mode, owner, me| check_secrecy(Path::new("key"), mode, owner, me).is_ok();
        for mode in [0o100600, 0o100400, 0o600] {
            assert!(check(mode, 7, 7), "{mode:o}");
            assert!(check(mode, 0, 7), "{mode:o}");
            assert!(!check(mode, 8, 7), "{mode:o}");
            assert!(!check(mode, 8, 0), "{mode:o}");
        }
        for bit in 0..6 {
            assert!(!check(0o600 | 1 << bit, 7, 7), "{bit}");
        }
    }
}
