//! Reading `sources.toml`: every value is checked by hand, so that an error can name the
//! source, the field and what was expected there.

mod entry;
mod form;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::guards::Limits;
use crate::sources::states_a_day;
use sltd::document::{DocumentNumber, DocumentType, Exemption, IssuingState, Placeholders};
use sltd::report::ReportStatus;
use sltd::service::parse_duration;
use toml::{Table, Value};

use entry::{Entry, expected_state};
use form::{read_columns, read_date_format, read_delimiter, read_encoding, read_files};

use super::{
    AuthorityConfig, Compression, Layout, Owns, Purpose, SourceConfig, SourcesFile, ThirdParty,
};

/// The age from which a source counts as stale where it does not say.
const STALE_AFTER: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The longest name of a source: it names a file too.
const NAME_MAX: usize = 64;

/// What is wrong with a `sources.toml`.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// It is no TOML.
    #[error("not a TOML file: {0}")]
    Syntax(#[from] toml::de::Error),
    /// The limits of the guards are not what they may be.
    #[error("guards: {0}")]
    Guards(toml::de::Error),
    /// It describes no source.
    #[error("expected at least one [[source]], found none")]
    NoSource,
    /// A name that is not known, outside of sources and authorities.
    #[error("{name}: not known; expected [[source]], [[authority]] and [guards]")]
    UnknownTable {
        /// The name found.
        name: String,
    },
    /// A field that is not known.
    #[error("{place}: field {field} is not known; expected one of {expected}")]
    UnknownField {
        /// The source or authority.
        place: String,
        /// The field found.
        field: String,
        /// Those there are.
        expected: String,
    },
    /// A required field is missing.
    #[error("{place}: field {field} is missing; expected {expected}")]
    Missing {
        /// The source or authority.
        place: String,
        /// The field.
        field: &'static str,
        /// What belongs there.
        expected: String,
    },
    /// A value that does not belong where it stands.
    #[error("{place}: field {field}: expected {expected}, found {found}")]
    Value {
        /// The source or authority.
        place: String,
        /// The field.
        field: &'static str,
        /// What belongs there.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// Two sources of one name, or two authorities of one code.
    #[error("{place}: described twice; expected each name once")]
    Twice {
        /// The source or authority.
        place: String,
    },
}

/// Reads a `sources.toml`; patterns in it are relative to its folder.
///
/// # Errors
/// [`ConfigError`] when it cannot be read or says something it may not say.
pub fn load(path: &Path) -> Result<SourcesFile, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Read {
        path: path.to_owned(),
        error,
    })?;
    parse(&text, path.parent().unwrap_or(Path::new("")))
}

/// Reads the text of a `sources.toml`; patterns in it are relative to `folder`.
///
/// # Errors
/// [`ConfigError`] when it says something it may not say.
pub fn parse(text: &str, folder: &Path) -> Result<SourcesFile, ConfigError> {
    let mut file: Table = text.parse()?;
    let mut read = SourcesFile::default();
    let mut names = BTreeSet::new();
    for (index, entry) in Entry::all(&mut file, "source")?.into_iter().enumerate() {
        let source = read_source(entry, index, folder)?;
        if !names.insert(source.name.clone()) {
            return Err(ConfigError::Twice {
                place: format!("source {}", source.name),
            });
        }
        read.sources.push(source);
    }
    let mut codes = BTreeSet::new();
    for (index, entry) in Entry::all(&mut file, "authority")?.into_iter().enumerate() {
        let authority = read_authority(entry, index)?;
        // Rows name an authority by its code alone: of two, the wrong one might be called.
        if !codes.insert(authority.code.clone()) {
            let place = format!("authority {}", authority.code);
            return Err(ConfigError::Twice { place });
        }
        read.authorities.push(authority);
    }
    if let Some(guards) = file.remove("guards") {
        read.guards = read_guards(guards)?;
    }
    if let Some(name) = file.keys().next() {
        return Err(ConfigError::UnknownTable { name: name.clone() });
    }
    if read.sources.is_empty() {
        return Err(ConfigError::NoSource);
    }
    Ok(read)
}

fn is_name(text: &str) -> bool {
    (1..=NAME_MAX).contains(&text.len())
        && text.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-')
        })
}

