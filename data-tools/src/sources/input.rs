//! The files of a source: which there are, how they are packed, and their bytes as a stream.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

mod archive;
mod find;
mod text;
mod walk;

use archive::Archive;
pub(super) use find::find;
use find::{is_hidden, is_picked, is_readme, is_schema};
use text::as_utf8;

use super::SourceError;
use crate::config::{Compression, Encoding, SourceConfig};

/// Bytes a decoder takes from the file at a time.
const READ_BYTES: usize = 128 * 1024;
/// By how much clocks of machines may differ.
const CLOCKS_DIFFER: Duration = Duration::from_secs(5 * 60);

/// One stream of rows: a file, or an entry of a ZIP archive.
#[derive(Debug, Clone)]
pub(super) struct Input {
    /// Its name in accounts, rejects and errors.
    pub(super) name: String,
    /// Bytes of the file or packed entry.
    pub(super) bytes: u64,
    pub(super) origin: Origin,
    pub(super) packing: Packing,
    /// How much of the name is that of the archive, and the archive.
    entry_of: Option<(usize, Arc<Archive>)>,
}

impl Input {
    /// A file that is read as it is.
    #[cfg(test)]
    pub(super) fn plain(name: &str, origin: Origin) -> Self {
        Self {
            name: name.to_owned(),
            bytes: 0,
            origin,
            packing: Packing::Plain,
            entry_of: None,
        }
    }

    /// The archive of which it is an entry.
    pub(super) fn archive(&self) -> Option<&str> {
        let (end, _) = self.entry_of.as_ref()?;
        self.name.get(..*end)
    }
}

/// Where the bytes come from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    File(PathBuf),
    Bytes(Arc<[u8]>),
}

/// How an input is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
    Bzip2,
    Zstd,
    /// The entry of an archive, by its place in it.
    ZipEntry(usize),
}

/// The inputs of a source, in the order in which they are read.
#[derive(Debug, Clone)]
pub(super) struct Inputs {
    pub(super) inputs: Vec<Input>,
    /// The oldest modification time among the files.
    pub(super) oldest: SystemTime,
    pub(super) warnings: Vec<String>,
}

/// Adds one file, an archive as its entries.
pub(super) fn add(
    source: &SourceConfig,
    name: String,
    origin: Origin,
    bytes: u64,
    found: &mut Inputs,
) -> Result<(), SourceError> {
    let compression = compression(source, &name, &origin)?;
    let packing = match compression {
        Compression::None => Packing::Plain,
        Compression::Gzip => Packing::Gzip,
        Compression::Bzip2 => Packing::Bzip2,
        Compression::Zstd => Packing::Zstd,
        Compression::Zip => return add_entries(source, &name, &origin, found),
    };
    found.inputs.push(Input {
        name,
        bytes,
        origin,
        packing,
        entry_of: None,
    });
    Ok(())
}

fn add_entries(
    source: &SourceConfig,
    name: &str,
    origin: &Origin,
    found: &mut Inputs,
) -> Result<(), SourceError> {
    let damaged = |error| SourceError::Damaged {
        file: name.to_owned(),
        rows: 0,
        error: Box::new(error),
    };
    let other = |found| SourceError::OtherKind {
        file: name.to_owned(),
        found,
    };
    let archive = Arc::new(Archive::open(origin).map_err(damaged)?);
    if let Some(found) = archive.ambiguous() {
        return Err(other(found));
    }
    let mut directory = archive.reader();
    let before = found.inputs.len();
    let mut others = Vec::new();
    for index in 0..directory.len() {
        let entry = directory.by_index_raw(index).map_err(damaged)?;
        let inner = entry.name().map_err(damaged)?.into_owned();
        if entry.is_dir() {
            continue;
        }
        let entry_name = format!("{name}/{inner}");
        match &source.archive_entry {
            Some(picked) if !is_picked(picked, &inner) => {
                others.push(inner);
                continue;
            }
            Some(_) => {}
            None if is_office(&inner) => {
                return Err(other(
                    "a workbook or another office document: save it as CSV",
                ));
            }
            None if is_hidden(&inner) => continue,
            None if is_readme(&inner) => {
                found
                    .warnings
                    .push(format!("{entry_name}: not read, a README and no list"));
                continue;
            }
            None => {}
        }
        if is_schema(source.layout, &inner) {
            found
                .warnings
                .push(format!("{entry_name}: not read, a schema and no list"));
            continue;
        }
        if entry.size() == 0 && !source.may_be_empty() {
            return Err(SourceError::Empty { file: entry_name });
        }
        if entry.encrypted() {
            return Err(SourceError::OtherKind {
                file: entry_name,
                found: "an entry protected by a password: expected one that is not",
            });
        }
        let bytes = entry.compressed_size();
        let packing = Packing::ZipEntry(index);
        found.inputs.push(Input {
            name: entry_name,
            bytes,
            origin: origin.clone(),
            packing,
            entry_of: Some((name.len(), Arc::clone(&archive))),
        });
    }
    match (&source.archive_entry, found.inputs.len() > before) {
        (_, true) => Ok(()),
        (None, false) => Err(other("an archive with no list in it")),
        (Some(picked), false) => Err(SourceError::NoEntry {
            file: name.to_owned(),
            pattern: picked.as_str().to_owned(),
            found: listed(&others),
        }),
    }
}

