//! The frame of a segment file: header, section table, digests. `FORMAT.md` has the byte map.
//!
//! [`Frame::parse`] is the only way from bytes to a [`Frame`]: what it returns has a known
//! version, a digest that matches, and sections that lie inside the file in order, so that
//! later arithmetic on offsets cannot overflow or leave the file.

use super::bytes::Witness;
use super::error::Damage;
use super::fields::Fields;

/// First bytes of every segment.
pub(super) const MAGIC: [u8; 8] = *b"SLTDSEG\0";
/// The version this build writes, and the only one it reads. Compared by [`Frame::parse`]:
/// another version is refused by name.
pub(super) const VERSION: u32 = 5;
/// Bytes of the fixed header.
pub(super) const HEADER_LEN: usize = 128;
/// Bytes of one entry of the section table.
pub(super) const ENTRY_LEN: usize = 64;
/// Alignment of every section, a cache line.
pub(super) const ALIGN: u64 = 64;
/// Alignment of the filter, a page: its pages hold nothing else, so that they can be
/// warmed, and counted, alone.
pub(super) const FILTER_ALIGN: u64 = 4096;
/// Most sections a table may name: bounds the table before anything is allocated. 2^20 shards
/// of 2^20 numbers are more documents than there are people.
const SECTIONS_MAX: u32 = 4 << 20;

const DIGEST_OFFSET: usize = 96;

/// What a section holds. The numbers are the codes in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u32)]
pub enum SectionKind {
    /// The automaton of one shard: beginnings of numbers to blocks.
    Keys = 1,
    /// The numbers of one shard that begin alike, with their runs of reports.
    Blocks = 2,
    /// Packed reports of one shard.
    Reports = 3,
    /// Owners' references of one shard; absent where no report has one.
    References = 4,
    /// Bits of the filter; absent where the segment has none.
    Filter = 5,
    /// First number and counts of each shard.
    Shards = 6,
    /// Pairs of issuing State and document type that reports name by number.
    Pairs = 7,
    /// What many reports have in common.
    Profiles = 8,
    /// The directory of authorities.
    Authorities = 9,
    /// Texts.
    Strings = 10,
    /// Documents counted by issuing State, type, source and status.
    Counts = 11,
}

impl SectionKind {
    /// Every kind, in order of its code.
    pub const ALL: [Self; 11] = [
        Self::Keys,
        Self::Blocks,
        Self::Reports,
        Self::References,
        Self::Filter,
        Self::Shards,
        Self::Pairs,
        Self::Profiles,
        Self::Authorities,
        Self::Strings,
        Self::Counts,
    ];

    fn from_code(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u32 == code)
    }

    /// The name in reports and errors: `authorities`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Blocks => "blocks",
            Self::Reports => "reports",
            Self::References => "references",
            Self::Filter => "filter",
            Self::Shards => "shards",
            Self::Pairs => "pairs",
            Self::Profiles => "profiles",
            Self::Authorities => "authorities",
            Self::Strings => "strings",
            Self::Counts => "counts",
        }
    }

    pub(super) fn align(self) -> u64 {
        if self == Self::Filter {
            FILTER_ALIGN
        } else {
            ALIGN
        }
    }
}

/// One entry of the section table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Section {
    pub kind: SectionKind,
    /// Shard the section belongs to; 0 for the kinds of which a segment has one.
    pub shard: u32,
    /// First byte in the file.
    pub offset: u64,
    /// Length in bytes.
    pub len: u64,
    /// BLAKE3 of its bytes.
    pub digest: [u8; 32],
}

/// Header and section table, verified (when parsed) or to be written. The table stands at the
/// end of the file: a builder learns what it lists only by writing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    /// Distinct documents.
    pub documents: u64,
    /// Distinct document numbers.
    pub numbers: u64,
    /// Stored reports: documents with equal reports in a row share one.
    pub reports: u64,
    /// Number of shards.
    pub shards: u32,
    /// Sections in the order of their offsets.
    pub sections: Vec<Section>,
}

/// The next multiple of `align` at or after `offset`.
pub(super) fn align_up(offset: u64, align: u64) -> u64 {
    offset.div_ceil(align) * align
}

impl Frame {
    /// Where the section table begins: behind the last section.
    pub(super) fn table_offset(&self) -> u64 {
        let end = self
            .sections
            .last()
            .map_or(HEADER_LEN as u64, |section| section.offset + section.len);
        align_up(end, ALIGN)
    }

