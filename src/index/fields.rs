//! Reading of untrusted bytes.

use super::error::Damage;

/// Little-endian fields read one after another from untrusted bytes.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
    section: &'static str,
}

impl<'a> Fields<'a> {
    /// Reads `bytes` of `section`, which errors name.
    pub(super) fn new(bytes: &'a [u8], section: &'static str) -> Self {
        Self {
            rest: bytes,
            section,
        }
    }

    /// The next `len` bytes.
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], Damage> {
        let (head, rest) = self.rest.split_at_checked(len).ok_or(Damage::Malformed {
            section: self.section,
            what: "it ends too early",
        })?;
        self.rest = rest;
        Ok(head)
    }

    /// The next `N` bytes as an array.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Damage> {
        let (head, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(Damage::Malformed {
                section: self.section,
                what: "it ends too early",
            })?;
        self.rest = rest;
        Ok(*head)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Damage> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn u16(&mut self) -> Result<u16, Damage> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Damage> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32, Damage> {
        self.array().map(i32::from_le_bytes)
    }

    pub(super) fn i64(&mut self) -> Result<i64, Damage> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, Damage> {
        self.array().map(u64::from_le_bytes)
    }

    /// A count that is followed by that many entries of `entry_len` bytes: held against the
    /// bytes present before anything is allocated for it.
    pub(super) fn count(&mut self, entry_len: usize) -> Result<usize, Damage> {
        let count = self.u32()? as usize;
        if count
            .checked_mul(entry_len)
            .is_none_or(|len| len > self.rest.len())
        {
            return Err(self.malformed("it claims more entries than it has bytes for"));
        }
        Ok(count)
    }

    /// All bytes not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Refuses trailing bytes.
    pub(super) fn end(&self) -> Result<(), Damage> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.malformed("bytes follow its end"))
        }
    }

    pub(super) fn malformed(&self, what: &'static str) -> Damage {
        Damage::Malformed {
            section: self.section,
            what,
        }
    }
}