fn read_source(mut entry: Entry, index: usize, folder: &Path) -> Result<SourceConfig, ConfigError> {
    entry.place = format!("source {}", index + 1);
    let expected_name = || format!("a name of 1 to {NAME_MAX} characters a-z, 0-9, _ and -");
    let name = entry.read("name", expected_name, |text| {
        is_name(text).then(|| text.to_owned())
    })?;
    let name = name.ok_or_else(|| entry.missing("name", expected_name()))?;
    entry.place = format!("source {name}");

    let path = entry
        .line("path")?
        .ok_or_else(|| entry.missing("path", "a path or glob pattern"))?;
    // The name of a file may be no pattern: it may hold a bracket.
    if let Err(error) = glob::Pattern::new(&path)
        && !folder.join(&path).exists()
    {
        return Err(entry.wrong("path", "a glob pattern", &format!("`{path}` ({error})")));
    }
    let layout = entry
        .one_of("layout", &Layout::ALL, Layout::name)?
        .ok_or_else(|| {
            entry.missing(
                "layout",
                format!("one of {}", Layout::ALL.map(Layout::name).join(", ")),
            )
        })?;
    let issuing_state = entry.state("issuing_state")?;
    let (added, exempt) = (
        read_numbers(&mut entry, "placeholders")?,
        read_numbers(&mut entry, "placeholder_exemptions")?,
    );
    let mut source = SourceConfig {
        name,
        path,
        files: read_files(&mut entry)?,
        archive_entry: entry.read(
            "archive_entry",
            || "a glob pattern such as *.csv".to_owned(),
            |text| glob::Pattern::new(text).ok(),
        )?,
        folder: folder.to_owned(),
        layout,
        as_of: entry.instant("as_of")?,
        as_of_name: entry.read(
            "as_of_name",
            || "how file names begin, with a day in it, such as list_%Y%m%d".to_owned(),
            |text| states_a_day(text).then(|| text.to_owned()),
        )?,
        part: None,
        stale_after: entry
            .read(
                "stale_after",
                || "a duration such as 500ms, 8s, 2m, 12h or 7d".to_owned(),
                |text| parse_duration(text).ok(),
            )?
            .unwrap_or(STALE_AFTER),
        required: entry.flag("required")?,
        compression: entry.one_of("compression", &Compression::ALL, Compression::name)?,
        encoding: read_encoding(&mut entry, layout)?,
        delimiter: read_delimiter(&mut entry, layout)?,
        columns: read_columns(&mut entry, layout)?,
        date_format: read_date_format(&mut entry, layout)?,
        owns: read_owns(&mut entry, layout, issuing_state)?,
        third_party: entry
            .one_of("third_party", &ThirdParty::ALL, ThirdParty::name)?
            .unwrap_or(ThirdParty::Reject),
        issuing_state,
        document_type: entry.one_of("type", &DocumentType::ALL, DocumentType::name)?,
        status: entry.one_of("status", &ReportStatus::ALL, ReportStatus::name)?,
        authority: entry.code("authority")?,
        restriction: entry.code("restriction")?,
        kind: read_kind(&mut entry, layout)?,
        placeholders: Placeholders::default(),
        purpose: Purpose::List,
    };
    if source.as_of.is_some() && source.as_of_name.is_some() {
        return Err(entry.wrong("as_of_name", "either as_of or as_of_name", "both"));
    }
    if layout.issuing_state().is_some() && source.issuing_state.is_some() {
        return Err(entry.given(layout, "issuing_state"));
    }
    if matches!(
        layout,
        Layout::Russia | Layout::UkraineInactive | Layout::Czechia
    ) && source.document_type.is_some()
    {
        return Err(entry.given(layout, "type"));
    }
    source.placeholders = Placeholders::new(added, exemptions(&source.owns, &exempt));
    entry.nothing_left()?;
    Ok(source)
}

/// Whose documents a source reports: as it says, else those of the one State it is about.
fn read_owns(
    entry: &mut Entry,
    layout: Layout,
    state: Option<IssuingState>,
) -> Result<Owns, ConfigError> {
    let expected = "a list of issuing States such as [\"UKR\"], or [\"*\"]";
    let listed = match entry.take("owns") {
        None => {
            let own = state.or_else(|| IssuingState::parse(layout.issuing_state()?).ok());
            return own
                .map(|own| Owns::States(vec![own]))
                .ok_or_else(|| entry.missing("owns", expected));
        }
        Some(Value::Array(listed)) if !listed.is_empty() => listed,
        Some(other) => return Err(entry.wrong("owns", expected, other.type_str())),
    };
    if let [Value::String(star)] = listed.as_slice()
        && star == "*"
    {
        return Ok(Owns::All);
    }
    let mut states = Vec::new();
    for value in &listed {
        let Value::String(text) = value else {
            return Err(entry.wrong("owns", expected, value.type_str()));
        };
        let state = IssuingState::parse(text)
            .map_err(|_| entry.wrong("owns", expected_state(), &format!("`{text}`")))?;
        states.push(state);
    }
    states.sort_unstable();
    states.dedup();
    Ok(Owns::States(states))
}