/// Names for a message, the first few of them.
pub(super) fn listed(names: &[String]) -> String {
    const MOST: usize = 16;
    let shown = names.iter().take(MOST).map(|name| shown(name));
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        text.push_str(&format!(" and {} more", names.len() - MOST));
    }
    if text.is_empty() {
        text.push_str("none");
    }
    text
}

/// A name as far as it is one: what a terminal would act on is not repeated, nor the text of a file whose columns could
/// not be told apart.
fn shown(name: &str) -> String {
    const LONGEST: usize = 40;
    let mut shown: String = name
        .chars()
        .take(LONGEST)
        .map(|character| match character.is_control() {
            true => char::REPLACEMENT_CHARACTER,
            false => character,
        })
        .collect();
    if name.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// Whether an entry is the part of an office document that tells what it is.
fn is_office(name: &str) -> bool {
    matches!(name, "[Content_Types].xml" | "META-INF/manifest.xml")
}

/// How a file is packed: as configured, else by its first bytes, else by its name.
fn compression(
    source: &SourceConfig,
    name: &str,
    origin: &Origin,
) -> Result<Compression, SourceError> {
    let open = |error| SourceError::Open {
        file: name.to_owned(),
        error,
    };
    let mut first = Vec::new();
    open_raw(origin)
        .and_then(|raw| raw.take(4).read_to_end(&mut first))
        .map_err(open)?;
    let by_magic = match first.as_slice() {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [b'B', b'Z', b'h', b'1'..=b'9'] => Compression::Bzip2,
        [0x28, 0xb5, 0x2f, 0xfd] => Compression::Zstd,
        // The first entry, or the end of an archive without entries.
        [b'P', b'K', 3, 4] | [b'P', b'K', 5, 6] => Compression::Zip,
        _ => Compression::None,
    };
    let extension = Path::new(name)
        .extension()
        .map(|extension| extension.to_ascii_lowercase());
    let by_name = match extension.as_ref().and_then(|extension| extension.to_str()) {
        Some("gz" | "gzip") => Compression::Gzip,
        Some("bz2" | "bzip2") => Compression::Bzip2,
        Some("zst" | "zstd") => Compression::Zstd,
        Some("zip") => Compression::Zip,
        _ => Compression::None,
    };
    // A file that is named as packed and is not, or not as told, is a damaged copy: it would
    // otherwise be read as one long row of rubbish.
    let expected = source
        .compression
        .unwrap_or(if by_magic == Compression::None {
            by_name
        } else {
            by_magic
        });
    if expected != Compression::None && expected != by_magic {
        return Err(SourceError::NotPacked {
            file: name.to_owned(),
            expected: expected.name(),
        });
    }
    Ok(expected)
}

/// Bytes that can be read from any place.
pub(super) trait ReadSeek: Read + Seek + Send + Sync {}
impl<T: Read + Seek + Send + Sync> ReadSeek for T {}

pub(super) fn open_raw(origin: &Origin) -> io::Result<Box<dyn ReadSeek>> {
    Ok(match origin {
        Origin::File(path) => Box::new(File::open(path)?),
        Origin::Bytes(bytes) => Box::new(Cursor::new(Arc::clone(bytes))),
    })
}

/// Counts the bytes that pass, for the progress shown.
struct Counted<'a> {
    inner: Box<dyn ReadSeek>,
    bytes: &'a AtomicU64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes
            .fetch_add(u64::try_from(read).unwrap_or(u64::MAX), Ordering::Relaxed);
        Ok(read)
    }
}

/// Opens an input and hands its unpacked text, as UTF-8, to `read`. The bytes taken from the file
/// are counted in `bytes`.
pub(super) fn with_text(
    input: &Input,
    encoding: Encoding,
    bytes: &AtomicU64,
    read: impl FnOnce(&mut dyn Read) -> Result<(), SourceError>,
) -> Result<(), SourceError> {
    let open = |error| SourceError::Open {
        file: input.name.clone(),
        error,
    };
    let raw = Counted {
        inner: open_raw(&input.origin).map_err(open)?,
        bytes,
    };
    let decoded = |text: &mut dyn Read| as_utf8(&input.name, text, encoding, read);
    match input.packing {
        Packing::Plain => {
            let mut raw = raw;
            decoded(&mut raw)
        }
        Packing::Gzip => decoded(&mut flate2::bufread::MultiGzDecoder::new(
            BufReader::with_capacity(READ_BYTES, raw),
        )),
        Packing::Bzip2 => decoded(&mut bzip2::bufread::MultiBzDecoder::new(
            BufReader::with_capacity(READ_BYTES, raw),
        )),
        Packing::Zstd => {
            let buffered = BufReader::with_capacity(READ_BYTES, raw);
            decoded(&mut zstd::stream::read::Decoder::with_buffer(buffered).map_err(open)?)
        }
        Packing::ZipEntry(index) => {
            let damaged = |error| SourceError::Damaged {
                file: input.name.clone(),
                rows: 0,
                error: Box::new(error),
            };
            let Some((_, archive)) = &input.entry_of else {
                return Err(damaged(zip::result::ZipError::FileNotFound));
            };
            let mut reader = archive.reader();
            let mut entry = reader.by_index(index).map_err(damaged)?;
            decoded(&mut archive.counted(&mut entry, raw.bytes))
        }
    }
}
