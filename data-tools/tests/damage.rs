//! `verify` on stores in which anything was changed, cut off or added: each is called damaged, with a
//! clear error and never a panic. Most is tried in process; a sample goes through the real command.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod support;

use sltd::snapshot::Terms;
use sltd_data::verify::{VerifyError, verify};
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use support::{Desk, fails, sltd_data, succeeds};

/// Bytes of the fixed header, and where in it the place of the section table stands (FORMAT.md).
const HEADER: usize = 128;
const TABLE_OFFSET: std::ops::Range<usize> = 24..32;

/// What a byte is changed by: its lowest bit, its highest, all.
const PATTERNS: [u8; 3] = [0x01, 0x80, 0xff];

/// A store with every kind of section, owners' references and ranges included.
struct Victim {
    desk: Desk,
    segment: PathBuf,
    bytes: Vec<u8>,
}

impl Victim {
    fn new() -> Self {
        let desk = Desk::new();
        desk.generate("list.csv", 600, &["--ranges", "--references"]);
        desk.describe("sources.toml", "list.csv", "sltd-csv", "");
        succeeds(&mut desk.build("sources.toml", "store"));
        let mut segments = fs::read_dir(desk.path("store/segments")).unwrap();
        let segment = segments.next().unwrap().unwrap().path();
        let bytes = fs::read(&segment).unwrap();
        let victim = Self {
            desk,
            segment,
            bytes,
        };
        victim.is_whole();
        victim
    }

    fn store(&self) -> PathBuf {
        self.desk.path("store")
    }

    fn is_whole(&self) {
        assert_eq!(
            verify(&self.store(), &Terms::default()).unwrap().generation,
            1
        );
    }

    /// Asserts that the store is called damaged.
    #[track_caller]
    fn is_damaged(&self, what: &dyn std::fmt::Debug) {
        match verify(&self.store(), &Terms::default()) {
            Err(error @ VerifyError::Damaged(_)) => {
                let said = error.to_string();
                assert!(!said.contains("panic"), "{what:?}: {said}");
            }
            other => panic!("{what:?}: {other:?}"),
        }
    }

    /// Changes a byte of a file, asserts that it is found, and changes it back.
    #[track_caller]
    fn flipped_is_damaged(&self, path: &Path, bytes: &[u8], at: usize, pattern: u8) {
        let file = File::options().write(true).open(path).unwrap();
        file.write_all_at(&[bytes[at] ^ pattern], at as u64)
            .unwrap();
        self.is_damaged(&(path, at, pattern));
        file.write_all_at(&bytes[at..=at], at as u64).unwrap();
    }

    /// The real command says so too, and names the file.
    #[track_caller]
    fn command_says_damaged(&self) {
        let name = self.segment.file_name().unwrap().to_str().unwrap();
        let mut command = sltd_data("verify");
        fails(command.arg("--store").arg(self.store()), 1, name);
    }
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
    let bytes = &victim.bytes;
    let table = u64::from_le_bytes(bytes[TABLE_OFFSET].try_into().unwrap()) as usize;
    assert!((HEADER..bytes.len()).contains(&table) && (bytes.len() - table).is_multiple_of(64));
    for at in (0..HEADER).chain(table..bytes.len()) {
        for pattern in PATTERNS {
            victim.flipped_is_damaged(&victim.segment, bytes, at, pattern);
        }
    }
    victim.is_whole();
}

#[test]
fn random_bytes_and_truncations() {
    let victim = Victim::new();
    let mut places = Places(3);
    for _ in 0..2_000 {
        let (at, pattern) = (places.below(victim.bytes.len()), 1 + places.below(255));
        victim.flipped_is_damaged(&victim.segment, &victim.bytes, at, pattern as u8);
    }
    victim.is_whole();
    let short = (0..150)
        .chain((0..600).map(|_| places.below(victim.bytes.len())))
        .collect::<Vec<_>>();
    for length in short {
        fs::write(&victim.segment, &victim.bytes[..length]).unwrap();
        victim.is_damaged(&length);
    }
    for more in [1, 64, 4096] {
        let mut grown = victim.bytes.clone();
        grown.resize(victim.bytes.len() + more, 0);
        fs::write(&victim.segment, &grown).unwrap();
        victim.is_damaged(&more);
    }
}

#[test]
fn every_byte_of_manifest_and_pointer() {
    let victim = Victim::new();
    for name in ["CURRENT", "manifests/00000001.json"] {
        let path = victim.store().join(name);
        let bytes = fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            for pattern in PATTERNS {
                victim.flipped_is_damaged(&path, &bytes, at, pattern);
            }
        }
        for length in 0..bytes.len() {
            fs::write(&path, &bytes[..length]).unwrap();
            victim.is_damaged(&(name, length));
        }
        fs::write(&path, &bytes).unwrap();
    }
    victim.is_whole();
}

#[test]
fn the_command_says_so() {
    let victim = Victim::new();
    let mut places = Places(4);
    let length = victim.bytes.len();
    let whole: Vec<usize> = [0, 8, HEADER - 1, length - 1]
        .into_iter()
        .chain((0..24).map(|_| places.below(length)))
        .collect();
    for at in whole {
        let mut damaged = victim.bytes.clone();
        damaged[at] ^= 0x10;
        fs::write(&victim.segment, damaged).unwrap();
        victim.command_says_damaged();
        fs::write(&victim.segment, &victim.bytes[..at]).unwrap();
        victim.command_says_damaged();
    }
    fs::remove_file(&victim.segment).unwrap();
    victim.command_says_damaged();
}
