//! Files that are no list at all: what a web server, a spreadsheet or a wrong copy leaves in its place.

use crate::config::Layout;

/// What is packed inside another packing.
const TWICE: &str = "a packed file inside another packing: expected one packing";

/// The bytes that tell.
pub(super) const KIND_BYTES: usize = 512;

/// What the text of a file is, where it is certainly no list of the layout.
pub(super) fn other_kind(layout: Layout, first: &[u8]) -> Option<&'static str> {
    let first = first.get(..KIND_BYTES).unwrap_or(first);
    const MAGIC: [(&[u8], &str); 12] = [
        (b"%PDF-", "a PDF document"),
        (b"PAR1", "a Parquet file: its layout is sltd-parquet"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "a workbook or another office document: save it as CSV",
        ),
        (b"SQLite format 3\0", "an SQLite database"),
        (
            b"7z\xbc\xaf\x27\x1c",
            "a file packed with 7-Zip: expected gzip, bzip2, zstd or zip",
        ),
        (
            b"Rar!\x1a\x07",
            "a file packed with RAR: expected gzip, bzip2, zstd or zip",
        ),
        (b"\x1f\x8b\x08", TWICE),
        (b"BZh", TWICE),
        (b"\x28\xb5\x2f\xfd", TWICE),
        (
            b"\xfd7zXZ\0",
            "a file packed with xz: expected gzip, bzip2, zstd or zip",
        ),
        (
            b"\x04\x22\x4d\x18",
            "a file packed with LZ4: expected gzip, bzip2, zstd or zip",
        ),
        (b"PK\x03\x04", TWICE),
    ];
    if let Some((_, found)) = MAGIC.iter().find(|(magic, _)| first.starts_with(magic)) {
        return Some(found);
    }
    if first.get(257..262) == Some(b"ustar") {
        return Some("a tar archive: expected the list itself, or a ZIP archive of lists");
    }
    let text = first.trim_ascii_start();
    let begins = |tag: &[u8]| {
        text.get(..tag.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(tag))
    };
    match text.first() {
        Some(b'<') if begins(b"<!doctype html") || begins(b"<html") => Some("an HTML page"),
        Some(b'<') => Some("an XML or HTML document"),
        Some(b'{' | b'[') if layout.is_delimited() => Some("JSON: expected rows of columns"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_list_is_named() {
        for (text, found) in [
            ("\r\n <!DOCTYPE HTML>\n<html>", Some("an HTML page")),
            ("<HTML><body>503", Some("an HTML page")),
            ("<?xml version=\"1.0\"?>", Some("an XML or HTML document")),
            ("%PDF-1.7", Some("a PDF document")),
            (
                "[{\"number\":\"A1\"}]",
                Some("JSON: expected rows of columns"),
            ),
            ("", None),
            ("number,issuing_state\n", None),
            ("00000001;1.2.2003\n", None),
        ] {
            assert_eq!(
                other_kind(Layout::Czechia, text.as_bytes()),
                found,
                "{text}"
            );
        }
        assert_eq!(other_kind(Layout::SltdJsonl, b"[{}]"), None);
        assert_eq!(other_kind(Layout::Ukraine, b" [{}]"), None);
    }
}
