//! The small tables of a segment: what keys and reports refer to by number.

use super::error::Damage;
use super::fields::Fields;
use crate::document::{DocumentType, IssuingState};
use crate::report::{Day, ReportStatus};
use jiff::Timestamp;
use std::sync::Arc;

/// Most pairs of issuing State and type: several times those that the world has, and few bits in
/// each report.
pub(super) const PAIRS_MAX: usize = 1 << 14;

/// What many reports have in common; texts by their number in the string table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Profile {
    pub source: u32,
    pub kind: Kind,
    pub third_party: bool,
    /// Kept, but not shown: the issuing State has withdrawn the document.
    pub overruled: bool,
    /// `None`: that of the source's list.
    pub edition: Option<Edition>,
    /// Of a withdrawal, its reason.
    pub source_status: u32,
    /// Place in the authority table plus one; 0: none.
    pub authority: u32,
    pub restriction: u32,
}

/// What a statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    /// A report.
    Report(ReportStatus),
    /// The source withdraws its reports.
    Withdrawal,
    /// The source takes back its withdrawal as far as that hides reports of third parties.
    Unwithdrawal,
    /// A report that had expired when it was added: it replaces earlier ones.
    Expired,
}

impl Kind {
    /// The status, if it is a report.
    pub(super) fn status(self) -> Option<ReportStatus> {
        match self {
            Self::Report(status) => Some(status),
            Self::Withdrawal | Self::Unwithdrawal | Self::Expired => None,
        }
    }
}

const PROFILE_LEN: usize = 40;
const THIRD_PARTY: u8 = 1;
const OVERRULED: u8 = 2;
const UNWITHDRAWAL: u8 = 4;
const EXPIRED: u8 = 8;

impl Profile {
    /// Whether it is of reports of lists that nothing said later has touched.
    pub(super) fn is_of_list(&self) -> bool {
        self.stands() && self.edition.is_none()
    }

    /// Whether it is of reports that are shown and counted.
    pub(super) fn stands(&self) -> bool {
        self.kind.status().is_some() && !self.overruled
    }
}

/// When a source said something: of two statements of a source, the one of the later edition stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edition {
    /// The instant that it describes.
    pub as_of: Timestamp,
    /// The generation that published it first, at least 1: decides where the instants are equal.
    pub generation: u64,
}

/// An entry of the directory of authorities; texts by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AuthorityEntry {
    pub code: u32,
    pub name: u32,
    pub contact: u32,
}

const AUTHORITY_LEN: usize = 12;

/// What a [`Count`] counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CountOf {
    /// Documents with a report of any source.
    All,
    /// Documents with a report of a source of the issuing State's own.
    Owned,
    /// Documents with a report of this source.
    Source(Arc<str>),
    /// Documents with a report of this source, where it is the issuing State's own.
    OwnSource(Arc<str>),
    /// Documents with a report of this status, of any source.
    Status(ReportStatus),
}

/// Documents of one issuing State and type, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The issuing State.
    pub issuing_state: IssuingState,
    /// The type.
    pub document_type: DocumentType,
    /// What is counted.
    pub of: CountOf,
    /// Distinct documents.
    pub documents: u64,
    /// The newest day on which one of them was reported, where any is dated.
    pub newest_report: Option<Day>,
}

const COUNT_LEN: usize = 24;
const NO_DAY: i32 = i32::MIN;

pub(super) fn encode_pairs(pairs: &[(IssuingState, DocumentType)]) -> Vec<u8> {
    let mut out = (pairs.len() as u32).to_le_bytes().to_vec();
    for (state, document_type) in pairs {
        out.extend_from_slice(&state.padded());
        out.push(document_type.code());
    }
    out
}

pub(super) fn parse_pairs(bytes: &[u8]) -> Result<Vec<(IssuingState, DocumentType)>, Damage> {
    let mut fields = Fields::new(bytes, "pairs");
    let count = fields.count(4)?;
    let mut pairs = Vec::with_capacity(count);
    for _ in 0..count {
        let state = IssuingState::from_padded(fields.array()?).ok_or_else(|| {
            fields.malformed("it names an issuing State this program does not know")
        })?;
        let document_type = DocumentType::from_code(fields.u8()?).ok_or_else(|| {
            fields.malformed("it names a document type this program does not know")
        })?;
        pairs.push((state, document_type));
    }
    fields.end()?;
    if !pairs.is_sorted_by(|a, b| a < b) || pairs.len() > PAIRS_MAX {
        return Err(fields.malformed("its pairs are not in order, or too many"));
    }
    Ok(pairs)
}

