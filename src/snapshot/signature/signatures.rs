//! The signatures of a manifest, as they lie in a file beside it.

use super::error::SignatureError;
use super::key::{KeyId, SigningKey};
use std::fmt;

/// The most signatures that a manifest may have: more than any change of keys needs, few enough to check them all.
pub(in crate::snapshot) const SIGNATURES_MAX: usize = 16;
/// Bytes of a line: key id, blank, signature, end.
const LINE: usize = 32 + 1 + 128 + 1;
/// Bytes of the longest file.
pub(in crate::snapshot) const FILE_MAX: usize = SIGNATURES_MAX * LINE;
/// What a signed message begins with.
const PREFIX: &[u8] = b"sltd snapshot manifest, version 1\0";

/// The signatures of one manifest, one at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signatures(Vec<Signature>);

/// One signature, of which nothing is known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Signature {
    /// The key that is said to have signed.
    pub(super) key: KeyId,
    pub(super) bytes: [u8; 64],
}

impl Signatures {
    /// Signs the bytes of a manifest's file; `None` without a key.
    pub(in crate::snapshot) fn sign(manifest: &[u8], keys: &[SigningKey]) -> Option<Self> {
        if keys.is_empty() {
            return None;
        }
        let message = message(manifest);
        let sign = |key: &SigningKey| Signature {
            key: key.id(),
            bytes: key.sign(&message),
        };
        Some(Self(keys.iter().map(sign).collect()))
    }

    /// Reads the content of a file.
    ///
    /// # Errors
    /// [`SignatureError::Malformed`]: there is one way only to write signatures, and 16 of them at the most.
    pub fn parse(text: &[u8]) -> Result<Self, SignatureError> {
        let malformed = |line| SignatureError::Malformed { line };
        let (lines, rest) = text.as_chunks::<LINE>();
        let mut signatures = Vec::new();
        for (line, number) in lines.iter().zip(1..) {
            let signature = parse_line(line).filter(|_| number <= SIGNATURES_MAX);
            signatures.push(signature.ok_or(malformed(number))?);
        }
        if lines.is_empty() || !rest.is_empty() {
            return Err(malformed(lines.len() + 1));
        }
        Ok(Self(signatures))
    }

    /// The keys that are said to have signed.
    pub fn keys(&self) -> impl Iterator<Item = KeyId> {
        self.0.iter().map(|signature| signature.key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Signature> {
        self.0.iter()
    }
}

/// The content of the file.
impl fmt::Display for Signatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for signature in &self.0 {
            write!(f, "{} ", signature.key)?;
            for byte in signature.bytes {
                write!(f, "{byte:02x}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// What is signed.
pub(super) fn message(manifest: &[u8]) -> Vec<u8> {
    [PREFIX, manifest].concat()
}

fn parse_line(line: &[u8; LINE]) -> Option<Signature> {
    let (key, rest) = line.split_first_chunk::<32>()?;
    let (signature, end) = rest.strip_prefix(b" ")?.split_first_chunk::<128>()?;
    (end == b"\n").then_some(())?;
    Some(Signature {
        key: KeyId(bytes(key)?),
        bytes: bytes(signature)?,
    })
}

/// Reads hexadecimal digits in lower case, two for each byte.
fn bytes<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let (pairs, _) = digits.as_chunks::<2>();
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}
