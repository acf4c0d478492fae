//! The normalised document number.

/// A normalised document number: ASCII `A-Z0-9`, 1 to 24 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentNumber {
    bytes: [u8; Self::MAX_LEN],
    len: u8,
}

/// Why a text is no document number. STUB: the owner of `document` defines it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a document number")]
pub struct NumberError;

impl DocumentNumber {
    /// The longest number kept, in bytes.
    pub const MAX_LEN: usize = 24;

    /// Normalises a number as typed, printed or listed.
    pub fn normalise(_raw: &str) -> Result<Self, NumberError> {
        todo!()
    }

    /// Takes bytes that are normalised already; `None` if they are not.
    pub fn from_normalised(bytes: &[u8]) -> Option<Self> {
        let len = bytes.len();
        if len == 0 || len > Self::MAX_LEN || !bytes.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()) {
            return None;
        }
        let mut number = [0; Self::MAX_LEN];
        number.get_mut(..len)?.copy_from_slice(bytes);
        Some(Self { bytes: number, len: len as u8 })
    }

    /// The number's bytes, `A-Z0-9`.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// The number as text.
    pub fn as_str(&self) -> &str {
        todo!()
    }
}

// Debug must not print the number: it ends up in logs.
impl std::fmt::Debug for DocumentNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DocumentNumber({} characters)", self.len)
    }
}
