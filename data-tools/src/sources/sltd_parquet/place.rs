//! Where the bytes of a Parquet file are.

use std::io::{self, Read as _, Seek as _, SeekFrom};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use super::super::input::{Input, Origin, ReadSeek, open_raw};
use super::super::kind::{KIND_BYTES, other_kind};
use crate::config::Layout;

/// What a Parquet file begins with.
const MAGIC: &[u8] = b"PAR1";

/// Where the bytes of a file are. Every read opens it anew: handles that share a position would get
/// in each other's way.
pub(super) struct Place {
    origin: Origin,
    bytes: u64,
}

impl Place {
    pub(super) fn new(input: &Input) -> Self {
        Self {
            origin: input.origin.clone(),
            bytes: input.bytes,
        }
    }

    /// What the file is, where it is certainly none of this layout.
    pub(super) fn other_kind(&self) -> io::Result<Option<&'static str>> {
        let mut first = Vec::new();
        open_raw(&self.origin)?
            .take(KIND_BYTES as u64)
            .read_to_end(&mut first)?;
        Ok(match first.starts_with(MAGIC) {
            true => None,
            false => Some(other_kind(Layout::SltdParquet, &first).unwrap_or("no Parquet file")),
        })
    }
}

impl Length for Place {
    fn len(&self) -> u64 {
        self.bytes
    }
}

impl ChunkReader for Place {
    type T = Box<dyn ReadSeek>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let mut raw = open_raw(&self.origin)?;
        raw.seek(SeekFrom::Start(start))?;
        Ok(raw)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        // A length from a damaged file is not believed before the bytes are there.
        let mut bytes = Vec::new();
        self.get_read(start)?
            .take(u64::try_from(length).unwrap_or(u64::MAX))
            .read_to_end(&mut bytes)?;
        if bytes.len() < length {
            return Err(ParquetError::EOF(format!(
                "expected {length} bytes, found {}",
                bytes.len()
            )));
        }
        Ok(bytes.into())
    }
}
