//! The fuzz targets on stable, for a short while: over the inputs kept in `fuzz/corpus` and mutations
//! of them, the same ones every time. `cargo fuzz run TARGET` goes on from here.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

#[path = "../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, dead_code, reason = "the library of another package")]
mod targets;

use std::fs;
use std::path::{Path, PathBuf};

/// Mutations of each target's inputs; together about ten seconds.
const ROUNDS: [(&str, usize); 11] = [
    ("opener", 500),
    ("opener_resealed", 3_000),
    ("mrz", 40_000),
    ("number", 200_000),
    ("sltd_csv", 1_000),
    ("sltd_jsonl", 1_000),
    ("sltd_parquet", 600),
    ("russia", 1_000),
    ("ukraine", 1_000),
    ("ukraine_inactive", 1_000),
    ("czechia", 1_000),
];

/// Pieces that mean something to one reader or another.
#[rustfmt::skip]
const TOKENS: [&[u8]; 24] = [
    b"\n", b"\r\n", b"\"", b",", b";", b"<", b"<<<<", b"{", b"}", b"[", b"]", b"\\u", b"null", b"0",
    b"9999999999999", b"-1", b"\xef\xbb\xbf", b"\xff", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x01",
    "Щ".as_bytes(), "１".as_bytes(), "\u{10ffff}".as_bytes(),
];

/// A small generator: the same numbers on every machine.
struct Draws(u64);

impl Draws {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((u128::from(self.0) * end.max(1) as u128) >> 64) as usize
    }

    /// A stretch of something of this length, mostly short.
    fn stretch(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let most = if self.below(4) == 0 { length } else { 16 };
        start..(start + self.below(most + 1)).min(length)
    }

    /// Changes `input` in one to four places; may take pieces of `other`.
    fn mutate(&mut self, input: &mut Vec<u8>, other: &[u8]) {
        for _ in 0..=self.below(4) {
            let at = self.below(input.len());
            match self.below(8) {
                0..=2 if !input.is_empty() => input[at] ^= 1 << self.below(8),
                3 if !input.is_empty() => input[at] = self.below(256) as u8,
                4 => {
                    let place = self.stretch(input.len());
                    let token = TOKENS[self.below(TOKENS.len())];
                    let end = if self.below(2) == 0 {
                        place.end
                    } else {
                        place.start
                    };
                    input.splice(place.start..end, token.iter().copied());
                }
                5 => drop(input.drain(self.stretch(input.len()))),
                6 => {
                    let (place, piece) = (self.stretch(input.len()), self.stretch(other.len()));
                    input.splice(place, other[piece].iter().copied());
                }
                7 => {
                    // A length or a count in the little-endian formats.
                    let value = [0, 1, 0x7f, 0xffff, 0xffff_ffff, 1 << 62][self.below(6)];
                    let width = [1, 2, 4, 8][self.below(4)];
                    let bytes = u64::to_le_bytes(value);
                    for (to, from) in input.iter_mut().skip(at).zip(&bytes[..width]) {
                        *to = *from;
                    }
                }
                _ => {}
            }
        }
    }
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus")
}

fn kept(target: &str) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(corpus().join(target)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn check(target: &str) {
    let find = |name: &str| {
        targets::TARGETS
            .into_iter()
            .find(|(known, _)| *known == name)
    };
    let (_, run) = find(target).unwrap();
    let (_, rounds) = ROUNDS
        .into_iter()
        .find(|(name, _)| *name == target)
        .unwrap();
    let inputs = kept(target);
    assert!(!inputs.is_empty(), "no inputs are kept for {target}");
    let try_out = |input: &[u8]| {
        if std::panic::catch_unwind(|| run(input)).is_err() {
            let path = std::env::temp_dir().join(format!("sltd-fuzz-{target}"));
            fs::write(&path, input).unwrap();
            panic!("{target} failed; the input stands in {}", path.display());
        }
    };
    for input in inputs.iter().map(Vec::as_slice).chain([&[][..]]) {
        try_out(input);
    }
    let mut draws = Draws(rounds as u64);
    for _ in 0..rounds {
        let mut input = inputs[draws.below(inputs.len())].clone();
        let other = &inputs[draws.below(inputs.len())];
        draws.mutate(&mut input, other);
        try_out(&input);
    }
}

#[test]
fn every_target_has_its_rounds() {
    let names = targets::TARGETS.map(|(name, _)| name);
    assert_eq!(names, ROUNDS.map(|(name, _)| name));
}

#[test]
fn kept_inputs_are_what_they_are_meant_to_be() {
    use sltd::index::{LoadMode, Segment};
    use sltd_data::{config::Layout, sources::read_bytes};
    // A segment written by this version opens for as long as that version is read.
    let path = corpus().join("opener/version-5");
    assert_eq!(
        Segment::open(&path, LoadMode::Mmap).unwrap().documents(),
        206
    );
    let bytes = fs::read(path).unwrap();
    let mut resealed = bytes.clone();
    targets::reseal(&mut resealed);
    assert!(resealed == bytes, "resealing what is sound changes nothing");
    for (input, layout) in [
        ("sltd_csv/generated", Layout::SltdCsv),
        ("sltd_jsonl/generated", Layout::SltdJsonl),
        ("ukraine/generated", Layout::Ukraine),
    ] {
        let account = read_bytes(layout, &fs::read(corpus().join(input)).unwrap()).unwrap();
        assert_eq!((account.passed, account.rejected), (12, 0), "{input}");
    }
}

#[test]
fn resealing_leads_past_the_digests() {
    use sltd::index::{Damage, LoadMode, Segment};
    let bytes = fs::read(corpus().join("opener/version-5")).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut malformed = 0;
    // The sections behind the filter, and the section table.
    for at in 4160..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0xff;
        targets::reseal(&mut changed);
        fs::write(file.path(), &changed).unwrap();
        match Segment::open(file.path(), LoadMode::Heap).map_err(|error| error.damage) {
            Err(Damage::Malformed { .. }) => malformed += 1,
            Err(Damage::Digest { section, .. }) => {
                panic!("byte {at}: the digest of {section} stands in the way")
            }
            Err(_) | Ok(_) => {}
        }
    }
    assert!(malformed > 100, "{malformed}");
}

macro_rules! smoke {
    ($($target:ident)*) => {
        $(#[test] fn $target() { check(stringify!($target)); })*
    };
}

smoke! {
    opener opener_resealed mrz number sltd_csv sltd_jsonl sltd_parquet russia ukraine
    ukraine_inactive czechia
}
