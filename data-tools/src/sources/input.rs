//! The files of a source: which there are, how they are packed, and their bytes as a stream.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use encoding_rs::{Decoder, WINDOWS_1251};

use super::SourceError;
use crate::config::{Compression, Encoding, Layout, SourceConfig};

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
    /// How much of the name is that of the archive.
    archive_name_bytes: Option<usize>,
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
            archive_name_bytes: None,
        }
    }

    /// The archive of which it is an entry.
    pub(super) fn archive(&self) -> Option<&str> {
        self.archive_name_bytes.and_then(|end| self.name.get(..end))
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
#[derive(Debug)]
pub(super) struct Inputs {
    pub(super) inputs: Vec<Input>,
    /// The oldest modification time among the files.
    pub(super) oldest: SystemTime,
    pub(super) warnings: Vec<String>,
}

/// Finds the files of a source: every regular file its pattern matches, in order of their paths,
/// archives entry by entry.
pub(super) fn find(source: &SourceConfig) -> Result<Inputs, SourceError> {
    // The folder may hold characters that mean something in a pattern; the path may too, and does
    // so by intent. An absolute path replaces the folder.
    let folder = glob::Pattern::escape(&source.folder.to_string_lossy());
    let pattern = Path::new(&folder)
        .join(&source.path)
        .to_string_lossy()
        .into_owned();
    let paths = glob::glob(&pattern).map_err(|error| SourceError::Pattern {
        pattern: pattern.clone(),
        error,
    })?;
    let now = SystemTime::now();
    let mut found = Inputs {
        inputs: Vec::new(),
        oldest: now,
        warnings: Vec::new(),
    };
    let mut files = 0;
    for path in paths {
        let path = path.map_err(|error| SourceError::Open {
            file: name_of(error.path(), &source.folder),
            error: io::Error::new(error.error().kind(), error.error().to_string()),
        })?;
        let name = name_of(&path, &source.folder);
        let open = |error| SourceError::Open {
            file: name.clone(),
            error,
        };
        let facts = path.metadata().map_err(open)?;
        if !facts.is_file() {
            continue;
        }
        files += 1;
        if is_schema(source.layout, &name) {
            found
                .warnings
                .push(format!("{name}: not read, a schema and no list"));
            continue;
        }
        if facts.len() == 0 {
            return Err(SourceError::Empty { file: name });
        }
        let modified = facts.modified().map_err(open)?;
        if source.as_of.is_none() && modified > now + CLOCKS_DIFFER {
            found.warnings.push(format!(
                "{name}: its file time lies in the future; the time of reading was taken for the list's as_of"
            ));
        }
        found.oldest = found.oldest.min(modified);
        add(source, name, Origin::File(path), facts.len(), &mut found)?;
    }
    if files == 0 {
        return Err(SourceError::NoFile { pattern });
    }
    Ok(found)
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
        archive_name_bytes: None,
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
    let opened = open_raw(origin).map_err(|error| SourceError::Open {
        file: name.to_owned(),
        error,
    })?;
    let mut archive = zip::ZipArchive::new(opened).map_err(damaged)?;
    let before = found.inputs.len();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(damaged)?;
        // What other systems leave in archives beside the list.
        let inner = entry.name().map_err(damaged)?.into_owned();
        if entry.is_dir() || inner.starts_with("__MACOSX/") {
            continue;
        }
        let entry_name = format!("{name}/{inner}");
        if is_schema(source.layout, &inner) {
            found
                .warnings
                .push(format!("{entry_name}: not read, a schema and no list"));
            continue;
        }
        if entry.size() == 0 {
            return Err(SourceError::Empty { file: entry_name });
        }
        let bytes = entry.compressed_size();
        let packing = Packing::ZipEntry(index);
        let archive_name_bytes = Some(name.len());
        found.inputs.push(Input {
            name: entry_name,
            bytes,
            origin: origin.clone(),
            packing,
            archive_name_bytes,
        });
    }
    if found.inputs.len() == before {
        return Err(SourceError::Empty {
            file: name.to_owned(),
        });
    }
    Ok(())
}

/// The name of a file in messages: below the folder of `sources.toml` relative to it.
fn name_of(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder)
        .unwrap_or(path)
        .to_string_lossy()
        .into_owned()
}

/// The Ukrainian portal keeps the description of the fields beside the list; its name contains
/// `shema`.
fn is_schema(layout: Layout, name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    layout == Layout::Ukraine && file.to_ascii_lowercase().contains("shema")
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
pub(super) trait ReadSeek: Read + Seek + Send {}
impl<T: Read + Seek + Send> ReadSeek for T {}

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

impl Seek for Counted<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.inner.seek(position)
    }
}

/// Opens an input and hands its unpacked text, as UTF-8, to `read`. The bytes taken from the file
/// are counted in `bytes`.
pub(super) fn with_text<T>(
    input: &Input,
    encoding: Encoding,
    bytes: &AtomicU64,
    read: impl FnOnce(&mut dyn Read) -> Result<T, SourceError>,
) -> Result<T, SourceError> {
    let open = |error| SourceError::Open {
        file: input.name.clone(),
        error,
    };
    let raw = Counted {
        inner: open_raw(&input.origin).map_err(open)?,
        bytes,
    };
    let decoded = |text: &mut dyn Read| match encoding {
        Encoding::Utf8 => read(text),
        Encoding::Windows1251 => read(&mut Transcoded::new(text)),
    };
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
            let mut archive =
                zip::ZipArchive::new(BufReader::with_capacity(READ_BYTES, raw)).map_err(damaged)?;
            decoded(&mut archive.by_index(index).map_err(damaged)?)
        }
    }
}

/// Windows-1251 text as UTF-8.
struct Transcoded<'a> {
    inner: &'a mut dyn Read,
    decoder: Decoder,
    raw: Vec<u8>,
    text: Vec<u8>,
    /// The part of `text` that has not been handed out.
    left: Range<usize>,
}

impl<'a> Transcoded<'a> {
    fn new(inner: &'a mut dyn Read) -> Self {
        let decoder = WINDOWS_1251.new_decoder_without_bom_handling();
        // One byte of Windows-1251 is at most three of UTF-8: what is read always fits.
        Self {
            inner,
            decoder,
            raw: vec![0; READ_BYTES],
            text: vec![0; 3 * READ_BYTES + 16],
            left: 0..0,
        }
    }
}

impl Read for Transcoded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left.is_empty() {
            let read = self.inner.read(&mut self.raw)?;
            let raw = self.raw.get(..read).unwrap_or_default();
            let (_, _, written, _) = self.decoder.decode_to_utf8(raw, &mut self.text, false);
            self.left = 0..written;
        }
        let read = self
            .text
            .get(self.left.clone())
            .unwrap_or_default()
            .read(buffer)?;
        self.left.start += read;
        Ok(read)
    }
}