pub(super) fn encode_strings<'s>(
    strings: impl ExactSizeIterator<Item = &'s str> + Clone,
) -> Vec<u8> {
    let mut out = (strings.len() as u32).to_le_bytes().to_vec();
    let mut end = 0u32;
    for string in strings.clone() {
        end += string.len() as u32;
        out.extend_from_slice(&end.to_le_bytes());
    }
    for string in strings {
        out.extend_from_slice(string.as_bytes());
    }
    out
}

pub(super) fn parse_strings(bytes: &[u8]) -> Result<Vec<Arc<str>>, Damage> {
    let mut fields = Fields::new(bytes, "strings");
    let count = fields.count(4)?;
    let mut ends = Vec::with_capacity(count);
    for _ in 0..count {
        ends.push(fields.u32()?);
    }
    let mut strings = Vec::with_capacity(count);
    let mut start = 0;
    for end in ends {
        let len = end
            .checked_sub(start)
            .ok_or_else(|| fields.malformed("a text ends before it begins"))?;
        let text = std::str::from_utf8(fields.take(len as usize)?)
            .map_err(|_| fields.malformed("a text is not UTF-8"))?;
        strings.push(text.into());
        start = end;
    }
    fields.end()?;
    if strings
        .first()
        .is_none_or(|first: &Arc<str>| !first.is_empty())
    {
        return Err(fields.malformed("text 0 is not the empty one"));
    }
    Ok(strings)
}

pub(super) fn encode_profiles(profiles: &[Profile]) -> Vec<u8> {
    let mut out = (profiles.len() as u32).to_le_bytes().to_vec();
    for profile in profiles {
        let third_party = if profile.third_party { THIRD_PARTY } else { 0 };
        let overruled = if profile.overruled { OVERRULED } else { 0 };
        let (status, kind) = match profile.kind {
            Kind::Report(status) => (status.code(), 0),
            Kind::Withdrawal => (0, 0),
            Kind::Unwithdrawal => (0, UNWITHDRAWAL),
            Kind::Expired => (0, EXPIRED),
        };
        out.extend_from_slice(&[status, third_party | overruled | kind, 0, 0]);
        for number in [
            profile.source,
            profile.source_status,
            profile.authority,
            profile.restriction,
        ] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        let (generation, seconds, nanoseconds) = profile.edition.map_or((0, 0, 0), |edition| {
            let as_of = edition.as_of;
            (
                edition.generation,
                as_of.as_second(),
                as_of.subsec_nanosecond(),
            )
        });
        out.extend_from_slice(&generation.to_le_bytes());
        out.extend_from_slice(&seconds.to_le_bytes());
        out.extend_from_slice(&nanoseconds.to_le_bytes());
    }
    out
}

/// Parses profiles whose texts and authorities are below `strings` and `authorities`.
pub(super) fn parse_profiles(
    bytes: &[u8],
    strings: usize,
    authorities: usize,
) -> Result<Vec<Profile>, Damage> {
    let mut fields = Fields::new(bytes, "profiles");
    let count = fields.count(PROFILE_LEN)?;
    let mut profiles = Vec::with_capacity(count);
    for _ in 0..count {
        let status =
            match fields.u8()? {
                0 => None,
                code => Some(ReportStatus::from_code(code).ok_or_else(|| {
                    fields.malformed("it holds a status this program does not know")
                })?),
            };
        let flags = fields.u8()?;
        let kind = match (status, flags & !(THIRD_PARTY | OVERRULED)) {
            (Some(status), 0) => Some(Kind::Report(status)),
            (None, 0) => Some(Kind::Withdrawal),
            (None, UNWITHDRAWAL) => Some(Kind::Unwithdrawal),
            (None, EXPIRED) => Some(Kind::Expired),
            _ => None,
        };
        let kind = kind.filter(|_| fields.u16().is_ok_and(|reserved| reserved == 0));
        let kind = kind.ok_or_else(|| fields.malformed("reserved bits are not zero"))?;
        let profile = Profile {
            kind,
            third_party: flags & THIRD_PARTY != 0,
            overruled: flags & OVERRULED != 0,
            source: fields.u32()?,
            source_status: fields.u32()?,
            authority: fields.u32()?,
            restriction: fields.u32()?,
            edition: match (fields.u64()?, fields.i64()?, fields.i32()?) {
                (0, 0, 0) => None,
                (0, ..) => return Err(fields.malformed("an edition is of no generation")),
                (generation, seconds, nanoseconds) => Some(Edition {
                    as_of: Timestamp::new(seconds, nanoseconds)
                        .map_err(|_| fields.malformed("an instant is outside the calendar"))?,
                    generation,
                }),
            },
        };
        let texts = [profile.source, profile.source_status, profile.restriction];
        if texts.iter().any(|text| *text as usize >= strings)
            || profile.authority as usize > authorities
        {
            return Err(fields.malformed("it points outside the tables"));
        }
        profiles.push(profile);
    }
    fields.end()?;
    Ok(profiles)
}

