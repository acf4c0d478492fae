//! What the command line says of as of when lists are.

use crate::config::SourcesFile;
use jiff::Timestamp;
use jiff::tz::Offset;
use sltd::report::Day;
use std::str::FromStr;

const EXPECTED: &str =
    "expected SOURCE=WHEN, where WHEN is an instant such as 2026-11-22T04:00:00Z or a day";

/// `SOURCE=WHEN`: the instant that a source's files describe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StatedAsOf {
    source: String,
    as_of: Timestamp,
}

impl FromStr for StatedAsOf {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (source, when) = text.split_once('=').ok_or(EXPECTED)?;
        // A day begins at 00:00 UTC.
        let of_day = || {
            let day: jiff::civil::Date = Day::parse_iso(when)?.to_string().parse().ok()?;
            let midnight = day.to_datetime(jiff::civil::Time::midnight());
            Offset::UTC.to_timestamp(midnight).ok()
        };
        let as_of = when.parse().ok().or_else(of_day).ok_or(EXPECTED)?;
        Ok(Self {
            source: source.to_owned(),
            as_of,
        })
    }
}

/// A value of `build --as-of`: the day of the build, or the instant of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BuildAsOf {
    Day(Day),
    Source(StatedAsOf),
}

impl FromStr for BuildAsOf {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains('=') {
            return text.parse().map(Self::Source);
        }
        let day = Day::parse_iso(text).map(Self::Day);
        day.ok_or_else(|| format!("expected a day of the calendar, YYYY-MM-DD; or {EXPECTED}"))
    }
}

/// States as of when sources are, in place of what is configured.
///
/// # Errors
/// A sentence, when there is no such source, or it is named twice.
pub(crate) fn state<'s>(
    sources: &mut SourcesFile,
    stated: impl IntoIterator<Item = &'s StatedAsOf>,
) -> Result<(), String> {
    let mut named = Vec::new();
    for StatedAsOf { source, as_of } in stated {
        if named.contains(&source) {
            return Err(format!("--as-of {source}=: given twice"));
        }
        named.push(source);
        let mut all = sources.sources.iter_mut();
        let Some(found) = all.find(|one| one.name == *source) else {
            return Err(format!(
                "--as-of {source}=: the file describes no source of that name"
            ));
        };
        found.as_of = Some(*as_of);
        found.as_of_name = None;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_a_day_or_the_instant_of_a_source() {
        let source = |when: &str| {
            BuildAsOf::Source(StatedAsOf {
                source: "list".to_owned(),
                as_of: when.parse().unwrap(),
            })
        };
        let cases = [
            (
                "2026-11-22",
                BuildAsOf::Day(Day::from_ymd(2026, 11, 22).unwrap()),
            ),
            ("list=2026-11-22", source("2026-11-22T00:00:00Z")),
            (
                "list=2026-11-22T04:00:00+02:00",
                source("2026-11-22T02:00:00Z"),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        for wrong in [
            "",
            "2026-11-31",
            "list",
            "list=",
            "list=noon",
            "list=2026-11-22T04:00",
        ] {
            let error = wrong.parse::<BuildAsOf>().unwrap_err();
            assert!(error.contains("expected"), "{wrong}: {error}");
        }
    }
}
