//! RocksDB.

use super::{Embedded, Found};
use crate::Result;
use crate::entries::Feed;
use rocksdb::{
    BlockBasedOptions, Cache, DB, DBCompressionType, DataBlockIndexType, IngestExternalFileOptions,
    Options, ReadOptions, SstFileWriter,
};
use sltd::document::DocumentNumber;
use std::path::{Path, PathBuf};

/// What was chosen, and why.
pub(super) const SETTINGS: &str = "table files written side by side, one thread a core, and ingested by moving, LZ4, \
    no compaction left to do; full Bloom filters of 10 bits a key with whole-key filtering, index and filters held in \
    memory, blocks of 4 KiB with a hash index (utilisation 0.75), a block cache that holds all blocks uncompressed, \
    all files kept open; read from a read-only database, values pinned instead of copied";

/// Bytes of block cache: more than the blocks take, so that after warming nothing is read or inflated again.
const CACHE_BYTES: usize = 6 << 30;
/// Bytes of a table file: what the deepest level's files would have.
const FILE_BYTES: u64 = 256 << 20;

/// A database of a folder.
pub(super) struct Rocks(DB);

fn options() -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_bloom_filter(10.0, false);
    table.set_whole_key_filtering(true);
    table.set_data_block_index_type(DataBlockIndexType::BinaryAndHash);
    table.set_data_block_hash_ratio(0.75);
    table.set_block_size(4 << 10);
    table.set_format_version(6);
    table.set_block_cache(&Cache::new_lru_cache(CACHE_BYTES));
    let mut options = Options::default();
    options.set_block_based_table_factory(&table);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_max_open_files(-1);
    options
}

fn database(folder: &Path) -> PathBuf {
    folder.join("database")
}

/// Loads all feeds, each in a thread of its own.
///
/// # Errors
/// What RocksDB says.
pub(super) fn load(folder: &Path, feeds: Vec<Box<dyn Feed + '_>>) -> Result<()> {
    let files: Vec<PathBuf> = std::thread::scope(|scope| {
        let writers: Vec<_> = feeds
            .into_iter()
            .enumerate()
            .map(|(part, feed)| {
                scope.spawn(move || write(folder, part, feed).map_err(|error| error.to_string()))
            })
            .collect();
        let mut files = Vec::new();
        for writer in writers {
            files.append(&mut writer.join().map_err(|_| "a thread has panicked")??);
        }
        Ok::<_, Box<dyn std::error::Error>>(files)
    })?;
    let mut options = options();
    options.create_if_missing(true);
    let opened = DB::open(&options, database(folder))?;
    let mut ingest = IngestExternalFileOptions::default();
    ingest.set_move_files(true);
    opened.ingest_external_file_opts(&ingest, files)?;
    Ok(())
}

/// Table files of a feed, each durable when it is finished.
fn write(folder: &Path, part: usize, mut feed: Box<dyn Feed + '_>) -> Result<Vec<PathBuf>> {
    let options = options();
    let mut files = Vec::new();
    let mut writer: Option<SstFileWriter<'_>> = None;
    while let Some((key, value)) = feed.next() {
        let open = match &mut writer {
            Some(open) => open,
            None => {
                let path = folder.join(format!("{part}-{}.sst", files.len()));
                let open = writer.insert(SstFileWriter::create(&options));
                open.open(&path)?;
                files.push(path);
                open
            }
        };
        open.put(key, value)?;
        if open.file_size() > FILE_BYTES {
            open.finish()?;
            writer = None;
        }
    }
    if let Some(mut open) = writer {
        open.finish()?;
    }
    Ok(files)
}

impl Rocks {
    /// Opens what was loaded.
    ///
    /// # Errors
    /// What RocksDB says.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        Ok(Self(DB::open_for_read_only(
            &options(),
            database(folder),
            false,
        )?))
    }
}

impl Embedded for Rocks {
    fn ask(&self, numbers: &[DocumentNumber], found: &mut Found<'_>) -> Result<()> {
        let options = ReadOptions::default();
        for number in numbers {
            if let Some(value) = self.0.get_pinned_opt(number.as_bytes(), &options)? {
                found(&value)?;
            }
        }
        Ok(())
    }

    fn bytes(&self) -> Result<u64> {
        Ok(self
            .0
            .live_files()?
            .iter()
            .map(|file| file.size as u64)
            .sum())
    }
}