pub(super) fn encode_authorities(authorities: &[AuthorityEntry]) -> Vec<u8> {
    let mut out = (authorities.len() as u32).to_le_bytes().to_vec();
    for authority in authorities {
        for number in [authority.code, authority.name, authority.contact] {
            out.extend_from_slice(&number.to_le_bytes());
        }
    }
    out
}

/// Parses authorities whose texts are below `strings`.
pub(super) fn parse_authorities(
    bytes: &[u8],
    strings: usize,
) -> Result<Vec<AuthorityEntry>, Damage> {
    let mut fields = Fields::new(bytes, "authorities");
    let count = fields.count(AUTHORITY_LEN)?;
    let mut authorities = Vec::with_capacity(count);
    for _ in 0..count {
        let entry = AuthorityEntry {
            code: fields.u32()?,
            name: fields.u32()?,
            contact: fields.u32()?,
        };
        if [entry.code, entry.name, entry.contact]
            .iter()
            .any(|text| *text as usize >= strings)
        {
            return Err(fields.malformed("it points outside the string table"));
        }
        authorities.push(entry);
    }
    fields.end()?;
    Ok(authorities)
}

/// A count as written: `kind` is one of the `COUNT_` constants, `detail` the source's text or
/// the status' code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CountEntry {
    pub pair: u16,
    pub kind: u8,
    pub detail: u32,
    pub documents: u64,
    pub newest_report: Option<Day>,
}

pub(super) const COUNT_ALL: u8 = 0;
pub(super) const COUNT_OWNED: u8 = 1;
pub(super) const COUNT_OWN_SOURCE: u8 = 2;
pub(super) const COUNT_STATUS: u8 = 3;
pub(super) const COUNT_SOURCE: u8 = 4;

pub(super) fn encode_counts(counts: &[CountEntry]) -> Vec<u8> {
    let mut out = (counts.len() as u32).to_le_bytes().to_vec();
    for count in counts {
        out.extend_from_slice(&count.pair.to_le_bytes());
        out.extend_from_slice(&[count.kind, 0]);
        out.extend_from_slice(&count.detail.to_le_bytes());
        out.extend_from_slice(&count.documents.to_le_bytes());
        out.extend_from_slice(
            &count
                .newest_report
                .map_or(NO_DAY, Day::number)
                .to_le_bytes(),
        );
        out.extend_from_slice(&[0; 4]);
    }
    out
}

/// Parses counts whose pairs and sources are in the tables given.
pub(super) fn parse_counts(
    bytes: &[u8],
    pairs: &[(IssuingState, DocumentType)],
    strings: &[Arc<str>],
) -> Result<Vec<Count>, Damage> {
    let mut fields = Fields::new(bytes, "counts");
    let count = fields.count(COUNT_LEN)?;
    let mut counts = Vec::with_capacity(count);
    for _ in 0..count {
        let pair = pairs.get(usize::from(fields.u16()?));
        let (issuing_state, document_type) =
            *pair.ok_or_else(|| fields.malformed("it points outside the pairs"))?;
        let (kind, reserved, detail) = (fields.u8()?, fields.u8()?, fields.u32()?);
        let of = match kind {
            COUNT_ALL => Some(CountOf::All),
            COUNT_OWNED => Some(CountOf::Owned),
            COUNT_SOURCE => strings.get(detail as usize).cloned().map(CountOf::Source),
            COUNT_OWN_SOURCE => strings
                .get(detail as usize)
                .cloned()
                .map(CountOf::OwnSource),
            COUNT_STATUS => u8::try_from(detail)
                .ok()
                .and_then(ReportStatus::from_code)
                .map(CountOf::Status),
            _ => None,
        };
        let of =
            of.ok_or_else(|| fields.malformed("it counts something this program does not know"))?;
        let documents = fields.u64()?;
        let newest_report = match fields.i32()? {
            NO_DAY => None,
            day => Some(
                Day::from_number(day)
                    .ok_or_else(|| fields.malformed("a day is outside the calendar"))?,
            ),
        };
        if reserved != 0 || fields.u32()? != 0 {
            return Err(fields.malformed("reserved bytes are not zero"));
        }
        counts.push(Count {
            issuing_state,
            document_type,
            of,
            documents,
            newest_report,
        });
    }
    fields.end()?;
    Ok(counts)
}
