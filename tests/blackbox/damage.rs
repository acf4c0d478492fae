//! Every byte of a store matters: whatever is changed, cut off or added is refused with an error that
//! names the file, and never with a panic.

use crate::support::{ROWS, publish, sltd};
use sltd::index::{LoadMode, Segment};
use sltd::snapshot::{LoadOptions, Store, Warm};
use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Bytes of the fixed header, and where in it the place of the section table stands (FORMAT.md).
const HEADER: usize = 128;
const TABLE_OFFSET: Range<usize> = 24..32;

/// What a byte is changed by: its lowest bit, its highest, all, and the one that changes a letter's case.
const PATTERNS: [u8; 4] = [0x01, 0x80, 0xff, 0x20];

const MODES: [LoadMode; 2] = [LoadMode::Mmap, LoadMode::Heap];

/// A store with one segment that has every kind of section but owners' references, and then some rows.
struct Victim {
    dir: tempfile::TempDir,
    segment: PathBuf,
    manifest: PathBuf,
    current: PathBuf,
}

impl Victim {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let rows: String = (0..400)
            .map(|n| format!("77DD{:05},FRA,passport,lost,,\n", n * 37))
            .collect();
        let manifest = publish(dir.path(), &format!("{ROWS}{rows}"));
        let segment = dir.path().join("segments").join(&manifest.segments[0].file);
        let manifest = dir.path().join("manifests/00000001.json");
        let current = dir.path().join("CURRENT");
        let victim = Self {
            dir,
            segment,
            manifest,
            current,
        };
        victim.load(LoadMode::Mmap).unwrap();
        victim
    }

    fn load(&self, load: LoadMode) -> Result<(), String> {
        let options = LoadOptions {
            load,
            warm: Some(Warm::All),
        };
        let loaded = Store::open(self.dir.path()).and_then(|store| store.load_current(&options));
        loaded.map(drop).map_err(|error| error.to_string())
    }

    fn open(&self, load: LoadMode) -> Result<(), String> {
        Segment::open(&self.segment, load)
            .map(drop)
            .map_err(|error| error.to_string())
    }
}

/// Asserts that a damaged file is refused by name, in both modes.
#[track_caller]
fn check(what: &dyn std::fmt::Debug, file: &Path, open: &dyn Fn(LoadMode) -> Result<(), String>) {
    for mode in MODES {
        let outcome = catch_unwind(AssertUnwindSafe(|| open(mode)));
        let Ok(outcome) = outcome else {
            panic!("{what:?}, {mode:?}: ended in a panic")
        };
        let Err(error) = outcome else {
            panic!("{what:?}, {mode:?}: taken for good")
        };
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(
            error.contains(name),
            "{what:?}, {mode:?}: does not name the file: {error}"
        );
    }
}

/// Changes one byte, lets `check` see the file, and changes it back.
fn with_flip(file: &File, bytes: &[u8], at: usize, pattern: u8, check: impl FnOnce()) {
    file.write_all_at(&[bytes[at] ^ pattern], at as u64)
        .unwrap();
    check();
    file.write_all_at(&bytes[at..=at], at as u64).unwrap();
}

fn writable(path: &Path) -> File {
    File::options().read(true).write(true).open(path).unwrap()
}

/// The same places every time, spread over all.
struct Places(u64);

impl Places {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((u128::from(self.0) * end as u128) >> 64) as usize
    }
}

#[test]
fn every_byte_of_header_and_section_table() {
    let victim = Victim::new();
    let bytes = fs::read(&victim.segment).unwrap();
    let table = u64::from_le_bytes(bytes[TABLE_OFFSET].try_into().unwrap()) as usize;
    assert!((HEADER..bytes.len()).contains(&table) && (bytes.len() - table).is_multiple_of(64));
    let file = writable(&victim.segment);
    for at in (0..HEADER).chain(table..bytes.len()) {
        for pattern in PATTERNS {
            with_flip(&file, &bytes, at, pattern, || {
                check(&(at, pattern), &victim.segment, &|mode| victim.open(mode));
            });
        }
    }
    assert_eq!(victim.load(LoadMode::Heap), Ok(()), "all was changed back");
}

#[test]
fn random_bytes_anywhere_in_a_segment() {
    let victim = Victim::new();
    let bytes = fs::read(&victim.segment).unwrap();
    let file = writable(&victim.segment);
    let mut places = Places(1);
    for _ in 0..3_000 {
        let (at, pattern) = (places.below(bytes.len()), 1 + places.below(255) as u8);
        with_flip(&file, &bytes, at, pattern, || {
            check(&(at, pattern), &victim.segment, &|mode| victim.load(mode));
        });
    }
    assert_eq!(victim.load(LoadMode::Heap), Ok(()), "all was changed back");
}