fn read_guards(table: Value) -> Result<Limits, ConfigError> {
    let wrong = |field: &'static str, expected: &str, found: String| ConfigError::Value {
        place: "guards".to_owned(),
        field,
        expected: expected.to_owned(),
        found,
    };
    let limits: Limits = table.try_into().map_err(ConfigError::Guards)?;
    let shares = [
        ("overall_shrink", limits.overall_shrink),
        ("issuer_shrink", limits.issuer_shrink),
        ("turnover", limits.turnover),
        ("format", limits.format),
        ("format_before", limits.format_before),
        ("withdrawals", limits.withdrawals),
    ];
    for (field, share) in shares {
        if !(0.0..=1.0).contains(&share) {
            return Err(wrong(field, "a share from 0 to 1", share.to_string()));
        }
    }
    let factors = [
        ("issuer_growth", limits.issuer_growth),
        ("growth_steps", limits.growth_steps),
    ];
    for (field, factor) in factors {
        if !(factor.is_finite() && factor >= 0.0) {
            return Err(wrong(field, "a number from 0", factor.to_string()));
        }
    }
    Ok(limits)
}

/// Document numbers, in a list.
fn read_numbers(
    entry: &mut Entry,
    field: &'static str,
) -> Result<Vec<DocumentNumber>, ConfigError> {
    let expected = "a list of document numbers such as [\"0000000\"]";
    let listed = match entry.take(field) {
        None => return Ok(Vec::new()),
        Some(Value::Array(listed)) => listed,
        Some(other) => return Err(entry.wrong(field, expected, other.type_str())),
    };
    let read = |value: &Value| {
        let text = value.as_str()?;
        DocumentNumber::normalise(text).ok()
    };
    let wrong = |value: &Value| entry.wrong(field, expected, &value.to_string());
    listed
        .iter()
        .map(|value| read(value).ok_or_else(|| wrong(value)))
        .collect()
}

/// What the States whose own source it is really issue.
fn exemptions(owns: &Owns, numbers: &[DocumentNumber]) -> Vec<Exemption> {
    let states: Vec<Option<IssuingState>> = match owns {
        Owns::All => vec![None],
        Owns::States(states) => states.iter().copied().map(Some).collect(),
    };
    let of_state = |&issuing_state: &Option<IssuingState>| {
        numbers.iter().map(move |&number| Exemption {
            number,
            issuing_state,
        })
    };
    states.iter().flat_map(of_state).collect()
}

fn read_kind(entry: &mut Entry, layout: Layout) -> Result<Option<u8>, ConfigError> {
    let Some(value) = entry.take("kind") else {
        return Ok(None);
    };
    let found = value.to_string();
    match value.as_integer().and_then(|kind| u8::try_from(kind).ok()) {
        Some(kind @ 0..=3) if layout == Layout::Czechia => Ok(Some(kind)),
        _ => Err(entry.wrong("kind", "a number 0 to 3, with layout czechia only", &found)),
    }
}

fn read_authority(mut entry: Entry, index: usize) -> Result<AuthorityConfig, ConfigError> {
    entry.place = format!("authority {}", index + 1);
    let code = entry
        .code("code")?
        .ok_or_else(|| entry.missing("code", "the code that reports name it by"))?;
    entry.place = format!("authority {code}");
    let authority = AuthorityConfig {
        code,
        name: entry
            .line("name")?
            .ok_or_else(|| entry.missing("name", "its name"))?,
        contact: entry.text("contact")?.unwrap_or_default().trim().to_owned(),
        issuing_state: entry
            .state("issuing_state")?
            .ok_or_else(|| entry.missing("issuing_state", expected_state()))?,
    };
    entry.nothing_left()?;
    Ok(authority)
}

#[cfg(test)]
mod tests;
