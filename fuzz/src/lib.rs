//! What any bytes may be given to, and what must hold whatever they are.
//!
//! Each function is a target of cargo-fuzz (`fuzz_targets/`), and the same functions run for a short
//! while on stable in `cargo test` (`data-tools/tests/fuzz_smoke.rs`), over the inputs kept in
//! `corpus/` and mutations of them. A target fails by a panic.

use sltd::document::DocumentNumber;
use sltd::document::mrz::Mrz;
use sltd::index::{Damage, LoadMode, Segment};
use sltd_data::config::Layout;
use sltd_data::sources::read_bytes;
use std::cell::RefCell;
use std::fs::File;
use std::io::{Seek as _, Write as _};
use tempfile::NamedTempFile;

/// A target and its name, which is also the name of its folder of inputs.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 11] = [
    ("opener", opener),
    ("opener_resealed", opener_resealed),
    ("mrz", mrz),
    ("number", number),
    ("sltd_csv", sltd_csv),
    ("sltd_jsonl", sltd_jsonl),
    ("sltd_parquet", sltd_parquet),
    ("russia", russia),
    ("ukraine", ukraine),
    ("ukraine_inactive", ukraine_inactive),
    ("czechia", czechia),
];

/// Opens bytes as a segment. What opens has passed its digests, so that it can be walked.
pub fn opener(bytes: &[u8]) {
    let Ok(segment) = open(bytes) else { return };
    ask(&segment);
    let mut documents = 0;
    let walked = segment.for_each(|number, _| {
        assert!(segment.may_contain(&number), "the filter hides a document");
        documents += 1;
    });
    walked.expect("verified bytes can be walked");
    assert_eq!(documents, segment.documents());
}

/// The same with every digest made right first, so that what stands behind the digests is reached:
/// what a faulty program might have written.
///
/// Opened, such a segment is asked only what needs no walk of an automaton: decoding one that is
/// malformed may panic, which a server catches at the boundary of a call.
pub fn opener_resealed(bytes: &[u8]) {
    let mut bytes = bytes.to_vec();
    reseal(&mut bytes);
    match open(&bytes) {
        Ok(segment) => ask(&segment),
        Err(damage @ Damage::Digest { .. }) => panic!("resealed and yet: {damage}"),
        Err(_) => {}
    }
}

fn open(bytes: &[u8]) -> Result<Segment, Damage> {
    thread_local! {
        static FILE: RefCell<Option<NamedTempFile>> = const { RefCell::new(None) };
    }
    FILE.with_borrow_mut(|slot| {
        let file = slot.get_or_insert_with(|| NamedTempFile::new().expect("a temporary file"));
        write(file.as_file_mut(), bytes).expect("a temporary file can be written");
        Segment::open(file.path(), LoadMode::Heap).map_err(|error| {
            assert!(!error.to_string().is_empty());
            error.damage
        })
    })
}

fn write(file: &mut File, bytes: &[u8]) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(bytes)
}

fn ask(segment: &Segment) {
    for text in ["0", "12AB34567", "ZZZZZZZZZZZZZZZZZZZZZZZZ"] {
        let number = DocumentNumber::from_normalised(text.as_bytes()).expect("a number");
        let mut positions = Vec::new();
        segment.may_contain_each(&[number; 40], &mut positions);
        let expected = if segment.may_contain(&number) { 40 } else { 0 };
        assert_eq!(positions.len(), expected, "one by one and in chunks");
    }
    let bytes: u64 = segment.section_sizes().iter().map(|size| size.bytes).sum();
    assert!(bytes <= segment.file_len());
}

/// Makes the digests of sections, header and table those of the bytes that are there (FORMAT.md). As
/// far as the table can be found and its entries lie in the file.
pub fn reseal(bytes: &mut [u8]) {
    const HEADER: usize = 128;
    const ENTRY: usize = 64;
    let field = |bytes: &[u8], at: usize| -> Option<usize> {
        let field = bytes.get(at..)?.first_chunk::<8>()?;
        usize::try_from(u64::from_le_bytes(*field)).ok()
    };
    let Some(table) = field(bytes, 24).filter(|table| (HEADER..=bytes.len()).contains(table))
    else {
        return;
    };
    let entries = (bytes.len() - table) / ENTRY;
    for entry in (0..entries).map(|entry| table + entry * ENTRY) {
        let place = field(bytes, entry + 8).zip(field(bytes, entry + 16));
        let section = place.and_then(|(offset, len)| bytes.get(offset..offset.checked_add(len)?));
        if let Some(section) = section {
            let digest = blake3::hash(section);
            bytes[entry + 24..entry + 56].copy_from_slice(digest.as_bytes());
        }
    }
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(&bytes[..96])
        .update(&[0; 32])
        .update(&bytes[table..]);
    let digest = hasher.finalize();
    bytes[96..HEADER].copy_from_slice(digest.as_bytes());
}

/// Reads a machine-readable zone.
pub fn mrz(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match Mrz::read(text) {
        Ok(zone) => {
            if let Some(number) = zone.number {
                assert_eq!(DocumentNumber::normalise(number.as_str()), Ok(number));
            }
            // How lines are parted and spaced does not matter.
            let spaced = text.replace('\n', "\r\n");
            assert_eq!(Mrz::read(&spaced).ok(), Some(zone), "CRLF");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Normalises a number: total, idempotent, the same from text and from bytes.
pub fn number(bytes: &[u8]) {
    let from_bytes = DocumentNumber::normalise_bytes(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert_eq!(DocumentNumber::normalise(text), from_bytes);
    }
    // What is read from a cell is what it normalises to, or nothing.
    if let Ok(number) = DocumentNumber::from_cell_bytes(bytes) {
        assert_eq!(from_bytes, Ok(number));
    }
    match from_bytes {
        Ok(number) => {
            assert!((1..=DocumentNumber::MAX_LEN).contains(&number.as_bytes().len()));
            assert!(
                number
                    .as_bytes()
                    .iter()
                    .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            );
            assert_eq!(DocumentNumber::normalise(number.as_str()), Ok(number));
            assert_eq!(
                DocumentNumber::from_normalised(number.as_bytes()),
                Some(number)
            );
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Reads a list: every row is accounted for, or the list is refused.
fn list(layout: Layout, bytes: &[u8]) {
    match read_bytes(layout, bytes) {
        Ok(account) => assert!(account.adds_up(), "{account:?}"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Our CSV.
pub fn sltd_csv(bytes: &[u8]) {
    list(Layout::SltdCsv, bytes);
}

/// Our JSON lines.
pub fn sltd_jsonl(bytes: &[u8]) {
    list(Layout::SltdJsonl, bytes);
}

/// Our Parquet.
pub fn sltd_parquet(bytes: &[u8]) {
    list(Layout::SltdParquet, bytes);
}

/// The Russian list.
pub fn russia(bytes: &[u8]) {
    list(Layout::Russia, bytes);
}

/// The Ukrainian list.
pub fn ukraine(bytes: &[u8]) {
    list(Layout::Ukraine, bytes);
}

/// The Ukrainian Migration Service's list.
pub fn ukraine_inactive(bytes: &[u8]) {
    list(Layout::UkraineInactive, bytes);
}

/// The Czech list.
pub fn czechia(bytes: &[u8]) {
    list(Layout::Czechia, bytes);
}