    /// The bytes of the header followed by those of the table.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_LEN + self.sections.len() * ENTRY_LEN);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&(self.sections.len() as u32).to_le_bytes());
        let table_offset = self.table_offset();
        let file_len = table_offset + (self.sections.len() * ENTRY_LEN) as u64;
        for value in [
            file_len,
            table_offset,
            self.documents,
            self.numbers,
            self.reports,
        ] {
            out.extend_from_slice(&value.to_le_bytes());
        }
        out.extend_from_slice(&self.shards.to_le_bytes());
        out.resize(HEADER_LEN, 0);
        for section in &self.sections {
            out.extend_from_slice(&(section.kind as u32).to_le_bytes());
            out.extend_from_slice(&section.shard.to_le_bytes());
            out.extend_from_slice(&section.offset.to_le_bytes());
            out.extend_from_slice(&section.len.to_le_bytes());
            out.extend_from_slice(&section.digest);
            out.extend_from_slice(&[0; 8]);
        }
        let digest = frame_digest(&out);
        out[DIGEST_OFFSET..HEADER_LEN].copy_from_slice(digest.as_bytes());
        out
    }

    /// Bytes of the file that are others in any other segment, in the header, and its last ones, which a file that is
    /// truncated has no longer.
    pub(super) fn witnesses(&self) -> [Witness; 2] {
        let bytes = self.encode();
        let take = |at: usize| {
            let found = bytes.get(at..).and_then(<[u8]>::first_chunk);
            found.copied().unwrap_or_default()
        };
        let len = size_of::<u128>();
        let table_len = bytes.len() - HEADER_LEN;
        let end = self.table_offset() as usize + table_len - len;
        [
            (DIGEST_OFFSET, take(DIGEST_OFFSET)),
            (end, take(bytes.len() - len)),
        ]
    }

    /// Where the section table stands and how long it is, told from the header; checks magic,
    /// version and that the table ends with the file.
    pub(super) fn table_range(
        header: &[u8; HEADER_LEN],
        file_len: u64,
    ) -> Result<(u64, usize), Damage> {
        let mut fields = Fields::new(header, "header");
        if fields.take(8)? != MAGIC {
            return Err(Damage::NotASegment);
        }
        let version = fields.u32()?;
        if version != VERSION {
            return Err(Damage::Version {
                expected: VERSION,
                got: version,
            });
        }
        let sections = fields.u32()?;
        let claimed = fields.u64()?;
        if claimed != file_len {
            return Err(Damage::Length {
                expected: claimed,
                got: file_len,
            });
        }
        let offset = fields.u64()?;
        let len = u64::from(sections) * ENTRY_LEN as u64;
        if sections > SECTIONS_MAX
            || offset < HEADER_LEN as u64
            || offset.checked_add(len) != Some(file_len)
        {
            return Err(fields.malformed("its section table does not end with the file"));
        }
        Ok((offset, len as usize))
    }

    /// Parses and checks header and table; `bytes` is the header followed by the table that
    /// [`table_range`](Self::table_range) names.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Damage> {
        if bytes.len() < HEADER_LEN
            || frame_digest(bytes).as_bytes() != &bytes[DIGEST_OFFSET..HEADER_LEN]
        {
            return Err(Damage::Digest {
                section: "header and section table",
                shard: 0,
            });
        }
        let mut fields = Fields::new(bytes, "header");
        fields.take(12)?;
        let count = fields.u32()?;
        fields.u64()?;
        let table_offset = fields.u64()?;
        let mut frame = Self {
            documents: fields.u64()?,
            numbers: fields.u64()?,
            reports: fields.u64()?,
            shards: fields.u32()?,
            sections: Vec::with_capacity((bytes.len() - HEADER_LEN) / ENTRY_LEN),
        };
        if fields
            .take(DIGEST_OFFSET - 60)?
            .iter()
            .any(|byte| *byte != 0)
        {
            return Err(Damage::Malformed {
                section: "header",
                what: "reserved bytes are not zero",
            });
        }
        fields.take(32)?;
        let mut end = HEADER_LEN as u64;
        for _ in 0..count {
            let malformed = |what| Damage::Malformed {
                section: "section table",
                what,
            };
            let kind = SectionKind::from_code(fields.u32()?)
                .ok_or(malformed("it names a section of unknown kind"))?;
            let section = Section {
                kind,
                shard: fields.u32()?,
                offset: fields.u64()?,
                len: fields.u64()?,
                digest: fields.array()?,
            };
            if fields.u64()? != 0 {
                return Err(malformed("reserved bytes are not zero"));
            }
            // Every section begins where the one before ended, but for padding: no gap can
            // hide bytes that no digest covers, and no two sections overlap.
            if section.offset != align_up(end, kind.align()) {
                return Err(malformed("a section is not where the one before it ends"));
            }
            end = section
                .offset
                .checked_add(section.len)
                .filter(|end| *end <= table_offset)
                .ok_or(malformed("a section reaches into the table"))?;
            frame.sections.push(section);
        }
        fields.end()?;
        if frame.table_offset() != table_offset {
            return Err(Damage::Malformed {
                section: "section table",
                what: "bytes follow the last section",
            });
        }
        Ok(frame)
    }

    /// The one section of a kind and shard.
    pub(super) fn find(&self, kind: SectionKind, shard: u32) -> Option<&Section> {
        self.sections
            .iter()
            .find(|section| section.kind == kind && section.shard == shard)
    }
}

/// BLAKE3 of header and table with the digest's own place read as zeros.
fn frame_digest(bytes: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&bytes[..DIGEST_OFFSET]);
    hasher.update(&[0; HEADER_LEN - DIGEST_OFFSET]);
    hasher.update(&bytes[HEADER_LEN..]);
    hasher.finalize()
}
