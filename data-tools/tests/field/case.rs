//! The form of a case.

use crate::step::Step;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Deserialize;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::SystemTime;

/// A file of `tests/field`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// What happens in the field, and where it was seen.
    pub why: String,
    /// The files that are there before the first step.
    #[serde(default)]
    pub file: Vec<CaseFile>,
    /// What is done, in order.
    pub step: Vec<Step>,
}

/// A file, relative to the folder of the case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseFile {
    name: String,
    /// Its content, or with `repeat` the part that is repeated.
    #[serde(default)]
    text: String,
    /// Numbered rows after `text`: `{}` in the row becomes the number, six digits wide.
    rows: Option<Rows>,
    /// Bytes in hexadecimal, in place of a text.
    hex: Option<String>,
    /// How the text is encoded: a label of the WHATWG Encoding Standard, or `utf-16le`, `utf-16be`.
    encoding: Option<String>,
    /// Whether a byte order mark comes first.
    #[serde(default)]
    byte_order_mark: bool,
    /// `crlf` or `cr` in place of the line feeds of the text.
    line_ends: Option<String>,
    /// Whether the file is packed with gzip.
    #[serde(default)]
    gzip: bool,
    /// Its modification time, RFC 3339.
    modified: Option<jiff::Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    from: u32,
    to: u32,
    text: String,
}

impl CaseFile {
    /// Writes the file below a folder.
    pub(crate) fn write(&self, folder: &Path) {
        let path = folder.join(&self.name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut bytes = self.bytes();
        if self.gzip {
            let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
            packed.write_all(&bytes).unwrap();
            bytes = packed.finish().unwrap();
        }
        fs::write(&path, bytes).unwrap();
        if let Some(modified) = self.modified {
            let file = File::options().append(true).open(&path).unwrap();
            file.set_modified(SystemTime::try_from(modified).unwrap())
                .unwrap();
        }
    }

    fn bytes(&self) -> Vec<u8> {
        if let Some(hex) = &self.hex {
            let digits: String = hex.split_whitespace().collect();
            let pairs = digits.as_bytes().chunks(2);
            return pairs
                .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
                .collect();
        }
        let mut text = self.text.clone();
        if let Some(rows) = &self.rows {
            for number in rows.from..rows.to {
                text.push_str(&rows.text.replace("{}", &format!("{number:06}")));
                text.push('\n');
            }
        }
        if self.byte_order_mark {
            text.insert(0, '\u{feff}');
        }
        let text = match self.line_ends.as_deref() {
            None => text,
            Some("crlf") => text.replace('\n', "\r\n"),
            Some("cr") => text.replace('\n', "\r"),
            Some(other) => panic!("line_ends = {other:?}"),
        };
        match self.encoding.as_deref() {
            None => text.into_bytes(),
            // Browsers, for whom the standard is, never write these.
            Some("utf-16le") => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Some("utf-16be") => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Some(label) => {
                let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
                let (bytes, _, unmappable) = encoding.encode(&text);
                assert!(!unmappable, "{label} lacks a character of the text");
                bytes.into_owned()
            }
        }
    }
}