#[test]
fn segments_cut_short_or_grown() {
    let victim = Victim::new();
    let bytes = fs::read(&victim.segment).unwrap();
    let mut places = Places(2);
    let short = (0..150).chain(
        (0..1_000)
            .map(|_| places.below(bytes.len()))
            .collect::<Vec<_>>(),
    );
    for length in short {
        fs::write(&victim.segment, &bytes[..length]).unwrap();
        check(&length, &victim.segment, &|mode| victim.load(mode));
    }
    for more in [1, 63, 64, 4096, 1 << 20] {
        for fill in [0, 0xff] {
            let mut grown = bytes.clone();
            grown.resize(bytes.len() + more, fill);
            fs::write(&victim.segment, &grown).unwrap();
            check(&(more, fill), &victim.segment, &|mode| victim.load(mode));
        }
    }
    // Bytes lost in the middle, and blocks swapped or zeroed, as disks do it.
    for _ in 0..200 {
        let (from, to) = (
            places.below(bytes.len() - 512),
            places.below(bytes.len() - 512),
        );
        let mut lost = bytes.clone();
        lost.drain(from..from + 512);
        let mut zeroed = bytes.clone();
        zeroed[from..from + 512].fill(0);
        let mut moved = bytes.clone();
        moved.copy_within(from..from + 512, to);
        for damaged in [lost, zeroed, moved] {
            if damaged != bytes {
                fs::write(&victim.segment, damaged).unwrap();
                check(&(from, to), &victim.segment, &|mode| victim.load(mode));
            }
        }
    }
    fs::remove_file(&victim.segment).unwrap();
    check(&"removed", &victim.segment, &|mode| victim.load(mode));
    fs::create_dir(&victim.segment).unwrap();
    check(&"a folder", &victim.segment, &|mode| victim.load(mode));
}

#[test]
fn a_sound_segment_that_is_not_the_one_named() {
    let victim = Victim::new();
    let other = tempfile::tempdir().unwrap();
    let manifest = publish(other.path(), ROWS);
    let sound = other
        .path()
        .join("segments")
        .join(&manifest.segments[0].file);
    fs::copy(sound, &victim.segment).unwrap();
    check(&"another segment", &victim.segment, &|mode| {
        victim.load(mode)
    });
    let error = victim.load(LoadMode::Mmap).unwrap_err();
    assert!(error.contains("the manifest names"), "{error}");
}

#[test]
fn every_byte_of_manifest_and_pointer() {
    let victim = Victim::new();
    for path in [&victim.current, &victim.manifest] {
        let bytes = fs::read(path).unwrap();
        // A changed pointer may name another manifest: then that one is missing.
        let named = |error: &str| error.contains("CURRENT") || error.contains("manifests");
        let refused = |what: &dyn std::fmt::Debug| {
            let outcome = catch_unwind(AssertUnwindSafe(|| victim.load(LoadMode::Mmap)));
            let Ok(outcome) = outcome else {
                panic!("{what:?}: ended in a panic")
            };
            let Err(error) = outcome else {
                panic!("{}: {what:?}: taken for good", path.display())
            };
            assert!(named(&error), "{what:?}: {error}");
        };
        let file = writable(path);
        for at in 0..bytes.len() {
            for pattern in PATTERNS {
                with_flip(&file, &bytes, at, pattern, || refused(&(at, pattern)));
            }
        }
        for length in 0..bytes.len() {
            fs::write(path, &bytes[..length]).unwrap();
            refused(&length);
        }
        for more in [&b"\n"[..], b" ", b"x", b"\0", &bytes] {
            fs::write(path, [&bytes, more].concat()).unwrap();
            refused(&more);
        }
        fs::write(path, &bytes).unwrap();
        assert_eq!(victim.load(LoadMode::Mmap), Ok(()), "all was changed back");
    }
}

#[test]
fn what_is_wrong_is_said() {
    let victim = Victim::new();
    let bytes = fs::read(&victim.segment).unwrap();
    let file = writable(&victim.segment);
    for (at, part) in [
        (0, "not a segment"),
        (8, "does not match its digest"),
        (16, "truncated or appended to"),
        (40, "does not match its digest"),
        (bytes.len() - 1, "does not match its digest"),
    ] {
        with_flip(&file, &bytes, at, 1, || {
            let error = victim.open(LoadMode::Mmap).unwrap_err();
            assert!(error.contains(part), "{error}");
        });
    }
}

#[test]
fn the_server_does_not_serve_what_is_damaged() {
    let victim = Victim::new();
    let store = victim.dir.path().to_str().unwrap();
    let config = victim.dir.path().join("heap.toml");
    fs::write(&config, "load = \"heap\"\n").unwrap();
    for path in [&victim.segment, &victim.manifest, &victim.current] {
        let bytes = fs::read(path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x80;
            fs::write(path, &damaged).unwrap();
            let command = ["serve", "--store", store, "--listen", "127.0.0.1:0"];
            sltd(&command).exits(3).says(name);
            sltd(&[&command[..], &["--config", config.to_str().unwrap()]].concat())
                .exits(3)
                .says(name);
        }
        fs::write(path, &bytes).unwrap();
    }
    assert_eq!(victim.load(LoadMode::Heap), Ok(()), "all was changed back");
}
